//! The issued keys as a document, by their hashes: what a service needs to judge a key by itself.
//!
//! It is made of the records alone and not of the time, so that it is the same until a record changes. A key that has
//! expired is therefore still in it, with its end; a revoked one is not.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::register::Records;
use super::verify::Candidate;
use crate::error::{Error, Kind, Result};
use crate::token::json;

/// The version of the document that is written, and the only one that is read.
const VERSION: u32 = 1;

/// The keys that were issued and not revoked, in the order of their ids.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "The hashes of issued API keys"))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The version of this document.
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    #[serde(rename = "vault_kit_api_keys")]
    version: u32,
    /// The keys.
    keys: Vec<Key>,
}

/// One key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Key {
    /// Its id: the first twelve digits of the hash.
    id: String,
    /// Whom or what it is for; two keys may have the same.
    name: String,
    /// What its bearer may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// SHA-256 of the whole key, in lower-case hex.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    sha256: String,
    /// When it was issued, in seconds since 1970.
    #[serde(with = "chrono::serde::ts_seconds")]
    #[cfg_attr(test, schemars(with = "i64"))]
    created: DateTime<Utc>,
    /// When it ends, in seconds since 1970: from then on it must be refused. Absent = never.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "chrono::serde::ts_seconds_option")]
    #[cfg_attr(test, schemars(with = "Option<i64>"))]
    expires: Option<DateTime<Utc>>,
}

impl Document {
    /// The document of a store's records.
    pub fn of(records: &Records) -> Self {
        let kept = records.iter().filter(|(_, record)| record.revoked.is_none());
        let keys = kept.map(|(id, record)| Key {
            id: id.clone(),
            name: record.name.clone(),
            role: record.role.clone(),
            sha256: record.sha256.clone(),
            created: record.created,
            expires: record.expires,
        });
        Self { version: VERSION, keys: keys.collect() }
    }

    /// Reads the file `place`. Fails with `api-keys-invalid`; an unreadable list is never taken for an empty one.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let invalid = |what: &str| {
            Error::new(Kind::Manifest, "api-keys-invalid", format!("`{place}` {what}"))
                .hint("deliver it anew with `vault-kit render`; `vault-kit schema api-keys` describes it")
        };
        let object = json::object(bytes).ok_or_else(|| invalid("is not one JSON object without repeated names"))?;
        if object.get("vault_kit_api_keys").is_some_and(|version| version != VERSION) {
            return Err(invalid("is of another version of vault-kit"));
        }
        let read: Self = serde_json::from_value(object.into()).map_err(|_| invalid("is not a list of API keys"))?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if read.keys.iter().any(|key| key.sha256.len() != 64 || !key.sha256.bytes().all(is_digit)) {
            return Err(invalid("has a hash that is not SHA-256 in lower-case hex"));
        }
        let mut seen = BTreeSet::new();
        if !read.keys.iter().all(|key| seen.insert(&key.sha256)) {
            return Err(invalid("has a key twice"));
        }
        Ok(read)
    }

    /// The document, with a newline at the end.
    pub fn to_text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|_| Error::bug("a list cannot be written as JSON"))?;
        Ok(text + "\n")
    }

    /// Its keys, to judge one by.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        self.keys.iter().map(|key| Candidate {
            id: &key.id,
            name: &key.name,
            role: key.role.as_deref(),
            created: key.created,
            expires: key.expires,
            sha256: &key.sha256,
            revoked: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::register::{Request, issue, revoke};
    use crate::api_key::verify::candidates;
    use crate::generate::api_key::draw;

    fn records() -> Records {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut records = Records::new();
        for (name, role, expires) in [("a", Some("reader"), Some(now)), ("b", None, None), ("c", None, None)] {
            let request = Request { name, role, expires, grace_until: now };
            let ids = issue(&mut records, &draw("k_").unwrap(), request, now);
            if name == "c" {
                revoke(&mut records, &ids, now);
            }
        }
        records
    }

    #[test]
    fn a_document_has_the_records_that_were_not_revoked_and_reads_back() {
        let records = records();
        let document = Document::of(&records);
        let text = document.to_text().unwrap();
        assert_eq!(Document::parse(text.as_bytes(), "k").unwrap(), document);
        let kept: Vec<_> = candidates(&records).filter(|candidate| !candidate.revoked).collect();
        assert_eq!(document.candidates().collect::<Vec<_>>(), kept);
        assert_eq!(kept.len(), 2);
        assert!(text.contains("\"created\": 1800000000") && !text.contains("null"), "{text}");
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_an_empty_list() {
        let key = |hash: &str| format!(r#"{{"id":"x","name":"a","sha256":"{hash}","created":1}}"#);
        let list = |keys: &str| format!(r#"{{"vault_kit_api_keys":1,"keys":[{keys}]}}"#);
        let good = key(&"a".repeat(64));
        assert!(Document::parse(list(&good).as_bytes(), "k").is_ok());
        for (text, message) in [
            (String::new(), "`k` is not one JSON object without repeated names"),
            (r#"{"keys":[],"keys":[]}"#.to_owned(), "`k` is not one JSON object without repeated names"),
            (r#"{"vault_kit_api_keys":2,"keys":[]}"#.to_owned(), "`k` is of another version of vault-kit"),
            ("{}".to_owned(), "`k` is not a list of API keys"),
            (list(&good.replace("created", "made")), "`k` is not a list of API keys"),
            (list(&key("ab")), "`k` has a hash that is not SHA-256 in lower-case hex"),
            (list(&key(&"A".repeat(64))), "`k` has a hash that is not SHA-256 in lower-case hex"),
            (list(&format!("{good},{good}")), "`k` has a key twice"),
        ] {
            let error = Document::parse(text.as_bytes(), "k").unwrap_err();
            assert_eq!((error.code(), error.to_string().as_str()), ("api-keys-invalid", message), "{text}");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test that may rewrite a file of the source tree")]
    fn the_shipped_schema_is_the_one_that_the_types_make() {
        let generated = serde_json::to_string_pretty(&schemars::schema_for!(Document)).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/api-keys.schema.json");
            std::fs::write(path, &generated).unwrap();
            return;
        }
        let shipped = include_str!("../../schemas/api-keys.schema.json");
        assert!(generated == shipped, "run `UPDATE_SCHEMAS=1 cargo test --lib schema` and commit schemas/");
    }
}
