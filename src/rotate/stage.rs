//! The first step: new values that nobody knows yet.

use std::collections::BTreeSet;

use super::What;
use super::machine::{Machine, Run};
use super::programs::Step;
use super::remote::Target;
use super::turn;
use crate::apply::Deed;
use crate::error::{Error, Result};
use crate::manifest::Declaration;
use crate::name::SecretName;
use crate::store::Store;
use crate::store::rotations::{Claim, Operation, Step as Reached, Trouble, Turn};
use crate::world::World;

impl Machine<'_> {
    /// Stages everything that is to be begun, in one change. Where no secret of the run has a program to wait for, nothing is
    /// staged: all of them are made and promoted in one change.
    pub(super) fn stage(&self, run: &mut Run, fresh: BTreeSet<SecretName>, targets: &[Target<'_>]) -> Result<()> {
        let fresh = self.startable(run, fresh)?;
        let steps = [Step::Set, Step::Test, Step::Retire];
        let is_asked = |name: &SecretName| steps.iter().any(|step| !self.programs.hooks(name, *step).is_empty());
        if fresh.is_empty() || targets.is_empty() && !fresh.iter().any(is_asked) {
            run.plain = fresh;
            return Ok(());
        }
        let (world, mut opened) = self.open()?;
        for name in &fresh {
            let claim = targets.iter().find(|it| it.place.holds(name)).map(|it| Claim::from(&it.seen));
            let declaration = world.declaration(name)?;
            let turn = claim.as_ref().and_then(|_| turn::begun(&world, &opened.store, declaration, run.withdraws));
            let operation = self.operation(&world, &mut opened.store, declaration, (claim, turn))?;
            opened.store.begin(name, operation);
        }
        let fresh: Vec<SecretName> = fresh.into_iter().collect();
        world.record_deeds(&mut opened, &[Deed::of("rotate-stage", &fresh)])?;
        run.tell(&fresh, &What::Staged);
        run.active.extend(fresh);
        Ok(())
    }

    /// Refuses programs that could not be started, before anything is changed.
    pub fn expect_programs(&self, names: &BTreeSet<SecretName>) -> Result<()> {
        let steps = [Step::Set, Step::Test, Step::Retire];
        let hooks = names.iter().flat_map(|name| steps.map(|step| self.programs.hooks(name, step))).flatten().collect();
        self.programs.expect(&hooks).map_err(|error| error.hint("nothing was changed"))
    }

    fn operation(
        &self,
        world: &World<'_>,
        store: &mut Store,
        declaration: &Declaration,
        (remote, turn): (Option<Claim>, Option<Turn>),
    ) -> Result<Operation> {
        let name = &declaration.name;
        let step = if remote.is_some() { Reached::Staged } else { self.after_stage(name) };
        let base = store.current(name).map(|it| it.id);
        let base = base.ok_or_else(|| Error::bug(format!("`{name}` has no value to be rotated")))?;
        // What no program asks for and what follows from others is made at promotion, of what its inputs are then.
        let is_drawn = declaration.kind.is_single();
        let is_new = matches!(turn, None | Some(Turn::Publish));
        let candidate = if is_new && (is_drawn || step != Reached::Tested) {
            let version = world.make_version(store, declaration)?;
            let id = version.id;
            store.stage(name, version);
            Some(id)
        } else {
            None
        };
        store.updated = store.updated.max(world.now);
        let (started, trouble) = (world.now, Trouble::default());
        let recipe = candidate.and_then(|_| world.recipe(declaration));
        Ok(Operation { base, candidate, recipe, step, started, trouble, retire_at: None, remote, turn })
    }
}
