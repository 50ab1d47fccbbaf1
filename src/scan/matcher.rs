//! Finds known values in bytes: the filter of `grams` says where to look, and what is there is compared whole.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use memchr::memmem;
use serde::Serialize;

use super::grams::{Collected, Grams};
use super::needle::{Family, Needle, Owner, SHORT_STEP, STEP, Shape, needles};
use super::popularity::Popularity;
use super::spelled::Spelled;
use super::view::{Joining, Narrow, View};
use crate::secret::Secret;
use crate::secret::digest::sha256_hex;

/// In which form a value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As it is, lines joined.
    Raw,
    /// Base64, RFC 4648 §4.
    Base64,
    /// Base64 for URLs, RFC 4648 §5.
    Base64Url,
    /// Hex digits of either case.
    Hex,
    /// With the escapes of a JSON text.
    Json,
    /// The body of a PEM text.
    Pem,
    /// Percent-encoded.
    Url,
}

impl Encoding {
    /// The word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
            Self::Json => "json",
            Self::Pem => "pem",
            Self::Url => "url",
        }
    }
}

/// A known value in some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    needle: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) encoding: Encoding,
    /// Whether it is UTF-16.
    pub(super) wide: bool,
}

impl Hit {
    /// Of a value that is no needle.
    pub(super) fn by_fingerprint(place: Range<usize>, encoding: Encoding) -> Self {
        Self { needle: usize::MAX, start: place.start, end: place.end, encoding, wide: false }
    }
}

/// The known values, ready to be looked for.
pub struct Matcher {
    needles: Vec<Needle>,
    long: Grams<8>,
    short: Grams<4>,
    reach: usize,
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matcher({} values)", self.needles.len())
    }
}

/// What one thread works with, so that nothing is allocated for each file.
#[derive(Default)]
pub(super) struct Scratch {
    narrow: Narrow,
    spelled: Spelled,
    candidates: Vec<(usize, u32)>,
    views: [View; 3],
}

impl Matcher {
    /// Of values with their owners; equal values are one.
    pub fn new(values: Vec<(&Secret, Owner)>) -> Self {
        let mut distinct: HashMap<String, (&Secret, Vec<Owner>)> = HashMap::with_capacity(values.len());
        for (value, owner) in values {
            let entry = distinct.entry(sha256_hex(value.expose())).or_insert_with(|| (value, Vec::with_capacity(1)));
            entry.1.push(owner);
        }
        let needles: Vec<Needle> = distinct.into_values().flat_map(|(value, owners)| needles(value, owners)).collect();
        let popularity = Popularity::of(&needles);
        let (mut long, mut short) = (Collected::new(needles.len() * 120), Collected::new(64));
        for (index, needle) in needles.iter().enumerate() {
            needle.collect(index, &|text| popularity.rarest(text), &mut long, &mut short);
        }
        let reach = needles.iter().map(|needle| reach(needle, Family::Text)).max().unwrap_or(0);
        Self { needles, long: Grams::new(STEP, long), short: Grams::new(SHORT_STEP, short), reach }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// How many bytes a value and what it is wrapped in may take, at most.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// Whose value a hit is.
    pub(super) fn owners(&self, hit: &Hit) -> &[Owner] {
        &self.needles[hit.needle].owners
    }

    /// Every known value that begins within `zone`, in order.
    pub(super) fn find(&self, bytes: &[u8], zone: Range<usize>, scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        let mut found = Vec::new();
        let Scratch { narrow, spelled, candidates, views } = scratch;
        self.find_in(bytes, zone.start, candidates, views, &mut found);
        self.find_spelled(bytes, spelled, candidates, views, &mut found);
        if narrow.read(bytes) {
            let wide = found.len();
            self.find_in(&narrow.bytes, 0, candidates, views, &mut found);
            self.find_spelled(&narrow.bytes, spelled, candidates, views, &mut found);
            for hit in &mut found[wide..] {
                hit.wide = true;
                (hit.start, hit.end) = (narrow.place(hit.start), narrow.place(hit.end.saturating_sub(1)) + 2);
            }
        }
        found.retain(|hit| zone.contains(&hit.start));
        found.sort_by_key(|hit| (hit.start, hit.needle));
        found.dedup_by(|a, b| a.needle == b.needle && a.start < b.end);
        hits.append(&mut found);
    }

    /// What is written in escapes alone.
    fn find_spelled(
        &self,
        bytes: &[u8],
        spelled: &mut Spelled,
        candidates: &mut Vec<(usize, u32)>,
        views: &mut [View; 3],
        found: &mut Vec<Hit>,
    ) {
        if !spelled.read(bytes) {
            return;
        }
        let first = found.len();
        self.find_in(&spelled.bytes, 0, candidates, views, found);
        for hit in &mut found[first..] {
            (hit.start, hit.end) = (spelled.start(hit.start), spelled.end(hit.end.saturating_sub(1)));
            let is_url = bytes.get(hit.start) == Some(&b'%');
            hit.encoding = if is_url { Encoding::Url } else { Encoding::Json };
        }
    }

    fn find_in(
        &self,
        bytes: &[u8],
        from: usize,
        candidates: &mut Vec<(usize, u32)>,
        views: &mut [View; 3],
        found: &mut Vec<Hit>,
    ) {
        candidates.clear();
        if !self.long.is_empty() {
            self.long.find(bytes, from, |at, what| candidates.push((at, what)));
        }
        if !self.short.is_empty() {
            self.short.find(bytes, from, |at, what| candidates.push((at, what)));
        }
        let first = found.len();
        for &(at, what) in &*candidates {
            let (needle, family) = Family::of(what);
            let is_known = |hit: &Hit| hit.needle == needle && (hit.start..hit.end).contains(&at);
            if !found[first..].iter().rev().take(64).any(is_known) {
                found.extend(self.confirm(bytes, at, needle, family, views));
            }
        }
    }

    /// Compares a whole value with what stands around a place, through one wrapping after the other.
    fn confirm(&self, bytes: &[u8], at: usize, index: usize, family: Family, views: &mut [View; 3]) -> Option<Hit> {
        let needle = &self.needles[index];
        let reach = reach(needle, family);
        let start = at.saturating_sub(reach);
        let around = &bytes[start..(at + reach).min(bytes.len())];
        let at = at - start;
        let hit = |place: Range<usize>, encoding| {
            let wide = needle.shape == Shape::Wide;
            Hit { needle: index, start: start + place.start, end: start + place.end, encoding, wide }
        };
        if family == Family::Text {
            let value = needle.value.expose();
            let from = (at + 1).saturating_sub(value.len());
            let near = &around[from..(at + value.len()).min(around.len())];
            if let Some(found) = memmem::find(near, value).map(|found| from + found) {
                return Some(hit(found..found + value.len(), Encoding::Raw));
            }
        }
        if needle.shape == Shape::Wide {
            return None;
        }
        let [from, to, joined] = views;
        WRAPPINGS.iter().find_map(|wrapping| {
            from.plain(around);
            for change in wrapping.changes {
                change(to, from);
                std::mem::swap(from, to);
            }
            joined.joined(from, wrapping.joining);
            let place = place(needle, family, joined, wrapping.joining, at)?;
            let encoding = encoding(needle, family, &around[place.clone()]).unwrap_or(wrapping.encoding);
            Some(hit(place, encoding))
        })
    }
}

/// What a value may be wrapped in.
struct Wrapping {
    changes: &'static [fn(&mut View, &View)],
    joining: Joining,
    encoding: Encoding,
}

const WRAPPINGS: [Wrapping; 6] = [
    Wrapping { changes: &[], joining: Joining::Lines, encoding: Encoding::Raw },
    Wrapping { changes: &[], joining: Joining::Pieces, encoding: Encoding::Raw },
    Wrapping { changes: &[View::unpercented], joining: Joining::Lines, encoding: Encoding::Url },
    Wrapping { changes: &[View::unescaped], joining: Joining::Lines, encoding: Encoding::Json },
    // A program in a JSON text, such as a notebook.
    Wrapping { changes: &[View::unescaped], joining: Joining::Pieces, encoding: Encoding::Json },
    // A JSON text in a JSON text.
    Wrapping { changes: &[View::unescaped, View::unescaped], joining: Joining::Lines, encoding: Encoding::Json },
];

/// How far a value may stretch to either side of a byte of it, with its wrapping.
fn reach(needle: &Needle, family: Family) -> usize {
    // `\u00e4` is the longest that becomes of a byte; a line of 64 characters may be indented by as much.
    let times = if family == Family::Text { 7 } else { 4 };
    256 + times * needle.value.len()
}

/// Where the value stands that covers `at`, if the view has it.
fn place(needle: &Needle, family: Family, view: &mut View, joining: Joining, at: usize) -> Option<Range<usize>> {
    let find = |view: &View, text: &[u8]| {
        let finder = memmem::Finder::new(text);
        let mut places = finder.find_iter(&view.bytes).map(|found| view.place(found, found + text.len()));
        places.find(|place| place.contains(&at))
    };
    match family {
        Family::Text => {
            let (mut plain, mut value) = (View::default(), View::default());
            plain.plain(needle.value.expose());
            value.joined(&plain, joining);
            find(view, &value.bytes)
        }
        Family::Base64 => {
            for byte in &mut view.bytes {
                match byte {
                    b'-' => *byte = b'+',
                    b'_' => *byte = b'/',
                    _ => {}
                }
            }
            needle.base64().iter().find_map(|text| find(view, text))
        }
        Family::Hex => {
            view.bytes.make_ascii_lowercase();
            find(view, &needle.hex())
        }
    }
}

/// The encoding that the family tells; `None` = the wrapping does.
fn encoding(needle: &Needle, family: Family, text: &[u8]) -> Option<Encoding> {
    match family {
        Family::Text => None,
        Family::Hex => Some(Encoding::Hex),
        Family::Base64 if needle.shape == Shape::Der => Some(Encoding::Pem),
        Family::Base64 if text.iter().any(|it| b"-_".contains(it)) => Some(Encoding::Base64Url),
        Family::Base64 => Some(Encoding::Base64),
    }
}
