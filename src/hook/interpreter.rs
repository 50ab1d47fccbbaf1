//! The interpreter that a script's first line names, as the system reads that line before it executes the script.

use std::fs::File;
use std::io::Result;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

/// How much of a program Linux looks at.
const LOOKED_AT: usize = 256;

/// What keeps the system from starting a script.
#[derive(Debug, PartialEq, Eq)]
pub enum Lack {
    /// The interpreter is not there, or is no program.
    Interpreter,
    /// The interpreter is named as seen from where the script is started: whoever may write there could put another one in its place,
    /// and nobody trusted that.
    Whole,
    /// Its first line ends as Windows ends lines: the name of the interpreter ends in a carriage return.
    Ending,
}

/// What a script lacks, if it is one.
pub fn lack(script: &File) -> Result<Option<Lack>> {
    let mut start = vec![0; LOOKED_AT];
    let length = script.read_at(&mut start, 0)?;
    let start = start.get(..length).unwrap_or_default();
    let Some(line) = start.strip_prefix(b"#!").and_then(|rest| rest.split(|&byte| byte == b'\n').next()) else {
        return Ok(None);
    };
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | 0)).filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default();
    let path = Path::new(std::ffi::OsStr::from_bytes(name));
    let is_program = std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
    Ok(match () {
        () if is_program && path.is_absolute() => None,
        () if name.ends_with(b"\r") => Some(Lack::Ending),
        () if !name.is_empty() && !path.is_absolute() => Some(Lack::Whole),
        () => Some(Lack::Interpreter),
    })
}
