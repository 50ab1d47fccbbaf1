//! The previous value of a secret is delivered beside the current one during its overlap, and not a moment longer.

use chrono::TimeDelta;
use serde_json::Value;
use vault_kit::name::SecretName;

use crate::support::Project;

const MANIFEST: &str = r#"
[project]
name = "shop"
keep = 1
[secrets.KEY]
kind = "random"
overlap = "24h"
[secrets.PASSWORD]
kind = "password"
[secrets.TOKEN]
kind = "token"
signed_by = "KEY"
ttl = "30d"
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["KEY"]
[outputs.json]
format = "json"
path = "secrets.json"
secrets = ["KEY"]
[outputs.docker]
format = "docker-secrets"
path = "secrets"
secrets = ["KEY", "TOKEN"]
files = { KEY = "keys/hmac.txt" }
"#;

fn key() -> SecretName {
    SecretName::new("KEY").unwrap()
}

fn pass(project: &Project, time: TimeDelta) {
    project.edit_store(|store| {
        for version in store.secrets.get_mut(&key()).unwrap() {
            version.life.replaced = version.life.replaced.map(|at| at - time);
        }
    });
}

fn reason(project: &Project, token: &str) -> Option<String> {
    let run = project.run_with_stdin(["token", "verify", "--json"], token.as_bytes());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    answer["reason"].as_str().map(str::to_owned)
}

fn findings(project: &Project) -> Vec<String> {
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    report["findings"].as_array().unwrap().iter().map(|it| format!("{}: {}", it["file"], it["message"])).collect()
}

fn lines(project: &Project) -> Vec<String> {
    project.read(".env").lines().filter(|line| line.starts_with("KEY")).map(str::to_owned).collect()
}

#[test]
fn both_values_are_delivered_until_the_overlap_ends() {
    let project = Project::initialised(MANIFEST);
    let (first, token) = (String::from_utf8(project.get("KEY")).unwrap(), project.read("secrets/token"));
    project.run(["generate", "--replace", "KEY", "--yes"]).assert_code(0);
    let second = String::from_utf8(project.get("KEY")).unwrap();
    assert_eq!(lines(&project), [format!("KEY={second}"), format!("KEY_PREVIOUS={first}")]);
    let json: Value = serde_json::from_str(&project.read("secrets.json")).unwrap();
    assert_eq!((json["KEY"].as_str(), json["KEY_PREVIOUS"].as_str()), (Some(&*second), Some(&*first)));
    assert_eq!(project.read("secrets/keys/hmac_previous.txt"), first);
    assert_eq!(project.mode("secrets/keys/hmac_previous.txt"), 0o600);
    let run = project.run(["run", "--", "env"]).assert_code(0);
    assert!(run.stdout.lines().any(|line| line == format!("KEY_PREVIOUS={first}")), "KEY_PREVIOUS is missing");
    assert_eq!(reason(&project, &token), None);
    assert_eq!(findings(&project), [] as [String; 0]);

    // One name, one previous value, and `keep = 1` does not take it away.
    project.run(["generate", "--replace", "KEY", "--yes"]).assert_code(0);
    assert_eq!(lines(&project)[1], format!("KEY_PREVIOUS={second}"));
    assert_eq!(reason(&project, &token), Some("key_retired".into()));
    assert_eq!(findings(&project), [] as [String; 0]);
}

#[test]
fn the_next_writer_after_the_overlap_takes_the_previous_value_out_again() {
    let project = Project::initialised(MANIFEST);
    let token = project.read("secrets/token");
    project.run(["generate", "--replace", "KEY", "--yes"]).assert_code(0);
    pass(&project, TimeDelta::hours(24) - TimeDelta::minutes(1));
    project.run(["render"]).assert_code(0);
    assert_eq!((lines(&project).len(), reason(&project, &token)), (2, None));
    pass(&project, TimeDelta::minutes(1));
    assert_eq!(reason(&project, &token), Some("key_retired".into()));
    let before = project.contents();
    let run = project.run(["render", "--dry-run"]).assert_code(0);
    assert!(run.stderr.contains("would remove  secrets/keys/hmac_previous.txt"), "{}", run.stderr);
    assert!(project.contents() == before);
    let run = project.run(["render"]).assert_code(0);
    assert!(run.stderr.contains("removed       secrets/keys/hmac_previous.txt"), "{}", run.stderr);
    assert_eq!(lines(&project).len(), 1);
    assert!(!project.read("secrets.json").contains("PREVIOUS"));
    assert!(!project.path("secrets/keys/hmac_previous.txt").exists());
    assert_eq!(findings(&project), [] as [String; 0]);
    let run = project.run(["run", "--", "env"]).assert_code(0);
    assert!(!run.stdout.contains("KEY_PREVIOUS"));
}

#[test]
fn a_revoked_value_has_no_overlap() {
    let project = Project::initialised(MANIFEST);
    let token = project.read("secrets/token");
    let run = project.run(["generate", "--replace", "KEY", "--revoke", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("breaks no token of `KEY`"), "{}", run.stderr);
    assert_eq!((lines(&project).len(), reason(&project, &token)), (1, Some("key_retired".into())));
    assert!(!project.path("secrets/keys/hmac_previous.txt").exists());
    let run = project.run(["generate", "--replace", "PASSWORD", "--revoke", "--yes"]).assert_code(0);
    assert!(!run.stderr.contains("breaks"), "a password signs nothing: {}", run.stderr);
    // Nor has what was replaced in the ordinary way before.
    project.run(["generate", "--replace", "KEY", "--yes"]).assert_code(0);
    assert_eq!(lines(&project).len(), 2);
    project.run(["generate", "--replace", "KEY", "--revoke", "--yes"]).assert_code(0);
    assert_eq!(lines(&project).len(), 1);
    assert!(!project.path("secrets/keys/hmac_previous.txt").exists());
    assert_eq!(findings(&project), [] as [String; 0]);
}

const SUPPLIED: &str = r#"
[project]
name = "shop"
[secrets.API_KEY]
kind = "external"
overlap = "24h"
[secrets.HMAC]
kind = "external"
[secrets.TOKEN]
kind = "token"
signed_by = "HMAC"
[outputs.env]
format = "dotenv"
path = ".env"
"#;

/// A project of supplied values, and what two values of each say.
fn supplied() -> (Project, [String; 2], [String; 2]) {
    let value = |prefix: &str, letter: &str| format!("{prefix}-Zk3vYq8mT1xWc5RbLpNs7dHfGj2u4wEa{letter}");
    let project = Project::with_manifest(SUPPLIED);
    let (keys, hmacs) = ([value("api", "1"), value("api", "2")], [value("hmac", "1"), value("hmac", "2")]);
    project.run(["init"]);
    project.run_with_stdin(["set", "API_KEY"], keys[0].as_bytes()).assert_code(0);
    project.run_with_stdin(["set", "HMAC"], hmacs[0].as_bytes()).assert_code(0);
    project.run(["generate"]).assert_code(0);
    (project, keys, hmacs)
}

#[test]
fn a_supplied_value_that_was_stolen_can_be_dropped_at_once() {
    let (project, [old, new], _) = supplied();
    let delivers = |value: &str| project.read(".env").contains(value);
    let told = "the previous `API_KEY` is dropped at once; restart who reads it: `.env` (output env)\n";
    let run = project.run_with_stdin(["set", "API_KEY", "--revoke", "--dry-run"], new.as_bytes()).assert_code(0);
    assert!(run.stderr.contains(told) && delivers(&old) && !delivers(&new), "{}", run.stderr);
    let run = project.run_with_stdin(["set", "API_KEY", "--revoke"], new.as_bytes()).assert_code(0);
    assert!(run.stderr.contains(told) && run.stderr.contains("set           API_KEY"), "{}", run.stderr);
    assert!(!delivers(&old) && delivers(&new));
    assert_eq!(findings(&project), [] as [String; 0]);
}

#[test]
fn a_previous_value_that_is_still_delivered_can_be_dropped_later() {
    let (project, [old, new], _) = supplied();
    let delivers = |value: &str| project.read(".env").contains(value);
    let run = project.run_with_stdin(["set", "API_KEY"], new.as_bytes()).assert_code(0);
    assert!(delivers(&old) && delivers(&new) && !run.stderr.contains("dropped"), "{}", run.stderr);
    let revoke = || project.run_with_stdin(["set", "API_KEY", "--revoke", "--json"], new.as_bytes()).assert_code(0);
    let answer: Value = serde_json::from_str(&revoke().stdout).unwrap();
    assert_eq!(answer["drop"], "API_KEY");
    assert!(answer["consequences"][0].as_str().unwrap().starts_with("the previous `API_KEY` is dropped at once"));
    assert!(!delivers(&old) && delivers(&new));
    let generation = project.store().generation;
    let answer: Value = serde_json::from_str(&revoke().stdout).unwrap();
    assert_eq!((answer.get("drop"), answer.get("consequences")), (None, None));
    assert_eq!(project.store().generation, generation, "there is nothing left to drop");
}

#[test]
fn a_supplied_key_without_an_overlap_is_a_hard_cut_as_a_generated_one_is() {
    let (project, _, [_, new]) = supplied();
    let order = "a hard cut: tokens of the old `HMAC` are refused from now on; restart in this order:\n  \
        1. who verifies with `HMAC`: `.env` (output env)\n  2. who holds `TOKEN`: `.env` (output env)\n";
    let run = project.run_with_stdin(["set", "HMAC"], new.as_bytes()).assert_code(0);
    assert!(run.stderr.contains(order), "{}", run.stderr);
    let run = project.run_with_stdin(["set", "HMAC"], new.as_bytes()).assert_code(0);
    assert!(!run.stderr.contains("hard cut"), "{}", run.stderr);
    let run = project.run_with_stdin(["set", "HMAC", "--revoke"], format!("{new}+").as_bytes()).assert_code(0);
    assert!(run.stderr.contains("breaks no token of `HMAC`") && run.stderr.contains(order), "{}", run.stderr);
}

#[test]
fn an_imported_key_without_an_overlap_is_a_hard_cut_that_render_completes() {
    let (project, _, [old, new]) = supplied();
    let token = String::from_utf8(project.get("TOKEN")).unwrap();
    project.write("running.env", format!("HMAC={new}\n"));
    let words = [
        "a hard cut: tokens of the old `HMAC` are refused from now on; restart in this order:",
        "`vault-kit render` delivers it with what is made of it",
    ];
    let told = |stderr: &str| words.map(|it| stderr.contains(it));
    let run = project.run(["import", "running.env"]).assert_code(0);
    assert_eq!(told(&run.stderr), [false; 2], "it was kept: {}", run.stderr);
    let run = project.run(["import", "running.env", "--replace", "--dry-run", "--json"]).assert_code(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((answer["consequences"][0].as_str(), told(&run.stderr)), (Some(words[0]), [false; 2]));
    let run = project.run(["import", "running.env", "--replace"]).assert_code(0);
    assert_eq!(told(&run.stderr), [true; 2], "{}", run.stderr);
    assert!(project.read(".env").contains(&old) && reason(&project, &token).is_some());
    project.run(["render"]).assert_code(0);
    assert!(project.read(".env").contains(&new));
    assert_eq!(reason(&project, &String::from_utf8(project.get("TOKEN")).unwrap()), None);
    assert_eq!(findings(&project), [] as [String; 0]);
}

#[test]
fn a_hard_cut_is_called_one_with_the_order_in_which_to_restart() {
    let replace = ["generate", "--replace", "KEY"];
    let order = "a hard cut: tokens of the old `KEY` are refused from now on; restart in this order:\n  \
        1. who verifies with `KEY`: `secrets/keys/hmac.txt` (output docker), `.env` (output env), `secrets.json` (output json)\n  \
        2. who holds `TOKEN`: `secrets/token` (output docker)\n";
    let project = Project::initialised(&MANIFEST.replace("overlap = \"24h\"", ""));
    let run = project.run(replace.iter().chain(&["--dry-run"])).assert_code(0);
    assert!(run.stderr.contains(order), "{}", run.stderr);
    let run = project.run(replace.iter().chain(&["--yes"])).assert_code(0);
    assert!(run.stderr.contains(order), "{}", run.stderr);
    let run = project.run(replace).assert_code(2);
    assert!(run.stderr.contains("the old ones stop working"), "{}", run.stderr);
    let with_overlap = Project::initialised(MANIFEST);
    let run = with_overlap.run(replace).assert_code(2);
    assert!(run.stderr.contains("the old ones serve for their overlap"), "{}", run.stderr);
    let run = with_overlap.run(replace.iter().chain(&["--dry-run"])).assert_code(0);
    assert!(!run.stderr.contains("hard cut"), "{}", run.stderr);
}

#[test]
fn check_finds_a_previous_value_that_nobody_took_out() {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "KEY", "--yes"]).assert_code(0);
    let mut ledger = project.ledger();
    ledger.secrets.get_mut(&key()).unwrap().beside[0].until -= TimeDelta::hours(25);
    project.write(".vault-kit/dev.ledger.jsonl", ledger.to_bytes().unwrap());
    let mut found = findings(&project);
    found.sort();
    let stale = |file: &str| format!("\"{file}\": \"still carries, past the overlap, `KEY_PREVIOUS`\"");
    assert_eq!(found, [stale(".env"), stale("secrets.json"), stale("secrets/keys/hmac_previous.txt")]);
}

#[test]
fn an_edited_file_is_judged_by_both_values() {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "KEY", "--yes"]).assert_code(0);
    let text = project.read(".env");
    project.write(".env", format!("{text}# a remark\n"));
    assert_eq!(findings(&project), [] as [String; 0]);
    project.write(".env", text.replace("KEY_PREVIOUS=", "KEY_PREVIOUS=x"));
    let found = findings(&project);
    assert_eq!(found, ["\".env\": \"does not hold the current value of `KEY_PREVIOUS`\""]);
}
