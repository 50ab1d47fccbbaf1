//! A year of a schedule that looks every five minutes, with clocks that change, jump and stand still.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Timelike, Utc, Weekday};
use vault_kit::name::SecretName;
use vault_kit::rotate::programs::Step;
use vault_kit::rotate::select::Order;

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
    let mut made = names.map(|name| vec![(begun, count(&project, name))]);
    // When the machine was asleep, and for how long its clock was set wrong.
    let (asleep, slept) = (begun + TimeDelta::days(200), TimeDelta::days(31));
    let (mut has_slept, mut wrong) = (false, Vec::from([90, 150, 270]));
    let mut looked = 0;
    while hand.now.get() < begun + TimeDelta::days(366) {
        hand.pass(TICK);
        if !has_slept && hand.now.get() >= asleep {
            has_slept = true;
            hand.pass(slept);
        }
        // The store is not opened while the ledger's first line says that nothing is due.
        let header = project.ledger().header;
        if !header.behind && header.due.is_none_or(|due| due > hand.now.get()) {
            continue;
        }
        looked += 1;
        ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap().unwrap();
        let now = hand.now.get();
        for (name, made) in names.iter().zip(&mut made) {
            let count = count(&project, name);
            if count != made.last().unwrap().1 {
                assert_eq!(count, made.last().unwrap().1 + 1, "{name} twice in one run");
                made.push((now, count));
            }
        }
        // A clock is put back by an hour right after something was done, and later forward again.
        if wrong.first().is_some_and(|day| now >= begun + TimeDelta::days(*day)) {
            wrong.remove(0);
            hand.pass(TimeDelta::hours(-1));
            let refused = ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap();
            assert_eq!(refused.unwrap_err().code(), "clock-behind");
            hand.pass(TimeDelta::hours(1));
        }
    }
    for (name, made) in names.iter().zip(&made) {
        let longest = if *name == "WEEKLY" { TimeDelta::days(14) } else { TimeDelta::days(30) + TICK * 2 };
        for pair in made.windows(2) {
            let (from, to) = (pair[0].0, pair[1].0);
            let slept = if from < asleep && asleep <= to { slept } else { TimeDelta::zero() };
            assert!(to - from <= longest + slept, "{name}: from {from} to {to}");
            let shortest = if *name == "WEEKLY" { TimeDelta::days(5) } else { TimeDelta::days(25) };
            assert!(to - from >= shortest, "{name}: from {from} to {to}");
            assert!(*name != "WEEKLY" || is_open(to), "{to} is in no window");
        }
    }
    let [db, session, weekly] = made.map(|it| it.len() - 1);
    assert!((11..=14).contains(&db) && (11..=14).contains(&session), "{db}, {session}");
    assert!((46..=53).contains(&weekly), "{weekly}");
    // Each run had something to do: a rotation, or what an overlap left.
    assert!(looked <= db * 2 + session + weekly + 12, "{looked} runs for {db}, {session} and {weekly} rotations");
}
