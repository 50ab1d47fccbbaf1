//! What the next commit would have is judged, and not what lies in the work tree: manifest, Compose files, ignore files and
//! fingerprints are read as git's index has them.

use std::path::Path;
use std::process::Command;

use crate::git::{git, repository};
use crate::support::{Project, Run};
use crate::{findings, report, scan, set};

pub(crate) const COMPOSE: &str = "services:
  db:
    image: postgres:16
    environment:
      POSTGRES_DB: shop
      POSTGRES_PASSWORD: ${DB_PASSWORD:?}
    labels:
      a: one
      b: two
      c: three
      d: four
      e: five
      f: six
      g: seven
";

/// A repository whose project has a Compose file.
pub(crate) fn deployed() -> Project {
    let project = repository();
    let manifest = project.read("vault-kit.toml") + "\n[environments.dev]\ncompose = [\"compose.yml\"]\n";
    project.write("vault-kit.toml", manifest);
    project.write("compose.yml", COMPOSE);
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Deploy"]).assert_code(0);
    project
}

fn check(project: &Project) -> Run {
    project.run(["check", "--at", "repo", "--staged", "--only", "secret-in-environment", "--only", "compose-invalid"])
}

fn add_in_part(project: &Project, answers: &str) {
    let mut add = Command::new("git");
    add.args(["add", "-p"]).current_dir(project.root()).env_clear();
    add.env("PATH", crate::support::search_path()).env("HOME", project.home());
    Run::with_stdin(&mut add, answers.as_bytes()).assert_code(0);
}

fn auth(project: &Project) -> String {
    String::from_utf8(project.get("AUTH")).unwrap()
}

#[test]
fn of_a_compose_file_that_is_staged_in_part_only_that_part_is_judged() {
    let project = deployed();
    project.run(["check", "--at", "repo", "--staged"]).assert_code(0);
    let bad = COMPOSE.replace("${DB_PASSWORD:?}", "a8Kd02xXw2Qe9Rt5Yu");
    let changed = |text: &str| text.replace("g: seven", "g: eight");
    // What is bad stays in the work tree; what is staged beside it is good.
    project.write("compose.yml", changed(&bad));
    add_in_part(&project, "n\ny\n");
    assert!(git(&project, &["diff", "--cached"]).stdout.contains("eight"));
    check(&project).assert_code(0);
    project.run(["check", "--at", "repo", "--only", "secret-in-environment"]).assert_code(1);
    // What is bad is staged, and changed back in the work tree.
    add_in_part(&project, "y\n");
    project.write("compose.yml", changed(COMPOSE));
    let run = check(&project).assert_code(1);
    assert!(run.stdout.contains("compose.yml:6"), "{run:?}");
    project.run(["check", "--at", "repo"]).assert_code(0);
    // Gone from the work tree, and not from what is committed.
    std::fs::remove_file(project.path("compose.yml")).unwrap();
    assert_eq!(check(&project).assert_code(1).stdout, run.stdout);
}

#[test]
fn the_manifest_is_that_of_the_index_whatever_lies_in_the_work_tree() {
    let project = deployed();
    let good = project.read("vault-kit.toml");
    let both = |code: i32| {
        scan(&project, &["--staged"]).assert_code(code);
        project.run(["check", "--at", "repo", "--staged"]).assert_code(code);
    };
    project.write("vault-kit.toml", "[project\n");
    both(0);
    git(&project, &["add", "vault-kit.toml"]).assert_code(0);
    project.write("vault-kit.toml", &good);
    both(3);
    // Deleted in the work tree alone it is still what is committed; deleted from both, nothing would be looked for any more.
    git(&project, &["reset", "-q", "--", "vault-kit.toml"]).assert_code(0);
    std::fs::remove_file(project.path("vault-kit.toml")).unwrap();
    both(0);
    project.write("leak.txt", project_auth(&project, &good));
    git(&project, &["add", "leak.txt"]).assert_code(0);
    std::fs::remove_file(project.path("vault-kit.toml")).unwrap();
    assert_eq!(findings(&scan(&project, &["--staged"]).assert_code(1)), set(&[("AUTH", "leak.txt", 1)]));
    git(&project, &["rm", "-q", "--cached", "vault-kit.toml"]).assert_code(0);
    let run = project.run(["scan", "--staged"]).assert_code(3);
    assert!(run.stderr.contains("the next commit would take `vault-kit.toml` away"), "{run:?}");
    project.run(["check", "--at", "repo", "--staged"]).assert_code(3);
}

#[test]
fn a_commit_that_takes_away_what_tells_it_what_to_look_for_is_stopped_though_it_lies_there_still() {
    let project = Project::with_manifest(&(crate::SHOP.to_owned() + PRINTS));
    project.run(["init"]);
    for secret in ["STRIPE", "SHORT"] {
        project.run_with_stdin(["set", secret], b"k7Q2x-9vKw3").assert_code(0);
    }
    let both = |code: i32, told: &str| {
        for verb in [&["scan", "--staged"][..], &["check", "--at", "repo", "--staged"]] {
            let run = project.run(verb).assert_code(code);
            assert!(run.both().contains(told), "{run:?}");
        }
    };
    // What no commit has yet may be left out of the first one, or follow later.
    git(&project, &["init", "-q", "-b", "main"]).assert_code(0);
    git(&project, &["add", ".gitignore"]).assert_code(0);
    both(0, "");
    git(&project, &["commit", "-q", "-m", "Ignore"]).assert_code(0);
    git(&project, &["add", "vault-kit.toml"]).assert_code(0);
    both(0, "");
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Begin"]).assert_code(0);

    git(&project, &["rm", "-q", "--cached", "vault-kit.toml"]).assert_code(0);
    both(3, "hint: `git reset -- vault-kit.toml` puts it back");
    // From elsewhere, as a hook calls it.
    let mut elsewhere = project.command(["-C", project.root().to_str().unwrap(), "scan", "--staged"]);
    let run = Run::of(elsewhere.current_dir("/")).assert_code(3);
    assert!(run.stderr.contains(&format!("`git -C {} reset -- vault-kit.toml`", project.root().display())), "{run:?}");
    git(&project, &["reset", "-q", "--", "vault-kit.toml"]).assert_code(0);
    both(0, "");
    // One further down that is on its way into git is a project of its own.
    git(&project, &["rm", "-q", "--cached", "vault-kit.toml"]).assert_code(0);
    project.write("sub/vault-kit.toml", "[project]\nname = \"sub\"\n");
    project.run(["-C", "sub", "scan", "--staged"]).assert_code(0);
    git(&project, &["add", "sub/vault-kit.toml", "vault-kit.toml"]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Sub"]).assert_code(0);
    // And when that goes, the one above it is not meant instead.
    git(&project, &["rm", "-q", "sub/vault-kit.toml"]).assert_code(0);
    std::fs::create_dir_all(project.path("sub")).unwrap();
    let run = project.run(["-C", "sub", "scan", "--staged"]).assert_code(3);
    assert!(run.stderr.contains("sub checkout HEAD -- vault-kit.toml` puts it back"), "{run:?}");
    std::fs::remove_dir(project.path("sub")).unwrap();
    let run = project.run(["-C", "sub", "scan", "--staged"]).assert_code(3);
    assert!(run.stderr.contains("`sub` is not there, and with it `vault-kit.toml`"), "{run:?}");
    git(&project, &["reset", "-q", "--hard"]).assert_code(0);

    git(&project, &["rm", "-q", "--cached", "prints.json"]).assert_code(0);
    let run = project.run(["scan", "--staged"]).assert_code(3);
    assert!(run.stderr.contains("`prints.json`, the fingerprints of dev, is not there"), "{run:?}");
    assert!(run.stderr.contains("take its output out of the manifest with it"), "{run:?}");
    // What lies in the work tree is another question.
    project.run(["scan"]).assert_code(0);
    project.write("vault-kit.toml", crate::SHOP);
    git(&project, &["add", "vault-kit.toml"]).assert_code(0);
    both(0, "");
}

#[test]
fn where_git_lost_the_manifest_a_clone_still_misses_the_fingerprints() {
    let project = Project::with_manifest(&(crate::SHOP.to_owned() + PRINTS));
    git(&project, &["init", "-q", "-b", "main"]).assert_code(0);
    project.write("prints.json", "");
    git(&project, &["add", "."]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Begin"]).assert_code(0);
    // As somebody did with `--no-verify`.
    git(&project, &["rm", "-q", "--cached", "vault-kit.toml", "prints.json"]).assert_code(0);
    git(&project, &["commit", "-q", "-m", "Away"]).assert_code(0);
    std::fs::remove_file(project.path("prints.json")).unwrap();
    let run = project.run(["scan", "--staged"]).assert_code(3);
    assert!(run.stderr.contains("`prints.json`, the fingerprints of dev, is not there"), "{run:?}");
}

/// A list of fingerprints.
const PRINTS: &str = "\n[outputs.prints]\nformat = \"fingerprints\"\npath = \"prints.json\"\n";

/// The value, which `get` tells with the manifest at hand.
fn project_auth(project: &Project, manifest: &str) -> String {
    project.write("vault-kit.toml", manifest);
    auth(project)
}

#[test]
fn a_line_that_lets_a_leak_pass_counts_once_it_is_staged() {
    let project = repository();
    project.write("leak.txt", auth(&project));
    git(&project, &["add", "leak.txt"]).assert_code(0);
    let line =
        report(&scan(&project, &["--staged"]).assert_code(1))["findings"][0]["ignore"].as_str().unwrap().to_owned();
    project.write(".vault-kit-ignore", format!("{line}\n"));
    scan(&project, &["--staged"]).assert_code(1);
    git(&project, &["add", ".vault-kit-ignore"]).assert_code(0);
    project.write(".vault-kit-ignore", "");
    scan(&project, &["--staged"]).assert_code(0);
}

#[test]
fn what_git_would_ignore_is_told_by_the_staged_ignore_files() {
    let project = repository();
    let lines = project.read(".gitignore");
    let check =
        || project.run(["check", "--at", "repo", "--staged", "--only", "not-ignored", "--only", "tracked-by-git"]);
    project.write(".gitignore", "");
    check().assert_code(0);
    project.run(["check", "--at", "repo"]).assert_code(1);
    git(&project, &["add", ".gitignore"]).assert_code(0);
    project.write(".gitignore", &lines);
    assert!(check().assert_code(1).stdout.contains("not-ignored"));
    git(&project, &["add", ".gitignore"]).assert_code(0);
    check().assert_code(0);
    // What is staged is no history yet, and not everything of ours holds values.
    git(&project, &["add", "-f", ".env", ".vault-kit"]).assert_code(0);
    let told = check().assert_code(1).stdout;
    for line in [
        ".env  is tracked by git: take it out of the index, and replace its values where it was committed",
        ".vault-kit/lock  is tracked by git: it holds no value, and belongs to this machine alone",
        ".vault-kit/dev.age  is tracked by git: whoever gets an identity that opens it",
    ] {
        assert!(told.contains(line), "{told}");
    }
    assert!(!told.contains("history"), "{told}");
}

#[test]
fn a_manifest_that_git_does_not_have_yet_is_judged_as_it_lies() {
    let project = crate::shop();
    git(&project, &["init", "-q"]).assert_code(0);
    project.write("leak.txt", auth(&project));
    git(&project, &["add", "leak.txt"]).assert_code(0);
    assert_eq!(findings(&scan(&project, &["--staged"]).assert_code(1)), set(&[("AUTH", "leak.txt", 1)]));
    project.run(["check", "--at", "repo", "--staged"]).assert_code(0);
    project.write("vault-kit.toml", "[project\n");
    project.run(["check", "--at", "repo", "--staged"]).assert_code(3);
}

#[test]
fn where_there_never_was_a_manifest_nobody_is_told_to_put_one_back() {
    let project = Project::empty();
    git(&project, &["init", "-q"]).assert_code(0);
    let run = project.run(["scan", "--staged"]).assert_code(3);
    assert!(run.stderr.contains("make one with `vault-kit init`") && !run.stderr.contains("checkout"), "{run:?}");
}

#[test]
fn a_project_below_the_top_is_read_by_the_files_above_it_too() {
    let project = Project::empty();
    git(&project, &["init", "-q"]).assert_code(0);
    let sub = project.path("services/shop");
    project.write("services/shop/vault-kit.toml", crate::SHOP);
    project.write("services/.gitignore", "/shop/.env\n.vault-kit/\n");
    git(&project, &["add", "."]).assert_code(0);
    std::fs::remove_file(project.path("services/shop/vault-kit.toml")).unwrap();
    std::fs::remove_file(project.path("services/.gitignore")).unwrap();
    // A manifest above it, which is another project's.
    project.write("vault-kit.toml", "[project\n");
    let run = |directory: &Path| {
        let mut command = project.command(["check", "--at", "repo", "--staged"]);
        Run::of(command.current_dir(directory))
    };
    run(&sub).assert_code(0);
    assert!(run(project.root()).assert_code(3).stderr.contains("vault-kit.toml:1"));
}

#[test]
fn a_link_in_the_place_of_a_committed_file_is_not_followed() {
    let project = deployed();
    project.write("elsewhere.yml", COMPOSE);
    std::fs::remove_file(project.path("compose.yml")).unwrap();
    std::os::unix::fs::symlink("elsewhere.yml", project.path("compose.yml")).unwrap();
    git(&project, &["add", "."]).assert_code(0);
    std::fs::remove_file(project.path("compose.yml")).unwrap();
    project.write("compose.yml", COMPOSE);
    let run = project.run(["check", "--at", "repo", "--staged", "--strict"]).assert_code(1);
    assert!(run.stdout.contains("symlink in git's index"), "{run:?}");
}

#[test]
fn only_what_is_committed_can_be_asked_of_the_index() {
    let project = repository();
    for places in [&[][..], &["--at", "host"], &["--at", "repo", "--at", "env"]] {
        for of in [&["check", "--staged"][..], &["check", "--commit", "HEAD"]] {
            project.run([of, places].concat()).assert_code(2);
        }
    }
}

#[test]
fn the_line_that_keeps_a_file_out_holds_where_the_last_line_has_no_end() {
    let project = repository();
    project.write(".gitignore", ".vault-kit/\ntarget");
    let run = project.run(["check", "--at", "repo", "--json"]).assert_code(1);
    let found = report(&run)["findings"][0].clone();
    assert_eq!((&found["code"], &found["file"]), (&"not-ignored".into(), &".env".into()));
    let mut shell = Command::new("sh");
    Run::of(shell.args(["-c", found["fix"].as_str().unwrap()]).current_dir(project.root())).assert_code(0);
    for path in [".env", "target"] {
        git(&project, &["check-ignore", "-q", path]).assert_code(0);
    }
    project.run(["check", "--at", "repo"]).assert_code(0);
}
