//! A rotation that does not come into force: another version did, or somebody ended it. What is in force is taken over, and
//! owners that may know the candidate are given that again.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Refusal;
use super::abort::drop_candidate;
use super::claim;
use super::machine::{Machine, Run, in_flight};
use super::programs::Step;
use super::shared::{Group, Pulled, Shared};
use super::step::only;
use crate::apply::Deed;
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;
use crate::remote::{Cause, PENDING};
use crate::store::Store;
use crate::store::rotations::{Ending, Step as Reached};
use crate::sync::place::Place;

impl Machine<'_> {
    /// Takes over what is in force instead of these. Owners that may know a candidate get it when the aborts are finished.
    pub(super) fn give_way(&self, run: &mut Run, lost: &[Group]) -> Result<()> {
        let Some(shared) = self.shared.filter(|_| !lost.is_empty()) else { return Ok(()) };
        let names: BTreeSet<SecretName> = lost.iter().flat_map(|group| group.names.iter().cloned()).collect();
        let (world, opened) = self.open()?;
        drop(opened);
        let mut pulled = match shared.pull(&world, &names, true) {
            Ok(pulled) => pulled,
            Err(error) => {
                run.leave(&names, error);
                return Ok(());
            }
        };
        let is_sure = is_sure(&pulled);
        let rotations = &mut pulled.opened.store.rotations;
        for name in &names {
            let operation = in_flight(rotations, name)?;
            let may_be_known = operation.step > Reached::Staged && !self.programs.hooks(name, Step::Set).is_empty();
            operation.advance(Reached::Aborting);
            operation.remote = None;
            if !may_be_known {
                let started = operation.started;
                rotations.running.remove(name);
                rotations.note(name, Ending::Aborted, started, world.now);
                run.active.remove(name);
            } else if !is_sure {
                run.active.remove(name);
            }
        }
        let open = pulled.opened.store.rotations.running.keys().cloned().collect::<BTreeSet<_>>();
        names.difference(&open).for_each(|name| pulled.opened.store.give_up_candidate(name, world.now));
        let names: Vec<SecretName> = names.into_iter().collect();
        self.settle_pulled(run, &world, pulled, &[Deed::of("rotate-superseded", &names)])?;
        run.report.refused.extend(lost.iter().map(superseded).map(Refusal::from));
        Ok(())
    }

    /// Gives up what was claimed without: its owner may have been told the candidate all the same.
    pub(super) fn leave_out(&self, store: &mut Store, name: &SecretName, now: DateTime<Utc>) -> Result<()> {
        let was_asked = store.rotations.open(name).is_some_and(|it| it.step != Reached::Staged);
        let is_known = was_asked && !self.programs.hooks(name, Step::Set).is_empty();
        drop_candidate(store, name, now, is_known && self.may_refuse(name))?;
        if is_known {
            store.owe_owner(name);
        }
        Ok(())
    }

    /// The part of an abort that is for all hosts, and a look at what is in force. Answers with the secrets whose owners are
    /// to be given the current value.
    pub(super) fn abort_there(&self, run: &mut Run, names: Vec<SecretName>) -> Result<Vec<SecretName>> {
        let groups = self.groups(run, &[Reached::Aborting])?;
        let is_grouped = |name: &SecretName| groups.iter().any(|group| group.names.contains(name));
        let is_there = |name: &SecretName| is_grouped(name) || self.is_joint(name);
        let (there, mut here): (Vec<SecretName>, Vec<_>) = names.into_iter().partition(is_there);
        let Some(shared) = self.shared.filter(|_| !there.is_empty()) else {
            here.extend(there);
            return Ok(here);
        };
        let (mut left, mut promoted): (BTreeSet<SecretName>, _) = (there.into_iter().collect(), Vec::new());
        for group in groups {
            let aborted = shared.remote().and_then(|it| claim::abort(it, &group.claim.seen(), &group.claim.id));
            let Err(error) = aborted else { continue };
            match error.code() {
                // Another version is in force, or the next attempt has begun: there is nothing to end any more.
                "remote-conflict" | "remote-missing" => continue,
                "rotation-promoted" => promoted.extend(group.names.iter().cloned()),
                _ => {}
            }
            left.retain(|name| !group.names.contains(name));
            run.leave(group.names.iter().filter(|name| !promoted.contains(*name)), error);
        }
        self.take_for_owners(run, shared, left, &promoted).map(|names| here.into_iter().chain(names).collect())
    }

    /// Takes over what is in force of these, so that no owner is given anything else; what is promoted is claimed once more.
    fn take_for_owners(
        &self,
        run: &mut Run,
        shared: &dyn Shared,
        names: BTreeSet<SecretName>,
        promoted: &[SecretName],
    ) -> Result<Vec<SecretName>> {
        let (world, opened) = self.open()?;
        let pulled = if names.is_empty() {
            Ok(Pulled { opened, changed: Vec::new(), noted: false, problems: Vec::new() })
        } else {
            drop(opened);
            shared.pull(&world, &names, true)
        };
        let mut pulled = match pulled {
            Ok(pulled) => pulled,
            Err(error) => {
                run.leave(&names, error);
                return Ok(Vec::new());
            }
        };
        for name in &names {
            in_flight(&mut pulled.opened.store.rotations, name)?.remote = None;
        }
        for name in promoted {
            // The candidate may never have been sent: what is in force there is for the claim to tell.
            in_flight(&mut pulled.opened.store.rotations, name)?.advance(Reached::Staged);
        }
        let is_sure = is_sure(&pulled);
        let names: Vec<SecretName> = names.into_iter().collect();
        self.settle_pulled(run, &world, pulled, &[Deed::of("rotate-aborted-there", &names)])?;
        if is_sure {
            return Ok(names);
        }
        run.put_aside(&names);
        Ok(Vec::new())
    }

    /// Those of the secrets of which what is in force there is in force here, and will be: the others are left to another
    /// run. To be asked before an owner is given a value and again afterwards, since nobody waits for us.
    pub(super) fn in_force(&self, run: &mut Run, names: Vec<SecretName>) -> Result<Vec<SecretName>> {
        let (there, mut sure): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| self.is_joint(name));
        let Some(shared) = self.shared.filter(|_| !there.is_empty()) else { return Ok(sure) };
        let (_, opened) = self.open()?;
        for place in shared.places() {
            let names: Vec<SecretName> = there.iter().filter(|name| place.holds(name)).cloned().collect();
            let Some(name) = names.first() else { continue };
            match against(shared, place, &opened.store, name) {
                Ok(None) => sure.extend(names),
                Ok(Some(why)) | Err(why) => run.leave(&names, why),
            }
        }
        Ok(sure)
    }
}

/// Whether what is in force is here; where it is not in AWS any more, that is what is here.
fn is_sure(pulled: &Pulled) -> bool {
    pulled.problems.iter().all(|it| matches!(it.code(), "remote-gone" | "remote-missing"))
}

/// Why an owner should not be given what is in force here.
fn against(shared: &dyn Shared, place: &Place<'_>, store: &Store, name: &SecretName) -> Result<Option<Error>> {
    // What never was there is in force here alone.
    let Some(base) = store.synced.bases.get(&place.name) else { return Ok(None) };
    let there = match only(shared.remote()?.describe(&[&base.arn])) {
        Err(failure) if failure.cause == Cause::Missing => return Ok(None),
        there => there.map_err(|failure| failure.about(&format!("`{}`", place.name)))?,
    };
    let (code, what) = if there.current() != Some(&base.version) {
        ("remote-changed", "got another value in AWS meanwhile")
    } else if there.labelled(PENDING).is_some() {
        ("remote-pending", "is being rotated again, by another host or somebody else")
    } else {
        return Ok(None);
    };
    let message = format!("`{}` {what}: the owner of `{name}` is given what is in force once that is over", place.name);
    let error = Error::new(Kind::Conflict, code, message);
    Ok(Some(error.hint(format!("wait for the next `vault-kit rotate --due`, or `vault-kit rotate resume {name}`"))))
}

fn superseded(Group { claim, names }: &Group) -> Error {
    let shown: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let again: Vec<&str> = names.iter().map(SecretName::as_str).collect();
    let message = format!(
        "the rotation of {} gave way: `{}` has another version in force in AWS, or somebody gave it up for all hosts",
        shown.join(", "),
        claim.name
    );
    Error::new(Kind::Conflict, "rotation-superseded", message)
        .hint("what is in force there is in force here too")
        .hint(format!("to rotate again, `vault-kit rotate {}`", again.join(" ")))
}
