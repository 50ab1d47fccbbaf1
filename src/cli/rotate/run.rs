//! `rotate --due`, `rotate NAME…`, `rotate --group NAME`.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::answer;
use super::due::{self, Known};
use super::foretold;
use super::rehearsal::{self, Rehearsal};
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::{cert, consequences};
use crate::clock::SystemClock;
use crate::companions;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::{GroupName, SecretName};
use crate::plan::{self, Plan, Scope};
use crate::rotate::intent;
use crate::rotate::machine::Machine;
use crate::rotate::programs::Programs;
use crate::rotate::select::{self, Order, Selection};
use crate::store::Store;
use crate::store::ledger::Header;
use crate::store::rotations::Step;
use crate::world::World;

// Both this and what it is flattened into are called `Arguments`, as a group of clap's would be.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// The secrets, now, whether or not they are due
    names: Vec<String>,
    /// All secrets of a group
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// What is due, and what an earlier run left; silent when that is nothing
    #[arg(long, conflicts_with_all = ["names", "group"])]
    due: bool,
    /// With --due: wait for another vault-kit to finish, as other commands do
    #[arg(long, requires = "due")]
    wait: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    // What cannot be read is told by the run itself, which has somebody told.
    if arguments.due && due::look(context).is_ok_and(|known| known == Known::Nothing) {
        return Ok(Exit::DONE);
    }
    let session = Session::open(context)?;
    let done = run_in(&session, arguments);
    let is_unattended = arguments.due || context.global.non_interactive;
    if let Err(error) = done.as_ref()
        && is_unattended
        && !arguments.dry_run
    {
        answer::notify_of_all(&session, error);
    }
    done
}

fn run_in(session: &Session<'_>, arguments: &Arguments) -> Result<Exit> {
    let context = session.context;
    let order = order(session, arguments)?;
    let waits = !arguments.due || arguments.wait;
    let timeout = if waits { context.global.lock_timeout } else { Duration::ZERO };
    let lock = (!arguments.dry_run).then(|| session.lock_within(timeout)).transpose();
    let _lock = lock.map_err(|error| if waits { error } else { left_to_next_run(error) })?;
    let identities = context.identities()?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    let programs = super::programs(session);
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    world.check_agreement(&opened.store)?;
    // Who is asked may say yes to what can be done.
    let mut selection = if arguments.dry_run || matches!(order, Order::Now(_)) {
        Machine::new(&world, &programs, &SystemClock).select(&world, &opened.store, &order, arguments.dry_run)?
    } else {
        select::select(&session.manifest, &opened.store, &order, &programs, world.now)?
    };
    let stopped = take_stopped(&world, &opened.store, &programs, &mut selection);
    let plan = preview(&world, &opened.store, &order, &selection);
    let consequences = consequences::of_plan(session, &opened.store, &plan);
    consequences::say(context, &consequences);
    let questions = questions(session, &world, &opened.store, (&order, &selection, &plan));
    if arguments.dry_run {
        let rehearsal = Rehearsal { order, selection, plan, stopped, questions, consequences };
        return rehearsal.tell(session, &world, opened.store);
    }
    expect_reloads(session, &world, &mut opened.store, &programs, (&order, &selection, &plan))?;
    let digest = opened.digest;
    drop(opened.store);
    for question in &questions {
        context.ui.confirm(question, context.global.yes, !context.global.non_interactive)?;
    }
    let is_due = |header: Header| header.behind || header.due.is_some_and(|due| due <= context.now);
    // A key that signs from now on is in no order.
    let settles = !plan.steps.is_empty() || files.header()?.is_some_and(is_due);
    let report = super::work(session, &world, (&programs, digest), |machine| machine.run(&order, settles))?;
    if arguments.due && answer::is_nothing(&report) {
        // The ledger learns by which manifest nothing is due: the next run need not open the store.
        world.record(&mut session.open_store_for_writing(&identities)?, "rotate", &[])?;
    }
    answer::tell(context, session, report, &consequences, arguments.due)
}

/// Refuses a run that would change files of which a reader could not be started.
fn expect_reloads(
    session: &Session<'_>,
    world: &World<'_>,
    store: &mut Store,
    programs: &dyn Programs,
    (order, selection, plan): (&Order, &Selection, &Plan),
) -> Result<()> {
    if !foretold::expects_reloads(store, order, selection) || !foretold::lacks_readers(session, programs) {
        return Ok(());
    }
    let refused = Machine::new(world, programs, &SystemClock).expect_programs(&selection.fresh).err();
    let unread = foretold::refuse_unread(session, programs, &rehearsal::deliver(world, store, plan)?.files).err();
    Error::all(refused.into_iter().chain(unread)).map_or(Ok(()), Err)
}

/// What a schedule meets now and then is told in one line: there is nothing to be done about it.
fn left_to_next_run(error: Error) -> Error {
    match error.code() {
        "busy" => {
            Error::new(Kind::Conflict, "busy", "another vault-kit is at work here; the next run does what is due")
        }
        "hook-outlived" => error.hint("`rotate --due` waits for it with `--wait`, as long as `--lock-timeout` says"),
        _ => error,
    }
}

fn order(session: &Session<'_>, arguments: &Arguments) -> Result<Order> {
    if arguments.due {
        return Ok(Order::Due);
    }
    let mut names = arguments.names.iter().map(|name| session.secret(name)).collect::<Result<BTreeSet<_>>>()?;
    for group in &arguments.group {
        names.extend(members(session, group)?);
    }
    if names.is_empty() {
        return Err(Error::usage("which secrets are to be rotated?")
            .hint("name them, or a `--group`, or take what is due with `vault-kit rotate --due`")
            .hint("`vault-kit rotate plan` lists what will be, and when"));
    }
    Ok(Order::Now(names))
}

fn members(session: &Session<'_>, group: &str) -> Result<Vec<SecretName>> {
    let name = GroupName::new(group).ok();
    let members: Vec<SecretName> =
        name.iter().flat_map(|name| select::group(&session.manifest, &session.environment, name)).cloned().collect();
    if members.is_empty() {
        let message = format!("no secret of environment `{}` is in such a group", session.environment);
        return Err(Error::usage(message).hint("a secret says `group = \"NAME\"` in the manifest"));
    }
    Ok(members)
}

/// Takes out of a selection what would not be carried on, and tells why; what is begun anew instead is only that.
pub fn take_stopped(
    world: &World<'_>,
    store: &Store,
    programs: &dyn Programs,
    selection: &mut Selection,
) -> Vec<Error> {
    let stopped = |name: &SecretName| intent::stopped(world.manifest, store, programs, name, world.now);
    let anew = selection.anew(store);
    selection.going.retain(|name| !anew.contains(name));
    let refused: Vec<Error> = selection.refusals(store).collect();
    let all: Vec<_> = selection.going.iter().filter_map(|name| Some((name.clone(), stopped(name)?))).collect();
    let (names, errors): (BTreeSet<SecretName>, Vec<Error>) = all.into_iter().unzip();
    selection.going.retain(|name| !names.contains(name));
    // What cannot be given up is not begun anew.
    selection.fresh.retain(|name| !names.contains(name));
    refused.into_iter().chain(errors).collect()
}

/// What a run is going to make, should every program do what it is asked for.
pub fn preview(world: &World<'_>, store: &Store, order: &Order, selection: &Selection) -> Plan {
    let going =
        selection.going.iter().filter(|name| store.rotations.open(name).is_some_and(|it| it.step != Step::Aborting));
    let scope = Scope::Replace(selection.fresh.iter().chain(going).cloned().collect());
    let mut observed = world.observe(store);
    // What all hosts publish is activated by the run itself, once AWS says that it is time.
    let declared = selection.fresh.iter().filter_map(|name| world.manifest.secret(name));
    for it in declared.filter(|it| select::due(world.manifest, it, store).is_some_and(|due| due.is_now(world.now))) {
        observed.next.entry(it.name.clone()).and_modify(|next| next.is_due = next.from <= world.now);
    }
    let mut plan = plan::plan(world.manifest, world.environment, &observed, &scope);
    if *order == Order::Due {
        plan.by_schedule();
    }
    plan
}

/// What a person is asked before anything is done.
fn questions(
    session: &Session<'_>,
    world: &World<'_>,
    store: &Store,
    (order, selection, plan): (&Order, &Selection, &Plan),
) -> Vec<String> {
    let Order::Now(names) = order else { return Vec::new() };
    let roots = cert::root_questions(session, store, (names, plan));
    let early = retired_early(world, store, (names, selection));
    let early = (!early.is_empty())
        .then(|| format!("retire the old value of {} now, before its overlap has ended", early.join(", ")));
    roots.into_iter().chain(early).collect()
}

/// The secrets whose former value is promised for longer than until they are rotated again: by its owner, or in the files.
fn retired_early(
    world: &World<'_>,
    store: &Store,
    (names, selection): (&BTreeSet<SecretName>, &Selection),
) -> Vec<String> {
    let is_promised = |name: &&SecretName| {
        if let Some(operation) = store.rotations.running.get(*name) {
            return selection.retire_first.contains(*name) && operation.retire_at.is_some_and(|at| at > world.now);
        }
        let declaration = world.manifest.secret(*name);
        declaration.is_some_and(|it| companions::previous(world.manifest, it, store, world.now).is_some())
    };
    names.iter().filter(is_promised).map(|name| format!("`{name}`")).collect()
}
