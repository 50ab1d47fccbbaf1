//! When a certificate should be renewed: pure date arithmetic.
//!
//! Whoever judges or renews a certificate asks here, so that a check never tells of what a renewal would leave alone.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::manifest::period::Period;

/// The longest jitter, in thousandths of a certificate's life.
const JITTER: i64 = 50;

/// The first second at which a certificate is due for renewal: after two thirds of its life, which leaves time to mend a
/// renewal that fails, and up to a twentieth of it later, by its serial in hex, so that a fleet that was made in one
/// night is not renewed in one night.
pub fn due(not_before: DateTime<Utc>, not_after: DateTime<Utc>, serial: &str) -> DateTime<Utc> {
    let life = life(not_before, not_after).num_milliseconds();
    // FNV-1a: the same on every machine and in every release.
    let hash = serial
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let jitter = i64::try_from(hash % 1000).unwrap_or_default() * JITTER / 1000;
    let due = not_before + TimeDelta::milliseconds(life / 3 * 2 + life / 1000 * jitter);
    // Whole seconds, as certificates have them.
    due.trunc_subsecs(0)
}

/// Both its first and its last second count (RFC 5280 §4.1.2.5).
fn life(not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> TimeDelta {
    (not_after - not_before + TimeDelta::seconds(1)).max(TimeDelta::zero())
}

/// A point of a certificate's life that somebody asks for instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After this part of its life, as numerator and denominator.
    Part(i32, i32),
    /// This long before its end.
    BeforeEnd(Period),
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
            Self::Part(part, whole) => not_before + life(not_before, not_after) / whole * part,
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
    fn a_renewal_is_due_after_two_thirds_of_a_life_and_at_most_a_twentieth_later() {
        let (start, end) = (day(0), day(90) - TimeDelta::seconds(1));
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..200 {
            let serial = format!("{number:032x}");
            let at = due(start, end, &serial);
            assert!(at >= day(60) && at <= day(60) + TimeDelta::hours(108), "{at}");
            assert_eq!(at, due(start, end, &serial));
            seen.insert(at);
        }
        assert!(seen.len() > 20, "{}", seen.len());
    }

    #[test]
    fn a_part_of_a_life_and_a_time_before_its_end_are_kept_to_the_second() {
        let end = day(90) - TimeDelta::seconds(1);
        assert_eq!(At::parse("50%").unwrap().of(day(0), end), day(45));
        assert_eq!(At::parse("30d").unwrap().of(day(0), end), end - TimeDelta::days(30));
    }

    #[test]
    fn a_life_that_ends_before_it_begins_is_over_at_once() {
        assert!(At::Part(1, 2).of(day(10), day(0)) <= day(10));
        assert_eq!(due(day(10), day(0), "00"), day(10));
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
