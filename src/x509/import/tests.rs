//! Everything that stands against an import, and all of it at once.

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa};

use super::*;
use crate::x509::finding::Severity;
use crate::x509::sample::{Authority, Sample, self_signed, shift};

const NOW: i64 = 1_800_000_000;

struct Case {
    fullchain: String,
    key: String,
    hosts: Vec<Host>,
    is_production: bool,
    key_mode: Option<u32>,
}

impl Case {
    fn new(fullchain: &str, key: &str) -> Self {
        let (fullchain, key) = (fullchain.to_owned(), key.to_owned());
        let hosts = vec![Host::parse("shop.example").unwrap()];
        Self { fullchain, key, hosts, is_production: true, key_mode: Some(0o600) }
    }

    fn judge(&self) -> Judged {
        let content = [&self.fullchain, &self.key].map(|text| Secret::copy_of(text.as_bytes()));
        let material = Material {
            fullchain: File { name: "fullchain.pem", content: &content[0] },
            chain: None,
            key: File { name: "privkey.pem", content: &content[1] },
            key_mode: self.key_mode,
        };
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        judge(&material, &Use { hosts: &self.hosts, purpose: "serverAuth", is_production: self.is_production, now })
    }

    fn codes(&self) -> Vec<(&'static str, Severity)> {
        self.judge().findings.iter().map(|it| (it.code, it.severity)).collect()
    }
}

fn issuing() -> Authority {
    Authority::root(NOW, "root", |_| ()).intermediate("issuing", &[])
}

/// A leaf for the shop with its issuer's certificate behind it.
fn shop(edit: impl FnOnce(&mut CertificateParams)) -> (String, Sample) {
    let issuing = issuing();
    let leaf = issuing.leaf(&["shop.example", "*.shop.example", "10.0.0.1"], 2, edit);
    (format!("{}{}", leaf.pem, issuing.pem), leaf)
}

#[test]
fn what_lets_encrypt_writes_is_taken_without_a_word() {
    let (fullchain, leaf) = shop(|_| ());
    let judged = Case::new(&fullchain, &leaf.key).judge();
    assert_eq!(judged.findings, []);
    let (chain, key) = (judged.chain.unwrap(), judged.key.unwrap());
    assert_eq!((chain.intermediates.len(), chain.root), (1, None));
    assert!(key.expose_text().unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

#[test]
fn hosts_are_covered_by_names_wildcards_and_addresses_exactly() {
    let (fullchain, leaf) = shop(|_| ());
    let mut case = Case::new(&fullchain, &leaf.key);
    for (host, covered) in [
        ("shop.example", true),
        ("SHOP.example", true),
        ("www.shop.example", true),
        ("a.b.shop.example", false),
        ("example", false),
        ("10.0.0.1", true),
        ("10.0.0.2", false),
    ] {
        case.hosts = vec![Host::parse(host).unwrap()];
        assert_eq!(!case.judge().is_refused(), covered, "{host}");
    }
}

#[test]
fn all_is_found_at_once_the_gravest_first() {
    let (_, stranger) = shop(|_| ());
    let bad = self_signed(NOW, &["other.example"], |params| {
        shift(params, -900);
        params.not_after += time::Duration::days(800);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let case = Case { key_mode: Some(0o644), ..Case::new(&bad.pem, &stranger.key) };
    let codes: Vec<_> = case.codes().into_iter().map(|(code, _)| code).collect();
    let wanted = [
        "key-mismatch",
        "expired",
        "host-not-covered",
        "ca-as-leaf",
        "wrong-purpose",
        "self-signed",
        "lifetime-too-long",
        "key-mode-too-open",
    ];
    assert_eq!(codes, wanted);
    let judged = case.judge();
    assert!(judged.is_refused() && judged.key.is_none());
    assert!(judged.findings.iter().is_sorted_by_key(|it| it.severity));
}

#[test]
fn dates_are_judged_to_the_second() {
    let case = |days: i64| {
        let (fullchain, leaf) = shop(|params| shift(params, days));
        Case::new(&fullchain, &leaf.key).codes()
    };
    assert_eq!(case(0), []);
    assert_eq!(case(-59), []);
    // Up to a twentieth of its life later, by its serial.
    assert_eq!(case(-65), [("renewal-due", Severity::Warning)]);
    assert_eq!(case(-89), [("renewal-due", Severity::Warning)]);
    assert_eq!(case(-90), [("expired", Severity::Error)]);
    assert_eq!(case(1), [("not-yet-valid", Severity::Error)]);
}

#[test]
fn a_self_signed_one_is_an_error_in_production_alone() {
    let own = self_signed(NOW, &["shop.example"], |_| ());
    let case = Case::new(&own.pem, &own.key);
    assert_eq!(case.codes(), [("self-signed", Severity::Error)]);
    let dev = Case { is_production: false, ..case };
    assert_eq!(dev.codes(), [("self-signed", Severity::Warning)]);
}

#[test]
fn a_leaf_without_its_issuer_or_purpose_is_taken_with_a_warning() {
    let (_, leaf) = shop(|params| params.extended_key_usages.clear());
    let codes = Case::new(&leaf.pem, &leaf.key).codes();
    assert_eq!(codes, [("purpose-absent", Severity::Warning), ("chain-absent", Severity::Warning)]);
}

#[test]
fn the_leaf_is_the_one_that_the_key_belongs_to_wherever_it_stands() {
    let issuing = issuing();
    let leaf = issuing.leaf(&["shop.example"], 2, |_| ());
    let other = issuing.leaf(&["other.example"], 3, |_| ());
    let judged = Case::new(&[other.pem, issuing.pem, leaf.pem].concat(), &leaf.key).judge();
    assert_eq!(judged.chain.as_ref().unwrap().leaf.short_name(), "shop.example");
    let codes: Vec<_> = judged.findings.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["chain-unrelated", "chain-reordered"]);
}

#[test]
fn files_that_cannot_be_read_are_both_told_without_their_content() {
    let case = Case::new("hunter2", "-----BEGIN EC PRIVATE KEY-----\nhunter2=\n-----END EC PRIVATE KEY-----\n");
    let judged = case.judge();
    let codes: Vec<_> = judged.findings.iter().map(|it| it.code).collect();
    assert_eq!(codes, ["certificate-unreadable", "key-unreadable"]);
    assert!(judged.findings.iter().all(|it| !it.message.contains("hunter2")));
}

#[test]
fn each_flaw_of_the_chain_is_named() {
    let root = Authority::root(NOW, "root", |_| ());
    let of = |edit: &dyn Fn(&mut CertificateParams)| {
        let issuing = root.beneath("issuing", edit);
        let leaf = issuing.leaf(&["shop.example"], 2, |_| ());
        let codes = Case::new(&format!("{}{}", leaf.pem, issuing.pem), &leaf.key).codes();
        codes.into_iter().map(|(code, severity)| (code, severity == Severity::Error)).collect::<Vec<_>>()
    };
    assert_eq!(of(&|_| ()), []);
    assert_eq!(of(&|it| it.is_ca = IsCa::ExplicitNoCa), [("issuer-not-a-ca", true)]);
    assert_eq!(of(&|it| it.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign]), [("issuer-not-a-ca", true)]);
    let client = |it: &mut CertificateParams| it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(of(&client), [("wrong-purpose", true)]);
    let elsewhere = |it: &mut CertificateParams| {
        let permitted_subtrees = vec![rcgen::GeneralSubtree::DnsName("other.test".to_owned())];
        it.name_constraints = Some(rcgen::NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    };
    assert_eq!(of(&elsewhere), [("name-not-permitted", true)]);
    assert_eq!(of(&|it| (client(it), elsewhere(it)).1), [("wrong-purpose", true), ("name-not-permitted", true)]);
    let upper = root.beneath("upper", |_| ());
    let issuing = upper.beneath("issuing", |_| ());
    let leaf = issuing.leaf(&["shop.example"], 2, |_| ());
    let chain = format!("{}{}{}", leaf.pem, issuing.pem, upper.pem);
    assert_eq!(Case::new(&chain, &leaf.key).codes(), [("path-too-long", Severity::Error)]);
}

#[test]
fn a_critical_extension_that_nobody_knows_is_the_reason_and_not_the_name() {
    let (fullchain, leaf) = shop(|it| {
        let mut extension = rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(true);
        it.custom_extensions.push(extension);
    });
    assert_eq!(Case::new(&fullchain, &leaf.key).codes(), [("unknown-critical-extension", Severity::Error)]);
}
