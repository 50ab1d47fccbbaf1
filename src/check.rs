//! Judging: facts in, findings out. Looks at no disk, no clock and no random source; [`crate::observe`] brings the facts.

mod allow;
pub mod delivered;
pub mod deployed;
mod drawn;
pub mod environment;
pub mod explain;
pub mod facts;
pub mod finding;
pub mod form;
mod handwritten;
pub mod judge;
pub mod origins;
pub mod placeholder;
#[cfg(test)]
pub(crate) mod sample;
pub mod select;
pub mod strength;

pub use deployed::Deployed;
pub use facts::{ExpectedFile, Facts, Place};
pub use finding::{Allowed, Code, Finding, NotChecked, Report, Severity};
pub use judge::judge;
pub use select::{Changed, Selection};

use crate::manifest::{Declaration, Kind, Manifest};
use crate::secret::digest::sha256_hex;
use crate::store::ledger::{Entry, Ledger};

/// What a value is worth, told when it is sealed or seen, so that nobody needs the value later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it stands for a value that somebody still has to supply.
    pub placeholder: bool,
    /// Whether it differs from the declared pattern.
    pub mismatch: bool,
    /// Whether it lets in every origin, under a name that says whom it lets in.
    pub wildcard: bool,
    /// A lower estimate of its strength in bits; `None` for kinds whose text says nothing about it.
    pub bits: Option<u32>,
}

/// Judges a value against its declaration. Only a value that a person supplied has its strength estimated from the text.
pub fn assess(declaration: &Declaration, value: &[u8]) -> Verdict {
    let supplied = matches!(declaration.kind, Kind::External);
    Verdict {
        placeholder: declaration.is_stored() && placeholder::is_placeholder(value),
        mismatch: mismatches(declaration, value),
        wildcard: origins::is_wildcard(declaration, value),
        bits: supplied.then(|| strength::bits(value)),
    }
}

/// Whether a value does not match the declared pattern.
pub fn mismatches(declaration: &Declaration, value: &[u8]) -> bool {
    let text = std::str::from_utf8(value).ok();
    declaration.pattern.as_ref().is_some_and(|pattern| !text.is_some_and(|text| pattern.0.is_match(text)))
}

/// Digest of the pattern that a declaration has now; `None` when it has none.
pub fn pattern_digest(declaration: &Declaration) -> Option<String> {
    let mut digest = sha256_hex(declaration.pattern.as_ref()?.0.as_str().as_bytes());
    digest.truncate(32);
    Some(digest)
}

/// Whether every value of a ledger was judged by the pattern that its declaration has now.
pub fn is_judged_by(ledger: &Ledger, manifest: &Manifest) -> bool {
    let is_judged = |entry: &Entry| {
        let declaration = manifest.secrets.get(&entry.name).filter(|it| it.kind.accepts(&entry.kind));
        declaration.is_none_or(|declaration| entry.pattern == pattern_digest(declaration))
    };
    // Most secrets have no pattern, neither then nor now.
    let then = ledger.secrets.values().filter(|entry| entry.pattern.is_some());
    let now = manifest.secrets.values().filter(|declaration| declaration.pattern.is_some());
    then.chain(now.filter_map(|declaration| ledger.secrets.get(&declaration.name))).all(is_judged)
}

/// Judges a value that nobody saw being made: its strength is estimated for every kind that is drawn at random. One that its
/// recipe may have drawn is worth what the recipe says.
pub fn assess_by_text(declaration: &Declaration, value: &[u8]) -> Verdict {
    if let Some(bits) = drawn::bits(&declaration.kind, value) {
        let mismatch = mismatches(declaration, value);
        return Verdict { placeholder: false, mismatch, wildcard: false, bits: Some(bits) };
    }
    let is_drawn =
        !matches!(declaration.kind, Kind::Keypair { .. } | Kind::Setting { .. } | Kind::Template(_) | Kind::Token(_));
    Verdict { bits: is_drawn.then(|| strength::bits(value)), ..assess(declaration, value) }
}

/// The password of a URL such as `postgres://user:password@host/db`: the part of it that is secret.
fn password_of_url(value: &[u8]) -> Option<&[u8]> {
    if !value.contains(&b'@') {
        return None;
    }
    let (scheme, authority) = authority_of_url(value)?;
    let user_info = &authority[..authority.iter().rposition(|&byte| byte == b'@')?];
    let colon = user_info.iter().position(|&byte| byte == b':')?;
    (!scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphanumeric)).then_some(&user_info[colon + 1..])
}

/// What stands before the `://` of a URL, and what stands between that and the path.
fn authority_of_url(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(value, b"://")?;
    let rest = &value[at + 3..];
    Some((&value[..at], &rest[..memchr::memchr(b'/', rest).unwrap_or(rest.len())]))
}
