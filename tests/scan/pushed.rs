//! What is pushed is judged by what it has, and not by what lies in the work tree.

use crate::git::{git, repository};
use crate::hooks::{auth, install, person};
use crate::staged::{COMPOSE, deployed};
use crate::support::{Project, Run};
use crate::{findings, report, scan, set};

/// A remote without a commit.
fn remote() -> Project {
    let remote = Project::empty();
    git(&remote, &["init", "-q", "--bare"]).assert_code(0);
    remote
}

fn push(project: &Project, remote: &Project, refs: &[&str]) -> Run {
    person(project, &[&["push", "-q", remote.root().to_str().unwrap()], refs].concat())
}

fn commit(project: &Project, file: &str, text: impl AsRef<[u8]>) {
    project.write(file, text);
    git(project, &["add", file]).assert_code(0);
    git(project, &["commit", "-q", "--no-verify", "-m", "x"]).assert_code(0);
}

#[test]
fn compose_files_and_the_manifest_are_those_of_the_commit() {
    let (project, remote) = (deployed(), remote());
    install(&project);
    let check = |revision: &str| {
        project.run([
            "check",
            "--at",
            "repo",
            "--commit",
            revision,
            "--only",
            "secret-in-environment",
            "--only",
            "tracked-by-git",
        ])
    };
    // What is bad lies in the work tree and the index, and is not pushed.
    let bad = COMPOSE.replace("${DB_PASSWORD:?}", "a8Kd02xXw2Qe9Rt5Yu");
    let manifest = project.read("vault-kit.toml");
    project.write("compose.yml", &bad);
    project.write("vault-kit.toml", "[project\n");
    git(&project, &["add", "."]).assert_code(0);
    check("HEAD").assert_code(0);
    push(&project, &remote, &["main"]).assert_code(0);
    // And the other way round.
    project.write("vault-kit.toml", manifest);
    git(&project, &["commit", "-q", "--no-verify", "-am", "Bad"]).assert_code(0);
    project.write("compose.yml", COMPOSE);
    git(&project, &["add", "."]).assert_code(0);
    let run = check("HEAD").assert_code(1);
    assert!(run.stdout.contains("compose.yml:6"), "{run:?}");
    let stopped = push(&project, &remote, &["main"]);
    assert!(stopped.code != 0 && stopped.both().contains("secret-in-environment"), "{stopped:?}");
    check("HEAD~1").assert_code(0);
    push(&project, &remote, &["HEAD~1:refs/heads/other"]).assert_code(0);
    // One of several is enough, and a name that is taken away is no commit.
    assert_ne!(push(&project, &remote, &["HEAD~1:refs/heads/other", "main"]).code, 0);
    push(&project, &remote, &[":other"]).assert_code(0);
    git(&project, &["commit", "-q", "--no-verify", "-am", "Good"]).assert_code(0);
    git(&project, &["add", "-f", ".env"]).assert_code(0);
    check("HEAD").assert_code(0);
    git(&project, &["commit", "-q", "--no-verify", "-m", "Tracked"]).assert_code(0);
    git(&project, &["rm", "-q", "--cached", ".env"]).assert_code(0);
    assert!(check("HEAD").assert_code(1).stdout.contains(".env  is tracked by git"));
    for unknown in ["nowhere", "--all", ""] {
        check(unknown).assert_code(2);
    }
}

#[test]
fn what_lets_a_leak_pass_counts_once_it_is_in_the_commit_that_is_pushed() {
    let (project, remote) = (repository(), remote());
    install(&project);
    commit(&project, "leak.txt", auth(&project));
    let line =
        report(&scan(&project, &["--history"]).assert_code(1))["findings"][0]["ignore"].as_str().unwrap().to_owned()
            + "\n";
    project.write(".vault-kit-ignore", &line);
    let stopped = push(&project, &remote, &["main"]);
    assert!(
        stopped.code != 0 && stopped.both().contains("its line in .vault-kit-ignore is not in the commit"),
        "{stopped:?}"
    );
    commit(&project, ".vault-kit-ignore", line);
    std::fs::remove_file(project.path(".vault-kit-ignore")).unwrap();
    push(&project, &remote, &["main"]).assert_code(0);
}

#[test]
fn a_commit_without_the_manifest_is_looked_through_by_that_of_the_work_tree() {
    let (project, remote) = (repository(), remote());
    install(&project);
    let auth = auth(&project);
    git(&project, &["checkout", "-q", "--orphan", "pages"]).assert_code(0);
    git(&project, &["rm", "-q", "-r", "--cached", "."]).assert_code(0);
    commit(&project, "page.txt", "clean\n");
    push(&project, &remote, &["pages"]).assert_code(0);
    commit(&project, "page.txt", &auth);
    assert_ne!(push(&project, &remote, &["pages"]).code, 0);
    project.run(["check", "--at", "repo", "--commit", "HEAD"]).assert_code(3);
}

#[test]
fn a_project_below_the_top_is_read_from_the_commit_with_the_ignore_files_above() {
    let project = Project::empty();
    git(&project, &["init", "-q"]).assert_code(0);
    project.write("services/shop/vault-kit.toml", crate::SHOP);
    project.write("services/.gitignore", "/shop/.env\n.vault-kit/\n");
    project.write("services/other/.gitignore", "x\n");
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "--no-verify", "-m", "x"]).assert_code(0);
    std::fs::remove_file(project.path("services/shop/vault-kit.toml")).unwrap();
    std::fs::remove_file(project.path("services/.gitignore")).unwrap();
    git(&project, &["add", "."]).assert_code(0);
    let mut command = project.command(["check", "--at", "repo", "--commit", "HEAD"]);
    Run::of(command.current_dir(project.path("services/shop"))).assert_code(0);
}

#[test]
fn a_leak_in_one_of_several_refs_is_found_whichever_manifest_lies_there() {
    let (project, remote) = (repository(), remote());
    install(&project);
    git(&project, &["checkout", "-q", "-b", "side"]).assert_code(0);
    commit(&project, "leak.txt", auth(&project));
    git(&project, &["checkout", "-q", "main"]).assert_code(0);
    git(&project, &["tag", "v1"]).assert_code(0);
    let stopped = push(&project, &remote, &["main", "side", "v1"]);
    assert!(stopped.code != 0 && stopped.both().contains("leak.txt:1"), "{stopped:?}");
    push(&project, &remote, &["main", "v1"]).assert_code(0);
    assert_eq!(findings(&scan(&project, &["--range", "main..side"]).assert_code(1)), set(&[("AUTH", "leak.txt", 1)]));
}

#[test]
fn what_a_tag_names_is_looked_at_though_no_commit_has_it() {
    let (project, remote) = (repository(), remote());
    install(&project);
    let value = auth(&project);
    project.write("leak.txt", &value);
    let id = |arguments: &[&str]| git(&project, arguments).assert_code(0).stdout.trim().to_owned();
    let blob = id(&["hash-object", "-w", "leak.txt"]);
    project.write("tree", format!("100644 blob {blob}\tdir.txt\n"));
    let mut make = std::process::Command::new("git");
    make.args(["mktree"]).current_dir(project.root()).env_clear().env("PATH", crate::support::search_path());
    let tree = Run::with_stdin(&mut make, project.read("tree").as_bytes()).assert_code(0).stdout.trim().to_owned();
    for file in ["leak.txt", "tree"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    let told = format!("{value} was it");
    for (tags, expected) in [
        (vec![vec!["tag", "light", &blob]], "(the content of refs/tags/light)"),
        (vec![vec!["tag", "-a", "-m", "x", "file", &blob]], "(the content of refs/tags/file)"),
        (vec![vec!["tag", "tree", &tree]], "refs/tags/tree:dir.txt"),
        (
            vec![
                vec!["tag", "-a", "-m", &told, "inner", "main"],
                vec!["tag", "-a", "-m", "x", "outer", "inner"],
                vec!["tag", "-d", "inner"],
            ],
            "(the message of refs/tags/outer)",
        ),
    ] {
        for arguments in &tags {
            git(&project, arguments).assert_code(0);
        }
        let name = tags.iter().map(|it| it.iter().rev().nth(1).unwrap()).find(|it| expected.contains(**it)).unwrap();
        assert_eq!(findings(&scan(&project, &["--history"]).assert_code(1)), set(&[("AUTH", expected, 1)]));
        let stopped = push(&project, &remote, &[name]);
        assert!(stopped.code != 0 && stopped.both().contains(expected), "{stopped:?}");
        assert!(stopped.both().contains("git tag --delete") && !stopped.both().contains(&value), "{stopped:?}");
        git(&project, &["tag", "-d", name]).assert_code(0);
    }
    // Without a name of its own here.
    assert_ne!(push(&project, &remote, &[&format!("{blob}:refs/tags/x")]).code, 0);
    git(&project, &["tag", "-a", "-m", "x", "clean", "main"]).assert_code(0);
    push(&project, &remote, &["main", "clean"]).assert_code(0);
}

#[test]
fn a_note_is_cured_where_notes_are() {
    let (project, remote) = (repository(), remote());
    install(&project);
    push(&project, &remote, &["main"]).assert_code(0);
    let head = git(&project, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    git(&project, &["notes", "add", "-m", &auth(&project)]).assert_code(0);
    let stopped = push(&project, &remote, &["refs/notes/commits"]);
    assert!(
        stopped.code != 0 && stopped.both().contains(&format!("git notes edit {head} && git update-ref")),
        "{stopped:?}"
    );
    // As it says, with an editor that takes it out.
    git(&project, &["notes", "add", "--force", "-m", "clean"]).assert_code(0);
    assert_ne!(push(&project, &remote, &["refs/notes/commits"]).code, 0);
    let anew = git(&project, &["commit-tree", "-m", "Notes", "refs/notes/commits^{tree}"]).assert_code(0);
    git(&project, &["update-ref", "refs/notes/commits", anew.stdout.trim()]).assert_code(0);
    push(&project, &remote, &["refs/notes/commits"]).assert_code(0);
}

#[test]
fn a_push_that_takes_the_manifest_away_is_stopped_once() {
    let (project, remote) = (repository(), remote());
    install(&project);
    push(&project, &remote, &["main"]).assert_code(0);
    let value = auth(&project);
    // Nothing is left to tell what to look for: neither here, nor in what is pushed.
    git(&project, &["rm", "-q", "vault-kit.toml"]).assert_code(0);
    commit(&project, "leak.txt", &value);
    let stopped = push(&project, &remote, &["main"]);
    assert!(
        stopped.code != 0 && stopped.stderr.contains("what is pushed would take `vault-kit.toml` away"),
        "{stopped:?}"
    );
    // Nor does it help that it lies there.
    git(&project, &["checkout", "-q", "HEAD~1", "--", "vault-kit.toml"]).assert_code(0);
    git(&project, &["reset", "-q"]).assert_code(0);
    let line = format!("refs/heads/main {} refs/heads/main {}\n", id(&project, "HEAD"), id(&project, "HEAD~1"));
    let run = project.run_with_stdin(["scan", "--range", "-"], line.as_bytes()).assert_code(3);
    assert!(run.stderr.contains("commit `vault-kit.toml` again"), "{run:?}");
    std::fs::remove_file(project.path("vault-kit.toml")).unwrap();
    // Who means it says so once, or for good.
    git(&project, &["rm", "-q", "leak.txt"]).assert_code(0);
    let run = project.run(["hooks", "remove"]).assert_code(0);
    assert!(run.stderr.contains("removed") && !project.path(".git/hooks/pre-push").exists(), "{run:?}");
    git(&project, &["commit", "-q", "--amend", "--no-edit"]).assert_code(0);
    push(&project, &remote, &["main"]).assert_code(0);
    project.write("vault-kit.toml", crate::SHOP);
    install(&project);
    std::fs::remove_file(project.path("vault-kit.toml")).unwrap();
    commit(&project, "page.txt", "clean\n");
    let run = push(&project, &remote, &["main"]).assert_code(0);
    assert!(run.stderr.contains("its secrets were not looked for"), "{run:?}");
}

#[test]
fn a_branch_is_looked_through_by_its_manifest_also_from_one_that_has_none() {
    let (project, remote) = (repository(), remote());
    install(&project);
    let value = auth(&project);
    commit(&project, "leak.txt", &value);
    git(&project, &["checkout", "-q", "--orphan", "pages"]).assert_code(0);
    git(&project, &["rm", "-q", "-rf", "."]).assert_code(0);
    commit(&project, "page.txt", "clean\n");
    assert!(!project.path("vault-kit.toml").exists());
    for refs in [&["main"][..], &["main", "pages"]] {
        let stopped = push(&project, &remote, refs);
        assert!(stopped.code != 0 && stopped.both().contains("leak.txt:1"), "{stopped:?}");
    }
    push(&project, &remote, &["pages", "main~1:refs/heads/main"]).assert_code(0);
}

fn id(project: &Project, revision: &str) -> String {
    git(project, &["rev-parse", revision]).assert_code(0).stdout.trim().to_owned()
}

#[test]
fn a_value_in_the_name_of_an_author_comes_out_by_what_changes_authors() {
    let project = repository();
    let author = format!("{} <a@example.com>", auth(&project));
    git(&project, &["commit", "-q", "--allow-empty", "-m", "x", "--author", &author]).assert_code(0);
    let id = git(&project, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let zero = "0".repeat(id.len());
    let lines = format!("refs/heads/main {id} refs/heads/main {zero}\n");
    let run = project.run_with_stdin(["scan", "--range", "-"], lines.as_bytes()).assert_code(1);
    assert!(run.stdout.contains("(the header of commit "), "{run:?}");
    assert!(run.stdout.contains("`git commit --amend --no-edit --reset-author`"), "{run:?}");
    assert!(run.stdout.contains("`git filter-repo --mailmap FILE`"), "{run:?}");
    // The command does it, once the configuration has no such name.
    git(&project, &["commit", "-q", "--amend", "--no-edit", "--reset-author", "--allow-empty"]).assert_code(0);
    let id = git(&project, &["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let lines = format!("refs/heads/main {id} refs/heads/main {zero}\n");
    project.run_with_stdin(["scan", "--range", "-"], lines.as_bytes()).assert_code(0);
}
