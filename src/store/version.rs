//! One value of a secret, and where in its life it is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Kept;
use crate::name::{SecretName, VersionId};
use crate::secret::parts::{Part, Parts};

/// Where in its life a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Made for a rotation that is not promoted yet: neither delivered nor signed with, and gone when it is aborted.
    Candidate,
    /// Published, so that verifiers learn of it; it does not sign yet.
    Next,
    /// Delivered.
    Current,
    /// Replaced; its value is kept for a while.
    Previous,
    /// Given up before it was in force, when others may have been told it: its value is kept until its owner was told to refuse it,
    /// and then only its fingerprint.
    Aborted,
    /// Replaced long ago; only its fingerprint is kept.
    Purged,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// vault-kit made it.
    Generated,
    /// `import` read it from a file.
    Imported,
    /// `set` took it.
    Set,
    /// `sync pull` took it.
    Pulled,
}

/// The days in the life of a version, of those kinds that have some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Life {
    /// When it was published ahead of its use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<DateTime<Utc>>,
    /// For how many seconds it waits at least before it is used, as the manifest said when it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<u32>,
    /// When another one became current in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<DateTime<Utc>>,
    /// When it was dropped without an overlap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<DateTime<Utc>>,
    /// When a hook made its owner accept it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<DateTime<Utc>>,
    /// When a hook made its owner accept it no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<DateTime<Utc>>,
}

impl Life {
    /// How long to wait for verifiers, for `declared` being what the manifest says now: some go on with what they read before it was
    /// made shorter.
    pub fn wait(&self, declared: TimeDelta) -> TimeDelta {
        declared.max(TimeDelta::seconds(self.waits.unwrap_or_default().into()))
    }
}

/// One version of a secret.
#[derive(Debug)]
pub struct Version {
    /// Random.
    pub id: VersionId,
    /// What it was made as: its kind as the manifest wrote it then.
    pub kind: String,
    /// Where in its life it is.
    pub stage: Stage,
    /// Where the value came from.
    pub origin: Origin,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it stops being valid.
    pub expires: Option<DateTime<Utc>>,
    /// When it was published, replaced, revoked.
    pub life: Life,
    /// Strength in bits of entropy, of values that were drawn.
    pub bits: Option<u32>,
    /// Digest of the declaration of a derived value.
    pub recipe: Option<String>,
    /// The versions that a derived value was made from.
    pub inputs: BTreeMap<SecretName, VersionId>,
    /// Value-free facts.
    pub facts: BTreeMap<String, String>,
    /// Keyed fingerprint, written when the value is purged.
    pub fingerprint: Option<String>,
    /// What a search finds the value by, written when it is purged.
    pub public: Option<Kept>,
    /// The value; empty once purged.
    pub parts: Parts,
}

impl Version {
    /// Whether it is or was delivered: neither only published nor a candidate.
    pub fn was_in_force(&self) -> bool {
        !matches!(self.stage, Stage::Next | Stage::Candidate | Stage::Aborted)
    }

    /// Whether it is a text that is held, rather than keys and certificates.
    pub fn has_value(&self) -> bool {
        self.parts.part(Part::Value).is_some()
    }

    /// Whether only a fingerprint is left of it, and it never was in force.
    pub fn was_given_up(&self) -> bool {
        self.stage == Stage::Aborted && self.parts.iter().next().is_none()
    }

    /// Whether something else is in force in its place, and its value is kept.
    pub fn was_replaced(&self) -> bool {
        matches!(self.stage, Stage::Previous | Stage::Aborted)
    }
}
