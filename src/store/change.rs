//! What a change was: when, by whom, and of which secrets. Never a value.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::{EnvName, SecretName};

/// How many names one change lists; beyond that it only counts them.
const LISTED: usize = 100;

/// One change of a store: a line of the audit record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When.
    pub at: DateTime<Utc>,
    /// The user id that did it.
    pub uid: u32,
    /// The command, such as `set`.
    pub action: String,
    /// In which environment.
    pub environment: EnvName,
    /// The generation of the store afterwards.
    pub generation: u64,
    /// How many secrets it touched.
    pub count: usize,
    /// The first hundred of them.
    pub secrets: Vec<SecretName>,
    /// The ids of the issued keys that it touched, at most a hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subjects<'a> {
    /// The secrets that it touches.
    pub secrets: &'a [SecretName],
    /// The ids of the records that it touches.
    pub records: &'a [String],
}

impl Subjects<'_> {
    /// Whether nothing is touched.
    pub fn is_empty(self) -> bool {
        self.secrets.is_empty() && self.records.is_empty()
    }
}

impl Change {
    /// A change of these subjects by the user of this process, which makes the store's next `generation`.
    pub fn new(
        at: DateTime<Utc>,
        action: &str,
        environment: &EnvName,
        generation: u64,
        subjects: Subjects<'_>,
    ) -> Self {
        Self {
            at,
            uid: rustix::process::getuid().as_raw(),
            action: action.to_owned(),
            environment: environment.clone(),
            generation,
            count: subjects.secrets.len(),
            secrets: subjects.secrets.iter().take(LISTED).cloned().collect(),
            records: subjects.records.iter().take(LISTED).cloned().collect(),
        }
    }
}
