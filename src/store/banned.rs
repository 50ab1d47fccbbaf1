//! Values that leaked and must never serve again: known by fingerprints, so that the store need not keep them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use serde::{Deserialize, Serialize};

use super::{Store, Version, derive, fingerprint};
use crate::error::{Error, Kind, Result};
use crate::name::{SecretName, VersionId};
use crate::secret::{Secret, digest};

/// Every value that is banned, by its keyed fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Banned(BTreeMap<String, Ban>);

/// Why a value is banned. The first ban of a value stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    /// The secret that it was the value of.
    pub secret: SecretName,
    /// The version that it was.
    pub version: VersionId,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its public fingerprint, where nobody can guess a value from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
}

impl Banned {
    /// How many values are banned.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How long the reasons are as JSON, at most: a buffer that never grows leaves no copy of a value behind.
    pub fn texts(&self) -> usize {
        self.0.values().filter_map(|ban| ban.reason.as_ref()).map(|reason| reason.len() * 6).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bans, with the keyed fingerprint of each value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Ban)> {
        self.0.iter().map(|(fingerprint, ban)| (fingerprint.as_str(), ban))
    }
}

impl Store {
    /// Bans what a secret is, was and was to be, and lets nothing of it serve beside a successor. A candidate, or what is only
    /// published, is known to owners, to hooks or in AWS, and nobody can tell which of all those leaked. Tells which versions were
    /// not banned before.
    pub fn ban(&mut self, name: &SecretName, at: DateTime<Utc>, reason: Option<&str>) -> Vec<VersionId> {
        let versions = self.secrets.get(name).map_or(&[][..], Vec::as_slice);
        let bans: Vec<(String, Ban)> = versions.iter().filter_map(|it| self.ban_of(name, it, at, reason)).collect();
        let mut news = Vec::new();
        for (fingerprint, ban) in bans {
            if let Entry::Vacant(place) = self.banned.0.entry(fingerprint) {
                news.push(ban.version);
                place.insert(ban);
            }
        }
        let versions = self.secrets.get_mut(name).into_iter().flatten();
        for version in versions.filter(|it| it.was_in_force() && it.life.revoked.is_none()) {
            version.life.revoked = Some(at);
        }
        self.updated = self.updated.max(at);
        news
    }

    /// Adds the bans of a newer state of this store.
    pub(super) fn keep_bans(&mut self, newer: &Banned) {
        for (fingerprint, ban) in &newer.0 {
            self.banned.0.entry(fingerprint.clone()).or_insert_with(|| ban.clone());
        }
        let banned = self.banned_versions();
        let at = |id: VersionId| newer.0.values().find(|ban| ban.version == id).map(|ban| ban.at);
        let versions = self.secrets.values_mut().flatten().filter(|it| banned.contains(&it.id) && it.was_in_force());
        for version in versions.filter(|it| it.life.revoked.is_none()) {
            version.life.revoked = at(version.id);
        }
    }

    fn ban_of(
        &self,
        name: &SecretName,
        version: &Version,
        at: DateTime<Utc>,
        reason: Option<&str>,
    ) -> Option<(String, Ban)> {
        let fingerprint = fingerprint(version, &self.fingerprint_key, &self.project)?;
        let (secret, reason) = (name.clone(), reason.map(str::to_owned));
        Some((
            fingerprint,
            Ban { secret, version: version.id, at, reason, public: derive::fingerprint(&self.project, version) },
        ))
    }

    /// Whether the value of a version is banned, under whatever name it leaked.
    pub fn is_banned(&self, version: &Version) -> bool {
        // Without a ban, nothing need be hashed.
        !self.banned.is_empty()
            && fingerprint(version, &self.fingerprint_key, &self.project)
                .is_some_and(|it| self.banned.0.contains_key(&it))
    }

    /// Whether a version was taken back, or its value is banned: no overlap is for it.
    pub fn is_leaked(&self, version: &Version) -> bool {
        version.life.revoked.is_some() || self.is_banned(version)
    }

    /// Whether the value of a secret that is in force leaked.
    pub fn is_current_leaked(&self, name: &SecretName) -> bool {
        self.current(name).is_some_and(|version| self.is_leaked(version))
    }

    /// The versions whose values are banned.
    pub fn banned_versions(&self) -> BTreeSet<VersionId> {
        let versions = self.secrets.values().flatten();
        versions.filter(|version| self.is_banned(version)).map(|version| version.id).collect()
    }

    /// Refuses with `banned` a value that leaked, as the value of whatever secret, also as a person may paste it: with blanks or
    /// line ends around it, or in base64.
    pub fn refuse_banned(&self, name: &SecretName, value: &Secret) -> Result<()> {
        if self.banned.is_empty() {
            return Ok(());
        }
        let ban_of =
            |value: &Secret| self.banned.0.get(&digest::keyed_fingerprint(&self.fingerprint_key, &self.project, value));
        let dressed =
            || undressed(value).iter().find_map(ban_of).map(|ban| (ban, ", with blanks around it or in base64"));
        let Some((ban, how)) = ban_of(value).map(|ban| (ban, "")).or_else(dressed) else { return Ok(()) };
        let whose = if ban.secret == *name { String::new() } else { format!(" as `{}`", ban.secret) };
        let since = ban.at.date_naive();
        let message = format!("refusing a value for `{name}` that leaked{whose}{how}: banned since {since}");
        Err(Error::new(Kind::Conflict, "banned", message)
            .hint("nothing was changed; a value that leaked is never taken again: supply a new one"))
    }
}

/// What a value is without what may be around it: blanks, and base64 of whatever alphabet.
fn undressed(value: &Secret) -> Vec<Secret> {
    let trimmed = value.expose().trim_ascii();
    let alphabets = [&BASE64, &BASE64_NOPAD, &BASE64URL, &BASE64URL_NOPAD];
    let decoded = alphabets.iter().find_map(|it| it.decode(trimmed).ok()).map(Secret::new);
    // As `echo VALUE | base64` encodes it.
    let inner = decoded.as_ref().map(|it| Secret::copy_of(it.expose().trim_ascii()));
    std::iter::once(Secret::copy_of(trimmed)).chain(decoded).chain(inner).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::super::tests::{now, store, version};
    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::new(text).unwrap()
    }

    fn value(bytes: &[u8]) -> Secret {
        Secret::copy_of(bytes)
    }

    /// A secret with the values `one`, `two` and `three`, the first of them purged.
    fn leaked() -> Store {
        let mut store = store("age1");
        for bytes in [&b"one"[..], b"two", b"three"] {
            store.promote(&name("A"), version(bytes, now()));
        }
        store.purge(2, &BTreeSet::new());
        store
    }

    #[test]
    fn what_a_secret_is_and_was_is_banned_under_every_name_also_what_only_a_fingerprint_is_left_of() {
        let mut store = leaked();
        assert_eq!(store.ban(&name("A"), now(), Some("in a paste")).len(), 3);
        for bytes in [&b"one"[..], b"two", b"three"] {
            for secret in ["A", "B"] {
                let error = store.refuse_banned(&name(secret), &value(bytes)).unwrap_err();
                assert_eq!((error.code(), error.kind().code()), ("banned", 7));
            }
        }
        store.refuse_banned(&name("A"), &value(b"four")).unwrap();
        assert_eq!(store.banned_versions().len(), 3);
    }

    #[test]
    fn a_banned_value_is_refused_as_a_person_may_paste_it_too() {
        let mut store = store("age1");
        store.promote(&name("A"), version(b"leaked?>~value", now()));
        store.ban(&name("A"), now(), None);
        let line = b"leaked?>~value\n";
        let pasted = [
            line.to_vec(),
            b" \tleaked?>~value\r\n".to_vec(),
            BASE64.encode(line).into_bytes(),
            BASE64URL_NOPAD.encode(&line[..14]).into_bytes(),
            (BASE64.encode(&line[..14]) + "\n").into_bytes(),
        ];
        for bytes in &pasted {
            let error = store.refuse_banned(&name("B"), &value(bytes)).unwrap_err();
            assert_eq!(error.code(), "banned");
            assert!(error.to_string().contains("with blanks around it or in base64"), "{error}");
        }
        for bytes in [&b"leaked?>~values"[..], b"another value", b"", b"\n"] {
            store.refuse_banned(&name("B"), &value(bytes)).unwrap();
        }
    }

    #[test]
    fn a_second_ban_changes_nothing_but_for_values_that_are_new() {
        let mut store = leaked();
        store.ban(&name("A"), now(), None);
        let before = store.banned.clone();
        assert_eq!(store.ban(&name("A"), now() + chrono::TimeDelta::days(1), Some("again")), []);
        assert_eq!(store.banned, before);
        store.promote(&name("A"), version(b"four", now()));
        assert!(!store.is_banned(store.current(&name("A")).unwrap()));
        assert_eq!(store.ban(&name("A"), now(), None), [store.current(&name("A")).unwrap().id]);
    }

    #[test]
    fn a_banned_value_is_not_delivered_beside_its_successor() {
        let mut store = leaked();
        store.ban(&name("A"), now(), None);
        store.promote(&name("A"), version(b"four", now()));
        let old = store.secrets[&name("A")].iter().filter(|version| version.stage == Stage::Previous);
        assert!(old.count() == 2 && store.secrets[&name("A")][..3].iter().all(|it| it.life.revoked == Some(now())));
    }

    #[test]
    fn what_was_to_come_into_force_is_banned_too() {
        let mut store = leaked();
        store.stage(&name("A"), version(b"given up", now()));
        store.leave_candidate(&name("A"), now());
        store.stage(&name("A"), version(b"candidate", now()));
        store.publish(&name("A"), version(b"next", now()));
        assert_eq!(store.ban(&name("A"), now(), None).len(), 6);
        for bytes in [&b"given up"[..], b"candidate", b"next"] {
            store.refuse_banned(&name("A"), &value(bytes)).unwrap_err();
        }
    }

    #[test]
    fn only_a_value_that_cannot_be_guessed_has_a_public_fingerprint() {
        let mut store = store("age1");
        store.promote(&name("DRAWN"), version(b"drawn", now()));
        store.promote(&name("WEAK"), Version { bits: Some(127), ..version(b"weak", now()) });
        store.promote(&name("GIVEN"), Version { origin: super::super::Origin::Set, ..version(b"given", now()) });
        for secret in ["DRAWN", "GIVEN", "WEAK"] {
            store.ban(&name(secret), now(), None);
        }
        let public =
            |secret: &str| store.banned.iter().find(|(_, it)| it.secret == name(secret)).unwrap().1.public.clone();
        let expected = digest::public_fingerprint("p", &Secret::copy_of(b"drawn"));
        assert_eq!([public("DRAWN"), public("GIVEN"), public("WEAK")], [Some(expected), None, None]);
    }

    #[test]
    fn neither_a_ban_nor_its_error_shows_a_value() {
        let mut store = store("age1");
        store.promote(&name("A"), version(b"hunter2-canary", now()));
        store.ban(&name("A"), now(), None);
        let error = store.refuse_banned(&name("A"), &value(b"hunter2-canary")).unwrap_err();
        let shown = format!("{error} {:?} {}", store.banned, serde_json::to_string(&store.banned).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
