//! The files of a project as the next commit would have them, or as a commit has them, whatever lies in the work tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::refs::{theirs, tips};
use super::{Git, failed, path_of};
use crate::error::{Error, Kind, Result};

/// The ids of a file without content, which is also what `git add --intent-to-add` notes: there is nothing to read.
const EMPTY: [&str; 2] =
    ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"];

/// Where git has the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree<'a> {
    /// In its index: what the next commit would have.
    Index,
    /// In a commit, by its id.
    Commit(&'a str),
}

impl Tree<'_> {
    /// The place, as people call it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Index => "git's index",
            Self::Commit(_) => "the commit",
        }
    }
}

/// What git has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// A file, with its content.
    File(Vec<u8>),
    /// A symlink, what lies behind one, or a submodule.
    NotAFile,
    /// Nothing.
    Absent,
}

/// The files beneath a directory as git has them, and the `.gitignore` of the directories above it.
#[derive(Debug)]
pub struct Snapshot {
    git: Git,
    /// What it was taken of, as people call it.
    pub place: &'static str,
    /// The way from the top to the directory: empty, or with a slash at its end.
    prefix: String,
    /// By path from the top; what is not UTF-8 is named by no manifest.
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    is_file: bool,
    id: String,
}

impl Git {
    /// What git has beneath the directory.
    pub fn snapshot(self, tree: Tree<'_>) -> Result<Snapshot> {
        let prefix = String::from_utf8_lossy(&self.prefix()?).into_owned();
        let above = prefix.match_indices('/').map(|(at, _)| &prefix[..at]).filter(|it| !it.is_empty());
        let ignores = std::iter::once(".gitignore".to_owned()).chain(above.map(|it| format!("{it}/.gitignore")));
        let entries = match tree {
            Tree::Index => {
                let wanted = ignores.map(|path| format!(":(top,literal){path}"));
                self.entries(&["ls-files", "--stage", "-z", "--full-name", "--", "."], wanted)?
            }
            Tree::Commit(id) => {
                let all = ["ls-tree", "-r", "-z", "--full-tree", id, "--"];
                // Without a path it lists everything.
                let own = prefix.trim_end_matches('/');
                let wanted =
                    std::iter::once(own.to_owned()).chain(ignores).take(if own.is_empty() { 0 } else { usize::MAX });
                self.entries(&all, wanted)?
            }
        };
        Ok(Snapshot { git: self, place: tree.text(), prefix, entries })
    }

    fn entries(&self, list: &[&str], paths: impl Iterator<Item = String>) -> Result<BTreeMap<String, Entry>> {
        let paths: Vec<String> = paths.collect();
        let arguments: Vec<&str> = list.iter().copied().chain(paths.iter().map(String::as_str)).collect();
        let answer = self.ask(&arguments)?.ok_or_else(failed)?;
        // `MODE ID STAGE<tab>PATH`, of a file in conflict the last side; of a commit `MODE TYPE ID<tab>PATH`.
        let entry = |record: &[u8]| {
            let (facts, path) = std::str::from_utf8(record).ok()?.split_once('\t')?;
            let is_file = facts.starts_with("100");
            let id = facts.split(' ').find(|it| it.len() >= 40)?;
            Some((path.to_owned(), Entry { is_file, id: id.to_owned() }))
        };
        Ok(answer.split(|&it| it == 0).filter_map(entry).collect())
    }

    /// The id of the commit that a name leads to.
    pub fn commit(&self, name: &str) -> Result<String> {
        let commit = format!("{name}^{{commit}}");
        let answer = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
        let id = answer.map(|it| String::from_utf8_lossy(it.trim_ascii()).into_owned()).filter(|id| !id.is_empty());
        id.ok_or_else(|| {
            Error::new(Kind::Usage, "range-unknown", "git does not know this commit")
                .hint("name one that is here, such as `HEAD`")
        })
    }

    /// The nearest directory, from this one up to the top, in which git has a file of this name.
    pub fn nearest_in(&self, tree: Tree<'_>, name: &str) -> Result<Option<PathBuf>> {
        let nearest = self.nearest(tree, name)?;
        self.directory_of(nearest)
    }

    /// The directory whose file of this name was the nearest one, and is in the next commit no more.
    pub fn lost(&self, name: &str) -> Result<Option<PathBuf>> {
        let left = self.nearest(Tree::Index, name)?.map_or(0, |path| path.len());
        // Nothing is nearer than what is in the directory itself.
        if left == self.prefix()?.len() + name.len() {
            return Ok(None);
        }
        // Of two on one way up the longer is the nearer.
        let lost = self.nearest(Tree::Commit("HEAD"), name)?.filter(|path| path.len() > left);
        self.directory_of(lost)
    }

    /// The same of what the lines of a pre-push hook name: a commit that no remote has yet had the file, and the last has not.
    pub fn lost_by(&self, lines: &str, name: &str) -> Result<Option<PathBuf>> {
        let theirs = theirs(lines);
        for tip in tips(lines) {
            let left = self.nearest(Tree::Commit(tip), name)?.map_or(0, |path| path.len());
            for path in self.upwards(name)?.into_iter().rev().filter(|path| path.len() > left) {
                let pathspec = format!(":(top,literal){path}");
                let mut arguments = vec!["rev-list", "--max-count=1", "--ignore-missing", tip];
                arguments.extend(theirs.iter().map(String::as_str));
                arguments.extend(["--not", "--remotes", "--", &pathspec]);
                if !self.ask(&arguments)?.ok_or_else(failed)?.is_empty() {
                    return self.directory_of(Some(path));
                }
            }
        }
        Ok(None)
    }

    /// Whether a commit that leads to the last one had the file, by its path from the directory; also where that cannot be
    /// told, since older commits are not here.
    pub fn was_committed(&self, path: &str) -> Result<bool> {
        if self.ask(&["rev-parse", "--verify", "--quiet", "HEAD"])?.is_none() {
            return Ok(false);
        }
        let is_shallow = self.is_shallow()?;
        let pathspec = format!(":(literal){path}");
        let commit = self.ask(&["rev-list", "--max-count=1", "HEAD", "--", &pathspec])?;
        Ok(is_shallow || commit.is_none_or(|it| !it.is_empty()))
    }

    /// Whether older commits are not here, or that cannot be told.
    pub fn is_shallow(&self) -> Result<bool> {
        Ok(self.ask(&["rev-parse", "--is-shallow-repository"])?.is_none_or(|it| it != b"false\n"))
    }

    /// Whether git would leave a path out unless it is told otherwise.
    pub fn is_ignored(&self, path: &str) -> Result<bool> {
        Ok(self.ask(&["check-ignore", "-q", "--no-index", "--", path])?.is_some())
    }

    /// The nearest file of a name that git has, from the top.
    fn nearest(&self, tree: Tree<'_>, name: &str) -> Result<Option<String>> {
        let paths = self.upwards(name)?;
        let mut arguments = match tree {
            Tree::Index => vec!["ls-files", "-z", "--full-name", "--"],
            Tree::Commit(id) => vec!["ls-tree", "-z", "--name-only", "--full-tree", id, "--"],
        };
        let pathspecs: Vec<String> = paths.iter().map(|path| format!(":(top,literal){path}")).collect();
        let asked = if tree == Tree::Index { &pathspecs } else { &paths };
        arguments.extend(asked.iter().map(String::as_str));
        let Some(answer) = self.ask(&arguments)? else { return Ok(None) };
        let listed: Vec<&[u8]> = answer.split(|&it| it == 0).collect();
        Ok(paths.into_iter().rev().find(|path| listed.contains(&path.as_bytes())))
    }

    /// Where a file of a name can be, from the top down to the directory, each path from the top.
    fn upwards(&self, name: &str) -> Result<Vec<String>> {
        let prefix = String::from_utf8_lossy(&self.prefix()?).into_owned();
        let ends = std::iter::once(0).chain(prefix.match_indices('/').map(|(at, _)| at + 1));
        Ok(ends.map(|end| format!("{}{name}", &prefix[..end])).collect())
    }

    /// The directory of a file, by its path from the top; `None` also where there is no work tree.
    fn directory_of(&self, path: Option<String>) -> Result<Option<PathBuf>> {
        let Some((path, top)) = path.zip(self.top()?) else { return Ok(None) };
        Ok(top.join(path_of(path.as_bytes())).parent().map(Path::to_owned))
    }
}

impl Snapshot {
    /// A file, by its path from the directory.
    pub fn read(&self, path: &str) -> Result<Kept> {
        self.read_from_top(&format!("{}{path}", self.prefix))
    }

    /// A file, by its path from the top of the work tree.
    pub fn read_from_top(&self, path: &str) -> Result<Kept> {
        let Some(entry) = self.entries.get(path) else {
            let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
            return Ok(if above.any(|it| self.entries.contains_key(it)) { Kept::NotAFile } else { Kept::Absent });
        };
        if !entry.is_file {
            return Ok(Kept::NotAFile);
        }
        if EMPTY.contains(&entry.id.as_str()) {
            return Ok(Kept::Absent);
        }
        self.git.ask(&["cat-file", "blob", &entry.id])?.map(Kept::File).ok_or_else(failed)
    }

    /// The paths that git has beneath the directory.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().filter_map(|path| path.strip_prefix(self.prefix.as_str()))
    }

    /// Whether git leaves a path out unless it is told otherwise, by what lies in the work tree: such a file is this machine's
    /// own, and no commit is expected to have it.
    pub fn is_ignored(&self, path: &str) -> Result<bool> {
        self.git.is_ignored(path)
    }
}
