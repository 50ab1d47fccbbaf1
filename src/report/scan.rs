//! The report of `scan`: here as text for people, beneath as CI systems read it.

pub mod github;
pub mod junit;
pub mod sarif;

use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::frame::Frame;
use super::human::{GREEN, RED, YELLOW, line, painted};
use super::words::plain;
use crate::scan::{Code, Finding, Report, Severity, Within};
use crate::ui::{counted, grouped};

/// So many places of one value in one file are told one by one to people. Machines are told all.
const MOST: usize = 10;

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
        if finding.within != Within::File {
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

/// What people are told of findings, and behind the last place of a value in a file, how many more there are.
fn first_of_each(findings: &[Finding]) -> Vec<(&Finding, usize)> {
    // The line that lets it pass tells file and value.
    let mut all: HashMap<&str, usize> = HashMap::new();
    for finding in findings {
        *all.entry(&finding.ignore).or_default() += 1;
    }
    let mut told: HashMap<&str, usize> = HashMap::new();
    let shown = findings.iter().filter_map(|finding| {
        let told = told.entry(&finding.ignore).or_default();
        *told += 1;
        let more = if *told == MOST { all.get(finding.ignore.as_str()).map_or(0, |all| all - MOST) } else { 0 };
        (*told <= MOST).then_some((finding, more))
    });
    shown.collect()
}

/// That there are more of the same; empty where there are none.
fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!("and {} more in this file", grouped(more)) }
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
    for (finding, more) in first_of_each(&report.findings) {
        let paint = if finding.severity == Severity::Error { RED } else { YELLOW };
        let padding = width - finding.rule.len();
        let rule = painted(finding.rule, paint, color);
        line(&mut text, format_args!("{rule}{:padding$}  {}  {}", "", place(finding), plain(&finding.message)));
        line(&mut text, format_args!("{:width$}  fix: {}", "", plain(&finding.fix)));
        if more > 0 {
            line(&mut text, format_args!("{:width$}  {}", "", and_more(more)));
        }
    }
    for (finding, more) in first_of_each(&report.ignored) {
        let label = painted("ignored", YELLOW, color);
        let why = finding.ignored.as_deref().unwrap_or_default();
        line(&mut text, format_args!("{label}  {}  {}: {}", place(finding), finding.rule, plain(why)));
        if more > 0 {
            line(&mut text, format_args!("{label}  {}", and_more(more)));
        }
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
    let count = |is: fn(&Finding) -> bool| report.findings.iter().filter(|it| is(it)).count();
    let archives = count(|it| it.code == Code::Unsearched);
    let leaks = count(|it| it.severity == Severity::Error) - archives;
    let warnings = report.findings.len() - leaks - archives;
    let unsearched = format!("{} not looked through", counted(archives, "archive"));
    let verdict = match (leaks, archives, warnings) {
        (0, 0, 0) => painted("no leak found", GREEN, color),
        (0, 0, _) => painted(&format!("{} to look at", counted(warnings, "finding")), YELLOW, color),
        (0, _, _) => painted(&unsearched, RED, color),
        (_, 0, _) => painted(&format!("{} found", counted(leaks, "leak")), RED, color),
        _ => painted(&format!("{} found, {unsearched}", counted(leaks, "leak")), RED, color),
    };
    let unseen = match report.not_checked.len() {
        0 => String::new(),
        n => format!("; {} not checked", counted(n, "item")),
    };
    format!("{looked}: {verdict}{unseen}")
}
