//! What a container's environment holds: `environment` over `env_file`, and what is handed on from the host.

use std::collections::BTreeMap;

use super::env_file::{self, Given};
use super::interpolate::{Lookup, Values};
use super::load::Loader;
use super::model::{EnvFile, Location, Need, Origin, Text, Variable};
use super::problem::{ProblemKind, safe};
use super::scope;
use super::tree::{Fields, Map, Node};

/// Values of the project first, then those of the service.
struct Host<'a> {
    project: &'a Values,
    service: &'a Values,
}

impl Lookup for Host<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.project.value(name).or_else(|| self.service.value(name))
    }
}

/// The entries of a map of variables; one without a value takes the host's.
pub(super) fn variables(map: &Map, path: &str, values: &Values, loader: &mut Loader<'_>) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    for (name, node) in map {
        variables.insert(name.clone(), variable(name, node, path, values, loader));
    }
    variables
}

fn variable(name: &str, node: &Node, path: &str, values: &Values, loader: &mut Loader<'_>) -> Variable {
    let at = node.at.clone();
    if let Some(text) = node.as_text() {
        return Variable { value: Some(text), at, origin: Origin::Environment };
    }
    let value = values.value(name);
    loader.notes.note(name, Need::HandedOn, &at, &format!("{path}.{}", safe(name)), value.is_some());
    let value = value.map(|text| Text::new(text, at.clone(), vec![name.to_owned()]));
    Variable { value, at, origin: Origin::Host }
}

/// The environment of a service, and its env files.
pub(super) fn environment(
    fields: &Fields<'_>,
    values: &Values,
    loader: &mut Loader<'_>,
) -> (BTreeMap<String, Variable>, Vec<EnvFile>) {
    let own = fields.get("environment").and_then(Node::map);
    let own =
        own.map_or_else(BTreeMap::new, |map| variables(map, &format!("{}.environment", fields.path), values, loader));
    let value = |it: &Variable| it.value.as_ref().map(|text| text.as_str().to_owned());
    let service: Values = own.iter().filter_map(|(name, it)| Some((name.clone(), value(it)?))).collect();
    let mut reader = Reader { host: Host { project: values, service: &service }, known: service.clone(), loader };
    let path = format!("{}.env_file", fields.path);
    let mut environment = BTreeMap::new();
    let mut files = Vec::new();
    for entry in fields.get("env_file").and_then(Node::list).unwrap_or_default() {
        let Some(map) = entry.map() else { continue };
        let entry_fields = Fields { map, path: path.clone() };
        if let Some(file) = reader.env_file(&entry_fields, entry, &mut environment) {
            files.push(file);
        }
    }
    environment.extend(own);
    // A name alone at the end of an env file is the value of nothing.
    environment.remove("");
    (environment, files)
}

struct Reader<'a, 'l> {
    host: Host<'a>,
    known: Values,
    loader: &'a mut Loader<'l>,
}

impl Reader<'_, '_> {
    fn env_file(
        &mut self,
        fields: &Fields<'_>,
        entry: &Node,
        environment: &mut BTreeMap<String, Variable>,
    ) -> Option<EnvFile> {
        let problems = &mut self.loader.notes.problems;
        let Some(path) = fields.get("path").and_then(Node::as_path) else {
            problems.refused_with_hint(
                &entry.at,
                format!("`{}` has an entry without `path`", fields.path),
                "env_file: [{ path: \".env\" }]",
            );
            return None;
        };
        let required = fields.flag("required", problems).is_none_or(|flag| flag.on);
        let format = fields.string("format", problems);
        let raw = format.as_ref().is_some_and(|format| format.as_str() == "raw");
        if let Some(format) = format.filter(|format| !matches!(format.as_str(), "" | "raw")) {
            problems.refused_with_hint(
                &format.at,
                format!("`{}`: the only `format` is `raw`", fields.path),
                "format: raw",
            );
        }
        let content = self.loader.content(&path.path, &entry.at);
        let found = !matches!(content, Some(None));
        match content.flatten() {
            Some(bytes) => self.assign(&bytes, &path.path, fields, raw, environment),
            None if !found && required => {
                let message = format!("`{}`: `{}` does not exist", fields.path, path.path);
                let problems = &mut self.loader.notes.problems;
                problems.add_with_hint(
                    ProblemKind::Missing,
                    &entry.at,
                    message,
                    "an output of the manifest may write it: `vault-kit render`",
                );
            }
            None => {}
        }
        Some(EnvFile { path, required, raw, found })
    }

    fn assign(
        &mut self,
        bytes: &[u8],
        file: &str,
        fields: &Fields<'_>,
        raw: bool,
        environment: &mut BTreeMap<String, Variable>,
    ) {
        let read = if raw { env_file::read_raw } else { env_file::read };
        let assignments = match read(bytes, &self.host, &mut self.known) {
            Ok(assignments) => assignments,
            Err(bad) => return bad.tell(file, &mut self.loader.notes.problems),
        };
        let file: std::sync::Arc<str> = file.into();
        for assignment in assignments {
            let at = Location { file: file.clone(), line: assignment.line };
            let name = assignment.name;
            let (value, origin) = match assignment.given {
                Given::Inherited => {
                    let value = self.host.value(&name);
                    self.loader.notes.note(&name, Need::HandedOn, &at, &fields.path, value.is_some());
                    // A name alone assigns nothing where the host has nothing.
                    let Some(value) = value else { continue };
                    (Text::new(value, at.clone(), vec![name.clone()]), Origin::Host)
                }
                Given::Value { text, used } => {
                    self.loader.notes.used(&used, &at, &fields.path, &self.host);
                    let written = (!used.pieces.is_empty()).then_some(used.written.clone());
                    (Text::new(text, at.clone(), scope::names(&used)).written(written), Origin::EnvFile)
                }
            };
            if !self.loader.notes.make(value.as_str().len() + name.len()) || !self.loader.grow(1, &at) {
                return self.loader.notes.problems.not_read(
                    &at,
                    "the env files of the project grow too long",
                    "name fewer of them, or shorter ones",
                );
            }
            environment.insert(name, Variable { value: Some(value), at, origin });
        }
    }
}
