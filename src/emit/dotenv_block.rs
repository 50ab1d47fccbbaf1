//! Our lines in a file that may also be somebody else's: a block between two markers, and every other byte kept.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::dotenv_read::{Entry, scan_as};
use super::dotenv_refused as refused;
use crate::error::{Error, Result};
use crate::manifest::model::Dialect;
use crate::name::SecretName;
use crate::secret::Secret;

/// The line before our lines.
pub const BEGIN: &str = "# >>> vault-kit: managed, do not edit inside >>>";

/// The line after our lines.
pub const END: &str = "# <<< vault-kit <<<";

/// Whether a file without a block already assigns every one of our names our value, and never another.
///
/// Such a file stays as it is, also where our own quoting could not carry a value: what is running is right.
pub(super) fn is_complete(
    path: &str,
    dialect: Dialect,
    assignments: &[(&SecretName, &Secret)],
    existing: &Secret,
) -> Result<bool> {
    let file = existing.expose();
    // Of a damaged one whoever writes tells.
    if assignments.is_empty() || !matches!(find_block(path, file), Ok(None)) {
        return Ok(false);
    }
    let values: BTreeMap<&str, &Secret> = assignments.iter().map(|&(name, value)| (name.as_str(), value)).collect();
    let mut assigned = BTreeSet::new();
    let outside = entries_outside(path, dialect, file, None)?;
    let is_ours = |entry: &Entry| match values.get_key_value(entry.name.as_str()) {
        None => true,
        Some((&name, &value)) => {
            assigned.insert(name);
            entry.says(value)
        }
    };
    Ok(outside.iter().all(is_ours) && assigned.len() == values.len())
}

/// Puts `lines` into the block of the file at `path`, whose present content is `existing`.
///
/// Assignments of our names outside the block are a conflict; `adopt` removes them, and markers that delimit no block with them.
pub(super) fn merge(
    path: &str,
    dialect: Dialect,
    lines: &[u8],
    assignments: &[(&SecretName, &Secret)],
    existing: Option<&Secret>,
    adopt: bool,
) -> Result<Secret> {
    let file = existing.map_or(&b""[..], Secret::expose);
    let (block, markers) = match find_block(path, file) {
        Err(_) if adopt => (None, markers(file)),
        Err(error) => {
            let others = existing.map_or(Ok(Vec::new()), |it| differing(path, dialect, assignments, it))?;
            return Err(refused::with_ways_out_of_damage(error, path, &others));
        }
        Ok(found) => (found, Vec::new()),
    };
    let names: BTreeSet<&str> = assignments.iter().map(|(name, _)| name.as_str()).collect();
    let mut ours = entries_outside(path, dialect, file, block.as_ref())?;
    // What looks like a marker within a value of several lines is a part of that.
    let is_line = |marker: &Range<usize>| !ours.iter().any(|entry| entry.span.contains(&marker.start));
    let markers: Vec<Range<usize>> = markers.into_iter().filter(is_line).collect();
    ours.retain(|entry| names.contains(entry.name.as_str()));
    if !ours.is_empty() && !adopt {
        let is_kept =
            |entry: &Entry| assignments.iter().any(|(name, it)| name.as_str() == entry.name && entry.says(it));
        let others: Vec<&Entry> = ours.iter().filter(|it| !is_kept(it)).collect();
        // Without a block something beside them is new, or the file would be complete: `init` makes what is still missing.
        let way = if block.is_some() { "render --adopt" } else { "init --adopt" };
        // Whoever copied an example supplies its values one by one.
        if block.is_some() || others.is_empty() || !others.iter().all(|it| refused::serves_nobody(it)) {
            let error = refused::with_doubled(refused::name_outside_block(path, &ours), dialect, file, &others);
            return Err(refused::with_ways_out(error, path, &others, way));
        }
    }
    let mut removed: Vec<Range<usize>> = ours.into_iter().map(|entry| entry.span).chain(markers).collect();
    removed.sort_unstable_by_key(|span| span.start);
    Ok(assemble(file, block, &removed, lines))
}

/// The assignments outside the block that give one of our names another value than ours, or one that is made only where it is read.
pub(super) fn differing(
    path: &str,
    dialect: Dialect,
    assignments: &[(&SecretName, &Secret)],
    existing: &Secret,
) -> Result<Vec<Entry>> {
    let file = existing.expose();
    let values: BTreeMap<&str, &Secret> = assignments.iter().map(|&(name, value)| (name.as_str(), value)).collect();
    // What damaged markers delimit belongs to nobody.
    let block = find_block(path, file).ok().flatten();
    let mut outside = entries_outside(path, dialect, file, block.as_ref())?;
    outside.retain(|entry| values.get(entry.name.as_str()).is_some_and(|value| !entry.says(value)));
    Ok(outside)
}

/// The assignments inside the block; `None` without one.
pub fn entries_inside(path: &str, dialect: Dialect, existing: &Secret) -> Result<Option<Vec<Entry>>> {
    let file = existing.expose();
    let damaged = |error| refused::with_ways_out_of_damage(error, path, &[]);
    let Some(block) = find_block(path, file).map_err(damaged)? else { return Ok(None) };
    // The markers are comments to either reader.
    let read = scan_as(dialect);
    read(file, block).map(Some)
}

/// The bytes from the first marker to the last, with both lines. What to do about damaged ones its caller tells.
pub(super) fn find_block(path: &str, file: &[u8]) -> Result<Option<Range<usize>>> {
    let (mut begin, mut block) = (None, None);
    let mut start = 0;
    for (index, line) in file.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let end = start + line.len();
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if text.trim_ascii_end() == BEGIN.as_bytes() {
            if begin.is_some() || block.is_some() {
                return Err(refused::block_damaged(path, index + 1, "a second begin marker"));
            }
            begin = Some((end - text.len(), index + 1));
        } else if text.trim_ascii_end() == END.as_bytes() {
            let Some((at, _)) = begin.take() else {
                return Err(refused::block_damaged(path, index + 1, "an end marker without its begin marker"));
            };
            block = Some(at..end);
        }
        start = end;
    }
    match begin {
        Some((_, line)) => Err(refused::block_damaged(path, line, "a begin marker without its end marker")),
        None => Ok(block),
    }
}

/// The lines that are markers.
fn markers(file: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let spans = file.split_inclusive(|&byte| byte == b'\n').filter_map(|line| {
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        start += line.len();
        is_marker(text).then_some(start - text.len()..start)
    });
    spans.collect()
}

/// Whether a line is one of the two that delimit the block.
pub(super) fn is_marker(line: &[u8]) -> bool {
    [BEGIN, END].iter().any(|marker| line.trim_ascii_end() == marker.as_bytes())
}

fn entries_outside(path: &str, dialect: Dialect, file: &[u8], block: Option<&Range<usize>>) -> Result<Vec<Entry>> {
    let read = scan_as(dialect);
    let (before, after) = block.map_or((file.len(), file.len()), |block| (block.start, block.end));
    let named = |error: Error| {
        Error::new(error.kind(), error.code(), format!("`{path}`: {error}"))
            .hint("vault-kit keeps what stands outside its block, and must be able to tell the names there")
    };
    let mut entries = read(file, 0..before).map_err(named)?;
    entries.extend(read(file, after..file.len()).map_err(named)?);
    Ok(entries)
}

/// The file with its block replaced; a new one stands where the first removed line stood, else at the end.
fn assemble(file: &[u8], block: Option<Range<usize>>, removed: &[Range<usize>], lines: &[u8]) -> Secret {
    let hole = block.unwrap_or_else(|| {
        let at = removed.first().map_or(file.len(), |span| span.start);
        at..at
    });
    let mut bytes = Vec::with_capacity(file.len() + lines.len() + BEGIN.len() + END.len() + 3);
    push_kept(&mut bytes, file, 0..hole.start, removed);
    if !bytes.is_empty() && bytes != b"\xef\xbb\xbf" && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    for piece in [BEGIN.as_bytes(), b"\n", lines, END.as_bytes(), b"\n"] {
        bytes.extend_from_slice(piece);
    }
    push_kept(&mut bytes, file, hole.end..file.len(), removed);
    Secret::new(bytes)
}

/// Copies a stretch of the file without the removed spans.
fn push_kept(bytes: &mut Vec<u8>, file: &[u8], stretch: Range<usize>, removed: &[Range<usize>]) {
    let mut at = stretch.start;
    for span in removed.iter().filter(|span| stretch.contains(&span.start)) {
        bytes.extend_from_slice(&file[at..span.start]);
        at = span.end;
    }
    bytes.extend_from_slice(&file[at..stretch.end]);
}

/// Refuses to change names in a file that stays as it is because it assigns our values without a block.
pub fn expect_block(path: &str, dialect: Dialect, existing: &Secret, names: &BTreeSet<&SecretName>) -> Result<()> {
    let file = existing.expose();
    if find_block(path, file).map_err(|error| refused::with_ways_out_of_damage(error, path, &[]))?.is_some() {
        return Ok(());
    }
    let mut ours = entries_outside(path, dialect, file, None)?;
    ours.retain(|entry| names.iter().any(|name| name.as_str() == entry.name));
    if ours.is_empty() {
        return Ok(());
    }
    Err(refused::with_ways_out(refused::name_outside_block(path, &ours), path, &[], "render --adopt"))
}

/// How a file stands that a value is to be written into.
#[derive(Debug)]
pub enum State {
    /// Its names can be told.
    Legible {
        /// What is assigned outside the block.
        outside: Vec<Entry>,
        /// Whether its marker lines delimit a block, or there are none.
        is_delimited: bool,
    },
    /// They cannot: why, with the line.
    Illegible(String),
}

/// How a file stands, as whoever writes into it will find it.
pub fn state(path: &str, dialect: Dialect, existing: &Secret) -> State {
    let file = existing.expose();
    let block = find_block(path, file);
    let is_delimited = block.is_ok();
    match entries_outside(path, dialect, file, block.ok().flatten().as_ref()) {
        Ok(outside) => State::Legible { outside, is_delimited },
        Err(error) => State::Illegible(error.to_string()),
    }
}

/// An assignment that a file has and its successor has not.
#[derive(Debug)]
pub struct Lost {
    /// As it stands there.
    pub entry: Entry,
    /// Whether the name has another value there; else it is gone.
    pub is_replaced: bool,
}

/// The assignments that a file has and its successor has not: of names that are gone, and of other values, where those stand
/// outside the block or the file `is_foreign`.
pub fn lost(path: &str, dialect: Dialect, before: &Secret, after: &Secret, is_foreign: bool) -> Vec<Lost> {
    let read = scan_as(dialect);
    let all = |text: &Secret| read(text.expose(), 0..text.len()).unwrap_or_default();
    let block = find_block(path, before.expose()).ok().flatten();
    let kept = all(after);
    let lost = |entry: Entry| {
        let is_in_block = block.as_ref().is_some_and(|block| block.contains(&entry.span.start));
        let mut same = kept.iter().filter(|it| it.name == entry.name).peekable();
        let is_replaced = same.peek().is_some();
        // In our own block every write replaces values.
        let says_the_same = |it: &Entry| it.value == entry.value && it.expands == entry.expands;
        let is_kept = is_replaced && is_in_block && !is_foreign || same.any(says_the_same);
        (!is_kept).then_some(Lost { entry, is_replaced })
    };
    all(before).into_iter().filter_map(lost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    const BLOCK: &str = "# >>> vault-kit: managed, do not edit inside >>>\nA=1\n# <<< vault-kit <<<\n";

    /// Merges `A=1`, and other assignments of ours to `1`, into a file.
    fn merged(names: &[&str], file: &str, adopt: bool) -> Result<String> {
        let one = Secret::copy_of(b"1");
        let names: Vec<SecretName> = names.iter().map(|&name| SecretName::new(name).unwrap()).collect();
        let assignments: Vec<_> = names.iter().map(|name| (name, &one)).collect();
        let lines: Vec<String> = names.iter().map(|name| format!("{name}=1\n")).collect();
        let file = Secret::copy_of(file.as_bytes());
        let merged = merge(".env", Dialect::Portable, lines.concat().as_bytes(), &assignments, Some(&file), adopt)?;
        Ok(merged.expose_text().unwrap().to_owned())
    }

    fn problem(names: &[&str], file: &str) -> (&'static str, String) {
        let error = merged(names, file, false).unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        (error.code(), error.to_string())
    }

    #[test]
    fn a_new_or_empty_file_is_the_block_alone() {
        let name = SecretName::new("A").unwrap();
        let assignments = [(&name, &Secret::copy_of(b"1"))];
        let file = merge(".env", Dialect::Portable, b"A=1\n", &assignments, None, false).unwrap();
        assert_eq!(file.expose_text(), Some(BLOCK));
        assert_eq!(merged(&["A"], "", false).unwrap(), BLOCK);
    }

    #[test]
    fn without_values_the_block_is_empty() {
        assert_eq!(merged(&[], "X=1", false).unwrap(), format!("X=1\n{BEGIN}\n{END}\n"));
    }

    #[test]
    fn every_byte_outside_the_block_is_kept() {
        for (before, after) in
            [("\u{feff}X=1\r\n", "Y=2\r\n"), ("# note\n\n", "Y='a\nb'"), ("\u{feff}", ""), ("", "\r\n \n")]
        {
            let old = format!("{before}{BEGIN}\r\nold\nC=$(\"\r\n{END}\n{after}");
            assert_eq!(merged(&["A"], &old, false).unwrap(), format!("{before}{BLOCK}{after}"));
        }
    }

    #[test]
    fn a_first_block_goes_to_the_end_on_a_line_of_its_own() {
        assert_eq!(merged(&["A"], "X=1", false).unwrap(), format!("X=1\n{BLOCK}"));
        assert_eq!(merged(&["A"], "X=1\r\n", false).unwrap(), format!("X=1\r\n{BLOCK}"));
        assert_eq!(merged(&["A"], "\u{feff}", false).unwrap(), format!("\u{feff}{BLOCK}"));
    }

    #[test]
    fn merging_again_changes_nothing() {
        let once = merged(&["A"], "X=1\r\nY='2\n3'", false).unwrap();
        assert_eq!(merged(&["A"], &once, false).unwrap(), once);
    }

    #[test]
    fn damaged_markers_are_told_by_line() {
        assert_eq!(problem(&["A"], &format!("X=1\n{BEGIN}\nA=1\n")).0, "block-damaged");
        assert!(problem(&["A"], &format!("X=1\n{BEGIN}\nA=1\n")).1.contains("line 2: a begin marker without"));
        assert!(problem(&["A"], &format!("{BLOCK}{BLOCK}")).1.contains("line 4: a second begin marker"));
        assert!(problem(&["A"], &format!("{BEGIN}\n{BLOCK}")).1.contains("line 2: a second begin marker"));
        assert!(problem(&["A"], &format!("X=1\n\n{END}\n")).1.contains("line 3: an end marker without"));
    }

    #[test]
    fn adoption_puts_damaged_markers_right_and_keeps_every_other_line() {
        for (file, expected) in [
            (format!("X=1\n{BEGIN}\nA=1\nY=2"), format!("X=1\n{BLOCK}Y=2")),
            (format!("\u{feff}{BEGIN}\r\nA=1\r\nY=2\r\n"), format!("\u{feff}{BLOCK}Y=2\r\n")),
            (format!("A=1\nX=1\n{END}\nY=2\n"), format!("{BLOCK}X=1\nY=2\n")),
            (format!("{BEGIN}\nA=1\nX=0\n{BLOCK}Y='{END}\n{END}\n'\n"), format!("{BLOCK}X=0\nY='{END}\n{END}\n'\n")),
            (format!("{END}\n"), BLOCK.to_owned()),
        ] {
            assert_eq!(merged(&["A"], &file, true).unwrap(), expected);
            assert_eq!(merged(&["A"], &expected, true).unwrap(), expected);
        }
    }

    #[test]
    fn what_a_write_takes_out_of_a_file_is_known_by_name() {
        let lost = |before: &str, is_foreign| {
            let (before, after) =
                (Secret::copy_of(before.as_bytes()), Secret::copy_of(format!("X=0\n{BLOCK}").as_bytes()));
            let lost = super::lost(".env", Dialect::Portable, &before, &after, is_foreign);
            lost.into_iter().map(|it| format!("{} {}", it.entry.name, it.entry.line)).collect::<Vec<_>>()
        };
        let block = |lines: &str| format!("X=0\n{BEGIN}\n{lines}{END}\n");
        assert_eq!(lost(&block("A=2\n"), false), [""; 0]);
        assert_eq!(lost(&block("A=2\nY=1\n"), false), ["Y 4"]);
        assert_eq!(lost(&block("A=2\nY=1\n"), true), ["A 3", "Y 4"]);
        assert_eq!(lost("X=0\nA=1\n", false), [""; 0]);
        assert_eq!(lost("X=0\nA=2\nA=1\n", false), ["A 2"]);
        assert_eq!(lost(&format!("X=0\n{BEGIN}\nA=2\n"), false), ["A 3"]);
    }

    #[test]
    fn a_name_outside_the_block_is_a_conflict_that_tells_where() {
        let (code, message) = problem(&["A", "B"], &format!("{BLOCK}export B='1'\nA=hunter2\nX=\n"));
        assert_eq!(code, "name-outside-block");
        assert!(message.contains("`.env`") && message.contains("`B` (line 4), `A` (line 5)"), "{message}");
        assert!(!message.contains("hunter2"));
    }

    #[test]
    fn a_file_is_complete_when_it_assigns_every_value_and_no_other() {
        let one = Secret::copy_of(b"1");
        let names = ["A", "B"].map(|name| SecretName::new(name).unwrap());
        let both: Vec<_> = names.iter().map(|name| (name, &one)).collect();
        let is_complete = |assignments: &[(&SecretName, &Secret)], file: &str| {
            is_complete(".env", Dialect::Portable, assignments, &Secret::copy_of(file.as_bytes())).unwrap()
        };
        assert!(is_complete(&both, "X=0\r\nA='1'\nexport B=1 # note"));
        assert!(!is_complete(&both, "A=1\nB=2\n"));
        assert!(!is_complete(&both, "A=1\n"));
        assert!(!is_complete(&both, "A=2\nA=1\nB=1\n"));
        assert!(!is_complete(&both, &format!("B=1\n{BLOCK}")));
        assert!(!is_complete(&[], "X=0\n"));
    }

    #[test]
    fn adoption_takes_the_names_out_whole_and_puts_the_block_in_their_place() {
        let file = "\u{feff}X=0\r\n# a\nexport A=\"2\n3\" # note\nY=$A\nA=4";
        assert_eq!(merged(&["A"], file, true).unwrap(), format!("\u{feff}X=0\r\n# a\n{BLOCK}Y=$A\n"));
        let file = format!("A=2\nX=0\n{BLOCK}A=3\nY=1");
        assert_eq!(merged(&["A"], &file, true).unwrap(), format!("X=0\n{BLOCK}Y=1"));
        assert_eq!(merged(&["A"], "A=1\n", true).unwrap(), BLOCK);
    }

    #[test]
    fn a_file_whose_names_cannot_be_told_is_left_alone() {
        let error = merged(&["A"], "X=1\nY='hunter2\n", false).unwrap_err();
        assert_eq!(error.to_string(), "`.env`: line 2 (`Y`): the quote is never closed");
    }
}
