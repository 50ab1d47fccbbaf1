//! `cert renew`: made for cron, so it tells what it did and what is still good, and ends with 0 in both cases.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::certificate;
use crate::cli::consequences;
use crate::cli::context::Context;
use crate::cli::get;
use crate::cli::mounted;
use crate::cli::session::Session;
use crate::cli::summary::tell_lists;
use crate::deliver::{Delivered, FileReport, Outcome};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest::Kind;
use crate::name::{EnvName, SecretName};
use crate::plan::due::{self, Due};
use crate::plan::{self, Plan, Publishing, Scope, Step, Why};
use crate::revocation::issuer;
use crate::store::derive::is_revoked;
use crate::store::{Stage, Store, Version};
use crate::ui::SCHEMA_VERSION;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The certificates and CAs; all but roots when none is named
    names: Vec<String>,
    /// Renew the named ones although they are still good
    #[arg(long, requires = "names")]
    force: bool,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    /// Whether anything was (or would be) renewed.
    changed: bool,
    certificates: Vec<Row>,
    #[serde(skip_serializing_if = "<[SecretName]>::is_empty")]
    revocation_lists: &'a [SecretName],
    files: &'a [FileReport],
}

#[derive(Debug, Serialize)]
struct Row {
    name: SecretName,
    status: Status,
    expires: DateTime<Utc>,
    renew_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// A new one is there.
    Renewed,
    /// The next root is there, and signs later.
    Published,
    /// It would be renewed, were this not a dry run; or it is a root, which is only renewed by name.
    Due,
    /// Its time has not come.
    Good,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let named = arguments.names.iter().map(|name| certificate(&session, name)).collect::<Result<BTreeSet<_>>>()?;
    let _lock = session.lock_unless_dry(arguments.dry_run)?;
    let identities = context.identities()?;
    let mut opened = session.open_store_unless_dry(&identities, arguments.dry_run)?;
    let files = session.files();
    let world = session.world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    let asked = asked(&session, &opened.store, &named)?;
    let is_due = |name: &SecretName| is_due(&session, &opened.store, name, !named.is_empty());
    let due = |name: &&SecretName| arguments.force || is_due(name);
    let due: BTreeSet<SecretName> = asked.iter().filter(due).cloned().collect();
    let (roots, due) = split_roots(&session, due, !arguments.names.is_empty());
    let plan = if due.is_empty() {
        Plan::default()
    } else {
        plan::plan(&session.manifest, &session.environment, &world.observe(&opened.store), &Scope::Replace(due.clone()))
    };
    consequences::say(context, &consequences::of_plan(&session, &opened.store, &plan));
    for question in root_questions(&session, &opened.store, (&due, &plan)) {
        if arguments.dry_run {
            context.say_question(&question);
        } else {
            context.ui.confirm(&question, context.global.yes, !context.global.non_interactive)?;
        }
    }
    let (changed, lists) = world.make_revoking(&mut opened.store, &plan)?;
    let delivered = if arguments.dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        mounted::noted(&session, world.settle(&mut opened, "cert-renew", &changed)?)
    };
    let delivered = delivered.with_lists(lists);
    let is_published = |name: &SecretName| plan.publishing.iter().any(|it| it.secret == *name);
    let mut rows = rows(&session, &opened.store, &asked, &changed, &roots, arguments.dry_run);
    for row in rows.iter_mut().filter(|row| !arguments.dry_run && is_published(&row.name)) {
        row.status = Status::Published;
    }
    let answer = Answer {
        schema_version: SCHEMA_VERSION,
        dry_run: arguments.dry_run,
        environment: &session.environment,
        changed: !changed.is_empty(),
        certificates: rows,
        revocation_lists: &delivered.lists,
        files: &delivered.files,
    };
    tell(context, &answer, &delivered, &roots)?;
    tell_published(context, &plan);
    Ok(delivered.exit())
}

/// What was asked about, and what came along.
fn rows(
    session: &Session<'_>,
    store: &Store,
    asked: &BTreeSet<SecretName>,
    changed: &[SecretName],
    roots: &BTreeSet<SecretName>,
    dry_run: bool,
) -> Vec<Row> {
    let done = if dry_run { Status::Due } else { Status::Renewed };
    let status = |name: &SecretName| match (changed.contains(name), roots.contains(name)) {
        (true, _) => done,
        (false, true) => Status::Due,
        (false, false) => Status::Good,
    };
    let all: BTreeSet<&SecretName> = asked.iter().chain(changed).collect();
    let row = |name: &SecretName| {
        let (expires, renew_at) = times(session, store, name)?;
        Some(Row { name: name.clone(), status: status(name), expires, renew_at })
    };
    all.into_iter().filter_map(row).collect()
}

/// The named ones, which must be there; else all that are.
fn asked(session: &Session<'_>, store: &Store, named: &BTreeSet<SecretName>) -> Result<BTreeSet<SecretName>> {
    if named.is_empty() {
        let all = session.manifest.secrets_in(&session.environment);
        let certificates = all.filter(|it| matches!(it.kind, Kind::Ca(_) | Kind::Certificate(_)));
        return Ok(certificates.filter(|it| store.value(it).is_some()).map(|it| it.name.clone()).collect());
    }
    let absent = named.iter().filter(|name| store.value(&session.manifest.secrets[*name]).is_none());
    Error::all(absent.map(|name| get::missing(session, name.as_str()))).map_or_else(|| Ok(named.clone()), Err)
}

/// When a certificate ends and from when on it is due. One whose dates are not known is due at once.
fn times(session: &Session<'_>, store: &Store, name: &SecretName) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let version = store.current(name)?;
    let due = term(session, version, name).map(|due| due.from);
    Some((version.expires.unwrap_or(version.created), due.unwrap_or(version.created)))
}

fn term<'a>(session: &'a Session<'_>, version: &Version, name: &SecretName) -> Option<Due<'a>> {
    let environment = session.manifest.environments.get(&session.environment);
    due::term(version.into(), &session.manifest.secrets[name], environment)
}

fn tell_published(context: &Context, plan: &Plan) {
    if !context.ui.json {
        for Publishing { secret, from } in &plan.publishing {
            let from = from.format("%Y-%m-%d %H:%M");
            context
                .say(&format!("the next `{secret}` signs with the first `vault-kit rotate --due` from {from} UTC on"));
        }
    }
}

/// Whether it is time for a certificate, or it is revoked. Who names it does not wait for a window, and nobody waits once `check` complains.
fn is_due(session: &Session<'_>, store: &Store, name: &SecretName, named: bool) -> bool {
    let now = session.context.now;
    let is_due = |due: Due<'_>| if named { due.from <= now } else { due.is_now(now) || due.overdue <= now };
    if store.versions(name).any(|it| it.stage == Stage::Next) {
        return false;
    }
    let is_over = |version: &Version| is_revoked(store, version) || term(session, version, name).is_none_or(is_due);
    store.current(name).is_some_and(is_over)
}

/// Roots that are due, and what else is. A new root is not for cron to make: everybody has to be told to trust it.
fn split_roots(
    session: &Session<'_>,
    due: BTreeSet<SecretName>,
    named: bool,
) -> (BTreeSet<SecretName>, BTreeSet<SecretName>) {
    due.into_iter().partition(|name| !named && is_root(session, name))
}

fn is_root(session: &Session<'_>, name: &SecretName) -> bool {
    matches!(session.manifest.secrets[name].kind, Kind::Ca(_)) && issuer(&session.manifest, name).is_none()
}

/// What is asked before roots are replaced: of one whose next one is on its way already nothing.
pub fn root_questions(
    session: &Session<'_>,
    store: &Store,
    (names, plan): (&BTreeSet<SecretName>, &Plan),
) -> Vec<String> {
    let is_next = |step: &Step| matches!(step.why, Why::NotPublished | Why::Published);
    let is_new = |name: &SecretName| plan.steps.iter().any(|step| step.secret == *name && !is_next(step));
    let roots = names.iter().filter(|name| is_root(session, name) && is_new(name));
    roots.map(|name| root_question(session, store, name)).collect()
}

fn root_question(session: &Session<'_>, store: &Store, name: &SecretName) -> String {
    let declaration = &session.manifest.secrets[name];
    let environment = session.manifest.environments.get(&session.environment);
    match declaration.overlap_in(environment).filter(|_| !store.is_current_leaked(name)) {
        Some(overlap) => format!(
            "publish a new root `{name}` beside the current one; once every bundle has had it for its overlap, {overlap}, \
             everything beneath it is made anew"
        ),
        None => format!(
            "make a new root `{name}` and everything beneath it; whoever trusts only the old one refuses all of it until \
             it has the new certificate"
        ),
    }
}

fn tell(context: &Context, answer: &Answer<'_>, delivered: &Delivered, roots: &BTreeSet<SecretName>) -> Result<()> {
    let ui = context.ui;
    for warning in &delivered.warnings {
        context.warn(warning);
    }
    for name in roots {
        context.warn(&format!("the root `{name}` is due: plan for it, then run `vault-kit cert renew {name}`"));
    }
    if ui.json {
        return ui.object(answer);
    }
    for row in &answer.certificates {
        let day = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M").to_string();
        ui.say(&match row.status {
            Status::Renewed => format!("renewed `{}`, which now ends {} UTC", row.name, day(row.expires)),
            Status::Published => format!("published the next `{}`", row.name),
            Status::Due => format!("`{}` is due for renewal", row.name),
            Status::Good => format!("`{}` is good until {} UTC, when it is due", row.name, day(row.renew_at)),
        });
    }
    tell_lists(ui, answer.revocation_lists, answer.dry_run);
    for file in answer.files.iter().filter(|file| file.outcome != Outcome::Unchanged) {
        let verb = if answer.dry_run { "would write" } else { "wrote" };
        ui.say(&format!("{verb} `{}`", file.path));
    }
    Ok(())
}
