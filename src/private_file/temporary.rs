//! The file that a new content is written to before it takes its name.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use rustix::fs::{AtFlags, Dir, OFlags, RenameFlags};
use rustix::io::{Errno, retry_on_intr};

use super::facts::{FileKind, Status};
use super::fault;
use super::owner::Owner;
use super::resolve::{self, mode_bits};
use crate::error::{Error, Kind, Result};
use crate::secret::random;

/// How the names of our temporary files begin; 16 hex digits follow.
const PREFIX: &str = ".vault-kit-tmp.";

/// A new file beside its target, which is removed again unless it took the target's name.
pub(super) struct Temporary<'a> {
    directory: &'a OwnedFd,
    shown: &'a Path,
    name: String,
    file: File,
    has_target_name: bool,
}

impl<'a> Temporary<'a> {
    /// Makes an empty one for the target `shown`. Nobody but us can open it, whatever `mode` is declared.
    pub(super) fn create(directory: &'a OwnedFd, shown: &'a Path, mode: u32) -> Result<Self> {
        let name = new_name()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | resolve::SAFE;
        let file = retry_on_intr(|| rustix::fs::openat(directory, &name, flags, mode_bits(mode & 0o600)));
        let file = File::from(file.map_err(|errno| fault::failed("write", shown, errno))?);
        let temporary = Self { directory, shown, name, file, has_target_name: false };
        if temporary.status()?.is_wider_than(mode) {
            return Err(fault::mode(shown, mode));
        }
        Ok(temporary)
    }

    /// Gives it to its owner; to be called while it is empty, so that a refusal costs nothing.
    pub(super) fn give(&self, owner: Owner) -> Result<()> {
        owner.give(&self.file, &self.status()?, self.shown)
    }

    /// Writes everything, gives the file its mode, and syncs it.
    pub(super) fn fill(&mut self, bytes: &[u8], mode: u32) -> Result<()> {
        let shown = self.shown;
        fault::expect_allowed(bytes.len() as u64, shown)?;
        self.file.write_all(bytes).map_err(|error| failed_write(shown, error))?;
        if self.status()?.mode != mode {
            retry_on_intr(|| rustix::fs::fchmod(&self.file, mode_bits(mode)))
                .map_err(|errno| fault::failed("set the mode of", shown, errno))?;
            if self.status()?.mode != mode {
                return Err(fault::mode(shown, mode));
            }
        }
        self.file.sync_all().map_err(|error| failed_write(shown, error))
    }

    /// Takes the target's name in one step. Never copies: a copy could be torn, or follow a symlink.
    pub(super) fn take_name(mut self, name: &OsStr, create_new: bool) -> Result<()> {
        let renamed = if create_new {
            self.rename_to_new(name)
        } else {
            retry_on_intr(|| rustix::fs::renameat(self.directory, &self.name, self.directory, name))
        };
        match renamed {
            Ok(()) => {
                self.has_target_name = true;
                Ok(())
            }
            Err(Errno::EXIST) if create_new => Err(exists(self.shown)),
            Err(errno) => Err(fault::failed("replace", self.shown, errno)),
        }
    }

    fn rename_to_new(&self, name: &OsStr) -> rustix::io::Result<()> {
        let (directory, flags) = (self.directory, RenameFlags::NOREPLACE);
        match retry_on_intr(|| rustix::fs::renameat_with(directory, &self.name, directory, name, flags)) {
            // File systems that cannot rename so can link, which does not replace either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                retry_on_intr(|| rustix::fs::linkat(directory, &self.name, directory, name, AtFlags::empty()))?;
                retry_on_intr(|| rustix::fs::unlinkat(directory, &self.name, AtFlags::empty()))
            }
            renamed => renamed,
        }
    }

    fn status(&self) -> Result<Status> {
        Status::of(&self.file).map_err(|errno| fault::failed("write", self.shown, errno))
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if self.has_target_name {
            return;
        }
        let removed = retry_on_intr(|| rustix::fs::unlinkat(self.directory, &self.name, AtFlags::empty()));
        if removed.is_err() {
            // Nothing more can be done than to leave it without content; the next writer sweeps it.
            let _ = self.file.set_len(0);
        }
    }
}

/// A name for something that takes another name soon.
pub(super) fn new_name() -> Result<String> {
    Ok(format!("{PREFIX}{}", HEXLOWER.encode(&random::array::<8>()?)))
}

/// The target is there although it must be new.
pub(super) fn exists(shown: &Path) -> Error {
    let message = format!("refusing to overwrite `{}`: it exists", shown.display());
    Error::new(Kind::Conflict, "exists", message)
        .hint("move it aside, or run the command again if another one just made it")
}

pub(super) fn failed_write(shown: &Path, error: std::io::Error) -> Error {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(errno) => fault::failed("write", shown, errno),
        None => Error::io(fault::phrase("write", shown), error),
    }
}

/// Removes the temporary files of this user that were last written `before` from a directory, and counts them.
pub(super) fn sweep(root: impl AsFd, names: &[&OsStr], shown: &Path, before: i128) -> Result<usize> {
    let failed = |errno| fault::failed("sweep", shown, errno);
    let directory = match resolve::open_directory(&root, names, OFlags::RDONLY) {
        Ok(directory) => directory,
        Err(Errno::NOENT) => return Ok(0),
        Err(errno) => return Err(fault::not_opened(root, names, shown, errno)),
    };
    let mut swept = 0;
    for entry in retry_on_intr(|| Dir::read_from(&directory)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if is_ours(&directory, entry.file_name(), before).map_err(failed)? {
            retry_on_intr(|| rustix::fs::unlinkat(&directory, entry.file_name(), AtFlags::empty())).map_err(failed)?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// By name, kind, age and owner. Root may have given the file away before it was killed.
fn is_ours(directory: impl AsFd, name: &CStr, before: i128) -> rustix::io::Result<bool> {
    if !is_temporary_name(name.to_bytes()) {
        return Ok(false);
    }
    let Some(status) = Status::at(directory, OsStr::from_bytes(name.to_bytes()))? else { return Ok(false) };
    let user = rustix::process::geteuid();
    Ok(status.kind == FileKind::Regular && status.mtime_ns < before && (status.uid == user.as_raw() || user.is_root()))
}

pub(super) fn is_temporary_name(name: &[u8]) -> bool {
    let random = name.strip_prefix(PREFIX.as_bytes());
    random.is_some_and(|random| random.len() == 16 && random.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_prefix_with_sixteen_hex_digits_is_a_temporary_name() {
        assert!(is_temporary_name(b".vault-kit-tmp.0123456789abcdef"));
        for name in
            [&b".vault-kit-tmp."[..], b".vault-kit-tmp.0123456789abcdeg", b"vault-kit-tmp.0123456789abcdef", b".env"]
        {
            assert!(!is_temporary_name(name));
        }
    }
}
