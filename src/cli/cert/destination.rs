//! Where what is public goes: into a file that the user named, for everybody to read, or else to stdout.

use std::path::Path;

use crate::cli::context::Context;
use crate::deliver::{FileReport, Outcome};
use crate::error::{Error, Result};
use crate::private_file::{Root, WriteOptions};
use crate::shell;

/// What stands for stdout where a file is named.
pub const STDOUT: &str = "-";

/// A place that was looked at before anything is changed.
pub struct Destination<'a> {
    context: &'a Context,
    file: Option<(Root, String)>,
}

impl<'a> Destination<'a> {
    /// Finds what the write would be refused for, stdout being `None` or `-`.
    pub fn find(context: &'a Context, out: Option<&Path>) -> Result<Self> {
        let Some(path) = out.filter(|path| *path != Path::new(STDOUT)) else { return Ok(Self { context, file: None }) };
        let (root, name) = locate(context, path)?;
        root.preflight(&name, &WriteOptions::PUBLIC)?;
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
        let Some((root, name)) = &self.file else { return self.context.ui.data(text) };
        let written = root.write(name, text, &WriteOptions::PUBLIC);
        written.map(drop).map_err(|error| error.incomplete().hint("the store has the change; run the command again"))
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
    Ok((root, name.to_owned()))
}

fn missing(directory: &Path) -> Error {
    let shown = directory.display().to_string();
    Error::usage(format!("there is no directory `{shown}`"))
        .hint(format!("nothing was changed; make it with `mkdir -p {}`", shell::path(&shown)))
}
