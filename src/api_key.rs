//! API keys that are issued to others: what is kept of them, judging one that is presented, and the document that lets a
//! service judge by itself. Pure: no disk, and now is a parameter.
//!
//! A plain SHA-256 is enough, and a slow hash would buy nothing: a key has 178 random bits, which nobody searches.

pub mod document;
pub mod register;
pub mod verify;

use crate::secret::Secret;
use crate::secret::digest::sha256_hex;

/// What a key is known by: its SHA-256 in lower-case hex.
fn hash(key: &Secret) -> String {
    sha256_hex(key.expose())
}
