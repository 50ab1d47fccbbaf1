//! What a program writes, as far as it is kept.

use std::fmt;
use std::io::{ErrorKind, Read};

use zeroize::Zeroizing;

/// How much of each stream is kept, in bytes; the rest is read and dropped.
const KEPT: usize = 64 * 1024;

/// What it wrote to one stream: the beginning of it.
#[derive(Default)]
pub(super) struct Captured {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whether there was more.
    pub(super) is_cut: bool,
}

/// Reads what is there, at most so much that the program's time is still looked at, and keeps the beginning.
pub(super) fn drain(pipe: &mut Option<impl Read>, captured: &mut Captured) -> std::io::Result<()> {
    let Some(open) = pipe else { return Ok(()) };
    let mut buffer = Zeroizing::new([0; 8 * 1024]);
    for _ in 0..64 {
        match open.read(&mut *buffer) {
            Ok(0) => {
                *pipe = None;
                return Ok(());
            }
            Ok(read) => captured.keep(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Without the text, in which a value may stand.
impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Captured {
    fn keep(&mut self, bytes: &[u8]) {
        let room = KEPT - self.bytes.len();
        self.is_cut |= bytes.len() > room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}
