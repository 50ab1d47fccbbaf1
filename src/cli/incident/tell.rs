//! What an incident reaches, before anybody agrees; what was done and what is left, afterwards.

use serde::Serialize;

use super::super::context::Context;
use super::super::paste::Paste;
use super::super::session::Session;
use super::super::summary::{row, tell_files, tell_lists};
use super::timelines::Timelines;
use crate::deliver::{Delivered, FileReport};
use crate::error::Result;
use crate::incident::reach::second;
use crate::name::{EnvName, SecretName};
use crate::plan::Plan;
use crate::store::Store;
use crate::store::incidents::{Affected, Incident};
use crate::ui::SCHEMA_VERSION;

/// What was done, or with `--dry-run` would be.
pub struct Answer<'a> {
    pub dry_run: bool,
    /// Whether a leak was declared that was not before.
    pub is_new: bool,
    pub timelines: &'a Timelines,
    pub delivered: &'a Delivered,
    pub plan: &'a Plan,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    /// Whether a leak was declared that was not before; otherwise a run before this one was completed.
    declared: bool,
    incidents: Vec<OneIncident<'a>>,
    made: Vec<&'a SecretName>,
    #[serde(skip_serializing_if = "<[SecretName]>::is_empty")]
    revocation_lists: &'a [SecretName],
    files: &'a [FileReport],
    warnings: &'a [String],
}

#[derive(Debug, Serialize)]
struct OneIncident<'a> {
    id: &'a str,
    timeline: &'a str,
    #[serde(flatten)]
    incident: &'a Incident,
}

/// Says what a leak reaches.
pub fn reach(context: &Context, incident: &Incident) {
    if context.ui.json {
        return;
    }
    let ui = context.ui;
    for it in &incident.affected {
        let verb = if it.made_from.is_some() { "falls too" } else { "leaked" };
        let versions = it.versions.len();
        ui.say(&row(verb, &it.secret, format_args!("{}, since {}, versions: {versions}", it.kind, second(it.since))));
        for line in details(it) {
            ui.say(&format!("  {line}"));
        }
    }
    ui.say(&format!("who can open the store: {}", incident.recipients.join(", ")));
}

fn details(it: &Affected) -> Vec<String> {
    let source = it.made_from.as_ref().map(|source| format!("made from `{source}`"));
    let file = |file: &crate::store::incidents::Delivery| {
        let old = if file.old { ", an older version" } else { "" };
        format!("in `{}` (output {}, {} {}{old})", file.path, file.output, file.form, file.mode)
    };
    let remote = it.remote.as_ref().map(|remote| {
        let arn = remote.synced.as_ref().map_or("never exchanged", |(arn, _)| arn.as_str());
        format!("in AWS: `{}` ({arn})", remote.name)
    });
    let copies =
        it.copies.iter().map(|it| format!("the same value is `{}` of environment `{}`", it.secret, it.environment));
    let signed = it.signed.iter().map(|what| format!("signed {what}"));
    let changes = it.changes.iter().map(|what| format!("changed {what}"));
    let files = it.deliveries.iter().map(file);
    source.into_iter().chain(files).chain(remote).chain(copies).chain(signed).chain(changes).collect()
}

impl Answer<'_> {
    /// As an object with `--json`, else in words.
    pub fn tell(&self, session: &Session<'_>, store: &Store) -> Result<()> {
        let ui = session.context.ui;
        for warning in &self.delivered.warnings {
            ui.warn(warning);
        }
        let incidents = self
            .timelines
            .iter()
            .filter_map(|(id, timeline)| Some(OneIncident { id, timeline, incident: store.incidents.get(id)? }));
        let incidents: Vec<_> = incidents.collect();
        if ui.json {
            return ui.object(&Told {
                schema_version: SCHEMA_VERSION,
                dry_run: self.dry_run,
                environment: &session.environment,
                declared: self.is_new,
                incidents,
                made: self.plan.steps.iter().map(|step| &step.secret).collect(),
                revocation_lists: &self.delivered.lists,
                files: &self.delivered.files,
                warnings: &self.delivered.warnings,
            });
        }
        let verb = if self.dry_run { "would make" } else { "made" };
        for step in &self.plan.steps {
            ui.say(row(verb, &step.secret, format_args!("{}", step.kind)).trim_end());
        }
        tell_lists(ui, &self.delivered.lists, self.dry_run);
        tell_files(ui, &self.delivered.files, self.dry_run);
        if !self.is_new {
            ui.say("declared before: nothing is replaced twice; if the new value leaked too, add `--again`");
        }
        let paste = Paste::new(session.context);
        for one in &incidents {
            for (number, what) in one.incident.remains.iter().enumerate() {
                ui.say(&format!("left to do {}: {}", number + 1, paste.words(what)));
            }
            if !self.dry_run {
                ui.say(&row("timeline", one.timeline, format_args!("incident {}", one.id)));
            }
        }
        Ok(())
    }
}
