//! Creating and replacing files, and when the disk has to confirm it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::existing::Existing;
use super::facts::Status;
use super::owner::Owner;
use super::resolve::{self, Route};
use super::temporary::Temporary;
use super::{Root, fault};
use crate::error::Result;

/// How a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// Mode of the file; it is never wider, at no instant.
    pub mode: u32,
    /// Mode of the directories that are made for it.
    pub directory_mode: u32,
    /// Owner; `None` = who it belongs to already, else the invoking user.
    pub uid: Option<u32>,
    /// Group; `None` = which it belongs to already, else the invoking user's.
    pub gid: Option<u32>,
    /// Write through the inode of an existing file, for files that containers mount singly. Not atomic.
    pub in_place: bool,
    /// Refuse a file that exists.
    pub create_new: bool,
}

impl WriteOptions {
    /// For everybody to read: 0644 in 0755.
    pub const PUBLIC: Self =
        Self { mode: 0o644, directory_mode: 0o755, uid: None, gid: None, in_place: false, create_new: false };
}

/// For the invoking user alone: 0600 in 0700.
impl Default for WriteOptions {
    fn default() -> Self {
        Self { mode: 0o600, directory_mode: 0o700, uid: None, gid: None, in_place: false, create_new: false }
    }
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// There was no file.
    Created,
    /// The content was another one.
    Replaced,
    /// The content was the same; mode or owner were not.
    Tightened,
    /// Everything was as it should be, and not a byte or time was touched.
    Unchanged,
}

/// Several writes whose directories are synced together at the end.
///
/// Each file is whole on the disk before it takes its name; that the names last is only certain after
/// [`Batch::finish`]. What must be there before something else begins needs a batch of its own.
#[derive(Debug, Default)]
#[must_use = "names are only on the disk after `finish`"]
pub struct Batch {
    touched: Vec<Touched>,
}

#[derive(Debug)]
struct Touched {
    directory: File,
    status: Status,
    shown: PathBuf,
}

impl Batch {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Root::write`], except that the names are only certain to last after [`Batch::finish`].
    pub fn write(&mut self, root: &Root, path: &str, bytes: &[u8], options: &WriteOptions) -> Result<Written> {
        let route = root.route(path)?;
        let directory = resolve::make_directories(root, route.directories(), options.directory_mode, self)?;
        let written = match Existing::examine(&directory, &route, options)? {
            None => {
                replace(&directory, &route, bytes, options, None)?;
                Written::Created
            }
            Some(existing) => update(&directory, &route, bytes, options, &existing)?,
        };
        if matches!(written, Written::Created | Written::Replaced) {
            self.touch(directory, route.shown_directory())?;
        }
        Ok(written)
    }

    /// Makes a directory, and those above it that are missing, with this mode; one that is there stays as it is.
    pub fn make_directory(&mut self, root: &Root, path: &str, mode: u32) -> Result<()> {
        let names = resolve::names(path).ok_or_else(|| fault::escapes(path))?;
        // One that is only passed through need not be ours to read.
        if resolve::open_directory(&root.directory, &names, resolve::TRAVERSE).is_ok() {
            return Ok(());
        }
        resolve::make_directories(root, &names, mode, self).map(drop)
    }

    /// Has the disk confirm the names of everything that was written.
    ///
    /// Fails with `durability-unknown` when it does not: the files are there, but may be gone after a power cut.
    pub fn finish(self) -> Result<()> {
        let mut outcome = Ok(());
        for Touched { directory, shown, .. } in self.touched {
            if let Err(error) = sync_directory(&directory) {
                outcome = outcome.and(Err(fault::durability(&shown, error)));
            }
        }
        outcome
    }

    /// Remembers a directory in which a name appeared or went.
    pub(super) fn touch(&mut self, directory: OwnedFd, shown: &Path) -> Result<()> {
        let status = Status::of(&directory).map_err(|errno| fault::failed("examine", shown, errno))?;
        if !self.touched.iter().any(|known| known.status.is_same_file(&status)) {
            self.touched.push(Touched { directory: File::from(directory), status, shown: shown.to_path_buf() });
        }
        Ok(())
    }
}

fn sync_directory(directory: &File) -> std::io::Result<()> {
    match directory.sync_all() {
        // The file system says that it has no such thing for directories, not that it failed.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        synced => synced,
    }
}

fn update(
    directory: &OwnedFd,
    route: &Route<'_>,
    bytes: &[u8],
    options: &WriteOptions,
    existing: &Existing<'_>,
) -> Result<Written> {
    if existing.is_link {
        replace(directory, route, bytes, options, Some(&existing.status))?;
        return Ok(Written::Replaced);
    }
    // A file of another length differs for sure; its content is only needed to put it back.
    let is_worth_reading = options.in_place || existing.status.size == bytes.len() as u64;
    let old = if is_worth_reading { existing.read()? } else { None };
    if let Some((file, content)) = &old
        && content.as_slice() == bytes
        && (options.in_place || !existing.status.is_narrower_than(options.mode))
    {
        return existing.adjust(file, options);
    }
    if options.in_place {
        existing.overwrite(old.as_ref().map(|(_, content)| content.as_slice()), bytes, options)?;
    } else {
        replace(directory, route, bytes, options, Some(&existing.status))?;
    }
    Ok(Written::Replaced)
}

fn replace(
    directory: &OwnedFd,
    route: &Route<'_>,
    bytes: &[u8],
    options: &WriteOptions,
    replaced: Option<&Status>,
) -> Result<()> {
    let mut temporary = Temporary::create(directory, route.shown(), options.mode)?;
    temporary.give(Owner::of_replacement(options, replaced))?;
    temporary.fill(bytes, options.mode)?;
    temporary.take_name(route.name(), options.create_new)
}
