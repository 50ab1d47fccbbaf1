//! Dotenv files in which a person wrote so that no new value can be written: the fix that is told must work as it is pasted, and
//! names what it drops.

use std::collections::BTreeMap;

use super::Bench;
use super::fix::quoted_first;
use crate::check::facts::{Comparison, Content, FileFact, Handwritten, Written};
use crate::check::finding::{Code, Finding, listed};
use crate::name::SecretName;
use crate::plan;
use crate::shell;
use crate::store::ledger::Entry;

impl Bench<'_> {
    /// What keeps a value from being written, where one is to be; to be called once the files are judged.
    pub(super) fn handwritten(&mut self) {
        let (facts, Some(ledger)) = (self.facts, self.ledger) else { return };
        let is_due = |entry: &&Entry| entry.due.is_some() || entry.rotation.is_some();
        let due = ledger.secrets.values().filter(is_due).map(|entry| entry.name.clone()).collect();
        let changing = plan::dependents(self.manifest, &due);
        for (path, state) in &facts.handwritten {
            match state {
                Handwritten::Illegible(why) => {
                    let fix = self.command(&format!("render    # once you mended the line: {why}"));
                    if let Some(stale) = self.stale_at(path) {
                        "cannot be read, and so no value can be written into it".clone_into(&mut stale.message);
                        stale.fix = fix;
                    }
                }
                Handwritten::Undelimited(names) => {
                    let message = "the marker lines of vault-kit's block are damaged: no value can be written into it";
                    self.adopt(path, names, Some(message.to_owned()));
                }
                Handwritten::Outside(names) => {
                    let next: Vec<&SecretName> = names.keys().filter(|name| changing.contains(*name)).collect();
                    let outside = "assigns outside vault-kit's block, where no new value can be written,";
                    let message = (!next.is_empty()).then(|| format!("{outside} {}", listed(&next)));
                    self.adopt(path, names, message);
                }
            }
        }
    }

    /// Has the lines of these names moved into the block, also by the fix of a file that is stale.
    fn adopt(&mut self, path: &str, names: &BTreeMap<SecretName, Written>, message: Option<String>) {
        let is_missed = |(_, written): &(&SecretName, &Written)| **written != Written::Placeholder;
        let other = names.iter().filter(is_missed).map(|(name, _)| name).filter(|name| self.is_other(path, name));
        let other: Vec<&SecretName> = other.collect();
        // What leaked is taken by nobody.
        let leaked = self.leaked_at(path);
        let (leaked, other): (Vec<_>, Vec<_>) = other.into_iter().partition(|name| leaked.contains(*name));
        // One that has everything is left alone.
        let is_in_the_way = !(other.is_empty() && leaked.is_empty()) || self.stale_at(path).is_some();
        let fix = if other.is_empty() && !leaked.is_empty() {
            let (drops, file) = (listed(&leaked), shell::path(path));
            self.command(&format!("render --adopt --yes    # drops what {file} has for {drops}, which leaked"))
        } else if other.is_empty() {
            self.command("render --adopt")
        } else {
            let (drops, file) = (listed(&other), shell::path(path));
            let declared = other.iter().filter_map(|name| self.manifest.secret(*name)?.before_import());
            let mut import = self.command(&format!("import --replace {file}"));
            if let Some(Written::Expands(line)) =
                other.iter().map(|name| names[*name]).find(|it| matches!(it, Written::Expands(_)))
            {
                import = format!("{} {import}", quoted_first(path, line));
            }
            let keep = declared.chain([import]).collect::<Vec<_>>().join(", then: ");
            let keep = if other.iter().all(|name| names[*name] == Written::Refused) {
                String::new()
            } else {
                format!("; to keep it, first: {keep}")
            };
            self.command(&format!("render --adopt --yes    # drops what {file} has for {drops}{keep}"))
        };
        let render = self.command("render");
        // No file is written as long as one cannot be.
        let is_it = |it: &Finding| is_in_the_way || it.code == Code::Stale && it.file.as_deref() == Some(path);
        for finding in self.verdict.findings.iter_mut().filter(|it| is_it(it) && it.fix == render) {
            finding.fix.clone_from(&fix);
        }
        if let Some(message) = message {
            self.about_file(Code::NameOutsideBlock, path, message, fix);
        }
    }

    /// Whether a file has another value of a secret than the store.
    fn is_other(&self, path: &str, name: &SecretName) -> bool {
        let Some(FileFact::File(file)) = self.facts.files.get(path) else { return false };
        matches!(&file.content, Content::Compared(values) if values.get(name) == Some(&Comparison::Different))
    }

    fn stale_at(&mut self, path: &str) -> Option<&mut Finding> {
        let is_it = |it: &&mut Finding| it.code == Code::Stale && it.file.as_deref() == Some(path);
        self.verdict.findings.iter_mut().find(is_it)
    }
}
