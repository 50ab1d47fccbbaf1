//! `incident list` and `incident show`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::context::Context;
use super::super::session::Session;
use super::super::table::table;
use super::timelines;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::incident::standing::{self, Standing};
use crate::incident::{reach::second, timeline};
use crate::name::{EnvName, SecretName};
use crate::rotate::retire::owed_reloads;
use crate::store::Store;
use crate::store::incidents::{Affected, Incident};
use crate::store::ledger::DeliveredFile;
use crate::store::rotations::Rotations;
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
    /// The secrets that have one, which a hook has yet to tell their owners.
    untold: Vec<&'a SecretName>,
    /// The secrets whose owners know it, and are yet to refuse what leaked.
    unretired: Vec<&'a SecretName>,
    /// The secrets whose owners may accept what leaked, which no hook could have refused any more.
    left: Vec<&'a SecretName>,
    /// The secrets that are declared no more, so that nothing takes the place of what leaked, and are not removed yet.
    undeclared: Vec<&'a SecretName>,
    /// The secrets that have a new value, and whose files were delivered with what leaked or is made of it.
    undelivered: Vec<&'a SecretName>,
    /// The secrets that have a new value in files which a program has yet to read.
    unread: Vec<&'a SecretName>,
    /// Whether no timeline can be where it is to be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    without_timeline: bool,
    /// As it is now.
    #[serde(flatten)]
    incident: Incident,
}

pub fn run(context: &Context) -> Result<Exit> {
    let session = Session::open(context)?;
    let store = session.open_store(&context.identities()?)?;
    let files = session.files().delivered()?.unwrap_or_default();
    let mut incidents: Vec<Listed<'_>> =
        store.incidents.iter().map(|(id, it)| listed(&session, (&store, &files), id, it)).collect();
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

fn listed<'s>(
    session: &Session<'_>,
    (store, files): (&'s Store, &BTreeMap<String, DeliveredFile>),
    id: &'s str,
    incident: &'s Incident,
) -> Listed<'s> {
    let is_held = |it: &&Affected| {
        let mut held = files.values().filter_map(|file| file.holds.get(&it.secret));
        let is_new = store.current(&it.secret).is_some_and(|current| !it.versions.contains(&current.id));
        is_new && held.any(|version| it.versions.contains(version))
    };
    let is_unread = |it: &&Affected| {
        let Rotations { reloads, unread, .. } = &store.rotations;
        let is_new = store.current(&it.secret).is_some_and(|current| !it.versions.contains(&current.id));
        is_new && !owed_reloads(&session.manifest, (reloads, unread), &it.secret).is_empty()
    };
    let leaked = incident.affected.iter().filter(|it| it.made_from.is_none());
    let leaked: Vec<_> = leaked.map(|it| (&it.secret, standing::of(&session.manifest, store, it))).collect();
    let is_left_alone = |name: &SecretName| {
        let is_declared = session.manifest.has_secret(name, &session.environment);
        !is_declared && store.current(name).is_some_and(|current| incident.has(name, current.id))
    };
    let those = |which: Standing| leaked.iter().filter(|(_, it)| *it == which).map(|(name, _)| *name).collect();
    Listed {
        id,
        timeline: timeline::path(id, incident),
        waits_for: those(Standing::InForce),
        untold: those(Standing::Untold),
        unretired: those(Standing::Unretired),
        left: those(Standing::Left),
        undeclared: incident.leaked().filter(|name| is_left_alone(name)).collect(),
        undelivered: incident.affected.iter().filter(is_held).map(|it| &it.secret).collect(),
        unread: incident
            .affected
            .iter()
            .filter(|it| it.made_from.is_none())
            .filter(is_unread)
            .map(|it| &it.secret)
            .collect(),
        without_timeline: session.root.facts(&timeline::path(id, incident)).is_err(),
        incident: timelines::current(session, store, id, incident),
    }
}

fn as_row(it: &Listed<'_>) -> [String; 4] {
    let names = |names: &[&SecretName]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let leaked: Vec<&SecretName> = it.incident.leaked().collect();
    let states = [
        ("waits for", &it.waits_for),
        ("replaced, owner untold:", &it.untold),
        ("replaced, not retired yet:", &it.unretired),
        ("may be accepted, and no hook is left:", &it.left),
        ("banned, and not declared any more:", &it.undeclared),
        ("replaced, and still in files until `vault-kit render`:", &it.undelivered),
        ("replaced, and not read by all programs until `vault-kit rotate resume`:", &it.unread),
    ];
    let open = states.into_iter().filter(|(_, secrets)| !secrets.is_empty());
    let open: Vec<String> = open.map(|(what, secrets)| format!("{what} {}", names(secrets))).collect();
    let mut state = if open.is_empty() { "replaced".to_owned() } else { open.join("; ") };
    if it.without_timeline {
        state.push_str("; without a timeline: something stands in the place of `");
        state.push_str(timeline::DIRECTORY);
        state.push('`');
    }
    [it.id.to_owned(), second(it.incident.at), names(&leaked), state]
}

/// Prints the timeline, also where its file is gone.
pub fn show(context: &Context, id: &str) -> Result<Exit> {
    let session = Session::open(context)?;
    let store = session.open_store(&context.identities()?)?;
    let (id, incident) = found(&session, &store, id)?;
    if context.ui.json {
        context.ui.object(&List {
            schema_version: SCHEMA_VERSION,
            environment: &session.environment,
            incidents: vec![listed(
                &session,
                (&store, &session.files().delivered()?.unwrap_or_default()),
                id,
                incident,
            )],
        })?;
    } else {
        context.ui.print(&timelines::shown(&session, &store, (id, incident)))?;
    }
    Ok(Exit::DONE)
}

/// The incident whose id begins so.
pub fn found<'s>(session: &Session<'_>, store: &'s Store, id: &str) -> Result<(&'s String, &'s Incident)> {
    let found: Vec<(&String, &Incident)> = store.incidents.iter().filter(|(it, _)| it.starts_with(id)).collect();
    if let &[one] = found.as_slice() {
        return Ok(one);
    }
    let what = if found.is_empty() { "no incident" } else { "more than one incident" };
    Err(Error::usage(format!("{what} of environment `{}` has an id that begins so", session.environment))
        .hint(format!("`{}` shows them", session.command("incident list"))))
}
