//! `rotate status`: what is on its way. Needs no identity.

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::answer::minute;
use super::unusable;
use crate::check::facts::UnusableHook;
use crate::cli::context::Context;
use crate::cli::paste::Paste;
use crate::cli::session::Session;
use crate::cli::table::table;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::{EnvName, SecretName};
use crate::rotate::programs;
use crate::rotate::retire::owed_reloads;
use crate::rotate::undeclared::is_undeclared;
use crate::store::ledger::{Entry, Header, Ledger};
use crate::store::rotations::{Claim, Failure, Step, Trouble};
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {}

#[derive(Serialize)]
struct Status<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    /// From when on a scheduled run has something to do.
    next: Option<DateTime<Utc>>,
    rotations: Vec<Row<'a>>,
    reloads: Vec<Reload<'a>>,
    untold: Vec<Untold<'a>>,
    refused: Vec<Refused<'a>>,
    /// The hooks that cannot be run.
    unusable: Vec<UnusableHook>,
}

/// What AWS keeps from rotating.
#[derive(Serialize)]
struct Refused<'a> {
    secret: &'a SecretName,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a Failure>,
    /// From when on a scheduled run tries it again.
    next: Option<DateTime<Utc>>,
    fix: String,
}

#[derive(Serialize)]
struct Row<'a> {
    secret: &'a SecretName,
    step: Step,
    /// What is being done, or waited for.
    #[serde(skip)]
    words: &'static str,
    started: DateTime<Utc>,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a Failure>,
    /// The rotation of a remote secret that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<&'a Claim>,
    /// From when on a scheduled run carries it on.
    next: DateTime<Utc>,
    /// What carries it on now.
    fix: String,
}

/// A value whose owner no hook has told.
#[derive(Serialize)]
struct Untold<'a> {
    secret: &'a SecretName,
    /// When it was made.
    since: DateTime<Utc>,
    fix: String,
}

#[derive(Serialize)]
struct Reload<'a> {
    hook: &'a str,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'a Failure>,
    fix: String,
}

pub fn run(context: &Context, _: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let files = session.files();
    if files.present()?.is_none() {
        return Err(session.no_store());
    }
    let ledger = files.ledger()?;
    let paste = Paste::new(context);
    let resume = paste.command("vault-kit rotate resume");
    let entries = || ledger.iter().flat_map(|ledger| ledger.secrets.values());
    let is_untold = |entry: &&Entry| programs::is_owner_untold(&session.manifest, &session.environment, entry);
    let row = |entry| row(&session, ledger.as_ref()?, entry, &paste);
    let mut unusable = ledger.as_ref().map_or_else(Vec::new, |ledger| unusable::on_host(&session, ledger));
    for it in &mut unusable {
        it.fix = paste.fix(&it.fix, session.root.path());
    }
    let status = Status {
        schema_version: SCHEMA_VERSION,
        environment: &session.environment,
        next: ledger.as_ref().and_then(|ledger| ledger.header.due),
        rotations: entries().filter_map(row).collect(),
        reloads: ledger.iter().flat_map(|ledger| reloads(ledger, &resume)).collect(),
        untold: entries().filter(is_untold).map(|entry| untold(entry, &paste)).collect(),
        refused: entries().filter_map(|entry| Some(refused(entry, entry.refused.as_deref()?, &paste))).collect(),
        unusable,
    };
    if context.ui.json {
        context.ui.object(&status)?;
    } else if status.is_still() {
        let next = status.next.map_or_else(String::new, |next| format!("; something is due from {} on", minute(next)));
        context.ui.say(&format!("environment `{}`: no rotation is on its way{next}", session.environment));
    } else {
        context.ui.print(&as_table(&status))?;
    }
    Ok(Exit::DONE)
}

impl Status<'_> {
    fn is_still(&self) -> bool {
        let is_going = !(self.rotations.is_empty() && self.reloads.is_empty());
        !is_going && self.untold.is_empty() && self.refused.is_empty() && self.unusable.is_empty()
    }
}

fn refused<'a>(entry: &'a Entry, trouble: &'a Trouble, paste: &Paste) -> Refused<'a> {
    let fix = paste.command(&format!("vault-kit rotate {}", entry.name));
    let (failures, failed, next) = (trouble.failures, trouble.failed.as_ref(), trouble.again_there());
    Refused { secret: &entry.name, failures, failed, next, fix }
}

fn row<'a>(session: &Session<'_>, ledger: &'a Ledger, entry: &'a Entry, paste: &Paste) -> Option<Row<'a>> {
    let operation = entry.rotation.as_deref()?;
    let Header { reloads, unread, .. } = &ledger.header;
    let is_waiting = operation.step == Step::Promoted && operation.trouble.is_none();
    // Nothing is retired as long as a program owes a reload, for which a scheduled run keeps its pauses.
    let owed = if is_waiting { owed_reloads(&session.manifest, (reloads, unread), &entry.name) } else { Vec::new() };
    let command = match operation.step {
        _ if is_undeclared(&session.manifest, &session.environment, entry) => format!("abort {}", entry.name),
        _ if programs::waits_for_owner(&session.manifest, &session.environment, entry) => tell(entry),
        _ if is_waiting && owed.is_empty() => "--due".to_owned(),
        // Its owner would be told a value that leaked.
        _ if entry.tells_leaked => entry.name.to_string(),
        _ => format!("resume {}", entry.name),
    };
    let now = session.context.now;
    let words = match operation.step {
        Step::Aborting => "giving up",
        Step::Staged => "claim",
        Step::Setting => "set",
        Step::Set => "test",
        Step::Tested => "promote",
        Step::Promoted if operation.retire_at.is_some_and(|at| at > now) => "overlap",
        Step::Promoted if !owed.is_empty() => "reload",
        Step::Promoted | Step::Retiring => "retire",
    };
    let reloaded = owed.iter().filter_map(|trouble| trouble.again()).max();
    Some(Row {
        secret: &entry.name,
        step: operation.step,
        words,
        started: operation.started,
        failures: operation.trouble.failures,
        failed: operation.trouble.failed.as_ref(),
        remote: operation.remote.as_ref(),
        next: reloaded.map_or(operation.next(), |at| at.max(operation.next())),
        fix: paste.command(&format!("vault-kit rotate {command}")),
    })
}

/// What has an owner told the value in force: another one where that leaked.
pub fn tell(entry: &Entry) -> String {
    if entry.banned { entry.name.to_string() } else { format!("tell {}", entry.name) }
}

fn untold<'a>(entry: &'a Entry, paste: &Paste) -> Untold<'a> {
    let fix = paste.command(&format!("vault-kit rotate {}", tell(entry)));
    Untold { secret: &entry.name, since: entry.created, fix }
}

fn reloads<'a>(ledger: &'a Ledger, resume: &str) -> Vec<Reload<'a>> {
    let reload = |(hook, trouble): (&'a String, &'a Trouble)| Reload {
        hook,
        failures: trouble.failures,
        failed: trouble.failed.as_ref(),
        fix: resume.to_owned(),
    };
    ledger.header.reloads.iter().map(reload).collect()
}

fn as_table(status: &Status<'_>) -> String {
    let head = ["NAME", "STEP", "STARTED", "FAILED", "NEXT", "COMMAND"].map(str::to_owned);
    let failed = |failures: u32, failed: Option<&Failure>| match failed {
        Some(it) if it.hook.is_empty() => format!("{failures}× {}: {}", it.step, it.code),
        Some(it) => format!("{failures}× {} of {}: {}", it.step, it.hook, it.code),
        None => "–".to_owned(),
    };
    let rows = status.rotations.iter().map(|it| {
        let failed = failed(it.failures, it.failed);
        let there = it.remote.map(|claim| format!(" ({} in AWS)", claim.name)).unwrap_or_default();
        let step = format!("{}{there}", it.words);
        [it.secret.to_string(), step, minute(it.started), failed, minute(it.next), it.fix.clone()]
    });
    let reloads = status.reloads.iter().map(|it| {
        let failed = failed(it.failures, it.failed);
        [it.hook.to_owned(), "reload".to_owned(), "–".to_owned(), failed, "–".to_owned(), it.fix.clone()]
    });
    let untold = status.untold.iter().map(|it| {
        let none = || "–".to_owned();
        [it.secret.to_string(), "untold".to_owned(), minute(it.since), none(), none(), it.fix.clone()]
    });
    let refused = status.refused.iter().map(|it| {
        let failed = it.failed.map_or_else(|| "–".to_owned(), |failed| format!("{}× {}", it.failures, failed.code));
        let next = it.next.map_or_else(|| "–".to_owned(), minute);
        [it.secret.to_string(), "refused by AWS".to_owned(), "–".to_owned(), failed, next, it.fix.clone()]
    });
    let unusable = status.unusable.iter().map(|it| {
        let none = || "–".to_owned();
        [it.hook.clone(), "hook unusable".to_owned(), none(), it.code.to_owned(), none(), it.fix.clone()]
    });
    table(
        &std::iter::once(head)
            .chain(rows)
            .chain(reloads)
            .chain(untold)
            .chain(refused)
            .chain(unusable)
            .collect::<Vec<_>>(),
    )
}
