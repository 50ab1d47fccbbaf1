//! Objects of Kubernetes: names and keys that the API server takes, and what an `ExternalSecret` needs.

use std::collections::{BTreeMap, HashMap};

use super::Context;
use crate::manifest::issue::Problems;
use crate::manifest::model::{Declaration, ExternalSecret, Format, KubernetesObject, Output, StoreKind};
use crate::manifest::period::Period;
use crate::manifest::raw::{RawExternalSecret, RawKubernetesSecret};
use crate::manifest::read::{At, Field, Map};
use crate::manifest::validate::{Place, overlap};
use crate::name::SecretName;

/// How often values are read again unless declared.
const REFRESH: Period = Period::hours(1);

const NAME: &str = "a–z, 0–9, `-` and `.`, a letter or digit at both ends, at most 253 characters";
const LABEL: &str = "a–z, 0–9 and `-`, a letter or digit at both ends, at most 63 characters";
const QUALIFIED: &str = "such as `team` or `example.org/team`, at most 63 characters behind the `/`";
const KEY: &str = "1 to 253 of A–Z a–z 0–9 `-` `_` `.`, and not `..` at the beginning";

/// The object of a `kubernetes-secret` output, without its keys.
pub(super) fn secret(raw: RawKubernetesSecret, place: Place<'_>, problems: &mut Problems) -> KubernetesObject {
    let labels = map(raw.labels, "labels", is_label_value, place, problems);
    let annotations = map(raw.annotations, "annotations", is_printable, place, problems);
    object(raw.name, raw.namespace, (labels, annotations), place, problems)
}

/// The object of an `external-secret` output, without its keys.
pub(super) fn external(raw: RawExternalSecret, place: Place<'_>, problems: &mut Problems) -> ExternalSecret {
    let labels = map(raw.labels, "labels", is_label_value, place, problems);
    let annotations = map(raw.annotations, "annotations", is_printable, place, problems);
    ExternalSecret {
        object: object(raw.name, raw.namespace, (labels, annotations), place, problems),
        // Its absence has been reported with the other fields of the format.
        store: raw.store.map(|store| named(store, "store", is_subdomain, NAME, place, problems)).unwrap_or_default(),
        store_kind: raw.store_kind.map_or(StoreKind::SecretStore, |kind| kind.value),
        refresh_interval: raw.refresh_interval.map_or(REFRESH, |interval| interval.value),
    }
}

type Texts = BTreeMap<String, String>;

fn object(
    name: Field<String>,
    namespace: Field<String>,
    (labels, annotations): (Texts, Texts),
    place: Place<'_>,
    problems: &mut Problems,
) -> KubernetesObject {
    let namespace = namespace.map(|it| named(it, "namespace", is_dns_label, LABEL, place, problems));
    let name = name.map(|it| named(it, "name", is_subdomain, NAME, place, problems));
    let name = name.unwrap_or_else(|| default_name(place));
    KubernetesObject { name, namespace, labels, annotations, keys: BTreeMap::new() }
}

/// The output's name as Kubernetes would have it, if its edges let it.
fn default_name(place: Place<'_>) -> String {
    place.name.to_ascii_lowercase().replace(['_', '.'], "-")
}

fn named(
    field: At<String>,
    key: &str,
    is_name: fn(&str) -> bool,
    hint: &str,
    place: Place<'_>,
    problems: &mut Problems,
) -> String {
    if !is_name(&field.value) {
        problems.add_with_hint(field.at, format!("`{place}.{key}` is not a name in Kubernetes"), hint);
    }
    field.value
}

fn map(
    field: Field<Map<String>>,
    key: &str,
    is_value: fn(&str) -> bool,
    place: Place<'_>,
    problems: &mut Problems,
) -> Texts {
    let mut texts = Texts::new();
    for (name, value) in field.map(|map| map.value.0).unwrap_or_default() {
        if !is_qualified(&name.value) {
            problems.add_with_hint(name.at, format!("a key of `{place}.{key}` is not one in Kubernetes"), QUALIFIED);
        }
        if !is_value(&value.value) {
            problems.add(value.at, format!("a value of `{place}.{key}` is not one in Kubernetes"));
        }
        texts.insert(name.value, value.value);
    }
    texts
}

/// The declared keys.
pub(super) fn keys(
    declared: Vec<(SecretName, At<String>)>,
    place: Place<'_>,
    problems: &mut Problems,
) -> BTreeMap<SecretName, String> {
    let mut keys = BTreeMap::new();
    for (name, key) in declared {
        if !is_key(&key.value) {
            problems.add_with_hint(key.at, format!("a key in `{place}.keys` is not one in Kubernetes"), KEY);
        }
        keys.insert(name, key.value);
    }
    keys
}

/// Checks an object with the secrets that are in it.
pub(super) fn check(output: &Output, at: usize, place: Place<'_>, context: &Context<'_>, problems: &mut Problems) {
    let object = match &output.format {
        Format::KubernetesSecret(object) => object,
        Format::ExternalSecret(it) => {
            check_environments(output, at, place, context, problems);
            &it.object
        }
        _ => return,
    };
    if !is_subdomain(&object.name) && object.name == default_name(place) {
        problems.add_with_hint(at, format!("`{place}` needs a `name`: its own is none in Kubernetes"), NAME);
    }
    let positions = output.secrets.iter().filter_map(|name| context.secrets.position(name.as_str()));
    let secrets: Vec<&Declaration> =
        positions.filter_map(|position| context.secrets.list[position].declaration.as_deref()).collect();
    if output.secrets.is_empty() {
        problems.add_with_hint(at, format!("`{place}` has no secret in it"), "name some in `secrets`");
    }
    if let Some(leaf) = secrets.iter().find(|it| it.kind.is_leaf()).filter(|_| secrets.len() > 1) {
        let message = format!("`{place}` has the certificate `{}` beside other secrets", leaf.name);
        let hint = "write an output for it alone: it is a Secret of type `kubernetes.io/tls`";
        problems.add_with_hint(at, message, hint);
        return;
    }
    check_keys(object, &secrets, at, place, problems);
}

/// No two secrets have one key.
fn check_keys(
    object: &KubernetesObject,
    secrets: &[&Declaration],
    at: usize,
    place: Place<'_>,
    problems: &mut Problems,
) {
    let mut taken: HashMap<String, Vec<&Declaration>> = HashMap::new();
    for one in secrets {
        for (key, _) in object.entries(&one.name, &one.kind) {
            let same = taken.entry(key).or_default();
            let meets = |other: &&&Declaration| overlap(other.environments.as_ref(), one.environments.as_ref());
            if let Some(other) = same.iter().find(meets) {
                let message = format!("`{place}`: `{}` and `{}` have one key", other.name, one.name);
                problems.add_with_hint(at, message, "give each its own in `keys = { … }`");
            }
            same.push(one);
        }
    }
}

/// An `ExternalSecret` is for environments that are in AWS.
fn check_environments(output: &Output, at: usize, place: Place<'_>, context: &Context<'_>, problems: &mut Problems) {
    let environments = || context.scope.environments.iter();
    let Some((name, _)) = environments().find(|(name, it)| output.is_in(name) && it.aws.is_none()) else { return };
    let in_aws: Vec<String> =
        environments().filter(|(_, it)| it.aws.is_some()).map(|(name, _)| format!("\"{name}\"")).collect();
    let hint = match in_aws.as_slice() {
        [] => format!("declare `aws = {{ … }}` in `[environments.{name}]`"),
        names => format!("write `environments = [{}]`, or declare its `aws`", names.join(", ")),
    };
    problems.add_with_hint(at, format!("`{place}` exists in environment `{name}`, which is not in AWS"), hint);
}

/// RFC 1123 label: what a namespace is.
fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

/// RFC 1123 subdomain: what most objects are called. The API server does not hold its parts to 63 characters.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let edges = text.bytes().next().zip(text.bytes().next_back());
    edges.is_some_and(|(first, last)| is_plain(first) && is_plain(last))
        && text.bytes().all(|byte| is_plain(byte) || byte == b'-')
}

/// `name` or `prefix/name`: what labels and annotations are called.
fn is_qualified(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(is_subdomain) && !name.is_empty() && is_label_value(name)
}

fn is_label_value(text: &str) -> bool {
    let edges = text.bytes().next().zip(text.bytes().next_back());
    text.len() <= 63
        && edges.is_none_or(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn is_printable(text: &str) -> bool {
    !text.chars().any(|sign| sign.is_control() && sign != '\n')
}

/// A key of the data of a Secret.
fn is_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text != "."
        && !text.starts_with("..")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
