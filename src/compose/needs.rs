//! What a project asks of whoever keeps its secrets: variables, and files of secrets.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{HostPath, Location, Need, Origin, Project, Service};
use super::paths;
use crate::credential;

/// What a project needs.
#[derive(Debug, Default)]
pub struct Needs {
    /// The variables, by name.
    pub variables: BTreeMap<String, VariableNeed>,
    /// The files of top-level secrets, by the secret's name.
    pub files: BTreeMap<String, FileNeed>,
}

/// A variable of the host or of `.env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableNeed {
    /// Where it is used first.
    pub at: Location,
    /// The services that use it.
    pub users: BTreeSet<String>,
    /// Whether Compose refuses to go on without it somewhere.
    pub required: bool,
    /// Whether there is a default wherever it is used.
    pub has_default: bool,
    /// Whether no variable is used: a credential stands in the file.
    pub is_literal: bool,
}

/// A file that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNeed {
    /// Where the secret is declared.
    pub at: Location,
    /// The services that mount it.
    pub users: BTreeSet<String>,
    /// `X`, where a service has a variable `X_FILE` that names the mounted file.
    pub variable: Option<String>,
    /// The file, relative to the project's root, absolute, or beginning with `../` or `~`.
    pub path: String,
}

impl FileNeed {
    /// The file's directory, empty for the project's root, and its name.
    pub fn parts(&self) -> (&str, &str) {
        let directory = paths::parent(&self.path);
        (directory, self.path[directory.len()..].trim_start_matches('/'))
    }
}

/// Variables that shells and Compose bring along.
const AMBIENT: [&str; 9] = ["GID", "HOME", "HOSTNAME", "LOGNAME", "PATH", "PWD", "SHELL", "UID", "USER"];

/// What a project needs.
pub fn needs(project: &Project) -> Needs {
    let mut needs = Needs::default();
    for it in &project.uses {
        if it.name.starts_with("COMPOSE_") || AMBIENT.contains(&it.name.as_str()) {
            continue;
        }
        let has_default = matches!(it.need, Need::Default | Need::Asked);
        let need = needs.variables.entry(it.name.clone()).or_insert_with(|| VariableNeed {
            at: it.at.clone(),
            users: BTreeSet::new(),
            required: false,
            has_default: true,
            is_literal: false,
        });
        need.required |= it.need == Need::Required;
        need.has_default &= has_default;
        // A service that is only extended is no service of the project.
        need.users.extend(it.service.clone().filter(|name| project.services.contains_key(name)));
    }
    for (name, service) in &project.services {
        literals(name, service, &mut needs);
    }
    for (name, definition) in &project.secrets {
        if let Some(HostPath { path, .. }) = &definition.file {
            needs.files.insert(name.clone(), file(name, path.clone(), &definition.at, project));
        }
    }
    needs
}

fn literals(service: &str, of: &Service, needs: &mut Needs) {
    for (name, variable) in &of.environment {
        let is_literal =
            variable.value.as_ref().is_some_and(|it| it.is_literal() && credential::is_literal(name, it.as_str()));
        if variable.origin != Origin::Environment || !is_literal {
            continue;
        }
        let need = needs.variables.entry(name.clone()).or_insert_with(|| VariableNeed {
            at: variable.at.clone(),
            users: BTreeSet::new(),
            required: false,
            has_default: false,
            is_literal: true,
        });
        if need.is_literal {
            need.users.insert(service.to_owned());
        }
    }
}

fn file(secret: &str, path: String, at: &Location, project: &Project) -> FileNeed {
    let mut users = BTreeSet::new();
    let mut variable = None;
    for (name, service) in &project.services {
        for mount in service.secrets.iter().filter(|mount| mount.source == secret) {
            users.insert(name.clone());
            let names_it = |value: &super::Text| value.as_str() == mount.target;
            let mut pairs = service.environment.iter();
            let found = pairs.find(|(_, it)| it.value.as_ref().is_some_and(names_it));
            variable = variable.or_else(|| found?.0.strip_suffix("_FILE").map(str::to_owned));
        }
    }
    FileNeed { at: at.clone(), users, variable, path }
}
