//! `audit`: what it shows without the identity, and what it proves with it.

use std::fs;

use serde_json::Value;

use crate::support::Project;
use crate::{EXTERNAL, MANIFEST, set};

const RECORD: &str = ".vault-kit/audit.jsonl";

fn changed() -> Project {
    let project = Project::initialised(EXTERNAL);
    for value in ["value-1-Zk3vYq8mT1xWc5Rb", "value-2-Zk3vYq8mT1xWc5Rb"] {
        set(&project, "API_KEY", value);
    }
    project
}

/// The codes of what `audit verify` finds.
#[track_caller]
fn findings(project: &Project, arguments: &[&str]) -> Vec<String> {
    let run = project.run([&["audit", "verify", "--json"], arguments].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let found = report["findings"].as_array().unwrap();
    assert_eq!(run.code, i32::from(!found.is_empty()), "{run:?}");
    found.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_every_command_left_is_proven() {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    project.run(["store", "recover"]).assert_code(0);
    project.run(["remove", "API_KEY", "--yes"]).assert_code(0);
    let before = project.contents();
    let run = project.run(["audit", "verify"]).assert_code(0);
    assert_eq!(run.stdout, "dev: 8 lines of the audit record proven: no problem found\n");
    assert!(project.contents() == before);
}

#[test]
fn each_problem_is_told_with_its_line_and_what_to_do() {
    let project = changed();
    let whole = project.read(RECORD);
    project.write(RECORD, whole.replacen("\"uid\":", "\"uid\":1", 1));
    let run = project.run(["-e", "dev", "audit", "verify"]).assert_code(1);
    let expected = "\
altered-line  .vault-kit/audit.jsonl:1  it was changed, or written by somebody who does not have the key
  fix: compare with a copy that was kept elsewhere; find out who may write to the file besides you
dev: 5 lines of the audit record proven: 1 problem found
";
    assert_eq!(run.stdout, expected);

    let kept = whole.lines().count() - 1;
    let cut: String = whole.split_inclusive('\n').take(kept).collect();
    project.write(RECORD, cut);
    let run = project.run(["-e", "dev", "audit", "verify"]).assert_code(1);
    assert!(run.stdout.contains("\n  fix: `vault-kit -e dev render` appends it\n"), "{run:?}");
    assert_eq!(findings(&project, &[]), ["last-line-missing"]);
    project.run(["render"]).assert_code(0);
    assert_eq!(project.read(RECORD), whole);
    assert!(findings(&project, &[]).is_empty());
}

#[test]
fn an_older_store_that_was_accepted_leaves_a_record_that_is_whole() {
    let project = changed();
    let old = project.bytes(".vault-kit/dev.age");
    set(&project, "API_KEY", "value-3-Zk3vYq8mT1xWc5Rb");
    project.write(".vault-kit/dev.age", &old);
    project.run(["audit", "verify"]).assert_code(4);
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert!(findings(&project, &[]).is_empty());

    // Where no second copy knows better, the record does.
    project.write(".vault-kit/dev.age", &old);
    fs::remove_file(project.state().join("dev.copy")).unwrap();
    assert_eq!(findings(&project, &[]), ["store-behind"]);
    project.run_with_stdin(["set", "API_KEY"], b"value-4-Zk3vYq8mT1xWc5Rb").assert_code(4);
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    set(&project, "API_KEY", "value-4-Zk3vYq8mT1xWc5Rb");
    assert!(findings(&project, &[]).is_empty());
}

#[test]
fn files_that_logrotate_took_away_are_named_in_their_order() {
    let project = changed();
    fs::rename(project.path(RECORD), project.path("audit.2")).unwrap();
    set(&project, "API_KEY", "value-3-Zk3vYq8mT1xWc5Rb");
    fs::rename(project.path(RECORD), project.path("audit.1")).unwrap();
    assert_eq!(findings(&project, &[]), ["tail-missing"]);
    set(&project, "API_KEY", "value-4-Zk3vYq8mT1xWc5Rb");
    assert!(findings(&project, &["--old", "audit.2", "--old", "audit.1"]).is_empty());
    assert_eq!(findings(&project, &[]), ["head-missing"]);
    assert!(findings(&project, &["--rotated"]).is_empty());
    project.run(["audit", "verify", "--old", "nothing"]).assert_code(9);
}

#[test]
fn environments_have_a_chain_each() {
    let project = Project::initialised(&format!("{EXTERNAL}\n[environments.dev]\n[environments.prod]\n"));
    project.run(["-e", "prod", "init"]).assert_code(0);
    for environment in ["dev", "prod", "dev"] {
        project.run_with_stdin(["-e", environment, "set", "API_KEY"], b"value-1-Zk3vYq8mT1xWc5Rb").assert_code(0);
        project.run_with_stdin(["-e", environment, "set", "API_KEY"], b"value-2-Zk3vYq8mT1xWc5Rb").assert_code(0);
    }
    assert!(findings(&project, &[]).is_empty() && findings(&project, &["-e", "prod"]).is_empty());
    let run = project.run(["audit", "verify"]).assert_code(0);
    assert!(
        run.stdout.starts_with("not checked  environment `prod`: 6 lines, which its own store proves\n"),
        "{run:?}"
    );
}

#[test]
fn the_record_is_shown_without_the_identity_and_without_proof() {
    let project = changed();
    project.run(["recipients", "apply"]).assert_code(0);
    fs::remove_file(project.identity()).unwrap();
    let run = project.run(["audit", "show"]).assert_code(0);
    assert_eq!(run.stdout.lines().count(), 4, "{run:?}");
    assert!(run.stdout.lines().nth(2).unwrap().ends_with("  set     2           API_KEY"), "{run:?}");
    assert_eq!(run.stderr, "this was not verified: `vault-kit audit verify` does\n");
    project.run(["audit", "verify"]).assert_code(4);

    let records = |arguments: &[&str]| {
        let run = project.run([&["audit", "show", "--json"], arguments].concat()).assert_code(0);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!((&answer["schema_version"], &answer["verified"]), (&Value::from(1), &Value::from(false)));
        answer["records"].as_array().unwrap().iter().map(|it| it["generation"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(records(&[]), [1, 2, 3]);
    assert_eq!(records(&["--last", "1"]), [3]);
    assert_eq!(records(&["--secret", "API_KEY"]), [2, 3]);
    assert_eq!(records(&["--action", "init"]), [1]);
    assert_eq!(records(&["--since", "1h"]), [1, 2, 3]);
    assert_eq!(records(&["--since", "2999-01-01"]), [] as [u64; 0]);
    assert_eq!(records(&["--action", "incident"]), [] as [u64; 0], "there was none");
    project.run(["audit", "show", "--since", "soon"]).assert_code(2);
}

#[test]
fn what_there_is_nowhere_is_not_shown_as_what_was_not_touched() {
    let project = changed();
    let refused = |words: &[&str], hint: &str| {
        let run = project.run([&["audit", "show"], words].concat()).assert_code(2);
        assert!(run.stdout.is_empty() && run.stderr.contains(hint), "{run:?}");
    };
    refused(&["--secret", "API_KEX"], "hint: did you mean `API_KEY`?");
    refused(&["--action", "rotate"], "hint: those that begin so: `rotate-abort`");
    refused(&["--action", "inicdent"], "hint: did you mean `incident`?");
    refused(&["--action", "hunter-2"], "hint: `vault-kit audit show` tells of all that were done");
    refused(&["--last", "0"], "--last");
    // What was declared once is in the record.
    project.write("vault-kit.toml", EXTERNAL.replace("API_KEY", "OTHER"));
    project.run(["audit", "show", "--secret", "API_KEY"]).assert_code(0);
}

#[test]
fn a_stranger_in_the_record_drives_no_terminal_and_what_was_not_done_is_told() {
    let project = changed();
    let whole = project.read(RECORD);
    let announced: String = whole.split_inclusive('\n').take(5).collect();
    let stranger = whole.lines().last().unwrap().replace("\"set\"", "\"\\u001b[2J\"").replace("\"seq\":6", "\"seq\":9");
    project.write(RECORD, format!("{announced}{stranger}\nhunter2\n"));
    let run = project.run(["audit", "show"]).assert_code(0);
    assert!(!run.both().contains('\x1b') && !run.both().contains("hunter2"), "{run:?}");
    assert!(run.stderr.contains("1 line not shown, being no records"), "{run:?}");
    project.write(RECORD, announced);
    assert!(project.run(["audit", "show"]).assert_code(0).stdout.contains("  not done    API_KEY\n"));
}
