//! `$VAR`, `${VAR:-default}` and the like, as Compose reads them in its files and in `.env` files.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::model::Need;
use crate::credential;

/// Values by name.
pub(super) type Values = BTreeMap<String, String>;

/// Defaults within defaults: nobody means more.
const DEEPEST: usize = 32;

/// The most bytes that one text may grow to.
const LONGEST: usize = 1 << 20;

/// Why a text cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// `${` that is not closed or holds something else than a name; Compose refuses it.
    Template,
    /// It would grow too long, or goes too deep.
    TooMuch,
}

/// What a text was made of.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// In order.
    pub variables: Vec<(String, Need)>,
    /// Those whose default was put in, with it, where that is a text without variables of its own.
    pub defaults: Vec<(String, String)>,
    /// Required ones that are not there.
    pub missing: Vec<String>,
    /// Those that may be none, but a piece of a password: whoever knows what the text is the value of says so.
    pub pieces: Vec<String>,
    /// The text as it stands in the file: defaults put in, and of other values `${NAME}`.
    pub written: String,
}

impl Used {
    /// Notes which variables may be pieces of a password, in the text that is the value of `name`.
    pub(super) fn note_pieces(&mut self, name: &str, text: &str) {
        self.pieces = credential::pieces(name, text).into_iter().map(str::to_owned).collect();
    }
}

/// A source of values.
pub(super) trait Lookup {
    /// The value, if it is set.
    fn value(&self, name: &str) -> Option<&str>;
}

impl Lookup for Values {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

/// The text with its variables put in.
pub(super) fn substitute(template: &str, values: &dyn Lookup, used: &mut Used) -> Result<String, Wrong> {
    let mut text = String::with_capacity(template.len());
    Substitution { values, used, depth: 0 }.run(template, &mut text)?;
    Ok(text)
}

struct Substitution<'a> {
    values: &'a dyn Lookup,
    used: &'a mut Used,
    depth: usize,
}

impl Substitution<'_> {
    fn run(&mut self, template: &str, out: &mut String) -> Result<(), Wrong> {
        if self.depth > DEEPEST {
            return Err(Wrong::TooMuch);
        }
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            self.literal(&rest[..dollar], out);
            let behind = &rest[dollar + 1..];
            rest = if let Some(behind) = behind.strip_prefix('$') {
                self.literal("$", out);
                behind
            } else if let Some(braced) = behind.strip_prefix('{') {
                self.braced(braced, out)?
            } else {
                let name = name(behind);
                if name.is_empty() {
                    self.literal("$", out);
                } else {
                    self.plain(name, out);
                }
                &behind[name.len()..]
            };
            if out.len() > LONGEST {
                return Err(Wrong::TooMuch);
            }
        }
        self.literal(rest, out);
        Ok(())
    }

    fn literal(&mut self, text: &str, out: &mut String) {
        out.push_str(text);
        self.used.written.push_str(text);
    }

    fn plain(&mut self, name: &str, out: &mut String) {
        self.used.variables.push((name.to_owned(), Need::Expected));
        self.value(name, out);
    }

    fn value(&mut self, name: &str, out: &mut String) {
        out.push_str(self.values.value(name).unwrap_or_default());
        self.used.written.extend(["${", name, "}"]);
    }

    /// What follows `${`; the text behind its end.
    fn braced<'t>(&mut self, text: &'t str, out: &mut String) -> Result<&'t str, Wrong> {
        let name = name(text);
        let behind = &text[name.len()..];
        if name.is_empty() {
            return Err(Wrong::Template);
        }
        if let Some(rest) = behind.strip_prefix('}') {
            self.plain(name, out);
            return Ok(rest);
        }
        let (wants_text, operator) = behind.strip_prefix(':').map_or((false, behind), |it| (true, it));
        let Some(operator @ ('-' | '?' | '+')) = operator.chars().next() else { return Err(Wrong::Template) };
        let word = &behind[1 + usize::from(wants_text)..];
        let end = closing(word).ok_or(Wrong::Template)?;
        let (word, rest) = (&word[..end], &word[end + 1..]);
        let value = self.values.value(name);
        let is_there = value.is_some_and(|value| !wants_text || !value.is_empty());
        let need = match operator {
            '-' => Need::Default,
            '+' => Need::Asked,
            _ => Need::Required,
        };
        self.used.variables.push((name.to_owned(), need));
        match (operator, is_there) {
            ('-', false) if !word.contains('$') => {
                self.used.defaults.push((name.to_owned(), word.to_owned()));
                self.literal(word, out);
            }
            ('-', false) | ('+', true) => self.word(word, out)?,
            ('+', false) => {}
            ('?', false) => {
                self.used.missing.push(name.to_owned());
                self.value(name, out);
            }
            _ => self.value(name, out),
        }
        Ok(rest)
    }

    fn word(&mut self, word: &str, out: &mut String) -> Result<(), Wrong> {
        self.depth += 1;
        let done = self.run(word, out);
        self.depth -= 1;
        done
    }
}

fn name(text: &str) -> &str {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text.bytes().position(|byte| !is_part(&byte)).unwrap_or(text.len());
    if text.starts_with(|first: char| first.is_ascii_digit()) { "" } else { &text[..length] }
}

/// Where the brace ends that is open at the beginning of `word`, in its line. Compose counts braces, and does not count the one right
/// behind an opening one; where they do not come out even, the last one of the line counts.
fn closing(word: &str) -> Option<usize> {
    let mut open = 1;
    let mut last = None;
    let mut bytes = word.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => break,
            b'}' => {
                open -= 1;
                last = Some(at);
                if open == 0 {
                    break;
                }
            }
            b'{' => {
                open += 1;
                match bytes.next() {
                    Some((_, b'\n')) => break,
                    Some((at, b'}')) => last = Some(at),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    last
}
