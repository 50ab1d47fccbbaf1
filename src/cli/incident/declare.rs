//! The command without a verb: reach, a question, one change of the store, the files, the timeline.

use std::collections::BTreeSet;

use super::super::context::Context;
use super::super::session::Session;
use super::super::{generate, mounted, rotate};
use super::case::Case;
use super::named::{findings, names, refuse_value_in_words};
use super::tell::{self, Answer};
use super::timelines::Timelines;
use super::{Leak, rotation};
use crate::clock::SystemClock;
use crate::deliver::{Changing, Delivered};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::SecretName;
use crate::rotate::machine::Machine;
use crate::store::Store;
use crate::store::files::Opened;
use crate::world::World;

pub fn run(context: &Context, leak: &Leak) -> Result<Exit> {
    let session = Session::open(context)?;
    let findings = findings(&session, leak)?;
    let names = names(&session, leak, &findings)?;
    let _lock = session.lock_unless_dry(leak.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, leak.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let case = Case::sort(&session, &opened.store, names, findings, leak)?;
    refuse_value_in_words(&opened.store, leak)?;
    let mut incident = case.reach(&session, &world, &opened.store)?;
    let plan = case.plan(&session, &world, &opened.store);
    if let Some(incident) = &incident {
        tell::reach(context, incident);
    }
    if !leak.dry_run && incident.is_some() {
        generate::refuse_unreadable_data(context, &opened.store, &plan)?;
        let names: Vec<String> = case.fresh.iter().map(|name| format!("`{name}`")).collect();
        let question = format!("replace {} now, without an overlap, and ban the old for ever", names.join(", "));
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    let changed = case.act(&world, &mut opened.store, &plan, incident.as_mut())?;
    let is_new = incident.is_some();
    let ids = case.record(&mut opened.store, incident);
    let has_news = case.note_places(&session, &mut opened.store, &ids) || is_new;
    let touched: BTreeSet<&String> = ids.values().collect();
    let timelines = Timelines::of(&opened.store, touched);
    if !leak.dry_run {
        timelines.preflight(&session)?;
    }
    let rotates = case.rotated(&world, &opened.store);
    let delivered = deliver(&session, &world, (&mut opened, has_news), &changed, leak.dry_run)?;
    if !leak.dry_run {
        // Before a program is asked, which may take its time: whoever dies then leaves what was done in it.
        write(&session, &timelines, &opened.store)?;
    }
    let delivered = if leak.dry_run { delivered } else { mounted::noted(&session, delivered) };
    let timelines = &timelines;
    let answer =
        Answer { dry_run: leak.dry_run, is_new, timelines, delivered: &delivered, plan: &plan, rotates: &rotates };
    if leak.dry_run || rotates.is_empty() && opened.store.rotations.reloads.is_empty() {
        let refused = if leak.dry_run { rotation::refused(&session, &rotates) } else { Vec::new() };
        let kind = Kind::most_severe(refused.iter().map(Error::kind));
        answer.tell(&session, &opened.store, refused)?;
        return Ok(kind.map_or_else(|| if leak.dry_run { Exit::DONE } else { delivered.exit() }, Exit::from));
    }
    // While programs run there is no value here.
    drop(opened);
    let report = rotation::run(&session, &world, &rotates)?;
    let store = session.open_store(&identities)?;
    write(&session, timelines, &store)?;
    let exit = answer.tell_rotated(&session, &store, report)?;
    Ok(if exit == Exit::DONE { delivered.exit() } else { exit })
}

fn write(session: &Session<'_>, timelines: &Timelines, store: &Store) -> Result<()> {
    let written = timelines.write(session, store).map_err(Error::after_the_change);
    written.map_err(|error| error.hint("the timeline comes with the same command once more"))
}

/// Store, ledger and outputs; where nothing is new, what a run before this one did not come to.
fn deliver(
    session: &Session<'_>,
    world: &World<'_>,
    (opened, has_news): (&mut Opened, bool),
    changed: &[SecretName],
    dry_run: bool,
) -> Result<Delivered> {
    if dry_run {
        return world.rehearse(&mut opened.store);
    }
    let lists = world.refresh_lists(&mut opened.store)?;
    let programs = rotate::programs(session);
    let machine = Machine::new(world, &programs, &SystemClock);
    let mut owe = |store: &mut Store, changing: &Changing| machine.owe_reloads(store, changing);
    let has_news = has_news || !lists.is_empty();
    let delivered = world.settle_noted(opened, "incident", changed, has_news, Some(&mut owe))?;
    Ok(Delivered { lists, ..delivered })
}
