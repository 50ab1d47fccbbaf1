//! Revocation lists: new enough for verifiers that insist on one.

use super::Bench;
use crate::check::finding::Code;
use crate::revocation::{delivered, late_from};

impl Bench<'_> {
    /// The lists that outputs deliver, of every CA on the path. A verifier with an old one refuses all of its certificates.
    pub(super) fn lists(&mut self) {
        let Some(ledger) = self.ledger else { return };
        for name in delivered(self.manifest, self.environment) {
            let Some(entry) = ledger.secrets.get(&name) else { continue };
            let Some(next_update) = entry.next_update() else {
                let why = format!("the ledger does not tell of it: `{}`", self.command("render"));
                self.not_checked(format!("revocation list of {name}"), why);
                continue;
            };
            let day = next_update.format("%Y-%m-%d %H:%M UTC");
            let (code, message) = if next_update <= self.now {
                (Code::CrlExpired, format!("its revocation list was good until {day}: verifiers refuse what it signed"))
            } else if late_from(next_update) <= self.now {
                (Code::CrlExpiring, format!("its revocation list is good until {day}, and a new one is overdue"))
            } else {
                continue;
            };
            self.about_secret(code, &name, message, self.command("render"));
        }
    }
}
