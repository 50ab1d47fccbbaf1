//! Why a token is refused: codes that never change, and a sentence for a person.

use std::borrow::Cow;
use std::fmt;

/// Why a token is refused. Holds nothing that was read from it: what is not verified is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Not three parts of strict base64url, or header or claims are not one JSON object.
    Malformed,
    /// The header says `none`: nobody signed it.
    AlgNone,
    /// No key of ours signs with the header's algorithm.
    AlgNotAllowed,
    /// The header's algorithm is not that of the key it names (RFC 8725 §3.1).
    AlgKeyMismatch,
    /// The header names no key, or none of ours.
    UnknownKid,
    /// The key was taken out of service.
    KeyRetired,
    /// The key is published, but does not sign yet.
    KeyNotYetActive,
    /// The header has a member that is not known: an extension, or a key of its own.
    CritUnsupported,
    /// The signature is not that of the key.
    BadSignature,
    /// `exp` has passed.
    Expired,
    /// `nbf` is still to come.
    NotYetValid,
    /// `iat` is still to come.
    IssuedInFuture,
    /// `iss` is somebody else.
    IssMismatch,
    /// `aud` is absent or empty.
    AudMissing,
    /// `aud` is somebody else.
    AudMismatch,
    /// A claim (or the header's `typ`) that must be there is not.
    ClaimMissing(&'static str),
    /// A claim (or the header's `typ`) is not what it must be.
    ClaimMalformed(&'static str),
    /// The role is none of those that are asked for.
    RoleDenied,
    /// A scope that is asked for is not granted.
    ScopeMissing,
    /// The token was revoked, or all tokens of its subject of that time were.
    Revoked,
}

impl Reason {
    /// The code, for machines.
    pub fn code(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Malformed => "malformed",
            Self::AlgNone => "alg_none",
            Self::AlgNotAllowed => "alg_not_allowed",
            Self::AlgKeyMismatch => "alg_key_mismatch",
            Self::UnknownKid => "unknown_kid",
            Self::KeyRetired => "key_retired",
            Self::KeyNotYetActive => "key_not_yet_active",
            Self::CritUnsupported => "crit_unsupported",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::IssMismatch => "iss_mismatch",
            Self::AudMissing => "aud_missing",
            Self::AudMismatch => "aud_mismatch",
            Self::ClaimMissing(name) => return Cow::Owned(format!("claim_missing:{name}")),
            Self::ClaimMalformed(name) => return Cow::Owned(format!("claim_malformed:{name}")),
            Self::RoleDenied => "role_denied",
            Self::ScopeMissing => "scope_missing",
            Self::Revoked => "revoked",
        })
    }

    /// Whether the token is good and only grants too little: 403 rather than 401 (RFC 6750 §3.1).
    pub fn is_too_little(self) -> bool {
        matches!(self, Self::RoleDenied | Self::ScopeMissing)
    }

    /// What to do about it, where there is something.
    pub fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::Malformed => "pass the whole token on stdin, without `Bearer` and without line breaks",
            Self::UnknownKid => {
                "is it a token of this project and environment? `vault-kit token inspect` shows its `kid`"
            }
            Self::KeyRetired | Self::Expired => "mint a new one",
            Self::KeyNotYetActive | Self::NotYetValid | Self::IssuedInFuture => {
                "compare the clocks of this machine and of the one that minted it"
            }
            Self::IssMismatch | Self::AudMissing | Self::AudMismatch => {
                "`vault-kit token inspect` shows whom it is from and for, unverified"
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is not a signed token in compact form",
            Self::AlgNone => "it says that nobody signed it",
            Self::AlgNotAllowed => "no key here signs with its algorithm",
            Self::AlgKeyMismatch => "its algorithm is not that of the key it names",
            Self::UnknownKid => "it names no key that is known here",
            Self::KeyRetired => "its key was taken out of service",
            Self::KeyNotYetActive => "its key does not sign yet",
            Self::CritUnsupported => "its header asks for an extension or brings a key of its own",
            Self::BadSignature => "its signature is not that of the key",
            Self::Expired => "its time has ended",
            Self::NotYetValid => "its time has not begun",
            Self::IssuedInFuture => "it says that it was minted in the future",
            Self::IssMismatch => "it is from another issuer",
            Self::AudMissing => "it does not say whom it is for",
            Self::AudMismatch => "it is for another audience",
            Self::ClaimMissing(name) => return write!(f, "it has no `{name}`"),
            Self::ClaimMalformed(name) => return write!(f, "its `{name}` is not what it must be"),
            Self::RoleDenied => "its role is not one that is asked for",
            Self::ScopeMissing => "a scope that is asked for is not granted",
            Self::Revoked => "it was revoked",
        })
    }
}
