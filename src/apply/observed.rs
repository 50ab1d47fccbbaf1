//! What the planner is told of the store, and of the key sets and bundles on the disk.

use chrono::{DateTime, Utc};

use super::recipes;
use crate::companions::{self, Companion};
use crate::deliver::document;
use crate::name::SecretName;
use crate::plan::{Known, Next, Observed};
use crate::secret::Secret;
use crate::secret::parts::Part;
use crate::store::{CLOCK_TOLERANCE, Stage, Store, Version};
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
        let known = observed.published.keys().chain(observed.next.keys());
        observed.leaked_published = known.filter(|name| store.is_current_leaked(name)).cloned().collect();
        observed
    }

    /// Which keys and roots verifiers know by a file, and which of those have a successor that is published.
    fn observe_keys(&self, store: &Store, observed: &mut Observed) {
        for declaration in self.manifest.secrets_in(self.environment) {
            let name = &declaration.name;
            // Of a root that has ended nobody accepts anything: there is nothing to wait for.
            let has_ended = companions::is_root(declaration)
                && store.current(name).and_then(|it| it.expires).is_some_and(|end| end <= self.now);
            if let Some(lead) = companions::lead(self.manifest, self.environment, declaration).filter(|_| !has_ended) {
                let spread = companions::spread(self.manifest, declaration, store).unwrap_or_default();
                observed.published.insert(name.clone(), self.now + spread + lead);
            }
            let companions = companions::companions(self.manifest, declaration, store, self.now);
            // One that leaked never signs: it goes with the next that is published or made.
            let is_next = |it: &Companion<'_>| it.version.stage == Stage::Next && !store.is_banned(it.version);
            let Some(next) = companions.into_iter().find(is_next) else { continue };
            let held = self.held_since(store, name, next.version);
            let from = held.map_or(next.until, |held| next.held_since(held).until);
            let is_joint = companions::is_joint(self.manifest, declaration, store);
            // What all hosts publish is not made anew by each of them: like the current root, it stays as it was declared.
            let is_as_declared = companions::is_as_declared(declaration, &next.version.facts)
                && (is_joint || observed.recipes.get(name) == next.version.recipe.as_ref());
            // They activate it by a rotation, which asks AWS whether it is time.
            let is_due = (has_ended || from <= self.now) && !is_joint;
            let is_delivered = has_ended || held.is_some();
            observed.next.insert(name.clone(), Next { from, is_due, is_delivered, is_as_declared });
        }
    }

    /// Since when every key set or bundle that should have a published key or root has had it; `None` while one has not.
    pub(super) fn held_since(&self, store: &Store, name: &SecretName, next: &Version) -> Option<DateTime<Utc>> {
        let kid = next.facts.get("kid").map_or("", String::as_str);
        let cert = next.parts.part(Part::Cert).map_or(&b""[..], Secret::expose);
        let key_sets = companions::key_sets(self.manifest, self.environment, name)
            .map(|output| document::published_since(self, output, kid));
        // Of what has no value yet there is no file.
        let bundles = companions::bundles(self.manifest, self.environment, name)
            .filter(|(_, declaration, _)| store.value(declaration).is_some())
            .map(|(_, _, path)| document::trusted_since(self, &path, cert));
        // What was written by a clock that ran ahead says nothing: the store's own date counts.
        let said =
            |since: DateTime<Utc>| if since > self.now + CLOCK_TOLERANCE { DateTime::<Utc>::MIN_UTC } else { since };
        let mut all = key_sets.chain(bundles);
        all.try_fold(DateTime::<Utc>::MIN_UTC, |latest, since| since.map(|since| said(since).max(latest)))
    }
}
