//! What somebody else does to a file while a command is at work on it. strace stops the command in the middle, so that
//! the test need not be quick.

use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::{Project, Run, program, skip};
use crate::{MANIFEST, code_of};

/// Runs a command, stops it after a call of this name and number, and lets it go on after `meanwhile`.
fn interrupted(project: &Project, arguments: &[&str], at: (&str, usize), meanwhile: impl FnOnce()) -> Run {
    let scratch = TempDir::new().unwrap();
    let log = scratch.path().join("log");
    let (call, index) = at;
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=STOP:when={index}"));
    let strace = ["strace", "-f", "-q", "-o", log.to_str().unwrap(), "-e", &trace, "-e", &inject];
    let mut command = project.command_under(strace, arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stopped = loop {
        let log = fs::read_to_string(&log).unwrap_or_default();
        if let Some(line) = log.lines().find(|line| line.contains("stopped by SIGSTOP")) {
            break line.split_once(' ').unwrap().0.parse().unwrap();
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before the call: {log}");
        std::thread::yield_now();
    };
    meanwhile();
    kill_process(Pid::from_raw(stopped).unwrap(), Signal::CONT).unwrap();
    Run::from(child.wait_with_output().unwrap())
}

#[test]
fn a_line_that_somebody_adds_to_a_shared_file_meanwhile_is_not_lost() {
    if program("strace").is_none() {
        let test = "meanwhile::a_line_that_somebody_adds_to_a_shared_file_meanwhile_is_not_lost";
        return skip(test, "there is no strace");
    }
    let project = Project::with_manifest(MANIFEST);
    project.write(".env", "# mine\n");
    project.run(["init"]).assert_code(0);
    let before = (project.read(".env"), project.get("API_KEY"));
    let theirs = format!("{}THEIRS=1\n", before.0);
    // The first name that changes is the store's: by then the block is merged into what the file held.
    let generate = ["generate", "--replace", "API_KEY", "--yes", "--json"];
    let run = interrupted(&project, &generate, ("renameat", 1), || project.write(".env", &theirs)).assert_code(8);
    assert_eq!(code_of(&run), "changed-meanwhile");
    assert!(run.stdout.contains("the store has the change; finish with `vault-kit render`"), "{run:?}");
    assert_eq!(project.read(".env"), theirs);
    let new = project.get("API_KEY");
    assert_ne!(new, before.1);

    project.run(["render"]).assert_code(0);
    let env = project.read(".env");
    assert!(env.starts_with("# mine\n") && env.contains("THEIRS=1\n"), "{env}");
    assert!(env.contains(std::str::from_utf8(&new).unwrap()), "{env}");
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_file_that_somebody_replaces_meanwhile_is_not_written_through() {
    if program("strace").is_none() {
        let test = "meanwhile::a_file_that_somebody_replaces_meanwhile_is_not_written_through";
        return skip(test, "there is no strace");
    }
    let project = Project::initialised(&format!("{MANIFEST}in_place = true\n"));
    let generate = ["generate", "--replace", "API_KEY", "--yes", "--json"];
    let index = last_look_at_env(&project, &generate);
    let (theirs, moved) = (project.path("theirs"), project.path(".env"));
    project.write("theirs", project.bytes(".env"));
    crate::support::set_mode(&theirs, 0o600);
    let run = interrupted(&project, &generate, ("newfstatat", index), || fs::rename(&theirs, &moved).unwrap());
    let run = run.assert_code(8);
    assert_eq!(code_of(&run), "changed-meanwhile");
    assert!(run.stdout.contains("replaced by somebody else"), "{run:?}");
    let new = String::from_utf8(project.get("API_KEY")).unwrap();
    assert!(!project.read(".env").contains(&new));

    project.run(["render"]).assert_code(0);
    assert!(project.read(".env").contains(&new));
    project.run(["check"]).assert_code(0);
}

/// The number of the call that examines `.env` before it is opened for writing.
fn last_look_at_env(project: &Project, arguments: &[&str]) -> usize {
    let scratch = TempDir::new().unwrap();
    let log = scratch.path().join("log");
    let strace = ["strace", "-f", "-qq", "-o", log.to_str().unwrap(), "-e", "trace=newfstatat,pwrite64"];
    Run::of(&mut project.command_under(strace, arguments)).assert_code(0);
    let log = fs::read_to_string(&log).unwrap();
    let looks = log.lines().take_while(|line| !line.contains(" pwrite64(")).collect::<Vec<_>>();
    looks.iter().rposition(|line| line.contains("\".env\"")).unwrap() + 1
}
