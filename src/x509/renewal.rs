//! When a certificate should be renewed: pure date arithmetic.

use chrono::{DateTime, TimeDelta, Utc};

use crate::manifest::period::Period;

/// The point of a certificate's life at which it is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After this part of its life, as numerator and denominator.
    Part(i32, i32),
    /// This long before its end.
    BeforeEnd(Period),
}

/// Two thirds of the life, which leaves time to mend a renewal that fails.
impl Default for At {
    fn default() -> Self {
        Self::Part(2, 3)
    }
}

impl At {
    /// Parses `66%` (1 to 99) or a length of time before the end such as `30d`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => {
                let digits = !percent.is_empty() && percent.bytes().all(|it| it.is_ascii_digit());
                percent
                    .parse()
                    .ok()
                    .filter(|it| digits && (1..100).contains(it))
                    .map(|percent| Self::Part(percent, 100))
            }
            None => Period::parse(text).map(Self::BeforeEnd),
        }
    }

    /// The first second at which a certificate with this life needs renewal.
    pub fn of(self, not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Part(part, whole) => {
                let life = (not_after - not_before + TimeDelta::seconds(1)).max(TimeDelta::zero());
                not_before + life / whole * part
            }
            // A length that reaches beyond what a date can be means: always.
            Self::BeforeEnd(period) => not_after.checked_sub_signed(period.delta()).unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

/// Whole days from `now` to `then`, negative once it is past.
pub fn days_left(now: DateTime<Utc>, then: DateTime<Utc>) -> i64 {
    (then - now).num_seconds().div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(days * 86_400, 0).unwrap()
    }

    #[test]
    fn two_thirds_of_ninety_days_are_sixty() {
        let end = day(90) - TimeDelta::seconds(1);
        assert_eq!(At::default().of(day(0), end), day(60));
        assert_eq!(At::parse("50%").unwrap().of(day(0), end), day(45));
        assert_eq!(At::parse("30d").unwrap().of(day(0), end), end - TimeDelta::days(30));
    }

    #[test]
    fn a_life_that_ends_before_it_begins_is_over_at_once() {
        assert!(At::default().of(day(10), day(0)) <= day(10));
        let long = At::BeforeEnd(Period::days(100_000_000));
        assert!(long.of(day(0), day(1)) < day(0));
    }

    #[test]
    fn only_a_percentage_or_a_length_of_time_is_a_point() {
        for text in ["", "%", "0%", "100%", "+5%", "6.6%", "30", "d", "-3d", "66 %"] {
            assert_eq!(At::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn days_are_counted_whole_and_go_below_zero() {
        assert_eq!(days_left(day(0), day(2) - TimeDelta::seconds(1)), 1);
        assert_eq!(days_left(day(1), day(1) - TimeDelta::seconds(1)), -1);
    }
}
