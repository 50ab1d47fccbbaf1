//! `apikey`: keys that are issued to others.

use chrono::{TimeDelta, Utc};
use vault_kit::generate::api_key::checksum_is_right;
use vault_kit::secret::digest::sha256_hex;

use crate::shop::{error_code, json};
use crate::support::{Project, Run, program, skip};

const MANIFEST: &str = r#"
[project]
name = "my.shop"

[environments.dev]
[environments.prod]

[outputs.keys]
format = "api-keys"
path = "auth/api-keys.json"
environments = ["dev"]
"#;

const DOCUMENT: &str = "auth/api-keys.json";

fn shop() -> Project {
    Project::initialised(MANIFEST)
}

/// Issues a key and takes it from stdout.
#[track_caller]
fn issue(project: &Project, arguments: &[&str]) -> String {
    let run = project.run([&["apikey", "new"], arguments].concat()).assert_code(0);
    run.stdout.strip_suffix('\n').unwrap().to_owned()
}

#[track_caller]
fn verify(project: &Project, key: &str, arguments: &[&str]) -> Run {
    project.run_with_stdin([&["--json", "apikey", "verify"], arguments].concat(), key.as_bytes())
}

/// Why a key is refused.
#[track_caller]
fn reason(project: &Project, key: &str, arguments: &[&str]) -> String {
    let run = verify(project, key, arguments).assert_code(1);
    let answer = json(&run);
    assert_eq!((&answer["valid"], error_code(&run)), (&false.into(), "api-key-refused".to_owned()));
    answer["reason"].as_str().unwrap().to_owned()
}

fn list(project: &Project) -> Vec<serde_json::Value> {
    json(&project.run(["--json", "apikey", "list"]).assert_code(0))["keys"].as_array().unwrap().clone()
}

/// Moves everything in the store's records by days.
fn age(project: &Project, days: i64) {
    project.edit_store(|store| {
        for record in store.issued.api_keys.values_mut() {
            record.created -= TimeDelta::days(days);
            record.expires = record.expires.map(|at| at - TimeDelta::days(days));
            record.revoked = record.revoked.map(|at| at - TimeDelta::days(days));
        }
    });
}

#[test]
fn a_key_is_all_that_stands_on_stdout_and_only_its_hash_is_kept() {
    let project = shop();
    let run = project.run(["apikey", "new", "acme", "--role", "reader"]).assert_code(0);
    let key = run.stdout.strip_suffix('\n').unwrap();
    assert!(key.starts_with("my_shop_dev_") && checksum_is_right(key) && key.len() == 12 + 36, "{key}");
    assert!(run.stderr.contains("shown once") && !run.stderr.contains(&key[12..]), "{run:?}");
    let store = project.store();
    let (id, record) = store.issued.api_keys.first_key_value().unwrap();
    assert_eq!((record.name.as_str(), record.role.as_deref()), ("acme", Some("reader")));
    assert_eq!((&record.sha256, record.last_four.as_str()), (&sha256_hex(key.as_bytes()), &key[key.len() - 4..]));
    assert_eq!(record.expires, Some(record.created + TimeDelta::days(365)));
    assert!(record.sha256.starts_with(id.as_str()));
    let answer = json(&verify(&project, &format!("{key}\n"), &[]).assert_code(0));
    assert_eq!((&answer["valid"], &answer["key"]["id"]), (&true.into(), &id.as_str().into()));
    let line = project.read(".vault-kit/audit.jsonl").lines().last().unwrap().to_owned();
    assert!(line.contains("\"action\":\"apikey-new\"") && line.contains(&format!("\"records\":[\"{id}\"]")), "{line}");
}

#[test]
fn a_key_that_nobody_would_see_is_not_issued() {
    let project = shop();
    let before = project.contents();
    for closed in ["exec \"$@\" >&-", "exec \"$@\" >/dev/null"] {
        let run = Run::of(&mut project.command_under(["sh", "-c", closed, "sh"], ["apikey", "new", "acme"]));
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains("error: the key would be shown to nobody"), "{run:?}");
        assert!(project.contents() == before, "{closed}");
    }
    let run =
        Run::of(&mut project.command_under(["sh", "-c", "exec \"$@\" >&-", "sh"], ["apikey", "new", "acme", "-n"]));
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn json_has_the_key_once_and_a_dry_run_has_none_and_changes_nothing() {
    let project = shop();
    let before = project.contents();
    for arguments in [&["apikey", "new", "acme", "-n"][..], &["--json", "apikey", "new", "acme", "--dry-run"]] {
        let run = project.run(arguments).assert_code(0);
        assert!(!run.both().contains("my_shop_dev_"), "{run:?}");
    }
    assert!(project.contents() == before);
    let arguments = ["--json", "apikey", "new", "acme", "--expires", "never", "--prefix", "k_", "--role", "r"];
    let answer = json(&project.run(arguments).assert_code(0));
    let key = answer["key"].as_str().unwrap();
    assert!(key.starts_with("k_") && checksum_is_right(key));
    assert_eq!((&answer["expires"], &answer["role"]), (&serde_json::Value::Null, &"r".into()));
    verify(&project, key, &[]).assert_code(0);
}

#[test]
fn a_second_key_ends_the_first_and_a_third_is_refused_with_the_command_that_makes_room() {
    let project = shop();
    let first = issue(&project, &["acme", "--role", "reader"]);
    let run = project.run(["apikey", "new", "acme", "--grace", "2h"]).assert_code(0);
    assert!(run.stderr.contains("warning: the older key has the role reader, and this one has none"), "{run:?}");
    let second = run.stdout.trim_end().to_owned();
    let rows = list(&project);
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&"ending".into(), &"live".into()));
    assert_eq!(rows[0]["successor"], rows[1]["id"]);
    let end: chrono::DateTime<Utc> = rows[0]["expires"].as_str().unwrap().parse().unwrap();
    assert!((TimeDelta::minutes(119)..=TimeDelta::hours(2)).contains(&(end - Utc::now())), "{end}");
    let before = project.contents();
    let run = project.run(["--json", "apikey", "new", "acme"]).assert_code(7);
    assert_eq!(error_code(&run), "too-many-keys");
    assert!(project.contents() == before);
    let hint = json(&run)["errors"][0]["fix"][0].as_str().unwrap().to_owned();
    assert_eq!(hint, format!("take the older one back: `vault-kit apikey revoke {}`", rows[0]["id"].as_str().unwrap()));
    let command: Vec<&str> = hint.split('`').nth(1).unwrap().split(' ').skip(1).chain(["--yes"]).collect();
    project.run(command).assert_code(0);
    let third = issue(&project, &["acme"]);
    assert_eq!(reason(&project, &first, &[]), "revoked");
    for key in [&second, &third] {
        verify(&project, key, &[]).assert_code(0);
    }
    issue(&project, &["other"]);
}

#[test]
fn a_key_that_is_refused_says_why_and_a_typing_error_needs_no_store() {
    let project = shop();
    let key = issue(&project, &["acme", "--role", "reader", "--expires", "2d"]);
    let swapped: String = key.chars().rev().collect();
    assert_eq!(reason(&project, &swapped, &[]), "checksum");
    assert_eq!(reason(&project, "", &[]), "malformed");
    assert_eq!(reason(&project, &format!("{key}\n\n"), &[]), "malformed");
    assert_eq!(reason(&project, &key, &["--require-role", "admin"]), "role_denied");
    verify(&project, &key, &["--require-role", "admin", "--require-role", "reader"]).assert_code(0);
    let elsewhere = shop();
    assert_eq!(reason(&elsewhere, &key, &[]), "unknown");
    age(&project, 2);
    assert_eq!(reason(&project, &key, &[]), "expired");
    let nowhere = Project::empty();
    assert_eq!(reason(&nowhere, &swapped, &[]), "checksum");
    verify(&nowhere, &key, &[]).assert_code(3);
}

#[test]
fn revoking_by_name_takes_one_key_and_two_only_with_all() {
    let project = shop();
    let keys = [issue(&project, &["acme"]), issue(&project, &["acme"])];
    let before = project.contents();
    let run = project.run(["apikey", "revoke", "acme", "--yes"]).assert_code(2);
    assert!(run.stderr.contains("vault-kit apikey revoke acme --all"), "{run:?}");
    project.run(["apikey", "revoke", "acme", "--all", "-n"]).assert_code(0);
    assert_eq!(
        error_code(&project.run(["--json", "apikey", "revoke", "acme", "--all"]).assert_code(2)),
        "confirmation-needed"
    );
    let run = project.run(["apikey", "revoke", "acmee", "--yes"]).assert_code(2);
    assert!(run.stderr.contains("did you mean `acme`?"), "{run:?}");
    // A key that somebody pastes where its id belongs is not said again.
    let run = project.run(["apikey", "revoke", &keys[0], "--yes"]).assert_code(2);
    assert!(!run.both().contains(&keys[0]), "{run:?}");
    assert!(project.contents() == before);
    project.run(["apikey", "revoke", "acme", "--all", "--yes"]).assert_code(0);
    for key in &keys {
        assert_eq!(reason(&project, key, &[]), "revoked");
    }
    let before = project.contents();
    let run = project.run(["apikey", "revoke", "acme", "--yes"]).assert_code(0);
    let after = project.contents();
    let changed: Vec<_> = after.iter().filter(|(path, entry)| before.get(*path) != Some(entry)).collect();
    assert!(run.stderr.contains("nothing to do") && after.len() == before.len() && changed.is_empty(), "{changed:?}");
}

#[test]
fn the_list_tells_all_four_states_and_forgets_what_ended_long_ago() {
    let project = shop();
    issue(&project, &["gone", "--expires", "1d"]);
    age(&project, 30);
    issue(&project, &["a", "--expires", "never"]);
    issue(&project, &["a"]);
    issue(&project, &["b"]);
    project.run(["apikey", "revoke", "b", "--yes"]).assert_code(0);
    let text = project.run(["apikey", "list"]).assert_code(0).stdout;
    let states: Vec<_> = text.lines().map(|line| line.split_whitespace().nth(3).unwrap()).collect();
    assert_eq!(states, ["STATE", "ending", "live", "revoked", "expired"], "{text}");
    age(&project, 75);
    assert_eq!(list(&project).len(), 4);
    issue(&project, &["c"]);
    let names: Vec<_> = list(&project).iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["a", "a", "b", "c"]);
}

#[test]
fn a_list_without_the_identity_says_what_it_needs() {
    let project = shop();
    std::fs::remove_file(project.identity()).unwrap();
    let run = project.run(["--json", "apikey", "list"]).assert_code(4);
    assert_eq!(error_code(&run), "identity-missing");
}

#[test]
fn words_that_are_no_names_roles_or_prefixes_are_refused() {
    let project = shop();
    for arguments in [
        &["a b"][..],
        &[""],
        &["-x"],
        &["0123456789ab"],
        &["a", "--role", "r,s"],
        &["a", "--prefix", "k-"],
        &["a", "--expires", "soon"],
        &["a", "--grace", "0d"],
    ] {
        project.run([&["apikey", "new"], arguments].concat()).assert_code(2);
    }
    assert!(list(&project).is_empty());
}

#[test]
fn keys_of_another_environment_are_others() {
    let project = shop();
    project.run(["-e", "prod", "init"]).assert_code(0);
    let key = project.run(["-e", "prod", "apikey", "new", "acme"]).assert_code(0).stdout;
    assert!(key.starts_with("my_shop_prod_"), "{key}");
    assert_eq!(reason(&project, &key, &[]), "unknown");
    verify(&project, &key, &["-e", "prod"]).assert_code(0);
}

#[test]
fn the_delivered_document_follows_every_change_and_judges_without_a_store() {
    let project = shop();
    assert_eq!(json_file(&project)["keys"], serde_json::json!([]));
    assert_eq!(project.mode(DOCUMENT), 0o600);
    let first = issue(&project, &["acme", "--role", "reader"]);
    let second = issue(&project, &["acme", "--expires", "never"]);
    let keys = json_file(&project)["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    let entry = keys.iter().find(|it| it["sha256"] == sha256_hex(first.as_bytes())).unwrap();
    assert_eq!((&entry["name"], &entry["role"]), (&"acme".into(), &"reader".into()));
    let lasting = keys.iter().find(|it| it["sha256"] == sha256_hex(second.as_bytes())).unwrap();
    assert!(lasting.get("expires").is_none() && lasting["created"].is_i64(), "{lasting}");
    project.run(["check"]).assert_code(0);
    let nowhere = Project::empty();
    nowhere.write("keys.json", project.read(DOCUMENT));
    let by_file = ["--keys", "keys.json"];
    verify(&nowhere, &first, &[&by_file[..], &["--require-role", "reader"]].concat()).assert_code(0);
    assert_eq!(reason(&nowhere, &second, &[&by_file[..], &["--require-role", "reader"]].concat()), "role_denied");
    project.run(["apikey", "revoke", "acme", "--all", "--yes"]).assert_code(0);
    nowhere.write("keys.json", project.read(DOCUMENT));
    assert_eq!(reason(&nowhere, &first, &by_file), "unknown");
    project.run(["check"]).assert_code(0);
}

#[test]
fn check_finds_a_document_that_is_missing_old_or_altered_without_the_identity() {
    let project = shop();
    let before = project.read(DOCUMENT);
    issue(&project, &["acme"]);
    let now = project.read(DOCUMENT);
    std::fs::remove_file(project.identity()).unwrap();
    let finding = || {
        let answer = json(&project.run(["--json", "check"]).assert_code(1));
        let findings = answer["findings"].as_array().unwrap().clone();
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0]["file"], DOCUMENT);
        findings[0]["code"].as_str().unwrap().to_owned()
    };
    project.run(["check"]).assert_code(0);
    std::fs::remove_file(project.path(DOCUMENT)).unwrap();
    assert_eq!(finding(), "missing");
    write_private(&project, &before);
    assert_eq!(finding(), "stale");
    // The right words in another file are the right words.
    write_private(&project, &now);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_revocation_that_was_not_delivered_is_delivered_by_the_next_try() {
    let project = shop();
    issue(&project, &["acme"]);
    let before = project.read(DOCUMENT);
    project.run(["apikey", "revoke", "acme", "--yes"]).assert_code(0);
    write_private(&project, &before);
    let run = project.run(["apikey", "revoke", "acme", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("no such key is good any more"), "{run:?}");
    assert!(json_file(&project)["keys"].as_array().unwrap().is_empty());
}

#[test]
fn a_document_that_a_killed_writer_did_not_bring_up_to_date_is_stale_until_render() {
    let project = shop();
    let before = project.read(DOCUMENT);
    issue(&project, &["acme"]);
    // Store and ledger of the change, and the file of before: as a kill between them leaves it.
    write_private(&project, &before);
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("does not say what the store says now"), "{run:?}");
    project.run(["render"]).assert_code(0);
    assert_eq!(json_file(&project)["keys"].as_array().unwrap().len(), 1);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_python_service_judges_by_the_document() {
    let Some(python) = program("python3") else {
        return skip("a_python_service_judges_by_the_document", "no python3");
    };
    let project = shop();
    let good = issue(&project, &["acme", "--role", "reader", "--expires", "2d"]);
    let lasting = issue(&project, &["lasting", "--expires", "never"]);
    let revoked = issue(&project, &["revoked"]);
    project.run(["apikey", "revoke", "revoked", "--yes"]).assert_code(0);
    let ask = |key: &str| {
        let mut command = std::process::Command::new(&python);
        command.arg("-c").arg(readme_program()).arg(project.path(DOCUMENT));
        Run::with_stdin(&mut command, key.as_bytes())
    };
    assert_eq!(ask(&good).assert_code(0).stdout, "acme reader\n");
    assert_eq!(ask(&lasting).assert_code(0).stdout, "lasting None\n");
    for key in [&revoked, "no key", ""] {
        assert_eq!(ask(key).assert_code(1).stdout, "");
    }
    age(&project, 2);
    project.run(["render"]).assert_code(0);
    assert_eq!(ask(&good).assert_code(1).stdout, "");
    ask(&lasting).assert_code(0);
}

/// The program of the README, as it stands there.
fn readme_program() -> String {
    let readme = std::fs::read_to_string(crate::support::root().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn json_file(project: &Project) -> serde_json::Value {
    serde_json::from_str(&project.read(DOCUMENT)).unwrap()
}

/// Replaces the document by a file of its mode.
fn write_private(project: &Project, text: &str) {
    project.write(DOCUMENT, text);
    crate::support::set_mode(&project.path(DOCUMENT), 0o600);
}

#[test]
fn a_key_is_revoked_whatever_stands_in_the_place_of_another_file() {
    let secret = "[secrets.AUTH]\nkind = \"random\"\n";
    let project = Project::initialised(&format!("{MANIFEST}{secret}"));
    let (key, other) = (issue(&project, &["acme"]), issue(&project, &["other"]));
    let more = "[outputs.auth]\nformat = \"docker-secrets\"\npath = \".secrets\"\nsecrets = [\"AUTH\"]\n";
    project.write("vault-kit.toml", format!("{MANIFEST}{secret}{more}"));
    project.write(".secrets/auth", "by hand");
    let before = project.snapshot();
    let run = project.run(["apikey", "revoke", "acme", "-n"]).assert_code(8);
    assert!(run.stderr.contains("would revoke") && run.stderr.contains("`.secrets/auth` is there already"), "{run:?}");
    assert!(project.snapshot() == before, "a dry run writes nothing");

    let run = project.run(["apikey", "revoke", "acme", "--yes"]).assert_code(8);
    for words in ["revoked API key", "`.secrets/auth` is there already", "finish with `vault-kit render`"] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert_eq!(reason(&project, &key, &[]), "revoked");
    assert_eq!(reason(&project, &key, &["--keys", DOCUMENT]), "unknown");
    assert_eq!(project.read(".secrets/auth"), "by hand");
    let run = project.run(["--json", "apikey", "revoke", "other", "--yes"]).assert_code(8);
    assert_eq!(
        (&json(&run)["errors"][0]["code"], reason(&project, &other, &[])),
        (&"foreign-file".into(), "revoked".into())
    );
    // What is left is told again by whoever writes files, until it is put right.
    project.run(["render"]).assert_code(7);
    std::fs::remove_file(project.path(".secrets/auth")).unwrap();
    project.run(["render"]).assert_code(0);
    project.run(["apikey", "revoke", "acme", "--yes"]).assert_code(0);
}
