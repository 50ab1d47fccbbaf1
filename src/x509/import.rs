//! What stands against taking in a certificate and key from elsewhere: everything at once.

use chrono::{DateTime, TimeDelta, Utc};

use super::certificate::Certificate;
use super::chain::{self, Chain};
use super::finding::Finding;
use super::key::{Form, PrivateKey, Refusal};
use super::names::{Host, forbidden};
use super::public_key::PublicKey;
use super::renewal::days_left;
use super::verify::{no_signer, unreadable};
use crate::secret::Secret;

/// The longest life that verifiers take of a leaf under a private root (Apple's limit).
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(825);

/// What is to be imported, and what is known about it.
#[derive(Debug)]
pub struct Material<'a> {
    /// The leaf with its chain, PEM.
    pub fullchain: File<'a>,
    /// More of its chain, PEM.
    pub chain: Option<File<'a>>,
    /// The private key, PEM.
    pub key: File<'a>,
    /// The permission bits of the key's file; `None` when it came through a pipe.
    pub key_mode: Option<u32>,
}

/// A file by the name that the user gave it.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its content.
    pub content: &'a Secret,
}

/// What it is to be used for.
#[derive(Debug)]
pub struct Use<'a> {
    /// Every host that it must be valid for.
    pub hosts: &'a [Host],
    /// Its extended key usage: `serverAuth` or `clientAuth`.
    pub purpose: &'static str,
    /// Whether strangers must trust it.
    pub is_production: bool,
    /// The time.
    pub now: DateTime<Utc>,
}

/// What can be stored, and what was found.
#[derive(Debug)]
pub struct Judged {
    /// The chain in order, when the certificates could be read.
    pub chain: Option<Chain>,
    /// The key as PKCS#8 PEM, once it is proven to belong to the leaf.
    pub key: Option<Secret>,
    /// Everything that was found, the gravest first.
    pub findings: Vec<Finding>,
}

impl Judged {
    /// Whether something forbids the import.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }
}

/// Judges what is to be imported.
pub fn judge(material: &Material<'_>, purpose: &Use<'_>) -> Judged {
    let mut findings = Vec::new();
    let certificates = certificates(material, &mut findings);
    let key = private_key(material, &mut findings);
    let chain = certificates.map(|certificates| {
        let leaf = leaf(&certificates, key.as_ref());
        chain::arrange(certificates, leaf)
    });
    let mut pair = None;
    if let Some(chain) = &chain {
        findings.extend(chain.findings.iter().cloned());
        let leaf = &chain.leaf;
        if let Some(key) = &key {
            pair = paired(key, &leaf.key, material, &mut findings);
        }
        dates(leaf, purpose.now, &mut findings);
        findings.extend(std::iter::once(leaf).chain(&chain.intermediates).find_map(unreadable));
        names(leaf, purpose.hosts, &mut findings);
        profile(leaf, purpose, &mut findings);
        strength(chain, &mut findings);
        issuer(chain, purpose, &mut findings);
        authorities(chain, purpose, &mut findings);
    }
    if let Some(mode) = material.key_mode.filter(|mode| mode & 0o077 != 0) {
        let message = format!("`{}` is open to other users (mode {:04o})", material.key.name, mode & 0o7777);
        findings.push(Finding::warning("key-mode-too-open", message).fix(format!("chmod 600 {}", material.key.name)));
    }
    findings.sort_by_key(|finding| finding.severity);
    Judged { chain, key: pair, findings }
}

/// The certificates of both files; a damaged file is a finding, and then there are none.
fn certificates(material: &Material<'_>, findings: &mut Vec<Finding>) -> Option<Vec<Certificate>> {
    let mut all = Some(Vec::new());
    for file in std::iter::once(&material.fullchain).chain(&material.chain) {
        match chain::read(file.content.expose()) {
            Ok(certificates) => all.iter_mut().for_each(|all| all.extend_from_slice(&certificates)),
            Err(why) => {
                findings.push(Finding::error("certificate-unreadable", format!("`{}` {why}", file.name)));
                all = None;
            }
        }
    }
    all
}

fn private_key(material: &Material<'_>, findings: &mut Vec<Finding>) -> Option<PrivateKey> {
    let name = material.key.name;
    let key = PrivateKey::read(material.key.content.expose());
    let key = key.map_err(|refusal| findings.push(refused(refusal, name))).ok()?;
    if key.form != Form::Pkcs8 {
        let form = if key.form == Form::Sec1 { "SEC 1" } else { "PKCS#1" };
        let message = format!("the key in `{name}` is {form} and is kept as PKCS#8, which every server reads");
        findings.push(Finding::notice("key-rewrapped", message));
    }
    Some(key)
}

fn refused(refusal: Refusal, name: &str) -> Finding {
    let decrypt = format!("openssl pkcs8 -topk8 -nocrypt -in {name} -out NEW.pem");
    let unreadable = |why: &str| Finding::error("key-unreadable", format!("`{name}` {why}"));
    match refusal {
        Refusal::Encrypted => Finding::error("key-encrypted", format!("the key in `{name}` is encrypted")).fix(decrypt),
        Refusal::Mismatch => {
            Finding::error("key-mismatch", format!("the key in `{name}` does not belong to the certificate"))
        }
        Refusal::Unsupported => {
            let message = format!("the key in `{name}` is of a kind that we do not know");
            Finding::error("key-unsupported", message).fix("use P-256, P-384, Ed25519 or RSA")
        }
        Refusal::Damaged(damage) => unreadable(&damage.told()),
        Refusal::Absent => unreadable("holds no private key"),
        Refusal::Several => unreadable("holds several private keys"),
        Refusal::Malformed => unreadable("holds a damaged private key"),
    }
}

/// The certificate that the key belongs to; without one, the first that is no CA, else the first.
fn leaf(certificates: &[Certificate], key: Option<&PrivateKey>) -> usize {
    let is_half = |it: &Certificate| key.is_some_and(|key| key.paired_with(&it.key).is_ok());
    let found = certificates.iter().position(is_half);
    found.or_else(|| certificates.iter().position(|it| !it.is_ca())).unwrap_or(0)
}

fn paired(
    key: &PrivateKey,
    public: &PublicKey,
    material: &Material<'_>,
    findings: &mut Vec<Finding>,
) -> Option<Secret> {
    key.paired_with(public).map_err(|refusal| findings.push(refused(refusal, material.key.name))).ok()
}

fn dates(leaf: &Certificate, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let day = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC");
    let days = days_left(now, leaf.not_after);
    let end = day(leaf.not_after);
    if leaf.not_before > leaf.not_after {
        findings.push(Finding::error("never-valid", "the certificate's life ends before it begins"));
    } else if now > leaf.not_after {
        findings.push(Finding::error("expired", format!("the certificate expired {end}")));
    } else if now < leaf.not_before {
        let message = format!("the certificate is valid only from {}", day(leaf.not_before));
        findings.push(Finding::error("not-yet-valid", message).fix("compare this machine's clock with `date -u`"));
    } else if now >= leaf.due() {
        let message =
            format!("the certificate expires {end}, in {days} days: more than two thirds of its life are over");
        findings.push(Finding::warning("renewal-due", message));
    }
    if leaf.life() > LONGEST_LIFE {
        let message =
            format!("the certificate lives {} days, and some clients refuse more than 825", leaf.life().num_days());
        findings.push(Finding::warning("lifetime-too-long", message));
    }
}

fn names(leaf: &Certificate, hosts: &[Host], findings: &mut Vec<Finding>) {
    let names = leaf.all_names();
    if names.is_empty() {
        let message = "the certificate has no alternative name, and no client looks at its common name";
        findings.push(Finding::error("san-absent", message));
    }
    for host in hosts.iter().filter(|host| host.is_covered_by(leaf) == Some(false)) {
        let only = if names.is_empty() { String::new() } else { format!(", only for {}", listed(&names)) };
        let message = format!("the certificate is not valid for `{host}`{only}");
        findings.push(Finding::error("host-not-covered", message));
    }
}

/// A few names in words.
fn listed(names: &[String]) -> String {
    const MOST: usize = 5;
    let shown: Vec<_> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0..=MOST => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), more - MOST),
    }
}

fn profile(leaf: &Certificate, purpose: &Use<'_>, findings: &mut Vec<Finding>) {
    if leaf.is_ca() {
        let message = "the certificate is a CA's: whoever holds its key could sign for any name";
        findings.push(Finding::error("ca-as-leaf", message));
    }
    let wanted = purpose.purpose;
    match &leaf.purposes {
        Some(purposes) if purposes.iter().any(|it| it == wanted || it == "any") => {}
        Some(purposes) => {
            let message = format!("the certificate is not for `{wanted}`, only for {}", listed(purposes));
            findings.push(Finding::error("wrong-purpose", message));
        }
        None => {
            let message = format!("the certificate has no extended key usage, and some clients ask for `{wanted}`");
            findings.push(Finding::warning("purpose-absent", message));
        }
    }
}

fn strength(chain: &Chain, findings: &mut Vec<Finding>) {
    for it in std::iter::once(&chain.leaf).chain(&chain.intermediates) {
        if it.key.kind.is_weak() {
            let message =
                format!("the key of `{}` is {}: P-256 and RSA-2048 are the least", it.short_name(), it.key.kind.name());
            findings.push(Finding::error("weak-key", message));
        }
        let (algorithm, is_broken) = it.signature_algorithm;
        if is_broken {
            let message = format!("`{}` is signed by {algorithm}, which every client refuses", it.short_name());
            findings.push(Finding::error("weak-signature", message));
        }
    }
}

fn issuer(chain: &Chain, purpose: &Use<'_>, findings: &mut Vec<Finding>) {
    let leaf = &chain.leaf;
    for it in chain.intermediates.iter().filter(|it| purpose.now > it.not_after) {
        let message = format!("`{}`, which signs the certificate, has expired", it.short_name());
        findings.push(Finding::error("issuer-expired", message));
    }
    if leaf.is_self_issued() {
        let message = "the certificate is signed by its own key, so that nobody else trusts it";
        findings.push(if purpose.is_production {
            Finding::error("self-signed", message).fix("use one of a CA that the clients trust")
        } else {
            Finding::warning("self-signed", message)
        });
    } else if chain.intermediates.is_empty() && chain.root.is_none() {
        let message = "the certificate comes without its issuer's, and clients that do not know that one refuse it";
        findings
            .push(Finding::warning("chain-absent", message).fix("give `fullchain.pem`, or the issuer's by `--chain`"));
    }
}

/// What each CA above lets those beneath it be (RFC 5280 §6.1.4). Unlike a verifier, which ends at the first thing, all of it.
fn authorities(chain: &Chain, purpose: &Use<'_>, findings: &mut Vec<Finding>) {
    let (leaf, wanted) = (&chain.leaf, purpose.purpose);
    for (below, it) in (0..).zip(chain.intermediates.iter().chain(&chain.root)) {
        let name = it.short_name();
        if !it.is_ca() {
            let message = format!("`{name}`, which signs what is beneath it, is no CA");
            findings.push(Finding::error("issuer-not-a-ca", message));
        } else if !it.may_sign() {
            findings.push(no_signer(it));
        }
        if let Some(most) = it.basic_constraints.and_then(|it| it.path_length).filter(|most| *most < below) {
            let message = format!("`{name}` permits {most} CAs beneath it, and there are {below}");
            findings.push(Finding::error("path-too-long", message));
        }
        if let Some(purposes) = it.purposes.as_ref().filter(|all| !all.iter().any(|it| it == wanted || it == "any")) {
            let message = format!("`{name}`, which signs it, is not for `{wanted}`, only for {}", listed(purposes));
            findings.push(Finding::error("wrong-purpose", message));
        }
        if let (Some(constraints), Some(names)) = (&it.name_constraints, &leaf.names) {
            let refused = forbidden(constraints, names).into_iter();
            let refused = refused.map(|refused| format!("`{name}` does not permit its name `{refused}`"));
            findings.extend(refused.map(|message| Finding::error("name-not-permitted", message)));
        }
    }
}

#[cfg(test)]
mod tests;
