//! A Compose file while it is worked on: maps, lists and scalars that know their line.

use std::collections::BTreeMap;

use super::model::{Flag, HostPath, Location, Text};
use super::problem::{Problems, shown};
use crate::gather::Gather;

pub(super) type Map = BTreeMap<String, Node>;

/// Something that stands in a file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    /// The line of its key, if it has one.
    pub at: Location,
    pub tag: Tag,
}

/// What a tag of Compose says about merging.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tag {
    #[default]
    None,
    /// `!reset`: it goes.
    Reset,
    /// `!override`: it replaces instead of being merged.
    Override,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// Without `Debug` of its text: it may be a secret.
#[derive(Clone)]
pub(super) struct Scalar {
    pub text: String,
    pub kind: Kind,
    /// Sorted.
    pub variables: Vec<String>,
    /// With `${NAME}` where the value of a variable was put in, if one was.
    pub written: Option<String>,
    /// Of a literal block (`|`): the line of its first line. The lines of others are not those of the file.
    pub first_line: Option<u32>,
    /// Whether it stood behind its name in an entry of a list: `- NAME=value`.
    pub is_pair: bool,
    /// For a path of the host: where it leads, seen from the project's root.
    pub path: Option<String>,
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scalar").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What YAML takes a scalar for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Boolean,
    Integer,
    Float,
    Date,
}

impl Node {
    pub(super) fn new(value: Value, at: &Location) -> Self {
        Self { value, at: at.clone(), tag: Tag::None }
    }

    /// A text of our own making.
    pub(super) fn text(text: impl Into<String>, at: &Location, variables: &[String]) -> Self {
        let scalar = Scalar {
            text: text.into(),
            kind: Kind::Text,
            variables: variables.to_vec(),
            written: None,
            first_line: None,
            is_pair: false,
            path: None,
        };
        Self::new(Value::Scalar(scalar), at)
    }

    /// The value in an entry such as `- NAME=value`.
    pub(super) fn paired(value: &str, entry: &Self, of: &Scalar) -> Self {
        let mut node = Self::text(value, &entry.at, &of.variables);
        if let Value::Scalar(scalar) = &mut node.value {
            scalar.is_pair = true;
            scalar.written = of.written.as_ref().and_then(|it| Some(it.split_once('=')?.1.to_owned()));
        }
        node
    }

    pub(super) fn scalar(&self) -> Option<&Scalar> {
        if let Value::Scalar(scalar) = &self.value { Some(scalar) } else { None }
    }

    pub(super) fn scalar_mut(&mut self) -> Option<&mut Scalar> {
        if let Value::Scalar(scalar) = &mut self.value { Some(scalar) } else { None }
    }

    pub(super) fn map(&self) -> Option<&Map> {
        if let Value::Map(map) = &self.value { Some(map) } else { None }
    }

    pub(super) fn map_mut(&mut self) -> Option<&mut Map> {
        if let Value::Map(map) = &mut self.value { Some(map) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[Node]> {
        if let Value::List(list) = &self.value { Some(list) } else { None }
    }

    /// The entries of a list; none of anything else.
    pub(super) fn list_mut(&mut self) -> &mut [Node] {
        if let Value::List(list) = &mut self.value { list } else { &mut [] }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The text of a scalar.
    pub(super) fn as_str(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// A scalar as the model has it.
    pub(super) fn as_text(&self) -> Option<Text> {
        let text = |scalar: &Scalar| Text::new(scalar.text.clone(), self.at.clone(), scalar.variables.clone());
        let text = |it: &Scalar| text(it).beginning_on(it.first_line).written(it.written.clone()).paired(it.is_pair);
        self.scalar().map(text)
    }

    /// A scalar that is a path of the host.
    pub(super) fn as_path(&self) -> Option<HostPath> {
        let scalar = self.scalar()?;
        Some(HostPath { path: scalar.path.clone()?, text: self.as_text()? })
    }

    /// `true` or `false`, also as a text that a variable brought.
    pub(super) fn as_flag(&self) -> Option<Flag> {
        let on = match self.as_str()?.to_ascii_lowercase().as_str() {
            "true" | "y" | "yes" | "on" => true,
            "false" | "n" | "no" | "off" => false,
            _ => return None,
        };
        Some(Flag { on, at: self.at.clone() })
    }

    /// Notes the variables that were put in below it, and where last.
    pub(super) fn variables(&self, found: &mut BTreeMap<String, Location>) {
        match &self.value {
            Value::Null => {}
            Value::Scalar(it) => found.extend(it.variables.iter().map(|name| (name.clone(), self.at.clone()))),
            Value::List(list) => list.iter().for_each(|it| it.variables(found)),
            Value::Map(map) => map.values().for_each(|it| it.variables(found)),
        }
    }

    /// How many entries it has, itself included.
    pub(super) fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::List(list) => list.iter().map(Self::count).sum(),
            Value::Map(map) => map.values().map(Self::count).sum(),
        }
    }

    /// Takes away what was to be reset, and forgets what was to replace.
    pub(super) fn settle(&mut self) {
        self.tag = Tag::None;
        match &mut self.value {
            Value::Null | Value::Scalar(_) => {}
            Value::List(list) => {
                list.retain(|it| it.tag != Tag::Reset);
                list.iter_mut().for_each(Self::settle);
            }
            Value::Map(map) => {
                map.retain(|_, it| it.tag != Tag::Reset);
                map.values_mut().for_each(Self::settle);
            }
        }
    }
}

/// What stands under a key of a map, read with a word about what it should be.
pub(super) struct Fields<'a> {
    pub map: &'a Map,
    /// The keys that lead to the map.
    pub path: String,
}

impl<'a> Fields<'a> {
    /// What stands there, unless it is null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.map.get(key).filter(|node| !node.is_null())
    }

    /// A scalar that Compose wants to be a text.
    pub(super) fn string(&self, key: &str, problems: &mut Problems) -> Option<Text> {
        let node = self.get(key)?;
        if node.scalar().is_some_and(|scalar| scalar.kind == Kind::Text) {
            return node.as_text();
        }
        problems.refused_with_hint(
            &node.at,
            format!("`{}.{key}` must be a string", self.path),
            &format!("{key}: \"…\""),
        );
        None
    }

    /// Any scalar.
    pub(super) fn scalar(&self, key: &str, problems: &mut Problems) -> Option<Text> {
        let node = self.get(key)?;
        node.as_text().or_else(|| {
            let message = format!("`{}.{key}` must be a string or a number", self.path);
            problems.refused_with_hint(&node.at, message, &format!("{key}: \"…\""));
            None
        })
    }

    /// A flag.
    pub(super) fn flag(&self, key: &str, problems: &mut Problems) -> Option<Flag> {
        let node = self.get(key)?;
        node.as_flag().or_else(|| {
            let message = format!("`{}.{key}` must be `true` or `false`", self.path);
            problems.refused_with_hint(&node.at, message, &format!("{key}: true"));
            None
        })
    }

    /// A list of strings.
    pub(super) fn strings(&self, key: &str, problems: &mut Problems) -> Vec<Text> {
        self.list(key, &[Kind::Text], problems)
    }

    /// A list of strings and whole numbers.
    pub(super) fn numbers(&self, key: &str, problems: &mut Problems) -> Vec<Text> {
        self.list(key, &[Kind::Text, Kind::Integer], problems)
    }

    /// A string, or a list of them.
    pub(super) fn words(&self, key: &str, problems: &mut Problems) -> Vec<Text> {
        match self.get(key) {
            Some(node) if node.scalar().is_some() => self.string(key, problems).into_iter().collect(),
            _ => self.strings(key, problems),
        }
    }

    fn list(&self, key: &str, kinds: &[Kind], problems: &mut Problems) -> Vec<Text> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let text = |node: &Node| node.scalar().filter(|it| kinds.contains(&it.kind)).and_then(|_| node.as_text());
        let list: Option<Vec<Text>> = node.list().and_then(|list| list.iter().map(text).collect());
        list.unwrap_or_else(|| {
            let message = format!("`{}.{key}` must be a list of strings", self.path);
            problems.refused_with_hint(&node.at, message, &format!("{key}: [\"…\"]"));
            Vec::new()
        })
    }

    /// Refuses keys without a value, but those that may be without.
    pub(super) fn refuse_nulls(&self, but: &[&str], problems: &mut Problems) {
        for (key, node) in self.map {
            if node.is_null() && !key.starts_with("x-") && !but.contains(&key.as_str()) {
                let message = format!("`{}`: {} has no value", self.path, shown(key));
                problems.refused_with_hint(&node.at, message, "give it a value, or take the line out");
            }
        }
    }

    /// A map.
    pub(super) fn below(&self, key: &str, problems: &mut Problems) -> Option<Fields<'a>> {
        let node = self.get(key)?;
        let path = format!("{}.{key}", self.path);
        if let Some(map) = node.map() {
            return Some(Fields { map, path });
        }
        problems.refused_with_hint(&node.at, format!("`{path}` must be a mapping"), &format!("{key}: {{ … }}"));
        None
    }

    /// A map of scalars; null counts as empty.
    pub(super) fn texts(&self, key: &str, problems: &mut Problems) -> BTreeMap<String, Text> {
        let Some(fields) = self.below(key, problems) else { return BTreeMap::new() };
        let text = |node: &Node| node.as_text().unwrap_or_else(|| Text::new("", node.at.clone(), Vec::new()));
        fields.map.iter().map(|(key, node)| (key.clone(), text(node))).gather()
    }
}
