//! Disks that are full or read-only, and limits: `set` says so, and the old value stays.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::judge::STORE_HAS_THE_CHANGE;
use crate::support::{Project, Run, program, skip};
use crate::{NEW_KEY, OLD_KEY, running, tree};

/// A file system that goes with the test.
struct Disk {
    directory: TempDir,
}

impl Disk {
    fn mounted(options: &str) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "vault-kit-test"]).arg(directory.path());
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self { directory })
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", options]).arg(self.directory.path()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.directory.path()).status();
    }
}

/// A running project on a disk; the disk must be dropped after it.
fn running_on(disk: &Disk) -> Project {
    let project = Project::empty_in(disk.directory.path());
    project.write("vault-kit.toml", crate::MANIFEST);
    project.run(["init"]).assert_code(0);
    project.run_with_stdin(["set", "API_KEY"], OLD_KEY.as_bytes()).assert_code(0);
    project
}

#[test]
fn a_full_disk_refuses_a_value_and_keeps_the_old_one() {
    let test = "disks::a_full_disk_refuses_a_value_and_keeps_the_old_one";
    let Some(disk) = Disk::mounted("size=256k,mode=0755") else { return skip(test, "tmpfs cannot be mounted here") };
    let project = running_on(&disk);
    let before = tree::take(&project);
    // Values of every size up to one that could never fit: wherever the disk becomes full, nothing is torn.
    let filler = project.path("filler");
    let mut refused = 0;
    for free in [0, 4096, 8192, 12288, 16384, 24576] {
        fill_all_but(&filler, free);
        let run = project.run_with_stdin(["set", "API_KEY"], "x".repeat(16_000).as_bytes());
        assert!([0, 8, 9].contains(&run.code), "{free} bytes free: {}", run.stderr);
        if run.code != 0 {
            refused += 1;
            assert!(run.stderr.contains("No space left") && run.stderr.contains("hint: free some space"), "{run:?}");
        }
        assert_honest(&project, &run, "x".repeat(16_000).as_bytes());
        let left = tree::take(&project).into_keys().filter(|path| path.to_string_lossy().contains("vault-kit-tmp"));
        assert_eq!(left.collect::<Vec<PathBuf>>(), Vec::<PathBuf>::new(), "{free} bytes free");
        std::fs::remove_file(&filler).unwrap();
        project.run_with_stdin(["set", "API_KEY"], OLD_KEY.as_bytes()).assert_code(0);
        project.run(["check"]).assert_code(0);
    }
    assert!(refused >= 3, "the disk was only full {refused} times");
    let names = |tree: &tree::Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&tree::take(&project)), names(&before));
}

/// Whether `set` says by its exit code which of the two values the store holds; a signal leaves either.
#[track_caller]
fn assert_honest(project: &Project, run: &Run, new: &[u8]) {
    let key = project.get("API_KEY");
    assert!(key == OLD_KEY.as_bytes() || key == new, "exit {}: neither the old value nor the new one", run.code);
    match run.code {
        0 | 8 => assert!(key == new, "exit {}, but the old value: {}", run.code, run.stderr),
        9 => assert!(key == OLD_KEY.as_bytes(), "exit 9, but the new value: {}", run.stderr),
        _ => {}
    }
    assert_eq!(run.stderr.contains(STORE_HAS_THE_CHANGE), run.code == 8, "{}", run.stderr);
}

/// A file that leaves only so many bytes of its disk.
fn fill_all_but(path: &std::path::Path, free: u64) {
    use std::io::Write as _;
    let mut file = std::fs::File::options().write(true).create_new(true).open(path).unwrap();
    let mut written = 0_u64;
    while file.write_all(&[b'.'; 4096]).is_ok() {
        written += 4096;
    }
    file.set_len(written.saturating_sub(free)).unwrap();
}

#[test]
fn a_read_only_disk_is_said_and_nothing_changes() {
    let test = "disks::a_read_only_disk_is_said_and_nothing_changes";
    let Some(disk) = Disk::mounted("mode=0755") else { return skip(test, "tmpfs cannot be mounted here") };
    let project = running_on(&disk);
    let before = tree::take(&project);
    disk.remount("remount,ro");
    for command in [&["set", "API_KEY"][..], &["render"], &["init"], &["generate", "--replace", "SESSION_KEY"]] {
        let run = project.run_with_stdin(command, NEW_KEY.as_bytes());
        assert_eq!(run.code, 9, "{command:?}: {}", run.stderr);
        assert!(run.stderr.contains("Read-only file system"), "{command:?}: {}", run.stderr);
    }
    project.run(["check"]).assert_code(0);
    assert_eq!(project.get("API_KEY"), OLD_KEY.as_bytes());
    assert_eq!(tree::take(&project), before);
    disk.remount("remount,rw");
}

#[test]
fn a_directory_that_may_not_be_written_is_found_before_the_store_changes() {
    let test = "disks::a_directory_that_may_not_be_written_is_found_before_the_store_changes";
    if !rustix::process::geteuid().is_root() || program("setpriv").is_none() {
        return skip(test, "needs root and setpriv to become another user");
    }
    let project = running();
    for directory in [project.root(), project.home()] {
        assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(directory).status().unwrap().success());
    }
    assert!(Command::new("chown").arg("0:0").arg(project.path("tls")).status().unwrap().success());
    assert!(Command::new("chmod").arg("0755").arg(project.path("tls")).status().unwrap().success());
    assert!(Command::new("rm").arg(project.path("tls/cert.pem")).status().unwrap().success());
    let before = tree::take(&project);
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    let run = Run::with_stdin(&mut project.command_under(nobody, ["set", "API_KEY"]), NEW_KEY.as_bytes());
    assert_eq!(run.code, 6, "{}", run.stderr);
    assert!(run.stderr.contains("/tls`: Permission denied"), "{}", run.stderr);
    assert_eq!(tree::take(&project), before);
}

#[test]
fn a_limit_on_file_sizes_is_an_error_of_set_and_the_next_run_repairs() {
    let project = running();
    for blocks in ["0", "1", "2", "4", "8"] {
        let limited = ["sh", "-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh"].map(str::to_owned);
        let value = "y".repeat(6000);
        let run = Run::with_stdin(&mut project.command_under(limited, ["set", "API_KEY"]), value.as_bytes());
        assert!([0, 8, 9].contains(&run.code), "{blocks}: {} {}", run.code, run.stderr);
        assert!(run.code == 0 || run.stderr.contains("File too large"), "{blocks}: {}", run.stderr);
        assert!(run.code == 0 || run.stderr.contains("`ulimit -f unlimited`"), "{blocks}: {}", run.stderr);
        assert!(blocks != "0" || run.code != 0, "a limit of nothing cannot be kept");
        assert_honest(&project, &run, value.as_bytes());
        project.run_with_stdin(["set", "API_KEY"], OLD_KEY.as_bytes()).assert_code(0);
        project.run(["check"]).assert_code(0);
        assert!(!tree::take(&project).keys().any(|path| path.to_string_lossy().contains("vault-kit-tmp")), "{blocks}");
    }
}
