//! Tokens live and die with their keys; what is derived is made anew only when an input changes.

use data_encoding::BASE64URL_NOPAD;
use vault_kit::name::{SecretName, VersionId};

use crate::set;
use crate::support::Project;

const TOKEN: &str = r#"
[project]
name = "shop"
[secrets.KEY]
kind = "random"
rotate = "30d"
[secrets.TOKEN]
kind = "token"
signed_by = "KEY"
ttl = "365d"
[secrets.OTHER]
kind = "external"
[outputs.secrets]
format = "docker-secrets"
path = "secrets"
secrets = ["KEY", "TOKEN"]
"#;

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

/// The header of the delivered token.
fn header(project: &Project) -> serde_json::Value {
    let token = String::from_utf8(project.get("TOKEN")).unwrap();
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap()
}

/// Whether the delivered token is signed with the delivered key, read as text.
fn is_signed(project: &Project) -> bool {
    let token = project.read("secrets/token");
    let (message, signature) = token.rsplit_once('.').unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, project.read("secrets/key").as_bytes());
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    ring::hmac::verify(&key, message.as_bytes(), &signature).is_ok()
}

#[test]
fn a_token_is_minted_anew_in_the_same_change_as_its_key() {
    let project = Project::initialised(TOKEN);
    assert!(is_signed(&project));
    for replace in [["generate", "--replace", "KEY", "--yes"].as_slice(), &["set", "KEY", "--from-file", "key"]] {
        project.write("key", "Zk3vYq8mT1xWc5RbLpNs7dHfN2pLs9Jg4UaeQw6Xy0");
        let (before, generation) = (project.get("TOKEN"), project.store().generation);
        project.run(replace).assert_code(0);
        assert_ne!(project.get("TOKEN"), before, "the token outlived its key");
        assert!(is_signed(&project), "{replace:?}");
        let store = project.store();
        assert_eq!(store.generation, generation + 1, "{replace:?} took more than one change");
        let (key, token) = (store.current(&name("KEY")).unwrap(), store.current(&name("TOKEN")).unwrap());
        assert_eq!(token.inputs[&name("KEY")], key.id);
    }
}

#[test]
fn a_token_may_outlive_the_day_that_its_key_is_due() {
    let project = Project::initialised(TOKEN);
    let ledger = project.ledger();
    let (key, token) = (&ledger.secrets[&name("KEY")], &ledger.secrets[&name("TOKEN")]);
    assert!(token.expires.unwrap() > key.due.unwrap());
    project.run(["check"]).assert_code(1); // OTHER has no value; nothing else is wrong.
}

#[test]
fn the_kid_of_an_hmac_key_tells_its_version_and_nothing_of_its_value() {
    let project = Project::initialised(TOKEN);
    let kid = |project: &Project| header(project)["kid"].as_str().unwrap().to_owned();
    let of_version = |id: VersionId| format!("hs-{}", &id.to_string().replace('-', "")[..12]);
    let first = kid(&project);
    assert_eq!(first, of_version(project.ledger().secrets[&name("KEY")].version));
    // The same value as another version has another kid.
    let value = project.get("KEY");
    project.edit_store(|store| {
        let key = store.secrets.get_mut(&name("KEY")).unwrap().last_mut().unwrap();
        key.id = VersionId::from_random([9; 16]);
    });
    project.run(["init"]).assert_code(0);
    assert_eq!(project.get("KEY"), value);
    assert_ne!(kid(&project), first);
    assert_eq!(kid(&project), of_version(VersionId::from_random([9; 16])));
}

#[test]
fn a_template_is_evaluated_again_only_when_an_input_changes() {
    let project = Project::initialised(
        r#"
[project]
name = "shop"
[secrets.PASSWORD]
kind = "password"
[secrets.OTHER]
kind = "external"
[secrets.HASH]
kind = "template"
template = "admin:${PASSWORD | bcrypt}"
"#,
    );
    let first = project.get("HASH");
    project.run(["init"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    project.run(["generate"]).assert_code(0);
    set(&project, "OTHER", "value-Zk3vYq8mT1xWc5RbLp");
    // bcrypt draws a salt: another evaluation is another text.
    assert_eq!(project.get("HASH"), first);
    set(&project, "PASSWORD", "another-Zk3vYq8mT1xWc5RbLp");
    assert_ne!(project.get("HASH"), first);
}

#[test]
fn check_finds_a_token_whose_key_was_replaced_without_it() {
    let project = Project::initialised(TOKEN);
    project.edit_store(|store| {
        let versions = store.secrets.get_mut(&name("KEY")).unwrap();
        versions[0].id = VersionId::from_random([7; 16]);
    });
    project.run(["render"]).assert_code(0);
    let check = project.run(["check", "--json"]).assert_code(1);
    let report: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let orphan = findings.iter().find(|it| it["code"] == "token-orphaned").unwrap_or_else(|| panic!("{check:?}"));
    assert_eq!((&orphan["secret"], &orphan["fix"]), (&"TOKEN".into(), &"vault-kit generate --replace TOKEN".into()));
    project.run(["generate", "--replace", "TOKEN", "--yes"]).assert_code(0);
    assert!(!project.run(["check"]).stdout.contains("token-orphaned"));
}

#[test]
fn check_finds_a_template_of_a_value_that_was_replaced_without_it() {
    let project = Project::initialised(
        r#"
[project]
name = "shop"
[secrets.DB]
kind = "password"
[secrets.URL]
kind = "template"
template = "postgres://app:${DB}@db/app"
[outputs.env]
format = "dotenv"
path = ".env"
"#,
    );
    project.edit_store(|store| {
        let versions = store.secrets.get_mut(&name("DB")).unwrap();
        versions[0].id = VersionId::from_random([7; 16]);
    });
    project.run(["render"]).assert_code(0);
    // The ledger tells it alone.
    let elsewhere = project.home().join("elsewhere");
    std::fs::rename(project.identity(), &elsewhere).unwrap();
    let check = project.run(["check", "--json"]).assert_code(1);
    std::fs::rename(&elsewhere, project.identity()).unwrap();
    let report: serde_json::Value = serde_json::from_str(&check.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let moved = findings.iter().find(|it| it["code"] == "input-changed").unwrap_or_else(|| panic!("{check:?}"));
    assert_eq!((&moved["secret"], &moved["fix"]), (&"URL".into(), &"vault-kit generate URL".into()));
    project.run(["generate", "URL"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}
