//! The words of every refusal and failure on the disk.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::io::Errno;
use rustix::process::Resource;

use super::facts::Status;
use super::resolve;
use crate::error::{Error, Kind, Result};
use crate::shell;

/// A verb and a path, as [`Error::io`] wants them.
pub(super) fn phrase(verb: &str, path: &Path) -> String {
    format!("{verb} `{}`", path.display())
}

/// The system refused or failed `verb` on a path.
pub(super) fn failed(verb: &str, path: &Path, errno: Errno) -> Error {
    match errno {
        // The only way to ELOOP, since we forbid every symlink.
        Errno::LOOP => symlink(path),
        Errno::NOSPC | Errno::DQUOT => Error::io(phrase(verb, path), errno).hint("free some space on that file system"),
        Errno::FBIG => {
            Error::io(phrase(verb, path), errno).hint("lift the limit on the size of files with `ulimit -f unlimited`")
        }
        Errno::BUSY => Error::io(phrase(verb, path), errno)
            .hint("if a container mounts this single file, declare `in_place = true` for its output"),
        _ => Error::io(phrase(verb, path), errno),
    }
}

/// Refuses a size that the limit of this process forbids: the system would end it by a signal in the midst of the write.
pub(super) fn expect_allowed(size: u64, path: &Path) -> Result<()> {
    let limit = rustix::process::getrlimit(Resource::Fsize).current;
    if limit.is_some_and(|limit| size > limit) { Err(failed("write", path, Errno::FBIG)) } else { Ok(()) }
}

/// A directory that we may not open or write in; `status` is its own, where that much can be seen.
pub(super) fn closed(verb: &str, directory: &Path, status: Option<&Status>, errno: Errno) -> Error {
    let error = failed(&format!("{verb} the directory"), directory, errno);
    let (word, user) = (shell::path(&directory.to_string_lossy()), rustix::process::geteuid().as_raw());
    match (errno, status) {
        (Errno::ACCESS, Some(status)) if status.uid == user => error.hint(format!("`chmod u+rwx {word}`")),
        (Errno::ACCESS, Some(_)) => error
            .hint(format!("`sudo chown {user} {word}` makes it yours"))
            .hint("or run `sudo vault-kit render` where the files are to be root's"),
        (Errno::ACCESS, None) => error.hint(format!("`namei -l {word}` shows which directory keeps you out")),
        (Errno::ROFS, _) => error.hint(format!("`findmnt -T {word}` shows the file system that is mounted read-only")),
        _ => error,
    }
}

/// A directory beneath another one that we may not open.
pub(super) fn not_opened(from: impl AsFd, names: &[&OsStr], directory: &Path, errno: Errno) -> Error {
    let status = resolve::open_directory(from, names, resolve::TRAVERSE).and_then(|it| Status::of(&it));
    closed("open", directory, status.ok().as_ref(), errno)
}

/// We refuse for the sake of safety.
pub(super) fn refused(code: &'static str, path: &Path, why: &str) -> Error {
    Error::new(Kind::Permission, code, format!("refusing to touch `{}`: {why}", path.display()))
}

/// A symlink stands somewhere in the path.
pub(super) fn symlink(path: &Path) -> Error {
    refused("symlink", path, "it is, or leads through, a symlink")
        .hint("put a regular file or directory in the link's place, or name the path that it points to")
}

/// The path would leave its root.
pub(super) fn escapes(path: &str) -> Error {
    let message = format!("refusing to use the path `{}`: it is not beneath its directory", path.escape_default());
    Error::new(Kind::Permission, "path-escapes", message).hint("write a relative path without `..`")
}

/// More bytes than anybody writes by hand, and than are read into memory.
pub(super) fn too_large(path: &Path, most: u64) -> Error {
    let message = format!("refusing to read `{}`: it is larger than {} MiB", path.display(), most >> 20);
    Error::new(Kind::Permission, "too-large", message).hint("move it aside, for nothing that belongs there is as large")
}

/// Owner or group cannot be as declared.
pub(super) fn owner(path: &Path, errno: Errno) -> Error {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let message = format!("cannot set the owner of `{}`", path.display());
    Error::new(Kind::Permission, "cannot-set-owner", message)
        .source(std::io::Error::from(errno))
        .hint("run `sudo vault-kit render`")
        .hint(format!("or let the container run as you: `user: \"{uid}:{gid}\"` in the Compose file, without `uid`"))
}

/// The file system did not take the mode.
pub(super) fn mode(path: &Path, mode: u32) -> Error {
    let message = format!("cannot keep mode {mode:04o} for `{}`: its file system has another opinion", path.display());
    Error::new(Kind::System, "mode-not-kept", message).hint("keep secrets on a file system that has Unix modes")
}

/// Everything is written, but a directory was not synced.
pub(super) fn durability(directory: &Path, error: std::io::Error) -> Error {
    let message = format!("written, but the disk did not confirm it for the directory `{}`", directory.display());
    Error::new(Kind::System, "durability-unknown", message)
        .source(error)
        .hint("check the disk, then run the command again")
}
