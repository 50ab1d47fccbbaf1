//! Which file a container sees at a path.

use std::io;

/// Device and inode. Links on the way lead to where they lead in the container.
#[cfg(target_os = "linux")]
pub(super) fn inode(pid: u32, path: &str) -> io::Result<(u64, u64)> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let root = openat(CWD, format!("/proc/{pid}/root"), flags | OFlags::DIRECTORY, Mode::empty())?;
    let path = path.trim_start_matches('/');
    let file = rustix::io::retry_on_intr(|| openat2(&root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT))?;
    let stat = fstat(&file)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Elsewhere containers run in a machine of their own.
#[cfg(not(target_os = "linux"))]
pub(super) fn inode(_: u32, _: &str) -> io::Result<(u64, u64)> {
    Err(io::ErrorKind::Unsupported.into())
}
