//! Rotations that do not get on, and programs that have yet to read their files.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::Bench;
use crate::check::finding::{Code, Finding};
use crate::name::SecretName;
use crate::plan;
use crate::rotate::programs;
use crate::rotate::undeclared::is_undeclared;
use crate::store::ledger::Entry;
use crate::store::rotations::{Failure, Operation, Step, Trouble};

/// How long a step may be overdue before it is told: a run may be at work on it, a schedule need not run each minute, and what
/// hosts share may wait for AWS or another host.
const GRACE: TimeDelta = TimeDelta::hours(1);

impl Bench<'_> {
    /// What was begun and is not ended: somebody may go on with a value that is about to end, or was to have ended.
    pub(super) fn rotations(&mut self) {
        let Some(ledger) = self.ledger else { return };
        for entry in ledger.secrets.values() {
            // What waits for the owner to be told is told by that.
            let is_kept = programs::waits_for_owner(self.manifest, self.environment, entry);
            if let Some(operation) = entry.rotation.as_ref().filter(|_| !is_kept) {
                self.rotation(entry, operation);
            }
            if let Some(refused) = &entry.refused {
                self.refused(&entry.name, refused);
            }
            if programs::is_owner_untold(self.manifest, self.environment, entry) {
                let since = entry.created.format("%Y-%m-%d %H:%M UTC");
                let message = format!("no hook has made its owner accept the value of {since}");
                let verb = if entry.banned { "rotate" } else { "rotate tell" };
                let fix = self.command(&format!("{verb} {}", entry.name));
                self.about_secret(Code::OwnerUntold, &entry.name, message, fix);
            }
        }
        for (hook, trouble) in &ledger.header.reloads {
            self.reload(hook, trouble, ledger.header.unread.get(hook));
        }
    }

    /// What would stop a rotation is told before it is due.
    pub(super) fn hooks(&mut self) {
        for it in &self.facts.hooks {
            let message = format!("{}: no rotation gets past it", it.message);
            let line = u32::try_from(it.line).unwrap_or(u32::MAX);
            let finding =
                Finding::new(Code::HookUnusable, message, &*it.fix).of_file(&self.manifest.file).at_line(line);
            self.verdict.findings.push(finding);
        }
    }

    fn rotation(&mut self, entry: &Entry, operation: &Operation) {
        let name = &entry.name;
        let resume = self.command(&format!("rotate resume {name}"));
        let abort = self.command(&format!("rotate abort {name}"));
        let is_undeclared = is_undeclared(self.manifest, self.environment, entry);
        let is_aborting = operation.step == Step::Aborting;
        let fix = match (operation.step.is_open() && !is_aborting, is_undeclared) {
            // Its owner would be told a value that leaked.
            _ if entry.tells_leaked => self.command(&format!("rotate {name}")),
            (true, false) => format!("{resume}    # or give it up: {abort}"),
            (true, true) => abort,
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

    fn reload(&mut self, hook: &str, trouble: &Trouble, unread: Option<&BTreeSet<SecretName>>) {
        let message = match &trouble.failed {
            Some(failure) => failed(failure, trouble.failures),
            None => format!("`reload` of hook `{hook}` was not run"),
        };
        let message = format!("{message}: its program may still work with the old files");
        let fix = self.command("rotate resume");
        let changed = unread.map_or_else(Vec::new, |unread| self.changed(unread));
        for name in &changed {
            self.about_secret(Code::ReloadOwed, name, &*message, &*fix);
        }
        if changed.is_empty() {
            // What is left to look at is the hook, where the manifest declares it still.
            let line = self.manifest.hooks.get(hook).and_then(|it| u32::try_from(it.line).ok());
            let finding = Finding::new(Code::ReloadOwed, message, fix).of_file(&self.manifest.file);
            self.verdict.findings.push(Finding { line, ..finding });
        }
    }

    /// Those of the declared secrets that are made of none of the others.
    fn changed(&self, unread: &BTreeSet<SecretName>) -> Vec<SecretName> {
        let is_made_of = |name: &SecretName, other: &SecretName| {
            name != other && plan::dependents(self.manifest, &BTreeSet::from([other.clone()])).contains(name)
        };
        let declared = unread.iter().filter(|name| self.manifest.has_secret(name, self.environment));
        declared.filter(|name| !unread.iter().any(|other| is_made_of(name, other))).cloned().collect()
    }
}

fn failed(failure: &Failure, failures: u32) -> String {
    if failure.code == "rotation-undeclared" {
        return "is not declared any more as its rotation began".to_owned();
    }
    let times = if failures == 1 { String::new() } else { format!(" {failures} times") };
    let Failure { code, at, .. } = failure;
    format!("{} {}{times}, last {} with {code}", failure.what(), failure.how(), at.format("%Y-%m-%d %H:%M UTC"))
}

/// Which value is good for what.
fn state(step: Step) -> &'static str {
    match step {
        Step::Aborting => "the current value is in force, and its owner may know the one that was given up",
        Step::Staged | Step::Setting | Step::Set | Step::Tested => "the old value is in force",
        Step::Promoted | Step::Retiring => "the new value is in force, and the old one may still be accepted",
    }
}
