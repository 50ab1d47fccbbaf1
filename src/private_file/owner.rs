//! Owner and mode of an open file: never wider than declared, at no instant.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Gid, Uid};
use rustix::io::retry_on_intr;

use super::facts::Status;
use super::resolve::mode_bits;
use super::{WriteOptions, fault};
use crate::error::{Error, Kind, Result};

/// Whom a file shall belong to; `None` = as it comes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owner {
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
}

impl Owner {
    /// What is declared, and nothing else.
    pub(super) fn declared(options: &WriteOptions) -> Self {
        Self { uid: options.uid, gid: options.gid }
    }

    /// What is declared, else what the replaced file has. A group is kept where the mode gives it any right.
    pub(super) fn of_replacement(options: &WriteOptions, replaced: Option<&Status>) -> Self {
        let keeps_group = options.mode & 0o070 != 0 || is_root();
        Self {
            uid: options.uid.or_else(|| replaced.filter(|_| is_root()).map(|status| status.uid)),
            gid: options.gid.or_else(|| replaced.filter(|_| keeps_group).map(|status| status.gid)),
        }
    }

    /// Whether a file already belongs to it.
    pub(super) fn is_of(self, status: &Status) -> bool {
        self.uid.is_none_or(|uid| uid == status.uid) && self.gid.is_none_or(|gid| gid == status.gid)
    }

    /// Whether a file that we make belongs to it by itself.
    pub(super) fn is_us(self) -> bool {
        let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        self.uid.is_none_or(|uid| uid == user) && self.gid.is_none_or(|gid| gid == group)
    }

    /// Gives an open file to it.
    pub(super) fn give(self, file: impl AsFd, status: &Status, shown: &Path) -> Result<()> {
        if self.is_of(status) {
            return Ok(());
        }
        let (uid, gid) = (self.uid.map(Uid::from_raw), self.gid.map(Gid::from_raw));
        retry_on_intr(|| rustix::fs::fchown(&file, uid, gid)).map_err(|errno| fault::owner(shown, errno))
    }
}

/// Takes away the rights that `mode` does not give.
pub(super) fn narrow(file: impl AsFd, status: &Status, mode: u32) -> rustix::io::Result<()> {
    if !status.is_wider_than(mode) {
        return Ok(());
    }
    retry_on_intr(|| rustix::fs::fchmod(&file, mode_bits(mode)))
}

/// Gives a file the mode that is declared for it.
pub(super) fn widen(file: impl AsFd, mode: u32) -> rustix::io::Result<()> {
    retry_on_intr(|| rustix::fs::fchmod(&file, mode_bits(mode)))
}

/// Gives back to an empty file of ours what a umask took of `mode` when it was made: the next one could not open it.
pub(super) fn restore(file: impl AsFd, status: &Status, mode: u32) -> rustix::io::Result<()> {
    let is_ours = status.uid == rustix::process::geteuid().as_raw();
    if status.size > 0 || !is_ours || status.mode & mode == mode {
        return Ok(());
    }
    retry_on_intr(|| rustix::fs::fchmod(&file, mode_bits(mode)))
}

/// Refuses to take over a file of somebody else that nobody declared to be theirs.
///
/// Root may, and leaves it to its owner, but not where everybody can put a file for root to fill (`/tmp`).
pub(super) fn expect_ours(file: &Status, directory: &Status, options: &WriteOptions, shown: &Path) -> Result<()> {
    let user = rustix::process::geteuid().as_raw();
    let planted = directory.mode & 0o002 != 0 && ![0, directory.uid].contains(&file.uid);
    if options.uid.is_some() || file.uid == user || (is_root() && !planted) {
        return Ok(());
    }
    let message = format!("refusing to replace `{}`: it belongs to another user (uid {})", shown.display(), file.uid);
    Err(Error::new(Kind::Permission, "foreign-owner", message)
        .hint(format!("move it aside, or declare `uid = {}` for its output and run `sudo vault-kit render`", file.uid)))
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
