//! `check --changed-since`: only what changed is told, the rest is counted, and nothing that a repository names is run.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::shop::{complete, json, shop};
use crate::support::{self, Project, Run};

pub(crate) fn git(project: &Project, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]);
    let output = git.args(arguments).current_dir(project.root()).env("HOME", project.home()).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Commits everything that is not ignored.
pub(crate) fn committed(project: &Project) {
    git(project, &["init", "--quiet"]);
    git(project, &["add", "."]);
    git(project, &["commit", "--quiet", "-m", "first"]);
}

/// The subjects of what is told, and how many findings were left out.
pub(crate) fn told(project: &Project, revision: &str) -> (Vec<String>, u64) {
    let report = json(&project.run(["check", "--json", "--changed-since", revision]));
    let subject = |it: &serde_json::Value| {
        let subject = if it["file"].is_null() { &it["secret"] } else { &it["file"] };
        subject.as_str().unwrap_or_default().to_owned()
    };
    let findings = report["findings"].as_array().unwrap();
    (findings.iter().map(subject).collect(), report["left_out"]["unchanged"].as_u64().unwrap())
}

pub(crate) fn append(project: &Project, path: &str, text: &str) {
    project.write(path, format!("{}{text}", project.read(path)));
}

#[test]
fn only_what_was_declared_since_is_told() {
    if support::program("git").is_none() {
        return support::skip("only_what_was_declared_since_is_told", "no git");
    }
    let project = shop();
    committed(&project);
    assert_eq!(told(&project, "HEAD"), (vec![], 2));
    let run = project.run(["check", "--changed-since", "main"]).assert_code(0);
    assert!(run.stdout.ends_with("no problem found; 2 left out as unchanged\n"), "{}", run.stdout);

    append(&project, "vault-kit.toml", "[secrets.NEW]\nkind = \"external\"\n");
    assert_eq!(told(&project, "HEAD"), (vec!["NEW".to_owned()], 2));
    project.run(["check", "--changed-since", "HEAD"]).assert_code(1);
    // What holds a secret that changed is told as well.
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("pattern = \"^sk_\"", "pattern = \"^pk_\""));
    assert_eq!(told(&project, "HEAD"), (vec!["extra.json".to_owned(), "NEW".to_owned(), "STRIPE".to_owned()], 0));
    // As is everything, where what all depend on changed.
    project.write("vault-kit.toml", manifest.replace("[environments.dev]", "[environments.dev]\noverlap = \"1h\""));
    assert_eq!(told(&project, "HEAD").1, 0);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "-m", "second"]);
    assert_eq!(told(&project, "HEAD"), (vec![], 3));
    assert_eq!(told(&project, "HEAD~1").1, 0);
}

#[test]
fn a_file_that_git_has_since_is_told() {
    if support::program("git").is_none() {
        return support::skip("a_file_that_git_has_since_is_told", "no git");
    }
    let project = complete();
    committed(&project);
    git(&project, &["add", "--force", ".env"]);
    assert_eq!(told(&project, "HEAD"), (vec![".env".to_owned()], 0));
    git(&project, &["commit", "--quiet", "-m", "oh"]);
    assert_eq!(told(&project, "HEAD"), (vec![], 1));
}

#[test]
fn a_revision_that_there_is_not_is_refused_whatever_it_looks_like() {
    if support::program("git").is_none() {
        return support::skip("a_revision_that_there_is_not_is_refused_whatever_it_looks_like", "no git");
    }
    let project = complete();
    let run = project.run(["check", "--changed-since", "HEAD"]).assert_code(2);
    assert!(run.stderr.contains("is not in the work tree of a git repository"), "{}", run.stderr);
    committed(&project);
    let before = project.contents();
    for revision in [
        "nope",
        "",
        "--upload-pack=touch hacked",
        "--help",
        "-n1",
        "HEAD;touch hacked",
        "a\nb",
        "$(touch hacked)",
        "HEAD:.gitignore",
    ] {
        let run = project.run(["check", "--changed-since", revision]).assert_code(2);
        assert!(
            run.stderr.contains("`--changed-since` names no commit of this repository"),
            "{revision}: {}",
            run.stderr
        );
        assert!(run.stderr.contains("git fetch") && !run.stderr.contains("touch"), "{}", run.stderr);
    }
    assert_eq!(project.contents(), before);
    let mut command = project.command(["check", "--changed-since", "HEAD"]);
    let run = Run::of(command.env("PATH", project.path(".secrets"))).assert_code(2);
    assert!(run.stderr.contains("needs git, which is not found"), "{}", run.stderr);
}

#[test]
fn nothing_that_a_repository_names_is_run() {
    if support::program("git").is_none() {
        return support::skip("nothing_that_a_repository_names_is_run", "no git");
    }
    let project = complete();
    committed(&project);
    let trap = project.path(".git/trap");
    project.write(".git/trap", "#!/bin/sh\ntouch \"$(dirname \"$0\")/sprung\"\ncat\n");
    std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = trap.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "filter.x.clean",
        "filter.x.process",
        "filter.y=z.clean",
        "core.editor",
    ] {
        git(&project, &["config", key, path]);
    }
    for hook in ["post-index-change", "post-checkout", "reference-transaction"] {
        std::fs::create_dir_all(project.path(".git/hooks")).unwrap();
        std::fs::copy(&trap, project.path(&format!(".git/hooks/{hook}"))).unwrap();
    }
    project.write(".git/info/attributes", "* filter=x diff=x\n.gitignore filter=y=z\n");
    append(&project, "vault-kit.toml", "# changed\n");
    project.run(["check", "--changed-since", "HEAD"]).assert_code(0);
    assert!(!project.path(".git/sprung").exists() && !project.path(".git/hooks/sprung").exists());
    // The trap works: git's own porcelain springs it.
    let _ = Command::new("git").args(["diff", "HEAD"]).current_dir(project.root()).env("HOME", project.home()).output();
    assert!(project.path(".git/sprung").exists());
}
