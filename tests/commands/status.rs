//! `status`: what there is, without the identity.

use crate::shop::{SHOP, json, shop};
use crate::support::Project;

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
