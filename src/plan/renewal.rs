//! When a certificate is renewed: pure date arithmetic.

use chrono::{DateTime, TimeDelta, Utc};

/// The longest jitter, in thousandths of a certificate's life.
const JITTER: i64 = 50;

/// When a certificate is due for renewal: after two thirds of its life, and up to a twentieth of it later, by its serial,
/// so that a fleet that was made in one night is not renewed in one night.
pub fn renew_at(not_before: DateTime<Utc>, not_after: DateTime<Utc>, serial: &str) -> DateTime<Utc> {
    let life = (not_after - not_before).num_milliseconds().max(0);
    // FNV-1a: the same on every machine and in every release.
    let hash = serial
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let jitter = i64::try_from(hash % 1000).unwrap_or_default() * JITTER / 1000;
    not_before + TimeDelta::milliseconds(life / 3 * 2 + life / 1000 * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_is_due_after_two_thirds_of_a_life_and_at_most_a_twentieth_later() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let life = TimeDelta::days(90);
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..200 {
            let serial = format!("{number:032x}");
            let at = renew_at(start, start + life, &serial);
            assert!(at >= start + TimeDelta::days(60) && at <= start + TimeDelta::days(60) + life / 20, "{at}");
            assert_eq!(at, renew_at(start, start + life, &serial));
            seen.insert(at);
        }
        assert!(seen.len() > 20, "{}", seen.len());
        assert_eq!(renew_at(start, start, "00"), start);
        assert_eq!(renew_at(start + life, start, "00"), start + life);
    }
}
