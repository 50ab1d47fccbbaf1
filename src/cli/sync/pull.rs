//! `sync pull`: what changed there comes here, and into the files that hold it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use super::super::bring_up;
use super::super::context::Context;
use super::super::session::Session;
use super::super::summary::tell_files;
use super::exchange::{self, Exchange, Reads};
use super::order::Order;
use super::report::{Report, Row};
use crate::deliver::{Delivered, ignored};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::period::Period;
use crate::name::SecretName;
use crate::plan::{self, Observed, Scope};
use crate::store::Store;
use crate::store::identity::Identities;
use crate::store::synced::Base;
use crate::sync::look::{self, Item, Seen};
use crate::sync::place::Place;
use crate::sync::plan::{Action, Direction, Planned};
use crate::sync::pull::{self, Intake};
use crate::world::World;

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
    let before = session.files().open_current(&identities)?.map(|opened| opened.store);
    let looked = Exchange::open(session, order.names, wait)
        .and_then(|it| it.see(session, before.as_ref(), Reads::Values).map(|seen| (it, seen)));
    let (exchange, seen) = match looked {
        Ok(looked) => looked,
        Err(error) if order.has_plan() || order.prevails || revoke => return Err(error),
        Err(error) => return stand_in(session, &identities, before.as_ref(), order.dry_run, error),
    };
    drop(before);
    let _lock = session.lock_unless_dry(dry_run)?;
    let mut opened =
        if dry_run { bring_up::planned_store(session, &identities)? } else { bring_up::store(session, &identities)? };
    let files = session.files();
    let world = session.delivering_world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let mut taken = take(&world, &mut opened.store, &exchange, &seen, order.prevails)?;
    if revoke {
        taken.drop_replaced(&exchange, &mut opened.store, context.now);
    }
    order.settle(Direction::Pull, session, &exchange, &opened, || taken.planned.clone())?;
    let has_news = !taken.changed.is_empty() || taken.noted || is_contact_old(session, &opened.store);
    if has_news {
        opened.store.synced.contacted = Some(context.now);
    }
    let delivered = if dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        ignored::add(&session.root, &session.manifest)?;
        world.settle_news(&mut opened, "sync pull", &taken.changed, has_news)?
    };
    tell(context, session, &exchange, taken, &delivered, dry_run)
}

/// What was taken.
struct Pulled {
    /// The secrets, those that follow from them too.
    changed: Vec<SecretName>,
    /// Those that were there.
    taken: BTreeSet<SecretName>,
    /// Whether a base was noted.
    noted: bool,
    /// All of that with what it was found at.
    planned: Vec<Planned>,
    problems: Vec<Error>,
}

impl Pulled {
    /// Revokes what was replaced of the secrets that are meant, also in an earlier run.
    fn drop_replaced(&mut self, exchange: &Exchange<'_>, store: &mut Store, now: DateTime<Utc>) {
        let names = exchange.places.iter().flat_map(Place::fields).map(|(_, it)| &it.name);
        for name in names {
            if store.revoke_replaced(name, now) && !self.changed.contains(name) {
                self.changed.push(name.clone());
            }
        }
    }
}

/// Takes the values, makes what follows from them, and then compares again: what is made here from the same inputs is
/// the same as there.
fn take(world: &World<'_>, store: &mut Store, exchange: &Exchange<'_>, seen: &Seen, theirs: bool) -> Result<Pulled> {
    let items = look::look(&exchange.places, store, seen);
    let elsewhere = items.iter().flat_map(Item::kept_there).cloned().collect();
    let found: Vec<Planned> = items.iter().map(|item| Planned::of(item, Action::Note)).collect();
    let Intake { values, .. } = pull::intake(items, theirs, &BTreeSet::new());
    let mut taken = BTreeSet::new();
    for value in in_order(world, values) {
        let declaration =
            world.manifest.secret(&value.secret).ok_or_else(|| Error::bug("an undeclared secret was pulled"))?;
        taken.insert(value.secret.clone());
        world.take_over(store, declaration, value)?;
    }
    let mut changed: Vec<SecretName> = taken.iter().cloned().collect();
    if !taken.is_empty() {
        let scope = Scope::Missing(plan::dependents(world.manifest, &taken));
        // What was taken together with its inputs belongs to them: only what was made of others is made anew.
        // What could not be taken is not made here either: then there would be two of it.
        let observed = Observed { elsewhere, ..world.observe(store) };
        let plan = plan::plan(world.manifest, world.environment, &observed, &scope);
        changed.extend(world.make(store, &plan)?);
    }
    let Intake { bases, problems, .. } = pull::intake(look::look(&exchange.places, store, seen), false, &taken);
    let is_news = |name: &String, base: &Base| store.synced.bases.get(name) != Some(base);
    let news: BTreeSet<&str> =
        bases.iter().filter(|(name, base)| is_news(name, base)).map(|it| it.0.as_str()).collect();
    let (noted, planned) = (!news.is_empty(), planned(found, &taken, &news));
    store.synced.bases.extend(bases);
    Ok(Pulled { changed, taken, noted, planned, problems })
}

/// What something is done with, of all that was found.
fn planned(found: Vec<Planned>, taken: &BTreeSet<SecretName>, news: &BTreeSet<&str>) -> Vec<Planned> {
    let planned = found.into_iter().filter_map(|it| {
        let is_taken = it.ours.keys().any(|name| taken.contains(name));
        let action = if is_taken { Action::Take } else { Action::Note };
        (is_taken || news.contains(it.name.as_str())).then_some(Planned { action, ..it })
    });
    planned.collect()
}

/// Inputs before what is made from them.
fn in_order(world: &World<'_>, mut values: Vec<pull::Taken>) -> Vec<pull::Taken> {
    let order = world.manifest.order.iter().enumerate();
    let places: BTreeMap<&SecretName, usize> = order.map(|(place, declaration)| (&declaration.name, place)).collect();
    values.sort_by_key(|value| places.get(&value.secret).copied());
    values
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
    let (environment, rows, problems) = (&session.environment, Vec::new(), Vec::new());
    Report { environment, dry_run, rows, unchanged: 0, problems }.tell(session.context)?;
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
    }
    let unchanged = exchange.places.len().saturating_sub(rows.len() + pulled.problems.len());
    let environment = &session.environment;
    let exit = Report { environment, dry_run, rows, unchanged, problems: pulled.problems }.tell(context)?;
    if !context.ui.json {
        tell_files(context.ui, &delivered.files, dry_run);
    }
    Ok(if exit == Exit::DONE { delivered.exit() } else { exit })
}
