//! When a request is tried again.

use std::time::Duration;

use super::Patience;

/// The most time before the second try; it doubles with each one.
const FIRST: Duration = Duration::from_millis(500);

/// The most time before any try.
const LONGEST: Duration = Duration::from_secs(20);

/// A person who has waited so long for one request wants to know what is wrong.
const PERSON: Duration = Duration::from_secs(2);

/// How far one request, and the verb that it belongs to, have come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Tries of this request.
    pub tries: u32,
    /// Since its first one.
    pub asked: Duration,
    /// Since the first verb of the command began, without what was done between verbs.
    pub begun: Duration,
}

impl Patience {
    /// The time to the next try; `None` = it was the last one. `jitter` is anything from 0 to 1000, and spreads hosts that
    /// were throttled at the same time.
    pub(super) fn wait(self, progress: Progress, jitter: u32) -> Option<Duration> {
        let Progress { tries, asked, begun } = progress;
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX)).min(LONGEST);
        let wait = doubled / 2 + doubled / 2 * jitter.min(1_000) / 1_000;
        match self {
            Self::Interactive => (tries < 2 && asked < PERSON).then_some(wait),
            Self::Unattended => (tries < 4).then_some(wait),
            Self::Wait(most) => most.checked_sub(begun).filter(|rest| !rest.is_zero()).map(|rest| wait.min(rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(tries: u32, milliseconds: u64) -> Progress {
        let time = Duration::from_millis(milliseconds);
        Progress { tries, asked: time, begun: time }
    }

    fn waits(patience: Patience, jitter: u32) -> Vec<u128> {
        let wait = |tries| patience.wait(after(tries, 0), jitter).map(|it| it.as_millis());
        (1..10).map_while(wait).collect()
    }

    #[test]
    fn waits_double_up_to_twenty_seconds_and_are_at_least_half_of_that() {
        let patience = Patience::Wait(Duration::from_mins(10));
        assert_eq!(waits(patience, 1_000), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
        assert_eq!(waits(patience, 0), [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
        assert_eq!(patience.wait(after(u32::MAX, 0), u32::MAX), Some(LONGEST));
    }

    #[test]
    fn a_person_gets_two_tries_and_a_job_four() {
        assert_eq!(waits(Patience::Interactive, 1_000), [500]);
        assert_eq!(waits(Patience::Unattended, 1_000), [500, 1_000, 2_000]);
    }

    #[test]
    fn a_person_does_not_wait_again_for_what_took_long() {
        assert!(Patience::Interactive.wait(after(1, 1_999), 0).is_some());
        assert_eq!(Patience::Interactive.wait(after(1, 2_000), 0), None);
        // Other requests of the same verb may have taken long.
        let late = Progress { tries: 1, asked: Duration::ZERO, begun: Duration::from_mins(1) };
        assert!(Patience::Interactive.wait(late, 0).is_some());
    }

    #[test]
    fn the_last_try_of_a_limited_time_is_at_its_end() {
        let patience = Patience::Wait(Duration::from_secs(10));
        assert_eq!(patience.wait(after(5, 9_000), 1_000), Some(Duration::from_secs(1)));
        assert_eq!(patience.wait(after(6, 10_000), 1_000), None);
    }
}
