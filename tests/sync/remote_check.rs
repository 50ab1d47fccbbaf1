//! `check --at remote`: with a role that may do no more than describe.

use std::time::Duration;

use crate::aws::{Fake, Trouble};
use crate::shop::{Host, manifest, name};

fn codes(host: &Host<'_>, code: i32) -> Vec<String> {
    let run = host.run(["check", "--at", "remote", "--json"]).assert_code(code);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_as_it_should_be_is_told_so_by_descriptions_alone() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.set("OPENAI_API_KEY", "sk-something");
    host.run(["sync", "push"]).assert_code(0);
    fake.deny("ListSecrets").deny("GetSecretValue").deny("BatchGetSecretValue").forget();
    assert!(codes(&host, 0).is_empty());
    assert_eq!((fake.values_read(), fake.calls("DescribeSecret")), (0, 4));
}

#[test]
fn each_thing_that_is_wrong_there_has_a_code() {
    let fake = Fake::start();
    let host = Host::with(&fake, &manifest(r#", replicas = ["eu-central-1"], kms_key = "1234""#));
    host.project.run(["init"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(codes(&host, 1), ["remote-missing"], "nobody supplied the provider's key");
    fake.put(&name("api-keys/openai"), "sk-by-hand");
    assert_eq!(codes(&host, 1), ["remote-key", "remote-replica"], "it was made without either");
    fake.put(&name("database/password"), "drifted");
    assert_eq!(codes(&host, 1), ["remote-drift", "remote-key", "remote-replica"]);
    fake.schedule(&name("api-keys/openai"), 7);
    assert_eq!(codes(&host, 1), ["remote-unusable", "remote-drift"]);
    let run = host.run(["check", "--at", "remote"]).assert_code(1);
    assert!(run.stdout.contains("vault-kit sync restore"), "{}", run.stdout);
}

#[test]
fn missing_denied_and_unreachable_are_three_things() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    assert_eq!(codes(&host, 1).len(), 4);
    fake.deny("DescribeSecret");
    let run = host.run(["check", "--at", "remote"]).assert_code(6);
    assert!(run.stderr.contains("AWS denies access"), "{}", run.stderr);
    assert!(!run.stdout.contains("remote-missing"), "{}", run.stdout);
    fake.stop();
    let run = host.run(["check", "--at", "remote"]).assert_code(5);
    assert!(run.stderr.contains("AWS cannot be reached"), "{}", run.stderr);
    assert!(run.stdout.contains("not checked") || run.stdout.contains("in AWS"), "{}", run.stdout);
}

/// The manifest with a key that may be absent.
fn with_optional_key() -> String {
    let more = "[secrets.SMTP_KEY]\nkind = \"external\"\noptional = true\nbundle = \"app\"\n\n[outputs.env]";
    manifest("").replace("[outputs.env]", more)
}

#[test]
fn a_key_that_a_bundle_lacks_is_told_where_the_role_may_read() {
    let fake = Fake::start();
    let host = Host::with(&fake, &with_optional_key());
    host.project.run(["init"]).assert_code(0);
    host.set("OPENAI_API_KEY", "sk-something");
    host.run(["sync", "push"]).assert_code(0);
    fake.forget();
    assert!(codes(&host, 0).is_empty());
    assert_eq!(fake.values_read(), 1, "bundles alone are read");
    for lacking in [r#"{"log_level": "hunter2-of-a-bundle"}"#, r#"{"log_level": "info", "SESSION_KEY": null}"#] {
        fake.put(&name("app"), lacking);
        assert_eq!(codes(&host, 1), ["remote-key-missing", "remote-drift"]);
        let run = host.run(["check", "--at", "remote"]).assert_code(1);
        assert!(run.stdout.contains("`/shop/prod/app` has no key `SESSION_KEY`"), "{}", run.stdout);
        assert!(run.stdout.contains("vault-kit sync push --ours SESSION_KEY"), "{}", run.stdout);
        assert!(!run.both().contains("hunter2"), "{}", run.both());
    }
    fake.put(&name("app"), "hunter2-is-no-object");
    assert_eq!(codes(&host, 1), ["remote-unusable", "remote-drift"]);
    host.set("SMTP_KEY", "smtp-key-that-was-never-sent");
    host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(0);
    fake.put(&name("app"), format!(r#"{{"log_level": "info", "SESSION_KEY": "{}"}}"#, host.get("SESSION_KEY")));
    assert_eq!(codes(&host, 1), ["remote-key-missing", "remote-drift"], "one that is here is missed there");
    host.run(["sync", "push", "--ours", "SMTP_KEY"]).assert_code(0);
    assert!(codes(&host, 0).is_empty());
}

#[test]
fn keys_that_the_role_may_not_read_are_not_checked_and_no_error() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.set("OPENAI_API_KEY", "sk-something");
    host.run(["sync", "push"]).assert_code(0);
    fake.put(&name("app"), r#"{"log_level": "info"}"#);
    fake.deny_reading(&name("app"));
    let run = host.run(["check", "--at", "remote", "--json"]).assert_code(1);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["not_checked"][0]["what"], "the keys of `/shop/prod/app` in AWS");
    assert!(report["not_checked"][0]["why"].as_str().unwrap().contains("AWS denies access"), "{report}");
    fake.fail("BatchGetSecretValue", usize::MAX, Trouble::Internal);
    host.run(["check", "--at", "remote"]).assert_code(5);
}

#[test]
fn what_was_not_changed_for_longer_than_its_rotation_allows_is_due() {
    let fake = Fake::start();
    let text = manifest("").replace("kind = \"password\"", "kind = \"password\"\nrotate = \"90d\"");
    let host = Host::with(&fake, &text);
    host.project.run(["init"]).assert_code(0);
    host.set("OPENAI_API_KEY", "sk-something");
    host.run(["sync", "push"]).assert_code(0);
    let day = Duration::from_hours(24);
    fake.unchanged_for(&name("database/password"), 80 * day);
    assert!(codes(&host, 0).is_empty());
    fake.unchanged_for(&name("database/password"), 11 * day);
    assert_eq!(codes(&host, 1), ["remote-rotation-due"]);
}

#[test]
fn a_secret_without_a_value_and_a_replica_that_is_not_in_sync_are_told() {
    let fake = Fake::start();
    let host = Host::with(&fake, &manifest(r#", replicas = ["eu-central-1"]"#));
    host.project.run(["init"]).assert_code(0);
    host.set("OPENAI_API_KEY", "sk-something");
    host.run(["sync", "push"]).assert_code(0);
    assert!(codes(&host, 0).is_empty());
    for (status, words, fix) in [
        ("InProgress", "is still being made", "vault-kit check --at remote"),
        ("Failed", "failed", "aws secretsmanager replicate-secret-to-regions --secret-id /shop/prod/app"),
    ] {
        fake.replication(&name("app"), status);
        assert_eq!(codes(&host, 1), ["remote-replica"]);
        let run = host.run(["check", "--at", "remote"]).assert_code(1);
        let told = format!("the replica of `/shop/prod/app` in eu-central-1 {words}");
        assert!(run.stdout.contains(&told) && run.stdout.contains(fix), "{}", run.stdout);
    }
    fake.replication(&name("app"), "InSync");
    fake.relabel(&name("database/url"), "AWSCURRENT", None);
    assert_eq!(codes(&host, 1), ["remote-unusable"]);
    let run = host.run(["check", "--at", "remote"]).assert_code(1);
    assert!(run.stdout.contains("`/shop/prod/database/url` has no version in force"), "{}", run.stdout);
}
