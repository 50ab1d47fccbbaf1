//! `status`: what the ledger knows of each secret. Needs no identity.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::cert::destination::{Destination, STDOUT, Writes};
use super::context::Context;
use super::paste::Paste;
use super::session::Session;
use super::table::table;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::incident::standing;
use crate::manifest::Declaration;
use crate::metrics::{self, LastRotation, Metrics, SecretMetrics};
use crate::name::{EnvName, SecretName, VersionId};
use crate::plan::due;
use crate::revocation::refreshed_from;
use crate::rotate::programs::is_owner_untold;
use crate::rotate::undeclared::is_undeclared;
use crate::secret::digest::sha256_hex;
use crate::shell;
use crate::store::ledger::{Beside, BesideState, Entry, Ledger};
use crate::store::rotations::{Ending, Operation, Outcome, Trouble};
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Also write FILE, for Prometheus' textfile collector; `-` prints that instead
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Status<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    store: StoreStatus,
    secrets: Vec<Row<'a>>,
    /// The hooks whose programs are still to read changed files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reloads: BTreeMap<String, Trouble>,
    /// The secrets whose owners may still accept a value that leaked, each with its incident.
    #[serde(skip)]
    leaks: Vec<(&'a str, &'a str)>,
}

#[derive(Debug, Serialize)]
struct StoreStatus {
    present: bool,
    /// Whether the ledger belongs to the store on disk; when not, the rows may be old.
    ledger_current: bool,
    generation: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a SecretName,
    kind: &'a str,
    version: Option<VersionId>,
    stage: &'a str,
    created: Option<DateTime<Utc>>,
    due: Option<DateTime<Utc>>,
    expires: Option<DateTime<Utc>>,
    bits: Option<u32>,
    owner: Option<&'a str>,
    /// By when the next revocation list of a CA must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_next_update: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "<[Beside]>::is_empty")]
    beside: &'a [Beside],
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<&'a Operation>,
    /// Whether that is not to be carried on.
    #[serde(skip)]
    is_gone: bool,
    #[serde(skip)]
    rotated: Option<&'a Outcome>,
    /// Whether a hook has yet to tell its owner the value in force.
    #[serde(skip)]
    is_untold: bool,
    /// Whether the value in force leaked.
    #[serde(skip)]
    is_leaked: bool,
}

/// Where the store is, or how it is made.
fn no_store(session: &Session<'_>) -> Result<String> {
    let Some(main) = session.main_tree()? else {
        return Ok(format!("there is no store yet: make it with `{}`", session.command("init")));
    };
    let there = format!("vault-kit -C {}", shell::path(&main.to_string_lossy()));
    let status = session.command("status").replacen("vault-kit", &there, 1);
    Ok(format!("there is no store here: it is that of another work tree: `{status}`"))
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    if context.ui.json && arguments.metrics.as_deref().is_some_and(|file| file == Path::new(STDOUT)) {
        return Err(Error::usage("`--metrics -` and `--json` would both print").hint("leave one of them out"));
    }
    let session = Session::open(context)?;
    let metrics = Destination::find(context, arguments.metrics.as_deref(), Writes::Metrics)?;
    let files = session.files();
    let sealed = files.present()?;
    let ledger = files.ledger()?;
    let store = StoreStatus {
        present: sealed.is_some(),
        ledger_current: sealed.as_deref().map(sha256_hex) == ledger.as_ref().map(|it| it.header.store_digest.clone()),
        generation: ledger.as_ref().map(|ledger| ledger.header.generation),
    };
    let paste = Paste::new(context);
    if !store.present {
        context.warn(&no_store(&session)?);
    } else if !store.ledger_current {
        let state = if ledger.is_some() { "the ledger is older than the store" } else { "the ledger is gone" };
        context.warn(&format!("ledger-stale: {state}; `vault-kit render` makes it anew"));
    }
    // Beside a store nobody knows without a ledger what is missing.
    let absent = if store.present && ledger.is_none() { "unknown" } else { "missing" };
    let secrets = rows(&session, ledger.as_ref(), absent);
    let reloads = ledger.as_ref().map(|ledger| ledger.header.reloads.clone()).unwrap_or_default();
    let leaks = ledger.iter().flat_map(|ledger| standing::outliving(&session.manifest, ledger));
    let leaks = leaks.map(|(id, leak, ..)| (leak.secret.as_str(), id)).collect();
    let environment = &session.environment;
    let status = Status { schema_version: SCHEMA_VERSION, environment, store, secrets, reloads, leaks };
    warn_of_rotations(context, &paste, &status);
    if let Some(file) = arguments.metrics.as_deref() {
        if file == Path::new(STDOUT) {
            context.ui.print(&metrics_of(&session, &status))?;
            return Ok(Exit::DONE);
        }
        metrics.write(metrics_of(&session, &status).as_bytes())?;
    }
    if context.ui.json {
        context.ui.object(&status)?;
    } else {
        context.ui.print(&as_table(&status))?;
    }
    Ok(Exit::DONE)
}

/// The table has no room for what went wrong with a rotation.
fn warn_of_rotations(context: &Context, paste: &Paste, status: &Status<'_>) {
    let secrets = status.secrets.iter().filter_map(|row| {
        let failure = row.rotation?.trouble.failed.as_ref()?;
        let what = format!("rotation-failed: `{}`: {} {}", row.name, failure.what(), failure.how());
        Some(if row.is_gone {
            format!(
                "{what}, and it is not declared any more as it began; give it up with `vault-kit rotate abort {}`",
                row.name
            )
        } else {
            format!("{what}; go on with `vault-kit rotate resume`")
        })
    });
    let owed =
        |hook| format!("reload-owed: hook `{hook}` has yet to run `reload`; go on with `vault-kit rotate resume`");
    for words in secrets.chain(status.reloads.keys().map(owed)) {
        context.ui.warn(&paste.words(&words));
    }
}

fn metrics_of(session: &Session<'_>, status: &Status<'_>) -> String {
    let secrets = status.secrets.iter().filter(|row| row.stage != "setting").map(|row| SecretMetrics {
        name: row.name,
        kind: row.kind,
        created: row.created,
        due: row.due,
        expires: row.expires,
        last: last_rotation(row.rotated, row.rotation),
        in_flight: row.rotation.is_some(),
        failures: row.rotation.map_or(0, |it| it.trouble.failures),
        is_untold: row.is_untold,
        is_leaked: row.is_leaked,
    });
    metrics::text(&Metrics {
        project: &session.manifest.project,
        environment: &session.environment,
        now: session.context.now,
        is_current: status.store.present && status.store.ledger_current,
        reloads: status.reloads.iter().map(|(hook, trouble)| (hook.as_str(), trouble.failures)).collect(),
        leaks: status.leaks.clone(),
        secrets: secrets.collect(),
    })
}

/// How the last rotation ended, or how it failed last: one that has begun and failed is no success, whatever was before it.
fn last_rotation(outcome: Option<&Outcome>, operation: Option<&Operation>) -> Option<LastRotation> {
    let success = outcome.and_then(Outcome::success);
    if let Some((operation, failed)) = operation.and_then(|it| Some((it, it.trouble.failed.as_ref()?))) {
        let seconds = u64::try_from((failed.at - operation.started).num_seconds()).unwrap_or_default();
        return Some(LastRotation { at: failed.at, is_success: false, success, seconds });
    }
    let Outcome { at, outcome, seconds, .. } = *outcome?;
    Some(LastRotation { at, is_success: outcome == Ending::Promoted, success, seconds })
}

fn rows<'a>(session: &'a Session<'_>, ledger: Option<&'a Ledger>, absent: &'static str) -> Vec<Row<'a>> {
    let entry = |name: &SecretName| ledger.and_then(|ledger| ledger.secrets.get(name));
    let declared = session.manifest.secrets.values().filter(|it| it.is_in(&session.environment));
    let mut rows: Vec<Row<'_>> = declared.map(|it| row(session, it, entry(&it.name), absent)).collect();
    let known = ledger.into_iter().flat_map(|ledger| ledger.secrets.values());
    rows.extend(known.filter(|it| !session.manifest.has_secret(&it.name, &session.environment)).map(undeclared));
    rows
}

fn row<'a>(
    session: &Session<'_>,
    declaration: &'a Declaration,
    entry: Option<&'a Entry>,
    absent: &'static str,
) -> Row<'a> {
    let stage = match entry {
        Some(entry) => entry.stage.as_str(),
        None if declaration.is_stored() => absent,
        None => "setting",
    };
    let environment = session.manifest.environments.get(&session.environment);
    Row {
        name: &declaration.name,
        kind: declaration.kind.name(),
        version: entry.map(|entry| entry.version),
        stage,
        created: entry.map(|entry| entry.created),
        // By today's manifest, as `check` judges it.
        due: entry.and_then(|entry| due::due(entry.into(), declaration, environment)),
        expires: entry.and_then(|entry| entry.expires),
        bits: entry.and_then(|entry| entry.bits),
        owner: declaration.owner.as_deref(),
        crl_next_update: entry.and_then(Entry::next_update),
        beside: entry.map_or(&[], |entry| &entry.beside),
        rotation: entry.and_then(|entry| entry.rotation.as_deref()),
        is_gone: entry.is_some_and(|it| is_undeclared(&session.manifest, &session.environment, it)),
        rotated: entry.and_then(|entry| entry.rotated.as_ref()),
        is_untold: entry.is_some_and(|it| is_owner_untold(&session.manifest, &session.environment, it)),
        is_leaked: entry.is_some_and(|it| it.banned),
    }
}

fn undeclared(entry: &Entry) -> Row<'_> {
    Row {
        name: &entry.name,
        kind: &entry.kind,
        version: Some(entry.version),
        stage: "undeclared",
        created: Some(entry.created),
        due: None,
        expires: entry.expires,
        bits: entry.bits,
        owner: None,
        crl_next_update: entry.next_update(),
        beside: &entry.beside,
        rotation: entry.rotation.as_deref(),
        is_gone: entry.rotation.as_ref().is_some_and(|it| it.is_open()),
        rotated: entry.rotated.as_ref(),
        is_untold: false,
        is_leaked: false,
    }
}

/// A row of a version that stands beside the current one: when it may become that is when it is due, and when it is
/// accepted no more is when it expires.
fn beside(row: &Row<'_>, beside: &Beside) -> [String; 6] {
    let (stage, due, expires) = match beside.state {
        BesideState::Next => ("next", minute(beside.until), "–".to_owned()),
        BesideState::Retiring => ("retiring", "–".to_owned(), minute(beside.until)),
    };
    [row.name.to_string(), row.kind.to_owned(), stage.to_owned(), minute(beside.since), due, expires]
}

/// The row of a CA's revocation lists: from when on whoever writes makes new ones, and until when they are good.
fn lists(row: &Row<'_>, next_update: DateTime<Utc>) -> [String; 6] {
    let (due, until) = (minute(refreshed_from(next_update)), minute(next_update));
    [row.name.to_string(), row.kind.to_owned(), "crl".to_owned(), "–".to_owned(), due, until]
}

fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M").to_string()
}

fn as_table(status: &Status<'_>) -> String {
    let day = |at: Option<DateTime<Utc>>| at.map_or_else(|| "–".to_owned(), |at| at.format("%Y-%m-%d").to_string());
    let head = ["NAME", "KIND", "STAGE", "CREATED", "DUE", "EXPIRES"].map(str::to_owned);
    let row = |row: &Row<'_>| {
        let (name, kind, stage) = (row.name.to_string(), row.kind.to_owned(), row.stage.to_owned());
        [name, kind, stage, day(row.created), day(row.due), day(row.expires)]
    };
    let rows = status.secrets.iter().flat_map(|it| {
        let lists = it.crl_next_update.map(|next_update| lists(it, next_update));
        std::iter::once(row(it)).chain(lists).chain(it.beside.iter().map(|other| beside(it, other)))
    });
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
