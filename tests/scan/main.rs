//! `scan`: known values are found in every dress and every kind of file, and nothing else is.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests bring along files of their own, and fail where something is not as they made it"
)]

#[path = "../support/mod.rs"]
mod support;

mod commits;
mod dresses;
mod files;
mod git;
mod hooks;
mod hostile;
mod managers;
mod messages;
mod prints;
mod pushed;
mod report;
mod rules;
mod staged;

use std::collections::BTreeSet;

use support::{Project, Run};

/// One of each kind of value that is looked for in a way of its own.
const SHOP: &str = r#"
[project]
name = "shop"

[secrets.AUTH]
kind = "random"

[secrets.DB_PASSWORD]
kind = "password"
length = 24
alphabet = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&/()=?+@:;,*"

[secrets.DB_URL]
kind = "template"
template = "postgres://app:${DB_PASSWORD | urlencode}@db:5432/app"

[secrets.STRIPE]
kind = "external"

[secrets.SHORT]
kind = "external"

[secrets.SIGNING]
kind = "keypair"

[secrets.MODE]
kind = "setting"
value = "production"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["AUTH", "DB_PASSWORD", "DB_URL", "STRIPE", "SHORT", "MODE"]
"#;

/// What a provider gave, with everything that some encoding treats specially.
const STRIPE: &str = "sk-\"7Kd0\\aXw/2Qe+Rt5=Yu ü&Izq%";

/// The shop with a value for everything.
fn shop() -> Project {
    let project = Project::with_manifest(SHOP);
    project.run(["init"]);
    project.run_with_stdin(["set", "STRIPE"], STRIPE.as_bytes()).assert_code(0);
    project.run_with_stdin(["set", "SHORT"], b"k7Q2x").assert_code(0);
    project
}

/// The report of a run.
fn report(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no JSON: {run:?}"))
}

/// The findings as (secret or rule, file, line).
fn findings(run: &Run) -> BTreeSet<(String, String, u64)> {
    let report = report(run);
    let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap();
    let each = findings.iter().map(|it| {
        let what = it.get("secret").unwrap_or(&it["rule"]);
        (text(what), text(&it["file"]), it["line"].as_u64().unwrap())
    });
    each.collect()
}

/// A set of findings to compare with.
fn set(expected: &[(&str, &str, u64)]) -> BTreeSet<(String, String, u64)> {
    expected.iter().map(|&(what, file, line)| (what.to_owned(), file.to_owned(), line)).collect()
}

/// The search with its report as JSON.
fn scan(project: &Project, arguments: &[&str]) -> Run {
    project.run([&["scan", "--json"], arguments].concat())
}
