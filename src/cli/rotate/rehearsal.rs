//! `rotate -n`: what a run would do, what it would ask, and what stands against it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::answer::Told;
use super::foretold;
use crate::cli::paste::Paste;
use crate::cli::session::Session;
use crate::cli::summary::{Summary, row};
use crate::deliver::Delivered;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::SecretName;
use crate::plan::Plan;
use crate::rotate::abort::is_promised;
use crate::rotate::intent::keeps;
use crate::rotate::schedule;
use crate::rotate::select::{Order, Selection};
use crate::store::Store;
use crate::store::rotations::Step;
use crate::world::World;

/// What a run is going to be about.
pub struct Rehearsal {
    pub order: Order,
    pub selection: Selection,
    pub plan: Plan,
    /// Why it would not carry on some rotations.
    pub stopped: Vec<Error>,
    pub questions: Vec<String>,
    pub consequences: Vec<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    summary: &'a Summary<'a>,
    /// The values of rotations that would come into force.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    promoted: &'a BTreeSet<SecretName>,
    /// The hooks that it would call, in order.
    calls: Vec<&'a foretold::Call>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told>,
}

/// What delivering would do, once what a plan makes is made in memory.
pub fn deliver(world: &World<'_>, store: &mut Store, plan: &Plan) -> Result<Delivered> {
    // What is being rotated is made here as it will be.
    let running = std::mem::take(&mut store.rotations.running);
    let (_, lists) = world.make_revoking(store, plan)?;
    let delivered = world.rehearse(store)?.with_lists(lists);
    store.rotations.running = running;
    Ok(delivered)
}

impl Rehearsal {
    /// Tells it; the exit is that of what stands against it.
    pub fn tell(self, session: &Session<'_>, world: &World<'_>, mut store: Store) -> Result<Exit> {
        let context = session.context;
        self.foretell(session);
        let promoted = self.promoted(&store);
        let is_promised = |name: &&SecretName| is_promised(world, &store, name).unwrap_or_default();
        let promised = self.selection.going.iter().filter(is_promised).cloned().collect();
        let keeping = self.keeping(session, &store);
        let expects_reloads = foretold::expects_reloads(&store, &self.order, &self.selection);
        let delivered = deliver(world, &mut store, &self.plan)?;
        let programs = super::programs(session);
        let selection = (&self.order, &self.selection, &promised);
        let calls = foretold::calls(session, &store, &programs, selection, (&keeping, &delivered.files))?;
        let paste = Paste::new(context);
        let stopped = self.stopped.into_iter().map(|error| paste.error(error));
        let (refused, failing) = calls.unusable(context, &programs, (&self.selection, expects_reloads));
        let errors: Vec<Error> = if refused.is_empty() || self.order == Order::Due {
            stopped.chain(refused).chain(failing).collect()
        } else {
            // Nothing is begun, so that nothing else comes to light.
            refused
        };
        let exit = Kind::most_severe(errors.iter().map(Error::kind)).map_or_else(|| delivered.exit(), Exit::from);
        let asked = self.plan.steps.iter().filter(|step| step.why.is_asked_for()).map(|step| step.secret.clone());
        let summary = Summary::new(&session.environment, &session.manifest, &self.plan, &delivered, true);
        let summary = summary.telling(&asked.collect()).without_made(&promoted).breaking(&self.consequences);
        let summary = summary.asking(&self.questions);
        if context.ui.json {
            let summary = summary.completed(context);
            let (calls, errors) = (calls.all().collect(), errors.iter().map(Told::from).collect());
            context.ui.object(&Answer { summary: &summary, promoted: &promoted, calls, errors })?;
            return Ok(exit);
        }
        calls.tell_before(context.ui);
        for name in &promoted {
            context.ui.say(&row("would promote", name, format_args!("the value that its rotation goes on with")));
        }
        summary.tell(context)?;
        calls.tell_after(context.ui);
        for error in &errors {
            context.ui.problem(error);
        }
        Ok(exit)
    }

    /// Whose owners accept what is replaced for a while yet.
    fn keeping(&self, session: &Session<'_>, store: &Store) -> BTreeSet<SecretName> {
        let Selection { fresh, going, .. } = &self.selection;
        let is_kept = |name: &&SecretName| {
            let operation = store.rotations.running.get(*name).filter(|_| !fresh.contains(*name));
            keeps(&session.manifest, store, (name, operation), session.context.now)
        };
        fresh.union(going).filter(is_kept).cloned().collect()
    }

    /// What is going on with a value that is there.
    fn promoted(&self, store: &Store) -> BTreeSet<SecretName> {
        let has_candidate = |name: &&SecretName| {
            !self.selection.fresh.contains(*name)
                && store.rotations.open(name).is_some_and(|it| it.candidate.is_some() && it.step != Step::Aborting)
        };
        self.selection.going.iter().filter(has_candidate).cloned().collect()
    }

    /// What is going to be asked of AWS, which is not asked for a rehearsal.
    fn foretell(&self, session: &Session<'_>) {
        let made = self.plan.steps.iter().filter(|step| step.why.is_asked_for()).map(|step| &step.secret);
        let all = schedule::requests(&session.manifest, &session.environment, made);
        let most: usize = all.iter().map(|it| it.requests).sum();
        if most > 0 {
            session.context.ui.say(&format!("at most {most} requests to AWS without retries, and one for the account"));
        }
    }
}
