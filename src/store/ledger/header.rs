//! The first line of a ledger: which store it belongs to, who can open that, and when something is due.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::is_false;
use crate::name::{EnvName, SecretName, VersionId};
use crate::store::AwsBinding;
use crate::store::rotations::Trouble;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`super::SCHEMA_VERSION`].
    pub vault_kit_ledger: u32,
    /// The project's name.
    pub project: String,
    /// The environment.
    pub environment: EnvName,
    /// Identity of the store; a copy of an old store has the same one.
    pub store_id: VersionId,
    /// Counts the store's changes.
    pub generation: u64,
    /// SHA-256 of the sealed store's bytes, in hex.
    pub store_digest: String,
    /// Newest time in the store.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub updated: DateTime<Utc>,
    /// Who can open the store, by a person's name.
    pub recipients: BTreeMap<String, String>,
    /// Whether the manifest declared them when the store was sealed to them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recipients_declared: bool,
    /// The AWS account and prefix that the store is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsBinding>,
    /// When a pull last had an answer of AWS. Written now and then: it is never later than the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub contacted: Option<DateTime<Utc>>,
    /// The versions of leaked values that files were delivered with, or that are published to sign next.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub banned: BTreeSet<VersionId>,
    /// The values that leaked, are replaced, and may be accepted all the same, by the incident's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaks: BTreeMap<String, Vec<Leak>>,
    /// The files of `NAME=value` lines that were delivered with values that leaked and that the store still has: lines of others
    /// in them may have those too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub leaked_into: BTreeSet<String>,
    /// From when on `rotate --due` has something to do, by the manifest of that digest; `None` = never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub due: Option<DateTime<Utc>>,
    /// When it was found that a window was missed, which `due` would have named: by a clock that is behind this it is not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub missed: Option<DateTime<Utc>>,
    /// SHA-256 of the manifest that this ledger was written by, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Whether that manifest's default environment is this one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_default: bool,
    /// Whether a writer died before every file was written.
    #[serde(default, skip_serializing_if = "is_false")]
    pub behind: bool,
    /// The hooks whose programs are still to read changed files, and what went wrong with each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reloads: BTreeMap<String, Trouble>,
    /// The secrets that changed since the program of such a hook read its files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, BTreeSet<SecretName>>,
}

/// What the store alone tells of who may still accept a value that leaked and was replaced: which hooks there are says the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// The secret that it was the value of.
    pub secret: SecretName,
    /// Whether it is what its owner knows, which was not told the value in force.
    #[serde(default, skip_serializing_if = "is_false")]
    pub untold: bool,
    /// Whether its owner was told it, and was not asked to refuse it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub told: bool,
    /// Whether the secret was forgotten before that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub forgotten: bool,
}
