//! Where a repository keeps its things, as git itself tells it.

use std::path::PathBuf;

use super::{Git, failed, path_of};
use crate::error::{Error, Kind, Result};

impl Git {
    /// Where hooks belong, as the configuration says it (`core.hooksPath`).
    ///
    /// Fails with `hooks-disabled` where that is no directory: so people have git call no hook at all.
    pub fn hooks_directory(&self) -> Result<PathBuf> {
        match self.path("--git-path", Some("hooks"))? {
            Some(directory) if directory.exists() && !directory.is_dir() => Err(disabled()),
            Some(directory) => Ok(directory),
            // Git has no absolute path for an empty one.
            None if self.is_hooks_path_empty()? => Err(disabled()),
            None => Err(failed()),
        }
    }

    fn is_hooks_path_empty(&self) -> Result<bool> {
        let answer = self.plain(&["config", "--get", "core.hooksPath"]).output().map_err(super::not_started)?;
        Ok(answer.status.success() && answer.stdout.trim_ascii().is_empty())
    }

    /// The top of the work tree; `None` where there is none.
    pub fn top(&self) -> Result<Option<PathBuf>> {
        if let Some(top) = self.top.get() {
            return Ok(Some(top.clone()));
        }
        let top = self.path("--show-toplevel", None)?;
        Ok(top.map(|top| self.top.get_or_init(|| top).clone()))
    }

    pub(super) fn path(&self, what: &str, of: Option<&str>) -> Result<Option<PathBuf>> {
        let arguments = ["rev-parse", "--path-format=absolute", what].into_iter().chain(of);
        let arguments: Vec<&str> = arguments.collect();
        // As configured: our own settings would name other hooks.
        let answer = self.plain(&arguments).output().map_err(super::not_started)?;
        let path = answer.stdout.strip_suffix(b"\n").unwrap_or(&answer.stdout);
        Ok(answer.status.success().then(|| path_of(path)))
    }
}

fn disabled() -> Error {
    let message = "git calls no hook here: `core.hooksPath` is no directory";
    Error::new(Kind::Conflict, "hooks-disabled", message)
        .hint("where that is set: `git config --show-origin core.hooksPath`")
        .hint("take it out there, as with `git config --unset core.hooksPath`, and git calls those of this repository")
}
