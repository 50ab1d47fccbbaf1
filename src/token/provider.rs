//! The cryptography that `jsonwebtoken` asks for, made of ring: no second backend, and no RSA.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::jwk::{EllipticCurve, ThumbprintHash};
use jsonwebtoken::signature::{Error as SignatureError, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm,
};
use ring::{digest, hmac};

use crate::generate::keypair::{Form, PrivateKey};
use crate::manifest::model::KeyAlgorithm;

type Signed<T> = std::result::Result<T, SignatureError>;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(unsupported()),
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

/// The algorithm as `jsonwebtoken` calls it.
pub(super) fn jws(algorithm: super::algorithm::Algorithm) -> Algorithm {
    use super::algorithm::Algorithm as Ours;
    match algorithm {
        Ours::EdDsa => Algorithm::EdDSA,
        Ours::Es256 => Algorithm::ES256,
        Ours::Es384 => Algorithm::ES384,
        Ours::Hs256 => Algorithm::HS256,
        Ours::Hs384 => Algorithm::HS384,
        Ours::Hs512 => Algorithm::HS512,
        Ours::Ps256 => Algorithm::PS256,
        Ours::Ps384 => Algorithm::PS384,
        Ours::Ps512 => Algorithm::PS512,
        Ours::Rs256 => Algorithm::RS256,
        Ours::Rs384 => Algorithm::RS384,
        Ours::Rs512 => Algorithm::RS512,
    }
}

fn unsupported() -> jsonwebtoken::errors::Error {
    new_error(ErrorKind::UnsupportedAlgorithm)
}

/// Signs or verifies with a shared key; the comparison takes the same time for every signature.
struct Mac {
    algorithm: Algorithm,
    key: hmac::Key,
}

/// Signs with a private key.
struct Private {
    algorithm: Algorithm,
    key: PrivateKey,
}

/// Verifies with a public key.
struct Public {
    algorithm: Algorithm,
    key: UnparsedPublicKey<Vec<u8>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is that of jsonwebtoken's `CryptoProvider`")]
fn signer(&algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    expect_family(algorithm, key.family())?;
    if let Some(hash) = hash(algorithm) {
        return Ok(Box::new(Mac { algorithm, key: hmac::Key::new(hash, key.as_bytes()) }));
    }
    let (curve, _) = curve(algorithm).ok_or_else(unsupported)?;
    let key = PrivateKey::from_pkcs8(key.as_bytes()).filter(|key| key.algorithm() == curve);
    Ok(Box::new(Private { algorithm, key: key.ok_or_else(|| new_error(ErrorKind::InvalidKeyFormat))? }))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is that of jsonwebtoken's `CryptoProvider`")]
fn verifier(&algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    expect_family(algorithm, key.family())?;
    let bytes = key.try_get_as_bytes()?;
    if let Some(hash) = hash(algorithm) {
        return Ok(Box::new(Mac { algorithm, key: hmac::Key::new(hash, bytes) }));
    }
    let (_, verification) = curve(algorithm).ok_or_else(unsupported)?;
    Ok(Box::new(Public { algorithm, key: UnparsedPublicKey::new(verification, bytes.to_vec()) }))
}

/// Guards against algorithm confusion (RFC 8725 §2.1): a public key is never a shared one.
fn expect_family(algorithm: Algorithm, family: AlgorithmFamily) -> Result<()> {
    let fits = family.algorithms().contains(&algorithm);
    if fits { Ok(()) } else { Err(new_error(ErrorKind::InvalidKeyFormat)) }
}

fn hash(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::HS256 => Some(hmac::HMAC_SHA256),
        Algorithm::HS384 => Some(hmac::HMAC_SHA384),
        Algorithm::HS512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

fn curve(algorithm: Algorithm) -> Option<(KeyAlgorithm, &'static dyn VerificationAlgorithm)> {
    match algorithm {
        Algorithm::ES256 => Some((KeyAlgorithm::Es256, &ECDSA_P256_SHA256_FIXED)),
        Algorithm::ES384 => Some((KeyAlgorithm::Es384, &ECDSA_P384_SHA384_FIXED)),
        Algorithm::EdDSA => Some((KeyAlgorithm::Eddsa, &ED25519)),
        _ => None,
    }
}

impl Signer<Vec<u8>> for Mac {
    fn try_sign(&self, message: &[u8]) -> Signed<Vec<u8>> {
        Ok(hmac::sign(&self.key, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Mac {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Signed<()> {
        hmac::verify(&self.key, message, signature).map_err(|_| SignatureError::new())
    }
}

impl Signer<Vec<u8>> for Private {
    fn try_sign(&self, message: &[u8]) -> Signed<Vec<u8>> {
        self.key.sign(message, Form::Fixed).map_err(|_| SignatureError::new())
    }
}

impl Verifier<Vec<u8>> for Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Signed<()> {
        self.key.verify(message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtSigner for Mac {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtVerifier for Mac {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtSigner for Private {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtVerifier for Public {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn curve_point(der: &[u8], algorithm: Algorithm) -> Result<(EllipticCurve, Vec<u8>, Vec<u8>)> {
    let name = match algorithm {
        Algorithm::ES256 => EllipticCurve::P256,
        Algorithm::ES384 => EllipticCurve::P384,
        _ => return Err(unsupported()),
    };
    let key = PrivateKey::from_pkcs8(der).filter(|key| Some(key.algorithm()) == curve(algorithm).map(|found| found.0));
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
