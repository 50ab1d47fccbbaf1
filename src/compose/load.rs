//! Files to one tree: each is read, gets its variables, what it includes and what it extends, and is put over those before it.

mod extends;
mod include;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::canonical::Canonical;
use super::interpolate::Values;
use super::model::Location;
use super::problem::{ProblemKind, safe};
use super::scope::{self, Notes};
use super::tree::{Map, Node, Value};
use super::{Files, Unreadable, keys, merge, paths, remote, yaml};

/// More files than this belong to no project.
const MOST_FILES: usize = 200;

/// Entries of all files together, what `extends` repeats included.
const MOST_NODES: usize = 200_000;

/// Reads files on behalf of a project.
pub(super) struct Loader<'a> {
    pub files: &'a dyn Files,
    pub notes: Notes,
    /// The files that were read.
    pub read: BTreeSet<String>,
    /// The env files that variables of Compose files come from, whether or not they are there.
    pub env_files: BTreeSet<String>,
    nodes: usize,
    /// What stands in files, if they are there.
    contents: BTreeMap<String, Option<Rc<[u8]>>>,
    /// The services of files that somebody extends, by scope and path.
    extended: BTreeMap<(usize, String), Option<Rc<Map>>>,
    scopes: usize,
    /// What was read before its turn.
    ahead: BTreeMap<String, Vec<Node>>,
}

/// What a set of files has in common.
pub(super) struct Set<'a> {
    /// Where relative paths begin, seen from the project's root.
    pub directory: String,
    pub values: &'a Values,
    /// Which values they are.
    pub scope: usize,
    /// The files that included this one, the first one first.
    pub trail: Vec<String>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        let (notes, read, env_files) = (Notes::default(), BTreeSet::new(), BTreeSet::new());
        let (contents, extended, ahead) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { files, notes, read, env_files, nodes: 0, contents, extended, scopes: 0, ahead }
    }

    /// The number of another set of values.
    pub(super) fn new_scope(&mut self) -> usize {
        self.scopes += 1;
        self.scopes
    }

    /// The model that a list of files amounts to. Who names a file that is not there is told at `named`.
    pub(super) fn model(&mut self, paths: &[(String, Location)], set: &Set<'_>) -> Map {
        let mut model = Map::new();
        for (path, named) in paths {
            for document in self.documents(path, named).unwrap_or_default() {
                let Some(mut map) = self.prepared(document, set.values, &set.directory) else { continue };
                self.include(&mut map, path, set);
                self.extend(&mut map, path, set);
                // Of a file that is extended, Compose judges no more than what is taken from it.
                keys::check(&map, &mut self.notes.problems);
                merge::merge(&mut model, map, &mut self.notes.problems);
                let mut whole = Node::new(Value::Map(std::mem::take(&mut model)), named);
                whole.settle();
                if let Value::Map(map) = whole.value {
                    model = map;
                }
                merge::make_unique(&mut model);
            }
        }
        complete(&mut model, &set.directory);
        model
    }

    /// A document with its variables and in its long forms.
    fn prepared(&mut self, mut document: Node, values: &Values, directory: &str) -> Option<Map> {
        if document.map().is_none() {
            self.notes.problems.refused_with_hint(&document.at, "the file must hold a mapping", "services: { … }");
            return None;
        }
        scope::put_in(&mut document, values, &mut String::new(), &mut self.notes);
        let Value::Map(mut map) = document.value else { return None };
        Canonical { directory, problems: &mut self.notes.problems }.file(&mut map);
        for address in remote::addresses(&map) {
            // Files that are extended are met once for each set of variables.
            if !self.notes.addresses.iter().any(|it| it.text.at == address.text.at && it.key == address.key) {
                self.notes.addresses.push(address);
            }
        }
        Some(map)
    }

    /// The documents of a file whose turn comes later; none where they cannot be read, which is a problem then.
    pub(super) fn read_ahead(&mut self, path: &str, named: &Location) -> &[Node] {
        let documents = self.documents(path, named).unwrap_or_default();
        self.ahead.entry(path.to_owned()).or_insert(documents)
    }

    /// The documents of a file.
    fn documents(&mut self, path: &str, named: &Location) -> Option<Vec<Node>> {
        if let Some(documents) = self.ahead.remove(path) {
            return Some(documents);
        }
        let bytes = self.bytes(path, named)?;
        let file: Arc<str> = path.into();
        let documents = yaml::read(&bytes, &file, &mut self.notes.problems)?;
        let count = documents.iter().map(Node::count).sum();
        self.grow(count, named).then_some(documents)
    }

    /// A Compose file, which must be there.
    fn bytes(&mut self, path: &str, named: &Location) -> Option<Rc<[u8]>> {
        let is_declared = *named.file == *path;
        let is_here = is_declared || !path.starts_with(['/', '~']) && !path.starts_with("../");
        let unread = if is_here { ProblemKind::NotRead } else { ProblemKind::Elsewhere };
        let content = self.content_or(unread, path, named)?;
        if content.is_none() {
            let hint = format!("write `{path}`, or take its name out here");
            self.notes.problems.add_with_hint(ProblemKind::Missing, named, format!("`{path}` does not exist"), &hint);
        }
        content
    }

    /// A file with variables, if it is there; `None` where it cannot be read, which is told then. It may be for others to read.
    #[expect(clippy::option_option, reason = "not there and not readable are told apart by everybody who asks")]
    pub(super) fn content(&mut self, path: &str, named: &Location) -> Option<Option<Rc<[u8]>>> {
        self.content_or(ProblemKind::Elsewhere, path, named)
    }

    #[expect(clippy::option_option, reason = "not there and not readable are told apart by everybody who asks")]
    fn content_or(&mut self, unread: ProblemKind, path: &str, named: &Location) -> Option<Option<Rc<[u8]>>> {
        if let Some(known) = self.contents.get(path) {
            return Some(known.clone());
        }
        if self.contents.len() >= MOST_FILES {
            self.notes.problems.not_read(
                named,
                format!("more than {MOST_FILES} files belong to the project"),
                "include, extend and name fewer files",
            );
            return None;
        }
        match self.files.read(path) {
            Ok(bytes) => {
                let bytes: Option<Rc<[u8]>> = bytes.map(Rc::from);
                if bytes.is_some() {
                    self.read.insert(path.to_owned());
                }
                self.contents.insert(path.to_owned(), bytes.clone());
                Some(bytes)
            }
            Err(Unreadable { why, fix }) => {
                self.notes.problems.add_with_hint(unread, named, format!("`{path}` {why}"), &fix);
                None
            }
        }
    }

    /// Counts entries of the model.
    pub(super) fn grow(&mut self, by: usize, at: &Location) -> bool {
        self.nodes = self.nodes.saturating_add(by);
        if self.nodes > MOST_NODES {
            self.notes.problems.not_read(
                at,
                format!("the project has more than {MOST_NODES} entries"),
                "declare less here: split it into projects of their own",
            );
        }
        self.nodes <= MOST_NODES
    }
}

/// What is built is built in the project's directory, unless the file says where.
fn complete(model: &mut Map, directory: &str) {
    let services = model.get_mut("services").and_then(Node::map_mut);
    for service in services.into_iter().flat_map(BTreeMap::values_mut) {
        let Some(build) = service.map_mut().and_then(|map| map.get_mut("build")) else { continue };
        let mut here = Node::text(".", &build.at, &[]);
        if let Value::Scalar(scalar) = &mut here.value {
            scalar.path = Some(paths::join(directory, "."));
        }
        if let Some(map) = build.map_mut() {
            map.entry("context".to_owned()).or_insert(here);
        }
    }
}

/// The way from the first file or service to one that was met before.
fn chain(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().map(|name| shown_path(&name)).collect::<Vec<_>>().join(" → ")
}

/// Paths hold slashes; everything else is as for keys.
fn shown_path(path: &str) -> String {
    if path.split('/').all(|part| part.is_empty() || safe(part) == part) {
        format!("`{path}`")
    } else {
        "a file".into()
    }
}
