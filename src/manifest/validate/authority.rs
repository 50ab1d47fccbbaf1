//! What CAs permit: the names that an issuing CA may sign for unless declared, and that every leaf is within its path.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::secrets::Secrets;
use crate::manifest::issue::Problems;
use crate::manifest::model::{Ca, Certificate, Kind};
use crate::name::SecretName;

/// Fills in what an issuing CA does not declare: the names of the certificates that it signs, and this machine.
///
/// An issuing CA that may sign for every name in the world would be a danger to whoever trusts its root. URIs are not
/// constrained.
pub(super) fn permit_declared(secrets: &mut Secrets) {
    for position in 0..secrets.list.len() {
        let declared = &secrets.list[position];
        let (open_dns, open_ip) = declared.open;
        if !is_issuing(secrets, position) || !open_dns && !open_ip {
            continue;
        }
        let leaves = || leaves(secrets, &declared.name);
        let dns = open_dns.then(|| dns_trees(leaves()));
        let ip = open_ip.then(|| ip_trees(leaves()));
        if let Some(Kind::Ca(ca)) = secrets.list[position].declaration_mut().map(|it| &mut it.kind) {
            ca.permitted_dns = dns.unwrap_or(std::mem::take(&mut ca.permitted_dns));
            ca.permitted_ip = ip.unwrap_or(std::mem::take(&mut ca.permitted_ip));
        }
    }
}

fn is_issuing(secrets: &Secrets, position: usize) -> bool {
    let declaration = secrets.list[position].declaration.as_ref();
    matches!(declaration.map(|it| &it.kind), Some(Kind::Ca(ca)) if ca.issuer.is_some())
}

fn leaves<'a>(secrets: &'a Secrets, issuer: &'a SecretName) -> impl Iterator<Item = &'a Certificate> {
    secrets.list.iter().filter_map(move |declared| match &declared.declaration.as_ref()?.kind {
        Kind::Certificate(leaf) if leaf.issuer.as_ref() == Some(issuer) => Some(leaf),
        _ => None,
    })
}

/// Sorted, without what another one covers.
fn dns_trees<'a>(leaves: impl Iterator<Item = &'a Certificate>) -> Vec<String> {
    let names = leaves.flat_map(|leaf| &leaf.dns).map(|name| name.strip_prefix("*.").unwrap_or(name).to_owned());
    let all: BTreeSet<String> = names.chain(["localhost".to_owned()]).collect();
    let is_covered = |name: &String| all.iter().any(|other| other != name && holds_name(other, name));
    all.iter().filter(|name| !is_covered(name)).cloned().collect()
}

fn ip_trees<'a>(leaves: impl Iterator<Item = &'a Certificate>) -> Vec<IpNet> {
    let host =
        [IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8), IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST))];
    let foreign: BTreeSet<IpAddr> = leaves
        .flat_map(|leaf| &leaf.ip)
        .copied()
        .filter(|address| !host.iter().any(|net| net.contains(address)))
        .collect();
    host.into_iter().chain(foreign.into_iter().map(IpNet::from)).collect()
}

/// Reports every leaf with a name that a CA on its path does not permit: verifiers would refuse it.
pub(super) fn check(secrets: &Secrets, problems: &mut Problems) {
    for declared in &secrets.list {
        let Some(Kind::Certificate(leaf)) = declared.declaration.as_ref().map(|it| &it.kind) else { continue };
        for (name, ca) in path(secrets, leaf.issuer.as_ref()) {
            let Some(place) = first_outside(ca, leaf) else { continue };
            let message =
                format!("`secrets.{}.{place}` is outside what `{name}`, which signs it, permits", declared.name);
            let list = if place.starts_with("dns") { "permitted_dns" } else { "permitted_ip" };
            problems.add_with_hint(declared.reference_at, message, format!("add it to `secrets.{name}.{list}`"));
        }
    }
}

/// The CAs above a leaf; no more than the issuing one and the root, whatever circle the manifest may hold.
fn path<'a>(secrets: &'a Secrets, issuer: Option<&'a SecretName>) -> impl Iterator<Item = (&'a SecretName, &'a Ca)> {
    let authority =
        |name: &'a SecretName| match &secrets.list[secrets.position(name.as_str())?].declaration.as_ref()?.kind {
            Kind::Ca(ca) => Some((name, ca)),
            _ => None,
        };
    let first = issuer.and_then(authority);
    std::iter::successors(first, move |(_, ca)| ca.issuer.as_ref().and_then(authority)).take(2)
}

/// The first name outside, by its place such as `dns[1]`.
fn first_outside(ca: &Ca, leaf: &Certificate) -> Option<String> {
    if !ca.is_constrained() {
        return None;
    }
    let dns = leaf.dns.iter().position(|name| !ca.permitted_dns.iter().any(|tree| holds_name(tree, name)));
    let ip = leaf.ip.iter().position(|address| !ca.permitted_ip.iter().any(|net| net.contains(address)));
    dns.map(|at| format!("dns[{at}]")).or_else(|| ip.map(|at| format!("ip[{at}]")))
}

/// A name is in its own subtree and in that of every domain above it (RFC 5280 §4.2.1.10).
fn holds_name(tree: &str, name: &str) -> bool {
    name.strip_suffix(tree).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}
