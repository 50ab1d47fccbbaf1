//! The programs of others that manage git's hooks, as they are: the pre-commit framework, lefthook and husky.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::git::{git, repository};
use crate::support::{Project, Run, python, root, set_mode, skip};

/// The programs of the judges' environment; `None` where one is not there.
fn judges(programs: &[&str]) -> Option<PathBuf> {
    let directory = python()?.parent()?.to_owned();
    programs.iter().all(|program| directory.join(program).exists()).then_some(directory)
}

/// A program as a person runs it in the project, with vault-kit and the judges on the PATH.
fn person(project: &Project, judges: &Path, program: &str, arguments: &[&str]) -> Run {
    let ours = Path::new(env!("CARGO_BIN_EXE_vault-kit")).parent().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(project.root()).env_clear();
    command.env("HOME", project.home()).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C.UTF-8");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "a").env(format!("GIT_{role}_EMAIL"), "a@example.com");
    }
    command.env("PATH", format!("{}:{}:{}", ours.display(), judges.display(), crate::support::search_path()));
    Run::of(&mut command)
}

/// A commit with a value is stopped, and one without is made; so is a push. `remote` is empty at first.
fn assert_guarded(project: &Project, judges: &Path) {
    let commit =
        |arguments: &[&str]| person(project, judges, "git", &[&["commit", "-q", "-m", "x"], arguments].concat());
    let auth = project.get("AUTH");
    project.write("leak.txt", &auth);
    git(project, &["add", "leak.txt"]).assert_code(0);
    let stopped = commit(&[]);
    assert!(stopped.code != 0 && stopped.both().contains("leak.txt:1"), "{stopped:?}");
    assert!(!stopped.both().contains(str::from_utf8(&auth).unwrap()));
    git(project, &["rm", "-q", "--cached", "leak.txt"]).assert_code(0);
    project.write("readme", "a better shop\n");
    commit(&["-a"]).assert_code(0);
    let message = str::from_utf8(&auth).unwrap();
    let stopped = person(project, judges, "git", &["commit", "-q", "--allow-empty", "-m", message]);
    assert!(stopped.code != 0 && stopped.both().contains("(the commit message):1"), "{stopped:?}");
    let merge = |arguments: &[&str]| person(project, judges, "git", arguments);
    merge(&["checkout", "-q", "-b", "side"]).assert_code(0);
    git(project, &["add", "leak.txt"]).assert_code(0);
    commit(&["--no-verify"]).assert_code(0);
    merge(&["checkout", "-q", "-"]).assert_code(0);
    let stopped = merge(&["merge", "-q", "--no-ff", "--no-edit", "side"]);
    assert!(stopped.code != 0 && stopped.both().contains("leak.txt:1"), "{stopped:?}");
    merge(&["merge", "--abort"]).assert_code(0);
    merge(&["branch", "-q", "-D", "side"]).assert_code(0);
    project.write("leak.txt", &auth);

    let remote = Project::empty();
    git(&remote, &["init", "-q", "--bare"]).assert_code(0);
    let push = |name: &str| person(project, judges, "git", &["push", "-q", remote.root().to_str().unwrap(), name]);
    push("HEAD:main").assert_code(0);
    git(project, &["add", "leak.txt"]).assert_code(0);
    commit(&["--no-verify"]).assert_code(0);
    let stopped = push("HEAD:main");
    assert!(stopped.code != 0 && stopped.both().contains("leak.txt:1"), "{stopped:?}");
    git(project, &["reset", "-q", "--hard", "HEAD~1"]).assert_code(0);
}

#[test]
fn the_pre_commit_framework_takes_our_hooks() {
    let test = "the_pre_commit_framework_takes_our_hooks";
    let Some(judges) = judges(&["pre-commit"]) else { return skip(test, "no pre-commit among the judges") };
    let hooks = Project::empty();
    let file = ".pre-commit-hooks.yaml";
    hooks.write(file, std::fs::read(root().join(file)).unwrap());
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "Hooks"]] {
        git(&hooks, arguments).assert_code(0);
    }
    person(&hooks, &judges, "pre-commit", &["validate-manifest", file]).assert_code(0);
    let commit = git(&hooks, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let config = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| format!("  - id: {id}\n")).collect();
        format!("repos:\n- repo: {}\n  rev: {commit}\n  hooks:\n{}", hooks.root().display(), ids.concat())
    };
    let project = repository();
    project.write(
        ".pre-commit-config.yaml",
        config(&["vault-kit-scan", "vault-kit-check", "vault-kit-message", "vault-kit-push"]),
    );
    git(&project, &["add", "."]).assert_code(0);
    install_framework(&project, &judges);
    assert_guarded(&project, &judges);
}

fn install_framework(project: &Project, judges: &Path) {
    for stage in ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"] {
        person(project, judges, "pre-commit", &["install", "-t", stage]).assert_code(0);
    }
}

/// Beside hooks of its own that are others.
fn beside_the_framework(test: &str, ours_first: bool) {
    let Some(judges) = judges(&["pre-commit"]) else { return skip(test, "no pre-commit among the judges") };
    let others = "repos:\n- repo: local\n  hooks:\n  - {id: x, name: x, entry: touch x, language: system, always_run: true, \
                  pass_filenames: false, stages: [pre-commit]}\n";
    let project = repository();
    project.write(".pre-commit-config.yaml", others);
    project.write(".git/info/exclude", "/x\n");
    git(&project, &["add", "."]).assert_code(0);
    if !ours_first {
        install_framework(&project, &judges);
    }
    let run = project.run(["hooks", "install"]).assert_code(0);
    assert!(run.both().contains("vault-kit-scan"), "{run:?}");
    if ours_first {
        install_framework(&project, &judges);
    }
    assert_guarded(&project, &judges);
    assert!(project.path("x").exists(), "its own run too");
}

#[test]
fn ours_are_kept_by_the_pre_commit_framework_that_comes_later() {
    beside_the_framework("ours_are_kept_by_the_pre_commit_framework_that_comes_later", true);
}

#[test]
fn ours_keep_those_of_the_pre_commit_framework() {
    beside_the_framework("ours_keep_those_of_the_pre_commit_framework", false);
}

#[test]
fn lefthook_calls_what_it_is_told() {
    let test = "lefthook_calls_what_it_is_told";
    let Some(judges) = judges(&["lefthook"]) else { return skip(test, "no lefthook among the judges") };
    let project = repository();
    let own = "pre-commit:\n  commands:\n    scan: {run: vault-kit scan --staged}\n    check: {run: vault-kit check --at repo --staged}\n\
               pre-merge-commit:\n  commands:\n    scan: {run: vault-kit scan --staged}\n\
               commit-msg:\n  commands:\n    scan: {run: 'vault-kit scan --message {1}'}\n\
               pre-push:\n  commands:\n    push: {run: vault-kit scan --range -, use_stdin: true}\n";
    project.write("lefthook.yml", own);
    git(&project, &["add", "."]).assert_code(0);
    person(&project, &judges, "lefthook", &["install"]).assert_code(0);
    assert_guarded(&project, &judges);
}

#[test]
fn ours_run_beside_those_of_lefthook() {
    let Some(judges) = judges(&["lefthook"]) else {
        return skip("ours_run_beside_those_of_lefthook", "no lefthook among the judges");
    };
    let project = repository();
    project.write("lefthook.yml", "pre-commit:\n  commands:\n    x: {run: touch x}\n");
    project.write(".git/info/exclude", "/x\n");
    git(&project, &["add", "."]).assert_code(0);
    person(&project, &judges, "lefthook", &["install"]).assert_code(0);
    let run = project.run(["hooks", "install"]).assert_code(0);
    assert!(run.both().contains("`vault-kit scan --range -` with `use_stdin: true`"), "{run:?}");
    assert_guarded(&project, &judges);
    assert!(project.path("x").exists(), "its own run too");
}

#[test]
fn husky_calls_ours_also_after_it_wrote_its_own_anew() {
    let test = "husky_calls_ours_also_after_it_wrote_its_own_anew";
    let husky = root().join("tests/judges/node_modules/husky/bin.js");
    let Some(judges) = judges(&[]).filter(|_| husky.exists() && crate::support::program("node").is_some()) else {
        return skip(test, "no node, or no husky among the npm packages");
    };
    let project = repository();
    project.write(".husky/pre-commit", "touch x\n");
    project.write(".git/info/exclude", "/x\n");
    let install = || person(&project, &judges, "node", &[husky.to_str().unwrap()]).assert_code(0);
    install();
    project.run(["hooks", "install"]).assert_code(0);
    git(&project, &["add", "."]).assert_code(0);
    install();
    assert_guarded(&project, &judges);
    assert!(project.path("x").exists(), "what was there runs too");
    project.run(["hooks", "status"]).assert_code(0);
}

/// What others set up, after ours came, came once more and went: not a byte and no mode is another.
fn assert_left_alone(project: &Project) {
    let before = project.contents();
    project.run(["hooks", "install"]).assert_code(0);
    project.run(["hooks", "install"]).assert_code(0);
    assert_ne!(project.contents(), before);
    project.run(["hooks", "remove"]).assert_code(0);
    let after = project.contents();
    let other: Vec<_> = before.keys().chain(after.keys()).filter(|it| before.get(*it) != after.get(*it)).collect();
    assert!(other.is_empty(), "{other:?}");
    project.run(["hooks", "remove"]).assert_code(0);
    assert_eq!(project.contents(), before);
}

#[test]
fn hooks_of_others_are_as_they_were_once_ours_are_gone() {
    let project = repository();
    git(&project, &["config", "core.hooksPath", "tools/hooks"]).assert_code(0);
    let theirs: [(&str, &[u8], u32); 5] = [
        ("pre-commit", b"#!/bin/sh\nexit 0", 0o755),
        ("pre-merge-commit", b"#!/bin/sh\r\n# \xff\xfe\n", 0o700),
        ("commit-msg", b"", 0o644),
        ("pre-push", b"\x7fELF\0\0", 0o555),
        ("post-commit", b"#!/bin/sh\n", 0o755),
    ];
    for (name, text, mode) in theirs {
        project.write(&format!("tools/hooks/{name}"), text);
        set_mode(&project.path(&format!("tools/hooks/{name}")), mode);
    }
    assert_left_alone(&project);
}

#[test]
fn what_lefthook_wrote_is_as_it_was_once_ours_are_gone() {
    let test = "what_lefthook_wrote_is_as_it_was_once_ours_are_gone";
    let Some(judges) = judges(&["lefthook"]) else { return skip(test, "no lefthook among the judges") };
    let project = repository();
    project.write("lefthook.yml", "pre-commit:\n  commands:\n    x: {run: touch x}\n");
    person(&project, &judges, "lefthook", &["install"]).assert_code(0);
    assert_left_alone(&project);
}

#[test]
fn what_husky_wrote_is_as_it_was_once_ours_are_gone() {
    let test = "what_husky_wrote_is_as_it_was_once_ours_are_gone";
    let husky = root().join("tests/judges/node_modules/husky/bin.js");
    let Some(judges) = judges(&[]).filter(|_| husky.exists() && crate::support::program("node").is_some()) else {
        return skip(test, "no node, or no husky among the npm packages");
    };
    let project = repository();
    project.write(".husky/pre-commit", "npm test");
    person(&project, &judges, "node", &[husky.to_str().unwrap()]).assert_code(0);
    assert_left_alone(&project);
}

#[test]
fn what_the_pre_commit_framework_wrote_is_as_it_was_once_ours_are_gone() {
    let test = "what_the_pre_commit_framework_wrote_is_as_it_was_once_ours_are_gone";
    let Some(judges) = judges(&["pre-commit"]) else { return skip(test, "no pre-commit among the judges") };
    let project = repository();
    project.write(".pre-commit-config.yaml", "repos: []\n");
    install_framework(&project, &judges);
    assert_left_alone(&project);
}

#[test]
fn ours_are_taken_from_where_the_pre_commit_framework_keeps_them() {
    let test = "ours_are_taken_from_where_the_pre_commit_framework_keeps_them";
    let Some(judges) = judges(&["pre-commit"]) else { return skip(test, "no pre-commit among the judges") };
    let project = repository();
    project.write(".pre-commit-config.yaml", "repos: []\n");
    project.write(".git/info/exclude", "/first\n/leak.txt\n");
    let first = "#!/bin/sh\ntouch first\n";
    project.write(".git/hooks/pre-commit", first);
    set_mode(&project.path(".git/hooks/pre-commit"), 0o755);
    git(&project, &["add", "."]).assert_code(0);
    project.run(["hooks", "install"]).assert_code(0);
    install_framework(&project, &judges);
    let framework = project.contents();
    let commit = || person(&project, &judges, "git", &["commit", "-q", "--allow-empty", "-m", "x"]);
    project.write("leak.txt", project.get("AUTH"));
    git(&project, &["add", "-f", "leak.txt"]).assert_code(0);
    // What was there before ours runs by that name too.
    assert_ne!(commit().code, 0);
    std::fs::remove_file(project.path("first")).unwrap();

    let told = project.run(["hooks", "remove", "-n"]).assert_code(0).both();
    assert!(told.contains("would remove") && told.contains("hooks/pre-push.legacy\n"), "{told}");
    let run = project.run(["hooks", "remove"]).assert_code(0);
    assert_eq!(run.stderr, told.replace("would remove", "removed"));
    for hook in ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"] {
        let file = format!(".git/hooks/{hook}");
        assert_eq!(project.bytes(&file), framework[&file].1, "theirs stays");
        assert_eq!(project.path(&format!("{file}.legacy")).exists(), hook == "pre-commit", "{hook}");
    }
    assert_eq!(project.read(".git/hooks/pre-commit.legacy"), first);
    assert!(!project.path(".git/hooks/pre-commit.before-vault-kit").exists());
    commit().assert_code(0);
    assert!(project.path("first").exists());
}
