//! Which tokens are known: the declared ones, and those that were minted to be revocable. Never their texts.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::issued::is_over;
use super::lifetime::LONGEST;
use super::reason::Reason;
use super::trusted::Trusted;
use super::verify::Verifier;
use crate::manifest::Manifest;
use crate::manifest::model::{Kind, Token};
use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::Secret;
use crate::store::issued::{Issued, IssuedToken};
use crate::store::{Stage, Store, Version};

/// What a verifier would say of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Good.
    Live,
    /// Its time is over.
    Expired,
    /// It was revoked, or all tokens of its subject of that time were.
    Revoked,
    /// The key that signed it verifies nothing any more, or another algorithm by now, or nobody knows it.
    Orphaned,
    /// It says something else than is accepted of its key by now: another issuer or audience.
    Refused,
}

/// A token without its text.
#[derive(Debug, Serialize)]
pub struct Known {
    /// The secret whose value it is; `None` for one that was minted for somebody.
    pub name: Option<SecretName>,
    /// The version of that secret.
    pub version: Option<VersionId>,
    /// Whether it is what that secret delivers now.
    pub current: bool,
    /// The secret that signed it.
    pub key: SecretName,
    /// The `kid` of the key's version.
    pub kid: String,
    /// The token's id.
    pub jti: String,
    /// Who bears it.
    pub subject: String,
    /// What the bearer may do.
    pub role: Option<String>,
    /// When it was minted.
    pub issued: DateTime<Utc>,
    /// When it ends.
    pub expires: DateTime<Utc>,
    /// What a verifier would say.
    pub state: State,
}

/// What is to be revoked.
#[derive(Debug, Default, Serialize)]
pub struct Revoked {
    /// When each token ends, by its `jti`.
    pub tokens: BTreeMap<String, DateTime<Utc>>,
    /// The time before which the tokens of a subject were issued.
    pub subjects: BTreeMap<String, DateTime<Utc>>,
}

impl Revoked {
    /// Leaves out what a store has revoked already, and what has ended.
    #[must_use]
    pub fn news(mut self, issued: &Issued, now: DateTime<Utc>) -> Self {
        self.tokens.retain(|jti, expires| !is_over(*expires, now) && issued.revoked_tokens.get(jti) < Some(expires));
        self.subjects.retain(|subject, before| {
            !is_over(*before + LONGEST.delta(), now) && issued.revoked_subjects.get(subject) < Some(before)
        });
        self
    }

    /// Whether nothing is to be revoked.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.subjects.is_empty()
    }

    /// Whether a token is among them.
    pub fn has(&self, token: &Known) -> bool {
        self.tokens.contains_key(&token.jti)
            || self.subjects.get(&token.subject).is_some_and(|before| token.issued < *before)
    }

    /// Revokes them, and forgets what need not be revoked any longer.
    pub fn record(&self, issued: &mut Issued, now: DateTime<Utc>) {
        issued.revoked_tokens.extend(self.tokens.iter().map(|(jti, expires)| (jti.clone(), *expires)));
        issued.revoked_subjects.extend(self.subjects.iter().map(|(subject, before)| (subject.clone(), *before)));
        issued.prune_tokens(now);
        issued.prune_revocations(now);
    }
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = self.tokens.keys().cloned();
        let subjects = self.subjects.iter().map(|(subject, before)| {
            format!("tokens of {subject} issued before {}", before.to_rfc3339_opts(SecondsFormat::Secs, true))
        });
        f.write_str(&tokens.chain(subjects).collect::<Vec<_>>().join(", "))
    }
}

/// Every token of a store: declared ones by name and age, then those that were minted for somebody, by their end.
pub fn known(manifest: &Manifest, environment: &EnvName, store: &Store, now: DateTime<Utc>) -> Vec<Known> {
    let Trusted { keys, accepted, revocations } = Trusted::of_store(manifest, environment, store, now);
    let verifier = Verifier { by_key: accepted, revocations: Some(&revocations), ..Verifier::new(&keys) };
    let declared = manifest.secrets_in(environment).filter_map(|declaration| match &declaration.kind {
        Kind::Token(token) => Some((&declaration.name, token)),
        _ => None,
    });
    let versions = declared.flat_map(|(name, token)| {
        let versions = store.versions(name);
        versions.filter_map(|version| of_version(name, token, version, &verifier, now))
    });
    let mut recorded: Vec<Known> =
        store.issued.tokens.iter().map(|(jti, token)| of_record(jti, token, &verifier, now)).collect();
    recorded.sort_unstable_by(|a, b| (a.expires, &a.jti).cmp(&(b.expires, &b.jti)));
    versions.chain(recorded).collect()
}

fn of_record(jti: &str, token: &IssuedToken, verifier: &Verifier<'_>, now: DateTime<Utc>) -> Known {
    let known = Known {
        name: None,
        version: None,
        current: false,
        key: token.signed_by.clone(),
        kid: token.kid.clone(),
        jti: jti.to_owned(),
        subject: token.subject.clone(),
        role: token.role.clone(),
        issued: token.issued,
        expires: token.expires,
        state: State::Live,
    };
    Known { state: known.judged(token.algorithm.as_deref(), None, verifier, now), ..known }
}

/// A version of a declared token; `None` when it was made as something else, or by nobody who knew these facts.
fn of_version(
    name: &SecretName,
    token: &Token,
    version: &Version,
    verifier: &Verifier<'_>,
    now: DateTime<Utc>,
) -> Option<Known> {
    let fact = |key: &str| version.facts.get(key).cloned();
    let signed_by = version.inputs.keys().next().unwrap_or(&token.signed_by);
    let known = Known {
        name: Some(name.clone()),
        version: Some(version.id),
        current: version.stage == Stage::Current,
        key: signed_by.clone(),
        kid: fact("kid")?,
        jti: fact("jti")?,
        subject: fact("subject")?,
        role: fact("role"),
        issued: version.created,
        expires: version.expires?,
        state: State::Live,
    };
    let text = version.parts.primary().and_then(Secret::expose_text);
    Some(Known { state: known.judged(fact("algorithm").as_deref(), text, verifier, now), ..known })
}

impl Known {
    /// Whether somebody could use it although nothing delivers it any more.
    pub fn is_at_large(&self) -> bool {
        !self.current && matches!(self.state, State::Live | State::Refused)
    }

    /// What the verifier says of the text. Of a token whose text nobody kept it says what follows from the records: for
    /// whom it is its own verifiers judge.
    fn judged(
        &self,
        algorithm: Option<&str>,
        text: Option<&str>,
        verifier: &Verifier<'_>,
        now: DateTime<Utc>,
    ) -> State {
        if is_over(self.expires, now) {
            return State::Expired;
        }
        if let Some(text) = text {
            return verifier.verify(text, now).map_or_else(state, |_| State::Live);
        }
        let is_key_good = match algorithm {
            Some(algorithm) => verifier.keys.find(Some(&self.kid), algorithm).is_ok(),
            None => verifier.keys.verifies(&self.kid),
        };
        let issued = self.issued.timestamp();
        if !is_key_good {
            State::Orphaned
        } else if verifier.revocations.is_some_and(|it| it.revokes(&self.jti, &self.subject, issued)) {
            State::Revoked
        } else {
            State::Live
        }
    }
}

fn state(reason: Reason) -> State {
    use Reason::{
        AlgKeyMismatch, AlgNotAllowed, BadSignature, Expired, KeyNotYetActive, KeyRetired, Revoked, UnknownKid,
    };
    match reason {
        Expired => State::Expired,
        Revoked => State::Revoked,
        AlgKeyMismatch | AlgNotAllowed | BadSignature | KeyNotYetActive | KeyRetired | UnknownKid => State::Orphaned,
        _ => State::Refused,
    }
}
