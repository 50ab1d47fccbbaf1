//! `include`: another project's files as part of this one.

use super::{Loader, Set, chain};
use crate::compose::env_file;
use crate::compose::interpolate::Values;
use crate::compose::model::Location;
use crate::compose::problem::ProblemKind;
use crate::compose::remote::is_remote;
use crate::compose::tree::{Map, Node, Value};
use crate::compose::{merge, paths};

impl Loader<'_> {
    /// Puts what a file includes under what it says itself.
    pub(super) fn include(&mut self, map: &mut Map, file: &str, set: &Set<'_>) {
        let Some(include) = map.remove("include") else { return };
        for entry in include.list().unwrap_or_default() {
            let Some(fields) = entry.map() else {
                self.notes.problems.refused_with_hint(
                    &entry.at,
                    "`include` has an entry that is neither a path nor a mapping",
                    "include: [\"other.yaml\"]",
                );
                continue;
            };
            if let Some(imported) = self.included(fields, &entry.at, file, set) {
                self.import(map, imported);
            }
        }
    }

    fn included(&mut self, fields: &Map, at: &Location, file: &str, set: &Set<'_>) -> Option<Map> {
        let relative = |text: &String| paths::join(&set.directory, text);
        let named = texts(fields.get("path"));
        if named.iter().any(|path| is_remote(path)) {
            let message = "what is included is not a file of this host";
            self.notes.problems.add(ProblemKind::Elsewhere, at, message);
            return None;
        }
        let files: Vec<String> = named.iter().map(relative).collect();
        let Some(first) = files.first() else {
            self.notes.problems.refused_with_hint(
                at,
                "an entry of `include` has no `path`",
                "include: [{ path: \"other.yaml\" }]",
            );
            return None;
        };
        let mut trail = set.trail.clone();
        trail.push(file.to_owned());
        if trail.contains(first) {
            trail.push(first.clone());
            self.notes.problems.refused(at, format!("the files include each other: {}", chain(trail)));
            return None;
        }
        let directory = match texts(fields.get("project_directory")).first() {
            Some(directory) => relative(directory),
            None => paths::parent(first).to_owned(),
        };
        let values = self.values(fields, at, &directory, set);
        let files: Vec<_> = files.into_iter().map(|path| (path, at.clone())).collect();
        let scope = self.new_scope();
        Some(self.model(&files, &Set { directory, values: &values, scope, trail }))
    }

    /// The variables of an included project: those of this one, then those of its own `.env`.
    fn values(&mut self, fields: &Map, at: &Location, directory: &str, set: &Set<'_>) -> Values {
        let named = texts(fields.get("env_file"));
        let files: Vec<(String, bool)> = if named.is_empty() {
            // One outside the project is beside a file that is told for the same reason.
            let path = paths::join(directory, ".env");
            if path.starts_with('/') || path.starts_with("../") { Vec::new() } else { vec![(path, false)] }
        } else {
            let named = named.iter().filter(|path| *path != "/dev/null");
            named.map(|path| (paths::join(&set.directory, path), true)).collect()
        };
        let mut own = Values::new();
        for (path, must_exist) in files {
            self.env_files.insert(path.clone());
            let Some(content) = self.content(&path, at) else { continue };
            match content {
                Some(bytes) => self.env_file(&bytes, &path, set.values, &mut own),
                None if must_exist => {
                    let hint = format!("write `{path}`, or take its name out here");
                    let message = format!("`{path}` does not exist");
                    self.notes.problems.add_with_hint(ProblemKind::Missing, at, message, &hint);
                }
                None => {}
            }
        }
        own.extend(set.values.clone());
        own
    }

    /// The values of a `.env` file; who refuses it says so.
    pub(in crate::compose) fn env_file(&mut self, bytes: &[u8], path: &str, host: &Values, own: &mut Values) {
        if let Err(bad) = env_file::read(bytes, host, own) {
            bad.tell(path, &mut self.notes.problems);
        }
    }

    fn import(&mut self, map: &mut Map, imported: Map) {
        for (section, node) in imported {
            if !matches!(section.as_str(), "services" | "networks" | "volumes" | "secrets" | "configs" | "models") {
                continue;
            }
            let own = map.entry(section.clone()).or_insert_with(|| Node::new(Value::Map(Map::new()), &node.at));
            if own.is_null() {
                own.value = Value::Map(Map::new());
            }
            let (Value::Map(imported), Some(own)) = (node.value, own.map_mut()) else { continue };
            for (name, node) in imported {
                let merged = match own.remove(&name) {
                    Some(over) => merge::import(node, over, &section, &mut self.notes.problems),
                    None => node,
                };
                own.insert(name, merged);
            }
        }
    }
}

/// A text, or a list of them.
fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let list = node.list().unwrap_or_else(|| std::slice::from_ref(node));
    list.iter().filter_map(Node::as_str).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}
