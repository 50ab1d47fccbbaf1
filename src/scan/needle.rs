//! The values that are looked for, whose they are, and the texts by which each is recognised.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

use super::grams::Collected;
use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::Secret;
use crate::secret::dress::{LOWER, UNRESERVED, json, json_besides, percent};

/// Shorter values are not looked for: they stand everywhere.
pub const SHORTEST: usize = 8;

/// Of a longer value this much is looked for.
const LONGEST: usize = 8 * 1024;

/// Texts of this length and more have windows of eight bytes, shorter ones of four.
pub(super) const LONG: usize = 16;
/// Every how many bytes a window is looked up.
pub(super) const STEP: usize = LONG - 8 + 1;
/// The same for short texts.
pub(super) const SHORT_STEP: usize = SHORTEST - 4 + 1;

/// Of texts with escapes up to this length every window is known.
const MOST_RUGGED: usize = 256;

/// Where in its life a version is, as a finding tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It serves.
    Current,
    /// It is to serve.
    Next,
    /// It served.
    Past,
    /// It leaked before and must not serve.
    Banned,
}

impl State {
    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Past => "past",
            Self::Banned => "banned",
        }
    }
}

/// Whose value it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// In which environment.
    pub environment: EnvName,
    /// The secret.
    pub secret: SecretName,
    /// The version.
    pub version: VersionId,
    /// Where in its life it is.
    pub state: State,
}

/// What is looked for of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The text itself, its escapes, base64 and hex.
    Text,
    /// The bytes within a PEM text: their base64 is its body.
    Der,
    /// A PEM text as the content of something: base64 and hex.
    Pem,
    /// UTF-16 of what is not ASCII.
    Wide,
}

/// A value that is looked for.
pub(super) struct Needle {
    pub(super) value: Secret,
    pub(super) shape: Shape,
    pub(super) owners: Vec<Owner>,
}

/// In which alphabet a window was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Base64,
    Hex,
}

impl Family {
    const ALL: [Self; 3] = [Self::Text, Self::Base64, Self::Hex];

    /// Needle and family in one number.
    pub(super) fn with(self, needle: usize) -> u32 {
        u32::try_from(needle << 2).unwrap_or(u32::MAX) | self as u32
    }

    /// The number taken apart.
    pub(super) fn of(number: u32) -> (usize, Self) {
        (number as usize >> 2, Self::ALL[(number as usize & 3).min(2)])
    }
}

/// The needles of a value: one, or those of a PEM text.
pub(super) fn needles(value: &Secret, owners: Vec<Owner>) -> Vec<Needle> {
    let needle = |value: &[u8], shape, owners| Needle {
        value: Secret::copy_of(&value[..value.len().min(LONGEST)]),
        shape,
        owners,
    };
    let bytes = value.expose().trim_ascii();
    if let Some(der) = pem_body(bytes) {
        return vec![needle(&der, Shape::Der, owners.clone()), needle(bytes, Shape::Pem, owners)];
    }
    let mut needles = Vec::new();
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| !text.is_ascii()) {
        for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let wide: Zeroizing<Vec<u8>> = Zeroizing::new(text.encode_utf16().flat_map(to_bytes).collect());
            needles.push(needle(&wide, Shape::Wide, owners.clone()));
        }
    }
    needles.push(needle(bytes, Shape::Text, owners));
    needles
}

/// What the one block of a PEM text holds.
fn pem_body(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(text).ok()?.strip_prefix("-----BEGIN ")?;
    let (body, _) = text.split_once("-----\n")?.1.split_once("-----END ")?;
    let mut packed = Zeroizing::new(Vec::with_capacity(body.len()));
    packed.extend(body.bytes().filter(|it| !it.is_ascii_whitespace()));
    let der = Zeroizing::new(BASE64.decode(&packed).ok()?);
    (der.len() >= LONG).then_some(der)
}

impl Needle {
    /// The families that it is looked for in.
    pub(super) fn families(&self) -> &'static [Family] {
        match self.shape {
            Shape::Text | Shape::Der => &Family::ALL,
            Shape::Pem => &[Family::Base64, Family::Hex],
            Shape::Wide => &[Family::Text],
        }
    }

    /// Its text in base64 for each of the places in a group of three that it may begin at: what the bytes before and
    /// behind it do not touch.
    pub(super) fn base64(&self) -> [Zeroizing<Vec<u8>>; 3] {
        self.aligned(&BASE64_NOPAD)
    }

    fn aligned(&self, encoding: &data_encoding::Encoding) -> [Zeroizing<Vec<u8>>; 3] {
        let value = self.value.expose();
        [0, 1, 2].map(|before| {
            let mut longer = Zeroizing::new(Vec::with_capacity(before + value.len()));
            longer.resize(before, 0);
            longer.extend_from_slice(value);
            let (first, last) = ((before * 8).div_ceil(6), longer.len() * 8 / 6);
            let text = Zeroizing::new(encoding.encode(&longer).into_bytes());
            Zeroizing::new(text[first..last].to_vec())
        })
    }

    /// Its text in lower-case hex.
    pub(super) fn hex(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(HEXLOWER.encode(self.value.expose()).into_bytes())
    }

    /// Collects the windows by which it is recognised: `long` ones, and `short` ones of texts that have no long one.
    /// `rare` tells at which byte of a text the windows begin that few others have.
    pub(super) fn collect(
        &self,
        index: usize,
        rare: &dyn Fn(&[u8]) -> usize,
        long: &mut Collected,
        short: &mut Collected,
    ) {
        let value = self.value.expose();
        let start = rare(line_of(value)) + line_at(value);
        let is_rugged = self.shape == Shape::Text && !escapes(value).is_empty();
        let mut add = |family: Family, text: &[u8], start: usize| {
            let what = family.with(index);
            if text.len() < LONG {
                short.add::<4>(text, SHORT_STEP, what);
                return;
            }
            if text.len() < 2 * LONG || is_rugged && text.len() < MOST_RUGGED {
                // Whichever side of a broken line, or of an escape, has enough of it.
                long.add::<8>(text, text.len(), what);
                return;
            }
            // Of two windows beside each other one is whole wherever a line is broken once.
            let first = start.min(text.len() - 2 * LONG);
            long.add::<8>(&text[first..], STEP, what);
            long.add::<8>(&text[first + LONG..], STEP, what);
        };
        for family in self.families() {
            match family {
                Family::Text => {
                    add(Family::Text, line_of(value), start - line_at(value));
                    for escape in escapes(value) {
                        let text = escape(value);
                        if text != value {
                            add(Family::Text, &text, escape(&value[..start]).len());
                        }
                    }
                }
                Family::Base64 => {
                    for texts in [self.aligned(&BASE64_NOPAD), self.aligned(&BASE64URL_NOPAD)] {
                        for text in texts {
                            add(Family::Base64, &text, start * 4 / 3 + 1);
                        }
                    }
                }
                Family::Hex => add(Family::Hex, &self.hex(), 2 * start),
            }
        }
    }
}

type Escape = fn(&[u8]) -> Vec<u8>;

/// The ways in which a text with anything but letters and digits is written into other texts.
fn escapes(value: &[u8]) -> &'static [Escape] {
    const ESCAPES: [Escape; 9] = [
        |value| json(value, false),
        |value| json(value, true),
        // Go's encoder, and who puts JSON into HTML; PHP's; that of .NET.
        |value| json_besides(value, false, b"&<>", |it| format!("\\u{it:04x}")),
        |value| json_besides(value, true, b"/", |_| "\\/".to_owned()),
        |value| json_besides(value, true, b"\"&'+<>`", |it| format!("\\u{it:04X}")),
        |value| percent(value, UNRESERVED, LOWER),
        // Python's `quote`, JavaScript's `encodeURIComponent`, and HTML forms.
        |value| percent(value, b"-._~/", LOWER),
        |value| percent(value, b"-._~!*'()", LOWER),
        |value| percent(value, b"-._*", LOWER),
    ];
    if value.iter().all(|it| it.is_ascii_alphanumeric() || b"-._".contains(it)) { &[] } else { &ESCAPES }
}

/// The longest line.
fn line_of(value: &[u8]) -> &[u8] {
    let lines = value.split(|it| matches!(it, b'\n' | b'\r'));
    lines.max_by_key(|line| line.len()).filter(|line| line.len() >= SHORTEST).unwrap_or(value)
}

/// Where the longest line begins.
fn line_at(value: &[u8]) -> usize {
    line_of(value).as_ptr() as usize - value.as_ptr() as usize
}
