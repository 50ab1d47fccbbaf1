//! Values that somebody wrote into a file of ours, and that the store does not have: a write takes them out.

use super::PreparedFile;
use super::foreign::has_block;
use super::recognised::{is_all_known, version_of};
use crate::check::placeholder::is_placeholder;
use crate::emit::dotenv_read::Entry;
use crate::emit::{dotenv_block, json_read};
use crate::manifest::{Format, Kind, Manifest};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::store::Store;

/// The secrets of which a file has a value that is lost with it, each with its place.
pub(super) fn names(it: &PreparedFile<'_>, present: &Secret, store: &Store) -> Vec<String> {
    let only = || it.holds.keys().next().map(|name| format!("`{name}`"));
    match it.output.format {
        Format::Dotenv { dialect } => {
            let entries = dotenv_block::entries_inside(&it.file.path, dialect, present).ok().flatten();
            let word = |entry: &Entry| format!("`{}` (line {})", entry.name, entry.line);
            unknown(it, &entries.unwrap_or_default(), store).map(word).collect()
        }
        Format::Json => {
            let entries = json_read::read(present.expose()).unwrap_or_default();
            unknown(it, &entries, store).map(|entry| format!("`{}`", entry.name)).collect()
        }
        Format::DockerSecrets { .. } => {
            let name = it.holds.keys().next().filter(|name| !is_known(name, present, store));
            name.and_then(|_| only()).into_iter().collect()
        }
        Format::Pem { .. } if !it.file.public && !is_all_known(present, store) => only().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether a value is lost with a file that nobody here could make again: what is made of others is.
pub(super) fn loses(it: &PreparedFile<'_>, present: &Secret, manifest: &Manifest, store: &Store) -> bool {
    let is_made = |name: &SecretName| {
        let kind = manifest.secret(name).map(|it| &it.kind);
        matches!(kind, Some(Kind::Template(_) | Kind::Token(_) | Kind::Certificate(_)))
    };
    let of_entries = |entries: &[Entry]| {
        let name = |entry: &Entry| SecretName::new(entry.name.as_str()).ok();
        unknown(it, entries, store).any(|entry| name(entry).is_none_or(|name| !is_made(&name)))
    };
    match it.output.format {
        Format::Dotenv { dialect } => {
            let entries = dotenv_block::entries_inside(&it.file.path, dialect, present).ok().flatten();
            entries.map_or_else(|| has_block(present), |entries| of_entries(&entries))
        }
        Format::Json => of_entries(&json_read::read(present.expose()).unwrap_or_default()),
        _ => !it.holds.keys().all(is_made) && !names(it, present, store).is_empty(),
    }
}

/// The assignments of what is delivered, with values that the store does not have.
fn unknown<'e>(it: &PreparedFile<'_>, entries: &'e [Entry], store: &Store) -> impl Iterator<Item = &'e Entry> {
    let is_ours = |entry: &Entry| {
        let name = SecretName::new(entry.name.as_str()).ok();
        name.is_some_and(|name| it.holds.contains_key(&name) && !is_known(&name, &entry.value, store))
    };
    entries.iter().filter(move |entry| is_ours(entry))
}

/// Whether nothing is lost with a value: the store has it, or there is none. An editor's final line break makes no other value.
fn is_known(name: &SecretName, value: &Secret, store: &Store) -> bool {
    let bytes = value.expose();
    let stripped = bytes.strip_suffix(b"\n").map(Secret::copy_of);
    let has = |value: &Secret| version_of(name, value, store).is_some();
    bytes.trim_ascii().is_empty() || is_placeholder(bytes) || has(value) || stripped.is_some_and(|it| has(&it))
}
