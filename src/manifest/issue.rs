//! What is wrong with a manifest, told by place and key, never by the text that stands there.

use crate::error::{Error, Kind};

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// Everything that is wrong with one manifest, sorted by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issues {
    /// The manifest's path as the user knows it.
    pub file: String,
    /// At least one.
    pub issues: Vec<Issue>,
}

impl Issues {
    /// One line an issue, such as "`vault-kit.toml:14`: `secrets.A.kind` is missing".
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.issues.iter().map(|issue| format!("`{}:{}`: {}", self.file, issue.line, issue.message))
    }

    /// The error that stands for all of them and lists none: for a caller that shows [`Issues::lines`] itself.
    pub fn summary(&self) -> Error {
        let count = match self.issues.len() {
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        };
        Error::new(Kind::Manifest, "manifest-invalid", format!("`{}` has {count}", self.file))
    }
}

/// One error an issue: a person wants to mend them all at once.
impl From<Issues> for Error {
    fn from(issues: Issues) -> Self {
        let errors = issues.issues.iter().zip(issues.lines()).map(|(issue, line)| {
            let error = Self::new(Kind::Manifest, "manifest-invalid", line);
            issue.hint.iter().fold(error, Self::hint)
        });
        Self::all(errors).unwrap_or_else(|| issues.summary())
    }
}

/// Scans of all names for a "did you mean" in one run; each is linear in the size of the manifest.
const SUGGESTIONS: usize = 20;

/// Collects problems while the manifest is read, and turns offsets into lines.
#[derive(Debug)]
pub(super) struct Problems {
    /// The offset at which each line begins.
    starts: Vec<usize>,
    issues: Vec<Issue>,
    warnings: Vec<Issue>,
    suggestions: usize,
}

impl Problems {
    pub(super) fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(offset, _)| offset + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { starts, issues: Vec::new(), warnings: Vec::new(), suggestions: SUGGESTIONS }
    }

    /// The line of an offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// How many problems there are so far.
    pub(super) fn count(&self) -> usize {
        self.issues.len()
    }

    /// Adds a problem that speaks for itself.
    pub(super) fn add(&mut self, offset: usize, message: impl Into<String>) {
        self.push(offset, message.into(), None);
    }

    /// Adds a problem and what would be right.
    pub(super) fn add_with_hint(&mut self, offset: usize, message: impl Into<String>, hint: impl Into<String>) {
        self.push(offset, message.into(), Some(hint.into()));
    }

    /// Adds a problem with a name, and the name that was probably meant, if any, or else `otherwise`.
    pub(super) fn add_with_guess<'a>(
        &mut self,
        offset: usize,
        message: impl Into<String>,
        wrong: &str,
        names: impl IntoIterator<Item = &'a str>,
        otherwise: impl FnOnce() -> Option<String>,
    ) {
        let guess = if self.suggestions == 0 { None } else { super::suggest::nearest(wrong, names) };
        self.suggestions = self.suggestions.saturating_sub(1);
        let hint = guess.map(|name| format!("did you mean `{name}`?")).or_else(otherwise);
        self.push(offset, message.into(), hint);
    }

    /// Adds something that is worth a word but not wrong.
    pub(super) fn warn(&mut self, offset: usize, message: impl Into<String>, hint: impl Into<String>) {
        let line = self.line(offset);
        self.warnings.push(Issue { line, message: message.into(), hint: Some(hint.into()) });
    }

    fn push(&mut self, offset: usize, message: String, hint: Option<String>) {
        let line = self.line(offset);
        self.issues.push(Issue { line, message, hint });
    }

    /// The warnings if nothing is wrong, else everything that is.
    pub(super) fn finish(mut self, file: &str) -> Result<Vec<Issue>, Issues> {
        if self.issues.is_empty() {
            self.warnings.sort_by_key(|warning| warning.line);
            return Ok(self.warnings);
        }
        Err(self.into_issues(file))
    }

    /// Everything that is wrong.
    pub(super) fn into_issues(mut self, file: &str) -> Issues {
        self.issues.sort_by_key(|issue| issue.line);
        Issues { file: file.to_owned(), issues: self.issues }
    }
}
