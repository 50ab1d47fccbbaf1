//! The report of `scan` as `JUnit` XML: a case for each finding, and one for what was looked for.

use super::{Told, sentence, title};
use crate::report::junit::{Case, Outcome, Suite, document};
use crate::report::words::plain;
use crate::scan::{Finding, Severity};
use crate::ui::counted;

/// One document.
pub fn render(told: &Told<'_>) -> String {
    let report = told.report;
    let looked = format!("looked for {}", counted(report.looked_at.values, "value"));
    let mut cases = vec![Case::passed("looked for: value", looked)];
    cases.extend(report.findings.iter().map(case));
    cases.extend(report.ignored.iter().map(|finding| {
        let why = format!("ignored: {}", plain(finding.ignored.as_deref().unwrap_or_default()));
        Case { name: name(finding), outcome: Outcome::Skipped(why) }
    }));
    let mut suites = vec![Suite::new(format!("vault-kit scan {}", told.about), cases)];
    if !report.not_checked.is_empty() {
        suites.push(Suite::of_unseen("vault-kit scan", &report.not_checked, told.frame));
    }
    document("vault-kit scan", &suites, None, told.at)
}

/// What only warns passes here too, and has its words all the same.
fn case(finding: &Finding) -> Case {
    let (message, fix) = (sentence(finding), format!("fix: {}", plain(&finding.fix)));
    let outcome = match finding.severity {
        Severity::Error => Outcome::Failed { kind: finding.rule, message, text: fix },
        Severity::Warning => Outcome::Passed(format!("warning: {message}\n{fix}")),
    };
    Case { name: name(finding), outcome }
}

fn name(finding: &Finding) -> String {
    format!("{} {}", title(finding), plain(&finding.file))
}
