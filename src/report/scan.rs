//! The report of `scan` as text for people.

use std::fmt::Write as _;

use super::human::{GREEN, RED, YELLOW, line, painted};
use super::words::plain;
use crate::scan::{Finding, Report, Severity};
use crate::ui::{counted, grouped};

/// The findings with their fixes, what was let pass, what was not looked at, and a summary. Escape sequences only with
/// `color`.
pub fn render(report: &Report, color: bool) -> String {
    let mut text = String::new();
    let width = report.findings.iter().map(|finding| finding.rule.len()).max().unwrap_or(0);
    for finding in &report.findings {
        let paint = if finding.severity == Severity::Error { RED } else { YELLOW };
        let padding = width - finding.rule.len();
        let rule = painted(finding.rule, paint, color);
        line(&mut text, format_args!("{rule}{:padding$}  {}  {}", "", place(finding), plain(&finding.message)));
        line(&mut text, format_args!("{:width$}  fix: {}", "", plain(&finding.fix)));
    }
    for finding in &report.ignored {
        let label = painted("ignored", YELLOW, color);
        let why = finding.ignored.as_deref().unwrap_or_default();
        line(&mut text, format_args!("{label}  {}  {}: {}", place(finding), finding.rule, plain(why)));
    }
    for unseen in &report.not_checked {
        let label = painted("not checked", YELLOW, color);
        line(&mut text, format_args!("{label}  {}: {}", plain(&unseen.what), plain(&unseen.why)));
    }
    line(&mut text, format_args!("{}", summary(report, color)));
    text
}

/// File and line, or byte, and the commit.
fn place(finding: &Finding) -> String {
    let mut place = plain(&finding.file);
    // Writing to a String cannot fail.
    let _ = match finding.offset {
        Some(offset) => write!(place, " (byte {offset})"),
        None => write!(place, ":{}", finding.line),
    };
    if let Some(commit) = &finding.commit {
        let _ = write!(place, " in commit {commit:.10}");
    }
    place
}

fn summary(report: &Report, color: bool) -> String {
    let seen = &report.looked_at;
    let number = |n: u64| grouped(usize::try_from(n).unwrap_or(usize::MAX));
    let commits = if seen.commits > 0 { format!(" of {} commits", number(seen.commits)) } else { String::new() };
    let looked = format!("looked for {} in {} files{commits}", counted(seen.values, "value"), number(seen.files));
    let errors = report.findings.iter().filter(|it| it.severity == Severity::Error).count();
    let warnings = report.findings.len() - errors;
    let verdict = match (errors, warnings) {
        (0, 0) => painted("no leak found", GREEN, color),
        (0, _) => painted(&format!("{} to look at", counted(warnings, "finding")), YELLOW, color),
        _ => painted(&format!("{} found", counted(errors, "leak")), RED, color),
    };
    let unseen = match report.not_checked.len() {
        0 => String::new(),
        n => format!("; {} not checked", counted(n, "item")),
    };
    format!("{looked}: {verdict}{unseen}")
}
