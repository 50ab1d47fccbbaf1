//! Each reason by a certificate that deserves it. tests/cert compares the answers with OpenSSL's.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};

use super::*;
use crate::x509::chain;
use crate::x509::sample::{Authority, self_signed, shift};

const NOW: i64 = 1_800_000_000;

fn codes(presented: &str, trusted: &str, lists: Option<&str>, purpose: Purpose, host: &str) -> Vec<&'static str> {
    let [presented, trusted] = [presented, trusted].map(|text| chain::read(text.as_bytes()).unwrap());
    let lists = lists.map(|text| revocation_lists(text.as_bytes()).unwrap());
    let findings = verify(&Question {
        presented: &presented,
        trusted: &trusted,
        hosts: &[Host::parse(host).unwrap()],
        purpose,
        revocation: lists.as_deref(),
        now: DateTime::from_timestamp(NOW, 0).unwrap(),
    });
    findings.iter().map(|it| it.code).collect()
}

fn server(presented: &str, trusted: &str) -> Vec<&'static str> {
    codes(presented, trusted, None, Purpose::Server, "a.example")
}

/// The answer about a leaf beneath root and intermediate.
fn of(edit: impl FnOnce(&mut CertificateParams)) -> Vec<&'static str> {
    let root = Authority::root(NOW, "root", |_| ());
    let issuing = root.intermediate("issuing", &["example"]);
    let leaf = issuing.leaf(&["a.example"], 2, edit);
    server(&format!("{}{}", leaf.pem, issuing.pem), &root.pem)
}

#[test]
fn a_good_path_is_accepted_and_each_flaw_has_its_reason() {
    assert_eq!(of(|_| ()), [""; 0]);
    assert_eq!(of(|it| shift(it, -91)), ["expired"]);
    assert_eq!(of(|it| shift(it, 1)), ["not-yet-valid"]);
    assert_eq!(of(|it| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]), ["wrong-purpose"]);
    assert_eq!(of(|it| it.key_usages = vec![KeyUsagePurpose::CrlSign]), ["wrong-key-usage"]);
    assert_eq!(of(|it| it.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained)), ["ca-as-leaf"]);
    assert_eq!(of(|it| it.subject_alt_names.clear()), ["wrong-host"]);
    let foreign = |it: &mut CertificateParams| {
        it.subject_alt_names.push(rcgen::SanType::DnsName("a.test".try_into().unwrap()));
    };
    assert_eq!(of(foreign), ["name-not-permitted"]);
    let address = |it: &mut CertificateParams| {
        it.subject_alt_names.push(rcgen::SanType::IpAddress("10.0.0.1".parse().unwrap()));
    };
    assert_eq!(of(address), ["name-not-permitted"]);
    let critical = |it: &mut CertificateParams| {
        let mut extension = rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        it.custom_extensions.push(extension);
    };
    assert_eq!(of(critical), ["unknown-critical-extension"]);
}

#[test]
fn the_path_must_lead_to_a_trusted_living_ca() {
    let root = Authority::root(NOW, "root", |_| ());
    let issuing = root.intermediate("issuing", &[]);
    let leaf = issuing.leaf(&["a.example"], 2, |_| ()).pem;
    assert_eq!(server(&leaf, &root.pem), ["unknown-issuer"], "without its intermediate");
    assert_eq!(server(&leaf, &issuing.pem), [""; 0], "an intermediate may be trusted itself");
    let stranger = Authority::root(NOW, "stranger", |_| ());
    assert_eq!(server(&format!("{leaf}{}", issuing.pem), &stranger.pem), ["unknown-issuer"]);
    let impostor = Authority::root(NOW, "root", |_| ());
    assert_eq!(server(&format!("{leaf}{}", issuing.pem), &impostor.pem), ["bad-signature"]);
    let dead = Authority::root(NOW, "dead", |it| shift(it, -3660));
    let late = dead.leaf(&["a.example"], 3, |_| ()).pem;
    assert_eq!(server(&late, &dead.pem), ["issuer-not-valid"]);
    let no_ca = self_signed(NOW, &["root"], |it| it.key_usages = vec![KeyUsagePurpose::KeyCertSign]).pem;
    assert_eq!(server(&leaf, &no_ca), ["unknown-issuer"]);
}

#[test]
fn a_self_signed_leaf_is_valid_for_who_trusts_it() {
    let own = self_signed(NOW, &["a.example"], |_| ()).pem;
    assert_eq!(server(&own, &own), [""; 0]);
    let other = self_signed(NOW, &["a.example"], |_| ()).pem;
    assert_eq!(server(&own, &other), ["unknown-issuer"]);
}

#[test]
fn revocation_asks_for_the_lists_of_the_whole_path() {
    let root = Authority::root(NOW, "root", |_| ());
    let issuing = root.intermediate("issuing", &[]);
    let leaf = issuing.leaf(&["a.example"], 2, |_| ());
    let other = issuing.leaf(&["a.example"], 3, |_| ());
    let presented = format!("{}{}", leaf.pem, issuing.pem);
    let ask = |lists: &str| codes(&presented, &root.pem, Some(lists), Purpose::Server, "a.example");
    let empty = root.revocation_list(&[], 7);
    let both = |list: String| format!("{empty}{list}");
    assert_eq!(ask(&both(issuing.revocation_list(&[&other], 7))), [""; 0]);
    assert_eq!(ask(&both(issuing.revocation_list(&[&leaf], 7))), ["revoked"]);
    assert_eq!(ask(&both(issuing.revocation_list(&[], 1))), ["crl-expired"]);
    assert_eq!(ask(&issuing.revocation_list(&[], 7)), ["revocation-unknown"], "the root's is missing");
    let forged = Authority::root(NOW, "root", |_| ()).intermediate("issuing", &[]);
    assert_eq!(ask(&both(forged.revocation_list(&[], 7))), ["crl-invalid"]);
}

#[test]
fn each_ca_of_a_name_has_its_own_lists() {
    let [old, new] = ["old", "new"].map(|_| Authority::root(NOW, "root", |_| ()));
    let [leaf, other] = [&old, &new].map(|root| root.leaf(&["a.example"], 2, |_| ()));
    let trusted = format!("{}{}", new.pem, old.pem);
    let lists = new.revocation_list(&[], 7) + &old.revocation_list(&[&leaf], 7);
    let ask = |leaf: &str| codes(leaf, &trusted, Some(&lists), Purpose::Server, "a.example");
    assert_eq!((ask(&leaf.pem), ask(&other.pem)), (vec!["revoked"], vec![]));
}

#[test]
fn a_ca_whose_key_is_not_for_certificates_signs_none() {
    let root = Authority::root(NOW, "root", |_| ());
    let issuing = root.beneath("issuing", |it| it.key_usages = vec![KeyUsagePurpose::CrlSign]);
    let leaf = issuing.leaf(&["a.example"], 2, |_| ()).pem;
    assert_eq!(server(&format!("{leaf}{}", issuing.pem), &root.pem), ["issuer-not-a-ca"]);
    assert_eq!(server(&leaf, &issuing.pem), ["unknown-issuer"]);
}

#[test]
fn a_client_is_verified_for_its_own_purpose() {
    let root = Authority::root(NOW, "root", |_| ());
    let client = |it: &mut CertificateParams| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = root.leaf(&["a.example"], 2, client).pem;
    assert_eq!(codes(&leaf, &root.pem, None, Purpose::Client, "a.example"), [""; 0]);
    assert_eq!(codes(&leaf, &root.pem, None, Purpose::Server, "b.example"), ["wrong-purpose", "wrong-host"]);
}

#[test]
fn what_is_no_revocation_list_is_said() {
    assert_eq!(revocation_lists(b"").unwrap_err(), "holds no PEM block");
    let own = self_signed(NOW, &["a.example"], |_| ()).pem;
    assert_eq!(revocation_lists(own.as_bytes()).unwrap_err(), "holds no revocation list");
    let root = Authority::root(NOW, "root", |_| ());
    let leaf = root.leaf(&["a.example"], 2, |_| ()).pem;
    let damaged = [vec![super::super::der::SEQUENCE, 0]];
    let presented = chain::read(leaf.as_bytes()).unwrap();
    let question = Question {
        presented: &presented,
        trusted: &presented,
        hosts: &[],
        purpose: Purpose::Server,
        revocation: Some(&damaged),
        now: DateTime::from_timestamp(NOW, 0).unwrap(),
    };
    assert!(verify(&question).iter().any(Finding::is_error));
}
