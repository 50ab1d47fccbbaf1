//! What the ledger tells of values, and when it is believed.

use vault_kit::name::SecretName;

use crate::support::Project;
use crate::{EXTERNAL, MANIFEST, set};

#[test]
fn only_what_was_drawn_with_128_bits_has_a_public_fingerprint() {
    let project = Project::initialised(
        r#"
[project]
name = "shop"
[secrets.RANDOM]
kind = "random"
[secrets.LONG_PASSWORD]
kind = "password"
length = 32
[secrets.SHORT_PASSWORD]
kind = "password"
length = 12
[secrets.UUID]
kind = "uuid"
[secrets.API]
kind = "api-key"
[secrets.SUPPLIED]
kind = "external"
[secrets.OVERWRITTEN]
kind = "random"
"#,
    );
    let strong = "Zk3vYq8mT1xWc5RbLpNs7dHfN2pLs9Jg4UaeQw6";
    set(&project, "SUPPLIED", strong);
    set(&project, "OVERWRITTEN", strong);
    let ledger = project.ledger();
    let has = |name: &str| ledger.secrets[&SecretName::new(name).unwrap()].fingerprint.is_some();
    for (name, expected) in [
        ("RANDOM", true),
        ("LONG_PASSWORD", true),
        ("API", true),
        ("SHORT_PASSWORD", false),
        ("UUID", false),
        ("SUPPLIED", false),
        ("OVERWRITTEN", false),
    ] {
        assert_eq!(has(name), expected, "{name}");
    }
}

#[test]
fn a_ledger_of_another_state_is_said_to_be_stale_and_never_called_fine() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "first-Zk3vYq8mT1xWc5RbLp");
    let old = project.bytes(".vault-kit/dev.ledger.jsonl");
    set(&project, "API_KEY", "second-Zk3vYq8mT1xWc5RbLp");
    project.write(".vault-kit/dev.ledger.jsonl", old);
    // Whoever holds the identity reads the store instead.
    let check = project.run(["check"]).assert_code(0);
    assert!(check.stdout.contains("no problem found"), "{check:?}");

    let hidden = project.home().join("hidden.txt");
    std::fs::rename(project.identity(), &hidden).unwrap();
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.starts_with("ledger-stale  .vault-kit/dev.ledger.jsonl  "), "{check:?}");
    assert!(!check.stdout.contains("no problem"), "{check:?}");
    let status = project.run(["status"]).assert_code(0);
    assert!(status.stderr.contains("warning: ledger-stale: "), "{status:?}");
    let status = project.run(["status", "--json"]).assert_code(0);
    assert!(status.stdout.contains("\"ledger_current\": false"), "{status:?}");

    std::fs::rename(hidden, project.identity()).unwrap();
    project.run(["render"]).assert_code(0);
    std::fs::remove_file(project.identity()).unwrap();
    project.run(["check"]).assert_code(0);
}

#[test]
fn the_ledger_of_a_present_store_is_not_believed_when_the_store_is_gone() {
    let project = Project::initialised(MANIFEST);
    std::fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    let check = project.run(["check"]).assert_code(4);
    assert!(check.stderr.contains("`.vault-kit/dev.age` is gone"), "{check:?}");
    let status = project.run(["status"]).assert_code(4);
    assert!(status.stderr.contains("vault-kit store recover"), "{status:?}");
}
