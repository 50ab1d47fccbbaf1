//! Files that hold values: whose they are, what of them is ours, and which are left alone.

use std::os::unix::fs::{MetadataExt, chown};

use crate::support::{Project, Run, program, set_mode, skip};
use crate::{MANIFEST, assert_refused, is_root, set};

const TWO_ENVIRONMENTS: &str = r#"
[project]
name = "shop"
[environments.dev]
[environments.prod]
[secrets.API_KEY]
kind = "random"
[outputs.env]
format = "dotenv"
path = ".env"
"#;

#[test]
fn a_file_of_another_environment_is_not_replaced_without_a_yes() {
    let project = Project::initialised(TWO_ENVIRONMENTS);
    let dev = project.read(".env");
    let run = project.run(["-e", "prod", "init"]).assert_code(7);
    assert!(run.stderr.contains("error: `.env` was last rendered for environment `dev`\n"), "{run:?}");
    assert_eq!(project.read(".env"), dev);
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    assert_ne!(project.read(".env"), dev);
    // And now the other way round.
    assert_refused(&project, &["render"], 7, "other-environment");
    project.run(["render", "--yes"]).assert_code(0);
    assert_eq!(project.read(".env"), dev);
}

#[test]
fn the_fingerprints_of_another_environment_are_not_replaced_by_a_yes_either() {
    let list = "[outputs.prints]\nformat = \"fingerprints\"\npath = \"prints.json\"\n";
    let project = Project::initialised(&(TWO_ENVIRONMENTS.to_owned() + list));
    let dev = project.read("prints.json");
    for arguments in [&["-e", "prod", "init"][..], &["-e", "prod", "init", "--yes"]] {
        let run = project.run(arguments).assert_code(7);
        assert!(run.stderr.contains("`prints.json` has the fingerprints of environment `dev`"), "{run:?}");
        assert!(run.stderr.contains("`environments = [\"prod\"]` and another `path`"), "{run:?}");
    }
    assert_eq!(project.read("prints.json"), dev);
    assert!(!project.path(".vault-kit/prod.age").exists());
    // As the hint says.
    let apart = list.replace("prints.json\"", "prints.json\"\nenvironments = [\"dev\"]");
    let other = list
        .replace("prints]", "other]")
        .replace("prints.json", "other.json")
        .replace("json\"", "json\"\nenvironments = [\"prod\"]");
    project.write("vault-kit.toml", format!("{TWO_ENVIRONMENTS}{apart}{other}"));
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    assert!(project.read("other.json").contains("\"prod\"") && project.read("prints.json") == dev);
    // An environment that is declared no more has nobody who needs its list.
    let gone = TWO_ENVIRONMENTS.replace("dev", "test");
    project.write("vault-kit.toml", format!("{gone}{list}"));
    project.run(["-e", "test", "init", "--yes"]).assert_code(0);
    assert!(project.read("prints.json").contains("\"test\""));
}

#[test]
fn only_the_marked_block_of_an_existing_file_is_ours() {
    let project = Project::with_manifest(MANIFEST);
    let theirs = "# my own\nDEBUG=1\n\nPORT = 8080   # odd spacing\n";
    project.write(".env", theirs);
    project.run(["init"]).assert_code(0);
    let after = project.read(".env");
    assert!(after.starts_with(theirs), "what was there is gone:\n{after}");
    project.write(".env", format!("{after}LAST=1\n"));
    project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
    let again = project.read(".env");
    assert!(again.starts_with(theirs) && again.ends_with("LAST=1\n"), "{again}");
    assert_eq!(again.matches("API_KEY=").count(), 1);
    assert_ne!(again, format!("{after}LAST=1\n"));
}

#[test]
fn a_name_inside_and_outside_the_block_is_a_conflict_until_adopted() {
    let project = Project::initialised(MANIFEST);
    let ours = project.read(".env");
    project.write(".env", format!("DEBUG=1\nAPI_KEY=mine-Zk3vYq8mT1xWc5Rb\nPORT=1\n{ours}"));
    for command in ["render", "init"] {
        assert_refused(&project, &[command], 7, "name-outside-block");
    }
    // Its value would be lost, which takes a word of its own.
    assert_refused(&project, &["render", "--adopt"], 7, "value-differs");
    project.run(["render", "--adopt", "--yes"]).assert_code(0);
    assert_eq!(project.read(".env"), format!("DEBUG=1\nPORT=1\n{ours}"));
}

#[test]
fn in_place_keeps_the_inode_and_the_default_does_not() {
    for (line, keeps) in [("in_place = true", true), ("", false)] {
        let project = Project::initialised(&format!("{MANIFEST}{line}\n"));
        let inode = || std::fs::metadata(project.path(".env")).unwrap().ino();
        let (before, text) = (inode(), project.read(".env"));
        project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
        assert_ne!(project.read(".env"), text);
        assert_eq!(inode() == before, keeps, "{line}");
    }
}

#[test]
fn an_owner_that_cannot_be_set_is_refused_before_any_file_is_written() {
    const NAME: &str = "outputs::an_owner_that_cannot_be_set_is_refused_before_any_file_is_written";
    if !is_root() || program("setpriv").is_none() {
        return skip(NAME, "needs root and setpriv to become another user");
    }
    let project = Project::with_manifest(&format!(
        "{MANIFEST}\n[outputs.other]\nformat = \"docker-secrets\"\npath = \"secrets\"\nuid = 0\n"
    ));
    for path in [project.root(), project.home(), &project.path("vault-kit.toml")] {
        chown(path, Some(4321), Some(4321)).unwrap();
    }
    let mut command =
        project.command_under(["setpriv", "--reuid", "4321", "--regid", "4321", "--clear-groups"], ["init"]);
    let run = Run::of(&mut command).assert_code(6);
    assert!(run.stderr.contains("cannot set the owner of "), "{run:?}");
    let sudo = format!("hint: run `sudo VAULT_KIT_IDENTITY_FILE={} vault-kit render`", project.identity().display());
    assert!(run.stderr.contains(&sudo), "{run:?}");
    assert!(run.stderr.contains("hint: or let the container run as you: `user: \"4321:4321\"`"), "{run:?}");
    for path in [".env", "secrets", ".vault-kit/dev.age", ".vault-kit/dev.ledger.jsonl"] {
        assert!(!project.path(path).exists(), "{path} was written");
    }
}

#[test]
fn a_loose_file_is_tightened_and_a_right_one_not_touched() {
    let project = Project::initialised(MANIFEST);
    set_mode(&project.path(".env"), 0o644);
    let inode = project.snapshot()[".env"].inode;
    project.run(["render"]).assert_code(0);
    let after = project.snapshot();
    assert_eq!((after[".env"].mode, after[".env"].inode), (0o600, inode));
    project.run(["render"]).assert_code(0);
    assert_eq!(project.snapshot(), after);
}

#[test]
fn import_takes_the_values_and_leaves_the_files_as_they_are() {
    let project = Project::with_manifest(
        r#"
[project]
name = "shop"
[secrets.API_KEY]
kind = "random"
[secrets.DB_PASSWORD]
kind = "password"
[outputs.env]
format = "dotenv"
path = ".env"
"#,
    );
    project.write(".env", "# ours since 2019\nAPI_KEY='Zk3vYq8mT1xWc5RbLpNs7dHf'\nDB_PASSWORD=changeme\nDEBUG=1\n");
    let before = project.snapshot()[".env"].clone();
    let run = project.run(["import", ".env"]).assert_code(1);
    assert!(run.stderr.contains("DB_PASSWORD"), "the placeholder is named: {run:?}");
    assert_eq!(project.snapshot()[".env"], before);
    assert_eq!(project.get("API_KEY"), b"Zk3vYq8mT1xWc5RbLpNs7dHf");
    // Nothing is made in passing, and a value that is there is never overwritten.
    project.run(["get", "DB_PASSWORD"]).assert_code(1);
    project.write("other.env", "API_KEY=another-Zk3vYq8mT1xWc5RbLp\n");
    project.run(["import", "other.env"]).assert_code(0);
    assert_eq!(project.get("API_KEY"), b"Zk3vYq8mT1xWc5RbLpNs7dHf");
}

#[test]
fn init_never_overwrites_a_value() {
    let project = Project::initialised(MANIFEST);
    set(&project, "API_KEY", "mine-Zk3vYq8mT1xWc5RbLp");
    project.run(["init"]).assert_code(0);
    assert_eq!(project.get("API_KEY"), b"mine-Zk3vYq8mT1xWc5RbLp");
}
