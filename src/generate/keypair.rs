//! Asymmetric keys: drawn, read, written as PKCS#8, named by thumbprint, and made to sign.

use ring::error::Unspecified;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
};
use zeroize::Zeroizing;

use super::{Material, facts, pem};
use crate::error::{Error, Result};
use crate::manifest::model::KeyAlgorithm;
use crate::secret::parts::{Part, Parts};
use crate::secret::{Secret, random};
use crate::token::public_key::PublicKey;

/// PKCS#8 version 1 (RFC 8410 §7) up to the 32 bytes of an Ed25519 seed. ring would write version 2 (RFC 5958), which
/// `OpenSSL` 3.0 and nginx cannot read.
const ED25519_PKCS8_V1: &[u8; 16] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// `SubjectPublicKeyInfo` up to the public point, by curve (RFC 5480 §2, RFC 8410 §4).
const P256_SPKI: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const P384_SPKI: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";
const ED25519_SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// All curves.
const ALGORITHMS: [KeyAlgorithm; 3] = [KeyAlgorithm::Es256, KeyAlgorithm::Es384, KeyAlgorithm::Eddsa];

/// Draws a key pair: `key` and `public`, with `kid` and `algorithm` as facts.
pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Material> {
    let key = PrivateKey::draw(algorithm)?;
    let bits = if algorithm == KeyAlgorithm::Es384 { 192 } else { 128 };
    let public = pem::encode(pem::PUBLIC_KEY, &key.spki());
    Ok(Material {
        parts: Parts::default().with(Part::Key, key.to_pem()).with(Part::Public, public),
        bits: Some(bits),
        expires: None,
        facts: facts([("kid", key.thumbprint()), ("algorithm", jws_name(algorithm).to_owned())]),
    })
}

/// The name of RFC 7518 §3.1 and RFC 8037 §3.1.
pub(crate) fn jws_name(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::Eddsa => "EdDSA",
        KeyAlgorithm::Es256 => "ES256",
        KeyAlgorithm::Es384 => "ES384",
    }
}

/// How an ECDSA signature is written; Ed25519 has one form only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The SEQUENCE of X.509 (RFC 3279 §2.2.3).
    Asn1,
    /// r ‖ s of JWS (RFC 7518 §3.4).
    Fixed,
}

/// A private key that ring accepted.
#[derive(Debug)]
pub(crate) struct PrivateKey {
    algorithm: KeyAlgorithm,
    pkcs8: Secret,
    public: Vec<u8>,
}

impl PrivateKey {
    /// Draws a new one.
    pub(crate) fn draw(algorithm: KeyAlgorithm) -> Result<Self> {
        let pkcs8 = match ecdsa(algorithm, Form::Asn1) {
            Some(curve) => EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new())
                .map(|document| Secret::copy_of(document.as_ref()))
                .map_err(|_| Error::bug("ring cannot draw a key"))?,
            None => ed25519_pkcs8()?,
        };
        Self::read(algorithm, pkcs8).map_err(|_| Error::bug("ring does not read the key that it drew"))
    }

    /// Reads PKCS#8, of whatever curve; `None` when it is not one of ours.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        ALGORITHMS.into_iter().find_map(|algorithm| Self::read(algorithm, Secret::copy_of(der)).ok())
    }

    /// Reads the first `PRIVATE KEY` block.
    pub(crate) fn from_pem(text: &Secret) -> Option<Self> {
        pem::decode(pem::PRIVATE_KEY, text.expose_text()?).next().and_then(|der| Self::from_pkcs8(&der))
    }

    fn read(algorithm: KeyAlgorithm, pkcs8: Secret) -> Result<Self, ring::error::KeyRejected> {
        let public = match ecdsa(algorithm, Form::Asn1) {
            Some(curve) => {
                let pair = EcdsaKeyPair::from_pkcs8(curve, pkcs8.expose(), &SystemRandom::new())?;
                pair.public_key().as_ref().to_vec()
            }
            None => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8.expose())?.public_key().as_ref().to_vec(),
        };
        Ok(Self { algorithm, pkcs8, public })
    }

    /// Its curve.
    pub(crate) fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The public key: the uncompressed point, or the 32 bytes of RFC 8032.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// The private key as PKCS#8 DER.
    pub(crate) fn pkcs8(&self) -> &Secret {
        &self.pkcs8
    }

    /// The private key as PKCS#8 PEM.
    pub(crate) fn to_pem(&self) -> Secret {
        pem::encode(pem::PRIVATE_KEY, self.pkcs8.expose())
    }

    /// The public key as `SubjectPublicKeyInfo` DER.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let head = match self.algorithm {
            KeyAlgorithm::Eddsa => ED25519_SPKI,
            KeyAlgorithm::Es256 => P256_SPKI,
            KeyAlgorithm::Es384 => P384_SPKI,
        };
        [head, &self.public].concat()
    }

    /// The JWK thumbprint of the public key (RFC 7638, RFC 8037 §2): base64url of a SHA-256.
    pub(crate) fn thumbprint(&self) -> String {
        PublicKey::on(self.algorithm, &self.public).thumbprint()
    }

    /// Signs a message with the hash that belongs to the curve.
    pub(crate) fn sign(&self, message: &[u8], form: Form) -> Result<Vec<u8>, Unspecified> {
        let (der, random) = (self.pkcs8.expose(), SystemRandom::new());
        if let Some(curve) = ecdsa(self.algorithm, form) {
            let pair = EcdsaKeyPair::from_pkcs8(curve, der, &random).map_err(|_| Unspecified)?;
            return Ok(pair.sign(&random, message)?.as_ref().to_vec());
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| Unspecified)?;
        Ok(pair.sign(message).as_ref().to_vec())
    }
}

/// The curve and the public key of a `SubjectPublicKeyInfo` in DER, as [`PrivateKey::spki`] writes it.
pub(crate) fn of_spki(der: &[u8]) -> Option<(KeyAlgorithm, &[u8])> {
    let heads = [
        (KeyAlgorithm::Es256, P256_SPKI, 65),
        (KeyAlgorithm::Es384, P384_SPKI, 97),
        (KeyAlgorithm::Eddsa, ED25519_SPKI, 32),
    ];
    heads.into_iter().find_map(|(curve, head, length)| {
        let public = der.strip_prefix(head).filter(|public| public.len() == length)?;
        Some((curve, public))
    })
}

fn ecdsa(algorithm: KeyAlgorithm, form: Form) -> Option<&'static EcdsaSigningAlgorithm> {
    match (algorithm, form) {
        (KeyAlgorithm::Es256, Form::Asn1) => Some(&ECDSA_P256_SHA256_ASN1_SIGNING),
        (KeyAlgorithm::Es256, Form::Fixed) => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
        (KeyAlgorithm::Es384, Form::Asn1) => Some(&ECDSA_P384_SHA384_ASN1_SIGNING),
        (KeyAlgorithm::Es384, Form::Fixed) => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        (KeyAlgorithm::Eddsa, _) => None,
    }
}

fn ed25519_pkcs8() -> Result<Secret> {
    let mut der = Zeroizing::new(vec![0; ED25519_PKCS8_V1.len() + 32]);
    let (head, seed) = der.split_at_mut(ED25519_PKCS8_V1.len());
    head.copy_from_slice(ED25519_PKCS8_V1);
    random::fill(seed)?;
    Ok(Secret::copy_of(&der))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use ring::{digest, signature};

    use super::*;

    #[test]
    fn a_pair_is_one_pkcs8_and_one_spki_block_that_belong_together() {
        for algorithm in ALGORITHMS {
            let material = generate(algorithm).unwrap();
            let key = PrivateKey::from_pem(material.parts.part(Part::Key).unwrap()).unwrap();
            let public = material.parts.part(Part::Public).unwrap().expose_text().unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let spki = pem::decode(pem::PUBLIC_KEY, public).next().unwrap();
            assert_eq!(*spki, key.spki());
            assert_eq!(of_spki(&spki), Some((algorithm, key.public())));
            assert_eq!(of_spki(&spki[..spki.len() - 1]), None);
            let (rest, parsed) =
                <x509_parser::x509::SubjectPublicKeyInfo<'_> as x509_parser::prelude::FromDer<'_, _>>::from_der(&spki)
                    .unwrap();
            assert!(rest.is_empty());
            assert_eq!(&*parsed.subject_public_key.data, key.public());
            assert_eq!(material.facts["algorithm"], jws_name(algorithm));
            assert_eq!(material.facts["kid"], key.thumbprint());
        }
    }

    #[test]
    fn an_ed25519_key_is_the_version_1_form_of_rfc_8410() {
        let key = PrivateKey::draw(KeyAlgorithm::Eddsa).unwrap();
        let der = key.pkcs8().expose();
        assert_eq!(der.len(), 48);
        assert_eq!(&der[..16], b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20");
        let pair = Ed25519KeyPair::from_seed_unchecked(&der[16..]).unwrap();
        assert_eq!(pair.public_key().as_ref(), key.public());
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        let seed = BASE64URL_NOPAD.decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = PrivateKey::from_pkcs8(&[ED25519_PKCS8_V1, seed.as_slice()].concat()).unwrap();
        assert_eq!(BASE64URL_NOPAD.encode(key.public()), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_thumbprint_of_a_curve_key_covers_both_coordinates() {
        let key = PrivateKey::draw(KeyAlgorithm::Es384).unwrap();
        let (x, y) = (&key.public()[1..49], &key.public()[49..]);
        let jwk = format!(
            r#"{{"crv":"P-384","kty":"EC","x":"{}","y":"{}"}}"#,
            BASE64URL_NOPAD.encode(x),
            BASE64URL_NOPAD.encode(y)
        );
        let expected = BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, jwk.as_bytes()).as_ref());
        assert_eq!(key.thumbprint(), expected);
    }

    #[test]
    fn signatures_verify_in_both_forms() {
        let cases: [(KeyAlgorithm, Form, &'static dyn signature::VerificationAlgorithm); 5] = [
            (KeyAlgorithm::Es256, Form::Asn1, &signature::ECDSA_P256_SHA256_ASN1),
            (KeyAlgorithm::Es256, Form::Fixed, &signature::ECDSA_P256_SHA256_FIXED),
            (KeyAlgorithm::Es384, Form::Asn1, &signature::ECDSA_P384_SHA384_ASN1),
            (KeyAlgorithm::Es384, Form::Fixed, &signature::ECDSA_P384_SHA384_FIXED),
            (KeyAlgorithm::Eddsa, Form::Fixed, &signature::ED25519),
        ];
        for (algorithm, form, verifier) in cases {
            let key = PrivateKey::draw(algorithm).unwrap();
            let signed = key.sign(b"message", form).unwrap();
            let public = signature::UnparsedPublicKey::new(verifier, key.public());
            assert!(public.verify(b"message", &signed).is_ok(), "{algorithm:?} {form:?}");
            assert!(public.verify(b"another", &signed).is_err(), "{algorithm:?} {form:?}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_none() {
        for text in ["", "hunter2", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(PrivateKey::from_pem(&Secret::copy_of(text.as_bytes())).is_none());
        }
    }
}
