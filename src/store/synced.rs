//! What the store and its remote counterpart agreed on last: the base of every three-way comparison.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::few::Few;

/// The remote side of a store, as it was seen last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Synced {
    /// When AWS answered last. Written at most now and then: it is never later than the truth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacted: Option<DateTime<Utc>>,
    /// By the full name of the remote secret.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bases: BTreeMap<String, Base>,
}

impl Synced {
    /// Whether nothing was ever exchanged.
    pub fn is_empty(&self) -> bool {
        self.contacted.is_none() && self.bases.is_empty()
    }
}

/// What was the same on both sides when they were last compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The ARN, with the six characters that tell a secret from one of the same name before it.
    pub arn: String,
    /// The id of the remote version: opaque, and of the remote secret as a whole.
    pub version: String,
    /// Keyed fingerprints of the values, by key of the bundle; one with an empty key where there is no bundle. Empty for
    /// a key that was looked for in this version and on which nothing was agreed.
    pub fields: Few<String>,
    /// How many rotations of it were aborted when it was last seen to be ours to write to; `None` = nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

impl Base {
    /// The region of the remote secret.
    pub fn region(&self) -> Option<&str> {
        self.arn.split(':').nth(3)
    }

    /// Whether the remote secret is in another region.
    pub fn is_outside(&self, region: &str) -> bool {
        self.region() != Some(region)
    }
}
