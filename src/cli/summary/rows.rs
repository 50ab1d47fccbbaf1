//! The lines of an answer in words: what was done, to what, and how.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::deliver::{FileReport, Outcome};
use crate::name::{OutputName, SecretName};
use crate::ui::Ui;

/// Says whose revocation lists were made anew.
pub fn tell_lists(ui: Ui, lists: &[SecretName], dry_run: bool) {
    let verb = if dry_run { "would make" } else { "made" };
    for name in lists {
        ui.say(&row(verb, name, format_args!("revocation list")));
    }
}

/// Says what happened to each file.
pub fn tell_files(ui: Ui, files: &[FileReport], dry_run: bool) {
    for file in files {
        let verb = match (file.outcome, dry_run) {
            (Outcome::Unchanged, _) => {
                ui.detail(&row("unchanged", &file.path, format_args!("{}", file.mode)));
                continue;
            }
            (Outcome::Removed, true) => "would remove",
            (Outcome::Removed, false) => "removed",
            (Outcome::Tightened, true) => "would tighten",
            (Outcome::Tightened, false) => "tightened",
            (_, true) => "would write",
            (_, false) => "wrote",
        };
        ui.say(row(verb, &file.path, format_args!("{}", file.mode)).trim_end());
    }
}

/// Says which outputs wait, and for what.
pub fn tell_outputs_waiting(ui: Ui, waiting: &BTreeMap<OutputName, BTreeSet<SecretName>>) {
    for (output, names) in waiting {
        let names: Vec<&str> = names.iter().map(SecretName::as_str).collect();
        let output = format!("output {output}");
        ui.say(&row("waiting", &output, format_args!("for {}", names.join(", "))));
    }
}

/// Says which files got lines for git and Docker.
pub fn tell_ignored(ui: Ui, files: &[&str], dry_run: bool) {
    let verb = if dry_run { "would write" } else { "wrote" };
    for file in files {
        ui.say(&row(verb, file, format_args!("what git and Docker leave alone")));
    }
}

/// Widths of the columns: the longest verb, and names and paths as they usually are.
pub(super) const VERB: usize = 13;
const NAME: usize = 32;

/// A line of the summary: what was done, to what, and how.
pub fn row(verb: &str, what: &(impl Display + ?Sized), how: std::fmt::Arguments<'_>) -> String {
    // Padding a `Display` needs its text.
    format!("{verb:<VERB$} {:<NAME$} {how}", what.to_string())
}
