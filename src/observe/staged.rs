//! Files that are committed, as what is judged has them: git's index, or the work tree.

use std::path::{Component, Path};

use zeroize::Zeroizing;

use super::Subject;
use super::file::Tree;
use crate::check::facts::FileFact;
use crate::compose::LARGEST;
use crate::scan::git::Kept;

/// What was read; `None` = there is nothing, `Err` = why it was not read, as the end of a sentence.
type Content = Result<Option<Zeroizing<Vec<u8>>>, String>;

impl Subject<'_> {
    /// A file beneath the project. What git ignores is this machine's own, and is read where it lies.
    pub(super) fn committed(&self, tree: &mut Tree, path: &str) -> Content {
        let Some(staged) = self.staged else { return lying(tree, path) };
        let plain = plain(path);
        match staged.read(&plain).map_err(|error| error.to_string())? {
            Kept::File(bytes) if bytes.len() > LARGEST => Err(TOO_LARGE.into()),
            Kept::File(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Kept::NotAFile => Err(format!("is a symlink in {} or behind one, and is not followed", staged.place)),
            Kept::Absent if staged.is_ignored(&plain).map_err(|error| error.to_string())? => lying(tree, path),
            Kept::Absent => Ok(None),
        }
    }
}

/// A file of the work tree: a regular one, of a bounded size, through no symlink.
pub(super) fn lying(tree: &mut Tree, path: &str) -> Content {
    match tree.stat(path) {
        Ok(stat) if u64::try_from(stat.st_size).is_ok_and(|size| size > LARGEST as u64) => Err(TOO_LARGE.into()),
        Ok(_) => match tree.read(path) {
            // It can have grown meanwhile.
            Ok(bytes) if bytes.len() > LARGEST => Err(TOO_LARGE.into()),
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(format!("cannot be read: {error}")),
        },
        Err(FileFact::Absent) => Ok(None),
        Err(FileFact::Symlink(_)) => Err("is a symlink or behind one, and is not followed".into()),
        Err(FileFact::Unreadable(why)) => Err(why.trim_start_matches("it ").to_owned()),
        Err(FileFact::NotAFile | FileFact::File(_)) => Err("is not a regular file".into()),
    }
}

const TOO_LARGE: &str = "is larger than 1 MiB, and is not read";

/// A path as git's index writes it, without `.`; what leads out of the project is in no index.
fn plain(path: &str) -> String {
    let parts = Path::new(path).components().filter(|it| *it != Component::CurDir);
    parts.collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}
