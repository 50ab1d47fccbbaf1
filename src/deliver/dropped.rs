//! What a write is going to take out of a file that vault-kit did not put there: named, so that nothing goes unseen.

use std::collections::BTreeMap;

use super::foreign::says_the_same;
use super::places::Places;
use super::{Prepared, PreparedFile};
use crate::check::placeholder::is_placeholder;
use crate::emit::dotenv_block::{self, Lost};
use crate::emit::json_read;
use crate::error::Result;
use crate::manifest::Format;
use crate::name::{EnvName, SecretName};
use crate::store::ledger::{DeliveredFile, Ledger};
use crate::world::World;

/// The words for each file that loses something, for `old` being the ledger's lines of files and `others` the other ledgers.
pub(super) fn words(
    prepared: &Prepared<'_>,
    world: &World<'_>,
    old: &BTreeMap<String, DeliveredFile>,
    others: &[(&EnvName, Ledger)],
) -> Result<Vec<String>> {
    let records = |path: &str| -> Vec<&DeliveredFile> {
        let theirs = others.iter().filter_map(|(_, ledger)| ledger.files.get(path));
        old.get(path).into_iter().chain(theirs).collect()
    };
    let words = |it: &PreparedFile<'_>| of_file(it, world, &prepared.places, &records(&it.file.path));
    prepared.files.iter().filter_map(|it| words(it).transpose()).collect()
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
    let is_setting = declaration.is_some_and(|it| it.kind.setting(world.environment).is_some());
    is_setting || records.iter().any(|record| record.holds.contains_key(&name))
}
