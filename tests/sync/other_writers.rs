//! What somebody else wrote there, and what a pull makes of it.

use std::time::Duration;

use vault_kit::name::SecretName;
use vault_kit::secret::Secret;
use vault_kit::secret::parts::Part;
use vault_kit::store::identity::Identities;
use vault_kit::store::seal;

use crate::aws::Fake;
use crate::shop::{Host, manifest, name, there};

/// The shop with a key pair that verifiers know by a key set, a key for data at rest, and a value with an overlap.
fn more() -> String {
    let text = manifest("").replace(
        "[outputs.env]",
        r#"[secrets.SIGNER]
kind = "keypair"
algorithm = "es256"
aws = "application/signer"

[secrets.DATA_KEY]
kind = "encryption-key"
aws = "application/data-key"

[secrets.HOOK_SECRET]
kind = "random"
overlap = "24h"
aws = "application/hook"

[outputs.keys]
format = "jwks"
path = "jwks.json"
secrets = ["SIGNER"]

[outputs.env]"#,
    );
    text.replace("secrets = [\"*\"]", "secrets = [\"HOOK_SECRET\", \"LOG_LEVEL\"]")
}

fn pair(fake: &Fake) -> [Host<'_>; 2] {
    let hosts = [Host::with(fake, &more()), Host::with(fake, &more())];
    hosts[0].project.run(["init"]).assert_code(0);
    hosts[0].run(["sync", "push"]).assert_code(0);
    hosts[1].run(["sync", "pull"]).assert_code(0);
    hosts
}

#[test]
fn the_same_object_with_other_spaces_and_members_is_the_same() {
    let fake = Fake::start();
    let [_, host] = pair(&fake);
    let signer = name("application/signer");
    let object: serde_json::Value = serde_json::from_slice(&fake.value(&signer)).unwrap();
    let mut spaced = serde_json::to_string_pretty(&object).unwrap();
    spaced.insert_str(1, "\"note\": \"by the console\",");
    fake.put(&signer, spaced);
    host.run(["sync", "pull"]).assert_code(0);
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "its age is counted to now")]
fn a_value_is_as_old_on_every_host_as_it_is_there() {
    let rotated = manifest("").replace("aws = \"api-keys/openai\"", "rotate = \"90d\"\naws = \"api-keys/openai\"");
    let fake = Fake::start();
    fake.put(&name("api-keys/openai"), "sk-from-the-console");
    fake.age(&name("api-keys/openai"), Duration::from_hours(24 * 100));
    let host = Host::with(&fake, &rotated);
    host.project.run(["init"]).assert_code(0);
    host.run(["sync", "adopt", "--yes", "OPENAI_API_KEY"]).assert_code(0);
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("OPENAI_API_KEY"), "sk-from-the-console");
    let status = host.project.run(["status", "--json"]).assert_code(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let row = status["secrets"].as_array().unwrap().iter().find(|row| row["name"] == "OPENAI_API_KEY").unwrap();
    let created = chrono::DateTime::parse_from_rfc3339(row["created"].as_str().unwrap()).unwrap();
    let age = chrono::Utc::now().signed_duration_since(created).num_days();
    assert_eq!(age, 100, "{row}");
    let check = host.project.run(["check", "--only", "rotation-due"]).assert_code(1);
    assert!(check.stdout.contains("OPENAI_API_KEY"), "{}", check.stdout);
}

#[test]
fn what_is_no_key_certificate_or_token_of_the_declared_kind_is_not_taken() {
    let fake = Fake::start();
    let [_, host] = pair(&fake);
    let before = host.project.bytes("jwks.json");
    let key = String::from_utf8(host.project.get("SIGNER")).unwrap();
    for garbage in [r#"{"key":"x","public":"y"}"#, r#"{"value":"v","key":"x"}"#, "[]", &key] {
        fake.put(&name("application/signer"), garbage);
        let run = host.run(["sync", "pull"]).assert_code(1);
        assert!(run.stderr.contains("is not what it is declared to be"), "{}", run.stderr);
    }
    assert_eq!(host.project.bytes("jwks.json"), before);
    assert_eq!(host.get("SIGNER"), key);
    host.run(["sync", "push", "SIGNER"]).assert_code(1);
}

#[test]
fn a_replaced_key_pair_keeps_no_private_half_on_any_host() {
    let fake = Fake::start();
    let [first, second] = pair(&fake);
    first.project.run(["generate", "--replace", "--revoke", "SIGNER", "--yes"]).assert_code(0);
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    for host in [&first, &second] {
        let identities = Identities::parse(&Secret::new(std::fs::read(host.project.identity()).unwrap()), "i").unwrap();
        let store = seal::open(&host.project.bytes(".vault-kit/prod.age"), &identities, "prod.age").unwrap();
        let versions = &store.secrets[&SecretName::new("SIGNER").unwrap()];
        let private = versions.iter().filter(|it| it.parts.part(Part::Key).is_some());
        assert_eq!((versions.len(), private.count()), (2, 1));
    }
}

#[test]
fn what_was_revoked_elsewhere_is_dropped_here_by_name() {
    let fake = Fake::start();
    let [first, second] = pair(&fake);
    let stolen = second.get("HOOK_SECRET");
    first.project.run(["generate", "--replace", "--revoke", "HOOK_SECRET", "--yes"]).assert_code(0);
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert!(second.project.read(".env").contains(&stolen), "the overlap goes on until somebody says otherwise");
    second.run(["sync", "pull", "--revoke", "HOOK_SECRET"]).assert_code(0);
    assert!(!second.project.read(".env").contains(&stolen));
}

#[test]
fn a_new_encryption_key_is_taken_only_when_it_is_asked_for_by_name() {
    let fake = Fake::start();
    let [_, host] = pair(&fake);
    let before = host.get("DATA_KEY");
    fake.put(&name("application/data-key"), "bm90LXRoZS1rZXktdGhhdC1lbmNyeXB0ZWQtYW55dGhpbmc");
    let run = host.run(["sync", "pull"]).assert_code(7);
    assert!(run.stderr.contains("another encryption key"), "{}", run.stderr);
    assert_eq!(host.get("DATA_KEY"), before);
    host.run(["sync", "pull", "--theirs", "DATA_KEY"]).assert_code(0);
    assert_ne!(host.get("DATA_KEY"), before);
}

#[test]
fn a_version_id_of_somebody_else_is_one_kid_on_every_host() {
    let fake = Fake::start();
    let text = manifest("").replace(
        "[outputs.env]",
        "[secrets.JWT]\nkind = \"random\"\naws = \"jwt\"\n[secrets.T]\nkind = \"token\"\nsigned_by = \"JWT\"\nrole = \"service\"\nsubject = \"svc:api\"\nttl = \"30d\"\n[outputs.env]",
    );
    fake.put_as(&name("jwt"), "0123456789abcdefghijklmnopqrstuvwxyz-terraform", "terraform-20261122000000000000000001");
    let hosts = [Host::with(&fake, &text), Host::with(&fake, &text)];
    for host in &hosts {
        host.run(["sync", "pull"]).assert_code(0);
    }
    let token = hosts[0].get("T");
    hosts[1].project.run_with_stdin(["token", "verify"], token.as_bytes()).assert_code(0);
}

#[test]
fn a_bad_write_of_somebody_else_is_undone_by_ours() {
    let fake = Fake::start();
    let [host, _] = pair(&fake);
    fake.put(&name("database/password"), "a-bad-write-by-somebody");
    host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(there(&fake, "database/password"), host.get("DB_PASSWORD"));
}

#[test]
fn a_merge_leaves_a_base_by_which_the_next_change_there_is_one() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let text = host.project.read("vault-kit.toml").replace("value = \"info\"", "value = \"debug\"");
    host.project.write("vault-kit.toml", text);
    for round in 0..2 {
        fake.put(
            &name("app"),
            format!(r#"{{"log_level":"info","SESSION_KEY":"theirs-{round}-0123456789abcdefghijklmno"}}"#),
        );
        host.run(["sync", "pull"]).assert_code(0);
        assert_eq!(host.get("SESSION_KEY"), format!("theirs-{round}-0123456789abcdefghijklmno"));
    }
}

#[test]
fn a_setting_that_is_newer_there_keeps_no_key_back_and_is_not_put_back() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    fake.put(&name("app"), r#"{"log_level":"trace","SESSION_KEY":"theirs-0123456789abcdefghijklmnopqr","PORT":1}"#);
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("SESSION_KEY"), "theirs-0123456789abcdefghijklmnopqr");
    host.set("SESSION_KEY", "ours-0123456789abcdefghijklmnopqrst");
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(
        there(&fake, "app"),
        r#"{"log_level":"trace","SESSION_KEY":"ours-0123456789abcdefghijklmnopqrst","PORT":1}"#
    );
}

#[test]
fn a_number_of_ours_that_did_not_change_stays_one() {
    let fake = Fake::start();
    let text = manifest("").replace("value = \"info\"", "value = \"5432\"");
    let host = Host::with(&fake, &text);
    host.project.run(["init"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    let session = host.get("SESSION_KEY");
    fake.put(&name("app"), format!(r#"{{"log_level":5432,"SESSION_KEY":"{session}"}}"#));
    host.run(["sync", "pull"]).assert_code(0);
    host.set("SESSION_KEY", "ours-0123456789abcdefghijklmnopqrst");
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(there(&fake, "app"), r#"{"log_level":5432,"SESSION_KEY":"ours-0123456789abcdefghijklmnopqrst"}"#);
}

#[test]
fn the_last_secret_can_be_pruned_and_restored_by_its_full_name() {
    let fake = Fake::start();
    let text = manifest("");
    let head = text.split("[secrets.DB_PASSWORD]").next().unwrap();
    let host = Host::with(&fake, &format!("{head}[secrets.A]\nkind = \"random\"\naws = \"a\"\n"));
    host.project.run(["init"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    host.project.write("vault-kit.toml", format!("{head}[secrets.A]\nkind = \"random\"\n"));
    host.run(["sync", "prune", "--yes"]).assert_code(0);
    assert!(fake.is_scheduled(&name("a")));
    host.run(["sync", "restore", &name("a")]).assert_code(0);
    assert!(!fake.is_scheduled(&name("a")));
}

/// A shared key, and a token of it that each host makes for itself.
fn shared_key() -> String {
    let text = manifest("");
    let head = text.split("[secrets.DB_PASSWORD]").next().unwrap();
    format!(
        "{head}[secrets.JWT]\nkind = \"random\"\naws = \"jwt\"\n[secrets.T]\nkind = \"token\"\nsigned_by = \"JWT\"\nrole = \"service\"\nsubject = \"svc:api\"\nttl = \"30d\"\n"
    )
}

#[test]
fn a_key_that_was_set_by_hand_on_both_hosts_has_one_kid_once_they_pulled() {
    let fake = Fake::start();
    let hosts = [Host::with(&fake, &shared_key()), Host::with(&fake, &shared_key())];
    for host in &hosts {
        host.project.run(["init"]).assert_code(0);
        host.set("JWT", "the-same-key-on-both-hosts-0123456789");
        host.project.run(["generate"]).assert_code(0);
    }
    let verify = |host: &Host<'_>, token: &str| host.project.run_with_stdin(["token", "verify"], token.as_bytes()).code;
    let before = hosts[1].get("T");
    assert_eq!(verify(&hosts[0], &before), 1, "they do not know of each other");
    hosts[0].run(["sync", "push"]).assert_code(0);
    hosts[1].run(["sync", "push"]).assert_code(0);
    hosts[1].run(["sync", "pull"]).assert_code(0);
    let [first, second] = [hosts[0].get("T"), hosts[1].get("T")];
    for host in &hosts {
        assert_eq!((verify(host, &first), verify(host, &second)), (0, 0));
    }
    assert_eq!(verify(&hosts[1], &before), 0, "it is the same key");
    let store = hosts[1].project.bytes(".vault-kit/prod.age");
    hosts[1].run(["sync", "pull"]).assert_code(0);
    assert_eq!(hosts[1].project.bytes(".vault-kit/prod.age"), store, "once is enough");
}

#[test]
fn a_shared_key_in_a_bundle_is_warned_about() {
    let fake = Fake::start();
    let host = Host::with(&fake, &shared_key().replace("aws = \"jwt\"", "bundle = \"app\""));
    let run = host.project.run(["init"]).assert_code(0);
    assert!(run.stderr.contains("`secrets.JWT.bundle`: its tokens have another `kid` on each host"), "{}", run.stderr);
}
