//! Dotenv files as a person left them, where a new value could not be written into them.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;
use crate::check;
use crate::check::facts::{ExpectedFile, Handwritten, Written};
use crate::deliver::left;
use crate::emit::dotenv_block::{self, State};
use crate::emit::dotenv_lines;
use crate::emit::dotenv_read::Entry;
use crate::gather::Gather;
use crate::manifest::{Format, Manifest};
use crate::name::SecretName;
use crate::private_file::Root;
use crate::secret::Secret;
use crate::trust;

/// Those of the files, by path. What is as it was written is read only where something is ever rotated.
pub fn look(subject: &Subject<'_>) -> BTreeMap<String, Handwritten> {
    let Ok(root) = Root::open(subject.root) else { return BTreeMap::new() };
    let of = |expected: &ExpectedFile| Some((expected.path.clone(), state(subject, &root, expected)?));
    subject.expected.iter().filter(|it| it.dotenv).filter_map(of).gather()
}

/// Those of the files that were delivered that have lines of others beside vault-kit's block: who removes one loses those.
pub fn shared<'p>(subject: &Subject<'_>, paths: impl Iterator<Item = &'p String>) -> BTreeSet<String> {
    let (Ok(root), Some(ledger)) = (Root::open(subject.root), subject.ledger) else { return BTreeSet::new() };
    let is_dotenv = |path: &&String| {
        let form = ledger.files.get(*path).and_then(|it| it.form.as_ref());
        form.is_some_and(|form| form.starts_with("dotenv"))
    };
    let has_others = |path: &&String| {
        let text = root.read(path).ok().flatten().map(Secret::new);
        text.is_some_and(|text| dotenv_lines::has_others(text.expose()))
    };
    paths.filter(is_dotenv).filter(has_others).cloned().collect()
}

/// Those of the files that were delivered that somebody changed since.
pub fn changed<'p>(subject: &Subject<'_>, paths: impl Iterator<Item = &'p String>) -> BTreeSet<String> {
    let (Ok(root), Some(ledger)) = (Root::open(subject.root), subject.ledger) else { return BTreeSet::new() };
    let is_changed = |path: &&String| {
        let record = ledger.files.get(*path);
        record.is_some_and(|record| left::is_changed(&root, record, subject.trusted))
    };
    paths.filter(is_changed).cloned().collect()
}

fn state(subject: &Subject<'_>, root: &Root, expected: &ExpectedFile) -> Option<Handwritten> {
    let output = subject.manifest.outputs.get(&expected.output)?;
    let Format::Dotenv { dialect } = output.format else { return None };
    let ledger = subject.ledger?;
    let (root, path) = trust::for_output(root, &expected.path, subject.trusted).ok()?;
    let facts = root.facts(&path).ok()??;
    let is_as_written = ledger
        .files
        .get(&expected.path)
        .is_some_and(|it| (it.size, it.mtime, it.inode) == (facts.size, facts.mtime_ns, facts.inode));
    if is_as_written && ledger.header.due.is_none() {
        return None;
    }
    let text = Secret::new(root.read(&path).ok()??);
    let (outside, is_delimited) = match dotenv_block::state(&expected.path, dialect, &text) {
        State::Legible { outside, is_delimited } => (outside.into_iter(), is_delimited),
        State::Illegible(why) => return Some(Handwritten::Illegible(why)),
    };
    let names: BTreeMap<SecretName, Written> = outside
        .filter_map(|entry| Some((SecretName::new(entry.name.as_str()).ok()?, written(subject.manifest, &entry))))
        .filter(|(name, _)| expected.holds.contains_key(name) || output.secrets.contains(name))
        .collect();
    if !is_delimited {
        return Some(Handwritten::Undelimited(names));
    }
    (!names.is_empty()).then_some(Handwritten::Outside(names))
}

fn written(manifest: &Manifest, entry: &Entry) -> Written {
    if entry.expands {
        return Written::Expands(entry.line);
    }
    let verdict = manifest.secret(entry.name.as_str()).map(|it| check::assess(it, entry.value.expose()));
    match verdict {
        _ if entry.value.is_empty() => Written::Placeholder,
        Some(it) if it.placeholder => Written::Placeholder,
        Some(it) if it.mismatch => Written::Refused,
        _ => Written::Value,
    }
}
