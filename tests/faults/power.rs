//! The power fails: whatever was acknowledged before is there after it, and the next command goes on from there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Project, Run, counted, python_judge, skip};

/// How often the power fails in each of the tests.
const CUTS: usize = 50;

/// An ext4 file system in a file, which can lose its power.
struct Disk {
    directory: TempDir,
}

impl Disk {
    fn mounted() -> Option<Self> {
        let disk = Self { directory: TempDir::new().unwrap() };
        std::fs::create_dir(disk.place()).unwrap();
        let made = Command::new("truncate").args(["-s", "32M"]).arg(disk.image()).status();
        let formatted = Command::new("mkfs.ext4").arg("-q").arg(disk.image()).stderr(Stdio::null()).status();
        let is_there = made.is_ok_and(|it| it.success()) && formatted.is_ok_and(|it| it.success());
        (is_there && disk.mount()).then_some(disk)
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    fn place(&self) -> PathBuf {
        self.directory.path().join("disk")
    }

    fn mount(&self) -> bool {
        let mut mount = Command::new("mount");
        let status = mount.args(["-o", "loop"]).arg(self.image()).arg(self.place()).stderr(Stdio::null()).status();
        status.is_ok_and(|it| it.success())
    }

    /// Cuts the power and starts again. False where there is no such cut.
    fn lose_power(&self) -> bool {
        self.cut() && unmount(&self.place()) && self.mount()
    }

    /// As [`Disk::lose_power`], of a machine on which a process is at work; it ends with the power.
    fn lose_power_under(&self, child: &mut Child) -> Option<ExitStatus> {
        let ended_before = child.try_wait().unwrap();
        let is_cut = self.cut();
        let ended = child.wait().unwrap();
        (is_cut && unmount(&self.place()) && self.mount()).then_some(ended_before.unwrap_or(ended))
    }

    #[expect(clippy::disallowed_methods, reason = "a test writes what nobody syncs")]
    fn loses_what_is_not_synced(&self) -> bool {
        let file = self.place().join("not-synced");
        std::fs::write(&file, "x").unwrap();
        assert!(self.lose_power());
        std::fs::read(&file).is_ok_and(|it| it.is_empty()) || !file.exists()
    }

    fn cut(&self) -> bool {
        python_judge("cut_power.py").unwrap().arg(self.place()).stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.place());
    }
}

/// Whoever is killed may still hold a file for a moment.
fn unmount(place: &Path) -> bool {
    (0..50).any(|_| {
        let status = Command::new("umount").arg(place).stderr(Stdio::null()).status();
        status.is_ok_and(|it| it.success()) || {
            std::thread::sleep(Duration::from_millis(20));
            false
        }
    })
}

/// A project on a disk; `None` where the power cannot be cut, which is told as a skip.
fn on_a_disk(test: &str) -> Option<(Disk, Project)> {
    let skipped = |reason| {
        skip(test, reason);
        None
    };
    if python_judge("cut_power.py").is_none() {
        return skipped("there is no python for the test's judges");
    }
    let Some(disk) = Disk::mounted() else { return skipped("ext4 cannot be mounted from a file here") };
    if !disk.lose_power() {
        return skipped("this kernel does not cut the power of ext4");
    }
    // Else every test here would pass, whatever is synced. A slow machine may have written by itself what it was not asked to.
    assert!((0..3).any(|_| disk.loses_what_is_not_synced()), "nothing is lost when the power fails");
    let project = Project::empty_in(&disk.place());
    project.write("vault-kit.toml", crate::MANIFEST);
    project.run(["init"]).assert_code(0);
    project.run_with_stdin(["set", "API_KEY"], crate::OLD_KEY.as_bytes()).assert_code(0);
    // The files that the test itself wrote are not the question.
    assert!(Command::new("sync").status().unwrap().success());
    Some((disk, project))
}

#[test]
fn an_acknowledged_value_survives_fifty_power_cuts() {
    let Some((disk, project)) = on_a_disk("power::an_acknowledged_value_survives_fifty_power_cuts") else { return };
    for round in 0..CUTS {
        let value = format!("sk-round-{round}-4be1c09d73");
        project.run_with_stdin(["set", "API_KEY"], value.as_bytes()).assert_code(0);
        assert!(disk.lose_power());
        assert_eq!(project.get("API_KEY"), value.as_bytes(), "round {round}");
        assert!(project.read(".env").contains(&value), "round {round}");
        assert_eq!(project.read(".secrets/api_key"), value, "round {round}");
    }
    counted(&format!("{CUTS} of {CUTS} acknowledged values are there after a power cut"));
}

#[test]
fn an_acknowledged_rotation_survives_fifty_power_cuts() {
    let Some((disk, project)) = on_a_disk("power::an_acknowledged_rotation_survives_fifty_power_cuts") else { return };
    let mut old = project.get("SESSION_KEY");
    for round in 0..CUTS {
        project.run(["rotate", "SESSION_KEY"]).assert_code(0);
        // Read from what is delivered, which is in memory still.
        let new = project.bytes(".secrets/session_key");
        assert_ne!(new, old, "round {round}");
        assert!(disk.lose_power());
        assert_eq!((project.get("SESSION_KEY"), project.bytes(".secrets/session_key")), (new.clone(), new.clone()));
        assert_eq!(project.run(["rotate", "resume"]).assert_code(0).stdout, "", "round {round}");
        assert_eq!(project.get("SESSION_KEY"), new, "round {round}");
        old = new;
    }
    counted(&format!("{CUTS} of {CUTS} acknowledged rotations are there after a power cut"));
}

#[test]
fn a_power_cut_at_any_instant_leaves_the_old_value_or_the_new_one() {
    let test = "power::a_power_cut_at_any_instant_leaves_the_old_value_or_the_new_one";
    let Some((disk, project)) = on_a_disk(test) else { return };
    let mut old = crate::OLD_KEY.to_owned();
    let (mut kept, mut arrived) = (0, 0);
    for round in 0..CUTS {
        let new = format!("sk-round-{round}-4be1c09d73");
        project.write("new-key", &new);
        assert!(Command::new("sync").status().unwrap().success());
        let mut set = project.command(["set", "API_KEY", "--from-file", "new-key"]);
        let mut child = set.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // It takes some ten milliseconds: the cut falls before it, into it, and after it.
        std::thread::sleep(Duration::from_micros(u64::try_from(round).unwrap() * 600));
        let is_acknowledged = disk.lose_power_under(&mut child).unwrap().success();
        let found = String::from_utf8(project.get("API_KEY")).unwrap();
        assert!(found == new || (found == old && !is_acknowledged), "round {round}: {is_acknowledged}");
        if found == new {
            arrived += 1;
        } else {
            kept += 1;
        }
        Run::of(&mut project.command(["render"])).assert_code(0);
        assert!(project.read(".env").contains(&found), "round {round}");
        old = found;
    }
    counted(&format!("{CUTS} power cuts: {kept} left the old value, {arrived} the new one"));
}
