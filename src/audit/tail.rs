//! The end of the record, read backwards: as far as what the store knows of, which is hardly ever more than some lines.

use std::fs::File;
use std::os::unix::fs::FileExt;

use memchr::memrchr;

use super::line::{Line, Proven};
use super::lines::LONGEST;
use crate::error::{Error, Result};
use crate::private_file::Root;
use crate::secret::digest::MacKey;
use crate::store::Store;
use crate::store::change::{Change, Link, chain_key};

/// How much is read at once, in bytes.
const CHUNK: usize = 16 * 1024;

/// What the end of the record says of a store.
pub(super) struct Tail {
    /// The changes that the store carries and the record lacks, oldest first.
    pub(super) missing: Vec<Change>,
    /// The end of the chain, once they are appended.
    pub(super) end: Link,
}

impl Tail {
    pub(super) fn read(project: &Root, place: &str, store: &Store) -> Result<Self> {
        let known = store.changes.last().and_then(Change::link).unwrap_or(Link::START);
        let mut missing =
            store.changes.iter().map(|change| Ok((change.line()?, change))).collect::<Result<Vec<_>>>()?;
        let key = chain_key(&store.fingerprint_key);
        // Newest first.
        let mut behind = Vec::new();
        if let Some((file, _)) = project.open_file(place)? {
            let failed = |error| Error::io(format!("read `{place}`"), error);
            let mut lines = Backwards::new(file).map_err(failed)?;
            // Without a chain it may stand anywhere.
            let is_chained = known != Link::START;
            let first = store.changes.first();
            while !(missing.is_empty() && is_chained) {
                let Some(raw) = lines.next().map_err(failed)? else { break };
                if let Some(at) = missing.iter().position(|(line, _)| line.strip_suffix(b"\n") == Some(raw)) {
                    missing.remove(at);
                    continue;
                }
                let Some(proven) = prove(raw, &key, store) else { continue };
                if first.is_some_and(|first| is_before(proven, first)) {
                    break;
                }
                behind.push(proven);
            }
        }
        let follow = |end: Link, next: &Proven| if next.follows(end) { next.link } else { end };
        let end = behind.iter().rev().fold(known, follow);
        Ok(Self { missing: missing.into_iter().map(|(_, change)| change.clone()).collect(), end })
    }
}

fn prove(raw: &[u8], key: &MacKey, store: &Store) -> Option<Proven> {
    let line = Line::parse(raw).filter(|line| line.environment == store.environment.as_str())?;
    line.prove(raw, key)
}

/// Whether a change was announced by this line: its own is behind it, or nowhere.
fn is_before(proven: Proven, change: &Change) -> bool {
    change.prev == Some(proven.link.mac) && change.seq == Some(proven.link.seq + 1)
}

/// The lines of a file, last first.
struct Backwards {
    file: File,
    /// How much of the file stands before `bytes`.
    before: u64,
    /// Up to the end of the line that is next.
    bytes: Vec<u8>,
    /// Where the line begins that was told last.
    told: usize,
}

impl Backwards {
    fn new(file: File) -> std::io::Result<Self> {
        let before = file.metadata()?.len();
        Ok(Self { file, before, bytes: Vec::new(), told: 0 })
    }

    /// The next line without its end. Of one that is too long to be ours, only a part.
    fn next(&mut self) -> std::io::Result<Option<&[u8]>> {
        self.bytes.truncate(self.told);
        if self.bytes.is_empty() && self.before == 0 {
            return Ok(None);
        }
        loop {
            let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
            match memrchr(b'\n', line) {
                Some(end) => {
                    self.told = end + 1;
                    break;
                }
                None if self.before == 0 => {
                    self.told = 0;
                    break;
                }
                None => self.read()?,
            }
        }
        let line = &self.bytes[self.told..];
        Ok(Some(line.strip_suffix(b"\n").unwrap_or(line)))
    }

    fn read(&mut self) -> std::io::Result<()> {
        let length = self.before.min(CHUNK as u64);
        self.before -= length;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(CHUNK)];
        self.file.read_exact_at(&mut bytes, self.before)?;
        if self.bytes.len() < LONGEST {
            bytes.extend_from_slice(&self.bytes);
        }
        self.bytes = bytes;
        Ok(())
    }
}
