//! What went wrong and what to do about it, in words that never hold a value.

pub mod codes;

use std::fmt;

pub use crate::exit::Kind;

/// A failure of a command: kind (→ exit code), stable code, one line, and hints that can be pasted.
///
/// The message names the place and the key, never the text that was read there.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    code: &'static str,
    message: String,
    hints: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    others: Vec<Error>,
}

/// The result of anything that can fail in a way that a person must hear of.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error; `code` is kebab-case and never changes once released, `message` is lower case
    /// without a full stop, with names and paths in backticks.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), hints: Vec::new(), source: None, others: Vec::new() }
    }

    /// Adds a line that says what to do, if possible a command to paste.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Replaces each hint, those of the errors found in the same go too.
    #[must_use]
    pub fn map_hints(mut self, change: &dyn Fn(&str) -> String) -> Self {
        self.hints = self.hints.iter().map(|hint| change(hint)).collect();
        self.others = self.others.into_iter().map(|other| other.map_hints(change)).collect();
        self
    }

    /// The same in other words, alone.
    #[must_use]
    pub fn reworded(&self, message: impl Into<String>) -> Self {
        let (hints, others) = (self.hints.clone(), Vec::new());
        Self { kind: self.kind, code: self.code, message: message.into(), hints, source: None, others }
    }

    /// Adds the cause. Only causes whose text cannot hold a value may be given: system errors, not parsers.
    #[must_use]
    pub fn source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Says that the store has the change although this failed: the run is incomplete, and can be finished.
    #[must_use]
    pub fn after_the_change(self) -> Self {
        self.incomplete().hint("the store has the change; finish with `vault-kit render`")
    }

    /// As [`Error::after_the_change`], where something else than `render` is to be done, which another hint says.
    #[must_use]
    pub fn incomplete(mut self) -> Self {
        if self.code != "durability-unknown" {
            self.kind = Kind::Incomplete;
        }
        self
    }

    /// As [`Error::incomplete`], also for the errors found in the same go.
    #[must_use]
    pub fn all_incomplete(self) -> Self {
        let mut error = self.incomplete();
        error.others = error.others.into_iter().map(Self::all_incomplete).collect();
        error
    }

    /// Takes the hints away, those of the errors found in the same go too.
    #[must_use]
    pub fn unhinted(mut self) -> Self {
        self.hints.clear();
        self.others = self.others.into_iter().map(Self::unhinted).collect();
        self
    }

    /// Says which file it is about, for parsers that know only lines.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        self.message = format!("`{file}`: {}", self.message);
        self
    }

    /// Adds errors that were found in the same go: a person wants to mend them all at once.
    #[must_use]
    pub fn also(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        self.others.extend(others);
        self
    }

    /// The first of several errors, with the others behind it; `None` when there are none.
    pub fn all(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        Some(errors.next()?.also(errors))
    }

    /// The error that decides the exit code of several, alone.
    pub fn gravest(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let errors: Vec<Self> = errors.into_iter().collect();
        let kind = Kind::most_severe(errors.iter().map(Self::kind))?;
        errors.into_iter().find(|error| error.kind == kind)
    }

    /// The errors that were found in the same go.
    pub fn others(&self) -> &[Self] {
        &self.others
    }

    /// The kind, which decides the exit code.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What to do about it.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// A bug in vault-kit: an invariant that is stated in the code does not hold.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, "bug", message)
            .hint("this is a bug in vault-kit; please report it with the command that you ran")
    }

    /// A usage error that clap cannot see.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, "usage", message)
    }

    /// The system refused or failed `what` (a phrase such as "write `.env`").
    pub fn io(what: impl fmt::Display, source: impl Into<std::io::Error>) -> Self {
        let source = source.into();
        let (kind, code) = match source.kind() {
            std::io::ErrorKind::PermissionDenied => (Kind::Permission, "permission-denied"),
            _ => (Kind::System, "system-failed"),
        };
        Self::new(kind, code, format!("cannot {what}")).source(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.source.as_deref().map(|source| source as &dyn std::error::Error);
        while let Some(source) = cause {
            write!(f, ": {source}")?;
            cause = source.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
