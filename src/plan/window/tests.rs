//! Openings around clock changes.

use super::*;
use crate::clock::SystemZones;

fn openings(text: &str, from: &str, count: usize) -> Vec<String> {
    let windows = [Window::parse(text, &SystemZones).unwrap()];
    let mut at: DateTime<Utc> = from.parse().unwrap();
    let mut openings = Vec::new();
    for _ in 0..count {
        let opening = next(&windows, at).unwrap();
        openings.push(format!("{} {}", opening.opens.format("%m-%d %H:%M"), opening.closes.format("%m-%d %H:%M")));
        at = opening.closes;
    }
    openings
}

#[test]
fn a_window_is_open_once_a_day_where_the_clocks_go_forward() {
    // Berlin, 29 March 2026: 02:00 to 03:00 does not exist, 01:00 UTC is 03:00.
    for (hours, opening) in [
        ("02:00-05:00", "03-29 01:00 03-29 03:00"),
        ("02:15-02:45", "03-29 01:00 03-29 01:30"),
        ("02:00-03:00", "03-29 01:00 03-29 02:00"),
        ("02:30-03:30", "03-29 01:00 03-29 01:30"),
        ("01:30-02:30", "03-29 00:30 03-29 01:00"),
        ("01:00-02:00", "03-29 00:00 03-29 01:00"),
        ("03:00-04:00", "03-29 01:00 03-29 02:00"),
    ] {
        assert_eq!(openings(&format!("Sun {hours} Europe/Berlin"), "2026-03-28T00:00:00Z", 1), [opening], "{hours}");
    }
}

#[test]
fn a_window_is_open_once_a_day_where_the_clocks_go_back() {
    // Berlin, 25 October 2026: 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC.
    for (hours, opening) in [
        ("02:00-05:00", "10-25 00:00 10-25 04:00"),
        ("02:15-02:45", "10-25 00:15 10-25 01:45"),
        ("02:00-03:00", "10-25 00:00 10-25 02:00"),
        ("01:30-02:30", "10-24 23:30 10-25 01:30"),
        ("01:00-02:00", "10-24 23:00 10-25 00:00"),
        ("03:00-04:00", "10-25 02:00 10-25 03:00"),
    ] {
        let told = openings(&format!("Sun {hours} Europe/Berlin"), "2026-10-24T00:00:00Z", 2);
        assert_eq!(told[0], opening, "{hours}");
        assert!(told[1].starts_with("11-01 "), "{hours}: {told:?}");
    }
}

#[test]
fn half_an_hour_and_a_whole_day_are_changes_too() {
    // Lord Howe, 4 October 2026: 02:00 becomes 02:30. 5 April: 02:00 becomes 01:30.
    let told = openings("02:00-02:15 Australia/Lord_Howe", "2026-10-03T12:00:00Z", 2);
    assert_eq!(told, ["10-03 15:30 10-03 15:45", "10-04 15:00 10-04 15:15"]);
    let told = openings("01:30-01:45 Australia/Lord_Howe", "2026-04-04T12:00:00Z", 2);
    assert_eq!(told, ["04-04 14:30 04-04 15:15", "04-05 15:00 04-05 15:15"]);
    // Samoa had no Friday, 30 December 2011.
    let told = openings("Fri 02:00-05:00 Pacific/Apia", "2011-12-29T00:00:00Z", 2);
    assert_eq!(told, ["12-30 10:00 12-30 13:00", "01-05 12:00 01-05 15:00"]);
}

#[test]
fn a_window_is_open_from_its_first_second_to_the_one_before_its_end() {
    let windows = ["Sun 22:00-02:00 UTC", "Mon 01:00-03:00 UTC"].map(|text| Window::parse(text, &SystemZones).unwrap());
    let at = |text: &str| -> DateTime<Utc> { text.parse().unwrap() };
    let next = |text: &str| next(&windows, at(text)).map(|it| (it.opens, it.closes)).unwrap();
    let sunday = (at("2026-11-22T22:00:00Z"), at("2026-11-23T02:00:00Z"));
    let monday = (at("2026-11-23T01:00:00Z"), at("2026-11-23T03:00:00Z"));
    assert_eq!(next("2026-11-22T21:59:59Z"), sunday);
    assert_eq!(next("2026-11-23T00:59:59Z"), sunday);
    assert_eq!(next("2026-11-23T01:30:00Z"), monday, "both are open, and this one longer");
    assert_eq!(next("2026-11-23T02:59:59Z"), monday);
    assert_eq!(next("2026-11-23T03:00:00Z").0, at("2026-11-29T22:00:00Z"));
    assert_eq!(super::next(&[], sunday.0), None);
}
