//! The ledger that was deleted or damaged: it follows from the store, and what was delivered from the files themselves.

use std::fs;
use std::path::Path;

use crate::support::{Project, Run};

const LEDGER: &str = ".vault-kit/dev.ledger.jsonl";

/// Something in each format.
const MANIFEST: &str = r#"
[project]
name = "shop"
[secrets.KEY]
kind = "random"
[secrets.SIGNER]
kind = "keypair"
[secrets.TLS]
kind = "certificate"
issuer = "self"
dns = ["localhost"]
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["KEY"]
[outputs.json]
format = "json"
path = "values.json"
secrets = ["KEY"]
[outputs.docker]
format = "docker-secrets"
path = ".secrets"
secrets = ["KEY"]
[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
files = { fullchain = "cert.pem", key = "key.pem" }
atomic = true
[outputs.jwks]
format = "jwks"
path = "jwks.json"
secrets = ["SIGNER"]
[outputs.revocations]
format = "revocations"
path = "revoked.json"
[outputs.keys]
format = "api-keys"
path = "keys.json"
"#;

const PLAIN: [&str; 3] = [".env", "values.json", ".secrets/key"];

fn project() -> Project {
    let project = Project::initialised(MANIFEST);
    project.run(["apikey", "new", "partner"]).assert_code(0);
    project
}

fn without_identity(project: &Project, arguments: &[&str]) -> Run {
    fs::create_dir_all(project.home().join("elsewhere")).unwrap();
    Run::of(project.command(arguments).env("HOME", project.home().join("elsewhere")))
}

#[test]
fn a_deleted_ledger_is_made_anew_by_every_writer_and_nothing_else_is_written() {
    let project = project();
    let before = project.bytes(LEDGER);
    for command in [["store", "recover"].as_slice(), &["render"], &["init"]] {
        fs::remove_file(project.path(LEDGER)).unwrap();
        project.run(["check"]).assert_code(0);
        assert!(!project.path(LEDGER).exists(), "who only looks writes nothing");
        let run = project.run(command).assert_code(0);
        assert!(command[0] != "store" || !run.stderr.contains("nothing to do"), "{}", run.stderr);
        assert_eq!(project.read(LEDGER), String::from_utf8(before.clone()).unwrap(), "{command:?}");
        without_identity(&project, &["check"]).assert_code(0);
    }
}

#[test]
fn a_damaged_ledger_is_made_anew_with_the_files_that_were_delivered() {
    let project = project();
    let before = project.read(LEDGER);
    project.write(LEDGER, "x");
    let run = project.run(["store", "recover"]).assert_code(0);
    assert!(run.stderr.contains("anew: it was damaged"), "{}", run.stderr);
    assert_eq!(project.read(LEDGER), before);
    project.run(["check"]).assert_code(0);
}

#[test]
fn who_has_no_identity_hears_of_the_ledger_and_never_that_secrets_are_missing() {
    let project = project();
    fs::remove_file(project.path(LEDGER)).unwrap();
    let status = without_identity(&project, &["status"]).assert_code(0);
    assert!(status.stderr.contains("ledger-stale: the ledger is gone"), "{}", status.stderr);
    assert!(!status.stdout.contains("missing") && status.stdout.contains("unknown"), "{}", status.stdout);
    let check = without_identity(&project, &["check"]).assert_code(1);
    assert!(check.stdout.starts_with("ledger-stale"), "{}", check.stdout);
    assert!(!check.stdout.contains("\nmissing") && !check.stdout.contains("\nstale"), "{}", check.stdout);
}

#[test]
fn files_with_older_versions_are_known_without_a_ledger() {
    let project = project();
    let old = PLAIN.map(|path| project.bytes(path));
    let (old_key, old_cert) = (project.bytes("tls/key.pem"), project.bytes("tls/cert.pem"));
    project.run(["generate", "--replace", "KEY", "--yes"]).assert_code(0);
    project.run(["cert", "renew", "TLS", "--force"]).assert_code(0);
    for (path, bytes) in PLAIN.iter().zip(&old) {
        project.write(path, bytes);
    }
    project.write("tls/key.pem", old_key);
    project.write("tls/cert.pem", old_cert);
    fs::remove_file(project.path(LEDGER)).unwrap();
    let check = project.run(["check"]).assert_code(1);
    for path in PLAIN {
        assert!(check.stdout.contains(&format!("stale  {path}")), "{path}: {}", check.stdout);
    }
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn without_a_ledger_a_value_that_the_store_does_not_have_is_not_replaced() {
    for (path, theirs) in [
        (".env", "# >>> vault-kit: managed, do not edit inside >>>\nKEY=theirs\n# <<< vault-kit <<<\n"),
        ("values.json", "{\"KEY\":\"theirs\"}"),
        (".secrets/key", "theirs"),
        ("tls/key.pem", "-----BEGIN PRIVATE KEY-----\ntheirs\n-----END PRIVATE KEY-----\n"),
        ("tls/cert.pem", "theirs"),
        ("jwks.json", "{}"),
    ] {
        let project = project();
        fs::remove_file(project.path(LEDGER)).unwrap();
        fs::remove_file(project.path(path)).unwrap();
        project.write(path, theirs);
        let run = project.run(["render"]).assert_code(7);
        assert!(run.stderr.contains(&format!("`{path}` is there already")), "{}", run.stderr);
        assert_eq!(project.read(path), theirs);
        assert!(!Path::new(&project.path(LEDGER)).exists());
    }
}
