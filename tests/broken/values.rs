//! Values: missing, weak, known to others, past their time.

use crate::support::Project;
use crate::{broken, edit, supply};

/// A secret that somebody supplies with one of the values that nobody should.
fn with_value(project: &Project, name: &str, value: &str) {
    supply(project, &format!("{name}={value}\n"));
    project.run(["render"]).assert_code(0);
}

/// Sets a date in the ledger: what the calendar does to a value in time.
fn set_date(project: &Project, name: &str, field: &str, date: &str) {
    change_ledger(project, name, |line| {
        let start = line.find(&format!("\"{field}\":\"")).expect("the field") + field.len() + 4;
        let end = start + line[start..].find('"').expect("its end");
        format!("{}{date}{}", &line[..start], &line[end..])
    });
}

fn change_ledger(project: &Project, name: &str, change: impl Fn(&str) -> String) {
    let file = ".vault-kit/dev.ledger.jsonl";
    let of_secret = format!("{{\"name\":\"{name}\"");
    let changed = |line: &str| if line.starts_with(&of_secret) { change(line) } else { line.to_owned() };
    let before = project.read(file);
    let after: String = before.lines().map(|line| changed(line) + "\n").collect();
    assert_ne!(before, after);
    project.write(file, after);
}

broken! {
    a_secret_that_nobody_supplied: "docker-mcp", |project| {
        edit(project, "vault-kit.toml", "[secrets.GITLAB_TOKEN]\nkind = \"external\"\noptional = true", "[secrets.GITLAB_TOKEN]\nkind = \"external\"");
    } => "missing";
    // `set` and `import` refuse one; the store may have it from before.
    a_value_that_still_says_changeme: "mcp-rag", |project| {
        change_ledger(project, "JWT_SECRET", |line| line.replacen("\"stage\"", "\"placeholder\":true,\"stage\"", 1));
    } => "placeholder";
    a_value_that_can_be_guessed: "docker-mcp", |project| with_value(project, "GITLAB_TOKEN", "hunter2hunter2") => "weak";
    a_value_that_is_not_the_provider_s: "e2i", |project| {
        edit(project, "vault-kit.toml", "pattern = \"^sk-ant-\"", "pattern = \"^sk-ant-api03-\"");
    } => "pattern-mismatch";
    a_value_that_production_has_too: "e2i", |project| {
        project.write("values.env", crate::SUPPLIED);
        project.run(["-e", "prod", "import", "values.env"]).assert_code(0);
        std::fs::remove_file(project.path("values.env")).unwrap();
    } => "reused";
    a_value_that_the_committed_example_shows: "docker-mcp", |project| {
        let key = String::from_utf8(project.get("UI_API_KEY")).unwrap();
        project.write(".env.example", format!("UI_API_KEY={key}\n"));
    } => "example-value";
    a_certificate_that_has_expired: "sutra", |project| {
        set_date(project, "STORAGE_TLS", "expires", "2026-01-01T00:00:00Z");
    } => "expired";
    a_secret_that_is_past_its_90_days: "sutra", |project| {
        set_date(project, "SUTRA_AUTH_SECRET", "created", "2026-01-01T00:00:00Z");
    } => "rotation-due";
    a_token_that_outlives_its_key: "sutra", |project| {
        change_ledger(project, "SERVICE_TOKEN", |line| {
            let key = "\"inputs\":{\"SUTRA_AUTH_SECRET\":\"";
            let start = line.find(key).expect("its key") + key.len();
            format!("{}{}{}", &line[..start], "0".repeat(8), &line[start + 8..])
        });
    } => "token-orphaned";
    a_certificate_of_a_ca_that_was_replaced: "sutra", |project| {
        change_ledger(project, "STORAGE_TLS", |line| {
            let issuer = "\"inputs\":{\"DEV_CA\":\"";
            let start = line.find(issuer).expect("its issuer") + issuer.len();
            format!("{}{}{}", &line[..start], "0".repeat(8), &line[start + 8..])
        });
    } => "input-changed";
    a_certificate_without_a_name_that_is_declared_now: "mcp-rag", |project| {
        edit(project, "vault-kit.toml", "dns = [\"localhost\"]", "dns = [\"localhost\", \"mcp-rag\"]");
    } => "declaration-changed";
    a_store_that_is_sealed_to_others_than_declared: "sutra", |project| {
        edit(
            project,
            "vault-kit.toml",
            "[environments.dev]\n",
            "[environments.dev]\nrecipients = { bob = \"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\" }\n",
        );
    } => "recipients-changed";
    an_origin_of_everybody_in_production: "e2i" with ["--at", "repo", "-e", "prod"], |project| {
        edit(project, "vault-kit.toml", "prod = \"https://e2i.example.com\"", "prod = \"*\"");
    } => "wildcard-origin";
    an_origin_of_everybody_in_the_compose_file: "e2i" with ["--at", "repo", "-e", "prod"], |project| {
        edit(project, "docker/docker-compose.secure.yml", "\"${CORS_ORIGINS:?run vault-kit render}\"", "\"*\"");
        edit(project, "vault-kit.toml", "isolated = [\"public\"]", "isolated = [\"public\"]\noutside = [\"CORS_ORIGINS\"]");
    } => "wildcard-origin" at "CORS_ORIGINS" in "docker/docker-compose.secure.yml";
}
