//! The versions of a secret besides the current one, as an entry has them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::VersionId;

/// A version that is published ahead of its use, or still accepted after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// The version.
    pub version: VersionId,
    /// What it is waiting for.
    pub state: BesideState,
    /// The `kid` of a key pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Since when it is.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub since: DateTime<Utc>,
    /// When it may become the current one, or is retired.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub until: DateTime<Utc>,
}

/// What a version besides the current one is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum BesideState {
    /// To become the current one.
    Next,
    /// To be accepted no more.
    Retiring,
}
