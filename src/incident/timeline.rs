//! An incident as Markdown for people. What somebody wrote beneath the last heading is kept.

use std::fmt::Write as _;

use super::reach::second;
use crate::name::EnvName;
use crate::store::incidents::{Affected, Incident};

/// Where timelines are, below the project.
pub const DIRECTORY: &str = ".vault-kit/incidents";

/// Where a person's own words begin.
const NOTES: &str = "\n## Notes\n";

/// The timeline's path below the project: its day, what leaked first, its id.
pub fn path(id: &str, incident: &Incident) -> String {
    let first = incident.leaked().next().map_or("none", |name| name.as_str());
    format!("{DIRECTORY}/{}-{first}-{id}.md", incident.at.format("%Y-%m-%d"))
}

/// The whole text; `before` is the one that stands there now, of whatever bytes.
pub fn render(id: &str, incident: &Incident, project: &str, environment: &EnvName, before: Option<&[u8]>) -> Vec<u8> {
    let mut text = String::with_capacity(4096);
    let names: Vec<&str> = incident.leaked().map(crate::name::SecretName::as_str).collect();
    line(&mut text, &format!("# Incident {id}: {}", names.join(", ")));
    line(
        &mut text,
        "\nNo value is in this file. vault-kit writes it anew down to \"Notes\", and keeps what is beneath.\n",
    );
    line(&mut text, &format!("- environment: {environment} of {project}"));
    line(&mut text, &format!("- declared: {} by uid {}", second(incident.at), incident.uid));
    if let Some(reason) = &incident.reason {
        line(&mut text, &format!("- reason: {}", shown(reason)));
    }
    line(&mut text, &format!("- who could open the store: {}", incident.recipients.join(", ")));
    line(&mut text, "\n## What is affected");
    for it in &incident.affected {
        affected(&mut text, it);
    }
    if !incident.places.is_empty() {
        line(&mut text, "\n## Where it was found\n");
        for place in &incident.places {
            let version = place.version.map_or_else(String::new, |version| format!(", version {version}"));
            let at = place.line.map_or_else(String::new, |line| format!(":{line}"));
            line(&mut text, &format!("- `{}{at}`: `{}`{version}", shown(&place.path), place.secret));
        }
    }
    line(&mut text, "\n## What was done\n");
    for deed in &incident.done {
        line(&mut text, &format!("- {} uid {}: {}", second(deed.at), deed.uid, deed.what));
    }
    line(&mut text, "\n## What remains for a person\n");
    for (number, what) in incident.remains.iter().enumerate() {
        line(&mut text, &format!("{}. {what}", number + 1));
    }
    if incident.remains.is_empty() {
        line(&mut text, "nothing that is known here");
    }
    let notes = before.map_or(&[][..], |before| notes(before, text.as_bytes()));
    [text.as_bytes(), NOTES.as_bytes(), notes].concat()
}

/// A person's own words: what follows the heading, however an editor or its user left that. Without one nobody can tell what is whose:
/// then it is everything from the first line on that does not stand `above` as well.
fn notes<'t>(before: &'t [u8], above: &[u8]) -> &'t [u8] {
    let is_heading = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        line.starts_with('#') && line.trim_matches(['#', ' ', ':']).eq_ignore_ascii_case("notes")
    };
    let mut at = 0;
    for line in before.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if is_heading(line) {
            return &before[at..];
        }
    }
    let lines = |text: &'t [u8]| text.split_inclusive(|byte| *byte == b'\n');
    let mut ours = above.split_inclusive(|byte| *byte == b'\n');
    let same = lines(before).take_while(|line| ours.next() == Some(line));
    &before[same.map(<[u8]>::len).sum()..]
}

fn affected(text: &mut String, it: &Affected) {
    let from = it.made_from.as_ref().map_or_else(String::new, |source| format!(", made from `{source}`"));
    line(text, &format!("\n### `{}` ({}{from})\n", it.secret, it.kind));
    line(text, &format!("- in force since {}", second(it.since)));
    for version in &it.versions {
        line(text, &format!("- banned: version {version}"));
    }
    match it.successor {
        Some(version) => line(text, &format!("- in force now: version {version}")),
        None => line(text, "- no new value yet"),
    }
    for file in &it.deliveries {
        let mode = if file.mode.is_empty() { String::new() } else { format!(", {}", file.mode) };
        let old = if file.old { ", an older version" } else { "" };
        let services: Vec<String> = file.services.iter().map(|name| format!("`{}`", shown(name))).collect();
        let readers = if services.is_empty() { String::new() } else { format!(", read by {}", services.join(", ")) };
        let (path, output, form) = (shown(&file.path), &file.output, &file.form);
        line(text, &format!("- delivered in `{path}` (output {output}, {form}{mode}{old}){readers}"));
    }
    if let Some(remote) = &it.remote {
        let synced = remote.synced.as_ref();
        let synced =
            synced.map_or_else(String::new, |(arn, version)| format!(" ({}, version {})", shown(arn), shown(version)));
        line(text, &format!("- in AWS as `{}`{synced}", shown(&remote.name)));
    }
    for copy in &it.copies {
        line(text, &format!("- the same value is `{}` of environment {}", copy.secret, copy.environment));
    }
    for what in &it.signed {
        line(text, &format!("- signed for others: {}", shown(what)));
    }
    for change in &it.changes {
        line(text, &format!("- changed {change}"));
    }
}

/// Words of people and of other programs: one line, and nothing that drives a terminal.
fn shown(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_whatever_became_of_their_heading() {
        for heading in ["## Notes\n", "## Notes\r\n", "## Notes \n", "# notes:\n", "### NOTES\n"] {
            let before = [format!("# Incident\n\ntext\n{heading}called b").as_bytes(), b"\xf6b\n"].concat();
            assert_eq!(notes(&before, b""), b"called b\xf6b\n", "{heading:?}");
        }
        assert_eq!(notes(format!("text{NOTES}").as_bytes(), b""), b"");
    }

    #[test]
    fn without_their_heading_all_is_kept_that_does_not_stand_above() {
        let above = b"# Incident\n\n- done: a\n- done: b\n";
        assert_eq!(notes(b"# Incident\n\n- done: a\n\ncalled b\xf6b", above), b"\ncalled b\xf6b");
        assert_eq!(notes(b"my own file", above), b"my own file");
        assert_eq!(notes(b"# Incident\n\n", above), b"");
    }
}
