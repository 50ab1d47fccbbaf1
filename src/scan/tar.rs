//! The members of a tar archive (POSIX.1-2017 `pax`, and GNU's long names), read from its beginning to its end.

use std::io::{self, Read};

/// Size of a header, and what every member is padded to.
const BLOCK: usize = 512;

/// The longest name or record that is read.
const LONGEST_NAME: u64 = 64 * 1024;

/// Whether bytes begin like an archive.
pub(super) fn is_tar(start: &[u8]) -> bool {
    start.len() >= BLOCK && &start[257..262] == b"ustar"
}

/// What is done with a member: its name, its content.
type Visit<'v> = dyn FnMut(&[u8], &mut dyn Read) -> io::Result<()> + 'v;

/// Calls `visit` with the name and content of each regular file.
///
/// An archive that breaks off ends with an error, after what was there.
pub(super) fn visit(reader: &mut dyn Read, visit: &mut Visit<'_>) -> io::Result<()> {
    let mut name: Option<Vec<u8>> = None;
    loop {
        let mut header = [0; BLOCK];
        let (read, _) = super::stream::fill(reader, &mut header)?;
        if read == 0 || header.iter().all(|&it| it == 0) {
            return Ok(());
        }
        if read < BLOCK || &header[257..262] != b"ustar" {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let size = number(&header[124..136]).ok_or(io::ErrorKind::InvalidData)?;
        let mut member = Read::take(&mut *reader, size);
        match header[156] {
            b'L' => name = Some(text(&mut member)?),
            b'x' => name = path_of(&text(&mut member)?).or(name),
            b'0' | 0 | b'7' => visit(&name.take().unwrap_or_else(|| short_name(&header)), &mut member)?,
            _ => {
                name = None;
            }
        }
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        let rest = member.limit() + padding;
        if io::copy(&mut Read::take(&mut *reader, rest), &mut io::sink())? < rest {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
    }
}

/// A field of octal digits, or GNU's binary one for large numbers.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        let is_small = high.iter().enumerate().all(|(at, &it)| it == if at == 0 { 0x80 } else { 0 });
        return is_small
            .then(|| low.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
            .filter(|it| *it < 1 << 62);
    }
    let digits = field.iter().filter(|it| !matches!(it, b' ' | 0));
    digits
        .copied()
        .try_fold(0u64, |number, digit| (b'0'..=b'7').contains(&digit).then(|| number << 3 | u64::from(digit - b'0')))
}

fn text(member: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    member.take(LONGEST_NAME).read_to_end(&mut text)?;
    while text.last() == Some(&0) {
        text.pop();
    }
    Ok(text)
}

/// The path in the records of a pax header: `LENGTH path=VALUE\n`.
fn path_of(records: &[u8]) -> Option<Vec<u8>> {
    let mut rest = records;
    while let Some(space) = memchr::memchr(b' ', rest) {
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(path.strip_suffix(b"\n").unwrap_or(path).to_vec());
        }
        rest = &rest[length..];
    }
    None
}

fn short_name(header: &[u8; BLOCK]) -> Vec<u8> {
    let until_zero = |field: &[u8]| field.split(|&it| it == 0).next().unwrap_or_default().to_vec();
    let (prefix, name) = (until_zero(&header[345..500]), until_zero(&header[..100]));
    // GNU has times where POSIX has a prefix.
    if prefix.is_empty() || header[262] == b' ' { name } else { [prefix, name].join(&b'/') }
}
