//! What is made of other secrets: a change of those changes it too.

use super::Bench;
use crate::check::finding::Code;
use crate::manifest::{Declaration, Kind};
use crate::name::SecretName;
use crate::store::ledger::{Entry, Ledger};

impl Bench<'_> {
    /// Whether a value is made of what is in force.
    pub(super) fn derived(&mut self, declaration: &Declaration, entry: &Entry, ledger: &Ledger) {
        match &declaration.kind {
            Kind::Token(token) => self.signature(&token.signed_by, entry, ledger),
            _ => self.inputs(declaration, entry, ledger),
        }
    }

    /// A token dies with the key that signed it, whatever its own time.
    fn signature(&mut self, signed_by: &SecretName, entry: &Entry, ledger: &Ledger) {
        // One that was signed by another secret than is declared now was made from an older declaration.
        let Some(signed) = entry.inputs.get(signed_by) else { return };
        let key = ledger.secrets.get(signed_by);
        if key.is_none_or(|key| key.version != *signed) {
            let what = if key.is_some() { "was replaced" } else { "is gone" };
            let message = format!("`{signed_by}`, which signed it, {what} since: verifiers refuse it");
            self.about_secret(Code::TokenOrphaned, &entry.name, message, self.replace(&entry.name));
        }
    }

    /// The files are as the store has it: nobody would see by them that an input moved on.
    fn inputs(&mut self, declaration: &Declaration, entry: &Entry, ledger: &Ledger) {
        let has_moved = |input: &&SecretName| {
            let (then, now) = (entry.inputs.get(*input), ledger.secrets.get(*input));
            then.zip(now).is_some_and(|(then, now)| *then != now.version)
        };
        if let Some(input) = declaration.references().into_iter().find(has_moved) {
            let fix = self.command(&format!("generate {}", entry.name));
            self.about_secret(Code::InputChanged, &entry.name, format!("is made of an earlier `{input}`"), fix);
        }
    }
}
