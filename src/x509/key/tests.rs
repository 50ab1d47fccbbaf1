//! Private keys in every form that they come in.

use proptest::prelude::*;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

use super::*;

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    armor::encode(label, der).expose().to_vec()
}

fn public(pair: &KeyPair) -> PublicKey {
    let der = pem::blocks(pair.public_key_pem().as_bytes()).map(|mut blocks| blocks.remove(0).der.to_vec()).unwrap();
    PublicKey::read(&der).unwrap()
}

/// The inner `ECPrivateKey` of a PKCS#8 text, with the curve and the point as asked.
fn sec1_of(pair: &KeyPair, curve: Option<&[u8]>, point: bool) -> Vec<u8> {
    let mut outer = sequence(pair.serialized_der()).unwrap();
    outer.take(INTEGER).unwrap();
    outer.take(SEQUENCE).unwrap();
    let mut inner = sequence(outer.take(OCTET_STRING).unwrap()).unwrap();
    inner.take(INTEGER).unwrap();
    let scalar = inner.take(OCTET_STRING).unwrap();
    let bits = value(BIT_STRING, &[&[0], pair.public_key_raw()]);
    let curve = curve.map(|oid| value(CURVE, &[&value(OID, &[oid])])).unwrap_or_default();
    let point = if point { value(PUBLIC, &[&bits]) } else { Zeroizing::default() };
    value(SEQUENCE, &[&value(INTEGER, &[&[1]]), &value(OCTET_STRING, &[scalar]), &curve, &point]).to_vec()
}

fn paired(text: &[u8], public: &PublicKey) -> Result<Secret, Refusal> {
    PrivateKey::read(text)?.paired_with(public)
}

#[test]
fn every_form_of_a_curve_key_becomes_the_same_pkcs8() {
    for (algorithm, curve, outer) in [(&PKCS_ECDSA_P256_SHA256, P256, P256), (&PKCS_ECDSA_P384_SHA384, P384, P384)] {
        let pair = KeyPair::generate_for(algorithm).unwrap();
        let public = public(&pair);
        let wanted = paired(pair.serialize_pem().as_bytes(), &public).unwrap();
        let bare = sec1_of(&pair, None, false);
        let algorithm = value(SEQUENCE, &[&value(OID, &[EC]), &value(OID, &[outer])]);
        for text in [
            pem("EC PRIVATE KEY", &sec1_of(&pair, Some(curve), true)),
            pem("EC PRIVATE KEY", &sec1_of(&pair, Some(curve), false)),
            pem("PRIVATE KEY", &wrapped(&algorithm, &bare)),
            [pem("EC PARAMETERS", b"\x06\x01\x2a"), pem("EC PRIVATE KEY", &sec1_of(&pair, Some(curve), true))].concat(),
        ] {
            assert_eq!(paired(&text, &public).unwrap(), wanted);
        }
        let key = KeyPair::from_pem(wanted.expose_text().unwrap()).unwrap();
        assert_eq!(key.public_key_raw(), pair.public_key_raw());
    }
}

#[test]
fn an_ed25519_key_of_version_2_becomes_one_of_version_1() {
    let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    assert_eq!(pair.serialized_der()[4], 1, "ring writes version 2");
    let kept = paired(pair.serialize_pem().as_bytes(), &public(&pair)).unwrap();
    let der = pem::blocks(kept.expose()).map(|mut blocks| blocks.remove(0).der).unwrap();
    assert_eq!((der.len(), &der[..5]), (48, &b"\x30\x2e\x02\x01\x00"[..]));
    assert_eq!(paired(kept.expose(), &public(&pair)).unwrap(), kept);
}

#[test]
fn a_key_of_another_certificate_is_no_half_whatever_it_says_of_itself() {
    let kinds = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
    let pairs = kinds.map(|kind| KeyPair::generate_for(kind).unwrap());
    for one in &pairs {
        for other in &pairs {
            let twin = KeyPair::generate_for(other.algorithm()).unwrap();
            let text = one.serialize_pem();
            assert_eq!(paired(text.as_bytes(), &public(&twin)).err(), Some(Refusal::Mismatch));
        }
    }
    let (one, other) = (&pairs[0], KeyPair::generate().unwrap());
    // Without its own point, only the scalar tells.
    let bare = pem("EC PRIVATE KEY", &sec1_of(one, Some(P256), false));
    assert_eq!(paired(&bare, &public(&other)).err(), Some(Refusal::Mismatch));
    // With the certificate's point and another scalar, it is forged or damaged.
    let mut forged = sec1_of(one, Some(P256), true);
    let length = forged.len();
    forged[length - 65..].copy_from_slice(other.public_key_raw());
    let forged = pem("EC PRIVATE KEY", &forged);
    assert_eq!(paired(&forged, &public(&other)).err(), Some(Refusal::Malformed));
}

#[test]
fn what_is_no_single_open_key_is_refused_for_its_own_reason() {
    let key = KeyPair::generate().unwrap().serialize_pem();
    let refusal = |text: &str| PrivateKey::read(text.as_bytes()).err().unwrap();
    let block = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    assert_eq!(refusal(""), Refusal::Damaged(Damage::Empty));
    assert_eq!(refusal(&block("CERTIFICATE", "AAAA")), Refusal::Absent);
    assert_eq!(refusal(&format!("{key}{key}")), Refusal::Several);
    assert_eq!(refusal(&block("ENCRYPTED PRIVATE KEY", "AAAA")), Refusal::Encrypted);
    assert_eq!(refusal(&block("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\nAAAA")), Refusal::Encrypted);
    assert_eq!(refusal(&block("DSA PRIVATE KEY", "AAAA")), Refusal::Unsupported);
    assert_eq!(refusal(&block("PRIVATE KEY", "AAAA")), Refusal::Malformed);
    assert_eq!(refusal(&block("EC PRIVATE KEY", "AAAA")), Refusal::Malformed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_damaged_key_is_refused_or_still_the_half_and_never_a_panic(at in 0..200_usize, byte: u8, cut in 0..200_usize) {
        let pair = one();
        let mut der = pair.serialize_der();
        let length = der.len();
        der[at % length] = byte;
        der.truncate(cut.max(1));
        for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"] {
            if let Ok(kept) = paired(&pem(label, &der), &public(&pair)) {
                let own = KeyPair::from_pem(kept.expose_text().unwrap()).unwrap();
                prop_assert_eq!(own.public_key_raw(), pair.public_key_raw());
            }
        }
    }
}

/// One key for all cases.
fn one() -> KeyPair {
    static ONE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| KeyPair::generate().unwrap().serialize_pem());
    KeyPair::from_pem(&ONE).unwrap()
}
