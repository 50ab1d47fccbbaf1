//! A project as git's index or a commit has it, for what is asked of what is committed or pushed.

use std::path::{Path, PathBuf};

use super::context::{self, Context};
use super::session::{self, Session};
use crate::error::{Error, Kind, Result};
use crate::private_file::Root;
use crate::project::{MANIFEST, Project};
use crate::scan::git::{self, Git, Kept, Snapshot, Tree};
use crate::shell;

/// The project by the manifest that the next commit would have, and the files that it would have.
///
/// A manifest that git does not have is that of the work tree, and so are the files (`None`).
pub fn open(context: &Context) -> Result<(Session<'_>, Option<Snapshot>)> {
    let asked = Asked::of(context)?;
    asked.expect_kept(context, asked.git.lost(&asked.name)?, |directory| {
        let has_it = directory.join(&asked.name).is_file();
        let back = if has_it { "reset" } else { "checkout HEAD" };
        ("the next commit", format!("`{} -- {}` puts it back", git_there(directory, back), shell::path(&asked.name)))
    })?;
    if let Some((session, snapshot)) = asked.in_tree(context, Tree::Index)? {
        return Ok((session, Some(snapshot)));
    }
    match lying(context)? {
        Some(lying) => Ok((Session::of(context, lying)?, None)),
        None => Err(missing(context, &asked.name)),
    }
}

/// The project by the manifest of the commit that is pushed, by the lines of a pre-push hook, and the files that it has.
///
/// Where several commits are pushed, or one without a manifest, it is that of the work tree, and so are the files (`None`);
/// where none lies there either, one of those that are pushed.
pub fn open_pushed<'a>(context: &'a Context, lines: &str) -> Result<(Session<'a>, Option<Snapshot>)> {
    let asked = Asked::of(context)?;
    asked.expect_kept(context, asked.git.lost_by(lines, &asked.name)?, |_| {
        ("what is pushed", format!("commit `{}` again", asked.name))
    })?;
    let tips = git::tips(lines);
    if tips.len() == 1 || lying(context)?.is_none() {
        for tip in tips {
            if let Some((session, snapshot)) = asked.in_tree(context, Tree::Commit(tip))? {
                return Ok((session, Some(snapshot)));
            }
        }
    }
    Ok((Session::open(context)?, None))
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
        if !start.is_dir() {
            let message = format!("`{}` is not there, and with it `{name}`", start.display());
            let back = "bring the directory back; if it is to go: git's `--no-verify` once";
            return Err(taken_away(message).hint(back));
        }
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
        let git = if directory == self.start { self.git.clone() } else { git_in(&directory) };
        let snapshot = git.snapshot(tree)?;
        let (name, place) = (&self.name, tree.text());
        let Kept::File(bytes) = snapshot.read(name)? else {
            let message = format!("`{name}` is no file with a manifest in {place}");
            return Err(Error::new(Kind::Manifest, "manifest-missing", message)
                .hint(format!("`git add {name}`, or `git reset -- {name}`")));
        };
        let session = Session::of_bytes(context, Root::open(&directory)?, name, bytes)?;
        Ok(Some((session, snapshot)))
    }

    /// Refuses what takes away the manifest of this project, which was in the directory `lost`; whoever knows says in words what
    /// it is that does so, and how the manifest is put back.
    fn expect_kept(
        &self,
        context: &Context,
        lost: Option<PathBuf>,
        words: impl Fn(&Path) -> (&'static str, String),
    ) -> Result<()> {
        let Some(directory) = lost.filter(|it| !self.is_named || self.start == *it) else { return Ok(()) };
        // One further down, which git does not have yet, is meant instead.
        if lying(context)?.is_some_and(|it| is_within(&it, &directory)) {
            return Ok(());
        }
        let (what, back) = words(&directory);
        let message = format!("{what} would take `{}` away, and with it all that tells what to look for", self.name);
        Err(taken_away(message)
            .hint(back)
            .hint("if that is meant: `vault-kit hooks remove`, or git's `--no-verify` once"))
    }
}

fn taken_away(message: String) -> Error {
    Error::new(Kind::Manifest, "manifest-taken-away", message)
}

fn git_in(directory: &Path) -> Git {
    Git::new(directory, context::variables(git::INHERITED.into_iter()))
}

/// Whether a manifest lies in a directory beneath another one.
fn is_within(lying: &Project, directory: &Path) -> bool {
    let path = lying.root.path().canonicalize();
    path.is_ok_and(|path| path != directory && path.starts_with(directory))
}

fn missing(context: &Context, name: &str) -> Error {
    let message = format!("there is no {name} in `{}` or above it", context.directory().display());
    Error::new(Kind::Manifest, "manifest-missing", message).hint("make one with `vault-kit init`")
}

/// `git …` as a person would have to type it for a directory.
fn git_there(directory: &Path, words: &str) -> String {
    let is_here = !context::is_below_top() && Path::new(".").canonicalize().is_ok_and(|here| here == directory);
    let there = if is_here { String::new() } else { format!("-C {} ", shell::path(&directory.to_string_lossy())) };
    format!("git {there}{words}")
}
