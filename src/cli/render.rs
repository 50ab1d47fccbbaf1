//! `render`: the outputs as the store has them.

use std::collections::BTreeSet;

use clap::Args;

use super::context::Context;
use super::get;
use super::session::Session;
use super::summary::Summary;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::plan::Plan;

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
    let _lock = if arguments.dry_run { None } else { Some(session.lock()?) };
    let files = session.files();
    let world = session.delivering_world(&files, &identities, arguments.adopt)?;
    let plan = Plan::default();
    let delivered = if arguments.dry_run {
        world.rehearse(&session.open_store(&identities)?)?
    } else {
        let mut opened = session.open_store_for_writing(&identities)?;
        world.check_agreement(&opened.store)?;
        world.settle(&mut opened, "render", &[])?
    };
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, arguments.dry_run);
    let missing = delivered.waiting.values().flatten().collect::<BTreeSet<_>>();
    let Some(error) = Error::all(missing.into_iter().map(|name| get::missing(&session, name.as_str()))) else {
        summary.tell(context)?;
        return Ok(Exit::DONE);
    };
    // "Nothing to do" would be wrong, and with `--json` the error is the one document.
    if !context.ui.json && !summary.is_empty() {
        summary.tell(context)?;
    }
    Err(error)
}
