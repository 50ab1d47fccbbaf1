//! The refusals to write into a dotenv file as a person left it. What they name as ways out works as it is pasted.

use super::dotenv_block::{BEGIN, END};
use super::dotenv_lines::without_replaced;
use super::dotenv_read::{Entry, scan_as};
use crate::check::placeholder;
use crate::error::{Error, Kind};
use crate::manifest::model::Dialect;
use crate::shell;

/// Markers that delimit no block.
pub(super) fn block_damaged(path: &str, line: usize, what: &str) -> Error {
    Error::new(Kind::Conflict, "block-damaged", format!("`{path}` line {line}: {what} of vault-kit's block"))
}

/// The same with what to do, where these lines have other values than ours: to move them would drop those.
pub(super) fn with_ways_out_of_damage(error: Error, path: &str, others: &[Entry]) -> Error {
    let others: Vec<&Entry> = others.iter().collect();
    let error = if missed(&others).is_empty() {
        error.hint("`vault-kit render --adopt` puts them right, and keeps every line that is not ours")
    } else {
        with_ways_out(error, path, &others, "render --adopt")
    };
    error.hint(format!("or repair the two marker lines by hand: `{BEGIN}` … `{END}`"))
}

/// Names of ours outside our block.
pub(super) fn name_outside_block(path: &str, ours: &[Entry]) -> Error {
    let message =
        format!("`{path}` assigns outside vault-kit's block what the manifest delivers: {}", listed(ours.iter()));
    Error::new(Kind::Conflict, "name-outside-block", message)
}

/// Lines outside our block whose values would be lost.
pub fn value_differs(path: &str, others: &[Entry]) -> Error {
    let message = format!("`{path}` assigns values that the store does not hold: {}", listed(others.iter()));
    Error::new(Kind::Conflict, "value-differs", message)
}

/// Adds what can be done about lines that have other values than ours; `way` is what adopts them where nothing is lost.
pub fn with_ways_out(error: Error, path: &str, others: &[&Entry], way: &str) -> Error {
    let missed = missed(others);
    if missed.is_empty() {
        if others.is_empty() {
            return error.hint(format!("`vault-kit {way}` moves the lines into the block"));
        }
        let drops = format!("`vault-kit {way}` moves the lines into the block, and drops what only stands for a value");
        let first = format!(
            "where a value is missing yet, first delete what only stands for one: {}",
            listed(others.iter().copied())
        );
        return error.hint(drops).hint(first);
    }
    let expanding: Vec<&Entry> = missed.into_iter().filter(|it| it.expands).collect();
    let mut error = error;
    if !expanding.is_empty() {
        error = error.hint(format!(
            "Compose puts something else in the place of a `$`: to keep the value of {}, first put the one that runs between single quotes",
            listed(expanding.into_iter())
        ));
    }
    error
        .hint(format!(
            "`vault-kit import --replace {}` takes the values there into the store; `vault-kit init --adopt` then moves the lines into the block",
            shell::path(path)
        ))
        .hint("`vault-kit init --adopt --yes` drops the values there, and has those of the store in the block")
}

/// Adds what has to be done before `import` reads a file in which names stand twice, where that is the way out.
pub fn with_doubled(error: Error, dialect: Dialect, file: &[u8], others: &[&Entry]) -> Error {
    let entries = scan_as(dialect)(file, 0..file.len()).map(|it| without_replaced(file, it)).unwrap_or_default();
    let is_doubled = |it: &&Entry| entries.iter().filter(|other| other.name == it.name).nth(1).is_some();
    let doubled: Vec<&Entry> = entries.iter().filter(is_doubled).collect();
    if doubled.is_empty() || missed(others).is_empty() {
        return error;
    }
    error.hint(format!("first leave one line of each name, the one that is in use: {}", listed(doubled.into_iter())))
}

/// Those with a value that somebody could miss.
fn missed<'e>(others: &[&'e Entry]) -> Vec<&'e Entry> {
    let stands = |it: &Entry| it.value.is_empty() || placeholder::is_placeholder(it.value.expose());
    let is_missed = |it: &Entry| it.expands || !stands(it);
    others.iter().copied().filter(|it| is_missed(it)).collect()
}

/// Whether nothing can be running with the value of a line.
pub(super) fn serves_nobody(entry: &Entry) -> bool {
    !entry.expands && placeholder::serves_nobody(entry.value.expose())
}

fn listed<'e>(entries: impl Iterator<Item = &'e Entry>) -> String {
    let places: Vec<String> = entries.map(|entry| format!("`{}` (line {})", entry.name, entry.line)).collect();
    places.join(", ")
}
