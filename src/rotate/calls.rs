//! Which programs a run is going to call, in which order, should each of them do what it is asked for. Pure.

use std::collections::BTreeSet;

use super::order::waves;
use super::programs::{Programs, Step};
use super::select::Selection;
use crate::name::SecretName;
use crate::store::Store;
use crate::store::rotations::Step as Reached;

/// One call of a hook that is about a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The step.
    pub step: Step,
    /// The hook.
    pub hook: String,
    /// The secret.
    pub secret: SecretName,
}

/// The calls of a run, `promised` being what owners go on accepting although it is given up: those before the new values are in force, and those after the files were read again.
pub fn calls(
    selection: &Selection,
    promised: &BTreeSet<SecretName>,
    store: &Store,
    programs: &dyn Programs,
) -> (Vec<Call>, Vec<Call>) {
    let reached = |name: &SecretName| store.rotations.running.get(name).map(|it| it.step);
    let asked = |names: &mut dyn Iterator<Item = &SecretName>, step: Step| -> Vec<Call> {
        let call = |name: &SecretName| {
            let of = |hook| Call { step, hook, secret: name.clone() };
            programs.hooks(name, step).into_iter().map(of).collect::<Vec<_>>()
        };
        names.flat_map(call).collect()
    };
    let in_order = |names: BTreeSet<&SecretName>| {
        waves(names.into_iter().cloned().collect(), |name| programs.given(name)).concat()
    };
    let going = |is_meant: &dyn Fn(Reached) -> bool| -> BTreeSet<&SecretName> {
        selection.going.iter().filter(|name| reached(name).is_some_and(is_meant)).collect()
    };
    let fresh = || selection.fresh.iter();
    let given_up = going(&|step| step == Reached::Aborting);
    let to_set: BTreeSet<_> = going(&|step| matches!(step, Reached::Staged | Reached::Setting));
    let to_test: BTreeSet<_> = going(&|step| matches!(step, Reached::Staged | Reached::Setting | Reached::Set));
    let mut before = asked(&mut selection.retire_first.iter(), Step::Retire);
    before.extend(asked(&mut given_up.iter().copied(), Step::Set));
    before.extend(asked(&mut given_up.into_iter().filter(|name| !promised.contains(*name)), Step::Retire));
    before.extend(asked(&mut in_order(to_set.into_iter().chain(fresh()).collect()).iter(), Step::Set));
    before.extend(asked(&mut in_order(to_test.into_iter().chain(fresh()).collect()).iter(), Step::Test));
    let to_retire = going(&|step| step != Reached::Aborting).into_iter().chain(fresh());
    let after = asked(&mut to_retire.collect::<BTreeSet<_>>().into_iter(), Step::Retire);
    (before, after)
}
