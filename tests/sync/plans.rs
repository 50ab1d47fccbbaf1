//! What is going to be done is written down, looked at, and done exactly so or not at all.

use std::process::Command;

use serde_json::Value;

use crate::aws::{ACCOUNT, Fake};
use crate::shop::{Host, manifest, name, there};
use crate::support::{self, Run};

/// A host that agrees with AWS.
fn settled(fake: &Fake) -> Host<'_> {
    let host = Host::first(fake);
    host.set("OPENAI_API_KEY", "sk-that-nobody-changes");
    host.run(["sync", "push"]).assert_code(0);
    host
}

fn plan(host: &Host<'_>) -> Value {
    serde_json::from_str(&host.project.read("plan.json")).unwrap()
}

/// The names and actions of a plan.
fn actions(host: &Host<'_>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let plan = plan(host);
    plan["items"].as_array().unwrap().iter().map(|it| (text(&it["name"]), text(&it["action"]))).collect()
}

#[test]
fn a_plan_has_versions_and_no_value_and_writing_it_does_nothing_else() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.set("DB_PASSWORD", "a-password-that-is-planned");
    let base = fake.holder(&name("database/password"), "AWSCURRENT").unwrap();
    let store = host.project.bytes(".vault-kit/prod.age");
    fake.forget();
    for more in [&["--plan-out", "plan.json"][..], &["-n", "--plan-out", "plan.json"]] {
        let run = host.run(["sync", "push", "DB_PASSWORD"].into_iter().chain(more.iter().copied())).assert_code(0);
        assert!(run.stdout.contains("would push"), "{}", run.stdout);
    }
    assert_eq!((fake.calls("PutSecretValue"), fake.values_read()), (0, 0));
    assert_eq!(host.project.bytes(".vault-kit/prod.age"), store);
    assert_eq!(host.project.mode("plan.json"), 0o600);
    let text = host.project.read("plan.json");
    assert!(!text.contains("a-password-that-is-planned"), "{text}");
    let plan = plan(&host);
    assert_eq!(
        (&plan["project"], &plan["environment"], &plan["account"]),
        (&"shop".into(), &"prod".into(), &ACCOUNT.into())
    );
    assert_eq!(
        (&plan["direction"], &plan["prevails"], &plan["names"][0]),
        (&"push".into(), &false.into(), &"DB_PASSWORD".into())
    );
    let item = &plan["items"][0];
    assert_eq!((&item["action"], &item["arn"]), (&"replace".into(), &fake.arn(&name("database/password")).into()));
    assert_eq!((&item["base_version"], &item["version"]), (&base.as_str().into(), &base.as_str().into()));
    let keys: Vec<&String> = item.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["action", "arn", "base_version", "description", "fixed", "keys", "name", "ours", "version"],
        "and no fingerprint"
    );
    host.run(["sync", "apply", "plan.json"]).assert_code(0);
    let ours = item["ours"]["DB_PASSWORD"].as_str().unwrap();
    assert_eq!(fake.holder(&name("database/password"), "AWSCURRENT").unwrap(), ours);
    assert_eq!(there(&fake, "database/password"), "a-password-that-is-planned");
}

#[test]
fn a_plan_is_what_its_schema_says() {
    let test = "a_plan_is_what_its_schema_says";
    let Some(python) = support::python() else { return support::skip(test, "no Python with the judges' packages") };
    let fake = Fake::start();
    let first = Host::first(&fake);
    let judge = |host: &Host<'_>| {
        let judge = Command::new(&python)
            .arg(support::root().join("tests/judges/validate_json.py"))
            .arg(support::root().join("schemas/sync-plan.schema.json"))
            .arg(host.project.path("plan.json"))
            .output()
            .unwrap();
        assert!(judge.status.success(), "{}", String::from_utf8_lossy(&judge.stderr));
    };
    first.run(["sync", "push", "--plan-out", "plan.json"]).assert_code(0);
    judge(&first);
    first.run(["sync", "apply", "plan.json"]).assert_code(0);
    first.run(["sync", "push", "--plan-out", "plan.json"]).assert_code(0);
    judge(&first);
    let second = Host::new(&fake);
    second.run(["sync", "pull", "--plan-out", "plan.json"]).assert_code(0);
    judge(&second);
}

#[test]
fn a_first_push_and_a_first_pull_are_planned_and_done_and_a_plan_that_was_done_is_stale() {
    let fake = Fake::start();
    let (first, second) = (Host::first(&fake), Host::new(&fake));
    first.run(["sync", "push", "--plan-out", "plan.json"]).assert_code(0);
    assert!(actions(&first).iter().all(|(_, action)| action == "create"), "{:?}", actions(&first));
    assert!(fake.names().is_empty());
    first.run(["sync", "apply", "plan.json"]).assert_code(0);
    assert_eq!(fake.names(), [name("app"), name("database/password"), name("database/url")]);
    let run = first.run(["sync", "apply", "plan.json"]).assert_code(7);
    assert!(run.stderr.contains("the plan is stale"), "{}", run.stderr);

    second.run(["sync", "pull", "--plan-out", "plan.json"]).assert_code(0);
    assert!(plan(&second)["store_id"].is_null() && !second.project.path(".vault-kit").exists());
    let planned = actions(&second);
    let planned: Vec<(&str, &str)> = planned.iter().map(|(name, action)| (name.as_str(), action.as_str())).collect();
    let (app, password, url) = (name("app"), name("database/password"), name("database/url"));
    // The address is made here, of the password that is taken, and comes out the same.
    assert_eq!(planned, [(app.as_str(), "take"), (&password, "take"), (&url, "note")]);
    second.run(["sync", "apply", "-n", "plan.json"]).assert_code(0);
    assert!(!second.project.path(".vault-kit").exists());
    second.run(["sync", "apply", "plan.json"]).assert_code(0);
    assert_eq!(second.get("DATABASE_URL"), first.get("DATABASE_URL"));
    assert!(second.project.read(".env").contains(&second.get("SESSION_KEY")));
    second.run(["sync", "apply", "plan.json"]).assert_code(7);
}

#[test]
fn whatever_changed_since_makes_a_plan_stale_before_anything_is_written() {
    type Meanwhile = fn(&Fake, &Host<'_>);
    let cases: [(&str, Meanwhile); 7] = [
        ("their version", |fake, _| drop(fake.put(&name("database/password"), "somebody-else-s-password"))),
        ("our version", |_, host| host.set("DB_PASSWORD", "another-one-of-mine-here")),
        ("the base", |_, host| drop(host.run(["sync", "push", "DB_PASSWORD"]).assert_code(0))),
        ("more to do", |_, host| host.set("OPENAI_API_KEY", "sk-a-new-one")),
        ("less to do", |fake, host| drop(fake.put(&name("database/password"), host.get("DB_PASSWORD")))),
        ("the secret", |fake, _| fake.delete(&name("database/password"))),
        ("its owner", |fake, _| fake.tag(&name("database/password"), "vault-kit:managed", "other/prod")),
    ];
    for (what, meanwhile) in cases {
        let fake = Fake::start();
        let host = settled(&fake);
        host.set("DB_PASSWORD", "a-password-that-is-planned");
        host.run(["sync", "push", "DB_PASSWORD", "OPENAI_API_KEY", "--plan-out", "plan.json"]).assert_code(0);
        meanwhile(&fake, &host);
        let before = host.project.contents();
        fake.forget();
        let run = host.run(["sync", "apply", "plan.json"]).assert_code(7);
        assert!(run.stderr.contains("the plan is stale: `/shop/prod/"), "{what}: {}", run.stderr);
        let writes = ["CreateSecret", "PutSecretValue", "UpdateSecretVersionStage", "TagResource"];
        assert_eq!(writes.map(|it| fake.calls(it)), [0; 4], "{what}");
        assert_eq!(host.project.contents(), before, "{what}");
    }
}

#[test]
fn what_a_plan_is_not_about_may_change() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.set("DB_PASSWORD", "a-password-that-is-planned");
    host.run(["sync", "push", "DB_PASSWORD", "--plan-out", "plan.json"]).assert_code(0);
    host.set("OPENAI_API_KEY", "sk-of-no-concern-to-the-plan");
    fake.put(&name("app"), r#"{"SESSION_KEY":"of-no-concern-either-abcdefghijklmnop"}"#);
    host.run(["sync", "apply", "plan.json"]).assert_code(0);
    assert_eq!(there(&fake, "database/password"), "a-password-that-is-planned");
    assert_eq!(there(&fake, "api-keys/openai"), "sk-that-nobody-changes", "the plan does no more than it says");
}

#[test]
fn a_plan_of_another_store_account_or_environment_is_refused() {
    let fake = Fake::start();
    let (host, other) = (settled(&fake), Host::new(&fake));
    other.run(["sync", "pull"]).assert_code(0);
    host.set("DB_PASSWORD", "a-password-that-is-planned");
    host.run(["sync", "push", "--plan-out", "plan.json"]).assert_code(0);
    let text = host.project.read("plan.json");
    other.project.write("plan.json", &text);
    let run = other.run(["sync", "apply", "plan.json"]).assert_code(7);
    assert!(run.stderr.contains("another store"), "{}", run.stderr);
    host.project.write("plan.json", text.replacen(&format!("\"account\": \"{ACCOUNT}\""), "\"account\": \"1\"", 1));
    let run = host.run(["sync", "apply", "plan.json"]).assert_code(7);
    assert!(run.stderr.contains("another AWS account"), "{}", run.stderr);
    fake.forget();
    host.project.write("plan.json", text.replace("\"environment\": \"prod\"", "\"environment\": \"staging\""));
    let run = host.run(["sync", "apply", "plan.json"]).assert_code(7);
    assert!(run.stderr.contains("vault-kit -e staging sync apply"), "{}", run.stderr);
    assert_eq!(fake.all_calls(), 0);
}

#[test]
fn which_side_prevails_is_part_of_the_plan() {
    let fake = Fake::start();
    for (verb, choice, winner) in
        [("push", "--ours", "mine-of-a-conflict-here"), ("pull", "--theirs", "theirs-of-a-conflict")]
    {
        let host = Host::first(&fake);
        host.set("DB_PASSWORD", "what-both-had-before-it");
        host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(0);
        fake.put(&name("database/password"), "theirs-of-a-conflict");
        fake.tag(&name("database/password"), "vault-kit:managed", "shop/prod");
        host.set("DB_PASSWORD", "mine-of-a-conflict-here");
        host.run(["sync", verb, "DB_PASSWORD", "--plan-out", "plan.json"]);
        host.run(["sync", verb, choice, "DB_PASSWORD", "--plan-out", "plan.json"]).assert_code(0);
        assert_eq!(plan(&host)["prevails"], true);
        host.run(["sync", "apply", "plan.json"]).assert_code(0);
        assert_eq!((there(&fake, "database/password").as_str(), host.get("DB_PASSWORD").as_str()), (winner, winner));
    }
}

#[test]
fn a_file_that_is_no_plan_is_neither_overwritten_nor_followed() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.project.write("notes.txt", "hunter2");
    fake.forget();
    let run = host.run(["sync", "push", "--plan-out", "notes.txt"]).assert_code(7);
    assert!(run.stderr.contains("is no plan"), "{}", run.stderr);
    let run = host.run(["sync", "apply", "notes.txt"]).assert_code(3);
    assert!(!run.both().contains("hunter2"), "{}", run.both());
    host.run(["sync", "apply", "nowhere.json"]).assert_code(2);
    host.run(["sync", "push", "--plan-out", "nowhere/plan.json"]).assert_code(2);
    assert_eq!((host.project.read("notes.txt").as_str(), fake.all_calls()), ("hunter2", 0));
}

#[test]
fn no_old_copy_stands_in_where_a_plan_is_made_or_followed() {
    let fake = Fake::start();
    settled(&fake);
    let host = Host::with(&fake, &manifest(r#", stale_after = "24h""#));
    host.run(["sync", "pull", "--plan-out", "plan.json"]).assert_code(0);
    host.run(["sync", "pull"]).assert_code(0);
    fake.stop();
    host.run(["sync", "pull"]).assert_code(0);
    host.run(["sync", "pull", "--plan-out", "other.json"]).assert_code(5);
    host.run(["sync", "apply", "plan.json"]).assert_code(5);
    assert!(!host.project.path("other.json").exists());
}

#[test]
fn somebody_who_writes_after_an_applied_plan_was_compared_is_not_overwritten() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.set("DB_PASSWORD", "a-password-that-is-planned");
    host.run(["sync", "push", "--plan-out", "plan.json"]).assert_code(0);
    fake.before("PutSecretValue", 1, |fake| drop(fake.put(&name("database/password"), "somebody-was-faster")));
    let run: Run = host.run(["sync", "apply", "plan.json"]).assert_code(7);
    assert!(run.stderr.contains("somebody else changed"), "{}", run.stderr);
    assert_eq!(there(&fake, "database/password"), "somebody-was-faster");
}

#[test]
fn a_manifest_that_says_something_else_by_now_makes_a_plan_stale() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push", "--plan-out", "plan.json"]).assert_code(0);
    let before = host.project.read("vault-kit.toml");
    let changes = [
        ("a KMS key", before.replace("prefix = ", "kms_key = \"alias/other\", prefix = ")),
        ("tags", before.replace("prefix = ", "tags = { team = \"web\" }, prefix = ")),
        ("replicas", before.replace("prefix = ", "replicas = [\"eu-central-1\"], prefix = ")),
        ("a description", before.replace("aws = \"database/url\"", "aws = \"database/url\"\ndescription = \"x\"")),
        ("a bundle's key", before.replace("bundle_key = \"log_level\"", "bundle_key = \"level\"")),
        ("a setting", before.replace("value = \"info\"", "value = \"debug\"")),
        ("a place", before.replace("\"database/url\"", "\"database/address\"")),
    ];
    for (what, text) in changes {
        assert_ne!(text, before, "{what}");
        host.project.write("vault-kit.toml", text);
        let run = host.run(["sync", "apply", "plan.json"]);
        assert_eq!(run.code, 7, "{what}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains("the plan "), "{what}: {}", run.stderr);
        assert!(fake.names().is_empty(), "{what}");
    }
    host.project.write("vault-kit.toml", before);
    host.run(["sync", "apply", "plan.json"]).assert_code(0);
}
