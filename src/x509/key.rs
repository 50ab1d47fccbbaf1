//! A private key that came from elsewhere: PKCS#8, SEC 1 or PKCS#1, and whether it is the half of a certificate.
//!
//! What is kept is always PKCS#8 (RFC 5958) in the form that ring, OpenSSL and nginx read alike.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use zeroize::Zeroizing;

use super::der::{BIT_STRING, INTEGER, NULL, OCTET_STRING, OID, Reader, SEQUENCE, sequence, value};
use super::pem::{self, Damage};
use super::public_key::{Curve, EC, ED25519, KeyKind, P256, P384, PublicKey, RSA};
use crate::generate::pem as armor;
use crate::secret::Secret;

/// The context tag of the curve in SEC 1's `ECPrivateKey` (RFC 5915 §3).
const CURVE: u8 = 0xa0;
/// The context tag of the public key there.
const PUBLIC: u8 = 0xa1;

/// The sizes that ring works with, in bits: what lies outside is compared, but not proven.
const RING_RSA: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Why a private key cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The text is no PEM.
    Damaged(Damage),
    /// It is encrypted.
    Encrypted,
    /// There is no private key among the blocks.
    Absent,
    /// There are several.
    Several,
    /// What it holds is no key, or its halves do not belong together.
    Malformed,
    /// A kind of key that ring does not know.
    Unsupported,
    /// It belongs to another certificate.
    Mismatch,
}

/// How the key was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Pkcs8,
    Sec1,
    Pkcs1,
}

/// A private key as it was found.
pub(super) struct PrivateKey {
    pub(super) form: Form,
    content: Content,
}

enum Content {
    Ec {
        curve: Curve,
        scalar: Zeroizing<Vec<u8>>,
        public: Option<Vec<u8>>,
    },
    Ed25519(Zeroizing<Vec<u8>>),
    /// An `RSAPrivateKey` (RFC 8017, appendix A.1.2).
    Rsa(Zeroizing<Vec<u8>>),
}

impl PrivateKey {
    /// Reads the one private key of a PEM text; certificates and parameters beside it do no harm.
    pub(super) fn read(text: &[u8]) -> Result<Self, Refusal> {
        let blocks = pem::blocks(text).map_err(|damage| match damage {
            Damage::Encrypted => Refusal::Encrypted,
            other => Refusal::Damaged(other),
        })?;
        let mut keys = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
        let block = keys.next().ok_or(Refusal::Absent)?;
        if keys.next().is_some() {
            return Err(Refusal::Several);
        }
        let (form, content) = match block.label {
            "PRIVATE KEY" => (Form::Pkcs8, pkcs8(&block.der)?),
            "EC PRIVATE KEY" => (Form::Sec1, sec1(&block.der, None).ok_or(Refusal::Malformed)??),
            "RSA PRIVATE KEY" => (Form::Pkcs1, Content::Rsa(block.der.clone())),
            "ENCRYPTED PRIVATE KEY" => return Err(Refusal::Encrypted),
            _ => return Err(Refusal::Unsupported),
        };
        Ok(Self { form, content })
    }

    /// PKCS#8 PEM, once this is proven to be the half of a certificate's public key.
    pub(super) fn paired_with(&self, public: &PublicKey) -> Result<Secret, Refusal> {
        let der = match (&self.content, public.kind) {
            (Content::Ec { curve, scalar, public: own }, KeyKind::Ec(other)) if *curve == other => {
                if own.as_ref().is_some_and(|own| *own != public.bits) {
                    return Err(Refusal::Mismatch);
                }
                ec_pkcs8(*curve, scalar, &public.bits, own.is_some())?
            }
            (Content::Ed25519(seed), KeyKind::Ed25519) => {
                let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Refusal::Malformed)?;
                if pair.public_key().as_ref() != public.bits {
                    return Err(Refusal::Mismatch);
                }
                let algorithm = value(SEQUENCE, &[&value(OID, &[ED25519])]);
                wrapped(&algorithm, &value(OCTET_STRING, &[seed]))
            }
            (Content::Rsa(key), KeyKind::Rsa(bits)) => {
                rsa_is_half(key, public, bits)?;
                wrapped(&value(SEQUENCE, &[&value(OID, &[RSA]), &value(NULL, &[])]), key)
            }
            _ => return Err(Refusal::Mismatch),
        };
        Ok(armor::encode(armor::PRIVATE_KEY, &der))
    }
}

/// `OneAsymmetricKey` (RFC 5958 §2), version 1 or 2.
fn pkcs8(der: &[u8]) -> Result<Content, Refusal> {
    let parse = || {
        let mut key = sequence(der)?;
        key.take(INTEGER).filter(|version| matches!(version, [0 | 1]))?;
        let mut algorithm = key.enter(SEQUENCE)?;
        let oid = algorithm.take(OID)?;
        Some((oid, algorithm, key.take(OCTET_STRING)?))
    };
    let (oid, mut parameters, inner) = parse().ok_or(Refusal::Malformed)?;
    match oid {
        EC => {
            let curve = parameters.take(OID).ok_or(Refusal::Unsupported)?;
            sec1(inner, Some(curve)).ok_or(Refusal::Malformed)?
        }
        ED25519 => {
            let mut inner = Reader::new(inner);
            let seed = inner.take(OCTET_STRING).filter(|seed| seed.len() == 32 && inner.is_empty());
            Ok(Content::Ed25519(Zeroizing::new(seed.ok_or(Refusal::Malformed)?.to_vec())))
        }
        RSA => Ok(Content::Rsa(Zeroizing::new(inner.to_vec()))),
        _ => Err(Refusal::Unsupported),
    }
}

/// `ECPrivateKey` (RFC 5915 §3); its curve may stand outside.
fn sec1(der: &[u8], outside: Option<&[u8]>) -> Option<Result<Content, Refusal>> {
    let mut key = sequence(der)?;
    key.take(INTEGER).filter(|version| *version == [1])?;
    let scalar = key.take(OCTET_STRING)?;
    let inside = match key.take_if(CURVE) {
        Some(parameters) => Some(Reader::new(parameters).take(OID)?),
        None => None,
    };
    let public = match key.take_if(PUBLIC) {
        Some(bits) => Some(Reader::new(bits).take(BIT_STRING)?.strip_prefix(&[0])?.to_vec()),
        None => None,
    };
    let Some(curve) = outside.or(inside).and_then(Curve::of).filter(|curve| *curve != Curve::P521) else {
        return Some(Err(Refusal::Unsupported));
    };
    if outside.is_some() && inside.is_some() && outside != inside {
        return None;
    }
    // Some writers leave out zeros at the head.
    let length = if curve == Curve::P256 { 32 } else { 48 };
    let mut padded = Zeroizing::new(vec![0; length]);
    padded.get_mut(length.checked_sub(scalar.len())?..)?.copy_from_slice(scalar);
    Some(Ok(Content::Ec { curve, scalar: padded, public }))
}

/// ring computes the point anew and compares.
fn ec_pkcs8(curve: Curve, scalar: &[u8], point: &[u8], told: bool) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let (algorithm, oid) = match curve {
        Curve::P256 => (&ECDSA_P256_SHA256_ASN1_SIGNING, P256),
        Curve::P384 => (&ECDSA_P384_SHA384_ASN1_SIGNING, P384),
        Curve::P521 => return Err(Refusal::Unsupported),
    };
    // A key that named the certificate's own point, and has another, is damaged; one that named none is another one's.
    let wrong = if told { Refusal::Malformed } else { Refusal::Mismatch };
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, point, &SystemRandom::new()).map_err(|_| wrong)?;
    let public = value(PUBLIC, &[&value(BIT_STRING, &[&[0], point])]);
    let key = value(SEQUENCE, &[&value(INTEGER, &[&[1]]), &value(OCTET_STRING, &[scalar]), &public]);
    Ok(wrapped(&value(SEQUENCE, &[&value(OID, &[EC]), &value(OID, &[oid])]), &key))
}

/// Compares modulus and exponent, and lets ring prove that the private half belongs to them.
fn rsa_is_half(key: &[u8], public: &PublicKey, bits: usize) -> Result<(), Refusal> {
    let parse = || {
        let mut key = sequence(key)?;
        // Version 1 would be a key of more than two primes.
        key.take(INTEGER).filter(|version| *version == [0])?;
        Some(value(SEQUENCE, &[&value(INTEGER, &[key.take(INTEGER)?]), &value(INTEGER, &[key.take(INTEGER)?])]))
    };
    let own = parse().ok_or(Refusal::Malformed)?;
    if *own != public.bits {
        return Err(Refusal::Mismatch);
    }
    if RING_RSA.contains(&bits) {
        ring::rsa::KeyPair::from_der(key).map_err(|_| Refusal::Malformed)?;
    }
    Ok(())
}

/// Version 1 of PKCS#8: OpenSSL 3.0 and nginx do not read an Ed25519 key of version 2.
fn wrapped(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    value(SEQUENCE, &[&value(INTEGER, &[&[0]]), algorithm, &value(OCTET_STRING, &[key])])
}

#[cfg(test)]
mod tests;
