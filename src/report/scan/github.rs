//! The report of `scan` as GitHub Actions reads it.

use std::fmt::Write as _;

use super::{Told, place, sentence, summary, title};
use crate::report::github::{ROWS, cell, data, property};
use crate::report::words::plain;
use crate::scan::{Finding, Severity};

/// One workflow command a finding, and the summary's line, which is none.
pub fn render(told: &Told<'_>) -> String {
    let mut text = String::new();
    for finding in &told.report.findings {
        let (file, line) = told.place(finding);
        let line = line.map_or_else(String::new, |line| format!(",line={line}"));
        let message = format!("{}\nfix: {}", sentence(finding), plain(&finding.fix));
        let (level, file, title) = (level(finding), property(&plain(&file)), property(&title(finding)));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "::{level} file={file}{line},title={title}::{}", data(&message));
    }
    for unseen in &told.report.not_checked {
        let level = if told.frame.strict { "error" } else { "notice" };
        let message = format!("{}: {}", plain(&unseen.what), plain(&unseen.why));
        let _ = writeln!(text, "::{level} title=not checked::{}", data(&message));
    }
    let _ = writeln!(text, "{}", summary(told.report, false));
    text
}

/// The summary of the step in Markdown.
pub fn step_summary(told: &Told<'_>) -> String {
    let report = told.report;
    let mut text = format!("### vault-kit scan\n\n{}\n", cell(&summary(report, false)));
    let rows: Vec<String> = report.findings.iter().take(ROWS).map(row).collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n| | what | where | | fix |\n|---|---|---|---|---|\n{}", rows.concat());
    }
    if report.findings.len() > ROWS {
        let _ = writeln!(text, "\n… and {} more", report.findings.len() - ROWS);
    }
    let mut gap = "\n";
    for it in report.not_checked.iter().take(ROWS) {
        let _ = writeln!(text, "{gap}- not checked: {}: {}", cell(&it.what), cell(&it.why));
        gap = "";
    }
    text
}

fn row(finding: &Finding) -> String {
    let mark = if finding.severity == Severity::Error { "✗ " } else { "" };
    let (what, at) = (cell(&title(finding)), cell(&place(finding)));
    format!("| {mark}{} | {what} | {at} | {} | {} |\n", level(finding), cell(&finding.message), cell(&finding.fix))
}

fn level(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
