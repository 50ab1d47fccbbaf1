//! A `.env` that a person wrote anew, without the markers of our block.

use serde_json::Value;

use crate::programs::{asked, project, project_with, steps};
use crate::support::Project;

/// What `check` finds, each as code and fix.
fn findings(project: &Project) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report["findings"].as_array().unwrap().iter().map(|it| (text(&it["code"]), text(&it["fix"]))).collect()
}

/// Runs a fix as it stands.
fn paste(project: &Project, fix: &str) {
    project.run(fix.strip_prefix("vault-kit ").unwrap().split(' ')).assert_code(0);
}

fn without_markers(project: &Project) -> String {
    let text = project.read(".env");
    text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn no_owner_is_told_a_value_that_a_file_without_a_block_could_not_get() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.write(".env", without_markers(&project));
    let before = asked(&project).len();
    for arguments in [&["rotate", "DB"][..], &["rotate", "DB", "SESSION"]] {
        let run = project.run(arguments).assert_code(7);
        assert!(run.stderr.contains("`vault-kit render --adopt` moves the lines into the block"), "{run:?}");
        assert_eq!(asked(&project).len(), before, "{run:?}");
    }
    // It was not met by a rotation, but told before one.
    let fix = "vault-kit render --adopt";
    assert_eq!(findings(&project), [("name-outside-block".to_owned(), fix.to_owned())]);
    paste(&project, fix);
    assert_eq!(findings(&project), []);
    project.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(steps(&project)[before..], ["set", "test", "reload", "retire"]);
}

#[test]
fn a_file_that_was_written_by_hand_within_an_overlap_is_mended_by_what_is_told_of_it() {
    let with_other_values = || {
        let project = project_with("overlap = \"24h\"");
        project.run(["rotate", "DB"]).assert_code(0);
        project.write(".env", "A=b\nDB=typed-by-hand\n");
        project
    };
    let project = with_other_values();
    let fix = "vault-kit render --adopt --yes".to_owned();
    let expected = [("stale".to_owned(), fix.clone()), ("name-outside-block".to_owned(), fix.clone())];
    assert_eq!(findings(&project), expected);
    paste(&project, &fix);
    assert_eq!(findings(&project), []);
    let text = project.read(".env");
    assert!(text.starts_with("A=b\n") && text.contains("DB_PREVIOUS=") && !text.contains("typed"), "{text}");

    let project = with_other_values();
    let run = project.run(["rotate", "SESSION"]).assert_code(7);
    assert!(run.stderr.contains("`vault-kit init --adopt --yes` drops the values there"), "{run:?}");
    project.run(["init", "--adopt", "--yes"]).assert_code(0);
    project.run(["rotate", "SESSION"]).assert_code(0);
    assert_eq!(findings(&project), []);
}
