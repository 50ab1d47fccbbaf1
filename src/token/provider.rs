//! The cryptography that `jsonwebtoken` asks for, made of ring: no second backend, and no rsa crate.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::jwk::{EllipticCurve, ThumbprintHash};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::{digest, hmac};

use super::algorithm::Algorithm as Ours;
use super::public_key::{Curve, PublicKey};
use super::rsa::RsaKey;
use super::signature::{Check, hash};
use crate::generate::keypair::{Form, PrivateKey};
use crate::manifest::model::KeyAlgorithm;

type Signed<T> = std::result::Result<T, SignatureError>;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: rsa_components,
        rsa_pub_components_from_public_key: |_| Err(unsupported()),
        ec_pub_components_from_private_key: curve_point,
        ed_pub_components_from_private_key: edwards_point,
        compute_digest,
    },
};

/// Makes `jsonwebtoken` use ring. Without it the crate panics on first use, so every door to it calls this first.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    // Fails only when a provider is already there, and nobody else installs one.
    INSTALLED.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

/// The algorithms and what `jsonwebtoken` calls them.
const NAMES: [(Ours, Algorithm); 12] = [
    (Ours::EdDsa, Algorithm::EdDSA),
    (Ours::Es256, Algorithm::ES256),
    (Ours::Es384, Algorithm::ES384),
    (Ours::Hs256, Algorithm::HS256),
    (Ours::Hs384, Algorithm::HS384),
    (Ours::Hs512, Algorithm::HS512),
    (Ours::Ps256, Algorithm::PS256),
    (Ours::Ps384, Algorithm::PS384),
    (Ours::Ps512, Algorithm::PS512),
    (Ours::Rs256, Algorithm::RS256),
    (Ours::Rs384, Algorithm::RS384),
    (Ours::Rs512, Algorithm::RS512),
];

/// The algorithm as `jsonwebtoken` calls it; `None` never, as a test holds.
pub(super) fn jws(algorithm: Ours) -> Option<Algorithm> {
    NAMES.into_iter().find(|(ours, _)| *ours == algorithm).map(|(_, theirs)| theirs)
}

fn ours(algorithm: Algorithm) -> Result<Ours> {
    NAMES.into_iter().find(|(_, theirs)| *theirs == algorithm).map(|(ours, _)| ours).ok_or_else(unsupported)
}

fn unsupported() -> jsonwebtoken::errors::Error {
    new_error(ErrorKind::UnsupportedAlgorithm)
}

fn unreadable() -> jsonwebtoken::errors::Error {
    new_error(ErrorKind::InvalidKeyFormat)
}

/// A key that signs one algorithm.
struct Signing {
    algorithm: Algorithm,
    key: SigningKey,
}

enum SigningKey {
    Mac(hmac::Key),
    Pair(PrivateKey),
    Rsa(RsaKey, Ours),
}

/// A key that verifies one algorithm.
struct Verifying {
    algorithm: Algorithm,
    check: Check,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is that of jsonwebtoken's `CryptoProvider`")]
fn signer(&algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    // Guards against algorithm confusion (RFC 8725 §2.1): a public key is never a shared one.
    if !key.family().algorithms().contains(&algorithm) {
        return Err(unreadable());
    }
    let ours = ours(algorithm)?;
    let bytes = key.as_bytes();
    let key = match ours {
        Ours::Hs256 | Ours::Hs384 | Ours::Hs512 => hash(ours).map(|hash| SigningKey::Mac(hmac::Key::new(hash, bytes))),
        Ours::EdDsa | Ours::Es256 | Ours::Es384 => {
            PrivateKey::from_pkcs8(bytes).filter(|key| Ours::from(key.algorithm()) == ours).map(SigningKey::Pair)
        }
        _ => RsaKey::from_der(bytes).map(|key| SigningKey::Rsa(key, ours)),
    };
    Ok(Box::new(Signing { algorithm, key: key.ok_or_else(unreadable)? }))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is that of jsonwebtoken's `CryptoProvider`")]
fn verifier(&algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if !key.family().algorithms().contains(&algorithm) {
        return Err(unreadable());
    }
    let ours = ours(algorithm)?;
    let check = match (ours, key.kind()) {
        (Ours::Hs256 | Ours::Hs384 | Ours::Hs512, DecodingKeyKind::SecretOrDer(bytes)) => Check::shared(bytes, ours),
        (Ours::EdDsa, DecodingKeyKind::SecretOrDer(bytes)) => Check::public(&PublicKey::Ed25519(bytes.clone()), ours),
        (Ours::Es256, DecodingKeyKind::SecretOrDer(bytes)) => {
            Check::public(&PublicKey::Ec(Curve::P256, bytes.clone()), ours)
        }
        (Ours::Es384, DecodingKeyKind::SecretOrDer(bytes)) => {
            Check::public(&PublicKey::Ec(Curve::P384, bytes.clone()), ours)
        }
        (_, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            Check::public(&PublicKey::Rsa { n: n.clone(), e: e.clone() }, ours)
        }
        _ => None,
    };
    Ok(Box::new(Verifying { algorithm, check: check.ok_or_else(unreadable)? }))
}

impl Signer<Vec<u8>> for Signing {
    fn try_sign(&self, message: &[u8]) -> Signed<Vec<u8>> {
        match &self.key {
            SigningKey::Mac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            SigningKey::Pair(key) => key.sign(message, Form::Fixed).map_err(|_| SignatureError::new()),
            SigningKey::Rsa(key, algorithm) => key.sign(*algorithm, message).ok_or_else(SignatureError::new),
        }
    }
}

impl Verifier<Vec<u8>> for Verifying {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Signed<()> {
        self.check.is_valid(message, signature).then_some(()).ok_or_else(SignatureError::new)
    }
}

impl JwtSigner for Signing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtVerifier for Verifying {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn rsa_components(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    match RsaKey::from_der(der).ok_or_else(unreadable)?.public() {
        PublicKey::Rsa { n, e } => Ok((n, e)),
        _ => Err(unsupported()),
    }
}

fn curve_point(der: &[u8], algorithm: Algorithm) -> Result<(EllipticCurve, Vec<u8>, Vec<u8>)> {
    let (name, curve) = match algorithm {
        Algorithm::ES256 => (EllipticCurve::P256, KeyAlgorithm::Es256),
        Algorithm::ES384 => (EllipticCurve::P384, KeyAlgorithm::Es384),
        _ => return Err(unsupported()),
    };
    let key = PrivateKey::from_pkcs8(der).filter(|key| key.algorithm() == curve);
    let key = key.ok_or_else(|| new_error(ErrorKind::InvalidEcdsaKey))?;
    let (x, y) = key.public()[1..].split_at(key.public().len() / 2);
    Ok((name, x.to_vec(), y.to_vec()))
}

fn edwards_point(der: &[u8], _curve: &EllipticCurve) -> Result<Vec<u8>> {
    let key = PrivateKey::from_pkcs8(der).filter(|key| key.algorithm() == KeyAlgorithm::Eddsa);
    Ok(key.ok_or_else(|| new_error(ErrorKind::InvalidEddsaKey))?.public().to_vec())
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is that of jsonwebtoken's `CryptoProvider`")]
fn compute_digest(data: &[u8], hash: ThumbprintHash) -> Result<Vec<u8>> {
    let algorithm = match hash {
        ThumbprintHash::SHA256 => &digest::SHA256,
        ThumbprintHash::SHA384 => &digest::SHA384,
        ThumbprintHash::SHA512 => &digest::SHA512,
        _ => return Err(unsupported()),
    };
    Ok(digest::digest(algorithm, data).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::crypto::{sign, verify};
    use jsonwebtoken::jwk::Jwk;

    use super::*;

    fn pair(algorithm: KeyAlgorithm) -> (EncodingKey, DecodingKey, PrivateKey) {
        let key = PrivateKey::draw(algorithm).unwrap();
        let (der, public) = (key.pkcs8().expose(), key.public());
        let (encoding, decoding) = match algorithm {
            KeyAlgorithm::Eddsa => (EncodingKey::from_ed_der(der), DecodingKey::from_ed_der(public)),
            _ => (EncodingKey::from_ec_der(der), DecodingKey::from_ec_der(public)),
        };
        (encoding, decoding, key)
    }

    const PAIRS: [(Algorithm, KeyAlgorithm); 3] = [
        (Algorithm::ES256, KeyAlgorithm::Es256),
        (Algorithm::ES384, KeyAlgorithm::Es384),
        (Algorithm::EdDSA, KeyAlgorithm::Eddsa),
    ];

    #[test]
    fn every_algorithm_verifies_what_it_signed_and_nothing_else() {
        install();
        let shared = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]
            .map(|algorithm| (algorithm, EncodingKey::from_secret(&[7; 64]), DecodingKey::from_secret(&[7; 64])));
        let pairs = PAIRS.map(|(algorithm, curve)| {
            let (encoding, decoding, _) = pair(curve);
            (algorithm, encoding, decoding)
        });
        for (algorithm, encoding, decoding) in shared.into_iter().chain(pairs) {
            let signature = sign(b"message", &encoding, algorithm).unwrap();
            assert!(verify(&signature, b"message", &decoding, algorithm).unwrap(), "{algorithm:?}");
            assert!(!verify(&signature, b"massage", &decoding, algorithm).unwrap(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_key_of_another_family_or_curve_is_refused() {
        install();
        let (encoding, decoding, _) = pair(KeyAlgorithm::Es256);
        assert!(sign(b"m", &encoding, Algorithm::HS256).is_err());
        assert!(sign(b"m", &encoding, Algorithm::ES384).is_err());
        assert!(verify("AA", b"m", &decoding, Algorithm::HS256).is_err());
        assert!(sign(b"m", &EncodingKey::from_rsa_der(&[]), Algorithm::RS256).is_err());
    }

    #[test]
    fn the_crate_computes_the_same_thumbprint_as_we_do() {
        install();
        for (algorithm, curve) in PAIRS {
            let (encoding, _, key) = pair(curve);
            let jwk = Jwk::from_encoding_key(&encoding, algorithm).unwrap();
            assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).unwrap(), key.thumbprint());
        }
    }
}
