//! A project as git's index has it, for what is asked of the next commit.

use std::path::Path;

use super::context::{self, Context};
use super::session::{self, Session};
use crate::error::{Error, Kind, Result};
use crate::private_file::Root;
use crate::project::{MANIFEST, Project};
use crate::scan::git::{self, Git, Kept, Snapshot};

/// The project by the manifest that the next commit would have, and the files that it would have.
///
/// A manifest that git does not have is that of the work tree, and so are the files (`None`).
pub fn open(context: &Context) -> Result<(Session<'_>, Option<Snapshot>)> {
    let lying = match session::find(context) {
        Err(error) if error.code() == "manifest-not-found" => None,
        found => found?,
    };
    let named = context.global.file.as_deref().map(|file| context.directory().join(file));
    let start = named.as_deref().and_then(Path::parent).map_or_else(|| context.directory(), Path::to_owned);
    let start = start.canonicalize().unwrap_or(start);
    let name = named.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or(MANIFEST);
    let git = |directory: &Path| Git::new(directory, context::variables(git::INHERITED.into_iter()));
    git(&start).expect_repository()?;
    let is_here = |directory: &std::path::PathBuf| named.is_none() || start == *directory;
    let kept = git(&start).nearest_staged(name)?.filter(is_here);
    match (kept, lying) {
        (Some(directory), lying) if !lying.as_ref().is_some_and(|it| is_within(it, &directory)) => {
            let snapshot = git(&directory).snapshot()?;
            let Kept::File(bytes) = snapshot.read(name)? else {
                let message = format!("`{name}` is no file with a manifest in git's index");
                return Err(Error::new(Kind::Manifest, "manifest-missing", message)
                    .hint(format!("`git add {name}`, or `git reset -- {name}`")));
            };
            let session = Session::of_bytes(context, Root::open(&directory)?, name, bytes)?;
            Ok((session, Some(snapshot)))
        }
        (_, Some(lying)) => Ok((Session::of(context, lying)?, None)),
        (_, None) => Err(missing(context, &git(&start), name)),
    }
}

/// Whether a manifest lies in a directory beneath another one.
fn is_within(lying: &Project, directory: &Path) -> bool {
    let path = lying.root.path().canonicalize();
    path.is_ok_and(|path| path != directory && path.starts_with(directory))
}

fn missing(context: &Context, git: &Git, name: &str) -> Error {
    let message = if matches!(git.nearest_committed(name), Ok(Some(_))) {
        format!("the next commit would take `{name}` away, and with it all that tells what to look for")
    } else {
        format!("there is no {name} in `{}` or above it", context.directory().display())
    };
    Error::new(Kind::Manifest, "manifest-missing", message).hint(format!(
        "put it back with `git checkout HEAD -- {name}`; if that is meant, `git commit --no-verify` once"
    ))
}
