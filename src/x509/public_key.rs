//! A public key out of a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7): which kind, how strong.

use super::der::{BIT_STRING, INTEGER, OID, Reader, SEQUENCE, sequence};

/// rsaEncryption (RFC 8017, appendix A.1).
pub(super) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
/// id-ecPublicKey (RFC 5480 §2.1.1).
pub(super) const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
/// id-Ed25519 (RFC 8410 §3).
pub(super) const ED25519: &[u8] = b"\x2b\x65\x70";
/// secp256r1, secp384r1, secp521r1 (RFC 5480 §2.1.1.1).
pub(super) const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
pub(super) const P384: &[u8] = b"\x2b\x81\x04\x00\x22";
const P521: &[u8] = b"\x2b\x81\x04\x00\x23";

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// An elliptic curve that browsers and we know.
    Ec(Curve),
    /// Ed25519.
    Ed25519,
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// Something else.
    Other,
}

/// A NIST curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl Curve {
    /// The curve of an object identifier.
    pub(super) fn of(oid: &[u8]) -> Option<Self> {
        [(P256, Self::P256), (P384, Self::P384), (P521, Self::P521)]
            .into_iter()
            .find(|(it, _)| *it == oid)
            .map(|it| it.1)
    }
}

impl KeyKind {
    /// The usual name, such as `RSA-2048`.
    pub fn name(self) -> String {
        match self {
            Self::Ec(Curve::P256) => "P-256".to_owned(),
            Self::Ec(Curve::P384) => "P-384".to_owned(),
            Self::Ec(Curve::P521) => "P-521".to_owned(),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::Rsa(bits) => format!("RSA-{bits}"),
            Self::Other => "unknown".to_owned(),
        }
    }

    /// Whether verifiers of today refuse it: less than P-256 or RSA-2048, or nothing that they know.
    pub fn is_weak(self) -> bool {
        match self {
            Self::Ec(_) | Self::Ed25519 => false,
            Self::Rsa(bits) => bits < 2048,
            Self::Other => true,
        }
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its kind.
    pub kind: KeyKind,
    /// What the BIT STRING holds: a point, the 32 bytes of RFC 8032, or an `RSAPublicKey`.
    pub bits: Vec<u8>,
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo`.
    pub(super) fn read(spki: &[u8]) -> Option<Self> {
        let mut spki = sequence(spki)?;
        let mut algorithm = spki.enter(SEQUENCE)?;
        let oid = algorithm.take(OID)?;
        let (unused, bits) = spki.take(BIT_STRING)?.split_first()?;
        if *unused != 0 || !spki.is_empty() {
            return None;
        }
        let kind = match oid {
            EC => algorithm.take(OID).and_then(Curve::of).map_or(KeyKind::Other, KeyKind::Ec),
            ED25519 => KeyKind::Ed25519,
            RSA => KeyKind::Rsa(modulus_bits(bits)?),
            _ => KeyKind::Other,
        };
        Some(Self { kind, bits: bits.to_vec() })
    }
}

/// The length of the modulus of an `RSAPublicKey` (RFC 8017, appendix A.1.1).
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let mut key: Reader<'_> = sequence(key)?;
    let modulus = key.take(INTEGER)?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let first = modulus.first()?;
    Some(modulus.len() * 8 - first.leading_zeros() as usize)
}
