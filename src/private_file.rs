//! The only code that creates, replaces or removes a file.
//!
//! A [`Root`] is a directory held open; every path is resolved beneath it without following a symlink, so a path
//! that a stranger wrote cannot leave it. A file is replaced by a rename, has its mode from the first byte, and is
//! on the disk when the call returns. What a file holds is not known here, and never appears in an error.

#[cfg(not(unix))]
compile_error!(
    "vault-kit keeps secrets in files with strict modes, which this system does not have: Linux or macOS is needed"
);

mod existing;
mod facts;
mod fault;
mod holders;
mod lock;
mod open;
mod owner;
mod preflight;
mod remains;
mod resolve;
mod switch;
mod temporary;
mod write;

use std::fs::File;
use std::io::{Read, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, OFlags};
use rustix::io::{Errno, retry_on_intr};

pub use facts::{DirectoryFacts, Facts, FileKind};
pub use lock::Lock;
pub use open::read_outside;
pub use switch::{Member, destination};
pub use write::{Batch, WriteOptions, Written};

use crate::error::{Error, Result};
use facts::Status;
use open::LARGEST;
use resolve::Route;

/// A directory held open; all paths are relative to it, and resolved beneath it whatever happens to its name.
#[derive(Debug)]
pub struct Root {
    directory: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens a directory. It may itself be reached through symlinks: whoever names it vouches for it.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let opened = resolve::open_root(path).map_err(|errno| fault::failed("open", path, errno))?;
        Ok(Self { directory: opened, path: path.to_path_buf() })
    }

    /// Opens a directory, and makes it first where it is missing; what is made has `mode` from the first instant.
    pub fn create(directory: &Path, mode: u32) -> Result<Self> {
        let (base, missing) = resolve::nearest_existing(directory)?;
        if missing.is_empty() {
            return Self::open(directory);
        }
        let base = Self::open(base)?;
        let mut batch = Batch::new();
        let opened = resolve::make_directories(&base, &missing, mode, &mut batch)?;
        batch.finish()?;
        Ok(Self { directory: opened, path: directory.to_path_buf() })
    }

    /// Opens a directory if there is one, for those who only look.
    pub fn open_existing(directory: &Path) -> Result<Option<Self>> {
        match resolve::open_root(directory) {
            Ok(opened) => Ok(Some(Self { directory: opened, path: directory.to_path_buf() })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(fault::failed("open", directory, errno)),
        }
    }

    /// Another handle of the same directory.
    pub fn try_clone(&self) -> Result<Self> {
        let phrase = || fault::phrase("open", &self.path);
        let directory = self.directory.try_clone().map_err(|error| Error::io(phrase(), error))?;
        Ok(Self { directory, path: self.path.clone() })
    }

    /// The directory as it was named when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content of a regular file; `None` when there is none. Fails with `too-large` beyond 64 MiB.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.read_at_most(path, LARGEST)
    }

    /// As [`Root::read`], of a file with no more bytes than `most`.
    pub fn read_at_most(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let route = self.route(path)?;
        let Some((file, status)) = self.open_regular(&route)? else { return Ok(None) };
        if status.size > most {
            return Err(fault::too_large(route.shown(), most));
        }
        read_whole(&file, status.size, route.shown()).map(Some)
    }

    /// The first bytes of a regular file, at most `limit`; `None` when there is none.
    pub fn read_start(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>> {
        let route = self.route(path)?;
        let Some((file, _)) = self.open_regular(&route)? else { return Ok(None) };
        let mut start = Vec::with_capacity(limit);
        let read = file.take(limit as u64).read_to_end(&mut start);
        read.map_err(|error| Error::io(fault::phrase("read", route.shown()), error))?;
        Ok(Some(start))
    }

    fn open_regular(&self, route: &Route<'_>) -> Result<Option<(File, Status)>> {
        let opened = match resolve::open_beneath(&self.directory, &route.all(), open::READING) {
            Err(Errno::LOOP) => self.open_through_link(route, open::READING),
            opened => opened,
        };
        open::regular(opened, route)
    }

    /// Follows the links of a directory that is switched, and no others.
    fn open_through_link(&self, route: &Route<'_>, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let directory = resolve::open_directory(&self.directory, route.directories(), resolve::TRAVERSE)?;
        let names = switch::destination(&directory, route.name()).ok_or(Errno::LOOP)?;
        resolve::open_beneath(&directory, &[&names[0], &names[1]], flags)
    }

    /// What the system says about a path, without opening it or following any link but those of a directory that is
    /// switched; `None` when there is nothing.
    pub fn facts(&self, path: &str) -> Result<Option<Facts>> {
        let route = self.route(path)?;
        let failed = |errno| fault::failed("examine", route.shown(), errno);
        let directory = match resolve::open_directory(&self.directory, route.directories(), resolve::TRAVERSE) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        let Some(status) = Status::at(&directory, route.name()).map_err(failed)? else { return Ok(None) };
        if let FileKind::Symlink = status.kind
            && let Some([generation, name]) = switch::destination(&directory, route.name())
            && let Ok(generation) = resolve::open_directory(&directory, &[&generation], resolve::TRAVERSE)
            && let Some(status) = Status::at(&generation, &name).map_err(failed)?
        {
            return Ok(Some(status.facts(&Status::of(&generation).map_err(failed)?)));
        }
        Ok(Some(status.facts(&Status::of(&directory).map_err(failed)?)))
    }

    /// Creates or replaces a file so that a crash at any instant leaves the old content or the new.
    ///
    /// When it returns, content and name are on the disk. Use a [`Batch`] for several files at once.
    pub fn write(&self, path: &str, bytes: &[u8], options: &WriteOptions) -> Result<Written> {
        let mut batch = Batch::new();
        let written = batch.write(self, path, bytes, options)?;
        batch.finish()?;
        Ok(written)
    }

    /// Finds what [`Root::write`] would refuse, before anything is written.
    pub fn preflight(&self, path: &str, options: &WriteOptions) -> Result<()> {
        preflight::preflight(self, &self.route(path)?, options, true)
    }

    /// As [`Root::preflight`], without what can only be tried, for those who only ask.
    pub fn foresee(&self, path: &str, options: &WriteOptions) -> Result<()> {
        preflight::preflight(self, &self.route(path)?, options, false)
    }

    /// Finds what [`Root::append_line`] would refuse, before anything is written.
    pub fn preflight_append(&self, path: &str) -> Result<()> {
        preflight::preflight_append(self, &self.route(path)?)
    }

    /// Finds what [`Root::create`] and a [`Root::write`] in what it makes would refuse, before anything is written.
    pub fn preflight_in(directory: &Path, path: &str, options: &WriteOptions) -> Result<()> {
        let (base, missing) = resolve::nearest_existing(directory)?;
        let below: PathBuf = missing.iter().collect();
        Self::open(base)?.preflight(&below.join(path).to_string_lossy(), options)
    }

    /// Adds one line at the end by one write, and syncs it. A line that a crash cut off stays a line of its own.
    pub fn append_line(&self, path: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let route = self.route(path)?;
        let mut batch = Batch::new();
        let directory = resolve::make_directories(self, route.directories(), 0o700, &mut batch)?;
        let failed = |error| Error::io(fault::phrase("append to", route.shown()), error);
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE | OFlags::NONBLOCK | resolve::SAFE;
        let file = retry_on_intr(|| rustix::fs::openat(&directory, route.name(), flags, resolve::mode_bits(mode)));
        let file = File::from(file.map_err(|errno| fault::failed("append to", route.shown(), errno))?);
        let status = Status::of(&file).map_err(|errno| failed(errno.into()))?;
        status.expect_plain(route.shown())?;
        owner::narrow(&file, &status, mode).map_err(|errno| failed(errno.into()))?;
        owner::restore(&file, &status, mode).map_err(|errno| failed(errno.into()))?;
        if status.size == 0 {
            batch.touch(directory, route.shown_directory())?;
        }

        let line = terminated(&file, status.size, bytes).map_err(failed)?;
        fault::expect_allowed(status.size + line.len() as u64, route.shown())?;
        let written = retry_on_intr(|| rustix::io::write(&file, &line)).map_err(|errno| failed(errno.into()))?;
        if written < line.len() {
            return Err(failed(std::io::ErrorKind::WriteZero.into()).hint("free some space on that file system"));
        }
        file.sync_all().map_err(failed)?;
        batch.finish()
    }

    /// Removes a regular file and syncs its directory; `false` when there is none.
    pub fn remove(&self, path: &str) -> Result<bool> {
        let route = self.route(path)?;
        let failed = |errno| fault::failed("remove", route.shown(), errno);
        let directory = match resolve::open_directory(&self.directory, route.directories(), OFlags::RDONLY) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(false),
            Err(errno) => return Err(failed(errno)),
        };
        let Some(status) = Status::at(&directory, route.name()).map_err(failed)? else { return Ok(false) };
        status.expect_regular(route.shown())?;
        retry_on_intr(|| rustix::fs::unlinkat(&directory, route.name(), AtFlags::empty())).map_err(failed)?;
        let mut batch = Batch::new();
        batch.touch(directory, route.shown_directory())?;
        batch.finish()?;
        Ok(true)
    }

    /// Removes the temporary files that killed writers of this user left in a directory, and counts them.
    ///
    /// To be called under the lock: a writer that is still at work would lose its file.
    pub fn sweep(&self, directory: &str) -> Result<usize> {
        self.sweep_older(directory, i128::MAX)
    }

    /// As [`Root::sweep`], but only what was last written before a time in nanoseconds since 1970: for a directory where
    /// writers of other projects may be at work, which our lock does not keep out.
    pub fn sweep_older(&self, directory: &str, before: i128) -> Result<usize> {
        let names = resolve::names(directory).ok_or_else(|| fault::escapes(directory))?;
        temporary::sweep(&self.directory, &names, &self.path.join(directory), before)
    }

    /// Takes the lock whose file is `path`, and waits at most `timeout` for it; zero = does not wait.
    ///
    /// The file is made if absent, and never deleted: whoever waits on a deleted one would wait on nothing.
    pub fn lock(&self, path: &str, timeout: std::time::Duration) -> Result<Lock> {
        lock::acquire(self, &self.route(path)?, timeout)
    }

    /// Takes the lock that a hook inherits, so that it is held for as long as the hook lives, whatever becomes of us.
    ///
    /// Fails with `hook-outlived` where another one holds it.
    pub fn lock_for_hook(&self, path: &str) -> Result<Lock> {
        lock::acquire_for_hook(self, &self.route(path)?)
    }

    /// Waits at most `timeout` until no hook holds the lock whose file is `path`: one whose vault-kit was killed may still
    /// change what it was called for.
    ///
    /// Fails with `hook-outlived`.
    pub fn wait_for_hook(&self, path: &str, timeout: std::time::Duration) -> Result<()> {
        if self.facts(path)?.is_none() {
            return Ok(());
        }
        lock::wait_for_hook(self, &self.route(path)?, timeout)
    }

    fn route<'a>(&self, path: &'a str) -> Result<Route<'a>> {
        Route::parse(&self.path, path)
    }
}

/// Reads to the end into a buffer that does not grow if the size is true, so that no copy stays behind.
fn read_whole(mut file: &File, size: u64, shown: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    file.read_to_end(&mut bytes).map_err(|error| Error::io(fault::phrase("read", shown), error))?;
    Ok(bytes)
}

/// The line with its newline, and with one before it where the file ends in the middle of a line.
fn terminated(file: &File, size: u64, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(bytes.len() + 2);
    if let Some(last) = size.checked_sub(1) {
        let mut byte = [b'\n'];
        file.read_exact_at(&mut byte, last)?;
        if byte != *b"\n" {
            line.push(b'\n');
        }
    }
    line.write_all(bytes)?;
    if !bytes.ends_with(b"\n") {
        line.push(b'\n');
    }
    Ok(line)
}
