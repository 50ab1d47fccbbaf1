//! The report as text for people.

use std::fmt::Write as _;

use super::words::{plain, subject, weight};
use crate::check::{Report, Severity};
use crate::ui::counted;

pub(super) const RED: &str = "\x1b[31m";
pub(super) const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";
pub(super) const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// The findings with their fixes, what was not looked at, and a summary. Escape sequences only with `color`.
pub fn render(report: &Report, color: bool) -> String {
    let mut text = String::new();
    let width = report.findings.iter().map(|finding| finding.code.text().len()).max().unwrap_or(0);
    for finding in &report.findings {
        let code = painted(finding.code.text(), paint(finding.severity), color);
        let padding = width - finding.code.text().len();
        let (about, weight, message) = (subject(finding), weight(finding.severity), plain(&finding.message));
        line(&mut text, format_args!("{code}{:padding$}  {about}  {weight}{message}", ""));
        line(&mut text, format_args!("{:width$}  fix: {}", "", plain(&finding.fix)));
    }
    for it in &report.allowed {
        let label = painted("allowed", YELLOW, color);
        let (code, about, reason) = (it.finding.code.text(), subject(&it.finding), plain(&it.reason));
        line(&mut text, format_args!("{label}  {code}  {about}  until {}: {reason}", it.until));
    }
    for unseen in &report.not_checked {
        let label = painted("not checked", YELLOW, color);
        line(&mut text, format_args!("{label}  {}: {}", plain(&unseen.what), plain(&unseen.why)));
    }
    line(&mut text, format_args!("{}", summary(report, color)));
    text
}

/// How much was looked at, and how much of what weight was found.
pub(super) fn summary(report: &Report, color: bool) -> String {
    let environment = &report.environment;
    let seen = &report.looked_at;
    let counts =
        [(seen.secrets, "secret"), (seen.files, "file"), (seen.variables, "variable"), (seen.services, "service")];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| counted(n, what));
    let remote = (seen.remote > 0).then(|| in_aws(seen.remote));
    let commits = (seen.commits > 0).then(|| counted(seen.commits, "commit"));
    let looked: Vec<String> = counts.chain(remote).chain(commits).collect();
    let looked = if looked.is_empty() { "the manifest".to_owned() } else { looked.join(", ") };
    let mut text = format!("{environment}: looked at {looked}: {}", verdict(report, color));
    let left_out = &report.left_out;
    let allowed = (report.allowed.len(), "allowed by the manifest");
    let unchanged = (left_out.unchanged, "left out as unchanged");
    for (count, words) in [allowed, (left_out.codes, "left out by `--only` or `--skip`"), unchanged] {
        if count > 0 {
            // Writing to a String cannot fail.
            let _ = write!(text, "; {count} {words}");
        }
    }
    if !report.not_checked.is_empty() {
        let _ = write!(text, "; {} not checked", counted(report.not_checked.len(), "item"));
    }
    text
}

/// What was found, errors, warnings and notices apart.
fn verdict(report: &Report, color: bool) -> String {
    let kinds = [(Severity::Error, "problem"), (Severity::Warning, "warning"), (Severity::Notice, "notice")];
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let found = kinds.into_iter().map(|(severity, what)| (count(severity), what)).filter(|(n, _)| *n > 0);
    let found: Vec<String> = found.map(|(n, what)| counted(n, what)).collect();
    match report.findings.iter().map(|finding| finding.severity).max() {
        None => painted("no problem found", GREEN, color),
        Some(worst) => painted(&format!("{} found", found.join(", ")), paint(worst), color),
    }
}

/// A number of secrets in AWS.
pub(super) fn in_aws(count: usize) -> String {
    format!("{} in AWS", counted(count, "secret"))
}

fn paint(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Notice => CYAN,
    }
}

pub(super) fn painted(text: &str, paint: &str, color: bool) -> String {
    if color { format!("{paint}{text}{PLAIN}") } else { text.to_owned() }
}

pub(super) fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::check::finding::{LeftOut, LookedAt, SCHEMA_VERSION};
    use crate::check::{Code, Finding, NotChecked, Place};
    use crate::name::{EnvName, SecretName};

    pub(in crate::report) fn report() -> Report {
        Report {
            schema_version: SCHEMA_VERSION,
            environment: EnvName::new("dev").unwrap(),
            generated_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            places: vec![Place::Host],
            looked_at: LookedAt { secrets: 3, files: 1, variables: 0, services: 0, remote: 0, commits: 0 },
            findings: vec![
                Finding::new(Code::ModeTooOpen, "mode 0644 is wider than the declared 0600", "chmod 0600 .env")
                    .of_file(".env"),
                Finding::new(Code::Missing, "has no value yet", "vault-kit generate POSTGRES_PASSWORD")
                    .about(&SecretName::new("POSTGRES_PASSWORD").unwrap()),
            ],
            allowed: Vec::new(),
            left_out: LeftOut::default(),
            not_checked: vec![NotChecked { what: "git".into(), why: "its index is damaged".into() }],
            warnings: Vec::new(),
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
        assert_eq!(report.exit_kind(Severity::Notice, true), None);
    }

    #[test]
    fn what_weighs_less_is_told_as_such_and_counted_apart() {
        let expiring = Finding::new(Code::Expiring, "ends in 5 days", "vault-kit cert renew TLS").of_file("a.pem");
        let notice = Finding { severity: Severity::Notice, ..expiring.clone().at_line(7) };
        let left_out = LeftOut { codes: 3, unchanged: 2 };
        let report = Report { findings: vec![expiring, notice], left_out, not_checked: Vec::new(), ..report() };
        let expected = "\
expiring  a.pem  warning: ends in 5 days
          fix: vault-kit cert renew TLS
expiring  a.pem:7  notice: ends in 5 days
          fix: vault-kit cert renew TLS
dev: looked at 3 secrets, 1 file: 1 warning, 1 notice found; 3 left out by `--only` or `--skip`; 2 left out as unchanged
";
        assert_eq!(render(&report, false), expected);
    }
}
