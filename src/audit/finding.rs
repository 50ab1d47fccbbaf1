//! What can be wrong with the record, in words.

use serde::Serialize;

use crate::check::NotChecked;
use crate::name::EnvName;

/// What is wrong, or worth to be known. Never changes once released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A line that is no record.
    ForeignLine,
    /// A record that was changed, or that somebody without the key wrote.
    AlteredLine,
    /// A record without a place in the chain, where there is one already.
    UnchainedLine,
    /// Records that are gone from the middle.
    MissingLines,
    /// Records that stand behind later ones.
    MovedLines,
    /// Records that stand there already, or others in their place.
    RepeatedLines,
    /// A record that was not made behind the one before it: the store was put back to an older state in between.
    TwoHistories,
    /// What was there before the chain began has changed.
    OldLinesChanged,
    /// The first records are gone.
    HeadMissing,
    /// The last record is not there, and the store has it: the next writer appends it.
    LastLineMissing,
    /// The last records are gone.
    TailMissing,
    /// The record that the store knows as the last one is another one in the file.
    LastLineDiffers,
    /// The record tells of changes that are not in the store.
    StoreBehind,
    /// A line that a crash cut off.
    TornLine,
    /// What was announced and not done.
    NotDone,
    /// An older store was put back, and then changed.
    StoreWentBack,
}

impl Code {
    /// The code as it stands in JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::ForeignLine => "foreign-line",
            Self::AlteredLine => "altered-line",
            Self::UnchainedLine => "unchained-line",
            Self::MissingLines => "missing-lines",
            Self::MovedLines => "moved-lines",
            Self::RepeatedLines => "repeated-lines",
            Self::TwoHistories => "two-histories",
            Self::OldLinesChanged => "old-lines-changed",
            Self::HeadMissing => "head-missing",
            Self::LastLineMissing => "last-line-missing",
            Self::TailMissing => "tail-missing",
            Self::LastLineDiffers => "last-line-differs",
            Self::StoreBehind => "store-behind",
            Self::TornLine => "torn-line",
            Self::NotDone => "not-done",
            Self::StoreWentBack => "store-went-back",
        }
    }

    /// Whether it belongs to a sound record: a crash leaves it, or somebody who has the key.
    pub fn is_note(self) -> bool {
        matches!(self, Self::TornLine | Self::NotDone | Self::StoreWentBack)
    }

    /// A command to paste, or what to do in words.
    fn fix(self) -> Option<&'static str> {
        const OTHER_COPY: &str =
            "compare with a copy that was kept elsewhere; find out who may write to the file besides you";
        match self {
            Self::HeadMissing => Some(
                "name the files that hold them, oldest first: `vault-kit audit verify --old FILE`; `--rotated` if they were \
                 removed on purpose",
            ),
            Self::LastLineMissing => Some("`vault-kit render` appends it"),
            Self::TailMissing => Some(
                "put the newer file back; where the lines are in files that were rotated away, name those: `vault-kit audit \
                 verify --old FILE`",
            ),
            Self::StoreBehind => Some("take the newer store with `vault-kit store recover`, or restore a backup of it"),
            code if code.is_note() => None,
            _ => Some(OTHER_COPY),
        }
    }
}

/// One thing that is wrong, or worth to be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// The file, as it was named; relative to the manifest's directory when it is ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1, that it is about or stands behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What it is, in words.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    pub(super) fn new(code: Code, place: Option<(String, u64)>, message: String) -> Self {
        let (file, line) = place.unzip();
        Self { code, file, line, message, fix: code.fix().map(str::to_owned) }
    }
}

/// Everything that is to be said of a record.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of this object.
    pub schema_version: u32,
    /// The environment whose chain was looked at.
    pub environment: EnvName,
    /// Lines of all environments that were read.
    pub lines: u64,
    /// Lines of this environment's chain that are what whoever has the key wrote.
    pub proven: u64,
    /// How many lines the chain has, as the store knows it; absent where it has none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<u64>,
    /// The problems, by place.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more_findings: usize,
    /// What is sound, and worth to be known.
    pub notes: Vec<Finding>,
    /// What could not be looked at.
    pub not_checked: Vec<NotChecked>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The lines of a chain, by their numbers.
pub(super) fn numbered(from: u64, to: u64) -> String {
    if from == to { format!("line {from} of the chain") } else { format!("lines {from} to {to} of the chain") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_the_same_in_json_and_in_text() {
        for code in [Code::ForeignLine, Code::LastLineMissing, Code::TwoHistories, Code::StoreWentBack] {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.text()));
        }
    }
}
