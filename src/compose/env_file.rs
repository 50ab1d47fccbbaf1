//! `.env` and env files as Compose reads them: with variables put in, which no other reader does quite so.
//!
//! The reader of `emit` is for files that we write or take over; this one is for what Compose will make of a file.

mod line;
#[cfg(test)]
mod tests;

use super::interpolate::{Lookup, Used, Values, Wrong, substitute};
use super::model::Location;
use super::problem::{ProblemKind, Problems};
use line::Cursor;

/// One assignment.
#[derive(Debug)]
pub(super) struct Assignment {
    pub name: String,
    /// Line, from 1.
    pub line: u32,
    pub given: Given,
}

#[derive(Debug)]
pub(super) enum Given {
    /// A name alone: the value is the host's.
    Inherited,
    /// With the variables that were put in.
    Value { text: String, used: Used },
}

/// A line that Compose refuses, and why; or one that we do not read on from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub line: u32,
    pub why: &'static str,
    pub too_much: bool,
}

impl Bad {
    /// Says so.
    pub(super) fn tell(&self, path: &str, problems: &mut Problems) {
        let at = Location { file: path.into(), line: self.line };
        let kind = if self.too_much { ProblemKind::NotRead } else { ProblemKind::Refused };
        problems.add(kind, &at, self.why);
    }
}

/// Values of the host first, then those of the file so far.
struct Both<'a>(&'a dyn Lookup, &'a Values);

impl Lookup for Both<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.0.value(name).or_else(|| self.1.value(name))
    }
}

/// The assignments of a file in order. `known` are values of files before, and get those of this one.
pub(super) fn read(bytes: &[u8], host: &dyn Lookup, known: &mut Values) -> Result<Vec<Assignment>, Bad> {
    let text = text_of(bytes)?;
    let mut cursor = Cursor::new(text);
    let mut assignments = Vec::new();
    while cursor.next_statement() {
        let (line, (name, is_assigned)) = (cursor.line, cursor.name()?);
        let given = if is_assigned {
            let (raw, is_expanded) = cursor.value()?;
            let mut used = Used::default();
            let text = if is_expanded {
                let text = expanded(&raw, line, &Both(host, known), &mut used)?;
                used.note_pieces(&name, &raw);
                text
            } else {
                raw
            };
            known.insert(name.clone(), text.clone());
            Given::Value { text, used }
        } else {
            if let Some(value) = host.value(&name) {
                known.insert(name.clone(), value.to_owned());
            }
            Given::Inherited
        };
        assignments.push(Assignment { name, line, given });
    }
    Ok(assignments)
}

/// As [`read`], of a file of `format: raw`: what is behind `=` is the value.
pub(super) fn read_raw(bytes: &[u8], host: &dyn Lookup, known: &mut Values) -> Result<Vec<Assignment>, Bad> {
    let mut assignments = Vec::new();
    for (index, text) in text_of(bytes)?.lines().enumerate() {
        let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Bad { line, why: "a name is missing or has blanks", too_much: false });
        }
        let known_value = value.or_else(|| host.value(name));
        known.extend(known_value.map(|value| (name.to_owned(), value.to_owned())));
        let given =
            value.map_or(Given::Inherited, |value| Given::Value { text: value.to_owned(), used: Used::default() });
        assignments.push(Assignment { name: name.to_owned(), line, given });
    }
    Ok(assignments)
}

fn text_of(bytes: &[u8]) -> Result<&str, Bad> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Bad { line: 1, why: "the file is not UTF-8", too_much: false })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn expanded(raw: &str, line: u32, values: &dyn Lookup, used: &mut Used) -> Result<String, Bad> {
    let text = substitute(raw, values, used).map_err(|wrong| match wrong {
        Wrong::Template => Bad { line, why: "`${` is not followed by a name and `}`", too_much: false },
        Wrong::TooMuch => Bad { line, why: "the value grows too long", too_much: true },
    })?;
    if used.missing.is_empty() {
        return Ok(text);
    }
    Err(Bad { line, why: "a required variable is not set", too_much: false })
}
