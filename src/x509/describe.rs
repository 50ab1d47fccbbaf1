//! A certificate in words and as an object, with nothing of any private key.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::HEXLOWER;
use serde::Serialize;

use super::certificate::{Certificate, NameConstraints, Subtree};
use super::renewal::days_left;
use crate::secret::digest::sha256_hex;

/// What a certificate says.
#[derive(Debug, Serialize)]
pub struct Description {
    subject: String,
    issuer: String,
    is_ca: bool,
    self_issued: bool,
    dns: Vec<String>,
    ip: Vec<String>,
    uri: Vec<String>,
    not_before: String,
    not_after: String,
    days_left: i64,
    renew_from: String,
    key: String,
    signature: &'static str,
    key_usage: Vec<&'static str>,
    extended_key_usage: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permitted: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excluded: Option<Vec<String>>,
    serial: String,
    subject_key_id: Option<String>,
    authority_key_id: Option<String>,
    sha256: String,
}

/// Describes a certificate as it is seen at `now`.
pub fn describe(certificate: &Certificate, now: DateTime<Utc>) -> Description {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let hex = |bytes: &Vec<u8>| HEXLOWER.encode(bytes);
    let names = certificate.names.clone().unwrap_or_default();
    let constraints = certificate.name_constraints.as_ref();
    let trees = |pick: fn(&NameConstraints) -> &Vec<Subtree>| {
        constraints.map(|it| pick(it).iter().map(told).collect::<Vec<_>>())
    };
    let (signature, _) = certificate.signature_algorithm;
    Description {
        subject: certificate.subject.text.clone(),
        issuer: certificate.issuer.text.clone(),
        is_ca: certificate.is_ca(),
        self_issued: certificate.is_self_issued(),
        dns: names.dns,
        ip: names.ip.iter().map(ToString::to_string).collect(),
        uri: names.uri,
        not_before: time(certificate.not_before),
        not_after: time(certificate.not_after),
        days_left: days_left(now, certificate.not_after),
        renew_from: time(certificate.due()),
        key: certificate.key.kind.name(),
        signature,
        key_usage: certificate.key_usage.map(|(usages, _)| usages.names()).unwrap_or_default(),
        extended_key_usage: certificate.purposes.clone().unwrap_or_default(),
        path_length: certificate.basic_constraints.and_then(|it| it.path_length),
        permitted: trees(|it| &it.permitted),
        excluded: trees(|it| &it.excluded),
        serial: hex(&certificate.serial),
        subject_key_id: certificate.subject_key_id.as_ref().map(hex),
        authority_key_id: certificate.authority_key_id.as_ref().map(hex),
        sha256: sha256_hex(&certificate.der),
    }
}

fn told(tree: &Subtree) -> String {
    match tree {
        Subtree::Dns(name) => name.clone(),
        Subtree::Ip(range) => range.to_string(),
        Subtree::Other => "another form of name".to_owned(),
    }
}

impl Description {
    /// One line for each thing that it says.
    pub fn to_text(&self) -> String {
        let days = match self.days_left {
            days if days < 0 => "expired".to_owned(),
            1 => "1 day left".to_owned(),
            days => format!("{days} days left"),
        };
        let basic = match (self.is_ca, self.path_length) {
            (true, Some(length)) => format!("yes, with at most {length} more beneath it"),
            (true, None) => "yes".to_owned(),
            (false, _) => "no".to_owned(),
        };
        let list = |words: &[String]| words.join(", ");
        let rows = [
            ("subject", self.subject.clone()),
            ("issuer", if self.self_issued { format!("{} (itself)", self.issuer) } else { self.issuer.clone() }),
            ("dns", list(&self.dns)),
            ("ip", list(&self.ip)),
            ("uri", list(&self.uri)),
            ("valid from", self.not_before.clone()),
            ("valid to", format!("{} ({days})", self.not_after)),
            ("renew from", self.renew_from.clone()),
            ("key", self.key.clone()),
            ("signature", self.signature.to_owned()),
            ("CA", basic),
            ("key usage", self.key_usage.join(", ")),
            ("purposes", list(&self.extended_key_usage)),
            ("permitted", self.permitted.as_deref().map(list).unwrap_or_default()),
            ("excluded", self.excluded.as_deref().map(list).unwrap_or_default()),
            ("serial", self.serial.clone()),
            ("key id", self.subject_key_id.clone().unwrap_or_default()),
            ("issuer's key", self.authority_key_id.clone().unwrap_or_default()),
            ("SHA-256", self.sha256.clone()),
        ];
        let mut text = String::new();
        for (label, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{label:<13} {value}");
        }
        text
    }
}
