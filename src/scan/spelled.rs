//! Text of which every character is written as an escape: `\u0041\u0042`, `\x41\x42`, `%41%42`. Nothing of it stands there as
//! it is, so that no window of a value would be found.

use super::view::{Character, digit, unicode};

/// Shorter runs are not looked at: no value that is looked for is shorter.
const SHORTEST_RUN: usize = super::needle::SHORTEST;

/// The text of every run of escapes, with a zero behind each.
#[derive(Default)]
pub(super) struct Spelled {
    pub(super) bytes: Vec<u8>,
    /// Where the escape of each byte begins and ends.
    places: Vec<(u32, u32)>,
}

impl Spelled {
    /// Collects the runs of `bytes`; tells whether there are any.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        self.bytes.clear();
        self.places.clear();
        let mut at = 0;
        while let Some(start) = memchr::memchr2(b'\\', b'%', &bytes[at..]).map(|found| at + found) {
            let (first, mut end) = (self.bytes.len(), start);
            while let Some((character, length)) = escape(&bytes[end..]) {
                self.push(&character, end, end + length);
                end += length;
            }
            if self.bytes.len() - first < SHORTEST_RUN {
                self.bytes.truncate(first);
                self.places.truncate(first);
            } else {
                self.push(&Character::from(0), end, end);
            }
            at = end.max(start + 1);
        }
        !self.bytes.is_empty()
    }

    /// Where the escape of a byte of the text begins.
    pub(super) fn start(&self, at: usize) -> usize {
        self.places.get(at).map_or(0, |place| place.0 as usize)
    }

    /// Where the escape of a byte of the text ends.
    pub(super) fn end(&self, at: usize) -> usize {
        self.places.get(at).map_or(0, |place| place.1 as usize)
    }

    fn push(&mut self, character: &Character, start: usize, end: usize) {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        for &byte in character.bytes() {
            self.bytes.push(byte);
            self.places.push((place(start), place(end)));
        }
    }
}

/// The character of an escape that begins a text, and its length; the backslash may be escaped itself.
pub(crate) fn escape(text: &[u8]) -> Option<(Character, usize)> {
    match text {
        [b'%', high, low, ..] => Some((Character::from(digit(*high)? << 4 | digit(*low)?), 3)),
        [b'\\', b'x', high, low, ..] => Some((Character::from(digit(*high)? << 4 | digit(*low)?), 4)),
        [b'\\', b'u', ..] => unicode(text),
        [b'\\', b'\\', b'u' | b'x', ..] => escape(&text[1..]).map(|(character, length)| (character, length + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_escapes_are_read_and_their_places_kept() {
        let mut spelled = Spelled::default();
        let text = br"x = \u0061\u0062\u0063\u0064\u0065\u0066\u0067\u0068; %61%62%63%64%65%66%67%68%c3%bc \u0061 50%";
        assert!(spelled.read(text));
        assert_eq!(spelled.bytes, "abcdefgh\0abcdefghü\0".as_bytes());
        assert_eq!(&text[spelled.start(1)..spelled.end(2)], br"\u0062\u0063");
        assert_eq!(&text[spelled.start(9)..spelled.end(9)], b"%61");
        assert!(!spelled.read(br"a few: \u0061 \n \\ %20 100% \x"));
        assert!(spelled.read(br"\\u0061\\u0062\\u0063\\u0064\\u0065\\u0066\\u0067\\u0068"));
        assert!(spelled.bytes.starts_with(b"abcdefgh") && spelled.start(1) == 7);
    }
}
