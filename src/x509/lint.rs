//! Certificates against our own profile (RFC 5280, the Baseline Requirements as far as they serve a private CA).

use chrono::TimeDelta;

use super::certificate::{Certificate, Usages};
use super::finding::Finding;
use super::import::LONGEST_LIFE;
use super::names::{forbidden, wrong_with};
use super::public_key::KeyKind;

/// The longest life of a leaf unless a longer one is allowed (ballot SC-081, from 2026-03-15).
const USUAL_LIFE: TimeDelta = TimeDelta::days(200);

/// Octets of a serial number: 64 random bits at least, 20 octets at most (RFC 5280 §4.1.2.2).
const SERIAL: std::ops::RangeInclusive<usize> = 8..=20;

/// What a certificate is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A CA.
    Authority,
    /// A TLS client.
    Client,
    /// A TLS server.
    Server,
}

impl Profile {
    /// What a certificate looks like: a CA only when its key may sign certificates, a client only when it says so and
    /// says nothing of servers.
    pub fn of(certificate: &Certificate) -> Self {
        let has = |wanted: &str| certificate.purposes.iter().flatten().any(|it| it == wanted);
        match certificate.is_authority() {
            true => Self::Authority,
            false if has("clientAuth") && !has("serverAuth") => Self::Client,
            false => Self::Server,
        }
    }
}

/// Everything that is wrong with a certificate, `above` being those that follow it in its chain.
pub fn lint(certificate: &Certificate, above: &[Certificate], profile: Profile, allow_long: bool) -> Vec<Finding> {
    let mut lint = Lint { it: certificate, findings: Vec::new() };
    lint.form();
    lint.strength();
    lint.serial();
    match profile {
        Profile::Authority => lint.authority(),
        Profile::Client => lint.leaf("clientAuth", allow_long),
        Profile::Server => lint.leaf("serverAuth", allow_long),
    }
    lint.constraints(above);
    lint.findings.sort_by_key(|finding| finding.severity);
    lint.findings
}

struct Lint<'a> {
    it: &'a Certificate,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn error(&mut self, code: &'static str, message: impl Into<String>) {
        self.findings.push(Finding::error(code, message));
    }

    fn warning(&mut self, code: &'static str, message: impl Into<String>) {
        self.findings.push(Finding::warning(code, message));
    }

    /// What every certificate has.
    fn form(&mut self) {
        let it = self.it;
        if it.version != 3 {
            self.error("version-not-3", format!("it is of version {}, which has no extensions", it.version));
        }
        if it.not_before > it.not_after {
            self.error("never-valid", "its life ends before it begins");
        } else if (it.life() - TimeDelta::seconds(1)).num_seconds() % 86_400 == 0 {
            let message = "it lives one second longer than whole days: both ends count, so subtract one";
            self.warning("validity-second-over", message);
        }
        if it.subject_key_id.is_none() {
            self.warning("ski-absent", "it has no subject key identifier");
        }
        // A root may leave it out: it would name itself.
        if it.authority_key_id.is_none() && !(it.is_self_issued() && it.is_authority()) {
            self.error("aki-absent", "it has no authority key identifier, by which its issuer is found");
        }
    }

    fn strength(&mut self) {
        if self.it.key.kind.is_weak() {
            self.error("weak-key", format!("its key is {}: P-256 and RSA-2048 are the least", self.it.key.kind.name()));
        }
        let (algorithm, is_broken) = self.it.signature_algorithm;
        if is_broken {
            self.error("weak-signature", format!("it is signed by {algorithm}, which verifiers refuse"));
        }
    }

    fn serial(&mut self) {
        let serial = &self.it.serial;
        let number = serial.strip_prefix(&[0]).unwrap_or(serial);
        if serial.first().is_none_or(|first| first & 0x80 != 0) || number.is_empty() {
            self.error("serial-not-positive", "its serial number is not above zero");
        } else if serial.len() > *SERIAL.end() {
            self.error("serial-too-long", "its serial number is longer than 20 octets");
        } else if number.len() < *SERIAL.start() {
            let message = "its serial number has less than 64 bits, so that it can be guessed or occur twice";
            self.error("serial-too-short", message);
        }
    }

    fn authority(&mut self) {
        let it = self.it;
        if !it.basic_constraints.is_some_and(|it| it.ca && it.critical) {
            self.error("not-a-ca", "a CA needs critical basic constraints with CA:TRUE");
        }
        match it.key_usage {
            Some((usages, true)) if usages.has(Usages::SIGN_CERTIFICATES | Usages::SIGN_CRLS) => {}
            _ => self.error("key-usage-wrong", "a CA needs the critical key usages keyCertSign and cRLSign"),
        }
        if it.is_self_issued() {
            if it.purposes.is_some() {
                self.warning("root-with-purpose", "a root should have no extended key usage");
            }
        } else if it.basic_constraints.is_some_and(|it| it.path_length.is_none()) {
            self.warning("path-length-absent", "an intermediate that signs only leaves should have pathlen:0");
        }
        if it.name_constraints.as_ref().is_some_and(|it| !it.critical) {
            self.error("constraints-not-critical", "name constraints must be critical");
        }
        if it.life() > TimeDelta::days(3653) {
            self.warning("lifetime-too-long", format!("it lives {} days: ten years are enough", it.life().num_days()));
        }
    }

    fn leaf(&mut self, purpose: &str, allow_long: bool) {
        let it = self.it;
        if it.is_ca() {
            self.error("ca-as-leaf", "it is a CA's: whoever holds its key could sign for any name");
        }
        match it.basic_constraints {
            None => self.warning("basic-constraints-absent", "it should say CA:FALSE, critically"),
            Some(constraints) if !constraints.critical => {
                self.warning("basic-constraints-not-critical", "its basic constraints should be critical");
            }
            Some(_) => {}
        }
        self.leaf_usage(purpose);
        self.leaf_life(allow_long);
        self.leaf_names();
    }

    fn leaf_usage(&mut self, purpose: &str) {
        match &self.it.purposes {
            None => self.error("purpose-absent", format!("it has no extended key usage: `{purpose}` is needed")),
            Some(purposes) if !purposes.iter().any(|it| it == purpose) => {
                self.error("wrong-purpose", format!("its extended key usage does not have `{purpose}`"));
            }
            Some(purposes) if purposes.iter().any(|it| it == "any") => {
                self.warning("purpose-any", "its extended key usage allows everything");
            }
            Some(_) => {}
        }
        let Some((usages, is_critical)) = self.it.key_usage else {
            return self.error("key-usage-absent", "it has no key usage: digitalSignature is needed");
        };
        if !is_critical {
            self.warning("key-usage-not-critical", "its key usage should be critical");
        }
        let is_rsa = matches!(self.it.key.kind, KeyKind::Rsa(_));
        if !(usages.has(Usages::SIGN) || is_rsa && usages.has(Usages::ENCIPHER_KEYS)) {
            self.error("key-usage-wrong", "its key usage does not have digitalSignature");
        } else if usages.has(Usages::SIGN_CERTIFICATES) || usages.has(Usages::SIGN_CRLS) {
            self.error("key-usage-wrong", "its key usage is a CA's");
        } else if !is_rsa && usages.has(Usages::ENCIPHER_KEYS) {
            self.error("key-usage-wrong", "keyEncipherment is for RSA keys alone");
        }
    }

    fn leaf_life(&mut self, allow_long: bool) {
        let (longest, code) = if allow_long { (LONGEST_LIFE, 825) } else { (USUAL_LIFE, 200) };
        if self.it.life() > longest {
            let message = format!("it lives {} days: {code} are the most", self.it.life().num_days());
            self.error("lifetime-too-long", message);
        }
    }

    fn leaf_names(&mut self) {
        let it = self.it;
        let Some(names) = it.names.as_ref().filter(|_| !it.all_names().is_empty()) else {
            return self.error("san-absent", "it has no alternative name, and nobody looks at its common name");
        };
        if it.subject.text.is_empty() && !names.critical {
            self.error("san-not-critical", "its subject is empty, so its alternative names must be critical");
        }
        for (name, wrong) in names.dns.iter().filter_map(|name| Some((name, wrong_with(name)?))) {
            self.error("san-invalid", format!("its alternative name `{name}` {wrong}"));
        }
        for name in
            it.subject.common_names.iter().filter(|name| !it.all_names().iter().any(|it| it.eq_ignore_ascii_case(name)))
        {
            self.warning("cn-not-in-san", format!("its common name `{name}` is none of its alternative names"));
        }
    }

    /// Every CA above may forbid a name.
    fn constraints(&mut self, above: &[Certificate]) {
        let Some(names) = &self.it.names else { return };
        for (authority, constraints) in above.iter().filter_map(|it| Some((it, it.name_constraints.as_ref()?))) {
            for name in forbidden(constraints, names) {
                self.error(
                    "name-not-permitted",
                    format!("`{}` does not permit its name `{name}`", authority.short_name()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
