//! The alphabets of values.

use serde::{Deserialize, Serialize};

/// The characters of a value, by which it is told from what stands around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// Hex digits, and the `-` of a UUID.
    Hex,
    /// Letters, digits, `-` and `_`.
    Base64Url,
    /// Letters, digits, `+` and `/`, with `=` at the end.
    Base64,
    /// Letters, digits, `-`, `_` and `.`: a signed token.
    Token,
    /// All of ASCII that is shown, but blanks, quotes and backslashes.
    Printable,
}

impl Alphabet {
    /// All, the narrower ones first.
    pub const ALL: [Self; 5] = [Self::Hex, Self::Base64Url, Self::Base64, Self::Token, Self::Printable];

    /// Whether a character belongs to it.
    pub fn has(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_hexdigit() || byte == b'-',
            Self::Base64Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            Self::Token => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Self::Printable => byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\'),
        }
    }

    /// The narrowest one that a value consists of.
    pub fn of(value: &[u8]) -> Option<Self> {
        let padding = value.iter().rev().take_while(|&&it| it == b'=').count();
        Self::ALL.into_iter().find(|alphabet| {
            let end = if *alphabet == Self::Base64 { value.len() - padding.min(2) } else { value.len() };
            value[..end].iter().all(|&byte| alphabet.has(byte))
        })
    }
}
