//! What `scan` says: what was found where, what could not be looked at, and how much it saw. Never a value, nor the text
//! around one.

use serde::Serialize;

use super::matcher::Encoding;
use super::needle::State;
use super::stream::{Found, Place};
use crate::check::NotChecked;
use crate::exit::Kind;
use crate::name::{EnvName, SecretName, VersionId};

/// The version of the report's JSON.
pub const SCHEMA_VERSION: u32 = 1;

/// What is wrong. The text form never changes once released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The value of one of our secrets.
    Leaked,
    /// What looks like somebody's credential, by its form.
    Pattern,
    /// An archive of which more comes out than is looked through: whoever makes one could hide anything in it.
    Unsearched,
}

impl Code {
    /// The code as JSON and people read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Leaked => "leaked",
            Self::Pattern => "pattern",
            Self::Unsearched => "unsearched",
        }
    }
}

/// Whether a finding fails the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    Error,
    /// It is told, and no more.
    Warning,
}

/// What a place is in. A file can be called like anything, so that its name does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Within {
    /// The message of a commit, or what stands above it.
    Commit,
    /// A file, by its name or its content.
    File,
    /// The name of a branch, a tag or another reference of git.
    Reference,
    /// The message of a tag, or what a tag names that is no commit.
    Tag,
}

/// One place where something stands that should not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// What is wrong.
    pub code: Code,
    /// The rule that found it; `leaked` for a known value.
    pub rule: &'static str,
    /// Whether it fails the command.
    pub severity: Severity,
    /// The secret whose value it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretName>,
    /// The environment of that secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvName>,
    /// The version of that secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    /// Where in its life that version is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The file, relative to the project where it is beneath it; what is in an archive stands behind a `!`. Bytes that a
    /// terminal would not show are written as `\n` or `\xff`.
    pub file: String,
    /// What that place is in: of what is in no file `file` tells in words.
    pub within: Within,
    /// The line, from 1.
    pub line: u64,
    /// The byte at which it begins, from 0, in a file that is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The first commit that has it, among those that were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// In which form it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// What is wrong, in words.
    pub message: String,
    /// A command to paste, or what to do in words.
    pub fix: String,
    /// The line of `.vault-kit-ignore` that would let it pass.
    pub ignore: String,
    /// Why it is let pass, where a line of `.vault-kit-ignore` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LookedAt {
    /// Values that were looked for.
    pub values: usize,
    /// Files, or blobs of git.
    pub files: u64,
    /// Their bytes, unpacked.
    pub bytes: u64,
    /// Commits.
    pub commits: u64,
}

/// Everything that `scan` has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// How much was looked at.
    pub looked_at: LookedAt,
    /// What fails or warns: by file, line, secret.
    pub findings: Vec<Finding>,
    /// What a line of `.vault-kit-ignore` lets pass.
    pub ignored: Vec<Finding>,
    /// What could not be looked at, or was not looked for.
    pub not_checked: Vec<NotChecked>,
    /// What was looked at and may not be what was meant, such as a range without a commit.
    pub warnings: Vec<String>,
}

impl Report {
    /// Sorted, so that the same tree makes the same report.
    pub fn new(found: Found) -> Self {
        let Found { findings, mut not_checked, looked_at, warnings } = found;
        let (mut ignored, mut findings): (Vec<_>, Vec<_>) = findings.into_iter().partition(|it| it.ignored.is_some());
        for list in [&mut findings, &mut ignored] {
            list.sort_by(|a, b| order(a).cmp(&order(b)));
            list.dedup();
        }
        not_checked.sort_unstable();
        not_checked.dedup();
        Self { schema_version: SCHEMA_VERSION, looked_at, findings, ignored, not_checked, warnings }
    }

    /// Why the command must not end with 0, if it must not: a finding that fails, or under `strict` something that was
    /// not looked at.
    pub fn exit_kind(&self, strict: bool) -> Option<Kind> {
        let fails = self.findings.iter().any(|it| it.severity == Severity::Error);
        (fails || strict && !self.not_checked.is_empty()).then_some(Kind::Findings)
    }
}

type Order<'a> =
    (&'a str, u64, Option<u64>, Code, &'a str, Option<&'a EnvName>, Option<&'a SecretName>, &'a Option<String>);

fn order(it: &Finding) -> Order<'_> {
    (&it.file, it.line, it.offset, it.code, it.rule, it.environment.as_ref(), it.secret.as_ref(), &it.commit)
}

/// Line, and offset in what is no text.
pub(super) type Position = (u64, Option<u64>);

/// What is found of no secret of ours.
pub(super) fn unowned(
    (code, rule, severity): (Code, &'static str, Severity),
    position: Position,
    place: Place<'_>,
    message: String,
    fix: String,
    ignore: String,
) -> Finding {
    Finding {
        code,
        rule,
        severity,
        secret: None,
        environment: None,
        version: None,
        state: None,
        file: place.file.to_owned(),
        within: place.within,
        line: position.0,
        offset: position.1,
        commit: place.commit.map(str::to_owned),
        encoding: None,
        message,
        fix,
        ignore,
        ignored: None,
    }
}
