//! What a program wrote, without the values that it was given, in whatever common dress they come: wrapped, cut off at either
//! end, or whole.

mod seen;

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use data_encoding::{BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use memchr::memmem;
use zeroize::Zeroizing;

use crate::report::words;
use crate::secret::Secret;
use crate::secret::dress::{LOWER, UNRESERVED, UPPER, json, percent};
use seen::{Seen, is_alphanumeric};

/// What stands in a value's place.
const BLOT: &str = "[redacted]";

/// The shortest line of a value of several lines that is looked for by itself: one of a PEM, not its `-----`.
const LINE: usize = 16;

/// The shortest value that is looked for within the base64 of something longer.
const WITHIN: usize = 8;

/// How SQL and shells quote, and languages print: the bytes before which a text is put, and the text.
const QUOTES: [(&[u8], &[u8]); 7] = [
    (b"'", b"'"),
    (b"\"", b"\""),
    (b"'", b"'\\'"),
    (b"\\", b"\\"),
    (b"\\'", b"\\"),
    (b"\\\"", b"\\"),
    (b"\\'\"$`", b"\\"),
];

/// So much of the beginning or the end of a pattern is not shown either: half of it, which leaves as much to be guessed, but no
/// less than a common word and no more than what nobody prints by chance.
const FRAGMENT: (usize, usize) = (6, 12);

/// What is shorter is looked for in one piece: letters of several words would too often come to it.
const IN_ONE_PIECE: usize = 8;

/// The shortest text that is looked for between separators.
const SPREAD: usize = 16;

/// Whether a text has one of these values in it, whole, in whatever common dress.
pub fn has_value(text: &[u8], values: &[&Secret]) -> bool {
    Patterns::of(values).stand_in(text)
}

/// Byte strings that must not be shown, nor what they begin or end with.
pub(super) struct Patterns {
    whole: Pair,
    /// Their letters and digits alone.
    spread: Pair,
}

/// Patterns by what they begin and what they end with.
struct Pair {
    forward: Index,
    backward: Index,
}

/// Patterns by what they begin with.
struct Index {
    sorted: Vec<Zeroizing<Vec<u8>>>,
    /// The least of each that counts, packed.
    heads: HashSet<u128>,
    /// How long those are.
    lengths: BTreeSet<usize>,
}

impl Patterns {
    /// Each value as it is, as JSON, percent-encoded, in base64, base32 and hex, and as UTF-16; and each line of a value of
    /// several.
    pub(super) fn of(values: &[&Secret]) -> Self {
        let mut patterns = Vec::new();
        for value in values.iter().map(|value| value.expose()) {
            add(&mut patterns, value);
            let lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
            lines
                .filter(|line| line.len() >= LINE && line.len() < value.len())
                .for_each(|line| add(&mut patterns, line));
        }
        for pattern in &mut patterns {
            pattern.retain(|byte| byte.is_ascii_graphic() || !byte.is_ascii());
        }
        let bare =
            patterns.iter().map(|it| Zeroizing::new(it.iter().copied().filter(is_alphanumeric).collect::<Vec<_>>()));
        let spread = Pair::of(bare.filter(|it| it.len() >= SPREAD).collect());
        Self { whole: Pair::of(patterns), spread }
    }

    /// Whether one of the values stands in a text, whole.
    fn stand_in(&self, text: &[u8]) -> bool {
        let dense = Seen::dense(text);
        let decoded = dense.decoded();
        let bare = decoded.bare();
        let (whole, spread) = (&self.whole.forward.sorted, &self.spread.forward.sorted);
        [(&dense, whole), (&decoded, whole), (&bare, spread)].into_iter().any(|(seen, patterns)| {
            let is_there = |pattern: &Zeroizing<Vec<u8>>| {
                let mut found = memmem::find_iter(&seen.bytes, pattern.as_slice());
                found.any(|from| is_meant(&seen.places[from..from + pattern.len()]))
            };
            patterns.iter().any(is_there)
        })
    }

    /// The text with every pattern blotted out, and the beginning of one at its end where the text was cut off. Line ends stay,
    /// and what a terminal would obey is spelled out.
    pub(super) fn redact(&self, bytes: &[u8], is_cut: bool) -> String {
        let dense = Seen::dense(bytes);
        let decoded = dense.decoded();
        let mut is_hidden = vec![false; bytes.len()];
        let mut end = bytes.len();
        for (seen, patterns) in [(&dense, &self.whole), (&decoded, &self.whole), (&decoded.bare(), &self.spread)] {
            if is_cut {
                end = end.min(seen.before(patterns.forward.begun(&seen.bytes)).unwrap_or(end));
            }
            patterns.find(seen, &mut |range, is_whole| is_hidden[range].iter_mut().for_each(|it| *it |= is_whole));
        }
        let mut text = Zeroizing::new(Vec::with_capacity(end));
        for run in is_hidden[..end].chunk_by(|one, next| one == next).scan(0, |from, run| {
            *from += run.len();
            Some((*from - run.len()..*from, run[0]))
        }) {
            let (range, is_hidden) = run;
            if is_hidden { blot(&bytes[range], &mut text) } else { text.extend_from_slice(&bytes[range]) }
        }
        let mut shown = String::with_capacity(text.len());
        let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
        for character in text.chars() {
            if is_harmless(character) { shown.push(character) } else { shown.extend(character.escape_default()) }
        }
        shown
    }
}

/// Whether what stands at these places is a value: what is short may be letters of several words.
fn is_meant(places: &[Range<usize>]) -> bool {
    let is_one_piece = || places.windows(2).all(|it| it[0].end == it[1].start || it[0] == it[1]);
    places.len() >= IN_ONE_PIECE || is_one_piece()
}

impl Pair {
    fn of(patterns: Vec<Zeroizing<Vec<u8>>>) -> Self {
        let reversed = patterns.iter().map(|it| Zeroizing::new(it.iter().rev().copied().collect())).collect();
        Self { forward: Index::of(patterns), backward: Index::of(reversed) }
    }

    /// Tells where in the original a pattern or a long part of one stands, and whether that is to be hidden.
    fn find(&self, seen: &Seen, hide: &mut impl FnMut(Range<usize>, bool)) {
        let mut found = |from: usize, length: usize| {
            let places = &seen.places[from..from + length];
            hide(places[0].start..places[length - 1].end, is_meant(places));
        };
        self.forward.find(&seen.bytes, &mut found);
        // Also finds what begins within another one.
        let reversed = Zeroizing::new(seen.bytes.iter().rev().copied().collect::<Vec<u8>>());
        self.backward.find(&reversed, &mut |from, length| found(seen.bytes.len() - from - length, length));
    }
}

impl Index {
    fn of(mut patterns: Vec<Zeroizing<Vec<u8>>>) -> Self {
        patterns.retain(|pattern| !pattern.is_empty());
        patterns.sort_unstable_by(|one, other| one.as_slice().cmp(other));
        patterns.dedup();
        let heads = patterns.iter().map(|pattern| packed(&pattern[..least(pattern)])).collect();
        let lengths = patterns.iter().map(|pattern| least(pattern)).collect();
        Self { sorted: patterns, heads, lengths }
    }

    /// Tells where in a text a pattern begins, and how much of it is there. Each byte is looked at a bounded number of times,
    /// however many patterns there are: what was found is passed over.
    fn find(&self, text: &[u8], found: &mut impl FnMut(usize, usize)) {
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let is_head = |length: &usize| rest.get(..*length).is_some_and(|it| self.heads.contains(&packed(it)));
            let length = if self.lengths.iter().any(is_head) { self.common(rest) } else { 0 };
            if length > 0 {
                found(at, length);
            }
            at += length.max(1);
        }
    }

    /// The most that a text has in common with the beginning of a pattern: with one of its neighbours in their order.
    fn common(&self, text: &[u8]) -> usize {
        let next = self.sorted.partition_point(|pattern| pattern.as_slice() < text);
        let neighbours = self.sorted[next.saturating_sub(1)..].iter().take(2);
        let common =
            |pattern: &Zeroizing<Vec<u8>>| pattern.iter().zip(text).take_while(|(one, other)| one == other).count();
        neighbours.map(common).max().unwrap_or(0)
    }

    /// How many bytes at the end may be the beginning of a pattern, and are too few to be taken for one.
    fn begun(&self, text: &[u8]) -> usize {
        let begun = |pattern: &[u8]| {
            let longest = (least(pattern) - 1).min(text.len());
            (1..=longest).rev().find(|&length| text.ends_with(&pattern[..length])).unwrap_or(0)
        };
        self.sorted.iter().map(|pattern| begun(pattern)).max().unwrap_or(0)
    }
}

/// How much of a pattern counts as it.
fn least(pattern: &[u8]) -> usize {
    pattern.len().div_ceil(2).clamp(FRAGMENT.0, FRAGMENT.1).min(pattern.len())
}

/// At most twelve bytes and their number as one.
fn packed(bytes: &[u8]) -> u128 {
    bytes.iter().fold(bytes.len() as u128, |sum, &byte| sum << 8 | u128::from(byte))
}

/// Whether a terminal only shows it, where it stands.
fn is_harmless(character: char) -> bool {
    matches!(character, '\n' | '\t') || !words::steers(character)
}

/// What stands in the place of a hidden text: the same lines, as far as anything was in them.
fn blot(hidden: &[u8], text: &mut Vec<u8>) {
    for (index, line) in hidden.split(|&byte| byte == b'\n').enumerate() {
        text.extend((index > 0).then_some(b'\n'));
        if !line.trim_ascii().is_empty() {
            text.extend_from_slice(BLOT.as_bytes());
        }
    }
}

/// With a text before each of these bytes, as quoting puts it.
fn quoted(value: &[u8], which: &[u8], by: &[u8]) -> Vec<u8> {
    let with_quote = |byte: &u8| [if which.contains(byte) { by } else { &[] }, &[*byte]].concat();
    value.iter().flat_map(with_quote).collect()
}

fn add(patterns: &mut Vec<Zeroizing<Vec<u8>>>, value: &[u8]) {
    let mut add = |bytes: Vec<u8>| patterns.push(Zeroizing::new(bytes));
    add(value.to_vec());
    add(json(value, false));
    add(json(value, true));
    for (which, by) in QUOTES {
        add(quoted(value, which, by));
    }
    add(percent(value, UNRESERVED, UPPER));
    add(percent(value, UNRESERVED, LOWER));
    add(BASE64.encode(value).into_bytes());
    add(BASE64_NOPAD.encode(value).into_bytes());
    add(BASE64URL_NOPAD.encode(value).into_bytes());
    add(HEXLOWER.encode(value).into_bytes());
    add(HEXUPPER.encode(value).into_bytes());
    add(BASE32_NOPAD.encode(value).into_bytes());
    add(BASE32_NOPAD.encode(value).to_ascii_lowercase().into_bytes());
    if let Some(text) = std::str::from_utf8(value).ok().filter(|text| !text.is_ascii()) {
        add(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        add(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    if value.len() < WITHIN {
        return;
    }
    // As in the base64 of `user:value`: what the bytes before and behind it do not touch.
    for before in 0..3 {
        let mut longer = Zeroizing::new(vec![0; before]);
        longer.extend_from_slice(value);
        let (first, last) = ((before * 8).div_ceil(6), longer.len() * 8 / 6);
        add(BASE64_NOPAD.encode(&longer).as_bytes()[first..last].to_vec());
        add(BASE64URL_NOPAD.encode(&longer).as_bytes()[first..last].to_vec());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redact(value: &[u8], text: &[u8]) -> String {
        Patterns::of(&[&Secret::copy_of(value)]).redact(text, false)
    }

    #[test]
    fn a_value_stands_in_a_text_only_whole() {
        let value = "Kq7vTz3mXw9R/cYd+HsJ4Gf8";
        let has = |text: &str| has_value(text.as_bytes(), &[&Secret::copy_of(value.as_bytes())]);
        let encodings = [&BASE64, &BASE64_NOPAD, &BASE64URL_NOPAD, &HEXLOWER, &HEXUPPER, &BASE32_NOPAD];
        let dresses = encodings.map(|it| it.encode(value.as_bytes()));
        for dressed in dresses.iter().map(String::as_str).chain([value, "Kq7vTz3mXw9R/\n  cYd+HsJ4Gf8"]) {
            assert!(has(&format!("in a log ({dressed}), by bob")), "{dressed}");
            assert!(!has(&format!("in a log ({}", &dressed[..dressed.len() - 4])), "{dressed}");
        }
        let has = |text: &[u8]| has_value(text, &[&Secret::copy_of(b"paste1")]);
        assert!(has(b"in paste1") && !has(b"in a past e1") && !has(b""));
    }

    #[test]
    fn a_value_is_blotted_out_in_every_dress() {
        let value = "pa\"ss/w\u{f6}rd+1";
        for dressed in [
            value.to_owned(),
            serde_json::to_string(value).unwrap(),
            r#"pa\"ss/w\u00f6rd+1"#.to_owned(),
            "pa%22ss%2Fw%C3%B6rd%2B1".to_owned(),
            "pa%22ss%2fw%c3%b6rd%2b1".to_owned(),
            BASE64.encode(value.as_bytes()),
            BASE64URL_NOPAD.encode(value.as_bytes()),
            HEXLOWER.encode(value.as_bytes()),
            HEXUPPER.encode(value.as_bytes()),
        ] {
            let shown = redact(value.as_bytes(), format!("<{dressed}> and {dressed}").as_bytes());
            assert_eq!(shown.matches(BLOT).count(), 2, "{dressed}: {shown}");
            assert!(!shown.contains("rd+1") && !shown.contains("rd%2") && !shown.contains("cGEi"), "{shown}");
        }
        let value = "a'b\"c\\d$e`f-long-enough";
        for dressed in [
            "a''b\"c\\d$e`f-long-enough",
            "a'b\"\"c\\d$e`f-long-enough",
            "a'\\''b\"c\\d$e`f-long-enough",
            "a'b\"c\\\\d$e`f-long-enough",
            "a\\'b\"c\\\\d$e`f-long-enough",
            "a'b\\\"c\\\\d$e`f-long-enough",
            "a\\'b\\\"c\\\\d\\$e\\`f-long-enough",
        ] {
            assert_eq!(redact(value.as_bytes(), format!("<{dressed}>").as_bytes()), format!("<{BLOT}>"), "{dressed}");
        }
        let value = "pa\"ss/w\u{f6}rd+1";
        for user in ["", "a", "ab", "abc"] {
            let header = BASE64.encode(format!("{user}:{value}!").as_bytes());
            assert!(redact(value.as_bytes(), header.as_bytes()).contains(BLOT), "{user}");
        }
    }

    #[test]
    fn a_value_that_is_spelled_out_or_wide_is_blotted_out() {
        for value in ["Kq7vTz3mXw9RbLp5NcYd2HsJ", "pa\"ss/w\u{f6}rd+1", "short1"] {
            let units = || value.encode_utf16();
            let all = |spell: &dyn Fn(u8) -> String| value.bytes().map(spell).collect::<String>();
            let unicode = units().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
            for dressed in [
                unicode.clone().into_bytes(),
                unicode.replace('\\', r"\\").into_bytes(),
                all(&|byte| format!("%{byte:02X}")).into_bytes(),
                all(&|byte| format!("\\x{byte:02x}")).into_bytes(),
                // Some characters as they are, some not.
                format!("{}\\u{:04x}{}", &value[..1], value.as_bytes()[1], &value[2..]).into_bytes(),
                BASE32_NOPAD.encode(value.as_bytes()).into_bytes(),
                units().flat_map(u16::to_le_bytes).collect(),
                units().flat_map(u16::to_be_bytes).collect(),
                format!("\x1b[1;31m{}\x1b[0m{}", &value[..2], &value[2..]).into_bytes(),
            ] {
                let shown = redact(value.as_bytes(), &[b"<", &dressed[..], b">\nend"].concat());
                let is_blotted = shown.contains(BLOT) && shown.ends_with(">\nend");
                let left: Vec<char> = shown.replace(BLOT, "").chars().filter(|it| it.is_alphanumeric()).collect();
                // What colours is left before it, and the first zero of UTF-16.
                assert!(is_blotted && left.len() <= "end".len() + r"u{1b}1;31m".len(), "{value}: {shown}");
            }
        }
    }

    #[test]
    fn a_value_between_separators_is_blotted_out() {
        let value = b"Kq7vTz3mXw9RbLp5NcYd2HsJ";
        let pieces = |by: &str, text: &[u8]| {
            text.chunks(2).map(|it| std::str::from_utf8(it).unwrap()).collect::<Vec<_>>().join(by)
        };
        for by in [":", "-", ", ", "\", \"", " | "] {
            for text in [&value[..], HEXLOWER.encode(value).as_bytes(), HEXUPPER.encode(value).as_bytes()] {
                assert_eq!(redact(value, format!("<{}>", pieces(by, text)).as_bytes()), "<[redacted]>", "{by}");
            }
        }
        // Words that are like it in nothing but a few letters.
        let said = "relation \"app-users\" does not exist: 2026-11-22 22:00:00 +00:00, code 42P01";
        assert_eq!(redact(value, said.as_bytes()), said);
    }

    #[test]
    fn each_line_of_a_key_is_blotted_out() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\nAwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
        let shown = redact(key.as_bytes(), b"line 2 is MIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n");
        assert_eq!(shown, "line 2 is [redacted]\n");
    }

    #[test]
    fn a_value_that_the_end_cuts_off_is_not_shown_in_part() {
        let patterns = Patterns::of(&[&Secret::copy_of(b"hunter2hunter2")]);
        assert_eq!(patterns.redact(b"so it is hunter", true), "so it is ");
        assert_eq!(patterns.redact(b"so it is hunter", false), "so it is hunter");
        assert_eq!(patterns.redact(b"so it is hunter2hun", true), "so it is [redacted]");
        assert_eq!(patterns.redact(b"so it is hun\n\nter", true), "so it is ");
    }

    #[test]
    fn a_value_that_is_wrapped_is_blotted_out_with_what_wraps_it() {
        let value = b"Kq7vTz3mXw9RbLp5NcYd2HsJ";
        for wrapped in ["Kq7vTz3mXw9R\nbLp5NcYd2HsJ", "Kq7v Tz3m Xw9R bLp5 NcYd 2HsJ", "Kq7vTz3mXw9RbLp5NcYd2Hs\r\n\tJ"]
        {
            let shown = redact(value, format!("<{wrapped}>\n").as_bytes());
            let lines = vec![BLOT; wrapped.lines().count()];
            assert_eq!(shown, format!("<{}>\n", lines.join("\n")), "{wrapped}");
        }
        let long = [&value[..]; 8].concat();
        let lines: Vec<String> =
            BASE64.encode(&long).as_bytes().chunks(76).map(|it| String::from_utf8(it.to_vec()).unwrap()).collect();
        assert_eq!(redact(&long, lines.join("\n").as_bytes()), vec![BLOT; lines.len()].join("\n"));
        assert_eq!(
            redact(b"correct horse battery staple", b"it is correct  horse\nbattery staple."),
            "it is [redacted]\n[redacted]."
        );
        // What is short is no value in several words.
        assert_eq!(redact(b"a12345", b"a 1 2 3 4 5 and a12345"), "a 1 2 3 4 5 and [redacted]");
    }

    #[test]
    fn a_long_beginning_or_end_of_a_value_is_blotted_out_too() {
        let value = b"Kq7vTz3mXw9RbLp5NcYd2HsJ4Gf8";
        for (said, shown) in [
            ("refused: Kq7vTz3mXw9R...", "refused: [redacted]..."),
            ("refused: Kq7vTz3mXw9...", "refused: Kq7vTz3mXw9..."),
            ("...NcYd2HsJ4Gf8 is wrong", "...[redacted] is wrong"),
            ("...cYd2HsJ4Gf8 is wrong", "...cYd2HsJ4Gf8 is wrong"),
            ("Kq7vTz3mXw9R[...]NcYd2HsJ4Gf8", "[redacted][...][redacted]"),
        ] {
            assert_eq!(redact(value, said.as_bytes()), shown);
        }
        assert_eq!(redact(b"sk-0123456789", b"sk-0123 sk-01"), "[redacted] sk-01");
        assert_eq!(redact(b"two of the same", b"two of the sametwo of the same"), "[redacted]");
        // One begins within the other.
        let patterns = Patterns::of(&[&Secret::copy_of(b"0123456789abcdef"), &Secret::copy_of(b"abcdefghijklmnop")]);
        assert_eq!(patterns.redact(b"<0123456789abcdefghijklmnop>", false), "<[redacted]>");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(redact(b"x", b"a\x1b[2Jb\rc\r\n\td\xff"), r"a\u{1b}[2Jb\rc".to_owned() + "\n\td\u{fffd}");
        assert_eq!(redact(b"x", "a\u{202e}b\u{9b}c".as_bytes()), r"a\u{202e}b\u{9b}c");
        assert_eq!(redact(b"", b"as it is"), "as it is");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_value_survives(value in "[a-zA-Z0-9!-/]{8,40}", before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let shown = redact(value.as_bytes(), format!("{before}{value}{after}").as_bytes());
            prop_assert!(!shown.contains(&value));
        }

        #[test]
        fn no_long_part_of_a_wrapped_value_survives(
            value in "[a-zA-Z0-9]{24,60}",
            width in 8_usize..30,
            cut in 12_usize..24,
        ) {
            let wrapped: Vec<&str> = value.as_bytes().chunks(width).map(|it| std::str::from_utf8(it).unwrap()).collect();
            let lines = vec![BLOT; wrapped.len()].join("\n");
            prop_assert_eq!(redact(value.as_bytes(), wrapped.join("\n  ").as_bytes()), lines);
            prop_assert_eq!(redact(value.as_bytes(), &value.as_bytes()[..cut]), BLOT);
            prop_assert_eq!(redact(value.as_bytes(), &value.as_bytes()[value.len() - cut..]), BLOT);
        }
    }
}
