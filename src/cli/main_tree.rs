//! The work tree that has the store of a linked one (`git worktree add`), or had it: the main one, or another.

use std::path::{Path, PathBuf};

use super::context;
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::name::EnvName;
use crate::shell;
use crate::store::DIRECTORY;
use crate::store::second_copy::{self, Copy, Origin};
use crate::trust;
use crate::work_tree::WorkTree;

/// The same project in another work tree, to which a store belongs.
#[derive(Debug)]
pub struct Elsewhere {
    /// The top of that work tree, which may be gone.
    top: PathBuf,
    /// The project's directory there.
    pub directory: PathBuf,
    /// The second copy, where that is all that is left of the store.
    copy: Option<Copy>,
}

/// The work tree with the store of an environment, or of any; `None` where this is no linked one, or no other has or had it.
pub fn find(root: &Path, environment: Option<&EnvName>) -> Option<Elsewhere> {
    let root = root.canonicalize().ok()?;
    let (top, tree) = WorkTree::around(&root)?;
    let (project, tree) = (root.strip_prefix(top).ok()?, tree.ok()?);
    let others = tree.others();
    let store = environment.map_or_else(|| DIRECTORY.to_owned(), |it| format!("{DIRECTORY}/{it}.age"));
    let with_store = others.iter().find_map(|top| {
        let directory = top.join(project).canonicalize().ok()?;
        directory.join(&store).exists().then(|| Elsewhere { top: top.clone(), directory, copy: None })
    });
    with_store.or_else(|| with_copy(others, project, environment)).or_else(|| forgotten(&tree, project, environment))
}

/// A work tree of which git knows, where the second copy is left.
fn with_copy(others: Vec<PathBuf>, project: &Path, environment: Option<&EnvName>) -> Option<Elsewhere> {
    let (state_home, home) = (context::state_home(), context::home());
    others.into_iter().find_map(|top| {
        let directory = within(&top, project);
        let state = trust::state_directory(&directory, state_home.as_deref(), home.as_deref()).ok()?;
        let copy = second_copy::copies(&state, environment).into_iter().next()?;
        let directory = directory.canonicalize().unwrap_or(directory);
        Some(Elsewhere { top, directory, copy: Some(copy) })
    })
}

/// A work tree that was removed, and of which nothing is left but the second copy.
fn forgotten(tree: &WorkTree, project: &Path, environment: Option<&EnvName>) -> Option<Elsewhere> {
    if !tree.is_linked() {
        return None;
    }
    let home = trust::state_home(context::state_home().as_deref(), context::home().as_deref()).ok()?;
    let repository = tree.common.canonicalize().ok()?;
    let is_of = |it: &Origin| Path::new(&it.repository) == repository && Path::new(&it.below) == project;
    let mut states: Vec<PathBuf> = std::fs::read_dir(home).ok()?.filter_map(|it| Some(it.ok()?.path())).collect();
    states.sort_unstable();
    let mut copies = states.iter().flat_map(|state| second_copy::copies(state, environment));
    let copy = copies.find(|copy| copy.origin.as_ref().is_some_and(is_of))?;
    let top = PathBuf::from(&copy.origin.as_ref()?.top);
    Some(Elsewhere { directory: within(&top, project), top, copy: Some(copy) })
}

/// A project in a work tree, as a path without a slash at its end.
fn within(top: &Path, project: &Path) -> PathBuf {
    top.join(project).components().collect()
}

impl Session<'_> {
    /// The project in another work tree, if the store of the environment belongs to that and this one, which is linked, has none.
    pub fn main_tree(&self) -> Result<Option<PathBuf>> {
        Ok(self.elsewhere()?.map(|it| it.directory).filter(|directory| directory.is_dir()))
    }

    /// Refuses to make a store where that of the environment belongs to another work tree: the values of a second one would be others.
    pub fn refuse_second_store(&self) -> Result<()> {
        if !self.files().is_there()? && WorkTree::is_astray(self.root.path()) {
            return Err(astray());
        }
        self.elsewhere()?.map_or(Ok(()), |it| Err(it.second_store()))
    }

    fn elsewhere(&self) -> Result<Option<Elsewhere>> {
        if self.files().is_there()? {
            return Ok(None);
        }
        Ok(find(self.root.path(), Some(&self.environment)))
    }
}

impl Elsewhere {
    /// What to do instead of making a store here.
    pub fn second_store(&self) -> Error {
        let there = shell::path(&self.directory.to_string_lossy());
        let error = |rest: &str| {
            let message = format!("this is a linked work tree: the store is that of another one, {rest}");
            Error::new(Kind::Conflict, "second-store", message)
        };
        let error = match &self.copy {
            None => error("and a second would have other values")
                .hint(format!("use that one: `vault-kit -C {there} run -- COMMAND`, `vault-kit -C {there} render`")),
            Some(copy) => {
                let recover = format!("`vault-kit -C {there} -e {} store recover`", copy.environment);
                error("of which only the second copy is left").hint(self.brought_back(&recover)).hint(format!(
                    "its values are given up for good by `rm {}`",
                    shell::path(&copy.path.to_string_lossy())
                ))
            }
        };
        error.hint(
            "values of its own belong to an environment of their own, in vault-kit.toml: `vault-kit -e NAME init`",
        )
    }

    /// How the store is brought back: the work tree comes first, and the project in it.
    fn brought_back(&self, recover: &str) -> String {
        let top = shell::path(&self.top.to_string_lossy());
        match (self.directory.is_dir(), self.top.is_dir()) {
            (true, _) => format!("bring it back: {recover}"),
            (_, true) => format!("check the project out again in {top}, and bring it back: {recover}"),
            _ => format!("bring it back: `git worktree add --force --detach {top}`, then {recover}"),
        }
    }
}

/// What to do where nobody can tell whether another work tree has the store.
fn astray() -> Error {
    let message = "this is a linked work tree, and its repository is not where it was: the store may be there";
    Error::new(Kind::Conflict, "second-store", message).hint(
        "where the repository was moved to: `git worktree repair`, with the path of this work tree if that moved too",
    )
}
