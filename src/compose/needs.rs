//! What a project asks of whoever keeps its secrets: variables, and files of secrets.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{HostPath, Location, Need, Origin, Project, Service, Text};
use super::paths;
use crate::credential;

/// What a project needs.
#[derive(Debug, Default)]
pub struct Needs {
    /// The variables, by name.
    pub variables: BTreeMap<String, VariableNeed>,
    /// The files of top-level secrets, by the secret's name.
    pub files: BTreeMap<String, FileNeed>,
    /// The env files of services, by path: relative to the project's root, absolute, or beginning with `../` or `~`.
    pub env_files: BTreeMap<String, EnvFileNeed>,
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
    /// The credential that stands in the file, where no variable is used.
    pub literal: Option<Text>,
    /// Whether it may be none, but a piece of a password, wherever it is used.
    pub is_piece: bool,
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

/// An env file of services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvFileNeed {
    /// Where it is named first.
    pub at: Location,
    /// The services that read it.
    pub users: BTreeSet<String>,
    /// Whether Compose refuses to go on without it.
    pub required: bool,
    /// `format: raw`: quotes and dollars stand for themselves.
    pub raw: bool,
    /// Whether it is there.
    pub found: bool,
    /// What it assigns without any variable. Values may be secrets.
    pub lines: BTreeMap<String, Text>,
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
            literal: None,
            is_piece: true,
        });
        need.is_piece &= it.is_piece;
        need.required |= it.need == Need::Required;
        need.has_default &= has_default;
        // A service that is only extended is no service of the project.
        need.users.extend(it.service.clone().filter(|name| project.services.contains_key(name)));
    }
    for (name, service) in &project.services {
        literals(name, service, &mut needs);
        env_files(name, service, project, &mut needs);
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
        let is_credential = |it: &&Text| it.is_literal() && credential::is_literal(name, it.as_str());
        let literal = variable.value.as_ref().filter(is_credential);
        if variable.origin != Origin::Environment || literal.is_none() {
            continue;
        }
        let need = needs.variables.entry(name.clone()).or_insert_with(|| VariableNeed {
            at: variable.at.clone(),
            users: BTreeSet::new(),
            required: false,
            has_default: false,
            literal: literal.cloned(),
            is_piece: false,
        });
        if need.literal.is_some() {
            need.users.insert(service.to_owned());
        }
    }
}

fn env_files(service: &str, of: &Service, project: &Project, needs: &mut Needs) {
    for file in &of.env_files {
        let need = needs.env_files.entry(file.path.path.clone()).or_insert_with(|| EnvFileNeed {
            at: file.path.text.at.clone(),
            users: BTreeSet::new(),
            required: false,
            raw: file.raw,
            found: file.found,
            lines: BTreeMap::new(),
        });
        need.required |= file.required;
        need.users.insert(service.to_owned());
        let is_of_it = |at: &Location| *at.file == *file.path.path;
        let lines = of.environment.iter().filter(|(_, it)| it.origin == Origin::EnvFile && is_of_it(&it.at));
        need.lines.extend(lines.filter_map(|(name, it)| Some((name.clone(), meant(it.value.as_ref()?, project)?))));
    }
}

/// A text of an env file without variables: also where what looks like one may be a piece of a password, with its dollar.
fn meant(text: &Text, project: &Project) -> Option<Text> {
    if text.is_literal() {
        return Some(text.clone());
    }
    let is_piece = |name: &String| project.uses.iter().any(|it| it.is_piece && it.at == text.at && it.name == *name);
    let written = text.as_written().filter(|_| text.variables.iter().all(is_piece))?;
    let with_dollar = |text: String, name: &String| text.replace(&format!("${{{name}}}"), &format!("${name}"));
    let meant = text.variables.iter().fold(written.to_owned(), with_dollar);
    Some(Text::new(meant, text.at.clone(), Vec::new()))
}

fn file(secret: &str, path: String, at: &Location, project: &Project) -> FileNeed {
    let mut users = BTreeSet::new();
    let mut variable = None;
    for (name, service) in &project.services {
        for mount in service.secrets.iter().filter(|mount| mount.source == secret) {
            users.insert(name.clone());
            let names_it = |value: &Text| value.as_str() == mount.target;
            let mut pairs = service.environment.iter();
            let found = pairs.find(|(_, it)| it.value.as_ref().is_some_and(names_it));
            variable = variable.or_else(|| found?.0.strip_suffix("_FILE").map(str::to_owned));
        }
    }
    FileNeed { at: at.clone(), users, variable, path }
}
