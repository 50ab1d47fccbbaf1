//! Certificates as they follow each other: read from PEM, put into the order that a server sends, the root taken out.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, anchor_from_trusted_cert};

use super::certificate::Certificate;
use super::finding::Finding;
use super::pem;
use crate::generate::pem as armor;
use crate::secret::Secret;

/// The certificates of a PEM text in its order; other blocks are passed over. The error is told in words, for behind the
/// name of the file.
pub fn read(text: &[u8]) -> Result<Vec<Certificate>, String> {
    let blocks = pem::blocks(text).map_err(pem::Damage::told)?;
    let is_certificate = |label: &str| matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE");
    let mut certificates = Vec::new();
    for block in blocks.iter().filter(|block| is_certificate(block.label)) {
        let number = certificates.len() + 1;
        let certificate = Certificate::read(&block.der).filter(|_| block.label != "TRUSTED CERTIFICATE");
        certificates.push(certificate.ok_or_else(|| format!("has a damaged certificate, number {number}"))?);
    }
    if certificates.is_empty() { Err("holds no certificate".to_owned()) } else { Ok(certificates) }
}

/// The certificates of a PEM text that a TLS client can take as its authorities, as PEM again. The error is told in words.
pub fn authorities(text: &[u8]) -> Result<Vec<u8>, String> {
    let is_anchor = |it: &&Certificate| anchor_from_trusted_cert(&CertificateDer::from(it.der.as_slice())).is_ok();
    let certificates = read(text)?;
    let anchors = to_pem(certificates.iter().filter(is_anchor));
    if anchors.is_empty() { Err("holds no authority".to_owned()) } else { Ok(anchors.expose().to_vec()) }
}

/// A PEM text of authorities as it is, where a TLS client can take all of its certificates, else as one of those that it can take;
/// `None` where there is none of them. It says nothing, and reads no more of a certificate than a client does.
pub fn usable_authorities(text: Vec<u8>) -> Option<Vec<u8>> {
    let is_anchor = |it: &CertificateDer<'_>| anchor_from_trusted_cert(it).is_ok();
    let certificates = || CertificateDer::pem_slice_iter(&text);
    if certificates().next().is_some() && certificates().all(|it| it.as_ref().is_ok_and(is_anchor)) {
        return Some(text);
    }
    let anchors = certificates().flatten().filter(is_anchor).map(|it| armor::encode(armor::CERTIFICATE, &it));
    let anchors = anchors.flat_map(|block| block.expose().to_vec()).collect::<Vec<u8>>();
    (!anchors.is_empty()).then_some(anchors)
}

/// Certificates as PEM.
pub fn to_pem<'a>(certificates: impl IntoIterator<Item = &'a Certificate>) -> Secret {
    let blocks = certificates.into_iter().map(|it| armor::encode(armor::CERTIFICATE, &it.der));
    Secret::new(blocks.flat_map(|block| block.expose().to_vec()).collect())
}

/// How a certificate and a possible issuer stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It signed it.
    Signed,
    /// Names and key identifiers fit, and the signature is of a kind that nobody here can check.
    Unproven,
    /// It did not.
    None,
}

/// Whether `issuer` signed `certificate`.
pub(super) fn link(certificate: &Certificate, issuer: &Certificate) -> Link {
    let ids = (&certificate.authority_key_id, &issuer.subject_key_id);
    let ids_differ = matches!(ids, (Some(wanted), Some(own)) if wanted != own);
    if certificate.issuer.raw != issuer.subject.raw || ids_differ {
        return Link::None;
    }
    let is_unknown =
        || !certificate.is_signature_known() || issuer.key.kind.is_weak() || issuer.key.kind.name() == "P-521";
    match has_signed(issuer, &certificate.signed, &certificate.signature) {
        Some(true) => Link::Signed,
        Some(false) if !is_unknown() => Link::None,
        _ => Link::Unproven,
    }
}

/// Whether the key of a certificate made a signature, of a kind that can be checked here; `None` where webpki does not take the
/// certificate.
pub(super) fn has_signed(issuer: &Certificate, message: &[u8], signature: &[u8]) -> Option<bool> {
    let der = CertificateDer::from(issuer.der.as_slice());
    let key = EndEntityCert::try_from(&der).ok()?;
    Some(ALL_VERIFICATION_ALGS.iter().any(|algorithm| key.verify_signature(*algorithm, message, signature).is_ok()))
}

/// A leaf with what a server sends behind it.
#[derive(Debug)]
pub struct Chain {
    /// The certificate itself.
    pub leaf: Certificate,
    /// Its issuers in order, without the root.
    pub intermediates: Vec<Certificate>,
    /// The root, if it was among them.
    pub root: Option<Certificate>,
    /// What was mended or is odd.
    pub findings: Vec<Finding>,
}

/// Puts certificates in order, `leaf` being the position of the one that the chain is for.
pub fn arrange(mut certificates: Vec<Certificate>, leaf: usize) -> Chain {
    let mut findings = Vec::new();
    let mut was_ordered = leaf == 0;
    let leaf = certificates.remove(leaf);
    certificates.dedup();
    let mut intermediates: Vec<Certificate> = Vec::new();
    let mut root = None;
    loop {
        let last = intermediates.last().unwrap_or(&leaf);
        if last.is_self_issued() {
            break;
        }
        let signer = |wanted: Link| certificates.iter().position(|it| link(last, it) == wanted);
        let Some(next) = signer(Link::Signed).or_else(|| signer(Link::Unproven)) else { break };
        was_ordered &= next == 0;
        let next = certificates.remove(next);
        if next.is_self_issued() {
            root = Some(next);
            break;
        }
        intermediates.push(next);
    }
    if !was_ordered {
        let message = "the certificates were not in the order leaf, issuer, its issuer: they are now";
        findings.push(Finding::notice("chain-reordered", message));
    }
    if root.is_some() {
        let message = "the root is taken out of the chain: clients have their own, and trust no other";
        findings.push(Finding::notice("root-dropped", message));
    }
    let strays = certificates.iter().filter(|it| **it != leaf && root.as_ref() != Some(*it));
    for stray in strays {
        let message = format!("the certificate of `{}` is no part of the chain and is left out", stray.short_name());
        findings.push(Finding::warning("chain-unrelated", message));
    }
    Chain { leaf, intermediates, root, findings }
}

#[cfg(test)]
mod tests;
