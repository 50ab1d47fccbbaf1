//! `sync pull`: what changed there comes here, and into the files that hold it.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;

use super::super::bring_up;
use super::super::context::Context;
use super::super::session::Session;
use super::super::summary::tell_files;
use super::exchange::{self, Exchange};
use super::order::Order;
use super::report::{Report, Row};
use super::sight::Reads;
use super::taking::{self, Pulled};
use crate::deliver::{Delivered, ignored};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::manifest::period::Period;
use crate::name::SecretName;
use crate::store::Store;
use crate::store::identity::Identities;
use crate::sync::plan::Direction;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets, by our name or theirs; all of them when none is named
    names: Vec<String>,
    /// Where both sides changed, let theirs replace ours
    #[arg(long, requires = "names")]
    theirs: bool,
    /// Refuse at once what the named secrets were before, whatever their overlap
    #[arg(long, requires = "names", conflicts_with = "plan_out")]
    revoke: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Write what would be done into a file for `sync apply`, and do nothing
    #[arg(long, value_name = "FILE")]
    plan_out: Option<PathBuf>,
}

pub fn run(context: &Context, arguments: &Arguments, wait: Option<Duration>) -> Result<Exit> {
    let Arguments { names, theirs, revoke, dry_run, plan_out } = arguments;
    let session = Session::open(context)?;
    carry_out(&session, &Order::of(context, names, *theirs, *dry_run, plan_out.as_deref())?, *revoke, wait)
}

/// Does what was ordered; with `revoke`, what the secrets were before is accepted no more.
pub fn carry_out(session: &Session<'_>, order: &Order<'_>, revoke: bool, wait: Option<Duration>) -> Result<Exit> {
    let (context, dry_run) = (session.context, order.dry_run);
    let identities = if dry_run { bring_up::planned_identity(session)? } else { bring_up::identity(session)? };
    let before = session.files().open_current(&identities)?;
    let store = before.as_ref().map(|opened| &opened.store);
    let looked = Exchange::open(session, order.names, wait)
        .and_then(|it| it.see(session, store, Reads::Values).map(|seen| (it, seen)));
    let (exchange, seen) = match looked {
        Ok(looked) => looked,
        Err(error) if order.has_plan() || order.prevails || revoke => return Err(error),
        Err(error) => return stand_in(session, &identities, store, order.dry_run, error),
    };
    exchange.expect_something(session, store, &seen)?;
    let _lock = session.lock_unless_dry(dry_run)?;
    let files = session.files();
    let world = session.delivering_world(&files, &identities, false)?;
    let before = Cell::new(before.filter(|_| !dry_run));
    let open = || {
        let opened = if dry_run {
            bring_up::planned_store(session, &identities)?
        } else {
            bring_up::store_again(session, &identities, before.take())?
        };
        world.check_agreement(&opened.store).map(|()| opened)
    };
    let (mut opened, mut taken) = taking::take(&world, open, &exchange, &seen, order)?;
    if !dry_run {
        refuse_forgetting(context, &taken.removed)?;
    }
    if revoke {
        taken.drop_replaced(&exchange, &mut opened.store, context.now);
    }
    order.settle(Direction::Pull, session, &exchange, &opened, || taken.planned.clone())?;
    // A CA that came from there has no list here yet.
    let lists = world.refresh_lists(&mut opened.store)?;
    let has_news = !taken.changed.is_empty() || taken.noted || is_contact_old(session, &opened.store);
    if has_news {
        opened.store.synced.contacted = Some(context.now);
    }
    let delivered = if dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        ignored::add(&session.root, &session.manifest)?;
        world.settle_news(&mut opened, "sync pull", &taken.changed, has_news || !lists.is_empty())?
    };
    tell(context, session, &exchange, taken, &delivered, dry_run)
}

/// A key that was taken out of a bundle takes the value here with it, and nothing brings that back.
fn refuse_forgetting(context: &Context, removed: &[SecretName]) -> Result<()> {
    if removed.is_empty() || context.global.yes {
        return Ok(());
    }
    let names: Vec<String> = removed.iter().map(|name| format!("`{name}`")).collect();
    let message =
        format!("in AWS {} was taken out: taking that over forgets it here with all its values", names.join(", "));
    Err(Error::new(Kind::Usage, "confirmation-needed", message)
        .hint("nothing was changed; to forget it all the same, add `--yes`"))
}

/// For how long after AWS answered last what is here may stand in.
fn stale_after(session: &Session<'_>) -> Option<Period> {
    session.manifest.aws(&session.environment)?.stale_after
}

/// Whether the store should learn that AWS answered: only where somebody counts on it, and not at every run.
fn is_contact_old(session: &Session<'_>, store: &Store) -> bool {
    let Some(stale_after) = stale_after(session) else { return false };
    let is_old = |contacted| session.context.now - contacted > stale_after.delta() / 10;
    store.synced.contacted.is_none_or(is_old)
}

/// The last good copy stands in for an AWS that does not answer, as long as the manifest allows it. A refusal is an
/// answer.
///
/// It is delivered as `render` would: a file may be gone since the last pull.
fn stand_in(
    session: &Session<'_>,
    identities: &Identities,
    store: Option<&Store>,
    dry_run: bool,
    error: Error,
) -> Result<Exit> {
    let (Some(stale_after), true) = (stale_after(session), exchange::is_outage(&error)) else { return Err(error) };
    let age = store.and_then(|it| it.synced.contacted).map(|contacted| session.context.now - contacted);
    // A time that is still to come was written by a clock that was wrong, and tells nothing.
    let Some(age) = age.filter(|age| *age >= TimeDelta::zero() && *age <= stale_after.delta()) else {
        return Err(error.hint("the last good copy is older than `stale_after` allows, or there is none"));
    };
    let age = words(age);
    session.context.ui.warn(&format!("{error}; the copy of {age} ago stands in, as `stale_after` allows"));
    let _lock = session.lock_unless_dry(dry_run)?;
    let mut opened = session.open_store_unless_dry(identities, dry_run)?;
    let files = session.files();
    let world = session.delivering_world(&files, identities, false)?;
    world.check_agreement(&opened.store)?;
    let delivered =
        if dry_run { world.rehearse(&mut opened.store)? } else { world.settle(&mut opened, "sync pull", &[])? };
    let (rows, problems) = (Vec::new(), Vec::new());
    Report { session, dry_run, rows, unchanged: 0, problems }.tell(session.context)?;
    if !session.context.ui.json {
        tell_files(session.context.ui, &delivered.files, dry_run);
    }
    Ok(delivered.exit())
}

fn words(age: TimeDelta) -> String {
    match (age.num_hours(), age.num_minutes()) {
        (0, minutes) => format!("{minutes} min"),
        (hours, _) => format!("{hours} h"),
    }
}

fn tell(
    context: &Context,
    session: &Session<'_>,
    exchange: &Exchange<'_>,
    pulled: Pulled,
    delivered: &Delivered,
    dry_run: bool,
) -> Result<Exit> {
    let mut rows = Vec::new();
    for place in &exchange.places {
        let secrets: Vec<_> =
            place.fields().into_iter().map(|(_, it)| &it.name).filter(|name| pulled.taken.contains(*name)).collect();
        if !secrets.is_empty() {
            rows.push(Row::plain(&place.name, secrets, if dry_run { "would-pull" } else { "pulled" }));
        }
        let removed: Vec<_> =
            place.fields().into_iter().map(|(_, it)| &it.name).filter(|name| pulled.removed.contains(name)).collect();
        if !removed.is_empty() {
            rows.push(Row::plain(&place.name, removed, if dry_run { "would-remove" } else { "removed" }));
        }
    }
    let unchanged = exchange.places.len().saturating_sub(rows.len() + pulled.problems.len());
    let exit = Report { session, dry_run, rows, unchanged, problems: pulled.problems }.tell(context)?;
    if !context.ui.json {
        tell_files(context.ui, &delivered.files, dry_run);
    }
    Ok(if exit == Exit::DONE { delivered.exit() } else { exit })
}
