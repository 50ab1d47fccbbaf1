//! Lines that vault-kit did not write and that have what leaked in them: how they are told, and what is to be done.

use std::collections::BTreeSet;

/// Which lines of a file.
pub fn told(lines: &BTreeSet<usize>) -> String {
    let numbers: Vec<String> = lines.iter().map(ToString::to_string).collect();
    match numbers.split_last() {
        Some((last, before)) if !before.is_empty() => format!("lines {} and {last}", before.join(", ")),
        _ => format!("line {}", numbers.concat()),
    }
}

/// What a person has to do about them.
pub fn cure(path: &str, lines: &BTreeSet<usize>) -> String {
    format!("take what leaked out of {} of `{path}`, which vault-kit did not write", told(lines))
}
