//! Leaks that were acted on, as records without a value: what each timeline is written from.

mod followed;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Stage, Store};
use crate::name::{EnvName, OutputName, SecretName, VersionId};

/// Every incident of a store, by its id.
pub type Incidents = BTreeMap<String, Incident>;

/// One leak: what it reaches, what was done, and what is left for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// When it was declared.
    pub at: DateTime<Utc>,
    /// The user id that declared it.
    pub uid: u32,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What leaked and what is made from it, in the manifest's order.
    pub affected: Vec<Affected>,
    /// Who could open the store then.
    pub recipients: Vec<String>,
    /// Where the values were found.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub places: BTreeSet<Place>,
    /// What was done, oldest first.
    pub done: Vec<Deed>,
    /// What is left for a person, with commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<String>,
}

/// A secret that leaked, or is made from one that did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affected {
    /// Its name.
    pub secret: SecretName,
    /// Its kind as the manifest writes it.
    pub kind: String,
    /// What it is made from that leaked; none where it leaked itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_from: Option<SecretName>,
    /// Since when its value was in force.
    pub since: DateTime<Utc>,
    /// The versions that are banned, oldest first.
    pub versions: Vec<VersionId>,
    /// Whether it was forgotten while its owner, which a hook told what leaked, was not known to refuse that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
    /// Whether a person said that nobody accepts it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// What took its place; none where a person has to supply it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<VersionId>,
    /// The files that it was delivered in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
    /// Where in AWS it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteCopy>,
    /// Others that have the same value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Copy>,
    /// The hooks whose programs read the files since what leaked is replaced in them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub read: BTreeSet<String>,
    /// What it signed that does not end with it by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed: Vec<String>,
    /// The last changes of it that are recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// A file that a value was delivered in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The path as the manifest writes it.
    pub path: String,
    /// The output that it belongs to.
    pub output: OutputName,
    /// What it was written as.
    pub form: String,
    /// The declared mode in octal; empty where no output has the file any more.
    pub mode: String,
    /// Whether it holds an older version than the one in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub old: bool,
    /// The services of the declared Compose files that read it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<String>,
}

/// A value in AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteCopy {
    /// The full name of the remote secret.
    pub name: String,
    /// Its ARN and the version that both sides were last the same in; none before the first exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced: Option<(String, String)>,
}

/// Another secret with the same value, in this environment or another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// The environment.
    pub environment: EnvName,
    /// The secret there.
    pub secret: SecretName,
}

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Whose value.
    pub secret: SecretName,
    /// The file, as the scan names it.
    pub path: String,
    /// The line, from 1; none where only the file is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Which version, where the scan could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// When.
    pub at: DateTime<Utc>,
    /// The user id that did it.
    pub uid: u32,
    /// What, in words.
    pub what: String,
}

impl Incident {
    /// The secrets that leaked themselves.
    pub fn leaked(&self) -> impl Iterator<Item = &SecretName> {
        self.affected.iter().filter(|it| it.made_from.is_none()).map(|it| &it.secret)
    }

    /// Whether it is about a version of a secret.
    pub fn has(&self, secret: &SecretName, version: VersionId) -> bool {
        self.affected.iter().any(|it| it.secret == *secret && it.versions.contains(&version))
    }
}

impl Affected {
    /// Whether another version was on its way, or published, when it leaked; asked before it is replaced.
    pub fn is_followed(&self, store: &Store) -> bool {
        let versions = store.secrets.get(&self.secret).into_iter().flatten();
        versions
            .filter(|it| self.versions.contains(&it.id))
            .any(|it| matches!(it.stage, Stage::Candidate | Stage::Next))
    }
}

/// A length that incidents do not exceed as JSON, in bytes: a buffer that never grows leaves no copy of a value behind.
pub fn size_hint(incidents: &Incidents) -> usize {
    // Nothing in them is secret, so that they may be written down to be measured.
    incidents.values().map(|incident| 64 + serde_json::to_string(incident).map_or(0, |text| text.len())).sum()
}
