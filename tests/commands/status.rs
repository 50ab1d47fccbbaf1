//! `status`: what there is, without the identity.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::shop::{SHOP, json, shop};
use crate::support::{Project, python_judge, skip};

#[test]
fn each_secret_has_the_fields_that_scripts_rely_on() {
    let project = shop();
    let answer = json(&project.run(["status", "--json"]).assert_code(0));
    assert_eq!((&answer["schema_version"], &answer["environment"]), (&1.into(), &"dev".into()));
    assert_eq!((&answer["store"]["present"], &answer["store"]["ledger_current"]), (&true.into(), &true.into()));
    let secrets = answer["secrets"].as_array().unwrap();
    let secret = |name: &str| secrets.iter().find(|it| it["name"] == name).unwrap();
    for field in ["name", "kind", "version", "stage", "created", "due", "expires"] {
        assert!(secrets.iter().all(|it| it.get(field).is_some()), "{field}");
    }
    assert_eq!((&secret("AUTH")["kind"], &secret("AUTH")["stage"]), (&"random".into(), &"current".into()));
    assert_eq!(secret("AUTH")["bits"], 256);
    assert!(secret("TOKEN")["expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        (&secret("STRIPE")["stage"], &secret("STRIPE")["version"]),
        (&"missing".into(), &serde_json::Value::Null)
    );
    assert_eq!(secret("PORT")["stage"], "setting");
}

#[test]
fn the_table_is_aligned_and_has_no_trailing_space() {
    let long = "A_NAME_THAT_IS_LONGER_THAN_ANY_COLUMN_THAT_SOMEBODY_FIXED";
    let project = Project::initialised(&format!("{SHOP}\n[secrets.{long}]\nkind = \"encryption-key\"\n"));
    let table = project.run(["status"]).assert_code(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines.iter().all(|line| line.trim_end() == *line), "{table}");
    let kind = lines[0].find("KIND").unwrap();
    assert_eq!(kind, long.len() + 2);
    assert!(lines.iter().all(|line| !line[kind..].starts_with(' ') && line[..kind].ends_with("  ")), "{table}");
}

#[test]
fn it_needs_no_identity_and_says_when_the_ledger_is_old() {
    let project = shop();
    std::fs::remove_file(project.identity()).unwrap();
    project.run(["status"]).assert_code(0);
    let ledger = project.read(".vault-kit/dev.ledger.jsonl");
    project.write(".vault-kit/dev.ledger.jsonl", ledger.replacen("\"store_digest\":\"", "\"store_digest\":\"00", 1));
    let run = project.run(["status", "--json"]).assert_code(0);
    assert_eq!(json(&run)["store"]["ledger_current"], false);
    assert!(run.stderr.contains("ledger-stale"), "{}", run.stderr);
}

#[test]
fn before_the_first_init_everything_is_missing() {
    let project = Project::with_manifest(SHOP);
    let run = project.run(["status", "--json"]).assert_code(0);
    let answer = json(&run);
    assert_eq!(answer["store"]["present"], false);
    assert!(
        answer["secrets"].as_array().unwrap().iter().all(|it| it["stage"] == "missing" || it["stage"] == "setting")
    );
    assert!(run.stderr.contains("vault-kit init"), "{}", run.stderr);
    assert!(!project.path(".vault-kit").exists());
}

#[test]
fn monitoring_gets_a_file_that_prometheus_reads() {
    let project =
        Project::initialised(&SHOP.replace("[secrets.DB_PASSWORD]", "[secrets.DB_PASSWORD]\nrotate = \"30d\""));
    std::fs::write(project.path("vault-kit.prom"), "# HELP vault_kit_of_before Another state.\n").unwrap();
    project.run(["status", "--metrics", "vault-kit.prom"]).assert_code(0);
    let text = project.read("vault-kit.prom");
    let mode = std::fs::metadata(project.path("vault-kit.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    let Some(mut judge) = python_judge("metrics.py") else {
        return skip("metrics-prometheus", "no .venv: run tests/setup");
    };
    let mut child = judge.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let samples: Vec<(String, Value, f64)> = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    let sample = |metric: &str, secret: &str| {
        let found = samples
            .iter()
            .find(|(name, labels, _)| *name == format!("vault_kit_{metric}") && labels["secret"] == secret);
        found.map(|(_, labels, value)| {
            assert_eq!((&labels["project"], &labels["environment"]), (&"shop".into(), &"dev".into()));
            *value
        })
    };
    let day = 86_400.0;
    let created = sample("secret_created_timestamp_seconds", "DB_PASSWORD").unwrap();
    assert_eq!(sample("secret_due_timestamp_seconds", "DB_PASSWORD"), Some(created + 30.0 * day));
    assert!((0.0..600.0).contains(&sample("secret_age_seconds", "DB_PASSWORD").unwrap()));
    assert_eq!((sample("secret_present", "STRIPE"), sample("secret_age_seconds", "STRIPE")), (Some(0.0), None));
    assert!(sample("secret_expires_timestamp_seconds", "TLS").unwrap() > created);
    assert_eq!(sample("rotation_in_flight", "AUTH"), Some(0.0));
    assert_eq!(sample("secret_present", "PORT"), None, "a setting is no secret");
    assert!(samples.iter().any(|(name, _, value)| name == "vault_kit_ledger_current" && *value > 0.0));
    assert!(text.ends_with('\n') && !text.contains("postgres://"));
}

#[test]
fn metrics_for_a_dash_are_printed_and_no_file_is_called_so() {
    let project = shop();
    let run = project.run(["status", "--metrics", "-"]).assert_code(0);
    assert!(run.stdout.starts_with("# HELP ") && run.stdout.contains("vault_kit_ledger_current{"), "{run:?}");
    assert!(!run.stdout.contains("STAGE") && !project.path("-").exists(), "{run:?}");
    let run = project.run(["status", "--metrics", "-", "--json"]).assert_code(2);
    assert!(run.both().contains("would both print"), "{run:?}");
    let run = project.run(["cert", "ca", "--out", "-"]).assert_code(0);
    assert!(run.stdout.starts_with("-----BEGIN CERTIFICATE-----") && !project.path("-").exists(), "{run:?}");
}

#[test]
fn a_place_that_metrics_cannot_go_to_is_told_before_anything_else() {
    let project = shop();
    let run = project.run(["status", "--metrics", "nowhere/vault-kit.prom"]).assert_code(2);
    assert!(run.stderr.contains("mkdir -p nowhere"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}
