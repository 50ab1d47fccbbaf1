//! As much DER (X.690 §10) as private and public keys are made of, read without copies and written into wiped buffers.

use zeroize::Zeroizing;

/// INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// NULL.
pub(super) const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;

/// The values of a DER text, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next value if it has this tag; only the shortest form of a length is one.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&first, rest) = self.0.split_first()?;
        let (&length, rest) = rest.split_first()?;
        if first != tag {
            return None;
        }
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81 => (usize::from(*rest.first().filter(|it| **it >= 0x80)?), &rest[1..]),
            0x82 => {
                let (bytes, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*bytes).checked_sub(0x100)?) + 0x100, rest)
            }
            _ => return None,
        };
        if rest.len() < length {
            return None;
        }
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some(content)
    }

    /// As [`Reader::take`], for a value that may be left out.
    pub(super) fn take_if(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() == Some(&tag) { self.take(tag) } else { None }
    }

    /// The values within the next one, which has this tag.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }
}

/// The values within the one SEQUENCE that the text consists of.
pub(super) fn sequence(der: &[u8]) -> Option<Reader<'_>> {
    let mut reader = Reader::new(der);
    reader.enter(SEQUENCE).filter(|_| reader.is_empty())
}

/// One value.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // Tag and length take at most four bytes: no key is longer than 64 KiB.
    let mut der = Zeroizing::new(Vec::with_capacity(4 + length));
    der.push(tag);
    let [.., high, low] = length.to_be_bytes();
    match length {
        0..=0x7f => der.push(low),
        0x80..=0xff => der.extend_from_slice(&[0x81, low]),
        _ => der.extend_from_slice(&[0x82, high, low]),
    }
    for part in parts {
        der.extend_from_slice(part);
    }
    der
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_reads_back(content in proptest::collection::vec(any::<u8>(), 0..700)) {
            let der = value(OCTET_STRING, &[&content]);
            let mut reader = Reader::new(&der);
            prop_assert_eq!(reader.take(OCTET_STRING), Some(content.as_slice()));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, tag: u8) {
            let mut reader = Reader::new(&bytes);
            while reader.take(tag).is_some() {}
            let _ = sequence(&bytes);
        }
    }

    #[test]
    fn a_length_that_is_not_the_shortest_or_runs_over_the_end_is_refused() {
        for der in
            [&[4, 0x81, 1, 0][..], &[4, 0x82, 0, 0x80], &[4, 0x80], &[4, 2, 0], &[4], &[], &[4, 0x84, 0, 0, 0, 1, 0]]
        {
            assert_eq!(Reader::new(der).take(OCTET_STRING), None, "{der:?}");
        }
        let long = [&[4, 0x82, 0, 0x80][..], &[0; 128]].concat();
        assert_eq!(Reader::new(&long).take(OCTET_STRING), None);
        assert!(sequence(&[0x30, 0, 0]).is_none());
    }
}
