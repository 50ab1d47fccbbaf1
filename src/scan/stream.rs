//! Brings bytes to the rules, piece by piece, in memory that does not grow with a file.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use super::behind;
use super::finding::{Code, Finding, LookedAt, Position, Severity, Within, unowned};
use super::ignore;
use super::matcher::{Hit, Matcher, Scratch};
use super::needle::Owner;
use super::rules::{Match, Rules};
use super::tokens::Tokens;
use super::zip;
use crate::check::NotChecked;
use crate::name::EnvName;

/// How much is read at once: what stays in a core's cache.
const PIECE: usize = 256 * 1024;

/// How many bytes before a piece a rule may look at.
const BEHIND: usize = 64;

/// How many bytes from its beginning a rule may look at.
const AHEAD: usize = 16 * 1024;

/// What is looked for.
#[derive(Debug)]
pub struct Search<'a> {
    /// The known values.
    pub matcher: &'a Matcher,
    /// The values of which only fingerprints are known.
    pub tokens: &'a Tokens,
    /// What looks like somebody's.
    pub rules: &'a Rules,
    /// The environment that a command without `-e` is about.
    pub default: &'a EnvName,
}

/// Where bytes come from.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The file as findings name it.
    pub file: &'a str,
    /// The commit that brought it.
    pub commit: Option<&'a str>,
    /// What that is.
    pub within: Within,
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Found {
    /// The findings.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub not_checked: Vec<NotChecked>,
    /// How much was.
    pub looked_at: LookedAt,
    /// What was looked at and may not be what was meant.
    pub warnings: Vec<String>,
}

impl Found {
    /// Takes over what another thread found.
    pub fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.not_checked.extend(other.not_checked);
        self.warnings.extend(other.warnings);
        self.looked_at.files += other.looked_at.files;
        self.looked_at.bytes += other.looked_at.bytes;
    }

    /// Notes what could not be looked at.
    pub fn not_checked(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_checked.push(NotChecked { what: what.into(), why: why.into() });
    }
}

/// A thread's own room.
pub struct Worker<'a> {
    search: &'a Search<'a>,
    /// How much of a piece is looked at again with the next one: what begins there may not end there.
    overlap: usize,
    buffer: Vec<u8>,
    scratch: Scratch,
    hits: Vec<Hit>,
    /// What it found.
    pub found: Found,
}

impl std::fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("found", &self.found).finish_non_exhaustive()
    }
}

/// A piece of a file: its bytes, where it begins, and the part of it in which findings may begin.
struct Piece<'p> {
    bytes: &'p [u8],
    zone: Range<usize>,
    offset: u64,
    lines: u64,
    is_binary: bool,
}

/// What is packed in what was looked through.
pub(super) struct Packed {
    /// Why it is not looked into, if there is something.
    why: Option<&'static str>,
    /// Whether it may end with the directory of a ZIP archive: of what is larger than a piece, the last one alone does not tell.
    pub(super) may_end_as_zip: bool,
}

/// Where in a piece lines were last counted: findings come in order.
struct Lines {
    at: usize,
    lines: u64,
}

impl Lines {
    /// Line and, in what is no text, offset of a byte.
    fn position(&mut self, piece: &Piece<'_>, at: usize) -> Position {
        self.lines += newlines(&piece.bytes[self.at..at]);
        self.at = at;
        (self.lines + 1, piece.is_binary.then_some(piece.offset + at as u64))
    }
}

impl<'a> Worker<'a> {
    /// Room for what a search needs.
    pub fn new(search: &'a Search<'a>) -> Self {
        let overlap = search.matcher.reach().max(search.tokens.reach()).max(AHEAD);
        let buffer = vec![0; PIECE + overlap + BEHIND];
        Self { search, overlap, buffer, scratch: Scratch::default(), hits: Vec::new(), found: Found::default() }
    }

    /// Looks through everything that a reader has; tells of what is packed in it.
    pub(super) fn stream(&mut self, reader: &mut dyn Read, place: Place<'_>) -> std::io::Result<()> {
        let packed = self.pieces(reader, place)?;
        self.tell(&packed, place);
        Ok(())
    }

    /// Tells what is packed in what was looked through, and was not looked into.
    pub(super) fn tell(&mut self, packed: &Packed, place: Place<'_>) {
        if let Some(why) = packed.why {
            self.found.not_checked(place.file, why);
        }
    }

    /// As [`Worker::stream`], of what was looked into, or told not to have been.
    pub(super) fn unpacked(&mut self, reader: &mut dyn Read, place: Place<'_>) -> std::io::Result<()> {
        self.pieces(reader, place).map(drop)
    }

    /// Looks for known values in a short text.
    pub(super) fn text(&mut self, bytes: &[u8], place: Place<'_>) {
        self.known(&Piece { bytes, zone: 0..bytes.len(), offset: 0, lines: 0, is_binary: false }, place);
    }

    /// Looks through everything that a reader has; returns what is packed in it.
    pub(super) fn pieces(&mut self, reader: &mut dyn Read, place: Place<'_>) -> std::io::Result<Packed> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.each(&mut buffer, reader, place);
        self.buffer = buffer;
        result
    }

    fn each(&mut self, buffer: &mut [u8], reader: &mut dyn Read, place: Place<'_>) -> std::io::Result<Packed> {
        let mut why = None;
        let (mut filled, mut start, mut offset, mut lines) = (0, 0, 0, 0);
        let mut is_binary = None;
        loop {
            let (read, is_end) = fill(reader, &mut buffer[filled..])?;
            self.found.looked_at.bytes += read as u64;
            filled += read;
            let is_binary = *is_binary.get_or_insert_with(|| memchr::memchr(0, &buffer[..filled.min(8192)]).is_some());
            let end = if is_end { filled } else { filled - self.overlap };
            let piece = Piece { bytes: &buffer[..filled], zone: start..end, offset, lines, is_binary };
            self.look(&piece, place);
            why = why.or_else(|| behind::packed(piece.bytes, &piece.zone, is_end));
            if is_end {
                return Ok(Packed { why, may_end_as_zip: offset > 0 || zip::has_end(piece.bytes) });
            }
            let gone = end.saturating_sub(BEHIND);
            lines += newlines(&buffer[..gone]);
            offset += gone as u64;
            buffer.copy_within(gone..filled, 0);
            (filled, start) = (filled - gone, end - gone);
        }
    }

    fn look(&mut self, piece: &Piece<'_>, place: Place<'_>) {
        let known = self.known(piece, place);
        let mut lines = Lines { at: 0, lines: piece.lines };
        for found in self.search.rules.find(piece.bytes, &piece.zone) {
            // What is known to be ours is told as ours.
            if !known.iter().any(|hit| hit.start < found.place.end && found.place.start < hit.end) {
                let position = lines.position(piece, found.place.start);
                self.found.findings.push(credential(&found, piece, position, place));
            }
        }
    }

    /// Looks for known values alone; tells where they are.
    fn known(&mut self, piece: &Piece<'_>, place: Place<'_>) -> Vec<Range<usize>> {
        let mut hits = std::mem::take(&mut self.hits);
        self.search.matcher.find(piece.bytes, piece.zone.clone(), &mut self.scratch, &mut hits);
        let mut known: Vec<(Hit, Vec<Owner>)> =
            hits.drain(..).map(|hit| (hit.clone(), self.search.matcher.owners(&hit).to_vec())).collect();
        self.hits = hits;
        for token in self.search.tokens.find(piece.bytes, &piece.zone) {
            known.push((Hit::by_fingerprint(token.place, token.encoding), token.owners.to_vec()));
        }
        known.sort_by_key(|(hit, _)| hit.start);
        let mut lines = Lines { at: 0, lines: piece.lines };
        for (hit, owners) in &known {
            let position = lines.position(piece, hit.start);
            let findings = owners.iter().map(|owner| self.leaked(owner, hit, position, place));
            self.found.findings.extend(findings.collect::<Vec<_>>());
        }
        known.into_iter().map(|(hit, _)| hit.start..hit.end).collect()
    }

    fn leaked(&self, owner: &Owner, hit: &Hit, position: Position, place: Place<'_>) -> Finding {
        let version = owner.version.to_string();
        let wide = if hit.wide { "UTF-16 " } else { "" };
        let (state, encoding) = (owner.state.text(), hit.encoding.text());
        let (secret, environment) = (&owner.secret, &owner.environment);
        let message =
            format!("has the {state} value of `{secret}` ({environment}, version {version:.8}), {wide}{encoding}");
        let fix = if environment == self.search.default {
            format!("vault-kit incident {secret}")
        } else {
            format!("vault-kit -e {environment} incident {secret}")
        };
        Finding {
            code: Code::Leaked,
            rule: "leaked",
            severity: Severity::Error,
            secret: Some(secret.clone()),
            environment: Some(environment.clone()),
            version: Some(owner.version),
            state: Some(owner.state),
            file: place.file.to_owned(),
            within: place.within,
            line: position.0,
            offset: position.1,
            commit: place.commit.map(str::to_owned),
            encoding: Some(hit.encoding),
            message,
            fix,
            // No hash of it: what a person chose could be guessed from one.
            ignore: ignore::line("leaked", &format!("{environment}/{secret}@{version:.8}"), place.file),
            ignored: None,
        }
    }
}

/// What looks like somebody's credential.
fn credential(found: &Match, piece: &Piece<'_>, position: Position, place: Place<'_>) -> Finding {
    let fingerprint = ignore::fingerprint(found.rule, &piece.bytes[found.place.clone()]);
    let ignore = ignore::line(found.rule, &fingerprint, place.file);
    let fix = format!(
        "take it out, and have it revoked where it was issued; if it may stand there: `{ignore}` in {}",
        ignore::FILE
    );
    let severity = if found.blocks { Severity::Error } else { Severity::Warning };
    let message = format!("has what looks like {}", found.rule.replace('-', " "));
    unowned((Code::Pattern, found.rule, severity), position, place, message, fix, ignore)
}

/// Reads until the buffer is full or there is no more.
pub(super) fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<(usize, bool)> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => return Ok((filled, true)),
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((filled, false))
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
