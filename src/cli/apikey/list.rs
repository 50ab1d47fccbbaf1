//! `apikey list`: who has a key, and what became of it. The sealed store alone knows, so that it takes the identity.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::api_key::register::{self, State};
use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::EnvName;
use crate::ui::SCHEMA_VERSION;

#[derive(Serialize)]
struct List<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    keys: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    role: Option<&'a str>,
    state: State,
    created: DateTime<Utc>,
    expires: Option<DateTime<Utc>>,
    revoked: Option<DateTime<Utc>>,
    successor: Option<&'a str>,
    last_four: &'a str,
}

pub fn run(context: &Context) -> Result<Exit> {
    let session = Session::open(context)?;
    let store = session.open_store(&context.identities()?)?;
    let mut keys: Vec<_> = store
        .issued
        .api_keys
        .iter()
        .map(|(id, record)| Row {
            id,
            name: &record.name,
            role: record.role.as_deref(),
            state: register::state(record, context.now),
            created: record.created,
            expires: record.expires,
            revoked: record.revoked,
            successor: record.successor.as_deref(),
            last_four: &record.last_four,
        })
        .collect();
    keys.sort_by_key(|row| (row.name, row.created, row.successor.is_none()));
    let list = List { schema_version: SCHEMA_VERSION, environment: &session.environment, keys };
    if context.ui.json {
        context.ui.object(&list)?;
    } else {
        context.ui.print(&as_table(&list))?;
    }
    Ok(Exit::DONE)
}

fn as_table(list: &List<'_>) -> String {
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
    let head = ["NAME", "ID", "ROLE", "STATE", "CREATED", "ENDS", "LAST FOUR"].map(str::to_owned);
    let row = |row: &Row<'_>| {
        let ends = row.revoked.or(row.expires).map_or_else(|| "never".to_owned(), day);
        let role = row.role.unwrap_or("–").to_owned();
        let [name, id, state, four] = [row.name, row.id, row.state.name(), row.last_four].map(str::to_owned);
        [name, id, role, state, day(row.created), ends, four]
    };
    table(&std::iter::once(head).chain(list.keys.iter().map(row)).collect::<Vec<_>>())
}
