//! A project as git's index or a commit has it, for what is asked of what is committed or pushed.

use std::path::{Path, PathBuf};

use super::context::{self, Context};
use super::session::{self, Session};
use crate::error::{Error, Kind, Result};
use crate::private_file::Root;
use crate::project::{MANIFEST, Project};
use crate::scan::git::{self, Git, Kept, Snapshot, Tree};

/// The project by the manifest that the next commit would have, and the files that it would have.
///
/// A manifest that git does not have is that of the work tree, and so are the files (`None`).
pub fn open(context: &Context) -> Result<(Session<'_>, Option<Snapshot>)> {
    let asked = Asked::of(context)?;
    if let Some((session, snapshot)) = asked.in_tree(context, Tree::Index)? {
        return Ok((session, Some(snapshot)));
    }
    match lying(context)? {
        Some(lying) => Ok((Session::of(context, lying)?, None)),
        None => Err(asked.missing(context)),
    }
}

/// The project by the manifest that a commit has, and the files that it has; `None` where it has no manifest.
pub fn open_commit<'a>(context: &'a Context, name: &str) -> Result<Option<(Session<'a>, Snapshot)>> {
    let asked = Asked::of(context)?;
    let id = asked.git.commit(name)?;
    asked.in_tree(context, Tree::Commit(&id))
}

/// As [`open_commit`]; a commit without a manifest is an error.
pub fn expect_commit<'a>(context: &'a Context, name: &str) -> Result<(Session<'a>, Option<Snapshot>)> {
    let (session, snapshot) = open_commit(context, name)?.ok_or_else(|| {
        Error::new(Kind::Manifest, "manifest-missing", "the commit has no manifest").hint("name one that has it")
    })?;
    Ok((session, Some(snapshot)))
}

fn lying(context: &Context) -> Result<Option<Project>> {
    match session::find(context) {
        Err(error) if error.code() == "manifest-not-found" => Ok(None),
        found => found,
    }
}

/// What the command line asks for.
struct Asked {
    git: Git,
    start: PathBuf,
    name: String,
    /// Whether the manifest is in that directory and in no other.
    is_named: bool,
}

impl Asked {
    fn of(context: &Context) -> Result<Self> {
        let named = context.global.file.as_deref().map(|file| context.directory().join(file));
        let start = named.as_deref().and_then(Path::parent).map_or_else(|| context.directory(), Path::to_owned);
        let start = start.canonicalize().unwrap_or(start);
        let name = named.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or(MANIFEST);
        let git = git_in(&start);
        git.expect_repository()?;
        Ok(Self { git, start, name: name.to_owned(), is_named: named.is_some() })
    }

    /// The project as git has it; one whose manifest lies further down in the work tree is meant instead.
    fn in_tree<'a>(&self, context: &'a Context, tree: Tree<'_>) -> Result<Option<(Session<'a>, Snapshot)>> {
        let kept = self.git.nearest_in(tree, &self.name)?.filter(|it| !self.is_named || self.start == *it);
        let Some(directory) = kept else { return Ok(None) };
        if lying(context)?.is_some_and(|it| is_within(&it, &directory)) {
            return Ok(None);
        }
        let snapshot = git_in(&directory).snapshot(tree)?;
        let (name, place) = (&self.name, tree.text());
        let Kept::File(bytes) = snapshot.read(name)? else {
            let message = format!("`{name}` is no file with a manifest in {place}");
            return Err(Error::new(Kind::Manifest, "manifest-missing", message)
                .hint(format!("`git add {name}`, or `git reset -- {name}`")));
        };
        let session = Session::of_bytes(context, Root::open(&directory)?, name, bytes)?;
        Ok(Some((session, snapshot)))
    }

    fn missing(&self, context: &Context) -> Error {
        missing(context, &self.git, &self.name)
    }
}

fn git_in(directory: &Path) -> Git {
    Git::new(directory, context::variables(git::INHERITED.into_iter()))
}

/// Whether a manifest lies in a directory beneath another one.
fn is_within(lying: &Project, directory: &Path) -> bool {
    let path = lying.root.path().canonicalize();
    path.is_ok_and(|path| path != directory && path.starts_with(directory))
}

fn missing(context: &Context, git: &Git, name: &str) -> Error {
    let error = |message: String| Error::new(Kind::Manifest, "manifest-missing", message);
    if !matches!(git.nearest_in(Tree::Commit("HEAD"), name), Ok(Some(_))) {
        let directory = context.directory();
        return error(format!("there is no {name} in `{}` or above it", directory.display()))
            .hint("make one with `vault-kit init`");
    }
    error(format!("the next commit would take `{name}` away, and with it all that tells what to look for")).hint(
        format!("put it back with `git checkout HEAD -- {name}`; if that is meant, `git commit --no-verify` once"),
    )
}
