//! The fields of the SDK's answers as ours. A value becomes a [`Secret`] here, in the first line that sees it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_secretsmanager::primitives::{Blob, DateTime as Time};
use aws_sdk_secretsmanager::types::{SecretListEntry, SecretValueEntry, Tag};
use chrono::{DateTime, Utc};

use super::answer::plain_code;
use crate::few::Few;
use crate::remote::{Content, Listed, Reading, Replica};
use crate::secret::Secret;

/// `None` = it lacks what every entry has.
pub(super) fn listed(entry: SecretListEntry) -> Option<Listed> {
    Some(Listed {
        name: plain(entry.name)?,
        arn: plain(entry.arn)?,
        versions: versions(entry.secret_versions_to_stages)?,
        deleted: time(entry.deleted_date),
        changed: time(entry.last_changed_date),
        kms_key: entry.kms_key_id,
        tags: tags(entry.tags),
        is_rotated: entry.rotation_enabled.unwrap_or(false),
        managed_by: manager(entry.owning_service.or(entry.r#type)),
        primary_region: entry.primary_region,
        replicas: Vec::new(),
    })
}

/// `None` = it lacks what every description has.
pub(super) fn described(answer: DescribeSecretOutput) -> Option<Listed> {
    let replicas = answer.replication_status.unwrap_or_default().into_iter().map(|it| Replica {
        region: plain(it.region).unwrap_or_default(),
        status: it.status.and_then(|it| plain_code(it.as_str())).unwrap_or_default(),
    });
    Some(Listed {
        name: plain(answer.name)?,
        arn: plain(answer.arn)?,
        versions: versions(answer.version_ids_to_stages)?,
        deleted: time(answer.deleted_date),
        changed: time(answer.last_changed_date),
        kms_key: answer.kms_key_id,
        tags: tags(answer.tags),
        is_rotated: answer.rotation_enabled.unwrap_or(false),
        managed_by: manager(answer.owning_service.or(answer.r#type)),
        primary_region: answer.primary_region,
        replicas: replicas.collect(),
    })
}

/// A value of a batch with the labels of its version; `None` = it lacks what every value has.
pub(super) fn entry(entry: SecretValueEntry) -> Option<(Reading, Vec<String>)> {
    let content = content(entry.secret_string, entry.secret_binary);
    let (name, arn, version) = (plain(entry.name)?, plain(entry.arn)?, plain(entry.version_id)?);
    let created = time(entry.created_date);
    Some((Reading { name, arn, version, created, content: content? }, entry.version_stages.unwrap_or_default()))
}

/// A value that was asked for alone; `None` = it lacks what every value has.
pub(super) fn reading(answer: GetSecretValueOutput) -> Option<Reading> {
    let content = content(answer.secret_string, answer.secret_binary);
    let (name, arn, version) = (plain(answer.name)?, plain(answer.arn)?, plain(answer.version_id)?);
    Some(Reading { name, arn, version, created: time(answer.created_date), content: content? })
}

fn content(text: Option<String>, bytes: Option<Blob>) -> Option<Content> {
    match (text.map(Secret::from_text), bytes.map(|it| Secret::new(it.into_inner()))) {
        (Some(text), None) => Some(Content::Text(text)),
        (None, Some(bytes)) => Some(Content::Binary(bytes)),
        _ => None,
    }
}

/// A value as a request takes it. The copy is wiped by the allocator when the request is done.
pub(super) fn sent(content: &Content) -> (Option<String>, Option<Blob>) {
    let bytes = |value: &Secret| Some(Blob::new(value.expose()));
    match content {
        Content::Text(value) => match value.expose_text() {
            Some(text) => (Some(text.to_owned()), None),
            None => (None, bytes(value)),
        },
        Content::Binary(value) => (None, bytes(value)),
    }
}

/// Tags as a request takes them.
pub(super) fn sent_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// A name, ARN or version id as AWS makes them; whoever is not AWS could send escape codes for the terminal.
pub(super) fn plain(text: Option<String>) -> Option<String> {
    text.filter(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Whoever it is, it is somebody.
fn manager(name: Option<String>) -> Option<String> {
    name.map(|name| plain(Some(name)).unwrap_or_else(|| "unknown".to_owned()))
}

fn versions(labels: Option<HashMap<String, Vec<String>>>) -> Option<Few<Vec<String>>> {
    let labelled = labels.unwrap_or_default().into_iter().filter(|(_, labels)| !labels.is_empty());
    labelled.map(|(id, labels)| Some((plain(Some(id))?, labels))).collect()
}

fn tags(tags: Option<Vec<Tag>>) -> Few<String> {
    let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    tags.unwrap_or_default().into_iter().filter_map(pair).collect()
}

fn time(time: Option<Time>) -> Option<DateTime<Utc>> {
    time.and_then(|it| DateTime::from_timestamp(it.secs(), it.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::types::{ReplicationStatusType, StatusType};

    use super::*;

    #[test]
    fn a_description_tells_who_rotates_manages_and_copies_a_secret() {
        let replica = ReplicationStatusType::builder().region("eu-west-1").status(StatusType::InSync).build();
        let answer = DescribeSecretOutput::builder()
            .arn("arn")
            .name("/p/a")
            .version_ids_to_stages("v1", vec!["AWSCURRENT".to_owned()])
            .version_ids_to_stages("v0", vec![])
            .rotation_enabled(true)
            .owning_service("rds")
            .primary_region("us-east-1")
            .kms_key_id("alias/app")
            .deleted_date(Time::from_secs(1_700_000_000))
            .tags(Tag::builder().key("k").value("v").build())
            .replication_status(replica)
            .build();
        let listed = described(answer).unwrap();
        assert_eq!((listed.current(), listed.versions.len()), (Some("v1"), 1));
        assert!(listed.is_rotated);
        assert_eq!(listed.managed_by.as_deref(), Some("rds"));
        assert_eq!(listed.primary_region.as_deref(), Some("us-east-1"));
        assert_eq!(listed.kms_key.as_deref(), Some("alias/app"));
        assert_eq!(listed.deleted, DateTime::from_timestamp(1_700_000_000, 0));
        assert_eq!(listed.tags, Few::from(vec![("k".to_owned(), "v".to_owned())]));
        assert_eq!(listed.replicas, [Replica { region: "eu-west-1".into(), status: "InSync".into() }]);
    }

    #[test]
    fn a_managed_external_secret_is_managed_by_its_type() {
        let entry = SecretListEntry::builder().arn("arn").name("n").r#type("SalesforceClientSecret").build();
        assert_eq!(listed(entry).unwrap().managed_by.as_deref(), Some("SalesforceClientSecret"));
        let entry = SecretListEntry::builder().arn("arn").name("n").owning_service("\u{1b}[2J").build();
        assert_eq!(listed(entry).unwrap().managed_by.as_deref(), Some("unknown"));
    }

    #[test]
    fn what_would_write_to_a_terminal_is_no_answer() {
        for text in ["\u{1b}[2J", "a b", "a\nb", "\u{e4}", ""] {
            assert_eq!(listed(SecretListEntry::builder().arn("arn").name(text).build()), None, "{text:?}");
            assert_eq!(described(DescribeSecretOutput::builder().arn(text).name("n").build()), None, "{text:?}");
            let labels = vec!["AWSCURRENT".to_owned()];
            let entry = SecretListEntry::builder().arn("arn").name("n").secret_versions_to_stages(text, labels);
            assert_eq!(listed(entry.build()), None, "{text:?}");
            let value = GetSecretValueOutput::builder().arn("arn").name("n").version_id(text).secret_string("v");
            assert!(reading(value.build()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn what_lacks_a_name_or_has_two_values_is_no_answer() {
        assert_eq!(listed(SecretListEntry::builder().arn("arn").build()), None);
        assert_eq!(described(DescribeSecretOutput::builder().name("n").build()), None);
        let value = SecretValueEntry::builder().arn("arn").name("n").version_id("v");
        assert!(entry(value.clone().build()).is_none());
        assert!(entry(value.clone().secret_string("a").secret_binary(Blob::new("a")).build()).is_none());
        assert!(entry(value.secret_string("a").build()).is_some());
    }
}
