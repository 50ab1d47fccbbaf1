//! Who holds a lock, as far as the system tells this user. Nobody may rely on being told: it is for a better word, or a sooner one.

use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The processes that have the open file by which a lock is held; none where there is no `/proc`, or they are somebody else's.
///
/// Whoever took it may be dead: who inherited the descriptor goes on holding it.
pub(super) fn of(file: impl AsFd) -> Vec<u32> {
    let Ok(own) = std::fs::metadata(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())) else { return Vec::new() };
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers =
        processes.flatten().filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())));
    let mut holders: Vec<u32> =
        numbers.filter(|(_, process)| holds(process, (own.dev(), own.ino()))).map(|(number, _)| number).collect();
    holders.sort_unstable();
    holders
}

/// Whether a process that waits for us, as far as the system tells, has the open file by which a lock is held.
pub(super) fn is_ancestor(file: impl AsFd) -> bool {
    let holders = of(file);
    let parent = |process: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name of the program is in parentheses, and may have any in it; its state is behind that.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 1)
    };
    std::iter::successors(Some(std::os::unix::process::parent_id()), parent).any(|it| holders.contains(&it))
}

/// Whether one of its descriptors is of the file, and of the opening that locked it.
fn holds(process: &Path, file: (u64, u64)) -> bool {
    let Ok(descriptors) = std::fs::read_dir(process.join("fd")) else { return false };
    let is_it = |path: &Path| std::fs::metadata(path).is_ok_and(|it| (it.dev(), it.ino()) == file);
    let has_lock = |name: &std::ffi::OsStr| {
        let facts = std::fs::read_to_string(process.join("fdinfo").join(name)).unwrap_or_default();
        facts.lines().any(|line| line.starts_with("lock:") && line.contains(" FLOCK "))
    };
    descriptors.flatten().any(|entry| is_it(&entry.path()) && has_lock(&entry.file_name()))
}
