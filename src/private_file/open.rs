//! A file that stays open while it is judged and used, so that both are about the same file.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::facts::Status;
use super::resolve::{self, Route};
use super::{Facts, Root, fault};
use crate::error::Result;

/// More bytes than a file has that people or programs write for us, unless it is one of ours that grows.
pub(super) const LARGEST: u64 = 64 << 20;

/// NONBLOCK: a FIFO in the place of a file must not make us wait for its writer.
pub(super) const READING: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// The content of a regular file outside of any project, links followed: no FIFO is waited for, and no more than `most` bytes are read.
pub fn read_outside(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let file = File::from(rustix::fs::open(path, READING.union(OFlags::CLOEXEC), rustix::fs::Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > most {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What was opened, if it is there and a regular file.
pub(super) fn regular(opened: rustix::io::Result<OwnedFd>, route: &Route<'_>) -> Result<Option<(File, Status)>> {
    let failed = |errno| fault::failed("read", route.shown(), errno);
    let file = match opened {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(failed(errno)),
    };
    let status = Status::of(&file).map_err(failed)?;
    status.expect_regular(route.shown())?;
    Ok(Some((file, status)))
}

impl Root {
    /// Opens a regular file for reading, with what the system says of that very file; `None` when there is none. No link is
    /// followed.
    pub fn open_file(&self, path: &str) -> Result<Option<(File, Facts)>> {
        let route = self.route(path)?;
        let failed = |errno| fault::failed("read", route.shown(), errno);
        let directory = match resolve::open_directory(&self.directory, route.directories(), resolve::TRAVERSE) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        let opened = resolve::open_beneath(&directory, &[route.name()], READING);
        let Some((file, status)) = regular(opened, &route)? else { return Ok(None) };
        let facts = status.facts(&Status::of(&directory).map_err(failed)?);
        Ok(Some((file, facts)))
    }
}
