//! The append-only record of who did what, one JSON line a change, never a value.
//!
//! The sealed store carries its last changes, so that a line which a crash kept from being appended is not lost: the
//! next writer appends it.

use crate::error::{Error, Result};
use crate::private_file::Root;
use crate::store::DIRECTORY;
use crate::store::change::Change;

/// The record's path below the project.
pub fn path() -> String {
    format!("{DIRECTORY}/audit.jsonl")
}

/// Finds what appending would be refused for, before anything is changed.
pub fn preflight(project: &Root) -> Result<()> {
    project.preflight_append(&path())
}

/// Appends the line of a change.
pub fn append(project: &Root, change: &Change) -> Result<()> {
    project.append_line(&path(), &line(change)?, 0o600)
}

/// Appends the lines of those changes that the record lacks, in their order.
pub fn complete(project: &Root, changes: &[Change]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let recorded = project.read(&path())?.unwrap_or_default();
    for change in changes {
        let line = line(change)?;
        // From the end, where it nearly always is. A line that a crash tore is not the whole one.
        if !recorded.split_inclusive(|&byte| byte == b'\n').rev().any(|it| it == line) {
            append(project, change)?;
        }
    }
    Ok(())
}

fn line(change: &Change) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(change).map_err(|_| Error::bug("an audit record cannot be written as JSON"))?;
    line.push(b'\n');
    Ok(line)
}
