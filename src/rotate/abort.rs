//! Giving up: the owner gets the current value again where it may know the candidate, and then the candidate goes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::machine::{Failed, Machine, Run, in_flight, write_down};
use super::order::waves;
use super::programs::{Programs, Step};
use super::promote::{begin_retiring, overlap};
use super::withdraw::are_published;
use super::{Event, Report, What};
use crate::apply::Deed;
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;
use crate::store::Store;
use crate::store::rotations::{Ending, Operation, Step as Reached};
use crate::world::World;

impl Machine<'_> {
    /// Gives up the rotations of these secrets; `leaves_owners` = without their hooks, so that nobody tells the owners.
    ///
    /// Fails with `not-in-flight` where there is none, with `already-promoted` where the new value is in force, and as
    /// [`expect_hooks`] does.
    pub fn abort(&self, names: &BTreeSet<SecretName>, leaves_owners: bool) -> Result<Report> {
        let (world, mut opened) = self.open()?;
        if are_published(&opened.store, names) {
            drop(opened);
            return self.withdraw(names);
        }
        expect_open(&opened.store, names)?;
        if !leaves_owners {
            expect_hooks(&world, &opened.store, self.programs, names)?;
        }
        let leaked: Vec<SecretName> =
            names.iter().filter(|name| opened.store.is_current_leaked(name)).cloned().collect();
        let left = if leaves_owners { may_know_more } else { untold };
        let untold = left(&opened.store, self.programs, names);
        // Also what nobody here told an owner: another host may have, with the same value.
        let is_joint = |name: &SecretName| opened.store.rotations.open(name).is_some_and(|it| it.remote.is_some());
        let is_asked = |name: &SecretName| !leaves_owners && !self.programs.hooks(name, Step::Set).is_empty();
        let may_be_known = |name: &SecretName| is_joint(name) || is_asked(name);
        let (known, unknown): (Vec<SecretName>, Vec<SecretName>) = names.iter().cloned().partition(may_be_known);
        for name in &known {
            in_flight(&mut opened.store.rotations, name)?.advance(Reached::Aborting);
        }
        for name in &unknown {
            let is_known = untold.contains(&name) && (!leaves_owners || self.may_refuse(name));
            drop_candidate(&mut opened.store, name, world.now, is_known)?;
            if untold.contains(&name) {
                opened.store.owe_owner(name);
            } else {
                self.go_on_retiring(&world, &mut opened.store, name)?;
            }
        }
        opened.store.updated = opened.store.updated.max(world.now);
        let deeds = [Deed::of("rotate-aborting", &known), Deed::of(action(leaves_owners), &unknown)];
        let deeds: Vec<Deed<'_>> = deeds.into_iter().filter(|it| !it.subjects.is_empty()).collect();
        world.record_deeds(&mut opened, &deeds)?;
        drop(opened);
        let mut run = Run { active: names.clone(), leaves_owners, ..Run::default() };
        run.tell(&unknown, &What::Aborted);
        self.finish_aborts(&mut run)?;
        let is_given_up = |name: &&SecretName| run.report.has(name, &What::Aborted);
        let untold: Vec<SecretName> = untold.into_iter().filter(is_given_up).cloned().collect();
        for name in untold {
            run.tell(std::slice::from_ref(&name), &What::Untold { leaked: leaked.contains(&name) });
        }
        if self.at(&run, Reached::Staged)?.is_empty() {
            self.settle_lists(&mut run)?;
            return Ok(run.report);
        }
        // Another host put it in force before it could be given up.
        self.carry_on(run, Vec::new())
    }

    /// Gives up what is begun anew since it would tell an owner a value that leaked.
    pub(super) fn give_up_leaked(&self, run: &Run) -> Result<()> {
        if run.anew.is_empty() {
            return Ok(());
        }
        let (world, mut opened) = self.open()?;
        let names: Vec<SecretName> = run.anew.iter().cloned().collect();
        for name in &names {
            in_flight(&mut opened.store.rotations, name)?.advance(Reached::Aborting);
        }
        opened.store.updated = opened.store.updated.max(world.now);
        world.record_deeds(&mut opened, &[Deed::of("rotate-aborting", &names)])
    }

    /// Gives the current value to the owners of what is being given up.
    pub(super) fn finish_aborts(&self, run: &mut Run) -> Result<()> {
        let names = self.at(run, Reached::Aborting)?;
        if names.is_empty() {
            return Ok(());
        }
        let names = self.abort_there(run, names)?;
        let names = self.in_force(run, names)?;
        if names.is_empty() {
            return Ok(());
        }
        let is_left = |run: &Run, name: &SecretName| run.leaves_owners || run.anew.contains(name);
        let (left, asked): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_left(run, name));
        let (told, mut failed) = if asked.is_empty() { (asked, Vec::new()) } else { self.give_current(run, asked)? };
        let (world, mut opened) = self.open()?;
        for (name, problem) in &mut failed {
            problem.is_aborting = true;
            problem.is_leaked = opened.store.is_current_leaked(name);
        }
        let mut keeps = Vec::new();
        for name in left.iter().chain(&told) {
            let is_left = is_left(run, name);
            note_replaced(&mut opened.store, name);
            let is_refused = !is_left && !is_promised(&world, &opened.store, name)?;
            if is_refused && !self.programs.hooks(name, Step::Retire).is_empty() {
                let candidate = in_flight(&mut opened.store.rotations, name)?.candidate;
                if let Some(id) = candidate {
                    opened.store.note_retired(name, id, world.now);
                }
            }
            drop_candidate(&mut opened.store, name, world.now, is_left && self.may_refuse(name))?;
            if is_left {
                opened.store.owe_owner(name);
            } else if let Some(id) = opened.store.current(name).map(|version| version.id) {
                // It was given the current value just now, here or by another host.
                opened.store.note_told(name, id, world.now);
                let from = self.go_on_retiring(&world, &mut opened.store, name)?.filter(|from| *from > world.now);
                keeps.extend(from.map(|from| Event { secret: name.clone(), what: What::Retires { from } }));
            }
        }
        opened.store.updated = opened.store.updated.max(world.now);
        let deeds = [Deed::of(action(false), &told), Deed::of(action(true), &left)];
        write_down(run, (&world, &mut opened), &deeds, failed)?;
        run.tell(&[left, told].concat(), &What::Aborted);
        run.report.events.extend(keeps);
        Ok(())
    }

    /// Whether a hook may yet have the owner refuse the candidate.
    pub(super) fn may_refuse(&self, name: &SecretName) -> bool {
        let has = |step| !self.programs.hooks(name, step).is_empty();
        has(Step::Set) && has(Step::Retire)
    }

    /// Takes up again what an earlier rotation had yet to retire when what is given up was begun; tells from when on it is.
    pub(super) fn go_on_retiring(
        &self,
        world: &World<'_>,
        store: &mut Store,
        name: &SecretName,
    ) -> Result<Option<DateTime<Utc>>> {
        let has_hook = !self.programs.hooks(name, Step::Retire).is_empty();
        let told = store.to_retire(name).filter(|it| it.was_in_force() && it.life.told.is_some());
        let Some(before) = told.max_by_key(|it| it.life.replaced).filter(|_| has_hook) else { return Ok(None) };
        let (base, replaced) = (before.id, before.life.replaced.unwrap_or(world.now));
        begin_retiring(world, store, name, (base, replaced)).map(Some)
    }

    /// Has the hooks make owners accept the current value, and refuse the candidate.
    fn give_current(&self, run: &mut Run, names: Vec<SecretName>) -> Result<(Vec<SecretName>, Failed)> {
        // What an owner was to be told is not done by no hook being declared any more. What is shared may have no owner.
        let has_set = |name: &SecretName| self.is_joint(name) || !self.programs.hooks(name, Step::Set).is_empty();
        let (names, orphans): (Vec<SecretName>, Vec<SecretName>) = names.into_iter().partition(has_set);
        // Who gets the value of another one gets it when that is in force again.
        let names: Vec<SecretName> = waves(names, |name| self.programs.given(name)).concat();
        let (set, mut failed) = self.call_for(&names, Step::Set)?;
        let (world, opened) = self.open()?;
        let is_promised: Result<Vec<bool>> = set.iter().map(|it| is_promised(&world, &opened.store, it)).collect();
        drop(opened);
        let (promised, asked): (Vec<_>, Vec<_>) = set.into_iter().zip(is_promised?).partition(|(_, it)| *it);
        let names = |of: Vec<(SecretName, bool)>| of.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        // The owner may accept the candidate too, which nobody is to use any more.
        let (mut done, more) = self.call_for(&names(asked), Step::Retire)?;
        done.extend(names(promised));
        failed.extend(more);
        let done = self.in_force(run, done)?;
        failed.extend(self.undeclared(orphans, "set"));
        Ok((done, failed))
    }
}

/// Notes that an owner may accept what was in force before, where what is given up is in force after all.
fn note_replaced(store: &mut Store, name: &SecretName) {
    let Some(operation) = store.rotations.open(name) else { return };
    let (base, started) = (operation.base, operation.started);
    if operation.candidate.is_some_and(|id| store.is_in_force(name, id)) {
        store.note_told(name, base, started);
    }
}

/// Whether the owner of what is given up is to accept it all the same: it came into force meanwhile, or it is an earlier value
/// that is still accepted beside the one in force, until its overlap ends.
pub fn is_promised(world: &World<'_>, store: &Store, name: &SecretName) -> Result<bool> {
    let candidate = store.rotations.open(name).and_then(|it| it.candidate);
    if candidate.is_some_and(|id| store.is_in_force(name, id)) {
        return Ok(true);
    }
    let Some(id) = candidate.filter(|_| world.manifest.has_secret(name, world.environment)) else { return Ok(false) };
    let Some((before, replaced)) = store.again(name, id).and_then(|it| Some((it.id, it.life.replaced?))) else {
        return Ok(false);
    };
    Ok(world.now < replaced + overlap(world, store, name, before)?)
}

/// What the record calls it.
fn action(leaves_owners: bool) -> &'static str {
    if leaves_owners { "rotate-abort-without-hooks" } else { "rotate-abort" }
}

/// Gives up a candidate, and keeps its value as long as it may have to be named to an owner: `is_known` = it may accept it.
pub fn drop_candidate(store: &mut Store, name: &SecretName, now: DateTime<Utc>, is_known: bool) -> Result<()> {
    let operation = in_flight(&mut store.rotations, name)?;
    let (started, step) = (operation.started, operation.step);
    if is_known {
        store.leave_candidate(name, now);
    } else if step == Reached::Staged {
        store.drop_candidate(name);
    } else {
        store.give_up_candidate(name, now);
    }
    store.rotations.running.remove(name);
    store.rotations.note(name, Ending::Aborted, started, now);
    Ok(())
}

/// The secrets of which the owner may know only what is to be given up, with no hook to tell it the current value.
pub fn untold<'n>(store: &Store, programs: &dyn Programs, names: &'n BTreeSet<SecretName>) -> Vec<&'n SecretName> {
    let steps = [Step::Set, Step::Test, Step::Retire];
    let is_untold = |name: &&SecretName| {
        let has_no = |step: &Step| programs.hooks(name, *step).is_empty();
        let was_to_be_set = |it: &Operation| match it.step {
            Reached::Setting => true,
            // What is shared goes through these steps without an owner, too.
            Reached::Aborting => it.remote.is_none(),
            _ => it.remote.is_none() && steps.iter().all(has_no),
        };
        let was_set = store.rotations.open(name).is_some_and(was_to_be_set);
        was_set && has_no(&Step::Set)
    };
    names.iter().filter(is_untold).collect()
}

/// The secrets whose owners may know the candidate, and have a hook that could tell them the current value.
pub fn may_know_more<'n>(
    store: &Store,
    programs: &dyn Programs,
    names: &'n BTreeSet<SecretName>,
) -> Vec<&'n SecretName> {
    let may_know =
        |name: &&SecretName| store.rotations.open(name).is_some_and(|operation| operation.step != Reached::Staged);
    names.iter().filter(may_know).filter(|name| !programs.hooks(name, Step::Set).is_empty()).collect()
}

/// Refuses what cannot be given up.
///
/// Fails with `not-in-flight` and `already-promoted`, as [`Machine::abort`] does.
pub fn expect_open(store: &Store, names: &BTreeSet<SecretName>) -> Result<()> {
    Error::all(names.iter().filter_map(|name| refuse(store, name))).map_or(Ok(()), Err)
}

/// Refuses hooks that giving up calls and that could not be started, while the rotation can still go on otherwise.
pub fn expect_hooks(
    world: &World<'_>,
    store: &Store,
    programs: &dyn Programs,
    names: &BTreeSet<SecretName>,
) -> Result<()> {
    let mut hooks = BTreeSet::new();
    for name in names {
        let set = programs.hooks(name, Step::Set);
        if !set.is_empty() && !is_promised(world, store, name)? {
            hooks.extend(programs.hooks(name, Step::Retire));
        }
        hooks.extend(set);
    }
    let words: Vec<&str> = names.iter().map(SecretName::as_str).collect();
    let without = format!("`vault-kit rotate abort {} --without-hooks`", words.join(" "));
    programs.expect(&hooks).map_err(|error| {
        let error = error.hint("nothing was changed; once it can be started, give up once more");
        error.hint(format!("or, if it never can, leave the owner as it is and tell it by hand: {without}"))
    })
}

fn refuse(store: &Store, name: &SecretName) -> Option<Error> {
    match store.rotations.running.get(name) {
        Some(operation) if operation.is_open() => None,
        Some(_) => Some(
            Error::new(
                Kind::Usage,
                "already-promoted",
                format!("the new value of `{name}` is in force: there is nothing to give up"),
            )
            .hint(format!("to go back to the value before it, `vault-kit rotate rollback {name}`")),
        ),
        None => Some(
            Error::new(Kind::Usage, "not-in-flight", format!("`{name}` is not being rotated"))
                .hint("`vault-kit rotate status` lists what is"),
        ),
    }
}
