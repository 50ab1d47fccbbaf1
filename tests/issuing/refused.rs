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
