//! When windows are open, judged by Python's zoneinfo over the zones of the world.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::io::Write as _;
use std::process::Stdio;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use support::{python_judge, skip};
use vault_kit::clock::SystemZones;
use vault_kit::manifest::window::Window;
use vault_kit::plan::window;
use vault_kit::zone::{Zone, Zones as _};

/// How many openings are compared in a row.
const COUNT: usize = 3;

/// Two cases in three are about a change of the clocks, where the zone has one.
const CASES_A_ZONE: u64 = 6;

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn instant(timestamp: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(timestamp.cast_signed(), 0).unwrap()
}

/// Some day from 2016 to 2060; where clocks change within a year of it, and that is wanted, the day before they do.
fn some_day(zone: &Zone, numbers: &mut Numbers) -> DateTime<Utc> {
    let at = instant(1_451_606_400 + numbers.below(44 * 365 * 86_400) / 900 * 900);
    let offset = |at: DateTime<Utc>| zone.shown_at(at) - at.naive_utc();
    let mut days = (0..365).map(|day| at + TimeDelta::days(day));
    let change = days.find(|&day| offset(day) != offset(day + TimeDelta::days(1)));
    change.filter(|_| numbers.below(3) > 0).unwrap_or(at)
}

/// A case, as the window's text and as the judge takes it. Near a change its hours are those of the change.
fn case(name: &str, zone: &Zone, numbers: &mut Numbers) -> (String, DateTime<Utc>, Value) {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let at = some_day(zone, numbers);
    let start = if numbers.below(4) == 0 { numbers.below(96) } else { numbers.below(20) } * 15;
    let length = if numbers.below(2) == 0 { 1 + numbers.below(95) } else { 1 + numbers.below(8) } * 15;
    let end = (start + length) % 1440;
    let day = usize::try_from(numbers.below(14)).unwrap();
    let (days, words) =
        if day < 7 { (vec![day], format!("{} ", DAYS[day])) } else { ((0..7).collect(), String::new()) };
    let clock = |minutes: u64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let text = format!("{words}{}-{} {name}", clock(start), clock(end));
    let judged = json!({
        "zone": name, "days": days, "start": start, "end": start + length, "at": at.timestamp(), "count": COUNT,
    });
    (text, at, judged)
}

fn openings(text: &str, mut at: DateTime<Utc>) -> Value {
    let windows = [Window::parse(text, &SystemZones).unwrap()];
    let mut told = Vec::new();
    for _ in 0..COUNT {
        let opening = window::next(&windows, at).unwrap();
        told.push(json!([opening.opens.timestamp(), opening.closes.timestamp()]));
        at = opening.closes;
    }
    Value::Array(told)
}

#[test]
fn python_opens_and_closes_every_window_in_every_zone_when_we_do() {
    let Some(mut judge) = python_judge("windows.py") else {
        return skip("windows-zoneinfo", "no .venv: run tests/setup");
    };
    let mut numbers = Numbers(42);
    let names = SystemZones.names();
    assert!(names.len() > 200, "{}", names.len());
    let mut cases = Vec::new();
    for name in names.iter().map(String::as_str).chain(["UTC", "Etc/GMT+5"]) {
        let zone = SystemZones.find(name).unwrap();
        cases.extend((0..CASES_A_ZONE).map(|_| case(name, &zone, &mut numbers)));
    }
    let asked = Value::Array(cases.iter().map(|(_, _, judged)| judged.clone()).collect());
    let mut child = judge.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let answer: Vec<Value> = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(answer.len(), cases.len());
    for ((text, at, _), told) in cases.iter().zip(&answer) {
        assert_eq!(openings(text, *at), *told, "{text} from {at}");
    }
}
