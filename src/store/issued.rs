//! What was issued from a store to others: tokens and API keys, as records without a value.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::name::SecretName;

/// Every record of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Issued {
    /// Tokens that were minted to be revocable, by `jti`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tokens: BTreeMap<String, IssuedToken>,
    /// By `kid`, a time that no token signed with that key outlives, declared ones aside. Rounded up, so that most
    /// mints change nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub horizons: BTreeMap<String, DateTime<Utc>>,
    /// Revoked tokens: `jti` → when the token ends by itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub revoked_tokens: BTreeMap<String, DateTime<Utc>>,
    /// Revoked subjects: `sub` → all its tokens that were issued before this time.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub revoked_subjects: BTreeMap<String, DateTime<Utc>>,
    /// API keys by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub api_keys: BTreeMap<String, IssuedApiKey>,
}

/// A token that was minted to be revocable. Its text is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedToken {
    /// The key that signed it.
    pub signed_by: SecretName,
    /// The `kid` of the key's version.
    pub kid: String,
    /// The algorithm that signed it, as its header names it; `None` where it was not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The `sub` claim.
    pub subject: String,
    /// The `role` claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The `iat` claim.
    pub issued: DateTime<Utc>,
    /// The `exp` claim.
    pub expires: DateTime<Utc>,
}

/// An API key that was issued to somebody. Only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedApiKey {
    /// Whom or what it is for; at most two live keys have the same name.
    pub name: String,
    /// What its bearer may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// SHA-256 of the whole key, in hex.
    pub sha256: String,
    /// Its last four characters, so that people can tell keys apart.
    pub last_four: String,
    /// When it was issued.
    pub created: DateTime<Utc>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<DateTime<Utc>>,
    /// The id of the key that replaces it: it ends at `expires`, so that its callers can move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
}

impl Issued {
    /// How many records there are.
    pub fn len(&self) -> usize {
        let revoked = self.revoked_tokens.len() + self.revoked_subjects.len();
        self.tokens.len() + self.horizons.len() + self.api_keys.len() + revoked
    }

    /// Whether there is no record at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
