//! Due dates, early and late, and a year of a timer.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::clock::SystemZones;
use crate::zone::Zones;

fn declaration(rotate: Option<Rotate>, windows: &[&str]) -> Declaration {
    let windows = windows.iter().map(|text| Window::parse(text, &SystemZones).unwrap()).collect();
    Declaration { rotate, windows, ..Declaration::bare("A", Kind::Uuid) }
}

#[expect(clippy::unnecessary_wraps, reason = "as a declaration has it")]
fn every(period: &str) -> Option<Rotate> {
    Some(Rotate::Every(Period::parse(period).unwrap()))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn version(number: u64) -> VersionId {
    VersionId::derived(&number.to_string())
}

#[test]
fn the_environment_decides_unless_the_secret_never_rotates() {
    let created = DateTime::from_timestamp(0, 0).unwrap();
    let environment = |rotate| Environment { rotate, ..Environment::default() };
    let facts = BTreeMap::new();
    let dates = Dates { version: version(0), created, expires: Some(created), facts: &facts };
    let seconds = |rotate, env| due(dates, &declaration(rotate, &[]), Some(&environment(env))).map(|at| at.timestamp());
    assert_eq!(seconds(every("90d"), None), Some(90 * 86_400));
    assert_eq!(seconds(every("90d"), every("30d")), Some(30 * 86_400));
    assert_eq!(seconds(every("90d"), Some(Rotate::Never)), None);
    assert_eq!(seconds(Some(Rotate::Never), every("30d")), None);
    assert_eq!(seconds(None, every("30d")), None);
}

#[test]
fn a_secrets_own_windows_go_before_those_of_its_environment() {
    let windows = |text: &str| vec![Window::parse(text, &SystemZones).unwrap()];
    let environment = Environment { windows: windows("Sun 02:00-05:00 UTC"), ..Environment::default() };
    // A Monday.
    let created = at("2026-06-01T12:00:00Z");
    let from = |windows: &[&str]| {
        let declaration = declaration(every("30d"), windows);
        rotation(created, None, &declaration, Some(&environment)).map(|due| (due.from, due.overdue)).unwrap()
    };
    assert_eq!(from(&[]), (at("2026-07-05T02:00:00Z"), at("2026-07-05T05:00:00Z")));
    assert_eq!(from(&["22:00-23:00 UTC"]), (at("2026-07-01T22:00:00Z"), at("2026-07-01T23:00:00Z")));
    let two = ["Sun 02:00-05:00 UTC", "Thu 03:00-04:00 Europe/Berlin"];
    assert_eq!(from(&two), (at("2026-07-02T01:00:00Z"), at("2026-07-02T02:00:00Z")));
    let without = declaration(None, &["Sun 02:00-05:00 UTC"]);
    assert_eq!(rotation(created, None, &without, Some(&environment)), None, "a window alone rotates nothing");
}

#[test]
fn an_environments_overlap_goes_to_those_that_have_one() {
    let environment = Environment { overlap: Some(Period::hours(48)), ..Environment::default() };
    let mut declaration = declaration(every("30d"), &[]);
    assert_eq!(declaration.overlap_in(Some(&environment)), None);
    declaration.overlap = Some(Period::hours(24));
    assert_eq!(declaration.overlap_in(Some(&environment)), Some(Period::hours(48)));
    assert_eq!(declaration.overlap_in(Some(&Environment::default())), Some(Period::hours(24)));
    assert_eq!(declaration.overlap_in(None), Some(Period::hours(24)));
}

#[test]
fn replacements_are_spread_over_the_day_before_they_are_due() {
    let created = at("2026-01-01T00:00:00Z");
    let declaration = declaration(every("30d"), &[]);
    let early = |number| {
        let due = rotation(created, Some(version(number)), &declaration, None).unwrap();
        assert_eq!(due.overdue, created + TimeDelta::days(30));
        (due.overdue - due.from).num_hours()
    };
    let mut hours = [0_u32; 24];
    for number in 0..2400 {
        hours[usize::try_from(early(number)).unwrap()] += 1;
    }
    // 100 each, give or take: a bucket outside of this has odds of less than one in 10^8.
    assert!(hours.iter().all(|count| (40..160).contains(count)), "{hours:?}");
}

#[test]
fn how_early_it_is_follows_from_the_version_on_every_host_and_in_every_release() {
    let declaration = declaration(every("30d"), &[]);
    let created = at("2026-01-01T00:00:00Z");
    let early = [1, 2, 3].map(|number| {
        let due = rotation(created, Some(version(number)), &declaration, None).unwrap();
        (due.overdue - due.from).num_seconds()
    });
    assert_eq!(early, [4434, 58_590, 43_720]);
}

#[test]
fn a_certificate_does_not_end_for_want_of_a_window() {
    let facts = BTreeMap::new();
    let created = at("2026-03-02T00:00:00Z");
    let kind = || {
        Kind::ImportedCertificate(crate::manifest::model::ImportedCertificate {
            usage: crate::manifest::model::Usage::Server,
            dns: Vec::new(),
            ip: Vec::new(),
        })
    };
    let certificate = |window: &str| Declaration { kind: kind(), ..declaration(None, &[window]) };
    let dates =
        |days| Dates { version: version(0), created, expires: Some(created + TimeDelta::days(days)), facts: &facts };
    let weekly = certificate("Sun 02:00-05:00 UTC");
    let long = term(dates(90), &weekly, None).unwrap();
    assert_eq!(
        (long.from.to_string().as_str(), long.overdue - long.from),
        ("2026-05-03 02:00:00 UTC", TimeDelta::hours(3))
    );
    assert!(!long.is_now(long.from - TimeDelta::seconds(1)) && long.is_now(long.from));
    // Four days from Monday: renewed on Wednesday or Thursday, since Sunday is too late.
    let short = term(dates(4), &weekly, None).unwrap();
    assert!(short.from < created + TimeDelta::days(4) && short.from == short.overdue);
    // The last window before its end was missed.
    let late = created + TimeDelta::days(90) - TimeDelta::hours(12);
    assert!(!long.is_now(late - TimeDelta::days(7)), "another window comes");
    assert!(long.is_now(late), "none comes");
}

/// A host that runs a timer every five minutes; what it does at each run is asked of [`Due`] alone.
struct Host {
    clock: DateTime<Utc>,
    created: DateTime<Utc>,
    generation: u64,
    rotated: Vec<DateTime<Utc>>,
    /// The longest that a rotation came after it could.
    late: TimeDelta,
}

impl Host {
    fn new(created: DateTime<Utc>) -> Self {
        Self { clock: created, created, generation: 0, rotated: Vec::new(), late: TimeDelta::zero() }
    }

    fn due<'a>(&self, declaration: &'a Declaration) -> Due<'a> {
        rotation(self.created, Some(version(self.generation)), declaration, None).unwrap()
    }

    /// Runs the timer until then. A clock that is behind the newest value makes nothing, as the store refuses.
    fn run(&mut self, declaration: &Declaration, until: DateTime<Utc>) {
        let mut due = self.due(declaration);
        while self.clock < until {
            if self.clock >= self.created && due.is_now(self.clock) {
                self.late = self.late.max(self.clock - due.from);
                self.rotated.push(self.clock);
                (self.created, self.generation) = (self.clock, self.generation + 1);
                due = self.due(declaration);
            }
            self.clock += TimeDelta::minutes(5);
        }
    }
}

#[test]
fn a_year_of_a_timer_rotates_each_time_once_and_within_the_window() {
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"] {
        for hours in ["Sun 02:00-02:30", "Sun 02:15-02:45", "Sat 23:30-03:30", "02:00-03:00", "Sun 01:45-02:15"] {
            let declaration = declaration(every("7d"), &[&format!("{hours} {zone}")]);
            let start = at("2026-01-01T00:00:00Z");
            let mut host = Host::new(start);
            host.run(&declaration, start + TimeDelta::days(371));
            let mut begun = start;
            for &at in &host.rotated {
                let age = at - begun;
                // A week, less the jitter, and until the next window: at most another week and a changed clock.
                assert!(age >= TimeDelta::days(7) - TimeDelta::seconds(30_240), "{zone} {hours}: {at} after {age}");
                assert!(age <= TimeDelta::days(14) + TimeDelta::hours(2), "{zone} {hours}: {at} after {age}");
                let opening = window::next(&declaration.windows, at).unwrap();
                assert!(opening.opens <= at, "{zone} {hours}: {at} is in no window");
                begun = at;
            }
            assert!(host.late < TimeDelta::minutes(5), "{zone} {hours}: {} late", host.late);
            let expected = if hours.starts_with('S') { 52..=53 } else { 48..=55 };
            assert!(expected.contains(&host.rotated.len()), "{zone} {hours}: {}", host.rotated.len());
        }
    }
}

#[test]
fn a_clock_that_jumps_and_a_laptop_that_sleeps_rotate_once_and_when_a_window_opens() {
    let declaration = declaration(every("30d"), &["Sun 02:00-05:00 Europe/Berlin"]);
    let mut host = Host::new(at("2026-01-05T00:00:00Z"));
    // Due on 4 February less a day at most, so on Sunday the 8th.
    host.run(&declaration, at("2026-02-08T01:30:00Z"));
    assert_eq!(host.rotated, [at("2026-02-08T01:00:00Z")]);
    // The clock goes back by three days, over the rotation and the window, and comes forward again.
    host.clock = at("2026-02-05T00:00:00Z");
    host.run(&declaration, at("2026-02-12T00:00:00Z"));
    assert_eq!(host.rotated.len(), 1, "the window is seen again, the value is new");
    // The clock jumps a month ahead for an hour: it is believed, and what it made is not made again.
    host.clock = at("2026-03-15T02:00:00Z");
    host.run(&declaration, at("2026-03-15T03:00:00Z"));
    assert_eq!(host.rotated.len(), 2);
    host.clock = at("2026-02-12T01:00:00Z");
    host.run(&declaration, at("2026-04-01T00:00:00Z"));
    assert_eq!(host.rotated.len(), 2, "not before a month after the newest value");
    // Asleep from before it is due until a Wednesday weeks after: overdue, and replaced when a window opens.
    let slept = host.due(&declaration);
    host.clock = at("2026-05-20T12:00:00Z");
    assert!(slept.overdue < host.clock && !slept.is_now(host.clock));
    assert_eq!(slept.next(host.clock), at("2026-05-24T00:00:00Z"));
    host.run(&declaration, at("2026-06-10T00:00:00Z"));
    assert_eq!(host.rotated[2..], [at("2026-05-24T00:00:00Z")]);
}

#[test]
fn without_a_window_a_laptop_that_slept_rotates_as_soon_as_it_wakes() {
    let declaration = declaration(every("30d"), &[]);
    let mut host = Host::new(at("2026-01-05T00:00:00Z"));
    host.clock = at("2026-03-20T12:34:00Z");
    host.run(&declaration, at("2026-04-10T00:00:00Z"));
    assert_eq!(host.rotated, [at("2026-03-20T12:34:00Z")]);
}

proptest! {
    #[test]
    fn due_is_in_a_window_early_by_a_day_at_most_and_overdue_when_the_window_ends(
        created in 1_700_000_000_i64..2_000_000_000,
        days in 1_i64..400,
        number: u64,
        day in 0_usize..8,
        (start, length) in (0_i64..1440, 15_i64..1440),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    ) {
        prop_assert!(SystemZones.find(zone).is_ok() || zone == "UTC");
        let end = (start + length) % 1440;
        let day = ["", "Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "][day];
        let hours = format!("{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60);
        let declaration = declaration(Some(Rotate::Every(Period::days(days))), &[&format!("{day}{hours} {zone}")]);
        let created = DateTime::from_timestamp(created, 0).unwrap();
        let due = rotation(created, Some(version(number)), &declaration, None).unwrap();
        let planned = created + TimeDelta::days(days);
        let early = TimeDelta::days(days) / 20;
        prop_assert!(due.from >= planned - early.min(TimeDelta::days(1)));
        prop_assert!(due.from <= planned + TimeDelta::days(7) + TimeDelta::hours(1));
        prop_assert!(due.overdue > due.from && due.overdue - due.from <= TimeDelta::hours(25));
        prop_assert!(due.is_now(due.from) && due.is_now(due.overdue - TimeDelta::seconds(1)));
        // And what comes next is never before now, and is time when it comes.
        let late = due.overdue + TimeDelta::days(number.cast_signed().rem_euclid(40));
        prop_assert!(due.next(late) >= late && due.is_now(due.next(late)));
    }
}
