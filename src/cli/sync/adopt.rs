//! `sync adopt`: secrets that are in AWS already become ours to write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;

use super::super::context::Context;
use super::super::session::Session;
use super::exchange::Exchange;
use super::report::{Report, Row};
use super::sight::Reads;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::gather::Gather;
use crate::remote::{Remote, Tagging};
use crate::sync::hindrance::Hindrance;
use crate::sync::look::{self, Item, State};
use crate::sync::place::{OWNER_TAG, owner};
use crate::sync::{problem, pull};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets, by our name or theirs
    #[arg(required = true)]
    names: Vec<String>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context, arguments: &Arguments, wait: Option<Duration>) -> Result<Exit> {
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let dry_run = arguments.dry_run;
    let exchange = Exchange::open(&session, &arguments.names, wait)?;
    let store = session.open_store(&identities)?;
    let seen = exchange.see(&session, Some(&store), Reads::Changed)?;
    exchange.check_account(&session)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&store)?;
    let ours = owner(&session.manifest.project, &session.environment);
    let items = look::look(&exchange.places, &store, &seen);
    let (mut rows, mut problems, mut adopted) = (Vec::new(), Vec::new(), BTreeSet::new());
    // Nobody else waits while a person is asked, and AWS.
    for item in &items {
        match adopt(context, &exchange, item, &ours, dry_run) {
            Ok(row) => {
                adopted.insert(item.place.name.as_str());
                rows.extend(row);
            }
            Err(error) => problems.push(error),
        }
    }
    if !dry_run {
        let _lock = session.lock()?;
        let mut opened = session.open_store_for_writing(&identities)?;
        let items = look::look(&exchange.places, &opened.store, &seen);
        let is_agreed = |item: &&Item<'_>| item.state == State::Advance && adopted.contains(item.place.name.as_str());
        let bases: BTreeMap<_, _> = items.iter().filter(is_agreed).filter_map(pull::agreement).gather();
        drop(items);
        if !bases.is_empty() {
            world.check_agreement(&opened.store)?;
            opened.store.synced.bases.extend(bases);
            world.reseal(&mut opened, "sync adopt")?;
        }
    }
    let unchanged = exchange.places.len() - rows.len() - problems.len();
    Report { session: &session, dry_run, rows, unchanged, problems }.tell(context)
}

/// Tags one, if it is not tagged yet.
fn adopt<'e>(
    context: &Context,
    exchange: &'e Exchange<'_>,
    item: &Item<'_>,
    ours: &str,
    dry_run: bool,
) -> Result<Option<Row<'e>>> {
    let name = &item.place.name;
    let Some(listed) = item.listed else {
        if let Some(unusable) = problem::unusable(item, "adopt") {
            return Err(unusable);
        }
        return Err(Error::new(Kind::Findings, "remote-missing", format!("`{name}` is not in AWS"))
            .hint(format!("send it there with `vault-kit sync push {name}`")));
    };
    match item.hindrance {
        None => return Ok(None),
        Some(Hindrance::Foreign) => {}
        Some(other) => return Err(problem::hindered(name, other)),
    }
    let secrets = exchange.secrets(name);
    if dry_run {
        return Ok(Some(Row::plain(name, secrets, "would-adopt")));
    }
    if let Some(theirs) = listed.tags.get(OWNER_TAG) {
        let theirs = theirs.escape_debug();
        let question = format!("`{name}` is tagged as that of {theirs}: take it from there");
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    let tags = BTreeMap::from([(OWNER_TAG.to_owned(), ours.to_owned())]);
    let answers = exchange.remote.tag(&[Tagging { arn: &listed.arn, tags: &tags }]);
    super::exchange::first_failure(&[name], answers)?;
    Ok(Some(Row::plain(name, secrets, "adopted")))
}
