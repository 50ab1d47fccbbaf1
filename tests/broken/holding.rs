//! Who gets a secret, in whatever way: a service that is to have it is told where it does not, and every other one where it does.

use serde_json::Value;

use crate::support::{Project, Run, owner};

const MANIFEST: &str = r#"
[project]
name = "shop"
compose = ["compose.yml"]

[secrets.DB_PASSWORD]
kind = "password"
[secrets.SIGNING_KEY]
kind = "keypair"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DB_PASSWORD"]
[outputs.files]
format = "docker-secrets"
path = ".secrets/keys"
secrets = ["SIGNING_KEY"]

[deployment]
outside = ["DB_PASSWORD", "SIGNING_KEY"]
holders = { HELD = ["holder"] }
"#;

/// A secret, what both services say, and what stands beside them. `ROOT` is the project's directory.
const WAYS: &[(&str, &str, &str)] = &[
    ("DB_PASSWORD", "environment: { A: \"${DB_PASSWORD}\" }", ""),
    ("DB_PASSWORD", "extends: { file: base.yml, service: base }", ""),
    ("DB_PASSWORD", "configs: [c]", "configs: { c: { content: \"a ${DB_PASSWORD}\" } }"),
    ("DB_PASSWORD", "configs: [c]", "configs: { c: { environment: DB_PASSWORD } }"),
    ("DB_PASSWORD", "build: { context: src, secrets: [s] }", "secrets: { s: { environment: DB_PASSWORD } }"),
    ("SIGNING_KEY", "build: { context: src, secrets: [s] }", "secrets: { s: { file: .secrets/keys/signing_key } }"),
    ("SIGNING_KEY", "build: { context: src, additional_contexts: { keys: .secrets } }", ""),
    ("SIGNING_KEY", "build: { context: src, additional_contexts: [\"keys=./.secrets/keys\"] }", ""),
    ("SIGNING_KEY", "volumes: [\"./.secrets:/x\"]", ""),
    ("SIGNING_KEY", "volumes: [\"ROOT/.secrets/keys:/x:ro\"]", ""),
    ("SIGNING_KEY", "volumes: [\"${PWD}/.secrets:/x\"]", ""),
    ("SIGNING_KEY", "volumes: [\"../NAME/.secrets:/x\"]", ""),
    ("SIGNING_KEY", "volumes: [\"..:/x\"]", ""),
    ("SIGNING_KEY", "volumes: [\"./link:/x\"]", ""),
    ("SIGNING_KEY", "volumes: [\"./link/signing_key:/x\"]", ""),
    ("DB_PASSWORD", "env_file: ROOT/.env", ""),
    (
        "SIGNING_KEY",
        "volumes: [\"keys:/x\"]",
        "volumes: { keys: { driver: local, driver_opts: { type: none, o: bind, device: \"${PWD}/.secrets\" } } }",
    ),
    (
        "SIGNING_KEY",
        "volumes: [{ type: volume, source: keys, target: /x }]",
        "volumes: { keys: { driver_opts: { o: \"ro,bind\", device: ./.secrets/keys } } }",
    ),
    ("SIGNING_KEY", "develop: { watch: [{ path: ., action: sync, target: /x }] }", ""),
    ("SIGNING_KEY", "develop: { watch: [{ path: .secrets/keys, action: sync+restart, target: /x }] }", ""),
];

/// What hands nothing over.
const NO_WAYS: &[(&str, &str, &str)] = &[
    ("DB_PASSWORD", "configs: [c]", "configs: { c: { content: \"a $${DB_PASSWORD}\" } }"),
    ("DB_PASSWORD", "environment: { A: b }", "configs: { c: { content: \"a ${DB_PASSWORD}\" } }"),
    ("SIGNING_KEY", "volumes: [\"./src:/x\", \"../other:/y\", \"/etc/ssl:/z\"]", ""),
    ("SIGNING_KEY", "volumes: [\"./away:/x\"]", ""),
    (
        "SIGNING_KEY",
        "volumes: [\"keys:/x\"]",
        "volumes: { keys: { driver_opts: { type: nfs, o: addr=a, device: ./.secrets } } }",
    ),
    ("SIGNING_KEY", "build: { context: src, additional_contexts: { keys: service:holder, other: src } }", ""),
    ("SIGNING_KEY", "develop: { watch: [{ path: ., action: rebuild }] }", ""),
    ("SIGNING_KEY", "develop: { watch: [{ path: src, action: sync, target: /x }] }", ""),
    ("SIGNING_KEY", "develop: { watch: [{ path: ., action: sync, target: /x, ignore: [.secrets/] }] }", ""),
];

fn project(secret: &str, compose: &str) -> Project {
    let project = Project::with_manifest(&MANIFEST.replace("HELD", secret));
    let root = project.path("").canonicalize().unwrap();
    let [root, name] = [root.to_str().unwrap(), root.file_name().unwrap().to_str().unwrap()];
    project.write("compose.yml", compose.replace("ROOT", root.trim_end_matches('/')).replace("NAME", name));
    project.write("base.yml", "services: { base: { image: a, environment: { A: \"${DB_PASSWORD}\" } } }\n");
    project.write("src/Dockerfile", "FROM a\n");
    project.write(".secrets/none", "");
    std::os::unix::fs::symlink(".secrets/keys", project.path("link")).unwrap();
    std::os::unix::fs::symlink("/etc", project.path("away")).unwrap();
    project
}

/// What is told of holders, and the line of each.
fn told(project: &Project) -> Vec<(String, u64)> {
    let mut command = project.command(["check", "--at", "repo", "--json"]);
    // As a shell that stands elsewhere has it.
    let run = Run::of(command.envs(owner(project)).env("PWD", "/"));
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    assert!(!report["findings"].as_array().unwrap().iter().any(|it| it["code"] == "compose-invalid"), "{run:?}");
    let ours = report["findings"].as_array().unwrap().iter().filter(|it| it["code"] == "secret-holders");
    ours.map(|it| (it["message"].as_str().unwrap().to_owned(), it["line"].as_u64().unwrap())).collect()
}

#[test]
fn whoever_gets_a_secret_in_any_way_is_a_holder() {
    for (secret, way, beside) in WAYS {
        let compose =
            format!("services:\n  holder:\n    image: a\n    {way}\n  other:\n    image: a\n    {way}\n{beside}\n");
        let message = format!("`other` gets `{secret}`, which is not for it");
        let told = told(&project(secret, &compose));
        assert_eq!(told.iter().map(|it| &it.0).collect::<Vec<_>>(), [&message], "{way} {beside}");
        assert!((5..=7).contains(&told[0].1) || way.starts_with("extends"), "{way}: {told:?}");
    }
}

#[test]
fn who_only_seems_to_get_a_secret_is_none() {
    for (secret, way, beside) in NO_WAYS {
        let compose =
            format!("services:\n  holder:\n    image: a\n    {way}\n  other:\n    image: a\n    {way}\n{beside}\n");
        let message = format!("`holder` does not get `{secret}`, which is for it");
        let told = told(&project(secret, &compose));
        assert_eq!(told.iter().map(|it| &it.0).collect::<Vec<_>>(), [&message], "{way} {beside}");
    }
}

#[test]
fn volumes_of_another_service_are_followed_over_many() {
    let compose = "\
services:
  holder: { image: a, volumes_from: [\"a:ro\"] }
  other:
    image: a
    volumes_from: [holder]
  a: { image: a, volumes_from: [b, \"container:x\"] }
  b: { image: a, volumes_from: [a], secrets: [s] }
  env: { image: a, volumes_from: [c] }
  c: { image: a, environment: [DB_PASSWORD] }
secrets: { s: { file: .secrets/keys/signing_key } }
";
    let told = told(&project("SIGNING_KEY", compose));
    let gets = |name: &str, line| (format!("`{name}` gets `SIGNING_KEY`, which is not for it"), line);
    assert_eq!(told, [gets("other", 5), gets("a", 6), gets("b", 7)]);
}

#[test]
fn what_is_kept_back_from_a_builder_is_in_no_context_and_not_synchronised() {
    for way in [
        "build: { context: src, additional_contexts: { root: . } }",
        "build: .\n    develop: { watch: [{ path: ., action: sync, target: /x }] }",
    ] {
        let compose = format!(
            "services:\n  other:\n    {way}\n  holder: {{ image: a, secrets: [s] }}\nsecrets: {{ s: {{ file: .secrets/keys/signing_key }} }}\n"
        );
        let project = project("SIGNING_KEY", &compose);
        project.write("Dockerfile", "FROM a\n");
        assert_eq!(told(&project).len(), 1, "{way}");
        project.write(".dockerignore", ".secrets/\n.env\n");
        assert_eq!(told(&project), [], "{way}");
    }
}
