//! Which lines of a dotenv file are whose.

use std::collections::BTreeSet;

use super::dotenv_block::{find_block, is_marker};
use super::dotenv_read::{Entry, scan_as};
use crate::manifest::model::Dialect;

/// The lines outside vault-kit's block, with their numbers from 1; all of them where no markers delimit one.
pub fn outside(file: &[u8]) -> Vec<(usize, &[u8])> {
    let block = find_block("", file).ok().flatten().unwrap_or_default();
    let mut start = 0;
    let lines = file.split_inclusive(|&byte| byte == b'\n').enumerate().filter_map(|(index, line)| {
        let at = start;
        start += line.len();
        (!block.contains(&at)).then_some((index + 1, line))
    });
    lines.collect()
}

/// Whether lines of others stand beside vault-kit's block.
pub fn has_others(file: &[u8]) -> bool {
    let has_block = find_block("", file).is_ok_and(|block| block.is_some());
    has_block && outside(file).iter().any(|(_, line)| !line.trim_ascii().is_empty())
}

/// The assignments of a file without those of vault-kit's block whose names a person wrote beside it.
pub(super) fn without_replaced(file: &[u8], entries: Vec<Entry>) -> Vec<Entry> {
    let block = find_block("", file).ok().flatten().unwrap_or_default();
    let is_ours = |it: &Entry| block.contains(&it.span.start);
    let theirs: BTreeSet<String> = entries.iter().filter(|it| !is_ours(it)).map(|it| it.name.clone()).collect();
    entries.into_iter().filter(|it| !(is_ours(it) && theirs.contains(&it.name))).collect()
}

/// The name that a line assigns.
pub fn name(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=').map(|(name, _)| name.trim())
}

/// The numbers of the lines that assign these names, and whether nothing else stands in the file; `None` where that cannot be told.
pub fn of(dialect: Dialect, file: &[u8], is_meant: impl Fn(&str) -> bool) -> Option<(Vec<usize>, bool)> {
    let entries = scan_as(dialect)(file, 0..file.len()).ok()?;
    let (meant, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| is_meant(&entry.name));
    let lines = |span: &std::ops::Range<usize>| file[span.clone()].split_inclusive(|&byte| byte == b'\n').count();
    let numbers = meant.iter().flat_map(|entry| entry.line..entry.line + lines(&entry.span)).collect();
    let mut start = 0;
    let mut rest = file.split_inclusive(|&byte| byte == b'\n').filter(|line| {
        let at = start;
        start += line.len();
        !meant.iter().any(|entry| entry.span.contains(&at))
    });
    let is_alone = others.is_empty() && rest.all(|line| line.trim_ascii().is_empty() || is_marker(line));
    Some((numbers, is_alone))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] =
        b"A=1\n# >>> vault-kit: managed, do not edit inside >>>\nB=2\n# <<< vault-kit <<<\n\nexport C=\"3\n4\"\n#D=5\n";

    #[test]
    fn the_lines_outside_the_block_have_the_numbers_of_the_file() {
        let numbers = |file| outside(file).into_iter().map(|(number, _)| number).collect::<Vec<_>>();
        assert_eq!(numbers(FILE), [1, 5, 6, 7, 8]);
        assert_eq!(numbers(b"A=1\n# <<< vault-kit <<<\nB=2"), [1, 2, 3], "damaged");
        assert!(numbers(b"").is_empty());
    }

    #[test]
    fn lines_of_others_are_those_beside_a_block() {
        assert!(has_others(FILE));
        let own = b"# >>> vault-kit: managed, do not edit inside >>>\nB=2\n# <<< vault-kit <<<\n\n";
        assert!(!has_others(own) && !has_others(b"A=1\n") && !has_others(b""));
    }

    #[test]
    fn a_line_assigns_a_name_or_none() {
        let names = [&b"A=1"[..], b"  export A = 1", b"#A", b"", b"\xff=1"].map(name);
        assert_eq!(names, [Some("A"), Some("A"), None, None, None]);
    }

    #[test]
    fn the_lines_of_a_name_are_told_with_whether_they_are_alone() {
        let of = |file, name: &str| of(Dialect::Compose, file, |it| it == name);
        assert_eq!(of(FILE, "C"), Some((vec![6, 7], false)));
        assert_eq!(of(FILE, "B"), Some((vec![3], false)));
        let alone = b"# >>> vault-kit: managed, do not edit inside >>>\nB=2\n# <<< vault-kit <<<\n";
        assert_eq!(of(alone, "B"), Some((vec![2], true)));
        assert_eq!(of(b"# mine\nB=2\n", "B"), Some((vec![2], false)), "a person's comment");
        assert_eq!(of(b"no assignment\n", "B"), None);
    }
}
