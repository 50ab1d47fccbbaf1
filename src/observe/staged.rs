//! Files that are committed, as what is judged has them: git's index, or the work tree.

use std::path::{Component, Path};

use zeroize::Zeroizing;

use super::Subject;
use super::file::Tree;
use crate::check::deployed::Unread;
use crate::check::facts::FileFact;
use crate::compose::LARGEST;
use crate::scan::git::Kept;
use crate::shell;

/// What was read; `None` = there is nothing, `Err` = why it was not read, as the end of a sentence that begins with its path.
type Content = Result<Option<Zeroizing<Vec<u8>>>, Unread>;

impl Subject<'_> {
    /// A file beneath the project. What git ignores is this machine's own, and is read where it lies.
    pub(super) fn committed(&self, tree: &mut Tree, path: &str) -> Content {
        let Some(staged) = self.staged else { return lying(tree, path) };
        let plain = plain(path);
        let unreadable = |error| Unread::elsewhere(format!("cannot be read from {}: {error}", staged.place));
        match staged.read(&plain).map_err(unreadable)? {
            Kept::File(bytes) if bytes.len() > LARGEST => Err(too_large()),
            Kept::File(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Kept::NotAFile => {
                Err(symlink(&format!("is a symlink in {} or behind one, and is not followed", staged.place)))
            }
            Kept::Absent if staged.is_ignored(&plain).map_err(unreadable)? => lying(tree, path),
            Kept::Absent => Ok(None),
        }
    }
}

/// A file of the work tree: a regular one, of a bounded size, through no symlink.
pub(super) fn lying(tree: &mut Tree, path: &str) -> Content {
    match tree.stat(path) {
        Ok(stat) if u64::try_from(stat.st_size).is_ok_and(|size| size > LARGEST as u64) => Err(too_large()),
        Ok(_) => match tree.read(path) {
            // It can have grown meanwhile.
            Ok(bytes) if bytes.len() > LARGEST => Err(too_large()),
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(forbidden(format!("cannot be read: {error}"), path)),
        },
        Err(FileFact::Absent) => Ok(None),
        Err(FileFact::Symlink(_)) => Err(symlink("is a symlink or behind one, and is not followed")),
        Err(FileFact::Unreadable(why)) => Err(forbidden(why.trim_start_matches("it "), path)),
        Err(FileFact::NotAFile | FileFact::File(_)) => {
            Err(fault("is not a regular file", "put a regular file in its place".to_owned()))
        }
    }
}

fn fault(why: impl Into<String>, fix: String) -> Unread {
    Unread { why: why.into(), fix, is_fault: true }
}

fn too_large() -> Unread {
    fault("is larger than 1 MiB, and is not read", "make it smaller than 1 MiB".to_owned())
}

fn forbidden(why: impl Into<String>, path: &str) -> Unread {
    fault(why, format!("sudo chown \"$(id -u)\" {0} && chmod u+r {0}", shell::path(path)))
}

/// Where one leads is not looked at, and whose fault that is not said.
fn symlink(why: &str) -> Unread {
    Unread { fix: "put the file itself where the symlink is".into(), ..Unread::elsewhere(why) }
}

/// A path as git's index writes it, without `.`; what leads out of the project is in no index.
fn plain(path: &str) -> String {
    let parts = Path::new(path).components().filter(|it| *it != Component::CurDir);
    parts.collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}
