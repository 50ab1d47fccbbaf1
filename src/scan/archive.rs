//! Looks into archives: ZIP and what is built on it (jar, wheel, docx), also behind other bytes (zipapp, pex, what unpacks itself),
//! tar, gzip and both. One level deep, images two; what is packed otherwise, or deeper, is told as not looked at.
//!
//! How much may come out of one is bounded by how large it is, so that a few kilobytes cannot keep a hook busy for an hour. One of
//! which more comes out is a finding: anything may be in the rest.

use std::cell::Cell;
use std::io::{self, Cursor, Read, SeekFrom};

use flate2::read::MultiGzDecoder;

use super::finding::{Code, Severity, unowned};
use super::ignore;
use super::stream::{Place, Worker, fill};
use super::zip::{Directory, ReadSeek};
use super::{behind, tar, zip};
use crate::secret::digest::Sha256;

/// As much may come out of any archive, however small.
const FREE: u64 = 16 << 20;

/// Out of a larger one, so many times its size.
const TIMES: u64 = 100;

/// A ZIP archive within an archive is held in memory, up to this size.
const HELD: u64 = 64 << 20;

/// Why an archive within an archive is not looked into.
const NESTED: &str = "it is packed within something that is packed, and was not looked into; unpack it first";

/// Why an archive is not looked into to its end.
const BROKEN: &str = "it is damaged, or breaks off: what is behind that was not looked at";

/// The rule of [`Code::Unsearched`].
pub(super) const BOMB: &str = "archive-bomb";

/// What is looked at to tell what something is.
pub(super) const START: usize = 512;

/// Whether it begins as something that is looked into where it is no larger than is held.
pub(super) fn is_archive(start: &[u8]) -> bool {
    kind(start).is_some()
}

/// What may be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Gzip,
    Tar,
    Zip,
    /// Known by its name, and not read.
    Unread(&'static str),
}

fn kind(start: &[u8]) -> Option<Kind> {
    match start {
        [0x1f, 0x8b, 8, ..] => Some(Kind::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Kind::Unread("zstd")),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Kind::Unread("xz")),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some(Kind::Unread("7-Zip")),
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Some(Kind::Unread("RAR")),
        // Behind its level stands the mark of a block, or that of the end.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Kind::Unread("bzip2")),
        _ if zip::is_zip(start) => Some(Kind::Zip),
        _ if tar::is_tar(start) => Some(Kind::Tar),
        _ => None,
    }
}

/// What is left of the bytes that may come out.
struct Budget(Cell<u64>);

/// Ends with an error when it is used up.
struct Bounded<'b, R> {
    inner: R,
    budget: &'b Budget,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.budget.0.get().checked_sub(read as u64).ok_or(io::ErrorKind::QuotaExceeded)?;
        self.budget.0.set(left);
        Ok(read)
    }
}

impl Worker<'_> {
    /// Looks through a file, and into it if it is an archive; `depth` archives within each other.
    pub(super) fn file(&mut self, file: &mut dyn ReadSeek, size: u64, depth: u32, place: Place<'_>) -> io::Result<()> {
        self.found.looked_at.files += 1;
        self.name(place);
        let mut start = [0; START];
        let (read, _) = fill(file, &mut start)?;
        let Some(kind) = kind(&start[..read]) else {
            return self.unmarked(&start[..read], file, size, depth, place);
        };
        let directory = if kind == Kind::Zip { Directory::find(file)? } else { None };
        if directory.as_ref().is_some_and(|it| it.begin > 0) {
            self.found.not_checked(place.file, behind::ARCHIVE);
        }
        self.archive(file, size, (kind, directory), depth, place)
    }

    /// Looks through what does not begin as an archive, and into it if it ends as one: almost nothing does, so that comes second.
    fn unmarked(
        &mut self,
        start: &[u8],
        file: &mut dyn ReadSeek,
        size: u64,
        depth: u32,
        place: Place<'_>,
    ) -> io::Result<()> {
        let (findings, bytes) = (self.found.findings.len(), self.found.looked_at.bytes);
        let packed = self.pieces(&mut start.chain(&mut *file), place)?;
        let directory = if packed.may_end_as_zip { Directory::find(file)? } else { None };
        if directory.is_none() {
            self.tell(&packed, place);
            return Ok(());
        }
        // Its members are told as members, and not a second time as bytes of the file.
        self.found.findings.truncate(findings);
        self.found.looked_at.bytes = bytes;
        self.archive(file, size, (Kind::Zip, directory), depth, place)
    }

    fn archive(
        &mut self,
        file: &mut dyn ReadSeek,
        size: u64,
        (kind, directory): (Kind, Option<Directory>),
        depth: u32,
        place: Place<'_>,
    ) -> io::Result<()> {
        let begin = directory.as_ref().map_or(0, |it| it.begin);
        let found = self.found.findings.len();
        let budget = Budget(Cell::new(size.saturating_mul(TIMES).max(FREE)));
        file.seek(SeekFrom::Start(0))?;
        let unpacked = match (kind, directory) {
            (Kind::Zip, Some(directory)) => self.unpack_zip(file, &directory, depth, &budget, place),
            (Kind::Zip, None) => Err(io::ErrorKind::InvalidData.into()),
            _ => self.unpack_stream(file, kind, depth, &budget, place),
        };
        let has_leak = self.found.findings.len() > found;
        match unpacked {
            Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => self.unsearched(file, place)?,
            Err(_) => self.found.not_checked(place.file, BROKEN),
            Ok(()) => {}
        }
        // What stands before, behind and between its members; of one with a leak what is no part of it.
        let rest = if has_leak { begin } else { u64::MAX };
        file.seek(SeekFrom::Start(0))?;
        self.unpacked(&mut Read::take(file, rest), place)
    }

    fn unpack_zip(
        &mut self,
        file: &mut dyn ReadSeek,
        directory: &Directory,
        depth: u32,
        budget: &Budget,
        place: Place<'_>,
    ) -> io::Result<()> {
        zip::visit(file, directory, &mut |name, content| match content {
            Ok(content) => self.member(&mut Bounded { inner: content, budget }, depth, budget, &inner(place, name)),
            Err(why) => {
                self.found.not_checked(inner_name(place, name), why);
                Ok(())
            }
        })
    }

    fn unpack_stream(
        &mut self,
        reader: &mut dyn Read,
        kind: Kind,
        depth: u32,
        budget: &Budget,
        place: Place<'_>,
    ) -> io::Result<()> {
        match kind {
            Kind::Tar => tar::visit(reader, &mut |name, content| {
                self.member(&mut Bounded { inner: content, budget }, depth, budget, &inner(place, name))
            }),
            Kind::Gzip => {
                let mut content = Bounded { inner: MultiGzDecoder::new(reader), budget };
                let mut start = [0; START];
                let (read, _) = fill(&mut content, &mut start)?;
                let mut content = start[..read].chain(content);
                match self::kind(&start[..read]) {
                    // Behind its end may stand another one, which tar reads when told to.
                    Some(Kind::Tar) => self.unpack_stream(&mut content, Kind::Tar, depth, budget, place)?,
                    Some(_) => {
                        self.found.not_checked(place.file, NESTED);
                        return self.unpacked(&mut content, place);
                    }
                    None => {}
                }
                self.stream(&mut content, place)
            }
            Kind::Unread(how) => {
                let why = format!("it is packed with {how}, which is not read here; unpack it first");
                self.found.not_checked(place.file, why);
                Ok(())
            }
            Kind::Zip => {
                let mut held = Vec::new();
                reader.take(HELD).read_to_end(&mut held)?;
                let mut held = Cursor::new(held);
                let directory = Directory::find(&mut held)?.ok_or(io::ErrorKind::InvalidData)?;
                self.unpack_zip(&mut held, &directory, depth, budget, place)
            }
        }
    }

    /// Tells of an archive that was not looked through to its end. Who knows better says so of these very bytes.
    fn unsearched(&mut self, file: &mut dyn ReadSeek, place: Place<'_>) -> io::Result<()> {
        let mut digest = Sha256::new();
        let mut piece = vec![0; 64 * 1024];
        file.seek(SeekFrom::Start(0))?;
        loop {
            let (read, is_end) = fill(file, &mut piece)?;
            digest.update(&piece[..read]);
            if is_end {
                break;
            }
        }
        let ignore = ignore::line(BOMB, &ignore::fingerprint(BOMB, digest.hex().as_bytes()), place.file);
        let message = format!("unpacks to more than {TIMES} times its size: the rest of it was not looked at");
        let fix = format!(
            "unpack it, and `vault-kit scan` what comes out; if it may stay as it is: `{ignore}` in {}",
            ignore::FILE
        );
        let rule = (Code::Unsearched, BOMB, Severity::Error);
        self.found.findings.push(unowned(rule, (1, Some(0)), place, message, fix, ignore));
        Ok(())
    }

    fn member(&mut self, content: &mut dyn Read, depth: u32, budget: &Budget, inner: &Inner<'_>) -> io::Result<()> {
        let place = Place { file: &inner.file, ..inner.of };
        self.found.looked_at.files += 1;
        self.name(place);
        let mut start = [0; START];
        let (read, _) = fill(content, &mut start)?;
        let mut content = start[..read].chain(content);
        let kind = kind(&start[..read]);
        match kind {
            Some(_) if depth <= 1 => {
                self.found.not_checked(place.file, NESTED);
                self.unpacked(&mut content, place)
            }
            Some(kind) => match self.unpack_stream(&mut content, kind, depth - 1, budget, place) {
                Err(error) if error.kind() != io::ErrorKind::QuotaExceeded => {
                    self.found.not_checked(place.file, BROKEN);
                    Ok(())
                }
                done => done,
            },
            None => self.stream(&mut content, place),
        }
    }
}

/// The place of a member.
struct Inner<'p> {
    file: String,
    of: Place<'p>,
}

fn inner<'p>(place: Place<'p>, name: &[u8]) -> Inner<'p> {
    Inner { file: inner_name(place, name), of: place }
}

fn inner_name(place: Place<'_>, name: &[u8]) -> String {
    format!("{}!{}", place.file, super::files::shown(name))
}
