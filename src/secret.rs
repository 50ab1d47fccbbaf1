//! The one type that holds a value: wiped on drop, redacted in `Debug`, compared in fixed time.
//!
//! There is no `Clone`, no `Display`, no `Serialize`: a value leaves only through [`Secret::expose`],
//! so that `grep expose` lists every place that can leak.

pub mod alphabet;
pub mod digest;
pub mod dress;
pub mod parts;
pub mod random;

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// Bytes that must not be seen, in one buffer of exact capacity.
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// Takes over a buffer. Spare capacity is wiped before the buffer is shrunk into an exact one.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        if bytes.capacity() == bytes.len() {
            return Self(Zeroizing::new(bytes.into_boxed_slice()));
        }
        let exact = bytes.as_slice().into();
        bytes.zeroize();
        Self(Zeroizing::new(exact))
    }

    /// Copies a slice.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Takes over a text.
    pub fn from_text(text: String) -> Self {
        Self::new(text.into_bytes())
    }

    /// Another buffer with the same bytes; named, since a copy of a secret should be rare and seen.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::copy_of(self.expose())
    }

    /// The bytes. Every call is a door.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, if they are UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether these are the bytes; takes the same time for every content of the same length.
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.len() == bytes.len() && self.0.iter().zip(bytes).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// Takes the same time for every content of the same length.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.expose())
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_value() {
        assert_eq!(format!("{:?}", Secret::copy_of(b"hunter2")), "[REDACTED]");
    }

    #[test]
    fn a_buffer_with_spare_capacity_is_taken_whole() {
        let mut bytes = Vec::with_capacity(100);
        bytes.extend_from_slice(b"value");
        assert_eq!(Secret::new(bytes), Secret::copy_of(b"value"));
    }

    #[test]
    fn secrets_are_equal_when_their_bytes_are() {
        assert_eq!(Secret::copy_of(b"a"), Secret::copy_of(b"a").duplicate());
        assert_ne!(Secret::copy_of(b"a"), Secret::copy_of(b"b"));
        assert_ne!(Secret::copy_of(b"a"), Secret::copy_of(b"ab"));
    }
}
