//! Paths beneath a directory, with no symlink in any component.
//!
//! On Linux the kernel resolves them in one step (`openat2`); elsewhere, and where a sandbox forbids that call,
//! every component is opened by itself.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::facts::{FileKind, Status};
use super::{Batch, Root, fault};
use crate::error::Result;

/// What every open of ours has.
pub(super) const SAFE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);

/// How a directory is opened that is only passed through: a right to list it is not needed where that can be said.
#[cfg(target_os = "linux")]
pub(super) const TRAVERSE: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
pub(super) const TRAVERSE: OFlags = OFlags::RDONLY;

/// A path of plain names, and how it is shown to people.
#[derive(Debug)]
pub(super) struct Route<'a> {
    names: Vec<&'a OsStr>,
    shown: PathBuf,
}

impl<'a> Route<'a> {
    /// Refuses an absolute path, `..`, NUL, and a path that names no file.
    pub(super) fn parse(root: &Path, path: &'a str) -> Result<Self> {
        let names = names(path).filter(|names| !names.is_empty() && !path.ends_with('/'));
        let names = names.ok_or_else(|| fault::escapes(path))?;
        let shown = root.strip_prefix(".").unwrap_or(root).join(path);
        Ok(Self { names, shown })
    }

    pub(super) fn all(&self) -> Vec<&'a OsStr> {
        self.names.clone()
    }

    pub(super) fn directories(&self) -> &[&'a OsStr] {
        &self.names[..self.names.len() - 1]
    }

    pub(super) fn name(&self) -> &'a OsStr {
        self.names[self.names.len() - 1]
    }

    pub(super) fn shown(&self) -> &Path {
        &self.shown
    }

    pub(super) fn shown_directory(&self) -> &Path {
        match self.shown.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }
}

/// The names that a relative path consists of; `None` when one of them is not plain. An empty path has none.
pub(super) fn names(path: &str) -> Option<Vec<&OsStr>> {
    if path.contains('\0') {
        return None;
    }
    let components = Path::new(path).components().filter(|component| *component != Component::CurDir);
    components.map(|component| if let Component::Normal(name) = component { Some(name) } else { None }).collect()
}

/// Opens the directory that a root stands for, through symlinks if it is named so.
pub(super) fn open_root(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = TRAVERSE | OFlags::DIRECTORY | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Mode::empty()))
}

/// The deepest directory of a path that exists, and the names that are missing below it.
pub(super) fn nearest_existing(path: &Path) -> Result<(&Path, Vec<&OsStr>)> {
    let mut missing = Vec::new();
    let mut base = path;
    while !base.as_os_str().is_empty() && !base.exists() {
        let name = base.file_name().ok_or_else(|| fault::escapes(&path.to_string_lossy()))?;
        missing.insert(0, name);
        base = base.parent().unwrap_or(Path::new(""));
    }
    Ok((base, missing))
}

/// Opens a directory beneath another one; no names = that one itself.
pub(super) fn open_directory(from: impl AsFd, names: &[&OsStr], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let here = [OsStr::new(".")];
    open_beneath(from, if names.is_empty() { &here } else { names }, flags | OFlags::DIRECTORY)
}

/// Opens what is beneath a directory. A symlink anywhere is `ELOOP`.
pub(super) fn open_beneath(from: impl AsFd, names: &[&OsStr], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    match open_in_one_step(&from, names, flags) {
        // Old kernels do not know the call; sandboxes of old container engines forbid what they do not know.
        Err(Errno::NOSYS | Errno::PERM) => {}
        answer => return answer,
    }
    open_step_by_step(from, names, flags)
}

#[cfg(target_os = "linux")]
fn open_in_one_step(from: impl AsFd, names: &[&OsStr], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::ResolveFlags;

    let path: PathBuf = names.iter().collect();
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    // Without NOFOLLOW, which would make "not a directory" of the ELOOP that NO_SYMLINKS gives for a link at the end.
    let flags = flags | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat2(&from, &path, flags, Mode::empty(), resolve))
}

fn open_step_by_step(from: impl AsFd, names: &[&OsStr], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let Some((last, directories)) = names.split_last() else { return Err(Errno::INVAL) };
    let Some((first, rest)) = directories.split_first() else { return open_child(from, last, flags) };
    let mut at = open_child(from, first, TRAVERSE | OFlags::DIRECTORY)?;
    for name in rest {
        at = open_child(at, name, TRAVERSE | OFlags::DIRECTORY)?;
    }
    open_child(at, last, flags)
}

/// Opens one name; systems say "not a directory" of a symlink where a directory is asked for.
fn open_child(from: impl AsFd, name: &OsStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let opened = retry_on_intr(|| rustix::fs::openat(&from, name, flags | SAFE, Mode::empty()));
    match opened {
        Err(Errno::NOTDIR) if is_symlink(&from, name) => Err(Errno::LOOP),
        opened => opened,
    }
}

fn is_symlink(from: impl AsFd, name: &OsStr) -> bool {
    matches!(Status::at(from, name), Ok(Some(status)) if status.kind == FileKind::Symlink)
}

/// Opens a directory beneath a root so that it can be synced, and makes what is missing of it with `mode`.
pub(super) fn make_directories(root: &Root, names: &[&OsStr], mode: u32, batch: &mut Batch) -> Result<OwnedFd> {
    let mut shown = root.path.strip_prefix(".").unwrap_or(&root.path).to_path_buf();
    match open_directory(&root.directory, names, OFlags::RDONLY) {
        Err(Errno::NOENT) => {}
        opened => {
            shown.extend(names);
            return opened.map_err(|errno| fault::failed("open", &shown, errno));
        }
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut at = open_directory(&root.directory, &[], flags).map_err(|errno| fault::failed("open", &shown, errno))?;
    for name in names {
        let parent = shown.clone();
        shown.push(name);
        at = match open_child(&at, name, flags) {
            Err(Errno::NOENT) => make_child(at, &parent, name, mode, batch)?,
            opened => opened.map_err(|errno| fault::failed("open", &shown, errno))?,
        };
    }
    Ok(at)
}

fn make_child(from: OwnedFd, parent: &Path, name: &OsStr, mode: u32, batch: &mut Batch) -> Result<OwnedFd> {
    let shown = parent.join(name);
    let failed = |errno| fault::failed("make the directory", &shown, errno);
    Status::of(&from).map_err(failed)?.expect_guarded(parent)?;
    let is_new = match retry_on_intr(|| rustix::fs::mkdirat(&from, name, mode_bits(mode))) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(errno) => return Err(failed(errno)),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let directory = match open_child(&from, name, flags) {
        // A umask may take even our own right to open it. Nobody else can have put another thing in its place: the
        // directory above is guarded.
        Err(Errno::ACCESS) if is_new => {
            let give = || rustix::fs::chmodat(&from, name, mode_bits(mode), AtFlags::empty());
            retry_on_intr(give).map_err(failed)?;
            open_child(&from, name, flags)
        }
        opened => opened,
    };
    let directory = directory.map_err(failed)?;
    batch.touch(from, parent)?;
    if is_new {
        restore_mode(&directory, mode).map_err(failed)?;
    }
    Ok(directory)
}

/// Gives back what the umask took of a new directory's mode.
fn restore_mode(directory: &OwnedFd, mode: u32) -> rustix::io::Result<()> {
    let status = Status::of(directory)?;
    if status.mode & mode == mode {
        return Ok(());
    }
    // The set-group-id bit was inherited from the parent, and is not ours to drop.
    retry_on_intr(|| rustix::fs::fchmod(directory, mode_bits(mode | (status.mode & 0o2000))))
}

/// A mode as system calls take it.
#[allow(
    clippy::cast_possible_truncation,
    clippy::useless_conversion,
    reason = "macOS has 16 bits for it, and modes have 12"
)]
pub(super) fn mode_bits(mode: u32) -> Mode {
    Mode::from_bits_truncate((mode & 0o7777) as rustix::fs::RawMode)
}
