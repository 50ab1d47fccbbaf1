//! Values: missing, weak, known to others, past their time.

use chrono::TimeDelta;
use vault_kit::name::{SecretName, VersionId};
use vault_kit::secret::Secret;
use vault_kit::secret::parts::Parts;
use vault_kit::store::{Origin, Version};

use crate::support::Project;
use crate::{broken, edit, supply};

/// A secret that somebody supplies with one of the values that nobody should.
fn with_value(project: &Project, name: &str, value: &str) {
    supply(project, &format!("{name}={value}\n"));
    project.run(["render"]).assert_code(0);
}

/// Changes what the store has of a value, as the calendar or an older program does, and lets the ledger follow.
fn change(project: &Project, name: &str, change: impl FnOnce(&mut Version)) {
    project.edit_store(|store| {
        let versions = store.secrets.get_mut(&SecretName::new(name).unwrap()).unwrap();
        change(versions.last_mut().unwrap());
    });
    project.run(["render"]).assert_code(0);
}

/// Lets a value be made from another version of what it is made from.
fn with_other_input(project: &Project, name: &str, input: &str) {
    change(project, name, |version| {
        let other = VersionId::from_random([7; 16]);
        version.inputs.insert(SecretName::new(input).unwrap(), other).unwrap();
    });
}

broken! {
    a_secret_that_nobody_supplied: "docker-mcp", |project| {
        edit(project, "vault-kit.toml", "[secrets.GITLAB_TOKEN]\nkind = \"external\"\noptional = true", "[secrets.GITLAB_TOKEN]\nkind = \"external\"");
    } => "missing";
    // `set` and `import` refuse one; the store may have it from before.
    a_value_that_still_says_changeme: "mcp-rag", |project| {
        change(project, "JWT_SECRET", |version| {
            (version.origin, version.bits) = (Origin::Set, None);
            version.parts = Parts::value(Secret::copy_of(b"changeme"));
        });
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
        change(project, "STORAGE_TLS", |version| {
            version.created -= TimeDelta::days(91);
            version.expires = version.expires.map(|it| it - TimeDelta::days(91));
        });
    } => "expired";
    a_secret_that_is_past_its_90_days: "sutra", |project| {
        change(project, "SUTRA_AUTH_SECRET", |version| version.created -= TimeDelta::days(91));
    } => "rotation-due";
    a_token_that_outlives_its_key: "sutra", |project| {
        with_other_input(project, "SERVICE_TOKEN", "SUTRA_AUTH_SECRET");
    } => "token-orphaned";
    a_certificate_of_a_ca_that_was_replaced: "sutra", |project| {
        with_other_input(project, "STORAGE_TLS", "DEV_CA");
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
