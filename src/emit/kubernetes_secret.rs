//! A Secret of Kubernetes (core/v1): `Opaque`, or `kubernetes.io/tls` when it is a certificate alone.

use std::collections::BTreeMap;

use data_encoding::BASE64;

use super::{Value, Values, cannot_carry, delivered, pem, yaml};
use crate::error::Result;
use crate::manifest::Output;
use crate::manifest::model::{KubernetesObject, PemFile};
use crate::name::SecretName;
use crate::secret::Secret;

/// The most bytes of the data of a Secret.
const MOST_BYTES: usize = 1 << 20;

/// What stands under one key.
enum Piece<'a> {
    Whole(&'a Secret),
    Made(Secret),
}

impl Piece<'_> {
    fn bytes(&self) -> &Secret {
        match self {
            Self::Whole(value) => value,
            Self::Made(value) => value,
        }
    }
}

/// Renders the object, keys sorted.
pub(super) fn render(output: &Output, object: &KubernetesObject, values: &Values<'_>) -> Result<Secret> {
    let mut data = BTreeMap::new();
    for (name, value) in delivered(output, values) {
        for (key, piece) in object.entries(name, value.kind) {
            let Some(bytes) = piece_of(output, name, value, piece)? else { continue };
            data.insert(key, bytes);
        }
    }
    let size: usize = data.iter().map(|(key, piece)| key.len() + piece.bytes().len()).sum();
    if let Some(name) = output.secrets.first().filter(|_| size > MOST_BYTES) {
        return Err(cannot_carry(output, name, "a Secret holds at most 1 MiB").hint("write two outputs"));
    }
    let is_tls = delivered(output, values).any(|(_, value)| value.kind.is_leaf());
    let mut text = String::with_capacity(1024 + metadata_size(object) + 2 * size + 16 * data.len());
    text.push_str("apiVersion: v1\nkind: Secret\n");
    metadata(&mut text, object);
    text.push_str(if is_tls { "type: kubernetes.io/tls\n" } else { "type: Opaque\n" });
    text.push_str(if data.is_empty() { "data: {}\n" } else { "data:\n" });
    for (key, piece) in &data {
        yaml::quoted_key(&mut text, 1, key);
        text.push('"');
        BASE64.encode_append(piece.bytes().expose(), &mut text);
        text.push_str("\"\n");
    }
    Ok(Secret::from_text(text))
}

/// `None` for the root of a certificate that was imported without.
fn piece_of<'a>(
    output: &Output,
    name: &SecretName,
    value: Value<'a>,
    piece: Option<PemFile>,
) -> Result<Option<Piece<'a>>> {
    match piece {
        None => {
            let missing = || cannot_carry(output, name, "it has no single value");
            Ok(Some(Piece::Whole(value.parts.primary().ok_or_else(missing)?)))
        }
        Some(PemFile::Ca) if pem::lacks_root(value) => Ok(None),
        Some(piece) => Ok(pem::bytes_of(output, name, value, piece)?.map(Piece::Made)),
    }
}

/// The names of an object.
pub(super) fn metadata(text: &mut String, object: &KubernetesObject) {
    yaml::open(text, 0, "metadata");
    yaml::line(text, 1, "name", &object.name);
    if let Some(namespace) = &object.namespace {
        yaml::line(text, 1, "namespace", namespace);
    }
    yaml::map(text, 1, "labels", &object.labels);
    yaml::map(text, 1, "annotations", &object.annotations);
}

/// An upper bound: an escape takes up to ten characters.
fn metadata_size(object: &KubernetesObject) -> usize {
    let texts = object.labels.iter().chain(&object.annotations).map(|(key, value)| key.len() + 10 * value.len() + 16);
    texts.sum()
}
