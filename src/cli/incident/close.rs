//! `incident close`: a person says that what no hook could see to is done.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::session::Session;
use super::list::found;
use super::timelines::Timelines;
use super::unended;
use crate::apply::Deed;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::incident::standing::{self, Standing};
use crate::name::{EnvName, SecretName};
use crate::store::incidents::Deed as Done;
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Close {
    /// Its id, or how it begins
    id: String,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    /// The incident.
    id: &'a str,
    /// The secrets of it whose leaked values nobody accepts any more.
    closed: &'a [SecretName],
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
        let others = unended::errors(&session, &opened.store, std::iter::once(&id), &BTreeSet::new());
        let others = others.into_iter().map(|error| error.hint("nothing was changed"));
        Error::all(others).map_or(Ok(()), Err)?;
    }
    let names = by_hand.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let answer = Answer {
        schema_version: SCHEMA_VERSION,
        dry_run: arguments.dry_run,
        environment: &session.environment,
        id: &id,
        closed: &by_hand,
    };
    if by_hand.is_empty() {
        return answer.tell(context, "nothing is left that a person could say is refused");
    }
    if arguments.dry_run {
        return answer.tell(context, &format!("would note that nobody accepts what leaked of {names} any more"));
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
    answer.tell(context, &format!("nobody accepts what leaked of {names} any more"))
}

impl Answer<'_> {
    fn tell(&self, context: &Context, words: &str) -> Result<Exit> {
        if context.ui.json {
            context.ui.object(self)?;
        } else {
            context.ui.say(&format!("incident {}: {words}", self.id));
        }
        Ok(Exit::DONE)
    }
}
