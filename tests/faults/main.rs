//! Failures of the system at every call, as strace makes them: what is left is old or new, the exit code tells the
//! truth, and the same command once more repairs everything.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

#[path = "../support/mod.rs"]
mod support;

mod disks;
mod every_call;
mod issued;
mod judge;
mod kills;
mod power;
mod tree;

use support::{Project, server_manifest};

/// One of everything that is written: a managed block beside foreign lines, a value made of others, files of another
/// mode, and a file for everybody.
const MANIFEST: &str = server_manifest!(
    r#"
[secrets.DATABASE_URL]
kind = "template"
template = "postgres://app:${SESSION_KEY | urlencode}@db:5432/app"

[secrets.PORT]
kind = "setting"
value = "8080"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["SESSION_KEY", "API_KEY", "DATABASE_URL", "PORT"]

[outputs.files]
format = "docker-secrets"
path = ".secrets"
secrets = ["SESSION_KEY", "API_KEY"]
mode = "0400"
"#
);

/// What somebody else wrote into `.env`, which must survive everything.
const FOREIGN: &str = "# mine\nCOMPOSE_PROJECT_NAME=faults\n";

/// What a writer that was killed long ago left behind.
const STALE: &str = ".vault-kit-tmp.0123456789abcdef";

/// The values that `set` replaces, and by which.
const OLD_KEY: &str = "sk-old-3f9c2b7d51e84a06";
const NEW_KEY: &str = "sk-new-a81d4c6e92f7b350-and-longer";

/// The manifest beside a `.env` of somebody else, not yet brought to life.
fn declared() -> Project {
    let project = Project::empty_in_memory();
    project.write("vault-kit.toml", MANIFEST);
    project.write(".env", FOREIGN);
    project
}

/// The manifest brought to life, with a value for `API_KEY` and a new one at hand.
fn running() -> Project {
    let project = declared();
    project.run(["init"]).assert_code(0);
    project.run_with_stdin(["set", "API_KEY"], OLD_KEY.as_bytes()).assert_code(0);
    project.write("new-key", NEW_KEY);
    project
}
