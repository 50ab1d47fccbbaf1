//! A CA as the one who signs: its key, its path up to the root, and which names that path permits.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, GeneralSubtree};

use super::keypair::PrivateKey;
use super::{Inputs, input, missing, pem, piece};
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Part;

/// A CA whose certificate is valid now and belongs to its key.
#[derive(Debug)]
pub(super) struct Issuer<'a> {
    name: &'a SecretName,
    cert: &'a Secret,
    chain: Option<&'a Secret>,
    root: &'a Secret,
    /// Its private key.
    pub(super) key: PrivateKey,
    /// When its validity begins.
    pub(super) not_before: DateTime<Utc>,
    /// The last second of its validity.
    pub(super) not_after: DateTime<Utc>,
    may_sign_authorities: bool,
}

/// A name that is not permitted, by its place among those of its form.
#[derive(Debug, Clone, Copy)]
pub(super) enum Forbidden {
    /// A DNS name.
    Dns(usize),
    /// An address.
    Ip(usize),
}

impl<'a> Issuer<'a> {
    /// Takes the CA `name` out of the inputs of `asker`.
    ///
    /// Fails with `missing`, `issuer-unreadable`, `issuer-not-a-ca`, `issuer-expired` or `issuer-not-yet-valid`.
    pub(super) fn load(
        name: &'a SecretName,
        inputs: &Inputs<'a>,
        asker: &SecretName,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let input = input(inputs, name, asker)?;
        let part = |part| piece(input, part, name, asker);
        let (cert, chain, root) = (part(Part::Cert)?, input.parts.part(Part::Chain), part(Part::Ca)?);
        let key = PrivateKey::from_pem(part(Part::Key)?).ok_or_else(|| unreadable(name))?;
        let der = certificates(cert).into_iter().next().ok_or_else(|| missing(name, "has no certificate", asker))?;
        let x509 = parse(&der).ok_or_else(|| unreadable(name))?;
        if x509.public_key().raw != key.spki() {
            return Err(unreadable(name));
        }
        let constraints = x509.basic_constraints().ok().flatten().filter(|constraints| constraints.value.ca);
        let constraints = constraints.ok_or_else(|| {
            let message = format!("`{name}` is no CA, so it cannot sign `{asker}`");
            Error::new(Kind::Manifest, "issuer-not-a-ca", message).hint(format!("give `{asker}` a CA as its `issuer`"))
        })?;
        let may_sign_authorities = constraints.value.path_len_constraint != Some(0);
        let (not_before, not_after) = validity(&x509).ok_or_else(|| unreadable(name))?;
        let issuer = Self { name, cert, chain, root, key, not_before, not_after, may_sign_authorities };
        issuer.expect_valid(asker, now).map(|()| issuer)
    }

    fn expect_valid(&self, asker: &SecretName, now: DateTime<Utc>) -> Result<()> {
        let name = self.name;
        let (code, what, hint) = if now > self.not_after {
            ("issuer-expired", "has expired", format!("run `vault-kit cert renew {name}`"))
        } else if now < self.not_before {
            ("issuer-not-yet-valid", "is not yet valid", "compare this machine's clock with `date -u`".to_owned())
        } else {
            return Ok(());
        };
        let message = format!("`{name}` {what}, so it cannot sign `{asker}`");
        Err(Error::new(Kind::Findings, code, message).hint(hint))
    }

    /// Refuses to sign a CA beneath a `pathlen:0`, which every verifier would reject.
    pub(super) fn expect_may_sign_authority(&self, asker: &SecretName) -> Result<()> {
        if self.may_sign_authorities {
            return Ok(());
        }
        let message =
            format!("`{}` is an intermediate, which may sign only leaves, so it cannot sign `{asker}`", self.name);
        Err(Error::new(Kind::Manifest, "issuer-signs-only-leaves", message)
            .hint(format!("give `{asker}` the root as its `issuer`")))
    }

    /// Refuses names that a CA on the path does not permit: a verifier would reject the certificate (RFC 5280 §4.2.1.10).
    pub(super) fn expect_permits(&self, asker: &SecretName, dns: &[String], ip: &[IpAddr]) -> Result<()> {
        let place = match self.forbidden(dns, ip)? {
            None => return Ok(()),
            Some(Forbidden::Dns(at)) => format!("dns[{at}]"),
            Some(Forbidden::Ip(at)) => format!("ip[{at}]"),
        };
        let message = format!("`{place}` of `{asker}` is outside what its issuer `{}` permits", self.name);
        Err(Error::new(Kind::Manifest, "not-permitted-by-ca", message)
            .hint(format!("the CA was made before it was permitted: `vault-kit generate --replace {}`", self.name))
            .hint(format!("or take it out of `{asker}`")))
    }

    /// The first name that a CA on the path does not permit.
    pub(super) fn forbidden(&self, dns: &[String], ip: &[IpAddr]) -> Result<Option<Forbidden>> {
        for der in [Some(self.cert), self.chain, Some(self.root)].into_iter().flatten().flat_map(certificates) {
            let x509 = parse(&der).ok_or_else(|| unreadable(self.name))?;
            if let Some(place) = violation(&x509, dns, ip) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Whether it signed itself.
    pub(super) fn is_root(&self) -> bool {
        self.cert == self.root
    }

    /// The issuer's own certificate, PEM.
    pub(super) fn cert_pem(&self) -> Result<&'a str> {
        self.cert.expose_text().ok_or_else(|| unreadable(self.name))
    }

    /// The intermediates above what it signs, PEM: itself and its parents, never the root.
    pub(super) fn chain_below(&self) -> Secret {
        if self.is_root() {
            return Secret::copy_of(b"");
        }
        Secret::new([self.cert.expose(), self.chain.map_or(b"", Secret::expose)].concat())
    }

    /// The root, PEM.
    pub(super) fn root(&self) -> Secret {
        self.root.duplicate()
    }
}

fn unreadable(name: &SecretName) -> Error {
    Error::new(
        Kind::Findings,
        "issuer-unreadable",
        format!("certificate and key of `{name}` cannot be read, or do not belong together"),
    )
    .hint(format!("run `vault-kit generate --replace {name}`"))
}

/// The DER of every certificate in a PEM text.
pub(super) fn certificates(pem: &Secret) -> Vec<Vec<u8>> {
    let text = pem.expose_text().unwrap_or("");
    pem::decode(pem::CERTIFICATE, text).map(|der| der.to_vec()).collect()
}

/// Parses one certificate, with nothing after it.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    x509_parser::parse_x509_certificate(der).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, x509)| x509)
}

/// First and last second of the validity.
pub(super) fn validity(x509: &X509Certificate<'_>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let validity = x509.validity();
    let time = |time: x509_parser::time::ASN1Time| DateTime::from_timestamp(time.timestamp(), 0);
    Some((time(validity.not_before)?, time(validity.not_after)?))
}

/// The first name that the constraints of a CA forbid.
fn violation(x509: &X509Certificate<'_>, dns: &[String], ip: &[IpAddr]) -> Option<Forbidden> {
    let constraints = x509.name_constraints().ok().flatten()?.value;
    let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
    let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
    let bad_dns = dns.iter().position(|name| forbids(permitted, excluded, is_dns, |tree| holds_name(tree, name)));
    let bad_ip =
        ip.iter().position(|&address| forbids(permitted, excluded, is_ip, |tree| holds_address(tree, address)));
    bad_dns.map(Forbidden::Dns).or_else(|| bad_ip.map(Forbidden::Ip))
}

/// Whether a name is in an excluded subtree, or in none of the permitted ones of its own form if there are any.
fn forbids(
    permitted: &[GeneralSubtree<'_>],
    excluded: &[GeneralSubtree<'_>],
    same_form: fn(&GeneralName<'_>) -> bool,
    holds: impl Fn(&GeneralName<'_>) -> bool,
) -> bool {
    let mut relevant = permitted.iter().filter(|tree| same_form(&tree.base)).peekable();
    let constrained = relevant.peek().is_some();
    excluded.iter().any(|tree| holds(&tree.base)) || constrained && !relevant.any(|tree| holds(&tree.base))
}

fn is_dns(tree: &GeneralName<'_>) -> bool {
    matches!(tree, GeneralName::DNSName(_))
}

fn is_ip(tree: &GeneralName<'_>) -> bool {
    matches!(tree, GeneralName::IPAddress(_))
}

/// A name is in its own subtree and in that of every domain above it; a leading dot leaves out the domain itself.
fn holds_name(tree: &GeneralName<'_>, name: &str) -> bool {
    let GeneralName::DNSName(tree) = tree else { return false };
    let (name, tree) = (name.to_ascii_lowercase(), tree.to_ascii_lowercase());
    let Some(head) = name.strip_suffix(&tree) else { return false };
    head.is_empty() || tree.is_empty() || tree.starts_with('.') || head.ends_with('.')
}

/// Address and mask, 4 + 4 or 16 + 16 bytes.
fn holds_address(tree: &GeneralName<'_>, address: IpAddr) -> bool {
    let GeneralName::IPAddress(tree) = tree else { return false };
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let (network, mask) = tree.split_at(tree.len() / 2);
    tree.len() == 2 * octets.len()
        && octets.iter().zip(network).zip(mask).all(|((octet, network), mask)| octet & mask == network & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_subtree_holds_its_domain_and_everything_below() {
        let holds = |tree, name| holds_name(&GeneralName::DNSName(tree), name);
        assert!(holds("example.com", "example.com") && holds("example.com", "a.b.Example.com"));
        assert!(holds("example.com", "*.example.com") && holds(".example.com", "a.example.com") && holds("", "any"));
        assert!(!holds("example.com", "badexample.com") && !holds("example.com", "com"));
        assert!(!holds(".example.com", ".example.co") && !holds("a.example.com", "*.example.com"));
    }

    #[test]
    fn an_address_subtree_holds_what_its_mask_covers() {
        let holds = |tree: &[u8], text: &str| holds_address(&GeneralName::IPAddress(tree), text.parse().unwrap());
        let net = [172, 20, 0, 0, 255, 255, 0, 0];
        assert!(holds(&net, "172.20.9.1") && !holds(&net, "172.21.0.1") && !holds(&net, "::1"));
        assert!(holds(&[0; 32], "::1") && !holds(&[0; 32], "1.2.3.4") && !holds(&[], "1.2.3.4"));
    }
}
