//! The shipped systems with one thing broken: `check` tells exactly that, by its code, and nothing else.

#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod cloud;
mod compose;
mod copied;
mod declared;
mod delivery;
mod files;
mod fine;
mod fix;
mod holding;
mod images;
mod nginx;
mod posture;
#[path = "../support/mod.rs"]
mod support;
mod traefik;
mod typed;
mod values;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use support::{Project, Run, root};

/// What of a broken system `check` has to say.
struct Expected {
    /// The one code.
    code: &'static str,
    /// A word of the line that the finding names, and the file; empty = it names none.
    at: (&'static str, &'static str),
}

/// Values that a person would supply to e2i: not real, and strong enough for `check`.
const SUPPLIED: &str = "\
SUPABASE_URL=https://qzxvkjwpmtrbnhdgfsly.supabase.test
SUPABASE_KEY=w7Jt9QfYkP3mVbX2nRzLh8CdGs5KuEaT6iWoBqMy
SUPABASE_SERVICE_KEY=Zr4Hc8NvTq2LxWm7YpKd9FbJs3GuAe5RiXoCtQkV
ANTHROPIC_API_KEY=sk-ant-Pq8Zt3NcWv6LyRm2XhKd7FbJs9GuAe4TiYoCr5Q
";

/// An example as a clean checkout has it, brought to life, and with it what a person must supply.
fn whole(example: &str) -> Project {
    let project = checkout(example);
    if example == "e2i" {
        supply(&project, SUPPLIED);
    }
    project.run(["init"]).assert_code(0);
    project
}

fn checkout(example: &str) -> Project {
    let project = Project::empty();
    let folder = root().join("examples").join(example);
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(&folder).output().unwrap();
    for file in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        project.write(file, std::fs::read(folder.join(file)).unwrap());
    }
    project
}

/// Takes values in from a file, as from the `.env` that runs today.
fn supply(project: &Project, values: &str) {
    project.write("values.env", values);
    project.run(["import", "values.env"]).assert_code(0);
    std::fs::remove_file(project.path("values.env")).unwrap();
}

/// Replaces a piece of a file, which must be there once.
#[track_caller]
fn edit(project: &Project, file: &str, from: &str, to: &str) {
    let text = project.read(file);
    assert_eq!(text.matches(from).count(), 1, "{file} has `{from}` once");
    project.write(file, text.replacen(from, to, 1));
}

/// Adds to the end of a file.
fn append(project: &Project, file: &str, text: &str) {
    let before = if project.path(file).exists() { project.read(file) } else { String::new() };
    project.write(file, before + text);
}

/// `check`, by whoever owns the project and starts its containers as the READMEs say.
fn check(project: &Project, arguments: &[&str]) -> Run {
    let mut command = project.command(["check"].iter().chain(arguments));
    Run::of(command.envs(support::owner(project)))
}

/// Says that `check` finds one thing, with its code, and fails for it unless it is a notice.
#[track_caller]
fn assert_found(project: &Project, arguments: &[&str], expected: &Expected) {
    let run = check(project, &[arguments, &["--json"]].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = report["findings"].as_array().unwrap();
    let codes: BTreeSet<&str> = findings.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from([expected.code]), "{}", run.stdout);
    assert_eq!(run.code, i32::from(findings[0]["severity"] != "notice"), "{}", run.stdout);
    for finding in findings {
        fix::assert_works(project, finding["fix"].as_str().unwrap());
        // Nothing of the store, and nothing of what was written into a file by mistake.
        assert!(!finding.to_string().contains(support::CANARY), "{finding}");
    }
    let (word, file) = expected.at;
    if !file.is_empty() {
        assert_eq!(findings[0]["file"], file, "{}", run.stdout);
        let line = findings[0]["line"].as_u64().unwrap_or_else(|| panic!("{}", run.stdout));
        let text = project.read(file);
        let line = text.lines().nth(usize::try_from(line).unwrap() - 1).unwrap_or_default();
        assert!(line.contains(word), "`{word}` is not in `{line}`: {}", run.stdout);
    }
}

/// One test a broken system: the example, what is done to it after `init`, and what is found then.
macro_rules! broken {
    ($($name:ident: $example:literal $(with [$($argument:literal),*])?, $break:expr => $code:literal $(at $word:literal in $file:literal)?;)*) => {
        /// The codes that the systems of this file are caught by.
        pub(crate) const CODES: &[&str] = &[$($code),*];
        $(
            #[test]
            fn $name() {
                let project = crate::whole($example);
                let change: fn(&crate::support::Project) = $break;
                change(&project);
                let arguments: &[&str] = &[$($($argument),*)?];
                let at = [$(($word, $file))?].first().copied().unwrap_or_default();
                crate::assert_found(&project, arguments, &crate::Expected { code: $code, at });
            }
        )*
    };
}
pub(crate) use broken;

#[test]
fn what_is_not_broken_has_no_finding() {
    for example in ["docker-mcp", "e2i", "mcp-rag", "omni2", "sutra"] {
        let project = whole(example);
        // With `--strict`, as the README has it for CI: all of it could be looked at.
        for place in [&["--at", "host"][..], &["--at", "repo", "--strict"]] {
            let run = check(&project, place).assert_code(0);
            assert!(run.stdout.contains("no problem found") && run.stdout.contains(" services"), "{example}: {run:?}");
        }
        let run = check(&project, &["-e", "prod", "--at", "repo", "--strict"]).assert_code(0);
        assert!(run.stdout.contains("no problem found"), "{example}: {run:?}");
    }
}

/// Makes docker-mcp's production a Swarm, as its manifest says how.
fn swarm(project: &Project) {
    edit(
        project,
        "vault-kit.toml",
        "# compose = [\"docker-compose.yml\", \"docker-compose.swarm.yml\"]\n",
        "compose = [\"docker-compose.yml\", \"docker-compose.swarm.yml\"]\n",
    );
}

#[test]
fn in_a_swarm_what_the_cluster_holds_is_a_notice() {
    let project = whole("docker-mcp");
    swarm(&project);
    let run = check(&project, &["-e", "prod", "--at", "repo", "--strict", "--json"]).assert_code(0);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = [
        ("secret-external", "`postgres_password`"),
        ("secret-external", "`api_keys`"),
        ("unused", "`MCP_API_KEY`"),
        ("unused", "`POSTGRES_PASSWORD`"),
        ("unused", "`VALID_API_KEYS`"),
    ];
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), expected.len(), "{report}");
    for (finding, (code, word)) in findings.iter().zip(expected) {
        assert!(finding["code"] == code && finding["message"].as_str().unwrap().contains(word), "{finding}");
    }
    assert_eq!(report["looked_at"]["services"], 9, "{report}");
}

#[test]
fn every_rule_about_deployments_has_a_system_that_breaks_it() {
    let caught: BTreeSet<&str> = [
        cloud::CODES,
        compose::CODES,
        delivery::CODES,
        files::CODES,
        images::CODES,
        posture::CODES,
        traefik::CODES,
        values::CODES,
    ]
    .concat()
    .into_iter()
    .collect();
    let explained = vault_kit::check::explain::all().iter().map(|it| it.code);
    let from = |code: &str| explained.clone().position(|it| it == code).unwrap();
    let ours: BTreeSet<&str> =
        explained.clone().take(from("external-store") + 1).skip(from("compose-invalid")).collect();
    assert_eq!(ours.difference(&caught).collect::<Vec<_>>(), [&""; 0]);
    assert!(caught.len() >= 40, "{}", caught.len());
}
