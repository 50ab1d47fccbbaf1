//! Each rule by a certificate that breaks it, and our own profile by none.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType, SerialNumber};
use time::Duration;

use super::*;
use crate::x509::chain;
use crate::x509::sample::{Authority, self_signed};

const NOW: i64 = 1_800_000_000;

fn codes_of(text: &str, allow_long: bool) -> Vec<&'static str> {
    let all = chain::read(text.as_bytes()).unwrap();
    lint(&all[0], &all[1..], Profile::of(&all[0]), allow_long).iter().map(|it| it.code).collect()
}

fn codes(edit: impl FnOnce(&mut CertificateParams)) -> Vec<&'static str> {
    let root = Authority::root(NOW, "root", |_| ());
    codes_of(&root.leaf(&["a.example"], 2, edit).pem, false)
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

#[test]
fn our_profile_has_nothing_against_a_root_an_intermediate_and_leaves() {
    let root = Authority::root(NOW, "root", |_| ());
    let issuing = root.intermediate("issuing", &["example"]);
    let client = |it: &mut CertificateParams| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for text in [
        root.pem.clone(),
        issuing.pem.clone(),
        issuing.leaf(&["a.example"], 2, |_| ()).pem + &issuing.pem,
        issuing.leaf(&["a.example"], 3, client).pem + &issuing.pem,
        self_signed(NOW, &["a.example", "127.0.0.1"], |_| ()).pem,
    ] {
        assert_eq!(codes_of(&text, false), [""; 0]);
    }
}

#[test]
fn each_flaw_of_a_leaf_has_its_code() {
    assert_eq!(codes(|it| it.subject_alt_names.clear()), ["san-absent"]);
    assert_eq!(codes(|it| it.subject_alt_names.push(dns("*"))), ["san-invalid"]);
    assert_eq!(codes(|it| it.subject_alt_names[0] = dns("b.example")), ["cn-not-in-san"]);
    assert_eq!(codes(|it| it.extended_key_usages.clear()), ["purpose-absent"]);
    assert_eq!(codes(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning]), ["wrong-purpose"]);
    assert_eq!(codes(|it| it.extended_key_usages.push(ExtendedKeyUsagePurpose::Any)), ["purpose-any"]);
    assert_eq!(codes(|it| it.key_usages.clear()), ["key-usage-absent"]);
    assert_eq!(codes(|it| it.key_usages = vec![KeyUsagePurpose::KeyAgreement]), ["key-usage-wrong"]);
    assert_eq!(codes(|it| it.key_usages.push(KeyUsagePurpose::KeyEncipherment)), ["key-usage-wrong"]);
    assert_eq!(codes(|it| it.key_usages.push(KeyUsagePurpose::CrlSign)), ["key-usage-wrong"]);
    assert_eq!(codes(|it| it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained)), ["ca-as-leaf"]);
    assert_eq!(codes(|it| it.is_ca = IsCa::NoCa), ["ski-absent", "basic-constraints-absent"]);
    assert_eq!(codes(|it| it.use_authority_key_identifier_extension = false), ["aki-absent"]);
    assert_eq!(codes(|it| it.not_after += Duration::seconds(1)), ["validity-second-over"]);
    assert_eq!(codes(|it| it.not_after = it.not_before - Duration::days(1)), ["never-valid"]);
}

#[test]
fn a_serial_is_positive_random_and_not_too_long() {
    let serial = |bytes: &'static [u8]| codes(move |it| it.serial_number = Some(SerialNumber::from_slice(bytes)));
    assert_eq!(serial(&[1; 8]), [""; 0]);
    assert_eq!(serial(&[0x7f; 20]), [""; 0]);
    assert_eq!(serial(&[1; 7]), ["serial-too-short"]);
    assert_eq!(serial(&[0]), ["serial-not-positive"]);
    assert_eq!(serial(&[1; 21]), ["serial-too-long"]);
}

#[test]
fn a_leaf_lives_200_days_or_825_when_that_is_allowed() {
    let root = Authority::root(NOW, "root", |_| ());
    let lives = |days: i64, allow_long: bool| {
        let edit =
            |it: &mut CertificateParams| it.not_after = it.not_before + Duration::days(days) - Duration::seconds(1);
        codes_of(&root.leaf(&["a.example"], 2, edit).pem, allow_long)
    };
    assert_eq!(lives(200, false), [""; 0]);
    assert_eq!(lives(201, false), ["lifetime-too-long"]);
    assert_eq!(lives(825, true), [""; 0]);
    assert_eq!(lives(826, true), ["lifetime-too-long"]);
}

#[test]
fn names_outside_the_constraints_of_a_ca_above_are_told() {
    let issuing = Authority::root(NOW, "root", |_| ()).intermediate("issuing", &["example"]);
    let leaf = issuing.leaf(&["a.example", "a.test", "10.0.0.1"], 2, |_| ()).pem;
    assert_eq!(codes_of(&leaf, false), [""; 0], "nobody knows the CA");
    assert_eq!(codes_of(&(leaf + &issuing.pem), false), ["name-not-permitted"; 2]);
}

#[test]
fn a_ca_without_what_makes_one_is_told_when_it_is_meant_to_be_one() {
    let own = self_signed(NOW, &["a.example"], |_| ()).pem;
    let leaf = chain::read(own.as_bytes()).unwrap().remove(0);
    let codes: Vec<_> = lint(&leaf, &[], Profile::Authority, false).iter().map(|it| it.code).collect();
    assert_eq!(codes, ["not-a-ca", "key-usage-wrong", "root-with-purpose"]);
    let root = Authority::root(NOW, "root", |_| ());
    let edit = |it: &mut CertificateParams| {
        it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        it.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    };
    assert_eq!(codes_of(&root.leaf(&["a.example"], 2, edit).pem, false), ["path-length-absent"]);
}
