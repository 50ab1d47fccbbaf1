//! The rules that hold whatever is asked: what a stranger's manifest may not do, what never changes by itself, and what
//! is left as it was.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod agreement;
mod audit;
mod fingerprints;
mod hostile;
mod identity;
mod ledger;
mod meanwhile;
mod outputs;
mod overlap;
mod recovery;
mod rotation;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod trust;
mod usernames;
mod verified;
mod writers;

use support::{Project, Run};

/// One generated value in one `.env`.
const MANIFEST: &str = r#"
[project]
name = "shop"

[secrets.API_KEY]
kind = "random"

[outputs.env]
format = "dotenv"
path = ".env"
"#;

/// A secret that a person supplies, and no output.
const EXTERNAL: &str = r#"
[project]
name = "shop"

[secrets.API_KEY]
kind = "external"
"#;

/// The JSON code of the one error that a command ends with.
#[track_caller]
fn code_of(run: &Run) -> String {
    let answer: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("no errors: {run:?}"));
    assert_eq!(errors.len(), 1, "{run:?}");
    errors[0]["code"].as_str().unwrap().to_owned()
}

/// A command that is refused with this exit code and error code, and changes nothing.
#[track_caller]
fn assert_refused(project: &Project, arguments: &[&str], exit: i32, code: &str) {
    let before = project.contents();
    let run = project.run(arguments.iter().copied().chain(["--json"])).assert_code(exit);
    assert_eq!(code_of(&run), code);
    assert!(project.contents() == before, "{arguments:?} changed something: {run:?}");
}

/// Sets a value from a pipe.
#[track_caller]
fn set(project: &Project, name: &str, value: &str) {
    project.run_with_stdin(["set", name], value.as_bytes()).assert_code(0);
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
