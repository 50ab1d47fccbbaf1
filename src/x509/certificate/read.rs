//! A certificate out of its DER, by x509-parser.

use std::net::IpAddr;

use chrono::DateTime;
use ipnet::IpNet;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, GeneralSubtree, ParsedExtension};
use x509_parser::x509::{X509Name, X509Version};

use super::{AlternativeNames, Certificate, Constraints, Name, NameConstraints, Subtree, Usages};
use crate::x509::finding::printable;
use crate::x509::public_key::PublicKey;

impl Certificate {
    /// Reads one certificate with nothing behind it; `None` when it is damaged.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (rest, x509) = x509_parser::parse_x509_certificate(der).ok()?;
        let is_broken = |it: &ParsedExtension<'_>| matches!(it, ParsedExtension::ParseError { .. });
        if !rest.is_empty() || x509.extensions().iter().any(|it| is_broken(it.parsed_extension())) {
            return None;
        }
        let X509Version(version) = x509.version();
        let time = |time: x509_parser::time::ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
        Some(Self {
            der: der.to_vec(),
            signed: x509.tbs_certificate.as_ref().to_vec(),
            signature: x509.signature_value.data.to_vec(),
            version: version + 1,
            serial: x509.raw_serial().to_vec(),
            subject: Name::read(x509.subject()),
            issuer: Name::read(x509.issuer()),
            not_before: time(x509.validity().not_before)?,
            not_after: time(x509.validity().not_after)?,
            key: PublicKey::read(x509.public_key().raw)?,
            signature_algorithm: signature_algorithm(&x509.signature_algorithm.algorithm.to_id_string()),
            names: names(&x509)?,
            basic_constraints: x509.basic_constraints().ok()?.map(|it| Constraints {
                critical: it.critical,
                ca: it.value.ca,
                path_length: it.value.path_len_constraint,
            }),
            key_usage: x509.key_usage().ok()?.map(|it| (Usages(it.value.flags), it.critical)),
            purposes: x509.extended_key_usage().ok()?.map(|it| purposes(it.value)),
            subject_key_id: subject_key_id(&x509),
            authority_key_id: authority_key_id(&x509),
            name_constraints: x509.name_constraints().ok()?.map(|it| NameConstraints {
                critical: it.critical,
                permitted: subtrees(it.value.permitted_subtrees.as_deref()),
                excluded: subtrees(it.value.excluded_subtrees.as_deref()),
            }),
        })
    }
}

impl Name {
    fn read(name: &X509Name<'_>) -> Self {
        let common = name.iter_common_name().filter_map(|it| it.as_str().ok());
        Self {
            raw: name.as_raw().to_vec(),
            text: printable(&name.to_string()),
            common_names: common.map(printable).collect(),
        }
    }
}

/// The extension; a name that is no text makes the certificate unreadable.
#[expect(clippy::option_option, reason = "the outer one is damage, the inner one absence")]
fn names(x509: &X509Certificate<'_>) -> Option<Option<AlternativeNames>> {
    let Some(extension) = x509.subject_alternative_name().ok()? else { return Some(None) };
    let mut names = AlternativeNames { critical: extension.critical, ..AlternativeNames::default() };
    for name in &extension.value.general_names {
        match name {
            GeneralName::DNSName(name) => names.dns.push(printable(name)),
            GeneralName::URI(uri) => names.uri.push(printable(uri)),
            GeneralName::IPAddress(octets) => names.ip.push(address(octets)?),
            GeneralName::Invalid(..) => return None,
            _ => names.others += 1,
        }
    }
    Some(Some(names))
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(octets).ok().map(IpAddr::from);
    v4().or_else(|| <[u8; 16]>::try_from(octets).ok().map(IpAddr::from))
}

fn purposes(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let known = [
        (usage.any, "any"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let known = known.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name.to_owned());
    known.chain(usage.other.iter().map(x509_parser::asn1_rs::Oid::to_id_string)).collect()
}

fn subject_key_id(x509: &X509Certificate<'_>) -> Option<Vec<u8>> {
    x509.iter_extensions().find_map(|it| match it.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

fn authority_key_id(x509: &X509Certificate<'_>) -> Option<Vec<u8>> {
    x509.iter_extensions().find_map(|it| match it.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
        _ => None,
    })
}

fn subtrees(trees: Option<&[GeneralSubtree<'_>]>) -> Vec<Subtree> {
    let tree = |tree: &GeneralSubtree<'_>| match &tree.base {
        GeneralName::DNSName(name) => Subtree::Dns(printable(name).to_ascii_lowercase()),
        GeneralName::IPAddress(octets) => range(octets).map_or(Subtree::Other, Subtree::Ip),
        _ => Subtree::Other,
    };
    trees.unwrap_or_default().iter().map(tree).collect()
}

/// Address, then mask (RFC 5280 §4.2.1.10).
fn range(octets: &[u8]) -> Option<IpNet> {
    let (network, mask) = octets.split_at(octets.len() / 2);
    IpNet::with_netmask(address(network)?, address(mask)?).ok()
}

/// The name of a signature algorithm, and whether its hash is broken.
fn signature_algorithm(oid: &str) -> (&'static str, bool) {
    match oid {
        "1.2.840.10045.4.3.2" => ("ECDSA with SHA-256", false),
        "1.2.840.10045.4.3.3" => ("ECDSA with SHA-384", false),
        "1.2.840.10045.4.3.4" => ("ECDSA with SHA-512", false),
        "1.2.840.113549.1.1.11" => ("RSA with SHA-256", false),
        "1.2.840.113549.1.1.12" => ("RSA with SHA-384", false),
        "1.2.840.113549.1.1.13" => ("RSA with SHA-512", false),
        "1.2.840.113549.1.1.10" => ("RSA-PSS", false),
        "1.3.101.112" => ("Ed25519", false),
        "1.2.840.10045.4.1" => ("ECDSA with SHA-1", true),
        "1.2.840.113549.1.1.5" => ("RSA with SHA-1", true),
        "1.2.840.113549.1.1.4" => ("RSA with MD5", true),
        _ => ("an unknown algorithm", false),
    }
}
