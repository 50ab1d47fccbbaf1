//! One file over another, and a service over what it extends: maps merge, lists grow or replace by what they hold.

use std::collections::BTreeMap;

use super::model::Location;
use super::problem::{Problems, safe, shown};
use super::tree::{Map, Node, Tag, Value};

/// The keys that lead to a place.
type Path<'a> = Vec<&'a str>;

/// Stands for whatever name; the rules do not ask for it.
const SOME: &str = "*";

/// Puts a file over what the files before it amount to.
pub(super) fn merge(base: &mut Map, over: Map, problems: &mut Problems) {
    merge_maps(base, over, &[], problems);
}

/// Puts a service over what it extends.
pub(super) fn extend(base: Node, over: Node, problems: &mut Problems) -> Node {
    merge_nodes(base, over, &["services", SOME], problems)
}

/// Puts a definition of a file over one that it includes.
pub(super) fn import(base: Node, over: Node, section: &str, problems: &mut Problems) -> Node {
    merge_nodes(base, over, &[section, SOME], problems)
}

fn merge_maps(base: &mut Map, over: Map, path: &[&str], problems: &mut Problems) {
    for (key, node) in over {
        match base.remove(&key) {
            Some(older) if node.tag == Tag::None => {
                let mut next: Path<'_> = path.to_vec();
                next.push(&key);
                let merged = merge_nodes(older, node, &next, problems);
                base.insert(key, merged);
            }
            _ => drop(base.insert(key, node)),
        }
    }
}

fn merge_nodes(base: Node, over: Node, path: &[&str], problems: &mut Problems) -> Node {
    if replaces(path) {
        return over;
    }
    if over.is_null() && !holds_values(path) {
        return base;
    }
    let at = later(&base.at, &over);
    let value = match (base.value, over.value) {
        (Value::Map(mut base), Value::Map(over)) => {
            merge_maps(&mut base, over, path, problems);
            Value::Map(base)
        }
        (Value::List(base), Value::List(over)) => Value::List(merge_lists(base, over, path)),
        (Value::Map(_) | Value::List(_), value) if !matches!(value, Value::Null) => {
            let message = format!(
                "{} is of another kind than where it is declared first",
                shown(&path.iter().map(|key| safe(key)).collect::<Vec<_>>().join("."))
            );
            problems.refused(&at, message);
            value
        }
        (_, value) => value,
    };
    Node { value, at, tag: Tag::None }
}

/// A name stands where it was declared last.
fn later(base: &Location, over: &Node) -> Location {
    if over.is_null() { base.clone() } else { over.at.clone() }
}

/// Whether a place holds names whose value may be missing on purpose.
fn holds_values(path: &[&str]) -> bool {
    matches!(
        path,
        ["services", _, "environment" | "labels" | "annotations" | "sysctls", _]
            | ["services", _, "build", "args" | "labels", _]
            | ["networks" | "volumes", _, "labels", _]
    )
}

/// Whether a place is replaced as a whole.
fn replaces(path: &[&str]) -> bool {
    matches!(path, ["services", _, "command" | "entrypoint"] | ["services", _, "healthcheck", "test"])
}

/// Leaves each thing once in the lists of all services: one file alone may say something twice.
pub(super) fn make_unique(model: &mut Map) {
    let services = model.get_mut("services").and_then(Node::map_mut);
    for service in services.into_iter().flat_map(BTreeMap::values_mut) {
        for (key, node) in service.map_mut().into_iter().flatten() {
            if let Value::List(list) = &mut node.value {
                *list = unique(std::mem::take(list), &["services", SOME, key]);
            }
        }
    }
}

/// Both, without what the later one says again.
fn merge_lists(base: Vec<Node>, over: Vec<Node>, path: &[&str]) -> Vec<Node> {
    if matches!(path, ["networks", _, "ipam", "config"]) {
        return merge_subnets(base, over);
    }
    unique(base.into_iter().chain(over).collect(), path)
}

/// A list in which each thing stands once: the last one, in the place of the first.
fn unique(list: Vec<Node>, path: &[&str]) -> Vec<Node> {
    let mut places = BTreeMap::new();
    let mut kept: Vec<Node> = Vec::with_capacity(list.len());
    for node in list {
        let identity = identity(&node, path);
        if let Some(&at) = identity.as_ref().and_then(|it| places.get(it)) {
            kept[at] = node;
        } else {
            places.extend(identity.map(|it| (it, kept.len())));
            kept.push(node);
        }
    }
    kept
}

/// What two entries must share to be about the same thing; `None` where each is one of its own.
fn identity(node: &Node, path: &[&str]) -> Option<String> {
    let ["services", _, key] = path else { return None };
    let field = |key: &str| node.map().and_then(|map| map.get(key)).and_then(Node::as_str);
    match *key {
        "cap_add" | "cap_drop" | "dns" | "dns_opt" | "dns_search" | "expose" | "links" | "profiles" | "tmpfs" => {
            Some(node.as_str()?.split('=').next()?.to_owned())
        }
        "env_file" => field("path").map(str::to_owned),
        "volumes" | "devices" => field("target").map(str::to_owned),
        "secrets" => Some(
            field("target")
                .map_or_else(|| format!("/run/secrets/{}", field("source").unwrap_or_default()), str::to_owned),
        ),
        "configs" => {
            Some(field("target").map_or_else(|| format!("/{}", field("source").unwrap_or_default()), str::to_owned))
        }
        "ports" => {
            let (host, published) = (field("host_ip").unwrap_or("0.0.0.0"), field("published").unwrap_or_default());
            Some(format!("{host}:{published}:{}/{}", field("target")?, field("protocol").unwrap_or("tcp")))
        }
        _ => None,
    }
}

/// Those of the same subnet become one.
fn merge_subnets(base: Vec<Node>, over: Vec<Node>) -> Vec<Node> {
    let subnet = |node: &Node| node.map().and_then(|map| map.get("subnet")).and_then(Node::as_str).map(str::to_owned);
    let mut merged = over;
    for node in base {
        match merged.iter_mut().find(|it| subnet(it) == subnet(&node)) {
            Some(same) => {
                if let (Some(same), Value::Map(map)) = (same.map_mut(), node.value) {
                    for (key, value) in map {
                        same.entry(key).or_insert(value);
                    }
                }
            }
            None => merged.push(node),
        }
    }
    merged
}
