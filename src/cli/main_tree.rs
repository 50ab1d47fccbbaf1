//! The main work tree of a linked one (`git worktree add`), which has the store.

use std::path::{Path, PathBuf};

use super::context;
use crate::check::{Code, Report};
use crate::scan::git::{self, Git};
use crate::shell;
use crate::store;

/// The same project in the main work tree; `None` where this is no linked one, or the main one has no store.
pub fn directory(root: &Path) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let git = Git::new(&root, context::variables(git::INHERITED.into_iter()));
    let main = git.common_directory().ok()?.parent()?.to_owned();
    let directory = main.join(root.strip_prefix(git.top().ok()??).ok()?).canonicalize().ok()?;
    (directory != root && directory.join(store::DIRECTORY).is_dir()).then_some(directory)
}

/// Sends whoever would make a second store, with other values, to the one that the main work tree has.
pub fn instead_of_init(report: &mut Report, root: &Path) {
    let is_first = |fix: &str| fix.starts_with("vault-kit ") && fix.ends_with(" init");
    let mut lacking = report.findings.iter_mut().chain(report.allowed.iter_mut().map(|it| &mut it.finding));
    let Some(first) = lacking.find(|it| it.code == Code::Missing && is_first(&it.fix)) else { return };
    let Some(main) = directory(root) else { return };
    for finding in std::iter::once(first).chain(lacking.filter(|it| it.code == Code::Missing && is_first(&it.fix))) {
        "has no value here: the store is that of the main work tree".clone_into(&mut finding.message);
        let there = format!("vault-kit -C {} ", shell::path(&main.to_string_lossy()));
        finding.fix = finding.fix.replacen("vault-kit ", &there, 1);
        finding.fix.truncate(finding.fix.len() - "init".len());
        finding.fix.push_str("check");
    }
}
