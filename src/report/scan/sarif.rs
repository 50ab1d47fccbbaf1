//! The report of `scan` as SARIF 2.1.0: one rule for known values and one for each form of a credential that was found.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Told, sentence};
use crate::error::Result;
use crate::gather::Gather;
use crate::report::sarif::{Run, artifact, document, unseen};
use crate::report::words::plain;
use crate::scan::{Code, Finding, Severity};
use crate::secret::digest::sha256_hex;

/// One document with one run.
pub fn render(told: &Told<'_>) -> Result<String> {
    let report = told.report;
    let all = || report.findings.iter().chain(&report.ignored);
    let rules: BTreeMap<&str, &Finding> = all().map(|finding| (finding.rule, finding)).gather();
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, rule)| (*rule, at)).gather();
    let mut twins = BTreeMap::new();
    document(&Run {
        id: format!("vault-kit-scan/{}/", told.about),
        at: told.at,
        rules: rules.values().map(|finding| rule(finding)).collect(),
        notifications: unseen(&report.not_checked, told.frame),
        results: all().map(|finding| result(told, finding, &index, &mut twins)).collect(),
    })
}

fn rule(finding: &Finding) -> Value {
    let (what, cure) = match finding.code {
        Code::Leaked => {
            ("The value of a secret of this project.".to_owned(), "Replace the value: `vault-kit incident NAME`.")
        }
        Code::Pattern => {
            let what = format!("What looks like somebody's credential: {}.", finding.rule.replace('-', " "));
            (what, "Take it out, and have it revoked where it was issued.")
        }
        Code::Unsearched => {
            let what =
                "An archive of which more comes out than is looked through. What is in it is not known.".to_owned();
            (what, "Unpack it, and look through what comes out: `vault-kit scan DIRECTORY`.")
        }
    };
    json!({
        "id": finding.rule,
        "shortDescription": { "text": what },
        "fullDescription": { "text": format!("{what} It stands where others read it.") },
        "help": { "text": cure, "markdown": cure },
        "defaultConfiguration": { "level": level(finding) },
        "properties": { "tags": ["security"] },
    })
}

fn result(
    told: &Told<'_>,
    finding: &Finding,
    rules: &BTreeMap<&str, usize>,
    twins: &mut BTreeMap<String, usize>,
) -> Value {
    let (file, line) = told.place(finding);
    let mut physical = json!({ "artifactLocation": artifact(&file) });
    if let Some(line) = line {
        physical["region"] = json!({ "startLine": line });
    }
    // Rule, fingerprint and path: what stays the same when lines move.
    let identity = sha256_hex(finding.ignore.as_bytes())[..32].to_owned();
    let twin = twins.entry(identity.clone()).and_modify(|count| *count += 1).or_insert(1);
    let fingerprint = format!("{identity}:{twin}");
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.get(finding.rule),
        "level": level(finding),
        "message": { "text": format!("{}\nfix: {}", sentence(finding), plain(&finding.fix)) },
        "locations": [{ "physicalLocation": physical }],
        "partialFingerprints": { "vaultKit/v1": fingerprint, "primaryLocationLineHash": fingerprint },
    });
    if let Some(reason) = &finding.ignored {
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": plain(reason) }]);
    }
    result
}

fn level(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
