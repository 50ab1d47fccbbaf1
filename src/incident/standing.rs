//! How far it has come with a value that leaked: one answer for the list of incidents, their timelines and what is left to do.

use super::remains::has_owner;
use crate::manifest::Manifest;
use crate::rotate::programs::{Step, has};
use crate::store::incidents::Affected;
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
    let name = &it.secret;
    let is_its = |version: &Version| it.versions.contains(&version.id);
    if store.current(name).is_some_and(is_its) {
        return Standing::InForce;
    }
    if it.closed {
        return Standing::Over;
    }
    let may_be_accepted = store.to_retire(name).any(|version| version.life.told.is_some() && is_its(version));
    let Some(declaration) = manifest.secret(name).filter(|it| has_owner(manifest, it)) else {
        return if may_be_accepted || it.forgotten { Standing::Left } else { Standing::Over };
    };
    // What an owner that was not told the value in force goes on accepting.
    let told = store.versions(name).filter(|version| version.life.told.is_some());
    let known = told.max_by_key(|version| version.life.told).or_else(|| store.before(name));
    if store.is_untold(name) && known.is_some_and(is_its) {
        return Standing::Untold;
    }
    match (may_be_accepted, has(manifest, declaration, Step::Retire)) {
        (true, true) => Standing::Unretired,
        (true, false) => Standing::ByHand,
        (false, _) if it.forgotten => Standing::Left,
        (false, _) => Standing::Over,
    }
}
