//! When a window is open, clock changes included: pure date arithmetic.

use chrono::{DateTime, Days, TimeDelta, Utc};

use crate::manifest::window::Window;
use crate::zone::Instants;

/// One time for which a window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The first instant of it.
    pub opens: DateTime<Utc>,
    /// The first instant after it.
    pub closes: DateTime<Utc>,
}

/// The opening in which something can be done first, not before `at`; of several that are open then, the one that closes
/// last. `None` where no window is declared, or beyond the dates that chrono knows.
pub fn next(windows: &[Window], at: DateTime<Utc>) -> Option<Opening> {
    let all = windows.iter().filter_map(|window| next_of(window, at));
    all.min_by_key(|opening| (opening.opens.max(at), std::cmp::Reverse(opening.closes)))
}

/// The longest that a window can begin before it is over: its length, and what clocks that go back add to that.
const LONGEST: Days = Days::new(3);

/// A day of each name, and those that a zone may leave out (Samoa had no 30 December 2011).
const AHEAD: usize = 3 + 8 + 1;

fn next_of(window: &Window, at: DateTime<Utc>) -> Option<Opening> {
    let first = window.zone.shown_at(at).date().checked_sub_days(LONGEST)?;
    let days = first.iter_days().take(AHEAD);
    days.filter_map(|day| opening(window, window.on(day)?)).find(|opening| at < opening.closes)
}

/// From the first instant at which the clocks show its beginning to the last before they show its end.
///
/// Where they go forward over the beginning, that instant is the one of the change; where nothing is left of the window,
/// it is as long as it is on other days. Where they go back, it is open until they pass its end for the last time.
fn opening(window: &Window, (start, end): (chrono::NaiveDateTime, chrono::NaiveDateTime)) -> Option<Opening> {
    const SECOND: TimeDelta = TimeDelta::seconds(1);
    let opens = match window.zone.instants(start) {
        Instants::Shown { first, .. } => first,
        Instants::Skipped(change) => change,
    };
    let closes = match window.zone.instants(end - SECOND) {
        Instants::Shown { last, .. } => last + SECOND,
        Instants::Skipped(change) => change,
    };
    let closes = if closes <= opens { opens.checked_add_signed(window.length())? } else { closes };
    Some(Opening { opens, closes })
}

#[cfg(test)]
mod tests;
