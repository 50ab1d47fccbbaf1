//! The members of a ZIP archive (APPNOTE 6.3.10), as its central directory lists them.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

/// Size of the record at the end, without its comment.
const END: usize = 22;

/// Size of an entry of the central directory, without its texts.
const ENTRY: usize = 46;

/// The largest central directory that is read.
const LARGEST_DIRECTORY: u64 = 64 << 20;

/// What an entry of the central directory begins with.
const HEADER: &[u8] = b"PK\x01\x02";

/// How much of a file's end may be the record at the end, with its comment.
const TAIL: usize = END + u16::MAX as usize;

/// A member whose content cannot be read, and why.
pub(super) type Unread = &'static str;

/// Whether bytes begin like an archive.
pub(super) fn is_zip(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06")
}

/// What can be read at a place.
pub(super) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// What is done with a member: its name, its content.
type Visit<'v> = dyn FnMut(&[u8], Result<&mut dyn Read, Unread>) -> io::Result<()> + 'v;

/// The central directory of an archive, which may stand behind other bytes: a script that starts it, another archive.
pub(super) struct Directory {
    bytes: Vec<u8>,
    /// What is added to the places that it names: they count from the file's beginning, or from the archive's.
    shift: u64,
    /// Where the first member begins.
    pub(super) begin: u64,
}

impl Directory {
    /// The directory that is listed by the record at the end of a file; `None` where there is no such record.
    pub(super) fn find(file: &mut dyn ReadSeek) -> io::Result<Option<Self>> {
        let size = file.seek(SeekFrom::End(0))?;
        let tail_size = size.min(TAIL as u64);
        file.seek(SeekFrom::Start(size - tail_size))?;
        let mut tail = Vec::new();
        Read::take(&mut *file, tail_size).read_to_end(&mut tail)?;
        for at in ends(&tail) {
            if let Some(found) = Self::before(file, size - tail_size + at as u64, &tail[at..])? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The one that ends at `end`, where its record says so.
    fn before(file: &mut dyn ReadSeek, end: u64, record: &[u8]) -> io::Result<Option<Self>> {
        let (length, start) = (u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
        if length > LARGEST_DIRECTORY {
            return Ok(None);
        }
        // Something may stand between it and its record; then nothing stands before the archive.
        let places = [end.checked_sub(length), Some(start)];
        for place in places.into_iter().flatten().filter(|place| *place >= start && place + length <= end) {
            file.seek(SeekFrom::Start(place))?;
            let mut bytes = Vec::new();
            Read::take(&mut *file, length).read_to_end(&mut bytes)?;
            if bytes.len() as u64 == length && (end == 0 || bytes.starts_with(HEADER)) {
                let shift = place - start;
                let starts = entries(&bytes).filter_map(|it| Some(u32_at(it.ok()?.0, 42)));
                // Of one that is too large to say it nothing stands before it.
                let begin = starts.min().filter(|it| *it < u32::MAX).map_or(0, |it| shift + u64::from(it));
                return Ok(Some(Self { bytes, shift, begin }));
            }
        }
        Ok(None)
    }
}

/// Whether bytes, which end where a file does, end as an archive does. Its directory need not be among them.
pub(super) fn is_at_end(tail: &[u8]) -> bool {
    let tail = &tail[tail.len().saturating_sub(TAIL)..];
    ends(tail).any(|at| at + END + usize::from(u16_at(&tail[at..], 20)) == tail.len() && u16_at(&tail[at..], 10) > 0)
}

/// Whether a file of these bytes may have a directory.
pub(super) fn has_end(file: &[u8]) -> bool {
    ends(&file[file.len().saturating_sub(TAIL)..]).next().is_some()
}

/// Where records of the end begin, the last one first.
fn ends(tail: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memmem::rfind_iter(tail, b"PK\x05\x06").filter(|at| at + END <= tail.len())
}

/// Each entry of a directory: its fields, and its texts, which begin with the name.
fn entries(directory: &[u8]) -> impl Iterator<Item = io::Result<(&[u8], &[u8])>> {
    let mut rest = directory;
    std::iter::from_fn(move || {
        let (entry, behind) = rest.split_at_checked(ENTRY)?;
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(entry, at)));
        let texts = behind.split_at_checked(lengths.iter().sum()).filter(|_| entry.starts_with(HEADER));
        rest = texts.map_or(&[], |it| it.1);
        Some(texts.map(|it| (entry, it.0)).ok_or_else(invalid))
    })
}

/// Calls `visit` with the name of each member, and its content or why there is none.
pub(super) fn visit(file: &mut dyn ReadSeek, directory: &Directory, visit: &mut Visit<'_>) -> io::Result<()> {
    for entry in entries(&directory.bytes) {
        let (entry, texts) = entry?;
        let name = &texts[..usize::from(u16_at(entry, 28))];
        if name.ends_with(b"/") {
            continue;
        }
        let (flags, method) = (u16_at(entry, 8), u16_at(entry, 10));
        let (packed, start) = (u32_at(entry, 20), u32_at(entry, 42));
        if flags & 1 != 0 {
            visit(name, Err("it is encrypted"))?;
        } else if packed == u32::MAX || start == u32::MAX {
            visit(name, Err("it is too large for a plain ZIP archive (ZIP64)"))?;
        } else {
            seek_content(file, directory.shift + u64::from(start))?;
            let mut content = Read::take(&mut *file, packed.into());
            match method {
                0 => visit(name, Ok(&mut content))?,
                8 => visit(name, Ok(&mut DeflateDecoder::new(content)))?,
                _ => visit(name, Err("it is packed in a way that is not known"))?,
            }
        }
    }
    Ok(())
}

/// Moves behind the local header that begins there.
fn seek_content(file: &mut dyn ReadSeek, start: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(start))?;
    let mut header = [0; 30];
    file.read_exact(&mut header)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(invalid());
    }
    let texts = i64::from(u16_at(&header, 26)) + i64::from(u16_at(&header, 28));
    file.seek(SeekFrom::Current(texts)).map(drop)
}

fn invalid() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
