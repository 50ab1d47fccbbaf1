//! `generate --replace --revoke`, and what is in force although it is revoked: what verifiers are told.

use crate::support::{Project, Run};
use crate::{MANIFEST, json, version};

const TOKEN: &str = r#"
[secrets.SIGNER]
kind = "keypair"
[secrets.TOKEN]
kind = "token"
signed_by = "SIGNER"
[outputs.keys]
format = "jwks"
path = "keys.json"
"#;

const REVOKED: &str = r#"
[outputs.revoked]
format = "revocations"
path = "revoked.json"
"#;

const CRL: &str = "files = { fullchain = \"fullchain.pem\", ca = \"ca.pem\", key = \"key.pem\", crl = \"crl.pem\" }\n";

/// Everything that is issued here; with the lists by which verifiers learn of what is revoked, or without them.
fn project(lists: bool) -> Project {
    let (crl, revoked) = if lists { (CRL, REVOKED) } else { ("", "") };
    Project::initialised(&[MANIFEST, crl, TOKEN, revoked].concat())
}

fn verify(project: &Project, cert: &str) -> Run {
    project.run(["cert", "verify", cert, "--ca", "tls/ca.pem", "--crl", "tls/crl.pem"])
}

fn revoke(project: &Project, name: &str, more: &[&str]) -> Run {
    project.run([&["generate", "--replace", "--revoke", name, "--yes"], more].concat()).assert_code(0)
}

/// The code, secret and fix of each finding.
fn findings(project: &Project, code: i32) -> Vec<[String; 3]> {
    let report = json(&project.run(["check", "--strict", "--json"]).assert_code(code).stdout);
    let text = |it: &serde_json::Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    let found = report["findings"].as_array().unwrap();
    found.iter().map(|it| ["code", "secret", "fix"].map(|key| text(it, key))).collect()
}

#[test]
fn a_certificate_that_is_replaced_and_revoked_is_on_the_list_of_its_ca() {
    let project = project(true);
    for name in ["TLS", "CA"] {
        project.write("old.pem", project.read("tls/fullchain.pem"));
        verify(&project, "old.pem").assert_code(0);
        let before = project.contents();
        let told = revoke(&project, name, &["-n"]).stderr;
        assert!(project.contents() == before);
        assert!(told.contains("would make    ROOT                             revocation list\n"), "{told}");
        let run = revoke(&project, name, &[]);
        let lists = format!("verifiers refuse the old `{name}` once they have read `tls/crl.pem` (output tls)\n");
        assert!(told.contains(&lists) && run.stderr.contains(&lists), "{told}{run:?}");
        assert!(!run.stderr.contains("no output delivers it"), "{run:?}");
        let refused = verify(&project, "old.pem").assert_code(1);
        assert!(refused.stdout.starts_with("error    revoked  "), "{refused:?}");
        verify(&project, "tls/fullchain.pem").assert_code(0);
        project.run(["check", "--strict"]).assert_code(0);
    }
}

#[test]
fn a_token_that_is_replaced_and_revoked_is_on_the_list() {
    let project = project(true);
    let verify = |token: &[u8]| {
        let words = ["token", "verify", "--jwks", "keys.json", "--revoked", "revoked.json", "--issuer", "shop"];
        project.run_with_stdin(words.iter().chain(&["--audience", "shop"]), token)
    };
    let old = project.get("TOKEN");
    verify(&old).assert_code(0);
    let run = revoke(&project, "TOKEN", &[]);
    assert!(run.stderr.contains("the old `TOKEN` once they have read `revoked.json` (output revoked)\n"), "{run:?}");
    let refused = verify(&old).assert_code(1);
    assert!(refused.both().contains("revoked"), "{refused:?}");
    verify(&project.get("TOKEN")).assert_code(0);
    project.run(["check", "--strict"]).assert_code(0);
}

#[test]
fn whoever_delivers_no_list_is_told_how_long_the_old_one_is_taken() {
    let project = project(false);
    for (name, help) in [
        ("TLS", "; `vault-kit cert crl CA` prints a list for them\n"),
        ("CA", "; `vault-kit cert crl ROOT` prints a list for them\n"),
        ("TOKEN", "; an output of format `revocations` does\n"),
    ] {
        let end = project.ledger().secrets[name].expires.unwrap().format("%Y-%m-%d %H:%M:%S UTC");
        let run = revoke(&project, name, &[]);
        let told =
            format!("verifiers take the old `{name}` until {end}: no output tells them that it is revoked{help}");
        assert!(run.stderr.contains(&told), "{run:?}");
    }
    let run = revoke(&project, "ROOT", &[]);
    assert!(run.stderr.contains("restart who reads it: `tls/ca.pem` (output tls)\n"), "{run:?}");
}

#[test]
fn a_serial_that_is_in_force_is_made_anew_whoever_names_it() {
    let project = project(true);
    for (name, issuer) in [("TLS", "CA"), ("CA", "ROOT")] {
        let serial = project.ledger().secrets[name].facts["serial"].clone();
        let before = version(&project, name);
        project.write("old.pem", project.read("tls/fullchain.pem"));
        let words = ["cert", "revoke", "--serial", &serial, "--issuer", issuer];
        let asked = project.run(words).assert_code(2);
        assert!(asked.stderr.contains(&format!("revoke `{name}` for good and make it anew")), "{asked:?}");
        let run = project.run(words.iter().chain(&["--yes"])).assert_code(0);
        assert!(run.stderr.contains(&format!("made `{name}` anew\n")), "{run:?}");
        assert_ne!(version(&project, name), before);
        verify(&project, "old.pem").assert_code(1);
        verify(&project, "tls/fullchain.pem").assert_code(0);
        let run = project.run(words.iter().chain(&["--yes"])).assert_code(0);
        assert!(run.stderr.contains("is revoked already\n") && !run.stderr.contains("anew"), "{run:?}");
        project.run(["check", "--strict"]).assert_code(0);
    }
}

/// A certificate that is revoked and in force, as earlier versions left one behind.
fn left_behind(project: &Project) {
    project.edit_store(|store| {
        let version = store.current(&vault_kit::name::SecretName::new("TLS").unwrap()).unwrap();
        let (serial, issuer) = (version.facts["serial"].clone(), *version.inputs.values().next().unwrap());
        let (expires, at) = (version.expires.unwrap(), version.created);
        let reason = vault_kit::generate::certificate::revocation::Reason::Unspecified;
        let revoked = vault_kit::store::certificates::Revoked { issuer, serial, at, reason, expires };
        store.certificates.revoked.push(revoked);
    });
    project.run(["cert", "crl", "--out", "crl.pem"]).assert_code(0);
}

#[test]
fn a_certificate_that_is_revoked_and_in_force_is_found_and_made_anew() {
    let cures: [&[&str]; 4] = [
        &["cert", "revoke", "TLS", "--yes"],
        &["cert", "renew"],
        &["cert", "renew", "TLS"],
        &["generate", "--replace", "TLS", "--yes"],
    ];
    for cure in cures {
        let project = project(true);
        left_behind(&project);
        verify(&project, "tls/fullchain.pem").assert_code(1);
        assert_eq!(findings(&project, 1), [["revoked", "TLS", "vault-kit generate --replace TLS"]]);
        let needs = project.run(["cert", "needs-renewal", "TLS"]).assert_code(1);
        assert!(needs.stderr.starts_with("TLS: renew it"), "{needs:?}");
        let before = version(&project, "TLS");
        project.run(cure).assert_code(0);
        assert_ne!(version(&project, "TLS"), before, "{cure:?}");
        verify(&project, "tls/fullchain.pem").assert_code(0);
        assert_eq!(findings(&project, 0), [[""; 3]; 0]);
    }
}

#[test]
fn a_delivered_token_that_is_revoked_is_found_until_there_is_another() {
    for by_subject in [false, true] {
        let project = project(true);
        let subject = project.ledger().secrets["TOKEN"].facts["subject"].clone();
        let words: &[&str] = if by_subject { &["--subject", &subject] } else { &["--token", "-"] };
        let run = project.run_with_stdin([&["token", "revoke"], words].concat(), &project.get("TOKEN"));
        run.assert_code(0);
        assert_eq!(findings(&project, 1), [["revoked", "TOKEN", "vault-kit generate --replace TOKEN"]]);
        project.run(["generate", "--replace", "TOKEN", "--yes"]).assert_code(0);
        assert_eq!(findings(&project, 0), [[""; 3]; 0]);
    }
}
