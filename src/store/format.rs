//! The payload of the sealed store: versioned JSON that a person can read after `age -d`.
//!
//! The mirror types are private to the store: nothing outside can serialise a value by accident.

mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::banned::Banned;
use super::certificates::Certificates;
use super::change::Change;
use super::incidents::{self, Incidents};
use super::issued::Issued;
use super::rotations::Rotations;
use super::synced::Synced;
use super::{AwsBinding, Kept, Life, Origin, Recipients, Stage, Store, Version, bulk};
use crate::error::{Error, Kind, Result};
use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::parts::Parts;
use value::{PartsDocument, Text};

/// The version of the payload that this program writes, and the newest that it reads.
const SCHEMA_VERSION: u32 = 1;

/// A rough size of one version in JSON without its value, to size the buffer once.
const BYTES_A_VERSION: usize = 384;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    vault_kit_store: u32,
    project: Cow<'a, str>,
    environment: Cow<'a, EnvName>,
    store_id: VersionId,
    generation: u64,
    #[serde(deserialize_with = "bulk::time")]
    updated: DateTime<Utc>,
    recipients: Cow<'a, Recipients>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aws: Option<Cow<'a, AwsBinding>>,
    fingerprint_key: Text<'a>,
    #[serde(default, skip_serializing_if = "<[Change]>::is_empty")]
    changes: Cow<'a, [Change]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued: Option<Cow<'a, Issued>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificates: Option<Cow<'a, Certificates>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    synced: Option<Cow<'a, Synced>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotations: Option<Cow<'a, Rotations>>,
    banned: Option<Cow<'a, Banned>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incidents: Option<Cow<'a, Incidents>>,
    secrets: Secrets<'a>,
}

/// The versions of each secret, oldest first.
enum Secrets<'a> {
    Borrowed(&'a BTreeMap<SecretName, Vec<Version>>),
    Owned(BTreeMap<SecretName, Vec<Version>>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionDocument<'a> {
    id: VersionId,
    kind: Cow<'a, str>,
    stage: Stage,
    origin: Origin,
    #[serde(deserialize_with = "bulk::time", serialize_with = "bulk::write_time")]
    created: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "bulk::optional_time")]
    expires: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "is_plain")]
    life: Life,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bits: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipe: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_empty")]
    inputs: Cow<'a, BTreeMap<SecretName, VersionId>>,
    #[serde(default, skip_serializing_if = "is_empty")]
    facts: Cow<'a, BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public: Option<Cow<'a, Kept>>,
    parts: PartsDocument<'a>,
}

#[expect(clippy::ptr_arg, reason = "serde hands over the field as it is")]
fn is_empty<K: Clone, V: Clone>(map: &Cow<'_, BTreeMap<K, V>>) -> bool {
    map.is_empty()
}

fn is_plain(life: &Life) -> bool {
    *life == Life::default()
}

impl Serialize for Secrets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let secrets = match self {
            Self::Borrowed(secrets) => secrets,
            Self::Owned(secrets) => secrets,
        };
        serializer.collect_map(secrets.iter().map(|(name, versions)| (name, documents(versions))))
    }
}

fn documents(versions: &[Version]) -> Vec<VersionDocument<'_>> {
    versions.iter().map(VersionDocument::of).collect()
}

impl<'de> Deserialize<'de> for Secrets<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let secrets: Vec<(SecretName, Versions)> = bulk::entries(deserializer)?;
        Ok(Self::Owned(secrets.into_iter().map(|(name, versions)| (name, versions.0)).collect()))
    }
}

/// The versions of one secret.
struct Versions(Vec<Version>);

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct VersionsVisitor;
        impl<'de> Visitor<'de> for VersionsVisitor {
            type Value = Versions;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the versions of a secret")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Versions, A::Error> {
                // Most secrets have one; a vector that grows by itself begins with room for four.
                let mut versions = Vec::with_capacity(1);
                while let Some(version) = sequence.next_element::<VersionDocument<'_>>()? {
                    versions.push(version.into_version());
                }
                Ok(Versions(versions))
            }
        }
        deserializer.deserialize_seq(VersionsVisitor)
    }
}

/// Writes the payload.
pub(super) fn write(store: &Store) -> Result<Zeroizing<Vec<u8>>> {
    let document = Document {
        vault_kit_store: SCHEMA_VERSION,
        project: Cow::Borrowed(&store.project),
        environment: Cow::Borrowed(&store.environment),
        store_id: store.store_id,
        generation: store.generation,
        updated: store.updated,
        recipients: Cow::Borrowed(&store.recipients),
        aws: store.aws.as_ref().map(Cow::Borrowed),
        fingerprint_key: Text::Borrowed(&store.fingerprint_key),
        changes: Cow::Borrowed(&store.changes),
        issued: Some(&store.issued).filter(|it| !it.is_empty()).map(Cow::Borrowed),
        certificates: Some(&store.certificates).filter(|it| !it.is_empty()).map(Cow::Borrowed),
        synced: Some(&store.synced).filter(|it| !it.is_empty()).map(Cow::Borrowed),
        rotations: Some(&store.rotations).filter(|it| !it.is_empty()).map(Cow::Borrowed),
        banned: Some(&store.banned).filter(|it| !it.is_empty()).map(Cow::Borrowed),
        incidents: Some(&store.incidents).filter(|it| !it.is_empty()).map(Cow::Borrowed),
        secrets: Secrets::Borrowed(&store.secrets),
    };
    let mut payload = Zeroizing::new(Vec::with_capacity(payload_size(store)));
    serde_json::to_writer(&mut *payload, &document).map_err(|_| Error::bug("the store cannot be written as JSON"))?;
    payload.push(b'\n');
    Ok(payload)
}

fn payload_size(store: &Store) -> usize {
    let values = store.secrets.values().flatten().flat_map(|version| version.parts.iter());
    // Escaping may double a value; a buffer that never grows leaves no copy behind.
    let texts: usize = values.map(|(_, piece)| piece.len() * 2).sum();
    let versions: usize = store.secrets.values().map(Vec::len).sum();
    // A change lists a hundred names at most.
    let records = store.issued.len() + store.synced.bases.len() + store.rotations.len() + store.banned.len();
    let records = records * BYTES_A_VERSION
        + store.banned.texts()
        + incidents::size_hint(&store.incidents)
        + store.certificates.size_hint();
    1024 + store.changes.len() * 8192 + records + texts + versions * BYTES_A_VERSION
}

/// Reads a payload back.
///
/// Fails with `store-damaged`, or with `store-too-new` when a later vault-kit wrote it.
pub(super) fn read(payload: &[u8]) -> Result<Store> {
    #[derive(Deserialize)]
    struct Probe {
        vault_kit_store: u32,
    }
    // From bytes, serde_json would find out for each text in it that it is UTF-8.
    let text = std::str::from_utf8(payload).map_err(|_| damaged())?;
    let document: Document<'_> = match serde_json::from_str(text) {
        Ok(document) => document,
        // The version is asked for only now: a second pass over the text costs as much as the first.
        Err(_) => match serde_json::from_str::<Probe>(text) {
            Ok(probe) if probe.vault_kit_store > SCHEMA_VERSION => return Err(too_new()),
            _ => return Err(damaged()),
        },
    };
    match document.vault_kit_store {
        SCHEMA_VERSION => Ok(document.into_store()),
        newer if newer > SCHEMA_VERSION => Err(too_new()),
        _ => Err(damaged()),
    }
}

fn damaged() -> Error {
    Error::new(Kind::Store, "store-damaged", "the store opens, but what is in it is not what vault-kit writes")
        .hint("bring the second copy back with `vault-kit store recover`")
}

fn too_new() -> Error {
    Error::new(Kind::Store, "store-too-new", "the store was written by a newer vault-kit")
        .hint("update vault-kit on this machine")
}

impl<'a> VersionDocument<'a> {
    fn of(version: &'a Version) -> Self {
        Self {
            id: version.id,
            kind: Cow::Borrowed(&version.kind),
            stage: version.stage,
            origin: version.origin,
            created: version.created,
            expires: version.expires,
            life: version.life,
            bits: version.bits,
            recipe: version.recipe.as_deref().map(Cow::Borrowed),
            inputs: Cow::Borrowed(&version.inputs),
            facts: Cow::Borrowed(&version.facts),
            fingerprint: version.fingerprint.as_deref().map(Cow::Borrowed),
            public: version.public.as_ref().map(Cow::Borrowed),
            parts: PartsDocument::Borrowed(&version.parts),
        }
    }

    fn into_version(self) -> Version {
        Version {
            id: self.id,
            kind: self.kind.into_owned(),
            stage: self.stage,
            origin: self.origin,
            created: self.created,
            expires: self.expires,
            life: self.life,
            bits: self.bits,
            recipe: self.recipe.map(Cow::into_owned),
            inputs: self.inputs.into_owned(),
            facts: self.facts.into_owned(),
            fingerprint: self.fingerprint.map(Cow::into_owned),
            public: self.public.map(Cow::into_owned),
            parts: match self.parts {
                PartsDocument::Owned(parts) => parts,
                PartsDocument::Borrowed(_) => Parts::default(),
            },
        }
    }
}

impl Document<'_> {
    fn into_store(self) -> Store {
        Store {
            project: self.project.into_owned(),
            environment: self.environment.into_owned(),
            store_id: self.store_id,
            generation: self.generation,
            updated: self.updated,
            recipients: self.recipients.into_owned(),
            aws: self.aws.map(Cow::into_owned),
            fingerprint_key: self.fingerprint_key.into_secret(),
            changes: self.changes.into_owned(),
            issued: self.issued.map(Cow::into_owned).unwrap_or_default(),
            certificates: self.certificates.map(Cow::into_owned).unwrap_or_default(),
            synced: self.synced.map(Cow::into_owned).unwrap_or_default(),
            rotations: self.rotations.map(Cow::into_owned).unwrap_or_default(),
            banned: self.banned.map(Cow::into_owned).unwrap_or_default(),
            incidents: self.incidents.map(Cow::into_owned).unwrap_or_default(),
            secrets: match self.secrets {
                Secrets::Owned(secrets) => secrets,
                Secrets::Borrowed(_) => BTreeMap::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, store, version};
    use super::*;

    #[test]
    fn a_payload_reads_back_with_every_byte_of_every_value() {
        let mut before = store("age1");
        let all_bytes: Vec<u8> = (0..=255).collect();
        for (name, value) in
            [("TEXT", "with \"quotes\"\n and ünicode".as_bytes()), ("BYTES", &all_bytes), ("EMPTY", b"")]
        {
            before.promote(&SecretName::new(name).unwrap(), version(value, now()));
        }
        let payload = write(&before).unwrap();
        assert!(payload.capacity() >= payload.len());
        let after = read(&payload).unwrap();
        assert_eq!(after.store_id, before.store_id);
        for name in before.secrets.keys() {
            assert_eq!(after.current(name).unwrap().parts, before.current(name).unwrap().parts, "{name}");
        }
        assert_eq!(*write(&after).unwrap(), *payload);
    }

    #[test]
    fn a_payload_of_a_newer_program_is_told_from_a_damaged_one() {
        assert_eq!(read(b"{\"vault_kit_store\": 2, \"new\": true}").unwrap_err().code(), "store-too-new");
        assert_eq!(read(b"{\"vault_kit_store\": 1}").unwrap_err().code(), "store-damaged");
        assert_eq!(read(b"hunter2").unwrap_err().code(), "store-damaged");
    }
}
