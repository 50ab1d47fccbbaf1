//! What a program wrote, as it reads without what wraps it, escapes it or stands between its characters.

use std::ops::Range;
use std::slice;

use zeroize::Zeroizing;

use crate::scan::escape;

/// A text as somebody may read it, and where each of its bytes stood.
pub(super) struct Seen {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) places: Vec<Range<usize>>,
}

impl Seen {
    fn with_room(length: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(length)), places: Vec::with_capacity(length) }
    }

    fn push(&mut self, byte: u8, place: Range<usize>) {
        self.bytes.push(byte);
        self.places.push(place);
    }

    /// Without white space, which whoever wraps a value puts into it, without the zeros of UTF-16, and without colours.
    pub(super) fn dense(bytes: &[u8]) -> Self {
        let mut seen = Self::with_room(bytes.len());
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let unseen = if byte == 0 { 1 } else { colour(&bytes[at..]) };
            if unseen > 0 {
                // It belongs to the character before it.
                seen.places.last_mut().filter(|it| it.end == at).into_iter().for_each(|it| it.end += unseen);
            } else if byte.is_ascii_graphic() || !byte.is_ascii() {
                seen.push(byte, at..at + 1);
            }
            at += unseen.max(1);
        }
        seen
    }

    /// With the characters that escapes stand for.
    pub(super) fn decoded(&self) -> Self {
        let mut seen = Self::with_room(self.bytes.len());
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            let rest = &self.bytes[at..];
            let (character, length) = match rest {
                [b'\\' | b'%', ..] => escape(rest).map_or((None, 1), |(character, length)| (Some(character), length)),
                _ => (None, 1),
            };
            let place = self.places[at].start..self.places[at + length - 1].end;
            let bytes = character.as_ref().map_or(slice::from_ref(&byte), |it| it.bytes());
            bytes.iter().filter(|it| !it.is_ascii_whitespace()).for_each(|&it| seen.push(it, place.clone()));
            at += length;
        }
        seen
    }

    /// Its letters and digits alone.
    pub(super) fn bare(&self) -> Self {
        let mut seen = Self::with_room(self.bytes.len());
        let bare = self.bytes.iter().zip(&self.places).filter(|(byte, _)| is_alphanumeric(byte));
        bare.for_each(|(&byte, place)| seen.push(byte, place.clone()));
        seen
    }

    /// Where the last bytes of it begin; `None` = there are to be none.
    pub(super) fn before(&self, length: usize) -> Option<usize> {
        let first = self.places.len().checked_sub(length).filter(|_| length > 0)?;
        Some(self.places[first].start)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "an iterator asks with a reference")]
pub(super) fn is_alphanumeric(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Length of what begins a text and only makes a terminal show what follows in another colour.
fn colour(text: &[u8]) -> usize {
    let Some(rest) = text.strip_prefix(b"\x1b[") else { return 0 };
    let parameters = rest.iter().take_while(|it| it.is_ascii_digit() || **it == b';').count();
    if rest.get(parameters) == Some(&b'm') { parameters + 3 } else { 0 }
}
