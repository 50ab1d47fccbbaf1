//! Versions that are on their way: nobody's before they come into force, or are published.

use chrono::{DateTime, Utc};

use super::{Life, Stage, Store, Version, fingerprint, replace, wipe};
use crate::name::SecretName;

impl Store {
    /// Keeps a version that is to become the current one when its rotation is promoted, and until then is nobody's.
    pub fn stage(&mut self, name: &SecretName, version: Version) {
        self.take_up(name, &version);
        self.updated = self.updated.max(version.created);
        self.secrets.entry(name.clone()).or_default().push(Version { stage: Stage::Candidate, ..version });
    }

    /// Makes the candidate of a secret its current version; tells whether there was one.
    pub fn promote_candidate(&mut self, name: &SecretName, now: DateTime<Utc>) -> bool {
        let Some(versions) = self.secrets.get_mut(name) else { return false };
        let Some(index) = versions.iter().position(|version| version.stage == Stage::Candidate) else { return false };
        let candidate = versions.remove(index);
        // As with [`Store::promote`]: one that was published ahead of this one has never signed.
        versions.retain(|old| old.stage != Stage::Next);
        replace(versions, now);
        versions.push(Version { stage: Stage::Current, ..candidate });
        self.updated = self.updated.max(now);
        true
    }

    /// Publishes the candidate of a secret, which is known to others since `published`.
    pub fn publish_candidate(&mut self, name: &SecretName, published: DateTime<Utc>) {
        let versions = self.secrets.entry(name.clone()).or_default();
        let Some(index) = versions.iter().position(|version| version.stage == Stage::Candidate) else { return };
        let candidate = versions.remove(index);
        let life = Life { published: Some(published), ..candidate.life };
        self.publish(name, Version { life, ..candidate });
    }

    /// Forgets the candidate of a secret, of which nobody else knows.
    pub fn drop_candidate(&mut self, name: &SecretName) {
        if let Some(versions) = self.secrets.get_mut(name) {
            versions.retain(|version| version.stage != Stage::Candidate);
        }
    }

    /// Gives up the candidate of a secret that others were told: should it leak, a search finds it and it can be banned, as what was
    /// purged. What has the value of another version is known by that, and of keys and certificates no fingerprint finds any.
    pub fn give_up_candidate(&mut self, name: &SecretName, now: DateTime<Utc>) {
        let Some(versions) = self.secrets.get_mut(name) else { return };
        let is_candidate = |it: &Version| it.stage == Stage::Candidate;
        let Some(index) = versions.iter().position(is_candidate) else { return };
        let mut candidate = versions.remove(index);
        if candidate.has_value() && !versions.iter().any(|it| it.parts == candidate.parts) {
            wipe(&mut candidate, &self.fingerprint_key, &self.project);
            candidate.stage = Stage::Aborted;
            candidate.life.retired = candidate.life.told.map(|_| now);
            versions.push(candidate);
        }
    }

    /// Forgets that a value was given up which comes all the same: another host may have put it in force.
    pub(super) fn take_up(&mut self, name: &SecretName, version: &Version) {
        let Some(versions) = self.secrets.get_mut(name) else { return };
        if versions.iter().any(Version::was_given_up) {
            let taken = fingerprint(version, &self.fingerprint_key, &self.project);
            versions.retain(|it| !it.was_given_up() || it.id != version.id && it.fingerprint != taken);
        }
    }
}
