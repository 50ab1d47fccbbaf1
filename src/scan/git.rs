//! What git has: the index, the commits of a range, all of history.
//!
//! Git itself is asked, by plumbing that runs no hook, no filter, no diff driver and no pager, and that writes nothing. Only
//! objects are read, never the work tree.

mod objects;
mod place;
mod range;
mod refs;
mod snapshot;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::files::shown;
use super::finding::Within;
use super::stream::{Found, Search, Worker};
use crate::error::{Error, Kind, Result};
use refs::Ref;
pub use refs::{foreign_line, tips};
pub use snapshot::{Kept, Snapshot, Tree};

/// What git may learn of our environment: where things are, and whose configuration holds (`safe.directory`).
pub const INHERITED: [&str; 17] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_QUARANTINE_PATH",
    "GIT_WORK_TREE",
    "HOME",
    "PATH",
    "SUDO_UID",
    "TMPDIR",
    "XDG_CONFIG_HOME",
];

/// Those of them that are paths, which a hook may be given relative to where it runs.
const PATHS: [&str; 5] = ["GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"];

/// What no configuration of the repository may decide: each of these can name a program.
const SETTINGS: [&str; 8] = [
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.pager=cat",
    "-c",
    "protocol.allow=never",
];

/// Why older commits are not looked at.
const CUT: &str = "the clone is shallow: `git fetch --unshallow` brings the rest";

/// Git in a directory. Where that is in the work tree is asked once: each question is a process.
#[derive(Debug, Clone)]
pub struct Git {
    directory: PathBuf,
    environment: Vec<(OsString, OsString)>,
    prefix: OnceLock<Vec<u8>>,
    top: OnceLock<PathBuf>,
}

/// A file of the index or the work tree that git would take along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Relative to the directory.
    pub path: PathBuf,
    /// Whether git has it already.
    pub tracked: bool,
}

/// A blob that is to be looked at, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Blob {
    id: String,
    /// As findings show it.
    file: String,
    commit: Option<String>,
    within: Within,
}

impl Git {
    /// Git in `directory`, with what it may have of our environment.
    pub fn new(directory: &Path, environment: Vec<(OsString, OsString)>) -> Self {
        let is_path = |name: &OsStr| PATHS.iter().any(|it| name == *it);
        let absolute = |value: OsString| std::path::absolute(&value).map_or(value, PathBuf::into_os_string);
        let environment = environment.into_iter();
        let environment =
            environment.map(|(name, value)| if is_path(&name) { (name, absolute(value)) } else { (name, value) });
        let mut environment: Vec<_> = environment.collect();
        let has = |name: &str| environment.iter().any(|(it, _)| it == name);
        // A hook in a linked work tree is told the first and runs at its top; further down git would take that for the top.
        if has("GIT_DIR") && !has("GIT_WORK_TREE") && Path::new(".git").exists() {
            environment.push(("GIT_WORK_TREE".into(), absolute(".".into())));
        }
        Self { directory: directory.to_owned(), environment, prefix: OnceLock::new(), top: OnceLock::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.plain(&[&SETTINGS[..], arguments].concat())
    }

    /// Without our settings.
    fn plain(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(&self.directory);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Objects as they are, and none fetched from elsewhere.
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_NO_LAZY_FETCH", "1");
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// What git says on stdout; `None` when it fails.
    fn ask(&self, arguments: &[&str]) -> Result<Option<Vec<u8>>> {
        let answer = self.command(arguments).output().map_err(not_started)?;
        Ok(answer.status.success().then_some(answer.stdout))
    }

    /// As [`Git::ask`], with lines on stdin.
    fn ask_with(&self, arguments: &[&str], lines: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().map_err(not_started)?;
        let mut answer = Vec::new();
        let read = std::thread::scope(|scope| {
            let stdin = child.stdin.take();
            // What it does not take because it ended, its exit code tells.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(lines)));
            child.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut answer))
        });
        read.map_err(|error| Error::io("read what git says", error))?;
        let status = child.wait().map_err(|error| Error::io("wait for git", error))?;
        Ok(status.success().then_some(answer))
    }

    /// The files beneath the directory that git has, or would take with `git add .`; `None` outside of a work tree.
    pub fn listed(&self) -> Result<Option<Vec<Listed>>> {
        let answer = self.ask(&["ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard"])?;
        let Some(answer) = answer else { return Ok(None) };
        let listed = |record: &[u8]| {
            let (tag, path) = record.split_at_checked(2)?;
            Some(Listed { path: path_of(path), tracked: tag != b"? " })
        };
        let mut listed: Vec<Listed> = answer.split(|&it| it == 0).filter_map(listed).collect();
        // Of a file in conflict each side is listed.
        listed.dedup();
        Ok(Some(listed))
    }

    /// What the next commit would change, from the index.
    pub fn staged(&self, search: &Search<'_>) -> Result<Found> {
        const RAW: [&str; 6] = ["diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev"];
        self.expect_repository()?;
        let changes = if let Some(changes) = self.ask(&[&RAW[..], &["HEAD", "--"]].concat())? {
            changes
        } else {
            // There is no commit yet: everything is new.
            let tree = self.ask(&["hash-object", "-t", "tree", "--stdin"])?.ok_or_else(failed)?;
            let tree = String::from_utf8_lossy(&tree);
            self.ask(&[&RAW[..], &[tree.trim(), "--"]].concat())?.ok_or_else(failed)?
        };
        let prefix = self.prefix()?;
        let mut found = Found::default();
        let mut blobs = Vec::new();
        objects::changes(&changes, |change| objects::add(&change, &prefix, &mut blobs, &mut found));
        self.look(&blobs, search, found)
    }

    /// What the commits of all branches and tags brought, and the stash.
    pub fn history(&self, search: &Search<'_>) -> Result<Found> {
        self.expect_repository()?;
        let commits = self.ask(&["rev-list", "--reverse", "--all"])?.ok_or_else(failed)?;
        self.commits(&commits, &self.refs()?, search)
    }

    fn commits(&self, commits: &[u8], refs: &[Ref], search: &Search<'_>) -> Result<Found> {
        const TREES: [&str; 9] =
            ["diff-tree", "--stdin", "--root", "-r", "-c", "--raw", "-z", "--no-renames", "--no-abbrev"];
        let prefix = self.prefix()?;
        let (mut blobs, mut seen) = (Vec::new(), HashSet::new());
        let mut found = self.add_refs(refs, search, &mut blobs)?;
        let ids = commits.split(|&it| it == b'\n').filter(|id| !id.is_empty());
        for id in ids {
            let id = String::from_utf8_lossy(id).into_owned();
            let file = format!("(the message of commit {id:.10})");
            blobs.push(Blob { id: id.clone(), file, commit: Some(id), within: Within::Commit });
            found.looked_at.commits += 1;
        }
        if self.is_cut(commits)? {
            found.not_checked("the commits before those that are here", CUT);
        }
        let trees = self.ask_with(&TREES, commits)?.ok_or_else(failed)?;
        objects::changes(&trees, |change| {
            // The same content elsewhere is another leak: a line that lets one path pass says nothing of that.
            if seen.insert((change.id.to_vec(), change.path.to_vec())) {
                objects::add(&change, &prefix, &mut blobs, &mut found);
            }
        });
        self.look(&blobs, search, found)
    }

    /// Looks through blobs, which one `git cat-file` hands out.
    fn look(&self, blobs: &[Blob], search: &Search<'_>, found: Found) -> Result<Found> {
        let mut worker = Worker::new(search);
        worker.found = found;
        if blobs.is_empty() {
            return Ok(worker.found);
        }
        let mut child =
            self.command(&["cat-file", "--batch", "--buffer"]).stdin(Stdio::piped()).spawn().map_err(not_started)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let result = std::thread::scope(|scope| {
            scope.spawn(move || {
                let lines: Vec<u8> = blobs.iter().flat_map(|blob| [blob.id.as_bytes(), b"\n"].concat()).collect();
                // What it does not take because it ended, the reader notices.
                stdin.map(|mut stdin| stdin.write_all(&lines))
            });
            stdout.map_or(Ok(()), |stdout| objects::read(stdout, blobs, &mut worker))
        });
        if result.is_err() {
            stop(&mut child);
        }
        let status = child.wait().map_err(|error| Error::io("wait for git", error))?;
        result.map_err(|error| Error::io("read what git says", error))?;
        if status.success() { Ok(worker.found) } else { Err(failed()) }
    }

    /// Where the directory is in the work tree: what paths begin with that are beneath it. Nothing at the top, and where git has no
    /// repository.
    fn prefix(&self) -> Result<Vec<u8>> {
        Ok(self.known_prefix()?.unwrap_or_default())
    }

    /// The same; `None` where git has no repository, or does not trust it.
    fn known_prefix(&self) -> Result<Option<Vec<u8>>> {
        if let Some(prefix) = self.prefix.get() {
            return Ok(Some(prefix.clone()));
        }
        let Some(mut prefix) = self.ask(&["rev-parse", "--show-prefix"])? else { return Ok(None) };
        if prefix.last() == Some(&b'\n') {
            prefix.pop();
        }
        Ok(Some(self.prefix.get_or_init(|| prefix).clone()))
    }

    /// Refuses with `no-repository` where git has none, or does not trust it.
    pub fn expect_repository(&self) -> Result<()> {
        if self.known_prefix()?.is_some() {
            return Ok(());
        }
        let message = format!(
            "git has no repository at `{}` that it trusts",
            shown(self.directory.as_os_str().as_encoded_bytes())
        );
        Err(Error::new(Kind::Usage, "no-repository", message)
            .hint("run it in a clone, or begin with `git init`; in a clone of somebody else's: `git config --global --add safe.directory DIRECTORY`"))
    }
}

fn stop(child: &mut Child) {
    // It may have ended already; then there is nobody to stop.
    let _ = child.kill();
}

fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(bytes))
}

fn not_started(error: std::io::Error) -> Error {
    Error::new(Kind::System, "git-not-started", "git cannot be started")
        .source(error)
        .hint("install git, or name paths: `vault-kit scan PATH`")
}

fn failed() -> Error {
    Error::new(Kind::System, "git-failed", "git fails to tell what is in the repository").hint("`git fsck` tells more")
}
