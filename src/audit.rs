//! The append-only record of who did what, one JSON line at a time, never a value.
//!
//! Each environment has a chain of lines in it: a line has its number and a code over itself and the code of the line
//! before it, by a key that is in the sealed store alone. Before the store is replaced, a line says what is about to be
//! done; the line of what was done is made before that too, so that the new store carries it: as the end of the chain, and
//! as the line that the next writer appends where a crash kept its own writer from it.

pub mod finding;
mod line;
mod lines;
pub mod show;
mod tail;
pub mod verify;

use std::io::ErrorKind;

use crate::error::{Error, Result};
use crate::private_file::Root;
use crate::secret::digest::MacKey;
use crate::store::change::{Before, Change, Link, chain_key};
use crate::store::{DIRECTORY, Store};
use line::Line;
use lines::Lines;
use tail::Tail;

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
    project.append_line(&path(), &change.line()?, 0o600)
}

/// Appends the lines of one change in their order.
pub fn append_all(project: &Root, changes: &[Change]) -> Result<()> {
    changes.iter().try_for_each(|change| append(project, change))
}

/// The lines that a change of a store makes in the record.
#[derive(Debug)]
pub struct Foreseen {
    /// What announces it by the first thing that it does, to be appended before it.
    pub intent: Option<Change>,
    /// What tells that it is done, to be carried by the store that has the change, and appended then.
    pub done: Vec<Change>,
}

/// Says in the record what is about to be done to a store, and makes the lines of when it is done, as [`foresee`] does.
pub fn announce(project: &Root, store: &Store, changes: Vec<Change>) -> Result<Vec<Change>> {
    let Foreseen { intent, done } = foresee(project, store, changes)?;
    append_all(project, intent.as_slice())?;
    Ok(done)
}

/// Makes the lines of one change, which can be about several things.
///
/// Under the writers' lock.
pub fn foresee(project: &Root, store: &Store, changes: Vec<Change>) -> Result<Foreseen> {
    let key = chain_key(&store.fingerprint_key);
    let mut last = complete(project, store)?;
    let before = if last == Link::START { before(project)? } else { None };
    let mut chained = |change: Change| {
        let change = change.chained(&key, last)?;
        last = change.link().ok_or_else(|| Error::bug("a line of the audit record has no place in it"))?;
        Ok(change)
    };
    let intent = changes.first().map(|first| Change { intent: true, before, ..first.clone() });
    let intent = intent.map(&mut chained).transpose()?;
    Ok(Foreseen { intent, done: changes.into_iter().map(chained).collect::<Result<_>>()? })
}

/// Appends the lines that the store carries and the record lacks, and finds the end of the chain.
///
/// That is behind what the store knows of where somebody died before the change that was announced, and where the store is
/// an older one that was put back: whatever was done to it is continued, not told anew.
pub fn complete(project: &Root, store: &Store) -> Result<Link> {
    let tail = Tail::read(project, &path(), store)?;
    for change in &tail.missing {
        append(project, change)?;
    }
    Ok(tail.end)
}

/// The newest generation of a store that the record tells of as done, as far as that is proven by the store's own key; 0
/// where it tells of none. Files of it that were rotated away count as long as they lie beside it, such as `audit.jsonl.1`.
pub fn newest_generation(project: &Root, store: &Store) -> Result<u64> {
    let key = chain_key(&store.fingerprint_key);
    files(project)?.iter().try_fold(0, |newest, path| Ok(newest.max(newest_in(project, path, store, &key)?)))
}

/// The record and what may be older pieces of it. What a line says is believed by its code, whatever file it is in.
fn files(project: &Root) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(project.path().join(DIRECTORY)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| Error::io(format!("list `{DIRECTORY}`"), error))?,
    };
    let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|it| it.is_file()));
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| name.starts_with("audit")).map(|name| format!("{DIRECTORY}/{name}")).collect())
}

fn newest_in(project: &Root, path: &str, store: &Store, key: &MacKey) -> Result<u64> {
    let Some((file, _)) = project.open_file(path)? else { return Ok(0) };
    let (mut lines, mut newest) = (Lines::new(file), 0);
    lines.forget();
    while lines.read(path)? {
        let line = Line::parse(lines.line()).filter(|it| !it.intent && it.environment == store.environment.as_str());
        if let Some(line) = line.filter(|line| line.generation > newest && line.prove(lines.line(), key).is_some()) {
            newest = line.generation;
        }
    }
    Ok(newest)
}

/// What is in the file already where a chain begins.
fn before(project: &Root) -> Result<Option<Before>> {
    let Some((file, _)) = project.open_file(&path())? else { return Ok(None) };
    let mut lines = Lines::new(file);
    while lines.read(&path())? {}
    Ok(lines.all())
}

#[cfg(test)]
mod tests;
