//! What a change was: when, by whom, and of which secrets. Never a value.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::name::{EnvName, SecretName};
use crate::secret::Secret;
use crate::secret::digest::{Mac, MacKey};

/// How many names one change lists; beyond that it only counts them.
const LISTED: usize = 100;

/// What changes are called.
pub const ACTIONS: [&str; 44] = [
    "accept-clock",
    "apikey-new",
    "apikey-revoke",
    "cert import",
    "cert-ca",
    "cert-crl",
    "cert-issue",
    "cert-renew",
    "cert-revoke",
    "generate",
    "import",
    "incident",
    "incident-close",
    "init",
    "recipients-apply",
    "recover",
    "remove",
    "render",
    "rotate-abort",
    "rotate-abort-without-hooks",
    "rotate-aborted-there",
    "rotate-aborting",
    "rotate-claim",
    "rotate-deliver",
    "rotate-failed",
    "rotate-promote",
    "rotate-pull",
    "rotate-refused",
    "rotate-reload",
    "rotate-retire",
    "rotate-retired",
    "rotate-rollback",
    "rotate-set",
    "rotate-stage",
    "rotate-superseded",
    "rotate-tell",
    "rotate-test",
    "set",
    "sync adopt",
    "sync prune",
    "sync pull",
    "sync push",
    "token-mint",
    "token-revoke",
];

/// One change of a store: a line of the audit record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "Audit record"))]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its number among the lines of its environment, from 1; absent in lines from before they were chained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Whether this says what is about to be done. What was done says the line that follows it in the chain; where none
    /// does, nothing was.
    #[serde(default, skip_serializing_if = "is_false")]
    pub intent: bool,
    /// When.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
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
    /// Of the first line of a chain: what stood before it in the file, which has no chain or that of another store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// The `mac` of the line before it in the chain; zeros in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Mac>,
    /// HMAC-SHA-256 of this line without this field, by a key that only the sealed store has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
}

/// What stood in the file before a chain began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// How many lines.
    pub lines: u64,
    /// SHA-256 of all their bytes, in hex.
    pub sha256: String,
}

/// A place in a chain: how many lines it has there, and the code of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Lines so far.
    pub seq: u64,
    /// Of the last.
    pub mac: Mac,
}

impl Link {
    /// Before the first line.
    pub const START: Self = Self { seq: 0, mac: Mac::NONE };
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over the field as it is")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The key of a store's chain, of the key that its fingerprints are made with.
pub fn chain_key(fingerprint_key: &Secret) -> MacKey {
    MacKey::derive(fingerprint_key, b"vault-kit/audit/1")
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
        debug_assert!(cfg!(test) || ACTIONS.contains(&action), "`{action}` is missing in `ACTIONS`");
        Self {
            seq: None,
            intent: false,
            at,
            uid: rustix::process::getuid().as_raw(),
            action: action.to_owned(),
            environment: environment.clone(),
            generation,
            count: subjects.secrets.len(),
            secrets: subjects.secrets.iter().take(LISTED).cloned().collect(),
            records: subjects.records.iter().take(LISTED).cloned().collect(),
            before: None,
            prev: None,
            mac: None,
        }
    }

    /// The same without its place in the chain, which is of no use elsewhere.
    #[must_use]
    pub fn unchained(&self) -> Self {
        Self { seq: None, before: None, prev: None, mac: None, ..self.clone() }
    }

    /// The line behind `last` in the chain.
    pub fn chained(self, key: &MacKey, last: Link) -> Result<Self> {
        let mut next = Self { seq: Some(last.seq + 1), prev: Some(last.mac), mac: None, ..self };
        let line = next.json()?;
        next.mac = Some(key.sign(line.strip_suffix(b"}").unwrap_or(&line)));
        Ok(next)
    }

    /// Where it stands in the chain; `None` when it is from before there was one.
    pub fn link(&self) -> Option<Link> {
        Some(Link { seq: self.seq?, mac: self.mac? })
    }

    /// The line of the record, with its end.
    pub fn line(&self) -> Result<Vec<u8>> {
        let mut line = self.json()?;
        line.push(b'\n');
        Ok(line)
    }

    fn json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|_| Error::bug("an audit record cannot be written as JSON"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::now;

    #[test]
    fn a_code_is_over_everything_before_it_and_the_code_of_the_line_before() {
        let key = chain_key(&Secret::copy_of(&[7; 32]));
        let change = || Change::new(now(), "set", &EnvName::new("dev").unwrap(), 1, Subjects::default());
        let first = change().chained(&key, Link::START).unwrap();
        let second = change().chained(&key, first.link().unwrap()).unwrap();
        assert_eq!((first.seq, second.seq, second.prev), (Some(1), Some(2), first.mac));
        let line = String::from_utf8(second.line().unwrap()).unwrap();
        let (body, code) = line.split_once(",\"mac\":\"").unwrap();
        assert_eq!(code, format!("{}\"}}\n", key.sign(body.as_bytes())));
        assert_eq!(serde_json::from_str::<Change>(&line).unwrap(), second);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test that may rewrite a file of the source tree")]
    fn the_shipped_schema_is_the_one_that_the_types_make() {
        let generated = serde_json::to_string_pretty(&schemars::schema_for!(Change)).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/audit-record.schema.json");
            std::fs::write(path, &generated).unwrap();
            return;
        }
        let shipped = include_str!("../../schemas/audit-record.schema.json");
        assert!(generated == shipped, "run `UPDATE_SCHEMAS=1 cargo test --lib schema` and commit schemas/");
    }
}
