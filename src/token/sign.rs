//! Signing: a key with its `kid`, and claims made into a compact JWS.

use jsonwebtoken::{EncodingKey, Header};

use super::algorithm::Algorithm;
use super::claims::{Claims, TYPE};
use super::provider;
use super::rsa::RsaKey;
use crate::error::{Error, Result};
use crate::generate::keypair::PrivateKey;
use crate::manifest::model::KeyAlgorithm;
use crate::name::VersionId;
use crate::secret::Secret;

/// A key to sign with, and the `kid` that verifiers know it by.
pub(crate) struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
    kid: String,
}

impl SigningKey {
    /// The key of an HMAC token is the delivered text itself, as verifiers read it from their environment. `None` when
    /// it is too short for the algorithm, or the algorithm takes no shared key.
    pub(crate) fn shared(value: &Secret, version: VersionId, algorithm: Algorithm) -> Option<Self> {
        let is_fit = algorithm.shortest_shared_key().is_some_and(|shortest| value.len() >= shortest);
        is_fit.then(|| Self { key: EncodingKey::from_secret(value.expose()), algorithm, kid: shared_kid(version) })
    }

    /// A private key signs with the algorithm of its curve, and is known by its thumbprint (RFC 7638).
    pub(crate) fn pair(key: &PrivateKey) -> Self {
        let der = key.pkcs8().expose();
        let encoding = match key.algorithm() {
            KeyAlgorithm::Eddsa => EncodingKey::from_ed_der(der),
            KeyAlgorithm::Es256 | KeyAlgorithm::Es384 => EncodingKey::from_ec_der(der),
        };
        Self { key: encoding, algorithm: key.algorithm().into(), kid: key.thumbprint() }
    }

    /// An RSA key signs with the algorithm that is asked for, and is known by its thumbprint (RFC 7638). `None` when it
    /// is not an algorithm of RSA.
    pub(crate) fn rsa(pem: &Secret, algorithm: Algorithm) -> Option<Self> {
        let (key, der) = RsaKey::from_pem(pem)?;
        let public = key.public();
        let kid = public.thumbprint();
        public.serves(algorithm).then(|| Self { key: EncodingKey::from_rsa_der(der.expose()), algorithm, kid })
    }

    /// The `kid` of the header.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs claims.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<Secret> {
        provider::install();
        let algorithm = provider::jws(self.algorithm).ok_or_else(|| Error::bug("an algorithm without a name"))?;
        let mut header = Header::new(algorithm);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        let text = jsonwebtoken::encode(&header, claims, &self.key).map_err(|_| Error::bug("cannot sign a token"))?;
        Ok(Secret::from_text(text))
    }
}

/// The `kid` of a shared key comes from the id of its version: a thumbprint would publish a hash of the key (RFC 7638 §7).
pub(crate) fn shared_kid(version: VersionId) -> String {
    let hex: String = version.to_string().chars().filter(|&character| character != '-').take(12).collect();
    format!("hs-{hex}")
}
