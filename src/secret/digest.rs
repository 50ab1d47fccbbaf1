//! Digests, keyed and not, and the fingerprints made of them.

use std::borrow::Cow;
use std::fmt;

use data_encoding::HEXLOWER;
use ring::{digest, hmac};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Secret;

/// The strength from which a public hash of a generated value cannot be guessed back, in bits.
pub const PUBLIC_FINGERPRINT_BITS: u32 = 128;

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-256 of what comes in pieces.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Adds a piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Of everything that was added, in lower-case hex.
    pub fn hex(self) -> String {
        HEXLOWER.encode(self.0.finish().as_ref())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

/// A key of HMAC-SHA-256 (RFC 2104) for one purpose.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// HKDF-Expand (RFC 5869 §2.3) of a key of 32 random bytes: keys of two purposes say nothing of each other.
    pub fn derive(key: &Secret, purpose: &[u8]) -> Self {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
        context.update(purpose);
        // One digest is all of the key: T(1).
        context.update(&[1]);
        Self(hmac::Key::new(hmac::HMAC_SHA256, context.sign().as_ref()))
    }

    /// The code of these bytes.
    pub fn sign(&self, bytes: &[u8]) -> Mac {
        let mut mac = Mac::NONE;
        mac.0.copy_from_slice(hmac::sign(&self.0, bytes).as_ref());
        mac
    }

    /// Whether this is the code of these bytes; takes the same time wherever it differs.
    pub fn is_code_of(&self, mac: Mac, bytes: &[u8]) -> bool {
        hmac::verify(&self.0, bytes, &mac.0).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// A code of HMAC-SHA-256; 64 lower-case hex digits as text. Not secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mac([u8; 32]);

impl Mac {
    /// What stands in the place of a code where there is none.
    pub const NONE: Self = Self([0; 32]);

    /// Parses the text form, which has no capitals.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()?))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not 64 lower-case hex digits"))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Mac {
    fn schema_name() -> Cow<'static, str> {
        "Mac".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

/// The public fingerprint: the first 128 bits of SHA-256("vault-kit/fp/1" ‖ project ‖ value), in hex.
///
/// Only for values that we generated with [`PUBLIC_FINGERPRINT_BITS`] or more; others could be guessed from it.
pub fn public_fingerprint(project: &str, value: &Secret) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(b"vault-kit/fp/1");
    context.update(project.as_bytes());
    context.update(value.expose());
    HEXLOWER.encode(&context.finish().as_ref()[..16])
}

/// Public fingerprints of one project's values, of which many are made.
#[derive(Clone)]
pub struct PublicFingerprints(digest::Context);

impl PublicFingerprints {
    /// Of a project.
    pub fn of(project: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"vault-kit/fp/1");
        context.update(project.as_bytes());
        Self(context)
    }

    /// As [`public_fingerprint`], not as text.
    pub fn fingerprint(&self, value: &[u8]) -> [u8; 16] {
        let mut context = self.0.clone();
        context.update(value);
        let mut first = [0; 16];
        first.copy_from_slice(&context.finish().as_ref()[..16]);
        first
    }
}

impl fmt::Debug for PublicFingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicFingerprints")
    }
}

/// Makes keyed fingerprints of the values of a project: the first 128 bits of HMAC-SHA-256(key, "vault-kit/fp/1" ‖ project ‖ value),
/// in hex.
pub struct Fingerprints(hmac::Context);

impl Fingerprints {
    /// Those of a key.
    pub fn new(key: &Secret, project: &str) -> Self {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
        context.update(b"vault-kit/fp/1");
        context.update(project.as_bytes());
        Self(context)
    }

    /// That of a value.
    pub fn of(&self, value: &Secret) -> String {
        let mut context = self.0.clone();
        context.update(value.expose());
        HEXLOWER.encode(&context.sign().as_ref()[..16])
    }
}

/// Without the key.
impl fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fingerprints").finish_non_exhaustive()
    }
}

/// The keyed fingerprint of one value, as [`Fingerprints`] make it.
pub fn keyed_fingerprint(key: &Secret, project: &str, value: &Secret) -> String {
    Fingerprints::new(key, project).of(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_abc_is_the_one_of_fips_180() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn fingerprints_differ_by_project_value_and_key() {
        let (a, b) = (Secret::copy_of(b"a"), Secret::copy_of(b"b"));
        assert_ne!(public_fingerprint("p", &a), public_fingerprint("q", &a));
        assert_ne!(public_fingerprint("p", &a), public_fingerprint("p", &b));
        assert_ne!(keyed_fingerprint(&a, "p", &a), keyed_fingerprint(&b, "p", &a));
        assert_eq!(public_fingerprint("p", &a), HEXLOWER.encode(&PublicFingerprints::of("p").fingerprint(b"a")));
    }

    #[test]
    fn keys_of_two_purposes_differ_from_each_other_and_from_the_key_that_they_are_of() {
        let key = Secret::copy_of(&[7; 32]);
        let [a, b] = [b"a", b"b"].map(|purpose| MacKey::derive(&key, purpose));
        let plain = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), b"text");
        assert_ne!(a.sign(b"text"), b.sign(b"text"));
        assert_ne!(a.sign(b"text").0, plain.as_ref());
        assert!(a.is_code_of(a.sign(b"text"), b"text") && !b.is_code_of(a.sign(b"text"), b"text"));
    }

    #[test]
    fn a_derived_key_is_the_one_of_rfc_5869() {
        // Its test case 1: the first digest of the output is T(1), whose HMAC we cannot see; that of the same key is.
        let prk = HEXLOWER.decode(b"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5").unwrap();
        let info = HEXLOWER.decode(b"f0f1f2f3f4f5f6f7f8f9").unwrap();
        let okm = HEXLOWER.decode(b"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf").unwrap();
        let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &okm), b"text");
        assert_eq!(MacKey::derive(&Secret::new(prk), &info).sign(b"text").0, expected.as_ref());
    }

    #[test]
    fn a_code_in_capitals_is_another_text_and_no_code() {
        let text = "ab".repeat(32);
        assert_eq!(Mac::parse(&text).unwrap().to_string(), text);
        assert_eq!(Mac::parse(&text.to_uppercase()), None);
        assert_eq!(Mac::parse(&text[2..]), None);
    }
}
