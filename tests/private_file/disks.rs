//! Disks that are full, mounts of single files, limits.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use vault_kit::error::Kind;
use vault_kit::private_file::Root;

use crate::{assert_success, entries, in_place, private, put, run_by_way_of, skip};

/// A file system that goes with the test.
struct Mounted(TempDir);

impl Mounted {
    fn tmpfs(size: &str) -> Option<Self> {
        Self::tmpfs_on(TempDir::new().unwrap(), size)
    }

    fn tmpfs_on(directory: TempDir, size: &str) -> Option<Self> {
        let options = format!("size={size},mode=0755");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "vault-kit-test"]).arg(directory.path());
        mount.output().is_ok_and(|output| output.status.success()).then(|| Self(directory))
    }

    fn bind(from: &Path, to: &Path) -> bool {
        Command::new("mount").arg("--bind").arg(from).arg(to).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_the_old_file_whole_and_nothing_else() {
    let Some(disk) = Mounted::tmpfs("64k") else {
        return skip("disks::a_full_disk_leaves_the_old_file_whole_and_nothing_else", "tmpfs cannot be mounted here");
    };
    let root = Root::open(disk.0.path()).unwrap();
    root.write("env", b"old", &private()).unwrap();
    for options in [private(), in_place()] {
        let error = root.write("env", &vec![b'x'; 100_000], &options).unwrap_err();
        assert_eq!(error.kind(), Kind::System, "{error}");
        assert_eq!(root.read("env").unwrap().unwrap(), b"old", "in place: {}", options.in_place);
        assert_eq!(entries(disk.0.path()), ["env"]);
    }
}

#[test]
fn a_file_that_is_mounted_singly_is_written_through_or_not_at_all() {
    let Some(disk) = Mounted::tmpfs("1m") else {
        return skip(
            "disks::a_file_that_is_mounted_singly_is_written_through_or_not_at_all",
            "tmpfs cannot be mounted here",
        );
    };
    let root = Root::open(disk.0.path()).unwrap();
    root.write("source", b"old", &private()).unwrap();
    root.write("mounted", b"covered", &private()).unwrap();
    let (source, mounted) = (disk.0.path().join("source"), disk.0.path().join("mounted"));
    if !Mounted::bind(&source, &mounted) {
        return skip("disks::a_file_that_is_mounted_singly_is_written_through_or_not_at_all", "no bind mounts here");
    }
    let error = root.write("mounted", b"SECRET", &private()).unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("in_place = true")), "{error}");
    assert_eq!(root.read("source").unwrap().unwrap(), b"old");
    assert_eq!(entries(disk.0.path()), ["mounted", "source"]);
    root.write("mounted", b"new", &in_place()).unwrap();
    assert_eq!(root.read("source").unwrap().unwrap(), b"new");
    let _ = Command::new("umount").arg(&mounted).status();
}

#[test]
fn a_limit_on_file_sizes_is_an_error_and_the_old_file_stays() {
    let directory = TempDir::new().unwrap();
    put(directory.path().join("env"), b"old", 0o600);
    let arguments = ["-c", "ulimit -c 0; ulimit -f 0; exec \"$@\"", "sh"];
    let output = run_by_way_of("sh", &arguments, "strace::a_replacement_is_whole_or_did_not_happen", directory.path());
    assert_success(&output);
    assert_eq!(fs::read(directory.path().join("env")).unwrap(), b"old");
    assert_eq!(entries(directory.path()), ["env"]);
}

#[test]
fn the_search_for_a_manifest_ends_where_another_file_system_begins() {
    let above = TempDir::new().unwrap();
    put(above.path().join("vault-kit.toml"), b"[project]\nname = \"p\"\n", 0o644);
    let below = TempDir::new_in(above.path()).unwrap();
    let find = |start: &Path| vault_kit::project::find(start, None, None, None).unwrap();
    assert!(find(below.path()).is_some());
    let Some(disk) = Mounted::tmpfs_on(below, "64k") else {
        return skip("the_search_for_a_manifest_ends_where_another_file_system_begins", "tmpfs cannot be mounted here");
    };
    assert!(find(disk.0.path()).is_none());
}
