//! The locks by which writers on one machine take turns, and wait for hooks that nobody watches any more.

use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::facts::Status;
use super::resolve::{self, Route};
use super::{Batch, Root, fault, holders, owner};
use crate::error::{Error, Kind, Result};
use crate::shell;

/// How long to sleep between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that is held until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    file: OwnedFd,
    is_left: bool,
}

impl Lock {
    /// A descriptor that the programs inherit which are started before it is dropped. The lock is held as long as any of them
    /// lives and has not closed it, unless ours is dropped first.
    pub fn inherited(&self) -> std::io::Result<OwnedFd> {
        Ok(rustix::io::dup(&self.file)?)
    }

    /// Leaves it to whoever inherited it.
    pub fn leave(mut self) {
        self.is_left = true;
    }
}

impl Drop for Lock {
    /// Closing it would leave it to whoever inherited the descriptor.
    fn drop(&mut self) {
        if !self.is_left {
            let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
        }
    }
}

/// Takes the lock, and makes its file if absent.
pub(super) fn acquire(root: &Root, route: &Route<'_>, timeout: Duration) -> Result<Lock> {
    let lock = make(root, route)?;
    if !wait(&lock.file, route, timeout)? {
        return Err(busy(route, timeout));
    }
    Ok(lock)
}

/// Takes the lock that a hook is to inherit. A writer who waited for those that outlived theirs has it at once.
pub(super) fn acquire_for_hook(root: &Root, route: &Route<'_>) -> Result<Lock> {
    let lock = make(root, route)?;
    if !wait(&lock.file, route, Duration::ZERO)? {
        return Err(outlived(route, &holders::of(&lock.file)));
    }
    Ok(lock)
}

/// Waits until no hook holds the lock.
pub(super) fn wait_for_hook(root: &Root, route: &Route<'_>, timeout: Duration) -> Result<()> {
    let lock = make(root, route)?;
    if !wait(&lock.file, route, timeout)? {
        return Err(outlived(route, &holders::of(&lock.file)));
    }
    Ok(())
}

impl Root {
    /// Whether anybody holds the lock whose file is `path`. It is shared for the moment that it takes to be told, so that whoever
    /// looks at the same time is told the truth.
    pub fn is_locked(&self, path: &str) -> Result<bool> {
        let Some((file, _)) = self.open_file(path)? else { return Ok(false) };
        let told = retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared));
        Ok(told == Err(Errno::WOULDBLOCK))
    }

    /// Whether one of our ancestors holds the lock whose file is `path`: it may wait for our end. Only Linux tells.
    pub fn is_locked_by_ancestor(&self, path: &str) -> Result<bool> {
        Ok(self.open_file(path)?.is_some_and(|(file, _)| holders::is_ancestor(&file)))
    }
}

fn make(root: &Root, route: &Route<'_>) -> Result<Lock> {
    let failed = |errno| fault::failed("lock", route.shown(), errno);
    let mut batch = Batch::new();
    let directory = resolve::make_directories(root, route.directories(), 0o700, &mut batch)?;
    batch.finish()?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NONBLOCK | resolve::SAFE;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = retry_on_intr(|| rustix::fs::openat(&directory, route.name(), flags, mode));
    let file = file.map_err(|errno| not_made(&directory, route, errno))?;
    let status = Status::of(&file).map_err(failed)?;
    status.expect_plain(route.shown())?;
    owner::restore(&file, &status, 0o600).map_err(failed)?;
    Ok(Lock { file, is_left: false })
}

/// There is none, and the directory takes no new file; or there is one that belongs to somebody else.
fn not_made(directory: &OwnedFd, route: &Route<'_>, errno: Errno) -> Error {
    let is_there = rustix::fs::statat(directory, route.name(), AtFlags::SYMLINK_NOFOLLOW).is_ok();
    match (errno, route.shown().parent()) {
        (Errno::ACCESS | Errno::ROFS, Some(shown)) if !is_there => {
            fault::closed("write in", shown, Status::of(directory).ok().as_ref(), errno)
        }
        (Errno::ACCESS, _) => {
            let (user, word) = (rustix::process::geteuid().as_raw(), shell::path(&route.shown().to_string_lossy()));
            fault::failed("lock", route.shown(), errno).hint(format!("`sudo chown {user} {word}` makes it yours"))
        }
        _ => fault::failed("lock", route.shown(), errno),
    }
}

/// Whether the lock could be had in time.
fn wait(file: impl AsFd, route: &Route<'_>, timeout: Duration) -> Result<bool> {
    let start = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) => match timeout.checked_sub(start.elapsed()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(PAUSE)),
                _ => return Ok(false),
            },
            Err(errno) => return Err(fault::failed("lock", route.shown(), errno)),
        }
    }
}

fn busy(route: &Route<'_>, timeout: Duration) -> Error {
    let waited = if timeout.is_zero() { String::new() } else { format!(", for {} seconds already", timeout.as_secs()) };
    let message = format!("another vault-kit is at work here: it holds `{}`{waited}", route.shown().display());
    Error::new(Kind::Conflict, "busy", message)
        .hint("wait until it is done, or give it longer with `--lock-timeout 5m`")
}

fn outlived(route: &Route<'_>, holders: &[u32]) -> Error {
    let path = route.shown().display().to_string();
    let (words, numbers) = (shell::path(&path), holders.iter().map(u32::to_string).collect::<Vec<_>>());
    let who = match numbers.as_slice() {
        [] => String::new(),
        [one] => format!(" by process {one}"),
        some => format!(" by the processes {}", some.join(", ")),
    };
    let message =
        format!("a hook outlived the vault-kit that started it, and may still be at work: `{path}` is held{who}");
    let show = match numbers.as_slice() {
        [] => format!("`sudo fuser -v {words}` tells which process it is"),
        some => format!("`ps -fp {0}` tells what it is, and `kill {1}` ends it", some.join(","), some.join(" ")),
    };
    Error::new(Kind::Conflict, "hook-outlived", message)
        .hint("wait until it has ended, or give it longer with `--lock-timeout 5m`")
        .hint(show)
        .hint("if it is a service that the hook started: stop it, and start it from elsewhere")
}
