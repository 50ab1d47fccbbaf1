//! The ledger: what the sealed store holds, without a value, so that `check` and `status` need no identity.
//!
//! JSON lines: a header that names the digest of the store it belongs to, one line a secret in the order of
//! their names, one line a delivered file in the order of their paths. Bytes in, bytes out: no file is opened here.

mod beside;
mod header;

use std::collections::BTreeMap;
use std::io::BufRead;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::bulk;
use super::rotations::{Operation, Outcome, Trouble};
use crate::error::{Error, Kind, Result};
use crate::name::{OutputName, SecretName, VersionId};
pub use beside::{Beside, BesideState};
pub use header::{Header, Leak};

/// The version of the format.
pub const SCHEMA_VERSION: u32 = 1;

/// The fact of a CA that tells by when its next revocation lists must be there.
pub(super) const NEXT_UPDATE: &str = "crl_next_update";

/// The fact of a certificate, CA or token that is revoked although it is in force.
pub(super) const REVOKED: &str = "revoked";

/// How a line on a file begins: its first key tells the two kinds of line apart, and `to_bytes` writes it first.
const FILE: &[u8] = b"{\"file\"";

/// A whole ledger.
#[derive(Debug, PartialEq, Eq)]
pub struct Ledger {
    /// The first line.
    pub header: Header,
    /// The secrets' lines.
    pub secrets: BTreeMap<SecretName, Entry>,
    /// The delivered files' lines, by path as the manifest writes it.
    pub files: BTreeMap<String, DeliveredFile>,
}

/// One secret's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name.
    pub name: SecretName,
    /// Its kind as the manifest writes it.
    pub kind: String,
    /// The current version.
    pub version: VersionId,
    /// Always `current`: older versions stay in the store alone.
    pub stage: String,
    /// When the current version was made.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    #[serde(deserialize_with = "bulk::time", serialize_with = "bulk::write_time")]
    pub created: DateTime<Utc>,
    /// When its replacement is due.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "bulk::optional_time")]
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub due: Option<DateTime<Utc>>,
    /// When it stops being valid.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "bulk::optional_time")]
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub expires: Option<DateTime<Utc>>,
    /// Strength, in bits of entropy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// Whether the value is a placeholder, judged when it was sealed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub placeholder: bool,
    /// Whether the value does not match the declared pattern, judged when it was sealed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mismatch: bool,
    /// Whether the value lets in every origin, under a name that says whom it lets in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wildcard: bool,
    /// Whether the value leaked and must not serve any more, told when it was sealed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub banned: bool,
    /// Digest of the pattern that it was judged by; differs when the manifest's changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Digest of the declaration it was made from; differs when the declaration changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// Public fingerprint, only for values that we generated with 128 bits or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The versions of the inputs that a token, certificate or template was made from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<SecretName, VersionId>,
    /// The versions that verifiers know besides the current one, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
    /// The id that the remote secret's version had when both sides were last the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The rotation that is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Box<Operation>>,
    /// Whether to go on with it would tell its owner a value that leaked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tells_leaked: bool,
    /// What the value that this rotation is to put in force was made as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate_kind: Option<String>,
    /// Whether a hook has yet to tell its owner the current version.
    #[serde(default, skip_serializing_if = "is_false")]
    pub untold: bool,
    /// Whether nothing of what its rotation replaced is to be refused before that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub kept: bool,
    /// How often AWS, or who else has it there, kept it from rotating, and how last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Box<Trouble>>,
    /// How the last rotation ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<Outcome>,
    /// Value-free facts about it: `kid`, `serial`, `role`, `subject`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// One delivered file's line: what was written there, and how the file looked right afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeliveredFile {
    /// Path as the manifest writes it, below the project directory.
    pub file: String,
    /// The output that it belongs to.
    pub output: OutputName,
    /// The format that it was written in, and the dialect if the format has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The secrets in it, and in which version; settings are absent.
    #[serde(deserialize_with = "bulk::map")]
    pub holds: BTreeMap<SecretName, VersionId>,
    /// Of a document that tells the store's state, such as a key set: SHA-256 of what the file should hold, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime: i128,
    /// Inode number.
    pub inode: u64,
}

impl Entry {
    /// Whether verifiers are told to refuse it.
    pub fn is_revoked(&self) -> bool {
        self.facts.contains_key(REVOKED)
    }

    /// By when the next revocation lists of a CA must be there; `None` where there are none.
    pub fn next_update(&self) -> Option<DateTime<Utc>> {
        Some(DateTime::parse_from_rfc3339(self.facts.get(NEXT_UPDATE)?).ok()?.to_utc())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Ledger {
    /// Whether what is published to take a secret's place leaked.
    pub fn is_next_banned(&self, entry: &Entry) -> bool {
        entry.beside.iter().any(|it| it.state == BesideState::Next && self.header.banned.contains(&it.version))
    }

    /// Writes the lines.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(256 * (1 + self.secrets.len() + self.files.len()));
        push_line(&mut bytes, &self.header)?;
        for entry in self.secrets.values() {
            push_line(&mut bytes, entry)?;
        }
        for file in self.files.values() {
            push_line(&mut bytes, file)?;
        }
        Ok(bytes)
    }

    /// Reads the lines back.
    ///
    /// Fails with `ledger-damaged`, which names `place` and the line, when one is not what [`Ledger::to_bytes`] writes.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let damaged = |line: usize| damaged(place, line);
        let mut lines = lines(bytes);
        let (_, first) = lines.next().ok_or_else(|| damaged(1))?;
        let header: Header = serde_json::from_slice(first).map_err(|_| damaged(1))?;
        if header.vault_kit_ledger != SCHEMA_VERSION {
            return Err(damaged(1));
        }
        // Room for exactly what comes: megabytes that grow are copied, and wiped, again and again.
        let (of_files, of_secrets): (Vec<_>, Vec<_>) = lines.partition(|(_, line)| line.starts_with(FILE));
        let secrets = entries(&of_secrets, |entry: &Entry| entry.name.clone()).map_err(damaged)?;
        let files = entries(&of_files, |file: &DeliveredFile| file.file.clone()).map_err(damaged)?;
        Ok(Self { header, secrets, files })
    }

    /// Reads the first line alone; `None` when it is not whole or not one.
    pub fn header(start: &[u8]) -> Option<Header> {
        let end = memchr::memchr(b'\n', start)?;
        serde_json::from_slice(&start[..end]).ok()
    }

    /// Reads the lines on delivered files, and looks at the others as [`Ledger::expect_whole`] does.
    pub fn delivered(bytes: &[u8], place: &str) -> Result<BTreeMap<String, DeliveredFile>> {
        Self::expect_whole(bytes, place)?;
        let of_files: Vec<_> = lines(bytes).filter(|(_, line)| line.starts_with(FILE)).collect();
        entries(&of_files, |file: &DeliveredFile| file.file.clone()).map_err(|line| damaged(place, line))
    }

    /// Looks at the header and at where lines begin and end: enough for who reads the store itself, and cheap.
    pub fn expect_whole(mut bytes: impl BufRead, place: &str) -> Result<()> {
        let mut has_header = false;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = bytes.read_until(b'\n', &mut line);
            if read.map_err(|error| Error::io(format!("read `{place}`"), error))? == 0 {
                break;
            }
            let is_whole = match line.strip_suffix(b"\n") {
                None => false,
                Some([]) => true,
                Some(row) if has_header => row.starts_with(b"{\"") && row.ends_with(b"}"),
                Some(row) => {
                    has_header = serde_json::from_slice::<Header>(row).is_ok();
                    has_header
                }
            };
            if !is_whole {
                return Err(damaged(place, number));
            }
        }
        if has_header { Ok(()) } else { Err(damaged(place, 1)) }
    }
}

/// Reads lines in the order of their names; fails with the number of the first that is none, or stands in the wrong place.
fn entries<K: Ord, T: DeserializeOwned>(
    lines: &[(usize, &[u8])],
    name: impl Fn(&T) -> K,
) -> Result<BTreeMap<K, T>, usize> {
    let mut entries: Vec<(K, T)> = Vec::with_capacity(lines.len());
    for (index, line) in lines {
        // From bytes, serde_json would find out for each text in it that it is UTF-8.
        let text = std::str::from_utf8(line).map_err(|_| index + 1)?;
        let read: T = serde_json::from_str(text).map_err(|_| index + 1)?;
        let name = name(&read);
        if entries.last().is_some_and(|(last, _)| *last >= name) {
            return Err(index + 1);
        }
        entries.push((name, read));
    }
    Ok(entries.into_iter().collect())
}

/// The lines that hold something, each with its index.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let ends = memchr::memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len()));
    let all = ends.scan(0, |start, end| Some(&bytes[std::mem::replace(start, end + 1)..end]));
    all.enumerate().filter(|(_, line)| !line.is_empty())
}

fn push_line(bytes: &mut Vec<u8>, line: &impl Serialize) -> Result<()> {
    serde_json::to_writer(&mut *bytes, line)
        .map_err(|_| Error::bug("a line of the ledger cannot be written as JSON"))?;
    bytes.push(b'\n');
    Ok(())
}

fn damaged(place: &str, line: usize) -> Error {
    Error::new(Kind::Store, "ledger-damaged", format!("`{place}` is damaged at line {line}"))
        .hint("make it anew from the store with `vault-kit store recover`")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::AwsBinding;
    use super::*;
    use crate::name::EnvName;

    fn ledger() -> Ledger {
        let name = SecretName::new("API_KEY").unwrap();
        let id = VersionId::from_random([1; 16]);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Ledger {
            header: Header {
                vault_kit_ledger: SCHEMA_VERSION,
                project: "p".into(),
                environment: EnvName::new("dev").unwrap(),
                store_id: id,
                generation: 3,
                store_digest: "00".into(),
                updated: now,
                recipients: BTreeMap::new(),
                recipients_declared: true,
                aws: Some(AwsBinding { account: Some("1".repeat(12)), prefix: None }),
                contacted: None,
                due: Some(now),
                missed: Some(now),
                manifest: Some("00".into()),
                is_default: true,
                behind: true,
                reloads: BTreeMap::from([("nginx".into(), Trouble::default())]),
                unread: BTreeMap::from([("nginx".into(), [name.clone()].into())]),
                banned: BTreeSet::from([id]),
                leaks: BTreeMap::from([(
                    "0".repeat(12),
                    vec![Leak { secret: name.clone(), untold: true, told: true, forgotten: true }],
                )]),
                leaked_into: BTreeSet::from([".env".into()]),
            },
            secrets: BTreeMap::from([(
                name.clone(),
                Entry {
                    name: name.clone(),
                    kind: "random".into(),
                    version: id,
                    stage: "current".into(),
                    created: now,
                    due: Some(now),
                    expires: None,
                    bits: Some(256),
                    placeholder: false,
                    mismatch: false,
                    wildcard: false,
                    banned: true,
                    pattern: Some("aa".into()),
                    recipe: None,
                    fingerprint: Some("ff".into()),
                    inputs: BTreeMap::new(),
                    beside: vec![Beside {
                        version: id,
                        state: BesideState::Next,
                        kid: Some("k".into()),
                        since: now,
                        until: now,
                    }],
                    remote: None,
                    rotation: None,
                    tells_leaked: true,
                    candidate_kind: None,
                    untold: true,
                    kept: true,
                    refused: Some(Box::default()),
                    rotated: None,
                    facts: BTreeMap::new(),
                },
            )]),
            files: BTreeMap::from([(
                ".env".into(),
                DeliveredFile {
                    file: ".env".into(),
                    output: OutputName::new("env").unwrap(),
                    form: Some("json".into()),
                    holds: BTreeMap::from([(name, id)]),
                    digest: Some("00".into()),
                    size: 10,
                    mtime: 1,
                    inode: 2,
                },
            )]),
        }
    }

    #[test]
    fn a_ledger_reads_back_as_it_was_written() {
        let bytes = ledger().to_bytes().unwrap();
        assert_eq!(Ledger::parse(&bytes, "l").unwrap(), ledger());
        assert_eq!(bytes.split(|&byte| byte == b'\n').count(), 4);
    }

    #[test]
    fn a_damaged_line_is_named_and_not_quoted() {
        let mut bytes = ledger().to_bytes().unwrap();
        bytes.extend_from_slice(b"{\"hunter2\": 1}\n");
        let error = Ledger::parse(&bytes, "l").unwrap_err();
        assert_eq!(error.to_string(), "`l` is damaged at line 4");
        assert_eq!(Ledger::parse(b"", "l").unwrap_err().code(), "ledger-damaged");
    }

    #[test]
    fn a_line_that_stands_twice_or_out_of_order_is_damage() {
        let bytes = ledger().to_bytes().unwrap();
        let entry = bytes.split_inclusive(|&byte| byte == b'\n').nth(1).unwrap();
        let error = Ledger::parse(&[&bytes[..], entry].concat(), "l").unwrap_err();
        assert_eq!(error.to_string(), "`l` is damaged at line 4");
    }

    #[test]
    fn a_ledger_that_is_cut_short_is_not_whole() {
        let bytes = ledger().to_bytes().unwrap();
        Ledger::expect_whole(&bytes[..], "l").unwrap();
        let lengths = bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at + 1);
        let whole: Vec<usize> = lengths.collect();
        for length in (0..bytes.len()).filter(|length| !whole.contains(length)) {
            assert_eq!(Ledger::expect_whole(&bytes[..length], "l").unwrap_err().code(), "ledger-damaged", "{length}");
        }
    }
}
