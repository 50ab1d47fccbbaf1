//! A key that was shown is one that the store holds, wherever the run that issued it was disturbed.

use std::fs;

use tempfile::TempDir;

use crate::support::{Project, Run, program, skip};
use crate::tree;

/// The calls between drawing a key and showing it.
const CALLS: [&str; 6] = ["openat2", "write", "fsync", "renameat", "mkdirat", "unlinkat"];

const FAULTS: [&str; 3] = ["error=EIO", "error=ENOSPC", "signal=KILL"];

const MANIFEST: &str =
    "[project]\nname = \"shop\"\n[outputs.keys]\nformat = \"api-keys\"\npath = \"auth/api-keys.json\"\n";

const NEW: [&str; 3] = ["apikey", "new", "acme"];

/// How a disturbed run ended, judged by what it showed and what is stored.
#[derive(Default, Debug)]
struct Ends {
    shown: usize,
    shown_and_unfinished: usize,
    nothing_shown: usize,
}

#[test]
#[expect(clippy::print_stdout, reason = "the numbers are the result")]
fn a_key_is_never_shown_that_is_not_stored() {
    let test = "issued::a_key_is_never_shown_that_is_not_stored";
    if program("strace").is_none() {
        return skip(test, "there is no strace");
    }
    let project = Project::empty_in_memory();
    project.write("vault-kit.toml", MANIFEST);
    project.run(["init"]).assert_code(0);
    let before = tree::take(&project);
    let scratch = TempDir::new().unwrap();
    let log = scratch.path().join("log");
    let strace = |more: &[&str]| {
        let strace = [&["strace", "-f", "-qq", "-o", log.to_str().unwrap()], more].concat();
        Run::of(&mut project.command_under(strace, NEW))
    };
    let mut ends = Ends::default();
    for call in CALLS {
        tree::put_back(&project, &before);
        strace(&["-e", &format!("trace={call}")]).assert_code(0);
        let count = fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains(call)).count();
        for (index, fault) in (1..=count).flat_map(|index| FAULTS.map(|fault| (index, fault))) {
            tree::put_back(&project, &before);
            let inject = format!("inject={call}:{fault}:when={index}");
            let run = strace(&["-e", &format!("trace={call}"), "-e", &inject]);
            judge(&project, &run, &format!("{call} {index} {fault}"), &mut ends);
        }
    }
    println!("{ends:?}");
    assert!(ends.shown_and_unfinished >= 10 && ends.nothing_shown >= 10, "{ends:?}");
}

fn judge(project: &Project, run: &Run, case: &str, ends: &mut Ends) {
    assert_ne!(run.code, 70, "{case}: {run:?}");
    let key = run.stdout.strip_suffix('\n');
    match (key, run.code) {
        (Some(_), 0) => ends.shown += 1,
        (Some(_), _) => ends.shown_and_unfinished += 1,
        (None, code) => {
            assert_ne!(code, 0, "{case}: done, and nobody saw the key: {run:?}");
            ends.nothing_shown += 1;
        }
    }
    if let Some(key) = key {
        let verdict = project.run_with_stdin(["apikey", "verify"], key.as_bytes());
        assert_eq!(verdict.code, 0, "{case}: a key that was shown is not good: {verdict:?}");
    }
    // Whatever was left behind, one command brings the rest up to date.
    let render = project.run(["render"]);
    assert_eq!(render.code, 0, "{case}: {render:?}");
    let check = project.run(["check"]);
    assert_eq!(check.code, 0, "{case}: {check:?}");
    if let Some(key) = key {
        let by_file = ["apikey", "verify", "--keys", "auth/api-keys.json"];
        let verdict = project.run_with_stdin(by_file, key.as_bytes());
        assert_eq!(verdict.code, 0, "{case}: the service does not know the key: {verdict:?}");
    }
}
