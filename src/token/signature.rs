//! The one check of a signature, made of ring: `verify` and jsonwebtoken's provider both come here.

use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

use super::algorithm::Algorithm;
use super::public_key::PublicKey;

/// A key made ready to verify one algorithm, so that a thousand tokens cost one preparation.
pub(crate) enum Check {
    /// A shared key; the comparison takes the same time for every signature.
    Mac(hmac::Key),
    /// A point on a curve.
    Point(UnparsedPublicKey<Vec<u8>>),
    /// An RSA key with its padding and hash.
    Rsa(RsaPublicKeyComponents<Vec<u8>>, &'static RsaParameters),
}

impl Check {
    /// A shared key; `None` when it is shorter than the hash (RFC 7518 §3.2), or the algorithm takes none.
    pub(crate) fn shared(key: &[u8], algorithm: Algorithm) -> Option<Self> {
        let is_long_enough = algorithm.shortest_shared_key().is_some_and(|shortest| key.len() >= shortest);
        hash(algorithm).filter(|_| is_long_enough).map(|hash| Self::Mac(hmac::Key::new(hash, key)))
    }

    /// A public key; `None` when it is not one of that algorithm.
    pub(crate) fn public(key: &PublicKey, algorithm: Algorithm) -> Option<Self> {
        if !key.serves(algorithm) {
            return None;
        }
        match key {
            PublicKey::Ec(_, point) | PublicKey::Ed25519(point) => {
                Some(Self::Point(UnparsedPublicKey::new(curve(algorithm)?, point.clone())))
            }
            PublicKey::Rsa { n, e } => {
                Some(Self::Rsa(RsaPublicKeyComponents { n: n.clone(), e: e.clone() }, padding(algorithm)?))
            }
        }
    }

    /// Whether the signature is this key's over the message.
    pub(crate) fn is_valid(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Mac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Point(key) => key.verify(message, signature).is_ok(),
            Self::Rsa(key, parameters) => key.verify(parameters, message, signature).is_ok(),
        }
    }
}

/// The hash of an HMAC.
pub(super) fn hash(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::Hs256 => Some(hmac::HMAC_SHA256),
        Algorithm::Hs384 => Some(hmac::HMAC_SHA384),
        Algorithm::Hs512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::EdDsa => Some(&ED25519),
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED),
        _ => None,
    }
}

fn padding(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}
