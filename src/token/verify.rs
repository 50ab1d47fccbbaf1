//! Verifying a token: everything that must hold, in one order, and a stable reason for the first that does not.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::claims::{Claims, TYPE, role_named};
use super::compact::Compact;
use super::header::Header;
use super::json;
use super::key_set::KeySet;
use super::reason::Reason;
use super::revocation::Revocations;
use crate::manifest::model::Role;

/// How far the clocks of the minting and the verifying machine may stand apart.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// The last second of the year 9999: what lies beyond is no date that anybody meant.
const LATEST: i64 = 253_402_300_799;

/// Whose tokens are accepted, and for whom they must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// `iss` is one of these.
    pub issuers: Vec<String>,
    /// `aud` has one of these.
    pub audiences: Vec<String>,
}

/// What a token must be to be accepted.
#[derive(Debug)]
pub struct Verifier<'a> {
    /// The keys, which decide the algorithms.
    pub keys: &'a KeySet,
    /// Issuers and audiences by the `kid` of a key: a service that shares one key cannot mint for another's audience.
    pub by_key: BTreeMap<String, Accepted>,
    /// Issuers and audiences of the keys that have none of their own.
    pub otherwise: Accepted,
    /// The role is one of these; empty = any, or none.
    pub roles: Vec<Role>,
    /// The scope has all of these.
    pub scopes: Vec<String>,
    /// What was revoked.
    pub revocations: Option<&'a Revocations>,
    /// How far the clocks may stand apart.
    pub leeway: TimeDelta,
}

impl<'a> Verifier<'a> {
    /// A verifier that accepts nothing until it is told issuers and audiences.
    pub fn new(keys: &'a KeySet) -> Self {
        Self {
            keys,
            by_key: BTreeMap::new(),
            otherwise: Accepted::default(),
            roles: Vec::new(),
            scopes: Vec::new(),
            revocations: None,
            leeway: LEEWAY,
        }
    }

    /// The claims of a token that is good at this time. Nothing of its payload is read before its signature holds.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Reason> {
        let token = Compact::parse(token)?;
        let header = Header::parse(&token.header)?;
        let key = self.keys.find(header.kid.as_deref(), &header.algorithm)?;
        if header.is_extended {
            return Err(Reason::CritUnsupported);
        }
        if !key.is_signature(token.signed, &token.signature) {
            return Err(Reason::BadSignature);
        }
        check_kind(header.kind.as_deref())?;
        let members = json::object(&token.payload).ok_or(Reason::Malformed)?;
        let accepted = self.by_key.get(key.kid()).unwrap_or(&self.otherwise);
        let claims = self.check_times(&members, now)?.claims(&members, accepted)?;
        self.check_grants(&claims)?;
        Ok(claims)
    }

    fn check_times(&self, members: &Map<String, Value>, now: DateTime<Utc>) -> Result<Times, Reason> {
        let (now, leeway) = (now.timestamp(), self.leeway.num_seconds());
        let expires = seconds(members, "exp", f64::floor)?.ok_or(Reason::ClaimMissing("exp"))?;
        if now >= expires + leeway {
            return Err(Reason::Expired);
        }
        let not_before = seconds(members, "nbf", f64::ceil)?;
        if not_before.is_some_and(|not_before| now + leeway < not_before) {
            return Err(Reason::NotYetValid);
        }
        let issued = seconds(members, "iat", f64::ceil)?.ok_or(Reason::ClaimMissing("iat"))?;
        if now + leeway < issued {
            return Err(Reason::IssuedInFuture);
        }
        Ok(Times { issued, not_before: not_before.unwrap_or(issued), expires })
    }

    fn check_grants(&self, claims: &Claims) -> Result<(), Reason> {
        if self.revocations.is_some_and(|revocations| revocations.is_revoked(claims)) {
            return Err(Reason::Revoked);
        }
        if !self.roles.is_empty() && !claims.role.is_some_and(|role| self.roles.contains(&role)) {
            return Err(Reason::RoleDenied);
        }
        if !self.scopes.iter().all(|scope| claims.scope.contains(scope)) {
            return Err(Reason::ScopeMissing);
        }
        Ok(())
    }
}

/// The times of a token, which were looked at first.
struct Times {
    issued: i64,
    not_before: i64,
    expires: i64,
}

impl Times {
    fn claims(self, members: &Map<String, Value>, accepted: &Accepted) -> Result<Claims, Reason> {
        let issuer = text(members, "iss")?;
        if !accepted.issuers.contains(&issuer) {
            return Err(Reason::IssMismatch);
        }
        let audience = audience(members)?;
        if !audience.iter().any(|one| accepted.audiences.contains(one)) {
            return Err(Reason::AudMismatch);
        }
        let Self { issued, not_before, expires } = self;
        Ok(Claims {
            issuer,
            audience,
            subject: text(members, "sub")?,
            role: role(members)?,
            scope: scope(members)?,
            id: text(members, "jti")?,
            issued,
            not_before,
            expires,
        })
    }
}

/// RFC 9068 §4: both spellings, in whatever case (RFC 7515 §4.1.9).
fn check_kind(kind: Option<&str>) -> Result<(), Reason> {
    let kind = kind.ok_or(Reason::ClaimMissing("typ"))?.to_ascii_lowercase();
    let is_ours = kind.strip_prefix("application/").unwrap_or(&kind) == TYPE;
    if is_ours { Ok(()) } else { Err(Reason::ClaimMalformed("typ")) }
}

/// A `NumericDate` (RFC 7519 §2) is a number, which may have a fraction; a text that looks like one is not.
#[expect(clippy::cast_possible_truncation, reason = "it is in the range of dates, and whole")]
fn seconds(members: &Map<String, Value>, name: &'static str, round: fn(f64) -> f64) -> Result<Option<i64>, Reason> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let whole = value.as_i64();
    // As in f64, the latest date is whole: 2^53 is far beyond it.
    let fraction =
        || value.as_f64().filter(|date| (0.0..=253_402_300_799.0).contains(date)).map(|date| round(date) as i64);
    let date = whole.or_else(fraction).filter(|date| (0..=LATEST).contains(date));
    date.map(Some).ok_or(Reason::ClaimMalformed(name))
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<String, Reason> {
    match members.get(name) {
        None => Err(Reason::ClaimMissing(name)),
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(_) => Err(Reason::ClaimMalformed(name)),
    }
}

fn audience(members: &Map<String, Value>) -> Result<Vec<String>, Reason> {
    let malformed = Reason::ClaimMalformed("aud");
    match members.get("aud") {
        None => Err(Reason::AudMissing),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(several)) if several.is_empty() => Err(Reason::AudMissing),
        Some(Value::Array(several)) => {
            several.iter().map(|one| one.as_str().map(str::to_owned).ok_or(malformed)).collect()
        }
        Some(_) => Err(malformed),
    }
}

fn role(members: &Map<String, Value>) -> Result<Option<Role>, Reason> {
    let Some(role) = members.get("role") else { return Ok(None) };
    role.as_str().and_then(role_named).map(Some).ok_or(Reason::ClaimMalformed("role"))
}

/// Words of visible ASCII, one space between them (RFC 6749 §3.3).
fn scope(members: &Map<String, Value>) -> Result<Vec<String>, Reason> {
    let Some(scope) = members.get("scope") else { return Ok(Vec::new()) };
    let words = scope.as_str().ok_or(Reason::ClaimMalformed("scope"))?.split(' ');
    words.map(|word| is_scope(word).then(|| word.to_owned()).ok_or(Reason::ClaimMalformed("scope"))).collect()
}

/// Whether a word can be a scope (RFC 6749 §3.3).
pub fn is_scope(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
pub(super) mod tests;
