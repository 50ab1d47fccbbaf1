//! How the verbs of `rotate` tell what a run did.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::mounted;
use crate::cli::paste::Paste;
use crate::cli::session::Session;
use crate::cli::summary::{Summary, row};
use crate::cli::sync::report::in_region;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::SecretName;
use crate::rotate::{Event, Problem, Refusal, Report, THERE, What};
use crate::store::rotations::Failure;
use crate::ui::Ui;

/// The step of a failure that is no step's: the run was refused as a whole.
const WHOLE: &str = "run";

/// What a run did, as an object.
#[derive(Serialize)]
pub struct Answer<'a> {
    #[serde(flatten)]
    summary: &'a Summary<'a>,
    events: &'a [Event],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    reloaded: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    not_reloaded: &'a [String],
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    unsent: &'a BTreeSet<SecretName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told>,
}

/// As every error is told.
#[derive(Serialize)]
pub struct Told {
    code: &'static str,
    message: String,
    fix: Vec<String>,
}

impl From<&Error> for Told {
    fn from(error: &Error) -> Self {
        Self { code: error.code(), message: error.to_string(), fix: error.hints().to_vec() }
    }
}

/// Whether a run did nothing at all.
pub fn is_nothing(report: &Report) -> bool {
    use crate::deliver::Outcome::Unchanged;
    let is_still = report.delivered.files.iter().all(|file| file.outcome == Unchanged);
    let is_done = report.plan.steps.is_empty() && report.events.is_empty() && report.delivered.lists.is_empty();
    let is_quiet = report.problems.is_empty() && report.refused.is_empty();
    is_done && is_still && is_quiet && report.reloaded.is_empty() && report.not_reloaded.is_empty()
}

/// Tells what was done, and exits with 8 when a step failed, or as a refusal says.
pub fn tell(
    context: &Context,
    session: &Session<'_>,
    report: Report,
    consequences: &[String],
    is_scheduled: bool,
) -> Result<Exit> {
    if is_scheduled && is_nothing(&report) {
        return Ok(Exit::DONE);
    }
    tell_with(context, session, report, (consequences, is_scheduled), |answer| context.ui.object(answer))
}

/// As [`tell`], for who has an object of its own around it.
pub fn tell_with(
    context: &Context,
    session: &Session<'_>,
    mut report: Report,
    (consequences, is_scheduled): (&[String], bool),
    object: impl FnOnce(&Answer<'_>) -> Result<()>,
) -> Result<Exit> {
    let is_nothing = is_nothing(&report);
    let ui = context.ui;
    let delivered = mounted::noted(session, std::mem::take(&mut report.delivered));
    let summary = Summary::new(&session.environment, &session.manifest, &report.plan, &delivered, false);
    let summary = summary.breaking(consequences).completed(context);
    let paste = Paste::new(context);
    let errors = errors(&paste, &report.problems);
    let region = session.manifest.aws(&session.environment).and_then(|aws| aws.region.as_deref());
    let told = |it: Error| paste.error(it).map_hints(&|hint| in_region(hint, region));
    let refusal = |it: Refusal| Refusal { error: told(later(it.error, it.again)), ..it };
    let refused: Vec<Refusal> = report.refused.drain(..).map(refusal).collect();
    if ui.json {
        let errors = refused.iter().map(|it| &it.error).chain(&errors).map(Told::from).collect();
        let Report { events, reloaded, not_reloaded, unsent, .. } = &report;
        object(&Answer { summary: &summary, events, reloaded, not_reloaded, unsent, errors })?;
    } else {
        // What is retired at the end of a run is so once the files are written and read.
        let is_last = |it: &&Event| matches!(it.what, What::Retired | What::NotRetired);
        let last = report.events.iter().rev().take_while(is_last).count();
        let (before, after) = report.events.split_at(report.events.len() - last);
        tell_events(ui, &report, before);
        summary.tell_words(ui);
        for hook in &report.reloaded {
            ui.say(row("reloaded", hook, format_args!("")).trim_end());
        }
        for hook in &report.not_reloaded {
            ui.say(&row("ended", hook, format_args!("its `reload`, since it is not declared any more")));
        }
        tell_events(ui, &report, after);
        if is_nothing {
            ui.say(&format!("environment `{}`: nothing to do", session.environment));
        }
    }
    for it in &refused {
        tell_words(ui, &it.hook, &it.said);
        ui.problem(&it.error);
        if !it.paused.is_empty() || context.global.non_interactive && it.hook.is_empty() {
            notify(session, &there(it, context.now), &it.error, &paste.command("vault-kit rotate --due"));
        }
    }
    for (problem, error) in report.problems.iter().zip(&errors) {
        tell_words(ui, &problem.failure.hook, &problem.said);
        ui.problem(error);
        // Whoever rotates by hand is told here. Nobody reads what a job runs.
        if is_scheduled || context.global.non_interactive {
            let words = match problem.secret.as_ref().filter(|_| problem.is_aborting) {
                Some(name) if problem.is_leaked => name.to_string(),
                Some(name) => format!("resume {name}"),
                None => "resume".to_owned(),
            };
            notify(session, problem, error, &paste.command(&format!("vault-kit rotate {words}")));
        }
    }
    report.events.iter().filter_map(|event| warning(session, event)).for_each(|words| ui.warn(&paste.words(&words)));
    for name in &report.unsent {
        let push = paste.command(&format!("vault-kit sync push {name}"));
        ui.warn(&format!("`{name}` is not in AWS as it is here now: `{push}`"));
    }
    let kind = Kind::most_severe(refused.iter().map(|it| &it.error).chain(&errors).map(Error::kind));
    Ok(kind.map_or_else(|| delivered.exit(), Exit::from))
}

/// Has a person told, with the command that goes on.
fn notify(session: &Session<'_>, problem: &Problem, error: &Error, again: &str) {
    super::programs(session).notify(problem, error, again).iter().for_each(|line| session.context.ui.warn(line));
}

/// Has a person told of a run that was refused as a whole, or ended before its report.
pub fn notify_of_all(session: &Session<'_>, error: &Error) {
    // These pass by themselves, or by the person who made them. No hook can be started beside one that still runs.
    if ["busy", "hook-outlived", "interrupted"].contains(&error.code()) {
        return;
    }
    let failure =
        Failure { step: WHOLE.to_owned(), hook: String::new(), code: error.code().to_owned(), at: session.context.now };
    let problem = Problem::new(None, failure);
    notify(session, &problem, error, &Paste::new(session.context).command("vault-kit rotate --due"));
}

/// What AWS refused, as who is notified is told of it.
fn there(refusal: &Refusal, now: DateTime<Utc>) -> Problem {
    let (step, hook, code) = (THERE.to_owned(), String::new(), refusal.error.code().to_owned());
    let failure = Failure { step, hook, code, at: now };
    let mut secrets = refusal.paused.iter();
    let secret = secrets.next().filter(|_| secrets.next().is_none()).cloned();
    Problem { again: refusal.again, ..Problem::new(secret, failure) }
}

fn later(error: Error, again: Option<DateTime<Utc>>) -> Error {
    again.into_iter().fold(error, |error, at| error.hint(format!("a scheduled run tries again from {} on", minute(at))))
}

fn tell_words(ui: Ui, hook: &str, said: &str) {
    said.lines().for_each(|line| ui.say(&format!("{hook}: {line}")));
}

/// What a person should know besides.
fn warning(session: &Session<'_>, Event { secret, what }: &Event) -> Option<String> {
    match what {
        What::Untold { .. } if !session.manifest.has_secret(secret, &session.environment) => Some(format!(
            "the owner of `{secret}`, which is not declared any more, may accept what was given up, the value before it, or both: have it \
             refuse them by hand, then forget the secret with `vault-kit remove {secret}`; or declare it and its hooks again"
        )),
        What::DeclaredOtherwise => Some(format!(
            "`{secret}` is declared otherwise since its rotation began, which goes on with the value of then; for another one, \
             `vault-kit rotate abort {secret}` if it is not in force yet, and then `vault-kit rotate {secret}`"
        )),
        What::Untold { leaked: true } => Some(format!(
            "the owner of `{secret}` may accept what was given up, the value in force, which leaked, or both: have a new one made and \
             told, and both refused, by `vault-kit incident {secret}`"
        )),
        What::Untold { leaked: false } => Some(format!(
            "the owner of `{secret}` may accept what was given up, the value in force, or both: once its hook works, \
             `vault-kit rotate tell {secret}`; without it, have the owner accept by hand what `vault-kit get {secret}` prints, and \
             nothing else"
        )),
        _ => None,
    }
}

fn errors(paste: &Paste, problems: &[Problem]) -> Vec<Error> {
    problems.iter().map(|it| paste.error(later(it.error(), it.again))).collect()
}

/// What has no line among the values that were made.
fn tell_events(ui: Ui, report: &Report, events: &[Event]) {
    for Event { secret, what } in events {
        let line = match what {
            What::DeclaredOtherwise | What::Untold { .. } => continue,
            What::Promoted { .. } if report.plan.steps.iter().any(|step| step.secret == *secret) => continue,
            What::Promoted { version } => row("promoted", secret, format_args!("{version}")),
            What::Staged => row("staged", secret, format_args!("")),
            What::Set => row("set", secret, format_args!("its owner accepts the new value")),
            What::Claimed { remote, version } => {
                row("claimed", secret, format_args!("version {version} of {remote}, on all hosts"))
            }
            What::Taken { version } => row("taken", secret, format_args!("{version}, which another host put in force")),
            What::Learned { version } => {
                row("published", secret, format_args!("{version}, which another host made, and which signs next"))
            }
            What::Withdrawn => row("withdrawn", secret, format_args!("the next one; the current one signs as before")),
            What::Tested => row("tested", secret, format_args!("the new value works")),
            What::Retires { from } => {
                row("keeps", secret, format_args!("the old value is accepted until {}", minute(*from)))
            }
            What::Retired => row("retired", secret, format_args!("the old value is accepted no more")),
            What::NotRetired => {
                row("ended", secret, format_args!("no hook retires the old value any more: it may still be accepted"))
            }
            What::LeftBundles => row(
                "ended",
                secret,
                format_args!(
                    "its overlap: who reads the bundles again trusts nothing any more that the old root signed"
                ),
            ),
            What::Told => row("told", secret, format_args!("its owner accepts the current value")),
            What::Aborted if is_begun_anew(report, secret) => {
                row("aborted", secret, format_args!("what was to come into force; another value does"))
            }
            What::Aborted => row("aborted", secret, format_args!("the value before it is in force")),
        };
        ui.say(line.trim_end());
    }
}

/// Whether what was given up was begun anew in the same run, since what is in force leaked.
fn is_begun_anew(report: &Report, secret: &SecretName) -> bool {
    let is_new = |what: &What| matches!(what, What::Staged | What::Promoted { .. });
    report.events.iter().any(|it| it.secret == *secret && is_new(&it.what))
}

/// A time as people read it.
pub fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
