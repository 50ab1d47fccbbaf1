//! Where a repository keeps its things, as git itself tells it.

use std::path::PathBuf;

use super::{Git, failed, path_of};
use crate::error::Result;

impl Git {
    /// Where hooks belong, as the configuration says it (`core.hooksPath`).
    pub fn hooks_directory(&self) -> Result<PathBuf> {
        self.path("--git-path", Some("hooks"))?.ok_or_else(failed)
    }

    /// The top of the work tree; `None` where there is none.
    pub fn top(&self) -> Result<Option<PathBuf>> {
        self.path("--show-toplevel", None)
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
