//! Whether a secret can be forgotten: what an owner is to refuse cannot be named to it any more once its value is gone. Pure.

use chrono::{DateTime, Utc};

use super::programs::Step;
use crate::error::{Error, Kind, Result};
use crate::manifest::Manifest;
use crate::name::SecretName;
use crate::store::rotations::Step as Reached;
use crate::store::{Store, Version};

/// Refuses with `still-accepted` what a hook has yet to have refused: what was replaced, and what leaked.
///
/// Where no hook is declared that could, it is refused to nobody: [`accepted`] tells what is left behind.
pub fn expect_refused(manifest: &Manifest, store: &Store, name: &SecretName) -> Result<()> {
    let declared = manifest.secret(name).filter(|it| it.is_in(&store.environment));
    if declared.is_none_or(|it| manifest.hooks_for(it, Step::Retire).next().is_none()) {
        return Ok(());
    }
    let operation = store.rotations.running.get(name).filter(|it| !it.is_open());
    let is_kept =
        store.waits_for_owner(name) && declared.is_some_and(|it| manifest.hooks_for(it, Step::Set).next().is_some());
    let waits = operation.filter(|it| it.step == Reached::Promoted).and_then(|it| it.retire_at);
    let waits = waits.filter(|at| *at > store.updated);
    let is_leaked = current(store, name).is_some_and(|it| store.is_leaked(it));
    let (what, command) = match (operation, waits) {
        _ if is_leaked => ("the value that leaked", format!("rotate {name}")),
        (Some(_), _) if is_kept => ("the value before", format!("rotate tell {name}")),
        (Some(_), Some(at)) => {
            let error = refusal(name, "the value before, whose overlap goes on");
            let at = at.format("%Y-%m-%d %H:%M UTC");
            return Err(error.hint(format!("from {at} on, `vault-kit rotate --due` has it refused")).hint(BY_HAND));
        }
        (Some(_), None) => ("the value before", format!("rotate resume {name}")),
        (None, _) if replaced(store, name).next().is_some() => ("an earlier value", format!("rotate tell {name}")),
        _ => return Ok(()),
    };
    Err(refusal(name, what).hint(format!("have it refused first: `vault-kit {command}`")).hint(BY_HAND))
}

/// The other way.
const BY_HAND: &str = "or see to it by hand, and take the secret's `hooks` out of the manifest before";

fn refusal(name: &SecretName, what: &str) -> Error {
    let message =
        format!("`{name}` is not forgotten: its owner may still accept {what}, and nobody could have it refused");
    Error::new(Kind::Conflict, "still-accepted", message)
}

/// Forgets a secret. Of an owner whose hooks only `set`, each value took the place of the one before: what it was told last is what it
/// accepts, and no incident about an earlier one begins anew with the secret gone.
pub fn forget(manifest: &Manifest, store: &mut Store, name: &SecretName, now: DateTime<Utc>) {
    let declared = manifest.secret(name).filter(|it| it.is_in(&store.environment));
    let has = |step| declared.is_some_and(|it| manifest.hooks_for(it, step).next().is_some());
    if has(Step::Set) && !has(Step::Retire) {
        store.note_overwritten(name, now);
    }
    store.remove(name);
}

/// How many values that hooks told its owner still accepts, as far as is known.
pub fn accepted(store: &Store, name: &SecretName) -> usize {
    replaced(store, name).chain(current(store, name)).count()
}

/// The value in force, where a hook told it.
fn current<'s>(store: &'s Store, name: &SecretName) -> Option<&'s Version> {
    store.current(name).filter(|it| it.life.told.is_some())
}

/// What was in force before, that a hook told and none had refused.
fn replaced<'s>(store: &'s Store, name: &SecretName) -> impl Iterator<Item = &'s Version> {
    store.to_retire(name).filter(|it| it.life.told.is_some())
}
