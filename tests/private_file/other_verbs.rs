//! Reading, appending, removing, sweeping, locking.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use vault_kit::error::Kind;
use vault_kit::private_file::{FileKind, Root};

use crate::{entries, fresh, has, metadata, mode, private, put, set_mode, skip};

#[test]
fn what_is_absent_is_none_and_removing_is_done_once() {
    let (_directory, root) = fresh();
    assert!(root.read("no/such").unwrap().is_none());
    assert!(root.facts("no/such").unwrap().is_none());
    assert!(!root.remove("no/such").unwrap());
    assert_eq!(root.sweep("no/such").unwrap(), 0);
    root.write("env", b"x", &private()).unwrap();
    assert!(root.remove("env").unwrap());
    assert!(!root.remove("env").unwrap());
}

#[test]
fn facts_are_what_the_system_says() {
    let (directory, root) = fresh();
    let file = directory.path().join("env");
    put(&file, b"12345", 0o640);
    set_mode(directory.path(), 0o775);
    let (facts, status) = (root.facts("env").unwrap().unwrap(), metadata(&file));
    assert_eq!((facts.kind, facts.mode, facts.size, facts.links), (FileKind::Regular, 0o640, 5, 1));
    assert_eq!((facts.uid, facts.gid, facts.inode), (status.uid(), status.gid(), status.ino()));
    let mtime = i128::from(status.mtime()) * 1_000_000_000 + i128::from(status.mtime_nsec());
    assert_eq!((facts.mtime_ns, facts.directory.mode), (mtime, 0o775));
    assert!(facts.directory.is_writable_by_group() && !facts.directory.is_writable_by_others());
}

#[test]
fn lines_are_appended_and_a_torn_one_stays_alone() {
    let (directory, root) = fresh();
    root.append_line("log/audit.jsonl", b"{\"a\":1}", 0o600).unwrap();
    root.append_line("log/audit.jsonl", b"{\"b\":2}\n", 0o600).unwrap();
    let file = directory.path().join("log/audit.jsonl");
    assert_eq!(fs::read(&file).unwrap(), b"{\"a\":1}\n{\"b\":2}\n");
    put(&file, b"{\"a\":1}\n{\"tor", 0o644);
    root.append_line("log/audit.jsonl", b"{\"c\":3}", 0o600).unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"{\"a\":1}\n{\"tor\n{\"c\":3}\n");
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn only_stale_files_of_ours_are_swept() {
    let (directory, root) = fresh();
    let stale = ".vault-kit-tmp.0123456789abcdef";
    put(directory.path().join(stale), b"SECRET", 0o600);
    let kept = [".vault-kit-tmp.0123", ".vault-kit-tmp.link", "env"];
    put(directory.path().join(kept[0]), b"", 0o600);
    put(directory.path().join(kept[2]), b"", 0o600);
    symlink("env", directory.path().join(kept[1])).unwrap();
    symlink("env", directory.path().join(".vault-kit-tmp.ffffffffffffffff")).unwrap();
    assert_eq!(root.sweep("").unwrap(), 1);
    assert_eq!(root.sweep(".").unwrap(), 0);
    assert!(!directory.path().join(stale).exists());
    assert_eq!(entries(directory.path()).len(), 4);
}

#[test]
fn a_lock_is_held_by_one_and_handed_over() {
    let (directory, root) = fresh();
    let held = root.lock("state/lock", Duration::ZERO).unwrap();
    let start = Instant::now();
    let error = root.lock("state/lock", Duration::from_millis(120)).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Conflict, "busy"));
    assert!(start.elapsed() >= Duration::from_millis(120));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| root.lock("state/lock", Duration::from_secs(20)).map(drop));
        std::thread::sleep(Duration::from_millis(60));
        assert!(!waiting.is_finished());
        drop(held);
        waiting.join().unwrap().unwrap();
    });
    assert!(directory.path().join("state/lock").exists());
}

/// Starts somebody who inherits what is inheritable now, and ends when its input does.
fn heir() -> std::process::Child {
    Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_lock_that_a_program_inherited_is_held_as_long_as_that_lives_or_until_it_is_dropped() {
    let (directory, root) = fresh();
    root.wait_for_hook("lock", Duration::ZERO).unwrap();
    assert!(!directory.path().join("lock").exists(), "whoever waits makes no file");
    let lock = root.lock_for_hook("lock").unwrap();
    let inherited = lock.inherited().unwrap();
    let mut child = heir();
    drop(inherited);
    // As if we had been killed.
    lock.leave();
    for refused in [root.wait_for_hook("lock", Duration::ZERO), root.lock_for_hook("lock").map(drop)] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Conflict, "hook-outlived"));
        assert!(!cfg!(target_os = "linux") || error.to_string().contains(&child.id().to_string()), "{error}");
    }
    drop(child.stdin.take());
    root.wait_for_hook("lock", Duration::from_secs(20)).unwrap();
    child.wait().unwrap();

    let lock = root.lock_for_hook("lock").unwrap();
    let inherited = lock.inherited().unwrap();
    let mut child = heir();
    drop((inherited, lock));
    root.wait_for_hook("lock", Duration::ZERO).unwrap();
    drop(root.lock_for_hook("lock").unwrap());
    assert!(child.try_wait().unwrap().is_none(), "it lives, and holds nothing");
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn a_lock_is_respected_between_processes_and_ends_with_its_holder() {
    if !has("flock") {
        return skip(
            "other_verbs::a_lock_is_respected_between_processes_and_ends_with_its_holder",
            "there is no flock",
        );
    }
    let (directory, root) = fresh();
    let file = directory.path().join("lock");
    put(&file, b"", 0o600);
    let script = "exec 9<>\"$1\"; flock 9; echo held; exec sleep 100";
    let mut holder = Command::new("sh")
        .args(["-c", script, "sh", file.to_str().unwrap()])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut [0; 5]).unwrap();
    assert_eq!(root.lock("lock", Duration::ZERO).unwrap_err().code(), "busy");
    holder.kill().unwrap();
    holder.wait().unwrap();
    root.lock("lock", Duration::from_secs(20)).map(drop).unwrap();
}

#[test]
fn a_root_for_lookers_is_none_where_there_is_no_directory() {
    let (directory, _root) = fresh();
    assert!(Root::open_existing(&directory.path().join("missing")).unwrap().is_none());
    assert!(Root::open_existing(directory.path()).unwrap().is_some());
    assert_eq!(Root::open(&directory.path().join("missing")).unwrap_err().kind(), Kind::System);
}
