//! `./data:/var/lib/data:ro` to its long form.

use super::Canonical;
use crate::compose::problem::{ProblemKind, Problems};
use crate::compose::tree::{Kind, Map, Node, Scalar, Tag, Value};

/// A short form, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Short {
    pub source: String,
    pub target: String,
    pub read_only: bool,
}

impl Canonical<'_> {
    /// A volume in its short form to the long one.
    pub(super) fn volume(&mut self, node: &mut Node, service: &str) {
        match &node.value {
            Value::Scalar(scalar) if scalar.kind == Kind::Text && node.tag != Tag::Reset => match parse(&scalar.text) {
                Some(short) => *node = long(&short, node, scalar),
                None => refused(node, service, self.problems),
            },
            Value::Map(map) if map.get("target").is_none_or(|it| it.scalar().is_none()) => {
                self.problems.refused(&node.at, format!("`services.{service}.volumes` has an entry without `target`"));
                node.value = Value::Map(Map::new());
            }
            Value::Map(_) => {}
            _ => refused(node, service, self.problems),
        }
        let Some(map) = node.map_mut() else { return };
        let is_bind = map.get("type").and_then(Node::as_str) == Some("bind");
        if let Some(source) = map.get_mut("source").filter(|_| is_bind) {
            self.path(source);
        }
    }
}

fn refused(node: &mut Node, service: &str, problems: &mut Problems) {
    let is_wanting = |it: &&Scalar| it.text.split(':').any(str::is_empty);
    let variables = node.scalar().filter(is_wanting).map_or(&[][..], |it| &it.variables);
    let message = format!("`services.{service}.volumes` has an entry that is no mount");
    if variables.is_empty() {
        problems.refused(&node.at, message);
    } else {
        let message = format!("{message} while `{}` has no value", variables.join("`, `"));
        problems.add(ProblemKind::Unvalued, &node.at, message);
    }
    node.value = Value::Map(Map::new());
}

fn long(short: &Short, node: &Node, scalar: &Scalar) -> Node {
    let text = |text: &str| Node::text(text, &node.at, &scalar.variables);
    let kind = if is_path(&short.source) { "bind" } else { "volume" };
    let mut map = Map::from([("type".to_owned(), text(kind)), ("target".to_owned(), text(&short.target))]);
    if !short.source.is_empty() {
        map.insert("source".to_owned(), text(&short.source));
    }
    if short.read_only {
        map.insert("read_only".to_owned(), text("true"));
    }
    Node::new(Value::Map(map), &node.at)
}

/// `[SOURCE:]TARGET[:OPTIONS]`; a colon behind a single letter is a Windows drive's.
pub(super) fn parse(text: &str) -> Option<Short> {
    if text.is_empty() {
        return None;
    }
    if text.len() <= 2 {
        return Some(Short { target: text.to_owned(), ..Short::default() });
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(':') {
        let part = &text[start..at];
        let is_drive = part.chars().count() == 1 && part.chars().all(char::is_alphabetic);
        if !is_drive {
            parts.push(part);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let (source, target, options) = match parts[..] {
        [target] => ("", target, ""),
        [source, target] => (source, target, ""),
        [source, target, options] => (source, target, options),
        _ => return None,
    };
    let last = options.split(',').rfind(|option| matches!(*option, "ro" | "rw"));
    Some(Short { source: source.into(), target: target.into(), read_only: last == Some("ro") })
}

/// Whether the source is a path and not the name of a volume.
fn is_path(source: &str) -> bool {
    let mut chars = source.chars();
    let is_drive = chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some(':');
    source.starts_with(['.', '/', '~']) || source.starts_with(r"\\") || is_drive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_mounts_are_taken_apart() {
        for (text, source, target, read_only) in [
            ("/data", "", "/data", false),
            ("data:/data", "data", "/data", false),
            ("./a:/b:ro", "./a", "/b", true),
            ("./a:/b:ro,z", "./a", "/b", true),
            ("./a:/b:rw", "./a", "/b", false),
            ("C:\\x:/b", "C:\\x", "/b", false),
        ] {
            let expected = Short { source: source.into(), target: target.into(), read_only };
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        assert!(["", "aa::b", ":/b", "./a:/b:ro:x", "abc:"].iter().all(|text| parse(text).is_none()));
        assert!(is_path("~/x") && is_path("C:\\x") && !is_path("data") && !is_path(""));
    }
}
