//! RSA keys, which are imported and never drawn: ring cannot make them, and the crate that can has RUSTSEC-2023-0071.

use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};

use super::algorithm::Algorithm;
use super::public_key::PublicKey;
use crate::generate::pem;
use crate::secret::Secret;

/// An RSA private key of 2048 to 4096 bits, which is what ring signs with.
pub(crate) struct RsaKey(KeyPair);

impl RsaKey {
    /// Reads DER: PKCS#8 (`openssl genpkey`) or PKCS#1 (`openssl genrsa -traditional`).
    pub(crate) fn from_der(der: &[u8]) -> Option<Self> {
        KeyPair::from_pkcs8(der).or_else(|_| KeyPair::from_der(der)).ok().map(Self)
    }

    /// Reads the first block of a PEM that is a private key.
    pub(crate) fn from_pem(text: &Secret) -> Option<(Self, Secret)> {
        let text = text.expose_text()?;
        let der = [pem::PRIVATE_KEY, pem::RSA_PRIVATE_KEY].iter().find_map(|label| pem::decode(label, text).next())?;
        Some((Self::from_der(&der)?, Secret::copy_of(&der)))
    }

    /// Its public half.
    pub(crate) fn public(&self) -> PublicKey {
        let PublicKeyComponents { n, e } = PublicKeyComponents::from(self.0.public());
        PublicKey::Rsa { n, e }
    }

    /// Signs; `None` when the algorithm is not of RSA, or ring has no randomness.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(padding(algorithm)?, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}

fn padding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        Algorithm::Ps256 => Some(&RSA_PSS_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_SHA512),
        Algorithm::Rs256 => Some(&RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::key_set::{State, VerificationKey};

    /// Made for these tests by `openssl genpkey`.
    const PKCS8: &str = include_str!("../../tests/fixtures/rsa.pem");

    /// Bytes of PKCS#8 before the PKCS#1 in it, for a key of 2048 bits.
    const WRAPPING: usize = 26;

    const ALGORITHMS: [Algorithm; 6] =
        [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512, Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];

    fn read(pem: &str) -> Option<RsaKey> {
        RsaKey::from_pem(&Secret::copy_of(pem.as_bytes())).map(|(key, _)| key)
    }

    #[test]
    fn both_forms_of_a_key_are_the_same_key() {
        let der = pem::decode(pem::PRIVATE_KEY, PKCS8).next().unwrap();
        let pkcs1 = pem::encode(pem::RSA_PRIVATE_KEY, &der[WRAPPING..]);
        let [pkcs1, pkcs8] = [pkcs1.expose_text().unwrap(), PKCS8].map(|pem| read(pem).unwrap().public());
        assert_eq!(pkcs1, pkcs8);
        assert!(matches!(pkcs1, PublicKey::Rsa { n, e } if n.len() == 256 && e == [1, 0, 1]));
    }

    #[test]
    fn a_key_verifies_what_it_signed_with_that_padding_and_hash_only() {
        let key = read(PKCS8).unwrap();
        for algorithm in ALGORITHMS {
            let signature = key.sign(algorithm, b"message").unwrap();
            for other in ALGORITHMS {
                let public = VerificationKey::public("k", other, key.public(), State::Active).unwrap();
                assert_eq!(public.is_signature(b"message", &signature), other == algorithm, "{algorithm} {other}");
                assert!(!public.is_signature(b"massage", &signature));
            }
        }
        assert!(key.sign(Algorithm::Es256, b"message").is_none());
    }

    #[test]
    fn what_is_no_rsa_key_is_none() {
        for pem in ["", "hunter2", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"] {
            assert!(read(pem).is_none());
        }
        // Damage to the numbers is found when the key is read, not when it signs wrongly (ring checks them).
        let mut der = pem::decode(pem::PRIVATE_KEY, PKCS8).next().unwrap().to_vec();
        let middle = der.len() / 2;
        der[middle] ^= 1;
        assert!(RsaKey::from_der(&der).is_none());
    }
}
