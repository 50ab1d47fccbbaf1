//! The main work tree of a linked one (`git worktree add`), which has the store.

use std::path::{Path, PathBuf};

use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::shell;
use crate::store;
use crate::work_tree::WorkTree;

/// The same project in the main work tree; `None` where this is no linked one, or the main one has no store.
pub fn directory(root: &Path) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let (top, tree) = WorkTree::around(&root)?;
    let directory = tree.ok()?.main()?.join(root.strip_prefix(top).ok()?).canonicalize().ok()?;
    directory.join(store::DIRECTORY).is_dir().then_some(directory)
}

impl Session<'_> {
    /// The project in the main work tree, if that has the store of the environment and this one has none.
    pub fn main_tree(&self) -> Result<Option<PathBuf>> {
        if self.files().is_there()? {
            return Ok(None);
        }
        let main = directory(self.root.path());
        Ok(main.filter(|main| main.join(self.files().store_path()).exists()))
    }

    /// Refuses to make a store where the main work tree has that of the environment: the values of a second one would be others.
    pub fn refuse_second_store(&self) -> Result<()> {
        self.main_tree()?.map_or(Ok(()), |main| Err(second_store(&main)))
    }
}

/// What to do where the main work tree, at that directory, has the store.
pub fn second_store(main: &Path) -> Error {
    let main = shell::path(&main.to_string_lossy());
    let message = "this is a linked work tree: the store is that of the main one, and a second would have other values";
    Error::new(Kind::Conflict, "second-store", message)
        .hint(format!("use that one: `vault-kit -C {main} run -- COMMAND`, `vault-kit -C {main} render`"))
        .hint("values of its own belong to an environment of their own, in vault-kit.toml: `vault-kit -e NAME init`")
}
