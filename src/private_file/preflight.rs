//! What a write would be refused for, found before anything is written.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Access, AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::existing::Existing;
use super::facts::Status;
use super::owner::{Owner, is_root};
use super::resolve::{self, Route};
use super::temporary::Temporary;
use super::{Root, WriteOptions, fault};
use crate::error::Result;

/// Refuses what the write of `route` would be refused for. Leaves no trace, unless `tries_owner` and one has to be tried.
pub(super) fn preflight(root: &Root, route: &Route<'_>, options: &WriteOptions, tries_owner: bool) -> Result<()> {
    let (directory, missing) = nearest_directory(root, route)?;
    let shown = route.shown_directory().ancestors().nth(missing).unwrap_or(root.path());
    let existing = if missing == 0 {
        Existing::examine(&directory, route, options)?
    } else {
        let status = Status::of(&directory).map_err(|errno| fault::failed("examine", shown, errno))?;
        status.expect_guarded(shown)?;
        None
    };
    if options.in_place && existing.as_ref().is_some_and(|existing| !existing.is_link) {
        let failed = |errno| fault::failed("write", route.shown(), errno);
        expect_access(&directory, route.name(), Access::WRITE_OK).map_err(failed)?;
    } else {
        expect_writable(&directory, shown)?;
    }
    if !tries_owner {
        return Ok(());
    }
    expect_owner(&directory, route, options, existing.map(|existing| existing.status).as_ref())
}

/// Refuses what appending a line to `route` would be refused for. Leaves no trace.
pub(super) fn preflight_append(root: &Root, route: &Route<'_>) -> Result<()> {
    let (directory, missing) = nearest_directory(root, route)?;
    // To open it is the only way to hear of a file that may not be changed although its mode gives the right to.
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NONBLOCK | resolve::SAFE;
    let opened = if missing == 0 {
        retry_on_intr(|| rustix::fs::openat(&directory, route.name(), flags, Mode::empty()))
    } else {
        Err(Errno::NOENT)
    };
    match opened {
        Ok(file) => {
            let status = Status::of(&file).map_err(|errno| fault::failed("examine", route.shown(), errno))?;
            status.expect_plain(route.shown())
        }
        Err(Errno::NOENT) => {
            let shown = route.shown_directory().ancestors().nth(missing).unwrap_or(root.path());
            expect_writable(&directory, shown)
        }
        Err(errno) => Err(fault::failed("append to", route.shown(), errno)),
    }
}

/// The deepest directory of the route that exists, and how many are missing below it.
fn nearest_directory(root: &Root, route: &Route<'_>) -> Result<(OwnedFd, usize)> {
    let names = route.directories();
    for depth in (0..=names.len()).rev() {
        match resolve::open_directory(&root.directory, &names[..depth], OFlags::RDONLY) {
            Ok(directory) => return Ok((directory, names.len() - depth)),
            Err(Errno::NOENT) if depth > 0 => {}
            Err(errno) => {
                let shown = route.shown_directory().ancestors().nth(names.len() - depth).unwrap_or(root.path());
                return Err(fault::not_opened(&root.directory, &names[..depth], shown, errno));
            }
        }
    }
    Err(fault::failed("open the directory of", route.shown(), Errno::NOENT))
}

fn expect_writable(directory: &OwnedFd, shown: &Path) -> Result<()> {
    expect_access(directory, OsStr::new("."), Access::WRITE_OK | Access::EXEC_OK).map_err(|errno| {
        let status = Status::of(directory).ok();
        fault::closed("write in", shown, status.as_ref(), errno)
    })
}

fn expect_access(directory: &OwnedFd, name: &OsStr, access: Access) -> rustix::io::Result<()> {
    match retry_on_intr(|| rustix::fs::accessat(directory, name, access, AtFlags::EACCESS)) {
        // Old kernels cannot say it for the effective user; the write will.
        Err(Errno::NOSYS | Errno::INVAL) => Ok(()),
        access => access,
    }
}

/// Whether an owner can be set is only known by trying: on an empty file that goes again.
fn expect_owner(
    directory: &OwnedFd,
    route: &Route<'_>,
    options: &WriteOptions,
    existing: Option<&Status>,
) -> Result<()> {
    let owner = Owner::of_replacement(options, existing);
    // Root has shown that it can when the file already belongs to the right one.
    if owner.is_us() || (is_root() && existing.is_some_and(|status| owner.is_of(status))) {
        return Ok(());
    }
    Temporary::create(directory, route.shown(), options.mode)?.give(owner)
}
