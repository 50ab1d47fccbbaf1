//! `audit show`: what the record tells. Needs no identity, and proves nothing.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use serde::Serialize;

use crate::audit;
use crate::audit::show::{Filter, Shown};
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::{self, period::Period};
use crate::name::{EnvName, SecretName};
use crate::store::change::{ACTIONS, Change};
use crate::ui::{SCHEMA_VERSION, counted};

/// How many names a row of the table has.
const NAMED: usize = 5;

#[derive(Debug, Args)]
pub(super) struct Show {
    /// From then on: 30d, a date, or a time such as 2026-11-22T05:15:21Z
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
    /// What touched this secret
    #[arg(long, value_name = "NAME", value_parser = |text: &str| SecretName::new(text))]
    secret: Option<SecretName>,
    /// What this command did, such as set or generate
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// The last so many
    #[arg(long, value_name = "N")]
    last: Option<NonZeroUsize>,
}

/// From when on.
#[derive(Debug, Clone, Copy)]
enum Since {
    /// So long ago.
    Ago(Period),
    /// A time in UTC.
    At(DateTime<Utc>),
}

impl Since {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(period) = Period::parse(text) {
            return Ok(Self::Ago(period));
        }
        let day = text.parse::<NaiveDate>().ok().and_then(|day| Some(day.and_hms_opt(0, 0, 0)?.and_utc()));
        let time = || Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
        day.or_else(time).map(Self::At).ok_or("write a length of time such as 30d, or a date such as 2026-11-22")
    }

    fn time(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(period) => now - period.delta(),
            Self::At(time) => time,
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    /// This command proves nothing.
    verified: bool,
    unreadable: usize,
    records: &'a VecDeque<Change>,
}

pub(super) fn run(context: &Context, arguments: &Show) -> Result<Exit> {
    let session = Session::open(context)?;
    let filter = Filter {
        environment: &session.environment,
        since: arguments.since.map(|since| since.time(context.now)),
        secret: arguments.secret.as_ref(),
        action: arguments.action.as_deref(),
        last: arguments.last.map(NonZeroUsize::get),
    };
    let file = session.root.open_file(&audit::path())?;
    let shown = file.map(|(file, _)| filter.read(&audit::path(), file)).transpose()?.unwrap_or_default();
    expect_known(&session, &filter, &shown)?;
    let Shown { changes, unreadable, cut_short, .. } = &shown;
    if context.ui.json {
        let (schema_version, environment) = (SCHEMA_VERSION, &session.environment);
        let answer = Answer { schema_version, environment, verified: false, unreadable: *unreadable, records: changes };
        context.ui.object(&answer)?;
    } else {
        context.ui.print(&as_table(changes))?;
    }
    if *unreadable > 0 {
        context.ui.warn(&format!("`{}`: {} not shown, being no records", audit::path(), counted(*unreadable, "line")));
    }
    if *cut_short > 0 {
        let many = counted(*cut_short, "change");
        context.ui.warn(&format!("{many} not shown: of more secrets than a line names, perhaps of this one too"));
    }
    context.say("this was not verified: `vault-kit audit verify` does");
    Ok(Exit::DONE)
}

/// Refuses a name that neither the manifest nor the record has, and a command that there is none of: nothing would be shown of it, as of
/// what changed nothing.
fn expect_known(session: &Session<'_>, filter: &Filter<'_>, shown: &Shown) -> Result<()> {
    if let Some(secret) = filter.secret.filter(|_| !shown.has_secret && shown.cut_short == 0) {
        session.secret(secret.as_str())?;
    }
    let Some(action) = filter.action.filter(|it| !shown.has_action && !ACTIONS.contains(it)) else { return Ok(()) };
    let of_command: Vec<String> =
        ACTIONS.iter().filter(|it| it.starts_with(action)).map(|it| format!("`{it}`")).collect();
    let hint = match manifest::suggest(action, ACTIONS) {
        _ if !action.is_empty() && !of_command.is_empty() => format!("those that begin so: {}", of_command.join(", ")),
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`{}` tells of all that were done", session.command("audit show")),
    };
    Err(Error::usage("no change is called as `--action` says").hint(hint))
}

fn as_table(changes: &VecDeque<Change>) -> String {
    let head = ["TIME", "UID", "ACTION", "GENERATION", "WHAT"].map(str::to_owned);
    let row = |change: &Change| {
        let generation = if change.intent { "not done".to_owned() } else { change.generation.to_string() };
        let time = change.at.format("%Y-%m-%d %H:%M:%S").to_string();
        [time, change.uid.to_string(), shown(&change.action), generation, what(change)]
    };
    table(&std::iter::once(head).chain(changes.iter().map(row)).collect::<Vec<_>>())
}

fn what(change: &Change) -> String {
    let names = change.secrets.iter().map(ToString::to_string).chain(change.records.iter().map(|it| shown(it)));
    let mut names: Vec<String> = names.take(NAMED).collect();
    let more = (change.count + change.records.len()).saturating_sub(names.len());
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    if names.is_empty() { "–".to_owned() } else { names.join(", ") }
}

/// Nothing is known of who wrote it: what would drive a terminal is not passed on.
fn shown(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { char::REPLACEMENT_CHARACTER } else { it }).collect()
}
