//! The AWS client over the wire: with moto, whom nobody here wrote, and with a server that misbehaves on purpose.
//!
//! The SDK reads the environment, so each test runs its body in a process of its own, with an environment that is made
//! for it.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]
#![expect(clippy::disallowed_methods, reason = "the environment and the files that the SDK reads")]

mod answers;
mod configuration;
mod faults;
mod journey;
mod moto;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod trust;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use support::Run;
use vault_kit::remote::aws::{Aws, Notice, Patience, Settings, connect};

/// Tells the second process that it is the second, and where its home is.
const INSIDE: &str = "VAULT_KIT_TEST_INSIDE";

/// What may pass from the first process to the second.
const PASSED: [&str; 5] = ["CI", "PATH", "TMPDIR", "VAULT_KIT_SKIP_LOG", "VAULT_KIT_TEST_VENV"];

/// Keys of nobody.
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "nobodys")];

/// Whether this is the second process.
fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs `body` with the home directory in a process whose environment is `environment`, and whose home holds
/// `.aws/config` with `config`.
fn within(test: &str, environment: &[(&str, &str)], config: &str, body: impl FnOnce(&Path)) {
    if let Some(home) = std::env::var_os(INSIDE) {
        return body(&PathBuf::from(home));
    }
    let home = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env_clear();
    command.envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.env("HOME", home.path()).env(INSIDE, home.path()).env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(environment.iter().copied());
    let run = Run::of(&mut command).assert_code(0);
    assert!(run.stdout.contains("1 passed"), "no test of that name ran: {}", run.both());
    for line in run.stderr.lines().filter(|line| line.starts_with("SKIP ")) {
        #[expect(clippy::print_stderr, reason = "a skip must be heard")]
        {
            eprintln!("{line}");
        }
    }
}

/// What was told of tries.
type Notices = Arc<Mutex<Vec<Notice>>>;

/// A client for what listens at `endpoint`, and what it tells of its tries.
fn client(endpoint: &str, patience: Patience) -> (Aws, Notices) {
    let settings =
        Settings { region: Some("eu-west-1".into()), endpoint: Some(endpoint.into()), patience, ..Settings::default() };
    client_of(&settings)
}

fn client_of(settings: &Settings) -> (Aws, Notices) {
    let notices = Notices::default();
    let told = Arc::clone(&notices);
    let listener = Arc::new(move |notice: &Notice| told.lock().unwrap().push(notice.clone()));
    (connect(settings, listener).unwrap(), notices)
}
