//! The report of `scan`: here as text for people, beneath as CI systems read it.

pub mod github;
pub mod junit;
pub mod sarif;

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::frame::Frame;
use super::human::{GREEN, RED, YELLOW, line, painted};
use super::words::plain;
use crate::scan::{Finding, Report, Severity, message};
use crate::ui::{counted, grouped};

/// The report with what its renderings need besides.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The report.
    pub report: &'a Report,
    /// Where things are, and what fails.
    pub frame: &'a Frame,
    /// What was looked at, in a word.
    pub about: &'static str,
    /// When.
    pub at: DateTime<Utc>,
}

impl Told<'_> {
    /// The file that a finding is shown in, from the top of the repository, and the line: the archive for what is in one, and
    /// the manifest for what is in no file.
    fn place(&self, finding: &Finding) -> (String, Option<u64>) {
        let frame = self.frame;
        let is_of_commit = finding.commit.is_some() && ["(the ", "refs/"].iter().any(|it| finding.file.starts_with(it));
        if is_of_commit || finding.file == message::NEXT {
            return (frame.below_top(&frame.manifest), None);
        }
        let (file, member) =
            finding.file.split_once('!').map_or((finding.file.as_str(), false), |(file, _)| (file, true));
        let line = (!member && finding.offset.is_none()).then_some(finding.line);
        (frame.below_top(file), line)
    }
}

/// What a finding is about, without the line, which may move.
fn title(finding: &Finding) -> String {
    let secret = finding.secret.as_ref().map_or_else(String::new, |secret| format!(" {secret}"));
    format!("{}{secret}", finding.rule)
}

/// What is wrong, with its place in front.
fn sentence(finding: &Finding) -> String {
    format!("{} {}", place(finding), plain(&finding.message))
}

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
    let number = |n: u64, thing: &str| {
        let ending = if n == 1 { "" } else { "s" };
        format!("{} {thing}{ending}", grouped(usize::try_from(n).unwrap_or(usize::MAX)))
    };
    let commits = if seen.commits > 0 { format!(" of {}", number(seen.commits, "commit")) } else { String::new() };
    let looked = format!("looked for {} in {}{commits}", counted(seen.values, "value"), number(seen.files, "file"));
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
