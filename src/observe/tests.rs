//! Against a real directory.

#![expect(clippy::disallowed_methods, reason = "tests make files as users and accidents would")]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::*;
use crate::check::facts::GitFact;
use crate::check::sample::{env, expected, ledger, manifest, name};

/// Reads `NAME=value` lines without any quoting.
struct Lines;

impl Values for Lines {
    fn in_output(&self, _: &ExpectedFile, bytes: &[u8]) -> Option<Vec<(SecretName, Option<Secret>)>> {
        Some(self.in_example(bytes).into_iter().map(|(name, value)| (name, Some(value))).collect())
    }

    fn in_example(&self, bytes: &[u8]) -> Vec<(SecretName, Secret)> {
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        let pairs = lines.filter_map(|line| line.split_once('='));
        pairs.map(|(key, value)| (name(key), Secret::copy_of(value.as_bytes()))).collect()
    }
}

fn facts_of(root: &Path, ledger: &Ledger) -> Facts {
    let (manifest, environment, expected) = (manifest(), env("dev"), [expected()]);
    let subject = Subject {
        root,
        manifest: &manifest,
        environment: &environment,
        ledger: Some(ledger),
        store_digest: None,
        expected: &expected,
        trusted: true,
        staged: None,
    };
    look(&subject, &Lines)
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    mode(directory.path(), 0o700);
    directory
}

const ENV: &str = "CORS_ORIGINS=http://localhost:3000\nKEY=current\nTOKEN=other\nAPI_KEY=sk-1\n";

#[test]
fn metadata_and_values_are_told_without_the_values() {
    let directory = directory();
    let path = directory.path().join(".env");
    std::fs::write(&path, ENV).unwrap();
    mode(&path, 0o640);
    let mut ledger = ledger();
    let current = digest::public_fingerprint("p", &Secret::copy_of(b"current"));
    ledger.secrets.get_mut(&name("KEY")).unwrap().fingerprint = Some(current);
    ledger.secrets.get_mut(&name("API_KEY")).unwrap().fingerprint = None;

    let facts = facts_of(directory.path(), &ledger);
    let FileFact::File(state) = &facts.files[".env"] else { panic!("{:?}", facts.files) };
    assert_eq!((state.mode, state.size), (0o640, ENV.len() as u64));
    let expected = BTreeMap::from([
        (name("API_KEY"), Comparison::Unknown),
        (name("CORS_ORIGINS"), Comparison::Same),
        (name("KEY"), Comparison::Same),
        (name("TOKEN"), Comparison::Different),
    ]);
    assert_eq!(state.content, Content::Compared(expected));
    assert!(!format!("{facts:?}").contains("sk-1"));
    assert!(facts.owners.contains(&state.uid));
}

#[test]
fn an_untouched_file_needs_no_fingerprints_but_its_settings_are_compared() {
    let directory = directory();
    let path = directory.path().join(".env");
    std::fs::write(&path, ENV.replace("localhost", "elsewhere")).unwrap();
    let mut ledger = ledger();
    let FileFact::File(state) = facts_of(directory.path(), &ledger).files[".env"].clone() else { panic!() };
    let delivered = ledger.files.get_mut(".env").unwrap();
    (delivered.size, delivered.mtime, delivered.inode) = (state.size, state.mtime, state.inode);

    let FileFact::File(state) = facts_of(directory.path(), &ledger).files[".env"].clone() else { panic!() };
    let Content::Compared(values) = state.content else { panic!("{:?}", state.content) };
    assert_eq!(values[&name("CORS_ORIGINS")], Comparison::Different);
    assert_eq!(values[&name("TOKEN")], Comparison::Same);
}

#[test]
fn symlinks_are_named_and_not_followed() {
    let directory = directory();
    std::fs::create_dir(directory.path().join("real")).unwrap();
    std::fs::write(directory.path().join("real/file"), "x").unwrap();
    symlink("real", directory.path().join("link")).unwrap();
    symlink("real/file", directory.path().join("file")).unwrap();
    let mut tree = Tree::open(directory.path()).unwrap();
    assert_eq!(tree.stat("link/file").unwrap_err(), FileFact::Symlink("link".into()));
    assert_eq!(tree.stat("file").unwrap_err(), FileFact::Symlink("file".into()));
    assert_eq!(tree.stat("real").unwrap_err(), FileFact::NotAFile);
    assert_eq!(tree.stat("gone/file").unwrap_err(), FileFact::Absent);
    assert_eq!(tree.stat("real/file/below").unwrap_err(), FileFact::NotAFile);
    assert!(tree.read("file").is_err() && tree.read("link/file").is_err());
    assert_eq!(tree.read("real/file").unwrap().as_slice(), b"x");
}

#[test]
fn directories_that_others_can_write_in_are_named_unless_sticky() {
    let directory = directory();
    for (name, bits) in [("open", 0o777), ("sticky", 0o1777), ("closed", 0o755)] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
        mode(&directory.path().join(name), bits);
    }
    let mut tree = Tree::open(directory.path()).unwrap();
    for name in ["open", "sticky", "closed"] {
        assert_eq!(tree.stat(&format!("{name}/file")).unwrap_err(), FileFact::Absent);
    }
    assert_eq!(tree.open_directories, BTreeMap::from([("open".to_owned(), 0o777)]));
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git").arg("-C").arg(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_project_below_the_top_of_a_work_tree_finds_its_own_paths() {
    let directory = directory();
    let project = directory.path().join("services/api");
    std::fs::create_dir_all(project.join(".vault-kit")).unwrap();
    std::fs::write(project.join(".env"), ENV).unwrap();
    std::fs::write(project.join(".vault-kit/dev.age"), "sealed").unwrap();
    git(directory.path(), &["init", "-q"]);
    assert_eq!(
        facts_of(&project, &ledger()).git,
        GitFact::WorkTree {
            tracked: BTreeSet::new(),
            ignored: [(".env", Some(false)), (".vault-kit/dev.age", Some(false))]
                .map(|(path, ignored)| (path.to_owned(), ignored))
                .into(),
            taken_back: BTreeMap::new(),
            nested: BTreeMap::new(),
        }
    );
    git(directory.path(), &["add", "."]);
    std::fs::write(project.join(".gitignore"), ".env\n").unwrap();
    let facts = facts_of(&project, &ledger());
    let GitFact::WorkTree { tracked, ignored, .. } = facts.git else { panic!("{:?}", facts.git) };
    assert_eq!(tracked, [".env", ".vault-kit/dev.age"].map(str::to_owned).into());
    assert_eq!(ignored[".env"], Some(true));
    assert_eq!(facts.store, StoreFact::Present(digest::sha256_hex(b"sealed")));
}

#[test]
fn a_linked_work_tree_has_an_index_of_its_own() {
    let directory = directory();
    let (main, linked) = (directory.path().join("main"), directory.path().join("linked"));
    std::fs::create_dir(&main).unwrap();
    git(&main, &["init", "-q"]);
    git(&main, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"]);
    git(&main, &["worktree", "add", "-q", linked.to_str().unwrap()]);
    std::fs::write(linked.join(".env"), ENV).unwrap();
    git(&linked, &["add", ".env"]);
    let tracked = |root: &Path| match facts_of(root, &ledger()).git {
        GitFact::WorkTree { tracked, .. } => tracked.contains(".env"),
        other => panic!("{other:?}"),
    };
    assert!(tracked(&linked) && !tracked(&main));
    std::fs::write(main.join(".git/index"), "not an index").unwrap();
    assert!(matches!(facts_of(&main, &ledger()).git, GitFact::Unreadable(_)));
}

#[test]
fn an_example_that_shows_a_value_in_use_is_found_and_placeholders_are_not() {
    let directory = directory();
    std::fs::write(directory.path().join(".env.example"), "KEY=current\nTOKEN=changeme\nOTHER=x\n").unwrap();
    let mut ledger = ledger();
    let current = digest::public_fingerprint("p", &Secret::copy_of(b"current"));
    ledger.secrets.get_mut(&name("KEY")).unwrap().fingerprint = Some(current);
    let facts = facts_of(directory.path(), &ledger);
    assert_eq!(facts.examples[".env.example"], BTreeMap::from([(name("KEY"), Comparison::Same)]));
}

#[test]
fn the_ledger_of_another_environment_is_read_or_named() {
    let directory = directory();
    std::fs::create_dir(directory.path().join(".vault-kit")).unwrap();
    let path = directory.path().join(".vault-kit/prod.ledger.jsonl");
    std::fs::write(&path, ledger().to_bytes().unwrap()).unwrap();
    assert!(facts_of(directory.path(), &ledger()).others.contains_key(&env("prod")));
    std::fs::write(&path, "damaged").unwrap();
    let facts = facts_of(directory.path(), &ledger());
    assert!(facts.others.is_empty());
    assert_eq!(facts.unseen[0].what, "values reused in environment prod");
}
