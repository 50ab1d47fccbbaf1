//! What is weak. That nothing that we make is, the tests of `drawn` show.

use super::*;
use crate::check::placeholder::is_placeholder;

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
