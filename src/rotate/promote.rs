//! New values become current, with everything that is made of them, in one change; then the files, and then the programs that
//! read those.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::machine::{Machine, Run, in_flight};
use super::programs::Step;
use super::rollback::put_back;
use super::turn::{self, Came};
use super::{Event, What};
use crate::apply::Deed;
use crate::companions::{self, Companion};
use crate::deliver::{Changing, Delivered, Outcome};
use crate::error::Result;
use crate::manifest::Declaration;
use crate::manifest::period::Period;
use crate::name::{SecretName, VersionId};
use crate::plan::{self, Action, Observed, Plan, Scope, Why};
use crate::store::rotations::{Ending, Operation, Step as Reached, Trouble};
use crate::store::{Stage, Store};
use crate::world::World;

impl Machine<'_> {
    /// Promotes all that passed their tests and all that need none, and brings the outputs up to date.
    pub(super) fn promote(&self, run: &mut Run) -> Result<()> {
        let (ready, joint) = self.promote_there(run)?;
        if ready.is_empty() && run.plain.is_empty() && !run.settles {
            return Ok(());
        }
        let (world, mut opened) = self.open()?;
        let mut replaced = run.plain.clone();
        let mut changed = BTreeSet::new();
        let back: Vec<SecretName> = run.back.iter().map(|(name, _)| name.clone()).collect();
        let mut begun: BTreeMap<SecretName, DateTime<Utc>> =
            run.plain.iter().chain(&back).map(|name| (name.clone(), world.now)).collect();
        if let Some((name, earlier)) = &run.back {
            put_back(&mut opened.store, name, earlier, world.now)?;
            changed.insert(name.clone());
        }
        // By the clock of AWS, which it was just asked for.
        let there = self.shared.filter(|_| !joint.is_empty()).and_then(|it| it.remote().ok()?.clock());
        let mut turns = BTreeMap::new();
        for name in &ready {
            let came = turn::come_to(&world, &mut opened.store, name, there.unwrap_or(world.now))?;
            let since = self.end(&world, &mut opened.store, name)?;
            match came {
                Came::InForce | Came::Activated => drop(changed.insert(name.clone())),
                Came::Nothing => drop(replaced.insert(name.clone())),
                Came::Published | Came::Withdrawn => {}
            }
            if !matches!(came, Came::Published | Came::Withdrawn) {
                begun.insert(name.clone(), since);
            }
            turns.insert(name.clone(), came);
        }
        let observed = Observed { changed: changed.clone(), ..world.observe(&opened.store) };
        let mut plan = plan::plan(world.manifest, world.environment, &observed, &Scope::Replace(replaced));
        if run.waits {
            plan.by_schedule();
        }
        let mut names: Vec<SecretName> = changed.into_iter().collect();
        let (made, mut lists) = world.make_revoking(&mut opened.store, &plan)?;
        names.extend(made);
        turn::tell(&world, &mut plan, &turns, if run.waits { &Why::Due } else { &Why::Replaced })?;
        let withdrawn: Vec<SecretName> =
            turns.into_iter().filter(|(_, came)| *came == Came::Withdrawn).map(|(name, _)| name).collect();
        let is_new = |name: &&SecretName| !names.contains(name);
        let told: Vec<SecretName> =
            plan.steps.iter().map(|step| &step.secret).chain(&withdrawn).filter(is_new).cloned().collect();
        names.extend(told);
        run.tell(&withdrawn, &What::Withdrawn);
        self.agree(&mut opened.store, &joint);
        run.report.unsent = self.unsent(&names, &joint);
        // A key that is only published is not in force.
        let is_published =
            |name: &SecretName| plan.steps.iter().any(|it| it.secret == *name && it.action == Action::Publish);
        begun.retain(|name, _| names.contains(name) && !is_published(name));
        for (name, started) in &begun {
            opened.store.rotations.note(name, Ending::Promoted, *started, world.now);
        }
        lists.extend(world.refresh_lists(&mut opened.store)?);
        let has_news = !names.is_empty() || !lists.is_empty() || !ready.is_empty();
        let action = if has_news { "rotate-promote" } else { "rotate-deliver" };
        let mut owe = |store: &mut Store, changing: &Changing| self.owe_reloads(store, changing);
        let deeds = [Deed::of("rotate-rollback", &back), Deed::of(action, &names)];
        let deeds = &deeds[usize::from(back.is_empty())..];
        let delivered = world.settle_deeds(&mut opened, deeds, has_news, Some(&mut owe))?;
        run.deliver(Delivered { lists, ..delivered });
        run.report.plan = as_delivered(&world, &opened.store, plan);
        let left = roots_that_left(&world, &opened.store, run);
        run.tell(&left, &What::LeftBundles);
        for name in begun.into_keys() {
            let promoted = opened.store.current(&name).map(|version| What::Promoted { version: version.id });
            let retires = opened.store.rotations.running.get(&name).and_then(|it| it.retire_at);
            let retires = retires.filter(|from| *from > world.now).map(|from| What::Retires { from });
            let events = promoted.into_iter().chain(retires).map(|what| Event { secret: name.clone(), what });
            run.report.events.extend(events);
        }
        Ok(())
    }

    /// Ends an operation whose value is in force, unless what it replaced is to be retired; tells when it was begun.
    fn end(&self, world: &World<'_>, store: &mut Store, name: &SecretName) -> Result<DateTime<Utc>> {
        let started = in_flight(&mut store.rotations, name)?.started;
        // Of a key that all hosts publish no owner is told to refuse anything.
        let is_turn = in_flight(&mut store.rotations, name)?.turn.is_some();
        if is_turn || self.programs.hooks(name, Step::Retire).is_empty() {
            store.rotations.running.remove(name);
            return Ok(started);
        }
        let base = in_flight(&mut store.rotations, name)?.base;
        let retire_at = world.now + overlap(world, store, name, base)?;
        let operation = in_flight(&mut store.rotations, name)?;
        operation.advance(Reached::Promoted);
        operation.remote = None;
        operation.retire_at = Some(retire_at);
        Ok(started)
    }

    /// Remembers which programs are to read their files again, before those change; tells whether there are any.
    pub(crate) fn owe_reloads(&self, store: &mut Store, changing: &Changing) -> bool {
        let mut is_any = false;
        for (output, secrets) in changing {
            for hook in self.programs.reloads(&BTreeSet::from([output.clone()])) {
                is_any = true;
                store.rotations.unread.entry(hook.clone()).or_default().extend(secrets.iter().cloned());
                store.rotations.reloads.insert(hook, Trouble::default());
            }
        }
        is_any
    }

    /// Lets the programs read the files that changed, those too that an earlier run did not get to.
    pub(super) fn reload(&self, run: &mut Run) -> Result<()> {
        let (world, opened) = self.open()?;
        let is_ready = |trouble: &Trouble| !run.waits || trouble.again().is_none_or(|at| at <= world.now);
        let owed = opened.store.rotations.reloads.iter().filter(|(_, trouble)| is_ready(trouble));
        let hooks: Vec<String> = owed.map(|(hook, _)| hook.clone()).collect();
        drop(opened);
        if hooks.is_empty() {
            return Ok(());
        }
        let mut outcomes = Vec::new();
        // Nobody owes what no hook is declared for any more.
        let (hooks, orphans): (Vec<String>, Vec<String>) =
            hooks.into_iter().partition(|hook| self.programs.is_declared(hook));
        for hook in hooks {
            let problem = self.call(&hook, Step::Reload, None, None)?;
            outcomes.push((hook, problem));
        }
        let (world, mut opened) = self.open()?;
        for hook in &orphans {
            opened.store.rotations.reloads.remove(hook);
            opened.store.rotations.unread.remove(hook);
        }
        run.report.not_reloaded = orphans;
        for (hook, problem) in outcomes {
            let Some(mut problem) = problem else {
                opened.store.follow_read(&hook, world.now);
                opened.store.rotations.reloads.remove(&hook);
                opened.store.rotations.unread.remove(&hook);
                run.report.reloaded.push(hook);
                continue;
            };
            let trouble = opened.store.rotations.reloads.entry(hook).or_default();
            trouble.add(problem.failure.clone());
            problem.again = trouble.again();
            run.report.problems.push(problem);
        }
        opened.store.updated = opened.store.updated.max(world.now);
        world.record_deeds(&mut opened, &[Deed::of("rotate-reload", &[])])
    }
}

/// How long the owner of a secret is to accept a version beside the one that replaced it. What leaked has no overlap, nor what was given up.
pub(super) fn overlap(world: &World<'_>, store: &Store, name: &SecretName, replaced: VersionId) -> Result<TimeDelta> {
    let has_none = store.version(name, replaced).is_some_and(|it| !it.was_in_force() || store.is_leaked(it));
    let overlap = world.declaration(name)?.overlap_in(world.manifest.environments.get(world.environment));
    Ok(overlap.filter(|_| !has_none).map(Period::delta).unwrap_or_default())
}

/// Has a version that was `replaced` retired once its overlap has ended, as a rotation would; tells when that is.
pub(super) fn begin_retiring(
    world: &World<'_>,
    store: &mut Store,
    name: &SecretName,
    (base, replaced): (VersionId, DateTime<Utc>),
) -> Result<DateTime<Utc>> {
    let at = replaced + overlap(world, store, name, base)?;
    let operation = Operation {
        base,
        candidate: None,
        recipe: None,
        step: Reached::Promoted,
        started: world.now,
        trouble: Trouble::default(),
        retire_at: Some(at),
        remote: None,
        turn: None,
    };
    store.begin(name, operation);
    Ok(at)
}

/// The plan with the days from which on published keys and roots sign, as the files that were written make them.
fn as_delivered(world: &World<'_>, store: &Store, mut plan: Plan) -> Plan {
    if plan.publishing.is_empty() {
        return plan;
    }
    let next = world.observe(store).next;
    for publishing in &mut plan.publishing {
        publishing.from = next.get(&publishing.secret).map_or(publishing.from, |next| next.from);
    }
    plan
}

/// The roots of which an old certificate left the bundles with this run: its time ended since the store was changed last.
fn roots_that_left(world: &World<'_>, store: &Store, run: &Run) -> Vec<SecretName> {
    let Some(since) = run.since else { return Vec::new() };
    let is_written = |path: &str| {
        let mut written = run.report.delivered.files.iter().filter(|it| it.outcome != Outcome::Unchanged);
        written.any(|file| file.path == path)
    };
    let has_left = |root: &&Declaration| {
        let mut bundles = companions::bundles(world.manifest, world.environment, &root.name);
        let companions = companions::companions(world.manifest, root, store, since);
        let has_ended = |it: &Companion<'_>| it.version.stage == Stage::Previous && it.until <= world.now;
        companions.iter().any(has_ended) && bundles.any(|(_, _, path)| is_written(&path))
    };
    let roots = world.manifest.secrets_in(world.environment).filter(|it| companions::is_root(it));
    roots.filter(has_left).map(|it| it.name.clone()).collect()
}
