//! Versions of what other hosts made: pulled, or claimed together with them.

use chrono::SubsecRound;

use super::make::{context, owner, recipe};
use crate::error::Result;
use crate::gather::Gather;
use crate::generate;
use crate::manifest::Declaration;
use crate::manifest::hook::USERNAME;
use crate::name::VersionId;
use crate::secret::parts::{Part, Parts};
use crate::store::{Life, Origin, Stage, Store, Version};
use crate::sync::pull::Taken;
use crate::world::World;

impl World<'_> {
    /// Makes a value that was pulled the current version, with the id that it has on the other side: then a `kid` that
    /// is made of the id is the same everywhere. Of a key pair or root the one that signs next is published, or is not any more; a
    /// host that knew the current one as that activates it.
    pub fn take_over(&self, store: &mut Store, declaration: &Declaration, mut taken: Taken) -> Result<()> {
        let name = &declaration.name;
        let (next, known) = (taken.next.take(), taken.read.unwrap_or(self.now));
        let created = taken.created;
        let is_of =
            |version: Option<&Version>| version.is_some_and(|it| declaration.sends_next() && it.parts == taken.parts);
        if is_of(store.next(name)) {
            store.activate(name, self.now);
            self.wipe_replaced_keys(store, name);
        } else if !is_of(store.value(declaration)) {
            self.take_current(store, declaration, taken)?;
        }
        let Some(next) = next else {
            store.withdraw(name, self.now);
            return Ok(());
        };
        if store.next(name).is_none_or(|it| it.parts != next) {
            let version = self.version_of(declaration, next)?;
            let created = created.map_or(self.now, |there| there.trunc_subsecs(0).min(self.now));
            let life = Life { published: Some(known), ..version.life };
            store.publish(name, Version { created, life, ..version });
        }
        Ok(())
    }

    fn take_current(&self, store: &mut Store, declaration: &Declaration, taken: Taken) -> Result<()> {
        let mut version = self.version_of(declaration, taken.parts)?;
        version.id = taken.version.unwrap_or(version.id);
        let known = store.secrets.get(&declaration.name).and_then(|all| all.iter().find(|old| old.id == version.id));
        version.facts.extend(match (taken.username, known) {
            (Some(told), _) => Some((USERNAME.to_owned(), told)),
            (None, Some(before)) => before.facts.get_key_value(USERNAME).map(|(key, name)| (key.clone(), name.clone())),
            (None, None) => owner(store, declaration),
        });
        version.inputs = declaration
            .references()
            .into_iter()
            .filter_map(|name| {
                let input = store.value(self.manifest.secret(name)?)?;
                Some((name.clone(), input.id))
            })
            .gather();
        // A version that was in force before comes back: it stands once.
        if let Some(versions) = store.secrets.get_mut(&declaration.name) {
            let before = versions.iter().find(|old| old.id == version.id);
            // What was revoked here stays so once it is replaced again.
            version.life.revoked = before.and_then(|old| old.life.revoked);
            versions.retain(|old| old.id != version.id);
        }
        let id = version.id;
        store.promote(&declaration.name, version);
        // It replaced the one before right now, and is as old as it is there.
        let versions = store.secrets.get_mut(&declaration.name).into_iter().flatten();
        for version in versions.filter(|it| it.id == id) {
            version.created = taken.created.map_or(self.now, |there| there.trunc_subsecs(0).min(self.now));
        }
        self.wipe_replaced_keys(store, &declaration.name);
        // Whoever brought it there told its owner.
        store.note_known(&declaration.name, id, self.now);
        Ok(())
    }

    /// A version of what the other side made of the same declaration.
    fn version_of(&self, declaration: &Declaration, parts: Parts) -> Result<Version> {
        let telling = [Part::Value, Part::Cert, Part::Key].into_iter().find_map(|part| parts.part(part));
        let facts = telling.map(generate::inspect).unwrap_or_default();
        let context = context(self.manifest, self.environment, self.now);
        let recipe = recipe(declaration, self.manifest, self.environment, &context);
        Ok(Version { recipe, ..self.given_parts(declaration, parts, facts, Origin::Pulled)? })
    }

    /// Makes a value that is the new one on all hosts the candidate of a secret, with the id that it has on them.
    pub(crate) fn stage_taken(&self, store: &mut Store, declaration: &Declaration, taken: Taken) -> Result<VersionId> {
        let name = &declaration.name;
        let all = store.secrets.entry(name.clone()).or_default();
        let own = all.iter().position(|it| it.stage == Stage::Candidate && it.parts == taken.parts);
        let mut version = if let Some(place) = own {
            all.remove(place)
        } else {
            let mut version = self.version_of(declaration, taken.parts)?;
            let told = taken.username.map(|name| (USERNAME.to_owned(), name));
            version.facts.extend(told.or_else(|| owner(store, declaration)));
            version
        };
        version.id = taken.version.unwrap_or(version.id);
        let id = version.id;
        store.drop_candidate(name);
        store.stage(name, version);
        Ok(id)
    }
}
