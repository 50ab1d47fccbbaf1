//! Every change leaves one line in the audit record, also when its writer died before it could write it.

use std::fs;

use crate::support::Project;
use crate::{EXTERNAL, MANIFEST, set};

const RECORD: &str = ".vault-kit/audit.jsonl";

/// Each change's generation and action.
fn record(project: &Project) -> Vec<(u64, String)> {
    let read = project.read(RECORD);
    let lines = read.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let changes = lines.filter(|line| line["intent"] != true);
    changes.map(|it| (it["generation"].as_u64().unwrap(), it["action"].as_str().unwrap().to_owned())).collect()
}

fn lines(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|&(generation, action)| (generation, action.to_owned())).collect()
}

/// Takes the last line away, as if its writer had been killed right before.
fn forget_the_last_line(project: &Project) -> String {
    let text = project.read(RECORD);
    let (kept, lost) = text.trim_end().rsplit_once('\n').map_or(("", text.as_str()), |(kept, lost)| (kept, lost));
    project.write(RECORD, if kept.is_empty() { String::new() } else { format!("{kept}\n") });
    lost.trim_end().to_owned()
}

#[test]
fn a_line_that_a_crash_lost_is_appended_by_the_next_writer_and_only_once() {
    let writers: [&[&str]; 6] = [
        &["render"],
        &["init"],
        &["generate"],
        &["recipients", "apply"],
        &["store", "recover"],
        &["generate", "--replace", "API_KEY", "--yes"],
    ];
    for writer in writers {
        let project = Project::initialised(MANIFEST);
        project.run(["generate", "--replace", "API_KEY", "--yes"]).assert_code(0);
        let before = project.read(RECORD);
        let lost = forget_the_last_line(&project);
        project.run(writer).assert_code(0);
        let after = project.read(RECORD);
        assert!(after.starts_with(&before), "{writer:?}:\n{before}became\n{after}");
        project.run(["render"]).assert_code(0);
        assert_eq!(project.read(RECORD).lines().filter(|line| *line == lost).count(), 1, "{writer:?}");
    }
}

#[test]
fn a_line_that_a_crash_tore_is_appended_whole() {
    let project = Project::initialised(MANIFEST);
    let whole = project.read(RECORD);
    let (announced, line) = whole.split_once('\n').unwrap();
    let torn = format!("{announced}\n{}", &line[..line.len() / 2]);
    project.write(RECORD, &torn);
    project.run(["render"]).assert_code(0);
    assert_eq!(project.read(RECORD), format!("{torn}\n{line}"));
}

#[test]
fn a_record_that_was_moved_away_begins_with_the_last_change() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "value-1-Zk3vYq8mT1xWc5Rb");
    fs::rename(project.path(RECORD), project.path("audit-2026.jsonl")).unwrap();
    set(&project, "API_KEY", "value-2-Zk3vYq8mT1xWc5Rb");
    assert_eq!(record(&project), lines(&[(2, "set"), (3, "set")]));
}

#[test]
fn recover_leaves_a_line_and_keeps_the_one_that_was_lost_before_it() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "value-1-Zk3vYq8mT1xWc5Rb");
    let lost = forget_the_last_line(&project);
    fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!(record(&project), lines(&[(1, "init"), (2, "set"), (3, "recover")]));
    assert!(project.read(RECORD).contains(&lost));
    assert_eq!(project.store().generation, 3);
    assert!(project.second_copy() == project.bytes(".vault-kit/dev.age"));

    // Killed before its own line.
    forget_the_last_line(&project);
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!(record(&project), lines(&[(1, "init"), (2, "set"), (3, "recover")]));
}

#[test]
fn an_older_store_that_was_accepted_is_newer_than_the_copy_that_was_put_aside() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "value-1-Zk3vYq8mT1xWc5Rb");
    let old = project.bytes(".vault-kit/dev.age");
    set(&project, "API_KEY", "value-2-Zk3vYq8mT1xWc5Rb");
    project.write(".vault-kit/dev.age", old);
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert_eq!(record(&project), lines(&[(1, "init"), (2, "set"), (3, "set"), (4, "recover")]));
    assert_eq!(project.store().generation, 4);
    assert_eq!(project.get("API_KEY"), b"value-1-Zk3vYq8mT1xWc5Rb");
}

#[test]
fn applied_recipients_leave_a_line_also_after_a_crash() {
    let project = Project::initialised(EXTERNAL);
    let me = project.identities().recipients().remove(0);
    let (_, other) = project.stranger("other.txt");
    let recipients = format!("{EXTERNAL}\n[environments.dev]\nrecipients = {{ me = \"{me}\", other = \"{other}\" }}\n");
    project.write("vault-kit.toml", recipients);
    project.run(["recipients", "apply", "--yes"]).assert_code(0);
    let expected = lines(&[(1, "init"), (2, "recipients-apply")]);
    assert_eq!(record(&project), expected);
    forget_the_last_line(&project);
    project.run(["recipients", "apply"]).assert_code(0);
    assert_eq!(record(&project), expected);
}
