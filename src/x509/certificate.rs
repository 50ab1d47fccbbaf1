//! What one certificate says (RFC 5280 §4), read once and owned; nothing here is verified.

mod read;

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use ipnet::IpNet;

use super::public_key::PublicKey;
use super::renewal;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The whole certificate, DER.
    pub der: Vec<u8>,
    /// What its issuer signed.
    pub(super) signed: Vec<u8>,
    /// The signature over it.
    pub(super) signature: Vec<u8>,
    /// 1, 2 or 3.
    pub version: u32,
    /// The INTEGER's octets, so that a sign and a zero at the head are seen.
    pub serial: Vec<u8>,
    /// Whom it is about.
    pub subject: Name,
    /// Who says so.
    pub issuer: Name,
    /// First second of its life.
    pub not_before: DateTime<Utc>,
    /// Last second of its life.
    pub not_after: DateTime<Utc>,
    /// The key.
    pub key: PublicKey,
    /// How it is signed, in words, and whether the hash is one that nobody takes any more.
    pub signature_algorithm: (&'static str, bool),
    /// The names that it is valid for.
    pub names: Option<AlternativeNames>,
    /// Whether it is a CA.
    pub basic_constraints: Option<Constraints>,
    /// What the key may do, and whether that is critical.
    pub key_usage: Option<(Usages, bool)>,
    /// What for, by the names of RFC 5280 §4.2.1.12, others as object identifiers.
    pub purposes: Option<Vec<String>>,
    /// `SubjectKeyIdentifier`.
    pub subject_key_id: Option<Vec<u8>>,
    /// The key identifier of `AuthorityKeyIdentifier`.
    pub authority_key_id: Option<Vec<u8>>,
    /// The names that certificates beneath it may have.
    pub name_constraints: Option<NameConstraints>,
}

/// A distinguished name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// DER, by which names are compared.
    pub raw: Vec<u8>,
    /// As people write it.
    pub text: String,
    /// The common names in it.
    pub common_names: Vec<String>,
}

/// The `SubjectAltName` extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlternativeNames {
    /// Whether a verifier must understand it.
    pub critical: bool,
    /// DNS names as written.
    pub dns: Vec<String>,
    /// Addresses.
    pub ip: Vec<IpAddr>,
    /// URIs.
    pub uri: Vec<String>,
    /// How many of other kinds.
    pub others: usize,
}

/// The `BasicConstraints` extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constraints {
    /// Whether a verifier must understand it.
    pub critical: bool,
    /// Whether it is a CA.
    pub ca: bool,
    /// How many CAs may follow.
    pub path_length: Option<u32>,
}

/// The bits of the `KeyUsage` extension, the first one being the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usages(u16);

impl Usages {
    /// digitalSignature.
    pub const SIGN: u16 = 1;
    /// keyEncipherment.
    pub const ENCIPHER_KEYS: u16 = 1 << 2;
    /// keyCertSign.
    pub const SIGN_CERTIFICATES: u16 = 1 << 5;
    /// cRLSign.
    pub const SIGN_CRLS: u16 = 1 << 6;

    const NAMES: [&'static str; 9] = [
        "digitalSignature",
        "contentCommitment",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    /// Whether all of these bits are set.
    pub fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    /// The names of RFC 5280 §4.2.1.3.
    pub fn names(self) -> Vec<&'static str> {
        (0..).zip(Self::NAMES).filter(|(bit, _)| self.has(1 << bit)).map(|(_, name)| name).collect()
    }
}

/// The `NameConstraints` extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// Whether a verifier must understand it.
    pub critical: bool,
    /// The subtrees that names of their own form must be in.
    pub permitted: Vec<Subtree>,
    /// The subtrees that no name may be in.
    pub excluded: Vec<Subtree>,
}

/// A subtree of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subtree {
    /// A domain and everything below.
    Dns(String),
    /// A range of addresses.
    Ip(IpNet),
    /// Another form of names, or a mask that is none.
    Other,
}

impl Certificate {
    /// Whether it says that it is a CA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|it| it.ca)
    }

    /// Whether it is for signing certificates, and not a leaf that merely says so.
    pub fn is_authority(&self) -> bool {
        self.is_ca() && self.key_usage.is_some_and(|(usages, _)| usages.has(Usages::SIGN_CERTIFICATES))
    }

    /// Whether nothing in it forbids that its key signs certificates.
    pub fn may_sign(&self) -> bool {
        self.is_ca() && self.key_usage.is_none_or(|(usages, _)| usages.has(Usages::SIGN_CERTIFICATES))
    }

    /// Whether its signature is of a kind that can be checked here. ECDSA with SHA-512, which other verifiers take, is not.
    pub fn is_signature_known(&self) -> bool {
        let (algorithm, is_broken) = self.signature_algorithm;
        !is_broken && !matches!(algorithm, "ECDSA with SHA-512" | "an unknown algorithm")
    }

    /// Whether it names itself as its issuer.
    pub fn is_self_issued(&self) -> bool {
        self.subject.raw == self.issuer.raw
            && (self.authority_key_id.is_none() || self.authority_key_id == self.subject_key_id)
    }

    /// How long it lives; both ends count (RFC 5280 §4.1.2.5).
    pub fn life(&self) -> TimeDelta {
        self.not_after - self.not_before + TimeDelta::seconds(1)
    }

    /// When it is due for renewal.
    pub fn due(&self) -> DateTime<Utc> {
        renewal::due(self.not_before, self.not_after, &HEXLOWER.encode(&self.serial))
    }

    /// All names that it is valid for, in words.
    pub fn all_names(&self) -> Vec<String> {
        let Some(names) = &self.names else { return Vec::new() };
        let addresses = names.ip.iter().map(IpAddr::to_string);
        names.dns.iter().cloned().chain(addresses).chain(names.uri.iter().cloned()).collect()
    }

    /// A short name for messages: the subject, or the first name when there is none.
    pub fn short_name(&self) -> String {
        let common = self.subject.common_names.first().cloned();
        let other = || self.all_names().into_iter().next().filter(|_| self.subject.text.is_empty());
        common.or_else(other).unwrap_or_else(|| self.subject.text.clone())
    }
}

#[cfg(test)]
mod tests;
