//! The members of a ZIP archive (APPNOTE 6.3.10), as its central directory lists them.

use std::io::{self, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;

/// Size of the record at the end, without its comment.
const END: usize = 22;

/// Size of an entry of the central directory, without its texts.
const ENTRY: usize = 46;

/// The largest central directory that is read.
const LARGEST_DIRECTORY: usize = 64 << 20;

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

/// Calls `visit` with the name of each member, and its content or why there is none.
pub(super) fn visit(file: &mut dyn ReadSeek, visit: &mut Visit<'_>) -> io::Result<()> {
    let directory = directory(file)?;
    let mut rest = &directory[..];
    while let Some((entry, behind)) = rest.split_at_checked(ENTRY) {
        if !entry.starts_with(b"PK\x01\x02") {
            return Err(invalid());
        }
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(entry, at)));
        let texts = behind.get(..lengths.iter().sum()).ok_or_else(invalid)?;
        let name = &texts[..lengths[0]];
        rest = &behind[texts.len()..];
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
            seek_content(file, start)?;
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
fn seek_content(file: &mut dyn ReadSeek, start: u32) -> io::Result<()> {
    file.seek(SeekFrom::Start(start.into()))?;
    let mut header = [0; 30];
    file.read_exact(&mut header)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(invalid());
    }
    let texts = i64::from(u16_at(&header, 26)) + i64::from(u16_at(&header, 28));
    file.seek(SeekFrom::Current(texts)).map(drop)
}

/// The central directory, whose place the record at the end of the file names.
fn directory(file: &mut dyn ReadSeek) -> io::Result<Vec<u8>> {
    let size = file.seek(SeekFrom::End(0))?;
    let tail_size = size.min((END + usize::from(u16::MAX)) as u64);
    file.seek(SeekFrom::Start(size - tail_size))?;
    let mut tail = Vec::new();
    Read::take(&mut *file, tail_size).read_to_end(&mut tail)?;
    let end = memchr::memmem::rfind(&tail, b"PK\x05\x06").ok_or_else(invalid)?;
    let end = tail.get(end..end + END).ok_or_else(invalid)?;
    let (length, start) = (u32_at(end, 12) as usize, u32_at(end, 16));
    if length > LARGEST_DIRECTORY {
        return Err(invalid());
    }
    file.seek(SeekFrom::Start(start.into()))?;
    let mut directory = Vec::new();
    Read::take(&mut *file, length as u64).read_to_end(&mut directory)?;
    if directory.len() == length { Ok(directory) } else { Err(invalid()) }
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
