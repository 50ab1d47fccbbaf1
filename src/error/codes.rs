//! The codes of errors, for whoever asks what one is. A test holds the list to the source.

/// A code on each line, with the exit codes that stand beside it in the source; none where it is decided elsewhere.
const LIST: &str = include_str!("codes.list");

/// All codes, in alphabetical order.
pub fn all() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter_map(|line| line.split(' ').next())
}

/// The exit codes of an error, as far as its code tells them; `None` = no error has this code.
pub fn exits(code: &str) -> Option<Vec<u8>> {
    let mut words =
        LIST.lines().map(|line| line.split(' ')).find_map(|mut it| (it.next() == Some(code)).then_some(it))?;
    Some(words.by_ref().filter_map(|word| word.parse().ok()).collect())
}
