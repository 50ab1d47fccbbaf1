//! The report as GitHub Actions reads it: workflow commands, which become annotations, and a summary of the step.

use std::fmt::Write as _;

use super::frame::Frame;
use super::human;
use super::words::{plain, sentence, subject};
use crate::check::{Finding, NotChecked, Report, Severity};

/// Rows of a summary: a step may add 1 MiB, and nobody reads more.
const ROWS: usize = 500;

/// One workflow command a finding, and the summary's line, which is none.
pub fn render(report: &Report, frame: &Frame) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let (file, line) = frame.place(finding);
        let line = line.map_or_else(String::new, |line| format!(",line={line}"));
        let title = format!("{} {}", finding.code.text(), subject(finding));
        let message = format!("{}\nfix: {}", sentence(finding), plain(&finding.fix));
        let _ = writeln!(
            text,
            "::{} file={}{line},title={}::{}",
            command(finding.severity),
            property(&plain(&file)),
            property(title.trim_end()),
            data(&message)
        );
    }
    tell_unseen(&mut text, &report.not_checked, frame);
    let _ = writeln!(text, "{}", human::summary(report, false));
    text
}

/// Workflow commands for what was not looked at.
pub(super) fn tell_unseen(text: &mut String, not_checked: &[NotChecked], frame: &Frame) {
    for unseen in not_checked {
        let level = if frame.strict { "error" } else { "notice" };
        let message = format!("{}: {}", plain(&unseen.what), plain(&unseen.why));
        let _ = writeln!(text, "::{level} title=not checked::{}", data(&message));
    }
}

/// The summary of the step in Markdown, which is added to the file that the runner names.
pub fn step_summary(report: &Report, frame: &Frame) -> String {
    let rows = report.findings.iter().map(|finding| row(finding, frame));
    let summary = human::summary(report, false);
    markdown(("check", &summary), "| | code | about | what | fix |", rows, &report.not_checked)
}

/// What a command found: its name and its summary, a table under a head of five columns, and what was not looked at.
pub(super) fn markdown(
    (command, summary): (&str, &str),
    head: &str,
    rows: impl ExactSizeIterator<Item = String>,
    not_checked: &[NotChecked],
) -> String {
    let mut text = format!("### vault-kit {command}\n\n{}\n", cell(summary));
    let found = rows.len();
    let rows: Vec<String> = rows.take(ROWS).collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n{head}\n|---|---|---|---|---|\n{}", rows.concat());
    }
    if found > ROWS {
        let _ = writeln!(text, "\n… and {} more", found - ROWS);
    }
    let mut gap = "\n";
    for it in not_checked.iter().take(ROWS) {
        let _ = writeln!(text, "{gap}- not checked: {}: {}", cell(&it.what), cell(&it.why));
        gap = "";
    }
    text
}

fn row(finding: &Finding, frame: &Frame) -> String {
    let mark = if frame.fails(finding) { "✗ " } else { "" };
    let (code, severity) = (finding.code.text(), finding.severity.text());
    let (about, what, fix) = (cell(&subject(finding)), cell(&finding.message), cell(&finding.fix));
    format!("| {mark}{severity} | {code} | {about} | {what} | {fix} |\n")
}

fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// The message of a workflow command, by the runner's own rules.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A cell of a table, in which nothing of a path or message is markup: neither a link, nor HTML, nor a mention.
pub(super) fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for it in plain(text).chars() {
        match it {
            '&' => cell.push_str("&amp;"),
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '@' => cell.push_str("&#64;"),
            // GFM makes a link of a bare address.
            ':' => cell.push_str("&#58;"),
            it if it.is_ascii_punctuation() && !"-./,'\"=;%".contains(it) => cell.extend(['\\', it]),
            it => cell.push(it),
        }
    }
    cell
}
