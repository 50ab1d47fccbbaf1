//! The little YAML 1.2 that objects of Kubernetes need: block mappings whose texts stand in double quotes, so that no text is
//! taken for a number, a truth value or a reference.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Two blanks a level.
const INDENT: &str = "  ";

/// Begins a mapping.
pub(super) fn open(text: &mut String, depth: usize, key: &str) {
    indent(text, depth);
    text.push_str(key);
    text.push_str(":\n");
}

/// A key of the schema and a text.
pub(super) fn line(text: &mut String, depth: usize, key: &str, value: &str) {
    indent(text, depth);
    text.push_str(key);
    text.push_str(": ");
    quote(text, value);
    text.push('\n');
}

/// A key of the user's and what stands behind it, already quoted or empty.
pub(super) fn quoted_key(text: &mut String, depth: usize, key: &str) {
    indent(text, depth);
    quote(text, key);
    text.push_str(": ");
}

/// A mapping of texts; nothing when it is empty.
pub(super) fn map(text: &mut String, depth: usize, key: &str, entries: &BTreeMap<String, String>) {
    if entries.is_empty() {
        return;
    }
    open(text, depth, key);
    for (key, value) in entries {
        quoted_key(text, depth + 1, key);
        quote(text, value);
        text.push('\n');
    }
}

fn indent(text: &mut String, depth: usize) {
    for _ in 0..depth {
        text.push_str(INDENT);
    }
}

/// A double-quoted scalar (YAML 1.2.2 §7.3.1); all that is not printable ASCII is escaped.
pub(super) fn quote(text: &mut String, value: &str) {
    text.push('"');
    for sign in value.chars() {
        match sign {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            ' '..='~' => text.push(sign),
            // Writing to a string cannot fail.
            _ if u32::from(sign) > 0xffff => drop(write!(text, "\\U{:08x}", u32::from(sign))),
            _ => drop(write!(text, "\\u{:04x}", u32::from(sign))),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_so_that_it_stays_one() {
        let quoted = |value: &str| {
            let mut text = String::new();
            quote(&mut text, value);
            text
        };
        assert_eq!(quoted("yes"), "\"yes\"");
        assert_eq!(quoted("a\"b\\c\nd\te"), "\"a\\\"b\\\\c\\nd\\u0009e\"");
        assert_eq!(quoted("é\u{85}\u{2028}😀"), "\"\\u00e9\\u0085\\u2028\\U0001f600\"");
    }
}
