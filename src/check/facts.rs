//! What [`super::judge::judge`] is told. No values: observers compare and judge them, and hand over the verdicts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::deployed::Deployed;
use super::environment::Seen;
use super::finding::NotChecked;
pub use super::handwritten::{Handwritten, Written};
use crate::name::{EnvName, OutputName, SecretName, VersionId};
use crate::remote::Listed;
use crate::shell;
use crate::store::ledger::Ledger;

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The process environment, such as a CI job's.
    Env,
    /// Store, ledger and output files.
    Host,
    /// AWS Secrets Manager, as it can be described; of values no more than which keys a bundle lacks.
    Remote,
    /// The manifest and what is committed.
    Repo,
}

impl Place {
    /// The place as JSON, `--at` and people read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Host => "host",
            Self::Remote => "remote",
            Self::Repo => "repo",
        }
    }
}

/// A file that an output of the environment should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedFile {
    /// Relative to the manifest's directory; absolute only when trusted.
    pub path: String,
    /// Its output.
    pub output: OutputName,
    /// The secrets that it should hold, and in which version; settings are absent.
    pub holds: BTreeMap<SecretName, VersionId>,
    /// The declared mode.
    pub mode: u32,
    /// Whether it holds nothing secret, such as a certificate.
    pub public: bool,
    /// The declared owner.
    pub uid: Option<u32>,
    /// The declared group.
    pub gid: Option<u32>,
    /// Whether it holds `NAME=value` lines.
    pub dotenv: bool,
}

/// Everything that was observed.
#[derive(Debug, Default)]
pub struct Facts {
    /// The state of the store's file.
    pub store: StoreFact,
    /// The same project in another work tree, where this is a linked one without the environment's store and that one has it.
    pub main_tree: Option<String>,
    /// Digest of each declaration as it stands in the manifest now.
    pub recipes: BTreeMap<SecretName, String>,
    /// The files that the outputs should have.
    pub expected: Vec<ExpectedFile>,
    /// The files as they are, by the path in [`ExpectedFile`]; a file that nobody looked for is not in here.
    pub files: BTreeMap<String, FileFact>,
    /// Files that the ledger says we delivered, that no output has any more, and that are still there: the paths to remove.
    pub orphans: BTreeMap<String, Vec<String>>,
    /// Those of them with lines of others beside what we wrote.
    pub shared: BTreeSet<String>,
    /// Those of them that were changed since, so that nobody can tell what in them is ours.
    pub changed: BTreeSet<String>,
    /// Files of our own that others can read, their directory and the identity among them, and a manifest that others
    /// can write: their mode.
    pub open_files: BTreeMap<String, u32>,
    /// Files of our own, and their directory, that belong to none of the `owners`: who they belong to.
    pub foreign_files: BTreeMap<String, u32>,
    /// Directories above output files that another account can write in, relative to the manifest's directory.
    pub open_directories: BTreeMap<String, u32>,
    /// Containers that mount an output file by itself and have another one than stands there now.
    pub stale_mounts: Vec<StaleMount>,
    /// Owners that a file without a declared one may have: the invoking user, and under root the project's.
    pub owners: BTreeSet<u32>,
    /// What git knows of the files.
    pub git: GitFact,
    /// Tracked example files, with how each of their values compares with the one in use.
    pub examples: BTreeMap<String, BTreeMap<SecretName, Comparison>>,
    /// The ledgers of the other environments.
    pub others: BTreeMap<EnvName, Ledger>,
    /// Values without a public fingerprint that another environment has too, and under which name.
    pub reused: BTreeMap<SecretName, (EnvName, SecretName)>,
    /// The variables that are set, by name; `None` = nobody looked.
    pub variables: Option<BTreeMap<SecretName, Seen>>,
    /// The Compose files and the gateway's configuration.
    pub deployed: Deployed,
    /// What AWS says of the remote secrets, by full name; `None` = there is none of that name.
    pub remote: BTreeMap<String, Option<Listed>>,
    /// The hooks that a rotation will call and that cannot be run.
    pub hooks: Vec<UnusableHook>,
    /// The dotenv files that a new value could not be written into as they are, by path.
    pub handwritten: BTreeMap<String, Handwritten>,
    /// The lines of dotenv files that vault-kit did not write and that have a value which leaked, by path.
    pub leaked_lines: BTreeMap<String, BTreeSet<usize>>,
    /// The declared keys that bundles in AWS lack, by the bundle's full name, as far as they may be read; `None` = what is
    /// there is no JSON object.
    pub remote_lacks: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Whether a vault-kit that changes the project, or one of its hooks, is alive.
    pub is_at_work: bool,
    /// IAM policies that are not what the manifest needs, by path: the role.
    pub stale_policies: BTreeMap<String, &'static str>,
    /// What a search of commits found; `None` = nobody searched any.
    pub searched: Option<Searched>,
    /// What the observer could not look at.
    pub unseen: Vec<NotChecked>,
}

/// A hook that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnusableHook {
    /// Its name.
    pub hook: String,
    /// Where the manifest declares it, from 1.
    #[serde(skip)]
    pub line: usize,
    /// Why: the code of the error that calling it would end with.
    pub code: &'static str,
    /// The same in words.
    pub message: String,
    /// What mends it.
    pub fix: String,
}

/// What a search of the commits of a range found.
#[derive(Debug, Default)]
pub struct Searched {
    /// How many commits were looked through.
    pub commits: usize,
    /// What was found.
    pub leaks: Vec<Leak>,
    /// What could not be looked at, or was not looked for.
    pub unseen: Vec<NotChecked>,
    /// What was looked at and may not be what was meant.
    pub warnings: Vec<String>,
}

/// A value, or what looks like one, that a commit brought. Never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The secret, where it is one of ours.
    pub secret: Option<SecretName>,
    /// The file that has it, relative to the project where it is beneath it; `None` = it is in no file.
    pub file: Option<String>,
    /// The line in that file as the commit has it, from 1.
    pub line: Option<u32>,
    /// What was found, with its commit.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// Whether it is one of our values, or a rule says that it blocks.
    pub is_certain: bool,
}

/// The state of the store's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreFact {
    /// There is none.
    #[default]
    Absent,
    /// It is there, with this SHA-256 in hex.
    Present(String),
    /// It could not be looked at, and why.
    Unreadable(String),
}

/// A file that a container mounted by itself before it was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleMount {
    /// The file, as [`ExpectedFile`] has it.
    pub file: String,
    /// The container's name.
    pub container: String,
    /// The project and service of Docker Compose that it belongs to.
    pub service: Option<(String, String)>,
}

impl StaleMount {
    /// The command that makes it see the file that is there: a start mounts anew.
    pub fn restart(&self) -> String {
        match &self.service {
            Some((project, service)) => {
                format!("docker compose -p {} restart {}", shell::word(project), shell::word(service))
            }
            None => format!("docker restart {}", shell::word(&self.container)),
        }
    }
}

/// A file as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFact {
    /// There is none.
    Absent,
    /// A file.
    File(FileState),
    /// A directory, device, socket or pipe.
    NotAFile,
    /// A symlink; the path is the component that is one.
    Symlink(String),
    /// It could not be looked at, and why.
    Unreadable(String),
}

/// Metadata of a file, and how its content compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub mtime: i128,
    /// Inode number.
    pub inode: u64,
    /// How many names it has.
    pub links: u64,
    /// What is in it.
    pub content: Content,
}

/// What is known of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Size, time and inode are those that the ledger recorded, so that it is what we wrote.
    AsWritten,
    /// Its values were compared; a name that is not here is not in the file.
    Compared(BTreeMap<SecretName, Comparison>),
    /// It is a document, and does not say what store or manifest say now.
    Outdated,
    /// It could not be read, and why.
    Unreadable(String),
}

/// How a value that was found compares with the one that should be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Another value.
    Different,
    /// The same value.
    Same,
    /// Nobody can tell without the identity.
    Unknown,
}

/// What git knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GitFact {
    /// The project is in no work tree.
    #[default]
    NoWorkTree,
    /// It is in one.
    WorkTree {
        /// Tracked paths among those asked for, and all tracked ones below `.vault-kit/`.
        tracked: BTreeSet<String>,
        /// Whether a path is ignored; `None` = a pattern that we do not understand might decide it.
        ignored: BTreeMap<String, Option<bool>>,
        /// What takes a path back that is not ignored: a `.gitignore` below the project's own, relative to it, and the line.
        taken_back: BTreeMap<String, (String, usize)>,
        /// The repository within the project, such as a submodule, that a path belongs to instead.
        nested: BTreeMap<String, String>,
    },
    /// The index could not be read, and why.
    Unreadable(String),
}
