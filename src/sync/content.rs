//! Values as they are sent, and what was read as values: one text, the pieces of a key pair or certificate, a password with
//! its user, or the keys of a bundle.

use std::collections::BTreeMap;

use super::bundle::{Bundle, Malformed};
use super::place::{Place, Shape};
use crate::error::{Error, Kind, Result};
use crate::generate;
use crate::manifest::hook::{PASSWORD, USERNAME};
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::VersionId;
use crate::remote::MOST_BYTES;
use crate::secret::Secret;
use crate::secret::digest::Fingerprints;
use crate::secret::parts::{Part, Parts};
use crate::store::{Store, Version};
use crate::token::algorithm::Algorithm;
use crate::x509::issued;

/// The member that has the key or root which signs next, as the object that it will be itself: every host publishes it.
const NEXT: &str = "next";

/// The longest name of a user that is taken, in bytes.
const LONGEST_USER: usize = 128;

/// A value of ours as it is sent.
#[derive(Debug)]
pub struct Here {
    /// Its version; settings have none.
    pub version: Option<VersionId>,
    /// What is sent.
    pub value: Secret,
    /// Its keyed fingerprint.
    pub fingerprint: String,
}

/// The current value of a secret as it is sent; `None` when there is none.
pub fn here(store: &Store, declaration: &Declaration, fingerprints: &Fingerprints) -> Option<Here> {
    let (version, value) = if let Some(text) = declaration.kind.setting(&store.environment) {
        (None, Secret::copy_of(text.as_bytes()))
    } else {
        let version = store.value(declaration)?;
        (Some(version.id), sent(declaration, version, next(store, declaration))?)
    };
    let fingerprint = fingerprints.of(&value);
    Some(Here { version, value, fingerprint })
}

/// The keyed fingerprints that bases are kept by: a bare hash of a short value could be guessed back.
pub fn fingerprints(store: &Store) -> Fingerprints {
    Fingerprints::new(&store.fingerprint_key, &store.project)
}

/// The key or root that is published and signs next.
fn next<'s>(store: &'s Store, declaration: &Declaration) -> Option<&'s Version> {
    store.next(&declaration.name).filter(|_| declaration.sends_next())
}

/// A version as it is sent: one value as it is, one with its user and several pieces as a JSON object, with those of the key
/// that signs `next` beside them.
pub(crate) fn sent(declaration: &Declaration, version: &Version, next: Option<&Version>) -> Option<Secret> {
    match (version.parts.part(Part::Value), declaration.username(&version.facts)) {
        (Some(value), Some(username)) => login(username, value),
        (Some(value), None) => Some(value.duplicate()),
        (None, _) => object(&version.parts, next.map(|it| &it.parts)),
    }
}

fn object(parts: &Parts, next: Option<&Parts>) -> Option<Secret> {
    let texts = parts.iter().map(|(part, piece)| Some((part.name(), piece.expose_text()?)));
    let mut texts: BTreeMap<&str, &str> = texts.collect::<Option<_>>()?;
    let next = next.map(|next| object(next, None).ok_or(())).transpose().ok()?;
    if let Some(next) = &next {
        texts.insert(NEXT, next.expose_text()?);
    }
    (!texts.is_empty()).then(|| Bundle::default().with(&texts))
}

fn login(username: &str, value: &Secret) -> Option<Secret> {
    Some(Bundle::default().with(&BTreeMap::from([(PASSWORD, value.expose_text()?), (USERNAME, username)])))
}

/// A remote value as a version of a secret.
#[derive(Debug)]
pub struct Received {
    /// The value.
    pub parts: Parts,
    /// The user that it belongs to, of secrets with `usernames`.
    pub username: Option<String>,
    /// Of a key pair or root, the one that is published and signs next.
    pub next: Option<Parts>,
}

/// What a remote value is as a version of a secret.
///
/// Fails with `remote-malformed` when it is not what we would have sent.
pub fn received(declaration: &Declaration, value: Secret, place: &str) -> Result<Received> {
    if !declaration.usernames.is_empty() {
        let (username, value) = parse_login(&value).ok_or_else(|| malformed(place))?;
        return Ok(Received { parts: Parts::value(value), username: Some(username), next: None });
    }
    let (parts, next) = if declaration.kind.has_parts() {
        pieces(declaration, &value).ok_or_else(|| malformed(place))?
    } else {
        (Parts::value(value), None)
    };
    Ok(Received { parts, username: None, next })
}

/// A user and the value that belongs to it.
fn parse_login(value: &Secret) -> Option<(String, Secret)> {
    let bundle = Bundle::parse(value).ok()?;
    let username = bundle.value(USERNAME).ok()??.expose_text()?.to_owned();
    let is_name = (1..=LONGEST_USER).contains(&username.len()) && !username.chars().any(char::is_control);
    let value = bundle.value(PASSWORD).ok()??;
    (is_name && !value.is_empty()).then_some((username, value))
}

/// The pieces of a key pair or certificate, and those of the key that signs next; `None` where one is missing, or is not what
/// its name says.
fn pieces(declaration: &Declaration, value: &Secret) -> Option<(Parts, Option<Parts>)> {
    let parts = own_pieces(declaration, value)?;
    if !declaration.sends_next() {
        return Some((parts, None));
    }
    let next = Bundle::parse(value).ok()?.value(NEXT).ok()?;
    let next = next.map(|next| next_pieces(declaration, &next).ok_or(())).transpose().ok()?;
    let next = next.filter(|next| *next != parts);
    Some((parts, next))
}

/// What is to sign one day is of use to nobody unless its pieces belong together.
fn next_pieces(declaration: &Declaration, value: &Secret) -> Option<Parts> {
    let is_whole = |parts: &Parts| parts.part(Part::Cert).is_none() || issued::unpaired(parts).is_none();
    own_pieces(declaration, value).filter(is_whole)
}

fn own_pieces(declaration: &Declaration, value: &Secret) -> Option<Parts> {
    let bundle = Bundle::parse(value).ok()?;
    let pieces = Part::ALL.into_iter().filter(|part| *part != Part::Value);
    let mut parts = Parts::default();
    for part in pieces {
        if let Some(piece) = bundle.value(part.name()).ok()? {
            parts.insert(part, piece);
        }
    }
    let facts = |part| parts.part(part).map(generate::inspect).unwrap_or_default().facts;
    let is_whole = match declaration.kind {
        SecretKind::Keypair { algorithm } => {
            let is_declared = |it: &String| it == Algorithm::from(algorithm).name();
            facts(Part::Key).get("algorithm").is_some_and(is_declared) && parts.part(Part::Public).is_some()
        }
        _ => facts(Part::Cert).contains_key("serial") && parts.part(Part::Key).is_some(),
    };
    is_whole.then_some(parts)
}

/// The values of a place's fields as they are there, by key.
///
/// Fails when a bundle is no JSON object, or the value is longer than any that AWS keeps.
pub fn fields<'a>(place: &Place<'a>, value: Secret) -> Result<BTreeMap<&'a str, Secret>, Malformed> {
    match &place.shape {
        // Somebody else may write the same object with other spaces and members; it is compared as we would write it.
        Shape::Whole(declaration) if declaration.kind.has_parts() => {
            let (parts, next) = pieces(declaration, &value).ok_or(Malformed)?;
            Ok(BTreeMap::from([("", object(&parts, next.as_ref()).ok_or(Malformed)?)]))
        }
        Shape::Whole(_) if value.len() > MOST_BYTES => Err(Malformed),
        // One that was sent before it had users is compared as it is: it differs, and is replaced by a push.
        Shape::Whole(declaration) if declaration.is_object() => {
            let normal = parse_login(&value).and_then(|(username, value)| login(&username, &value));
            Ok(BTreeMap::from([("", normal.unwrap_or(value))]))
        }
        Shape::Whole(_) => Ok(BTreeMap::from([("", value)])),
        Shape::Bundle(keys) => {
            let bundle = Bundle::parse(&value)?;
            let value = |key: &&'a str| Some(bundle.value(key).transpose()?.map(|value| (*key, value)));
            keys.keys().filter_map(value).collect()
        }
    }
}

/// Refuses what AWS could not keep, whatever it has there: nobody need be asked for that.
pub fn check_lengths(places: &[Place<'_>], store: &Store) -> Result<()> {
    let length = |declaration: &Declaration| match declaration.kind.setting(&store.environment) {
        Some(text) => text.len(),
        None => store.value(declaration).map_or(0, |version| version.parts.iter().map(|(_, it)| it.len()).sum()),
    };
    let size = |place: &Place<'_>| place.fields().into_iter().map(|(_, it)| length(it)).sum();
    let sizes = places.iter().map(|place| (place, size(place)));
    let refused = sizes.filter(|(_, size)| *size > MOST_BYTES).map(|(place, size)| too_long(&place.name, size));
    Error::all(refused).map_or(Ok(()), Err)
}

fn too_long(name: &str, size: usize) -> Error {
    let message = format!("the value for `{name}` has {size} bytes, and AWS takes {MOST_BYTES}");
    Error::new(Kind::Findings, "remote-too-long", message)
        .hint("put fewer keys into one bundle, or keep the value elsewhere")
}

/// What a place is to hold: the value itself, or the bundle that is there with our keys in it.
pub fn merged(place: &Place<'_>, there: Option<&Secret>, ours: &BTreeMap<&str, &Secret>) -> Result<Secret> {
    let merged = match &place.shape {
        Shape::Whole(_) => ours.values().next().map(|value| value.duplicate()),
        Shape::Bundle(_) => Some(merged_bundle(place, there, ours)?),
    };
    let merged = merged.ok_or_else(|| Error::bug("a value is to be sent that is not there"))?;
    let name = &place.name;
    match merged.len() {
        0 => Err(Error::new(
            Kind::Findings,
            "remote-empty",
            format!("the value for `{name}` is empty, which AWS refuses"),
        )
        .hint("give it a value, or take `aws` from its declaration")),
        size if size > MOST_BYTES => Err(too_long(name, size)),
        _ => Ok(merged),
    }
}

fn merged_bundle(place: &Place<'_>, there: Option<&Secret>, ours: &BTreeMap<&str, &Secret>) -> Result<Secret> {
    let mut texts = BTreeMap::new();
    for (key, value) in ours {
        let text = value.expose_text().ok_or_else(|| {
            let message = format!("key `{key}` of `{}` is no text, and JSON holds nothing else", place.name);
            Error::new(Kind::Findings, "not-text", message).hint("give it a secret of its own with `aws = …`")
        })?;
        texts.insert(*key, text);
    }
    match there {
        None => Ok(Bundle::default().with(&texts)),
        Some(there) => Ok(Bundle::parse(there).map_err(|Malformed| malformed(&place.name))?.with(&texts)),
    }
}

/// What is said of a remote value that is not the JSON object that it should be.
pub fn malformed(place: &str) -> Error {
    let message = format!("what `{place}` holds is not what it is declared to be");
    Error::new(Kind::Findings, "remote-malformed", message).hint(format!(
        "nothing was changed; find the last good version with `aws secretsmanager list-secret-version-ids --secret-id {place}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::keypair;
    use crate::manifest;
    use crate::manifest::Manifest;
    use crate::manifest::model::KeyAlgorithm;
    use crate::store::tests::{now, version};

    fn declared() -> Manifest {
        let text = "project.name = \"p\"\n[secrets.KEY]\nkind = \"keypair\"\nalgorithm = \"eddsa\"\naws = \"key\"\n";
        manifest::parse(text, "m").unwrap()
    }

    fn drawn() -> Version {
        let material = keypair::generate(KeyAlgorithm::Eddsa).unwrap();
        Version { kind: "keypair".into(), facts: material.facts, parts: material.parts, ..version(b"", now()) }
    }

    #[test]
    fn a_key_pair_travels_with_the_one_that_signs_next_or_without() {
        let manifest = declared();
        let declaration = manifest.secret("KEY").unwrap();
        let (current, next) = (drawn(), drawn());
        for next in [None, Some(&next)] {
            let text = sent(declaration, &current, next).unwrap();
            let received = received(declaration, text, "p").unwrap();
            assert_eq!((&received.parts, received.next.as_ref()), (&current.parts, next.map(|it| &it.parts)));
        }
        // Whoever knows of no other key takes the one that signs.
        let text = sent(declaration, &current, Some(&next)).unwrap();
        let bundle = Bundle::parse(&text).unwrap();
        assert_eq!(bundle.value("key").unwrap().as_ref(), current.parts.part(Part::Key));
        let same = received(declaration, sent(declaration, &current, Some(&current)).unwrap(), "p").unwrap();
        assert!(same.next.is_none(), "a key that follows itself is none");
    }

    #[test]
    fn a_root_travels_with_the_one_that_signs_next_and_with_no_pieces_of_two() {
        let manifest = manifest::parse("project.name = \"p\"\n[secrets.R]\nkind = \"ca\"\naws = \"r\"\n", "m").unwrap();
        let declaration = manifest.secret("R").unwrap();
        let context = generate::Context { project: "p", environment: &manifest.default_environment, now: now() };
        let made = || {
            let parts = generate::generate(declaration, &context, &generate::Inputs::new()).unwrap().parts;
            Version { kind: "ca".into(), parts, ..version(b"", now()) }
        };
        let (current, mut next, other) = (made(), made(), made());
        let text = |next: &Version| sent(declaration, &current, Some(next)).unwrap();
        let taken = received(declaration, text(&next), "p").unwrap();
        assert_eq!((&taken.parts, taken.next.as_ref()), (&current.parts, Some(&next.parts)));
        next.parts.insert(Part::Key, other.parts.part(Part::Key).unwrap().duplicate());
        assert_eq!(received(declaration, text(&next), "p").unwrap_err().code(), "remote-malformed");
    }

    #[test]
    fn a_next_key_that_is_none_is_refused_with_the_whole_value() {
        let manifest = declared();
        let declaration = manifest.secret("KEY").unwrap();
        let text = sent(declaration, &drawn(), None).unwrap();
        for wrong in ["", "hunter2", "{}", "[]", "{\"key\":\"hunter2\",\"public\":\"\"}"] {
            let with = Bundle::parse(&text).unwrap().with(&BTreeMap::from([(NEXT, wrong)]));
            let error = received(declaration, with, "p").unwrap_err();
            assert_eq!(error.code(), "remote-malformed", "{wrong}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
