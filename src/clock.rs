//! The only door through which time enters, and with it the rules of time zones.

mod zones;

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use rustix::time::{ClockId, clock_gettime};
pub use zones::SystemZones;

/// Tells the time.
pub trait Clock {
    /// Now, in UTC, whole seconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(0)
    }
}

/// For how long the machine has been running: time that goes on while it sleeps, and that nobody sets.
pub fn running() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// A clock that stands still, for tests and replays.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}
