//! What carrying on or giving up would do, should every program do what it is asked for. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::abort::{drop_candidate, may_know_more, untold};
use super::machine::in_flight;
use super::orphaned;
use super::programs::{Programs, Step};
use super::undeclared::{is_gone, refusal};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::name::SecretName;
use crate::store::rotations::{Operation, Step as Reached, Turn};
use crate::store::{Store, Version};

/// What would be done about one secret.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// The secret.
    pub secret: SecretName,
    /// What, in order.
    pub deeds: Vec<Deed>,
    /// Whether what it replaces is accepted for a while yet.
    #[serde(skip)]
    pub keeps: bool,
}

/// Whether the owner of a secret goes on accepting what a rotation replaces beyond this time; without one, what another one would.
pub fn keeps(
    manifest: &Manifest,
    store: &Store,
    (name, operation): (&SecretName, Option<&Operation>),
    now: DateTime<Utc>,
) -> bool {
    if let Some(at) = operation.and_then(|it| it.retire_at) {
        return at > now;
    }
    let base = operation.and_then(|it| store.version(name, it.base)).or_else(|| store.current(name));
    let environment = manifest.environments.get(&store.environment);
    let overlap = manifest.secret(name).and_then(|it| it.overlap_in(environment));
    overlap.is_some() && base.is_none_or(|it| !store.is_leaked(it))
}

/// Something that would be done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// A hook makes the owner accept the new value.
    Set(String),
    /// A hook works with the value as a consumer would.
    Test(String),
    /// The new value is put in force, with what is made of it.
    Promote,
    /// A hook makes the owner refuse the old value, at once or at the end of its overlap.
    Retire(String),
    /// A hook makes the owner accept the current value.
    SetBack(String),
    /// A hook makes the owner refuse the candidate.
    RetireCandidate(String),
    /// The candidate is forgotten.
    Drop,
    /// The key that signs next is published no more, on any host.
    Withdraw,
    /// The candidate is given up, and its owner, which may accept it, is told nothing.
    Leave,
    /// Nothing: it, or a hook that it waits for, is not declared any more as its rotation began ([`stopped`]).
    Refuse,
}

impl Deed {
    /// The hook that does it.
    pub fn hook(&self) -> Option<&str> {
        match self {
            Self::Set(hook)
            | Self::Test(hook)
            | Self::Retire(hook)
            | Self::SetBack(hook)
            | Self::RetireCandidate(hook) => Some(hook),
            Self::Promote | Self::Drop | Self::Withdraw | Self::Leave | Self::Refuse => None,
        }
    }
}

/// What a resumption would do; `is_promised` = whether an owner goes on accepting what is given up ([`super::abort::is_promised`]).
pub fn resume(
    manifest: &Manifest,
    store: &Store,
    programs: &dyn Programs,
    names: &BTreeSet<SecretName>,
    now: DateTime<Utc>,
    is_promised: &dyn Fn(&SecretName) -> bool,
) -> Vec<Intent> {
    let going = names.iter().filter_map(|name| Some((name, store.rotations.running.get(name)?.step)));
    let intent = |(name, step): (&SecretName, Reached)| {
        if stopped(manifest, store, programs, name, now).is_some() {
            return Intent { secret: name.clone(), deeds: vec![Deed::Refuse], keeps: false };
        }
        if step == Reached::Aborting {
            return abort(store, programs, name, (false, is_promised(name)));
        }
        if is_taken_back(store, name) {
            return Intent { secret: name.clone(), deeds: vec![Deed::Withdraw], keeps: false };
        }
        let asked = |step: Step| programs.hooks(name, step).into_iter();
        let mut deeds = Vec::new();
        if matches!(step, Reached::Staged | Reached::Setting) {
            deeds.extend(asked(Step::Set).map(Deed::Set));
        }
        if step <= Reached::Set {
            deeds.extend(asked(Step::Test).map(Deed::Test));
        }
        if step.is_open() {
            deeds.push(Deed::Promote);
        }
        deeds.extend(asked(Step::Retire).map(Deed::Retire));
        Intent {
            secret: name.clone(),
            deeds,
            keeps: keeps(manifest, store, (name, store.rotations.running.get(name)), now),
        }
    };
    going.map(intent).collect()
}

/// Whether what goes on is that a key or root is published no more.
pub fn is_taken_back(store: &Store, name: &SecretName) -> bool {
    store.rotations.open(name).is_some_and(|it| it.turn == Some(Turn::Withdraw))
}

/// Why a rotation that was begun would not be carried on by the manifest as it is, as the run itself would say it.
pub fn stopped(
    manifest: &Manifest,
    store: &Store,
    programs: &dyn Programs,
    name: &SecretName,
    now: DateTime<Utc>,
) -> Option<Error> {
    let operation = store.rotations.running.get(name)?;
    let lacks = |step: Step| programs.hooks(name, step).is_empty();
    let missing = match operation.step {
        Reached::Aborting if operation.remote.is_none() && lacks(Step::Set) => return Some(refusal(name, true)),
        _ if is_gone(manifest, &store.environment, store, name) => return Some(refusal(name, false)),
        Reached::Setting if lacks(Step::Set) => Step::Set,
        Reached::Set if lacks(Step::Test) => Step::Test,
        _ => return None,
    };
    Some(orphaned(name, missing, now).error())
}

/// What telling the current value would do.
pub fn tell(
    manifest: &Manifest,
    store: &Store,
    programs: &dyn Programs,
    name: &SecretName,
    now: DateTime<Utc>,
) -> Intent {
    let asked = |step: Step| programs.hooks(name, step).into_iter();
    let told = asked(Step::Set).map(Deed::SetBack).chain(asked(Step::Test).map(Deed::Test));
    let before = store.to_retire(name).max_by_key(|it| (it.was_in_force(), it.life.told));
    let retired = asked(Step::Retire).filter(|_| before.is_some());
    let deeds = told.chain(retired.map(Deed::Retire)).collect();
    let overlap = manifest.secret(name).and_then(|it| it.overlap_in(manifest.environments.get(&store.environment)));
    let is_kept = |before: &Version| {
        let until = before.life.replaced.zip(overlap).map(|(replaced, overlap)| replaced + overlap.delta());
        before.was_in_force() && !store.is_leaked(before) && until.is_some_and(|until| until > now)
    };
    Intent { secret: name.clone(), deeds, keeps: before.is_some_and(is_kept) }
}

/// What giving up would do; `leaves_owner` = without hooks, `is_promised` = the candidate is accepted until its overlap ends.
pub fn abort(
    store: &Store,
    programs: &dyn Programs,
    name: &SecretName,
    (leaves_owner, is_promised): (bool, bool),
) -> Intent {
    let hooks = |step| if leaves_owner { Vec::new() } else { programs.hooks(name, step) };
    let asked = |step: Step| hooks(step).into_iter();
    let back = asked(Step::Set).map(Deed::SetBack);
    let refused =
        asked(Step::Retire).map(Deed::RetireCandidate).filter(|_| !is_promised && asked(Step::Set).next().is_some());
    let names = BTreeSet::from([name.clone()]);
    let left = if leaves_owner { may_know_more } else { untold };
    let end = if left(store, programs, &names).is_empty() { Deed::Drop } else { Deed::Leave };
    Intent { secret: name.clone(), deeds: back.chain(refused).chain([end]).collect(), keeps: false }
}

/// Gives up in memory, for a rehearsal that asks no program: what one may have been given goes on standing in lists.
pub fn give_up(
    store: &mut Store,
    programs: &dyn Programs,
    names: &BTreeSet<SecretName>,
    (leaves_owners, now): (bool, DateTime<Utc>),
) -> Result<()> {
    for name in names {
        let operation = in_flight(&mut store.rotations, name)?;
        if operation.remote.is_some() || !leaves_owners && !programs.hooks(name, Step::Set).is_empty() {
            operation.advance(Reached::Aborting);
        }
        drop_candidate(store, name, now, false)?;
    }
    Ok(())
}
