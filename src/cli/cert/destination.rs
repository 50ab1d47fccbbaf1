//! Where what is public goes: into a file that the user named, for everybody to read, or else to stdout.

use std::io::Read as _;
use std::path::{Component, Path};

use crate::cli::context::Context;
use crate::deliver::{FileReport, Outcome};
use crate::error::{Error, Result};
use crate::private_file::{Root, WriteOptions};
use crate::shell;
use crate::store::DIRECTORY;

/// What stands for stdout where a file is named.
pub const STDOUT: &str = "-";

/// What a command writes, by which it knows a file of before: nothing else is replaced. A typing mistake must not cost the
/// identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// PEM certificates and nothing else, least of all a key.
    Certificates,
    /// PEM revocation lists and nothing else.
    Lists,
    /// Metrics of ours.
    Metrics,
}

impl Writes {
    /// What such a file is, behind "no".
    fn name(self) -> &'static str {
        match self {
            Self::Certificates => "file of certificates alone",
            Self::Lists => "file of revocation lists alone",
            Self::Metrics => "file of our metrics",
        }
    }

    /// Whether this is one of before, or an empty file.
    fn is_of(self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let is_all = |label: &str| {
            let begin = format!("-----BEGIN {label}-----");
            let mut heads = text.lines().filter(|line| line.contains("-----BEGIN "));
            text.starts_with(&begin) && heads.all(|line| line == begin)
        };
        text.is_empty()
            || match self {
                Self::Certificates => is_all("CERTIFICATE"),
                Self::Lists => is_all("X509 CRL"),
                Self::Metrics => text.starts_with("# HELP vault_kit_"),
            }
    }
}

/// A place that was looked at before anything is changed.
pub struct Destination<'a> {
    context: &'a Context,
    file: Option<(Root, String)>,
}

impl<'a> Destination<'a> {
    /// Finds what the write would be refused for, stdout being `None` or `-`.
    pub fn find(context: &'a Context, out: Option<&Path>, writes: Writes) -> Result<Self> {
        let Some(path) = out.filter(|path| *path != Path::new(STDOUT)) else { return Ok(Self { context, file: None }) };
        let (root, name) = locate(context, path)?;
        refuse_other(&root, &name, path, writes.name(), |bytes| writes.is_of(bytes))?;
        Ok(Self { context, file: Some((root, name)) })
    }

    /// What would become of the file, if it is one; `text` is `None` where it would be drawn anew.
    pub fn rehearse(&self, text: Option<&[u8]>) -> Result<Option<FileReport>> {
        let Some((root, name)) = &self.file else { return Ok(None) };
        let outcome = match (root.read(name)?, text) {
            (None, _) => Outcome::Created,
            (Some(old), Some(new)) if old == new => Outcome::Unchanged,
            (Some(_), _) => Outcome::Replaced,
        };
        let path = root.path().join(name).display().to_string();
        Ok(Some(FileReport { path, mode: format!("{:04o}", WriteOptions::PUBLIC.mode), outcome }))
    }

    /// Writes the text, which follows from what the store has by now.
    pub fn hand_over(&self, text: &[u8]) -> Result<()> {
        self.write(text).map_err(|error| match self.file {
            Some(_) => error.incomplete().hint("the store has the change; run the command again"),
            None => error,
        })
    }

    /// Writes the text as a whole: somebody may read it at any time.
    pub fn write(&self, text: &[u8]) -> Result<()> {
        let Some((root, name)) = &self.file else { return self.context.ui.data(text) };
        root.write(name, text, &WriteOptions::PUBLIC).map(drop)
    }
}

/// The directory of a file that the user named, which must be there, and the file's name in it.
pub fn locate(context: &Context, path: &Path) -> Result<(Root, String)> {
    let resolved = context.resolve(path);
    let name = resolved.file_name().and_then(|name| name.to_str());
    let (Some(directory), Some(name)) = (resolved.parent(), name) else {
        return Err(Error::usage(format!("`{}` is not the name of a file", path.display())));
    };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    if directory.metadata().is_ok_and(|facts| !facts.is_dir()) {
        return Err(Error::usage(format!("`{}` is not a directory", directory.display())));
    }
    let root = Root::open_existing(directory)?.ok_or_else(|| missing(directory))?;
    if is_of_store(directory) {
        let shown = path.display();
        return Err(Error::usage(format!("`{shown}` is among the files of the store, which vault-kit alone writes"))
            .hint("nothing was changed; name another file"));
    }
    Ok((root, name.to_owned()))
}

/// Whether a directory is that of a store, or within it, however it was named.
fn is_of_store(directory: &Path) -> bool {
    let real = std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    real.components().any(|part| part == Component::Normal(DIRECTORY.as_ref()))
}

/// Refuses what the write would be refused for, and to replace what is of another kind than is written.
pub fn refuse_other(
    root: &Root,
    name: &str,
    shown: &Path,
    kind: &str,
    is_of_kind: impl Fn(&[u8]) -> bool,
) -> Result<()> {
    root.preflight(name, &WriteOptions::PUBLIC)?;
    if is_of_kind(&content(root, name)?) {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is there, and is no {kind}: it is not replaced", shown.display()))
        .hint("nothing was changed; name another file, or remove that one first"))
}

/// What is in a file, as far as one of ours may be long; nothing where there is no file.
fn content(root: &Root, name: &str) -> Result<Vec<u8>> {
    const MOST: u64 = 1 << 24;
    let mut bytes = Vec::new();
    if let Some((file, _)) = root.open_file(name)? {
        file.take(MOST).read_to_end(&mut bytes).map_err(|error| Error::io(format!("read `{name}`"), error))?;
    }
    Ok(bytes)
}

fn missing(directory: &Path) -> Error {
    let shown = directory.display().to_string();
    Error::usage(format!("there is no directory `{shown}`"))
        .hint(format!("nothing was changed; make it with `mkdir -p {}`", shell::path(&shown)))
}
