//! What the planner is told of the store and of the key sets on the disk.

use chrono::{DateTime, Utc};

use super::recipes;
use crate::deliver::document;
use crate::name::SecretName;
use crate::plan::{Known, Next, Observed};
use crate::rotation;
use crate::store::{Stage, Store, Version};
use crate::world::World;

impl World<'_> {
    /// What the store holds, for the planner.
    pub fn observe(&self, store: &Store) -> Observed {
        let known = |version: &Version| Known {
            version: version.id,
            recipe: version.recipe.clone(),
            inputs: version.inputs.clone(),
        };
        let declared = self.manifest.secrets.values();
        let secrets = declared.filter_map(|it| Some((it.name.clone(), known(store.value(it)?)))).collect();
        let mut observed =
            Observed { secrets, recipes: recipes(self.manifest, self.environment, self.now), ..Observed::default() };
        self.observe_keys(store, &mut observed);
        observed
    }

    /// Which keys verifiers know by a key set, and which of those have a successor that is published.
    fn observe_keys(&self, store: &Store, observed: &mut Observed) {
        for declaration in self.manifest.secrets_in(self.environment) {
            let name = &declaration.name;
            if let Some(max_age) = rotation::max_age(self.manifest, self.environment, name) {
                observed.published.insert(name.clone(), self.now + max_age);
            }
            let companions = rotation::companions(self.manifest, declaration, store, self.now);
            let Some(next) = companions.into_iter().find(|it| it.version.stage == Stage::Next) else { continue };
            let kid = next.version.facts.get("kid").map_or("", String::as_str);
            let held = self.held_since(name, kid);
            let from = held.map_or(next.until, |held| next.held_since(held).until);
            let is_as_declared = rotation::is_as_declared(declaration, next.version);
            let next = Next { from, is_due: from <= self.now, is_delivered: held.is_some(), is_as_declared };
            observed.next.insert(name.clone(), next);
        }
    }

    /// Since when every key set that should publish a key has had it; `None` while one has not.
    pub(super) fn held_since(&self, name: &SecretName, kid: &str) -> Option<DateTime<Utc>> {
        let mut outputs = rotation::key_sets(self.manifest, self.environment, name);
        outputs.try_fold(DateTime::<Utc>::MIN_UTC, |latest, output| {
            document::published_since(self, output, kid).map(|since| since.max(latest))
        })
    }
}
