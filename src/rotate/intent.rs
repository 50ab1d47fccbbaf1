//! What carrying on or giving up would do, should every program do what it is asked for. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::abort::{may_know_more, untold};
use super::orphaned;
use super::programs::{Programs, Step};
use super::undeclared::{is_gone, refusal};
use crate::error::Error;
use crate::manifest::Manifest;
use crate::name::SecretName;
use crate::store::Store;
use crate::store::rotations::Step as Reached;

/// What would be done about one secret.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// The secret.
    pub secret: SecretName,
    /// What, in order.
    pub deeds: Vec<Deed>,
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
            Self::Promote | Self::Drop | Self::Leave | Self::Refuse => None,
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
            return Intent { secret: name.clone(), deeds: vec![Deed::Refuse] };
        }
        if step == Reached::Aborting {
            return abort(store, programs, name, (false, is_promised(name)));
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
        Intent { secret: name.clone(), deeds }
    };
    going.map(intent).collect()
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
pub fn tell(store: &Store, programs: &dyn Programs, name: &SecretName) -> Intent {
    let asked = |step: Step| programs.hooks(name, step).into_iter();
    let told = asked(Step::Set).map(Deed::SetBack).chain(asked(Step::Test).map(Deed::Test));
    let before = asked(Step::Retire).filter(|_| store.to_retire(name).next().is_some());
    let deeds = told.chain(before.map(Deed::Retire)).collect();
    Intent { secret: name.clone(), deeds }
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
    Intent { secret: name.clone(), deeds: back.chain(refused).chain([end]).collect() }
}
