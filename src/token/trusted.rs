//! The keys of a project's store, and whose tokens and for whom each of them may sign.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::algorithm::Algorithm;
use super::claims::role_name;
use super::compact::Compact;
use super::json;
use super::key_set::{KeySet, State, VerificationKey};
use super::public_key::PublicKey;
use super::revocation::Revocations;
use super::rsa::RsaKey;
use super::sign::shared_kid;
use super::verify::Accepted;
use crate::companions;
use crate::generate::{keypair, pem};
use crate::manifest::Manifest;
use crate::manifest::model::{Declaration, Kind, Token};
use crate::name::{EnvName, SecretName};
use crate::secret::parts::Part;
use crate::store::{Stage, Store, Version};

/// What a store's keys may have signed.
#[derive(Debug, Default)]
pub struct Trusted {
    /// The keys.
    pub keys: KeySet,
    /// Issuers and audiences by `kid`.
    pub accepted: BTreeMap<String, Accepted>,
    /// What was revoked.
    pub revocations: Revocations,
}

impl Trusted {
    /// The keys of an environment: every key pair, and every other secret that a declared token is signed by.
    pub fn of_store(manifest: &Manifest, environment: &EnvName, store: &Store, now: DateTime<Utc>) -> Self {
        let mut tokens: BTreeMap<&SecretName, Vec<&Token>> = BTreeMap::new();
        for declaration in manifest.secrets_in(environment) {
            if let Kind::Token(token) = &declaration.kind {
                tokens.entry(&token.signed_by).or_default().push(token);
            }
        }
        let mut trusted = Self { revocations: store.issued.revocations(), ..Self::default() };
        for declaration in manifest.secrets_in(environment) {
            let signed = tokens.get(&declaration.name).map_or(&[][..], Vec::as_slice);
            trusted.add_versions(declaration, store, signed, manifest, now);
        }
        trusted
    }

    /// The public keys of some key pairs, with those that are published ahead or still verify.
    pub fn of_pairs(
        manifest: &Manifest,
        environment: &EnvName,
        store: &Store,
        names: &[SecretName],
        now: DateTime<Utc>,
    ) -> KeySet {
        let mut trusted = Self::default();
        let declared = names.iter().filter_map(|name| manifest.secret(name)).filter(|it| it.is_in(environment));
        for declaration in declared.filter(|it| matches!(it.kind, Kind::Keypair { .. })) {
            trusted.add_versions(declaration, store, &[], manifest, now);
        }
        trusted.keys
    }

    fn add_versions(
        &mut self,
        declaration: &Declaration,
        store: &Store,
        signed: &[&Token],
        manifest: &Manifest,
        now: DateTime<Utc>,
    ) {
        let companions = companions::companions(manifest, declaration, store, now);
        let versions = store.versions(&declaration.name);
        let current = store.value(declaration).and_then(|it| it.parts.primary());
        for version in versions.filter(|version| declaration.kind.accepts(&version.kind)) {
            let is_same =
                version.life.revoked.is_none() && version.parts.primary().is_some_and(|it| Some(it) == current);
            let state = match companions::state(&companions, version) {
                // The same key by an id that it had before: as long as it signs, nothing is gained by refusing that one.
                State::Retired if is_same && declaration.kind.is_single() => State::Retiring,
                state => state,
            };
            self.add(declaration, (version, state), signed, manifest);
        }
    }

    fn add(
        &mut self,
        declaration: &Declaration,
        (version, state): (&Version, State),
        signed: &[&Token],
        manifest: &Manifest,
    ) {
        for key in keys(declaration, version, signed, state) {
            let accepted = accepted(signed, manifest);
            self.accepted.insert(key.kid().to_owned(), accepted);
            self.keys.add(key);
        }
        // A purged version has no value left, but its name tells its tokens from foreign ones.
        if version.stage == Stage::Purged {
            match declaration.kind {
                Kind::Keypair { .. } => version.facts.get("kid").into_iter().for_each(|kid| self.keys.retire(kid)),
                _ if !signed.is_empty() => self.keys.retire(&shared_kid(version.id)),
                _ => {}
            }
        }
    }
}

/// Whether a version of the key that a declared token names signed a text. Says nothing about the key's state.
pub fn has_signed(token: &Token, version: &Version, text: &str) -> bool {
    let Ok(compact) = Compact::parse(text) else { return false };
    let key = match public_half(version) {
        Some((algorithm, key)) => VerificationKey::public("", algorithm, key, State::Active),
        None => key(version, token.algorithm.into(), State::Active),
    };
    key.is_some_and(|key| key.is_signature(compact.signed, &compact.signature))
}

/// The first claim of a token that is not as declared, in words for behind the name of its place.
pub fn differs(token: &Token, text: &str) -> Option<String> {
    let claims = Compact::parse(text).ok().and_then(|it| json::object(&it.payload));
    let Some(claims) = claims else { return Some("holds no token that can be read".to_owned()) };
    let is_text = |name: &str, wanted: Option<&str>| claims.get(name).and_then(serde_json::Value::as_str) == wanted;
    let claimed = match claims.get("aud") {
        Some(serde_json::Value::Array(several)) => several.iter().filter_map(|it| it.as_str()).collect(),
        one => one.and_then(|it| it.as_str()).into_iter().collect::<Vec<_>>(),
    };
    let claim = if !is_text("iss", Some(&token.issuer)) {
        "iss"
    } else if !is_text("sub", Some(&token.subject)) {
        "sub"
    } else if !is_text("role", token.role.map(role_name)) {
        "role"
    } else if !token.audience.iter().all(|it| claimed.contains(&it.as_str())) {
        "aud"
    } else {
        return None;
    };
    Some(format!("holds a token whose `{claim}` is not as declared"))
}

/// The keys that a version is: one for each algorithm that it signs with.
fn keys(declaration: &Declaration, version: &Version, signed: &[&Token], state: State) -> Vec<VerificationKey> {
    if let Kind::Keypair { .. } = declaration.kind {
        let key = public_half(version).and_then(|(algorithm, key)| {
            let kid = key.thumbprint();
            VerificationKey::public(&kid, algorithm, key, state)
        });
        return key.into_iter().collect();
    }
    let mut algorithms: Vec<Algorithm> = signed.iter().map(|token| token.algorithm.into()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    algorithms.into_iter().filter_map(|algorithm| key(version, algorithm, state)).collect()
}

fn key(version: &Version, algorithm: Algorithm, state: State) -> Option<VerificationKey> {
    let value = version.parts.primary()?;
    if algorithm.is_rsa() {
        let public = RsaKey::from_pem(value)?.0.public();
        return VerificationKey::public(&public.thumbprint(), algorithm, public, state);
    }
    VerificationKey::shared(&shared_kid(version.id), algorithm, value.expose(), state)
}

/// The public half of a key pair.
fn public_half(version: &Version) -> Option<(Algorithm, PublicKey)> {
    version.parts.part(Part::Public).and_then(|pem| public_key(pem.expose_text()?))
}

fn public_key(text: &str) -> Option<(Algorithm, PublicKey)> {
    let der = pem::decode(pem::PUBLIC_KEY, text).next()?;
    let (curve, public) = keypair::of_spki(&der)?;
    Some((curve.into(), PublicKey::on(curve, public)))
}

/// What the declared tokens of a key say; the project's own issuer and name for a key without any.
fn accepted(signed: &[&Token], manifest: &Manifest) -> Accepted {
    let mut issuers: Vec<String> = signed.iter().map(|token| token.issuer.clone()).collect();
    let mut audiences: Vec<String> = signed.iter().flat_map(|token| token.audience.clone()).collect();
    if signed.is_empty() {
        issuers.push(manifest.issuer.clone());
        audiences.push(manifest.project.clone());
    }
    for list in [&mut issuers, &mut audiences] {
        list.sort_unstable();
        list.dedup();
    }
    Accepted { issuers, audiences }
}
