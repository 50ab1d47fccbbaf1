//! What a judgement says: a stable code, how grave it is, words, and what to do.

use serde::Serialize;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The answer is no.
    Error,
    /// It works, but somebody will stumble over it.
    Warning,
    /// Mended, or worth knowing.
    Notice,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable, for machines.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// One that makes the answer no.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), fix: None }
    }

    /// One to look into.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// One for information.
    pub fn notice(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Notice, ..Self::error(code, message) }
    }

    /// The same with a way out.
    #[must_use]
    pub fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// The same, making the answer no if it was a warning.
    #[must_use]
    pub fn grave(self) -> Self {
        let severity = if self.severity == Severity::Warning { Severity::Error } else { self.severity };
        Self { severity, ..self }
    }

    /// Whether it makes the answer no.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Text out of a file that a stranger may have written, without what would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    // U+202A–202E and U+2066–2069 turn the direction of what follows.
    let steers = |it: char| it.is_control() || matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|it| if steers(it) { char::REPLACEMENT_CHARACTER } else { it }).collect()
}
