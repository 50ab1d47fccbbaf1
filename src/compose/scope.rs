//! The variables of a tree put in, and a note of each.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::interpolate::{Lookup, Used, Values, Wrong, substitute};
use super::model::{Address, Location, Need, Text, VariableUse};
use super::problem::{ProblemKind, Problems, safe};
use super::tree::{Node, Scalar, Value};

/// The most bytes that all texts may grow to together.
const MOST_BYTES: usize = 16 << 20;

/// What was found while files were read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub problems: Problems,
    pub uses: Vec<VariableUse>,
    pub addresses: Vec<Address>,
    /// The service that is being read.
    pub service: Option<String>,
    /// Bytes that variables have made so far.
    made: usize,
}

impl Notes {
    /// Counts bytes that are made of variables and env files.
    pub(super) fn make(&mut self, bytes: usize) -> bool {
        self.made = self.made.saturating_add(bytes);
        self.made <= MOST_BYTES
    }

    /// Notes the variables of one place.
    pub(super) fn used(&mut self, used: &Used, at: &Location, path: &str, values: &dyn Lookup) {
        for (name, need) in &used.variables {
            self.note(name, *need, at, path, values.value(name).is_some());
            if let Some(last) = self.uses.last_mut() {
                last.is_piece = used.pieces.contains(name);
            }
            let default = used.defaults.iter().find(|(it, _)| it == name && *need == Need::Default);
            if let Some((last, (_, text))) = self.uses.last_mut().zip(default) {
                last.default = Some(Text::new(text.as_str(), at.clone(), Vec::new()));
            }
        }
        for name in &used.missing {
            let message = format!("`{path}`: the required variable `{name}` is not set");
            let hint = "declare it, and have an output write it to `.env`";
            self.problems.add_with_hint(ProblemKind::Missing, at, message, hint);
        }
    }

    /// Notes one use.
    pub(super) fn note(&mut self, name: &str, need: Need, at: &Location, path: &str, known: bool) {
        let (name, path, service) = (name.to_owned(), path.to_owned(), self.service.clone());
        self.uses.push(VariableUse {
            name,
            at: at.clone(),
            path,
            service,
            need,
            known,
            default: None,
            is_piece: false,
        });
    }
}

/// Puts variables into all texts below a node; `path` leads to it.
pub(super) fn put_in(node: &mut Node, values: &Values, path: &mut String, notes: &mut Notes) {
    let length = path.len();
    match &mut node.value {
        Value::Null => {}
        Value::Scalar(scalar) => put_into(scalar, &node.at, values, path, notes),
        Value::List(list) => {
            for (index, node) in list.iter_mut().enumerate().filter(|(_, node)| !is_plain(node)) {
                let _ = write!(path, "[{index}]");
                put_in(node, values, path, notes);
                path.truncate(length);
            }
        }
        Value::Map(map) => {
            let are_services = path == "services";
            for (key, node) in map.iter_mut().filter(|(_, node)| !is_plain(node)) {
                if are_services {
                    notes.service = Some(key.clone());
                }
                if length > 0 {
                    path.push('.');
                }
                path.push_str(safe(key));
                put_in(node, values, path, notes);
                path.truncate(length);
            }
            if are_services {
                notes.service = None;
            }
        }
    }
}

/// Whether there is nothing to put in; most entries are such.
fn is_plain(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Scalar(scalar) => !scalar.text.contains('$'),
        Value::List(_) | Value::Map(_) => false,
    }
}

fn put_into(scalar: &mut Scalar, at: &Location, values: &Values, path: &str, notes: &mut Notes) {
    let mut used = Used::default();
    let made = substitute(&scalar.text, values, &mut used);
    let (name, text) = named(path, &scalar.text);
    used.note_pieces(name, text);
    notes.used(&used, at, path, values);
    scalar.variables = names(&used);
    scalar.written = (!scalar.variables.is_empty() && notes.make(used.written.len())).then_some(used.written);
    scalar.text = match made {
        Ok(text) if notes.make(text.len()) => text,
        Err(Wrong::Template) => {
            let message = format!("`{path}`: `${{` is not followed by a name and `}}`");
            let hint = "write `$$` for a dollar that is no variable";
            notes.problems.add_with_hint(ProblemKind::Refused, at, message, hint);
            String::new()
        }
        Ok(_) | Err(Wrong::TooMuch) => {
            notes.problems.not_read(
                at,
                format!("`{path}` grows too long by its variables"),
                "put fewer variables in here, or shorter ones",
            );
            String::new()
        }
    };
}

/// A text with the name of what it is the value of: the last key on the way to it, or what stands before `=` in an entry of a list.
fn named<'t>(path: &'t str, text: &'t str) -> (&'t str, &'t str) {
    if path.ends_with(']') {
        return text.split_once('=').unwrap_or(("", text));
    }
    (path.rsplit('.').next().unwrap_or_default(), text)
}

/// The variables that a text was made of, sorted. One that was only asked for left nothing in it.
pub(super) fn names(used: &Used) -> Vec<String> {
    let names = used.variables.iter().filter(|(_, need)| *need != Need::Asked).map(|(name, _)| name.clone());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}
