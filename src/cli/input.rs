//! What a user hands over: a file named on the command line, stdin, or an answer at the terminal.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::context::Context;
use super::session::name_before_value;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::ui;

/// A larger file is no value, and no input of any other kind.
const LARGEST: u64 = 64 << 20;

/// Reads a file that the user named on the command line, `-` being stdin.
pub fn read_named(context: &Context, path: &Path) -> Result<Secret> {
    if path.as_os_str() == "-" {
        return read_stdin();
    }
    read_input(&context.resolve(path)).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => match name_before_value(&path.to_string_lossy()) {
            Some(name) => Error::usage(format!("`{name}=…` is no file")),
            None => Error::usage(format!("there is no file `{}`", path.display())),
        },
        ErrorKind::IsADirectory => Error::usage(format!("`{}` is a directory, not a file", path.display())),
        ErrorKind::FileTooLarge => Error::usage(format!(
            "`{}` is larger than {} MiB, which no input of vault-kit is",
            path.display(),
            LARGEST >> 20
        )),
        _ => Error::io(format!("read `{}`", path.display()), error),
    })
}

/// The file's bytes: a pipe, too, for a shell's `<(…)` is one.
fn read_input(path: &Path) -> std::io::Result<Secret> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(LARGEST)).unwrap_or(0) + 1);
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    let is_whole = bytes.len() as u64 <= LARGEST;
    if is_whole { Ok(Secret::new(bytes)) } else { Err(ErrorKind::FileTooLarge.into()) }
}

/// As [`read_named`], for the commands that write.
pub fn read_for_change(context: &Context, path: &Path) -> Result<Secret> {
    read_named(context, path).map_err(|error| match error.kind() {
        Kind::Usage => error.hint("nothing was changed"),
        _ => error,
    })
}

/// Reads stdin to its end.
pub fn read_stdin() -> Result<Secret> {
    // Wiped whole when it is freed, and its parts if it must grow: most values and tokens fit, and few are much shorter.
    let mut bytes = Vec::with_capacity(8 * 1024);
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| Error::io("read stdin", error))?;
    Ok(Secret::new(bytes))
}

/// What a command judges, from stdin without the newline that `echo` adds; asked for, hidden, on a terminal.
pub fn read_secret(context: &Context, what: &str, prompt: &str, command: &str) -> Result<Secret> {
    if ui::stdin_is_terminal() {
        if context.global.non_interactive {
            return Err(Error::usage(format!("{what} is needed")).hint(format!("pipe it in: `… | {command}`")));
        }
        return ui::prompt_hidden(prompt);
    }
    let piped = read_stdin()?;
    let bytes = piped.expose();
    Ok(Secret::copy_of(bytes.strip_suffix(b"\r\n").or_else(|| bytes.strip_suffix(b"\n")).unwrap_or(bytes)))
}
