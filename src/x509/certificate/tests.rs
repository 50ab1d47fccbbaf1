//! What is read out of a certificate, and that damage never passes.

use proptest::prelude::*;

use super::*;
use crate::x509::chain;
use crate::x509::public_key::{Curve, KeyKind};
use crate::x509::sample::{Authority, self_signed};

const NOW: i64 = 1_800_000_000;

fn one(pem: &str) -> Certificate {
    chain::read(pem.as_bytes()).unwrap().remove(0)
}

#[test]
fn a_leaf_tells_everything_that_it_was_made_with() {
    let root = Authority::root(NOW, "test root", |_| ());
    let leaf = one(&root.leaf(&["api.example.com", "*.example.com", "10.0.0.1", "::1"], 7, |_| ()).pem);
    assert_eq!((leaf.version, leaf.serial.len(), leaf.serial[15]), (3, 16, 7));
    assert_eq!((leaf.subject.text.as_str(), leaf.issuer.text.as_str()), ("CN=api.example.com", "CN=test root"));
    assert_eq!(leaf.life(), TimeDelta::days(90));
    assert_eq!(leaf.all_names(), ["api.example.com", "*.example.com", "10.0.0.1", "::1"]);
    assert_eq!(leaf.key.kind, KeyKind::Ec(Curve::P256));
    assert_eq!(leaf.signature_algorithm, ("ECDSA with SHA-256", false));
    assert_eq!(leaf.basic_constraints, Some(Constraints { critical: true, ca: false, path_length: None }));
    let (usages, is_critical) = leaf.key_usage.unwrap();
    assert_eq!((usages.names(), is_critical), (vec!["digitalSignature"], true));
    assert_eq!(leaf.purposes.as_deref(), Some(&["serverAuth".to_owned()][..]));
    assert_eq!(leaf.authority_key_id, one(&root.pem).subject_key_id);
    assert!(!leaf.is_ca() && !leaf.is_authority() && !leaf.is_self_issued());
}

#[test]
fn a_ca_tells_its_constraints() {
    let root = Authority::root(NOW, "test root", |_| ());
    let inter = one(&root.intermediate("test issuing", &["example.com"]).pem);
    let constraints = inter.name_constraints.clone().unwrap();
    assert!(constraints.critical);
    assert_eq!(constraints.permitted, [Subtree::Dns("example.com".to_owned())]);
    let all = ["0.0.0.0/0", "::/0"].map(|range| Subtree::Ip(range.parse().unwrap()));
    assert_eq!(constraints.excluded, all);
    assert_eq!(inter.basic_constraints.unwrap().path_length, Some(0));
    assert!(inter.is_authority() && !inter.is_self_issued() && one(&root.pem).is_self_issued());
}

#[test]
fn what_would_steer_a_terminal_is_not_passed_on() {
    let sample = self_signed(NOW, &["a.example"], |params| {
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "\u{1b}[2J\u{202e}evil");
    });
    let text = one(&sample.pem).subject.text;
    assert!(text.contains("evil") && !text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_damaged_certificate_is_read_or_refused_without_a_panic(at in 0..600_usize, byte: u8, cut in 0..800_usize) {
        let mut der = one(FIXTURE).der;
        let length = der.len();
        der[at % length] = byte;
        der.truncate(cut);
        if let Some(certificate) = Certificate::read(&der) {
            let now = DateTime::from_timestamp(NOW, 0).unwrap();
            let _ = crate::x509::describe::describe(&certificate, now).to_text();
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(Certificate::read(&bytes).is_none());
    }
}

const FIXTURE: &str = include_str!("../../../tests/fixtures/certificate.pem");
