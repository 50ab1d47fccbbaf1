//! Windows: when a secret, or all of an environment, may be replaced.

use super::Place;
use crate::manifest::issue::Problems;
use crate::manifest::raw::Windows;
use crate::manifest::read::{At, Field};
use crate::manifest::window::{Window, Wrong};
use crate::zone::{NoZone, Zones};

/// Reads a window or a list of them.
pub(super) fn read(field: Field<Windows>, place: Place<'_>, zones: &dyn Zones, problems: &mut Problems) -> Vec<Window> {
    let Some(At { at, value: Windows(texts) }) = field else { return Vec::new() };
    if texts.is_empty() {
        problems.add_with_hint(at, format!("`{place}.window` is empty"), "leave it out to mean any time");
    }
    let mut windows = Vec::with_capacity(texts.len());
    for text in texts {
        match Window::parse(&text.value, zones) {
            Ok(window) => windows.push(window),
            Err(wrong) => report(&text, wrong, place, zones, problems),
        }
    }
    windows
}

fn report(text: &At<String>, wrong: Wrong, place: Place<'_>, zones: &dyn Zones, problems: &mut Problems) {
    let field = format!("`{place}.window`");
    let (message, hint) = match wrong {
        Wrong::Form => (
            format!("{field} is not a time of the week"),
            "write days, hours and a time zone, such as `\"Sun 02:00-05:00 Europe/Berlin\"`; without days it is every day",
        ),
        Wrong::Day => (
            format!("{field} names a day that is none"),
            "the days are `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`, ranges such as `Mon-Fri`, and lists such as \
             `Sat,Sun`; behind the hours stands a time zone",
        ),
        Wrong::Time => (format!("{field} names a time that is none"), "write it from `00:00` to `24:00`"),
        Wrong::Empty => (format!("{field} begins when it ends"), "`00:00-24:00` is a whole day"),
        Wrong::Zone(NoZone::Unknown) => return unknown(text, &field, zones, problems),
        Wrong::Zone(NoZone::NoData) => (
            format!("{field} names a time zone, and this system has no data of any"),
            "install them (`apt-get install tzdata`, `apk add tzdata`), or write `UTC` or an offset such as `+01:00`",
        ),
        Wrong::Zone(NoZone::Unreadable) => (
            format!("{field} names a time zone whose data this system has and cannot read"),
            "install them anew (`apt-get install --reinstall tzdata`)",
        ),
    };
    problems.add_with_hint(text.at, message, hint);
}

fn unknown(text: &At<String>, field: &str, zones: &dyn Zones, problems: &mut Problems) {
    let names = zones.names();
    // An abbreviation such as `CET` is a zone of its own, or several.
    let known = names.iter().map(String::as_str).chain(["UTC"]);
    let otherwise = || Some("write a name such as `Europe/Berlin`, `UTC`, or an offset such as `+01:00`".to_owned());
    let message = format!("{field} names a time zone that this system does not know");
    problems.add_with_guess(text.at, message, Window::zone_of(&text.value), known, otherwise);
}
