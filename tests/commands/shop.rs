//! A small deployment that has one of everything.

use crate::support::{Project, Run};

/// Two environments; one value that a person supplies, which the output `extra` waits for.
pub(crate) const SHOP: &str = r#"
[project]
name = "shop"

[environments.dev]
[environments.prod]

[secrets.AUTH]
kind = "random"

[secrets.TOKEN]
kind = "token"
signed_by = "AUTH"
role = "admin"

[secrets.DB_PASSWORD]
kind = "password"

[secrets.DB_URL]
kind = "template"
template = "postgres://app:${DB_PASSWORD | urlencode}@db/app"

[secrets.STRIPE]
kind = "external"
pattern = "^sk_"

[secrets.NOTE]
kind = "external"
optional = true

[secrets.CA]
kind = "ca"

[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["localhost"]

[secrets.PORT]
kind = "setting"
value = "8080"
values = { prod = "443" }

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["AUTH", "DB_URL", "PORT"]

[outputs.docker]
format = "docker-secrets"
path = ".secrets"
secrets = ["AUTH", "TOKEN", "DB_PASSWORD"]

[outputs.extra]
format = "json"
path = "extra.json"
secrets = ["STRIPE", "PORT"]

[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
"#;

/// A value that the shop takes for a provider's key.
pub(crate) const KEY: &str = "sk_live_9fQ2mZx7Lw4TtRb8Vc1Ka6Yp3Ns5Dh0G";

/// The shop, brought to life but for the provider's key.
pub(crate) fn shop() -> Project {
    Project::initialised(SHOP)
}

/// The shop with every value.
pub(crate) fn complete() -> Project {
    let project = shop();
    project.run_with_stdin(["set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    project
}

/// What `--json` put on stdout.
pub(crate) fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.both()))
}

/// The code of the first error of a command that was run with `--json`.
pub(crate) fn error_code(run: &Run) -> String {
    let answer = json(run);
    assert_eq!(answer["schema_version"], 1, "{answer}");
    answer["errors"][0]["code"].as_str().expect("a code").to_owned()
}
