//! Where Compose takes variables from: what is written elsewhere is delivered to nobody.

use crate::support::{CANARY, Project, Run, owner};

/// The codes that these systems are caught by.
pub(crate) const CODES: &[&str] = &["variable-overridden"];

const MANIFEST: &str = r#"
[project]
name = "shop"
compose = ["compose.yml"]

[environments.dev]
[environments.prod]

[secrets.DB_PASSWORD]
kind = "password"
[secrets.PORT]
kind = "setting"
value = "8443"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DB_PASSWORD", "PORT"]
"#;

const COMPOSE: &str = "\
services:
  db:
    image: db
    environment:
      DB_PASSWORD: ${DB_PASSWORD:?set it}
      PORT: ${PORT:?set it}
";

/// The codes that `check` tells, and its report.
fn found(manifest: &str, compose: &[(&str, &str)], arguments: &[&str]) -> (Vec<String>, String) {
    let project = Project::with_manifest(manifest);
    for (path, text) in compose {
        project.write(path, text);
    }
    let mut command = project.command(["check", "--at", "repo", "--json"].iter().chain(arguments));
    let run = Run::of(command.envs(owner(&project)));
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let codes = report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned());
    (codes.collect(), run.stdout)
}

#[track_caller]
fn assert_codes(manifest: &str, compose: &[(&str, &str)], expected: &[&str]) -> String {
    let (codes, report) = found(manifest, compose, &[]);
    assert_eq!(codes, expected, "{report}");
    report
}

const UNDELIVERED: [&str; 2] = ["variable-undelivered", "variable-undelivered"];

#[test]
fn without_a_dotenv_output_nothing_is_delivered_unless_run_starts_compose() {
    let manifest = MANIFEST.replace("format = \"dotenv\"", "format = \"json\"");
    let compose = [("compose.yml", COMPOSE)];
    let report = assert_codes(&manifest, &compose, &UNDELIVERED);
    assert!(report.contains("compose_run = true"), "{report}");
    let run = manifest.replace("[environments.dev]", "compose_run = true\n[environments.dev]");
    assert_codes(&run, &compose, &[]);
    let not_here = run.replace("[environments.dev]", "[environments.dev]\ncompose_run = false");
    assert_codes(&not_here, &compose, &UNDELIVERED);
    assert_eq!(found(&not_here, &compose, &["-e", "prod"]).0, [""; 0]);
}

#[test]
fn what_is_written_where_compose_does_not_look_is_not_delivered() {
    let manifest = MANIFEST.replace("path = \".env\"", "path = \"config/dev.env\"");
    let compose = [("compose.yml", COMPOSE)];
    let report = assert_codes(&manifest, &compose, &UNDELIVERED);
    assert!(report.contains("compose_env_files = [\\\"config/dev.env\\\"]"), "{report}");
    let told = manifest.replace("[environments.dev]", "[environments.dev]\ncompose_env_files = [\"./config/dev.env\"]");
    assert_codes(&told, &compose, &[]);
    assert_eq!(found(&told, &compose, &["-e", "prod"]).0, UNDELIVERED);
    let everywhere =
        manifest.replace("[environments.dev]", "compose_env_files = [\"config/dev.env\"]\n[environments.dev]");
    assert_codes(&everywhere, &compose, &[]);
    // A container that is handed the file does not bring its variables to the Compose file.
    let handed = COMPOSE.replace("image: db", "image: db\n    env_file: [config/dev.env]");
    assert_codes(&manifest, &[("compose.yml", &handed)], &UNDELIVERED);
}

#[test]
fn compose_looks_beside_its_first_file() {
    let manifest = MANIFEST.replace("compose.yml", "docker/compose.yml");
    let compose = [("docker/compose.yml", COMPOSE)];
    assert_codes(&manifest, &compose, &UNDELIVERED);
    assert_codes(&manifest.replace("path = \".env\"", "path = \"docker/.env\""), &compose, &[]);
    let told = manifest.replace("[environments.dev]", "compose_env_files = [\".env\"]\n[environments.dev]");
    assert_codes(&told, &compose, &[]);
}

#[test]
fn an_included_project_has_an_env_file_of_its_own() {
    let manifest = MANIFEST.replace("path = \".env\"", "path = \"db/.env\"");
    let compose = [("compose.yml", "include: [db/compose.yml]\n"), ("db/compose.yml", COMPOSE)];
    assert_codes(&manifest, &compose, &[]);
}

#[test]
fn an_env_file_that_compose_is_given_is_there() {
    let manifest =
        MANIFEST.replace("[environments.dev]", "compose_env_files = [\".env\", \"more.env\"]\n[environments.dev]");
    let report = assert_codes(&manifest, &[("compose.yml", COMPOSE)], &["compose-invalid"]);
    assert!(report.contains("--env-file"), "{report}");
    assert_codes(&manifest, &[("compose.yml", COMPOSE), ("more.env", "A=1\n")], &[]);
    // Each is put over those before it, and sees what they say.
    let compose = COMPOSE.replace("image: db", "image: db\n    ports: [\"${B:?}:1\"]");
    let manifest = format!("{manifest}[deployment]\npublic = {{ db = [\"80\"] }}\n");
    assert_codes(&manifest, &[("compose.yml", &compose), ("more.env", "A=80\nB=$A\n")], &[]);
}

#[test]
fn a_variable_of_the_shell_goes_before_what_is_delivered() {
    let check = |manifest: &str, variables: &[(&str, &str)], place: &str| {
        let project = Project::initialised(manifest);
        project.write("compose.yml", COMPOSE);
        let mut command = project.command(["check", "--json", "--at", place]);
        let own = String::from_utf8(project.get("DB_PASSWORD")).unwrap();
        let set = variables.iter().map(|(name, value)| (*name, if *value == "its own" { &own } else { *value }));
        let run = Run::of(command.envs(set));
        let told = run.stdout.matches("variable-overridden").count();
        assert!(!run.both().contains(CANARY) && !run.both().contains(&own), "{run:?}");
        assert_eq!(run.code, i32::from(told > 0), "{run:?}");
        (told, run.stdout)
    };
    let (told, report) = check(MANIFEST, &[("DB_PASSWORD", CANARY), ("PORT", "1"), ("OTHER", "x")], "host");
    assert_eq!(told, 2, "{report}");
    assert!(report.contains("unset DB_PASSWORD") && report.contains("unset PORT"), "{report}");
    assert_eq!(check(MANIFEST, &[("DB_PASSWORD", "its own"), ("PORT", "8443")], "host").0, 0);
    // An empty one counts for Compose, and what is committed says nothing of this shell.
    assert_eq!(check(MANIFEST, &[("DB_PASSWORD", "")], "host").0, 1);
    assert_eq!(check(MANIFEST, &[("DB_PASSWORD", CANARY)], "repo").0, 0);
    let run = MANIFEST.replace("[environments.dev]", "compose_run = true\n[environments.dev]");
    assert_eq!(check(&run, &[("DB_PASSWORD", CANARY)], "host").0, 0);
}
