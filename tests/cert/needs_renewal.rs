//! `cert needs-renewal`: exit codes that cron jobs are built on.

use crate::now;
use crate::sample::{Authority, shift};
use crate::support::{Project, Run};

/// A young leaf, one past two thirds of its life and the jitter, and an expired one, as files.
fn files(project: &Project) {
    let root = Authority::root(now(), "root", |_| ());
    for (name, days) in [("young", 0), ("old", -66), ("dead", -91)] {
        project.write(&format!("{name}.pem"), root.leaf(&["a.example"], 2, |it| shift(it, days)).pem);
    }
    project.write("damaged.pem", "-----BEGIN CERTIFICATE-----\n");
}

fn ask(project: &Project, words: &[&str]) -> Run {
    project.run(["cert", "needs-renewal"].iter().chain(words))
}

#[test]
fn a_file_is_fine_or_needs_renewal_by_the_exit_code() {
    let project = Project::empty();
    files(&project);
    for (words, code, says) in [
        (&["young.pem"][..], 0, "young.pem: fine until "),
        (&["old.pem"], 1, "old.pem: renew it, since "),
        (&["dead.pem"], 1, "dead.pem: expired "),
        (&["absent.pem"], 1, "absent.pem: there is no certificate"),
        (&["young.pem", "old.pem"], 1, "old.pem: renew it"),
        (&["old.pem", "--at", "75%"], 0, "fine until"),
        (&["old.pem", "--at", "22d"], 0, "fine until"),
        (&["old.pem", "--at", "30d"], 1, "renew it"),
        (&["damaged.pem"], 1, "error: `damaged.pem` has a block in line 1 that does not end"),
        (&[], 2, "name a file"),
        (&["young.pem", "--at", "soon"], 2, "write a part of the life such as 66%"),
    ] {
        let run = ask(&project, words);
        assert!(run.code == code && run.stderr.contains(says), "{words:?}: {run:?}");
    }
}

#[test]
fn with_step_compat_the_codes_are_those_of_step() {
    let project = Project::empty();
    files(&project);
    for (file, code) in [("young.pem", 1), ("old.pem", 0), ("dead.pem", 0), ("absent.pem", 2), ("damaged.pem", 255)] {
        assert_eq!(ask(&project, &[file, "--step-compat"]).code, code, "{file}");
    }
}

#[test]
fn the_answer_as_json_has_the_dates() {
    let project = Project::empty();
    files(&project);
    let run = ask(&project, &["young.pem", "old.pem", "absent.pem", "--json"]).assert_code(1);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["needs_renewal"], true);
    let states: Vec<_> =
        answer["certificates"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["fine", "needs-renewal", "missing"]);
    assert_eq!(answer["certificates"][0]["days_left"], 89);
    assert!(answer["certificates"][2].get("not_after").is_none());
}

const DECLARED: &str = r#"
[project]
name = "shop"
[secrets.CA]
kind = "ca"
[secrets.ISSUING]
kind = "ca"
issuer = "CA"
[secrets.TLS]
kind = "certificate"
issuer = "ISSUING"
dns = ["shop.example"]
[secrets.PUBLIC_TLS]
kind = "certificate"
issuer = "import"
[secrets.API_KEY]
kind = "random"
"#;

#[test]
fn declared_certificates_are_asked_by_name_without_the_identity() {
    let project = Project::initialised(DECLARED);
    let ask = |words: &[&str]| {
        let mut command = project.command(["cert", "needs-renewal"].iter().chain(words));
        Run::of(command.env("HOME", "/nonexistent"))
    };
    let run = ask(&["TLS"]).assert_code(0);
    assert!(run.stderr.contains("TLS: fine until "), "{run:?}");
    ask(&["TLS", "--at", "89d"]).assert_code(0);
    ask(&["TLS", "--at", "90d"]).assert_code(1);
    ask(&["CA"]).assert_code(0);
    let all = ask(&[]).assert_code(1);
    assert!(all.stderr.contains("PUBLIC_TLS: there is no certificate") && all.stderr.contains("TLS: fine"), "{all:?}");
    assert!(all.stderr.contains("\nISSUING: fine") || all.stderr.starts_with("ISSUING: fine"), "{all:?}");
    assert!(!all.stderr.contains("\nCA:"), "a root is not renewed like others: {all:?}");
    let other = ask(&["API_KEY"]).assert_code(1);
    assert!(other.stderr.contains("API_KEY: there is no certificate"), "{other:?}");
}
