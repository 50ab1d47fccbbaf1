//! Hooks whose vault-kit was killed: nobody changes anything before they have ended, and whoever ended well holds nobody up.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::fixture::MANIFEST;
use crate::support::{Project, Run, set_mode, skip};

/// A hook that sets what it is told: where there is a file `slow`, once there is a `go`. `rest` is done first.
fn project(rest: &str) -> Project {
    let declared = MANIFEST.replace("group = \"database\"", "hooks = [\"owner\"]");
    let hook = "[hooks.owner]\nprogram = \"hooks/owner\"\nsteps = [\"set\", \"retire\"]\n";
    let project = Project::with_manifest(&format!("{declared}{hook}"));
    let text = format!(
        r#"#!/bin/sh
new=$(sed -n 's/.*"new":{{[^}}]*"value":"\([^"]*\)".*/\1/p')
[ "$1" = set ] || exit 0
{rest}
n=0
if [ -e slow ]; then
rm slow; : > waits
while [ ! -e go ] && [ $n -lt 3000 ]; do sleep 0.02; n=$((n + 1)); done
fi
printf %s "$new" > owner
echo "$new" >> told
"#
    );
    project.write("hooks/owner", text);
    set_mode(&project.path("hooks"), 0o755);
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    project
}

fn begin(project: &Project, words: &str) -> Child {
    let mut command = project.command(words.split(' '));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills a vault-kit in the middle of a `set`, which goes on and waits for `go`.
fn orphan(project: &Project) {
    project.write("slow", "");
    let mut child = begin(project, "rotate DB");
    while !project.path("waits").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nobody_changes_anything_before_a_hook_has_ended_whose_vault_kit_was_killed() {
    for (words, is_given_up) in [("rotate abort DB", true), ("rotate --due --wait", false), ("rotate resume", false)] {
        let project = project("");
        let old = project.read(".env");
        orphan(&project);
        let before = project.contents();
        for command in ["rotate --due", "rotate abort DB --lock-timeout 0", "render --lock-timeout 0"] {
            let run = project.run(command.split(' ').chain(["--json"])).assert_code(7);
            assert!(run.stdout.contains("hook-outlived"), "{command}: {run:?}");
            assert!(project.contents() == before, "{command} changed something");
        }
        // Who only reads is not held up.
        project.run(["rotate", "status"]).assert_code(0);
        project.get("DB");
        let waiting = begin(&project, words);
        project.write("go", "");
        Run::from(waiting.wait_with_output().unwrap()).assert_code(0);
        let (owner, told) = (project.read("owner"), project.read("told"));
        assert_eq!(owner.as_bytes(), project.get("DB"), "{words}: what the owner accepts is what is in the store");
        assert_eq!(project.read(".env") == old, is_given_up, "{words}");
        let told: Vec<&str> = told.lines().collect();
        assert_eq!((told.len(), told[1]), (2, owner.as_str()), "{words}: the one that was left behind was first");
        assert_eq!(told[0] == told[1], !is_given_up, "{words}");
        assert_eq!(project.mode(".vault-kit/hook.lock"), 0o600);
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn whoever_finds_a_hook_left_behind_is_told_which_process_it_is() {
    if !cfg!(target_os = "linux") {
        return skip("whoever_finds_a_hook_left_behind_is_told_which_process_it_is", "only Linux tells");
    }
    let project = project("echo $$ > pid");
    orphan(&project);
    let pid = project.read("pid");
    let run = project.run(["render", "--lock-timeout", "0"]).assert_code(7);
    // Its `sleep` may hold the lock as well.
    assert!(run.stderr.contains(&format!("process {}", pid.trim())) || run.stderr.contains(" processes "), "{run:?}");
    assert!(run.stderr.contains("`ps -fp ") && !run.stderr.contains("`rm "), "{run:?}");
    let run = project.run(["rotate", "--due"]).assert_code(7);
    assert!(run.stderr.contains("`rotate --due` waits for it with `--wait`"), "{run:?}");
    project.write("go", "");
    while !project.path("told").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_a_hook_that_did_its_work_leaves_behind_lives_on_and_holds_nobody_up() {
    let project = project("(exec >/dev/null 2>&1; exec sleep 600) & echo $! > service");
    project.run(["rotate", "DB"]).assert_code(0);
    let service = Pid::from_raw(project.read("service").trim().parse().unwrap()).unwrap();
    for words in ["rotate --due", "render --lock-timeout 0", "rotate tell DB --lock-timeout 0"] {
        project.run(words.split(' ')).assert_code(0);
    }
    test_kill_process(service).expect("it is left alone");
    kill_process(service, Signal::KILL).unwrap();
    let told = Pid::from_raw(project.read("service").trim().parse().unwrap()).unwrap();
    kill_process(told, Signal::KILL).unwrap();
}

#[test]
fn a_hook_that_calls_a_writing_vault_kit_is_told_at_once_that_it_would_wait_for_itself() {
    let call = format!(
        "'{}' render --json --lock-timeout 8s > inner; echo $? > code\n'{0}' get DB > /dev/null; echo $? >> code",
        env!("CARGO_BIN_EXE_vault-kit")
    );
    let project = project(&call);
    let begun = Instant::now();
    project.run(["rotate", "DB"]).assert_code(0);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(project.read("code"), "7\n0\n", "{}", project.read("inner"));
    assert!(project.read("inner").contains("\"within-hook\""), "{}", project.read("inner"));
    // Left behind by a hook that ended, it takes its turn like anybody else.
    let (directory, render) = (project.root().as_os_str(), ["render", "--lock-timeout", "0"]);
    Run::of(project.command(render).env("VAULT_KIT_HOOK_OF", directory)).assert_code(0);
}

#[test]
fn a_hook_that_empties_its_environment_is_told_so_too() {
    if !cfg!(target_os = "linux") {
        return skip("a_hook_that_empties_its_environment_is_told_so_too", "only Linux tells whose child a process is");
    }
    let call = format!(
        "env -i HOME=\"$HOME\" sh -c \"'{}' render --json --lock-timeout 60s > inner; echo \\$? > code\"",
        env!("CARGO_BIN_EXE_vault-kit")
    );
    let project = project(&call);
    project.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(project.read("code"), "7\n", "{}", project.read("inner"));
    assert!(project.read("inner").contains("\"within-hook\""), "{}", project.read("inner"));
}

#[test]
fn the_lock_is_given_to_hooks_and_to_nobody_else() {
    if !cfg!(target_os = "linux") {
        return skip("the_lock_is_given_to_hooks_and_to_nobody_else", "only Linux tells");
    }
    let project = project("ls -l /proc/self/fd > of-hook");
    project.run(["rotate", "DB"]).assert_code(0);
    project.run(["run", "--", "sh", "-c", "ls -l /proc/self/fd > of-run"]).assert_code(0);
    let locks = |file: &str, lock: &str| project.read(file).matches(lock).count();
    assert_eq!((locks("of-hook", "/.vault-kit/"), locks("of-hook", "/.vault-kit/hook.lock")), (1, 1));
    assert_eq!(locks("of-run", "/.vault-kit/"), 0);
}
