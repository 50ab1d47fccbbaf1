//! Chains in whatever order they come.

use super::*;
use crate::x509::sample::{Authority, self_signed};

const NOW: i64 = 1_800_000_000;

struct Pki {
    root: String,
    inter: String,
    leaf: String,
}

fn pki() -> Pki {
    let root = Authority::root(NOW, "root", |_| ());
    let inter = root.intermediate("issuing", &[]);
    let leaf = inter.leaf(&["a.example"], 2, |_| ());
    Pki { root: root.pem, inter: inter.pem, leaf: leaf.pem }
}

fn arranged(texts: &[&str], leaf: usize) -> (Vec<String>, Vec<&'static str>) {
    let chain = arrange(read(texts.concat().as_bytes()).unwrap(), leaf);
    let names = std::iter::once(&chain.leaf).chain(&chain.intermediates).map(Certificate::short_name).collect();
    (names, chain.findings.iter().map(|finding| finding.code).collect())
}

#[test]
fn a_chain_in_order_stays_as_it_is() {
    let Pki { inter, leaf, .. } = pki();
    assert_eq!(arranged(&[&leaf, &inter], 0), (vec!["a.example".into(), "issuing".into()], vec![]));
    assert_eq!(arranged(&[&leaf], 0), (vec!["a.example".into()], vec![]));
}

#[test]
fn every_other_order_is_mended_and_the_root_taken_out() {
    let Pki { root, inter, leaf } = pki();
    for (texts, at, wanted) in [
        ([&leaf, &inter, &root], 0, &["root-dropped"][..]),
        ([&leaf, &root, &inter], 0, &["chain-reordered", "root-dropped"]),
        ([&inter, &leaf, &root], 1, &["chain-reordered", "root-dropped"]),
        ([&root, &inter, &leaf], 2, &["chain-reordered", "root-dropped"]),
    ] {
        let texts = texts.map(String::as_str);
        let (names, codes) = arranged(&texts, at);
        assert_eq!((names, codes.as_slice()), (vec!["a.example".to_owned(), "issuing".to_owned()], wanted));
    }
}

#[test]
fn a_ca_of_the_same_name_and_another_key_is_not_taken_for_the_issuer() {
    let Pki { leaf, inter, .. } = pki();
    let impostor = Authority::root(NOW, "other", |_| ()).intermediate("issuing", &[]).pem;
    let (names, codes) = arranged(&[&leaf, &impostor, &inter], 0);
    assert_eq!(names.len(), 2);
    assert_eq!(codes, ["chain-reordered", "chain-unrelated"]);
    let kept = arrange(read([leaf, impostor, inter.clone()].concat().as_bytes()).unwrap(), 0);
    assert_eq!(kept.intermediates, read(inter.as_bytes()).unwrap());
}

#[test]
fn repeated_certificates_and_self_signed_leaves_are_no_trouble() {
    let Pki { leaf, inter, .. } = pki();
    let (names, codes) = arranged(&[&leaf, &inter, &inter], 0);
    assert_eq!((names.len(), codes), (2, vec![]));
    let own = self_signed(NOW, &["b.example"], |_| ()).pem;
    assert_eq!(arranged(&[&own], 0), (vec!["b.example".into()], vec![]));
}

#[test]
fn a_text_without_whole_certificates_says_what_is_wrong() {
    let Pki { leaf, .. } = pki();
    let cut = &leaf[..leaf.len() - 30];
    for (text, why) in [
        ("", "holds no PEM block"),
        (cut, "has a block in line 1 that does not end"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "has a damaged certificate, number 1"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "holds no certificate"),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap_err(), why);
    }
}

#[test]
fn authorities_stay_as_they_are_and_what_is_none_among_them_goes() {
    let Pki { root, inter, .. } = pki();
    let usable = |text: &str| usable_authorities(text.as_bytes().to_vec()).map(|it| String::from_utf8(it).unwrap());
    let whole = format!("# one\n{root}\n# and another\n{inter}");
    assert_eq!(usable(&whole), Some(whole));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let odd = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    for other in [broken, odd] {
        assert_eq!(usable(&format!("{root}{other}{inter}")), Some(format!("{root}{inter}")), "{other}");
        assert_eq!(usable(other), None);
    }
    assert_eq!(usable(&format!("{root}-----BEGIN CERTIFICATE-----\nAAAA\n")), Some(root));
    assert_eq!(usable(""), None);
}
