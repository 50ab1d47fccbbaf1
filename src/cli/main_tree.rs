//! The work tree that has the store of a linked one (`git worktree add`): the main one, or another.

use std::path::{Path, PathBuf};

use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::shell;
use crate::work_tree::WorkTree;

/// The same project in another work tree, which has this file or directory; `None` where this is no linked one, or no other has it.
pub fn directory(root: &Path, of: &str) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let (top, tree) = WorkTree::around(&root)?;
    let project = root.strip_prefix(top).ok()?;
    let others = tree.ok()?.others().into_iter();
    others.filter_map(|top| top.join(project).canonicalize().ok()).find(|directory| directory.join(of).exists())
}

impl Session<'_> {
    /// The project in another work tree, if that has the store of the environment and this one, which is linked, has none.
    pub fn main_tree(&self) -> Result<Option<PathBuf>> {
        if self.files().is_there()? {
            return Ok(None);
        }
        Ok(directory(self.root.path(), &self.files().store_path()))
    }

    /// Refuses to make a store where another work tree has that of the environment: the values of a second one would be others.
    pub fn refuse_second_store(&self) -> Result<()> {
        if !self.files().is_there()? && WorkTree::is_astray(self.root.path()) {
            return Err(astray());
        }
        self.main_tree()?.map_or(Ok(()), |main| Err(second_store(&main)))
    }
}

/// What to do where another work tree, at that directory, has the store.
pub fn second_store(main: &Path) -> Error {
    let main = shell::path(&main.to_string_lossy());
    let message = "this is a linked work tree: the store is that of another one, and a second would have other values";
    Error::new(Kind::Conflict, "second-store", message)
        .hint(format!("use that one: `vault-kit -C {main} run -- COMMAND`, `vault-kit -C {main} render`"))
        .hint("values of its own belong to an environment of their own, in vault-kit.toml: `vault-kit -e NAME init`")
}

/// What to do where nobody can tell whether another work tree has the store.
fn astray() -> Error {
    let message = "this is a linked work tree, and its repository is not where it was: the store may be there";
    Error::new(Kind::Conflict, "second-store", message).hint(
        "where the repository was moved to: `git worktree repair`, with the path of this work tree if that moved too",
    )
}
