//! `incident list` and `incident show`.

use serde::Serialize;

use super::super::context::Context;
use super::super::session::Session;
use super::super::table::table;
use super::timelines;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::incident::{reach::second, remains, timeline};
use crate::name::{EnvName, SecretName};
use crate::store::Store;
use crate::store::incidents::Incident;
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Serialize)]
struct List<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    incidents: Vec<Listed<'a>>,
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    id: &'a str,
    timeline: String,
    /// The secrets that leaked and wait for a new value.
    waits_for: Vec<&'a SecretName>,
    /// The secrets that have one, of which their owners may still accept what leaked.
    untold: Vec<&'a SecretName>,
    #[serde(flatten)]
    incident: &'a Incident,
}

pub fn run(context: &Context) -> Result<Exit> {
    let session = Session::open(context)?;
    let store = session.open_store(&context.identities()?)?;
    let mut incidents: Vec<Listed<'_>> =
        store.incidents.iter().map(|(id, it)| listed(&session, &store, id, it)).collect();
    incidents.sort_by_key(|it| it.incident.at);
    if context.ui.json {
        context.ui.object(&List { schema_version: SCHEMA_VERSION, environment: &session.environment, incidents })?;
        return Ok(Exit::DONE);
    }
    let head = ["ID", "DECLARED", "LEAKED", "STATE"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(incidents.iter().map(as_row)).collect();
    context.ui.print(&table(&rows))?;
    Ok(Exit::DONE)
}

fn listed<'s>(session: &Session<'_>, store: &'s Store, id: &'s str, incident: &'s Incident) -> Listed<'s> {
    let is_open = |name: &&SecretName| store.current(name).is_some_and(|version| incident.has(name, version.id));
    let is_untold = |name: &SecretName| {
        let manifest = &session.manifest;
        remains::is_accepted(manifest, store, name) && !remains::is_done_without_retiring(manifest, store, name)
    };
    Listed {
        id,
        timeline: timeline::path(id, incident),
        waits_for: incident.leaked().filter(is_open).collect(),
        untold: incident.leaked().filter(|name| !is_open(name) && is_untold(name)).collect(),
        incident,
    }
}

fn as_row(it: &Listed<'_>) -> [String; 4] {
    let names = |names: &[&SecretName]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let leaked: Vec<&SecretName> = it.incident.leaked().collect();
    let state = match it.waits_for.as_slice() {
        [] if !it.untold.is_empty() => format!("replaced, owner untold: {}", names(&it.untold)),
        [] => "replaced".to_owned(),
        waits => format!("waits for {}", names(waits)),
    };
    [it.id.to_owned(), second(it.incident.at), names(&leaked), state]
}

/// Prints the timeline, also where its file is gone.
pub fn show(context: &Context, id: &str) -> Result<Exit> {
    let session = Session::open(context)?;
    let store = session.open_store(&context.identities()?)?;
    let found: Vec<(&String, &Incident)> = store.incidents.iter().filter(|(it, _)| it.starts_with(id)).collect();
    let &[(id, incident)] = found.as_slice() else {
        let what = if found.is_empty() { "no incident" } else { "more than one incident" };
        return Err(Error::usage(format!("{what} of environment `{}` has an id that begins so", session.environment))
            .hint(format!("`{}` shows them", session.command("incident list"))));
    };
    if context.ui.json {
        context.ui.object(&List {
            schema_version: SCHEMA_VERSION,
            environment: &session.environment,
            incidents: vec![listed(&session, &store, id, incident)],
        })?;
    } else {
        context.ui.print(&timelines::text(&session, &store, id)?)?;
    }
    Ok(Exit::DONE)
}
