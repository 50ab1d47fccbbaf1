//! Values that leaked: still in force, still accepted, or still in a file.

use super::Bench;
use crate::check::finding::{Code, Finding, listed};
use crate::companions;
use crate::incident::standing::{self, Standing};
use crate::incident::traces;
use crate::manifest::Declaration;
use crate::name::SecretName;
use crate::rotate::select;
use crate::store::ledger::{DeliveredFile, Entry, Ledger};

impl Bench<'_> {
    /// What serves although it leaked, and every file that was delivered with something that leaked.
    pub(super) fn banned(&mut self) {
        let Some(ledger) = self.ledger else { return };
        for entry in ledger.secrets.values() {
            let source = self.source(ledger, &entry.name);
            if *source == entry.name && !entry.banned {
                self.leaked_next(ledger, entry);
                continue;
            }
            let message = if *source == entry.name {
                "leaked, and is still in force".to_owned()
            } else {
                format!("is made from `{source}`, which leaked and is still in force")
            };
            self.about_secret(Code::Banned, &entry.name, message, self.cut(source));
        }
        for file in ledger.files.values() {
            let names = leaked_in(ledger, file);
            if !names.is_empty() {
                let is_expected = self.facts.expected.iter().any(|it| it.path == file.file);
                let rest = std::slice::from_ref(&file.file);
                let fix = if is_expected { self.command("render") } else { self.removal(&file.file, rest) };
                let message = format!("still has a value that leaked, of {}", listed(&names));
                self.about_file(Code::Banned, &file.file, message, fix);
            }
        }
    }

    /// A key or root that is published, and leaked before it signs: verifiers know it already.
    fn leaked_next(&mut self, ledger: &Ledger, entry: &Entry) {
        let name = &entry.name;
        let Some(declaration) = self.manifest.secret(name).filter(|_| ledger.is_next_banned(entry)) else { return };
        let rotate = self.command(&format!("rotate {name}"));
        let fix = if select::is_ahead(self.manifest, self.environment, declaration) {
            format!("{}    # on all hosts; then another one: {rotate}", self.command(&format!("rotate abort {name}")))
        } else {
            rotate
        };
        let message = "leaked as the next one, which verifiers know already, and which never signs";
        self.about_secret(Code::Banned, name, message, fix);
    }

    /// What is replaced and nonetheless good for whoever has it: accepted by its owner, or in lines that nothing here replaces.
    pub(super) fn outliving(&mut self) {
        let Some(ledger) = self.ledger else { return };
        for (id, leak, standing, words) in standing::outliving(self.manifest, ledger) {
            let mut fix = self.command(&words);
            if standing == Standing::Left {
                fix.push_str("    # once you had its owner refuse what leaked: no hook is declared that could");
            }
            let message = format!("leaked, and its owner may still accept the old value (incident {id})");
            self.about_secret(Code::StillAccepted, &leak.secret, message, fix);
        }
        for (path, lines) in &self.facts.leaked_lines {
            let first = lines.first().and_then(|line| u32::try_from(*line).ok()).unwrap_or(u32::MAX);
            let message = format!("has a value that leaked in {}, which vault-kit did not write", traces::told(lines));
            let finding = Finding::new(Code::Banned, message, traces::cure(path, lines));
            self.verdict.findings.push(finding.of_file(path).at_line(first));
        }
    }

    /// What leaked and is replaced by now, of a file that was delivered with it.
    pub(super) fn leaked_at(&self, path: &str) -> Vec<SecretName> {
        let file = self.ledger.and_then(|ledger| Some((ledger, ledger.files.get(path)?)));
        file.map_or_else(Vec::new, |(ledger, file)| leaked_in(ledger, file).into_iter().cloned().collect())
    }

    /// How a secret that leaked gets a new value: of one whose successor is published first, without that, since whoever verifies would go
    /// on with what leaked meanwhile.
    fn cut(&self, name: &SecretName) -> String {
        let is_published = |it: &Declaration| companions::lead(self.manifest, self.environment, it).is_some();
        if self.manifest.secret(name).is_some_and(|it| it.is_generated() && is_published(it)) {
            return self.command(&format!("generate --replace {name} --revoke"));
        }
        self.replace(name)
    }

    /// Of a value that is made from others that leaked too, the one that has to be replaced first.
    fn source<'s>(&'s self, ledger: &'s Ledger, name: &'s SecretName) -> &'s SecretName {
        let mut source = name;
        while let Some(input) = self.manifest.secret(source).and_then(|declaration| {
            let is_banned = |input: &&SecretName| ledger.secrets.get(*input).is_some_and(|entry| entry.banned);
            declaration.references().into_iter().find(is_banned)
        }) {
            source = input;
        }
        source
    }
}

/// What leaked of a file and is replaced by now: of what is still in force the secret's own finding tells.
fn leaked_in<'l>(ledger: &'l Ledger, file: &'l DeliveredFile) -> Vec<&'l SecretName> {
    let is_in_force = |name: &SecretName| ledger.secrets.get(name).is_some_and(|entry| entry.banned);
    let leaked = file.holds.iter().filter(|(name, held)| ledger.header.banned.contains(held) && !is_in_force(name));
    leaked.map(|(name, _)| name).collect()
}
