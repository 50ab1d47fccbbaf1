//! `kill -9` at random: what was acknowledged is there, whatever was killed in between.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;

use crate::support::{Run, counted, program, skip};
use crate::{OLD_KEY, running, tree};

/// How many times `set` is killed.
const KILLS: usize = 100;

/// Each call of a log with its index among those of its name, as strace counts them.
fn numbered_calls(log: &str) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<&str, usize>::new();
    let names =
        log.lines().filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('(')).map(|(name, _)| name);
    let mut calls = Vec::new();
    for name in names.filter(|name| !name.starts_with("exit")) {
        let count = counts.entry(name).or_default();
        *count += 1;
        calls.push((name.to_owned(), *count));
    }
    calls
}

#[test]
fn an_acknowledged_value_survives_a_hundred_kills() {
    let test = "kills::an_acknowledged_value_survives_a_hundred_kills";
    if program("strace").is_none() {
        return skip(test, "there is no strace");
    }
    let project = running();
    let session_key = project.get("SESSION_KEY");
    let scratch = TempDir::new().unwrap();
    let log = scratch.path().join("log");
    let strace = |more: &[&str]| {
        let mut command = ["strace", "-f", "-qq", "-o", log.to_str().unwrap()].map(str::to_owned).to_vec();
        command.extend(more.iter().map(|&it| it.to_owned()));
        command
    };
    let counting = Run::with_stdin(&mut project.command_under(strace(&[]), ["set", "API_KEY"]), b"sk-counting-0");
    assert_eq!(counting.code, 0, "{}", counting.stderr);
    let calls = numbered_calls(&fs::read_to_string(&log).unwrap());
    project.run_with_stdin(["set", "API_KEY"], OLD_KEY.as_bytes()).assert_code(0);

    // Which call is the last is drawn by a generator with a fixed seed: every run of the test kills at the same places.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut acknowledged = OLD_KEY.to_owned();
    let mut attempted = Vec::new();
    let (mut killed, mut kept, mut arrived) = (0, 0, 0);
    for round in 0..KILLS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (call, index) = &calls[usize::try_from(state >> 33).unwrap() % calls.len()];
        let value = format!("sk-round-{round}-{call}-{index}");
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={index}"));
        let mut command = project.command_under(strace(&["-e", &trace, "-e", &inject]), ["set", "API_KEY"]);
        let run = Run::with_stdin(&mut command, value.as_bytes());
        attempted.push(value.clone());
        match run.code {
            0 => {
                acknowledged = value;
                attempted.clear();
            }
            137 => killed += 1,
            other => panic!("round {round}, call {call}: exit {other}: {}", run.stderr),
        }
        let found = String::from_utf8(project.get("API_KEY")).unwrap();
        if found == acknowledged {
            kept += 1;
        } else {
            // The kill came after the store was replaced: from now on that value is the one that may not be lost.
            assert!(attempted.contains(&found), "round {round}, call {call}: a value that nobody set");
            acknowledged = found;
            attempted.clear();
            arrived += 1;
        }
        assert_eq!(project.get("SESSION_KEY"), session_key, "round {round}, call {call}");
    }
    counted(&format!("{killed} of {KILLS} killed; {} of {KILLS} whole: {kept} old, {arrived} new", kept + arrived));
    assert_eq!(kept + arrived, KILLS);
    assert!(killed == KILLS, "only {killed} were killed");
    assert!(kept >= 10 && arrived >= 10, "too few of one kind: {kept} old, {arrived} new");
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    assert!(!tree::take(&project).keys().any(|path| path.to_string_lossy().contains("vault-kit-tmp")));
}
