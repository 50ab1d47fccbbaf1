//! What must hold of a certificate that came in pieces: its key, its names, its issuer. The faults are told in words, for
//! behind the name of the place.

use std::net::IpAddr;

use super::certificate::Certificate;
use super::chain::{self, Link};
use super::key::PrivateKey;
use super::names::Host;
use crate::secret::parts::{Part, Parts};

/// That its key is not the half of the certificate.
pub fn unpaired(parts: &Parts) -> Option<String> {
    let Some(leaf) = first(parts) else { return Some("holds no certificate that can be read".to_owned()) };
    let key = parts.part(Part::Key).and_then(|key| PrivateKey::read(key.expose()).ok());
    let is_pair = key.is_some_and(|key| key.paired_with(&leaf.key).is_ok());
    (!is_pair).then(|| "holds a certificate and the key of another one".to_owned())
}

/// The first of the declared names that is not in it.
pub fn lacks(parts: &Parts, mut names: impl Iterator<Item = String>) -> Option<String> {
    let held = first(parts)?.names.unwrap_or_default();
    let is_held = |name: &String| {
        let is_address = name.parse::<IpAddr>().is_ok_and(|address| held.ip.contains(&address));
        is_address || held.uri.contains(name) || held.dns.iter().any(|it| it.eq_ignore_ascii_case(name))
    };
    let missing = names.find(|name| !is_held(name))?;
    Some(format!("holds a certificate without the declared name `{missing}`"))
}

/// The first of the declared hosts that it is not valid for.
pub fn is_not_for(parts: &Parts, hosts: impl Iterator<Item = String>) -> Option<String> {
    let leaf = first(parts)?;
    let is_covered = |host: &String| Host::parse(host).is_some_and(|host| host.is_covered_by(&leaf) == Some(true));
    let mut uncovered = hosts.filter(|host| !is_covered(host));
    uncovered.next().map(|host| format!("holds a certificate that is not valid for `{host}`"))
}

/// Whether a CA, in pieces too, signed it.
pub fn is_issued_by(parts: &Parts, issuer: &Parts) -> bool {
    let pair = first(parts).zip(first(issuer));
    pair.is_some_and(|(certificate, issuer)| chain::link(&certificate, &issuer) != Link::None)
}

fn first(parts: &Parts) -> Option<Certificate> {
    chain::read(parts.part(Part::Cert)?.expose()).ok()?.into_iter().next()
}
