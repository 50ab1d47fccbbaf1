//! A stretch of text as it reads once a wrapping is taken off: line breaks, JSON's or URLs' escapes, UTF-16.

use std::ops::Range;

/// Bytes, and where each of them stood.
#[derive(Default)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<u32>,
}

/// How lines are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    /// A line break, written out or escaped, and the blanks behind it.
    Lines,
    /// Also what a programming language puts around it: quotes, `+`, comment marks.
    Pieces,
}

impl View {
    /// As it is.
    pub(super) fn plain(&mut self, bytes: &[u8]) {
        self.clear();
        for (at, &byte) in bytes.iter().enumerate() {
            self.push(byte, at);
        }
    }

    /// Where a stretch of the view stood.
    pub(super) fn place(&self, start: usize, end: usize) -> Range<usize> {
        let place = |at: usize| self.places.get(at).map_or(0, |&place| place as usize);
        place(start)..place(end.saturating_sub(1)) + 1
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    fn push(&mut self, byte: u8, place: usize) {
        self.bytes.push(byte);
        self.places.push(u32::try_from(place).unwrap_or(u32::MAX));
    }

    /// Takes every line break out.
    pub(super) fn joined(&mut self, from: &Self, joining: Joining) {
        self.clear();
        let mut at = 0;
        while let Some(&byte) = from.bytes.get(at) {
            let length = match joining {
                Joining::Lines => line_break(&from.bytes[at..]),
                Joining::Pieces => piece_break(&from.bytes[at..]),
            };
            if length == 0 {
                self.push(byte, from.places[at] as usize);
            }
            at += length.max(1);
        }
    }

    /// Takes the escapes of JSON, which are those of most languages, off.
    pub(super) fn unescaped(&mut self, from: &Self) {
        self.decoded(from, |rest| {
            let [b'\\', escape, ..] = rest else { return None };
            let byte = match escape {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                b'"' | b'\\' | b'/' | b'\'' | b'$' => *escape,
                b'u' => return unicode(rest),
                _ => return None,
            };
            Some((Character::from(byte), 2))
        });
    }

    /// Takes `%XX` off.
    pub(super) fn unpercented(&mut self, from: &Self) {
        self.decoded(from, |rest| match rest {
            [b'%', high, low, ..] => Some((Character::from(digit(*high)? << 4 | digit(*low)?), 3)),
            [b'+', ..] => Some((Character::from(b' '), 1)),
            _ => None,
        });
    }

    fn decoded(&mut self, from: &Self, decode: impl Fn(&[u8]) -> Option<(Character, usize)>) {
        self.clear();
        let mut at = 0;
        while let Some(&byte) = from.bytes.get(at) {
            let (character, length) = decode(&from.bytes[at..]).unwrap_or((Character::from(byte), 1));
            for &byte in character.bytes() {
                self.push(byte, from.places[at] as usize);
            }
            at += length;
        }
    }
}

/// The bytes of one character.
pub(crate) struct Character([u8; 4], usize);

impl Character {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

impl From<u8> for Character {
    fn from(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }
}

impl From<char> for Character {
    fn from(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self(bytes, length)
    }
}

/// `\uXXXX`, also two of them for one character.
pub(super) fn unicode(text: &[u8]) -> Option<(Character, usize)> {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
        digits.iter().try_fold(0u16, |unit, &it| Some(unit << 4 | u16::from(digit(it)?)))
    };
    let first = unit(text)?;
    let second = text.get(6..).and_then(unit);
    let decoded = |units: &[u16]| char::decode_utf16(units.iter().copied()).next().and_then(Result::ok);
    match (decoded(&[first]), second) {
        (Some(character), _) => Some((Character::from(character), 6)),
        (None, Some(second)) => decoded(&[first, second]).map(|character| (Character::from(character), 12)),
        (None, None) => None,
    }
}

pub(super) fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Length of the line breaks that begin a text, escaped ones too, with the blanks behind them.
fn line_break(text: &[u8]) -> usize {
    let mut at = newline(text);
    if at == 0 {
        return 0;
    }
    loop {
        let more = newline(&text[at..]).max(usize::from(matches!(text.get(at), Some(b' ' | b'\t'))));
        if more == 0 {
            return at;
        }
        at += more;
    }
}

fn newline(text: &[u8]) -> usize {
    match text {
        [b'\\', b'r', b'\\', b'n', ..] => 4,
        [b'\\', b'\r', b'\n', ..] => 3,
        [b'\r', b'\n', ..] | [b'\\', b'n' | b'r' | b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => 0,
    }
}

/// As [`line_break`], with the end of a quoted piece before it, and what begins the next one behind it.
fn piece_break(text: &[u8]) -> usize {
    let blanks = |at: usize| text[at..].iter().take_while(|it| matches!(it, b' ' | b'\t')).count();
    let any = |at: usize, of: &[u8]| usize::from(text.get(at).is_some_and(|it| of.contains(it)));
    let mut at = line_break(text);
    if at == 0 {
        at += any(at, b"\"'`");
        at += blanks(at);
        at += any(at, b"+.,&;");
        at += blanks(at);
        let length = line_break(&text[at..]);
        if length == 0 {
            return glue(text);
        }
        at += length;
    }
    at += text[at..].iter().take_while(|it| b"#/*>|-".contains(it)).count().min(3);
    at += blanks(at);
    at += any(at, b"+.&");
    at += blanks(at);
    at + any(at, b"\"'`")
}

/// Length of what joins two quoted pieces of one line: `" + "` of most languages, `" "` of C, `' . '` of PHP, `' || '` of
/// SQL, `""` of shells.
fn glue(text: &[u8]) -> usize {
    let blanks = |at: usize| text[at..].iter().take_while(|it| matches!(it, b' ' | b'\t')).count();
    let is_quote = |at: usize| matches!(text.get(at), Some(b'"' | b'\'' | b'`'));
    if !is_quote(0) {
        return 0;
    }
    let mut at = 1 + blanks(1);
    at += match &text[at..] {
        [b'|', b'|', ..] | [b'.', b'.', ..] | [b'+', b'+', ..] | [b'<', b'>', ..] => 2,
        [b'+' | b'.' | b',' | b'&' | b'~', ..] => 1,
        _ => 0,
    };
    at += blanks(at);
    // What says of which kind the next piece is, as in `"a" b"…"`; `"b"` is one piece.
    let is_prefix = |it: &u8| b"bBfFrRuUL@$".contains(it);
    at += usize::from(at > 1 && text.get(at).is_some_and(is_prefix) && is_quote(at + 1));
    if is_quote(at) { at + 1 } else { 0 }
}

/// Where a run of UTF-16 text stood: its first byte there, and in the narrow text.
struct Run {
    narrow: usize,
    wide: usize,
}

/// The text of every stretch that alternates between a byte and a zero, as UTF-16 of either byte order does.
#[derive(Default)]
pub(super) struct Narrow {
    pub(super) bytes: Vec<u8>,
    runs: Vec<Run>,
}

/// Shorter stretches are not looked at.
const SHORTEST_RUN: usize = 8;

impl Narrow {
    /// Collects the runs of `bytes`; tells whether there are any.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        self.bytes.clear();
        self.runs.clear();
        let mut at = 0;
        while let Some(zero) = memchr::memchr(0, &bytes[at..]).map(|found| at + found) {
            // The first character may stand before the first zero, and is at least as far as the last run ended.
            let start = if zero > at { zero - 1 } else { zero + 1 };
            let is_text = |at: usize| matches!((bytes.get(at), bytes.get(at + 1)), (Some(1..), Some(0)));
            let mut end = start;
            while is_text(end) {
                end += 2;
            }
            // The last character of big-endian text has no zero behind it; what else follows does no harm.
            let last = usize::from(bytes.get(end).is_some_and(|&it| it != 0));
            let length = (end - start) / 2 + last;
            if length >= SHORTEST_RUN {
                self.run(bytes, start, length);
            }
            // Of many zeros only the last one can begin a run.
            let zeros = bytes[zero..].iter().take_while(|&&it| it == 0).count();
            at = end.max(zero + zeros.saturating_sub(1)).max(zero + 1).min(bytes.len());
        }
        !self.runs.is_empty()
    }

    /// Adds a run as UTF-8.
    fn run(&mut self, bytes: &[u8], start: usize, length: usize) {
        self.runs.push(Run { narrow: self.bytes.len(), wide: start });
        for at in (start..).step_by(2).take(length) {
            let character = char::from(bytes[at]);
            self.bytes.extend(character.encode_utf8(&mut [0; 2]).as_bytes());
            if !character.is_ascii() {
                self.runs.push(Run { narrow: self.bytes.len(), wide: at + 2 });
            }
        }
        self.bytes.push(0);
    }

    /// Where a byte of the narrow text stood.
    pub(super) fn place(&self, at: usize) -> usize {
        let run = self.runs.partition_point(|run| run.narrow <= at).saturating_sub(1);
        self.runs.get(run).map_or(at, |run| run.wide + 2 * (at - run.narrow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(text: &str) -> View {
        let mut view = View::default();
        view.plain(text.as_bytes());
        view
    }

    fn through(text: &str, change: impl Fn(&mut View, &View)) -> String {
        let mut changed = View::default();
        change(&mut changed, &view(text));
        String::from_utf8(changed.bytes).unwrap()
    }

    #[test]
    fn lines_are_joined_with_whatever_is_around_their_breaks() {
        let lines = |text| through(text, |to, from| to.joined(from, Joining::Lines));
        assert_eq!(lines("abc\ndef\r\n    ghi\\n  jkl\\\nmno\n\n\tpqr"), "abcdefghijklmnopqr");
        assert_eq!(lines("abc+\n+def"), "abc++def", "both are base64");
        let pieces = |text| through(text, |to, from| to.joined(from, Joining::Pieces));
        assert_eq!(pieces("\"abc\" +\n    \"def\"\n    + 'ghi\\\njkl"), "\"abcdefghijkl");
        assert_eq!(pieces("# abc\n# def\n// ghi\n"), "# abcdefghi");
        assert_eq!(pieces("a \"b\" c"), "a \"b\" c");
        let one = "\"ab\" + \"cd\"\"ef\" \"gh\"  .\t'ij' || 'kl' .. \"mn\" <> b\"op\" ++ 'qr', 's'";
        assert_eq!(pieces(one), "\"abcdefghijklmnopqrs'");
        for other in ["\"a\": \"b\"", "'a' = 'b'", "\"a\" + b", "\"", "\" +", "\" | \""] {
            assert_eq!(pieces(other), other);
        }
    }

    #[test]
    fn escapes_are_taken_off_and_places_are_kept() {
        assert_eq!(through(r#"a\"b\\c\/d\u00fc\ud83d\ude00\x"#, View::unescaped), "a\"b\\c/dü😀\\x");
        assert_eq!(through("a%2fb%2Bc%zz%", View::unpercented), "a/b+c%zz%");
        let mut changed = View::default();
        changed.unpercented(&view("x%2Fyz"));
        assert_eq!(changed.place(1, 3), 1..5);
    }

    #[test]
    fn utf_16_of_either_order_is_read_wherever_it_stands() {
        let text = "a secret in UTF-16";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for wide in [&little, &big] {
            for before in [&b""[..], b"x", b"\0", b"\xff\xfe", b"\xfe\xff", b"plain text before it\0\0"] {
                let bytes = [before, wide].concat();
                let mut narrow = Narrow::default();
                assert!(narrow.read(&bytes));
                let found = memchr::memmem::find(&narrow.bytes, text.as_bytes()).expect("it is there");
                assert_eq!(bytes[narrow.place(found)], b'a', "{before:?}");
                assert!((before.len()..before.len() + 2).contains(&narrow.place(found)));
            }
        }
        assert!(!Narrow::default().read(b"no such text\0here\0\0\0"));
    }
}
