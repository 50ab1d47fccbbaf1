//! `check --at remote`: with a role that may do no more than describe.

use crate::aws::Fake;
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
