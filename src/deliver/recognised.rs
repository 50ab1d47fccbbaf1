//! Files that were delivered, recognised by what is in them: for when the ledger that lists them is gone.
//!
//! A file is ours when nothing is in it that the store does not have, in whatever version: to replace it loses no value.

use std::collections::BTreeMap;

use super::foreign::says_the_same;
use super::{Prepared, PreparedFile, edited};
use crate::api_key::document::Document as ApiKeys;
use crate::emit::dotenv_read::Entry;
use crate::emit::{dotenv_block, json_read};
use crate::error::Result;
use crate::gather::Gather;
use crate::manifest::Format;
use crate::name::{SecretName, VersionId};
use crate::scan::fingerprints::Document as Fingerprints;
use crate::secret::Secret;
use crate::store::ledger::DeliveredFile;
use crate::store::{Store, Version};
use crate::token::jwks;
use crate::token::revocation::Revocations;
use crate::world::World;

/// The secrets in a file, and in which version.
type Held = BTreeMap<SecretName, VersionId>;

impl Prepared<'_> {
    /// The ledger's lines of the files that are there and hold nothing but what the store has.
    pub fn recognised(&self, world: &World<'_>, store: &Store) -> BTreeMap<String, DeliveredFile> {
        let lines = self.files.iter().filter_map(|it| self.line(it, world, store));
        lines.map(|line| (line.file.clone(), line)).gather()
    }

    /// The files that have values which the store does not, and which a write would lose.
    pub fn unknown(&self, world: &World<'_>, store: &Store) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        for it in &self.files {
            let present = self.places.read(&it.file.path)?;
            if present.is_some_and(|present| edited::loses(it, &present, world.manifest, store)) {
                paths.push(it.file.path.clone());
            }
        }
        Ok(paths)
    }

    fn line(&self, it: &PreparedFile<'_>, world: &World<'_>, store: &Store) -> Option<DeliveredFile> {
        let present = self.places.read(&it.file.path).ok()??;
        if present == it.file.bytes {
            return it.record(&self.places).ok();
        }
        let holds = if says_the_same(it, &present) { it.holds.clone() } else { held(it, &present, world, store)? };
        // Without size and time `check` looks at the content, and the form is not known.
        Some(DeliveredFile { holds, form: None, ..it.record_of(0, 0, 0) })
    }
}

fn held(it: &PreparedFile<'_>, present: &Secret, world: &World<'_>, store: &Store) -> Option<Held> {
    match &it.output.format {
        Format::Dotenv { dialect } => {
            let entries = dotenv_block::entries_inside(&it.file.path, *dialect, present).ok()??;
            assigned(&entries, world, store)
        }
        Format::Json => assigned(&json_read::read(present.expose()).ok()?, world, store),
        Format::DockerSecrets { .. } => {
            let name = it.holds.keys().next()?;
            Some(Held::from([(name.clone(), version_of(name, present, store)?)]))
        }
        Format::Pem { .. } => pieces(it, present, store),
        // What others put on the list stays on it.
        Format::Fingerprints => {
            let document = Fingerprints::parse(present.expose(), &it.file.path).ok()?;
            document.is_of(&store.project, &store.environment).then(|| it.holds.clone())
        }
        // They hold no value, and follow from the store whatever they say now.
        Format::ApiKeys => ApiKeys::parse(present.expose(), &it.file.path).ok().map(|_| it.holds.clone()),
        Format::Revocations => Revocations::parse(present.expose(), &it.file.path).ok().map(|_| it.holds.clone()),
        Format::Jwks { .. } => {
            let keys = jwks::parse(present.expose(), &it.file.path).ok()?;
            let versions = || store.secrets.values().flatten();
            let is_known = |kid: &str| versions().any(|it| it.facts.get("kid").is_some_and(|known| known == kid));
            keys.keys().all(|key| is_known(key.kid())).then(|| it.holds.clone())
        }
        // Nobody reads YAML back: one that is not what it would be now may be somebody else's.
        Format::ExternalSecret(_) | Format::KubernetesSecret(_) | Format::NotYet(_) => None,
    }
}

/// `None` when a value is not the store's, and no setting: it would be lost.
fn assigned(entries: &[Entry], world: &World<'_>, store: &Store) -> Option<Held> {
    let mut held = Held::new();
    for entry in entries {
        let name = SecretName::new(entry.name.as_str()).ok()?;
        match version_of(&name, &entry.value, store) {
            Some(version) => drop(held.insert(name, version)),
            None if world.manifest.secret(&name).is_some_and(|it| !it.is_stored()) => {}
            None => return None,
        }
    }
    (!held.is_empty()).then_some(held)
}

/// The newest version with that value, of the secret that is delivered under that name.
pub(super) fn version_of(name: &SecretName, value: &Secret, store: &Store) -> Option<VersionId> {
    let is_it = |version: &&Version| version.parts.primary() == Some(value);
    let named = store.secrets.iter().filter(|(it, _)| *it == name || it.previous().as_ref() == Some(name));
    named.flat_map(|(_, versions)| versions.iter().rev()).find(is_it).map(|version| version.id)
}

/// Certificates and keys: each block of the file is a piece of some version.
fn pieces(it: &PreparedFile<'_>, present: &Secret, store: &Store) -> Option<Held> {
    if !is_all_known(present, store) {
        return None;
    }
    let blocks: Vec<&str> = values(present).collect();
    let (name, current) = it.holds.iter().next()?;
    let mut versions = store.secrets.get(name)?.iter().rev();
    let version = versions.find(|version| blocks.iter().any(|block| has(version, block)));
    Some(Held::from([(name.clone(), version.map_or(*current, |version| version.id))]))
}

/// Whether there are blocks of PEM in it, and each is a piece of some version.
pub(super) fn is_all_known(present: &Secret, store: &Store) -> bool {
    let is_known = |block: &str| store.secrets.values().flatten().any(|version| has(version, block));
    present.expose_text().is_some_and(|text| blocks(text).next().is_some()) && values(present).all(is_known)
}

/// The blocks without lists of revoked certificates, which are signed anew again and again and are nobody's value.
fn values(present: &Secret) -> impl Iterator<Item = &str> {
    blocks(present.expose_text().unwrap_or_default()).filter(|block| !block.starts_with(LIST))
}

fn has(version: &Version, block: &str) -> bool {
    let mut texts = version.parts.iter().filter_map(|(_, piece)| piece.expose_text());
    texts.any(|text| text.contains(block))
}

const LIST: &str = "-----BEGIN X509 CRL-----";

/// From each begin line to its end line. What stands around them is a comment.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("-----BEGIN ").filter_map(|(start, _)| {
        let block = &text[start..];
        let end = block.find("-----END ")?;
        let line = block[end..].find('\n').unwrap_or(block.len() - end);
        Some(&block[..end + line])
    })
}
