//! What takes effect only after `vault-kit trust`.

use tempfile::TempDir;

use crate::support::{Project, Run};
use crate::{MANIFEST, assert_refused};

#[test]
fn an_absolute_path_takes_effect_after_trust_and_a_changed_one_asks_again() {
    let elsewhere = TempDir::new().unwrap();
    let manifest = |file: &str| MANIFEST.replace("\".env\"", &format!("\"{}/{file}\"", elsewhere.path().display()));
    let project = Project::with_manifest(&manifest("one"));
    project.run(["init"]).assert_code(6);
    assert_refused(&project, &["trust"], 2, "confirmation-needed");
    project.run(["trust", "--dry-run"]).assert_code(0);
    project.run(["init"]).assert_code(6);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    assert!(elsewhere.path().join("one").exists());

    project.write("vault-kit.toml", manifest("two"));
    assert_refused(&project, &["render"], 6, "untrusted-path");
    assert!(!elsewhere.path().join("two").exists());
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    assert!(elsewhere.path().join("two").exists());
}

#[test]
fn what_one_user_trusts_says_nothing_to_another() {
    let elsewhere = TempDir::new().unwrap();
    let project =
        Project::with_manifest(&MANIFEST.replace("\".env\"", &format!("\"{}/env\"", elsewhere.path().display())));
    project.run(["trust", "--yes"]).assert_code(0);
    let other = TempDir::new().unwrap();
    let run = Run::of(project.command(["init"]).env("HOME", other.path()));
    assert_eq!(run.code, 6, "{run:?}");
    project.run(["init"]).assert_code(0);
}
