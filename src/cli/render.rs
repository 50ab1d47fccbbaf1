//! `render`: the outputs as the store has them.

use std::collections::BTreeSet;

use clap::Args;

use super::consequences;
use super::context::Context;
use super::get;
use super::mounted;
use super::session::Session;
use super::summary::Summary;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::plan::{self, Plan, Scope};
use crate::store::Store;
use crate::world::World;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Take over lines of an existing .env that name our secrets
    #[arg(long)]
    adopt: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let files = session.files();
    let world = session.delivering_world(&files, &identities, arguments.adopt)?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    if !arguments.dry_run {
        world.check_agreement(&opened.store)?;
    }
    let plan = plan(&world, &opened.store);
    let consequences = consequences::of_plan(&session, &opened.store, &plan);
    consequences::say(context, &consequences);
    let changed = world.make(&mut opened.store, &plan)?;
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        mounted::noted(&session, world.settle(&mut opened, "render", &changed)?)
    };
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, arguments.dry_run);
    let summary = summary.breaking(&consequences);
    let missing = delivered.waiting.values().flatten().collect::<BTreeSet<_>>();
    let Some(error) = Error::all(missing.into_iter().map(|name| get::absent(&session, &opened.store, name))) else {
        summary.tell(context)?;
        return Ok(Exit::DONE);
    };
    // "Nothing to do" would be wrong, and with `--json` the error is the one document.
    if !context.ui.json && !summary.is_empty() {
        summary.tell(context)?;
    }
    Err(error)
}

/// Keys whose time has come, with what they sign. Nothing else is made here.
fn plan(world: &World<'_>, store: &Store) -> Plan {
    let observed = world.observe(store);
    if observed.next.is_empty() {
        return Plan::default();
    }
    let plan = plan::plan(world.manifest, world.environment, &observed, &Scope::Missing(BTreeSet::new()));
    Plan { waiting: Vec::new(), ..plan }
}
