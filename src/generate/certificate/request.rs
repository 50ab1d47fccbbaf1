//! Certificate signing requests (RFC 2986): the applicant's key, with our profile around it.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use rcgen::{KeyUsagePurpose, PublicKeyData as _, SubjectPublicKeyInfo};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use super::{LEAF_BACKDATE, Validity, leaf_params, pem, signing, subject};
use crate::error::{Error, Kind, Result};
use crate::generate::issuer::{Forbidden, Issuer, parse};
use crate::generate::{Context, Inputs};
use crate::manifest::dns_name;
use crate::manifest::model::{Certificate, KeyAlgorithm, Usage};
use crate::manifest::period::Period;
use crate::name::SecretName;
use crate::secret::Secret;

/// The shortest RSA modulus that verifiers take, in bits.
const SHORTEST_RSA: usize = 2048;

/// What a certificate is to say, besides what the request asks for.
#[derive(Debug)]
pub struct Terms<'a> {
    /// The CA that signs.
    pub issuer: &'a SecretName,
    /// What the certificate may be used for.
    pub usage: Usage,
    /// The names instead of those that the request asks for, if there are any.
    pub names: Names,
    /// Its life.
    pub ttl: Period,
}

/// Names of a certificate.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Names {
    /// DNS names.
    pub dns: Vec<String>,
    /// Addresses.
    pub ip: Vec<IpAddr>,
    /// URIs.
    pub uri: Vec<String>,
}

impl Names {
    fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.ip.is_empty() && self.uri.is_empty()
    }
}

/// A certificate whose key is not ours.
#[derive(Debug)]
pub struct Signed {
    /// The certificate, then its issuing CA unless that is the root, PEM.
    pub fullchain: Secret,
    /// The serial in hex.
    pub serial: String,
    /// Its names, with commas between them.
    pub subject: String,
    /// The last second of its validity.
    pub not_after: DateTime<Utc>,
    /// Whether it ends with its issuer, before the life that was asked for.
    pub shortened: bool,
}

/// Signs a request, PEM or DER. Nothing of it but the key and the names gets into the certificate.
///
/// Fails with `csr-invalid`, `csr-not-proven` (the signature is not by the key), `csr-key`, `csr-name`,
/// `csr-not-permitted`, and as issuing a certificate does when the CA cannot sign.
pub fn sign(csr: &Secret, terms: &Terms<'_>, context: &Context<'_>, inputs: &Inputs<'_>) -> Result<Signed> {
    let der = der(csr);
    let request = X509CertificationRequest::from_der(&der).ok().filter(|(rest, _)| rest.is_empty());
    let (_, request) = request.ok_or_else(invalid)?;
    let key = public_key(&request)?;
    let names = if terms.names.is_empty() { requested(&request)? } else { terms.names.clone() };
    let asker = asker()?;
    let Names { dns, ip, uri } = names;
    let leaf = Certificate {
        issuer: Some(terms.issuer.clone()),
        // Of no consequence: the key is there already.
        algorithm: KeyAlgorithm::Es256,
        usage: terms.usage,
        dns,
        ip,
        uri,
        ttl: terms.ttl,
    };
    let issuer = Issuer::load(terms.issuer, inputs, &asker, context.now)?;
    if let Some(forbidden) = issuer.forbidden(&leaf.dns, &leaf.ip)? {
        return Err(not_permitted(terms, forbidden, issuer.is_root()));
    }
    let validity = Validity::new(context.now, LEAF_BACKDATE, leaf.ttl, Some(&issuer));
    let mut params = leaf_params(&asker, &leaf, key.der_bytes(), &validity)?;
    if is_rsa(&request) {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    let signed = signing(&issuer)?.and_then(|issuer| params.signed_by(&key, &issuer));
    let signed = signed.map_err(|_| Error::bug("rcgen cannot sign a certificate"))?;
    // The certificate must speak of the very key that was proven.
    let certified =
        parse(signed.der()).is_some_and(|it| it.public_key().raw == request.certification_request_info.subject_pki.raw);
    if !certified {
        return Err(unfit_key());
    }
    let cert = pem::encode(pem::CERTIFICATE, signed.der());
    let serial = params.serial_number.as_ref().map(|serial| HEXLOWER.encode(serial.as_ref())).unwrap_or_default();
    Ok(Signed {
        fullchain: Secret::new([cert.expose(), issuer.chain_below().expose()].concat()),
        serial,
        subject: subject(&leaf),
        not_after: validity.not_after,
        shortened: validity.not_after == issuer.not_after,
    })
}

/// What a message calls the request.
fn asker() -> Result<SecretName> {
    SecretName::new("CSR").map_err(|_| Error::bug("`CSR` is a name"))
}

fn der(csr: &Secret) -> Vec<u8> {
    // Older tools write `NEW CERTIFICATE REQUEST`.
    let text = csr.expose_text().map(|text| text.replace(" NEW CERTIFICATE REQUEST-", " CERTIFICATE REQUEST-"));
    let block = text.and_then(|text| pem::decode(pem::CERTIFICATE_REQUEST, &text).next().map(|der| der.to_vec()));
    block.unwrap_or_else(|| csr.expose().to_vec())
}

/// The key, once it is proven that the applicant holds its other half.
fn public_key(request: &X509CertificationRequest<'_>) -> Result<SubjectPublicKeyInfo> {
    let spki = &request.certification_request_info.subject_pki;
    let is_long = match spki.parsed() {
        Ok(PublicKey::RSA(key)) => key.key_size() >= SHORTEST_RSA,
        Ok(_) => true,
        Err(_) => false,
    };
    let key = SubjectPublicKeyInfo::from_der(spki.raw).ok().filter(|_| is_long).ok_or_else(unfit_key)?;
    request.verify_signature().map_err(|_| {
        Error::new(Kind::Findings, "csr-not-proven", "the request's signature is not by the key that it names")
            .hint("make it anew with the key at hand: `openssl req -new -key key.pem -out request.csr`")
    })?;
    Ok(key)
}

fn is_rsa(request: &X509CertificationRequest<'_>) -> bool {
    matches!(request.certification_request_info.subject_pki.parsed(), Ok(PublicKey::RSA(_)))
}

/// The names of the extension that asks for them; a common name alone is none (RFC 9525 §2).
fn requested(request: &X509CertificationRequest<'_>) -> Result<Names> {
    let mut names = Names::default();
    let extensions = request.requested_extensions().into_iter().flatten();
    let asked = extensions.filter_map(|extension| match extension {
        ParsedExtension::SubjectAlternativeName(asked) => Some(&asked.general_names),
        _ => None,
    });
    for (at, name) in asked.flatten().enumerate() {
        match name {
            GeneralName::DNSName(name) => {
                let name = dns_name(name)
                    .map_err(|(wrong, hint)| csr_name(&format!("name {} of the request {wrong}", at + 1)).hint(hint))?;
                names.dns.push(name);
            }
            GeneralName::IPAddress(octets) => {
                let unfit = || csr_name(&format!("name {} of the request is an address of neither family", at + 1));
                names.ip.push(address(octets).ok_or_else(unfit)?);
            }
            GeneralName::URI(uri) if crate::manifest::is_certifiable_uri(uri) => names.uri.push((*uri).to_owned()),
            _ => {
                return Err(csr_name(&format!("name {} of the request is of a form that is not issued here", at + 1))
                    .hint("DNS names, addresses and URIs are; or give the names by `--dns` and `--ip`"));
            }
        }
    }
    if names.is_empty() {
        return Err(csr_name("the request asks for no name that a verifier looks at")
            .hint("give them by `--dns` and `--ip`; a common name alone is not one"));
    }
    Ok(names)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(octets).ok().map(IpAddr::from);
    v4().or_else(|| <[u8; 16]>::try_from(octets).ok().map(IpAddr::from))
}

/// The names of the command line are its own mistake; those of the request are their author's.
fn not_permitted(terms: &Terms<'_>, forbidden: Forbidden, by_root: bool) -> Error {
    let (form, flag, list, at) = match forbidden {
        Forbidden::Dns(at) => ("DNS name", "--dns", "permitted_dns", at + 1),
        Forbidden::Ip(at) => ("address", "--ip", "permitted_ip", at + 1),
    };
    let issuer = terms.issuer;
    let outside = format!("is outside what `{issuer}`, which is to sign it, permits");
    let error = if terms.names.is_empty() {
        let message = format!("{form} {at} of the request {outside}");
        Error::new(Kind::Findings, "csr-not-permitted", message)
            .hint("have them ask for permitted names, or give such by `--dns` and `--ip`")
    } else {
        Error::usage(format!("`{flag}` {at} {outside}"))
    };
    let replace = if by_root { "--replace " } else { "" };
    error
        .hint(format!("or widen `{list}` of `{issuer}` in vault-kit.toml, then `vault-kit generate {replace}{issuer}`"))
}

fn invalid() -> Error {
    Error::new(Kind::Findings, "csr-invalid", "the file is not one certificate signing request")
        .hint("make one with `openssl req -new -key key.pem -out request.csr`")
}

fn unfit_key() -> Error {
    Error::new(Kind::Findings, "csr-key", "the request's key is of a kind that is not certified here")
        .hint("P-256, P-384, Ed25519 and RSA from 2048 bits are")
}

fn csr_name(message: &str) -> Error {
    Error::new(Kind::Findings, "csr-name", message)
}
