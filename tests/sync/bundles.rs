//! Several secrets in one JSON object.

use crate::aws::Fake;
use crate::shop::{Host, manifest, name, there};

fn bundle(fake: &Fake) -> serde_json::Value {
    serde_json::from_slice(&fake.value(&name("app"))).unwrap()
}

#[test]
fn keys_of_others_and_the_order_of_all_are_kept() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let session = host.get("SESSION_KEY");
    fake.put(
        &name("app"),
        format!(r#"{{"zebra": [1, 2.50], "log_level": "info", "SESSION_KEY": "{session}", "a": null}}"#),
    );
    host.run(["sync", "pull"]).assert_code(0);
    host.project.run(["generate", "--replace", "SESSION_KEY", "--yes"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    let session = host.get("SESSION_KEY");
    assert_eq!(
        there(&fake, "app"),
        format!(r#"{{"zebra":[1, 2.50],"log_level":"info","SESSION_KEY":"{session}","a":null}}"#)
    );
}

#[test]
fn different_keys_changed_on_both_sides_are_merged_and_the_same_key_is_a_conflict() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let text = host.project.read("vault-kit.toml").replace("value = \"info\"", "value = \"debug\"");
    host.project.write("vault-kit.toml", text);
    fake.put(&name("app"), r#"{"log_level":"info","SESSION_KEY":"theirs-0123456789abcdefghijklmnopqrst"}"#);
    let run = host.run(["sync", "push"]).assert_code(7);
    assert!(run.stderr.contains("`vault-kit sync pull SESSION_KEY`, then"), "{}", run.stderr);
    host.run(["sync", "pull"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    let merged = bundle(&fake);
    assert_eq!((&merged["log_level"], &merged["SESSION_KEY"]), (&"debug".into(), &host.get("SESSION_KEY").into()));
    assert_eq!(host.get("SESSION_KEY"), "theirs-0123456789abcdefghijklmnopqrst");

    host.set("SESSION_KEY", "mine-0123456789abcdefghijklmnopqrstuv");
    fake.put(&name("app"), r#"{"log_level":"debug","SESSION_KEY":"others-123456789abcdefghijklmnopqrst"}"#);
    let run = host.run(["sync", "pull"]).assert_code(7);
    assert!(run.stderr.contains("in `SESSION_KEY`"), "{}", run.stderr);
}

#[test]
fn what_is_no_object_is_neither_taken_nor_overwritten() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    for garbage in ["hunter2-is-not-json", "[1]", r#"{"SESSION_KEY":"a","SESSION_KEY":"b"}"#] {
        fake.put(&name("app"), garbage);
        let before = host.project.contents();
        for verb in ["pull", "diff", "push"] {
            let run = host.run(["sync", verb]).assert_code(1);
            assert!(run.stderr.contains(&format!("`{}`", name("app"))), "{}", run.stderr);
            assert!(!run.both().contains("hunter2"), "{}", run.both());
        }
        assert_eq!(host.project.contents(), before);
        assert_eq!(there(&fake, "app"), garbage);
    }
    fake.put(&name("database/password"), "what-else-changed-there");
    host.run(["sync", "pull"]).assert_code(1);
    assert_eq!(host.get("DB_PASSWORD"), "what-else-changed-there", "one that is malformed keeps no other back");
}

#[test]
fn a_key_that_somebody_removed_there_is_told_and_can_be_put_back() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    fake.put(&name("app"), r#"{"log_level":"info"}"#);
    host.run(["sync", "pull"]).assert_code(7);
    host.run(["sync", "push", "--ours", "SESSION_KEY"]).assert_code(0);
    assert_eq!(bundle(&fake)["SESSION_KEY"], host.get("SESSION_KEY"));
}

#[test]
fn a_key_that_somebody_removed_there_can_be_removed_here_by_name() {
    let fake = Fake::start();
    let more = "[secrets.SMTP_KEY]\nkind = \"external\"\noptional = true\nbundle = \"app\"\n\n[outputs.env]";
    let host = Host::with(&fake, &manifest("").replace("[outputs.env]", more));
    host.project.run(["init"]).assert_code(0);
    for changed_here in [false, true] {
        host.set("SMTP_KEY", "smtp-key-before");
        host.run(["sync", "push"]).assert_code(0);
        let session = host.get("SESSION_KEY");
        if changed_here {
            host.set("SMTP_KEY", "smtp-key-that-is-newer-here");
        }
        fake.put(&name("app"), format!(r#"{{"log_level":"info","SESSION_KEY":"{session}"}}"#));
        let run = host.run(["sync", "pull"]).assert_code(7);
        assert!(run.stderr.contains("`vault-kit sync pull --theirs SMTP_KEY`"), "{}", run.stderr);
        host.run(["sync", "pull", "--theirs", "SESSION_KEY"]).assert_code(7);
        assert!(host.project.read(".env").contains("SMTP_KEY"), "another one was named");
        host.run(["sync", "pull", "--theirs", "SMTP_KEY"]).assert_code(2);
        let run = host.run(["sync", "pull", "--theirs", "SMTP_KEY", "--yes"]).assert_code(0);
        assert!(run.stdout.contains("removed") && run.stdout.contains("SMTP_KEY"), "{}", run.stdout);
        assert!(!host.project.read(".env").contains("SMTP_KEY"));
        host.run(["sync", "push"]).assert_code(0);
        assert!(bundle(&fake).get("SMTP_KEY").is_none(), "nobody puts it back");
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
    }
}

#[test]
fn status_says_of_no_key_that_it_changed_before_its_bundle_was_read() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    fake.put(&name("app"), r#"{"log_level":"info","SESSION_KEY":"theirs-0123456789abcdefghijklmnopqrst"}"#);
    let run = host.run(["sync", "status"]).assert_code(0);
    assert!(run.stdout.contains(&name("app")) && !run.stdout.contains("  log_level"), "{}", run.stdout);
    let run = host.run(["sync", "diff"]).assert_code(1);
    let told = |key: &str| run.stdout.lines().find(|line| line.contains(key)).unwrap().to_owned();
    assert!(told("  log_level").contains("same") && told("  SESSION_KEY").contains("pull"), "{}", run.stdout);
    assert!(run.stderr.contains("1 differ, 3 unchanged"), "{}", run.stderr);
}

#[test]
fn a_key_that_has_no_value_here_is_not_pushed_by_its_name() {
    let fake = Fake::start();
    let more = "\n[secrets.MAIL_KEY]\nkind = \"external\"\noptional = true\nbundle = \"app\"\n";
    let host = Host::with(&fake, &(manifest("") + more));
    host.project.run(["init"]).assert_code(0);
    for secret in ["MAIL_KEY", "OPENAI_API_KEY", &name("api-keys/openai")] {
        let run = host.run(["sync", "push", secret, "SESSION_KEY"]).assert_code(1);
        let named = secret.replace(&name("api-keys/openai"), "OPENAI_API_KEY");
        assert!(run.stderr.contains(&format!("`{named}` has no value in environment `prod`")), "{run:?}");
        assert!(run.stderr.contains(&format!("`vault-kit set {named}`")), "{run:?}");
        assert!(run.stderr.contains(&format!("if AWS has it: `vault-kit sync pull {named}`")), "{run:?}");
        assert!(fake.names().is_empty(), "{run:?}");
    }
    // By the bundle's name, and without one, what there is goes.
    host.run(["sync", "push", &name("app")]).assert_code(0);
    assert!(bundle(&fake).get("MAIL_KEY").is_none());
    host.run(["sync", "push"]).assert_code(0);
}
