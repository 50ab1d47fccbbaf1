//! Credentials that somebody typed into the manifest: each is told, and nothing else is.

use std::collections::BTreeSet;

use crate::support::{Project, Run, owner};

/// What is to be told has a `# !` in the line that begins it.
const MANIFEST: &str = r#"
[project]
name = "shop"
default_environment = "dev"
[environments.dev]
[environments.prod]
aws = { account = "123456789012", endpoint = "https://app:hunter2@localhost:4566" }

[secrets.ADDRESS] # !
kind = "setting"
value = "postgres://app:hunter2@db/app"
[secrets.MAIL_PASSWORD] # !
kind = "setting"
values = { dev = "", prod = "hunter2" }
[secrets.STRIPE] # !
kind = "setting"
value = "sk_live_@STRIPE@"
[secrets.OPTIONS] # !
kind = "setting"
value = '{"user": "app", "password": "hunter2"}'
[secrets.DSN] # !
kind = "template"
template = "postgres://app:hunter2@${HOST}/app"
[secrets.CONFIG] # !
kind = "template"
template = """
port ${PORT}
requirepass hunter2
"""
[secrets.ADMIN_PASSWORD] # !
kind = "template"
template = "${HOST}hunter2"
[secrets.OBTAINED] # !
kind = "external"
optional = true
obtain = "https://me:hunter2@console.example.com"
[secrets.DESCRIBED] # !
kind = "external"
optional = true
description = "was password=hunter2"

[secrets.COMMANDED] # !
kind = "external"
optional = true
obtain = "curl -u admin:hunter2 https://console.example.com/token"
[secrets.UPSTREAM] # !
kind = "setting"
value = "Bearer hunter2hunter2"

[secrets.ASKED_FOR]
kind = "external"
optional = true
obtain = "curl -u admin:$ADMIN_PW https://console.example.com/token; password: ask the owner"
[secrets.SCHEME]
kind = "setting"
value = "Bearer authentication"
[secrets.DB_PASSWORD]
kind = "password"
hooks = ["db"]
[secrets.URL]
kind = "template"
template = "postgres://app:${DB_PASSWORD | urlencode}@${HOST}:5432/app"
[secrets.JOINED]
kind = "template"
template = "redis://:pre-${DB_PASSWORD}@h"
[secrets.JOINED_TO_ONE] # !
kind = "template"
template = "redis://:7Jt9QfYkP3mVbX2nRzLh${DB_PASSWORD}@h"
[secrets.JOINED_TO_A_HOST] # !
kind = "template"
template = "redis://:pre-${HOST}@h"
[secrets.AUTH_TOKEN]
kind = "template"
template = "app-${DB_PASSWORD}"
[secrets.REDIS]
kind = "template"
template = """
requirepass ${DB_PASSWORD}
user app on >${DB_PASSWORD} ~* +@all
"""
[secrets.AUTH]
kind = "template"
template = '{"auths": {"ghcr.io": {"auth": "${URL | base64}"}}, "password": ${DB_PASSWORD | json}}'
[secrets.HOST]
kind = "setting"
value = "db"
[secrets.PORT]
kind = "setting"
value = "6379"
[secrets.SESSION_KEY_FILE]
kind = "setting"
value = "/run/secrets/session"
[secrets.TOKEN_TTL]
kind = "setting"
value = "3600"
[secrets.MAX_TOKENS]
kind = "setting"
value = "4096"
[secrets.TOKEN_URL]
kind = "setting"
value = "https://auth.example.com/token"
[secrets.VITE_PUBLIC_KEY]
kind = "setting"
value = "pk_live_abcdefghijklmnop"
[secrets.EMPTY_PASSWORD]
kind = "setting"
value = ""

[hooks.db] # !
program = "hooks/db"
steps = ["set", "test", "retire"]
options = { user = "app", password_file = "/run/secrets/db", admin_password = "hunter2", dsn = "postgres://db/app" }
"#;

fn told(run: &Run) -> BTreeSet<String> {
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let ours = report["findings"].as_array().unwrap().iter().filter(|it| it["code"] == "secret-in-manifest");
    let key = |it: &serde_json::Value| match it["secret"].as_str() {
        Some(secret) => format!("[secrets.{secret}]"),
        None => it["message"].as_str().unwrap().split('`').nth(1).unwrap().to_owned(),
    };
    ours.map(key).collect()
}

#[test]
fn what_is_typed_into_the_manifest_is_told_with_its_key_and_never_shown() {
    let manifest = MANIFEST.replace("@STRIPE@", "hunter2aB3dE5gH7jK9mN1pQ");
    let project = Project::with_manifest(&manifest);
    project.write("hooks/db", "#!/bin/sh\n");
    let mut expected: BTreeSet<String> = MANIFEST
        .lines()
        .filter_map(|line| line.strip_suffix(" # !"))
        .filter(|it| it.starts_with("[secrets"))
        .map(str::to_owned)
        .collect();
    expected.extend(["hooks.db.options.admin_password", "environments.prod.aws.endpoint"].map(str::to_owned));
    for environment in ["dev", "prod"] {
        let arguments = ["-e", environment, "check", "--at", "repo", "--json"];
        let run = Run::of(project.command(arguments).envs(owner(&project))).assert_code(1);
        assert_eq!(told(&run), expected, "{run:?}");
        assert!(!run.both().contains("hunter2"), "{run:?}");
    }
    let people = project.run(["check", "--at", "repo"]).assert_code(1);
    assert!(!people.both().contains("hunter2") && people.stderr.is_empty(), "{people:?}");
    let fix = "in [secrets.ADDRESS] of vault-kit.toml: kind = \"external\", without a value    # then: vault-kit set ADDRESS;";
    assert!(people.stdout.contains(fix), "{people:?}");
    let line = 1 + MANIFEST.lines().position(|it| it.starts_with("[hooks.db]")).unwrap();
    assert!(people.stdout.contains(&format!("vault-kit.toml:{line}")), "{people:?}");
}

#[expect(clippy::disallowed_methods, reason = "an entry of the allow-list ends some days from now")]
#[test]
fn what_is_typed_beside_the_values_is_told_at_its_line() {
    let until = (chrono::Utc::now() + chrono::TimeDelta::days(90)).format("%Y-%m-%d");
    let manifest = format!(
        r#"project.name = "p"
# the old one: postgres://app:hunter2@db/app
[environments.dev]
aws = {{ account = "123456789012", region = "eu-west-1", tags = {{ team = "shop", api_token = "hunter2" }} }}
[secrets.KEY]
kind = "random"  # was password=hunter2
[outputs.k8s]
format = "kubernetes-secret"
path = "secret.yaml"
secrets = ["KEY"]
labels = {{ app = "shop" }}
annotations = {{ "example.com/api-key" = "hunter2", "example.com/token-ttl" = "60", note = "ask for the password" }}
[[check.allow]]
code = "undeclared"
file = "a"
reason = "until the token=hunter2 is gone"
until = "{until}"
"#
    );
    let project = Project::with_manifest(&manifest);
    let run = project.run(["check", "--at", "repo", "--json"]).assert_code(1);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let ours = report["findings"].as_array().unwrap().iter().filter(|it| it["code"] == "secret-in-manifest");
    let told: BTreeSet<(Option<u64>, &str)> =
        ours.map(|it| (it["line"].as_u64(), it["message"].as_str().unwrap())).collect();
    let expected = [
        (None, "`environments.dev.aws.tags.api_token` has a credential in it"),
        (Some(2), "a comment has a credential in it"),
        (Some(6), "a comment has a credential in it"),
        (Some(7), "`outputs.k8s.annotations.\"example.com/api-key\"` has a credential in it"),
        (Some(13), "`check.allow.reason` has a credential in it"),
    ];
    assert_eq!(told, BTreeSet::from(expected), "{run:?}");
    assert!(!run.both().contains("hunter2") && run.stderr.is_empty(), "{run:?}");
}

#[expect(clippy::disallowed_methods, reason = "an entry of the allow-list ends some days from now")]
#[test]
fn what_may_stand_in_the_manifest_for_some_time_is_allowed_like_any_other_finding() {
    let until = (chrono::Utc::now() + chrono::TimeDelta::days(90)).format("%Y-%m-%d");
    let project = Project::with_manifest(&format!(
        "project.name = \"p\"\n[secrets.DEMO_PASSWORD]\nkind = \"setting\"\nvalue = \"hunter2\"\n[[check.allow]]\n\
         code = \"secret-in-manifest\"\nsecret = \"DEMO_PASSWORD\"\nreason = \"everybody logs in\"\nuntil = \"{until}\"\n"
    ));
    let run = project.run(["check", "--at", "repo", "--json"]).assert_code(0);
    assert!(told(&run).is_empty() && run.stdout.contains("everybody logs in"), "{run:?}");
}
