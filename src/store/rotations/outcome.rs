//! How rotations ended.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Rotations;
use crate::name::SecretName;

/// How a rotation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// When.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub at: DateTime<Utc>,
    /// How.
    pub outcome: Ending,
    /// From its beginning, in seconds.
    pub seconds: u64,
    /// When one before it put a new value in force; of one that did so itself, absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub promoted: Option<DateTime<Utc>>,
}

impl Outcome {
    /// When a rotation last put a new value in force.
    pub fn success(&self) -> Option<DateTime<Utc>> {
        if self.outcome == Ending::Promoted { Some(self.at) } else { self.promoted }
    }
}

/// How a rotation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It was given up, and the value before it is in force.
    Aborted,
    /// The new value is in force.
    Promoted,
}

impl Rotations {
    /// Notes how a rotation that began at `started` ended.
    pub fn note(&mut self, name: &SecretName, outcome: Ending, started: DateTime<Utc>, at: DateTime<Utc>) {
        let seconds = u64::try_from((at - started).num_seconds()).unwrap_or_default();
        let before = self.results.get(name).and_then(Outcome::success);
        let promoted = before.filter(|_| outcome != Ending::Promoted);
        self.results.insert(name.clone(), Outcome { at, outcome, seconds, promoted });
    }
}
