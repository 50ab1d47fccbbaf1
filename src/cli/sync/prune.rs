//! `sync prune` and `sync restore`: deletions, which AWS only ever schedules.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::super::context::Context;
use super::super::session::Session;
use super::exchange::{Exchange, first_failure};
use super::report::{Report, Row};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::remote::{Answer, Cause, Failure, Listed, Remote};
use crate::store::Store;
use crate::store::synced::Base;
use crate::sync::place::{self, OWNER_TAG, owner};

/// How long AWS keeps what is deleted, unless the manifest says otherwise: its own default.
const RECOVERY_DAYS: u8 = 30;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub struct RestoreArguments {
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
    let exchange = Exchange::open_any(&session, wait)?;
    let store = session.open_store(&identities)?;
    exchange.check_region(&session, Some(&store))?;
    exchange.check_account(&session)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&store)?;
    let orphans = orphans(&session, &exchange, &store);
    let names: Vec<&str> = orphans.iter().map(|(name, _)| name.as_str()).collect();
    let answers = exchange.remote.describe(&names);
    let (mut doomed, mut gone, mut left, mut problems) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((name, base), answer) in orphans.iter().zip(answers) {
        match doom(&exchange, name, base, answer, &owner(&session.manifest.project, &session.environment)) {
            Ok(Fate::Delete) => doomed.push((name.clone(), base.arn.clone())),
            Ok(Fate::Gone) => gone.push(name.clone()),
            Ok(Fate::Leave) => left.push(name.clone()),
            Err(error) => problems.push(error),
        }
    }
    let days = recovery_days(&exchange);
    if !dry_run && !doomed.is_empty() {
        let names: Vec<String> = doomed.iter().map(|(name, _)| format!("`{name}`")).collect();
        let question = format!("schedule {} for deletion in {days} days", names.join(", "));
        context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
    }
    // Nobody else waited for the answer: what another process compared meanwhile is not what the question was about.
    let _lock = session.lock_unless_dry(dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, dry_run)?;
    world.check_agreement(&opened.store)?;
    let is_as_asked = |name: &String| opened.store.synced.bases.get(name) == store.synced.bases.get(name);
    gone.retain(is_as_asked);
    left.retain(is_as_asked);
    let (as_asked, moved): (Vec<_>, Vec<_>) = doomed.into_iter().partition(|(name, _)| is_as_asked(name));
    doomed = as_asked;
    problems.extend(moved.iter().map(|(name, _)| changed(name)));
    if !dry_run && !doomed.is_empty() {
        world.preflight()?;
        let arns: Vec<&str> = doomed.iter().map(|(_, arn)| arn.as_str()).collect();
        let answers = exchange.remote.delete(&arns, days);
        let (deleted, failed): (Vec<_>, Vec<_>) =
            doomed.into_iter().zip(answers).partition(|(_, answer)| answer.is_ok());
        problems
            .extend(failed.iter().filter_map(|((name, _), it)| Some(failed_at(&exchange, name, it.as_ref().err()?))));
        doomed = deleted.into_iter().map(|(name, _)| name).collect();
    }
    let forgotten: Vec<String> =
        doomed.iter().map(|(name, _)| name.clone()).chain(gone).chain(left.iter().cloned()).collect();
    if !dry_run && !forgotten.is_empty() {
        opened.store.synced.bases.retain(|name, _| !forgotten.contains(name));
        world.reseal(&mut opened, "sync prune")?;
    }
    let state = if dry_run { "would-delete" } else { "deleted" };
    let mut rows: Vec<_> = doomed.iter().map(|(name, _)| Row::plain(name, Vec::new(), state)).collect();
    rows.extend(left.iter().map(|name| Row::plain(name, Vec::new(), "left-to-others")));
    let unchanged = exchange.places.len();
    Report { session: &session, dry_run, rows, unchanged, problems }.tell(context)
}

/// What is known to be in AWS, also below a prefix that was ours before, and is named by no declaration any more.
fn orphans(session: &Session<'_>, exchange: &Exchange<'_>, store: &Store) -> Vec<(String, Base)> {
    let declared = place::places(&session.manifest, &session.environment, exchange.declared);
    let declared: BTreeSet<&str> = declared.iter().map(|place| place.name.as_str()).collect();
    let bases = store.synced.bases.iter().filter(|(name, _)| !declared.contains(name.as_str()));
    bases.map(|(name, base)| (name.clone(), base.clone())).collect()
}

/// What becomes of a secret that no declaration names any more.
enum Fate {
    /// It is ours, and as we left it.
    Delete,
    /// It is there no more.
    Gone,
    /// It was only pulled, or is somebody else's by now: it stays, and is no concern of ours.
    Leave,
}

fn doom(exchange: &Exchange<'_>, name: &str, base: &Base, answer: Answer<Listed>, ours: &str) -> Result<Fate> {
    let listed = match answer {
        Err(failure) if failure.cause == Cause::Missing => return Ok(Fate::Gone),
        answer => answer.map_err(|failure| failed_at(exchange, name, &failure))?,
    };
    if listed.deleted.is_some() || listed.arn != base.arn {
        return Ok(Fate::Gone);
    }
    if listed.tags.get(OWNER_TAG).map(String::as_str) != Some(ours) {
        return Ok(Fate::Leave);
    }
    if listed.current() != Some(base.version.as_str()) {
        return Err(changed(name));
    }
    Ok(Fate::Delete)
}

/// The error of a request about an orphan. The policies that we print reach no further than the present prefix.
fn failed_at(exchange: &Exchange<'_>, name: &str, failure: &Failure) -> Error {
    let subject = format!("`{name}`");
    if failure.cause != Cause::Denied || name.starts_with(&exchange.prefix) {
        return failure.about(&subject);
    }
    failure.about(&subject).map_hints(&|_| {
        format!(
            "it is below an earlier prefix, and the policies of `vault-kit iam policy` reach what is below `{}` alone: let a role \
             do `DescribeSecret` and `DeleteSecret` there too, or have somebody who may: \
             `aws secretsmanager delete-secret --secret-id {name}`",
            exchange.prefix
        )
    })
}

fn changed(name: &str) -> Error {
    let message = format!("`{name}` is not deleted: somebody changed it since it was compared last");
    Error::new(Kind::Conflict, "remote-conflict", message).hint(format!(
        "look at it in AWS; to delete it all the same: `aws secretsmanager delete-secret --secret-id {name}`"
    ))
}

fn recovery_days(exchange: &Exchange<'_>) -> u8 {
    let days = exchange.declared.recovery_window.map(|window| window.delta().num_days());
    days.and_then(|days| u8::try_from(days).ok()).unwrap_or(RECOVERY_DAYS)
}

/// The full name of a secret of ours; what no declaration names any more has to be named in full.
fn full_name<'n>(session: &Session<'_>, exchange: &'n Exchange<'_>, name: &'n str) -> Result<&'n str> {
    // No name of ours has the slash that every prefix ends with.
    if name.contains('/') {
        return Ok(name);
    }
    let secret = session.secret(name)?;
    let place = exchange.places.iter().find(|place| place.holds(&secret));
    place.map(|place| place.name.as_str()).ok_or_else(|| {
        Error::usage(format!("`{name}` is not declared to be in AWS"))
            .hint(format!("name it in full, as in `vault-kit sync restore {}…`", exchange.prefix))
    })
}

/// Whether a secret is below our prefix, or marked as ours below one that was.
fn is_ours(it: &Listed, session: &Session<'_>, exchange: &Exchange<'_>) -> bool {
    let ours = owner(&session.manifest.project, &session.environment);
    it.name.starts_with(&exchange.prefix) || it.tags.get(OWNER_TAG) == Some(&ours)
}

fn not_ours(name: &str) -> Error {
    Error::usage(format!("`{name}` is not below the prefix of this environment, nor was it made for it")).hint(format!(
        "look at it in AWS; to restore it all the same: `aws secretsmanager restore-secret --secret-id {name}`"
    ))
}

/// Takes scheduled deletions back.
pub fn restore(context: &Context, arguments: &RestoreArguments, wait: Option<Duration>) -> Result<Exit> {
    let session = Session::open(context)?;
    let dry_run = arguments.dry_run;
    let exchange = Exchange::open_any(&session, wait)?;
    exchange.check_account(&session)?;
    let names = arguments.names.iter().map(|name| full_name(&session, &exchange, name)).collect::<Result<Vec<_>>>()?;
    let listed = first_failure(&names, exchange.remote.describe(&names))?;
    if let Some(other) = listed.iter().find(|it| !is_ours(it, &session, &exchange)) {
        return Err(not_ours(&other.name));
    }
    let scheduled: Vec<&Listed> = listed.iter().filter(|it| it.deleted.is_some()).collect();
    if !dry_run {
        let (names, arns): (Vec<&str>, Vec<&str>) =
            scheduled.iter().map(|it| (it.name.as_str(), it.arn.as_str())).unzip();
        first_failure(&names, exchange.remote.restore(&arns))?;
    }
    let state = if dry_run { "would-restore" } else { "restored" };
    let rows: Vec<_> = scheduled.iter().map(|it| Row::plain(&it.name, Vec::new(), state)).collect();
    let unchanged = names.len() - rows.len();
    Report { session: &session, dry_run, rows, unchanged, problems: Vec::new() }.tell(context)
}
