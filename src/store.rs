//! The sealed store: versions of every value and their stages, and the ledger derived from it.
//!
//! [`Store`] is the truth in memory; [`seal`] turns it into an age file and back, [`files`] keeps that file,
//! its second copy and the ledger on disk. Nothing else knows age.

pub mod agreement;
pub mod banned;
mod bulk;
mod candidates;
pub mod certificates;
pub mod change;
mod clock;
pub mod derive;
pub mod files;
mod format;
pub mod identity;
pub mod incidents;
pub mod issued;
mod kept;
pub mod ledger;
mod newer;
pub mod recover;
pub mod rotations;
pub mod seal;
pub mod second_copy;
pub mod synced;
mod untold;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::manifest::Declaration;
use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::parts::{Part, Parts};
use crate::secret::{Secret, digest, random};
use banned::Banned;
use certificates::Certificates;
use change::Change;
pub use clock::CLOCK_TOLERANCE;
use incidents::Incidents;
use issued::Issued;
pub use kept::Kept;
use rotations::Rotations;
use synced::Synced;
pub use version::{Life, Origin, Stage, Version};

/// Where the project keeps what is ours.
pub const DIRECTORY: &str = ".vault-kit";

/// More bytes than a store or a ledger has: values of millions of secrets.
const LARGEST: u64 = 1 << 30;

/// Everything that is kept of one environment.
#[derive(Debug)]
pub struct Store {
    /// The project's name.
    pub project: String,
    /// The environment.
    pub environment: EnvName,
    /// Drawn once when the store is made.
    pub store_id: VersionId,
    /// Raised by every change.
    pub generation: u64,
    /// The newest time that any change was made at.
    pub updated: DateTime<Utc>,
    /// Who can open it, by a person's name.
    pub recipients: Recipients,
    /// The AWS account and prefix that it was bound to.
    pub aws: Option<AwsBinding>,
    /// Key of the keyed fingerprints.
    pub fingerprint_key: Secret,
    /// The changes whose lines the audit record may still lack, oldest first.
    pub changes: Vec<Change>,
    /// What was issued to others.
    pub issued: Issued,
    /// Versions by secret, oldest first; at most one of them is current.
    pub secrets: BTreeMap<SecretName, Vec<Version>>,
    /// What is remembered of certificates.
    pub certificates: Certificates,
    /// What AWS had when it was last compared.
    pub synced: Synced,
    /// The rotations that are on their way.
    pub rotations: Rotations,
    /// Values that leaked.
    pub banned: Banned,
    /// Leaks that were acted on.
    pub incidents: Incidents,
}

/// Who can open a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipients {
    /// Whether the manifest declares them; otherwise the user who made the store.
    pub declared: bool,
    /// age recipients by a person's name.
    pub keys: BTreeMap<String, String>,
}

/// What in AWS a store belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AwsBinding {
    /// Twelve digits.
    pub account: Option<String>,
    /// Prefix of every secret's name.
    pub prefix: Option<String>,
}

impl Store {
    /// A new store without secrets.
    pub fn new(project: &str, environment: &EnvName, recipients: Recipients, now: DateTime<Utc>) -> Result<Self> {
        Ok(Self {
            project: project.to_owned(),
            environment: environment.clone(),
            store_id: random::version_id()?,
            generation: 0,
            updated: now,
            recipients,
            aws: None,
            fingerprint_key: Secret::copy_of(&random::array::<32>()?),
            changes: Vec::new(),
            issued: Issued::default(),
            secrets: BTreeMap::new(),
            certificates: Certificates::default(),
            synced: Synced::default(),
            rotations: Rotations::default(),
            banned: Banned::default(),
            incidents: Incidents::new(),
        })
    }

    /// The current version of a secret.
    pub fn current(&self, name: &SecretName) -> Option<&Version> {
        self.secrets.get(name)?.iter().rev().find(|version| version.stage == Stage::Current)
    }

    /// The current version of a declared secret, unless it was made as something that the declaration does not accept.
    pub fn value(&self, declaration: &Declaration) -> Option<&Version> {
        self.current(&declaration.name).filter(|version| declaration.kind.accepts(&version.kind))
    }

    /// Makes a version current; what it replaces becomes previous.
    pub fn promote(&mut self, name: &SecretName, version: Version) {
        self.updated = self.updated.max(version.created);
        self.take_up(name, &version);
        let versions = self.secrets.entry(name.clone()).or_default();
        // One that was published ahead of this one has never signed.
        versions.retain(|old| old.stage != Stage::Next);
        replace(versions, version.created);
        versions.push(version);
    }

    /// Keeps a version that is published, and not current before [`Store::activate`]; in the place of one that was.
    pub fn publish(&mut self, name: &SecretName, version: Version) {
        let published = version.life.published.unwrap_or(version.created);
        self.updated = self.updated.max(published);
        let life = Life { published: Some(published), ..version.life };
        let versions = self.secrets.entry(name.clone()).or_default();
        versions.retain(|old| old.stage != Stage::Next);
        versions.push(Version { stage: Stage::Next, life, ..version });
    }

    /// The version of a secret that is published and not current yet.
    pub fn next(&self, name: &SecretName) -> Option<&Version> {
        self.secrets.get(name)?.iter().find(|version| version.stage == Stage::Next)
    }

    /// Forgets the version of a secret that is published: it has never signed.
    pub fn withdraw(&mut self, name: &SecretName, now: DateTime<Utc>) {
        if self.next(name).is_some() {
            self.secrets.entry(name.clone()).or_default().retain(|version| version.stage != Stage::Next);
            self.updated = self.updated.max(now);
        }
    }

    /// Notes that others may know the published version only since then.
    pub fn renew_published(&mut self, name: &SecretName, since: DateTime<Utc>) {
        if let Some(next) = self.next_mut(name) {
            next.life.published = next.life.published.max(Some(since));
        }
    }

    /// The same, to be changed.
    pub fn next_mut(&mut self, name: &SecretName) -> Option<&mut Version> {
        self.secrets.get_mut(name)?.iter_mut().find(|version| version.stage == Stage::Next)
    }

    /// Makes the published version current; what it replaces becomes previous.
    pub fn activate(&mut self, name: &SecretName, now: DateTime<Utc>) {
        let Some(versions) = self.secrets.get_mut(name) else { return };
        if versions.iter().any(|version| version.stage == Stage::Next) {
            replace(versions, now);
            versions.iter_mut().filter(|it| it.stage == Stage::Next).for_each(|it| it.stage = Stage::Current);
            self.updated = self.updated.max(now);
        }
    }

    /// Lets nothing that was replaced be accepted any more; tells whether there was anything.
    pub fn revoke_replaced(&mut self, name: &SecretName, now: DateTime<Utc>) -> bool {
        let mut is_changed = false;
        let versions = self.secrets.get_mut(name).into_iter().flatten();
        for old in versions.filter(|it| it.life.replaced.is_some() && it.life.revoked.is_none()) {
            old.life.revoked = Some(now);
            is_changed = true;
        }
        if is_changed {
            self.updated = self.updated.max(now);
        }
        is_changed
    }

    /// Wipes the private halves of the key pairs that were replaced: they only verify from now on.
    pub fn wipe_private(&mut self, name: &SecretName) {
        let versions = self.secrets.get_mut(name).into_iter().flatten();
        for old in versions.filter(|version| version.stage == Stage::Previous) {
            let Some(public) = old.parts.part(Part::Public).map(Secret::duplicate) else { continue };
            old.fingerprint = fingerprint(old, &self.fingerprint_key, &self.project);
            old.parts = Parts::default().with(Part::Public, public);
        }
    }

    /// Purges all but the newest `keep` versions of each secret to a fingerprint, except those that are `delivered`:
    /// a file that still holds one is in use, however many versions were made since.
    pub fn purge(&mut self, keep: usize, delivered: &BTreeSet<VersionId>) {
        for versions in self.secrets.values_mut() {
            let is_version = |version: &Version| !matches!(version.stage, Stage::Candidate | Stage::Aborted);
            let surplus = versions.iter().filter(|it| is_version(it)).count().saturating_sub(keep.max(1));
            // What was encrypted with an old key is lost with the key, and what an old CA signed can be revoked by
            // nobody else: those are kept for good.
            let is_needed = |old: &Version| ["ca", "encryption-key"].contains(&old.kind.as_str());
            let may_go =
                |old: &&mut Version| old.stage == Stage::Previous && !is_needed(old) && !delivered.contains(&old.id);
            for old in versions.iter_mut().filter(|it| is_version(it)).take(surplus).filter(may_go) {
                purge(old, &self.fingerprint_key, &self.project);
            }
            kept::bound(versions);
        }
    }

    /// Forgets a secret with all its versions; tells whether there was one. Whoever holds a token of it may go on with that,
    /// so the key that signed it is kept as for those that nobody recorded.
    pub fn remove(&mut self, name: &SecretName) -> bool {
        self.note_forgotten(name);
        self.rotations.running.remove(name);
        self.rotations.untold.remove(name);
        self.rotations.refused.remove(name);
        let Some(versions) = self.secrets.remove(name) else { return false };
        for token in versions.iter().filter(|it| it.kind == "token") {
            if let (Some(kid), Some(expires)) = (token.facts.get("kid"), token.expires) {
                self.issued.cover(kid, expires);
            }
        }
        true
    }
}

/// Makes the current version a previous one.
fn replace(versions: &mut [Version], now: DateTime<Utc>) {
    for old in versions.iter_mut().filter(|old| old.stage == Stage::Current) {
        old.stage = Stage::Previous;
        old.life.replaced = Some(now);
    }
}

/// The keyed fingerprint of the value; that of before when the value is gone.
fn fingerprint(version: &Version, key: &Secret, project: &str) -> Option<String> {
    let value = version.parts.primary();
    value.map(|value| digest::keyed_fingerprint(key, project, value)).or_else(|| version.fingerprint.clone())
}

fn purge(version: &mut Version, key: &Secret, project: &str) {
    wipe(version, key, project);
    version.stage = Stage::Purged;
}

/// Leaves of a value what a search and a ban know it by.
fn wipe(version: &mut Version, key: &Secret, project: &str) {
    version.public = Kept::of(project, version).filter(|it| it.alphabet.is_some());
    version.fingerprint = fingerprint(version, key, project);
    version.parts = Parts::default();
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Stage::{Current, Previous, Purged};
    use super::*;

    pub(crate) fn version(value: &[u8], created: DateTime<Utc>) -> Version {
        Version {
            id: random::version_id().unwrap(),
            kind: "random".into(),
            stage: Stage::Current,
            origin: Origin::Generated,
            created,
            expires: None,
            life: Life::default(),
            bits: Some(256),
            recipe: None,
            inputs: BTreeMap::new(),
            facts: BTreeMap::new(),
            fingerprint: None,
            public: None,
            parts: Parts::value(Secret::copy_of(value)),
        }
    }

    pub(crate) fn store(recipient: &str) -> Store {
        let keys = BTreeMap::from([("me".to_owned(), recipient.to_owned())]);
        let environment = EnvName::new("dev").unwrap();
        Store::new("p", &environment, Recipients { declared: false, keys }, now()).unwrap()
    }

    pub(crate) fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn the_newest_version_is_current_and_the_sixth_oldest_keeps_only_its_fingerprint() {
        let mut store = store("age1");
        let name = SecretName::new("A").unwrap();
        for value in 0..6_u8 {
            store.promote(&name, version(&[b'a' + value], now()));
        }
        store.purge(5, &BTreeSet::new());
        let stages: Vec<_> = store.secrets[&name].iter().map(|version| version.stage).collect();
        assert_eq!(stages, [Purged, Previous, Previous, Previous, Previous, Current]);
        let oldest = &store.secrets[&name][0];
        assert!(oldest.parts.primary().is_none());
        let expected = digest::keyed_fingerprint(&store.fingerprint_key, "p", &Secret::copy_of(b"a"));
        assert_eq!(oldest.fingerprint.as_deref(), Some(expected.as_str()));
        assert_eq!(store.current(&name).unwrap().parts.primary(), Some(&Secret::copy_of(b"f")));
    }

    #[test]
    fn a_delivered_version_outlives_keep_and_goes_once_it_is_not_delivered() {
        let mut store = store("age1");
        let name = SecretName::new("A").unwrap();
        for value in 0..4_u8 {
            store.promote(&name, version(&[b'a' + value], now()));
        }
        let delivered = BTreeSet::from([store.secrets[&name][1].id]);
        store.purge(1, &delivered);
        let stages = |store: &Store| store.secrets[&name].iter().map(|version| version.stage).collect::<Vec<_>>();
        assert_eq!(stages(&store), [Purged, Previous, Purged, Current]);
        store.purge(1, &BTreeSet::new());
        assert_eq!(stages(&store), [Purged, Purged, Purged, Current]);
    }

    #[test]
    fn an_encryption_key_and_a_ca_are_never_purged() {
        let mut store = store("age1");
        let name = SecretName::new("A").unwrap();
        for kind in ["ca", "encryption-key", "ca"] {
            store.promote(&name, Version { kind: kind.into(), ..version(b"a", now()) });
        }
        store.purge(1, &BTreeSet::new());
        assert!(store.secrets[&name].iter().all(|version| version.parts.primary().is_some()));
    }
}
