//! What writing would do, for those who only ask.

use std::collections::{BTreeMap, BTreeSet};

use super::ignored;
use super::places::Places;
use super::{Delivered, FileReport, Outcome, Prepared, PreparedFile};
use crate::error::{Error, Result};
use crate::name::{OutputName, SecretName};
use crate::secret::digest::sha256_hex;
use crate::store::ledger::DeliveredFile;
use crate::world::World;

/// What a rehearsal says beside what stands against a file.
const CHANGED_ALL_THE_SAME: &str = "the rest would be done all the same; then `vault-kit render` writes the file";

/// The secrets that change by output.
pub type Changing = BTreeMap<OutputName, BTreeSet<SecretName>>;

impl Prepared<'_> {
    /// What writing would do.
    pub fn rehearsed(self, world: &World<'_>, old: &BTreeMap<String, DeliveredFile>) -> Result<Delivered> {
        let mut delivered = Delivered::default();
        delivered.files.extend(self.ended(world, old).into_iter().map(FileReport::removed));
        for it in &self.files {
            let outcome = match self.places.read(&it.file.path)? {
                None => Outcome::Created,
                Some(bytes) if bytes != it.file.bytes || it.is_link_no_more(&self.places)? => Outcome::Replaced,
                Some(_) if it.is_wider_than_declared(&self.places)? => Outcome::Tightened,
                Some(_) if it.is_narrower_than_declared(&self.places)? => Outcome::Replaced,
                Some(_) => Outcome::Unchanged,
            };
            delivered.files.push(it.report(outcome));
        }
        let mut left = self.still_there(old);
        left.retain(|path, _| self.files.iter().all(|it| it.file.path != *path));
        delivered.outdated = self.outdated(&left);
        delivered.waiting = self.waiting;
        delivered.warnings = self.warnings;
        delivered.ignored = ignored::names(&ignored::lacking(Some(world.project), world.manifest)?);
        let against = |error: Error| error.incomplete().hint(CHANGED_ALL_THE_SAME);
        delivered.refused = self.refused.into_iter().map(against).collect();
        Ok(delivered)
    }
}

impl Prepared<'_> {
    /// The outputs of which a file is going to hold something else, or to be there no more, and the declared secrets of
    /// which it does: all of a file where nobody can tell.
    pub fn changing(&self, world: &World<'_>, old: &BTreeMap<String, DeliveredFile>) -> Result<Changing> {
        let mut changing = Changing::new();
        for record in self.ended(world, old).iter().map(|path| &old[path]) {
            changing
                .entry(record.output.clone())
                .or_default()
                .extend(record.holds.keys().map(|it| declared(world, it)));
        }
        for it in &self.files {
            if self.places.read(&it.file.path)?.is_some_and(|now| now == it.file.bytes) {
                continue;
            }
            let before = old.get(&it.file.path).map(|record| &record.holds);
            let names = it.holds.keys().chain(before.into_iter().flat_map(BTreeMap::keys));
            let is_other = |name: &&SecretName| before.and_then(|held| held.get(*name)) != it.holds.get(*name);
            let mut other = names.filter(is_other).peekable();
            let secrets = changing.entry(it.output.name.clone()).or_default();
            if other.peek().is_some() {
                secrets.extend(other.map(|name| declared(world, name)));
            } else {
                secrets.extend(it.holds.keys().map(|name| declared(world, name)));
            }
        }
        Ok(changing)
    }

    /// Whether a file holds other versions than it should, as far as the ledger knows without a look at it.
    pub fn is_behind(&self, world: &World<'_>, old: &BTreeMap<String, DeliveredFile>) -> bool {
        let is_other = |it: &PreparedFile<'_>| {
            let digest = it.file.digested.then(|| sha256_hex(it.file.bytes.expose()));
            old.get(&it.file.path).is_none_or(|record| record.holds != it.holds || record.digest != digest)
        };
        self.files.iter().any(is_other) || !self.ended(world, old).is_empty()
    }
}

/// The secret that is delivered under a name, which may be that of its previous value.
fn declared(world: &World<'_>, name: &SecretName) -> SecretName {
    let declared = world.manifest.secret(name).or_else(|| world.manifest.of_previous(name));
    declared.map_or(name, |it| &it.name).clone()
}

impl PreparedFile<'_> {
    /// Finds by a trial what the system refuses.
    pub(super) fn preflight(&self, places: &Places<'_>) -> Result<()> {
        let (root, path) = places.of(&self.file.path)?;
        match path.rsplit_once('/').filter(|_| self.output.atomic) {
            Some((directory, name)) => root.preflight_switch(directory, name, &self.options),
            None => root.preflight(path, &self.options),
        }
    }

    /// As [`PreparedFile::preflight`], without a trial.
    pub(super) fn foresee(&self, places: &Places<'_>) -> Result<()> {
        let (root, path) = places.of(&self.file.path)?;
        if self.output.atomic { Ok(()) } else { root.foresee(path, &self.options) }
    }

    /// Whether it was one of files that were switched together, and is to be a plain one.
    fn is_link_no_more(&self, places: &Places<'_>) -> Result<bool> {
        let (root, path) = places.of(&self.file.path)?;
        Ok(!self.output.atomic && root.is_switched(path)?)
    }

    fn is_wider_than_declared(&self, places: &Places<'_>) -> Result<bool> {
        let (root, path) = places.of(&self.file.path)?;
        Ok(root.facts(path)?.is_some_and(|facts| facts.mode & !self.options.mode != 0))
    }

    /// Whether somebody who should have access has not.
    fn is_narrower_than_declared(&self, places: &Places<'_>) -> Result<bool> {
        let (root, path) = places.of(&self.file.path)?;
        Ok(root.facts(path)?.is_some_and(|facts| facts.mode & 0o777 != self.options.mode))
    }
}
