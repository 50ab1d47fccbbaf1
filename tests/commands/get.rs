//! `get`: the exact bytes, for whoever asked for them.

use crate::shop::{error_code, shop};

#[test]
fn every_piece_of_a_certificate_comes_by_its_name() {
    let project = shop();
    let piece = |part: &str| project.run(["get", "TLS", "--part", part]);
    for (part, begin) in [
        ("cert", "-----BEGIN CERTIFICATE-----"),
        ("ca", "-----BEGIN CERTIFICATE-----"),
        ("key", "-----BEGIN PRIVATE KEY-----"),
    ] {
        assert!(piece(part).assert_code(0).stdout.starts_with(begin), "{part}");
    }
    assert_eq!(project.get("TLS"), piece("key").stdout.into_bytes());
    for (name, part) in [("TLS", "nose"), ("AUTH", "cert")] {
        let run = project.run(["get", name, "--part", part, "--json"]).assert_code(2);
        assert_eq!(error_code(&run), "usage");
    }
}

#[test]
fn a_setting_comes_from_the_manifest_and_follows_the_environment() {
    let project = shop();
    assert_eq!(project.get("PORT"), b"8080");
    assert_eq!(project.run(["-e", "prod", "get", "PORT"]).assert_code(0).stdout, "443");
}

#[test]
fn what_is_missing_and_what_is_not_declared_are_told_apart() {
    let project = shop();
    let run = project.run(["get", "STRIPE", "--json"]).assert_code(1);
    assert_eq!(error_code(&run), "missing");
    assert!(run.stderr.contains("vault-kit set STRIPE"), "{}", run.stderr);
    let run = project.run(["get", "STRIP", "--json"]).assert_code(2);
    assert!(run.stderr.contains("did you mean `STRIPE`?"), "{}", run.stderr);
}
