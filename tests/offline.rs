//! No command but `sync`, `check --at remote` and `rotate` of what is in AWS opens a socket, starts a thread or waits for
//! events as an asynchronous runtime does, as strace sees it.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::fs;

use support::{Project, Run, program, skip};

/// Every command, in an order in which each has something to do, with what it ends with.
const COMMANDS: [(&[&str], &str, i32); 41] = [
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
    (&["schema", "api-keys"], "", 0),
    (&["schema", "check-report"], "", 0),
    (&["schema", "ledger"], "", 0),
    (&["schema", "manifest"], "", 0),
    (&["schema", "revocations"], "", 0),
    (&["iam", "policy", "--role", "reader"], "", 3),
    // What is not in AWS is refused before anything is made to ask AWS with.
    (&["sync", "status"], "", 3),
    (&["sync", "--help"], "", 0),
    (&["completions", "bash"], "", 0),
    (&["man"], "", 0),
    (&["--help"], "", 0),
    (&["--version"], "", 0),
    (&["no-such-command"], "", 2),
];

/// A project whose secret is in AWS, and the commands that need not ask there.
const IN_AWS: &str = "[project]\nname = \"shop\"\n[environments.dev]\n\
    aws = { account = \"123456789012\", region = \"eu-west-1\", profile = \"shop\" }\n\
    [secrets.KEY]\nkind = \"random\"\naws = \"key\"\n";
const ABOUT_AWS: [(&[&str], &str, i32); 9] = [
    (&["init"], "", 0),
    (&["iam", "policy", "--role", "reader"], "", 0),
    (&["iam", "policy", "--role", "rotator"], "", 0),
    (&["iam", "policy", "--role", "ci-check"], "", 0),
    (&["generate", "--replace", "KEY", "--yes"], "", 0),
    (&["check"], "", 0),
    (&["status"], "", 0),
    // Nobody trusts the profile yet.
    (&["sync", "pull"], "", 6),
    (&["trust", "--yes"], "", 0),
];

/// `%net` is every call about sockets; a start of another program or thread, which could open one for us, is seen too, and
/// what every asynchronous runtime waits with.
const WATCHED: &str =
    "trace=%net,execve,clone,clone3,?fork,?vfork,?epoll_create,epoll_create1,?eventfd,eventfd2,io_uring_setup";

/// How a command ends under strace, and every call that was watched.
fn traced(project: &Project, command: &[&str], stdin: &str) -> (Run, Vec<String>) {
    let scratch = tempfile::TempDir::new().unwrap();
    let log = scratch.path().join("log");
    let strace = ["strace", "-f", "-qq", "-o", log.to_str().unwrap(), "-e", WATCHED];
    let mut command = project.command_under(strace, command);
    // `check` asks the daemon of this machine, if there is one, whose containers have an old file
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let run = Run::with_stdin(&mut command, stdin.as_bytes());
    let log = fs::read_to_string(&log).unwrap();
    let calls = log.lines().filter(|line| !line.contains("+++") && !line.contains("---"));
    (run, calls.map(str::to_owned).collect())
}

#[test]
fn no_command_opens_a_socket_or_starts_a_thread() {
    if program("strace").is_none() {
        return skip("no_command_opens_a_socket_or_starts_a_thread", "there is no strace");
    }
    let (sutra, shop) = (Project::empty(), Project::with_manifest(IN_AWS));
    let commands = COMMANDS.iter().map(|it| (&sutra, it)).chain(ABOUT_AWS.iter().map(|it| (&shop, it)));
    for (project, (command, stdin, code)) in commands {
        let (run, calls) = traced(project, command, stdin);
        assert_eq!(run.code, *code, "{command:?}: {}", run.both());
        let starts = calls.iter().filter(|line| line.contains(" execve(")).count();
        assert_eq!(starts, calls.len(), "{command:?}: {calls:#?}");
        let own_starts = 1 + usize::from(command.contains(&"run"));
        assert_eq!(starts, own_starts, "{command:?}: {calls:#?}");
    }
    // The same project does ask where it is to: neither rule could be seen to hold if nothing broke it.
    shop.write("vault-kit.toml", IN_AWS.replace("profile = \"shop\"", "endpoint = \"http://127.0.0.1:9\""));
    shop.run(["trust", "--yes"]).assert_code(0);
    for command in [&["sync", "status"][..], &["check", "--at", "remote"]] {
        let (_, calls) = traced(&shop, command, "");
        assert!(calls.iter().any(|line| line.contains("epoll_create")), "{command:?}: {calls:#?}");
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
