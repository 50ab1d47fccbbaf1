//! What became of an incident since it was declared, or is going to: what is left for a person shrinks with it.

use std::collections::BTreeSet;

use super::remains::{Words, has_owner};
use super::standing::{self, Standing};
use crate::manifest::Manifest;
use crate::name::{EnvName, SecretName};
use crate::plan;
use crate::rotate::programs::{Step, has};
use crate::rotate::select::tells_leaked;
use crate::store::Store;
use crate::store::incidents::{Affected, Copy, Incident};
use crate::sync::{content, place};

/// The same incident with the values that took the place of what leaked since, and without what that did; a rotation that is
/// on its way goes on by another command than it began with.
pub fn since(manifest: &Manifest, store: &Store, id: &str, incident: &Incident) -> Incident {
    let mut incident = incident.clone();
    let words = Words { manifest, environment: &store.environment };
    let Incident { affected, remains, .. } = &mut incident;
    for it in affected.iter_mut() {
        let standing = standing::of(manifest, store, it);
        let is_known = !matches!(standing, Standing::InForce | Standing::Untold);
        let current = store.current(&it.secret);
        it.successor = it.successor.or_else(|| current.filter(|_| is_known).map(|current| current.id));
        let begun = [words.rotate(&it.secret), words.agree(&it.secret)];
        if let Some(declaration) =
            manifest.secret(&it.secret).filter(|_| it.successor.is_some() && it.made_from.is_none())
            && let Some(instead) = Words::supplied(declaration)
        {
            put(remains, &words.value(it, declaration), &instead);
        }
        match standing {
            Standing::Over if it.successor.is_some() || current.is_none() => {
                remains.retain(|line| !begun.contains(line));
            }
            Standing::Left => {
                remains.retain(|line| !begun.contains(line));
                remains.insert(0, words.left(&it.secret, id));
            }
            Standing::ByHand => put(remains, &begun, &Words::by_hand(&it.secret)),
            _ if tells_leaked(store, &it.secret) => {}
            // What goes on for one that was promoted is only what it replaced.
            _ if goes_on(store, &it.secret, standing) => put(remains, &begun, &words.resume(&it.secret)),
            _ => {}
        }
        let copies = it.copies.iter().filter(|copy| is_declared(store, copy)).map(|copy| words.copy(copy));
        let copies: Vec<String> = copies.collect();
        remains.retain(|line| !copies.contains(line));
        if let Some(remote) = it.remote.as_ref().filter(|_| is_sent(manifest, store, it)) {
            put(remains, &[words.remote(it, remote)], &words.sent(it, remote));
        }
    }
    let read = words.read(affected);
    remains.retain(|line| !read.contains(line));
    incident
}

/// Whether going on with a rotation brings a leak to its end.
fn goes_on(store: &Store, name: &SecretName, standing: Standing) -> bool {
    let operation = store.rotations.running.get(name);
    operation.is_some_and(|it| it.is_open() || standing != Standing::InForce)
}

/// What a run does by itself that is only foretold.
#[derive(Debug)]
pub struct Foreseen {
    /// The secrets that it rotates.
    pub rotated: BTreeSet<SecretName>,
    /// The hooks that have files read again.
    pub reloads: BTreeSet<String>,
}

impl Foreseen {
    /// The incident as it would leave it.
    pub fn of(&self, manifest: &Manifest, environment: &EnvName, incident: Incident) -> Incident {
        let mut incident = incident;
        let words = Words { manifest, environment };
        let replaced = plan::dependents(manifest, &self.rotated);
        let Incident { affected, remains, .. } = &mut incident;
        for it in affected.iter_mut() {
            let begun = [words.rotate(&it.secret), words.agree(&it.secret), words.resume(&it.secret)];
            let declaration = manifest.secret(&it.secret).filter(|_| self.rotated.contains(&it.secret));
            match declaration.map(|it| !has_owner(manifest, it) || has(manifest, it, Step::Retire)) {
                Some(true) => remains.retain(|line| !begun.contains(line)),
                Some(false) => put(remains, &begun, &Words::by_hand(&it.secret)),
                None => {}
            }
            if let Some(remote) = it.remote.as_ref().filter(|_| declaration.is_some()) {
                put(remains, &[words.remote(it, remote)], &words.sent(it, remote));
            }
            if it.successor.is_some() || replaced.contains(&it.secret) {
                it.read.extend(self.reloads.iter().cloned());
            }
        }
        let read = words.read(affected);
        remains.retain(|line| !read.contains(line));
        incident
    }
}

/// Puts other words in the place of these.
fn put(remains: &mut [String], these: &[String], instead: &str) {
    remains.iter_mut().filter(|line| these.contains(line)).for_each(|line| instead.clone_into(line));
}

/// Whether another secret of this environment that had the value which leaked has another one, or an incident of its own.
fn is_declared(store: &Store, copy: &Copy) -> bool {
    let Some(current) = store.current(&copy.secret).filter(|it| store.is_leaked(it)) else {
        return copy.environment == store.environment;
    };
    copy.environment == store.environment && store.incidents.values().any(|it| it.has(&copy.secret, current.id))
}

/// Whether AWS has the value that took the place of what leaked, as far as is known here.
fn is_sent(manifest: &Manifest, store: &Store, it: &Affected) -> bool {
    let environment = &store.environment;
    let is_new = store.current(&it.secret).is_some_and(|current| !it.versions.contains(&current.id));
    let Some(aws) = manifest.aws(environment).filter(|_| is_new) else { return false };
    let fingerprints = content::fingerprints(store);
    let is_agreed = |place: &place::Place<'_>| {
        let agreed = store.synced.bases.get(&place.name).map(|base| &base.fields);
        let mut ours = place.fields().into_iter().filter(|(_, declaration)| declaration.name == it.secret);
        ours.any(|(key, declaration)| {
            let here = content::here(store, declaration, &fingerprints).map(|here| here.fingerprint);
            here.is_some() && agreed.and_then(|fields| fields.get(key)) == here.as_ref()
        })
    };
    place::places(manifest, environment, aws).iter().any(is_agreed)
}
