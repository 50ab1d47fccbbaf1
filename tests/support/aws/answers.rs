//! The answers that are long or asked for often, written from what is stored without a copy in between.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::state::{Content, Secret, Version};
use super::writes::replication;

/// The answer of `GetSecretValue`, and an item of `BatchGetSecretValue`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Reading<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    version_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<String>,
    version_stages: &'a BTreeSet<String>,
    created_date: f64,
}

/// The answer of `BatchGetSecretValue`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Readings<'a> {
    pub(super) secret_values: Vec<Reading<'a>>,
    pub(super) errors: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

/// The answer of `ListSecrets`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page<'a> {
    pub(super) secret_list: Vec<Facts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

/// Labels by the id of the version that has them.
type Labelled<'a> = BTreeMap<&'a str, &'a BTreeSet<String>>;

/// What listings and descriptions tell; only what has a value is in it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Facts<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    created_date: f64,
    last_changed_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owning_service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "tags")]
    tags: &'a BTreeMap<String, String>,
    /// What `DescribeSecret` calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    version_ids_to_stages: Option<Labelled<'a>>,
    /// What `ListSecrets` calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_versions_to_stages: Option<Labelled<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_status: Option<Value>,
}

impl<'a> Reading<'a> {
    /// `None` when the version has no value.
    pub(super) fn of(secret: &'a Secret, id: &'a str, version: &'a Version) -> Option<Self> {
        let (text, binary) = match version.content.as_ref()? {
            Content::Text(text) => (Some(&**text), None),
            Content::Binary(bytes) => (None, Some(BASE64.encode(bytes))),
        };
        Some(Self {
            arn: &secret.arn,
            name: &secret.name,
            version_id: id,
            secret_string: text,
            secret_binary: binary,
            version_stages: &version.labels,
            created_date: version.created,
        })
    }
}

impl<'a> Facts<'a> {
    pub(super) fn listed(secret: &'a Secret) -> Self {
        Self { secret_versions_to_stages: labelled(secret), ..Self::of(secret) }
    }

    pub(super) fn described(secret: &'a Secret) -> Self {
        let replication_status = (!secret.replicas.is_empty()).then(|| replication(secret));
        Self { version_ids_to_stages: labelled(secret), replication_status, ..Self::of(secret) }
    }

    fn of(secret: &'a Secret) -> Self {
        Self {
            arn: &secret.arn,
            name: &secret.name,
            created_date: secret.created,
            last_changed_date: secret.changed,
            deleted_date: secret.deletion.map(|(asked, _)| asked),
            description: secret.description.as_deref(),
            kms_key_id: secret.kms_key.as_deref(),
            owning_service: secret.owning_service.as_deref(),
            primary_region: secret.primary_region.as_deref(),
            rotation_enabled: secret.rotation_enabled.then_some(true),
            r#type: secret.external_type.as_deref(),
            tags: &secret.tags,
            version_ids_to_stages: None,
            secret_versions_to_stages: None,
            replication_status: None,
        }
    }
}

/// The labels of a secret's versions; `None` when there are none.
fn labelled(secret: &Secret) -> Option<Labelled<'_>> {
    let with_labels = secret.versions.iter().filter(|(_, version)| !version.labels.is_empty());
    let labelled: Labelled<'_> = with_labels.map(|(id, version)| (id.as_str(), &version.labels)).collect();
    (!labelled.is_empty()).then_some(labelled)
}

fn tags<S: Serializer>(tags: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Tag<'a> {
        key: &'a str,
        value: &'a str,
    }
    serializer.collect_seq(tags.iter().map(|(key, value)| Tag { key, value }))
}

/// An answer as JSON.
pub(super) fn written(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).expect("neither maps with other keys than text nor values that cannot be written")
}
