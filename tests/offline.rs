//! No command of ours opens a network socket, nor any other socket, as strace sees it.

mod support;

use std::fs;

use support::{Project, Run, program, skip};

/// Every command, in an order in which each has something to do, with what it ends with.
const COMMANDS: [(&[&str], &str, i32); 34] = [
    (&["init", "--dry-run", "--preset", "sutra"], "", 0),
    (&["init", "--preset", "sutra"], "", 0),
    (&["init", "--preset", "sutra"], "", 0),
    (&["init", "--dry-run"], "", 0),
    (&["import", "-"], "SUTRA_AUTH_SECRET=0f1e2d3c4b5a69788796a5b4c3d2e1f0\n", 0),
    (&["check"], "", 0),
    (&["check", "--at", "repo"], "", 0),
    (&["check", "--at", "env"], "", 1),
    (&["check", "--at", "remote"], "", 3),
    (&["status"], "", 0),
    (&["status", "--json"], "", 0),
    (&["generate"], "", 0),
    (&["generate", "--replace", "SUTRA_AUTH_SECRET", "--yes"], "", 0),
    (&["generate", "--replace", "STORAGE_TLS", "--yes"], "", 0),
    (&["set", "SUTRA_AUTH_SECRET"], "6b1f0c9a8d7e4f3b2a1908f7e6d5c4b3", 0),
    (&["get", "SUTRA_AUTH_SECRET"], "", 0),
    (&["get", "STORAGE_TLS", "--part", "cert"], "", 0),
    (&["render"], "", 0),
    (&["render", "--dry-run"], "", 0),
    (&["run", "--", "/bin/true"], "", 0),
    (&["run", "--clean", "--", "/no/such/command"], "", 127),
    (&["trust"], "", 0),
    (&["store", "recover"], "", 0),
    (&["recipients", "list"], "", 0),
    (&["recipients", "apply"], "", 0),
    (&["remove", "SERVICE_TOKEN", "--yes"], "", 0),
    (&["-e", "prod", "init", "--yes"], "", 0),
    (&["-e", "prod", "check"], "", 1),
    (&["schema", "manifest"], "", 0),
    (&["completions", "bash"], "", 0),
    (&["man"], "", 0),
    (&["--help"], "", 0),
    (&["--version"], "", 0),
    (&["no-such-command"], "", 2),
];

#[test]
fn no_command_opens_a_socket() {
    if program("strace").is_none() {
        return skip("no_command_opens_a_socket", "there is no strace");
    }
    let project = Project::empty();
    let scratch = tempfile::TempDir::new().unwrap();
    let log = scratch.path().join("log");
    // `%net` is every call about sockets; a start of another program, which could open one for us, is seen too.
    let strace =
        ["strace", "-f", "-qq", "-o", log.to_str().unwrap(), "-e", "trace=%net,execve,clone,clone3,fork,vfork"];
    for (command, stdin, code) in COMMANDS {
        let run = Run::with_stdin(&mut project.command_under(strace, command), stdin.as_bytes());
        assert_eq!(run.code, code, "{command:?}: {}", run.both());
        let log = fs::read_to_string(&log).unwrap();
        let calls: Vec<&str> = log.lines().filter(|line| !line.contains("+++") && !line.contains("---")).collect();
        let starts = calls.iter().filter(|line| line.contains(" execve(")).count();
        assert_eq!(starts, calls.len(), "{command:?}: {log}");
        let own_starts = 1 + usize::from(command.contains(&"run"));
        assert_eq!(starts, own_starts, "{command:?}: {log}");
    }
}

#[test]
fn the_judge_sees_a_socket() {
    let Some(python) = program("python3").filter(|_| program("strace").is_some()) else {
        return skip("the_judge_sees_a_socket", "there is no strace or no python3");
    };
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=%net"]).arg(python).args(["-c", "import socket; socket.socket()"]);
    assert!(Run::of(&mut command).stderr.contains("socket(AF_INET"));
}
