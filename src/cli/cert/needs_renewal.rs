//! `cert needs-renewal`: made for cron. Exit 0: nothing to do; 1: renew, or there is no certificate yet.

use std::path::Path;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::{Context, Error, Exit, Kind, Result, read};
use crate::cli::check;
use crate::cli::session::{self, Session};
use crate::manifest::Kind as SecretKind;
use crate::plan::due::{self, Dates};
use crate::secret::digest::sha256_hex;
use crate::store::ledger::{BesideState, Ledger};
use crate::ui::SCHEMA_VERSION;
use crate::x509::renewal::{At, days_left};

#[derive(Debug, Args)]
pub struct Arguments {
    /// PEM files, or names of declared certificates (a file of such a name: ./NAME); none: all that are declared but roots
    #[arg(value_name = "FILE|NAME")]
    subjects: Vec<String>,
    /// After which part of its life a certificate is renewed, or how long before its end: 66%, 30d [default: as `cert renew` and `check`, after two thirds and up to a twentieth more by the serial]
    #[arg(long, value_name = "WHEN", value_parser = parse_at)]
    at: Option<At>,
    /// Exit as `step certificate needs-renewal` does: 0 renew, 1 fine, 2 no such file, 255 cannot tell
    #[arg(long)]
    step_compat: bool,
}

#[derive(Debug, Serialize)]
struct Answer {
    schema_version: u32,
    needs_renewal: bool,
    certificates: Vec<Verdict>,
}

#[derive(Debug, Serialize)]
struct Verdict {
    name: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_from: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_left: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Fine,
    NeedsRenewal,
    Expired,
    Missing,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let verdicts = verdicts(context, arguments);
    if !arguments.step_compat {
        let verdicts = verdicts?;
        let needs = verdicts.iter().any(|it| it.state != State::Fine);
        tell(context, verdicts, needs)?;
        return Ok(if needs { Exit::from(Kind::Findings) } else { Exit::DONE });
    }
    let verdicts = match verdicts {
        Ok(verdicts) => verdicts,
        Err(error) => {
            context.ui.error(&error);
            return Ok(Exit::STEP_FAILED);
        }
    };
    let has = |wanted: &[State]| verdicts.iter().any(|it| wanted.contains(&it.state));
    let (missing, needs) = (has(&[State::Missing]), has(&[State::NeedsRenewal, State::Expired]));
    tell(context, verdicts, needs || missing)?;
    Ok(match (missing, needs) {
        (true, _) => Exit::STEP_MISSING,
        (false, true) => Exit::DONE,
        (false, false) => Exit::from(Kind::Findings),
    })
}

fn verdicts(context: &Context, arguments: &Arguments) -> Result<Vec<Verdict>> {
    let project = session::find(context)?;
    let session = project.map(|project| Session::of(context, project)).transpose()?;
    let at = arguments.at;
    let declared = session.as_ref().map(|session| declared(session)).unwrap_or_default();
    let subjects: Vec<&str> = match (&session, arguments.subjects.as_slice()) {
        (None, []) => return Err(Error::usage("name a file: there is no vault-kit.toml here")),
        (Some(_), []) => declared.iter().filter(|(_, is_root)| !*is_root).map(|(name, _)| name.as_str()).collect(),
        (_, subjects) => subjects.iter().map(String::as_str).collect(),
    };
    let is_declared = |subject: &str| declared.iter().any(|(name, _)| name == subject);
    let ledger = match &session {
        Some(session) if subjects.iter().any(|it| is_declared(it)) => ledger(session)?,
        _ => None,
    };
    let verdict = |subject: &&str| match session.as_ref().filter(|_| is_declared(subject)) {
        Some(session) => Ok(of_secret(session, subject, ledger.as_ref(), at)),
        None => of_file(context, Path::new(subject), at),
    };
    subjects.iter().map(verdict).collect()
}

/// The certificates of the environment, and whether each is a root.
fn declared(session: &Session<'_>) -> Vec<(String, bool)> {
    let declarations = session.manifest.secrets_in(&session.environment);
    let kinds = declarations.filter_map(|it| match &it.kind {
        SecretKind::Ca(ca) => Some((it.name.to_string(), ca.issuer.is_none())),
        SecretKind::Certificate(_) | SecretKind::ImportedCertificate(_) => Some((it.name.to_string(), false)),
        _ => None,
    });
    kinds.collect()
}

/// The ledger; one that is older than its store tells nothing.
fn ledger(session: &Session<'_>) -> Result<Option<Ledger>> {
    let ledger = check::host(session)?.ledger;
    let digest = session.files().present()?.as_deref().map(sha256_hex);
    if digest == ledger.as_ref().map(|ledger| ledger.header.store_digest.clone()) {
        return Ok(ledger);
    }
    let message = format!("`{}` belongs to another state of the store", session.files().ledger_path());
    Err(Error::new(Kind::Store, "ledger-stale", message)
        .hint(format!("make it anew with `{}`", session.command("render"))))
}

fn of_secret(session: &Session<'_>, name: &str, ledger: Option<&Ledger>, at: Option<At>) -> Verdict {
    let entry = ledger.and_then(|ledger| ledger.secrets.values().find(|entry| entry.name.as_str() == name));
    let dates = entry.and_then(|entry| {
        let (dates, expires) = (Dates::from(entry), entry.expires?);
        if entry.is_revoked() {
            return Some((session.context.now, expires));
        }
        let environment = session.manifest.environments.get(&session.environment);
        let usual = || due::term(dates, session.manifest.secret(&entry.name)?, environment).map(|due| due.from);
        let due = at.map_or_else(usual, |at| Some(at.of(dates.begun(), expires)));
        // Its successor is on its way.
        let due = due.filter(|_| !entry.beside.iter().any(|it| it.state == BesideState::Next));
        Some((due.unwrap_or(expires), expires))
    });
    verdict(name, dates, session.context.now)
}

/// The first certificate decides: its issuers live longer, and come anew with it.
fn of_file(context: &Context, path: &Path, at: Option<At>) -> Result<Verdict> {
    let name = path.display().to_string();
    // One that cannot be looked at may be there.
    if path.as_os_str() != "-" && context.resolve(path).try_exists().is_ok_and(|is_there| !is_there) {
        return Ok(verdict(&name, None, context.now));
    }
    let certificates = read(context, path)?;
    // `read` gives at least one.
    let leaf = &certificates[0];
    let due = at.map_or_else(|| leaf.due(), |at| at.of(leaf.not_before, leaf.not_after));
    Ok(verdict(&name, Some((due, leaf.not_after)), context.now))
}

/// What is said of a certificate by when it is due and when it ends.
fn verdict(name: &str, dates: Option<(DateTime<Utc>, DateTime<Utc>)>, now: DateTime<Utc>) -> Verdict {
    let name = name.to_owned();
    let Some((renew_from, not_after)) = dates else {
        return Verdict { name, state: State::Missing, not_after: None, renew_from: None, days_left: None };
    };
    let state = match now {
        now if now > not_after => State::Expired,
        now if now >= renew_from => State::NeedsRenewal,
        _ => State::Fine,
    };
    let days_left = Some(days_left(now, not_after));
    Verdict { name, state, not_after: Some(not_after), renew_from: Some(renew_from), days_left }
}

fn tell(context: &Context, certificates: Vec<Verdict>, needs_renewal: bool) -> Result<()> {
    if context.ui.json {
        return context.ui.object(&Answer { schema_version: SCHEMA_VERSION, needs_renewal, certificates });
    }
    for it in &certificates {
        let day =
            |time: Option<DateTime<Utc>>| time.map(|time| time.format("%Y-%m-%d").to_string()).unwrap_or_default();
        let (end, from) = (day(it.not_after), day(it.renew_from));
        context.ui.say(&match it.state {
            State::Fine => format!("{}: fine until {from}, expires {end}", it.name),
            State::NeedsRenewal => format!("{}: renew it, since {from}; it expires {end}", it.name),
            State::Expired => format!("{}: expired {end}", it.name),
            State::Missing => format!("{}: there is no certificate", it.name),
        });
    }
    Ok(())
}

fn parse_at(text: &str) -> Result<At, &'static str> {
    At::parse(text).ok_or("write a part of the life such as 66%, or a time before the end such as 30d")
}
