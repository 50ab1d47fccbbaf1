//! The short forms of a Compose file to their long ones, so that merging and reading meet one form each.

mod mounts;
mod ports;

use super::model::Location;
use super::paths;
use super::problem::{Problems, safe, shown};
use super::remote::is_remote;
use super::tree::{Kind, Map, Node, Tag, Value};

/// Where relative paths of a file begin, and who hears of problems.
pub(super) struct Canonical<'a> {
    /// Seen from the project's root; empty for the root.
    pub directory: &'a str,
    pub problems: &'a mut Problems,
}

impl Canonical<'_> {
    /// Brings a whole file to its long forms.
    pub(super) fn file(&mut self, root: &mut Map) {
        for (name, service) in sections(root, "services", self.problems) {
            self.service(service, safe(name));
        }
        for section in ["secrets", "configs", "networks", "volumes"] {
            for (_, node) in sections(root, section, self.problems) {
                self.definition(node);
            }
        }
        if let Some(include) = root.get_mut("include") {
            self.list(include, "include", &mut |_, node| {
                if node.scalar().is_some() {
                    let path = std::mem::replace(&mut node.value, Value::Null);
                    node.value = Value::Map(Map::from([("path".to_owned(), Node::new(path, &node.at))]));
                }
            });
        }
    }

    fn definition(&mut self, node: &mut Node) {
        let Some(map) = node.map_mut() else { return };
        if let Some(file) = map.get_mut("file") {
            self.path(file);
        }
        if let Some(device) = map.get_mut("driver_opts").and_then(Node::map_mut).and_then(|it| it.get_mut("device")) {
            self.path(device);
        }
        let Some(external) = map.get_mut("external") else { return };
        let Value::Map(named) = &mut external.value else { return };
        let name = named.remove("name");
        *external = Node { tag: external.tag, ..Node::text("true", &external.at, &[]) };
        if let Some(name) = name {
            map.entry("name".to_owned()).or_insert(name);
        }
    }

    fn service(&mut self, node: &mut Node, name: &str) {
        let Some(map) = node.map_mut() else { return };
        let path = |key: &str| format!("services.{name}.{key}");
        for key in ["annotations", "environment", "labels"] {
            self.pairs(map, key, &path(key));
        }
        for key in ["networks", "depends_on"] {
            self.names(map, key, &path(key));
        }
        for key in ["env_file", "tmpfs"] {
            one_to_list(map.get_mut(key));
        }
        if let Some(node) = map.get_mut("env_file") {
            self.list(node, &path("env_file"), &mut |this, node| this.env_file(node));
        }
        if let Some(node) = map.get_mut("ports") {
            self.ports(node, &path("ports"));
        }
        if let Some(node) = map.get_mut("volumes") {
            self.list(node, &path("volumes"), &mut |this, node| this.volume(node, name));
        }
        for key in ["secrets", "configs"] {
            self.mounts(map.get_mut(key), &path(key));
        }
        if let Some(extends) = map.get_mut("extends") {
            wrap(extends, "service");
        }
        if let Some(build) = map.get_mut("build") {
            self.build(build, &path("build"));
        }
        for key in ["post_start", "pre_stop"] {
            self.hooks(map.get_mut(key), &path(key));
        }
        let watch = map.get_mut("develop").and_then(Node::map_mut).and_then(|map| map.get_mut("watch"));
        for node in watch.into_iter().flat_map(Node::list_mut) {
            if let Some(watched) = node.map_mut().and_then(|map| map.get_mut("path")) {
                self.path(watched);
            }
            if let Some(exec) = node.map_mut().and_then(|map| map.get_mut("exec")).and_then(Node::map_mut) {
                self.pairs(exec, "environment", &path("develop.watch.exec.environment"));
            }
        }
    }

    fn hooks(&mut self, node: Option<&mut Node>, path: &str) {
        for map in node.into_iter().flat_map(Node::list_mut).filter_map(Node::map_mut) {
            self.pairs(map, "environment", &format!("{path}.environment"));
        }
    }

    fn build(&mut self, node: &mut Node, path: &str) {
        wrap(node, "context");
        let Some(map) = node.map_mut() else { return };
        for key in ["args", "labels"] {
            self.pairs(map, key, &format!("{path}.{key}"));
        }
        self.mounts(map.get_mut("secrets"), &format!("{path}.secrets"));
        if let Some(context) = map.get_mut("context") {
            self.context(context);
        }
        match map.get_mut("additional_contexts").map(|it| &mut it.value) {
            Some(Value::Map(map)) => map.values_mut().for_each(|it| self.context(it)),
            Some(Value::List(list)) => list.iter_mut().for_each(|it| self.context(it)),
            _ => {}
        }
    }

    /// A directory that is built from, unless it is an address, an image or what another service builds.
    fn context(&mut self, node: &mut Node) {
        let Some(scalar) = node.scalar_mut().filter(|it| it.kind == Kind::Text) else { return };
        // `NAME=path` in a list.
        let path = scalar.text.split_once('=').map_or(scalar.text.as_str(), |(_, path)| path);
        if !is_remote(path) && !path.starts_with("service:") {
            scalar.path = Some(paths::join(self.directory, path));
        }
    }

    fn mounts(&mut self, node: Option<&mut Node>, path: &str) {
        let Some(node) = node else { return };
        self.list(node, path, &mut |_, node| wrap(node, "source"));
    }

    fn env_file(&mut self, node: &mut Node) {
        wrap(node, "path");
        if let Some(path) = node.map_mut().and_then(|map| map.get_mut("path")) {
            self.path(path);
        }
    }

    /// Notes where a path leads.
    fn path(&mut self, node: &mut Node) {
        if let Some(scalar) = node.scalar_mut().filter(|it| it.kind == Kind::Text) {
            scalar.path = Some(paths::join(self.directory, &scalar.text));
        }
    }

    /// Does something to each entry of a list; anything else than a list is refused, unless it is to go or is nothing.
    fn list(&mut self, node: &mut Node, path: &str, change: &mut dyn FnMut(&mut Self, &mut Node)) {
        match &mut node.value {
            Value::List(list) => list.iter_mut().for_each(|node| change(self, node)),
            Value::Null => {}
            _ if node.tag == Tag::Reset => {}
            _ => self.problems.refused_with_hint(
                &node.at,
                format!("`{path}` must be a list"),
                &format!("{}: [ … ]", last(path)),
            ),
        }
    }

    /// `NAME=value` lines to a map; a name alone has no value.
    fn pairs(&mut self, map: &mut Map, key: &str, path: &str) {
        let Some(node) = map.get_mut(key) else { return };
        let Value::List(list) = &node.value else { return self.values(node, path) };
        let mut pairs = Map::new();
        for node in list {
            let Some(scalar) = node.scalar().filter(|scalar| scalar.kind == Kind::Text) else {
                self.problems.refused_with_hint(
                    &node.at,
                    format!("`{path}` has an entry that is not a string"),
                    "put the entry into quotes: \"…\"",
                );
                continue;
            };
            let (name, value) = match scalar.text.split_once('=') {
                Some((name, value)) => (name, Node::paired(value, node, scalar)),
                None => (scalar.text.as_str(), Node::new(Value::Null, &node.at)),
            };
            if name.ends_with(char::is_whitespace) {
                self.problems.refused_with_hint(
                    &node.at,
                    format!("`{path}` has a name with a blank behind it"),
                    "write it without blanks: NAME=value",
                );
            }
            pairs.insert(name.to_owned(), value);
        }
        node.value = Value::Map(pairs);
    }

    /// A map that may hold nothing but scalars.
    fn values(&mut self, node: &Node, path: &str) {
        let Some(map) = node.map() else {
            if !node.is_null() && node.tag != Tag::Reset {
                self.problems.refused_with_hint(
                    &node.at,
                    format!("`{path}` must be a mapping or a list"),
                    &format!("{}: [\"…\"]", last(path)),
                );
            }
            return;
        };
        for (key, node) in map {
            let is_value = node.is_null() || node.scalar().is_some_and(|it| it.kind != Kind::Date);
            if !is_value {
                let message = format!("`{path}`: {} must be a string, a number or a truth value", shown(key));
                self.problems.refused_with_hint(&node.at, message, &format!("{}: \"…\"", safe(key)));
            }
        }
    }

    /// A list of names to a map without values.
    fn names(&mut self, map: &mut Map, key: &str, path: &str) {
        let Some(node) = map.get_mut(key) else { return };
        let Value::List(list) = &node.value else {
            if node.scalar().is_some() && node.tag != Tag::Reset {
                self.problems.refused_with_hint(
                    &node.at,
                    format!("`{path}` must be a mapping or a list"),
                    &format!("{}: [\"…\"]", last(path)),
                );
            }
            return;
        };
        let mut names = Map::new();
        for node in list {
            match node.as_str() {
                Some(name) => drop(names.insert(name.to_owned(), Node::new(Value::Null, &node.at))),
                None => self.problems.refused_with_hint(
                    &node.at,
                    format!("`{path}` has an entry that is not a string"),
                    "put the entry into quotes: \"…\"",
                ),
            }
        }
        node.value = Value::Map(names);
    }

    /// Says that an entry is not as it must be.
    fn refused<T>(&mut self, at: &Location, message: String) -> Option<T> {
        self.problems.refused(at, message);
        None
    }
}

/// The entries of a top-level section, which must be a map of maps.
fn sections<'a>(root: &'a mut Map, section: &str, problems: &mut Problems) -> Vec<(&'a String, &'a mut Node)> {
    let Some(node) = root.get_mut(section) else { return Vec::new() };
    if node.map().is_none() && node.tag != Tag::Reset {
        problems.refused_with_hint(&node.at, format!("`{section}` must be a mapping"), &format!("{section}: {{ … }}"));
        node.value = Value::Null;
    }
    let Value::Map(map) = &mut node.value else { return Vec::new() };
    let may_be_empty = matches!(section, "networks" | "volumes");
    for (name, node) in map.iter_mut() {
        if node.tag == Tag::Reset || node.map().is_some() || may_be_empty && node.is_null() {
            continue;
        }
        problems.refused_with_hint(
            &node.at,
            format!("{} of `{section}` must be a mapping", shown(name)),
            &format!("{}: {{ … }}", safe(name)),
        );
        node.value = Value::Map(Map::new());
    }
    map.iter_mut().filter(|(_, node)| node.tag != Tag::Reset).collect()
}

/// A scalar to a map that has it under a key.
fn wrap(node: &mut Node, key: &str) {
    if node.scalar().is_some() && node.tag != Tag::Reset {
        let inner = Node::new(std::mem::replace(&mut node.value, Value::Null), &node.at);
        node.value = Value::Map(Map::from([(key.to_owned(), inner)]));
    }
}

/// A scalar to a list of it.
fn one_to_list(node: Option<&mut Node>) {
    if let Some(node) = node.filter(|node| node.scalar().is_some() && node.tag != Tag::Reset) {
        let inner = Node::new(std::mem::replace(&mut node.value, Value::Null), &node.at);
        node.value = Value::List(vec![inner]);
    }
}

/// The last key of a way.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
