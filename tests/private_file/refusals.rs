//! What is refused, with nothing written.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use vault_kit::private_file::{FileKind, Root, Written};
use vault_kit::trust::for_output;

use crate::{assert_refused, entries, fresh, in_place, mode, private, put, scenario_directory, set_mode};

#[test]
fn symlinks_are_refused_in_every_place() {
    let (_fresh, directory) = scenario_directory();
    let root = Root::create(&directory.join("project"), 0o700).unwrap();
    let outside = directory.join("outside");
    fs::create_dir(&outside).unwrap();
    put(outside.join("victim"), b"theirs", 0o600);
    symlink(&outside, root.path().join("link")).unwrap();
    symlink(outside.join("victim"), root.path().join("env")).unwrap();
    symlink("nowhere", root.path().join("dangling")).unwrap();
    fs::create_dir(root.path().join("real")).unwrap();
    symlink("../real", root.path().join("real/inner")).unwrap();

    for path in ["env", "dangling", "link/victim", "link/new", "link/new/deeper", "real/inner/x", "real/inner/x/y"] {
        assert_refused(root.write(path, b"SECRET", &private()), "symlink");
        assert_refused(root.write(path, b"SECRET", &in_place()), "symlink");
        assert_refused(root.preflight(path, &private()), "symlink");
        assert_refused(root.append_line(path, b"SECRET", 0o600), "symlink");
        assert_refused(root.lock(path, Duration::ZERO), "symlink");
    }
    for path in ["env", "link/victim"] {
        assert_refused(root.read(path), "symlink");
        assert_refused(root.remove(path), "symlink");
    }
    assert_refused(root.sweep("link"), "symlink");
    assert_refused(root.facts("link/victim"), "symlink");
    assert_eq!(root.facts("env").unwrap().unwrap().kind, FileKind::Symlink);
    assert_eq!(fs::read(outside.join("victim")).unwrap(), b"theirs");
    assert_eq!(entries(&outside), ["victim"]);
    assert_eq!(entries(root.path()), ["dangling", "env", "link", "real"]);
}

#[test]
fn a_path_cannot_leave_its_root() {
    let (directory, root) = fresh();
    let absolute = directory.path().join("x");
    for path in ["../x", "a/../x", "a/../../x", "..", "/etc/x", absolute.to_str().unwrap(), "", ".", "a/", "a\0b"] {
        assert_refused(root.write(path, b"SECRET", &private()), "path-escapes");
        assert_refused(root.preflight(path, &private()), "path-escapes");
        assert_refused(root.read(path), "path-escapes");
        assert_refused(root.facts(path), "path-escapes");
        assert_refused(root.remove(path), "path-escapes");
    }
    assert_refused(root.sweep("../"), "path-escapes");
    assert!(entries(directory.path()).is_empty());
}

#[test]
fn a_root_follows_its_directory_whatever_its_name_becomes() {
    let directory = TempDir::new().unwrap();
    let (before, after) = (directory.path().join("before"), directory.path().join("after"));
    let root = Root::create(&before, 0o700).unwrap();
    fs::rename(&before, &after).unwrap();
    symlink("/etc", &before).unwrap();
    root.write("env", b"x", &private()).unwrap();
    assert_eq!(entries(&after), ["env"]);
}

#[test]
fn only_regular_files_are_read_and_replaced() {
    let (directory, root) = fresh();
    fs::create_dir(directory.path().join("directory")).unwrap();
    assert!(Command::new("mkfifo").arg(directory.path().join("fifo")).status().unwrap().success());
    for path in ["directory", "fifo"] {
        for result in [root.read(path).map(drop), root.write(path, b"SECRET", &private()).map(drop)] {
            assert_eq!(result.unwrap_err().code(), "not-regular", "{path}");
        }
        assert_eq!(root.remove(path).unwrap_err().code(), "not-regular", "{path}");
        assert_eq!(root.append_line(path, b"x", 0o600).unwrap_err().kind().code(), if path == "fifo" { 6 } else { 9 });
    }
}

#[test]
fn a_file_with_another_name_is_refused() {
    let (directory, root) = fresh();
    put(directory.path().join("env"), b"old", 0o600);
    fs::hard_link(directory.path().join("env"), directory.path().join("other")).unwrap();
    assert_refused(root.write("env", b"SECRET", &private()), "hard-linked");
    assert_refused(root.write("env", b"SECRET", &in_place()), "hard-linked");
    assert_refused(root.preflight("env", &private()), "hard-linked");
    assert_refused(root.append_line("env", b"SECRET", 0o600), "hard-linked");
    assert_eq!(fs::read(directory.path().join("other")).unwrap(), b"old");
}

#[test]
fn a_directory_that_everybody_may_write_is_refused_unless_it_is_sticky() {
    let (directory, root) = fresh();
    let open = directory.path().join("open");
    fs::create_dir(&open).unwrap();
    set_mode(&open, 0o777);
    for path in ["open/env", "open/deeper/env"] {
        assert_refused(root.preflight(path, &private()), "directory-writable-by-others");
        assert_refused(root.write(path, b"SECRET", &private()), "directory-writable-by-others");
    }
    assert!(entries(&open).is_empty());
    set_mode(&open, 0o1777);
    assert_eq!(root.write("open/env", b"x", &private()).unwrap(), Written::Created);
    let facts = root.facts("open/env").unwrap().unwrap();
    assert!(!facts.directory.is_writable_by_others());
}

#[test]
fn absolute_outputs_need_trust() {
    let (directory, root) = fresh();
    let real = directory.path().canonicalize().unwrap();
    let path = real.join("app.env");
    let path = path.to_str().unwrap();
    assert_refused(for_output(&root, path, false), "untrusted-path");
    let (anywhere, relative) = for_output(&root, path, true).unwrap();
    anywhere.write(&relative, b"x", &private()).unwrap();
    assert_eq!(mode(path), 0o600);
    let (beneath, relative) = for_output(&root, "env", false).unwrap();
    beneath.write(&relative, b"x", &private()).unwrap();
    assert_eq!(entries(&real), ["app.env", "env"]);
}
