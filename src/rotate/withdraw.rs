//! Taking back a key or root that all hosts publish before it signs.

use std::collections::BTreeSet;

use super::machine::{Machine, Run};
use super::{Report, What};
use crate::companions;
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;
use crate::store::Store;
use crate::world::World;

impl Machine<'_> {
    /// Takes back keys and roots that all hosts publish and that do not sign yet.
    pub(super) fn withdraw(&self, names: &BTreeSet<SecretName>) -> Result<Report> {
        let mut run = Run { withdraws: true, ..Run::default() };
        let (fresh, targets) = self.look(&mut run, names.clone())?;
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
}

/// Whether all of these are keys or roots that all hosts publish and that do not sign yet, with no rotation on its way.
pub fn is_ahead(world: &World<'_>, store: &Store, names: &BTreeSet<SecretName>) -> bool {
    let is_joint = |name| world.manifest.secret(name).is_some_and(|it| companions::is_joint(world.manifest, it, store));
    names.iter().all(|name| store.rotations.open(name).is_none() && store.next(name).is_some() && is_joint(name))
}

/// Another host had begun to activate what was to be taken back, and all came to that.
fn too_late(name: &SecretName) -> Error {
    let message = format!("another host was faster: the next `{name}` signs already, here too");
    Error::new(Kind::Conflict, "rotation-superseded", message)
        .hint(format!("to replace it by another one, `vault-kit rotate {name}`"))
        .hint(format!("or at once, if it leaked: `vault-kit generate --replace {name} --revoke`"))
}
