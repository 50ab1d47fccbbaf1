//! What the store remembers of certificates besides their versions: those of others, those that are revoked, and the
//! lists that say so. Nothing here is secret.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::generate::certificate::revocation::Reason;
use crate::name::{SecretName, VersionId};

/// The records of one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificates {
    /// Certificates whose keys are not ours, so that they can be revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Issued>,
    /// Certificates that must not be trusted any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<Revoked>,
    /// The newest revocation lists by CA.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<SecretName, Lists>,
}

/// A certificate that was signed for a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    /// The version of the CA that signed it.
    pub issuer: VersionId,
    /// The serial in hex.
    pub serial: String,
    /// Its names, with commas between them.
    pub subject: String,
    /// The last second of its validity.
    pub expires: DateTime<Utc>,
}

/// A certificate that was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// The version of the CA that signed it.
    pub issuer: VersionId,
    /// The serial in hex.
    pub serial: String,
    /// When it was revoked.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
    /// The last second of its validity: no list need name it after that.
    pub expires: DateTime<Utc>,
}

/// The lists of one CA: one for each of its certificates that is still valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// The CRL number; never goes back.
    pub number: u64,
    /// By when the next ones must be there.
    pub next_update: DateTime<Utc>,
    /// The versions of the CA that have one.
    pub versions: BTreeSet<VersionId>,
    /// The lists, PEM, that of the current version first.
    pub pem: String,
}

impl Certificates {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A length that they do not exceed as JSON, in bytes: a buffer that never grows leaves no copy of a value behind.
    pub fn size_hint(&self) -> usize {
        const BYTES_A_RECORD: usize = 384;
        let lists = self.lists.values();
        let texts: usize = lists.map(|lists| lists.pem.len() * 2 + (lists.versions.len() + 1) * BYTES_A_RECORD).sum();
        let subjects: usize = self.issued.iter().map(|issued| issued.subject.len() * 2).sum();
        texts + subjects + (self.issued.len() + self.revoked.len()) * BYTES_A_RECORD
    }

    /// Whether a serial of that CA's version is revoked.
    pub fn is_revoked(&self, issuer: VersionId, serial: &str) -> bool {
        self.revoked.iter().any(|it| it.issuer == issuer && it.serial == serial)
    }

    /// Remembers a certificate of somebody else's key, and forgets those that have expired.
    pub fn record_issued(&mut self, issued: Issued, now: DateTime<Utc>) {
        self.issued.retain(|it| it.expires >= now);
        self.issued.push(issued);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::random::version_id;
    use crate::store::tests::now;

    #[test]
    fn the_records_read_back_and_fit_into_what_is_reserved_for_them() {
        let issuer = version_id().unwrap();
        let name = SecretName::new("A".repeat(128)).unwrap();
        let mut records = Certificates::default();
        for number in 0..100 {
            let serial = format!("{number:040x}");
            let record = Issued { issuer, serial: serial.clone(), subject: "\"".repeat(300), expires: now() };
            records.record_issued(record, now());
            let reason = Reason::CessationOfOperation;
            records.revoked.push(Revoked { issuer, serial, at: now(), reason, expires: now() });
        }
        let versions = (0..20).map(|_| version_id().unwrap()).collect();
        let lists = Lists { number: u64::MAX, next_update: now(), versions, pem: "a\n".repeat(3000) };
        records.lists.insert(name, lists);
        let text = serde_json::to_string(&records).unwrap();
        assert!(text.len() <= records.size_hint(), "{} {}", text.len(), records.size_hint());
        assert_eq!(serde_json::from_str::<Certificates>(&text).unwrap(), records);
    }

    #[test]
    fn what_has_expired_is_forgotten_with_the_next_one() {
        let issuer = version_id().unwrap();
        let record = |expires| Issued { issuer, serial: "40".into(), subject: "a".into(), expires };
        let mut records = Certificates::default();
        records.record_issued(record(now()), now());
        records.record_issued(record(now()), now() + chrono::TimeDelta::seconds(1));
        assert_eq!(records.issued.len(), 1);
    }
}
