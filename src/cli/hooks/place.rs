//! Where git's hooks belong, and which other tool looks after them.

use std::path::{Path, PathBuf};

use super::super::context::{self, Context};
use super::super::session;
use crate::error::{Error, Kind, Result};
use crate::git_hooks::Event;
use crate::scan::git::{self, Git};
use crate::work_tree::WorkTree;

/// Files that tell that another tool manages hooks, and what it is to be told instead of being gone around.
const MANAGERS: [(&str, &str); 5] = [
    (".lefthook.yml", LEFTHOOK),
    ("lefthook.toml", LEFTHOOK),
    ("lefthook.yaml", LEFTHOOK),
    ("lefthook.yml", LEFTHOOK),
    (".pre-commit-config.yaml", PRE_COMMIT),
];

const LEFTHOOK: &str = "lefthook writes its own hooks anew: add `vault-kit scan --staged` and `vault-kit check --at repo --staged` as \
                        commands of its `pre-commit` and `pre-merge-commit`, `vault-kit scan --message {1}` of its `commit-msg`, and \
                        `vault-kit scan --range -` with `use_stdin: true` of its `pre-push`";

const PRE_COMMIT: &str = "the pre-commit framework keeps ours as a legacy hook; its own way are the hooks `vault-kit-scan`, `vault-kit-check`, \
     `vault-kit-message` and `vault-kit-push` of this repository: https://github.com/vault-kit/vault-kit";

/// The directory of hooks of a repository.
pub(super) struct Place {
    /// Where the files are.
    pub(super) directory: PathBuf,
    /// Whether it belongs to this repository alone.
    pub(super) is_inside: bool,
    /// Whether husky calls what is there.
    pub(super) is_husky: bool,
    /// The top of the work tree.
    pub(super) top: PathBuf,
    /// The project, relative to that.
    pub(super) project: String,
    /// Whether a manifest says that there is one.
    pub(super) is_project: bool,
    /// What else to do.
    pub(super) advice: Vec<&'static str>,
}

impl Place {
    /// Where the hooks of a project are. One that `may_be_gone` is named by its directory, if it has no manifest.
    pub(super) fn find(context: &Context, may_be_gone: bool) -> Result<Self> {
        if context.global.file.is_some() {
            return Err(Error::usage("the hooks look for vault-kit.toml")
                .hint("leave `-f` out, and name the directory with `-C`"));
        }
        let found = session::find(context)?;
        let is_project = found.is_some();
        let root = match found {
            Some(found) => found.root.path().to_owned(),
            None if may_be_gone => context.directory(),
            None => {
                return Err(Error::new(Kind::Manifest, "manifest-missing", "there is no vault-kit.toml to look after")
                    .hint("make one with `vault-kit init`"));
            }
        };
        let root = std::path::absolute(root).and_then(|root| root.canonicalize());
        let root = root.map_err(|error| Error::io("find the project", error))?;
        let git = Git::new(&root, context::variables(git::INHERITED.into_iter()));
        git.expect_repository()?;
        let top = git.top()?.ok_or_else(|| Error::usage("a bare repository has no commits of its own to look at"))?;
        let directory = git.hooks_directory()?;
        // husky writes what git calls anew, and that calls what stands a level higher.
        let husky = directory.parent().filter(|parent| parent.ends_with(".husky") && directory.ends_with("_"));
        let (is_husky, directory) = match husky {
            Some(husky) => (true, husky.to_owned()),
            None => (false, directory),
        };
        let common = WorkTree::at(&top).and_then(|tree| tree.ok()?.common.canonicalize().ok());
        let is_inside = directory.starts_with(&top) || common.is_some_and(|it| directory.starts_with(it));
        let project = match root.strip_prefix(&top) {
            Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
            Ok(below) => {
                below.to_str().map(str::to_owned).ok_or_else(|| Error::usage("the project's path is not UTF-8"))?
            }
            Err(_) => return Err(Error::usage("the project is not in git's work tree")),
        };
        let has = |file: &Path| top.join(file).exists();
        let mut advice: Vec<&'static str> =
            MANAGERS.iter().filter(|(file, _)| has(Path::new(file))).map(|(_, advice)| *advice).collect();
        advice.dedup();
        Ok(Self { directory, is_inside, is_husky, top, project, is_project, advice })
    }

    /// The directory as people read it.
    pub(super) fn shown(&self) -> String {
        self.directory.display().to_string()
    }

    /// The file of a hook as people read it.
    pub(super) fn file(&self, event: Event) -> String {
        self.named(event.file())
    }

    /// A file beside them as people read it.
    pub(super) fn named(&self, file: &str) -> String {
        self.directory.join(file).display().to_string()
    }
}
