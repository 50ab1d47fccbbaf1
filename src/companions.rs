//! The life of a key that signs: published ahead, active, retiring, retired. Time is a parameter, and no value is looked at.
//!
//! Verifiers know a published key by a key set that they fetched and go on with for the `max_age` of its output. A new key
//! signs only when every set without it has aged, and an old one leaves the set when everything that it signed has ended.
//! It is the same with a root CA and its bundles (`authority`).

mod authority;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

pub use self::authority::{bundles, is_root, signers};
use crate::manifest::period::Period;
use crate::manifest::{Declaration, Format, Kind, Manifest, Output};
use crate::name::{EnvName, SecretName};
use crate::store::rotations::{Operation, Step};
use crate::store::{Stage, Store, Version};
use crate::token::algorithm::Algorithm;
use crate::token::key_set::State;
use crate::token::lifetime::LONGEST;
use crate::token::verify::LEEWAY;

/// A version that verifiers know besides the current one.
#[derive(Debug, Clone, Copy)]
pub struct Companion<'s> {
    /// The version.
    pub version: &'s Version,
    /// [`State::Next`] or [`State::Retiring`].
    pub state: State,
    /// Since when it is.
    pub since: DateTime<Utc>,
    /// When it may become active, or is retired.
    pub until: DateTime<Utc>,
    /// For how long a verifier here may go on without it.
    wait: TimeDelta,
}

impl Companion<'_> {
    /// As it is where verifiers can know it only since `held`: what waits until they all do waits from then on.
    #[must_use]
    pub fn held_since(self, held: DateTime<Utc>) -> Self {
        Self { since: self.since.max(held), until: self.until.max(held + self.wait), ..self }
    }
}

/// The key sets in which a secret's public key is published.
pub fn key_sets<'a>(
    manifest: &'a Manifest,
    environment: &'a EnvName,
    name: &'a SecretName,
) -> impl Iterator<Item = &'a Output> {
    let publishes = |output: &&Output| matches!(output.format, Format::Jwks { .. }) && output.secrets.contains(name);
    manifest.outputs_in(environment).filter(publishes)
}

/// How long a successor is published before it signs; `None` for what is replaced at once.
pub fn lead(manifest: &Manifest, environment: &EnvName, declaration: &Declaration) -> Option<TimeDelta> {
    if is_root(declaration) {
        return declaration.overlap_in(manifest.environments.get(environment)).map(Period::delta);
    }
    max_age(manifest, environment, &declaration.name)
}

/// Within which time other hosts learn of another key by way of AWS; `None` for what none has, and
/// for what is sent without its successor.
pub fn spread(manifest: &Manifest, declaration: &Declaration, store: &Store) -> Option<TimeDelta> {
    let remote = declaration.remote.as_ref().filter(|_| declaration.sends_next())?;
    let aws = manifest.aws(&store.environment)?;
    let place = aws.prefix_of(&manifest.project, &store.environment) + remote.path();
    store.synced.bases.contains_key(&place).then(|| aws.spread().delta())
}

/// Whether the verifiers of other hosts have to know a successor too before it signs: then all hosts activate it together.
pub fn is_joint(manifest: &Manifest, declaration: &Declaration, store: &Store) -> bool {
    let is_published = || lead(manifest, &store.environment, declaration).is_some();
    spread(manifest, declaration, store).is_some() && (store.next(&declaration.name).is_some() || is_published())
}

/// The longest time that a verifier may go on with a key set; `None` when the key is in none.
pub fn max_age(manifest: &Manifest, environment: &EnvName, name: &SecretName) -> Option<TimeDelta> {
    let age = |output: &Output| match output.format {
        Format::Jwks { max_age } => Some(max_age.delta()),
        _ => None,
    };
    key_sets(manifest, environment, name).filter_map(age).max()
}

/// The versions of a secret that verifiers know besides the current one, oldest first.
pub fn companions<'s>(
    manifest: &Manifest,
    declaration: &Declaration,
    store: &'s Store,
    now: DateTime<Utc>,
) -> Vec<Companion<'s>> {
    if declaration.overlap.is_none() && !matches!(declaration.kind, Kind::Keypair { .. }) {
        return Vec::new();
    }
    let max_age = max_age(manifest, &store.environment, &declaration.name);
    let overlap = overlap(manifest, declaration, store);
    let versions = store.secrets.get(&declaration.name).map_or(&[][..], Vec::as_slice);
    let fitting = versions.iter().filter(|version| declaration.kind.accepts(&version.kind));
    let companion = |version| {
        let companion = match declaration.kind {
            Kind::Keypair { .. } => pair(manifest, (declaration, overlap), version, store, max_age),
            Kind::Ca(_) => authority::companion(manifest, (declaration, overlap?), version, store),
            _ => single(declaration, overlap, version, store),
        };
        companion.filter(|it| it.state == State::Next || now < it.until)
    };
    let mut companions: Vec<_> = fitting.filter_map(companion).collect();
    if declaration.kind.is_single() {
        // There is one name for a previous value, so there is one previous value.
        companions.drain(..companions.len().saturating_sub(1));
    }
    companions
}

/// The value that is delivered beside the current one, while the overlap lasts.
pub fn previous<'s>(
    manifest: &Manifest,
    declaration: &Declaration,
    store: &'s Store,
    now: DateTime<Utc>,
) -> Option<&'s Version> {
    let companions = companions(manifest, declaration, store, now);
    companions.into_iter().find(|_| declaration.kind.is_single()).map(|it| it.version)
}

/// Where in its life a version is.
pub fn state(companions: &[Companion<'_>], version: &Version) -> State {
    match companions.iter().find(|it| it.version.id == version.id) {
        Some(companion) => companion.state,
        None if version.stage == Stage::Current => State::Active,
        None => State::Retired,
    }
}

/// Whether a key pair has the algorithm that is declared now, by the facts of its version.
pub fn is_as_declared(declaration: &Declaration, facts: &BTreeMap<String, String>) -> bool {
    match declaration.kind {
        Kind::Keypair { algorithm } => facts.get("algorithm").is_none_or(|it| it == Algorithm::from(algorithm).name()),
        _ => true,
    }
}

/// A version of a single value: it stands beside its successor while the overlap lasts, unless its owner may refuse it already.
fn single<'s>(
    declaration: &Declaration,
    overlap: Option<Period>,
    version: &'s Version,
    store: &Store,
) -> Option<Companion<'s>> {
    let overlap = overlap.filter(|_| declaration.kind.is_single())?;
    let is_retiring = |it: &Operation| it.step == Step::Retiring && it.base == version.id;
    let may_be_refused = store.rotations.running.get(&declaration.name).is_some_and(is_retiring);
    let is_accepted = version.life.revoked.is_none() && version.life.retired.is_none() && !may_be_refused;
    let since = version.life.replaced.filter(|_| is_accepted && version.stage == Stage::Previous)?;
    let until = since + overlap.delta();
    Some(Companion { version, state: State::Retiring, since, until, wait: TimeDelta::zero() })
}

/// A key pair's version. One that is in no key set is replaced where it is delivered, and has no time between.
fn pair<'s>(
    manifest: &Manifest,
    (declaration, overlap): (&Declaration, Option<Period>),
    version: &'s Version,
    store: &Store,
    max_age: Option<TimeDelta>,
) -> Option<Companion<'s>> {
    if version.stage == Stage::Next {
        let since = version.life.published.unwrap_or(version.created);
        let wait = version.life.wait(max_age.unwrap_or_default());
        let until = since + spread(manifest, declaration, store).unwrap_or_default() + wait;
        return Some(Companion { version, state: State::Next, since, until, wait });
    }
    let since = version.life.replaced.filter(|_| version.life.revoked.is_none() && version.stage != Stage::Current)?;
    let until = end(manifest, (declaration, overlap), version, store, since) + LEEWAY + max_age?;
    Some(Companion { version, state: State::Retiring, since, until, wait: TimeDelta::zero() })
}

/// When a key pair that is replaced at `since` verifies nothing any more; at once where no key set publishes it.
pub fn retires(
    manifest: &Manifest,
    declaration: &Declaration,
    version: &Version,
    store: &Store,
    since: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let max_age = max_age(manifest, &store.environment, &declaration.name)?;
    let overlap = overlap(manifest, declaration, store);
    Some(end(manifest, (declaration, overlap), version, store, since) + LEEWAY + max_age)
}

fn overlap(manifest: &Manifest, declaration: &Declaration, store: &Store) -> Option<Period> {
    declaration.overlap_in(manifest.environments.get(&store.environment))
}

/// When the tokens of a replaced key pair end: those that are minted anew with its overlap, or by themselves where it has
/// none. Of what is declared no more there is nothing to restart with. A record tells what else really was signed: a
/// declared maximum may have been a longer one at that time.
///
/// Other hosts that have the key sign with it until they learn of the other one, and nobody here knows what they signed: for
/// that it stays as long as any token may live.
fn end(
    manifest: &Manifest,
    (declaration, overlap): (&Declaration, Option<Period>),
    version: &Version,
    store: &Store,
    since: DateTime<Utc>,
) -> DateTime<Utc> {
    if let Some(spread) = spread(manifest, declaration, store) {
        return since + spread + overlap.map_or(LONGEST.delta(), |it| it.max(LONGEST).delta());
    }
    let Some(kid) = version.facts.get("kid") else { return since };
    let is_token = |name: &SecretName| manifest.secret(name).is_some_and(|it| matches!(it.kind, Kind::Token(_)));
    let is_made_anew = |name: &SecretName| manifest.has_secret(name, &store.environment) && is_token(name);
    let kept = latest_signed_token(store, kid, |name| overlap.is_none() || !is_made_anew(name));
    let others = store.issued.horizons.get(kid).copied();
    [overlap.map(|it| since + it.delta()), kept, others].into_iter().flatten().fold(since, DateTime::max)
}

/// When the last of the tokens ends that were signed with a key and are values of these secrets.
fn latest_signed_token(store: &Store, kid: &str, of: impl Fn(&SecretName) -> bool) -> Option<DateTime<Utc>> {
    let versions = store.secrets.iter().filter(|(name, _)| of(name)).flat_map(|(_, versions)| versions);
    let tokens = versions.filter(|it| it.kind == "token");
    tokens.filter(|it| it.facts.get("kid").is_some_and(|it| it == kid)).filter_map(|it| it.expires).max()
}

#[cfg(test)]
mod tests;
