//! When a replacement may happen: days, hours and a time zone, as a manifest writes them.

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use crate::zone::{NoZone, Zone, Zones};

/// A time of the week, such as `Sun 02:00-05:00 Europe/Berlin`.
#[derive(Clone, PartialEq)]
pub struct Window {
    /// The days on which it begins, from Monday.
    days: [bool; 7],
    /// Minutes from midnight to its beginning.
    start: u16,
    /// Minutes from midnight to its end, more than `start`; beyond midnight it is on the next day.
    end: u16,
    /// Whose clocks it goes by.
    pub zone: Zone,
}

/// What is wrong with the text of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is not of the form `[DAYS] HH:MM-HH:MM ZONE`.
    Form,
    /// It names a day that is none.
    Day,
    /// It names a time of day that is none.
    Time,
    /// It begins when it ends.
    Empty,
    /// Its zone cannot be had.
    Zone(NoZone),
}

const DAY: u16 = 24 * 60;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Window {
    /// Parses `[DAYS] HH:MM-HH:MM ZONE`. Days are names and ranges of names with commas between; without them it is every
    /// day. One that ends at or before its beginning ends on the next day; `24:00` is an end.
    pub fn parse(text: &str, zones: &dyn Zones) -> Result<Self, Wrong> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (days, hours, zone) = match *words.as_slice() {
            [hours, zone] => ([true; 7], hours, zone),
            [days, hours, zone] => (self::days(days).ok_or(Wrong::Day)?, hours, zone),
            _ => return Err(Wrong::Form),
        };
        let (start, end) = hours.split_once('-').ok_or(Wrong::Form)?;
        let (start, end) = (minutes(start).ok_or(Wrong::Time)?, minutes(end).ok_or(Wrong::Time)?);
        let end = match end {
            _ if start == DAY => return Err(Wrong::Time),
            end if end == start => return Err(Wrong::Empty),
            end if end < start => end + DAY,
            end => end,
        };
        let zone = Zone::fixed(zone).map_or_else(|| zones.find(zone), Ok).map_err(Wrong::Zone)?;
        Ok(Self { days, start, end, zone })
    }

    /// What the clocks of its zone show when it begins and ends, if it begins on that day.
    pub fn on(&self, day: NaiveDate) -> Option<(NaiveDateTime, NaiveDateTime)> {
        let begins = self.days[usize::try_from(day.weekday().num_days_from_monday()).unwrap_or_default()];
        let midnight = day.and_time(NaiveTime::MIN);
        let at = |minutes: u16| midnight.checked_add_signed(TimeDelta::minutes(i64::from(minutes)));
        if begins { at(self.start).zip(at(self.end)) } else { None }
    }

    /// How long it is on a day on which no clock is changed.
    pub fn length(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.end - self.start))
    }

    /// The part of a text that should be the zone.
    pub(super) fn zone_of(text: &str) -> &str {
        text.split_ascii_whitespace().next_back().unwrap_or_default()
    }
}

/// As it is written, in one way: `Mon-Fri 22:00-02:00 UTC`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != [true; 7] {
            write!(f, "{} ", runs(self.days).join(","))?;
        }
        let end = if self.end > DAY { self.end - DAY } else { self.end };
        let [start, end] = [self.start, end].map(|at| format!("{:02}:{:02}", at / 60, at % 60));
        write!(f, "{start}-{end} {}", self.zone)
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window({self})")
    }
}

/// Consecutive days as ranges, single ones by name.
fn runs(days: [bool; 7]) -> Vec<String> {
    let mut runs = Vec::new();
    let mut day = 0;
    while day < 7 {
        let end = (day..7).find(|&it| !days[it]).unwrap_or(7);
        match end - day {
            0 => day += 1,
            1 => runs.push(DAYS[day].to_owned()),
            _ => runs.push(format!("{}-{}", DAYS[day], DAYS[end - 1])),
        }
        day = day.max(end);
    }
    runs
}

/// `Sun`, `Mon-Fri`, `Sat,Sun`; a range may pass the end of the week.
fn days(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (mut day, last) = (weekday(first)?, weekday(last)?);
        loop {
            days[day] = true;
            if day == last {
                break;
            }
            day = (day + 1) % 7;
        }
    }
    Some(days)
}

/// The three letters of a day, or its whole name, in whatever case.
fn weekday(text: &str) -> Option<usize> {
    let day: Weekday = text.parse().ok()?;
    usize::try_from(day.num_days_from_monday()).ok()
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit())).then(|| part.parse().ok());
    let (hours, minutes): (u16, u16) = (two(hours)??, two(minutes)??);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::NoZones;

    fn parse(text: &str) -> Result<String, Wrong> {
        Window::parse(text, &NoZones).map(|window| window.to_string())
    }

    #[test]
    fn a_window_reads_back_in_its_plainest_form() {
        for (text, told) in [
            ("02:00-05:00 UTC", "02:00-05:00 UTC"),
            ("Sun 02:00-05:00 +01:00", "Sun 02:00-05:00 +01:00"),
            ("  sat,SUN\t22:30-02:00  -03:30 ", "Sat-Sun 22:30-02:00 -03:30"),
            ("Fri-Mon 00:00-24:00 UTC", "Mon,Fri-Sun 00:00-24:00 UTC"),
            ("Monday,Wed 23:00-00:00 UTC", "Mon,Wed 23:00-24:00 UTC"),
            ("Mon-Sun 01:00-00:30 UTC", "01:00-00:30 UTC"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(told), "{text:?}");
            assert_eq!(parse(told).as_deref(), Ok(told));
        }
    }

    #[test]
    fn what_is_no_window_is_told_by_its_part() {
        for (text, wrong) in [
            ("", Wrong::Form),
            ("02:00-05:00", Wrong::Form),
            ("Sun 02:00-05:00", Wrong::Form),
            ("Sun 02:00 UTC", Wrong::Form),
            ("Sun 02:00-05:00 UTC please", Wrong::Form),
            ("Sol 02:00-05:00 UTC", Wrong::Day),
            ("Sun, 02:00-05:00 UTC", Wrong::Day),
            ("Sun 2:00-05:00 UTC", Wrong::Time),
            ("Sun 02:60-05:00 UTC", Wrong::Time),
            ("Sun 02:00-24:01 UTC", Wrong::Time),
            ("Sun 24:00-02:00 UTC", Wrong::Time),
            ("Sun 02:00-02:00 UTC", Wrong::Empty),
            ("Sun 02:00-05:00 Europe/Berlin", Wrong::Zone(NoZone::NoData)),
        ] {
            assert_eq!(parse(text), Err(wrong), "{text:?}");
        }
    }

    #[test]
    fn a_window_that_passes_midnight_ends_on_the_next_day() {
        let window = Window::parse("Sun 22:00-02:00 UTC", &NoZones).unwrap();
        let sunday = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let (start, end) = window.on(sunday).unwrap();
        assert_eq!((start.to_string(), end.to_string()), ("2026-11-22 22:00:00".into(), "2026-11-23 02:00:00".into()));
        assert_eq!(window.length(), TimeDelta::hours(4));
        assert_eq!(window.on(sunday.succ_opt().unwrap()), None);
    }
}
