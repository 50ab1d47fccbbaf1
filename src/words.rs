//! The EFF's long word list: 7,776 words, in the order of their bytes.
//!
//! As one text, which the compiler makes: in a list of `&str` the loader would have to put 7,776 pointers right at the start
//! of every command.

use std::cmp::Ordering;

use diceware_wordlists::EFF_LONG_WORDLIST;

/// The list in the order of its bytes: as it comes, a few words around those with a hyphen are not.
#[expect(clippy::large_const_arrays, reason = "the compiler alone reads it; the program has the text")]
const LIST: [&str; COUNT] = {
    let mut list = EFF_LONG_WORDLIST;
    let mut next = 1;
    while next < COUNT {
        let mut at = next;
        while at > 0 && is_before(list[at].as_bytes(), list[at - 1].as_bytes()) {
            (list[at - 1], list[at]) = (list[at], list[at - 1]);
            at -= 1;
        }
        next += 1;
    }
    list
};

const fn is_before(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() {
        if one[at] != other[at] {
            return one[at] < other[at];
        }
        at += 1;
    }
    one.len() < other.len()
}

/// How many words there are.
pub const COUNT: usize = EFF_LONG_WORDLIST.len();

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

/// Where each word begins in the text, and behind them where the last one ends.
static STARTS: [u16; COUNT + 1] = {
    let mut starts = [0; COUNT + 1];
    let mut index = 0;
    while index < COUNT {
        starts[index + 1] = starts[index] + length(index);
        index += 1;
    }
    starts
};

#[expect(
    clippy::cast_possible_truncation,
    reason = "no word is longer than 255; a text longer than 65,535 does not compile"
)]
const fn length(index: usize) -> u16 {
    const { assert!(LONGEST <= 255) };
    LIST[index].len() as u16
}

static BYTES: [u8; STARTS[COUNT] as usize] = {
    let mut bytes = [0; STARTS[COUNT] as usize];
    let mut index = 0;
    while index < COUNT {
        let (start, end) = (STARTS[index] as usize, STARTS[index + 1] as usize);
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
    &TEXT[usize::from(STARTS[index])..usize::from(STARTS[index + 1])]
}

/// Whether a text is one of the words.
pub fn contains(text: &[u8]) -> bool {
    let (mut from, mut to) = (0, COUNT);
    while from < to {
        let middle = usize::midpoint(from, to);
        match word(middle).as_bytes().cmp(text) {
            Ordering::Less => from = middle + 1,
            Ordering::Equal => return true,
            Ordering::Greater => to = middle,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_long_list_distinct_and_plain() {
        assert_eq!(COUNT, 6_usize.pow(5));
        assert!((0..COUNT).map(word).eq(LIST));
        assert!(LIST.is_sorted());
        let distinct = EFF_LONG_WORDLIST.into_iter().collect::<std::collections::BTreeSet<_>>();
        assert!(distinct.len() == COUNT && distinct.into_iter().eq(LIST));
        assert!(LIST.iter().all(|word| word.len() <= LONGEST));
        assert!(LIST.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
    }

    #[test]
    fn words_are_found_and_nothing_else_is() {
        assert!(EFF_LONG_WORDLIST.iter().all(|word| contains(word.as_bytes())));
        assert!(!LIST.iter().any(|word| contains(format!("{word}~").as_bytes())));
    }
}
