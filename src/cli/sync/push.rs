//! `sync push`: what changed here goes there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::context::Context;
use super::super::get;
use super::super::session::Session;
use super::exchange::Exchange;
use super::order::Order;
use super::report::{Report, Row};
use super::sight::Reads;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::gather::Gather;
use crate::name::SecretName;
use crate::store::Store;
use crate::store::files::Opened;
use crate::sync::content;
use crate::sync::look::{self, Item, State};
use crate::sync::plan::{Direction, Planned};
use crate::sync::push::{self, Action, Done, Job};
use crate::sync::seen::Seen;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets, by our name or theirs; all of them when none is named
    names: Vec<String>,
    /// Where both sides changed, let ours replace the version that is there now
    #[arg(long, requires = "names")]
    ours: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Write what would be done into a file for `sync apply`, and do nothing
    #[arg(long, value_name = "FILE")]
    plan_out: Option<PathBuf>,
}

pub fn run(context: &Context, arguments: &Arguments, wait: Option<Duration>) -> Result<Exit> {
    let Arguments { names, ours, dry_run, plan_out } = arguments;
    let session = Session::open(context)?;
    carry_out(&session, &Order::of(context, names, *ours, *dry_run, plan_out.as_deref())?, wait)
}

pub fn carry_out(session: &Session<'_>, order: &Order<'_>, wait: Option<Duration>) -> Result<Exit> {
    let (context, dry_run) = (session.context, order.dry_run);
    let identities = context.identities()?;
    let exchange = Exchange::open(session, order.names, wait)?;
    session.files().expect_ledger()?;
    let before = session.open_store_unless_dry(&identities, true)?;
    content::check_lengths(&exchange.places, &before.store)?;
    expect_values(session, &exchange, &before.store, order.names)?;
    let seen = exchange.see(session, Some(&before.store), Reads::Bundles)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&before.store)?;
    // Nobody else waits while AWS is asked, STS too, nor where nothing is to be done: what is decided is decided again under the lock.
    let prospect = Prospect::of(&exchange, &before.store, &seen, order);
    if order.has_plan() {
        exchange.account()?;
    }
    if prospect == Prospect::Writes {
        exchange.check_account(session)?;
    }
    let is_idle = dry_run || prospect == Prospect::Nothing;
    let _lock = session.lock_unless_dry(is_idle)?;
    let mut opened = if is_idle { before } else { session.reopen_store(before, &identities)? };
    world.check_agreement(&opened.store)?;
    let items = look::look(&exchange.places, &opened.store, &seen);
    let (jobs, mut problems) = push::jobs(&items, &opened.store, order.prevails);
    order.settle(Direction::Push, session, &exchange, &opened, || planned(&items, &jobs))?;
    let planned: BTreeSet<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    let is_left = |item: &&Item<'_>| item.state == State::Pull && !planned.contains(item.place.name.as_str());
    let left: Vec<String> = items.iter().filter(is_left).map(|item| item.place.name.clone()).collect();
    drop(items);
    let actions: BTreeMap<String, Action> = jobs.iter().map(|job| (job.name.clone(), job.action.clone())).gather();
    let partial: BTreeSet<String> = jobs.iter().filter(|it| it.is_partial).map(|it| it.name.clone()).collect();
    if actions.values().any(|action| *action != Action::Note) {
        exchange.check_account(session)?;
    }
    let done = if dry_run {
        jobs.into_iter().map(|Job { name, base, .. }| Done { name, result: Ok(base) }).collect()
    } else {
        world.preflight()?;
        push::push(&*exchange.remote, jobs, &opened.store, exchange.declared)
    };
    let mut rows = Vec::new();
    let mut pushed = Vec::new();
    for Done { name, result } in done {
        match result {
            Ok(base) => {
                let action = &actions[&name];
                if *action != Action::Note {
                    pushed.extend(exchange.secrets(&name).into_iter().cloned());
                }
                rows.push(row(&name, exchange.secrets(&name), action, dry_run));
                if opened.store.synced.bases.get(&name) != Some(&base) {
                    exchange.renew_published(&mut opened.store, &name, context.now);
                }
                if !partial.contains(&name) {
                    opened.store.synced.bases.insert(name, base);
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !dry_run && !rows.is_empty() {
        record(&world, &mut opened, &pushed)?;
    }
    let unchanged = exchange.places.len().saturating_sub(rows.len() + problems.len() + left.len());
    rows.extend(left.iter().map(|name| Row::plain(name, exchange.secrets(name), "changed-there")));
    rows.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Report { session, dry_run, rows, unchanged, problems }.tell(context)
}

/// Refuses to send what is not here: of a bundle the other keys would go, and it would look as if this one had.
fn expect_values(session: &Session<'_>, exchange: &Exchange<'_>, store: &Store, names: &[String]) -> Result<()> {
    let declared = |name: &String| match exchange.place(name) {
        // A bundle by its own name is what there is of it.
        Some(place) if place.is_bundle() => None,
        Some(place) => place.fields().first().map(|(_, declaration)| *declaration),
        None => session.manifest.secret(name.as_str()),
    };
    let lacking = names.iter().filter_map(declared).filter(|it| it.is_stored() && store.value(it).is_none());
    let missing = lacking.map(|it| {
        let pull = session.command(&format!("sync pull {}", it.name));
        get::missing(session, it.name.as_str()).hint(format!("if AWS has it: `{pull}`"))
    });
    Error::all(missing).map_or(Ok(()), Err)
}

/// What is to be done, as it looks before the lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prospect {
    Nothing,
    /// Both sides have the same, and the store has to learn it.
    Notes,
    Writes,
}

impl Prospect {
    fn of(exchange: &Exchange<'_>, store: &Store, seen: &Seen, order: &Order<'_>) -> Self {
        let items = look::look(&exchange.places, store, seen);
        let (jobs, _) = push::jobs(&items, store, order.prevails);
        if jobs.is_empty() {
            Self::Nothing
        } else if jobs.iter().all(|job| job.action == Action::Note) {
            Self::Notes
        } else {
            Self::Writes
        }
    }
}

/// The jobs with what they were found at.
fn planned(items: &[Item<'_>], jobs: &[Job]) -> Vec<Planned> {
    let jobs: BTreeMap<&str, &Job> = jobs.iter().map(|job| (job.name.as_str(), job)).gather();
    let planned = |item: &Item<'_>| Some(Planned::of(item, (&jobs.get(item.place.name.as_str())?.action).into()));
    items.iter().filter_map(planned).collect()
}

fn record(world: &World<'_>, opened: &mut Opened, pushed: &[SecretName]) -> Result<()> {
    let recorded =
        if pushed.is_empty() { world.reseal(opened, "sync push") } else { world.record(opened, "sync push", pushed) };
    // AWS has the values: the next run finds them there and takes note.
    recorded.map_err(|error| error.hint("AWS has what was pushed; `vault-kit sync push` takes note of it"))
}

fn row<'e>(name: &str, secrets: Vec<&'e SecretName>, action: &Action, dry_run: bool) -> Row<'e> {
    let state = match (action, dry_run) {
        (Action::Create, false) => "created",
        (Action::Create, true) => "would-create",
        (Action::Replace(_), false) => "pushed",
        (Action::Replace(_), true) => "would-push",
        (Action::Note, false) => "noted",
        (Action::Note, true) => "would-note",
    };
    Row::plain(name, secrets, state)
}
