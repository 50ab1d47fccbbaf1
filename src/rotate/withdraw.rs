//! Taking back a key or root that is published before it signs, here or on all hosts.

use std::collections::BTreeSet;

use super::machine::{Machine, Run};
use super::{Report, What};
use crate::apply::Deed;
use crate::companions;
use crate::deliver::{Changing, Delivered};
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;
use crate::store::Store;

impl Machine<'_> {
    /// Takes back keys and roots that are published and do not sign yet.
    pub(super) fn withdraw(&self, names: &BTreeSet<SecretName>) -> Result<Report> {
        let (world, opened) = self.open()?;
        let is_joint = |name: &SecretName| {
            let declaration = world.manifest.secret(name);
            declaration.is_some_and(|it| companions::is_joint(world.manifest, it, &opened.store))
        };
        let (joint, alone): (BTreeSet<_>, BTreeSet<_>) = names.iter().cloned().partition(is_joint);
        drop(opened);
        let mut run = Run { withdraws: true, ..Run::default() };
        if !alone.is_empty() {
            self.withdraw_here(&mut run, &alone.into_iter().collect::<Vec<_>>())?;
        }
        let (fresh, targets) = self.look(&mut run, joint)?;
        self.stage(&mut run, fresh.clone(), &targets)?;
        let mut report = self.carry_on(run, targets)?;
        let (_, opened) = self.open()?;
        let is_told = !report.refused.is_empty() || !report.problems.is_empty();
        let is_lost = |name: &&SecretName| {
            !is_told && opened.store.rotations.open(name).is_none() && !report.has(name, &What::Withdrawn)
        };
        let lost: Vec<Error> = fresh.iter().filter(is_lost).map(too_late).collect();
        report.refused.extend(lost.into_iter().map(Into::into));
        Ok(report)
    }

    /// Of what no other host has the successor goes out of store and files in one change.
    fn withdraw_here(&self, run: &mut Run, names: &[SecretName]) -> Result<()> {
        let (world, mut opened) = self.open()?;
        for name in names {
            opened.store.withdraw(name, world.now);
        }
        let lists = world.refresh_lists(&mut opened.store)?;
        let mut owe = |store: &mut Store, changing: &Changing| self.owe_reloads(store, changing);
        let deeds = [Deed::of("rotate-abort", names)];
        let delivered = world.settle_deeds(&mut opened, &deeds, true, Some(&mut owe))?;
        run.deliver(Delivered { lists, ..delivered });
        run.tell(names, &What::Withdrawn);
        Ok(())
    }
}

/// Whether all of these are keys or roots that are published and do not sign yet, with no rotation on its way.
pub fn are_published(store: &Store, names: &BTreeSet<SecretName>) -> bool {
    names.iter().all(|name| store.rotations.open(name).is_none() && store.next(name).is_some())
}

/// Another host had begun to activate what was to be taken back, and all came to that.
fn too_late(name: &SecretName) -> Error {
    let message = format!("another host was faster: the next `{name}` signs already, here too");
    Error::new(Kind::Conflict, "rotation-superseded", message)
        .hint(format!("to replace it by another one, `vault-kit rotate {name}`"))
        .hint(format!("or at once, if it leaked: `vault-kit generate --replace {name} --revoke`"))
}
