//! Hosts, and which names cover them (RFC 9525 §6, RFC 5280 §4.2.1.10).

use std::fmt;
use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

use super::certificate::{AlternativeNames, Certificate, NameConstraints, Subtree};

/// A host as a client names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(ServerName<'static>);

impl Host {
    /// A DNS name (A-labels, no wildcard) or an address; `None` when it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        ServerName::try_from(text.to_owned()).ok().map(Self)
    }

    /// Whether a certificate is valid for it: by its alternative names alone, never by its common name, a wildcard
    /// standing for exactly one label. `None` when no verifier would read it so far.
    pub fn is_covered_by(&self, certificate: &Certificate) -> Option<bool> {
        let der = CertificateDer::from(certificate.der.as_slice());
        let leaf = EndEntityCert::try_from(&der).ok()?;
        Some(leaf.verify_is_valid_for_subject_name(&self.0).is_ok())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_str())
    }
}

/// What is wrong with a DNS name of a certificate; `None` = nothing.
pub(super) fn wrong_with(name: &str) -> Option<&'static str> {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.parse::<IpAddr>().is_ok() {
        return Some("is an address written as a DNS name");
    }
    if rest.contains('*') || rest.len() < name.len() && !rest.contains('.') {
        return Some("has a wildcard that verifiers refuse");
    }
    (name.len() > 253 || !rest.split('.').all(is_label)).then_some("is not a DNS name")
}

/// The names that constraints forbid, as a verifier would see it.
pub(super) fn forbidden(constraints: &NameConstraints, names: &AlternativeNames) -> Vec<String> {
    let dns = names.dns.iter().filter(|name| {
        forbids(constraints, |tree| match tree {
            Subtree::Dns(tree) => Some(holds_name(tree, name)),
            _ => None,
        })
    });
    let ip = names.ip.iter().filter(|address| {
        forbids(constraints, |tree| match tree {
            Subtree::Ip(tree) => Some(tree.contains(*address)),
            _ => None,
        })
    });
    dns.cloned().chain(ip.map(IpAddr::to_string)).collect()
}

/// Whether a name is in an excluded subtree, or in none of the permitted ones of its own form if there are any. The
/// closure tells nothing of a subtree of another form.
fn forbids(constraints: &NameConstraints, holds: impl Fn(&Subtree) -> Option<bool>) -> bool {
    let mut permitted = constraints.permitted.iter().filter_map(&holds).peekable();
    let is_constrained = permitted.peek().is_some();
    is_constrained && !permitted.any(|it| it) || constraints.excluded.iter().filter_map(&holds).any(|it| it)
}

/// A name is in its own subtree and in that of every domain above it; a leading dot leaves out the domain itself.
fn holds_name(tree: &str, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(head) = name.strip_suffix(tree) else { return false };
    head.is_empty() || tree.is_empty() || tree.starts_with('.') || head.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraints(permitted: &[&str], excluded: &[&str]) -> NameConstraints {
        let tree = |text: &&str| text.parse().map_or_else(|_| Subtree::Dns((*text).to_owned()), Subtree::Ip);
        NameConstraints {
            critical: true,
            permitted: permitted.iter().map(tree).collect(),
            excluded: excluded.iter().map(tree).collect(),
        }
    }

    fn names(dns: &[&str], ip: &[&str]) -> AlternativeNames {
        AlternativeNames {
            dns: dns.iter().map(|&it| it.to_owned()).collect(),
            ip: ip.iter().map(|it| it.parse().unwrap()).collect(),
            ..AlternativeNames::default()
        }
    }

    #[test]
    fn constraints_bind_only_names_of_their_own_form() {
        let only_dns = constraints(&["example.com"], &[]);
        let all = names(&["a.example.com", "*.example.com", "EXAMPLE.com", "badexample.com"], &["10.0.0.1"]);
        assert_eq!(forbidden(&only_dns, &all), ["badexample.com"]);
        let both = constraints(&["example.com", "10.0.0.0/8"], &["b.example.com"]);
        let all = names(&["a.example.com", "x.b.example.com"], &["10.9.9.9", "11.0.0.1", "::1"]);
        assert_eq!(forbidden(&both, &all), ["x.b.example.com", "11.0.0.1", "::1"]);
        assert_eq!(forbidden(&constraints(&[], &["0.0.0.0/0", "::/0"]), &all).len(), 3);
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_no_pattern() {
        for text in ["localhost", "a.example.com", "127.0.0.1", "::1"] {
            assert_eq!(Host::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "*.example.com", "a b", "https://example.com", "ü.example", "a..b"] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_dns_name_that_verifiers_refuse_is_told() {
        for name in ["localhost", "a.example.com", "*.example.com", "xn--bcher-kva.example"] {
            assert_eq!(wrong_with(name), None, "{name}");
        }
        for name in ["", "*", "*.com", "a*.b.c", "a.*.b", "-a.b", "a_b.c", "10.0.0.1", "http://a", "a..b"] {
            assert!(wrong_with(name).is_some(), "{name:?}");
        }
    }
}
