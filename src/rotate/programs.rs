//! The programs that a rotation asks for help, as the machine sees them.

use std::collections::BTreeSet;

use crate::error::Result;
pub use crate::manifest::hook::Step;
use crate::manifest::{Declaration, Manifest};
use crate::name::{EnvName, OutputName, SecretName};
use crate::secret::Secret;
use crate::store::ledger::Entry;
use crate::store::{Store, Version};

/// What a program is started with. It borrows the open store, which is gone by the time the program is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Call<'s> {
    /// The hook.
    pub hook: &'s str,
    /// The step.
    pub step: Step,
    /// The secret, except for `reload`.
    pub secret: Option<&'s SecretName>,
    /// The value that is to be accepted, or worked with; after promotion the current one.
    pub new: Option<&'s Version>,
    /// The value that is in force, or was before.
    pub old: Option<&'s Version>,
    /// For the current values of other secrets that the hook is to get.
    pub store: &'s Store,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It did what it was asked for.
    Done,
    /// It wants to be asked later.
    Later,
    /// It could not.
    Failed,
    /// It was stopped.
    TimedOut,
    /// It was stopped since somebody interrupted us.
    Interrupted,
}

/// A program that was started, and holds no value of ours on our side.
pub trait Running {
    /// Waits for its end, at most for its timeout.
    fn wait(self: Box<Self>) -> Result<Box<dyn Ended>>;
}

/// A program that ended.
pub trait Ended {
    /// How.
    fn status(&self) -> Status;

    /// What it said, without these values in any spelling.
    fn said(&self, values: &[&Secret]) -> String;
}

/// The hooks of a manifest, and how they are run.
pub trait Programs {
    /// The hooks of a secret that have a step, in their order.
    fn hooks(&self, secret: &SecretName, step: Step) -> Vec<String>;

    /// The hooks that are to reload after files of these outputs changed.
    fn reloads(&self, outputs: &BTreeSet<OutputName>) -> BTreeSet<String>;

    /// Whether there is such a hook.
    fn is_declared(&self, _hook: &str) -> bool {
        true
    }

    /// The secrets, besides what it is about, whose values a secret's hooks get.
    fn given(&self, _secret: &SecretName) -> BTreeSet<SecretName> {
        BTreeSet::new()
    }

    /// Refuses what cannot or must not be started, before anything is changed.
    fn expect(&self, hooks: &BTreeSet<String>) -> Result<()>;

    /// Hands over the input and starts the program.
    fn start(&self, call: &Call<'_>) -> Result<Box<dyn Running>>;
}

/// Whether the owner of a value is still to be told it: where no hook can, there is nothing to be done about it, and while the
/// secret is being rotated its owner is told another one.
pub fn is_owner_untold(manifest: &Manifest, environment: &EnvName, entry: &Entry) -> bool {
    let declaration = manifest.secret(&entry.name).filter(|it| it.is_in(environment));
    let is_rotated = entry.rotation.as_ref().is_some_and(|it| it.is_open());
    entry.untold && !is_rotated && declaration.is_some_and(|it| has(manifest, it, Step::Set))
}

/// Whether what was replaced stays accepted until a hook told the owner of a secret the value in force, as far as a ledger tells.
pub fn waits_for_owner(manifest: &Manifest, environment: &EnvName, entry: &Entry) -> bool {
    let retires = |it: &Declaration| has(manifest, it, Step::Retire);
    entry.kept && is_owner_untold(manifest, environment, entry) && manifest.secret(&entry.name).is_some_and(retires)
}

/// Whether one of a secret's hooks has a step.
pub fn has(manifest: &Manifest, declaration: &Declaration, step: Step) -> bool {
    manifest.hooks_for(declaration, step).next().is_some()
}
