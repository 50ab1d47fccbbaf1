//! Where git keeps what belongs to a work tree, read from its own files: starting git would cost more than a whole check.

use std::io::ErrorKind;
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
            // Any directory can be called so; git's own has these.
            return match std::fs::read(path.join("HEAD")) {
                Ok(head) if is_head(&head) && path.join("objects").is_dir() => {
                    Some(Ok(Self { own: path.clone(), common: path }))
                }
                Ok(_) => Some(Err("`.git` is damaged: git itself finds no repository in it".into())),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let is_one = ["config", "index", "objects", "refs"].iter().any(|it| path.join(it).exists());
                    is_one.then(|| Err("`.git` is damaged: it has no HEAD".into()))
                }
                Err(error) => Some(Err(format!("`.git` cannot be read: {error}"))),
            };
        }
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return Some(Err(format!("`.git` cannot be read: {error}"))),
        };
        let Some(own) = named(top, &text) else {
            return Some(Err("`.git` does not name a directory".into()));
        };
        if !own.is_dir() {
            return Some(Err("`.git` names a directory that is not there".into()));
        }
        let common = std::fs::read_to_string(own.join("commondir"));
        let common = common.map_or_else(|_| own.clone(), |common| own.join(common.trim_end()));
        Some(Ok(Self { own, common }))
    }

    /// The innermost work tree that a directory is in, with its top.
    pub fn around(directory: &Path) -> Option<(&Path, Result<Self, String>)> {
        directory.ancestors().find_map(|top| Some((top, Self::at(top)?)))
    }

    /// Whether a directory is in a linked work tree whose repository was moved or is gone.
    pub fn is_astray(directory: &Path) -> bool {
        let found = directory.ancestors().find(|top| Self::at(top).is_some());
        let own = found.and_then(|top| named(top, &std::fs::read_to_string(top.join(".git")).ok()?));
        // A submodule's is below `modules`.
        own.is_some_and(|own| !own.is_dir() && own.parent().is_some_and(|it| it.ends_with("worktrees")))
    }

    /// Whether it is a linked one (`git worktree add`).
    pub fn is_linked(&self) -> bool {
        self.own != self.common
    }

    /// The tops of the other work trees, where this is a linked one: the main one first. A top may be gone.
    pub fn others(&self) -> Vec<PathBuf> {
        if !self.is_linked() {
            return Vec::new();
        }
        let mut linked: Vec<PathBuf> = std::fs::read_dir(self.common.join("worktrees"))
            .into_iter()
            .flatten()
            .filter_map(|entry| linked(&entry.ok()?.path(), &self.own))
            .collect();
        linked.sort_unstable();
        self.main().into_iter().chain(linked).collect()
    }

    /// The top of the main work tree; a bare repository has none.
    fn main(&self) -> Option<PathBuf> {
        let common = self.common.canonicalize().ok()?;
        let top = common.parent()?;
        let main = Self::at(top)?.ok()?;
        main.common.canonicalize().is_ok_and(|it| it == common).then(|| top.to_owned())
    }
}

/// Whether git takes it for where a work tree stands: the name of a branch, or a commit.
fn is_head(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let is_branch = text.strip_prefix(b"ref:").is_some_and(|name| name.trim_ascii_start().starts_with(b"refs/"));
    is_branch || [40, 64].contains(&text.len()) && text.iter().all(u8::is_ascii_hexdigit)
}

/// What a `.git` that is a file names.
fn named(top: &Path, text: &str) -> Option<PathBuf> {
    text.trim_end().strip_prefix("gitdir: ").map(|own| top.join(own))
}

/// The top of a linked work tree, by where git keeps what belongs to it; `None` for this one.
fn linked(directory: &Path, own: &Path) -> Option<PathBuf> {
    let is_own = directory.canonicalize().ok()? == own.canonicalize().ok()?;
    let file = std::fs::read_to_string(directory.join("gitdir")).ok().filter(|_| !is_own)?;
    directory.join(file.trim_end()).parent().map(Path::to_owned)
}
