//! That no text of a finding, whatever a path holds, breaks the form that it is told in.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use proptest::prelude::*;

use super::human::tests::report;
use super::{Frame, github, human, json, junit, sarif};
use crate::check::{Allowed, Code, Finding, NotChecked, Place, Report, Severity};
use crate::name::SecretName;

fn frame() -> Frame {
    let lines = BTreeMap::from([(SecretName::new("POSTGRES_PASSWORD").unwrap(), 12)]);
    let (manifest, prefix) = ("vault-kit.toml".to_owned(), "deploy/".to_owned());
    Frame { manifest, prefix, lines, fail_on: Severity::Warning, strict: false }
}

/// What means something to one of the readers.
const PIECES: [&str; 28] = [
    "\n",
    "\r\n",
    "%",
    "%0A",
    "::",
    "::error::",
    "##[error]",
    "]]>",
    "<!--",
    "&lt;",
    "\"",
    "'",
    "|",
    "`",
    "\u{1b}[2J",
    "\0",
    "\u{202e}",
    "\u{85}",
    "\u{fffe}",
    "\u{fffd}",
    "@all",
    "<img src=x>",
    "https://x",
    ",",
    ":",
    "a b",
    "ä",
    "\\",
];

/// Pieces that mean something to one of the readers, and any character.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(&PIECES[..]).prop_map(str::to_owned),
        any::<char>().prop_map(String::from)
    ];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

/// The text wherever a report takes one.
fn with(text: &str) -> Report {
    let finding = |code| Finding::new(code, text, text).of_file(text);
    let (reason, until) = (text.to_owned(), NaiveDate::from_ymd_opt(2026, 12, 31).unwrap());
    Report {
        findings: vec![finding(Code::Stale), finding(Code::Expiring).at_line(3), finding(Code::AllowUnused)],
        allowed: vec![Allowed { finding: finding(Code::Weak), reason, until }],
        not_checked: vec![NotChecked { what: text.to_owned(), why: text.to_owned() }],
        ..report()
    }
}

fn steers(text: &str) -> bool {
    let is_ours = |it: char| it == '\n';
    text.chars().any(|it| !is_ours(it) && super::words::plain(&it.to_string()) != it.to_string())
}

/// Command, properties and message of a line, by the rules of the runner's parser.
fn command(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, message) = line.strip_prefix("::").and_then(|rest| rest.split_once("::")).expect("a command");
    let (name, properties) = head.split_once(' ').expect("properties");
    let decoded = |text: &str| {
        let text = text.replace("%2C", ",").replace("%3A", ":").replace("%0A", "\n").replace("%0D", "\r");
        text.replace("%25", "%")
    };
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').expect("a value");
        (key.to_owned(), decoded(value))
    };
    let message = message.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
    (name.to_owned(), properties.split(',').map(pair).collect(), message)
}

proptest! {
    #[test]
    fn nothing_that_a_path_holds_leaves_its_place(text in hostile()) {
        let (report, frame) = (with(&text), frame());
        let plain = super::words::plain(&text);

        let words = human::render(&report, false);
        prop_assert!(!steers(&words));
        prop_assert_eq!(words.lines().count(), 3 * 2 + 1 + 1 + 1);

        let lines = github::render(&report, &frame);
        prop_assert!(!steers(&lines));
        let lines: Vec<&str> = lines.lines().collect();
        prop_assert_eq!(lines.len(), 3 + 1 + 1);
        for (line, (name, finding)) in lines.iter().zip(["error", "warning", "notice"].iter().zip(&report.findings)) {
            let (command, properties, message) = command(line);
            prop_assert_eq!(&command, name);
            let file = if text.starts_with('/') { plain.clone() } else { format!("deploy/{plain}") };
            prop_assert_eq!(&properties["file"], &file);
            prop_assert_eq!(properties.get("line").cloned(), finding.line.map(|line| line.to_string()));
            prop_assert!(properties["title"].starts_with(finding.code.text()));
            prop_assert!(message.ends_with(&["\nfix: ", &plain].concat()));
        }
        let summary = github::step_summary(&report, &frame);
        prop_assert!(!steers(&summary) && !summary.contains("<img") && !summary.contains("@all") && !summary.contains("://"));
        prop_assert_eq!(summary.lines().filter(|line| line.starts_with("| ")).count(), 3 + 1);

        let object: serde_json::Value = serde_json::from_str(&json::render(&report).unwrap()).unwrap();
        prop_assert_eq!(object["findings"][0]["file"].as_str(), Some(text.as_str()));
        let log: serde_json::Value = serde_json::from_str(&sarif::render(&report, &frame).unwrap()).unwrap();
        let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        prop_assert!(uri.as_str().unwrap().bytes().all(|byte| byte.is_ascii_graphic() && byte != b':' || text.starts_with('/')));
        prop_assert!(!steers(&serde_json::to_string(&log["runs"][0]["results"]).unwrap()));

        let xml = junit::render(&report, &frame);
        prop_assert!(!steers(&xml));
        // Every angle bracket is a tag's: each line opens as often as it closes, and none is inside of a value.
        for line in xml.lines() {
            prop_assert_eq!(line.matches('<').count(), line.matches('>').count());
            prop_assert!(line.trim_start().starts_with('<') && line.ends_with('>'));
            prop_assert_eq!(line.matches('"').count() % 2, 0);
            prop_assert!(line.split('&').skip(1).all(|rest| ["amp;", "lt;", "gt;", "quot;", "#10;"].iter().any(|it| rest.starts_with(it))));
        }
    }
}

#[test]
fn github_is_told_the_file_from_the_top_and_where_a_secret_is_declared() {
    let text = github::render(&report(), &frame());
    let expected = "\
::error file=deploy/.env,title=mode-too-open .env::.env mode 0644 is wider than the declared 0600%0Afix: chmod 0600 .env
::error file=deploy/vault-kit.toml,line=12,title=missing POSTGRES_PASSWORD::POSTGRES_PASSWORD has no value yet%0Afix: vault-kit generate POSTGRES_PASSWORD
::notice title=not checked::git: its index is damaged
dev: looked at 3 secrets, 1 file: 2 problems found; 1 item not checked
";
    assert_eq!(text, expected);
    let strict = Frame { strict: true, ..frame() };
    assert!(github::render(&report(), &strict).contains("::error title=not checked::"));
}

#[test]
fn the_summary_of_a_step_is_a_table() {
    let expected = "\
### vault-kit check

dev&#58; looked at 3 secrets, 1 file&#58; 2 problems found; 1 item not checked

| | code | about | what | fix |
|---|---|---|---|---|
| ✗ error | mode-too-open | .env | mode 0644 is wider than the declared 0600 | chmod 0600 .env |
| ✗ error | missing | POSTGRES\\_PASSWORD | has no value yet | vault-kit generate POSTGRES\\_PASSWORD |

- not checked: git: its index is damaged
";
    assert_eq!(github::step_summary(&report(), &frame()), expected);
    let many = vec![report().findings[0].clone(); 600];
    let summary = github::step_summary(&Report { findings: many, ..report() }, &frame());
    assert!(summary.contains("\n… and 100 more\n") && summary.len() < 1 << 20);
}

#[test]
fn junit_has_a_suite_for_each_place_and_shows_what_passed() {
    let mut report = report();
    report.places = vec![Place::Host, Place::Repo];
    report.findings.push(Finding::new(Code::AllowUnused, "is not found", "take it out").of_file("vault-kit.toml"));
    report.findings[2].place = Some(Place::Repo);
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="vault-kit check" tests="8" failures="2" errors="0">
  <testsuite name="vault-kit check host (dev)" tests="5" failures="2" errors="0" skipped="0" time="0" timestamp="2027-01-15T08:00:00">
    <testcase name="manifest" classname="vault-kit check host" time="0"><system-out>the manifest is valid</system-out></testcase>
    <testcase name="looked at: secret" classname="vault-kit check host" time="0"><system-out>looked at 3 secrets</system-out></testcase>
    <testcase name="looked at: file" classname="vault-kit check host" time="0"><system-out>looked at 1 file</system-out></testcase>
    <testcase name="mode-too-open .env" classname="vault-kit check host" time="0"><failure type="mode-too-open" message="error: .env mode 0644 is wider than the declared 0600">fix: chmod 0600 .env&#10;more: vault-kit explain mode-too-open</failure></testcase>
    <testcase name="missing POSTGRES_PASSWORD" classname="vault-kit check host" time="0"><failure type="missing" message="error: POSTGRES_PASSWORD has no value yet">fix: vault-kit generate POSTGRES_PASSWORD&#10;more: vault-kit explain missing</failure></testcase>
  </testsuite>
  <testsuite name="vault-kit check repo (dev)" tests="2" failures="0" errors="0" skipped="0" time="0" timestamp="2027-01-15T08:00:00">
    <testcase name="manifest" classname="vault-kit check repo" time="0"><system-out>the manifest is valid</system-out></testcase>
    <testcase name="allow-unused vault-kit.toml" classname="vault-kit check repo" time="0"><system-out>notice: vault-kit.toml is not found&#10;fix: take it out&#10;more: vault-kit explain allow-unused</system-out></testcase>
  </testsuite>
  <testsuite name="vault-kit check: not checked (dev)" tests="1" failures="0" errors="0" skipped="1" time="0" timestamp="2027-01-15T08:00:00">
    <testcase name="git" classname="vault-kit check: not checked" time="0"><skipped>not checked: its index is damaged</skipped></testcase>
  </testsuite>
</testsuites>
"#;
    assert_eq!(junit::render(&report, &frame()), expected);
}

#[test]
fn a_sarif_result_keeps_its_fingerprint_when_words_and_lines_change() {
    let result = |report: &Report, at: usize| -> serde_json::Value {
        let log: serde_json::Value = serde_json::from_str(&sarif::render(report, &frame()).unwrap()).unwrap();
        log["runs"][0]["results"][at].clone()
    };
    let first = result(&report(), 1);
    assert_eq!((&first["ruleId"], &first["level"]), (&"missing".into(), &"error".into()));
    let location = &first["locations"][0];
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "deploy/vault-kit.toml");
    assert_eq!(location["physicalLocation"]["region"]["startLine"], 12);
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "dev/POSTGRES_PASSWORD");
    let mut later = report();
    later.findings[1].message = "has had no value for 5 days".into();
    later.findings[1].line = Some(99);
    assert_eq!(result(&later, 1)["partialFingerprints"], first["partialFingerprints"]);
    // Two of one identity are told apart, and others are others.
    later.findings.push(later.findings[1].clone());
    let prints =
        [0, 1, 2].map(|at| result(&later, at)["partialFingerprints"]["vaultKit/v1"].as_str().unwrap().to_owned());
    assert!(prints[1].ends_with(":1") && prints[2] == prints[1].replace(":1", ":2") && prints[0] != prints[1]);
}
