//! Time zones: what a clock on the wall shows at an instant, and which instants are meant by what it shows.
//!
//! Pure: the rules come as the bytes of a `TZif` file (RFC 9636), which [`crate::clock`] reads.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use tz::TimeZone;
use tz::datetime::FoundDateTimeKind;

/// Where the rules of zones come from.
pub trait Zones {
    /// The zone of that name, such as `Europe/Berlin`.
    fn find(&self, name: &str) -> Result<Zone, NoZone>;

    /// The names of all zones, for suggestions; empty when nobody knows them.
    fn names(&self) -> Vec<String>;
}

/// Why there is no zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoZone {
    /// There are zones, and none of that name.
    Unknown,
    /// There are no zones at all on this system.
    NoData,
    /// There is one, and it cannot be read.
    Unreadable,
}

/// No zones at all: for text whose windows are none of the reader's business, and for tests.
#[derive(Clone, Copy, Debug)]
pub struct NoZones;

impl Zones for NoZones {
    fn find(&self, _: &str) -> Result<Zone, NoZone> {
        Err(NoZone::NoData)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A time zone and its rules.
#[derive(Clone)]
pub struct Zone {
    name: String,
    rules: Arc<TimeZone>,
}

/// The instants at which the clocks of a zone show something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instants {
    /// They show it; `first` is not `last` where the clocks went back over it.
    Shown {
        /// When they show it for the first time.
        first: DateTime<Utc>,
        /// When they show it for the last time.
        last: DateTime<Utc>,
    },
    /// They never do: this is when they went forward over it.
    Skipped(DateTime<Utc>),
}

impl Zone {
    /// A zone by the bytes of its `TZif` file; `None` when they are none.
    pub fn from_tzif(name: &str, bytes: &[u8]) -> Option<Self> {
        let rules = TimeZone::from_tz_data(bytes).ok()?;
        Some(Self { name: name.to_owned(), rules: Arc::new(rules) })
    }

    /// `UTC`, or a fixed offset of at most 14 hours such as `+02:00`; `None` for any other text.
    pub fn fixed(text: &str) -> Option<Self> {
        let seconds = if text == "UTC" { 0 } else { offset(text)? };
        let rules = TimeZone::fixed(seconds).ok()?;
        Some(Self { name: text.to_owned(), rules: Arc::new(rules) })
    }

    /// Whether a text can be the name of a zone's file: it leads out of no directory.
    pub fn is_name(text: &str) -> bool {
        let is_plain = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-'))
        };
        text.len() <= 64 && text.split('/').all(is_plain)
    }

    /// What its clocks show at an instant.
    pub fn shown_at(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.naive_utc() + TimeDelta::seconds(self.offset_at(instant.timestamp()))
    }

    /// When its clocks show that, to the second.
    pub fn instants(&self, shown: NaiveDateTime) -> Instants {
        let found = self.find(shown);
        let mut normal = found.iter().filter_map(|it| match it {
            FoundDateTimeKind::Normal(time) => instant(time.unix_time()),
            FoundDateTimeKind::Skipped { .. } => None,
        });
        if let Some(first) = normal.next() {
            return Instants::Shown { first, last: normal.next_back().unwrap_or(first) };
        }
        let skipped = found.iter().find_map(|it| match it {
            FoundDateTimeKind::Skipped { after_transition, .. } => instant(after_transition.unix_time()),
            FoundDateTimeKind::Normal(_) => None,
        });
        skipped.map_or_else(|| self.after_the_last_rule(shown), Instants::Skipped)
    }

    fn find(&self, shown: NaiveDateTime) -> Vec<FoundDateTimeKind> {
        // chrono's fields are far inside what a byte holds.
        let byte = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let found = tz::DateTime::find(
            shown.year(),
            byte(shown.month()),
            byte(shown.day()),
            byte(shown.hour()),
            byte(shown.minute()),
            byte(shown.second()),
            0,
            self.rules.as_ref().as_ref(),
        );
        found.map(tz::datetime::FoundDateTimeList::into_inner).unwrap_or_default()
    }

    /// Seconds east of Greenwich. A file without rules for the time after its last change goes on as it ended.
    fn offset_at(&self, timestamp: i64) -> i64 {
        let found = self.rules.find_local_time_type(timestamp).map(tz::LocalTimeType::ut_offset);
        found.map_or_else(|_| self.last_offset(), i64::from)
    }

    fn last_offset(&self) -> i64 {
        let rules = self.rules.as_ref().as_ref();
        let last = rules.transitions().last().map_or(0, tz::timezone::Transition::local_time_type_index);
        rules.local_time_types().get(last).map_or(0, |it| i64::from(it.ut_offset()))
    }

    fn after_the_last_rule(&self, shown: NaiveDateTime) -> Instants {
        let at = shown.and_utc() - TimeDelta::seconds(self.last_offset());
        Instants::Shown { first: at, last: at }
    }
}

/// The name alone: the rules would fill pages.
impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name).finish()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.rules == other.rules
    }
}

fn instant(timestamp: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(timestamp, 0)
}

/// `+HH:MM` or `-HH:MM` in seconds east of Greenwich.
fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two = |part: &str| (part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit())).then(|| part.parse().ok());
    let (hours, minutes): (i32, i32) = (two(hours)??, two(minutes)??);
    let seconds = hours * 3600 + minutes * 60;
    (minutes < 60 && seconds <= 14 * 3600).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_has_a_sign_and_four_digits() {
        let seconds = |text| Zone::fixed(text).map(|zone| zone.last_offset());
        for (text, east) in [("UTC", 0), ("+00:00", 0), ("+05:45", 20_700), ("-03:30", -12_600), ("+14:00", 50_400)] {
            assert_eq!(seconds(text), Some(east), "{text}");
        }
        for text in ["", "+", "02:00", "+2:00", "+0200", "+02:60", "+14:01", "+0a:00", "utc", "Z", "UTC+2", "é02:00"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for text in ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "America/Port-au-Prince", "UTC"] {
            assert!(Zone::is_name(text), "{text}");
        }
        for text in ["", "/etc/passwd", "../../etc/passwd", "Europe/../x", "Europe//Berlin", "Europe/", ".x", "a\0"] {
            assert!(!Zone::is_name(text), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_rules_are_refused() {
        assert_eq!(Zone::from_tzif("X", b"root:x:0:0:"), None);
        assert_eq!(Zone::from_tzif("X", b""), None);
    }
}
