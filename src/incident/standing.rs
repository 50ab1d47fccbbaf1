//! How far it has come with a value that leaked: one answer for the list of incidents, their timelines and what is left to do.

use std::collections::BTreeMap;

use super::remains::has_owner;
use crate::gather::Gather;
use crate::manifest::Manifest;
use crate::name::SecretName;
use crate::rotate::programs::{Step, has};
use crate::store::incidents::{Affected, Incident};
use crate::store::ledger::{Leak, Ledger};
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
    if is_in_force(store, it) {
        return Standing::InForce;
    }
    leak(store, it).map_or(Standing::Over, |leak| of_leak(manifest, &leak))
}

/// The same of what is replaced, by what a ledger tells.
fn of_leak(manifest: &Manifest, leak: &Leak) -> Standing {
    let Some(declaration) = manifest.secret(&leak.secret).filter(|it| has_owner(manifest, it)) else {
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

/// What incidents tell a ledger of values that may be accepted although they leaked and are replaced.
pub fn leaks(store: &Store) -> BTreeMap<String, Vec<Leak>> {
    let of = |incident: &Incident| {
        let replaced = incident.affected.iter().filter(|it| !is_in_force(store, it));
        replaced.filter_map(|it| leak(store, it)).collect::<Vec<_>>()
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
        let is_begun = ledger.secrets.get(&leak.secret).is_some_and(|entry| entry.rotation.is_some());
        let standing = of_leak(manifest, leak);
        Some((id, leak, standing, command(standing, &leak.secret, id, is_begun)?))
    })
}

fn is_in_force(store: &Store, it: &Affected) -> bool {
    store.current(&it.secret).is_some_and(|current| it.versions.contains(&current.id))
}

/// Of what is replaced; `None` = nobody accepts it, whatever hooks there are.
fn leak(store: &Store, it: &Affected) -> Option<Leak> {
    if it.closed {
        return None;
    }
    let name = &it.secret;
    let is_its = |version: &Version| it.versions.contains(&version.id);
    let is_told = store.to_retire(name).any(|version| version.life.told.is_some() && is_its(version));
    // What an owner that was not told the value in force goes on accepting.
    let told = store.versions(name).filter(|version| version.life.told.is_some());
    let known = told.max_by_key(|version| version.life.told).or_else(|| store.before(name));
    let is_untold = store.is_untold(name) && known.is_some_and(is_its);
    let leak = Leak { secret: name.clone(), untold: is_untold, told: is_told, forgotten: it.forgotten };
    (leak.untold || leak.told || leak.forgotten).then_some(leak)
}
