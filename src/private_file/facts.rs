//! What the system says about a file.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::fault;
use crate::error::Result;
use crate::shell;

/// What to do about something that stands in a file's place.
const MOVE_ASIDE: &str = "move it aside, or give the output another `path`";

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A FIFO, socket or device.
    Other,
    /// A regular file.
    Regular,
    /// A symlink.
    Symlink,
}

/// What can be known of a path without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What stands there.
    pub kind: FileKind,
    /// The permission bits (`0o7777`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Last change of the content, in nanoseconds since 1970.
    pub mtime_ns: i128,
    /// The inode's number.
    pub inode: u64,
    /// How many names the inode has.
    pub links: u64,
    /// The directory that it is in.
    pub directory: DirectoryFacts,
}

/// What matters of the directory that a file is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryFacts {
    /// The permission bits (`0o7777`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
}

impl DirectoryFacts {
    /// Whether everybody may replace the files in it: writable by others without the sticky bit.
    pub fn is_writable_by_others(&self) -> bool {
        self.mode & 0o1002 == 0o0002
    }

    /// Whether its group may replace the files in it: writable by the group without the sticky bit.
    pub fn is_writable_by_group(&self) -> bool {
        self.mode & 0o1020 == 0o0020
    }
}

/// The part of `struct stat` that we judge, in types that are the same on every system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) kind: FileKind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) links: u64,
    pub(super) mtime_ns: i128,
}

impl Status {
    /// Of an open file.
    pub(super) fn of(file: impl AsFd) -> rustix::io::Result<Self> {
        retry_on_intr(|| rustix::fs::fstat(&file)).map(|stat| Self::from(&stat))
    }

    /// Of a name in a directory; a symlink is not followed.
    pub(super) fn at(directory: impl AsFd, name: &OsStr) -> rustix::io::Result<Option<Self>> {
        match retry_on_intr(|| rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(stat) => Ok(Some(Self::from(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Refuses everything but a regular file.
    pub(super) fn expect_regular(&self, shown: &Path) -> Result<()> {
        match self.kind {
            FileKind::Regular => Ok(()),
            FileKind::Symlink => Err(fault::symlink(shown)),
            FileKind::Directory => Err(fault::refused("not-regular", shown, "it is a directory").hint(MOVE_ASIDE)),
            FileKind::Other => Err(fault::refused("not-regular", shown, "it is not a regular file").hint(MOVE_ASIDE)),
        }
    }

    /// Refuses everything but a regular file with a single name: another name may be readable by others.
    pub(super) fn expect_plain(&self, shown: &Path) -> Result<()> {
        self.expect_regular(shown)?;
        if self.links > 1 {
            return Err(fault::refused("hard-linked", shown, "the same file has another name (hard link)")
                .hint(format!("find it with `find / -xdev -inum {}`, and remove one of the two", self.inode)));
        }
        Ok(())
    }

    /// Refuses a directory in which everybody could swap the file for another.
    pub(super) fn expect_guarded(&self, shown: &Path) -> Result<()> {
        if self.directory_facts().is_writable_by_others() {
            return Err(fault::refused("directory-writable-by-others", shown, "everybody may write there")
                .hint(format!("chmod o-w {}", shell::path(&shown.to_string_lossy()))));
        }
        Ok(())
    }

    /// Whether both are the same file.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether the mode gives rights that `mode` does not.
    pub(super) fn is_wider_than(&self, mode: u32) -> bool {
        self.mode & !mode != 0
    }

    /// Whether somebody who should have access has not: the file is made anew with the declared mode.
    pub(super) fn is_narrower_than(&self, mode: u32) -> bool {
        !self.is_wider_than(mode) && self.mode & 0o777 != mode
    }

    pub(super) fn facts(&self, directory: &Self) -> Facts {
        let &Self { inode, kind, mode, uid, gid, size, links, mtime_ns, .. } = self;
        Facts { kind, mode, uid, gid, size, mtime_ns, inode, links, directory: directory.directory_facts() }
    }

    fn directory_facts(&self) -> DirectoryFacts {
        DirectoryFacts { mode: self.mode, uid: self.uid }
    }
}

impl From<&Stat> for Status {
    #[allow(
        clippy::cast_lossless,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the widths differ between systems; sizes and device numbers are never negative"
    )]
    fn from(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            kind: match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => FileKind::Regular,
                FileType::Symlink => FileKind::Symlink,
                FileType::Directory => FileKind::Directory,
                _ => FileKind::Other,
            },
            mode: u32::from(stat.st_mode) & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: stat.st_size as u64,
            links: stat.st_nlink as u64,
            mtime_ns: i128::from(stat.st_mtime) * 1_000_000_000 + stat.st_mtime_nsec as i128,
        }
    }
}
