//! The turn of a writer: the lock, no hook that outlived its vault-kit, and nothing left of killed writers.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::context;
use super::session::Session;
use crate::deliver::expected;
use crate::error::{Error, Kind, Result};
use crate::hook;
use crate::incident::timeline;
use crate::private_file::{Lock, Root};
use crate::store::DIRECTORY;

/// The writers' lock.
const LOCK: &str = ".vault-kit/lock";

/// A temp file younger than this may belong to a writer of another project, who does not wait for our lock.
const STILL_AT_WORK: TimeDelta = TimeDelta::hours(1);

impl Session<'_> {
    /// The turn of a writer; what only rehearses takes none.
    pub fn lock_unless_dry(&self, dry_run: bool) -> Result<Option<Lock>> {
        if dry_run { Ok(None) } else { self.lock().map(Some) }
    }

    /// Takes the writers' lock, and sweeps what a killed writer left behind.
    pub fn lock(&self) -> Result<Lock> {
        self.lock_within(self.context.global.lock_timeout)
    }

    /// As [`Session::lock`], with another longest wait.
    pub fn lock_within(&self, timeout: Duration) -> Result<Lock> {
        let lock = self.take_turn(timeout)?;
        self.sweep(false)?;
        Ok(lock)
    }

    /// As [`Session::lock`], for what is to be done whatever stands in the place of a directory that files are written to.
    pub fn lock_in_haste(&self) -> Result<Lock> {
        let lock = self.take_turn(self.context.global.lock_timeout)?;
        self.sweep(true)?;
        Ok(lock)
    }

    /// Removes what killed writers left behind; in haste only from what is a directory.
    fn sweep(&self, is_in_haste: bool) -> Result<()> {
        let (absolute, mut directories): (BTreeSet<_>, BTreeSet<_>) =
            expected::directories(&self.manifest).into_iter().partition(|directory| directory.starts_with('/'));
        // The manifest and the ignore files are in the project's directory itself.
        directories.extend([String::new(), DIRECTORY.to_owned()]);
        for directory in directories {
            if is_in_haste {
                self.sweep_if_directory(&directory)?;
            } else {
                self.root.sweep(&directory)?;
            }
        }
        // Few commands write there.
        self.sweep_if_directory(timeline::DIRECTORY)?;
        if !absolute.is_empty() && self.is_trusted()? {
            self.sweep_elsewhere(&absolute)?;
        }
        if let Some(state) = self.state.as_deref().map(Root::open_existing).transpose()?.flatten() {
            state.sweep("")?;
        }
        Ok(())
    }

    /// Sweeps a directory unless something else, or a link, is in its place: whoever comes to write there tells that.
    fn sweep_if_directory(&self, directory: &str) -> Result<()> {
        match self.root.sweep(directory) {
            Err(error) if error.code() == "symlink" || !self.root.path().join(directory).is_dir() => Ok(()),
            swept => swept.map(drop),
        }
    }

    /// Whether a writer or one of its hooks is alive, as far as that can be told.
    pub fn is_at_work(&self) -> bool {
        [LOCK, hook::LOCK].into_iter().any(|lock| self.root.is_locked(lock).unwrap_or(false))
    }

    /// Takes the lock, and waits for a hook that outlived its vault-kit.
    fn take_turn(&self, timeout: Duration) -> Result<Lock> {
        let begun = Instant::now();
        let first = self.root.lock(LOCK, Duration::ZERO);
        let is_busy = matches!(&first, Err(error) if error.code() == "busy");
        // Of a hook that emptied its environment: whoever called it holds its lock, as does the hook.
        let is_called = || self.root.is_locked_by_ancestor(hook::LOCK).unwrap_or(false);
        let is_within = self.is_within_hook() || is_busy && is_called();
        let timeout = if is_within { Duration::ZERO } else { timeout };
        let lock = if is_busy && !timeout.is_zero() { self.root.lock(LOCK, timeout) } else { first };
        let waited = |lock: Lock| {
            self.root.wait_for_hook(hook::LOCK, timeout.saturating_sub(begun.elapsed()))?;
            Ok(lock)
        };
        lock.and_then(waited).map_err(|error| match error.code() {
            "busy" | "hook-outlived" if is_within => within_hook(),
            _ => error,
        })
    }

    /// Whether a hook of this very project called us, by what it has in its environment.
    fn is_within_hook(&self) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        context::hook_of().is_some_and(|project| real(&project).is_some_and(|it| real(self.root.path()) == Some(it)))
    }

    /// Sweeps the directories of trusted absolute paths; one that is not there or not ours to read holds nothing of ours.
    fn sweep_elsewhere(&self, directories: &BTreeSet<String>) -> Result<()> {
        let system = Root::open(Path::new("/"))?;
        let before = (self.context.now - STILL_AT_WORK).timestamp_nanos_opt().map_or(i128::MIN, i128::from);
        for directory in directories {
            // Whether it can be written to is for its writer to tell, with a better word than `sweep` has.
            let _ = system.sweep_older(directory.trim_start_matches('/'), before);
        }
        Ok(())
    }
}

fn within_hook() -> Error {
    let message = "a hook cannot change the project that calls it: whoever started it waits for it, and holds the lock";
    Error::new(Kind::Conflict, "within-hook", message)
        .hint("nothing was changed; let the hook end first, and do this in the script that calls `vault-kit rotate`")
}
