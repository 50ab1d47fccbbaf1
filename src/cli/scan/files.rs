//! The committed files that a search is told by: what may stand where it stands, and fingerprints.

use super::super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::scan::git::{Kept, Snapshot};

/// Where they are read: in git's index, or where they lie.
#[derive(Clone, Copy)]
pub(super) struct Files<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) staged: Option<&'a Snapshot>,
}

impl Files<'_> {
    /// A file beneath the project; `None` = there is none. What git ignores is this machine's own, and is read where it lies.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(staged) = self.staged else { return self.session.root.read(path) };
        match staged.read(path)? {
            Kept::File(bytes) => Ok(Some(bytes)),
            Kept::Absent if staged.is_ignored(path)? => self.session.root.read(path),
            Kept::Absent => Ok(None),
            Kept::NotAFile => {
                let message =
                    format!("`{path}` is, or lies behind, a symlink in {}, which is not followed", staged.place);
                Err(Error::new(Kind::Permission, "symlink", message)
                    .hint("put the file itself there, and `git add` it"))
            }
        }
    }
}
