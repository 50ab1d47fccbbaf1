//! What `private_file` promises, judged by the kernel: modes, owners, links, locks, and what is left after a failure.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod disks;
mod other_verbs;
mod owners;
mod refusals;
mod strace;
mod switch;
mod writes;

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use vault_kit::error::{Error, Kind};
use vault_kit::private_file::{Root, WriteOptions};

/// Names the directory that a scenario works in when it runs in a process of its own.
const DIRECTORY: &str = "PRIVATE_FILE_TEST_DIRECTORY";

fn fresh() -> (TempDir, Root) {
    let directory = TempDir::new().unwrap();
    let root = Root::open(directory.path()).unwrap();
    (directory, root)
}

fn private() -> WriteOptions {
    WriteOptions::default()
}

fn in_place() -> WriteOptions {
    WriteOptions { in_place: true, ..private() }
}

fn with_mode(mode: u32) -> WriteOptions {
    WriteOptions { mode, ..private() }
}

fn metadata(path: impl AsRef<Path>) -> Metadata {
    fs::symlink_metadata(path).unwrap()
}

fn mode(path: impl AsRef<Path>) -> u32 {
    metadata(path).mode() & 0o7777
}

#[expect(clippy::disallowed_methods, reason = "a test puts its material where it wants")]
fn put(path: impl AsRef<Path>, bytes: &[u8], mode: u32) {
    fs::write(&path, bytes).unwrap();
    set_mode(path, mode);
}

#[expect(clippy::disallowed_methods, reason = "a test puts its material where it wants")]
fn set_mode(path: impl AsRef<Path>, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Everything that must stay as it is when a file is not touched.
fn identity(path: impl AsRef<Path>) -> (u64, i64, i64, i64, i64, u32) {
    let status = metadata(path);
    (status.ino(), status.mtime(), status.mtime_nsec(), status.ctime(), status.ctime_nsec(), status.mode())
}

fn entries(directory: impl AsRef<Path>) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, code: &str) {
    let error = result.expect_err(code);
    assert_eq!((error.kind(), error.code()), (Kind::Permission, code), "{error}");
    assert!(!error.hints().is_empty(), "{code} has no hint");
    assert!(!error.to_string().contains("SECRET"));
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[path = "../support/mod.rs"]
mod support;

use support::skip;

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// Runs one test of this binary by way of another program, in a directory of its own.
fn run_by_way_of(program: &str, arguments: &[&str], test: &str, directory: &Path) -> Output {
    let myself = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(myself).args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(DIRECTORY, directory).output().unwrap()
}

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the test did not run");
}

/// The directory that another process named, or a fresh one.
#[expect(clippy::disallowed_methods, reason = "this is how a test talks to itself in another process")]
fn scenario_directory() -> (Option<TempDir>, PathBuf) {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return (None, directory.into());
    }
    let fresh = TempDir::new().unwrap();
    let path = fresh.path().to_path_buf();
    (Some(fresh), path)
}
