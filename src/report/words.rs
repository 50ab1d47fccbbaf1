//! Words that every rendering shares: what a finding is about, in characters that steer nobody.

use crate::check::{Finding, Severity};

/// The text with what would steer a terminal, turn the text around or break XML 1.0 replaced: a path may hold anything.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|it| if steers(it) { char::REPLACEMENT_CHARACTER } else { it }).collect()
}

pub(crate) fn steers(it: char) -> bool {
    let turns = matches!(it, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    it.is_control() || turns || matches!(it, '\u{fffe}' | '\u{ffff}')
}

/// The file with its line, or the secret that a finding is about; nothing where it is about the whole.
pub(super) fn subject(finding: &Finding) -> String {
    match (&finding.secret, &finding.file, finding.line) {
        (_, Some(file), Some(line)) => format!("{}:{line}", plain(file)),
        (_, Some(file), None) => plain(file),
        (Some(secret), None, _) => secret.to_string(),
        (None, None, _) => String::new(),
    }
}

/// What is wrong, with what it is about in front.
pub(super) fn sentence(finding: &Finding) -> String {
    let subject = subject(finding);
    let space = if subject.is_empty() { "" } else { " " };
    format!("{subject}{space}{}", plain(&finding.message))
}

/// What weighs less than an error, in front of its message.
pub(super) fn weight(severity: Severity) -> String {
    if severity == Severity::Error { String::new() } else { format!("{}: ", severity.text()) }
}
