//! What is weak, and that nothing that we make is.

use super::*;
use crate::check::placeholder::is_placeholder;
use crate::secret::random;

const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";

/// Makes 100,000 values of `length` characters, and hands out those that `check` would object to.
fn rejected(length: usize, alphabet: &[u8], prefix: &str, suffix: &str) -> Vec<String> {
    let mut bytes = vec![0; 100_000 * length];
    random::fill(&mut bytes).unwrap();
    let mut value = Vec::new();
    let mut rejected = Vec::new();
    for draw in bytes.chunks_exact(length) {
        value.clear();
        value.extend_from_slice(prefix.as_bytes());
        for &byte in draw {
            value.push(alphabet[usize::from(byte) % alphabet.len()]);
        }
        value.extend_from_slice(suffix.as_bytes());
        if bits(&value) < WEAK_BELOW || is_placeholder(&value) {
            rejected.push(String::from_utf8(value.clone()).unwrap());
        }
    }
    rejected
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_hundred_thousand_keys_of_16_bytes_pass_in_every_encoding() {
    assert_eq!(rejected(22, BASE64URL, "", ""), nothing());
    assert_eq!(rejected(22, BASE64, "", "=="), nothing());
    assert_eq!(rejected(32, HEX, "", ""), nothing());
}

#[test]
fn a_hundred_thousand_keys_of_32_bytes_pass_in_base64url() {
    assert_eq!(rejected(43, BASE64URL, "", ""), nothing());
}

#[test]
fn a_hundred_thousand_keys_of_32_bytes_pass_in_base64() {
    assert_eq!(rejected(43, BASE64, "", "="), nothing());
}

#[test]
fn a_hundred_thousand_keys_of_32_bytes_pass_in_hex() {
    assert_eq!(rejected(64, HEX, "", ""), nothing());
}

#[test]
fn a_hundred_thousand_passwords_and_api_keys_pass() {
    assert_eq!(rejected(32, &BASE64URL[..62], "", ""), nothing());
    assert_eq!(rejected(24, b"abcdefghijklmnopqrstuvwxyz!#$%&*+-.<=>?@[]^_{}~0123456789", "", ""), nothing());
    assert_eq!(rejected(36, &BASE64URL[..62], "sutra_live_", ""), nothing());
}

#[test]
fn a_hundred_thousand_uuids_pass() {
    let mut bytes = vec![0; 100_000 * 16];
    random::fill(&mut bytes).unwrap();
    let (draws, _) = bytes.as_chunks::<16>();
    for draw in draws {
        let uuid = uuid::Builder::from_random_bytes(*draw).into_uuid();
        let text = uuid.as_hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned();
        assert!(bits(text.as_bytes()) >= WEAK_BELOW && !is_placeholder(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_hundred_thousand_passphrases_of_eight_words_pass() {
    let mut bytes = vec![0; 100_000 * 16];
    random::fill(&mut bytes).unwrap();
    let mut text = String::new();
    for draw in bytes.chunks_exact(16) {
        text.clear();
        for pair in draw.chunks_exact(2) {
            let word = words::word(usize::from(u16::from_le_bytes([pair[0], pair[1]])) % words::COUNT);
            text.push_str(if text.is_empty() { "" } else { "-" });
            text.push_str(word);
        }
        assert!(bits(text.as_bytes()) >= WEAK_BELOW && !is_placeholder(text.as_bytes()), "{text}");
    }
}

#[test]
fn few_distinct_characters_are_not_weakness() {
    assert!(bits(b"7c19a1c7a91ac9177c1a9c71a97c1ca9") >= WEAK_BELOW);
}

#[test]
fn guessable_values_are_weak() {
    for text in [
        "",
        "a",
        "hunter2",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabcabcabcabc",
        "12345678901234567890123456",
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiopasdfghjklzxcvbnm",
        "1qaz2wsx3edc4rfv",
        "PasswordPasswordPassword",
        "correct horse battery staple",
        "correcthorsebatterystaple",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "00000000-0000-0000-0000-000000000000",
        "20240101",
        "9876543210",
        "postgres://app:short@a-very-long-host-name.example.com/db",
    ] {
        assert!(bits(text.as_bytes()) < WEAK_BELOW, "{text:?}: {}", bits(text.as_bytes()));
    }
}

#[test]
fn random_text_is_worth_what_it_is() {
    assert_eq!(bits(b"7c19f1d7a90ec8167c2a9b53e08d4fa6"), 128);
    assert_eq!(bits(b"5f0c8a37-9d1e-4b62-a7f4-13e9c06bd285"), 128);
    assert!((120..=132).contains(&bits(b"mT9x_Qe4ZrVb-0LkGsW3aY")), "{}", bits(b"mT9x_Qe4ZrVb-0LkGsW3aY"));
    assert!(bits("пароль длинный и странный, ещё".as_bytes()) > WEAK_BELOW);
    assert_eq!(bits(&[0xff, 0x13, 0x80, 0x77, 0xa9, 0x02, 0xc4, 0x5e]), 64);
}

#[test]
fn any_bytes_have_an_estimate() {
    proptest::proptest!(|(value: Vec<u8>)| {
        let most = u32::try_from(value.len() * 8).unwrap();
        proptest::prop_assert!(bits(&value) <= most);
        is_placeholder(&value);
    });
}
