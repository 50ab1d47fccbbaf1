//! Is this key good? Whether it is one at all is told offline, from its checksum; the rest by its hash.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::hash;
use super::register::Records;
use crate::generate::api_key::{BODY, CHECKSUM, checksum_is_right};
use crate::secret::Secret;

/// Shorter texts are no keys.
const SHORTEST: usize = BODY + CHECKSUM;

/// Nor are longer ones: a prefix has at most 64 characters.
const LONGEST: usize = 64 + SHORTEST;

/// Why a key is refused. The codes never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It does not look like a key.
    Malformed,
    /// It was mistyped or cut off.
    Checksum,
    /// It is none of ours, or its record is no longer kept.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// It is good for none of the roles that are asked for.
    RoleDenied,
}

impl Reason {
    /// The code, for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Checksum => "checksum",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::RoleDenied => "role_denied",
        }
    }

    /// What to do about it, where that is not plain.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::Malformed => Some("pass the whole key, without quotes, spaces and line breaks"),
            Self::Checksum => Some("copy it again: a character is wrong or missing"),
            Self::Unknown => Some("is it of another environment? Records of keys that ended are kept for 90 days"),
            Self::Expired | Self::Revoked => Some("issue a new one with `vault-kit apikey new`"),
            Self::RoleDenied => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it does not look like a key",
            Self::Checksum => "its checksum is wrong, so that it was mistyped or cut off",
            Self::Unknown => "no such key was issued",
            Self::Expired => "its time is over",
            Self::Revoked => "it was revoked",
            Self::RoleDenied => "its role is none of those that are asked for",
        })
    }
}

/// A key that could have been issued: its shape and checksum are right.
#[derive(Debug)]
pub struct Presented {
    sha256: Secret,
}

/// A key that a presented one may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate<'a> {
    /// Its id.
    pub id: &'a str,
    /// Whom or what it is for.
    pub name: &'a str,
    /// What its bearer may do.
    pub role: Option<&'a str>,
    /// When it was issued.
    pub created: DateTime<Utc>,
    /// When it ends.
    pub expires: Option<DateTime<Utc>>,
    /// SHA-256 of the key, in hex.
    #[serde(skip)]
    pub sha256: &'a str,
    /// Whether it was taken back.
    #[serde(skip)]
    pub revoked: bool,
}

impl Presented {
    /// Reads a key; tells a typing error without knowing any key.
    pub fn read(key: &Secret) -> Result<Self, Reason> {
        let text = key.expose_text().filter(|text| is_plausible(text)).ok_or(Reason::Malformed)?;
        if checksum_is_right(text) { Ok(Self { sha256: Secret::from_text(hash(key)) }) } else { Err(Reason::Checksum) }
    }

    /// Judges the key by those that were issued, in a time that does not depend on which of them it is. `roles` are the
    /// ones that will do; empty = any.
    pub fn verify<'a>(
        &self,
        issued: impl IntoIterator<Item = Candidate<'a>>,
        roles: &[String],
        now: DateTime<Utc>,
    ) -> Result<Candidate<'a>, Reason> {
        // No early end: all are compared, wherever the right one stands.
        let found = issued.into_iter().fold(None, |found, candidate| {
            let is_it = self.sha256.is(candidate.sha256.as_bytes());
            if is_it { Some(candidate) } else { found }
        });
        let found = found.ok_or(Reason::Unknown)?;
        if found.revoked {
            return Err(Reason::Revoked);
        }
        if found.expires.is_some_and(|expires| expires <= now) {
            return Err(Reason::Expired);
        }
        if !roles.is_empty() && !roles.iter().any(|role| found.role == Some(role)) {
            return Err(Reason::RoleDenied);
        }
        Ok(found)
    }
}

/// The records of a store as candidates.
pub fn candidates(records: &Records) -> impl Iterator<Item = Candidate<'_>> {
    records.iter().map(|(id, record)| Candidate {
        id,
        name: &record.name,
        role: record.role.as_deref(),
        created: record.created,
        expires: record.expires,
        sha256: &record.sha256,
        revoked: record.revoked.is_some(),
    })
}

/// Whether a text has the characters and about the length of a key; what was cut off a prefixed one is told as that.
fn is_plausible(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (SHORTEST..=LONGEST).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::register::{Request, issue, revoke};
    use crate::generate::api_key::draw;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn request(role: Option<&str>) -> Request<'_> {
        Request { name: "acme", role, expires: Some(at(100)), grace_until: at(10) }
    }

    fn verdict(records: &Records, key: &Secret, roles: &[&str], seconds: i64) -> Result<String, Reason> {
        let roles: Vec<String> = roles.iter().map(|&role| role.to_owned()).collect();
        let found = Presented::read(key)?.verify(candidates(records), &roles, at(seconds))?;
        Ok(found.id.to_owned())
    }

    #[test]
    fn a_key_is_good_until_the_second_in_which_it_ends() {
        let (key, mut records) = (draw("k_").unwrap(), Records::new());
        let id = issue(&mut records, &key, request(None), at(0)).remove(0);
        assert_eq!(verdict(&records, &key, &[], 0), Ok(id.clone()));
        assert_eq!(verdict(&records, &key, &[], 99), Ok(id));
        assert_eq!(verdict(&records, &key, &[], 100), Err(Reason::Expired));
    }

    #[test]
    fn a_revoked_key_says_so_even_when_its_time_is_over() {
        let (key, mut records) = (draw("k_").unwrap(), Records::new());
        let ids = issue(&mut records, &key, request(None), at(0));
        revoke(&mut records, &ids, at(1));
        assert_eq!(verdict(&records, &key, &[], 1), Err(Reason::Revoked));
        assert_eq!(verdict(&records, &key, &[], 1000), Err(Reason::Revoked));
    }

    #[test]
    fn each_of_many_keys_is_found_and_no_other() {
        let mut records = Records::new();
        let keys: Vec<Secret> = (0..20).map(|_| draw("k_").unwrap()).collect();
        let issued: Vec<String> = keys
            .iter()
            .enumerate()
            .map(|(number, key)| {
                issue(&mut records, key, Request { name: &format!("n{number}"), ..request(None) }, at(0)).remove(0)
            })
            .collect();
        for (key, id) in keys.iter().zip(issued) {
            assert_eq!(verdict(&records, key, &[], 1), Ok(id));
        }
        assert_eq!(verdict(&records, &draw("k_").unwrap(), &[], 1), Err(Reason::Unknown));
    }

    #[test]
    fn one_of_several_roles_will_do_and_a_key_without_a_role_has_none() {
        for (role, asked, right) in [
            (Some("reader"), &["reader"][..], true),
            (Some("reader"), &["admin", "reader"], true),
            (Some("reader"), &["admin"], false),
            (Some("reader"), &["read"], false),
            (None, &["reader"], false),
            (None, &[], true),
        ] {
            let (key, mut records) = (draw("k_").unwrap(), Records::new());
            issue(&mut records, &key, request(role), at(0));
            let verdict = verdict(&records, &key, asked, 1);
            assert_eq!(verdict.is_ok(), right, "{role:?} {asked:?}");
            assert!(right || verdict == Err(Reason::RoleDenied));
        }
    }

    #[test]
    fn a_typing_error_is_told_from_what_is_no_key_at_all() {
        let key = draw("shop_dev_").unwrap();
        let text = key.expose_text().unwrap();
        let read = |text: &str| Presented::read(&Secret::copy_of(text.as_bytes())).map(|_| ());
        assert_eq!(read(text), Ok(()));
        let swapped = if text.ends_with('x') { 'y' } else { 'x' };
        assert_eq!(read(&format!("{}{swapped}", &text[..text.len() - 1])), Err(Reason::Checksum));
        assert_eq!(read(&text[1..]), Err(Reason::Checksum));
        assert_eq!(read(&text[..text.len() - 1]), Err(Reason::Checksum));
        assert_eq!(read(&format!("{text}0")), Err(Reason::Checksum));
        let long = format!("{}{text}", "a".repeat(60));
        let spaced = text.replace('_', " ");
        for wrong in ["", "secret", &text[12..], &format!(" {text}"), &format!("{text}\n"), &spaced, &long, "ä"] {
            assert_eq!(read(wrong), Err(Reason::Malformed), "{wrong:?}");
        }
    }
}
