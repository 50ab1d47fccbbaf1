//! A shop whose secrets are in AWS, and hosts that share them.

use std::process::Command;

use crate::aws::{ACCOUNT, Fake};
use crate::support::{Project, Run};

/// The prefix of all its names.
pub(crate) const PREFIX: &str = "/shop/prod/";

/// A password, a template on it, a value from outside, and a bundle of two.
pub(crate) fn manifest(more: &str) -> String {
    format!(
        r#"
[project]
name = "shop"
default_environment = "prod"

[environments.prod]
aws = {{ account = "{ACCOUNT}", region = "eu-west-1", prefix = "{PREFIX}"{more} }}

[secrets.DB_PASSWORD]
kind = "password"
aws = "database/password"

[secrets.DATABASE_URL]
kind = "template"
template = "postgres://app:${{DB_PASSWORD}}@db/app"
aws = "database/url"

[secrets.OPENAI_API_KEY]
kind = "external"
pattern = "^sk-"
optional = true
aws = "api-keys/openai"

[secrets.SESSION_KEY]
kind = "random"
bundle = "app"

[secrets.LOG_LEVEL]
kind = "setting"
value = "info"
bundle = "app"
bundle_key = "log_level"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["*"]
"#
    )
}

/// A host with that manifest.
pub(crate) struct Host<'f> {
    pub(crate) project: Project,
    fake: &'f Fake,
}

impl<'f> Host<'f> {
    /// One that has made its own values.
    pub(crate) fn first(fake: &'f Fake) -> Self {
        let host = Self::new(fake);
        host.project.run(["init"]).assert_code(0);
        host
    }

    /// One without a store.
    pub(crate) fn new(fake: &'f Fake) -> Self {
        Self::with(fake, &manifest(""))
    }

    /// One with a manifest of its own.
    pub(crate) fn with(fake: &'f Fake, manifest: &str) -> Self {
        Self { project: Project::with_manifest(manifest), fake }
    }

    /// A command that takes the double for AWS.
    pub(crate) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.project.command(arguments);
        command.envs(self.environment());
        command
    }

    /// What makes a command take the double for AWS.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.fake.environment()
    }

    /// Runs one.
    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Gives a secret a value by hand.
    pub(crate) fn set(&self, name: &str, value: &str) {
        self.project.run_with_stdin(["set", name], value.as_bytes()).assert_code(0);
    }

    /// A value here, as text.
    pub(crate) fn get(&self, name: &str) -> String {
        String::from_utf8(self.project.get(name)).unwrap()
    }
}

/// The full name of one of its remote secrets.
pub(crate) fn name(path: &str) -> String {
    format!("{PREFIX}{path}")
}

/// A remote value as text.
pub(crate) fn there(fake: &Fake, path: &str) -> String {
    String::from_utf8(fake.value(&name(path))).unwrap()
}
