//! Public keys: as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037) and with the thumbprint that names them.
//!
//! A shared key has no place in this type, so whatever is made of it can be published.

use data_encoding::BASE64URL_NOPAD;
use ring::digest;
use serde_json::{Map, Value, json};

use super::algorithm::Algorithm;
use crate::manifest::model::KeyAlgorithm;

/// Bits of the smallest RSA modulus that is accepted (NIST SP 800-131A, RFC 7518 §3.3).
const SMALLEST_RSA: usize = 2048;
/// Bits of the largest; ring verifies no larger ones.
const LARGEST_RSA: usize = 8192;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// On a NIST curve: the uncompressed point, 04 ‖ x ‖ y.
    Ec(Curve, Vec<u8>),
    /// Ed25519: the 32 bytes of RFC 8032.
    Ed25519(Vec<u8>),
    /// RSA: modulus and exponent, big-endian without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
}

/// The curves of ECDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

/// Why a JWK is no key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Of a type, curve or use that we do not have: to be ignored (RFC 7517 §5).
    Foreign,
    /// It must be refused, for this reason.
    Wrong(&'static str),
}

impl Curve {
    fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Bytes of a coordinate.
    fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

impl PublicKey {
    /// A key of one of our curves, from ring's form of it.
    pub(crate) fn on(curve: KeyAlgorithm, public: &[u8]) -> Self {
        match curve {
            KeyAlgorithm::Eddsa => Self::Ed25519(public.to_vec()),
            KeyAlgorithm::Es256 => Self::Ec(Curve::P256, public.to_vec()),
            KeyAlgorithm::Es384 => Self::Ec(Curve::P384, public.to_vec()),
        }
    }

    /// Reads a JWK without private members.
    pub(super) fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, Unfit> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &'static str| {
            let bytes = text(name).and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
            bytes.ok_or(Unfit::Wrong("has a number that is missing or not strict base64url"))
        };
        match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => point(Curve::P256, &bytes("x")?, &bytes("y")?),
            (Some("EC"), Some("P-384")) => point(Curve::P384, &bytes("x")?, &bytes("y")?),
            (Some("OKP"), Some("Ed25519")) => match bytes("x")? {
                x if x.len() == 32 => Ok(Self::Ed25519(x)),
                _ => Err(Unfit::Wrong("is not as long as its curve")),
            },
            (Some("RSA"), _) => rsa(bytes("n")?, bytes("e")?),
            (Some(_), _) => Err(Unfit::Foreign),
            (None, _) => Err(Unfit::Wrong("has no `kty`")),
        }
    }

    /// The key as JWK, with the members that RFC 7638 §3.2 hashes and no others, ordered by name.
    pub fn to_jwk(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match self {
            Self::Ec(curve, point) => {
                let (x, y) = point[1..].split_at(curve.size());
                json!({ "crv": curve.name(), "kty": "EC", "x": encode(x), "y": encode(y) })
            }
            Self::Ed25519(x) => json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(x) }),
            Self::Rsa { n, e } => json!({ "e": encode(e), "kty": "RSA", "n": encode(n) }),
        }
    }

    /// The thumbprint (RFC 7638): base64url of the SHA-256 of the JWK.
    pub fn thumbprint(&self) -> String {
        // serde_json's map is ordered by name, and its text has no white space: the very form that is hashed.
        let jwk = self.to_jwk().to_string();
        BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, jwk.as_bytes()).as_ref())
    }

    /// Whether it can verify that algorithm.
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.only_algorithm().map_or(algorithm.is_rsa(), |only| only == algorithm)
    }

    /// The only algorithm that it can have; `None` for RSA, which must say.
    pub fn only_algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Ec(Curve::P256, _) => Some(Algorithm::Es256),
            Self::Ec(Curve::P384, _) => Some(Algorithm::Es384),
            Self::Ed25519(_) => Some(Algorithm::EdDsa),
            Self::Rsa { .. } => None,
        }
    }
}

fn point(curve: Curve, x: &[u8], y: &[u8]) -> Result<PublicKey, Unfit> {
    if x.len() != curve.size() || y.len() != curve.size() {
        return Err(Unfit::Wrong("is not as long as its curve"));
    }
    Ok(PublicKey::Ec(curve, [&[4], x, y].concat()))
}

fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<PublicKey, Unfit> {
    if [&n, &e].iter().any(|number| number.first().is_none_or(|&byte| byte == 0)) {
        return Err(Unfit::Wrong("has an RSA number that is empty or begins with zeros"));
    }
    let bits = n.len() * 8 - n[0].leading_zeros() as usize;
    if !(SMALLEST_RSA..=LARGEST_RSA).contains(&bits) {
        return Err(Unfit::Wrong("is an RSA key of less than 2048 or more than 8192 bits"));
    }
    if e.last().is_none_or(|&byte| byte % 2 == 0) || e == [1] {
        return Err(Unfit::Wrong("has an RSA exponent that verifies nothing"));
    }
    Ok(PublicKey::Rsa { n, e })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(jwk: &Value) -> Result<PublicKey, Unfit> {
        PublicKey::from_jwk(jwk.as_object().unwrap())
    }

    #[test]
    fn the_thumbprint_of_an_rsa_key_is_that_of_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = read(&json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})).unwrap();
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_key_reads_back_as_it_was_written() {
        let keys = [
            PublicKey::Ec(Curve::P256, [&[4][..], &[7; 64]].concat()),
            PublicKey::Ec(Curve::P384, [&[4][..], &[7; 96]].concat()),
            PublicKey::Ed25519(vec![7; 32]),
            PublicKey::Rsa { n: vec![0x80; 256], e: vec![1, 0, 1] },
        ];
        for key in keys {
            assert_eq!(read(&key.to_jwk()), Ok(key));
        }
    }

    #[test]
    fn a_key_that_is_short_padded_or_weak_is_refused() {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let wrong = [
            json!({}),
            json!({"kty": "EC", "crv": "P-256", "x": encode(&[7; 31]), "y": encode(&[7; 32])}),
            json!({"kty": "EC", "crv": "P-256", "x": encode(&[7; 32])}),
            json!({"kty": "EC", "crv": "P-256", "x": encode(&[7; 48]), "y": encode(&[7; 48])}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": format!("{}=", encode(&[7; 32]))}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&[7; 33])}),
            json!({"kty": "RSA", "n": encode(&[0x7f; 256]), "e": "AQAB"}),
            json!({"kty": "RSA", "n": encode(&[&[0][..], &[0xff; 256]].concat()), "e": "AQAB"}),
            json!({"kty": "RSA", "n": encode(&[0xff; 1025]), "e": "AQAB"}),
            json!({"kty": "RSA", "n": encode(&[0xff; 256]), "e": "AQ"}),
            json!({"kty": "RSA", "n": encode(&[0xff; 256]), "e": "AAEAAQ"}),
            json!({"kty": "RSA", "n": encode(&[0xff; 256]), "e": ""}),
        ];
        for jwk in wrong {
            assert!(matches!(read(&jwk), Err(Unfit::Wrong(_))), "{jwk}");
        }
        let foreign =
            [json!({"kty": "EC", "crv": "P-521"}), json!({"kty": "OKP", "crv": "X25519"}), json!({"kty": "AKP"})];
        for jwk in foreign {
            assert_eq!(read(&jwk), Err(Unfit::Foreign));
        }
    }
}
