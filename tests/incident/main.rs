//! Values that leaked: banned, replaced, told of.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests bring along files of their own, and fail where something is not as they made it"
)]

#[path = "../support/mod.rs"]
mod support;

mod banned;
mod command;
mod undeclared;

use support::{Project, Run};

/// One of each kind that a leak is different for.
const SHOP: &str = r#"
[project]
name = "shop"

[secrets.AUTH]
kind = "random"
overlap = "24h"

[secrets.TOKEN]
kind = "token"
signed_by = "AUTH"
role = "admin"

[secrets.DB_PASSWORD]
kind = "password"

[secrets.DB_URL]
kind = "template"
template = "postgres://app:${DB_PASSWORD | urlencode}@db/app"
overlap = "24h"

[secrets.STRIPE]
kind = "external"
owner = "payments"
obtain = "dashboard.stripe.com"
overlap = "24h"

[secrets.STRIPE_URL]
kind = "template"
template = "https://${STRIPE}@api.stripe.com"

[secrets.CA]
kind = "ca"

[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["localhost"]

[secrets.DATA_KEY]
kind = "encryption-key"

[secrets.PORT]
kind = "setting"
value = "8080"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["AUTH", "DB_URL", "STRIPE", "PORT"]

[outputs.docker]
format = "docker-secrets"
path = ".secrets"
secrets = ["AUTH", "TOKEN", "DB_PASSWORD"]

[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]
files = { fullchain = "fullchain.pem", key = "key.pem", ca = "ca.pem", crl = "crl.pem" }

[outputs.revoked]
format = "revocations"
path = "revoked.json"
"#;

/// What a provider's key looks like.
const KEY: &str = "sk_live_9fQ2mZx7Lw4TtRb8Vc1Ka6Yp3Ns5Dh0G";

/// The shop with every value.
fn shop() -> Project {
    let project = Project::initialised(SHOP);
    project.run_with_stdin(["set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    project.run(["check"]).assert_code(0);
    project
}

/// What `--json` put on stdout.
fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.both()))
}

/// The codes and subjects that `check` finds.
fn findings(project: &Project) -> Vec<(String, String)> {
    let report = json(&project.run(["check", "--json"]));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let subject = |it: &serde_json::Value| text(if it["secret"].is_null() { &it["file"] } else { &it["secret"] });
    report["findings"].as_array().unwrap().iter().map(|it| (text(&it["code"]), subject(it))).collect()
}
