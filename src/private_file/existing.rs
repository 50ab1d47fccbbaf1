//! The file that a write meets: what is refused, what is left alone, what is tightened or written through.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use zeroize::Zeroizing;

use super::facts::{FileKind, Status};
use super::owner::{self, Owner};
use super::resolve::{self, Route};
use super::temporary::{exists, failed_write};
use super::{WriteOptions, Written, fault, read_whole, switch};
use crate::error::{Error, Kind, Result};

/// A regular file that may be replaced.
pub(super) struct Existing<'a> {
    directory: &'a OwnedFd,
    route: &'a Route<'a>,
    pub(super) status: Status,
    /// Its name is a link of a directory that was switched.
    pub(super) is_link: bool,
}

impl<'a> Existing<'a> {
    /// Looks at what stands in the target's place, and refuses what must not be replaced.
    pub(super) fn examine(
        directory: &'a OwnedFd,
        route: &'a Route<'a>,
        options: &WriteOptions,
    ) -> Result<Option<Self>> {
        let failed = |errno| fault::failed("examine", route.shown(), errno);
        let parent = Status::of(directory).map_err(failed)?;
        parent.expect_guarded(route.shown_directory())?;
        let Some(mut status) = Status::at(directory, route.name()).map_err(failed)? else { return Ok(None) };
        let is_link = status.kind == FileKind::Symlink && switch::is_link(directory, route.name());
        if is_link {
            let Some(behind) = switch::status(directory, route.name()).map_err(failed)? else { return Ok(None) };
            status = behind;
        }
        status.expect_plain(route.shown())?;
        if options.create_new {
            return Err(exists(route.shown()));
        }
        owner::expect_ours(&status, &parent, options, route.shown())?;
        Ok(Some(Self { directory, route, status, is_link }))
    }

    /// The open file and its content, if we may read it.
    pub(super) fn read(&self) -> Result<Option<(File, Zeroizing<Vec<u8>>)>> {
        let file = match self.open(OFlags::RDONLY) {
            Ok(file) => self.same(file)?,
            Err(Errno::ACCESS) => return Ok(None),
            Err(errno) => return Err(fault::failed("read", self.route.shown(), errno)),
        };
        let content = read_whole(&file, self.status.size, self.route.shown())?;
        Ok(Some((file, Zeroizing::new(content))))
    }

    /// Narrows mode and owner of a file whose content is right already, through the handle that it was read by. One that is written
    /// in place cannot be made anew, and is widened to what is declared.
    pub(super) fn adjust(&self, file: &File, options: &WriteOptions) -> Result<Written> {
        let owner = Owner::declared(options);
        if self.status.is_narrower_than(options.mode) {
            self.widen(file, options)?;
            file.sync_all().map_err(|error| self.failed(error))?;
            return Ok(Written::Replaced);
        }
        if !self.status.is_wider_than(options.mode) && owner.is_of(&self.status) {
            return Ok(Written::Unchanged);
        }
        self.restrict(file, options)?;
        file.sync_all().map_err(|error| self.failed(error))?;
        Ok(Written::Tightened)
    }

    /// Writes through the inode. A crash can tear the file; a failure puts the old content back.
    pub(super) fn overwrite(&self, old: Option<&[u8]>, bytes: &[u8], options: &WriteOptions) -> Result<()> {
        let file = self.open(OFlags::WRONLY).map_err(|errno| fault::failed("write", self.route.shown(), errno))?;
        let file = self.same(file)?;
        fault::expect_allowed(self.status.size.max(bytes.len() as u64), self.route.shown())?;
        self.restrict(&file, options)?;
        replace_content(&file, bytes).map_err(|error| {
            let restored = old.is_some_and(|old| replace_content(&file, old).is_ok());
            let error = self.failed(error);
            if restored { error } else { error.hint("its content is incomplete: run the command again") }
        })?;
        if self.status.is_narrower_than(options.mode) { self.widen(&file, options) } else { Ok(()) }
    }

    /// Gives a file the rights that it lacks of the declared mode.
    fn widen(&self, file: &File, options: &WriteOptions) -> Result<()> {
        owner::widen(file, options.mode).map_err(|errno| fault::failed("set the mode of", self.route.shown(), errno))
    }

    /// Mode first: once the file is given away, it is no longer ours to narrow.
    fn restrict(&self, file: &File, options: &WriteOptions) -> Result<()> {
        owner::narrow(file, &self.status, options.mode)
            .map_err(|errno| fault::failed("tighten", self.route.shown(), errno))?;
        Owner::declared(options).give(file, &self.status, self.route.shown())
    }

    fn open(&self, access: OFlags) -> rustix::io::Result<File> {
        let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | resolve::SAFE;
        retry_on_intr(|| rustix::fs::openat(self.directory, self.route.name(), flags, Mode::empty())).map(File::from)
    }

    /// Refuses a file that took the place of the one that was examined.
    fn same(&self, file: File) -> Result<File> {
        let status = Status::of(&file).map_err(|errno| fault::failed("examine", self.route.shown(), errno))?;
        status.expect_plain(self.route.shown())?;
        if !status.is_same_file(&self.status) {
            let message = format!("`{}` was replaced by somebody else meanwhile", self.route.shown().display());
            return Err(Error::new(Kind::Conflict, "changed-meanwhile", message).hint("run the command again"));
        }
        Ok(file)
    }

    fn failed(&self, error: io::Error) -> Error {
        failed_write(self.route.shown(), error)
    }
}

/// In one write, with blank lines over what is left of a longer content until it is cut off: whoever is killed in
/// between leaves nothing of the old lines behind the new ones, and a file that the next run can read.
fn replace_content(file: &File, bytes: &[u8]) -> io::Result<()> {
    let old = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut padded = Zeroizing::new(Vec::with_capacity(old.max(bytes.len())));
    padded.extend_from_slice(bytes);
    padded.resize(old.max(bytes.len()), b'\n');
    file.write_all_at(&padded, 0)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}
