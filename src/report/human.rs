//! The report as text for people.

use std::fmt::Write as _;

use crate::check::{Finding, Report};
use crate::ui::counted;

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// The findings with their fixes, what was not looked at, and a summary. Escape sequences only with `color`.
pub fn render(report: &Report, color: bool) -> String {
    let mut text = String::new();
    let width = report.findings.iter().map(|finding| finding.code.text().len()).max().unwrap_or(0);
    for finding in &report.findings {
        let code = painted(finding.code.text(), RED, color);
        let padding = width - finding.code.text().len();
        line(&mut text, format_args!("{code}{:padding$}  {}", "", sentence(finding)));
        line(&mut text, format_args!("{:width$}  fix: {}", "", shown(&finding.fix)));
    }
    for unseen in &report.not_checked {
        let label = painted("not checked", YELLOW, color);
        line(&mut text, format_args!("{label}  {}: {}", shown(&unseen.what), shown(&unseen.why)));
    }
    line(&mut text, format_args!("{}", summary(report, color)));
    text
}

/// What it is about and what is wrong with it.
fn sentence(finding: &Finding) -> String {
    let subject = match (&finding.secret, &finding.file) {
        (_, Some(file)) => match finding.line {
            Some(line) => format!("{}:{line}", shown(file)),
            None => shown(file),
        },
        (Some(secret), None) => secret.to_string(),
        (None, None) => String::new(),
    };
    format!("{subject}  {}", shown(&finding.message))
}

fn summary(report: &Report, color: bool) -> String {
    let environment = &report.environment;
    let seen = &report.looked_at;
    let counts = [(seen.secrets, "secret"), (seen.files, "file"), (seen.variables, "variable")];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| counted(n, what));
    let remote = (seen.remote > 0).then(|| format!("{} in AWS", counted(seen.remote, "secret")));
    let looked: Vec<String> = counts.chain(remote).collect();
    let looked = if looked.is_empty() { "the manifest".to_owned() } else { looked.join(", ") };
    let verdict = match report.findings.len() {
        0 => painted("no problem found", GREEN, color),
        n => painted(&format!("{} found", counted(n, "problem")), RED, color),
    };
    let unseen = match report.not_checked.len() {
        0 => String::new(),
        n => format!("; {} not checked", counted(n, "item")),
    };
    format!("{environment}: looked at {looked}: {verdict}{unseen}")
}

fn painted(text: &str, paint: &str, color: bool) -> String {
    if color { format!("{paint}{text}{PLAIN}") } else { text.to_owned() }
}

/// A path or a manifest's word may hold control characters, which would drive the reader's terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::check::finding::{LookedAt, SCHEMA_VERSION};
    use crate::check::{Code, NotChecked, Place};
    use crate::name::{EnvName, SecretName};

    pub(in crate::report) fn report() -> Report {
        Report {
            schema_version: SCHEMA_VERSION,
            environment: EnvName::new("dev").unwrap(),
            generated_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            places: vec![Place::Host],
            looked_at: LookedAt { secrets: 3, files: 1, variables: 0, remote: 0 },
            findings: vec![
                Finding::new(Code::ModeTooOpen, "mode 0644 is wider than the declared 0600", "chmod 0600 .env")
                    .of_file(".env"),
                Finding::new(Code::Missing, "has no value yet", "vault-kit generate POSTGRES_PASSWORD")
                    .about(&SecretName::new("POSTGRES_PASSWORD").unwrap()),
            ],
            not_checked: vec![NotChecked { what: "git".into(), why: "its index is damaged".into() }],
        }
    }

    #[test]
    fn each_finding_has_its_fix_beneath_it() {
        let expected = "\
mode-too-open  .env  mode 0644 is wider than the declared 0600
               fix: chmod 0600 .env
missing        POSTGRES_PASSWORD  has no value yet
               fix: vault-kit generate POSTGRES_PASSWORD
not checked  git: its index is damaged
dev: looked at 3 secrets, 1 file: 2 problems found; 1 item not checked
";
        assert_eq!(render(&report(), false), expected);
    }

    #[test]
    fn colour_is_the_only_escape_and_only_on_request() {
        let mut report = report();
        report.findings[0].file = Some("\x1b[2J.env".into());
        assert!(!render(&report, false).contains('\x1b'));
        let coloured = render(&report, true);
        assert!(coloured.contains(RED) && !coloured.contains("\x1b[2J"));
    }

    #[test]
    fn nothing_wrong_is_said_in_one_line() {
        let report = Report { findings: Vec::new(), not_checked: Vec::new(), ..report() };
        assert_eq!(render(&report, false), "dev: looked at 3 secrets, 1 file: no problem found\n");
        assert_eq!(report.exit_kind(true), None);
    }
}
