//! Which files of a project are looked at: those that git has or would take.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::session::Session;
use crate::deliver::expected;
use crate::error::Result;
use crate::scan::Found;
use crate::scan::files::Item;
use crate::scan::git::Git;
use crate::store::DIRECTORY;
use crate::store::files::StoreFiles;
use crate::work_tree::WorkTree;

/// What git has or would take of the project; everything, where git does not tell, which is said.
pub(super) fn items(root: &Path, git: &Git, left_out: &LeftOut, told: &mut Found) -> Result<Vec<Item>> {
    let listed = match git.listed() {
        Ok(listed) => listed,
        Err(error) if error.code() == "git-not-started" => None,
        Err(error) => return Err(error),
    };
    if let Some(listed) = listed {
        let files = listed.into_iter().map(|it| (root.join(it.path), it.tracked));
        let items = files.filter(|(path, tracked)| *tracked || !left_out.has(path));
        return Ok(items.map(|(path, _)| Item::File(path)).collect());
    }
    if WorkTree::around(root).is_some() {
        let why = "git does not tell it here, and `git status` says why: all files were looked at but those that vault-kit delivered, \
                   which may be tracked";
        told.not_checked("what git tracks", why);
    } else {
        let what = "there is no git repository here: all files were looked at but those that vault-kit delivered";
        told.warnings.push(what.to_owned());
    }
    Ok(vec![Item::Directory(root.to_owned())])
}

/// Where values belong: what we delivered, and what is ours.
pub(super) struct LeftOut(BTreeSet<PathBuf>);

impl LeftOut {
    pub(super) fn new(session: &Session<'_>) -> Self {
        let root = session.root.path();
        let environments = session.manifest.environments.keys();
        let files = environments.flat_map(|environment| {
            let ledger = StoreFiles::new(&session.root, session.state.clone(), environment).ledger().ok().flatten();
            expected::files(&session.manifest, environment, ledger.as_ref(), session.context.now)
        });
        Self(files.map(|file| root.join(file.path)).chain([root.join(DIRECTORY)]).collect())
    }

    pub(super) fn has(&self, path: &Path) -> bool {
        path.ancestors().any(|it| self.0.contains(it))
    }
}
