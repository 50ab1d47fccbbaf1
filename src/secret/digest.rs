//! Digests, keyed and not, and the fingerprints made of them.

use data_encoding::HEXLOWER;
use ring::{digest, hmac};

use super::Secret;

/// The strength from which a public hash of a generated value cannot be guessed back, in bits.
pub const PUBLIC_FINGERPRINT_BITS: u32 = 128;

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
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

/// The keyed fingerprint: the first 128 bits of HMAC-SHA-256(key, "vault-kit/fp/1" ‖ project ‖ value), in hex.
pub fn keyed_fingerprint(key: &Secret, project: &str, value: &Secret) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()));
    context.update(b"vault-kit/fp/1");
    context.update(project.as_bytes());
    context.update(value.expose());
    HEXLOWER.encode(&context.sign().as_ref()[..16])
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
        assert_eq!(public_fingerprint("p", &a).len(), 32);
    }
}
