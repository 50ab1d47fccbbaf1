//! `sync status` and `sync diff`: what changed where.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::super::context::Context;
use super::super::session::Session;
use super::exchange::Exchange;
use super::report::{Report, Row};
use super::sight::Reads;
use crate::error::Result;
use crate::exit::{Exit, Kind};
use crate::sync::look::{self, Item, State};
use crate::sync::problem;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secrets, by our name or theirs; all of them when none is named
    names: Vec<String>,
}

pub fn run(context: &Context, arguments: &Arguments, wait: Option<Duration>, reads: bool) -> Result<Exit> {
    let session = Session::open(context)?;
    let identities = context.identities()?;
    let store = session.open_store(&identities)?;
    let exchange = Exchange::open(&session, &arguments.names, wait)?;
    let seen = exchange.see(&session, Some(&store), if reads { Reads::Changed } else { Reads::Nothing })?;
    let (mut rows, mut problems, mut unchanged) = (Vec::new(), Vec::new(), 0);
    for item in look::each(&exchange.places, &store, &seen) {
        let is_settled = matches!(item.state, State::Same | State::Absent | State::Advance);
        unchanged += usize::from(is_settled);
        if context.ui.verbose || !is_settled {
            rows.push(row(&item));
        }
        if matches!(item.state, State::Malformed | State::Unreadable) {
            problems.extend(problem::unusable(&item, "diff"));
        }
    }
    let differs = unchanged < exchange.places.len();
    let report = Report {
        session: &session,
        dry_run: false,
        rows,
        unchanged: if context.ui.verbose { 0 } else { unchanged },
        problems,
    };
    let exit = report.answer(context)?;
    Ok(if reads && differs { Exit::from(Kind::Findings) } else { exit })
}

/// What is told of an item that was only looked at.
pub fn row<'a>(item: &Item<'a>) -> Row<'a> {
    // Which keys of an object changed is known once it was read.
    let is_unread = item.state == State::Changed && !item.was_read();
    let is_blank = is_unread || matches!(item.state, State::Malformed | State::Unreadable);
    let keys = item.fields.iter().filter(|_| item.is_bundle() && !is_blank);
    Row {
        name: item.place.name.clone(),
        secrets: item.fields.iter().map(|field| &field.declaration.name).collect(),
        state: word(item.state),
        version: item.version.map(str::to_owned),
        base_version: item.base.map(|base| base.version.clone()),
        hindrance: item.hindrance.map(word),
        keys: keys.map(|field| (field.key.to_owned(), word(field.verdict))).collect(),
    }
}

/// The word that a state has in JSON.
fn word(state: impl Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}
