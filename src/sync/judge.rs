//! The three-way table: one value here, at the last agreement, and there.
//!
//! Values are compared by keyed fingerprints. Pure.

use serde::Serialize;

/// A value on the remote side, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There<'a> {
    /// The version is the one of the base, so the value is too.
    Unchanged,
    /// The version is another one, and its value was not read.
    Unread,
    /// There is none.
    Absent,
    /// Its fingerprint.
    Value(&'a str),
}

/// What follows for one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// There is none on either side.
    Absent,
    /// Both sides have the same.
    Same,
    /// It changed here alone, or is only here.
    Push,
    /// It changed there alone, or is only there.
    Pull,
    /// It changed on both sides, or nobody knows which of two is older.
    Conflict,
    /// It follows other values here, and somebody changed it there.
    Behind,
    /// It was removed there, and is here as it was.
    Gone,
    /// There is another version there, not read yet; nothing changed here.
    ChangedThere,
    /// There is another version there, not read yet, and it changed here as well.
    ChangedBoth,
}

impl Verdict {
    /// Whether a person has to choose a side.
    pub fn needs_choice(self) -> bool {
        matches!(self, Self::Behind | Self::Conflict | Self::Gone)
    }
}

/// Judges one value. What `is_derived` here is never taken from there: it follows its inputs.
pub fn judge(here: Option<&str>, base: Option<&str>, there: There<'_>, is_derived: bool) -> Verdict {
    let there = match there {
        There::Unread if here.is_none() || here == base => return Verdict::ChangedThere,
        There::Unread => return Verdict::ChangedBoth,
        There::Unchanged => base,
        There::Absent => None,
        There::Value(fingerprint) => Some(fingerprint),
    };
    match (here, there) {
        (None, None) => Verdict::Absent,
        (Some(here), Some(there)) if here == there => Verdict::Same,
        (None, Some(_)) if is_derived => Verdict::Absent,
        (None, Some(_)) => Verdict::Pull,
        (Some(_), None) if base.is_none() => Verdict::Push,
        (Some(_), None) if here == base => Verdict::Gone,
        (Some(_), Some(_)) if there == base => Verdict::Push,
        (Some(_), Some(_)) if here == base && is_derived => Verdict::Behind,
        (Some(_), Some(_)) if here == base => Verdict::Pull,
        // Both changed, or they never were the same.
        (Some(_), _) => Verdict::Conflict,
    }
}

#[cfg(test)]
mod tests {
    use super::There::{Absent, Unchanged, Unread, Value};
    use super::*;

    /// Every row of the table; `a`, `b` and `c` are three values.
    #[test]
    fn every_row_of_the_table_has_its_verdict() {
        let rows = [
            (Some("a"), Some("a"), Unchanged, Verdict::Same),
            (Some("b"), Some("a"), Unchanged, Verdict::Push),
            (Some("a"), Some("a"), Value("b"), Verdict::Pull),
            (Some("b"), Some("a"), Value("b"), Verdict::Same),
            (Some("b"), Some("a"), Value("c"), Verdict::Conflict),
            (Some("b"), Some("a"), Value("a"), Verdict::Push),
            (Some("a"), None, Value("a"), Verdict::Same),
            (Some("a"), None, Value("b"), Verdict::Conflict),
            (Some("a"), None, Absent, Verdict::Push),
            (Some("a"), None, Unchanged, Verdict::Push),
            (None, None, Value("a"), Verdict::Pull),
            (None, Some("a"), Value("a"), Verdict::Pull),
            (None, Some("a"), Unchanged, Verdict::Pull),
            (None, None, Absent, Verdict::Absent),
            (None, Some("a"), Absent, Verdict::Absent),
            (Some("a"), Some("a"), Absent, Verdict::Gone),
            (Some("b"), Some("a"), Absent, Verdict::Conflict),
            (Some("a"), Some("a"), Unread, Verdict::ChangedThere),
            (None, Some("a"), Unread, Verdict::ChangedThere),
            (None, None, Unread, Verdict::ChangedThere),
            (Some("b"), Some("a"), Unread, Verdict::ChangedBoth),
            (Some("a"), None, Unread, Verdict::ChangedBoth),
        ];
        for (here, base, there, verdict) in rows {
            assert_eq!(judge(here, base, there, false), verdict, "{here:?} {base:?} {there:?}");
        }
    }

    #[test]
    fn what_is_derived_here_is_pushed_but_never_pulled() {
        let rows = [
            (Some("b"), Some("a"), Unchanged, Verdict::Push),
            (Some("a"), Some("a"), Value("b"), Verdict::Behind),
            (Some("b"), Some("a"), Value("c"), Verdict::Conflict),
            (Some("b"), Some("a"), Value("b"), Verdict::Same),
            (None, None, Value("b"), Verdict::Absent),
        ];
        for (here, base, there, verdict) in rows {
            assert_eq!(judge(here, base, there, true), verdict, "{here:?} {base:?} {there:?}");
        }
    }
}
