//! Owners: given by root, refused to everybody else.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use vault_kit::error::Kind;
use vault_kit::private_file::{Root, WriteOptions, Written};

use crate::{
    DIRECTORY, assert_refused, assert_success, entries, fresh, has, in_place, is_root, metadata, mode, private, put,
    scenario_directory, set_mode, skip, with_mode,
};

#[test]
fn root_gives_the_file_to_the_declared_owner_and_leaves_it_there() {
    if !is_root() {
        return skip("owners::root_gives_the_file_to_the_declared_owner_and_leaves_it_there", "needs root");
    }
    let (directory, root) = fresh();
    let file = directory.path().join("key");
    let options = WriteOptions { uid: Some(4321), gid: Some(8765), mode: 0o400, ..private() };
    let owner = |path: &Path| (metadata(path).uid(), metadata(path).gid(), mode(path));
    root.preflight("key", &options).unwrap();
    assert_eq!(root.write("key", b"one", &options).unwrap(), Written::Created);
    assert_eq!(owner(&file), (4321, 8765, 0o400));
    assert_eq!(root.write("key", b"two", &with_mode(0o400)).unwrap(), Written::Replaced);
    assert_eq!(owner(&file), (4321, 8765, 0o400));
    let other = WriteOptions { uid: Some(1234), ..options };
    assert_eq!(root.write("key", b"two", &other).unwrap(), Written::Tightened);
    assert_eq!(owner(&file), (1234, 8765, 0o400));
    assert_eq!(root.write("key", b"two", &other).unwrap(), Written::Unchanged);
}

#[test]
fn root_does_not_fill_a_file_that_a_stranger_put_in_a_shared_directory() {
    if !is_root() {
        return skip("owners::root_does_not_fill_a_file_that_a_stranger_put_in_a_shared_directory", "needs root");
    }
    let (directory, root) = fresh();
    set_mode(directory.path(), 0o1777);
    put(directory.path().join("env"), b"", 0o600);
    std::os::unix::fs::chown(directory.path().join("env"), Some(4321), None).unwrap();
    assert_refused(root.write("env", b"SECRET", &private()), "foreign-owner");
}

/// As root it looks on; as another user it is refused all that it must not have.
#[test]
fn another_user_is_refused_before_anything_is_written() {
    let (_fresh, directory) = scenario_directory();
    if is_root() {
        return as_nobody("owners::another_user_is_refused_before_anything_is_written");
    }
    let root = Root::open(&directory).unwrap();
    let declared = WriteOptions { uid: Some(0), ..private() };
    for path in ["mine/new", "new/deeper"] {
        assert_refused(root.preflight(path, &declared), "cannot-set-owner");
    }
    assert_refused(root.write("mine/new", b"SECRET", &declared), "cannot-set-owner");
    if directory.join("mine/foreign").exists() {
        assert_refused(root.preflight("mine/foreign", &private()), "foreign-owner");
        assert_refused(root.write("mine/foreign", b"SECRET", &private()), "foreign-owner");
        let error = root.preflight("theirs/new", &private()).unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Permission, "permission-denied"));
        assert_eq!(root.write("theirs/new", b"SECRET", &private()).unwrap_err().kind(), Kind::Permission);
        assert_eq!(entries(directory.join("mine")), ["foreign"]);
        put(directory.join("mine/blind"), b"old", 0o200);
        assert_eq!(root.write("mine/blind", b"SECRET", &private()).unwrap(), Written::Replaced);
        set_mode(directory.join("mine/blind"), 0o400);
        assert_eq!(root.preflight("mine/blind", &in_place()).unwrap_err().kind(), Kind::Permission);
        assert_eq!(root.write("mine/blind", b"other", &in_place()).unwrap_err().kind(), Kind::Permission);
        assert_eq!(root.read("mine/blind").unwrap().unwrap(), b"SECRET");
        assert!(entries(directory.join("theirs")).is_empty());
    }
}

/// Runs a test of this binary again as uid 65534, which owns the directory and `mine` in it.
fn as_nobody(test: &str) {
    if !has("setpriv") {
        return skip(test, "there is no setpriv");
    }
    let directory = TempDir::new().unwrap();
    let (myself, work) = (directory.path().join("test"), directory.path().join("work"));
    fs::copy(std::env::current_exe().unwrap(), &myself).unwrap();
    for made in ["work", "work/mine", "work/theirs"] {
        fs::create_dir(directory.path().join(made)).unwrap();
    }
    put(work.join("mine/foreign"), b"root's", 0o644);
    for (path, mode) in [(directory.path(), 0o755), (&myself, 0o755), (&work, 0o755), (&work.join("theirs"), 0o755)] {
        set_mode(path, mode);
    }
    for path in [&work, &work.join("mine")] {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    }
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&myself)
        .args(["--exact", test, "--nocapture"])
        .env(DIRECTORY, &work)
        .output()
        .unwrap();
    assert_success(&output);
}
