//! The last step: owners stop accepting what was replaced.

use super::What;
use super::machine::{Machine, Run, in_flight, write_down};
use super::programs::Step;
use crate::apply::Deed;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::SecretName;
use crate::store::rotations::{Operation, Step as Reached};

impl Machine<'_> {
    /// Retires what the run's promotions replaced, once its time has come; `early` = now, whatever the overlap.
    ///
    /// As long as a program has not read its files, or a file still holds an old value, nothing is retired: somebody may
    /// still work with it.
    pub(super) fn retire(&self, run: &mut Run, early: bool) -> Result<()> {
        let (world, mut opened) = self.open()?;
        if run.report.delivered.exit() != Exit::DONE || !opened.store.rotations.reloads.is_empty() {
            return Ok(());
        }
        let is_ready = |it: &Operation| match it.step {
            Reached::Promoted => early || it.retire_at.is_none_or(|at| at <= world.now),
            Reached::Retiring => true,
            _ => false,
        };
        let running = &opened.store.rotations.running;
        let names = run.active.iter().filter(|name| running.get(*name).is_some_and(is_ready));
        let names: Vec<SecretName> = names.cloned().collect();
        if names.is_empty() {
            return Ok(());
        }
        for name in &names {
            in_flight(&mut opened.store.rotations, name)?.step = Reached::Retiring;
        }
        opened.store.updated = opened.store.updated.max(world.now);
        world.record_deeds(&mut opened, &[Deed::of("rotate-retire", &names)])?;
        drop(opened);

        // Nobody retires what no hook is declared for any more: it ends here, and is not said to be retired.
        let has_hook = |name: &SecretName| !self.programs.hooks(name, Step::Retire).is_empty();
        let (names, orphans): (Vec<SecretName>, Vec<SecretName>) = names.into_iter().partition(has_hook);
        let (done, failed) = self.call_for(&names, Step::Retire)?;
        let (world, mut opened) = self.open()?;
        for name in &orphans {
            opened.store.rotations.running.remove(name);
        }
        for name in &done {
            let base = in_flight(&mut opened.store.rotations, name)?.base;
            opened.store.note_retired(name, base, world.now);
            opened.store.rotations.running.remove(name);
        }
        opened.store.updated = opened.store.updated.max(world.now);
        write_down(run, (&world, &mut opened), ("rotate-retired", &done), failed)?;
        run.tell(&done, &What::Retired);
        run.tell(&orphans, &What::NotRetired);
        Ok(())
    }
}
