//! Windows.

use super::Refusal;
use crate::clock::SystemZones;
use crate::manifest::{parse, parse_in};

pub(super) const WINDOWS: &[Refusal] = &[(
    r#"[project]
name = "p"
[environments.dev]
window = []
[secrets.A]
kind = "uuid"
window = 7
[secrets.B]
kind = "uuid"
window = ["Sun 02:00-05:00 UTC", "Sun 02:00-05:00"]
[secrets.C]
kind = "uuid"
window = "Sunn 02:00-05:00 UTC"
[secrets.D]
kind = "uuid"
window = "02:00-25:00 UTC"
[secrets.E]
kind = "uuid"
window = "02:00-02:00 UTC"
[secrets.F]
kind = "uuid"
window = "02:00-05:00 Europe/Berlin"
"#,
    &[
        (4, "`environments.dev.window` is empty", "leave it out to mean any time"),
        (7, "`secrets.A.window` must be text, not a whole number", "put it in quotes"),
        (
            10,
            "`secrets.B.window` is not a time of the week",
            r#"write days, hours and a time zone, such as `"Sun 02:00-05:00 Europe/Berlin"`; without days it is every day"#,
        ),
        (
            13,
            "`secrets.C.window` names a day that is none",
            "the days are `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`, ranges such as `Mon-Fri`, and lists such as `Sat,Sun`; behind the hours stands a time zone",
        ),
        (16, "`secrets.D.window` names a time that is none", "write it from `00:00` to `24:00`"),
        (19, "`secrets.E.window` begins when it ends", "`00:00-24:00` is a whole day"),
        (
            22,
            "`secrets.F.window` names a time zone, and this system has no data of any",
            "install them (`apt-get install tzdata`, `apk add tzdata`), or write `UTC` or an offset such as `+01:00`",
        ),
    ],
)];

fn with_zone(zone: &str) -> String {
    format!("[project]\nname = \"p\"\n[secrets.A]\nkind = \"uuid\"\nwindow = \"Sun 02:00-05:00 {zone}\"\n")
}

#[test]
fn a_zone_that_nobody_knows_is_told_with_the_one_that_was_probably_meant() {
    let told = |zone: &str| {
        let issues = parse_in(&with_zone(zone), "m", &SystemZones).map(drop).unwrap_err().issues;
        assert_eq!(issues[0].message, "`secrets.A.window` names a time zone that this system does not know");
        issues[0].hint.clone().unwrap()
    };
    assert_eq!(told("Europe/Belin"), "did you mean `Europe/Berlin`?");
    assert_eq!(told("europe/berlin"), "did you mean `Europe/Berlin`?");
    let otherwise = "write a name such as `Europe/Berlin`, `UTC`, or an offset such as `+01:00`";
    for zone in ["Atlantis", "../../etc/passwd", "/etc/localtime", "+25:00", "hunter2-canary"] {
        assert_eq!(told(zone), otherwise, "{zone}");
    }
}

#[test]
fn windows_stand_in_secrets_and_environments_as_one_or_as_a_list() {
    let text = r#"
[project]
name = "p"
[environments.dev]
window = ["Mon-Fri 22:00-02:00 UTC", "Sun 00:00-24:00 Europe/Berlin"]
overlap = "48h"
[secrets.A]
kind = "uuid"
[secrets.B]
kind = "uuid"
window = "02:00-05:00 -03:30"
"#;
    let manifest = parse_in(text, "m", &SystemZones).unwrap();
    let environment = manifest.environments.values().next();
    let windows = |name: &str| -> Vec<String> {
        manifest.secret(name).unwrap().windows_in(environment).iter().map(ToString::to_string).collect()
    };
    assert_eq!(windows("A"), ["Mon-Fri 22:00-02:00 UTC", "Sun 00:00-24:00 Europe/Berlin"]);
    assert_eq!(windows("B"), ["02:00-05:00 -03:30"]);
    assert_eq!(environment.unwrap().overlap.unwrap().to_string(), "2d");
    assert!(parse(text, "m").is_err(), "zones without their rules are nothing to plan by");
}
