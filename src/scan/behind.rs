//! What is packed and stands behind other bytes, where it is seen and not looked into: a script that unpacks itself, a package of
//! archives, a program with files in it.

use std::io::Read as _;
use std::ops::Range;

use flate2::bufread::GzDecoder;

use super::zip;

/// Why an archive behind other bytes is not looked into.
pub(super) const ARCHIVE: &str =
    "an archive stands behind other bytes in it, and was not looked into; take it apart first";

/// Why what is packed with gzip behind other bytes is not.
const GZIP: &str =
    "something packed with gzip stands behind other bytes in it, and was not looked into; unpack it first";

/// Why something in a piece of a file is not looked into, if there is something: of ZIP the last one, which the file ends with.
pub(super) fn packed(bytes: &[u8], zone: &Range<usize>, is_end: bool) -> Option<&'static str> {
    if is_end && zip::is_at_end(bytes) {
        return Some(ARCHIVE);
    }
    let mut starts = memchr::memmem::find_iter(&bytes[zone.start..], b"\x1f\x8b\x08");
    starts.any(|at| is_gzip(&bytes[zone.start + at..])).then_some(GZIP)
}

/// Whether something that begins like it is packed with gzip: a program that reads such files has their mark in it too.
fn is_gzip(bytes: &[u8]) -> bool {
    /// What no chance unpacks to.
    const ENOUGH: u64 = 512;
    let [_, _, _, flags, _, _, _, _, level, system, ..] = bytes else { return false };
    let is_header = *flags < 0x20 && [0, 2, 4].contains(level) && (*system <= 13 || *system == 255);
    is_header && std::io::copy(&mut GzDecoder::new(bytes).take(ENOUGH), &mut std::io::sink()).is_ok_and(|it| it > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn gzip_is_seen_behind_other_bytes_and_its_mark_alone_is_none() {
        let all = |bytes: &[u8]| packed(bytes, &(0..bytes.len()), true);
        for text in [&b"KEY=value"[..], &b"x".repeat(100_000)] {
            assert_eq!(all(&[b"#!/bin/sh\nexit\n", &gzip(text)[..]].concat()), Some(GZIP));
        }
        let mark = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
        for rest in [&b""[..], b" not a gzip file", &[0; 600], &[b'x'; 600], &gzip(b"text")[2..]] {
            assert_eq!(all(&[b"text ", &mark[..], rest].concat()), None, "{rest:?}");
        }
        // What begins before the zone was seen with the piece before.
        let bytes = [b"#!", &gzip(b"text")[..]].concat();
        assert_eq!(packed(&bytes, &(3..bytes.len()), true), None);
    }
}
