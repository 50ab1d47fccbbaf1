//! The algorithms that tokens are signed with, by their registered names.

use std::fmt;

use crate::manifest::model::{KeyAlgorithm, TokenAlgorithm};

/// A JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1). `none` is not one, and neither is ES512, which ring lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// The `alg` of a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// The algorithm of that name, which is case-sensitive (RFC 7515 §4.1.1).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Whether its key is an RSA key.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Ps256 | Self::Ps384 | Self::Ps512 | Self::Rs256 | Self::Rs384 | Self::Rs512)
    }

    /// The shortest HMAC key in bytes: as many as the hash has (RFC 7518 §3.2). `None` where the key is not shared.
    pub fn shortest_shared_key(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 => Some(64),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<TokenAlgorithm> for Algorithm {
    fn from(declared: TokenAlgorithm) -> Self {
        match declared {
            TokenAlgorithm::Eddsa => Self::EdDsa,
            TokenAlgorithm::Es256 => Self::Es256,
            TokenAlgorithm::Es384 => Self::Es384,
            TokenAlgorithm::Hs256 => Self::Hs256,
            TokenAlgorithm::Hs384 => Self::Hs384,
            TokenAlgorithm::Hs512 => Self::Hs512,
            TokenAlgorithm::Ps256 => Self::Ps256,
            TokenAlgorithm::Ps384 => Self::Ps384,
            TokenAlgorithm::Ps512 => Self::Ps512,
            TokenAlgorithm::Rs256 => Self::Rs256,
            TokenAlgorithm::Rs384 => Self::Rs384,
            TokenAlgorithm::Rs512 => Self::Rs512,
        }
    }
}

impl From<KeyAlgorithm> for Algorithm {
    fn from(curve: KeyAlgorithm) -> Self {
        match curve {
            KeyAlgorithm::Eddsa => Self::EdDsa,
            KeyAlgorithm::Es256 => Self::Es256,
            KeyAlgorithm::Es384 => Self::Es384,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_algorithm_and_only_in_its_own_spelling() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
            assert_eq!(Algorithm::named(&algorithm.name().to_lowercase()), None);
        }
        for name in ["none", "None", "", "ES512", "ES256K", "HS256 "] {
            assert_eq!(Algorithm::named(name), None, "{name}");
        }
    }
}
