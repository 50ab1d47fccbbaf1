//! An environment's place in AWS Secrets Manager.

use std::collections::BTreeMap;

use super::{Place, non_empty, remote};
use crate::manifest::issue::Problems;
use crate::manifest::model::Aws;
use crate::manifest::period::Period;
use crate::manifest::raw::{RawAws, Texts};
use crate::manifest::read::{At, Field, Map};

/// AWS allows 50 tags a secret; the rest is for our own and for those that an account demands.
const MOST_TAGS: usize = 40;

/// The characters of a tag besides letters, digits and the blank (Tagging API reference).
const TAG_SIGNS: &str = "+-=._:/@";

pub(super) fn read(raw: At<RawAws>, place: Place<'_>, problems: &mut Problems) -> Aws {
    let fields = raw.value;
    let recovery_window = fields.recovery_window.map(|window| recovery_window(&window, place, problems));
    let region = region(fields.region, place, problems);
    let mut take = |field: Field<String>, key: &str| non_empty(field, &format!("{place}.aws.{key}"), problems);
    let (kms_key, role_arn) = (take(fields.kms_key, "kms_key"), take(fields.role_arn, "role_arn"));
    let (profile, endpoint) = (take(fields.profile, "profile"), take(fields.endpoint, "endpoint"));
    Aws {
        account: account(fields.account, raw.at, place, problems),
        prefix: fields.prefix.map(|prefix| self::prefix(prefix, place, problems)),
        kms_key,
        replicas: replicas(fields.replicas, region.as_deref(), place, problems),
        region,
        tags: tags(fields.tags, place, problems),
        recovery_window,
        stale_after: fields.stale_after.map(|period| period.value),
        spread: fields.spread.map(|period| period.value),
        role_arn,
        profile,
        endpoint,
    }
}

fn account(field: Field<String>, at: usize, place: Place<'_>, problems: &mut Problems) -> Option<String> {
    let Some(account) = field else {
        let message = format!("`{place}.aws.account` is absent, so the account is not checked");
        problems.warn(at, message, "add the twelve digits that `aws sts get-caller-identity` tells");
        return None;
    };
    if account.value.len() != 12 || !account.value.bytes().all(|byte| byte.is_ascii_digit()) {
        problems.add(account.at, format!("`{place}.aws.account` must be twelve digits in quotes"));
    }
    Some(account.value)
}

fn region(field: Field<String>, place: Place<'_>, problems: &mut Problems) -> Option<String> {
    let region = field?;
    if !is_region(&region.value) {
        problems.add_with_hint(region.at, format!("`{place}.aws.region` is not a region"), "such as `us-east-1`");
    }
    Some(region.value)
}

/// Which regions there are changes every year; what none can be does not.
fn is_region(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.contains('-') && text.len() <= 32
}

/// Listings and policies go by the prefix: without the `/` at its end `/app/prod` would be that of `/app/prod2` too.
fn prefix(field: At<String>, place: Place<'_>, problems: &mut Problems) -> String {
    let text = &field.value;
    let named = text.strip_prefix('/').unwrap_or(text);
    let wrong = match named.strip_suffix('/') {
        None if named.is_empty() => Some("names nothing"),
        None => Some("does not end in `/`"),
        Some(named) => remote::wrong_name(named),
    };
    if let Some(wrong) = wrong {
        let hint = "write whole components with a `/` behind each, such as `/my-project/prod/`";
        problems.add_with_hint(field.at, format!("`{place}.aws.prefix` {wrong}"), hint);
    }
    field.value
}

fn replicas(field: Field<Texts>, own: Option<&str>, place: Place<'_>, problems: &mut Problems) -> Vec<String> {
    let mut regions = Vec::new();
    for region in field.map(|list| list.value).unwrap_or_default() {
        let wrong = if !is_region(&region.value) {
            Some(("has an entry that is not a region", "such as `eu-west-1`"))
        } else if own == Some(region.value.as_str()) {
            Some(("has the region that the secrets are in already", "take it out: a replica is in another region"))
        } else if regions.contains(&region.value) {
            Some(("names a region twice", "take one out"))
        } else {
            None
        };
        if let Some((wrong, hint)) = wrong {
            problems.add_with_hint(region.at, format!("`{place}.aws.replicas` {wrong}"), hint);
        }
        regions.push(region.value);
    }
    regions
}

fn tags(field: Field<Map<String>>, place: Place<'_>, problems: &mut Problems) -> BTreeMap<String, String> {
    let Some(field) = field else { return BTreeMap::new() };
    if field.value.0.len() > MOST_TAGS {
        let message = format!("`{place}.aws.tags` has more than {MOST_TAGS} tags");
        problems.add_with_hint(field.at, message, "AWS allows 50 a secret, and some are vault-kit's own");
    }
    let mut tags = BTreeMap::new();
    for (key, value) in field.value.0 {
        if let Some((wrong, hint)) = wrong_key(&key.value) {
            problems.add_with_hint(key.at, format!("a key of `{place}.aws.tags` {wrong}"), hint);
        }
        if value.value.chars().count() > 256 || !value.value.chars().all(is_tag_sign) {
            let message = format!("a value of `{place}.aws.tags` is not one that a tag can have");
            problems.add_with_hint(value.at, message, SIGNS);
        }
        tags.insert(key.value, value.value);
    }
    tags
}

const SIGNS: &str =
    "letters, digits, blanks and `+ - = . _ : / @`; a key has at most 128 characters, a value at most 256";

fn wrong_key(key: &str) -> Option<(&'static str, &'static str)> {
    let lower = key.to_ascii_lowercase();
    if lower.starts_with("aws:") {
        Some(("begins with `aws:`, which is for AWS itself", "give it another name"))
    } else if lower.starts_with("vault-kit:") {
        Some(("begins with `vault-kit:`, by which vault-kit knows what is its own", "give it another name"))
    } else if !(1..=128).contains(&key.chars().count()) || !key.chars().all(is_tag_sign) {
        Some(("is not one that a tag can have", SIGNS))
    } else {
        None
    }
}

fn is_tag_sign(sign: char) -> bool {
    sign.is_alphanumeric() || sign == ' ' || TAG_SIGNS.contains(sign)
}

fn recovery_window(window: &At<Period>, place: Place<'_>, problems: &mut Problems) -> Period {
    if !(7..=30).any(|days| window.value == Period::days(days)) {
        let message = format!("`{place}.aws.recovery_window` must be from 7 to 30 whole days");
        problems.add_with_hint(window.at, message, "write `\"30d\"`, for example");
    }
    window.value
}
