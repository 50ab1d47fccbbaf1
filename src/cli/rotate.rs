//! `rotate`: new values in steps that survive a crash, one thin file a verb.

mod abort;
pub(super) mod answer;
mod aws;
mod due;
mod foretold;
mod hook;
mod intended;
mod plan;
mod rehearsal;
mod resume;
mod rollback;
mod run;
mod status;
mod tell;
pub(super) mod unusable;
mod versions;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use self::aws::Aws;
pub(super) use self::foretold::{Call, Calls, outputs_of};
use self::intended::Rehearsed;
use super::context::Context;
use super::incident::timelines;
use super::session::Session;
use crate::clock::SystemClock;
use crate::deliver::Delivered;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::SecretName;
use crate::plan::Plan;
use crate::rotate::Report;
use crate::rotate::abort::is_promised;
use crate::rotate::declared::Declared;
use crate::rotate::machine::Machine;
use crate::rotate::select::Order;
use crate::rotate::shared::Shared;
use crate::secret::digest::sha256_hex;
use crate::store::Store;
use crate::world::World;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::Arguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what will be rotated, when, why, and what follows from it
    Plan(plan::Arguments),
    /// List the rotations that are on their way, and the command that carries each on
    Status(status::Arguments),
    /// Carry on what was begun, with the same values
    Resume(resume::Arguments),
    /// Give up a rotation that is not promoted, or take back what is published and does not sign yet
    Abort(abort::Arguments),
    /// Put an earlier value in force again, as a new version
    Rollback(rollback::Arguments),
    /// Have the hooks make the owner accept the current value, such as the first one, and test it
    Tell(tell::Arguments),
    /// Print a hook's program that vault-kit ships, to be read, put into the project and trusted
    Hook(hook::Arguments),
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    match &arguments.verb {
        None => run::run(context, &arguments.run),
        Some(Verb::Plan(arguments)) => plan::run(context, arguments),
        Some(Verb::Status(arguments)) => status::run(context, arguments),
        Some(Verb::Resume(arguments)) => resume::run(context, arguments),
        Some(Verb::Abort(arguments)) => abort::run(context, arguments),
        Some(Verb::Rollback(arguments)) => rollback::run(context, arguments),
        Some(Verb::Tell(arguments)) => tell::run(context, arguments),
        Some(Verb::Hook(arguments)) => hook::run(context, arguments),
    }
}

/// Rotates what leaked, at once, and has programs read the files that changed: nobody is asked.
pub(super) fn leaked(session: &Session<'_>, world: &World<'_>, names: BTreeSet<SecretName>) -> Result<Report> {
    let programs = programs(session);
    let sealed = world.files.present()?.map(|bytes| sha256_hex(&bytes));
    work(session, world, (&programs, sealed), |machine| machine.run(&Order::Leaked(names), true))
}

/// What [`leaked`] would do, and with the files: what it makes is made in memory.
pub(super) struct Foretold {
    pub plan: Plan,
    pub delivered: Delivered,
    pub calls: Calls,
    /// Why some of it would not be carried on.
    pub stopped: Vec<Error>,
}

/// Tells that of a store in which what leaked is banned.
pub(super) fn foretell(
    session: &Session<'_>,
    world: &World<'_>,
    store: &mut Store,
    names: BTreeSet<SecretName>,
) -> Result<Foretold> {
    let programs = programs(session);
    let order = Order::Leaked(names);
    let mut selection = Machine::new(world, &programs, &SystemClock).select(world, store, &order, true)?;
    let stopped = run::take_stopped(world, store, &programs, &mut selection);
    let plan = run::preview(world, store, &order, &selection);
    let is_promised = |name: &&SecretName| is_promised(world, store, name).unwrap_or_default();
    let promised = selection.going.iter().filter(is_promised).cloned().collect();
    let delivered = rehearsal::deliver(world, store, &plan)?;
    // What leaked has no overlap.
    let about = (&BTreeSet::new(), delivered.files.as_slice());
    let calls = foretold::calls(session, store, &programs, (&order, &selection, &promised), about)?;
    Ok(Foretold { plan, delivered, calls, stopped })
}

/// The programs that the manifest's hooks are.
pub(super) fn programs<'s>(session: &'s Session<'_>) -> Declared<'s> {
    Declared {
        manifest: &session.manifest,
        environment: &session.environment,
        directory: session.root.path(),
        find: Box::new(|hook| session.program(hook)),
    }
}

/// Has the machine do something about secrets that are being rotated, and tells what became of them; `rehearse` tells what
/// would, and a `risk` is asked about.
fn act(
    context: &Context,
    names: &[String],
    dry_run: bool,
    risk: impl FnOnce(&Store, &Declared<'_>, &BTreeSet<SecretName>) -> Option<String>,
    rehearse: impl FnOnce(&World<'_>, &mut Store, &Declared<'_>, &BTreeSet<SecretName>) -> Result<Rehearsed>,
    deed: impl FnOnce(&Machine<'_>, BTreeSet<SecretName>) -> Result<Report>,
) -> Result<Exit> {
    let session = Session::open(context)?;
    let names = names.iter().map(|name| known(&session, name)).collect::<Result<BTreeSet<_>>>()?;
    let _lock = session.lock_unless_dry(dry_run)?;
    let identities = context.identities()?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    let mut opened = session.open_store_unless_dry(&identities, dry_run)?;
    let programs = programs(&session);
    if dry_run {
        world.check_agreement(&opened.store)?;
        let risk = risk(&opened.store, &programs, &names);
        let rehearsed = rehearse(&world, &mut opened.store, &programs, &names)?;
        if let Some(risk) = &risk {
            context.say_question(risk);
        }
        let reloads = opened.store.rotations.reloads.clone();
        let delivered = match &rehearsed.plan {
            Some(plan) => rehearsal::deliver(&world, &mut opened.store, plan)?,
            None => Delivered::default(),
        };
        return intended::tell(&session, &programs, rehearsed, &reloads, &delivered);
    }
    let risk = risk(&opened.store, &programs, &names);
    let digest = opened.digest;
    drop(opened.store);
    if let Some(risk) = risk {
        context.ui.confirm(&risk, context.global.yes, !context.global.non_interactive)?;
    }
    let report = work(&session, &world, (&programs, digest), |machine| deed(machine, names))?;
    answer::tell(context, &session, report, &[], false)
}

/// Has the machine do something to a store whose sealed bytes have that digest. Once a step of it is in the store, whatever
/// fails behind it leaves a run that is to be carried on, and nothing is as it was.
fn work(
    session: &Session<'_>,
    world: &World<'_>,
    (programs, before): (&Declared<'_>, Option<String>),
    deed: impl FnOnce(&Machine<'_>) -> Result<Report>,
) -> Result<Report> {
    let sealed = || world.files.present().map(|bytes| bytes.map(|it| sha256_hex(&it)));
    let aws = Aws::of(session);
    let shared = aws.as_ref().map(|aws| aws as &dyn Shared);
    let done = deed(&Machine::new(world, programs, &SystemClock).with(shared)).map_err(|error| {
        let is_changed = sealed().map_or(true, |now| now != before);
        // Only these two kinds say that nothing changed; what AWS refuses is told as that.
        let is_told = !matches!(error.kind(), Kind::Permission | Kind::System) || error.code().starts_with("remote-");
        if !is_changed || is_told {
            return error;
        }
        error.incomplete().hint("what was done is in the store; go on with `vault-kit rotate resume`")
    });
    if done.as_ref().is_ok_and(|report| !answer::is_nothing(report)) {
        timelines::follow(session, world);
    }
    done
}

/// A name of the command line that may be of a secret which is not declared any more.
fn known(session: &Session<'_>, name: &str) -> Result<SecretName> {
    match (SecretName::new(name), session.files().ledger()?) {
        (Ok(name), Some(ledger)) if ledger.secrets.contains_key(&name) => Ok(name),
        _ => session.secret(name),
    }
}
