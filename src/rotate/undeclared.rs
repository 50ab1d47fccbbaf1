//! Rotations of what is not declared any more as they began. Of what is gone, or is of another kind, nothing comes into force,
//! and it can be given up. What is only made otherwise by now goes on, since its owner may accept nothing else, and is told of.

use super::machine::{Failed, Machine, Run, write_down};
use super::{Problem, What};
use crate::error::{Error, Kind, Result};
use crate::manifest::{Declaration, Manifest};
use crate::name::{EnvName, SecretName};
use crate::store::Store;
use crate::store::ledger::Entry;
use crate::store::rotations::{Failure, Operation, Step as Reached};
use crate::world::World;

/// The code of a rotation whose declaration is gone, or is of another kind by now.
pub(crate) const UNDECLARED: &str = "rotation-undeclared";

impl Machine<'_> {
    /// Takes out of the run what must not be carried on, and notes why.
    pub(super) fn leave_undeclared(&self, run: &mut Run) -> Result<()> {
        if run.active.is_empty() {
            return Ok(());
        }
        let (world, mut opened) = self.open()?;
        let is_gone = |name: &&SecretName| is_gone(world.manifest, world.environment, &opened.store, name);
        let gone: Vec<SecretName> = run.active.iter().filter(is_gone).cloned().collect();
        let is_otherwise = |name: &&SecretName| !gone.contains(name) && is_made_otherwise(&world, &opened.store, name);
        let otherwise: Vec<SecretName> = run.active.iter().filter(is_otherwise).cloned().collect();
        run.tell(&otherwise, &What::DeclaredOtherwise);
        if gone.is_empty() {
            return Ok(());
        }
        opened.store.updated = opened.store.updated.max(world.now);
        write_down(run, (&world, &mut opened), &[], self.undeclared(gone, "promote"))
    }

    /// Such a rotation as a failure of a step.
    pub(super) fn undeclared(&self, names: impl IntoIterator<Item = SecretName>, step: &str) -> Failed {
        let problem = |name: SecretName| {
            let (step, hook, code) = (step.to_owned(), String::new(), UNDECLARED.to_owned());
            let failure = Failure { step, hook, code, at: self.clock.now() };
            (name.clone(), Problem::new(Some(name), failure))
        };
        names.into_iter().map(problem).collect()
    }
}

/// Whether what a rotation would put in force is not declared any more, or is of another kind by now.
pub fn is_gone(manifest: &Manifest, environment: &EnvName, store: &Store, name: &SecretName) -> bool {
    let Some(operation) = store.rotations.open(name).filter(|it| it.step != Reached::Aborting) else { return false };
    let Some(declaration) = manifest.secret(name).filter(|it| it.is_in(environment)) else { return true };
    let kind = |id| store.version(name, id).map(|version| version.kind.as_str());
    is_of_another_kind(declaration, kind(operation.base), operation.candidate.and_then(kind))
}

/// As [`is_gone`], by what the ledger tells.
pub fn is_undeclared(manifest: &Manifest, environment: &EnvName, entry: &Entry) -> bool {
    let is_open = |it: &Operation| it.is_open() && it.step != Reached::Aborting;
    if !entry.rotation.as_deref().is_some_and(is_open) {
        return false;
    }
    let Some(declaration) = manifest.secret(&entry.name).filter(|it| it.is_in(environment)) else { return true };
    is_of_another_kind(declaration, Some(&entry.kind), entry.candidate_kind.as_deref())
}

/// Why such a rotation is not carried on.
pub fn refusal(secret: &SecretName, is_aborting: bool) -> Error {
    let state = if is_aborting { "its owner may know the candidate" } else { "the old value is in force" };
    let message = format!("`{secret}` is not declared any more as its rotation began: {state}");
    Error::new(Kind::Incomplete, "rotation-undeclared", message)
        .hint(format!("give it up: `vault-kit rotate abort {secret}`"))
        .hint("or declare it and its hooks as they were, and go on with `vault-kit rotate resume`")
}

fn is_of_another_kind(declaration: &Declaration, base: Option<&str>, candidate: Option<&str>) -> bool {
    let Some(candidate) = candidate else { return false };
    // A rollback may go to what was made as another kind; a new value was made as what was declared then.
    !declaration.kind.accepts(candidate) || base == Some(candidate) && candidate != declaration.kind.name()
}

/// Whether a new value would be made by other parameters than the candidate was.
fn is_made_otherwise(world: &World<'_>, store: &Store, name: &SecretName) -> bool {
    let Some(operation) = store.rotations.open(name).filter(|it| it.step != Reached::Aborting) else { return false };
    let now = world.manifest.secret(name).and_then(|it| world.recipe(it));
    operation.recipe.is_some() && operation.recipe != now
}
