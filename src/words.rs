//! The EFF's long word list: 7,776 words, in the order of the alphabet but for a few around those with a hyphen.
//!
//! As one text, which the compiler makes: in a list of `&str` the loader would have to put 7,776 pointers right at the start
//! of every command.

use diceware_wordlists::EFF_LONG_WORDLIST as LIST;

/// How many words there are.
pub const COUNT: usize = LIST.len();

/// The length of the longest word.
pub const LONGEST: usize = {
    let (mut longest, mut index) = (0, 0);
    while index < COUNT {
        if LIST[index].len() > longest {
            longest = LIST[index].len();
        }
        index += 1;
    }
    longest
};

/// Where each word begins and ends in the text.
static SPANS: [(usize, usize); COUNT] = {
    let mut spans = [(0, 0); COUNT];
    let (mut start, mut index) = (0, 0);
    while index < COUNT {
        spans[index] = (start, start + LIST[index].len());
        start = spans[index].1;
        index += 1;
    }
    spans
};

static BYTES: [u8; SPANS[COUNT - 1].1] = {
    let mut bytes = [0; SPANS[COUNT - 1].1];
    let mut index = 0;
    while index < COUNT {
        let (start, end) = SPANS[index];
        bytes.split_at_mut(end).0.split_at_mut(start).1.copy_from_slice(LIST[index].as_bytes());
        index += 1;
    }
    bytes
};

static TEXT: &str = match std::str::from_utf8(&BYTES) {
    Ok(text) => text,
    Err(_) => panic!("texts in a row are text; the compiler finds out"),
};

/// A word by its number, which is below [`COUNT`].
pub fn word(index: usize) -> &'static str {
    let (start, end) = SPANS[index];
    &TEXT[start..end]
}

/// Whether a text is one of the words; the few that stand out of order are not all found.
pub fn contains(text: &[u8]) -> bool {
    SPANS.binary_search_by(|&(start, end)| BYTES[start..end].cmp(text)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_long_list_distinct_and_plain() {
        assert_eq!(COUNT, 6_usize.pow(5));
        assert!((0..COUNT).map(word).eq(LIST));
        assert_eq!(LIST.iter().collect::<std::collections::BTreeSet<_>>().len(), COUNT);
        assert!(LIST.iter().all(|word| word.len() <= LONGEST));
        assert!(LIST.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
    }

    #[test]
    fn words_are_found_and_nothing_else_is() {
        assert!(LIST.iter().filter(|word| contains(word.as_bytes())).count() > 7_700);
        assert!(!LIST.iter().any(|word| contains(format!("{word}~").as_bytes())));
    }
}
