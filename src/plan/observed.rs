//! What the planner is told: the store without values, and which keys verifiers know.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::name::{SecretName, VersionId};

/// What the store holds, without values.
#[derive(Debug, Default)]
pub struct Observed {
    /// The current version of each secret.
    pub secrets: BTreeMap<SecretName, Known>,
    /// Those that a person gave a new value in this run: what is made from them follows.
    pub changed: BTreeSet<SecretName>,
    /// Those that are somewhere else: where one is missing here, it is not made.
    pub elsewhere: BTreeSet<SecretName>,
    /// The keys and roots that verifiers know by a file, and from when on a successor that is published now may sign.
    pub published: BTreeMap<SecretName, DateTime<Utc>>,
    /// Those of them, and of what has a successor that is published, whose value in force leaked.
    pub leaked_published: BTreeSet<SecretName>,
    /// The successors that are published and do not sign yet.
    pub next: BTreeMap<SecretName, Next>,
    /// What [`Known::recipe`] would be for each derived secret as it is declared now.
    pub recipes: BTreeMap<SecretName, String>,
}

/// A key that is published ahead of its use.
#[derive(Debug, Clone, Copy)]
pub struct Next {
    /// From when on it may sign.
    pub from: DateTime<Utc>,
    /// Whether that time has come.
    pub is_due: bool,
    /// Whether every file that should publish it does.
    pub is_delivered: bool,
    /// Whether it is still what the declaration asks for; one that is not never signs.
    pub is_as_declared: bool,
}

/// A secret's current version.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub version: VersionId,
    /// Digest of the declaration that it was made from; `None` for values that are not derived or came by hand.
    pub recipe: Option<String>,
    /// The versions that it was made from.
    pub inputs: BTreeMap<SecretName, VersionId>,
}
