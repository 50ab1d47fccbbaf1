//! A year of a schedule that looks every five minutes, with clocks that change, jump and stand still.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Timelike, Utc, Weekday};
use vault_kit::name::SecretName;
use vault_kit::rotate::next;
use vault_kit::rotate::programs::Step;
use vault_kit::rotate::select::Order;
use vault_kit::store::CLOCK_TOLERANCE;

use crate::fixture::{Ground, Stagehand};
use crate::support::Project;

const MANIFEST: &str = r#"
[project]
name = "shop"
keep = 100

[secrets.DB]
kind = "password"
rotate = "30d"
overlap = "24h"

[secrets.SESSION]
kind = "random"
rotate = "30d"

[secrets.WEEKLY]
kind = "random"
rotate = "6d"
window = "Sun 01:30-03:30 Europe/Berlin"

[outputs.env]
format = "dotenv"
path = ".env"
"#;

const TICK: TimeDelta = TimeDelta::minutes(5);

const HOUR: TimeDelta = TimeDelta::hours(1);

/// By how much a clock is too fast.
const FAST: TimeDelta = TimeDelta::hours(26);

/// What the clocks of Berlin show: an hour more than UTC, two from the last Sunday of March to that of October, 01:00 UTC.
fn berlin(at: DateTime<Utc>) -> chrono::NaiveDateTime {
    let change = |month| {
        let last = Utc.with_ymd_and_hms(at.year(), month, 31, 1, 0, 0).unwrap();
        last - TimeDelta::days(last.weekday().num_days_from_sunday().into())
    };
    let is_summer = change(3) <= at && at < change(10);
    at.naive_utc() + TimeDelta::hours(if is_summer { 2 } else { 1 })
}

fn is_open(at: DateTime<Utc>) -> bool {
    let shown = berlin(at);
    let minutes = shown.hour() * 60 + shown.minute();
    shown.weekday() == Weekday::Sun && (90..210).contains(&minutes)
}

/// Whether a window opens within the hour.
fn is_just_before(at: DateTime<Utc>) -> bool {
    let shown = berlin(at);
    shown.weekday() == Weekday::Sun && shown.hour() == 0 && shown.minute() >= 30
}

/// The newest version's number among those of a secret.
fn count(project: &Project, name: &str) -> usize {
    project.store().secrets[&SecretName::new(name).unwrap()].len()
}

#[test]
fn in_a_year_everything_is_rotated_on_time_and_nothing_twice() {
    let project = Project::empty_in_memory();
    project.write("vault-kit.toml", MANIFEST);
    project.run(["init"]).assert_code(0);
    let ground = Ground::of(&project);
    let hand = Stagehand::new(&project).with_hook("DB", "postgres", &[Step::Set, Step::Test, Step::Retire]);
    let begun = hand.now.get();
    let names = ["DB", "SESSION", "WEEKLY"];
    // What the clock showed whenever somebody looked, in that order; and which of these looks made what, with how many before.
    let mut clock = vec![begun];
    let mut made = names.map(|name| vec![(0, count(&project, name))]);
    // When the machine was asleep, and for how long its clock was set wrong.
    let (asleep, slept) = (begun + TimeDelta::days(200), TimeDelta::days(31));
    let (mut has_slept, mut wrong) = (false, Vec::from([90, 150, 270]));
    let mut was_ahead = None;
    // From the jump over a window to the next one, in which somebody looks every hour: each look opens the store, for what was due.
    let mut missed: Option<std::ops::Range<usize>> = None;
    let mut looked = 0;
    // How often somebody was told that the clock stands behind the store.
    let mut told = 0;
    while hand.now.get() < begun + TimeDelta::days(366) {
        let is_missed = missed.as_ref().is_some_and(|it| it.end == usize::MAX);
        hand.pass(if is_missed { HOUR } else { TICK });
        if !has_slept && hand.now.get() >= asleep {
            has_slept = true;
            hand.pass(slept);
        }
        // A clock that was slow is put forward, over a whole window, and stays so.
        if missed.is_none() && hand.now.get() >= begun + TimeDelta::days(310) && is_just_before(hand.now.get()) {
            missed = Some(clock.len()..usize::MAX);
            hand.pass(TimeDelta::hours(4));
        }
        let header = project.ledger().header;
        // A clock is a day fast for one look, which is believed: what is made then is not made again. Far from any window,
        // which a fast clock may see or miss.
        let soon = header.due.is_some_and(|due| due > hand.now.get() && due <= hand.now.get() + FAST);
        let is_midweek = berlin(hand.now.get()).weekday() == Weekday::Tue;
        let is_ahead = was_ahead.is_none() && soon && is_midweek && hand.now.get() >= begun + TimeDelta::days(100);
        if is_ahead {
            was_ahead = Some(clock.len());
            hand.pass(FAST);
        }
        clock.push(hand.now.get());
        // The store is not opened while the ledger's first line says that nothing is due.
        if next::is_nothing(&header, hand.now.get()) {
            continue;
        }
        // Whoever looks after a clock was fast is told of it, and nothing happens, until the time has come that it showed.
        if hand.now.get() + CLOCK_TOLERANCE < header.updated {
            let refused = ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap();
            assert_eq!(refused.unwrap_err().code(), "clock-behind");
            told += 1;
            continue;
        }
        looked += usize::from(!is_missed);
        ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap().unwrap();
        let now = hand.now.get();
        for (name, made) in names.iter().zip(&mut made) {
            let count = count(&project, name);
            if count != made.last().unwrap().1 {
                assert_eq!(count, made.last().unwrap().1 + 1, "{name} twice in one run");
                made.push((clock.len() - 1, count));
                if let Some(missed) = missed.as_mut().filter(|_| is_missed && *name == "WEEKLY") {
                    missed.end = clock.len();
                }
            }
        }
        // A clock is put back by an hour right after something was done, and later forward again.
        let is_slow = wrong.first().is_some_and(|day| now >= begun + TimeDelta::days(*day));
        if is_slow || is_ahead {
            let back = if is_ahead { FAST } else { TimeDelta::hours(1) };
            hand.pass(-back);
            let refused = ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap();
            assert_eq!(refused.unwrap_err().code(), "clock-behind");
            if is_slow {
                wrong.remove(0);
                hand.pass(TimeDelta::hours(1));
            }
        }
    }
    assert!(
        has_slept && was_ahead.is_some() && missed.as_ref().is_some_and(|it| it.end < usize::MAX) && wrong.is_empty()
    );
    assert!(told > 0, "the clock that was fast was put back");
    let mut compared = 0;
    for (name, made) in names.iter().zip(&made) {
        for pair in made.windows(2) {
            let (from, to) = (clock[pair[0].0], clock[pair[1].0]);
            if *name == "WEEKLY" {
                // Six days less a twentieth, and then the first look in a window.
                let first = |after: TimeDelta| {
                    let is_it = |at: &&DateTime<Utc>| **at >= from + after && is_open(**at);
                    *clock[pair[0].0 + 1..].iter().find(is_it).unwrap()
                };
                let (early, late) = (first(TimeDelta::days(6) - TimeDelta::minutes(432)), first(TimeDelta::days(6)));
                assert!(early <= to && to <= late, "{name}: from {from} to {to}, and not {early} to {late}");
                compared += usize::from(early == late);
                continue;
            }
            let slept = if from < asleep && asleep <= to { slept } else { TimeDelta::zero() };
            let is_missed = missed.as_ref().is_some_and(|it| it.contains(&pair[1].0));
            let longest = TimeDelta::days(30) + TICK + if is_missed { HOUR } else { TICK };
            let fast = if was_ahead == Some(pair[1].0) { FAST } else { TimeDelta::zero() };
            assert!(to - from <= longest + slept + fast, "{name}: from {from} to {to}");
            assert!(to - from >= TimeDelta::days(25), "{name}: from {from} to {to}");
        }
    }
    assert!(compared >= 40, "only {compared} rotations had one possible look");
    let [db, session, weekly] = made.map(|it| it.len() - 1);
    assert!((11..=14).contains(&db) && (11..=14).contains(&session), "{db}, {session}");
    assert!((45..=53).contains(&weekly), "{weekly}");
    // Each run had something to do: a rotation, or what an overlap left.
    assert!(looked <= db * 2 + session + weekly + 12, "{looked} runs for {db}, {session} and {weekly} rotations");
}
