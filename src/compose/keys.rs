//! Keys that Compose does not know, which it refuses: what is misspelt would otherwise be wanting, and nobody would miss it.

mod shapes;

use super::problem::{Problems, safe, shown};
use super::tree::{Map, Node, Tag, Value};
use crate::manifest::suggest;
use shapes::FILE;

/// What a map or list may hold.
struct Shape {
    /// The keys of a map, sorted; none = whatever somebody calls it.
    keys: &'static [&'static str],
    /// What is judged further below: by key, `*` for each entry of a map with free keys, `[]` for each of a list.
    below: &'static [(&'static str, &'static Shape)],
}

impl Shape {
    fn of(&self, key: &str) -> Option<&'static Self> {
        self.below.iter().find(|(it, _)| *it == key || *it == "*").map(|(_, shape)| *shape)
    }
}

/// Refuses the keys of a file that Compose would refuse.
pub(super) fn check(file: &Map, problems: &mut Problems) {
    map(file, &FILE, &mut Vec::new(), problems);
}

fn map<'a>(map: &'a Map, shape: &'static Shape, path: &mut Vec<&'a str>, problems: &mut Problems) {
    for (key, node) in map {
        if node.tag == Tag::Reset || key.starts_with("x-") {
            continue;
        }
        if !shape.keys.is_empty() && shape.keys.binary_search(&key.as_str()).is_err() {
            unknown(key, node, shape, path, problems);
        } else if let Some(below) = shape.of(key) {
            path.push(key);
            within(node, below, path, problems);
            path.pop();
        }
    }
}

fn within<'a>(node: &'a Node, shape: &'static Shape, path: &mut Vec<&'a str>, problems: &mut Problems) {
    match &node.value {
        Value::Map(it) => map(it, shape, path, problems),
        Value::List(list) => {
            let Some(entry) = shape.of("[]") else { return };
            for it in list {
                within(it, entry, path, problems);
            }
        }
        Value::Null | Value::Scalar(_) => {}
    }
}

fn unknown(key: &str, node: &Node, shape: &Shape, path: &[&str], problems: &mut Problems) {
    let place = path.iter().map(|part| safe(part)).collect::<Vec<_>>().join(".");
    let place = if place.is_empty() { "the file".to_owned() } else { format!("`{place}`") };
    let message = format!("{place} has {}, which Compose does not know", shown(key));
    match suggest(key, shape.keys.iter().copied()) {
        Some(guess) => problems.refused_with_hint(&node.at, message, &format!("did you mean `{guess}`?")),
        None => problems.refused_with_hint(&node.at, message, "take it out, or let it begin with `x-`"),
    }
}
