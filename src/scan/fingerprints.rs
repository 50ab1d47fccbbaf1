//! The fingerprints of generated values as a document that may be committed: what a search without the identity knows.
//!
//! A public hash of 128 random bits or more leads nobody to the value. Length and alphabet say how to find texts to compare.

use std::collections::BTreeSet;
use std::io;

use data_encoding::HEXLOWER;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, Serializer};

use super::needle::State;
use crate::error::{Error, Kind, Result};
use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::alphabet::Alphabet;
use crate::store::{Kept, Stage, Store, Version};
use crate::token::json;

/// The version of the document that is written, and the only one that is read.
const VERSION: u32 = 1;

/// Fingerprints by secret and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "The fingerprints of generated values"))]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The version of this document.
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    #[serde(rename = "vault_kit_fingerprints")]
    version: u32,
    /// The project, which is part of every fingerprint.
    pub project: String,
    /// The environment.
    pub environment: EnvName,
    /// How many fingerprints there are, so that a list which lost some is told from one that never had them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// The fingerprints.
    pub values: Vec<Print>,
}

/// The fingerprint of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Print {
    /// The secret.
    pub secret: SecretName,
    /// The version.
    pub version: VersionId,
    /// Where in its life it is.
    pub state: State,
    /// The first 128 bits of SHA-256("vault-kit/fp/1" ‖ project ‖ value), in lower-case hex.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{32}$")))]
    pub fingerprint: String,
    /// Length of the value in bytes; absent where only the fingerprint is left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// The characters that it may consist of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<Alphabet>,
}

impl Document {
    /// The fingerprints of a store's values, as far as nobody can guess a value from one: those of all versions, of what was
    /// purged as far as the store kept them, and of all that leaked.
    pub fn of(store: &Store) -> Self {
        let mut values = Vec::new();
        for (name, versions) in &store.secrets {
            values.extend(versions.iter().filter_map(|version| print(store, name, version)));
        }
        values.extend(banned(store, &values));
        Self {
            version: VERSION,
            project: store.project.clone(),
            environment: store.environment.clone(),
            count: Some(values.len()),
            values,
        }
    }

    /// As [`Document::of`], with what other stores put on the list that was there: a team's members have stores of their own,
    /// and one list is committed. Of a conflict that git left in it both sides count. What is declared no more goes.
    pub fn beside(store: &Store, before: &[u8], is_declared: impl Fn(&SecretName) -> bool) -> Self {
        let mut list = Self::of(store);
        let there = Self { values: list.listed_in(before), ..list.clone() };
        list.values.extend(there.of_others(store).values.into_iter().filter(|print| is_declared(&print.secret)));
        // In the same order, whichever of the stores was the last to write; of one that stands there twice, the end of its life.
        list.values.sort_unstable_by(|a, b| a.identity().cmp(&b.identity()).then(b.state.cmp(&a.state)));
        list.values.dedup_by(|a, b| a.identity() == b.identity());
        list.count = Some(list.values.len());
        list
    }

    /// The fingerprints of this project and environment in a file: also in one that is no list because git left a conflict in it.
    fn listed_in(&self, file: &[u8]) -> Vec<Print> {
        if let Ok(list) = serde_json::from_slice::<Self>(file) {
            return if list.is_of(&self.project, &self.environment) { list.values } else { Vec::new() };
        }
        let lines =
            || file.split(|&it| it == b'\n').map(<[u8]>::trim_ascii).map(|it| it.strip_suffix(b",").unwrap_or(it));
        let has = |name: &str, text: &str| {
            let member = serde_json::to_string(text).map(|text| format!("\"{name}\": {text}"));
            member.is_ok_and(|member| lines().any(|line| line == member.as_bytes()))
        };
        if !has("project", &self.project) || !has("environment", self.environment.as_str()) {
            return Vec::new();
        }
        lines()
            .filter_map(|line| serde_json::from_slice::<Print>(line).ok())
            .filter(|it| it.bytes().is_some())
            .collect()
    }

    /// Whether it lists values of this project and environment.
    pub fn is_of(&self, project: &str, environment: &EnvName) -> bool {
        self.project == project && self.environment == *environment
    }

    /// Without what a store knows itself, be it that it knows the version, or the value under another one.
    #[must_use]
    pub fn of_others(mut self, store: &Store) -> Self {
        let own = Self::of(store).values;
        let own: BTreeSet<&str> = own.iter().map(|print| print.fingerprint.as_str()).collect();
        let is_known = |print: &Print| store.version(&print.secret, print.version).is_some();
        self.values.retain(|print| !is_known(print) && !own.contains(print.fingerprint.as_str()));
        self
    }

    /// Reads the file `place`. Fails with `fingerprints-invalid`.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let invalid = |what: &str| invalid_at(place, what);
        let at = |line: usize, what: &str| invalid_at(&format!("{place}:{line}"), what);
        if bytes.trim_ascii().is_empty() {
            return Err(invalid("is empty"));
        }
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
            return Err(at(error.line(), if error.is_eof() { "breaks off" } else { "is not JSON" }));
        }
        let object = json::object(bytes).ok_or_else(|| invalid("is not one JSON object without repeated names"))?;
        if object.get("vault_kit_fingerprints").is_some_and(|version| version != VERSION) {
            return Err(invalid("is of another version of vault-kit"));
        }
        // Its own words would quote the text.
        let read: Self =
            serde_json::from_slice(bytes).map_err(|error| at(error.line(), "is no list of fingerprints"))?;
        if let Some(print) = read.values.iter().find(|print| print.bytes().is_none()) {
            let line = line_of(bytes, &print.fingerprint);
            return Err(at(line, "has a fingerprint that is not 32 lower-case hex digits"));
        }
        if read.count.is_some_and(|count| count != read.values.len()) {
            return Err(invalid("does not have as many fingerprints as it says"));
        }
        Ok(read)
    }

    /// The document, with a line for each fingerprint, so that git merges lists line by line, and a newline at the end.
    pub fn to_text(&self) -> Result<String> {
        let bug = |_| Error::bug("a list cannot be written as JSON");
        let head = Self { values: Vec::new(), ..self.clone() };
        let text = serde_json::to_string_pretty(&head).map_err(bug)?;
        let Some(head) = text.strip_suffix("[]\n}").filter(|_| !self.values.is_empty()) else { return Ok(text + "\n") };
        let mut lines = Vec::with_capacity(self.values.len());
        for print in &self.values {
            let mut line = b"    ".to_vec();
            print.serialize(&mut Serializer::with_formatter(&mut line, Spaced)).map_err(bug)?;
            lines.push(String::from_utf8_lossy(&line).into_owned());
        }
        Ok(format!("{head}[\n{}\n  ]\n}}\n", lines.join(",\n")))
    }
}

/// An object in one line, with blanks where people expect them.
struct Spaced;

impl Formatter for Spaced {
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

fn invalid_at(place: &str, what: &str) -> Error {
    Error::new(Kind::Manifest, "fingerprints-invalid", format!("`{place}` {what}"))
        .hint("deliver it anew with `vault-kit render`; `vault-kit schema fingerprints` describes it")
}

/// The line that has a text, from 1.
fn line_of(bytes: &[u8], text: &str) -> usize {
    let at = memchr::memmem::find(bytes, text.as_bytes()).unwrap_or(0);
    1 + memchr::memchr_iter(b'\n', &bytes[..at]).count()
}

impl Print {
    /// What tells it from others, whatever is said of it.
    fn identity(&self) -> (&SecretName, VersionId, &str) {
        (&self.secret, self.version, &self.fingerprint)
    }

    /// The fingerprint itself.
    pub fn bytes(&self) -> Option<[u8; 16]> {
        HEXLOWER.decode(self.fingerprint.as_bytes()).ok()?.try_into().ok()
    }
}

fn print(store: &Store, name: &SecretName, version: &Version) -> Option<Print> {
    let Kept { fingerprint, length, alphabet } = Kept::of(&store.project, version)?;
    let state = State::of(store, version);
    Some(Print { secret: name.clone(), version: version.id, state, fingerprint, length: Some(length), alphabet })
}

/// What leaked and is in no version any more.
fn banned(store: &Store, known: &[Print]) -> Vec<Print> {
    let known: BTreeSet<&str> = known.iter().map(|print| print.fingerprint.as_str()).collect();
    let bans = store.banned.iter().filter_map(|(_, ban)| Some((ban, ban.public.clone()?)));
    let gone = bans.filter(|(_, fingerprint)| !known.contains(fingerprint.as_str()));
    gone.map(|(ban, fingerprint)| {
        let (secret, version) = (ban.secret.clone(), ban.version);
        Print { secret, version, state: State::Banned, fingerprint, length: None, alphabet: None }
    })
    .collect()
}

impl State {
    /// Where in its life a version of a store is.
    pub(super) fn of(store: &Store, version: &Version) -> Self {
        match version.stage {
            _ if store.is_banned(version) => Self::Banned,
            Stage::Current => Self::Current,
            Stage::Candidate | Stage::Next => Self::Next,
            Stage::Previous | Stage::Aborted | Stage::Purged => Self::Past,
        }
    }
}
