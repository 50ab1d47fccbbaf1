//! The lock by which writers on one machine take turns.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::facts::Status;
use super::resolve::{self, Route};
use super::{Batch, Root, fault, owner};
use crate::error::{Error, Kind, Result};

/// How long to sleep between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that is held until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    _file: OwnedFd,
}

/// Takes the lock, and makes its file if absent.
pub(super) fn acquire(root: &Root, route: &Route<'_>, timeout: Duration) -> Result<Lock> {
    let failed = |errno| fault::failed("lock", route.shown(), errno);
    let mut batch = Batch::new();
    let directory = resolve::make_directories(root, route.directories(), 0o700, &mut batch)?;
    batch.finish()?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK | resolve::SAFE;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = retry_on_intr(|| rustix::fs::openat(&directory, route.name(), flags, mode)).map_err(failed)?;
    let status = Status::of(&file).map_err(failed)?;
    status.expect_plain(route.shown())?;
    owner::restore(&file, &status, 0o600).map_err(failed)?;

    let start = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) => match timeout.checked_sub(start.elapsed()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(PAUSE)),
                _ => return Err(busy(route, timeout)),
            },
            Err(errno) => return Err(failed(errno)),
        }
    }
}

fn busy(route: &Route<'_>, timeout: Duration) -> Error {
    let waited = if timeout.is_zero() { String::new() } else { format!(", for {} seconds already", timeout.as_secs()) };
    let message = format!("another vault-kit is at work here: it holds `{}`{waited}", route.shown().display());
    Error::new(Kind::Conflict, "busy", message)
        .hint("wait until it is done, or give it longer with `--lock-timeout 5m`")
}
