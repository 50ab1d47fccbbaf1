//! What changed since a git revision, by `git` as a child. It inherits nothing but what it needs to find the user's own
//! configuration, runs no program that a repository names, and fetches nothing.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::error::{Error, Kind, Result};

/// What a repository's own configuration could have run, switched off. The commands that are used here run no diff driver; a
/// file whose time is that of the index goes through its filter, so that those are switched off by their names.
const HARMLESS: [(&str, &str); 2] = [("core.fsmonitor", "false"), ("core.hooksPath", "/dev/null")];

/// The settings of filters that start a program or insist on it.
const FILTERS: &str = r"^filter\..*\.(clean|process|required)$";

/// A revision of the repository that a directory is in.
#[derive(Debug)]
pub struct Revision<'a> {
    directory: &'a Path,
    environment: &'a [(OsString, OsString)],
    /// Settings that go before those of the repository.
    settings: Vec<(OsString, &'static str)>,
    id: String,
}

impl<'a> Revision<'a> {
    /// Finds the commit that a revision names. `environment` has at least `PATH`, and `HOME` where there is one.
    pub fn find(directory: &'a Path, revision: &str, environment: &'a [(OsString, OsString)]) -> Result<Self> {
        let settings = HARMLESS.iter().map(|&(name, value)| (name.into(), value)).collect();
        let mut this = Self { directory, environment, settings, id: String::new() };
        if !this.run(&["rev-parse", "--is-inside-work-tree"])?.stdout.starts_with(b"true") {
            return Err(Error::usage(format!("`{}` is not in the work tree of a git repository", directory.display()))
                .hint("leave `--changed-since` out"));
        }
        this.switch_filters_off()?;
        let commit = format!("{revision}^{{commit}}");
        // No revision has a NUL in it, and no argument either.
        let found = (!revision.contains('\0'))
            .then(|| this.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]))
            .transpose()?;
        let id = found.filter(|found| found.status.success()).map(|found| found.stdout);
        let id = id.and_then(|id| String::from_utf8(id).ok()).map(|id| id.trim_end().to_owned());
        let is_id = |id: &String| [40, 64].contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        this.id = id.filter(is_id).ok_or_else(|| {
            Error::new(Kind::Usage, "unknown-revision", "`--changed-since` names no commit of this repository").hint(
                "a shallow clone has to fetch it first: `git fetch --depth=1 origin BRANCH`, then name `FETCH_HEAD`",
            )
        })?;
        Ok(this)
    }

    /// The files that differ from it or are not tracked, relative to the directory. A file whose time alone changed may be
    /// among them.
    pub fn changed_files(&self) -> Result<BTreeSet<String>> {
        let changed =
            self.expect(&["diff-index", "-z", "--name-only", "--no-renames", "--relative", &self.id, "--"])?;
        let untracked = self.expect(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        let names = [changed, untracked].concat();
        let names = names.split(|&byte| byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// What a file held then; `None` = there was none.
    pub fn text(&self, file: &str) -> Result<Option<String>> {
        // `MODE TYPE ID<tab>NAME`
        let entry = self.expect(&["ls-tree", "-z", &self.id, "--", file])?;
        let entry = String::from_utf8_lossy(&entry).into_owned();
        let Some(id) = entry.split(['\t', '\0']).next().and_then(|facts| facts.split(' ').nth(2)) else {
            return Ok(None);
        };
        self.expect(&["cat-file", "blob", id]).map(|text| Some(String::from_utf8_lossy(&text).into_owned()))
    }

    fn switch_filters_off(&mut self) -> Result<()> {
        // Without any it ends with 1.
        let names = self.run(&["config", "-z", "--name-only", "--get-regexp", FILTERS])?.stdout;
        for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            let value = if name.ends_with(b".required") { "false" } else { "" };
            self.settings.push((OsStr::from_bytes(name).to_owned(), value));
        }
        Ok(())
    }

    fn expect(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = self.run(arguments)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = format!("`git {}` fails in `{}`: {}", arguments[0], self.directory.display(), output.status);
        Err(Error::new(Kind::System, "git-failed", message)
            .hint("`git status` tells what is wrong with the repository"))
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new("git");
        command.args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"]).args(arguments);
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        command.env("GIT_CONFIG_COUNT", self.settings.len().to_string());
        for (at, (name, value)) in self.settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{at}"), name).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        command.current_dir(self.directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let output = command.spawn().and_then(std::process::Child::wait_with_output);
        output.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::usage("`--changed-since` needs git, which is not found").hint("install git, or leave it out")
            }
            _ => Error::io("start git", error),
        })
    }
}
