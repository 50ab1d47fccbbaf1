//! What issues certificates: the CAs as they are declared, and the `cert` commands.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use support::Project;

/// A root, an issuing CA, and a certificate for servers.
const MANIFEST: &str = r#"
[project]
name = "shop"
[secrets.ROOT]
kind = "ca"
[secrets.CA]
kind = "ca"
issuer = "ROOT"
[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["api.shop.test"]
[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
"#;

/// The current version of a secret, as text.
fn version(project: &Project, name: &str) -> String {
    project.ledger().secrets[name].version.to_string()
}

#[test]
fn a_certificate_with_a_new_name_takes_its_issuing_ca_along_and_leaves_the_root_alone() {
    let project = Project::initialised(MANIFEST);
    let versions = || ["ROOT", "CA", "TLS"].map(|name| version(&project, name));
    let before = versions();
    project.write("vault-kit.toml", MANIFEST.replace("\"api.shop.test\"", "\"api.shop.test\", \"www.shop.test\""));
    project.run(["generate"]).assert_code(0);
    let after = versions();
    assert_eq!(before[0], after[0]);
    assert!(before[1] != after[1] && before[2] != after[2], "{before:?} {after:?}");
    project.run(["generate"]).assert_code(0);
    assert_eq!(versions(), after);
}

#[test]
fn a_certificate_that_ends_with_its_issuer_is_warned_about() {
    let project = Project::with_manifest(&MANIFEST.replace("issuer = \"ROOT\"\n", "issuer = \"ROOT\"\nttl = \"30d\"\n"));
    let run = project.run(["init"]).assert_code(0);
    let day = project.ledger().secrets["TLS"].expires.unwrap().format("%Y-%m-%d").to_string();
    assert_eq!(
        run.stderr.lines().filter(|line| line.contains("warning")).collect::<Vec<_>>(),
        [format!("vault-kit: warning: `TLS` ends on {day} with `CA`, before its `ttl`")]
    );
    let run = Project::with_manifest(MANIFEST).run(["init"]).assert_code(0);
    assert!(!run.both().contains("warning"), "{run:?}");
}
