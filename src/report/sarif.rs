//! The report as SARIF 2.1.0 (OASIS, 2020), as code scanning takes it: one rule a code, one result a finding.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::frame::Frame;
use super::words::{plain, sentence, weight};
use crate::check::explain::{self, Explanation};
use crate::check::{Finding, NotChecked, Place, Report, Severity};
use crate::error::{Error, Result};
use crate::gather::Gather;
use crate::secret::digest::sha256_hex;
use crate::ui::escaped;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The base of every relative path: the top of the repository.
const BASE: &str = "%SRCROOT%";

/// One document with one run.
pub fn render(report: &Report, frame: &Frame) -> Result<String> {
    let rules: Vec<&Explanation> = explain::all().iter().filter(|it| !it.places.is_empty()).collect();
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(at, it)| (it.code, at)).gather();
    let mut twins = BTreeMap::new();
    let mut result = |finding: &Finding| result(report, frame, finding, &index, &mut twins);
    let mut results: Vec<Value> = report.findings.iter().map(&mut result).collect();
    for it in &report.allowed {
        let mut result = result(&it.finding);
        let justification = format!("{} (until {})", plain(&it.reason), it.until);
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": justification }]);
        results.push(result);
    }
    let places: Vec<&str> = report.places.iter().copied().map(Place::text).collect();
    document(&Run {
        id: format!("vault-kit-check/{}/{}/", report.environment, places.join("+")),
        at: report.generated_at,
        rules: rules.iter().map(|it| rule(it)).collect(),
        notifications: unseen(&report.not_checked, frame),
        results,
    })
}

/// What differs between our runs.
pub(super) struct Run {
    /// Runs of one id replace each other's results.
    pub(super) id: String,
    pub(super) at: DateTime<Utc>,
    pub(super) rules: Vec<Value>,
    pub(super) notifications: Vec<Value>,
    pub(super) results: Vec<Value>,
}

/// The document of a run.
pub(super) fn document(run: &Run) -> Result<String> {
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "vault-kit",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": run.rules,
            }},
            // Those of another environment or place stay.
            "automationDetails": { "id": run.id },
            "invocations": [{
                "executionSuccessful": true,
                "endTimeUtc": run.at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "toolExecutionNotifications": run.notifications,
            }],
            "results": run.results,
        }],
    });
    let text =
        serde_json::to_string_pretty(&document).map_err(|_| Error::bug("the report cannot be written as JSON"))?;
    Ok(escaped(&text) + "\n")
}

fn rule(it: &Explanation) -> Value {
    json!({
        "id": it.code,
        "shortDescription": { "text": it.summary() },
        "fullDescription": { "text": format!("{} {}", it.cause, it.risk) },
        "help": {
            "text": format!("Cause: {}\nRisk: {}\nCure: {}", it.cause, it.risk, it.cure),
            "markdown": format!("**Cause.** {}\n\n**Risk.** {}\n\n**Cure.** {}", it.cause, it.risk, it.cure),
        },
        "defaultConfiguration": { "level": level(it.severity()) },
        "properties": { "tags": ["security"] },
    })
}

fn result(
    report: &Report,
    frame: &Frame,
    finding: &Finding,
    rules: &BTreeMap<&str, usize>,
    twins: &mut BTreeMap<String, usize>,
) -> Value {
    let (file, line) = frame.place(finding);
    let mut physical = json!({ "artifactLocation": artifact(&file) });
    if let Some(line) = line {
        physical["region"] = json!({ "startLine": line });
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(secret) = &finding.secret {
        let full = format!("{}/{secret}", report.environment);
        location["logicalLocations"] =
            json!([{ "name": secret.as_str(), "fullyQualifiedName": full, "kind": "resource" }]);
    }
    let identity = identity(report, finding);
    let twin = twins.entry(identity.clone()).and_modify(|count| *count += 1).or_insert(1);
    let fingerprint = format!("{identity}:{twin}");
    let mut result = json!({
        "ruleId": finding.code.text(),
        "level": level(finding.severity),
        "message": { "text": format!("{}{}\nfix: {}", weight(finding.severity), sentence(finding), plain(&finding.fix)) },
        "locations": [location],
        // The second is what GitHub follows an alert by; the line that it would hash itself says nothing about a file.
        "partialFingerprints": { "vaultKit/v1": fingerprint, "primaryLocationLineHash": fingerprint },
    });
    if let Some(at) = rules.get(finding.code.text()) {
        result["ruleIndex"] = json!(at);
    }
    result
}

/// What stays the same from run to run: neither words, which may tell of days, nor the line.
fn identity(report: &Report, finding: &Finding) -> String {
    let secret = finding.secret.as_ref().map_or("", |secret| secret.as_str());
    let file = finding.file.as_deref().unwrap_or_default();
    let text = [report.environment.as_str(), finding.code.text(), secret, file].join("\0");
    sha256_hex(text.as_bytes())[..32].to_owned()
}

pub(super) fn unseen(not_checked: &[NotChecked], frame: &Frame) -> Vec<Value> {
    let level = if frame.strict { "error" } else { "note" };
    let notification = |text: String| json!({ "level": level, "message": { "text": text } });
    not_checked.iter().map(|it| notification(format!("not checked: {}: {}", plain(&it.what), plain(&it.why)))).collect()
}

/// A path as a URI reference (RFC 3986): absolute, or relative to the top of the repository.
pub(super) fn artifact(file: &str) -> Value {
    let mut uri = if file.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    if file.starts_with('/') { json!({ "uri": uri }) } else { json!({ "uri": uri, "uriBaseId": BASE }) }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}
