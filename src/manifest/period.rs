//! Lengths of time as a manifest writes them: a number and a unit.

use std::fmt;

use chrono::TimeDelta;

/// A positive length of time, such as `90d` or `12h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// Whole seconds, more than zero.
    seconds: i64,
}

/// Each unit with its length in seconds, longest first. A year is 365 days: RFC 5280 counts seconds, not calendars.
const UNITS: [(char, i64); 6] =
    [('y', 365 * 86_400), ('w', 7 * 86_400), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The longest period: a hundred years keeps every date far inside what X.509 and chrono can say.
const LONGEST: i64 = 100 * 365 * 86_400;

impl Period {
    /// Parses `90d`, `12h`, `15m`, `30s`, `2w` or `1y`; `None` for anything else, zero, or more than 100 years.
    pub fn parse(text: &str) -> Option<Self> {
        let unit = text.chars().next_back()?;
        let (_, length) = UNITS.into_iter().find(|&(name, _)| name == unit)?;
        let number = &text[..text.len() - 1];
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let seconds = number.parse::<i64>().ok()?.checked_mul(length)?;
        (1..=LONGEST).contains(&seconds).then_some(Self { seconds })
    }

    /// Whole days.
    pub const fn days(days: i64) -> Self {
        Self { seconds: days * 86_400 }
    }

    /// Whole minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self { seconds: minutes * 60 }
    }

    /// Whole hours.
    pub const fn hours(hours: i64) -> Self {
        Self { seconds: hours * 3_600 }
    }

    /// The longest that lies within a length and reads well: in the largest unit of which there are two or more.
    /// `None` for less than a minute.
    pub fn within(length: TimeDelta) -> Option<Self> {
        let left = length.num_seconds().min(LONGEST);
        let units = UNITS.into_iter().filter(|&(unit, _)| matches!(unit, 'd' | 'h' | 'm'));
        let (_, unit) = units.into_iter().find(|&(unit, length)| left >= 2 * length || unit == 'm')?;
        (left >= unit).then_some(Self { seconds: left / unit * unit })
    }

    /// The length in seconds.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// The length as chrono has it.
    pub fn delta(self) -> TimeDelta {
        TimeDelta::seconds(self.seconds)
    }
}

/// The largest unit that divides it, except years: `365d` reads back as it was written.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, length) = UNITS
            .into_iter()
            .filter(|&(unit, _)| !matches!(unit, 'y' | 'w'))
            .find(|&(_, length)| self.seconds % length == 0)
            .unwrap_or(('s', 1));
        write!(f, "{}{unit}", self.seconds / length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_and_a_unit() {
        assert_eq!(Period::parse("90d"), Some(Period::days(90)));
        assert_eq!(Period::parse("1y"), Some(Period::days(365)));
        assert_eq!(Period::parse("24h"), Some(Period::days(1)));
        for text in ["", "d", "90", "90 d", "-1d", "0d", "1.5h", "101y", "99999999999999999999d", "9é"] {
            assert_eq!(Period::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_lies_within_a_length_is_told_in_the_largest_unit_that_loses_little() {
        let within = |seconds| Period::within(TimeDelta::seconds(seconds)).map(|period| period.to_string());
        for (seconds, told) in [
            (89 * 86_400 - 1, "88d"),
            (2 * 86_400, "2d"),
            (2 * 86_400 - 1, "47h"),
            (7_200, "2h"),
            (7_199, "119m"),
            (60, "1m"),
        ] {
            assert_eq!(within(seconds).as_deref(), Some(told));
        }
        assert_eq!((within(59), within(0), within(-90_000)), (None, None, None));
        assert_eq!(within(i64::MAX / 1000).as_deref(), Some("36500d"));
    }

    #[test]
    fn a_period_reads_back() {
        for text in ["365d", "12h", "15m", "90s", "90d"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
    }
}
