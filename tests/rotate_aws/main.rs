//! One rotation among many hosts, over HTTP against a strict double of AWS Secrets Manager.
//!
//! The SDK reads the environment, so each test runs its body in a process of its own, with an environment that is made
//! for it.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]
#![expect(clippy::disallowed_methods, reason = "the environment that the SDK reads")]

mod aborts;
#[path = "../support/aws/mod.rs"]
mod aws;
#[path = "../aws_fake/client.rs"]
#[allow(dead_code, reason = "it is another program's client")]
mod client;
mod crashes;
mod given_up;
mod hosts;
mod model;
mod owner;
mod rig;
mod sleepers;
mod steps;
mod strictness;
#[path = "../support/mod.rs"]
mod support;

use std::process::Command;

use support::{Run, counted};

/// Tells the second process that it is the second.
const INSIDE: &str = "VAULT_KIT_TEST_INSIDE";

/// Begins a line of what was counted, by which the second process tells the first.
const COUNTED: &str = "COUNTED ";

/// Runs `body` in a process whose environment has credentials of nobody, and looks nowhere else for some.
fn within(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env_clear();
    command.envs(["PATH", "TMPDIR"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs([
        (INSIDE, "1"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-access-key-of-a-test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    let run = Run::of(&mut command).assert_code(0);
    assert!(run.stdout.contains("1 passed"), "no test of that name ran: {}", run.both());
    run.stderr.lines().filter_map(|line| line.strip_prefix(COUNTED)).for_each(counted);
}

/// Says what was counted.
#[expect(clippy::print_stderr, reason = "the first process reads it there")]
fn told(line: &str) {
    eprintln!("{COUNTED}{line}");
}
