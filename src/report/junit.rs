//! The report as `JUnit` XML, in the form that Jenkins' schemas and GitLab describe: a suite for each place, a case for each
//! finding, and one for each sort of thing that was looked at.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::frame::Frame;
use super::human;
use super::words::{plain, sentence, subject};
use crate::check::{Finding, NotChecked, Place, Report};
use crate::ui::counted;

/// One document.
pub fn render(report: &Report, frame: &Frame) -> String {
    let mut suites: Vec<Suite> = report.places.iter().map(|&place| Suite::of_place(report, place, frame)).collect();
    if !report.not_checked.is_empty() {
        suites.push(Suite::of_unseen("vault-kit check", &report.not_checked, frame));
    }
    document("vault-kit check", &suites, Some(report.environment.as_str()), report.generated_at)
}

/// The document of some suites; `about` is added to the name of each.
pub(super) fn document(title: &str, suites: &[Suite], about: Option<&str>, at: DateTime<Utc>) -> String {
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    line(
        &mut text,
        format_args!(
            "<testsuites name=\"{title}\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
            sum(Suite::tests),
            sum(Suite::failures)
        ),
    );
    let timestamp = at.format("%Y-%m-%dT%H:%M:%S");
    for suite in suites {
        let about = about.map_or_else(String::new, |about| format!(" ({about})"));
        suite.write(&mut text, &format!("{}{about}", suite.name), &timestamp.to_string());
    }
    text.push_str("</testsuites>\n");
    text
}

/// Cases that belong together.
pub(super) struct Suite {
    name: String,
    cases: Vec<Case>,
}

/// One thing that was looked at, or found.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

/// How a case ended, with its words.
pub(super) enum Outcome {
    Passed(String),
    Skipped(String),
    Failed { kind: &'static str, message: String, text: String },
}

impl Suite {
    fn of_place(report: &Report, place: Place, frame: &Frame) -> Self {
        let seen = &report.looked_at;
        let looked: &[(usize, &str)] = match place {
            Place::Env => &[(seen.variables, "variable")],
            Place::Host => &[(seen.secrets, "secret"), (seen.files, "file")],
            Place::Remote => &[(seen.remote, "secret in AWS")],
            Place::Repo => &[],
        };
        let mut cases = vec![Case::passed("manifest", "the manifest is valid".to_owned())];
        cases.extend(looked.iter().map(|&(count, thing)| {
            let words = if thing == "secret in AWS" { human::in_aws(count) } else { counted(count, thing) };
            Case::passed(&format!("looked at: {thing}"), format!("looked at {words}"))
        }));
        let is_here = |finding: &&Finding| finding.place.or(report.places.first().copied()) == Some(place);
        cases.extend(report.findings.iter().filter(is_here).map(|finding| Case::of(finding, frame)));
        let allowed = report.allowed.iter().filter(|it| is_here(&&it.finding));
        cases.extend(allowed.map(|it| {
            let words = format!("allowed until {}: {}", it.until, plain(&it.reason));
            Case { name: name(&it.finding), outcome: Outcome::Skipped(words) }
        }));
        Self::new(format!("vault-kit check {}", place.text()), cases)
    }

    /// What was not looked at.
    pub(super) fn of_unseen(title: &str, not_checked: &[NotChecked], frame: &Frame) -> Self {
        let case = |it: &NotChecked| {
            let (name, why) = (plain(&it.what), plain(&it.why));
            let outcome = if frame.strict {
                Outcome::Failed { kind: "not-checked", message: format!("not checked: {why}"), text: String::new() }
            } else {
                Outcome::Skipped(format!("not checked: {why}"))
            };
            Case { name, outcome }
        };
        Self::new(format!("{title}: not checked"), not_checked.iter().map(case).collect())
    }

    /// Names are what a CI server follows a case by: two of one name would be one case to it.
    pub(super) fn new(name: String, cases: Vec<Case>) -> Self {
        let mut suite = Self { name, cases };
        let mut seen = std::collections::BTreeMap::<String, usize>::new();
        for case in &mut suite.cases {
            let count = seen.entry(case.name.clone()).and_modify(|count| *count += 1).or_insert(1);
            if *count > 1 {
                let _ = write!(case.name, " ({count})");
            }
        }
        suite
    }

    fn tests(&self) -> usize {
        self.cases.len()
    }

    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.outcome, Outcome::Failed { .. })).count()
    }

    fn skipped(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.outcome, Outcome::Skipped(_))).count()
    }

    fn write(&self, text: &mut String, name: &str, timestamp: &str) {
        let (tests, failures, skipped) = (self.tests(), self.failures(), self.skipped());
        line(
            text,
            format_args!(
                "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" \
                 time=\"0\" timestamp=\"{timestamp}\">",
                escaped(name)
            ),
        );
        for case in &self.cases {
            case.write(text, &self.name);
        }
        text.push_str("  </testsuite>\n");
    }
}

impl Case {
    pub(super) fn passed(name: &str, words: String) -> Self {
        Self { name: name.to_owned(), outcome: Outcome::Passed(words) }
    }

    /// What does not fail the run passes here too, and has its words all the same.
    fn of(finding: &Finding, frame: &Frame) -> Self {
        let message = format!("{}: {}", finding.severity.text(), sentence(finding));
        let advice = format!("fix: {}\nmore: vault-kit explain {}", plain(&finding.fix), finding.code.text());
        let outcome = if frame.fails(finding) {
            Outcome::Failed { kind: finding.code.text(), message, text: advice }
        } else {
            Outcome::Passed(format!("{message}\n{advice}"))
        };
        Self { name: name(finding), outcome }
    }

    fn write(&self, text: &mut String, class: &str) {
        let (name, class) = (escaped(&self.name), escaped(class));
        let inner = match &self.outcome {
            Outcome::Passed(words) => format!("<system-out>{}</system-out>", escaped(words)),
            Outcome::Skipped(words) => format!("<skipped>{}</skipped>", escaped(words)),
            Outcome::Failed { kind, message, text } => {
                format!("<failure type=\"{kind}\" message=\"{}\">{}</failure>", escaped(message), escaped(text))
            }
        };
        line(text, format_args!("    <testcase name=\"{name}\" classname=\"{class}\" time=\"0\">{inner}</testcase>"));
    }
}

/// The line may move while the finding stays the same.
fn name(finding: &Finding) -> String {
    let subject = subject(&Finding { line: None, ..finding.clone() });
    format!("{} {subject}", finding.code.text()).trim_end().to_owned()
}

/// Text of an element or an attribute (XML 1.0 §2.4). Every newline in it is ours: it would be a space in an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            it => escaped.push(it),
        }
    }
    escaped
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
