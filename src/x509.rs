//! Certificates and keys of whatever origin, judged: read, put in order, described, verified, linted.
//!
//! Pure: no file, no clock. The time and the facts of files are given.

pub mod certificate;
pub mod chain;
mod der;
pub mod describe;
pub mod finding;
pub mod import;
pub mod issued;
mod key;
pub mod lint;
pub mod names;
mod pem;
pub mod public_key;
pub mod renewal;
#[cfg(test)]
pub(crate) mod sample;
pub mod supplied;
pub mod verify;

/// What is wrong with a text that begins a PEM block and is no PEM, or has what nobody can use, in words without the text.
pub fn damaged_pem(bytes: &[u8]) -> Option<String> {
    pem::damage(bytes).or_else(|| supplied::flaw(bytes))
}
