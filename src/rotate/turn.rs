//! A key that all hosts publish before it signs. Its rotation takes two turns: the first brings it to all of them, beside the one
//! that signs, and the second puts it in that one's place, once every verifier of every host knows it. A third takes it back.
//!
//! Each is a claim like any other. What comes back from that tells which turn it is: of hosts that began different ones from
//! the same version, all do what the first one began.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::machine::{Machine, Run, in_flight};
use super::select;
use crate::companions;
use crate::error::{Error, Kind, Result};
use crate::manifest::Declaration;
use crate::name::SecretName;
use crate::plan::{Action, Plan, Step, Why};
use crate::secret::Secret;
use crate::store::rotations::{Operation, Turn};
use crate::store::{Store, Version};
use crate::sync::content;
use crate::sync::place::Place;
use crate::sync::pull::Taken;
use crate::world::World;

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Another value is in force.
    InForce,
    /// What was published is in force.
    Activated,
    /// One is published, and another is in force as before.
    Published,
    /// One is published no more.
    Withdrawn,
    /// It is to be made of what its inputs are.
    Nothing,
}

/// What a rotation of a secret that begins now does; `None` = its candidate comes into force.
pub(super) fn begun(world: &World<'_>, store: &Store, declaration: &Declaration, withdraws: bool) -> Option<Turn> {
    let is_joint = companions::is_joint(world.manifest, declaration, store);
    let turn = match store.next(&declaration.name) {
        _ if withdraws => Turn::Withdraw,
        Some(_) => Turn::Activate,
        None => Turn::Publish,
    };
    is_joint.then_some(turn)
}

/// What AWS is sent for a rotation.
pub(super) fn sent(store: &Store, declaration: &Declaration, operation: &Operation) -> Option<Secret> {
    let name = &declaration.name;
    let candidate = operation.candidate.and_then(|id| store.version(name, id));
    match operation.turn {
        None => content::sent(declaration, candidate?, None),
        Some(Turn::Publish) => content::sent(declaration, store.value(declaration)?, Some(candidate?)),
        Some(Turn::Activate) => content::sent(declaration, store.next(name)?, None),
        Some(Turn::Withdraw) => content::sent(declaration, store.value(declaration)?, None),
    }
}

/// Which turn a claimed value is.
///
/// Fails with `remote-malformed` for one that is none: two keys at once are no rotation of ours.
pub(super) fn of(store: &Store, declaration: &Declaration, taken: &Taken, place: &str) -> Result<Option<Turn>> {
    let is_of = |version: Option<&Version>| version.is_some_and(|it| it.parts == taken.parts);
    match (is_of(store.value(declaration)), &taken.next) {
        _ if !declaration.sends_next() => Ok(None),
        (true, Some(_)) => Ok(Some(Turn::Publish)),
        (true, None) => Ok(Some(Turn::Withdraw)),
        (false, None) => Ok(is_of(store.next(&declaration.name)).then_some(Turn::Activate)),
        (false, Some(_)) => Err(content::malformed(place)),
    }
}

/// Tells in a plan what was published or activated beside it.
pub(super) fn tell(world: &World<'_>, plan: &mut Plan, came: &BTreeMap<SecretName, Came>, why: &Why) -> Result<()> {
    for (name, came) in came {
        let (action, why) = match came {
            Came::Published => (Action::Publish, why.clone()),
            Came::Activated => (Action::Activate, Why::Published),
            Came::InForce | Came::Withdrawn | Came::Nothing => continue,
        };
        // The planner found that no file has what was published just now.
        plan.steps.retain(|step| step.secret != *name);
        let kind = world.declaration(name)?.kind.name();
        plan.steps.insert(0, Step { secret: name.clone(), kind, action, why });
    }
    Ok(())
}

/// Puts in force here what is in force there, which has been published there `since`.
pub(super) fn come_to(world: &World<'_>, store: &mut Store, name: &SecretName, since: DateTime<Utc>) -> Result<Came> {
    let turn = in_flight(&mut store.rotations, name)?.turn;
    Ok(match turn {
        None if store.promote_candidate(name, world.now) => Came::InForce,
        None => Came::Nothing,
        Some(Turn::Publish) => {
            store.publish_candidate(name, since);
            Came::Published
        }
        Some(Turn::Activate) => {
            store.activate(name, world.now);
            world.wipe_replaced_keys(store, name);
            Came::Activated
        }
        Some(Turn::Withdraw) => {
            store.withdraw(name, world.now);
            Came::Withdrawn
        }
    })
}

impl Machine<'_> {
    /// Whether a rotation begins now, by the time `there`: whoever names a secret wants it now, and no key signs before every
    /// verifier knows it, those of this host among them.
    pub(super) fn is_time(&self, run: &Run, store: &Store, name: &SecretName, there: DateTime<Utc>) -> bool {
        let Some(declaration) = self.world.manifest.secret(name) else { return false };
        let is_due = || select::due(self.world.manifest, declaration, store).is_some_and(|due| due.is_now(there));
        let world = World { now: self.clock.now(), ..*self.world };
        let is_known = || {
            let next = world.observe(store).next.remove(name);
            next.is_some_and(|it| it.is_delivered && it.is_as_declared && it.from <= world.now)
        };
        match begun(&world, store, declaration, run.withdraws) {
            Some(Turn::Activate) => is_due() && is_known(),
            Some(Turn::Withdraw) => true,
            Some(Turn::Publish) | None => !run.waits || is_due(),
        }
    }

    /// Why a key that all hosts publish is not rotated: what is here beside it was not sent, and would go along.
    pub(super) fn unsent_key(&self, store: &Store, place: &Place<'_>, name: &SecretName) -> Option<Error> {
        let (key, declaration) = place.fields().into_iter().find(|(_, it)| it.name == *name)?;
        let here = content::here(store, declaration, &content::fingerprints(store)).map(|it| it.fingerprint);
        let agreed = store.synced.bases.get(&place.name).and_then(|base| base.fields.get(key)).cloned();
        if here == agreed || !companions::is_joint(self.world.manifest, declaration, store) {
            return None;
        }
        let message = format!("`{name}` changed here, and the other hosts do not have it so: it is not rotated");
        let error = Error::new(Kind::Conflict, "rotation-unsent", message);
        Some(
            error.hint(format!("send it first: `vault-kit sync push {name}`; `vault-kit sync diff {name}` tells what")),
        )
    }
}
