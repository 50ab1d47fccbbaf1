//! Finds values of which only fingerprints are known: a text is split into runs of the characters that values consist of,
//! and each run of a value's length is hashed. What a value is glued to, without a character between that it cannot have,
//! hides it, unless it begins or ends the run.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

use super::fingerprints::{Document, Print};
use super::matcher::Encoding;
use super::needle::Owner;
use crate::name::EnvName;
use crate::secret::alphabet::Alphabet;
use crate::secret::digest::PublicFingerprints;
use crate::store::{Store, Version};

/// By so many characters a run may be longer than a value that begins or ends it.
const MOST_GLUED: usize = 128;

/// So many bytes the end of a line takes that was encoded with a value, as by `echo VALUE | base64`, at most.
const LINE_END: usize = 2;

/// Shorter values are not looked for: none that can be drawn of 128 bits is.
const SHORTEST: usize = 16;

/// Fingerprints, ready to be looked for.
#[derive(Debug, Default)]
pub struct Tokens {
    projects: Vec<Project>,
    /// The longest value.
    longest: usize,
}

/// The fingerprints of one project.
#[derive(Debug)]
struct Project {
    hash: PublicFingerprints,
    owners: HashMap<[u8; 16], Vec<Owner>>,
    /// The lengths of the values of each alphabet.
    lengths: Vec<(Alphabet, Vec<usize>)>,
}

/// A value in some bytes, by its fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) owners: &'t [Owner],
    pub(super) place: Range<usize>,
    pub(super) encoding: Encoding,
}

impl Tokens {
    /// Adds a document's fingerprints; tells how many.
    pub fn add(&mut self, document: Document) -> usize {
        let Document { project, environment, values, .. } = document;
        self.add_prints(&project, &environment, values)
    }

    /// Adds fingerprints of a project; tells how many.
    pub(super) fn add_prints(&mut self, project: &str, environment: &EnvName, values: Vec<Print>) -> usize {
        let known = widths(&values);
        self.add_among(project, environment, values, &known)
    }

    /// The same of fingerprints that came from `known` ones, by whose alphabets and lengths those are looked for that have none.
    fn add_among(
        &mut self,
        project: &str,
        environment: &EnvName,
        values: Vec<Print>,
        known: &BTreeSet<(Alphabet, usize)>,
    ) -> usize {
        let mut owners: HashMap<[u8; 16], Vec<Owner>> = HashMap::with_capacity(values.len());
        let mut lengths: Vec<(Alphabet, Vec<usize>)> = Alphabet::ALL.iter().map(|&it| (it, Vec::new())).collect();
        let count = values.len();
        let is_all_known = values.iter().all(|it| it.length.is_some());
        // What only a fingerprint is left of was as long as others are, or as the values of a `random` by default.
        let guessed = [(Alphabet::Base64Url, 43), (Alphabet::Base64, 44), (Alphabet::Hex, 64)];
        let guessed = guessed.iter().filter(|_| !is_all_known);
        for &(alphabet, length) in known.iter().chain(guessed).filter(|(_, length)| *length >= SHORTEST) {
            lengths.iter_mut().filter(|(it, _)| *it == alphabet).for_each(|(_, lengths)| lengths.push(length));
        }
        for (_, lengths) in &mut lengths {
            lengths.sort_unstable();
            lengths.dedup();
        }
        lengths.retain(|(_, lengths)| !lengths.is_empty());
        for print in values {
            let Some(fingerprint) = print.bytes() else { continue };
            let Print { secret, version, state, .. } = print;
            let owner = Owner { environment: environment.clone(), secret, version, state };
            owners.entry(fingerprint).or_default().push(owner);
        }
        self.longest = self.longest.max(lengths.iter().filter_map(|it| it.1.last()).copied().max().unwrap_or(0));
        if count > 0 {
            self.projects.push(Project { hash: PublicFingerprints::of(project), owners, lengths });
        }
        count
    }

    /// Adds what a store has no value of any more: what leaked, and what was purged. Tells how many.
    pub fn add_gone(&mut self, store: &Store) -> usize {
        let is_purged = |version: &Version| version.public.is_some();
        if store.banned.is_empty() && !store.secrets.values().flatten().any(is_purged) {
            return 0;
        }
        let is_gone = |it: &Print| it.length.is_none() || store.version(&it.secret, it.version).is_some_and(is_purged);
        let all = Document::of(store).values;
        let known = widths(&all);
        let gone = all.into_iter().filter(is_gone).collect();
        self.add_among(&store.project, &store.environment, gone, &known)
    }

    /// How many bytes a value may take, at most.
    pub(super) fn reach(&self) -> usize {
        2 * self.longest + MOST_GLUED
    }

    /// Every value that begins within `zone`, in order.
    pub(super) fn find(&self, bytes: &[u8], zone: &Range<usize>) -> Vec<Token<'_>> {
        let mut found = Vec::new();
        for project in &self.projects {
            for (alphabet, lengths) in &project.lengths {
                runs(bytes, |byte| alphabet.has(byte), |run| project.raw(bytes, run, *alphabet, lengths, &mut found));
            }
            project.encoded(bytes, &mut found);
        }
        found.retain(|it| zone.contains(&it.place.start));
        found.sort_by_key(|it| (it.place.start, it.place.end));
        found.dedup_by(|a, b| a.place.start < b.place.end && a.owners == b.owners);
        found
    }
}

/// The alphabets and lengths that are known.
fn widths(prints: &[Print]) -> BTreeSet<(Alphabet, usize)> {
    prints.iter().filter_map(|it| Some((it.alphabet?, it.length?))).collect()
}

impl Project {
    fn raw<'t>(
        &'t self,
        bytes: &[u8],
        run: Range<usize>,
        alphabet: Alphabet,
        lengths: &[usize],
        found: &mut Vec<Token<'t>>,
    ) {
        let padding = bytes[run.end..].iter().take(2).take_while(|&&it| it == b'=').count();
        let padding = if alphabet == Alphabet::Base64 { padding } else { 0 };
        for &length in lengths {
            for end in run.end..=run.end + padding {
                let whole = end - run.start;
                if whole < length || whole > length + MOST_GLUED {
                    continue;
                }
                let ends = (whole > length).then_some(end - length..end);
                for place in std::iter::once(run.start..run.start + length).chain(ends) {
                    self.add(&bytes[place.clone()], place, Encoding::Raw, found);
                }
            }
        }
    }

    /// Runs that are the base64 or hex of a value.
    fn encoded<'t>(&'t self, bytes: &[u8], found: &mut Vec<Token<'t>>) {
        let is_value = |value: &[u8]| {
            self.lengths.iter().any(|(alphabet, lengths)| {
                lengths.contains(&value.len()) && value.iter().all(|&it| alphabet.has(it) || it == b'=')
            })
        };
        let longest = self.lengths.iter().flat_map(|it| &it.1).max().map_or(0, |it| it + LINE_END);
        let encodings = [
            (Alphabet::Hex, &HEXLOWER_PERMISSIVE, Encoding::Hex),
            (Alphabet::Base64, &BASE64_NOPAD, Encoding::Base64),
            (Alphabet::Base64Url, &BASE64URL_NOPAD, Encoding::Base64Url),
        ];
        for (alphabet, encoding, name) in encodings {
            let is_length = |length: usize| {
                let is_of = |value: usize| (value..=value + LINE_END).any(|it| encoding.encode_len(it) == length);
                self.lengths.iter().any(|(_, lengths)| lengths.iter().any(|&it| is_of(it)))
            };
            runs(
                bytes,
                |byte| alphabet.has(byte),
                |run| {
                    let mut judge = |text: &[u8], place: Range<usize>| {
                        let decoded = is_length(text.len()).then(|| encoding.decode(text).map(zeroize::Zeroizing::new));
                        let Some(Ok(value)) = decoded else { return };
                        let value = without_line_end(&value);
                        if is_value(value) {
                            self.add(value, place, name, found);
                        }
                    };
                    judge(&bytes[run.clone()], run.clone());
                    if name != Encoding::Hex {
                        let most = encoding.encode_len(longest);
                        unwrapped(bytes, run, |byte| alphabet.has(byte), is_length, most, judge);
                    }
                },
            );
        }
    }

    fn add<'t>(&'t self, value: &[u8], place: Range<usize>, encoding: Encoding, found: &mut Vec<Token<'t>>) {
        if let Some(owners) = self.owners.get(&self.hash.fingerprint(value)) {
            found.push(Token { owners, place, encoding });
        }
    }
}

/// Joins a line with those that follow it, as far as they are as long, and the shorter one behind them; `judge` is called with what
/// is of the length of something looked for, of which `most` is the longest.
fn unwrapped(
    bytes: &[u8],
    first: Range<usize>,
    is_part: impl Fn(u8) -> bool,
    is_length: impl Fn(usize) -> bool,
    most: usize,
    mut judge: impl FnMut(&[u8], Range<usize>),
) {
    let (width, mut total, mut at) = (first.len(), first.len(), first.end);
    while total < most {
        let rest = &bytes[at..];
        let Some(line) = rest.strip_prefix(b"\n").or_else(|| rest.strip_prefix(b"\r\n")) else { return };
        let line = &line[line.iter().take_while(|it| matches!(it, b' ' | b'\t')).count()..];
        let length = line.iter().take(width + 1).take_while(|&&it| is_part(it)).count();
        if length == 0 || length > width {
            return;
        }
        total += length;
        at = bytes.len() - line.len() + length;
        if is_length(total) {
            let mut text = zeroize::Zeroizing::new(Vec::with_capacity(total));
            text.extend(bytes[first.start..at].iter().copied().filter(|&it| is_part(it)));
            judge(&text, first.start..at);
        }
        if length < width {
            return;
        }
    }
}

/// What stands before the end of the line.
fn without_line_end(value: &[u8]) -> &[u8] {
    let line = value.strip_suffix(b"\n").unwrap_or(value);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Calls `visit` with every longest run of some characters that may be a value.
fn runs(bytes: &[u8], is_part: impl Fn(u8) -> bool, mut visit: impl FnMut(Range<usize>)) {
    let mut table = [false; 256];
    for byte in 0..=u8::MAX {
        table[usize::from(byte)] = is_part(byte);
    }
    let mut at = 0;
    while at < bytes.len() {
        // A run of SHORTEST characters has one at every multiple of SHORTEST: whatever lies between need not be read.
        let probe = at + SHORTEST - 1;
        if bytes.get(probe).is_none_or(|&it| !table[usize::from(it)]) {
            at = probe + 1;
            continue;
        }
        let start = at + bytes[at..probe].iter().rposition(|&it| !table[usize::from(it)]).map_or(0, |found| found + 1);
        let end =
            bytes[probe..].iter().position(|&it| !table[usize::from(it)]).map_or(bytes.len(), |found| probe + found);
        if end - start >= SHORTEST {
            visit(start..end);
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_wherever_they_begin() {
        for before in 0..40 {
            for length in SHORTEST..60 {
                let text = [&vec![b' '; before][..], &vec![b'a'; length], b" b c"].concat();
                let mut found = Vec::new();
                runs(&text, |it| it.is_ascii_alphabetic(), |run| found.push(run));
                assert_eq!(found, vec![before..before + length]);
            }
        }
    }
}
