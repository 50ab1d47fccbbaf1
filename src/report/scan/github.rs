//! The report of `scan` as GitHub Actions reads it.

use std::fmt::Write as _;

use super::{Told, and_more, first_of_each, place, sentence, summary, title};
use crate::report::github::{cell, data, markdown, property, tell_unseen};
use crate::report::words::plain;
use crate::scan::{Finding, Severity};

/// One workflow command a finding, and the summary's line, which is none.
pub fn render(told: &Told<'_>) -> String {
    let mut text = String::new();
    for (finding, more) in first_of_each(&told.report.findings) {
        let (file, line) = told.place(finding);
        let line = line.map_or_else(String::new, |line| format!(",line={line}"));
        let message = format!("{}\nfix: {}\n{}", sentence(finding), plain(&finding.fix), and_more(more));
        let (level, file, title) = (level(finding), property(&plain(&file)), property(&title(finding)));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "::{level} file={file}{line},title={title}::{}", data(message.trim_end()));
    }
    tell_unseen(&mut text, &told.report.not_checked, told.frame);
    let _ = writeln!(text, "{}", summary(told.report, false));
    text
}

/// The summary of the step in Markdown.
pub fn step_summary(told: &Told<'_>) -> String {
    let report = told.report;
    let summary = summary(report, false);
    markdown(
        ("scan", &summary),
        "| | what | where | | fix |",
        first_of_each(&report.findings).into_iter().map(row),
        &report.not_checked,
    )
}

fn row((finding, more): (&Finding, usize)) -> String {
    let mark = if finding.severity == Severity::Error { "✗ " } else { "" };
    let (what, at) = (cell(&title(finding)), cell(&place(finding)));
    let message = [finding.message.as_str(), "; ", &and_more(more)].concat();
    let message = message.trim_end_matches("; ");
    format!("| {mark}{} | {what} | {at} | {} | {} |\n", level(finding), cell(message), cell(&finding.fix))
}

fn level(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
