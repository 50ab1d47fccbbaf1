//! Recipes → material. Writes nothing and remembers nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::parts::Parts;

/// What a recipe may know besides its own parameters.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The project's name.
    pub project: &'a str,
    /// The environment that the value is for.
    pub environment: &'a EnvName,
    /// The time of the change.
    pub now: DateTime<Utc>,
}

/// A secret (or setting) that a recipe refers to.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Its current version; `None` for a setting.
    pub version: Option<VersionId>,
    /// Its pieces.
    pub parts: &'a Parts,
}

/// The inputs by name.
pub type Inputs<'a> = BTreeMap<&'a SecretName, Input<'a>>;

/// What a recipe made.
#[derive(Debug)]
pub struct Material {
    /// The pieces.
    pub parts: Parts,
    /// Strength, in bits of entropy, of a value that was drawn; `None` for derived ones.
    pub bits: Option<u32>,
    /// When it stops being valid.
    pub expires: Option<DateTime<Utc>>,
    /// Value-free facts for the ledger: `kid`, `serial`, `role`, `subject`, …
    pub facts: BTreeMap<String, String>,
}
