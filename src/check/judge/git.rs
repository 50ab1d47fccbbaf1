//! What git tracks, what it ignores, and what the committed example files show.

use std::collections::BTreeSet;
use std::path::Path;

use super::Bench;
use crate::check::facts::{Comparison, GitFact};
use crate::check::finding::Code;
use crate::ignore_lines;
use crate::shell;

/// What it means that git has a file: what was staged is no history yet, and not every file of ours holds values.
fn tracked_message(path: &str) -> &'static str {
    let ours = path.strip_prefix(".vault-kit/");
    match ours {
        Some(name) if Path::new(name).extension().is_some_and(|it| it == "age") => {
            "is tracked by git: whoever gets an identity that opens it, now or later, has every value in it; take it out of the \
             index, and replace the values where it was pushed"
        }
        Some(_) => "is tracked by git: it holds no value, and belongs to this machine alone",
        None => "is tracked by git: take it out of the index, and replace its values where it was committed",
    }
}

impl Bench<'_> {
    /// No file that holds values is tracked, and none can be added by accident.
    pub(super) fn git(&mut self) {
        let facts = self.facts;
        let GitFact::WorkTree { tracked, ignored, taken_back, nested } = &facts.git else {
            if let GitFact::Unreadable(why) = &facts.git {
                self.not_checked("git", why);
            }
            return;
        };
        let public: BTreeSet<&str> =
            facts.expected.iter().filter(|expected| expected.public).map(|expected| expected.path.as_str()).collect();
        for path in tracked.iter().filter(|path| !public.contains(path.as_str())) {
            let fix = match nested.get(path) {
                Some(within) => {
                    format!("git -C {} rm --cached -- {}", shell::path(within), shell::path(below(path, within)))
                }
                None => format!("git rm --cached -- {}", shell::path(path)),
            };
            self.about_file(Code::TrackedByGit, path, tracked_message(path), fix);
        }
        for (path, is_ignored) in
            ignored.iter().filter(|(path, _)| !public.contains(path.as_str()) && !tracked.contains(*path))
        {
            match is_ignored {
                Some(true) => {}
                Some(false) => {
                    let negation = taken_back.get(path);
                    // Behind a line that takes it back, only one of the same file keeps it out.
                    let within = match negation {
                        Some((list, _)) => list.strip_suffix("/.gitignore").unwrap_or_default(),
                        None => nested.get(path).map_or("", String::as_str),
                    };
                    let line = format!("/{}", ignore_lines::line_of(below(path, within)));
                    let list = if within.is_empty() { ".gitignore".to_owned() } else { format!("{within}/.gitignore") };
                    let why = negation.map(|(list, line)| format!(", since `{list}:{line}` takes it back"));
                    let why = why.unwrap_or_default();
                    let message = format!("is not ignored by git{why}: `git add .` would take it");
                    // The last line of the file may have no end.
                    let fix = format!("printf '\\n%s\\n' {} >> {}", shell::path(&line), shell::path(&list));
                    self.about_file(Code::NotIgnored, path, message, fix);
                }
                None => self.not_checked(
                    format!("whether git ignores {path}"),
                    "a pattern of .gitignore is beyond what `check` reads; ask `git check-ignore`",
                ),
            }
        }
    }

    /// No example file shows a value that is in use.
    pub(super) fn examples(&mut self) {
        let facts = self.facts;
        for (path, values) in &facts.examples {
            for (name, _) in values.iter().filter(|(_, comparison)| **comparison == Comparison::Same) {
                let is_stored = self.manifest.secret(name).is_some_and(crate::manifest::Declaration::is_stored);
                if is_stored {
                    let fix = self.replace(name);
                    self.about_secret(Code::ExampleValue, name, format!("has the value that `{path}` shows"), fix);
                }
            }
            let unknown = values.iter().filter(|(_, comparison)| **comparison == Comparison::Unknown).count();
            if unknown > 0 {
                let what = format!("{unknown} values of {path}");
                self.not_checked(what, "only the identity can tell whether they are in use");
            }
        }
    }
}

/// A path as a directory above it sees it.
fn below<'p>(path: &'p str, directory: &str) -> &'p str {
    path.strip_prefix(directory).unwrap_or(path).trim_start_matches('/')
}
