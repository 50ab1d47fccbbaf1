//! What owners know: which values hooks told them, which of those they may still accept, and which value in force they lack.

use chrono::{DateTime, Utc};

use super::rotations::Operation;
use super::{Stage, Store, Version, wipe};
use crate::manifest::hook::USERNAME;
use crate::name::{SecretName, VersionId};

impl Store {
    /// Whether a hook has yet to tell the owner of a secret the value that is in force: no owner knows one that was promoted while
    /// no hook was there, if it was told another one before.
    pub fn is_untold(&self, name: &SecretName) -> bool {
        let Some(current) = self.current(name) else { return false };
        self.rotations.untold.get(name) == Some(&current.id) || current.life.told.is_none() && self.was_told(name)
    }

    /// Notes that the value in force of a secret is not known to its owner; tells whether that is new.
    pub fn owe_owner(&mut self, name: &SecretName) -> bool {
        let Some(id) = self.current(name).map(|version| version.id) else { return false };
        self.rotations.untold.insert(name.clone(), id) != Some(id)
    }

    /// Notes that the owner of a secret accepts a version.
    pub fn note_told(&mut self, name: &SecretName, id: VersionId, now: DateTime<Utc>) {
        let versions = self.secrets.get_mut(name).into_iter().flatten();
        versions.filter(|it| it.id == id).for_each(|it| it.life.told = Some(now));
        if self.rotations.untold.get(name) == Some(&id) {
            self.rotations.untold.remove(name);
        }
    }

    /// Notes that the owner of a secret accepts a version which came from elsewhere, if hooks told it another one before.
    pub fn note_known(&mut self, name: &SecretName, id: VersionId, now: DateTime<Utc>) {
        if self.was_told(name) {
            self.note_told(name, id, now);
        }
    }

    fn was_told(&self, name: &SecretName) -> bool {
        self.versions(name).any(|version| version.life.told.is_some())
    }

    /// Notes that the owner of a secret accepts a value no more, whichever version it is the value of.
    pub fn note_retired(&mut self, name: &SecretName, id: VersionId, now: DateTime<Utc>) {
        let Some(versions) = self.secrets.get_mut(name) else { return };
        let same = versions.iter().find(|it| it.id == id).map(|retired| {
            let same = versions.iter().filter(|it| it.id == id || it.was_replaced() && is_same(it, retired));
            same.map(|it| it.id).collect::<Vec<_>>()
        });
        let same = same.unwrap_or_default();
        versions.iter_mut().filter(|it| same.contains(&it.id)).for_each(|it| it.life.retired = Some(now));
        // Nobody accepts it any more, and nothing was ever delivered of it.
        let is_its = |it: &Version| it.stage == Stage::Aborted && same.contains(&it.id);
        versions.retain(|it| !is_its(it) || it.has_value() || it.was_given_up());
        let given_up = versions.iter_mut().filter(|it| is_its(it));
        given_up.for_each(|it| wipe(it, &self.fingerprint_key, &self.project));
    }

    /// Notes that the owner of a secret has what it was told last in the place of all that it was told before.
    pub fn note_overwritten(&mut self, name: &SecretName, now: DateTime<Utc>) {
        let versions = self.secrets.get_mut(name).into_iter().flatten();
        let mut told: Vec<&mut Version> = versions.filter(|it| it.life.told.is_some()).collect();
        told.sort_by_key(|it| it.life.told);
        told.pop();
        for it in told {
            it.life.retired = it.life.retired.or(Some(now));
        }
    }

    /// The replaced values that the owner of a secret may still accept, oldest first: the last one, those that hooks told it, and
    /// those that were given up, as far as no hook had it refuse them. What came back is not among them.
    pub fn to_retire(&self, name: &SecretName) -> impl Iterator<Item = &Version> {
        let last = self.before(name).map(|version| version.id);
        let current = self.current(name);
        let may_be_accepted = move |it: &&Version| {
            let is_known = it.life.told.is_some() || last == Some(it.id);
            let has_ended = it.life.retired.is_some() || current.is_some_and(|current| is_same(it, current));
            it.was_replaced() && is_known && !has_ended
        };
        self.secrets.get(name).into_iter().flatten().filter(may_be_accepted)
    }

    /// The versions that the owner of a secret is to refuse once `base` was replaced, that one last. Where `waits`, its owner is told
    /// nothing that it does not know before a hook did so: without what it was told last it would accept nothing, so that what did
    /// not leak waits until it knows the value in force.
    pub fn to_refuse(&self, name: &SecretName, base: VersionId, waits: bool) -> Vec<VersionId> {
        let is_untold = self.is_untold(name);
        let is_leaked = |id: &VersionId| self.version(name, *id).is_some_and(|it| self.is_leaked(it));
        // What was given up may be all that an owner accepts which was not told the value in force.
        let is_told = |it: &&Version| it.was_in_force() || !is_untold;
        let others = self.to_retire(name).filter(is_told).map(|it| it.id).filter(|id| *id != base);
        others.chain([base]).filter(|id| !waits || !is_untold || is_leaked(id)).collect()
    }

    /// Whether there is nothing of what a rotation replaced that the owner of a secret is to refuse before it is told the value in
    /// force, by a hook that can.
    pub fn waits_for_owner(&self, name: &SecretName) -> bool {
        let operation = self.rotations.running.get(name).filter(|it| !it.is_open());
        operation.is_some_and(|it| self.to_refuse(name, it.base, true).is_empty())
    }

    /// Gives up the candidate of a secret whose owner may accept it: it is kept until a hook has it refused.
    pub fn leave_candidate(&mut self, name: &SecretName, now: DateTime<Utc>) {
        let is_candidate = |it: &&Version| it.stage == Stage::Candidate;
        let Some(id) = self.secrets.get(name).into_iter().flatten().find(is_candidate).map(|it| it.id) else { return };
        if let Some(before) = self.again(name, id).map(|it| it.id) {
            self.note_told(name, before, now);
            return self.drop_candidate(name);
        }
        for version in self.secrets.get_mut(name).into_iter().flatten().filter(|it| it.id == id) {
            version.stage = Stage::Aborted;
            version.life.told = Some(now);
        }
    }

    /// The replaced version whose value a candidate has again, as long as its owner may accept it.
    pub fn again(&self, name: &SecretName, candidate: VersionId) -> Option<&Version> {
        let candidate = self.version(name, candidate)?;
        let is_kept = |it: &&Version| it.stage == Stage::Previous && it.life.retired.is_none();
        self.versions(name).rev().filter(is_kept).find(|it| is_same(it, candidate))
    }

    /// Whether the value in force is that of a candidate: another host may have brought it into force.
    pub fn is_in_force(&self, name: &SecretName, candidate: VersionId) -> bool {
        let Some(current) = self.current(name) else { return false };
        current.id == candidate || self.version(name, candidate).is_some_and(|it| is_same(it, current))
    }

    /// Begins a rotation. What another one had yet to retire is left to whoever retires next.
    pub fn begin(&mut self, name: &SecretName, operation: Operation) {
        let base = operation.base;
        if let Some(before) = self.rotations.running.insert(name.clone(), operation).filter(|it| it.base != base) {
            let is_untold = self.version(name, before.base).is_some_and(|it| it.life.told.is_none());
            if is_untold {
                self.note_told(name, before.base, before.started);
            }
        }
    }
}

/// Whether an owner could not tell one from the other.
fn is_same(one: &Version, other: &Version) -> bool {
    one.parts == other.parts && one.facts.get(USERNAME) == other.facts.get(USERNAME)
}
