//! What the integration tests share.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its own part")]

mod project;
mod sealed;
mod shared;

use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use project::{Entry, Project, Run};
pub(crate) use sealed::sealed_of_copy;
pub(crate) use shared::{Server, Shared};

/// A server's manifest – a key that is made, one that is supplied, a certificate in files of its own – and what a test
/// adds to it.
macro_rules! server_manifest {
    ($more:literal) => {
        concat!(
            r#"
[project]
name = "server"

[secrets.SESSION_KEY]
kind = "random"

[secrets.API_KEY]
kind = "external"
optional = true

[secrets.TLS]
kind = "certificate"
issuer = "self"
dns = ["localhost"]

[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
files = { fullchain = "cert.pem", key = "key.pem" }
"#,
            $more
        )
    };
}
pub(crate) use server_manifest;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Has `tests/run` print what a test counted, such as "12 of 12 survived".
#[expect(clippy::print_stdout, reason = "for whoever runs the test by itself")]
pub(crate) fn counted(line: &str) {
    println!("{line}");
    if let Some(log) = variable("VAULT_KIT_COUNT_LOG") {
        let mut log = std::fs::File::options().append(true).create(true).open(log).expect("the log of counts opens");
        // One write, so that lines of tests beside this one stay whole.
        log.write_all(format!("{line}\n").as_bytes()).expect("the log of counts is written");
    }
}

/// Says aloud that a test, or a part of it, does not run here. With `CI=true` that is a failure, unless a line of
/// `.ci/allowed-skips` begins with the test's name (and gives the reason).
#[expect(clippy::print_stderr, reason = "a skip must be heard")]
pub(crate) fn skip(test: &str, reason: &str) {
    eprintln!("SKIP {test}: {reason}");
    if let Some(log) = variable("VAULT_KIT_SKIP_LOG") {
        let mut log = std::fs::File::options().append(true).create(true).open(log).expect("the skip log opens");
        log.write_all(format!("{test}: {reason}\n").as_bytes()).expect("the skip log takes a line");
    }
    let allowed = std::fs::read_to_string(root().join(".ci/allowed-skips")).unwrap_or_default();
    let is_allowed = allowed.lines().any(|line| line.split_whitespace().next() == Some(test));
    assert!(variable("CI").as_deref() != Some("true") || is_allowed, "`{test}` may not be skipped in CI: {reason}");
}

/// A value of nobody's, which no output may hold.
pub(crate) const CANARY: &str = "cnry-7Jt9QfYkP3mVbX2nRz";

/// The variables by which the READMEs of the examples let containers run as the owner of the files.
pub(crate) fn owner(project: &Project) -> impl Iterator<Item = (String, String)> {
    use std::os::unix::fs::MetadataExt;
    let facts = std::fs::metadata(project.root()).expect("its facts");
    let ids = [("UID", facts.uid()), ("GID", facts.gid())];
    let of_example = move |name: &'static str| ids.map(|(id, number)| (format!("{name}_{id}"), number.to_string()));
    ["MCP", "OMNI2", "SUTRA"].into_iter().flat_map(of_example)
}

/// Gives a file or directory another mode, as somebody who is careless would.
#[expect(clippy::disallowed_methods, reason = "what the program must cope with")]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the mode is set");
}

/// The interpreter that has the judges' packages.
pub(crate) fn python() -> Option<PathBuf> {
    let venv = variable("VAULT_KIT_TEST_VENV").map_or_else(|| root().join(".venv"), PathBuf::from);
    Some(venv.join("bin/python")).filter(|python| python.exists())
}

/// A script of `tests/judges` with the interpreter that can run it; `None` without one.
pub(crate) fn python_judge(script: &str) -> Option<Command> {
    let mut command = Command::new(python()?);
    command.arg(root().join("tests/judges").join(script));
    Some(command)
}

/// A program on `PATH`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&search_path()).map(|directory| directory.join(name)).find(|program| program.is_file())
}

/// A loopback port that nobody else can take meanwhile, as descriptor 0 of an nginx that takes it over as from its predecessor in
/// an upgrade: a connection waits in the backlog until nginx is ready.
///
/// nginx leaves it as it is, so it must not block: of two workers that are told of a connection while the configuration is read
/// again, the one that comes too late would wait in `accept` for the next, and its own connections with it.
pub(crate) fn with_socket(nginx: &mut Command) -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.set_nonblocking(true).expect("a socket that does not block");
    let port = socket.local_addr().expect("its address").port();
    nginx.env("NGINX", "0;").stdin(OwnedFd::from(socket));
    port
}

/// Where programs are looked for.
pub(crate) fn search_path() -> String {
    variable("PATH").unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment where their judges are")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
