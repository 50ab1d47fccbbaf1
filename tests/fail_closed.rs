//! Wrong uses fail closed: what is wrong × the command that meets it → an exit code, and nothing else happens.
//!
//! The table is measured, printed, and compared with the one in README.md.

mod support;

use std::fmt::Write as _;
use std::process::Command;

use support::{Project, Run};

const MANIFEST: &str = r#"
[project]
name = "shop"

[secrets.API_KEY]
kind = "external"

[secrets.STRIPE_KEY]
kind = "external"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["API_KEY", "STRIPE_KEY"]
"#;

/// What is in the store, and must never be seen.
const VALUE: &str = "canary-Zk3vYq8mT1xWc5Rb";

/// What is in damaged files, and must not be quoted.
const INPUT: &str = "canary-7dHfN2pLs9Jg4Uae";

const COMMANDS: [&str; 4] = ["run", "get", "render", "check"];

/// Something wrong.
struct Wrong {
    /// As README.md calls it.
    name: &'static str,
    /// Makes it so in a project where all is well; tells the environment variables of the command.
    arrange: fn(&Project) -> Vec<(&'static str, String)>,
    /// The file or secret that the error must name.
    names: &'static str,
    /// The exit codes in the order of [`COMMANDS`].
    codes: [i32; 4],
}

const TABLE: [Wrong; 8] = [
    Wrong {
        name: "no identity",
        arrange: without_identity,
        names: ".config/vault-kit/identity.txt",
        codes: [4, 4, 4, 0],
    },
    Wrong {
        name: "`VAULT_KIT_IDENTITY_FILE` names no file",
        arrange: pointing_nowhere,
        names: "nowhere.txt",
        codes: [4, 4, 4, 4],
    },
    Wrong { name: "the wrong identity", arrange: as_a_stranger, names: ".vault-kit/dev.age", codes: [4, 4, 4, 4] },
    Wrong { name: "a secret is missing", arrange: with_a_value_missing, names: "STRIPE_KEY", codes: [1, 1, 1, 1] },
    Wrong {
        name: "the store is damaged",
        arrange: with_a_damaged_store,
        names: ".vault-kit/dev.age",
        codes: [4, 4, 4, 4],
    },
    Wrong {
        name: "the store is truncated",
        arrange: with_a_truncated_store,
        names: ".vault-kit/dev.age",
        codes: [4, 4, 4, 4],
    },
    Wrong {
        name: "the ledger is damaged",
        arrange: with_a_damaged_ledger,
        names: ".vault-kit/dev.ledger.jsonl",
        codes: [4, 4, 4, 4],
    },
    Wrong {
        name: "the manifest does not parse",
        arrange: with_a_damaged_manifest,
        names: "vault-kit.toml:",
        codes: [3, 3, 3, 3],
    },
];

#[test]
fn every_wrong_use_ends_with_its_code_one_line_and_one_hint_and_changes_nothing() {
    let mut measured = String::new();
    for wrong in &TABLE {
        let project = Project::with_manifest(MANIFEST);
        project.run(["init"]).assert_code(0);
        for name in ["API_KEY", "STRIPE_KEY"] {
            project.run_with_stdin(["set", name], VALUE.as_bytes()).assert_code(0);
        }
        let variables = (wrong.arrange)(&project);
        let mut codes = [-1; COMMANDS.len()];
        // The only one that mends anything comes last.
        for index in [0, 1, 3, 2] {
            codes[index] = try_out(wrong, &project, &variables, COMMANDS[index]);
        }
        writeln!(measured, "| {} | {} |", wrong.name, codes.map(|code| code.to_string()).join(" | ")).expect("text");
    }
    show(&measured);
    let row =
        |wrong: &Wrong| format!("| {} | {} |\n", wrong.name, wrong.codes.map(|code| code.to_string()).join(" | "));
    assert_eq!(measured, TABLE.iter().map(row).collect::<Vec<_>>().concat());
    assert_eq!(measured, readme_table(), "README.md says something else");
}

/// One cell: the exit code, after everything that must hold beside it was looked at.
fn try_out(wrong: &Wrong, project: &Project, variables: &[(&str, String)], command: &str) -> i32 {
    let before = project.contents();
    let ciphertext = project.bytes(".vault-kit/dev.age");
    let run = Run::of(arguments(project, command).envs(variables.iter().cloned()));
    let cell = format!("{} × {command}: {run:?}", wrong.name);
    let both = run.both();
    assert!(!both.contains('\x1b'), "an escape sequence: {cell}");
    assert!(!both.contains(INPUT), "what was read is quoted: {cell}");
    for line in ciphertext.split(|&byte| byte == b'\n').filter(|line| line.len() > 8) {
        assert!(!both.contains(&*String::from_utf8_lossy(line)), "ciphertext is shown: {cell}");
    }
    if run.code == 0 {
        assert_works(project, command, &cell);
        return 0;
    }
    assert!(!both.contains(VALUE), "a value is shown: {cell}");
    assert!(before == project.contents(), "something changed on disk: {cell}");
    if command == "check" && run.code == 1 {
        let finding = run.stdout.lines().next().unwrap_or_default();
        assert!(finding.starts_with("missing ") && finding.contains(wrong.names), "the finding: {cell}");
        let fix = run.stdout.lines().nth(1).unwrap_or_default();
        assert_eq!(fix.trim_start(), "fix: vault-kit set STRIPE_KEY", "the fix: {cell}");
        return run.code;
    }
    assert_eq!(run.stdout, "", "nothing on stdout: {cell}");
    let (errors, others): (Vec<&str>, Vec<&str>) =
        run.stderr.lines().partition(|line| line.starts_with("vault-kit: error: "));
    assert_eq!(errors.len(), 1, "one error: {cell}");
    assert!(errors[0].contains(wrong.names), "the error names `{}`: {cell}", wrong.names);
    assert_eq!(others.len(), 1, "one line besides: {cell}");
    assert!(others[0].starts_with("vault-kit: hint: "), "a hint: {cell}");
    run.code
}

fn arguments(project: &Project, command: &str) -> Command {
    match command {
        "run" => project.command(["run", "--", "touch", "started"]),
        "get" => project.command(["get", "STRIPE_KEY"]),
        command => project.command([command]),
    }
}

/// The cells that are 0: the command did all that it is there for.
fn assert_works(project: &Project, command: &str, cell: &str) {
    match command {
        "run" => assert!(project.path("started").exists(), "the child was started: {cell}"),
        "get" => assert!(cell.contains(VALUE), "the value is given: {cell}"),
        "render" => {
            let check = project.run(["check"]).assert_code(0);
            assert!(check.stdout.contains("no problem found"), "the ledger is whole again: {cell}");
        }
        _ => {
            assert!(cell.contains("looked at 2 secrets, 1 file: no problem found"), "the ledger is read: {cell}");
            assert!(!cell.contains("not checked"), "all of it was looked at: {cell}");
        }
    }
}

#[test]
fn check_without_an_identity_says_what_it_could_not_look_at() {
    let project = Project::with_manifest(MANIFEST);
    project.run(["init"]).assert_code(0);
    for name in ["API_KEY", "STRIPE_KEY"] {
        project.run_with_stdin(["set", name], VALUE.as_bytes()).assert_code(0);
    }
    without_identity(&project);
    project.write(".vault-kit/dev.ledger.jsonl", b"");
    std::fs::remove_file(project.path(".vault-kit/dev.ledger.jsonl")).expect("the ledger was there");
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("ledger-stale"), "{}", check.stdout);
    assert!(check.stdout.contains("not checked  secrets: there is no ledger to read"), "{}", check.stdout);
    assert!(!check.stdout.contains("missing"), "not looked at is not missing: {}", check.stdout);
}

/// The rows of README.md's table, without its head.
fn readme_table() -> String {
    let readme = std::fs::read_to_string(support::root().join("README.md")).expect("README.md is read");
    let (_, section) = readme.split_once("\n## Wrong uses fail closed\n").expect("the section is there");
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let mut rows = section.lines().filter(|line| line.starts_with('|'));
    let head: Vec<&str> = rows.next().expect("a head").split('|').map(str::trim).collect();
    assert_eq!(head, ["", "", "`run`", "`get`", "`render`", "`check`", ""]);
    rows.next().expect("a line beneath the head");
    rows.fold(String::new(), |table, row| table + row + "\n")
}

#[expect(clippy::print_stderr, reason = "the table is what this test is for")]
fn show(table: &str) {
    eprintln!("| | `run` | `get` | `render` | `check` |\n|---|---|---|---|---|\n{table}");
}

fn without_identity(project: &Project) -> Vec<(&'static str, String)> {
    std::fs::remove_file(project.identity()).expect("the identity was there");
    Vec::new()
}

fn pointing_nowhere(project: &Project) -> Vec<(&'static str, String)> {
    vec![("VAULT_KIT_IDENTITY_FILE", project.path("nowhere.txt").display().to_string())]
}

fn as_a_stranger(project: &Project) -> Vec<(&'static str, String)> {
    let (path, _) = project.stranger("stranger.txt");
    vec![("VAULT_KIT_IDENTITY_FILE", path.display().to_string())]
}

fn with_a_value_missing(project: &Project) -> Vec<(&'static str, String)> {
    project.run(["remove", "STRIPE_KEY", "--yes"]).assert_code(0);
    Vec::new()
}

fn with_a_damaged_store(project: &Project) -> Vec<(&'static str, String)> {
    let mut sealed = project.bytes(".vault-kit/dev.age");
    let last = sealed.last_mut().expect("a sealed store is not empty");
    *last ^= 1;
    project.write(".vault-kit/dev.age", sealed);
    Vec::new()
}

fn with_a_truncated_store(project: &Project) -> Vec<(&'static str, String)> {
    let sealed = project.bytes(".vault-kit/dev.age");
    project.write(".vault-kit/dev.age", &sealed[..sealed.len() / 2]);
    Vec::new()
}

fn with_a_damaged_ledger(project: &Project) -> Vec<(&'static str, String)> {
    let ledger = project.read(".vault-kit/dev.ledger.jsonl");
    project.write(".vault-kit/dev.ledger.jsonl", format!("{ledger}{INPUT}\n"));
    Vec::new()
}

fn with_a_damaged_manifest(project: &Project) -> Vec<(&'static str, String)> {
    project.write("vault-kit.toml", format!("{MANIFEST}\nTOKEN = \"{INPUT}\n"));
    Vec::new()
}
