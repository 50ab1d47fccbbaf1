//! The steps of a run, one after the other. The store is opened for each of them and dropped before a program is waited for.

use std::collections::BTreeSet;

use super::order::waves;
use super::paused;
use super::programs::{Call, Programs, Status, Step};
use super::remote::Target;
pub(super) use super::run::{Failed, Run};
use super::select::{self, Order, Selection};
use super::shared::Shared;
use super::{Problem, Refusal, Report, What, orphaned};
use crate::apply::Deed;
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::manifest::Format;
use crate::name::{SecretName, VersionId};
use crate::secret::Secret;
use crate::store::files::Opened;
use crate::store::rotations::{Failure, Operation, Rotations, Step as Reached};
use crate::store::{Store, Version};
use crate::world::World;

/// What carries rotations on. It has no store: whoever needs one opens it.
#[expect(missing_debug_implementations, reason = "programs may be anything")]
pub struct Machine<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) programs: &'a dyn Programs,
    pub(super) clock: &'a dyn Clock,
    pub(super) shared: Option<&'a dyn Shared>,
}

impl<'a> Machine<'a> {
    /// A machine for one environment.
    pub fn new(world: &'a World<'a>, programs: &'a dyn Programs, clock: &'a dyn Clock) -> Self {
        Self { world, programs, clock, shared: None }
    }

    /// The same for an environment that shares secrets with other hosts.
    #[must_use]
    pub fn with(self, shared: Option<&'a dyn Shared>) -> Self {
        Self { shared, ..self }
    }

    /// Begins what the order asks for, and carries everything on as far as it goes; `settles` = bring the outputs up to date
    /// although nothing is promoted.
    pub fn run(&self, order: &Order, settles: bool) -> Result<Report> {
        let waits = *order == Order::Due;
        let mut run = Run { settles: settles || !waits, waits, ..Run::default() };
        let (world, opened) = self.open()?;
        run.since = Some(opened.store.updated);
        let selection = self.select(&world, &opened.store, order, false)?;
        // No owner refuses what a file still delivers.
        let retires = |name: &SecretName| opened.store.rotations.running.get(name).is_some_and(|it| !it.is_open());
        run.settles |= selection.going.iter().any(retires);
        run.tried = paused::tried(&opened.store, order, &selection);
        run.anew = selection.anew(&opened.store);
        run.report.refused.extend(selection.refusals(&opened.store).map(Refusal::from));
        drop(opened);
        if !waits {
            self.expect_programs(&selection.fresh)?;
        }
        run.active.clone_from(&selection.retire_first);
        if !selection.retire_first.is_empty() {
            self.retire(&mut run, true)?;
        }
        run.active.clone_from(&selection.going);
        self.give_up_leaked(&run)?;
        self.finish_aborts(&mut run)?;
        let failed: BTreeSet<&SecretName> = run.report.problems.iter().filter_map(|it| it.secret.as_ref()).collect();
        let is_free = |name: &SecretName| !selection.going.contains(name) || run.report.has(name, &What::Aborted);
        let fresh = selection.fresh.into_iter().filter(|name| !failed.contains(name) && is_free(name)).collect();
        let (fresh, targets) = self.look(&mut run, fresh)?;
        self.stage(&mut run, fresh, &targets)?;
        self.carry_on(run, targets)
    }

    /// What an order comes to; refused where its files could not be written, before an owner is told of a value.
    pub fn select(&self, world: &World<'_>, store: &Store, order: &Order, is_rehearsal: bool) -> Result<Selection> {
        let selection = select::select(world.manifest, store, order, self.programs, world.now)?;
        if !selection.fresh.is_empty() || !selection.going.is_empty() {
            expect_deliverable(world, store, &selection.changing(world.manifest, store), is_rehearsal)?;
        }
        Ok(selection)
    }

    pub(super) fn carry_on(&self, mut run: Run, targets: Vec<Target<'_>>) -> Result<Report> {
        self.leave_undeclared(&mut run)?;
        self.claim(&mut run, targets)?;
        self.finish_aborts(&mut run)?;
        self.step(&mut run, Reached::Setting, Step::Set)?;
        self.step(&mut run, Reached::Set, Step::Test)?;
        self.promote(&mut run)?;
        self.reload(&mut run)?;
        self.retire(&mut run, false)?;
        self.note_pauses(&mut run)?;
        self.settle_lists(&mut run)?;
        Ok(run.report)
    }

    /// Has the committed lists tell what programs were given, whether or not it came into force. What keeps one from being written
    /// undoes nothing of the run.
    pub(super) fn settle_lists(&self, run: &mut Run) -> Result<()> {
        let mut outputs = self.world.manifest.outputs_in(self.world.environment);
        if !outputs.any(|it| it.format == Format::Fingerprints) {
            return Ok(());
        }
        let (world, opened) = self.open()?;
        match world.settle_lists(&opened) {
            Ok(written) => run.add_written(written),
            Err(error) => run.report.refused.push(Refusal::from(error.after_the_change())),
        }
        Ok(())
    }

    /// The store as it is now, and the world at this moment.
    pub(super) fn open(&self) -> Result<(World<'a>, Opened)> {
        let world = World { now: self.clock.now(), ..*self.world };
        let opened = world.files.open_for_writing(world.identities)?;
        let opened = opened.ok_or_else(|| Error::bug("a rotation was begun without a store"))?;
        world.check_agreement(&opened.store)?;
        Ok((world, opened))
    }

    /// Runs one step for all that have come to it, and writes down what became of them: in one change, or in one more for
    /// each time that a hook gets what another one is to set.
    fn step(&self, run: &mut Run, at: Reached, step: Step) -> Result<()> {
        let waves = waves(self.at(run, at)?, |name| self.programs.given(name));
        waves.into_iter().try_for_each(|names| self.step_of(run, names, step))
    }

    fn step_of(&self, run: &mut Run, names: Vec<SecretName>, step: Step) -> Result<()> {
        let (asked, orphans): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| !self.programs.hooks(name, step).is_empty());
        let (done, mut failed) = self.call_for(&asked, step)?;
        let orphaned = |name: SecretName| (name.clone(), orphaned(&name, step, self.clock.now()));
        failed.extend(orphans.into_iter().map(orphaned));
        let (world, mut opened) = self.open()?;
        for name in &done {
            let next = if step == Step::Set { self.after_set(name) } else { Reached::Tested };
            let operation = in_flight(&mut opened.store.rotations, name)?;
            operation.advance(next);
            if let Some(candidate) = operation.candidate.filter(|_| step == Step::Set) {
                opened.store.note_told(name, candidate, world.now);
            }
        }
        opened.store.updated = opened.store.updated.max(world.now);
        let told = if step == Step::Set { ("rotate-set", What::Set) } else { ("rotate-test", What::Tested) };
        write_down(run, (&world, &mut opened), &[Deed::of(told.0, &done)], failed)?;
        run.tell(&done, &told.1);
        Ok(())
    }

    /// The step that comes after staging.
    pub(super) fn after_stage(&self, name: &SecretName) -> Reached {
        if self.programs.hooks(name, Step::Set).is_empty() { self.after_set(name) } else { Reached::Setting }
    }

    fn after_set(&self, name: &SecretName) -> Reached {
        if self.programs.hooks(name, Step::Test).is_empty() { Reached::Tested } else { Reached::Set }
    }

    /// The secrets of the run that have come to a step.
    pub(super) fn at(&self, run: &Run, step: Reached) -> Result<Vec<SecretName>> {
        if run.active.is_empty() {
            return Ok(Vec::new());
        }
        let (_, opened) = self.open()?;
        let running = &opened.store.rotations.running;
        let is_there = |name: &&SecretName| running.get(*name).is_some_and(|operation| operation.step == step);
        Ok(run.active.iter().filter(is_there).cloned().collect())
    }

    /// Asks the hooks of each secret for a step.
    pub(super) fn call_for(&self, names: &[SecretName], step: Step) -> Result<(Vec<SecretName>, Failed)> {
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for name in names {
            let hooks = self.programs.hooks(name, step);
            let mut problems = hooks.iter().map(|hook| self.call(hook, step, Some(name), None));
            match problems.find_map(Result::transpose).transpose()? {
                Some(problem) => failed.push((name.clone(), problem)),
                None => done.push(name.clone()),
            }
        }
        Ok((done, failed))
    }

    /// Runs one program; `retires` = the version that it is about, where that does not follow from the rotation. `None` when it
    /// did what it was asked for.
    pub(super) fn call(
        &self,
        hook: &str,
        step: Step,
        secret: Option<&SecretName>,
        retires: Option<VersionId>,
    ) -> Result<Option<Problem>> {
        let started = {
            let (_, opened) = self.open()?;
            let store = &opened.store;
            let call = call(store, hook, step, secret);
            let old = secret.zip(retires).and_then(|(name, id)| store.version(name, id));
            self.programs.start(&Call { old: old.or(call.old), ..call })
        };
        // The store is closed again: while the program runs there is no value here.
        let ended = match started {
            Ok(running) => running.wait()?,
            Err(error) => {
                let said = std::iter::once(error.to_string()).chain(error.hints().iter().cloned());
                let said = said.collect::<Vec<_>>().join("\n");
                return Ok(Some(self.problem(hook, step, secret, "hook-not-started", said)));
            }
        };
        let code = match ended.status() {
            Status::Done => return Ok(None),
            Status::Later => "hook-not-now",
            Status::Failed => "hook-failed",
            Status::TimedOut => "hook-timed-out",
            Status::Interrupted => return Err(interrupted()),
        };
        let (_, opened) = self.open()?;
        // Whatever it was given must not be shown; what else is in the store costs little to look for as well.
        let versions = opened.store.secrets.values().flatten();
        let values: Vec<&Secret> = versions.flat_map(|it| it.parts.iter()).map(|(_, piece)| piece).collect();
        let said = ended.said(&values);
        Ok(Some(self.problem(hook, step, secret, code, said)))
    }

    fn problem(&self, hook: &str, step: Step, secret: Option<&SecretName>, code: &str, said: String) -> Problem {
        let failure = Failure {
            step: step.name().to_owned(),
            hook: hook.to_owned(),
            code: code.to_owned(),
            at: self.clock.now(),
        };
        Problem { said, ..Problem::new(secret.cloned(), failure) }
    }
}

/// Brings to disk what became of a step: what is done, and what failed.
pub(super) fn write_down(
    run: &mut Run,
    (world, opened): (&World<'_>, &mut Opened),
    done: &[Deed<'_>],
    failed: Failed,
) -> Result<()> {
    let names: Vec<SecretName> = failed.iter().map(|(name, _)| name.clone()).collect();
    for (name, mut problem) in failed {
        let operation = in_flight(&mut opened.store.rotations, &name)?;
        operation.trouble.add(problem.failure.clone());
        problem.again = operation.again();
        problem.is_leaked = opened.store.is_current_leaked(&name);
        run.active.remove(&name);
        run.report.problems.push(problem);
    }
    let failed = Deed::of("rotate-failed", &names);
    let deeds: Vec<Deed<'_>> = done.iter().copied().chain([failed]).filter(|it| !it.subjects.is_empty()).collect();
    world.record_deeds(opened, &deeds)
}

/// Nothing is noted: whoever was interrupted left as it is what the next run goes on with.
fn interrupted() -> Error {
    Error::new(Kind::Incomplete, "interrupted", "interrupted; the rotation can be carried on")
        .hint("`vault-kit rotate resume`, or wait for the next `vault-kit rotate --due`")
}

/// Refuses what could not be delivered with these secrets; a rehearsal makes no trial file to find that out.
pub fn expect_deliverable(
    world: &World<'_>,
    store: &Store,
    changing: &BTreeSet<SecretName>,
    is_rehearsal: bool,
) -> Result<()> {
    let prepared = world.prepare(store)?;
    if is_rehearsal { prepared.refuse_change(changing) } else { prepared.preflight_change(changing) }
}

/// The operation of a secret that is known to have one.
pub(super) fn in_flight<'r>(rotations: &'r mut Rotations, name: &SecretName) -> Result<&'r mut Operation> {
    rotations.running.get_mut(name).ok_or_else(|| Error::bug(format!("the rotation of `{name}` is gone")))
}

/// What a program gets: before promotion the candidate as the new value; while aborting the current one as the new value, and
/// the candidate as the old one, or where that came into force what it replaced; when retiring the current one, and what it
/// replaced. Without a rotation there is only the current one to be told, and what its owner knows.
fn call<'s>(store: &'s Store, hook: &'s str, step: Step, secret: Option<&'s SecretName>) -> Call<'s> {
    let operation = secret.and_then(|name| store.rotations.running.get(name));
    let version = |id| secret.and_then(|name| store.version(name, id));
    let current: Option<&Version> = secret.and_then(|name| store.current(name));
    let candidate = operation.and_then(|it| it.candidate).and_then(version);
    let known = || secret.and_then(|name| store.to_retire(name).max_by_key(|it| it.life.told));
    let is_in_force = secret.zip(candidate).is_some_and(|(name, it)| store.is_in_force(name, it.id));
    let (new, old) = match (operation, step) {
        (Some(it), _) if it.step == Reached::Aborting && is_in_force => (current, version(it.base)),
        (Some(it), _) if it.step == Reached::Aborting => (current, candidate),
        (Some(it), Step::Retire) => (current, version(it.base)),
        (Some(it), _) if it.is_open() => (candidate, current),
        _ => (current, known().filter(|it| !store.is_leaked(it))),
    };
    Call { hook, step, secret, new, old, store }
}
