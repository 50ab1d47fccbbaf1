//! What `check` ends with, what it prints and what it leaves in files say the same, whatever fails and whatever is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::shop::json;
use crate::support::{Project, Run};

/// What is found in the project, from the lightest to the gravest.
const FOUND: [(&str, &str); 3] = [("allow-unused", "notice"), ("undeclared", "warning"), ("missing", "error")];

/// The severities in their order.
const SEVERITIES: [&str; 3] = ["notice", "warning", "error"];

/// One finding of each severity, with a word that XML, Markdown and workflow commands must escape.
fn project() -> Project {
    let head = "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n";
    let project = Project::initialised(&format!("{head}[secrets.B]\nkind = \"random\"\n"));
    let until = (chrono::Utc::now() + chrono::TimeDelta::days(30)).format("%Y-%m-%d");
    let allow =
        format!("[[check.allow]]\ncode = \"expired\"\nsecret = \"A\"\nreason = \"<&|%>\"\nuntil = \"{until}\"\n");
    project.write("vault-kit.toml", format!("{head}[secrets.C]\nkind = \"external\"\n{allow}"));
    project
}

/// What of a text stands between two others, each time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).map(|rest| rest.split(to).next().unwrap()).collect()
}

/// Code and severity of each finding, by form of the report; of `JUnit` those that fail alone.
fn told(project: &Project, run: &Run) -> BTreeMap<&'static str, BTreeSet<(String, String)>> {
    let pair = |code: &str, severity: &str| (code.to_owned(), severity.to_owned());
    let human = run.stdout.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| {
        let (code, rest) = line.split_once("  ")?;
        // An error is not called one.
        let severity = SEVERITIES.iter().find(|it| rest.contains(&format!("  {it}: "))).unwrap_or(&"error");
        Some(pair(code, severity))
    });
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let report: Value = serde_json::from_str(&project.read("r.json")).unwrap();
    let json = report["findings"].as_array().unwrap().iter().map(|it| (text(&it["code"]), text(&it["severity"])));
    let sarif: Value = serde_json::from_str(&project.read("r.sarif")).unwrap();
    let sarif = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let sarif = sarif.map(|it| (text(&it["ruleId"]), text(&it["level"]).replace("note", "notice")));
    let junit = project.read("r.xml");
    let failures = between(&junit, "<failure type=\"", "</failure>");
    let failed: BTreeSet<_> =
        failures.iter().map(|it| pair(it.split('"').next().unwrap(), between(it, "message=\"", ":")[0])).collect();
    for count in between(&junit, " failures=\"", "\"") {
        assert_eq!(count, failed.len().to_string(), "{junit}");
    }
    let github = project.read("r.github");
    let github = github.lines().filter_map(|line| {
        let (severity, rest) = line.strip_prefix("::")?.split_once(' ')?;
        Some(pair(between(rest, "title=", " ")[0].split("::").next().unwrap(), severity))
    });
    let github = github.collect();
    let all = [("human", human.collect()), ("json", json.collect()), ("sarif", sarif.collect())];
    all.into_iter().chain([("junit", failed), ("github", github)]).collect()
}

#[test]
fn exit_status_printed_findings_and_every_report_agree_whatever_fails_and_is_left_out() {
    let project = project();
    let codes = FOUND.map(|(code, _)| code);
    let formats = ["json=r.json", "sarif=r.sarif", "junit=r.xml", "github=r.github"];
    // Each set of the three codes, by both flags.
    for set in 0..8_u8 {
        for flag in ["--only", "--skip"] {
            let named: Vec<&str> = (0..3).filter(|at| set >> at & 1 == 1).map(|at| codes[at]).collect();
            let is_shown = |code: &str| named.is_empty() || named.contains(&code) == (flag == "--only");
            for (least, fail_on) in SEVERITIES.iter().enumerate() {
                let mut arguments = vec!["check", "--fail-on", fail_on];
                arguments.extend(named.iter().flat_map(|code| [flag, code]));
                arguments.extend(formats.iter().flat_map(|it| ["--format", it]));
                let run = project.run(&arguments);

                let shown = FOUND.into_iter().enumerate().filter(|(_, (code, _))| is_shown(code));
                let shown: Vec<(usize, (&str, &str))> = shown.collect();
                let owned = |(code, severity): (&str, &str)| (code.to_owned(), severity.to_owned());
                let all: BTreeSet<_> = shown.iter().map(|&(_, it)| owned(it)).collect();
                let failing: BTreeSet<_> =
                    shown.iter().filter(|(at, _)| *at >= least).map(|&(_, it)| owned(it)).collect();
                assert_eq!(run.code, i32::from(!failing.is_empty()), "{arguments:?}: {run:?}");
                for (form, told) in told(&project, &run) {
                    assert_eq!(
                        told,
                        if form == "junit" { failing.clone() } else { all.clone() },
                        "{form} {arguments:?}"
                    );
                }
                assert_eq!(run.stdout.contains("no problem found"), all.is_empty(), "{run:?}");
                let left_out = serde_json::json!(FOUND.len() - all.len());
                let report: Value = serde_json::from_str(&project.read("r.json")).unwrap();
                assert_eq!(report["left_out"]["codes"], left_out, "{arguments:?}");
            }
        }
    }
}

#[test]
fn what_could_not_be_looked_at_fails_the_run_and_in_every_report_or_in_none() {
    let project =
        Project::initialised("[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\npattern = \"^.{8}\"\n");
    let manifest = project.read("vault-kit.toml");
    // Without the identity nobody can tell whether the value matches what is asked of it now.
    project.write("vault-kit.toml", manifest.replace("{8}", "{9}"));
    std::fs::remove_file(project.identity()).unwrap();
    for (strict, code) in [(&[][..], 0), (&["--strict"], 1)] {
        let report = json(&project.run([&["check", "--json"], strict].concat()).assert_code(code));
        assert_eq!(report["not_checked"].as_array().unwrap().len(), 1, "{report}");
        let junit = project.run([&["check", "--format", "junit"], strict].concat()).assert_code(code).stdout;
        assert_eq!(junit.matches("<failure type=\"not-checked\"").count(), usize::try_from(code).unwrap(), "{junit}");
        let sarif = json(&project.run([&["check", "--format", "sarif"], strict].concat()).assert_code(code));
        let told = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"];
        assert_eq!(told[0]["level"], if code == 1 { "error" } else { "note" }, "{told}");
        let github = project.run([&["check", "--format", "github"], strict].concat()).assert_code(code).stdout;
        assert!(github.starts_with(if code == 1 { "::error title=not" } else { "::notice title=not" }), "{github}");
    }
}
