//! What looks like a mistake and is none: `check` says nothing of it.

use crate::support::{Project, Run, owner};

const MANIFEST: &str = r#"
[project]
name = "shop"
compose = ["compose.yml"]

[secrets.DB_PASSWORD]
kind = "password"
overlap = "1d"
[secrets.API_KEY]
kind = "external"
[secrets.DATABASE_URL]
kind = "template"
template = "postgres://app:${DB_PASSWORD}@db/app"
[secrets.PORT]
kind = "setting"
value = "8443"
[secrets.SESSION_KEY]
kind = "random"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["API_KEY", "DATABASE_URL", "DB_PASSWORD", "PORT"]

[outputs.files]
format = "docker-secrets"
path = "secrets"
secrets = ["SESSION_KEY"]

[deployment]
public = { web = ["8443", "53/udp"] }
localhost = { web = ["9000-9010"] }
internal = ["data"]
no_new_privileges = true
matrix = { web = ["front", "data"], helper = ["front", "data"], db = ["data"] }
"#;

const COMPOSE: &str = r#"
x-common: &common
  security_opt: ["no-new-privileges:1"]
services:
  web:
    <<: *common
    image: web:${TAG:-1}
    env_file: [.env, { path: local.env, required: false }]
    environment:
      TOKEN_TTL: "3600"
      REDIS_TLS_KEY: ${REDIS_TLS_KEY:-/certs/redis.key}
      DATABASE_PASSWORD: /run/secrets/session
      ALLOW_EMPTY_PASSWORD: "yes"
      PUBLIC_KEY: abcdefghijkl
      AUTH_URL: https://auth.example.com/token
      SESSION_KEY_FILE: /run/secrets/session
      SSL_CERT_FILE: /etc/ssl/certs/ca-certificates.crt
      OLD: ${DB_PASSWORD_PREVIOUS:-}
      HOME_DIR: ${HOME:?}
      CORS_ORIGINS: "*"
      API_KEY:
      DATABASE_URL: "postgres://app:${DB_PASSWORD}@db/app"
      SESSION_TOKEN: "v1.${DB_PASSWORD}"
      NEXT_PUBLIC_MAPS_KEY: "${NEXT_PUBLIC_MAPS_KEY:-abcdefgh}"
    secrets: [{ source: session, target: session }, passed]
    labels: { token.ttl: "60", com.example.path: "/x" }
    healthcheck: { test: [CMD, check, --key-file, /run/secrets/session] }
    ports:
      - "${PORT}:443"
      - "[::1]:9001:9001"
      - "127.0.0.2:9002-9003:9002-9003"
      - "53:53/udp"
    networks: [front, data]
  helper:
    <<: *common
    image: helper
    user: node
    network_mode: service:web
  db:
    <<: *common
    image: db
    profiles: [full]
    environment: { POSTGRES_PASSWORD: "${DB_PASSWORD:?set it}" }
    command: [sh, -c, "run $$POSTGRES_PASSWORD"]
    networks: { data: { aliases: [database] } }
secrets:
  session: { file: ./secrets/session_key }
  outside: { external: true }
  passed: { environment: API_KEY }
networks:
  front: {}
  data: { internal: true }
"#;

#[test]
fn what_only_looks_like_a_mistake_has_no_finding() {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", COMPOSE);
    let run = Run::of(project.command(["check", "--at", "repo", "--strict"]).envs(owner(&project))).assert_code(0);
    assert!(run.stdout.contains("3 services: no problem found"), "{run:?}");
}

#[test]
fn without_a_dotenv_output_compose_is_started_by_run() {
    let manifest = MANIFEST.replace("[outputs.env]\nformat = \"dotenv\"", "[outputs.env]\nformat = \"json\"");
    let manifest = manifest.replace("compose = [", "compose_run = true\ncompose = [");
    let project = Project::with_manifest(&manifest);
    let compose = COMPOSE.replace("env_file: [.env, ", "env_file: [");
    project.write("compose.yml", compose.replace("postgres://app:${DB_PASSWORD}@db/app", "${DATABASE_URL}"));
    let run = Run::of(project.command(["check", "--at", "repo"]).envs(owner(&project))).assert_code(0);
    assert!(run.stdout.contains("no problem found"), "{run:?}");
}

#[test]
fn a_rule_may_be_about_a_service_of_another_environment() {
    let environments = "\n[environments.dev]\n[environments.prod]\ncompose = [\"prod.yml\"]\n";
    let manifest = MANIFEST.replace("db = [\"data\"]", "db = [\"data\"], cache = []");
    let project = Project::with_manifest(&format!("{manifest}{environments}"));
    project.write("compose.yml", COMPOSE);
    let run = Run::of(project.command(["check", "--at", "repo"]).envs(owner(&project))).assert_code(0);
    assert!(run.stdout.contains("no problem found"), "{run:?}");
}

#[test]
fn a_value_that_is_in_force_is_in_no_finding_and_no_message() {
    let project = Project::with_manifest(MANIFEST);
    // It makes what can be made, and says what is missing.
    project.run(["init"]);
    project.run_with_stdin(["set", "API_KEY"], b"7Jt9QfYkP3mVbX2nRzLh8CdGs5KuEaT6iWo").assert_code(0);
    // Every place where a text of the Compose file could get into a message.
    let leaky = COMPOSE
        .replace("image: helper", "image: helper\n    command: run --key ${API_KEY}\n    labels: { x: \"${API_KEY}\" }")
        .replace("TOKEN_TTL: \"3600\"", "OTHER_FILE: /run/secrets/${API_KEY}\n      NEW_TOKEN: ${NEW_TOKEN}")
        .replace("user: node", "user: ${API_KEY}")
        .replace("\"53:53/udp\"", "\"${API_KEY}:53\"")
        .replace("source: session,", "source: ${API_KEY},");
    project.write("compose.yml", leaky);
    for place in ["host", "repo"] {
        let mut command = project.command(["check", "--json", "--at", place]);
        let run = Run::of(command.env("API_KEY", "7Jt9QfYkP3mVbX2nRzLh8CdGs5KuEaT6iWo")).assert_code(1);
        assert!(!run.both().contains("7Jt9QfYk"), "{run:?}");
    }
}

/// Why a file is not read, and what makes it so.
type Unreadable = (&'static str, fn(&Project));

#[test]
fn a_compose_file_that_cannot_be_judged_fails_and_nothing_is_said_of_its_services() {
    let cases: [Unreadable; 6] = [
        ("symlink", |project| {
            std::fs::remove_file(project.path("compose.yml")).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", project.path("compose.yml")).unwrap();
        }),
        ("MiB", |project| {
            let file = std::fs::File::options().write(true).open(project.path("compose.yml")).unwrap();
            file.set_len(2 << 30).unwrap();
        }),
        ("regular file", |project| {
            std::fs::remove_file(project.path("compose.yml")).unwrap();
            fifo(&project.path("compose.yml"));
        }),
        ("regular file", |project| {
            std::fs::remove_file(project.path("compose.yml")).unwrap();
            std::fs::create_dir(project.path("compose.yml")).unwrap();
        }),
        ("regular file", |project| {
            project.write("compose.yml", "include: [part.yml]\n");
            std::fs::create_dir(project.path("part.yml")).unwrap();
        }),
        ("entries", |project| {
            let level = |n: usize| format!("x-{n}: &a{n} [*a{0}, *a{0}, *a{0}, *a{0}]", n - 1);
            let bomb = (1..40).map(level).collect::<Vec<_>>().join("\n");
            project.write(
                "compose.yml",
                format!("x-0: &a0 [x]\n{bomb}\nservices: {{ web: {{ image: x, labels: *a39 }} }}\n"),
            );
        }),
    ];
    for (why, change) in cases {
        let project = Project::with_manifest(MANIFEST);
        project.write("compose.yml", COMPOSE);
        change(&project);
        let run = project.run(["check", "--at", "repo"]).assert_code(1);
        assert!(run.stdout.contains("compose-unreadable") && run.stdout.contains(why), "{why}: {run:?}");
        assert!(!run.stdout.contains("deployment-unknown") && !run.stdout.contains("unused"), "{why}: {run:?}");
    }
}

/// A Dockerfile, what it leaves out, and the gateway's configuration.
const BUILT: [&str; 3] = ["app/Dockerfile", "app/.dockerignore", "nginx/main.conf"];

/// Why a file is not read, and what puts such a one there.
type Spoiling = (&'static str, fn(&Project, &str));

#[test]
fn a_file_that_is_built_or_served_from_and_cannot_be_judged_fails() {
    let make: [Spoiling; 4] = [
        ("is not a regular file", |project, path| {
            fifo(&project.path(path));
        }),
        ("is not a regular file", |project, path| std::fs::create_dir(project.path(path)).unwrap()),
        ("MiB", |project, path| project.write(path, vec![b'\n'; 2 << 20])),
        ("UTF-8", |project, path| project.write(path, [0xff, 0xfe, b'\n'])),
    ];
    for path in BUILT {
        let project = with_built_files();
        let run = project.run(["check", "--at", "repo"]).assert_code(0);
        assert!(run.stdout.contains("no problem found") && !run.stdout.contains("not checked"), "{run:?}");
        for (why, make) in make {
            let project = with_built_files();
            std::fs::remove_file(project.path(path)).unwrap();
            make(&project, path);
            let run = project.run(["check", "--at", "repo"]).assert_code(1);
            assert!(run.stdout.contains("compose-unreadable") && run.stdout.contains(why), "{path}: {run:?}");
            assert!(run.stdout.contains(&format!("`{path}`")), "{path}: {run:?}");
        }
        // Where a symlink leads is not looked at.
        std::fs::rename(project.path(path), project.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(project.path("elsewhere"), project.path(path)).unwrap();
        let run = project.run(["check", "--at", "repo"]).assert_code(0);
        assert!(run.stdout.contains("not checked") && run.stdout.contains("symlink"), "{path}: {run:?}");
    }
}

fn with_built_files() -> Project {
    let manifest =
        "[project]\nname = \"x\"\ncompose = [\"compose.yml\"]\n[deployment]\nnginx = [\"nginx/main.conf\"]\n";
    let project = Project::with_manifest(manifest);
    project.write("compose.yml", "services: { app: { build: ./app } }\n");
    project.write("app/Dockerfile", "FROM scratch\n");
    project.write("app/.dockerignore", ".env\n");
    project.write("nginx/main.conf", "http {}\n");
    project
}

#[test]
fn what_a_compose_file_takes_from_outside_of_the_project_is_not_checked() {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", COMPOSE.replace("x-common:", "include: [../common.yml]\nx-common:"));
    let run = Run::of(project.command(["check", "--at", "repo"]).envs(owner(&project))).assert_code(0);
    assert!(run.stdout.contains("not checked") && run.stdout.contains("../common.yml"), "{run:?}");
}

/// A pipe with a name; macOS has no call for it that names the directory.
fn fifo(path: &std::path::Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_compose_file_is_not_named_where_the_manifest_says_that_none_is_meant() {
    const MANIFEST: &str =
        "[project]\nname = \"shop\"\nCOMPOSE\n[secrets.DB_PASSWORD]\nkind = \"password\"\n[environments.dev]\nOWN\n";
    for (compose, own, file, expected) in [
        ("", "", "compose.yaml", true),
        ("", "", "docker-compose.prod.yml", true),
        ("", "", "compose-staging.yaml", true),
        ("", "", "docker-compose.example.yml", false),
        ("", "", "composer.yml", false),
        ("compose = []", "", "compose.yaml", false),
        ("compose = []", "", "docker-compose.prod.yml", false),
        ("", "compose = []", "compose.yaml", false),
    ] {
        let project = Project::with_manifest(&MANIFEST.replace("COMPOSE", compose).replace("OWN", own));
        project.write(file, "services: { a: { image: a } }\n");
        let run = project.run(["check", "--at", "repo"]);
        assert_eq!(run.stdout.contains("compose-unnamed"), expected, "{compose} {own} {file}: {run:?}");
    }
}

#[test]
fn a_secret_of_swarm_is_fine_where_a_hook_hands_it_to_the_service() {
    const MANIFEST: &str = r#"
[project]
name = "shop"
compose = ["stack.yml"]
[secrets.DB_PASSWORD]
kind = "password"
hooks = ["swarm"]
[hooks.swarm]
program = "hooks/docker-swarm"
steps = ["set", "test", "retire"]
options = { services = "other shop_api", target = "db" }
[deployment]
holders = { DB_PASSWORD = ["api"] }
"#;
    let stack = "services:\n  SERVICE: { image: a, secrets: [{ source: s, target: FILE }] }\nsecrets:\n  s: { external: true }\n";
    for (service, file, expected) in
        [("api", "db", false), ("api", "/run/secrets/db", false), ("api", "db_password", true), ("web", "db", true)]
    {
        let project = Project::with_manifest(MANIFEST);
        project.write("stack.yml", stack.replace("SERVICE", service).replace("FILE", file));
        let run = project.run(["check", "--at", "repo"]);
        assert_eq!(run.stdout.contains("secret-external"), expected, "{service} {file}: {run:?}");
        assert_eq!(run.stdout.contains("`api` does not get `DB_PASSWORD`"), expected && service == "api", "{run:?}");
    }
}
