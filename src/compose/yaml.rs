//! YAML → tree, as the reader of Compose takes it: with lines, merge keys, and an end to what aliases may grow to.

mod scalar;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag as YamlTag};

use super::model::Location;
use super::problem::{Problems, shown};
use super::tree::{Kind, Map, Node, Tag, Value};

/// Compose gives up at as many entries, aliases counted as what they stand for.
const MOST_NODES: usize = 100_000;

/// Deeper than any Compose file; every recursion over a tree ends here.
const DEEPEST: usize = 64;

/// The documents of a file; `None` when it cannot be read as YAML, which is a problem then.
pub(super) fn read(bytes: &[u8], file: &Arc<str>, problems: &mut Problems) -> Option<Vec<Node>> {
    let at = |line| Location { file: Arc::clone(file), line };
    let Ok(text) = std::str::from_utf8(bytes) else {
        let end = bytes.len().min(std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len));
        problems.refused_with_hint(&at(line_of(&bytes[..end])), "the file is not UTF-8", "save the file as UTF-8");
        return None;
    };
    let mut builder = Builder::new(file);
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while let Some(event) = parser.next_event() {
        // What the parser says may quote the text.
        let Ok((event, span)) = event.map_err(|error| {
            problems.refused(&at(line(error.marker().line())), "this is not valid YAML here or shortly before");
        }) else {
            return None;
        };
        builder.line = line(span.start.line());
        if let Err(wrong) = builder.take(event) {
            wrong.tell(&at(builder.line), problems);
            return None;
        }
    }
    Some(builder.documents)
}

fn line(line: usize) -> u32 {
    u32::try_from(line.max(1)).unwrap_or(u32::MAX)
}

fn line_of(text: &[u8]) -> u32 {
    line(1 + memchr::memchr_iter(b'\n', text).count())
}

/// Why a document is not read on.
enum Wrong {
    Refused(String, String),
    NotRead(String, &'static str),
}

impl Wrong {
    fn refused<T>(message: impl Into<String>, hint: impl Into<String>) -> Result<T, Self> {
        Err(Self::Refused(message.into(), hint.into()))
    }

    fn tell(self, at: &Location, problems: &mut Problems) {
        match self {
            Self::Refused(message, hint) => problems.refused_with_hint(at, message, &hint),
            Self::NotRead(message, hint) => problems.not_read(at, message, hint),
        }
    }
}

/// A list or map that is not at its end.
struct Open {
    anchor: usize,
    tag: Tag,
    at: Location,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Map, key: Option<(String, Location)>, merged: Vec<Node>, merge: Option<Location> },
}

struct Builder {
    file: Arc<str>,
    line: u32,
    open: Vec<Open>,
    /// Complete ones, and how many entries they have.
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    documents: Vec<Node>,
}

impl Builder {
    fn new(file: &Arc<str>) -> Self {
        let (open, anchors, documents) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { file: Arc::clone(file), line: 1, open, anchors, nodes: 0, documents }
    }

    fn at(&self) -> Location {
        Location { file: Arc::clone(&self.file), line: self.line }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), Wrong> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref()),
            Event::SequenceStart(anchor, tag) => self.begin(anchor, tag.as_deref(), Content::List(Vec::new())),
            Event::MappingStart(anchor, tag) => {
                let content = Content::Map { entries: Map::new(), key: None, merged: Vec::new(), merge: None };
                self.begin(anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor),
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {
                Ok(())
            }
        }
    }

    /// Counts entries, before they are made.
    fn grow(&mut self, by: usize) -> Result<(), Wrong> {
        self.nodes += by;
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        Err(Wrong::NotRead(
            format!("the file has more than {MOST_NODES} entries, aliases counted as what they stand for"),
            "name fewer aliases within aliases",
        ))
    }

    fn begin(&mut self, anchor: usize, tag: Option<&YamlTag>, content: Content) -> Result<(), Wrong> {
        self.grow(1)?;
        if self.open.len() >= DEEPEST {
            return Err(Wrong::NotRead(format!("lists and mappings go deeper than {DEEPEST}"), "nest less deeply"));
        }
        if matches!(self.open.last(), Some(Open { content: Content::Map { key: None, merge: None, .. }, .. })) {
            return Wrong::refused("a key is not a string", "put the key into quotes: \"…\":");
        }
        self.open.push(Open { anchor, tag: compose_tag(tag), at: self.at(), content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Wrong> {
        let Some(Open { anchor, tag, at, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(list) => Value::List(list),
            Content::Map { mut entries, merged, .. } => {
                for (key, node) in merged.into_iter().filter_map(into_map).flatten() {
                    entries.entry(key).or_insert(node);
                }
                Value::Map(entries)
            }
        };
        self.complete(Node { value, at, tag }, anchor)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&YamlTag>) -> Result<(), Wrong> {
        self.grow(1)?;
        let at = self.at();
        let is_plain = style == ScalarStyle::Plain;
        if let Some(Open { content: Content::Map { entries, key: key @ None, merge: merge @ None, merged }, .. }) =
            self.open.last_mut()
        {
            if is_plain && text == "<<" && tag.is_none() {
                if !merged.is_empty() {
                    return Wrong::refused("`<<` stands twice in the mapping", "<<: [*first, *second]");
                }
                *merge = Some(at);
                return Ok(());
            }
            let is_text = scalar::resolve(text, is_plain, tag).is_some_and(|(_, kind)| kind == Kind::Text);
            if !is_text {
                return Wrong::refused("a key is not a string", "put the key into quotes: \"…\":");
            }
            if let Some(first) = entries.get(text) {
                return twice(&shown(text), first.at.line, at.line);
            }
            *key = Some((text.to_owned(), at));
            return Ok(());
        }
        let value = scalar::resolve(text, is_plain, tag).map_or(Value::Null, |(text, kind)| {
            // The parser places a block where the first of its lines is that is not empty.
            let empty = u32::try_from(text.bytes().take_while(|it| *it == b'\n').count()).unwrap_or_default();
            let first_line = (style == ScalarStyle::Literal).then_some(self.line.saturating_sub(empty));
            Value::Scalar(super::tree::Scalar {
                text,
                kind,
                variables: Vec::new(),
                written: None,
                first_line,
                is_pair: false,
                path: None,
            })
        });
        self.complete(Node { value, at, tag: compose_tag(tag) }, anchor)
    }

    fn alias(&mut self, anchor: usize) -> Result<(), Wrong> {
        let Some((node, count)) = self.anchors.get(&anchor) else {
            return Wrong::refused("an alias stands within what it is an alias of", "take the alias out");
        };
        let (mut node, count) = (node.clone(), *count);
        self.grow(count)?;
        if let Some(Open { content: Content::Map { key: None, merge: None, .. }, .. }) = self.open.last() {
            return match node.value {
                Value::Scalar(it) => self.scalar(&it.text, ScalarStyle::DoubleQuoted, 0, None),
                _ => Wrong::refused("a key is not a string", "put the key into quotes: \"…\":"),
            };
        }
        if !matches!(node.value, Value::Map(_)) {
            node.at = self.at();
        }
        self.complete(node, 0)
    }

    /// Puts a node where it belongs.
    fn complete(&mut self, mut node: Node, anchor: usize) -> Result<(), Wrong> {
        if anchor != 0 {
            // The copy under the anchor counts like any other: anchors within anchors would be a bomb too.
            let count = node.count();
            self.grow(count)?;
            self.anchors.insert(anchor, (node.clone(), count));
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            self.anchors.clear();
            return Ok(());
        };
        match &mut open.content {
            Content::List(list) => list.push(node),
            Content::Map { merge, merged, .. } if merge.is_some() => {
                *merge = None;
                *merged = match node.value {
                    Value::List(list) if list.iter().all(|it| it.map().is_some()) => list,
                    Value::Map(_) => vec![node],
                    _ => return Wrong::refused("`<<` takes a mapping or a list of mappings", "<<: *anchor"),
                };
            }
            Content::Map { entries, key, .. } => {
                if let Some((key, at)) = key.take() {
                    node.at = at;
                    entries.insert(key, node);
                }
            }
        }
        Ok(())
    }
}

/// A key of a mapping that it has already. Which of the two is meant, nobody knows.
fn twice<T>(key: &str, first: u32, here: u32) -> Result<T, Wrong> {
    let (message, hint) = if first == here {
        (format!("{key} stands twice in a mapping of this line"), format!("take one of the two {key} out of the line"))
    } else {
        let message = format!("{key} stands twice in the mapping, first on line {first}");
        (message, format!("take {key} out on line {first} or on line {here}"))
    };
    Wrong::refused(message, hint)
}

fn into_map(node: Node) -> Option<Map> {
    if let Value::Map(map) = node.value { Some(map) } else { None }
}

fn compose_tag(tag: Option<&YamlTag>) -> Tag {
    match tag.map(|tag| (tag.handle.as_str(), tag.suffix.as_str())) {
        Some(("!", "reset")) => Tag::Reset,
        Some(("!", "override")) => Tag::Override,
        _ => Tag::None,
    }
}
