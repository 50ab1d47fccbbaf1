//! Delivered files that git has or would take: told by whoever writes values into them, and not only by the next `check`.

use std::collections::BTreeSet;

use super::session::Session;
use crate::deliver::{Delivered, Outcome, expected};
use crate::observe::git::{self, Exposed};
use crate::shell;

/// How many files a warning names.
const NAMED: usize = 3;

/// Adds to a delivery's warnings which of the files that were just written git knows.
pub fn noted(session: &Session<'_>, mut delivered: Delivered) -> Delivered {
    let is_new = |outcome: Outcome| matches!(outcome, Outcome::Created | Outcome::Replaced);
    let written: BTreeSet<&str> =
        delivered.files.iter().filter(|file| is_new(file.outcome)).map(|file| file.path.as_str()).collect();
    if written.is_empty() {
        return delivered;
    }
    let expected = expected::files(&session.manifest, &session.environment, None, session.context.now);
    let private: BTreeSet<&str> = expected
        .iter()
        .filter(|file| !file.public && !file.path.starts_with('/') && written.contains(file.path.as_str()))
        .map(|file| file.path.as_str())
        .collect();
    let Exposed { tracked, not_ignored } = git::exposed(session.root.path(), &private);
    let tracked = named(&tracked).map(|(names, paths)| {
        format!("git has {names}, and the next commit may take the values: `git rm --cached -- {paths}`")
    });
    let open = named(&not_ignored).map(|(names, _)| {
        let check = session.command("check");
        format!("git does not ignore {names}, and `git add .` would take the values: `{check}` says which line keeps them out")
    });
    delivered.warnings.extend(tracked.into_iter().chain(open));
    delivered
}

/// The files as a sentence and as a shell take them; `None` where there are none.
fn named(files: &BTreeSet<String>) -> Option<(String, String)> {
    let mut names: Vec<String> = files.iter().take(NAMED).map(|path| format!("`{path}`")).collect();
    match files.len().saturating_sub(NAMED) {
        0 => {}
        more => names.push(format!("{more} more")),
    }
    let paths: Vec<String> = files.iter().map(|path| shell::path(path)).collect();
    (!files.is_empty()).then(|| (names.join(", "), paths.join(" ")))
}
