//! The last step: owners stop accepting what was replaced.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::{Failed, Machine, Run, in_flight, write_down};
use super::programs::{Programs, Step};
use super::{Problem, What};
use crate::apply::Deed;
use crate::error::Result;
use crate::exit::Exit;
use crate::manifest::Manifest;
use crate::name::{SecretName, VersionId};
use crate::plan;
use crate::store::Store;
use crate::store::rotations::{Operation, Rotations, Step as Reached, Trouble};

impl Machine<'_> {
    /// Retires what the run's promotions replaced, once its time has come; `early` = now, whatever the overlap.
    ///
    /// As long as a program has not read its files, or a file still holds an old value, nothing is retired: somebody may
    /// still work with it.
    pub(super) fn retire(&self, run: &mut Run, early: bool) -> Result<()> {
        let (world, mut opened) = self.open()?;
        if run.report.delivered.exit() != Exit::DONE {
            return Ok(());
        }
        let is_ready = |it: &Operation| match it.step {
            Reached::Promoted => early || it.retire_at.is_none_or(|at| at <= world.now),
            Reached::Retiring => true,
            _ => false,
        };
        let store = &opened.store;
        let running = &store.rotations.running;
        let names = run.active.iter().filter(|name| running.get(*name).is_some_and(is_ready));
        let names = names.filter(|name| !owes_reload(world.manifest, store, name));
        let names = names.filter(|name| !waits_for_owner(store, self.programs, name));
        let names: Vec<SecretName> = names.cloned().collect();
        if names.is_empty() {
            return Ok(());
        }
        // Nobody retires what no hook is declared for any more: it ends here, and is not said to be retired.
        let has_hook = |name: &&SecretName| !self.programs.hooks(name, Step::Retire).is_empty();
        let (asked, orphans): (Vec<&SecretName>, Vec<&SecretName>) = names.iter().partition(has_hook);
        let old = |name: &SecretName| {
            let waits = can_be_told(self.programs, name);
            (name.clone(), store.to_refuse(name, running[name].base, waits))
        };
        let old: Vec<(SecretName, Vec<VersionId>)> = asked.into_iter().map(old).collect();
        let orphans: Vec<SecretName> = orphans.into_iter().cloned().collect();
        for name in &names {
            in_flight(&mut opened.store.rotations, name)?.step = Reached::Retiring;
        }
        opened.store.updated = opened.store.updated.max(world.now);
        world.record_deeds(&mut opened, &[Deed::of("rotate-retire", &names)])?;
        drop(opened);

        let (mut done, mut failed) = (Vec::new(), Failed::new());
        for (name, versions) in old {
            match self.refuse_old(&name, &versions)? {
                Some(problem) => failed.push((name, problem)),
                None => done.push((name, versions)),
            }
        }
        let (world, mut opened) = self.open()?;
        for name in &orphans {
            opened.store.rotations.running.remove(name);
        }
        for (name, versions) in &done {
            for id in versions {
                opened.store.note_retired(name, *id, world.now);
            }
            let operation = in_flight(&mut opened.store.rotations, name)?;
            if versions.contains(&operation.base) {
                opened.store.rotations.running.remove(name);
            } else {
                // Only what leaked was refused: the rest goes on waiting.
                operation.advance(Reached::Promoted);
            }
        }
        let done: Vec<SecretName> = done.into_iter().map(|(name, _)| name).collect();
        opened.store.updated = opened.store.updated.max(world.now);
        write_down(run, (&world, &mut opened), &[Deed::of("rotate-retired", &done)], failed)?;
        run.tell(&done, &What::Retired);
        run.tell(&orphans, &What::NotRetired);
        Ok(())
    }

    /// Has the owner of a secret refuse these versions.
    fn refuse_old(&self, name: &SecretName, versions: &[VersionId]) -> Result<Option<Problem>> {
        let hooks = self.programs.hooks(name, Step::Retire);
        let calls = versions.iter().flat_map(|id| hooks.iter().map(move |hook| (hook, *id)));
        let mut problems = calls.map(|(hook, id)| self.call(hook, Step::Retire, Some(name), Some(id)));
        problems.find_map(Result::transpose).transpose()
    }
}

/// Whether what was replaced stays accepted until a hook told the owner of a secret the value in force.
pub fn waits_for_owner(store: &Store, programs: &dyn Programs, name: &SecretName) -> bool {
    can_be_told(programs, name) && !programs.hooks(name, Step::Retire).is_empty() && store.waits_for_owner(name)
}

fn can_be_told(programs: &dyn Programs, name: &SecretName) -> bool {
    !programs.hooks(name, Step::Set).is_empty()
}

/// Whether a program has yet to read files that changed with a secret.
pub(super) fn owes_reload(manifest: &Manifest, store: &Store, name: &SecretName) -> bool {
    let Rotations { reloads, unread, .. } = &store.rotations;
    !owed_reloads(manifest, (reloads, unread), name).is_empty()
}

/// The reloads that are owed since files changed with a secret. Of a hook without a record everything may have changed.
pub fn owed_reloads<'r>(
    manifest: &Manifest,
    (reloads, unread): (&'r BTreeMap<String, Trouble>, &BTreeMap<String, BTreeSet<SecretName>>),
    name: &SecretName,
) -> Vec<&'r Trouble> {
    let made = plan::dependents(manifest, &BTreeSet::from([name.clone()]));
    let is_its = |hook: &String| unread.get(hook).is_none_or(|unread| !unread.is_disjoint(&made));
    reloads.iter().filter(|(hook, _)| is_its(hook)).map(|(_, trouble)| trouble).collect()
}
