//! Whether a verifier would accept a certificate (RFC 5280 §6), by webpki: path, dates, purpose, name constraints, host,
//! revocation. Every "no" has a stable reason.

mod lists;

use chrono::{DateTime, Utc};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error, ExpirationPolicy, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, VerifiedPath, anchor_from_trusted_cert,
};

use super::certificate::{Certificate, Usages};
use super::finding::Finding;
use super::names::Host;
use super::pem;
use lists::List;

/// What a certificate is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A TLS client.
    Client,
    /// A TLS server.
    Server,
}

/// What is to be verified, and against what.
#[derive(Debug)]
pub struct Question<'a> {
    /// As a server sends them: the certificate, then its intermediates.
    pub presented: &'a [Certificate],
    /// Whom the verifier trusts.
    pub trusted: &'a [Certificate],
    /// The hosts that it must be valid for.
    pub hosts: &'a [Host],
    /// What for.
    pub purpose: Purpose,
    /// Revocation lists, DER; `None` = nobody asks about revocation.
    pub revocation: Option<&'a [Vec<u8>]>,
    /// The time.
    pub now: DateTime<Utc>,
}

/// The revocation lists of a PEM text, or the one that a DER text is; the error is told in words.
pub fn revocation_lists(content: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if content.first() == Some(&super::der::SEQUENCE) {
        return Ok(vec![content.to_vec()]);
    }
    let blocks = pem::blocks(content).map_err(pem::Damage::told)?;
    let lists: Vec<_> = blocks.iter().filter(|it| it.label == "X509 CRL").map(|it| it.der.to_vec()).collect();
    if lists.is_empty() { Err("holds no revocation list".to_owned()) } else { Ok(lists) }
}

/// Everything that stands against a certificate; nothing = a verifier accepts it.
pub fn verify(question: &Question<'_>) -> Vec<Finding> {
    let Some((leaf, intermediates)) = question.presented.split_first() else {
        return vec![Finding::error("malformed", "there is no certificate")];
    };
    let mut findings = Vec::new();
    findings.extend(path(question, leaf, intermediates));
    findings.extend(key_usage(leaf));
    // A certificate that is no certificate to webpki has its reason already.
    for host in question.hosts.iter().filter(|host| host.is_covered_by(leaf) == Some(false)) {
        findings.push(Finding::error("wrong-host", format!("it is not valid for `{host}`")));
    }
    findings
}

/// webpki does not ask whether the leaf's key may be used in a handshake at all; OpenSSL does.
fn key_usage(leaf: &Certificate) -> Option<Finding> {
    let (usages, _) = leaf.key_usage?;
    let fits = usages.has(Usages::SIGN) || usages.has(Usages::ENCIPHER_KEYS);
    (!fits).then(|| Finding::error("wrong-key-usage", "its key usage allows no TLS handshake"))
}

/// The first thing that stands against the path, in webpki's order of gravity.
fn path(question: &Question<'_>, leaf: &Certificate, intermediates: &[Certificate]) -> Option<Finding> {
    let lists = lists::read(question.revocation.unwrap_or_default());
    let (lists, future): (Vec<_>, Vec<_>) = match lists {
        Ok(lists) => lists.into_iter().partition(|it| it.this_update <= question.now),
        Err(error) => return Some(reason(&error)),
    };
    // A trust anchor is a name and a key to webpki, and of an intermediate it does not ask what its key is for.
    let fits = |it: &&Certificate| it.may_sign() || it.der == leaf.der;
    let is_alive = |it: &&Certificate| (it.not_before..=it.not_after).contains(&question.now);
    let (alive, dead): (Vec<_>, Vec<_>) = question.trusted.iter().filter(fits).partition(is_alive);
    let (between, barred): (Vec<_>, Vec<_>) = intermediates.iter().partition(|it| it.may_sign() || !it.is_ca());
    let error = verified(question, leaf, &between, &alive, &lists).err()?;
    let is_above =
        |root: &&&Certificate| std::iter::once(leaf).chain(intermediates).any(|it| it.issuer.raw == root.subject.raw);
    let finer = match &error {
        Error::UnknownIssuer => {
            let dead = dead.iter().find(is_above).map(|it| {
                let message = format!("the trusted certificate `{}` is not valid at this time", it.short_name());
                Finding::error("issuer-not-valid", message)
            });
            dead.or_else(|| barred.iter().find(is_above).map(|it| no_signer(it)))
        }
        Error::UnknownRevocationStatus => future.iter().map(|it| it.this_update).min().map(|first| {
            let message = format!("a revocation list is valid only from {}", minute(first));
            Finding::error("crl-not-yet-valid", message)
        }),
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            let mut all = question.presented.iter().chain(question.trusted);
            (!all.any(is_weak)).then(|| {
                let message = "a signature on the path is of a kind that cannot be checked here, though others take it";
                Finding::error("signature-unchecked", message).fix("ask `openssl verify` about it")
            })
        }
        _ => None,
    };
    Some(finer.unwrap_or_else(|| reason(&error)))
}

/// Why no verifier reads a certificate, whatever it is asked about.
pub(super) fn unreadable(certificate: &Certificate) -> Option<Finding> {
    EndEntityCert::try_from(&CertificateDer::from(certificate.der.as_slice())).err().map(|error| reason(&error))
}

/// A CA that must not sign certificates.
pub(super) fn no_signer(authority: &Certificate) -> Finding {
    let message = format!("the key usage of `{}` does not let it sign certificates", authority.short_name());
    Finding::error("issuer-not-a-ca", message)
}

/// Whether a certificate has a signature or a key that verifiers refuse.
fn is_weak(it: &Certificate) -> bool {
    it.signature_algorithm.1 || it.key.kind.is_weak()
}

/// What stands against a path that webpki has found.
type PathJudge<'a> = dyn Fn(&VerifiedPath<'_>) -> Result<(), Error> + 'a;

/// What webpki says of a leaf, of each path by the lists of the very CAs on it.
fn verified(
    question: &Question<'_>,
    leaf: &Certificate,
    between: &[&Certificate],
    trusted: &[&Certificate],
    lists: &[List<'_>],
) -> Result<(), Error> {
    let [leaf, between_der, trusted_der] = [&[leaf][..], between, trusted]
        .map(|all| all.iter().map(|it| CertificateDer::from(it.der.as_slice())).collect::<Vec<_>>());
    let anchors: Vec<TrustAnchor<'_>> = trusted_der.iter().filter_map(|it| anchor_from_trusted_cert(it).ok()).collect();
    let usage = || match question.purpose {
        Purpose::Client => KeyUsage::client_auth(),
        Purpose::Server => KeyUsage::server_auth(),
    };
    let seconds = u64::try_from(question.now.timestamp()).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let leaf = EndEntityCert::try_from(&leaf[0])?;
    let is_unrevoked = |path: &VerifiedPath<'_>| {
        let own: Vec<_> = path.intermediate_certificates().map(webpki::Cert::der).collect();
        let is_anchor = |it: &CertificateDer<'_>| anchor_from_trusted_cert(it).is_ok_and(|it| it == *path.anchor());
        let above = between.iter().filter(|it| own.iter().any(|der| **der == *it.der));
        let root = trusted.iter().zip(&trusted_der).filter(|(_, der)| is_anchor(der)).map(|(it, _)| it);
        let authorities: Vec<&Certificate> = above.chain(root).copied().collect();
        let chosen = lists::of(lists, &authorities, question.now);
        let options = RevocationOptionsBuilder::new(&chosen).map_err(|_| Error::UnknownRevocationStatus)?;
        let options = options
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Deny)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build();
        let anchor = std::slice::from_ref(path.anchor());
        leaf.verify_for_usage(ALL_VERIFICATION_ALGS, anchor, &own, time, usage(), Some(options), None).map(drop)
    };
    let revocation: Option<&PathJudge<'_>> = if question.revocation.is_some() { Some(&is_unrevoked) } else { None };
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &between_der, time, usage(), None, revocation).map(drop)
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// webpki's words as a stable reason.
fn reason(error: &Error) -> Finding {
    let day = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        minute(DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC))
    };
    match error {
        Error::CertExpired { not_after, .. } => {
            Finding::error("expired", format!("it, or a certificate above it, expired {}", day(not_after)))
        }
        Error::CertNotValidYet { not_before, .. } => Finding::error(
            "not-yet-valid",
            format!("it, or a certificate above it, is valid only from {}", day(not_before)),
        ),
        Error::InvalidCertValidity => Finding::error("never-valid", "its life ends before it begins"),
        Error::UnknownIssuer => Finding::error("unknown-issuer", "no trusted certificate leads to it")
            .fix("give the intermediates behind it in the same file, and the root by `--ca`"),
        Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => {
            Finding::error("bad-signature", "a signature on the path does not verify")
        }
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            Finding::error("wrong-purpose", "its extended key usage, or one above it, does not allow this purpose")
        }
        Error::NameConstraintViolation => {
            Finding::error("name-not-permitted", "a CA above it does not permit one of its names")
        }
        Error::CertRevoked => Finding::error("revoked", "it, or a certificate above it, is revoked"),
        Error::UnknownRevocationStatus => {
            Finding::error("revocation-unknown", "no revocation list covers every certificate of the path")
                .fix("give the lists of all its CAs in the one file, the root's too")
        }
        Error::CrlExpired { next_update, .. } => {
            Finding::error("crl-expired", format!("a revocation list should have been replaced {}", day(next_update)))
        }
        Error::CaUsedAsEndEntity => Finding::error("ca-as-leaf", "it is a CA's certificate"),
        Error::EndEntityUsedAsCa => Finding::error("issuer-not-a-ca", "a certificate above it is no CA's"),
        Error::PathLenConstraintViolated | Error::MaximumPathDepthExceeded => {
            Finding::error("path-too-long", "there are more CAs above it than one of them permits")
        }
        Error::UnsupportedCriticalExtension => {
            Finding::error("unknown-critical-extension", "it has a critical extension that verifiers do not know")
        }
        Error::IssuerNotCrlSigner
        | Error::InvalidCrlNumber
        | Error::InvalidCrlSignatureForPublicKey
        | Error::UnsupportedCrlIssuingDistributionPoint
        | Error::UnsupportedCrlVersion
        | Error::UnsupportedDeltaCrl
        | Error::UnsupportedIndirectCrl
        | Error::UnsupportedRevocationReason
        | Error::UnsupportedRevocationReasonsPartitioning
        | Error::UnsupportedCrlSignatureAlgorithmContext(_)
        | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => Finding::error(
            "crl-invalid",
            "a revocation list is damaged, of a kind that we do not know, or not its CA's",
        ),
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            Finding::error("weak-signature", "a signature on the path is of a kind that verifiers refuse")
        }
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => {
            Finding::error("too-complex", "there are too many ways from it to a trusted certificate")
        }
        _ => Finding::error("malformed", "it, a certificate above it or a revocation list is not well-formed"),
    }
}

#[cfg(test)]
mod tests;
