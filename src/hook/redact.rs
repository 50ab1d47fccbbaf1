//! What a program wrote, without the values that it was given, in whatever common dress they come.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::secret::dress::{LOWER, UNRESERVED, UPPER, json, percent};

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

/// Byte strings that must not be shown, longest first.
pub(super) struct Patterns(Vec<Zeroizing<Vec<u8>>>);

impl Patterns {
    /// Each value as it is, as JSON, percent-encoded, in base64 and in hex; and each line of a value of several.
    pub(super) fn of(values: &[&Secret]) -> Self {
        let mut patterns = Vec::new();
        for value in values.iter().map(|value| value.expose()) {
            add(&mut patterns, value);
            let lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
            lines
                .filter(|line| line.len() >= LINE && line.len() < value.len())
                .for_each(|line| add(&mut patterns, line));
        }
        patterns.retain(|pattern| !pattern.is_empty());
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
        patterns.dedup();
        Self(patterns)
    }

    /// The text with every pattern blotted out, and the beginning of one at its end where the text was cut off.
    pub(super) fn redact(&self, bytes: &[u8], is_cut: bool) -> String {
        let end = bytes.len() - if is_cut { self.begun(bytes) } else { 0 };
        let mut text = Zeroizing::new(Vec::with_capacity(end));
        let mut at = 0;
        while at < end {
            let found = self.0.iter().find(|pattern| bytes[at..end].starts_with(pattern));
            let (shown, read) = found.map_or((&bytes[at..=at], 1), |pattern| (BLOT.as_bytes(), pattern.len()));
            text.extend_from_slice(shown);
            at += read;
        }
        String::from_utf8_lossy(&text).chars().map(|it| if is_harmless(it) { it } else { '\u{fffd}' }).collect()
    }

    /// How many bytes at the end may be the beginning of a pattern.
    fn begun(&self, bytes: &[u8]) -> usize {
        let begun = |pattern: &[u8]| {
            let longest = (pattern.len() - 1).min(bytes.len());
            (1..=longest).rev().find(|&length| bytes.ends_with(&pattern[..length])).unwrap_or(0)
        };
        self.0.iter().map(|pattern| begun(pattern)).max().unwrap_or(0)
    }
}

/// Whether a terminal only shows it.
fn is_harmless(character: char) -> bool {
    matches!(character, '\n' | '\t') || !character.is_control()
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
    fn each_line_of_a_key_is_blotted_out() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\nAwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
        let shown = redact(key.as_bytes(), b"line 2 is MIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n");
        assert_eq!(shown, "line 2 is [redacted]\n");
    }

    #[test]
    fn a_value_that_the_end_cuts_off_is_not_shown_in_part() {
        let patterns = Patterns::of(&[&Secret::copy_of(b"hunter2hunter2")]);
        assert_eq!(patterns.redact(b"so it is hunter2hun", true), "so it is ");
        assert_eq!(patterns.redact(b"so it is hunter2hun", false), "so it is hunter2hun");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(redact(b"x", b"a\x1b[2Jb\rc\n\td\xff"), "a\u{fffd}[2Jb\u{fffd}c\n\td\u{fffd}");
        assert_eq!(redact(b"", b"as it is"), "as it is");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_value_survives(value in "[a-zA-Z0-9!-/]{8,40}", before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let shown = redact(value.as_bytes(), format!("{before}{value}{after}").as_bytes());
            prop_assert!(!shown.contains(&value));
        }
    }
}
