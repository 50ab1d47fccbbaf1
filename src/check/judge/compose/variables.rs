//! The variables that the Compose files put in: declared, and delivered.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bench, names};
use crate::check::delivered::Delivered;
use crate::check::facts::{Comparison, Place};
use crate::check::finding::Code;
use crate::check::judge::fix::{in_table, key};
use crate::compose::model::{Need, VariableUse};
use crate::compose::{Location, Project, env_file_beside};
use crate::credential::{holds, is_credential};
use crate::manifest::{Format, suggest};
use crate::name::SecretName;

impl Bench<'_> {
    /// Every variable that must be there, or looks like a secret, is declared and delivered.
    pub(super) fn variables_of_services(&mut self, project: &Project, delivered: &Delivered<'_>) {
        let mut lacking: BTreeMap<(&Location, &str), BTreeSet<&str>> = BTreeMap::new();
        let previous: BTreeSet<SecretName> = self.manifest.secrets.keys().filter_map(SecretName::previous).collect();
        // Without an overlap there is no value of before, and who reads it has a default for that.
        let may_lack = |it: &VariableUse| it.need == Need::Default && previous.contains(it.name.as_str());
        let lacks = |it: &&VariableUse| !delivered.variables.contains(&it.name) && is_needed(it) && !may_lack(it);
        for used in project.uses.iter().filter(lacks).filter(|it| !has_plain_default(project, it)) {
            lacking.entry((&used.at, &used.name)).or_default().extend(used.service.as_deref());
        }
        for ((at, name), services) in lacking {
            let who = if services.is_empty() { String::new() } else { format!("{}: ", names(services)) };
            let (code, message, fix) = if self.manifest.secret(name).is_some() {
                let why = match delivered.elsewhere.get(name) {
                    Some(file) => format!("`{name}` is written to `{file}`, where Compose takes no variables from"),
                    None => {
                        format!("no dotenv output delivers `{name}` to Compose in environment `{}`", self.environment)
                    }
                };
                (Code::VariableUndelivered, format!("{who}{why}"), self.deliver(name, delivered))
            } else {
                let message = format!("{who}the variable `{name}` is not declared");
                (Code::VariableUndeclared, message, declare(name, delivered))
            };
            self.at(code, at, message, fix).secret = SecretName::new(name).ok();
        }
    }

    /// No variable of the shell goes before one that is delivered, unless it has the same value.
    pub(super) fn shell(&mut self) {
        if !self.places.contains(&Place::Host) {
            return;
        }
        for (name, comparison) in &self.facts.deployed.shell {
            match comparison {
                Comparison::Same => {}
                Comparison::Different => {
                    let message =
                        "is set to another value in this shell, and Compose takes it from there before any env file";
                    self.about_secret(Code::VariableOverridden, name, message, format!("unset {name}"));
                }
                Comparison::Unknown => self.not_checked(
                    format!("whether the variable `{name}` of this shell has the value that is delivered"),
                    "Compose takes the shell's; only the identity can compare them",
                ),
            }
        }
    }

    fn deliver(&self, name: &str, delivered: &Delivered<'_>) -> String {
        if let Some(file) = delivered.elsewhere.get(name) {
            let line = in_table("project", format!("compose_env_files = [\"{file}\"]"));
            return format!("where Compose is given it by --env-file, {line}");
        }
        let (manifest, environment) = (self.manifest, self.environment);
        let beside = env_file_beside(manifest.compose_in(environment));
        let read = manifest.compose_env_files_in(environment).map_or(&*beside, |it| it.first().map_or("", |it| it));
        let mut outputs = manifest.outputs_in(environment).filter(|it| matches!(it.format, Format::Dotenv { .. }));
        match outputs.find(|it| it.path == read) {
            Some(output) => format!("add \"{name}\" to the `secrets` of [outputs.{}] in vault-kit.toml", output.name),
            None => format!(
                "let a dotenv output of vault-kit.toml write \"{name}\" to {beside}; or, where `vault-kit run -- docker compose up` starts it, {}",
                in_table("project", "compose_run = true")
            ),
        }
    }
}

/// Whether a variable of a container has a default that is no credential, such as the path of a key.
fn has_plain_default(project: &Project, used: &VariableUse) -> bool {
    let variable = || {
        let service = used.service.as_ref().filter(|_| used.need == Need::Default && !used.known)?;
        let (_, name) = used.path.rsplit_once(".environment.")?;
        Some((name, project.services.get(service)?.environment.get(name)?.value.as_ref()?.as_str()))
    };
    let is_plain = |(name, text): (&str, &str)| !text.is_empty() && !holds(&used.name, text) && !holds(name, text);
    variable().is_some_and(is_plain)
}

fn declare(name: &str, delivered: &Delivered<'_>) -> String {
    if let Some(guess) = suggest(name, delivered.variables.iter().map(String::as_str)) {
        return format!("did you mean `{guess}`?");
    }
    let line = "kind = \"external\"    # or what it is; and name it in the `secrets` of a dotenv output";
    in_table(&format!("secrets.{}", key(name)), line)
}

/// A secret by its name must come from us; whatever else is required, from somewhere.
fn is_needed(used: &VariableUse) -> bool {
    match used.need {
        Need::Asked => false,
        Need::Required | Need::Source => !used.known || is_credential(&used.name),
        Need::Default | Need::Expected | Need::HandedOn => is_credential(&used.name),
    }
}
