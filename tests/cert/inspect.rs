//! `cert inspect`.

use serde_json::json;

use crate::now;
use crate::sample::Authority;
use crate::support::{Project, program};

#[test]
fn everything_is_told_of_every_certificate_and_nothing_of_a_key() {
    let project = Project::empty();
    let root = Authority::root(now(), "test root", |_| ());
    let issuing = root.intermediate("test issuing", &["example.com"]);
    let leaf = issuing.leaf(&["api.example.com", "10.0.0.1"], 2, |_| ());
    project.write("all.pem", [leaf.pem.as_str(), &leaf.key, &issuing.pem].concat());
    let run = project.run(["cert", "inspect", "all.pem", "--json"]).assert_code(0);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&answer["schema_version"], &answer["verified"]), (&json!(1), &json!(false)));
    let (leaf_told, issuing_told) = (&answer["certificates"][0], &answer["certificates"][1]);
    assert_eq!(answer["certificates"].as_array().unwrap().len(), 2);
    assert_eq!(leaf_told["dns"], json!(["api.example.com"]));
    assert_eq!(leaf_told["ip"], json!(["10.0.0.1"]));
    assert_eq!(leaf_told["issuer"], "CN=test issuing");
    assert_eq!(leaf_told["key"], "P-256");
    assert_eq!(leaf_told["extended_key_usage"], json!(["serverAuth"]));
    assert_eq!(leaf_told["days_left"], 89);
    assert_eq!(leaf_told["authority_key_id"], issuing_told["subject_key_id"]);
    assert_eq!(issuing_told["permitted"], json!(["example.com"]));
    let human = project.run(["cert", "inspect", "all.pem"]).assert_code(0);
    assert!(human.stdout.contains("subject       CN=api.example.com\n"), "{human:?}");
    assert!(human.stderr.contains("nothing was verified"), "{human:?}");
    let secret = leaf.key.lines().nth(1).unwrap();
    for run in [run, human] {
        assert!(!run.both().contains(secret) && !run.both().contains("PRIVATE KEY"), "{run:?}");
    }
}

#[test]
fn serial_and_fingerprint_are_those_that_openssl_prints() {
    assert!(program("openssl").is_some(), "openssl is installed: run tests/setup");
    let project = Project::empty();
    project.write("cert.pem", Authority::root(now(), "root", |_| ()).pem);
    let run = project.run(["cert", "inspect", "cert.pem", "--json"]).assert_code(0);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut openssl = crate::openssl();
    openssl.args(["x509", "-noout", "-serial", "-fingerprint", "-sha256", "-in"]).arg(project.path("cert.pem"));
    let told = String::from_utf8(openssl.output().unwrap().stdout).unwrap().to_lowercase().replace(':', "");
    for key in ["serial", "sha256"] {
        let ours = answer["certificates"][0][key].as_str().unwrap();
        assert!(told.contains(&format!("={ours}")), "{key} {ours}: {told}");
    }
}
