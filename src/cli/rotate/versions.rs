//! `rotate rollback NAME --list`: the versions of a secret, of which no ledger knows but the current one.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::answer::minute;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::{EnvName, SecretName, VersionId};
use crate::store::{Origin, Stage, Store, Version};
use crate::ui::SCHEMA_VERSION;

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    secret: &'a SecretName,
    /// Newest first.
    versions: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    version: VersionId,
    stage: Stage,
    origin: Origin,
    created: DateTime<Utc>,
    /// Whether its value is still held; else only its fingerprint is.
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<DateTime<Utc>>,
    /// When its owner was made to accept it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    retired: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<DateTime<Utc>>,
    /// Whether it leaked: it is never put in force again.
    banned: bool,
}

/// Opens the store and lists them.
pub fn list(session: &Session<'_>, name: &SecretName) -> Result<Exit> {
    let context = session.context;
    let store = session.open_store(&context.identities()?)?;
    let versions: Vec<Row<'_>> = store.versions(name).rev().map(|it| row(session, &store, name, it)).collect();
    if context.ui.json {
        let environment = &session.environment;
        context.ui.object(&Answer { schema_version: SCHEMA_VERSION, environment, secret: name, versions })?;
    } else if versions.is_empty() {
        context.ui.say(&format!("environment `{}`: `{name}` has no value yet", session.environment));
    } else {
        context.ui.print(&as_table(&versions))?;
    }
    Ok(Exit::DONE)
}

fn row<'a>(session: &'a Session<'_>, store: &Store, name: &SecretName, version: &'a Version) -> Row<'a> {
    Row {
        version: version.id,
        stage: version.stage,
        origin: version.origin,
        created: version.created,
        held: version.parts.iter().next().is_some(),
        username: session.manifest.secret(name).and_then(|it| it.username(&version.facts)),
        replaced: version.life.replaced,
        retired: version.life.retired,
        revoked: version.life.revoked,
        banned: store.is_banned(version),
    }
}

fn as_table(versions: &[Row<'_>]) -> String {
    let head = ["VERSION", "CREATED", "FROM", "USER", "STATE"].map(str::to_owned);
    let row = |it: &Row<'_>| {
        let user = it.username.unwrap_or("–").to_owned();
        [it.version.to_string(), minute(it.created), origin(it.origin).to_owned(), user, state(it)]
    };
    table(&std::iter::once(head).chain(versions.iter().map(row)).collect::<Vec<_>>())
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Generated => "made",
        Origin::Imported => "import",
        Origin::Set => "set",
        Origin::Pulled => "AWS",
    }
}

/// What became of it, and whether it can come back.
fn state(it: &Row<'_>) -> String {
    let stage = match it.stage {
        Stage::Candidate => "not in force yet",
        Stage::Aborted => "given up",
        Stage::Next => "published",
        Stage::Current => "in force",
        Stage::Previous | Stage::Purged if it.banned => "leaked",
        Stage::Previous if it.held => "kept",
        Stage::Previous | Stage::Purged => "value gone",
    };
    let on = |what: &str, at: Option<DateTime<Utc>>| at.map(|at| format!(", {what} {}", minute(at)));
    let told = [on("replaced", it.replaced), on("retired", it.retired), on("revoked", it.revoked)];
    told.into_iter().flatten().fold(stage.to_owned(), |text, more| text + &more)
}
