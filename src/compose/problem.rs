//! What is wrong with Compose files, told by place and key, never by the text that stands there.

use super::model::Location;

/// Who says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Compose would refuse to go on.
    Refused,
    /// Compose would refuse to go on until somebody sets a required variable or supplies a file.
    Missing,
    /// It cannot be read, or grows without end: what stands there, or follows from it, is not known.
    NotRead,
    /// It takes a variable that has no value here: whoever deploys may have one.
    Unvalued,
    /// It lies where we do not look: outside of the project, or not on this host.
    Elsewhere,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub at: Location,
    /// Who says no.
    pub kind: ProblemKind,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// Of more problems than this, nobody reads the rest.
const MOST: usize = 100;

/// Collects problems.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, kind: ProblemKind, at: &Location, message: impl Into<String>) {
        self.push(Problem { at: at.clone(), kind, message: message.into(), hint: None });
    }

    pub(super) fn add_with_hint(&mut self, kind: ProblemKind, at: &Location, message: impl Into<String>, hint: &str) {
        self.push(Problem { at: at.clone(), kind, message: message.into(), hint: Some(hint.to_owned()) });
    }

    /// Compose would refuse it.
    pub(super) fn refused(&mut self, at: &Location, message: impl Into<String>) {
        self.add(ProblemKind::Refused, at, message);
    }

    /// Compose would refuse it, and this would be right.
    pub(super) fn refused_with_hint(&mut self, at: &Location, message: impl Into<String>, hint: &str) {
        self.add_with_hint(ProblemKind::Refused, at, message, hint);
    }

    /// It cannot be read, or we did not read on.
    pub(super) fn not_read(&mut self, at: &Location, message: impl Into<String>, hint: &str) {
        self.add_with_hint(ProblemKind::NotRead, at, message, hint);
    }

    fn push(&mut self, problem: Problem) {
        if self.0.len() < MOST && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// Whether what is missing may stand in what was not read.
    pub(super) fn is_partial(&self) -> bool {
        self.0.iter().any(|it| matches!(it.kind, ProblemKind::NotRead | ProblemKind::Elsewhere))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By place.
    pub(super) fn sorted(mut self) -> Vec<Problem> {
        self.0.sort_unstable();
        self.0
    }
}

/// A key in backticks, if it looks like one.
pub(super) fn shown(key: &str) -> String {
    if safe(key) == key { format!("`{key}`") } else { "a key".into() }
}

/// A key, if it looks like one; whatever else stands where a key is due may be a value.
pub(super) fn safe(key: &str) -> &str {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'*');
    if key.len() <= 100 && !key.is_empty() && key.bytes().all(is_name) { key } else { "…" }
}
