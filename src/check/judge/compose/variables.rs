//! The variables that the Compose files put in: declared, and delivered.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bench, names};
use crate::check::credential::{could_be, is_credential};
use crate::check::delivered::Delivered;
use crate::check::finding::Code;
use crate::compose::model::{Need, VariableUse};
use crate::compose::{Location, Project};
use crate::manifest::{Format, suggest};
use crate::name::SecretName;

impl Bench<'_> {
    /// Every variable that must be there, or looks like a secret, is declared and delivered.
    pub(super) fn variables_of_services(&mut self, project: &Project, delivered: &Delivered<'_>) {
        let mut lacking: BTreeMap<(&Location, &str), BTreeSet<&str>> = BTreeMap::new();
        let lacks = |it: &&VariableUse| !delivered.variables.contains(&it.name) && is_needed(it);
        for used in project.uses.iter().filter(lacks).filter(|it| !has_plain_default(project, it)) {
            lacking.entry((&used.at, &used.name)).or_default().extend(used.service.as_deref());
        }
        for ((at, name), services) in lacking {
            let who = if services.is_empty() { "it".to_owned() } else { names(services) };
            let (code, message, fix) = if self.manifest.secret(name).is_some() {
                let environment = self.environment;
                let message = format!("{who}: no dotenv output delivers `{name}` in environment `{environment}`");
                (Code::VariableUndelivered, message, self.deliver(name))
            } else {
                let message = format!("{who}: the variable `{name}` is not declared");
                (Code::VariableUndeclared, message, declare(name, delivered))
            };
            self.at(code, at, message, fix).secret = SecretName::new(name).ok();
        }
    }

    fn deliver(&self, name: &str) -> String {
        let output = self.manifest.outputs_in(self.environment).find(|it| matches!(it.format, Format::Dotenv { .. }));
        match output {
            Some(output) => format!("in vault-kit.toml: \"{name}\" in the `secrets` of [outputs.{}]", output.name),
            None => format!("in vault-kit.toml: an output with format = \"dotenv\" that has \"{name}\""),
        }
    }
}

/// Whether a variable of a container has a default that is no credential, such as the path of a key.
fn has_plain_default(project: &Project, used: &VariableUse) -> bool {
    let variable = || {
        let service = used.service.as_ref().filter(|_| used.need == Need::Default && !used.known)?;
        let (_, name) = used.path.rsplit_once(".environment.")?;
        project.services.get(service)?.environment.get(name)?.value.as_ref()
    };
    variable().is_some_and(|text| !text.as_str().is_empty() && !could_be(text.as_str()))
}

fn declare(name: &str, delivered: &Delivered<'_>) -> String {
    match suggest(name, delivered.variables.iter().map(String::as_str)) {
        Some(guess) => format!("did you mean `{guess}`?"),
        None => format!("in vault-kit.toml: [secrets.{name}], and \"{name}\" in the `secrets` of a dotenv output"),
    }
}

/// A secret by its name must come from us; whatever else is required, from somewhere.
fn is_needed(used: &VariableUse) -> bool {
    match used.need {
        Need::Asked => false,
        Need::Required | Need::Source => !used.known || is_credential(&used.name),
        Need::Default | Need::Expected | Need::HandedOn => is_credential(&used.name),
    }
}
