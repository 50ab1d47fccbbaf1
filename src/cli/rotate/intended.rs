//! How `rotate resume -n` and `rotate abort -n` tell what they would do.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::answer::Told;
use super::foretold::changing;
use crate::cli::context::Context;
use crate::cli::paste::Paste;
use crate::cli::session::Session;
use crate::cli::summary::{row, tell_files, tell_outputs_waiting};
use crate::deliver::{Delivered, FileReport, Outcome};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::name::{EnvName, OutputName, SecretName};
use crate::plan::Plan;
use crate::rotate::intent::{Deed, Intent};
use crate::rotate::programs::Programs;
use crate::store::rotations::Trouble;
use crate::ui::SCHEMA_VERSION;

/// What a verb would do, should every program do what it is asked for.
pub struct Rehearsed {
    pub intents: Vec<Intent>,
    /// Why some of it would not be done.
    pub stopped: Vec<Error>,
    /// What would be made anew before files are delivered; `None` = none is.
    pub plan: Option<Plan>,
    /// What would be written besides: lists of fingerprints, which no program reads.
    pub lists: Vec<FileReport>,
    /// Whether it goes on with what was begun, and does not ask first whether its programs could be started.
    pub is_begun: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    dry_run: bool,
    rotations: &'a [Intent],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<&'a FileReport>,
    reloads: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    outputs_waiting: &'a BTreeMap<OutputName, BTreeSet<SecretName>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Told>,
}

/// Tells what would be done, which hooks would be asked to reload, and which of them all could not be started. That is found when it is
/// their turn, where the run `is_begun`: then it is a step that fails.
pub fn tell(
    session: &Session<'_>,
    programs: &dyn Programs,
    Rehearsed { intents, stopped, lists, is_begun, .. }: Rehearsed,
    reloads: &BTreeMap<String, Trouble>,
    delivered: &Delivered,
) -> Result<Exit> {
    let Delivered { files, warnings, waiting, .. } = delivered;
    let ui = session.context.ui;
    let paste = Paste::new(session.context);
    for warning in warnings {
        ui.warn(warning);
    }
    let asked = intents.iter().flat_map(|intent| &intent.deeds).filter_map(Deed::hook);
    let outputs = changing(session, files).into_iter().map(|(output, _)| output).collect();
    let (mut reloads, ended): (BTreeSet<String>, BTreeSet<String>) =
        reloads.keys().cloned().partition(|hook| programs.is_declared(hook));
    reloads.extend(programs.reloads(&outputs));
    let mut errors: Vec<Error> = stopped.into_iter().map(|error| paste.error(error)).collect();
    let unusable = not_startable(session.context, programs, asked.chain(reloads.iter().map(String::as_str)));
    errors.extend(unusable.into_iter().map(|error| if is_begun { error.incomplete() } else { error }));
    let exit = Kind::most_severe(errors.iter().map(Error::kind)).map_or_else(|| delivered.exit(), Exit::from);
    if ui.json {
        ui.object(&Answer {
            schema_version: SCHEMA_VERSION,
            environment: &session.environment,
            dry_run: true,
            rotations: &intents,
            files: files.iter().chain(&lists).filter(|it| it.outcome != Outcome::Unchanged).collect(),
            reloads,
            outputs_waiting: waiting,
            errors: errors.iter().map(Told::from).collect(),
        })?;
        return Ok(exit);
    }
    let is_last = |deed: &&Deed| matches!(deed, Deed::Retire(_));
    let tell = |intent: &Intent, deeds: &mut dyn Iterator<Item = &Deed>| {
        for deed in deeds {
            let by = |what: &str, hook: &str| format!("{what}, by hook `{hook}`");
            let (verb, how) = match deed {
                Deed::Set(hook) => ("would set", by("its owner is to accept the new value", hook)),
                Deed::Test(hook) => ("would test", by("whether the value works", hook)),
                Deed::Promote => ("would promote", "with what is made of it, and the files".to_owned()),
                Deed::Retire(hook) if intent.keeps => {
                    ("would retire", by("the old value, once its overlap has ended", hook))
                }
                Deed::Retire(hook) => ("would retire", by("the old value", hook)),
                Deed::SetBack(hook) => ("would set", by("its owner is to accept the current value", hook)),
                Deed::RetireCandidate(hook) => ("would retire", by("the candidate", hook)),
                Deed::Drop => ("would drop", "the candidate; the current value stays in force".to_owned()),
                Deed::Withdraw => {
                    ("would withdraw", "the next one, from whoever has it; the current one signs as before".to_owned())
                }
                Deed::Leave => (
                    "would leave",
                    "the candidate to its owner, which no hook tells the value that stays in force".to_owned(),
                ),
                Deed::Refuse => ("would refuse", "to go on with it as it is declared now".to_owned()),
            };
            ui.say(&row(verb, &intent.secret, format_args!("{how}")));
        }
    };
    for intent in &intents {
        tell(intent, &mut intent.deeds.iter().filter(|deed| !is_last(deed)));
    }
    tell_files(ui, files, true);
    tell_files(ui, &lists, true);
    tell_outputs_waiting(ui, waiting);
    for hook in &reloads {
        ui.say(row("would reload", hook, format_args!("")).trim_end());
    }
    for hook in &ended {
        ui.say(&row("would end", hook, format_args!("its `reload`, since it is not declared any more")));
    }
    // Nothing is retired before the files are read.
    for intent in &intents {
        tell(intent, &mut intent.deeds.iter().filter(is_last));
    }
    if intents.is_empty() && reloads.is_empty() && ended.is_empty() {
        ui.say(&format!("environment `{}`: nothing to do", session.environment));
    }
    for error in &errors {
        ui.problem(error);
    }
    Ok(exit)
}

/// Why those of the hooks could not be started that could not.
pub fn not_startable<'h>(
    context: &Context,
    programs: &dyn Programs,
    hooks: impl Iterator<Item = &'h str>,
) -> Vec<Error> {
    let hooks: BTreeSet<&str> = hooks.collect();
    let paste = Paste::new(context);
    let refused = hooks.into_iter().filter_map(|hook| programs.expect(&BTreeSet::from([hook.to_owned()])).err());
    refused.map(|error| paste.error(error)).collect()
}
