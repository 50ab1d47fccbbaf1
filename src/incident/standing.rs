//! How far it has come with a value that leaked: one answer for the list of incidents, their timelines and what is left to do.

use std::collections::BTreeMap;

use super::remains::has_owner;
use crate::gather::Gather;
use crate::manifest::Manifest;
use crate::name::{EnvName, SecretName, VersionId};
use crate::rotate::programs::{Step, has};
use crate::rotate::select::tells_leaked;
use crate::store::incidents::{Affected, Incident};
use crate::store::ledger::{Leak, Ledger};
use crate::store::rotations::Operation;
use crate::store::{Store, Version};

/// What is known of a value that leaked, as far as it can be known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is in force.
    InForce,
    /// Another one is in force, which a hook has yet to tell the owner.
    Untold,
    /// The owner knows the one in force, and a hook has yet to have it refuse what leaked.
    Unretired,
    /// The owner knows the one in force, and no hook has it refuse what leaked.
    ByHand,
    /// Hooks told an owner what leaked, and none is declared any more that could tell it anything.
    Left,
    /// Nobody accepts it any more.
    Over,
}

/// The answer for one secret of an incident: about the versions that leaked with it, and no others.
pub fn of(manifest: &Manifest, store: &Store, it: &Affected) -> Standing {
    if is_in_force(manifest, store, it) {
        return Standing::InForce;
    }
    leak(manifest, store, it).map_or(Standing::Over, |leak| of_leak(manifest, &store.environment, &leak))
}

/// How far it will have come once a run put another value in force: no rotation has refused what an owner was told by hooks that are gone.
pub fn once_replaced(manifest: &Manifest, store: &Store, it: &Affected) -> Standing {
    let has = |step| manifest.secret(&it.secret).is_some_and(|declaration| has(manifest, declaration, step));
    let is_its = |version: &Version| it.versions.contains(&version.id);
    let mut told = store.to_retire(&it.secret).chain(store.current(&it.secret)).filter(|it| it.life.told.is_some());
    if it.closed || has(Step::Set) || has(Step::Retire) || !told.any(is_its) {
        return Standing::Over;
    }
    Standing::Left
}

/// The same of what is replaced, by what a ledger tells.
fn of_leak(manifest: &Manifest, environment: &EnvName, leak: &Leak) -> Standing {
    let declared = manifest.secret(&leak.secret).filter(|it| it.is_in(environment));
    let Some(declaration) = declared.filter(|it| has_owner(manifest, it)) else {
        return if leak.told || leak.forgotten { Standing::Left } else { Standing::Over };
    };
    match (leak.told, has(manifest, declaration, Step::Retire)) {
        _ if leak.untold => Standing::Untold,
        (true, true) => Standing::Unretired,
        (true, false) => Standing::ByHand,
        (false, _) if leak.forgotten => Standing::Left,
        (false, _) => Standing::Over,
    }
}

/// The command that goes on with a value that leaked, is replaced, and may be accepted all the same; `is_begun` = its secret is being
/// rotated.
pub fn command(standing: Standing, name: &SecretName, id: &str, is_begun: bool) -> Option<String> {
    match standing {
        Standing::Unretired if is_begun => Some(format!("rotate resume {name}")),
        Standing::Unretired | Standing::Untold => Some(format!("rotate tell {name}")),
        Standing::Left => Some(format!("incident close {id}")),
        Standing::InForce | Standing::ByHand | Standing::Over => None,
    }
}

/// How far it has come with one version of those, and the command that goes on with it; `None` = nothing is left to do about it, or
/// no command does it.
pub fn of_version(
    manifest: &Manifest,
    store: &Store,
    (id, it): (&str, &Affected),
    version: VersionId,
) -> Option<(Standing, String)> {
    let (name, standing) = (&it.secret, of(manifest, store, it));
    let command = if standing == Standing::InForce {
        let is_refused = |declaration| has(manifest, declaration, Step::Retire);
        let mut told = store.to_retire(name).filter(|it| it.life.told.is_some());
        let may_be_accepted = manifest.secret(name).is_some_and(is_refused) && told.any(|it| it.id == version);
        may_be_accepted.then(|| replacement(name, store.rotations.open(name).is_some() && !tells_leaked(store, name)))
    } else {
        command(standing, name, id, store.rotations.running.contains_key(name))
    };
    Some((standing, command?))
}

/// The command that replaces a value that leaked and is in force, and has all refused that leaked; `is_begun` = a rotation to another
/// value is.
fn replacement(name: &SecretName, is_begun: bool) -> String {
    if is_begun { format!("rotate resume {name}") } else { format!("rotate {name}") }
}

/// What incidents tell a ledger of values that may be accepted although they leaked and are replaced.
pub fn leaks(manifest: &Manifest, store: &Store) -> BTreeMap<String, Vec<Leak>> {
    let of = |incident: &Incident| {
        let leaks = incident.affected.iter().filter_map(|it| leak(manifest, store, it));
        leaks.collect::<Vec<_>>()
    };
    let all = store.incidents.iter().map(|(id, incident)| (id.clone(), of(incident)));
    all.filter(|(_, leaks)| !leaks.is_empty()).gather()
}

/// Those of them that may be accepted indeed with the hooks that there are, as a ledger tells: the incident, the leak, how far it has come, and the command
/// that goes on.
pub fn outliving<'l>(
    manifest: &Manifest,
    ledger: &'l Ledger,
) -> impl Iterator<Item = (&'l str, &'l Leak, Standing, String)> {
    let all = ledger.header.leaks.iter().flat_map(|(id, leaks)| leaks.iter().map(move |leak| (id.as_str(), leak)));
    all.filter_map(move |(id, leak)| {
        let entry = ledger.secrets.get(&leak.secret);
        let rotation = entry.and_then(|entry| entry.rotation.as_deref());
        let standing = of_leak(manifest, &ledger.header.environment, leak);
        // Where what is in force leaked too, no owner is told that.
        let command = match entry.filter(|entry| entry.banned && standing == Standing::Unretired) {
            Some(entry) => {
                Some(replacement(&leak.secret, rotation.is_some_and(Operation::is_open) && !entry.tells_leaked))
            }
            None => command(standing, &leak.secret, id, rotation.is_some()),
        };
        Some((id, leak, standing, command?))
    })
}

/// Whether what leaked is to be replaced: nothing takes the place of what is not declared any more.
fn is_in_force(manifest: &Manifest, store: &Store, it: &Affected) -> bool {
    manifest.has_secret(&it.secret, &store.environment)
        && store.current(&it.secret).is_some_and(|current| it.versions.contains(&current.id))
}

/// Of what is replaced, or declared no more; `None` = nobody accepts it, whatever hooks there are.
fn leak(manifest: &Manifest, store: &Store, it: &Affected) -> Option<Leak> {
    if it.closed {
        return None;
    }
    let name = &it.secret;
    let is_its = |version: &Version| it.versions.contains(&version.id);
    // What is in force is replaced first, and told of by itself.
    let undeclared = store.current(name).filter(|_| !manifest.has_secret(name, &store.environment));
    let is_told = store.to_retire(name).chain(undeclared).any(|it| it.life.told.is_some() && is_its(it));
    // What an owner that was not told the value in force goes on accepting.
    let told = store.versions(name).filter(|version| version.life.told.is_some());
    let known = told.max_by_key(|version| version.life.told).or_else(|| store.before(name));
    let is_untold = !is_in_force(manifest, store, it) && store.is_untold(name) && known.is_some_and(is_its);
    let leak = Leak { secret: name.clone(), untold: is_untold, told: is_told, forgotten: it.forgotten };
    (leak.untold || leak.told || leak.forgotten).then_some(leak)
}
