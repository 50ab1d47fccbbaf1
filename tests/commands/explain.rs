//! `explain`: cause, risk and cure of each code, and the way to the right one.

use crate::shop::json;
use crate::support::Project;

#[test]
fn a_code_is_explained_without_a_project() {
    let project = Project::empty();
    let run = project.run(["explain", "mode-too-open"]).assert_code(0);
    assert!(run.stdout.starts_with("mode-too-open (error): A file allows more than its declared mode.\n"), "{run:?}");
    for label in ["cause", "risk", "cure", "found  by `vault-kit check` with `--at host`"] {
        assert!(run.stdout.lines().any(|line| line.trim_start().starts_with(label)), "{label}: {}", run.stdout);
    }
    let answer = json(&project.run(["explain", "expiring", "--json"]).assert_code(0));
    assert_eq!(answer["schema_version"], 1);
    assert_eq!(answer["codes"][0]["severity"], "warning");
    assert_eq!(answer["codes"][0]["places"][0], "host");
}

#[test]
fn all_codes_are_listed_and_each_of_them_can_be_asked_for() {
    let project = Project::empty();
    let answer = json(&project.run(["explain", "--json"]).assert_code(0));
    let listed = project.run(["explain"]).assert_code(0).stdout;
    for code in answer["codes"].as_array().unwrap() {
        let code = code["code"].as_str().unwrap();
        assert!(listed.lines().any(|line| line.split(' ').next() == Some(code)), "{code}");
    }
    assert!(listed.contains("\nleaked "), "{listed}");
}

#[test]
fn a_code_that_nothing_has_leads_to_the_one_that_was_meant() {
    let project = Project::empty();
    let run = project.run(["explain", "mode-to-open"]).assert_code(2);
    assert!(run.stderr.contains("did you mean `mode-too-open`?") && !run.stderr.contains("mode-to-open"), "{run:?}");
    assert!(project.run(["explain", "quite-another"]).assert_code(2).stderr.contains("`vault-kit explain` lists them"));
}

#[test]
fn the_code_of_an_error_is_known_for_one() {
    let project = Project::empty();
    let run = project.run(["explain", "store-damaged"]).assert_code(0);
    assert!(run.stdout.starts_with("store-damaged (exit 4): the code of an error"), "{run:?}");
    let answer = json(&project.run(["explain", "store-damaged", "--json"]).assert_code(0));
    assert_eq!((&answer["errors"][0]["code"], &answer["errors"][0]["exits"][0]), (&"store-damaged".into(), &4.into()));
    let run = project.run(["explain", "store-damagde"]).assert_code(2);
    assert!(run.stderr.contains("did you mean `store-damaged`?"), "{run:?}");
    // A finding that is an error of other commands too is told as what `check` makes of it.
    assert!(project.run(["explain", "recipients-changed"]).assert_code(0).stdout.contains("cause"));
}
