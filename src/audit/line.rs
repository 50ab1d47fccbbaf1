//! What a line of the record says of itself, and whether it is true.

use std::borrow::Cow;

use serde::Deserialize;

use super::lines::LONGEST;
use crate::secret::digest::{Mac, MacKey};
use crate::store::change::{Before, Link};

/// What stands behind everything that the code is over, around the code.
const BEFORE_CODE: &[u8] = b",\"mac\":\"";
const BEHIND_CODE: &[u8] = b"\"}";

/// How long that is with the code.
const CODE: usize = BEFORE_CODE.len() + 64 + BEHIND_CODE.len();

/// The part of a line that its place in the record depends on. Fields of a later version are no hindrance.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    pub(super) seq: Option<u64>,
    #[serde(default)]
    pub(super) intent: bool,
    #[serde(borrow)]
    pub(super) at: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) environment: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) action: Cow<'a, str>,
    pub(super) generation: u64,
    pub(super) before: Option<Before>,
    pub(super) prev: Option<Mac>,
    pub(super) mac: Option<Mac>,
}

/// A line that whoever has the key wrote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proven {
    /// Its own place.
    pub(super) link: Link,
    /// The code of the line before it.
    pub(super) prev: Mac,
}

impl Proven {
    pub(super) fn follows(self, last: Link) -> bool {
        self.link.seq == last.seq + 1 && self.prev == last.mac
    }
}

impl<'a> Line<'a> {
    /// Reads a line without its end; `None` when it is no record.
    pub(super) fn parse(raw: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(raw).ok().filter(|_| raw.len() < LONGEST)?;
        serde_json::from_str(text).ok()
    }

    /// Whether it claims a place in a chain.
    pub(super) fn is_chained(&self) -> bool {
        self.seq.is_some() || self.prev.is_some() || self.mac.is_some()
    }

    /// Its place in the chain, if the key says that it was written as it stands in `raw`.
    pub(super) fn prove(&self, raw: &[u8], key: &MacKey) -> Option<Proven> {
        let (body, code) = raw.split_at_checked(raw.len().checked_sub(CODE)?)?;
        let code = code.strip_prefix(BEFORE_CODE)?.strip_suffix(BEHIND_CODE)?;
        let mac = Mac::parse(std::str::from_utf8(code).ok()?)?;
        let proven = Proven { link: Link { seq: self.seq?, mac }, prev: self.prev? };
        key.is_code_of(mac, body).then_some(proven)
    }
}

/// Whether a crash can have left this of a line: its beginning, or that and the zeros of a disk that was told its length
/// alone.
pub(super) fn is_torn(raw: &[u8]) -> bool {
    let zeros = raw.iter().rev().take_while(|&&byte| byte == 0).count();
    let begun = &raw[..raw.len() - zeros];
    let is_whole = zeros == 0 && begun.ends_with(b"}");
    let begins = |start: &[u8]| begun.starts_with(start) || start.starts_with(begun);
    !raw.is_empty() && raw.len() < LONGEST && !is_whole && (begins(b"{\"seq\":") || begins(b"{\"at\":"))
}
