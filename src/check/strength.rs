//! How hard a value is to guess, when all that is known is its text.
//!
//! The estimate is a lower one: length × log2 of the smallest usual alphabet that holds every character, less what a
//! guesser gets for nothing: runs, sequences, keyboard walks, repeated blocks and words. It never counts distinct
//! characters: 32 hex digits are 128 bits even if only nine different ones occur.

mod class;

use super::password_of_url;
use crate::words;

/// Below this many bits a password or credential is weak: 2^64 guesses are out of reach over a network, and costly offline.
pub const WEAK_BELOW: u32 = 64;

/// Below this many bits a signing or encryption key is weak: attacks on it are offline and parallel, and
/// NIST SP 800-131A allows no less. 16 random bytes are 128, of which a chance pattern may take a few off.
pub const KEY_WEAK_BELOW: u32 = 112;

/// A run, sequence or walk counts from this length; shorter ones are common in random text.
const SHORTEST_RUN: usize = 4;

/// Bits of a word of prose: a list of 2048 words.
const WORD: u32 = 11;

/// What a repeated block costs a guesser: which one, and how often.
const BLOCK: u32 = 6;

/// Values above this length are judged by their beginning.
const LONGEST: usize = 4096;

/// For each key the next one of its row, and the next one of the zigzag through the columns.
static NEXT_KEY: [[u8; 2]; 256] = {
    let mut next = [[0; 2]; 256];
    next = with_row(next, 0, b"qwertyuiop");
    next = with_row(next, 0, b"asdfghjkl");
    next = with_row(next, 0, b"zxcvbnm");
    with_row(next, 1, b"1qaz2wsx3edc4rfv5tgb6yhn7ujm")
};

const fn with_row(mut next: [[u8; 2]; 256], direction: usize, row: &[u8]) -> [[u8; 2]; 256] {
    let mut at = 0;
    while at + 1 < row.len() {
        next[row[at] as usize][direction] = row[at + 1];
        at += 1;
    }
    next
}

/// Fractions of a bit, so that sums stay in whole numbers.
const UNIT: u32 = 16;

/// A lower estimate of the entropy of a value that we did not make, in bits. Of a URL with a password, the password's.
pub fn bits(value: &[u8]) -> u32 {
    bits_as_written(password_of_url(value).unwrap_or(value))
}

/// As [`bits`], of the whole text whatever it is: how hard it is to come by it without meaning it.
pub fn bits_as_written(value: &[u8]) -> u32 {
    let value = without_padding(&value[..value.len().min(LONGEST)]);
    let classes = classes(value);
    let separator = separator(value, classes);
    let symbol = match separator {
        _ if classes & class::OTHER != 0 => beyond_ascii(value),
        Some(_) => alphabet(classes & !class::MARKS),
        None => alphabet(classes),
    };
    let mut sum = 0;
    let mut blocks = Blocks::new();
    let mut at = 0;
    while at < value.len() {
        let rest = &value[at..];
        if Some(rest[0]) == separator {
            at += 1;
            continue;
        }
        let (length, cost) = explained(value, at, symbol, &blocks).unwrap_or((1, symbol));
        sum += cost;
        let end = at + length;
        while at < end {
            blocks.learn(value, at);
            at += 1;
        }
    }
    sum / UNIT
}

/// The longest pattern that starts here, as its length and what it is worth.
fn explained(value: &[u8], at: usize, symbol: u32, blocks: &Blocks) -> Option<(usize, u32)> {
    let rest = &value[at..];
    if let Some(length) = blocks.repeated(value, at) {
        return Some((length, BLOCK * UNIT));
    }
    let run = run(rest);
    if run >= SHORTEST_RUN {
        return Some((run, 2 * symbol));
    }
    if !rest[0].is_ascii_alphabetic() {
        return None;
    }
    let (length, bits) = word(&rest[..letters(rest)])?;
    Some((length, (bits * UNIT).min(symbol * u32::try_from(length).unwrap_or(u32::MAX))))
}

/// The value without the `=` of base64 at its end.
fn without_padding(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    &value[..end]
}

/// The classes that occur.
fn classes(value: &[u8]) -> u16 {
    let mut classes = 0;
    for &byte in value {
        classes |= class::OF[byte as usize];
    }
    classes
}

/// log2 of the smallest usual alphabet that holds the classes, in 1/[`UNIT`] bits.
fn alphabet(classes: u16) -> u32 {
    let has = |class: u16| u32::from(classes & class != 0);
    let lower = has(class::HEX_LOWER | class::LOWER);
    let upper = has(class::HEX_UPPER | class::UPPER);
    let is_hex = has(class::MARKS | class::LOWER | class::UPPER) == 0 && lower + upper == 1;
    let marks = if has(class::SYMBOL | class::SPACE | class::DOT | class::COLON) == 1 {
        33
    } else {
        2 * has(class::BASE64 | class::HYPHEN | class::UNDERSCORE)
    };
    if is_hex { log2(16) } else { log2(26 * (lower + upper) + 10 * has(class::DIGIT) + marks) }
}

/// Of text six bits a character, spread over its bytes; of anything else eight bits a byte.
fn beyond_ascii(value: &[u8]) -> u32 {
    let Ok(text) = std::str::from_utf8(value) else { return 8 * UNIT };
    u32::try_from(6 * UNIT as usize * text.chars().count() / value.len()).unwrap_or(UNIT)
}

/// log2 in 1/[`UNIT`] bits, rounded down: the highest bit of n^16.
fn log2(n: u32) -> u32 {
    u128::from(n).checked_pow(UNIT).map_or(0, |power| power.checked_ilog2().unwrap_or(0))
}

/// What stands between the groups of the value and carries nothing: the one mark of a UUID or a passphrase.
fn separator(value: &[u8], classes: u16) -> Option<u8> {
    let mark = match classes & class::MARKS {
        class::HYPHEN => b'-',
        class::UNDERSCORE => b'_',
        class::SPACE => b' ',
        class::DOT => b'.',
        class::COLON => b':',
        _ => return None,
    };
    let count = value.split(|&byte| byte == mark).count() - 1;
    // One `-` in 64 characters of base64url is text, not structure: a separator comes often.
    (count * 12 >= value.len()).then_some(mark)
}

/// How many bytes from the start repeat, count up or down, or walk along a row of keys.
fn run(rest: &[u8]) -> usize {
    if rest.len() < SHORTEST_RUN {
        return 0;
    }
    let step = rest[1].wrapping_sub(rest[0]);
    if matches!(step, 0 | 1 | 0xff) {
        let mut length = 2;
        while length < rest.len() && rest[length].wrapping_sub(rest[length - 1]) == step {
            length += 1;
        }
        return length;
    }
    walk(rest)
}

fn walk(rest: &[u8]) -> usize {
    // Setting bit 5 makes a letter small and leaves a digit as it is.
    let [along, across] = NEXT_KEY[usize::from(rest[0] | 0x20)];
    let second = rest[1] | 0x20;
    let direction = match second {
        _ if second == along => 0,
        _ if second == across => 1,
        _ => return 0,
    };
    let mut length = 2;
    while length < rest.len() && NEXT_KEY[usize::from(rest[length - 1] | 0x20)][direction] == rest[length] | 0x20 {
        length += 1;
    }
    length
}

/// How many letters of one case (a capital may lead) stand at the start.
fn letters(rest: &[u8]) -> usize {
    let upper = rest.len() > 1 && rest[0].is_ascii_uppercase() && rest[1].is_ascii_uppercase();
    let mut length = 1;
    while length < rest.len()
        && (if upper { rest[length].is_ascii_uppercase() } else { rest[length].is_ascii_lowercase() })
    {
        length += 1;
    }
    length
}

/// The longest word that the letters start with, as its length and its bits.
fn word(letters: &[u8]) -> Option<(usize, u32)> {
    const SHORTEST: usize = 4;
    const LONGEST: usize = 10;
    let mut buffer = [0; LONGEST];
    for length in (SHORTEST..=letters.len().min(LONGEST)).rev() {
        let word = &mut buffer[..length];
        word.copy_from_slice(&letters[..length]);
        word.make_ascii_lowercase();
        let word = &buffer[..length];
        if super::placeholder::is_common_word(word) {
            return Some((length, 4));
        }
        if words::contains(word) {
            return Some((length, WORD));
        }
    }
    None
}

/// Where each block of four bytes was last seen, to find blocks that come again.
struct Blocks([u16; 256]);

impl Blocks {
    /// Length of a block. In one of 36 random values of 64 hex digits one comes again by chance, and costs ten bits.
    const LENGTH: usize = 4;

    fn new() -> Self {
        Self([0; 256])
    }

    fn slot(block: &[u8]) -> usize {
        let hash = u32::from_le_bytes([block[0], block[1], block[2], block[3]]).wrapping_mul(0x9e37_79b1);
        (hash >> 24) as usize
    }

    fn learn(&mut self, value: &[u8], at: usize) {
        if at + Self::LENGTH <= value.len() {
            // Positions are below LONGEST, so that the cast keeps them whole; 0 means "not seen".
            self.0[Self::slot(&value[at..])] = u16::try_from(at + 1).unwrap_or(0);
        }
    }

    /// How many bytes from `at` repeat what stood before; blocks shorter than four are found as soon as they are twice there.
    fn repeated(&self, value: &[u8], at: usize) -> Option<usize> {
        if at + Self::LENGTH > value.len() {
            return None;
        }
        let seen = usize::from(self.0[Self::slot(&value[at..])]).checked_sub(1)?;
        let mut length = 0;
        while at + length < value.len() && value[seen + length] == value[at + length] {
            length += 1;
        }
        (length >= Self::LENGTH).then_some(length)
    }
}

#[cfg(test)]
mod tests;
