//! A file of lines, read from its beginning in bounded memory.

use std::io::{BufRead, BufReader, ErrorKind, Read};

use memchr::memchr;

use crate::error::{Error, Result};
use crate::secret::digest::Sha256;
use crate::store::change::Before;

/// More than any line of ours takes, in bytes: of a longer one only the beginning is kept.
pub(super) const LONGEST: usize = 256 * 1024;

/// The lines of a file.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    /// Of everything that was read, and of everything before the line that was read last; unless nobody asks any more.
    digests: Option<(Sha256, Sha256)>,
    /// How many were read.
    pub(super) count: u64,
    /// Whether the last one has an end.
    pub(super) is_ended: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        let digests = Some((Sha256::new(), Sha256::new()));
        let reader = BufReader::with_capacity(64 * 1024, reader);
        Self { reader, line: Vec::with_capacity(1024), digests, count: 0, is_ended: true }
    }

    /// Reads the next line; `false` at the end. `place` is named in errors.
    pub(super) fn read(&mut self, place: &str) -> Result<bool> {
        self.line.clear();
        if let Some((all, before)) = &mut self.digests {
            before.clone_from(all);
        }
        let mut is_begun = false;
        loop {
            let bytes = match self.reader.fill_buf() {
                Ok([]) => break,
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io(format!("read `{place}`"), error)),
            };
            is_begun = true;
            let end = memchr(b'\n', bytes);
            let used = end.map_or(bytes.len(), |end| end + 1);
            let piece = &bytes[..end.unwrap_or(used)];
            let room = LONGEST - self.line.len();
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if let Some((all, _)) = &mut self.digests {
                all.update(&bytes[..used]);
            }
            self.reader.consume(used);
            self.is_ended = end.is_some();
            if self.is_ended {
                break;
            }
        }
        self.count += u64::from(is_begun);
        Ok(is_begun)
    }

    /// The line that was read last, without its end.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// What stands before the line that was read last; `None` when it is the first, or nobody asks any more.
    pub(super) fn before(&self) -> Option<Before> {
        let (_, before) = self.digests.as_ref().filter(|_| self.count > 1)?;
        Some(Before { lines: self.count - 1, sha256: before.clone().hex() })
    }

    /// What was read, as it stands before a line that is appended; `None` when it is nothing.
    pub(super) fn all(self) -> Option<Before> {
        let (mut all, _) = self.digests.filter(|_| self.count > 0)?;
        if !self.is_ended {
            all.update(b"\n");
        }
        Some(Before { lines: self.count, sha256: all.hex() })
    }

    /// Says that nobody will ask what stands before a line any more.
    pub(super) fn forget(&mut self) {
        self.digests = None;
    }
}
