//! What a write is going to take out of a file that vault-kit did not put there: named, so that nothing goes unseen.

use std::collections::BTreeMap;

use super::foreign::{is_as_written, says_the_same};
use super::places::Places;
use super::{Prepared, PreparedFile, edited};
use crate::check::placeholder::is_placeholder;
use crate::emit::dotenv_block::{self, Lost};
use crate::emit::json_read;
use crate::error::Result;
use crate::manifest::Format;
use crate::name::{EnvName, SecretName};
use crate::scan::fingerprints::Document as Fingerprints;
use crate::secret::Secret;
use crate::secret::digest::sha256_hex;
use crate::shell;
use crate::store::Store;
use crate::store::ledger::{DeliveredFile, Ledger};
use crate::world::World;

/// The words for each file that loses something, for `old` being the ledger's lines of files and `others` the other ledgers.
pub(super) fn words(
    prepared: &Prepared<'_>,
    world: &World<'_>,
    store: &Store,
    old: &BTreeMap<String, DeliveredFile>,
    others: &[(&EnvName, Ledger)],
) -> Result<Vec<String>> {
    let places = &prepared.places;
    let mut words = Vec::new();
    for it in &prepared.files {
        let path = &it.file.path;
        let theirs = others.iter().filter_map(|(_, ledger)| ledger.files.get(path));
        let records: Vec<&DeliveredFile> = old.get(path).into_iter().chain(theirs).collect();
        words.extend(of_file(it, world, places, &records)?);
        if let Some(record) = old.get(path) {
            words.extend(edited_in(it, store, places, &records)?);
            words.extend(emptied(it, places, record)?);
        }
    }
    Ok(words)
}

/// A list of fingerprints that somebody emptied or removed, where others may have put theirs on it.
fn emptied(it: &PreparedFile<'_>, places: &Places<'_>, record: &DeliveredFile) -> Result<Option<String>> {
    let path = &it.file.path;
    let is_as_before = record.digest.as_ref() == Some(&sha256_hex(it.file.bytes.expose()));
    if it.output.format != Format::Fingerprints || record.digest.is_none() || is_as_before {
        return Ok(None);
    }
    let is_empty = |list: &Secret| {
        let has_none = || Fingerprints::parse(list.expose(), path).is_ok_and(|it| it.values.is_empty());
        list.expose().trim_ascii().is_empty() || has_none()
    };
    let is_gone = places.read(path)?.is_none_or(|list| is_empty(&list));
    let words = format!(
        "`{path}` was emptied, and has no fingerprints of others any more: bring it back with `git checkout -- {}`, then `vault-kit render`",
        shell::path(path)
    );
    Ok(is_gone.then_some(words))
}

/// The values that a person wrote into a file of ours since it was written.
fn edited_in(
    it: &PreparedFile<'_>,
    store: &Store,
    places: &Places<'_>,
    records: &[&DeliveredFile],
) -> Result<Option<String>> {
    let path = &it.file.path;
    let (root, relative) = places.of(path)?;
    let Some(facts) = root.facts(relative)? else { return Ok(None) };
    if records.iter().any(|record| is_as_written(&facts, record)) {
        return Ok(None);
    }
    let Some(present) = places.read(path)?.filter(|present| *present != it.file.bytes) else { return Ok(None) };
    let names = edited::names(it, &present, store);
    let words = format!("`{path}` loses values that the store does not have: {}", names.join(", "));
    Ok((!names.is_empty()).then_some(words))
}

fn of_file(
    it: &PreparedFile<'_>,
    world: &World<'_>,
    places: &Places<'_>,
    records: &[&DeliveredFile],
) -> Result<Option<String>> {
    let path = &it.file.path;
    if let Format::Dotenv { dialect } = it.output.format {
        let Some(before) = &it.merged_from else { return Ok(None) };
        let mut lost = dotenv_block::lost(path, dialect, before, &it.file.bytes, records.is_empty());
        lost.retain(|it| !is_known(it, world, records));
        let words = lost.iter().map(|Lost { entry, .. }| format!("`{}` (line {})", entry.name, entry.line));
        return Ok(told(path, words));
    }
    if !records.is_empty() || it.output.format.is_document() {
        return Ok(None);
    }
    let Some(before) = places.read(path)?.filter(|before| !says_the_same(it, before)) else { return Ok(None) };
    let keys = json_read::read(before.expose()).ok().filter(|_| matches!(it.output.format, Format::Json));
    let keys = keys.unwrap_or_default().into_iter().map(|entry| format!("`{}`", entry.name));
    Ok(told(path, keys).or_else(|| Some(format!("`{path}` was there already: all that is in it is replaced"))))
}

fn told(path: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then(|| format!("`{path}` loses what vault-kit did not write: {}", names.join(", ")))
}

/// Whether a line has nothing that could be missed: no value, or one that was delivered or is in the manifest, and that the
/// file is not to have any more.
fn is_known(Lost { entry, is_replaced }: &Lost, world: &World<'_>, records: &[&DeliveredFile]) -> bool {
    if entry.value.is_empty() || !entry.expands && is_placeholder(entry.value.expose()) {
        return true;
    }
    let Some(name) = SecretName::new(entry.name.as_str()).ok().filter(|_| !is_replaced) else { return false };
    let declaration = world.manifest.secret(&name);
    // The name of a previous value is ours alone.
    let is_previous = world.manifest.of_previous(&name).is_some();
    let is_setting = declaration.is_some_and(|it| it.kind.setting(world.environment).is_some());
    is_setting || is_previous || records.iter().any(|record| record.holds.contains_key(&name))
}
