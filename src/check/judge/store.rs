//! The store and its ledger: whether they are there, agree and are of this time.

use super::Bench;
use crate::check::facts::StoreFact;
use crate::check::finding::Code;
use crate::store::{CLOCK_TOLERANCE, agreement};

impl Bench<'_> {
    /// Whether the store is there and the ledger is its own.
    pub(super) fn store(&mut self) {
        match (&self.facts.store, self.ledger) {
            (StoreFact::Unreadable(why), _) => self.not_checked("store", why.clone()),
            (StoreFact::Absent, None) => {}
            (StoreFact::Absent, Some(_)) => {
                let file = format!(".vault-kit/{}.age", self.environment);
                let fix = self.command("store recover");
                self.about_file(Code::StoreMissing, &file, "the ledger is there, but its store is gone", fix);
            }
            (StoreFact::Present(_), None) => {
                self.ledger_is_stale("the store is there, but its ledger is gone");
                self.not_checked("secrets", "there is no ledger to read");
            }
            (StoreFact::Present(digest), Some(ledger)) => {
                if ledger.header.store_digest != *digest || ledger.header.environment != *self.environment {
                    self.ledger_is_stale("the ledger belongs to another state of the store");
                }
            }
        }
    }

    /// Whether the clock has reached the store's newest time.
    pub(super) fn clock(&mut self) {
        let updated = self.ledger.map(|ledger| ledger.header.updated);
        if let Some(updated) = updated.filter(|updated| self.now + CLOCK_TOLERANCE < *updated) {
            let updated = updated.format("%Y-%m-%d %H:%M:%S UTC");
            let message = format!(
                "was changed at {updated}, when this clock is not yet: writers refuse, and dates are misjudged"
            );
            let file = format!(".vault-kit/{}.age", self.environment);
            let recover = self.command("store recover --accept-clock");
            let fix = format!("date -u    # wrong: set the clock; right: {recover}");
            self.about_file(Code::ClockBehind, &file, message, fix);
        }
    }

    /// Whether the store follows the manifest in who can open it and where in AWS it belongs.
    pub(super) fn agreement(&mut self) {
        let Some(header) = self.ledger.map(|ledger| &ledger.header) else { return };
        let environment = self.manifest.environments.get(self.environment);
        let file = format!(".vault-kit/{}.age", self.environment);
        let apply = self.command("recipients apply");
        if !agreement::has_recipients(environment, header.recipients_declared, &header.recipients) {
            let message =
                "is not sealed to the recipients that the manifest declares: nothing is written until they agree";
            let fix = format!("{}    # then, if it is meant: {apply}", self.command("recipients list"));
            self.about_file(Code::RecipientsChanged, &file, message, fix);
        }
        if agreement::binding(environment) != header.aws {
            let message = "is bound to another AWS account or prefix than the manifest declares: nothing is written until they agree";
            self.about_file(
                Code::AccountChanged,
                &file,
                message,
                format!("{apply} --dry-run    # then without --dry-run"),
            );
        }
    }

    fn ledger_is_stale(&mut self, message: &str) {
        let file = format!(".vault-kit/{}.ledger.jsonl", self.environment);
        let fix = self.command("render");
        self.about_file(Code::LedgerStale, &file, message, fix);
    }
}
