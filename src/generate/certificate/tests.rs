//! The exact profile of what is issued, read back by another crate.

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use super::*;
use crate::generate::issuer::{certificates, parse};
use crate::generate::tests::{Scene, name};
use crate::generate::{Input, inspect};

const CURVES: [KeyAlgorithm; 3] = [KeyAlgorithm::Es256, KeyAlgorithm::Es384, KeyAlgorithm::Eddsa];

/// An issuing one permits what [`declared_leaf`] names.
fn declared_ca(issuer: Option<&str>) -> Ca {
    let ours = |list: &[&str]| list.iter().filter(|_| issuer.is_some()).map(|&it| it.to_owned()).collect::<Vec<_>>();
    Ca {
        issuer: issuer.map(name),
        algorithm: KeyAlgorithm::Es256,
        ttl: Period::days(3650),
        common_name: None,
        permitted_dns: ours(&["sutra.test", "localhost"]),
        permitted_ip: ours(&["127.0.0.0/8", "::1/128"]).iter().map(|net| net.parse().unwrap()).collect(),
    }
}

fn declared_leaf(issuer: Option<&str>) -> Certificate {
    Certificate {
        issuer: issuer.map(name),
        algorithm: KeyAlgorithm::Es256,
        usage: Usage::Server,
        dns: vec!["api.sutra.test".into(), "localhost".into(), "*.sutra.test".into()],
        ip: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        uri: vec![],
        ttl: Period::days(90),
    }
}

/// CAs by name, as they would come out of the store.
struct Authorities {
    scene: Scene,
    made: Vec<(SecretName, Material)>,
}

impl Authorities {
    fn new() -> Self {
        Self { scene: Scene::new(), made: Vec::new() }
    }

    /// A root, and an intermediate beneath it.
    fn two(algorithm: KeyAlgorithm) -> Self {
        let mut authorities = Self::new();
        authorities.add("ROOT", &Ca { algorithm, ..declared_ca(None) });
        authorities.add("ISSUING", &Ca { algorithm, ttl: Period::days(1825), ..declared_ca(Some("ROOT")) });
        authorities
    }

    fn inputs(&self) -> Inputs<'_> {
        self.made.iter().map(|(name, made)| (name, Input::new(None, &made.parts))).collect()
    }

    fn authority(&self, text: &str, ca: &Ca) -> Result<Material> {
        authority(&name(text), &with_known(ca), &self.scene.context(), &self.inputs())
    }

    fn add(&mut self, text: &str, ca: &Ca) {
        let made = self.authority(text, ca).unwrap();
        self.made.push((name(text), made));
    }

    fn leaf(&self, leaf: &Certificate) -> Result<Material> {
        super::leaf(&name("TLS"), leaf, &self.scene.context(), &self.inputs())
    }

    fn made(&self, text: &str) -> &Material {
        &self.made.iter().find(|(known, _)| *known == name(text)).unwrap().1
    }
}

fn with_known(ca: &Ca) -> Ca {
    Ca {
        issuer: ca.issuer.clone(),
        common_name: ca.common_name.clone(),
        permitted_dns: ca.permitted_dns.clone(),
        permitted_ip: ca.permitted_ip.clone(),
        ..*ca
    }
}

fn ders(material: &Material, part: Part) -> Vec<Vec<u8>> {
    certificates(material.parts.part(part).unwrap())
}

fn der(material: &Material) -> Vec<u8> {
    ders(material, Part::Cert).remove(0)
}

/// Extensions as OID, criticality and value, in the order of the OIDs' text.
fn extensions(x509: &X509Certificate<'_>) -> Vec<(String, bool)> {
    let mut found: Vec<_> =
        x509.extensions().iter().map(|extension| (extension.oid.to_id_string(), extension.critical)).collect();
    found.sort();
    found
}

fn expected(oids: &[(&str, bool)]) -> Vec<(String, bool)> {
    oids.iter().map(|(oid, critical)| ((*oid).to_owned(), *critical)).collect()
}

const SKI: (&str, bool) = ("2.5.29.14", false);
const KEY_USAGE: (&str, bool) = ("2.5.29.15", true);
const SAN: (&str, bool) = ("2.5.29.17", false);
const BASIC: (&str, bool) = ("2.5.29.19", true);
const NAMES: (&str, bool) = ("2.5.29.30", true);
const AKI: (&str, bool) = ("2.5.29.35", false);
const EKU: (&str, bool) = ("2.5.29.37", false);

fn key_ids(x509: &X509Certificate<'_>) -> (Vec<u8>, Vec<u8>) {
    let (mut subject, mut authority) = (Vec::new(), Vec::new());
    for extension in x509.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => subject = id.0.to_vec(),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                assert!(id.authority_cert_issuer.is_none() && id.authority_cert_serial.is_none());
                authority = id.key_identifier.as_ref().unwrap().0.to_vec();
            }
            _ => {}
        }
    }
    (subject, authority)
}

fn usages(x509: &X509Certificate<'_>) -> (u16, Option<(bool, bool)>) {
    let eku = x509.extended_key_usage().unwrap().map(|extension| {
        assert!(!extension.value.any && !extension.value.code_signing && extension.value.other.is_empty());
        (extension.value.server_auth, extension.value.client_auth)
    });
    (x509.key_usage().unwrap().unwrap().value.flags, eku)
}

/// The bits of RFC 5280 §4.2.1.3, first is 1.
const DIGITAL_SIGNATURE: u16 = 1;
const CERT_SIGN_AND_CRL_SIGN: u16 = 1 << 5 | 1 << 6;

fn basic(x509: &X509Certificate<'_>) -> (bool, Option<u32>) {
    let constraints = x509.basic_constraints().unwrap().unwrap().value;
    (constraints.ca, constraints.path_len_constraint)
}

fn is_signed_by(x509: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let algorithm: &dyn VerificationAlgorithm = match x509.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.10045.4.3.2" => &signature::ECDSA_P256_SHA256_ASN1,
        "1.2.840.10045.4.3.3" => &signature::ECDSA_P384_SHA384_ASN1,
        "1.3.101.112" => &signature::ED25519,
        other => panic!("{other}"),
    };
    let key = UnparsedPublicKey::new(algorithm, &issuer.public_key().subject_public_key.data);
    x509.issuer() == issuer.subject() && key.verify(x509.tbs_certificate.as_ref(), &x509.signature_value.data).is_ok()
}

fn seconds(x509: &X509Certificate<'_>) -> (i64, i64) {
    (x509.validity().not_before.timestamp(), x509.validity().not_after.timestamp())
}

fn common_name_of(x509: &X509Certificate<'_>) -> String {
    x509.subject().iter_common_name().map(|attribute| attribute.as_str().unwrap()).collect()
}

#[test]
fn a_root_has_exactly_its_profile() {
    let authorities = Authorities::two(KeyAlgorithm::Es256);
    let material = authorities.made("ROOT");
    let der = der(material);
    let x509 = parse(&der).unwrap();
    assert_eq!(extensions(&x509), expected(&[SKI, KEY_USAGE, BASIC, AKI]));
    assert_eq!(basic(&x509), (true, None));
    assert_eq!(usages(&x509), (CERT_SIGN_AND_CRL_SIGN, None));
    let (subject, authority) = key_ids(&x509);
    assert!(subject == authority && subject.len() == 20);
    assert!(is_signed_by(&x509, &x509));
    let organization: Vec<_> = x509.subject().iter_organization().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(organization, ["vault-kit sutra"]);
    let (name, random) = common_name_of(&x509).rsplit_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(name, "sutra dev root 2027-01-15");
    assert!(random.len() == 4 && random.bytes().all(|byte| byte.is_ascii_hexdigit()));

    let now = authorities.scene.now.timestamp();
    assert_eq!(seconds(&x509), (now - 3600, now - 3600 + 3650 * 86_400 - 1));
    assert_eq!(material.expires.unwrap().timestamp(), seconds(&x509).1);
    assert_eq!(ders(material, Part::Ca), ders(material, Part::Cert));
    assert_eq!(material.parts.part(Part::Chain).unwrap().len(), 0);
    assert_eq!(material.bits, None);
}

#[test]
fn an_intermediate_has_exactly_its_profile() {
    let authorities = Authorities::two(KeyAlgorithm::Es256);
    let (root, material) = (der(authorities.made("ROOT")), authorities.made("ISSUING"));
    let der = der(material);
    let (root, x509) = (parse(&root).unwrap(), parse(&der).unwrap());
    assert_eq!(extensions(&x509), expected(&[SKI, KEY_USAGE, BASIC, NAMES, AKI, EKU]));
    assert_eq!(basic(&x509), (true, Some(0)));
    assert_eq!(usages(&x509), (CERT_SIGN_AND_CRL_SIGN, Some((true, true))));
    assert!(is_signed_by(&x509, &root));
    assert_eq!(key_ids(&x509).1, key_ids(&root).0);
    assert!(common_name_of(&x509).starts_with("sutra dev issuing 2027-01-15 "));
    assert_eq!(ders(material, Part::Ca), ders(authorities.made("ROOT"), Part::Cert));
    assert!(ders(material, Part::Chain).is_empty());
}

#[test]
fn a_server_leaf_has_exactly_its_profile_on_every_curve() {
    for curve in CURVES {
        let authorities = Authorities::two(curve);
        let material = authorities.leaf(&Certificate { algorithm: curve, ..declared_leaf(Some("ISSUING")) }).unwrap();
        let (der, issuer) = (der(&material), der(authorities.made("ISSUING")));
        let (x509, issuer) = (parse(&der).unwrap(), parse(&issuer).unwrap());
        assert_eq!(extensions(&x509), expected(&[SKI, KEY_USAGE, SAN, BASIC, AKI, EKU]));
        assert_eq!(basic(&x509), (false, None));
        assert_eq!(usages(&x509), (DIGITAL_SIGNATURE, Some((true, false))));
        assert!(is_signed_by(&x509, &issuer));
        let (subject, authority) = key_ids(&x509);
        assert!(authority == key_ids(&issuer).0 && subject != authority);
        assert_eq!(x509.subject().iter().count(), 1);
        assert_eq!(common_name_of(&x509), "api.sutra.test");
        let names = &x509.subject_alternative_name().unwrap().unwrap().value.general_names;
        let v6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let expected = [
            GeneralName::DNSName("api.sutra.test"),
            GeneralName::DNSName("localhost"),
            GeneralName::DNSName("*.sutra.test"),
            GeneralName::IPAddress(&[127, 0, 0, 1]),
            GeneralName::IPAddress(&v6),
        ];
        assert_eq!(names[..], expected);

        let now = authorities.scene.now.timestamp();
        assert_eq!(seconds(&x509), (now - 300, now - 300 + 90 * 86_400 - 1));
        assert_eq!(ders(&material, Part::Chain), ders(authorities.made("ISSUING"), Part::Cert));
        assert_eq!(ders(&material, Part::Ca), ders(authorities.made("ROOT"), Part::Cert));
        let key = PrivateKey::from_pem(material.parts.part(Part::Key).unwrap()).unwrap();
        assert_eq!(x509.public_key().raw, key.spki());
        assert_eq!(material.facts["subject"], "api.sutra.test,localhost,*.sutra.test,127.0.0.1,::1");
        assert_eq!(material.facts["serial"], HEXLOWER.encode(x509.raw_serial()));
        assert_eq!(material.facts["not_before"], "2027-01-15T07:55:00Z");
    }
}

#[test]
fn a_client_leaf_without_a_host_name_has_an_empty_subject_and_a_critical_san() {
    let mut authorities = Authorities::new();
    authorities.add("ROOT", &declared_ca(None));
    let leaf = Certificate {
        usage: Usage::Client,
        dns: vec![],
        ip: vec![],
        uri: vec!["spiffe://sutra/api".into()],
        ..declared_leaf(Some("ROOT"))
    };
    let material = authorities.leaf(&leaf).unwrap();
    let der = der(&material);
    let x509 = parse(&der).unwrap();
    assert_eq!(extensions(&x509), expected(&[SKI, KEY_USAGE, (SAN.0, true), BASIC, AKI, EKU]));
    assert_eq!(usages(&x509), (DIGITAL_SIGNATURE, Some((false, true))));
    assert_eq!(x509.subject().iter().count(), 0);
    assert!(ders(&material, Part::Chain).is_empty());
}

#[test]
fn a_first_name_that_is_too_long_for_a_common_name_is_in_the_san_alone() {
    let long = format!("{}.{}.test", "a".repeat(40), "b".repeat(40));
    let leaf = Certificate { dns: vec![long], ..declared_leaf(None) };
    let der = der(&Authorities::new().leaf(&leaf).unwrap());
    let x509 = parse(&der).unwrap();
    assert_eq!(x509.subject().iter().count(), 0);
    assert!(extensions(&x509).contains(&(SAN.0.to_owned(), true)));
}

#[test]
fn a_self_signed_leaf_is_no_ca_and_its_own_root() {
    for curve in CURVES {
        let material = Authorities::new().leaf(&Certificate { algorithm: curve, ..declared_leaf(None) }).unwrap();
        let der = der(&material);
        let x509 = parse(&der).unwrap();
        assert_eq!(extensions(&x509), expected(&[SKI, KEY_USAGE, SAN, BASIC, AKI, EKU]));
        assert_eq!((basic(&x509), usages(&x509)), ((false, None), (DIGITAL_SIGNATURE, Some((true, false)))));
        assert!(is_signed_by(&x509, &x509));
        assert_eq!(key_ids(&x509).0, key_ids(&x509).1);
        assert_eq!(ders(&material, Part::Ca), ders(&material, Part::Cert));
        assert!(ders(&material, Part::Chain).is_empty());
    }
}

#[test]
fn serials_are_positive_long_and_never_the_same() {
    let authorities = Authorities::two(KeyAlgorithm::Es256);
    let mut serials = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let der = der(&authorities.leaf(&declared_leaf(Some("ISSUING"))).unwrap());
        let serial = parse(&der).unwrap().raw_serial().to_vec();
        assert!(serial.len() == 16 && serial[0] & 0x80 == 0);
        serials.insert(serial);
    }
    assert_eq!(serials.len(), 50);
}

#[test]
fn nothing_outlives_its_issuer() {
    let mut authorities = Authorities::new();
    authorities.add("ROOT", &Ca { ttl: Period::days(30), ..declared_ca(None) });
    authorities.add("ISSUING", &Ca { ttl: Period::days(60), ..declared_ca(Some("ROOT")) });
    let leaf = authorities.leaf(&declared_leaf(Some("ISSUING"))).unwrap();
    assert_eq!(authorities.made("ISSUING").expires, authorities.made("ROOT").expires);
    assert_eq!(leaf.expires, authorities.made("ROOT").expires);
}

#[test]
fn a_short_life_is_not_over_when_it_begins() {
    let authorities = Authorities::new();
    let leaf = authorities.leaf(&Certificate { ttl: Period::parse("1m").unwrap(), ..declared_leaf(None) }).unwrap();
    assert_eq!(leaf.expires.unwrap() - authorities.scene.now, TimeDelta::seconds(53));
}

#[test]
fn dates_have_no_fraction_of_a_second() {
    let mut authorities = Authorities::new();
    authorities.scene.now += TimeDelta::nanoseconds(123_456_789);
    let leaf = authorities.leaf(&declared_leaf(None)).unwrap();
    assert_eq!(leaf.expires.unwrap().timestamp_subsec_nanos(), 0);
    assert_eq!(inspect(leaf.parts.part(Part::Cert).unwrap()).expires, leaf.expires);
}

#[test]
fn permitted_names_become_a_critical_constraint() {
    let mut authorities = Authorities::new();
    let permitted_dns = vec!["sutra.test".into(), "localhost".into()];
    let constrained = Ca {
        permitted_dns: permitted_dns.clone(),
        permitted_ip: vec!["172.20.5.5/16".parse().unwrap(), "::1/128".parse().unwrap()],
        ..declared_ca(None)
    };
    authorities.add("BOTH", &constrained);
    authorities.add("NAMES", &Ca { permitted_dns, ..declared_ca(None) });
    let permitted_ip = vec!["10.0.0.0/8".parse().unwrap()];
    authorities.add("ADDRESSES", &Ca { permitted_ip, ..declared_ca(None) });
    let nothing = Ca { permitted_dns: vec![], permitted_ip: vec![], ..declared_ca(Some("BOTH")) };
    authorities.add("NOTHING", &nothing);

    let trees = |text: &str| {
        let der = der(authorities.made(text));
        let x509 = parse(&der).unwrap();
        assert!(extensions(&x509).contains(&(NAMES.0.to_owned(), NAMES.1)));
        let constraints = x509.name_constraints().unwrap().unwrap().value;
        let show = |trees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
            trees.iter().flatten().map(|tree| tree.base.to_string()).collect::<Vec<_>>()
        };
        (show(&constraints.permitted_subtrees).len(), show(&constraints.excluded_subtrees).len())
    };
    // Of the form that has no permitted subtree everything is excluded: both families of addresses, or every name.
    assert_eq!((trees("BOTH"), trees("NAMES"), trees("ADDRESSES")), ((4, 0), (2, 2), (1, 1)));
    assert_eq!(trees("NOTHING"), (0, 3));
}

#[test]
fn names_that_the_path_does_not_permit_are_refused_by_their_place() {
    let mut authorities = Authorities::new();
    authorities.add("ROOT", &Ca { permitted_dns: vec!["sutra.test".into()], ..declared_ca(None) });
    let issuing = Ca { permitted_dns: vec!["sutra.test".into(), "example.com".into()], ..declared_ca(Some("ROOT")) };
    authorities.add("ISSUING", &issuing);
    let place = |dns: &[&str], ip: &[&str]| {
        let leaf = Certificate {
            dns: dns.iter().map(|&name| name.to_owned()).collect(),
            ip: ip.iter().map(|address| address.parse().unwrap()).collect(),
            ..declared_leaf(Some("ISSUING"))
        };
        authorities.leaf(&leaf).map_or_else(|error| format!("{}: {error}", error.code()), |_| "made".to_owned())
    };
    assert_eq!(place(&["sutra.test", "*.sutra.test"], &[]), "made");
    let expected = "not-permitted-by-ca: `dns[1]` of `TLS` is outside what its issuer `ISSUING` permits";
    assert_eq!(place(&["a.sutra.test", "example.com"], &[]), expected);
    assert_eq!(place(&["a.sutra.test"], &["127.0.0.1"]), expected.replace("dns[1]", "ip[0]"));
    assert_eq!(place(&["a.sutra.test"], &["::1"]), expected.replace("dns[1]", "ip[0]"));
}

#[test]
fn an_issuer_that_cannot_serve_is_refused_by_name() {
    let mut authorities = Authorities::two(KeyAlgorithm::Es256);
    let code = |result: Result<Material>| result.unwrap_err().code();
    assert_eq!(code(authorities.leaf(&declared_leaf(Some("NOBODY")))), "missing");
    assert_eq!(code(authorities.authority("DEEP", &declared_ca(Some("ISSUING")))), "issuer-signs-only-leaves");
    let no_ca = authorities.leaf(&declared_leaf(None)).unwrap();
    authorities.made.push((name("LEAF"), no_ca));
    assert_eq!(code(authorities.leaf(&declared_leaf(Some("LEAF")))), "issuer-not-a-ca");

    let strange_key = PrivateKey::draw(KeyAlgorithm::Es256).unwrap().to_pem();
    authorities.made[0].1.parts.insert(Part::Key, strange_key);
    assert_eq!(code(authorities.leaf(&declared_leaf(Some("ROOT")))), "issuer-unreadable");

    authorities.scene.now += TimeDelta::days(1824);
    assert!(authorities.leaf(&declared_leaf(Some("ISSUING"))).is_ok());
    authorities.scene.now += TimeDelta::days(1);
    assert_eq!(code(authorities.leaf(&declared_leaf(Some("ISSUING")))), "issuer-expired");
    authorities.scene.now -= TimeDelta::days(1900);
    assert_eq!(code(authorities.leaf(&declared_leaf(Some("ISSUING")))), "issuer-not-yet-valid");
}

#[test]
fn the_names_of_a_ca_fit_into_a_subject() {
    let scene = Scene::new();
    let context = Context { project: &"ü".repeat(200), ..scene.context() };
    let material = authority(&name("CA"), &declared_ca(None), &context, &Inputs::new()).unwrap();
    let der = der(&material);
    let x509 = parse(&der).unwrap();
    assert!(common_name_of(&x509).chars().count() == 64 && common_name_of(&x509).contains(" dev root "));

    let chosen = Ca { common_name: Some("My CA".into()), ..declared_ca(None) };
    let material = authority(&name("CA"), &chosen, &scene.context(), &Inputs::new()).unwrap();
    assert_eq!(material.facts["subject"], "My CA");
    let long = Ca { common_name: Some("x".repeat(65)), ..declared_ca(None) };
    let error = authority(&name("CA"), &long, &scene.context(), &Inputs::new()).unwrap_err();
    assert_eq!(error.code(), "common-name-too-long");
}

#[test]
fn names_that_cannot_be_certified_are_refused() {
    let authorities = Authorities::new();
    let umlaut = Certificate { dns: vec!["bücher.example".into()], ..declared_leaf(None) };
    assert_eq!(authorities.leaf(&umlaut).unwrap_err().code(), "invalid-name");
    let nobody = Certificate { dns: vec![], ip: vec![], ..declared_leaf(None) };
    assert_eq!(authorities.leaf(&nobody).unwrap_err().code(), "no-names");
}

#[test]
fn inspection_of_a_full_chain_tells_the_leaf() {
    let authorities = Authorities::two(KeyAlgorithm::Es256);
    let leaf = authorities.leaf(&declared_leaf(Some("ISSUING"))).unwrap();
    let part = |part| leaf.parts.part(part).unwrap().expose();
    let expected = (leaf.expires, &leaf.facts["serial"]);
    for chain in [[part(Part::Cert), part(Part::Chain)], [part(Part::Chain), part(Part::Cert)]] {
        let found = inspect(&Secret::new(chain.concat()));
        assert_eq!((found.expires, &found.facts["serial"]), expected);
        assert_eq!(found.facts["not_before"], leaf.facts["not_before"]);
    }
}
