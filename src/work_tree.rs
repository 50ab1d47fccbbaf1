//! Where git keeps what belongs to a work tree, read from its own files: starting git would cost more than a whole check.

use std::path::{Path, PathBuf};

/// The git directories of a work tree.
#[derive(Debug)]
pub struct WorkTree {
    /// Where its index is.
    pub own: PathBuf,
    /// What all work trees of the repository share.
    pub common: PathBuf,
}

impl WorkTree {
    /// The work tree of that top, if it is one; `Err` = why its directories are not known.
    pub fn at(top: &Path) -> Option<Result<Self, String>> {
        let path = top.join(".git");
        let metadata = std::fs::metadata(&path).ok()?;
        if metadata.is_dir() {
            // Any directory can be called so; git's own has a HEAD.
            return path.join("HEAD").exists().then(|| Ok(Self { own: path.clone(), common: path }));
        }
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Some(Err(format!("`.git` cannot be read: {error}"))),
        };
        let Some(own) = text.trim_end().strip_prefix("gitdir: ").map(|own| top.join(own)) else {
            return Some(Err("`.git` does not name a directory".into()));
        };
        let common = std::fs::read_to_string(own.join("commondir"));
        let common = common.map_or_else(|_| own.clone(), |common| own.join(common.trim_end()));
        Some(Ok(Self { own, common }))
    }

    /// The innermost work tree that a directory is in, with its top.
    pub fn around(directory: &Path) -> Option<(&Path, Result<Self, String>)> {
        directory.ancestors().find_map(|top| Some((top, Self::at(top)?)))
    }

    /// The top of the main work tree, where this is a linked one (`git worktree add`).
    pub fn main(&self) -> Option<PathBuf> {
        let common = self.common.canonicalize().ok()?;
        let top = common.parent().filter(|_| self.own != self.common)?;
        // A bare repository has none.
        let main = Self::at(top)?.ok()?;
        main.common.canonicalize().is_ok_and(|it| it == common).then(|| top.to_owned())
    }
}
