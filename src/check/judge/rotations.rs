//! Rotations that do not get on, and programs that have yet to read their files.

use chrono::TimeDelta;

use super::Bench;
use crate::check::finding::Code;
use crate::name::SecretName;
use crate::rotate::programs;
use crate::store::rotations::{Failure, Operation, Step, Trouble};

/// How long a step may be overdue before it is told: a run may be at work on it, a schedule need not run each minute, and what
/// hosts share may wait for AWS or another host.
const GRACE: TimeDelta = TimeDelta::hours(1);

impl Bench<'_> {
    /// What was begun and is not ended: somebody may go on with a value that is about to end, or was to have ended.
    pub(super) fn rotations(&mut self) {
        let Some(ledger) = self.ledger else { return };
        for entry in ledger.secrets.values() {
            if let Some(operation) = &entry.rotation {
                self.rotation(&entry.name, operation);
            }
            if let Some(refused) = &entry.refused {
                self.refused(&entry.name, refused);
            }
            if programs::is_owner_untold(self.manifest, self.environment, entry) {
                let since = entry.created.format("%Y-%m-%d %H:%M UTC");
                let message = format!("no hook has made its owner accept the value of {since}");
                let fix = self.command(&format!("rotate tell {}", entry.name));
                self.about_secret(Code::OwnerUntold, &entry.name, message, fix);
            }
        }
        for (hook, trouble) in &ledger.header.reloads {
            self.reload(hook, trouble);
        }
    }

    fn rotation(&mut self, name: &SecretName, operation: &Operation) {
        let resume = self.command(&format!("rotate resume {name}"));
        let abort = self.command(&format!("rotate abort {name}"));
        let is_declared = self.manifest.has_secret(name, self.environment);
        let fix = match (operation.step.is_open() && operation.step != Step::Aborting, is_declared) {
            (true, true) => format!("{resume}    # or give it up: {abort}"),
            (true, false) => abort,
            (false, _) => resume,
        };
        if let Some(failure) = &operation.trouble.failed {
            let message = format!("{}: {}", failed(failure, operation.trouble.failures), state(operation.step));
            self.about_secret(Code::RotationFailed, name, message, fix);
        } else if self.was_cut_short(operation) || operation.next() + GRACE <= self.now {
            let since = operation.next().format("%Y-%m-%d %H:%M UTC");
            let message = format!("waits since {since} to be carried on: {}", state(operation.step));
            self.about_secret(Code::RotationUnfinished, name, message, fix);
        }
    }

    /// Whether somebody died within a step that no schedule begins: whoever is alive holds a lock.
    fn was_cut_short(&self, operation: &Operation) -> bool {
        operation.step != Step::Promoted && operation.remote.is_none() && !self.facts.is_at_work
    }

    /// Once may be a moment's trouble; a schedule tries again.
    fn refused(&mut self, name: &SecretName, trouble: &Trouble) {
        let Some(failure) = trouble.failed.as_ref().filter(|_| trouble.failures > 1) else { return };
        let (times, at) = (trouble.failures, failure.at.format("%Y-%m-%d %H:%M UTC"));
        let message = format!("AWS kept it from rotating {times} times, last {at} with {}", failure.code);
        let fix = self.command(&format!("rotate {name}"));
        self.about_secret(Code::RotationFailed, name, message, fix);
    }

    fn reload(&mut self, hook: &str, trouble: &Trouble) {
        let message = match &trouble.failed {
            Some(failure) => failed(failure, trouble.failures),
            None => format!("`reload` of hook `{hook}` was not run"),
        };
        let message = format!("{message}: its program may still work with the old files");
        let store = format!(".vault-kit/{}.age", self.environment);
        let fix = self.command("rotate resume");
        self.about_file(Code::ReloadOwed, &store, message, fix);
    }
}

fn failed(failure: &Failure, failures: u32) -> String {
    if failure.code == "rotation-undeclared" {
        return "is not declared any more as its rotation began".to_owned();
    }
    let times = if failures == 1 { String::new() } else { format!(" {failures} times") };
    let Failure { code, at, .. } = failure;
    format!("{} failed{times}, last {} with {code}", failure.what(), at.format("%Y-%m-%d %H:%M UTC"))
}

/// Which value is good for what.
fn state(step: Step) -> &'static str {
    match step {
        Step::Aborting => "the current value is in force, and its owner may know the one that was given up",
        Step::Staged | Step::Setting | Step::Set | Step::Tested => "the old value is in force",
        Step::Promoted | Step::Retiring => "the new value is in force, and the old one may still be accepted",
    }
}
