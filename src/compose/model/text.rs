//! A text of a Compose file.

use std::fmt;

use super::Location;

/// A scalar after interpolation. It may hold a secret, so `Debug` shows only where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    content: String,
    /// Where it is written.
    pub at: Location,
    /// The variables that were put into it, sorted; none for a literal.
    pub variables: Vec<String>,
    /// Where its first line stands, if each of its lines is one of the file.
    first_line: Option<u32>,
    /// As it stands in the file, if that is not the content.
    written: Option<String>,
    /// Whether it is written as `- NAME=value`, rather than as `NAME: value`.
    pub is_pair: bool,
}

impl Text {
    /// A text with its place and the variables that it was made with.
    pub fn new(text: impl Into<String>, at: Location, variables: Vec<String>) -> Self {
        Self { content: text.into(), at, variables, first_line: None, written: None, is_pair: false }
    }

    /// A text whose lines are those of the file, from this one on.
    pub(in crate::compose) fn beginning_on(self, first_line: Option<u32>) -> Self {
        Self { first_line, ..self }
    }

    /// A text that stands behind its name in one entry of a list.
    pub(in crate::compose) fn paired(self, is_pair: bool) -> Self {
        Self { is_pair, ..self }
    }

    /// A text that stands in the file like this.
    pub(in crate::compose) fn written(self, written: Option<String>) -> Self {
        Self { written, ..self }
    }

    /// The text as it stands in the file: where a variable's value is put in, with `${NAME}`. `None` = that is not known.
    pub fn as_written(&self) -> Option<&str> {
        self.written.as_deref().or_else(|| self.is_literal().then_some(self.as_str()))
    }

    /// The line of the file that a line of the text stands on, both from 1: that of the whole text, where this is not known.
    pub fn line_of(&self, line: u32) -> u32 {
        self.first_line.map_or(self.at.line, |first| first.saturating_add(line).saturating_sub(1))
    }

    /// The text as the container or the daemon gets it. Never to be shown: a variable may have brought a secret.
    pub fn as_str(&self) -> &str {
        &self.content
    }

    /// Whether it stands in the Compose file as it is, without any variable.
    pub fn is_literal(&self) -> bool {
        self.variables.is_empty()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Text");
        shown.field("at", &self.at).field("variables", &self.variables).finish_non_exhaustive()
    }
}
