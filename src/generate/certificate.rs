//! Certificates: roots, intermediates and leaves, each with one exact profile (RFC 5280, checked by the tests below).

pub mod request;
pub mod revocation;

use std::net::IpAddr;

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use ipnet::IpNet;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyIdMethod, KeyUsagePurpose, NameConstraints, PublicKeyData, SanType, SerialNumber,
    SignatureAlgorithm, SigningKey,
};
use ring::digest;

use super::issuer::Issuer;
use super::keypair::{Form, PrivateKey, jws_name};
use super::{Context, Inputs, Material, facts, pem};
use crate::error::{Error, Kind, Result};
use crate::manifest::model::{Ca, Certificate, KeyAlgorithm, Usage};
use crate::manifest::period::Period;
use crate::name::SecretName;
use crate::secret::parts::{Part, Parts};
use crate::secret::{Secret, random};

/// How far a CA's validity begins before now, for machines whose clock is behind.
const CA_BACKDATE: TimeDelta = TimeDelta::hours(1);

/// The same for a leaf.
const LEAF_BACKDATE: TimeDelta = TimeDelta::minutes(5);

/// The longest common name and organization (RFC 5280, upper bounds), in characters.
const LONGEST_NAME: usize = 64;

/// Makes a CA: a root, or an intermediate that its issuer signs.
pub(super) fn authority(name: &SecretName, ca: &Ca, context: &Context<'_>, inputs: &Inputs<'_>) -> Result<Material> {
    let issuer = load_issuer(ca.issuer.as_ref(), inputs, name, context)?;
    if let Some(issuer) = &issuer {
        issuer.expect_may_sign_authority(name)?;
    }
    let validity = Validity::new(context.now, CA_BACKDATE, ca.ttl, issuer.as_ref());
    let key = PrivateKey::draw(ca.algorithm)?;
    let common_name = common_name(name, ca, context)?;
    let mut params = common_params(key.public(), &validity)?;
    let organization = cut(&format!("vault-kit {}", context.project), LONGEST_NAME);
    params.distinguished_name.push(DnType::OrganizationName, organization);
    params.distinguished_name.push(DnType::CommonName, common_name.as_str());
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = ca.is_constrained().then(|| name_constraints(&ca.permitted_dns, &ca.permitted_ip));
    params.is_ca =
        IsCa::Ca(if issuer.is_some() { BasicConstraints::Constrained(0) } else { BasicConstraints::Unconstrained });
    if issuer.is_some() {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    }
    issue(&params, &key, &validity, common_name, issuer.as_ref())
}

/// Makes a leaf: signed by its issuer, or by itself.
pub(super) fn leaf(
    name: &SecretName,
    leaf: &Certificate,
    context: &Context<'_>,
    inputs: &Inputs<'_>,
) -> Result<Material> {
    let issuer = load_issuer(leaf.issuer.as_ref(), inputs, name, context)?;
    if let Some(issuer) = &issuer {
        issuer.expect_permits(name, &leaf.dns, &leaf.ip)?;
    }
    let validity = Validity::new(context.now, LEAF_BACKDATE, leaf.ttl, issuer.as_ref());
    let key = PrivateKey::draw(leaf.algorithm)?;
    let params = leaf_params(name, leaf, key.public(), &validity)?;
    issue(&params, &key, &validity, subject(leaf), issuer.as_ref())
}

/// The profile of a leaf for whoever holds the key.
fn leaf_params(name: &SecretName, leaf: &Certificate, public: &[u8], validity: &Validity) -> Result<CertificateParams> {
    let mut params = common_params(public, validity)?;
    if let Some(first) = leaf.dns.first().filter(|first| first.len() <= LONGEST_NAME) {
        params.distinguished_name.push(DnType::CommonName, first.as_str());
    }
    params.subject_alt_names = alternative_names(name, leaf)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match leaf.usage {
        Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
        Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
    }];
    params.is_ca = IsCa::ExplicitNoCa;
    Ok(params)
}

/// Every name that a leaf is valid for, with commas between them.
fn subject(leaf: &Certificate) -> String {
    let addresses = leaf.ip.iter().map(IpAddr::to_string);
    let names: Vec<String> = leaf.dns.iter().cloned().chain(addresses).chain(leaf.uri.iter().cloned()).collect();
    names.join(",")
}

/// What stands between a certificate and its root, and the root: itself if nobody signed it.
fn path(issuer: Option<&Issuer<'_>>, cert: &Secret) -> (Secret, Secret) {
    match issuer {
        None => (Secret::copy_of(b""), cert.duplicate()),
        Some(issuer) => (issuer.chain_below(), issuer.root()),
    }
}

fn load_issuer<'a>(
    issuer: Option<&'a SecretName>,
    inputs: &Inputs<'a>,
    asker: &SecretName,
    context: &Context<'_>,
) -> Result<Option<Issuer<'a>>> {
    issuer.map(|issuer| Issuer::load(issuer, inputs, asker, context.now)).transpose()
}

/// First and last second of a certificate's life; both count (RFC 5280 §4.1.2.5).
struct Validity {
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

impl Validity {
    /// As long as `ttl`, from a little before now, and never beyond the issuer's own: a leaf that outlives its issuer
    /// only looks valid. A short life is backdated by no more than its tenth part.
    fn new(now: DateTime<Utc>, backdate: TimeDelta, ttl: Period, issuer: Option<&Issuer<'_>>) -> Self {
        let now = now.trunc_subsecs(0);
        let earliest = issuer.map_or(DateTime::UNIX_EPOCH, |issuer| issuer.not_before);
        let latest = issuer.map_or(DateTime::<Utc>::MAX_UTC, |issuer| issuer.not_after);
        let backdate = backdate.min(TimeDelta::seconds(ttl.seconds() / 10));
        let not_before = (now - backdate).max(earliest);
        Self { not_before, not_after: (not_before + ttl.delta() - TimeDelta::seconds(1)).min(latest) }
    }
}

/// What all profiles share. The serial is random: rcgen's own is a hash of the key, and browsers refuse two certificates
/// of one issuer with the same serial.
fn common_params(public: &[u8], validity: &Validity) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from_slice(&serial()?));
    params.not_before = offset(validity.not_before)?;
    params.not_after = offset(validity.not_after)?;
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = key_identifier(public);
    Ok(params)
}

/// RFC 7093 §2, method 1: the leftmost 160 bits of the SHA-256 of the key's bit string.
fn key_identifier(public: &[u8]) -> KeyIdMethod {
    KeyIdMethod::PreSpecified(digest::digest(&digest::SHA256, public).as_ref()[..20].to_vec())
}

/// 16 octets, positive, never zero: 126 of their bits are random (RFC 5280 §4.1.2.2 allows 20 octets).
fn serial() -> Result<[u8; 16]> {
    let mut serial: [u8; 16] = random::array()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

fn offset(time: DateTime<Utc>) -> Result<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp(time.timestamp())
        .map_err(|_| Error::bug("a certificate's date is beyond what can be written"))
}

/// Distinct for each CA that is made: verifiers find an issuer by its name.
fn common_name(name: &SecretName, ca: &Ca, context: &Context<'_>) -> Result<String> {
    if let Some(declared) = &ca.common_name {
        if declared.chars().count() > LONGEST_NAME {
            let message = format!("`common_name` of `{name}` is longer than {LONGEST_NAME} characters");
            return Err(Error::new(Kind::Manifest, "common-name-too-long", message));
        }
        return Ok(declared.clone());
    }
    let role = if ca.issuer.is_some() { "issuing" } else { "root" };
    let suffix = HEXLOWER.encode(&random::array::<2>()?);
    let tail = format!(" {} {role} {} {suffix}", context.environment, context.now.format("%Y-%m-%d"));
    Ok(cut(&format!("{}{tail}", cut(context.project, LONGEST_NAME.saturating_sub(tail.chars().count()))), LONGEST_NAME))
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

/// Critical when written. A constraint binds only names of its own form, so the form without a permitted subtree is
/// excluded as a whole: the CA could otherwise sign for any of its names.
fn name_constraints(dns: &[String], ip: &[IpNet]) -> NameConstraints {
    let names = dns.iter().map(|name| GeneralSubtree::DnsName(name.clone()));
    let subnet = |net: &IpNet| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(net.network(), net.prefix_len()));
    let every_name = GeneralSubtree::DnsName(String::new());
    let [ipv4, ipv6] =
        [CidrSubnet::V4([0; 4], [0; 4]), CidrSubnet::V6([0; 16], [0; 16])].map(GeneralSubtree::IpAddress);
    let mut excluded = Vec::new();
    if dns.is_empty() {
        excluded.push(every_name);
    }
    if ip.is_empty() {
        excluded.extend([ipv4, ipv6]);
    }
    NameConstraints { permitted_subtrees: names.chain(ip.iter().map(subnet)).collect(), excluded_subtrees: excluded }
}

fn alternative_names(name: &SecretName, leaf: &Certificate) -> Result<Vec<SanType>> {
    let unfit = |key| {
        Error::new(Kind::Manifest, "invalid-name", format!("`{key}` of `{name}` holds a name that is not ASCII"))
            .hint("write it in its A-label form, such as `xn--bcher-kva.example`")
    };
    let mut names = Vec::with_capacity(leaf.dns.len() + leaf.ip.len() + leaf.uri.len());
    for dns in &leaf.dns {
        names.push(SanType::DnsName(dns.as_str().try_into().map_err(|_| unfit("dns"))?));
    }
    names.extend(leaf.ip.iter().copied().map(SanType::IpAddress));
    for uri in &leaf.uri {
        names.push(SanType::URI(uri.as_str().try_into().map_err(|_| unfit("uri"))?));
    }
    if names.is_empty() {
        return Err(Error::new(Kind::Manifest, "no-names", format!("`{name}` has no name to certify"))
            .hint(format!("add `dns`, `ip` or `uri` to `{name}`")));
    }
    Ok(names)
}

/// Our key as rcgen wants to see it: the private half stays where it is wiped.
struct Signer<'a>(&'a PrivateKey);

impl PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.public()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.0.algorithm() {
            KeyAlgorithm::Eddsa => &rcgen::PKCS_ED25519,
            KeyAlgorithm::Es256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::Es384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        }
    }
}

impl SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message, Form::Asn1).map_err(|_| rcgen::Error::RingUnspecified)
    }
}

fn sign(params: &CertificateParams, key: &PrivateKey, issuer: Option<&Issuer<'_>>) -> Result<Secret> {
    let signed = match issuer {
        None => params.self_signed(&Signer(key)),
        Some(issuer) => signing(issuer)?.and_then(|issuer| params.signed_by(&Signer(key), &issuer)),
    };
    let signed = signed.map_err(|_| Error::bug("rcgen cannot sign a certificate"))?;
    Ok(pem::encode(pem::CERTIFICATE, signed.der()))
}

/// A CA as rcgen wants to see it.
fn signing<'i>(issuer: &'i Issuer<'_>) -> Result<Result<rcgen::Issuer<'static, Signer<'i>>, rcgen::Error>> {
    Ok(rcgen::Issuer::from_ca_cert_pem(issuer.cert_pem()?, Signer(&issuer.key)))
}

/// Signs, and puts certificate, path and key together.
fn issue(
    params: &CertificateParams,
    key: &PrivateKey,
    validity: &Validity,
    subject: String,
    issuer: Option<&Issuer<'_>>,
) -> Result<Material> {
    let cert = sign(params, key, issuer)?;
    let (chain, root) = path(issuer, &cert);
    let parts = Parts::default()
        .with(Part::Ca, root)
        .with(Part::Cert, cert)
        .with(Part::Chain, chain)
        .with(Part::Key, key.to_pem());
    let serial = params.serial_number.as_ref().map(|serial| HEXLOWER.encode(serial.as_ref())).unwrap_or_default();
    let facts = facts([
        ("algorithm", jws_name(key.algorithm()).to_owned()),
        ("not_before", validity.not_before.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ("serial", serial),
        ("subject", subject),
    ]);
    Ok(Material { parts, bits: None, expires: Some(validity.not_after), facts })
}

#[cfg(test)]
mod tests;
