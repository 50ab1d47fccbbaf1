//! How a writing command tells what it did.

mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Serialize;

use super::context::Context;
use super::paste::Paste;
use super::refused::Refused;
use crate::deliver::{Delivered, FileReport, Outcome};
use crate::error::Result;
use crate::manifest::hook::Step as HookStep;
use crate::manifest::{Declaration, Manifest};
use crate::name::{EnvName, OutputName, SecretName};
use crate::plan::{Action, Plan, Publishing, Step, Why};
use crate::token::roster::Revoked;
use crate::ui::{SCHEMA_VERSION, Ui};
use rows::VERB;
pub use rows::{row, tell_files, tell_ignored, tell_lists, tell_outputs_waiting};

/// What a writing command did, or with `--dry-run` would do.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    deed: Option<Deed<'a>>,
    made: Vec<Made<'a>>,
    #[serde(rename = "revocation_lists", skip_serializing_if = "<[SecretName]>::is_empty")]
    lists: &'a [SecretName],
    files: &'a [FileReport],
    waiting: Vec<Waits>,
    #[serde(skip_serializing_if = "<[Publishing]>::is_empty")]
    publishing: &'a [Publishing],
    outputs_waiting: &'a BTreeMap<OutputName, BTreeSet<SecretName>>,
    /// Those whose owners do not know their value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    untold: Vec<Waits>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    consequences: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    questions: &'a [String],
    warnings: &'a [String],
    #[serde(rename = "errors", skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    #[serde(skip)]
    delivered: &'a Delivered,
}

/// What was asked for by name.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed<'a> {
    /// This secret has the value that was given.
    Set(&'a SecretName),
    /// The previous value of this secret is dropped.
    Drop(&'a SecretName),
    /// This certificate was taken in.
    Import(&'a SecretName),
    /// This secret is forgotten.
    Remove(&'a SecretName),
    /// These tokens are revoked.
    Revoke(&'a Revoked),
}

#[derive(Debug, Serialize)]
struct Made<'a> {
    secret: &'a SecretName,
    kind: &'a str,
    action: Action,
    why: &'a Why,
}

#[derive(Debug, Serialize)]
struct Waits {
    secret: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<SecretName>,
    fix: String,
}

impl<'a> Summary<'a> {
    /// Sums up a plan and what came of it.
    pub fn new(
        environment: &'a EnvName,
        manifest: &Manifest,
        plan: &'a Plan,
        delivered: &'a Delivered,
        dry_run: bool,
    ) -> Self {
        let made = |step: &'a Step| Made { secret: &step.secret, kind: step.kind, action: step.action, why: &step.why };
        let waiting = plan.waiting.iter().map(|waiting| Waits {
            secret: waiting.secret.to_string(),
            needs: waiting.needs.clone(),
            fix: if waiting.needs.is_empty() {
                format!("vault-kit{} {}", prefix(environment, manifest), supply_words(manifest, &waiting.secret))
            } else {
                let needs: Vec<_> = waiting.needs.iter().map(SecretName::as_str).collect();
                format!("comes by itself once {} is there", needs.join(", "))
            },
        });
        let is_untold = |step: &&Step| {
            let declaration = manifest.secret(&step.secret);
            step.action != Action::Publish && declaration.is_some_and(|it| has_set(manifest, it))
        };
        let untold = plan.steps.iter().filter(is_untold).map(|step| untold(environment, manifest, &step.secret));
        Self {
            schema_version: SCHEMA_VERSION,
            dry_run,
            environment,
            untold: untold.collect(),
            deed: None,
            made: plan.steps.iter().map(made).collect(),
            lists: &delivered.lists,
            files: &delivered.files,
            waiting: waiting.collect(),
            publishing: &plan.publishing,
            outputs_waiting: &delivered.waiting,
            consequences: &[],
            questions: &[],
            warnings: &delivered.warnings,
            refused: None,
            delivered,
        }
    }

    /// Adds what was asked for by name.
    pub fn with(self, deed: Option<Deed<'a>>) -> Self {
        Self { deed, ..self }
    }

    /// Adds the owner of a value that came by hand, who has to be told of it by a hook.
    pub fn owing(mut self, manifest: &Manifest, given: Option<&Declaration>) -> Self {
        let owner = given.filter(|it| has_set(manifest, it));
        self.untold.extend(owner.map(|it| untold(self.environment, manifest, &it.name)));
        self
    }

    /// Leaves out the owners of these, whom a rotation tells.
    pub fn telling(mut self, names: &BTreeSet<SecretName>) -> Self {
        self.untold.retain(|it| !names.iter().any(|name| name.as_str() == it.secret));
        self
    }

    /// Leaves out what would not be made, since it is there.
    pub fn without_made(mut self, names: &BTreeSet<SecretName>) -> Self {
        self.made.retain(|it| !names.contains(it.secret));
        self
    }

    /// Adds what breaks. In words it was told before anything was done.
    pub fn breaking(self, consequences: &'a [String]) -> Self {
        Self { consequences, ..self }
    }

    /// Adds what would be asked before anything is done.
    pub fn asking(self, questions: &'a [String]) -> Self {
        Self { questions, ..self }
    }

    /// Whether nothing was made or written.
    pub fn is_empty(&self) -> bool {
        let is_made = !(self.made.is_empty() && self.lists.is_empty());
        self.deed.is_none()
            && !is_made
            && self.delivered.refused.is_empty()
            && self.delivered.ignored.is_empty()
            && self.files.iter().all(|file| file.outcome == Outcome::Unchanged)
    }

    /// Tells it: as an object with `--json`, else in words.
    pub fn tell(self, context: &Context) -> Result<()> {
        let (ui, summary) = (context.ui, self.completed(context));
        if ui.json {
            summary.refused.iter().for_each(|it| it.tell(ui));
            return ui.object(&summary);
        }
        summary.tell_words(ui);
        let waits =
            !(summary.waiting.is_empty() && summary.publishing.is_empty() && summary.outputs_waiting.is_empty());
        if summary.is_empty() && !waits {
            ui.say(&format!("environment `{}`: nothing to do", summary.environment));
        }
        for question in summary.questions {
            context.say_question(question);
        }
        Ok(())
    }

    /// With commands that can be pasted, and its warnings told: ready to be part of another answer.
    pub fn completed(mut self, context: &Context) -> Self {
        let paste = Paste::new(context);
        for waits in self.waiting.iter_mut().chain(&mut self.untold) {
            waits.fix = paste.command(&waits.fix);
        }
        for warning in self.warnings {
            context.warn(warning);
        }
        self.refused = Some(Refused::of(self.delivered, &paste)).filter(|it| !it.is_empty());
        self
    }

    /// Tells what was done in words.
    pub fn tell_words(&self, ui: Ui) {
        tell_ignored(ui, &self.delivered.ignored, self.dry_run);
        self.tell_deed(ui);
        self.tell_made(ui);
        tell_lists(ui, self.lists, self.dry_run);
        tell_files(ui, self.files, self.dry_run);
        self.tell_waiting(ui);
        self.refused.iter().for_each(|it| it.tell(ui));
    }

    fn tell_deed(&self, ui: Ui) {
        let (verb, name): (_, &dyn Display) = match (self.deed, self.dry_run) {
            (None, _) => return,
            (Some(Deed::Set(name)), false) => ("set", name),
            (Some(Deed::Set(name)), true) => ("would set", name),
            (Some(Deed::Drop(name)), false) => ("dropped the previous", name),
            (Some(Deed::Drop(name)), true) => ("would drop the previous", name),
            (Some(Deed::Import(name)), false) => ("imported", name),
            (Some(Deed::Import(name)), true) => ("would import", name),
            (Some(Deed::Remove(name)), false) => ("removed", name),
            (Some(Deed::Remove(name)), true) => ("would remove", name),
            (Some(Deed::Revoke(tokens)), false) => ("revoked", tokens),
            (Some(Deed::Revoke(tokens)), true) => ("would revoke", tokens),
        };
        ui.say(&format!("{verb:<VERB$} {name}"));
    }

    fn tell_made(&self, ui: Ui) {
        for made in &self.made {
            let verb = match (made.action, self.dry_run) {
                (Action::Make, false) => "made",
                (Action::Make, true) => "would make",
                (Action::Publish, false) => "published",
                (Action::Publish, true) => "would publish",
                (Action::Activate, false) => "activated",
                (Action::Activate, true) => "would activate",
            };
            let why = match made.why {
                Why::DeclarationChanged => ", since its declaration changed".to_owned(),
                Why::Due => ", since it was due".to_owned(),
                Why::InputChanged(input) => format!(", since `{input}` changed"),
                Why::Missing => String::new(),
                Why::NotPublished => ", since a file that verifiers read did not have it".to_owned(),
                Why::Published => ", since every verifier knows it by now".to_owned(),
                Why::Replaced => ", as asked".to_owned(),
                Why::Revoked => ", and the old one is dropped".to_owned(),
            };
            ui.say(&row(verb, made.secret, format_args!("{}{why}", made.kind)));
        }
    }

    fn tell_waiting(&self, ui: Ui) {
        for waits in &self.waiting {
            ui.say(&row("waiting", &waits.secret, format_args!("{}", waits.fix)));
        }
        for untold in &self.untold {
            ui.say(&row("untold", &untold.secret, format_args!("its owner; once that runs: {}", untold.fix)));
        }
        for Publishing { secret, from } in self.publishing {
            let from = from.format("%Y-%m-%d %H:%M:%S UTC");
            ui.say(&row("waiting", secret, format_args!("its next key signs with the first write from {from} on")));
        }
        tell_outputs_waiting(ui, self.outputs_waiting);
    }
}

fn has_set(manifest: &Manifest, declaration: &Declaration) -> bool {
    manifest.hooks_for(declaration, HookStep::Set).next().is_some()
}

fn prefix(environment: &EnvName, manifest: &Manifest) -> String {
    if *environment == manifest.default_environment { String::new() } else { format!(" -e {environment}") }
}

fn untold(environment: &EnvName, manifest: &Manifest, name: &SecretName) -> Waits {
    let fix = format!("vault-kit{} rotate tell {name}", prefix(environment, manifest));
    Waits { secret: name.to_string(), needs: Vec::new(), fix }
}

fn supply_words(manifest: &Manifest, name: &SecretName) -> String {
    manifest.secret(name).map_or_else(|| format!("set {name}"), Declaration::supply_words)
}
