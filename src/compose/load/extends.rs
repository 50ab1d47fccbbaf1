//! `extends`: a service that begins as a copy of another one, of the same file or of another.

use std::rc::Rc;

use super::{Loader, Set, chain};
use crate::compose::model::Location;
use crate::compose::problem::{ProblemKind, shown};
use crate::compose::remote::is_remote;
use crate::compose::tree::{Map, Node, Tag, Value};
use crate::compose::{merge, paths};

/// Longer chains belong to nobody.
const LONGEST: usize = 50;

/// A service of a file.
#[derive(Clone, PartialEq, Eq)]
struct Reference {
    file: String,
    service: String,
}

impl Loader<'_> {
    /// Resolves `extends` in all services of a file.
    pub(super) fn extend(&mut self, map: &mut Map, file: &str, set: &Set<'_>) {
        let Some(Value::Map(services)) = map.get_mut("services").map(|node| &mut node.value) else { return };
        let names: Vec<String> = services.keys().cloned().collect();
        for name in names {
            let reference = Reference { file: file.to_owned(), service: name.clone() };
            if let Some(service) = self.resolved(&name, services, set, &mut vec![reference]) {
                services.insert(name, service);
            }
        }
    }

    /// A service with what it extends under it; `None` where there is nothing to do or no way to do it.
    fn resolved(&mut self, name: &str, services: &Map, set: &Set<'_>, trail: &mut Vec<Reference>) -> Option<Node> {
        let service = services.get(name)?;
        let extends = service.map()?.get("extends").filter(|node| !node.is_null() && node.tag != Tag::Reset)?;
        let at = extends.at.clone();
        let field = |key: &str| extends.map()?.get(key)?.as_str();
        let Some(other) = field("service") else {
            self.notes.problems.refused(&at, format!("`extends` of {} names no service", shown(name)));
            return None;
        };
        let base = match field("file") {
            Some(file) => self.base_of_file(other, file, &at, set, trail)?,
            None => self.base(other, services, &at, set, trail)?,
        };
        let mut over = service.clone();
        over.map_mut()?.remove("extends");
        self.grow(base.count(), &at).then(|| merge::extend(base, over, &mut self.notes.problems))
    }

    fn base_of_file(
        &mut self,
        other: &str,
        file: &str,
        at: &Location,
        set: &Set<'_>,
        trail: &mut Vec<Reference>,
    ) -> Option<Node> {
        if is_remote(file) {
            let message = "what is extended is not in a file of this host";
            self.notes.problems.add(ProblemKind::Elsewhere, at, message);
            return None;
        }
        let path = paths::join(&set.directory, file);
        let services = self.services_of(&path, at, set)?;
        let directory = paths::parent(&path).to_owned();
        let set = Set { directory, values: set.values, scope: set.scope, trail: Vec::new() };
        trail.push(Reference { file: path, service: String::new() });
        let base = self.base(other, &services, at, &set, trail);
        trail.pop();
        base
    }

    /// The service that is extended, with what it extends itself.
    fn base(
        &mut self,
        other: &str,
        services: &Map,
        at: &Location,
        set: &Set<'_>,
        trail: &mut Vec<Reference>,
    ) -> Option<Node> {
        let file = trail.last()?.file.clone();
        let Some(found) = services.get(other) else {
            self.notes.problems.refused(at, format!("`extends`: there is no service {} in `{file}`", shown(other)));
            return None;
        };
        let reference = Reference { file, service: other.to_owned() };
        if trail.contains(&reference) {
            let way = trail.iter().chain([&reference]).filter(|it| !it.service.is_empty());
            let way = chain(way.map(|it| it.service.clone()));
            self.notes.problems.refused(at, format!("the services extend each other: {way}"));
            return None;
        }
        if trail.len() >= LONGEST {
            self.notes.problems.not_read(
                at,
                format!("`extends` goes over more than {LONGEST} services"),
                "extend what stands at the end of that way",
            );
            return None;
        }
        trail.push(reference);
        let mut base = self.resolved(other, services, set, trail).unwrap_or_else(|| found.clone());
        trail.pop();
        // Its own resets and overrides were about its own file.
        base.settle();
        base.map_mut()?.remove("extends");
        Some(base)
    }

    /// The services of another file, read once for each set of variables.
    fn services_of(&mut self, path: &str, at: &Location, set: &Set<'_>) -> Option<Rc<Map>> {
        let key = (set.scope, path.to_owned());
        if let Some(known) = self.extended.get(&key) {
            return known.clone();
        }
        let services = self.services_in(path, at, set).map(Rc::new);
        self.extended.insert(key, services.clone());
        services
    }

    fn services_in(&mut self, path: &str, at: &Location, set: &Set<'_>) -> Option<Map> {
        let mut whole = Map::new();
        for document in self.documents(path, at)? {
            let map = self.prepared(document, set.values, paths::parent(path))?;
            merge::merge(&mut whole, map, &mut self.notes.problems);
        }
        if let Some(Value::Map(services)) = whole.remove("services").map(|node| node.value) {
            return Some(services);
        }
        self.notes.problems.refused(at, format!("`extends`: `{path}` has no services"));
        None
    }
}
