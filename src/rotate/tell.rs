//! Telling an owner the value that is in force already: the first one, one that came by hand, or after its data were restored.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::{Failed, Machine, Run, write_down};
use super::order::waves;
use super::programs::{Programs, Step};
use super::promote::begin_retiring;
use super::select::Selection;
use super::shared::Group;
use super::{Problem, Refusal, Report, What};
use crate::apply::Deed;
use crate::deliver::Changing;
use crate::error::{Error, Kind, Result};
use crate::name::{SecretName, VersionId};
use crate::store::Store;
use crate::store::ledger::DeliveredFile;
use crate::world::World;

impl Machine<'_> {
    /// Has the hooks of these secrets set and test their current values. No value changes.
    ///
    /// Fails with `rotation-in-flight`, and with `usage` for what has no value or no hook with `set`.
    pub fn tell(&self, names: &BTreeSet<SecretName>) -> Result<Report> {
        let (world, opened) = self.open()?;
        world.refuse_in_flight(&opened.store, &names.iter().cloned().collect::<Vec<_>>())?;
        expect_told(&opened.store, self.programs, names)?;
        self.expect_programs(names)?;
        world.prepare(&opened.store)?.preflight()?;
        drop(opened);
        let mut run = Run::default();
        let (told, failed) = self.set_and_test(names.iter().cloned().collect())?;
        let mut untold: Vec<SecretName> = failed.iter().map(|(name, _)| name.clone()).collect();
        run.report.refused.extend(failed.into_iter().map(|(name, problem)| refusal(&name, problem)));
        let (world, mut opened) = self.open()?;
        opened.store.updated = opened.store.updated.max(world.now);
        // Files would get a value too that its owner refuses.
        let delivers = untold.is_empty();
        let files = if delivers { None } else { world.files.delivered()? };
        untold.retain(|name| opened.store.owe_owner(name));
        for name in &told {
            if let Some(id) = opened.store.current(name).map(|version| version.id) {
                opened.store.note_told(name, id, world.now);
            }
            if files.as_ref().is_none_or(|files| !holds_earlier(files, &opened.store, name)) {
                self.retire_before(&world, &mut opened.store, name)?;
            }
        }
        let deeds = [("rotate-tell", &told), ("rotate-failed", &untold)];
        let deeds = deeds.into_iter().filter(|(_, names)| !names.is_empty());
        let deeds: Vec<Deed<'_>> = deeds.map(|(action, names)| Deed::of(action, names)).collect();
        if delivers {
            // Whoever reads the files must have the value that stays before the one of before is refused.
            let mut owe = |store: &mut Store, changing: &Changing| self.owe_reloads(store, changing);
            run.deliver(world.settle_deeds(&mut opened, &deeds, !deeds.is_empty(), Some(&mut owe))?);
        } else if !deeds.is_empty() {
            world.record_deeds(&mut opened, &deeds)?;
        }
        drop(opened);
        run.tell(&told, &What::Told);
        if delivers {
            self.reload(&mut run)?;
        }
        run.active.extend(told);
        self.retire(&mut run, false)?;
        Ok(run.report)
    }

    /// Calls `set` and then `test`: who gets the value of another one comes after that.
    fn set_and_test(&self, names: Vec<SecretName>) -> Result<(Vec<SecretName>, Failed)> {
        let (mut told, mut failed) = (Vec::new(), Failed::new());
        for wave in waves(names, |name| self.programs.given(name)) {
            let (set, not_set) = self.call_for(&wave, Step::Set)?;
            let (tested, not_tested) = self.call_for(&set, Step::Test)?;
            told.extend(tested);
            failed.extend(not_set.into_iter().chain(not_tested));
        }
        Ok((told, failed))
    }

    /// Tells owners once more what is in force in AWS although another host gave it up: that one may have had them refuse it.
    /// Answers with what can be put in force here, which comes after it, so that whoever dies before comes here again.
    pub(super) fn tell_again(&self, run: &mut Run, mut groups: Vec<Group>) -> Result<Vec<Group>> {
        if groups.is_empty() {
            return Ok(groups);
        }
        let (_, opened) = self.open()?;
        // Of a key that all hosts publish no owner is told.
        let has_candidate =
            |name: &&SecretName| opened.store.rotations.open(name).is_some_and(|it| it.candidate.is_some());
        let names = groups.iter().flat_map(|group| &group.names).filter(has_candidate).cloned().collect();
        drop(opened);
        let (told, failed) = self.set_and_test(names)?;
        groups.retain(|group| !failed.iter().any(|(name, _)| group.names.contains(name)));
        let (world, mut opened) = self.open()?;
        opened.store.updated = opened.store.updated.max(world.now);
        write_down(run, (&world, &mut opened), &[Deed::of("rotate-tell", &told)], failed)?;
        run.tell(&told, &What::Told);
        Ok(groups)
    }

    /// What the owner of a secret accepted before is retired as after a rotation: at the end of its overlap.
    fn retire_before(&self, world: &World<'_>, store: &mut Store, name: &SecretName) -> Result<()> {
        let has_hook = !self.programs.hooks(name, Step::Retire).is_empty();
        // What it was told last is what its overlap is about; of what it never was told, what was in force last.
        let Some(before) =
            store.to_retire(name).max_by_key(|it| (it.was_in_force(), it.life.told)).filter(|_| has_hook)
        else {
            return Ok(());
        };
        let (base, replaced) = (before.id, before.life.replaced.unwrap_or(world.now));
        if store.rotations.running.get(name).is_some_and(|operation| operation.base == base) {
            return Ok(());
        }
        begin_retiring(world, store, name, (base, replaced)).map(drop)
    }
}

/// Whether a file still has a value of a secret that its owner accepts beside the one in force.
fn holds_earlier(files: &BTreeMap<String, DeliveredFile>, store: &Store, name: &SecretName) -> bool {
    let held: BTreeSet<VersionId> = files.values().filter_map(|file| file.holds.get(name)).copied().collect();
    store.to_retire(name).any(|version| held.contains(&version.id))
}

impl Selection {
    /// Why some of it is left as it is.
    pub fn refusals(&self, store: &Store) -> impl Iterator<Item = Error> {
        let untold = self.untold.iter().map(|name| untold(store, name));
        self.leaked.iter().map(leaked).chain(untold)
    }
}

/// Refuses what has no value that its owner could be told, or nobody who tells it.
pub fn expect_told(store: &Store, programs: &dyn Programs, names: &BTreeSet<SecretName>) -> Result<()> {
    let refuse = |name: &SecretName| match store.current(name) {
        None => Some(
            Error::usage(format!("`{name}` has no value yet"))
                .hint(format!("make one with `vault-kit generate {name}`")),
        ),
        Some(_) if store.is_current_leaked(name) => Some(leaked(name)),
        Some(_) if programs.hooks(name, Step::Set).is_empty() => Some(
            Error::usage(format!("no hook of `{name}` has the step `set`, which tells its owner a value"))
                .hint("name one in its `hooks`; the README tells how, under \"Rotation hooks\""),
        ),
        Some(_) => None,
    };
    Error::all(names.iter().filter_map(refuse)).map_or(Ok(()), Err)
}

/// Why an owner is not given what is in force.
pub fn leaked(name: &SecretName) -> Error {
    let message = format!("the value of `{name}` that is in force leaked, and nobody is told it again");
    Error::new(Kind::Conflict, "banned", message)
        .hint(format!("nothing was changed; have a new one made and told: `vault-kit rotate {name}`"))
}

/// Why what an owner was told before is not refused by it.
pub fn untold(store: &Store, name: &SecretName) -> Error {
    let message =
        format!("what the owner of `{name}` was told last stays accepted: no hook told it the value in force");
    let command = if store.is_current_leaked(name) { format!("rotate {name}") } else { format!("rotate tell {name}") };
    Error::new(Kind::Conflict, "still-accepted", message).hint(format!(
        "nothing was changed; once its owner is told, the value before is refused: `vault-kit {command}`"
    ))
}

fn refusal(name: &SecretName, problem: Problem) -> Refusal {
    let state = "its owner may not know the current value";
    let error =
        problem.of_secret(name, state).hint(format!("once it can, try it again with `vault-kit rotate tell {name}`"));
    Refusal { hook: problem.failure.hook, said: problem.said, ..error.into() }
}
