//! `get`: the exact bytes, for whoever asked for them.

use crate::shop::{error_code, shop};
use crate::support::Project;

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

/// A template of a value that a person supplies, in a file.
fn made_of_supplied(optional: bool) -> Project {
    Project::initialised(&format!(
        "[project]\nname = \"p\"\n\n[secrets.OPT]\nkind = \"external\"\noptional = {optional}\n\n[secrets.OT]\n\
         kind = \"template\"\ntemplate = \"x:${{OPT}}\"\n\n[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n\
         secrets = [\"OT\"]\n"
    ))
}

#[test]
fn what_is_made_of_an_optional_value_that_nobody_supplied_is_not_missed() {
    let project = made_of_supplied(true);
    project.run(["check"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    project.run(["run", "--", "true"]).assert_code(0);
    assert!(!project.read(".env").contains("OT="));
    let run = project.run(["get", "OT"]).assert_code(1);
    assert!(run.stderr.contains("hint: it is made of `OPT`: supply that with `vault-kit set OPT`\n"), "{run:?}");
    project.run_with_stdin(["set", "OPT"], b"vNq8Zk2Ws6Xb1Md7Lc4J").assert_code(0);
    assert!(project.read(".env").contains("OT=x:vNq8Zk2Ws6Xb1Md7Lc4J"));
    // What could be made is missed.
    project.run(["remove", "OT", "--yes"]).assert_code(0);
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("vault-kit generate OT"), "{run:?}");
    project.run(["run", "--", "true"]).assert_code(1);
}

#[test]
fn whoever_misses_what_is_made_of_a_supplied_value_is_told_that_value() {
    let project = made_of_supplied(false);
    for command in [&["render"][..], &["run", "--", "true"], &["get", "OT"]] {
        let run = project.run(command).assert_code(1);
        assert!(run.stderr.contains("vault-kit set OPT") && !run.both().contains("generate OT"), "{run:?}");
    }
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("vault-kit set OPT") && !run.both().contains("generate OT"), "{run:?}");
}
