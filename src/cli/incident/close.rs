//! `incident close`: a person says that what no hook could see to is done.

use clap::Args;

use super::super::context::Context;
use super::super::session::Session;
use super::list::found;
use super::timelines::Timelines;
use super::unended;
use crate::apply::Deed;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::incident::standing::{self, Standing};
use crate::name::SecretName;
use crate::store::incidents::Deed as Done;

#[derive(Debug, Args)]
pub struct Close {
    /// Its id, or how it begins
    id: String,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Close) -> Result<Exit> {
    let session = Session::open(context)?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let (id, incident) = found(&session, &opened.store, &arguments.id)?;
    let (id, affected) = (id.clone(), &incident.affected);
    let those = |which: Standing| {
        let of = affected.iter().filter(|it| standing::of(&session.manifest, &opened.store, it) == which);
        of.map(|it| it.secret.clone()).collect::<Vec<_>>()
    };
    let by_hand: Vec<SecretName> = [Standing::ByHand, Standing::Left].into_iter().flat_map(those).collect();
    if by_hand.is_empty() {
        let others = unended::errors(&session, &opened.store, std::iter::once(&id));
        return Error::all(others.into_iter().map(|error| error.hint("nothing was changed"))).map_or_else(
            || {
                context.ui.say(&format!("incident {id}: nothing is left that a person could say is refused"));
                Ok(Exit::DONE)
            },
            Err,
        );
    }
    let names = by_hand.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if arguments.dry_run {
        context.ui.say(&format!("incident {id}: would note that nobody accepts what leaked of {names} any more"));
        return Ok(Exit::DONE);
    }
    let question = format!("note that nobody accepts what leaked of {names} any more");
    context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    if let Some(incident) = opened.store.incidents.get_mut(&id) {
        incident.affected.iter_mut().filter(|it| by_hand.contains(&it.secret)).for_each(|it| it.closed = true);
        let what = format!("{names}: a person saw to it that nobody accepts what leaked any more");
        incident.done.push(Done { at: world.now, uid: rustix::process::getuid().as_raw(), what });
    }
    opened.store.updated = opened.store.updated.max(world.now);
    world.record_deeds(&mut opened, &[Deed::of("incident-close", &by_hand)])?;
    Timelines::of(&opened.store, std::iter::once(&id)).write(&session, &opened.store).map_err(Error::incomplete)?;
    context.ui.say(&format!("incident {id}: nobody accepts what leaked of {names} any more"));
    Ok(Exit::DONE)
}
