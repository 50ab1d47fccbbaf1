//! How `rotate resume -n` and `rotate abort -n` tell what they would do.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::session::Session;
use crate::cli::summary::row;
use crate::error::Result;
use crate::exit::Exit;
use crate::name::EnvName;
use crate::rotate::intent::{Deed, Intent};
use crate::store::rotations::Trouble;
use crate::ui::SCHEMA_VERSION;

#[derive(Serialize)]
struct Answer<'a> {
    schema_version: u32,
    environment: &'a EnvName,
    dry_run: bool,
    rotations: &'a [Intent],
    reloads: Vec<&'a str>,
}

/// Tells what would be done, and which hooks would be asked to reload.
pub fn tell(
    context: &Context,
    session: &Session<'_>,
    intents: &[Intent],
    reloads: &BTreeMap<String, Trouble>,
) -> Result<Exit> {
    let ui = context.ui;
    if ui.json {
        let environment = &session.environment;
        let reloads = reloads.keys().map(String::as_str).collect();
        ui.object(&Answer { schema_version: SCHEMA_VERSION, environment, dry_run: true, rotations: intents, reloads })?;
        return Ok(Exit::DONE);
    }
    for intent in intents {
        for deed in &intent.deeds {
            let by = |what: &str, hook: &str| format!("{what}, by hook `{hook}`");
            let (verb, how) = match deed {
                Deed::Set(hook) => ("would set", by("its owner is to accept the new value", hook)),
                Deed::Test(hook) => ("would test", by("whether the value works", hook)),
                Deed::Promote => ("would promote", "with what is made of it, and the files".to_owned()),
                Deed::Retire(hook) => ("would retire", by("the old value, once its overlap has ended", hook)),
                Deed::SetBack(hook) => ("would set", by("its owner is to accept the current value", hook)),
                Deed::RetireCandidate(hook) => ("would retire", by("the candidate", hook)),
                Deed::Drop => ("would drop", "the candidate; the current value stays in force".to_owned()),
            };
            ui.say(&row(verb, &intent.secret, format_args!("{how}")));
        }
    }
    for hook in reloads.keys() {
        ui.say(row("would reload", hook, format_args!("")).trim_end());
    }
    if intents.is_empty() && reloads.is_empty() {
        ui.say(&format!("environment `{}`: nothing to do", session.environment));
    }
    Ok(Exit::DONE)
}
