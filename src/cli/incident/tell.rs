//! What an incident reaches, before anybody agrees; what was done and what is left, afterwards.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::context::Context;
use super::super::paste::Paste;
use super::super::rotate::{Call, Foretold, answer as rotate};
use super::super::session::Session;
use super::super::summary::{row, tell_files, tell_lists};
use super::timelines::{self, Timelines};
use crate::deliver::{Delivered, FileReport};
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::incident::progress::Foreseen;
use crate::incident::reach::second;
use crate::name::{EnvName, SecretName};
use crate::plan::{Plan, Step};
use crate::rotate::Report;
use crate::store::Store;
use crate::store::incidents::{Affected, Incident};
use crate::ui::{SCHEMA_VERSION, Ui};

/// What was done, or with `--dry-run` would be.
pub struct Answer<'a> {
    pub dry_run: bool,
    /// Whether a leak was declared that was not before.
    pub is_new: bool,
    /// The secrets whose leak was declared before, with the incident of that.
    pub known: &'a BTreeMap<SecretName, String>,
    pub incidents: Vec<OneIncident<'a>>,
    pub delivered: &'a Delivered,
    pub plan: &'a Plan,
    /// What is rotated once it is banned.
    pub rotates: &'a BTreeSet<SecretName>,
    /// What was rotated by a run before this one, and is refused by its owner now.
    pub retires: &'a BTreeSet<SecretName>,
    /// With `--dry-run`, what that would make and call, unless nothing would come of it.
    pub foretold: Option<&'a Foretold>,
}

#[derive(Serialize)]
struct Told<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    /// Whether a leak was declared that was not before; otherwise a run before this one was completed.
    declared: bool,
    incidents: &'a [OneIncident<'a>],
    made: BTreeSet<&'a SecretName>,
    #[serde(skip_serializing_if = "<[SecretName]>::is_empty")]
    revocation_lists: &'a [SecretName],
    files: &'a [FileReport],
    warnings: &'a [String],
    /// What is rotated once it is banned.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    rotates: &'a BTreeSet<SecretName>,
    /// What was, and whose owner is to refuse what leaked.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    retires: &'a BTreeSet<SecretName>,
    /// The hooks that it would call, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<&'a Call>,
    /// What became of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<&'a rotate::Answer<'a>>,
    /// What would stand against it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<rotate::Told>,
}

/// An incident as it is told.
#[derive(Debug, Serialize)]
pub struct OneIncident<'a> {
    id: &'a str,
    timeline: &'a str,
    #[serde(flatten)]
    incident: Incident,
}

/// The incidents as they are now, or as what a run would do by itself leaves them.
pub fn incidents<'a>(
    session: &Session<'_>,
    store: &Store,
    timelines: &'a Timelines,
    foreseen: Option<&Foreseen>,
) -> Vec<OneIncident<'a>> {
    let one = |(id, timeline): (&'a str, &'a str)| {
        let incident = timelines::current(session, store, id, store.incidents.get(id)?);
        let foreseen = foreseen.into_iter();
        let incident = foreseen.fold(incident, |it, foreseen| foreseen.of(&session.manifest, &session.environment, it));
        Some(OneIncident { id, timeline, incident })
    };
    timelines.iter().filter_map(one).collect()
}

/// Says what a leak reaches.
pub fn reach(context: &Context, store: &Store, incident: &Incident) {
    if context.ui.json {
        return;
    }
    let ui = context.ui;
    for it in &incident.affected {
        let verb = if it.made_from.is_some() { "falls too" } else { "leaked" };
        let versions = it.versions.len();
        ui.say(&row(verb, &it.secret, format_args!("{}, since {}, versions: {versions}", it.kind, second(it.since))));
        if it.is_followed(store) {
            ui.say("  what was to take its place is banned with it: nobody can tell which of them leaked");
        }
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
        let services: Vec<String> = file.services.iter().map(|name| format!("`{name}`")).collect();
        let readers = if services.is_empty() { String::new() } else { format!(", read by {}", services.join(", ")) };
        format!("in `{}` (output {}, {} {}{old}){readers}", file.path, file.output, file.form, file.mode)
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
    /// As an object with `--json`, else in words; `refused` = what stands against the rest, which decides the exit.
    pub fn tell(&self, session: &Session<'_>, refused: Vec<Error>) -> Result<Exit> {
        let ui = session.context.ui;
        let paste = Paste::new(session.context);
        self.warn(session.context);
        let refused: Vec<Error> = refused.into_iter().map(|error| paste.error(error)).collect();
        if ui.json {
            self.object(session, None, refused.iter().map(rotate::Told::from).collect())?;
        } else {
            self.tell_done(ui);
            self.tell_rest(session);
        }
        for error in &refused {
            ui.problem(error);
        }
        let otherwise = if self.dry_run { Exit::DONE } else { self.delivered.exit() };
        Ok(Kind::most_severe(refused.iter().map(Error::kind)).map_or(otherwise, Exit::from))
    }

    /// The same, with what became of the rotations, whose exit it answers with.
    pub fn tell_rotated(&self, session: &Session<'_>, report: Report) -> Result<Exit> {
        let context = session.context;
        self.warn(context);
        if !context.ui.json {
            self.tell_done(context.ui);
        }
        let exit = rotate::tell_with(context, session, report, (&[], false), |rotation| {
            self.object(session, Some(rotation), Vec::new())
        })?;
        if !context.ui.json {
            self.tell_rest(session);
        }
        Ok(exit)
    }

    fn warn(&self, context: &Context) {
        self.delivered.warnings.iter().for_each(|warning| context.warn(warning));
    }

    fn object(
        &self,
        session: &Session<'_>,
        rotation: Option<&rotate::Answer<'_>>,
        errors: Vec<rotate::Told>,
    ) -> Result<()> {
        session.context.ui.object(&Told {
            schema_version: SCHEMA_VERSION,
            dry_run: self.dry_run,
            environment: &session.environment,
            declared: self.is_new,
            incidents: &self.incidents,
            made: self.made().map(|step| &step.secret).collect(),
            revocation_lists: &self.delivered.lists,
            files: &self.delivered.files,
            warnings: &self.delivered.warnings,
            rotates: self.rotates,
            retires: self.retires,
            calls: self.foretold.iter().flat_map(|it| it.calls.all()).collect(),
            rotation,
            errors,
        })
    }

    /// What was made in one change, or would be, and with `--dry-run` also what a rotation makes of it.
    fn made(&self) -> impl Iterator<Item = &Step> {
        self.plan.steps.iter().chain(self.foretold.iter().flat_map(|it| &it.plan.steps))
    }

    /// What was banned and replaced in one change, or would be.
    fn tell_done(&self, ui: Ui) {
        let verb = if self.dry_run { "would make" } else { "made" };
        for step in self.made().filter(|step| !self.rotates.contains(&step.secret)) {
            ui.say(row(verb, &step.secret, format_args!("{}", step.kind)).trim_end());
        }
        let verb = if self.dry_run { "would rotate" } else { "rotates" };
        let rotates =
            || self.rotates.iter().for_each(|it| ui.say(&row(verb, it, format_args!("now, without an overlap"))));
        // What a rehearsal tells of the files is how a rotation would leave them.
        if let Some(foretold) = self.foretold {
            rotates();
            foretold.calls.tell_before(ui);
        }
        tell_lists(ui, &self.delivered.lists, self.dry_run);
        tell_files(ui, &self.delivered.files, self.dry_run);
        match self.foretold {
            Some(foretold) => foretold.calls.tell_after(ui),
            None => rotates(),
        }
        for name in self.retires.iter().filter(|_| self.dry_run) {
            ui.say(&row("would retire", name, format_args!("what leaked, which its owner has yet to refuse")));
        }
    }

    fn tell_rest(&self, session: &Session<'_>) {
        let ui = session.context.ui;
        let paste = Paste::new(session.context);
        let is_left = |name: &SecretName| self.rotates.contains(name) || self.retires.contains(name);
        let is_done = |name: &SecretName| !is_left(name) && self.plan.steps.iter().all(|step| step.secret != *name);
        for (name, id) in self.known.iter().filter(|(name, _)| is_done(name)) {
            let again = paste.words(&format!("`vault-kit incident {name} --again`"));
            ui.say(&format!(
                "`{name}` was declared before, in incident {id}, and is not replaced twice; if its new value leaked too: {again}"
            ));
        }
        for one in &self.incidents {
            for (number, what) in one.incident.remains.iter().enumerate() {
                ui.say(&format!("left to do {}: {}", number + 1, paste.words(what)));
            }
            if !self.dry_run && Timelines::is_there(session, one.timeline) {
                ui.say(&row("timeline", one.timeline, format_args!("incident {}", one.id)));
            }
        }
    }
}
