//! A shop with one secret in AWS, and what its commands say.

use std::process::Command;

use regex_lite::Regex;

use crate::aws::{ACCOUNT, Fake};
use crate::support::{Project, Run};

/// The full name of its secret, `PASSWORD`.
pub(crate) const NAME: &str = "/shop/prod/password";

/// A value that passes for one.
pub(crate) const VALUE: &str = "hunter2-is-the-value-here";

/// A secret that a person supplies, in a place of its own.
pub(crate) const PASSWORD: &str = "[secrets.PASSWORD]\nkind = \"external\"\noptional = true\naws = \"password\"\n";

/// Two secrets in one place.
pub(crate) const BUNDLE: &str = "[secrets.PASSWORD]\nkind = \"external\"\noptional = true\nbundle = \"app\"\n\
                                 [secrets.USER]\nkind = \"external\"\noptional = true\nbundle = \"app\"\n";

/// The project with more in its environment's place in AWS.
pub(crate) fn manifest(more: &str, secrets: &str) -> String {
    format!(
        "[project]\nname = \"shop\"\ndefault_environment = \"prod\"\n[environments.prod]\n\
         aws = {{ account = \"{ACCOUNT}\", region = \"eu-west-1\", prefix = \"/shop/prod/\"{more} }}\n{secrets}"
    )
}

/// A host whose AWS is the double.
pub(crate) struct Host {
    pub(crate) fake: Fake,
    pub(crate) project: Project,
}

impl Host {
    /// One with an empty store.
    pub(crate) fn new(manifest: &str) -> Self {
        Self { fake: Fake::start(), project: Project::initialised(manifest) }
    }

    /// One that has the value, here and there.
    pub(crate) fn settled() -> Self {
        let host = Self::new(&manifest("", PASSWORD));
        host.set(VALUE);
        host.run(&["sync", "push"]);
        host
    }

    pub(crate) fn set(&self, value: &str) {
        self.project.run_with_stdin(["set", "PASSWORD"], value.as_bytes()).assert_code(0);
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.project.command(arguments);
        command.envs(self.fake.environment());
        command
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) {
        Run::of(&mut self.command(arguments)).assert_code(0);
    }

    /// Everything that a command says, once it is proven to end with an error of that code.
    #[track_caller]
    pub(crate) fn told(&self, code: &str, arguments: &[&str]) -> String {
        self.told_by(code, "errors", || self.command(arguments))
    }

    /// The same of a command that does what it can and reports the rest.
    #[track_caller]
    pub(crate) fn told_in_report(&self, code: &str, arguments: &[&str]) -> String {
        self.told_by(code, "problems", || self.command(arguments))
    }

    /// The same for a command that is prepared otherwise, as it is before each of its two runs.
    #[track_caller]
    pub(crate) fn told_by(&self, code: &str, list: &str, command: impl Fn() -> Command) -> String {
        let run = Run::of(&mut command());
        assert!(!run.both().contains('\x1b') && !run.both().contains("hunter2"), "{run:?}");
        let json = Run::of(command().arg("--json"));
        let errors = |run: &Run| {
            let lines = shown(&run.stderr);
            lines.lines().filter(|line| line.contains("error: ") || line.contains("hint: ")).collect::<String>()
        };
        assert_eq!((json.code, errors(&json)), (run.code, errors(&run)));
        let answer: serde_json::Value =
            serde_json::from_str(&json.stdout).unwrap_or_else(|error| panic!("{error}: {json:?}"));
        assert_eq!(answer["schema_version"], 1);
        assert_eq!(answer[list].as_array().map(Vec::len), Some(1), "{json:?}");
        assert_eq!(answer[list][0]["code"], code, "{json:?}");
        let stdout = if run.stdout.is_empty() { String::new() } else { format!("--- stdout\n{}", run.stdout) };
        shown(&format!("exit {}\n{stdout}--- stderr\n{}", run.code, run.stderr))
            .replace(self.project.root().to_str().unwrap(), "[project]")
    }
}

/// A text with what differs from run to run replaced.
fn shown(text: &str) -> String {
    let id = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let patterns = [
        (format!("request {id}"), "request [request]"),
        (id.to_owned(), "[version]"),
        (r"\d{4}-\d\d-\d\d".to_owned(), "[day]"),
        (r"next try in [0-9.]+ s".to_owned(), "next try in [seconds] s"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, name)| {
        Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned()
    })
}
