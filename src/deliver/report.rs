//! What a delivery did, value-free.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::error::Error;
use crate::exit::{Exit, Kind};
use crate::name::{OutputName, SecretName};
use crate::private_file::Written;
use crate::store::ledger::DeliveredFile;

/// What was written.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Each file and what happened to it, in the order of writing.
    pub files: Vec<FileReport>,
    /// The CAs whose revocation lists were made anew.
    pub lists: Vec<SecretName>,
    /// Outputs that wait for a value.
    pub waiting: BTreeMap<OutputName, BTreeSet<SecretName>>,
    /// What only some readers get right.
    pub warnings: Vec<String>,
    /// Delivered files that still hold an older version, since their output waits.
    pub outdated: BTreeSet<String>,
    /// The files by which git and Docker leave secrets alone, and that lacked a line.
    pub ignored: Vec<&'static str>,
    /// What stands against the files of outputs that were left aside, of a world that goes on.
    pub refused: Vec<Error>,
    /// The files' lines of the ledger.
    pub records: BTreeMap<String, DeliveredFile>,
}

impl Delivered {
    /// Adds the revocation lists that were made before.
    #[must_use]
    pub fn with_lists(self, mut lists: Vec<SecretName>) -> Self {
        lists.extend(self.lists);
        Self { lists, ..self }
    }

    /// Done, unless a file still holds a version that was replaced, or was left aside: then the run is incomplete.
    pub fn exit(&self) -> Exit {
        if self.outdated.is_empty() && self.refused.is_empty() { Exit::DONE } else { Exit::from(Kind::Incomplete) }
    }
}

/// One delivered file.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// Path as the manifest writes it.
    pub path: String,
    /// Mode in octal, such as `0600`; empty for a file that is no more.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// What happened to it.
    pub outcome: Outcome,
}

impl FileReport {
    /// Of a file that is no more.
    pub(super) fn removed(path: String) -> Self {
        Self { path, mode: String::new(), outcome: Outcome::Removed }
    }
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was not there.
    Created,
    /// It held a previous value whose time is over.
    Removed,
    /// It holds something else now.
    Replaced,
    /// Only its mode or owner was narrowed.
    Tightened,
    /// It was not touched.
    Unchanged,
}

impl From<Written> for Outcome {
    fn from(written: Written) -> Self {
        match written {
            Written::Created => Self::Created,
            Written::Replaced => Self::Replaced,
            Written::Tightened => Self::Tightened,
            Written::Unchanged => Self::Unchanged,
        }
    }
}
