//! `.vault-kit-ignore`: what may stand where it stands, each with a reason.
//!
//! `RULE FINGERPRINT [until=YYYY-MM-DD] PATH # REASON`, one a line; a line that begins with `#` is a comment. None of it is
//! a value or tells one, and none of it needs a commit to exist: path, rule and fingerprint are known before.

use chrono::NaiveDate;

use super::archive::BOMB;
use super::finding::Finding;
use super::message;
use crate::error::{Error, Kind, Result};
use crate::manifest::leaks::RULES;
use crate::secret::digest::sha256_hex;

/// The file, beside the manifest.
pub const FILE: &str = ".vault-kit-ignore";

/// The rule of known values.
const LEAKED: &str = "leaked";

/// The lines of the file.
#[derive(Debug, Default)]
pub struct Ignores(Vec<Line>);

#[derive(Debug)]
struct Line {
    number: usize,
    rule: String,
    fingerprint: String,
    until: Option<NaiveDate>,
    path: String,
    reason: String,
}

/// What a finding of a rule is known by: 64 bits of a hash of what was found, which nobody looks for who has not found it.
pub(super) fn fingerprint(rule: &str, text: &[u8]) -> String {
    let mut digest = sha256_hex(&[b"vault-kit/ignore/1", rule.as_bytes(), b"\0", text].concat());
    digest.truncate(16);
    digest
}

/// The line that lets a finding pass; its reason is left to a person.
pub(super) fn line(rule: &str, fingerprint: &str, file: &str) -> String {
    format!("{rule} {fingerprint} {} # why it may stand here", escaped(message::known_as(file)))
}

/// A path in which no reason can begin.
fn escaped(file: &str) -> String {
    file.replace('#', "\\x23")
}

impl Ignores {
    /// Reads the text of the file. Fails with `ignore-invalid`, which names the line.
    pub fn parse(text: &str) -> Result<Self> {
        // Some editors begin a file with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let parsed = lines.map(|(number, line)| match Line::parse(line) {
            Ok(line) => Ok(Line { number, ..line }),
            Err(what) => Err(invalid(number, what)),
        });
        parsed.collect::<Result<_>>().map(Self)
    }

    /// Lets a finding pass if a line says so that has not ended. Its own line is compared.
    pub fn judge(&self, finding: &mut Finding, today: NaiveDate) {
        let Ok(own) = Line::parse(&finding.ignore) else { return };
        let is_meant =
            |line: &&Line| line.rule == own.rule && line.fingerprint == own.fingerprint && line.path == own.path;
        let mut lines = self.0.iter().filter(is_meant).peekable();
        if lines.peek().is_none() {
            return;
        }
        if let Some(line) = lines.find(|line| line.until.is_none_or(|until| today <= until)) {
            finding.ignored = Some(line.reason.clone());
        } else {
            finding.message.push_str("; its line in ");
            finding.message.push_str(FILE);
            finding.message.push_str(" has ended");
        }
    }
}

impl Ignores {
    /// The lines that let nothing pass, whatever is found, each in words with its place. A path that is nowhere may be one of the
    /// history.
    pub fn unmatchable(&self) -> Vec<String> {
        let told = |line: &Line| Some(format!("`{FILE}:{}` lets nothing pass: {}", line.number, line.fault()?));
        self.0.iter().filter_map(told).collect()
    }

    /// Says of a finding that one of these lines, which are not in `place`, would let it pass.
    pub fn tell(&self, finding: &mut Finding, place: &str, today: NaiveDate) {
        let mut judged = Finding { ignored: None, ..finding.clone() };
        self.judge(&mut judged, today);
        if judged.ignored.is_some() && finding.ignored.is_none() {
            finding.message.push_str("; its line in ");
            finding.message.push_str(FILE);
            finding.message.push_str(" is not in ");
            finding.message.push_str(place);
        }
    }
}

impl Line {
    /// What no finding has that stands in the line.
    fn fault(&self) -> Option<&'static str> {
        let is_hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
        };
        if self.rule == LEAKED {
            let version = self.fingerprint.split_once('/').and_then(|(_, rest)| rest.rsplit_once('@'));
            let is_one = version.is_some_and(|(secret, version)| !secret.is_empty() && is_hex(version, 8));
            return (!is_one).then_some("its fingerprint is not `ENVIRONMENT/SECRET@VERSION`, as `scan` prints it");
        }
        if self.rule != BOMB && !RULES.iter().any(|(rule, _)| *rule == self.rule) {
            return Some("there is no such rule");
        }
        (!is_hex(&self.fingerprint, 16)).then_some("its fingerprint does not have the 16 digits that `scan` prints")
    }

    fn parse(line: &str) -> Result<Self, &'static str> {
        let (words, reason) = line.split_once(" # ").ok_or("has no reason behind ` # `")?;
        let (rule, rest) = words.split_once(' ').ok_or("has no fingerprint")?;
        let (fingerprint, rest) = rest.trim_start().split_once(' ').ok_or("has no path")?;
        let rest = rest.trim();
        let (until, path) = match rest.strip_prefix("until=") {
            None => (None, rest),
            Some(rest) => {
                let (date, path) = rest.split_once(' ').ok_or("has no path")?;
                let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| "has an `until` that is no date")?;
                (Some(date), path.trim())
            }
        };
        let text = |text: &str| text.to_owned();
        Ok(Self {
            number: 0,
            rule: text(rule),
            fingerprint: text(fingerprint),
            until,
            path: text(message::known_as(path.trim_start_matches("./"))),
            reason: text(reason.trim()),
        })
    }
}

fn invalid(line: usize, what: &str) -> Error {
    Error::new(Kind::Manifest, "ignore-invalid", format!("`{FILE}:{line}` {what}"))
        .hint("a line is `RULE FINGERPRINT [until=YYYY-MM-DD] PATH # REASON`, as `scan` prints it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_match_nothing_is_told_by_its_line() {
        for (line, fault) in [
            ("jwt 0123456789abcdef a.txt # why", None),
            ("leaked dev/AUTH@0123abcd a.txt # why", None),
            ("leaked dev/AUTH@0123abcd until=2030-01-01 gone.txt # why", None),
            ("jwtt 0123456789abcdef a.txt # why", Some("there is no such rule")),
            ("jwt 0123456789abcde a.txt # why", Some("its fingerprint does not have the 16 digits that `scan` prints")),
            (
                "jwt 0123456789ABCDEF a.txt # why",
                Some("its fingerprint does not have the 16 digits that `scan` prints"),
            ),
            (
                "leaked 0123456789abcdef a.txt # why",
                Some("its fingerprint is not `ENVIRONMENT/SECRET@VERSION`, as `scan` prints it"),
            ),
        ] {
            let told = Ignores::parse(&format!("# ours\n{line}\n")).unwrap().unmatchable();
            let expected = fault.map(|it| format!("`.vault-kit-ignore:2` lets nothing pass: {it}"));
            assert_eq!(told, Vec::from_iter(expected), "{line}");
        }
    }
}
