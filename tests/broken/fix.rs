//! What a finding proposes works when it is pasted: a command is one, a line of the manifest is TOML.

use std::process::Command;

use vault_kit::check::explain;

use crate::support::{Project, Run};

/// What commands of other programs begin with.
const OTHERS: [&str; 10] =
    ["(cd ", "chmod ", "date ", "docker ", "echo ", "git ", "mv ", "rm ", "sudo chown ", "unset "];

/// Says that a fix is a command that its program knows, or names lines of the manifest that are TOML, or is prose.
#[track_caller]
pub(crate) fn assert_works(project: &Project, fix: &str) {
    assert!(!fix.is_empty() && !fix.contains('\n'), "{fix:?}");
    assert!(!fix.starts_with("mend"), "{fix:?} says nothing of how");
    if let Some(command) = fix.strip_prefix("vault-kit ") {
        assert_known(project, command.split(" # ").next().unwrap());
    } else if OTHERS.iter().any(|it| fix.starts_with(it)) {
        Run::of(Command::new("sh").args(["-n", "-c", fix])).assert_code(0);
        fix.split("vault-kit ").skip(1).for_each(|it| assert_known(project, it.trim_end_matches(')')));
    } else {
        assert_commands_in(project, fix);
        assert!(
            !fix.contains("vault-kit.toml: [") && !fix.contains("in vault-kit.toml: "),
            "{fix}: no place for a line"
        );
        for (before, line) in lines(fix) {
            let table =
                before.rsplit_once('[').and_then(|(_, it)| it.strip_suffix(']')).unwrap_or_else(|| panic!("{fix}"));
            let text = format!("[{table}]\n{line}\n");
            let parsed = text.parse::<toml::Table>().unwrap_or_else(|error| panic!("{fix}: {error}"));
            assert!(parsed.values().any(|it| it.as_table().is_some_and(|it| !it.is_empty())), "{fix}");
        }
    }
}

/// The lines that a fix proposes for the manifest, and what stands before each.
fn lines(fix: &str) -> impl Iterator<Item = (&str, &str)> {
    const MARK: &str = " of vault-kit.toml: ";
    fix.match_indices(MARK).map(|(at, _)| (&fix[..at], &fix[at + MARK.len()..]))
}

/// The commands that stand in backticks.
#[track_caller]
fn assert_commands_in(project: &Project, text: &str) {
    for command in text.split('`').skip(1).step_by(2) {
        if let Some(words) = command.strip_prefix("sudo ").unwrap_or(command).strip_prefix("vault-kit ") {
            assert_known(project, words);
        }
    }
}

/// Says that our program takes a command line; asked for help, it does no more.
#[track_caller]
fn assert_known(project: &Project, words: &str) {
    let words: Vec<&str> = words.split("&&").next().unwrap().split_whitespace().collect();
    let own: Vec<&str> = words.iter().copied().take_while(|word| *word != "--").collect();
    let run = project.run(own.iter().chain(&["--help"]));
    assert_eq!(run.code, 0, "vault-kit {own:?}: {run:?}");
    assert!(run.stdout.contains("Usage"), "vault-kit {own:?}: {run:?}");
}

const SHOP: &str = r#"
[project]
name = "shop"
compose = ["compose.yml"]
[secrets.DB_PASSWORD]
kind = "password"
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DB_PASSWORD"]
"#;

/// What `[deployment]` says of ports before, each in another of TOML's forms.
const PORTS: [&str; 4] = [
    "[deployment]\npublic = { web = [\"443\"] }\n",
    "[deployment]\n[deployment.public]\nweb = [\"443\"]\n[deployment.localhost]\nweb = [\"9000\"]\n",
    "[deployment]\npublic = {}\n",
    "[deployment]\nlocalhost = { web = [\"9000\"] }\n",
];

#[test]
fn a_row_of_ports_is_proposed_as_it_has_to_be_afterwards() {
    for before in PORTS {
        let project = Project::with_manifest(&format!("{SHOP}{before}"));
        let ports =
            r#"["443:443", "8443:443", "8080-8081:80", "127.0.0.1:9000:9000", "127.0.0.1:9001:9001", "53:53/udp"]"#;
        let web = format!("  web: {{ image: a, environment: {{ X: \"${{DB_PASSWORD}}\" }}, ports: {ports} }}\n");
        project.write(
            "compose.yml",
            format!("services:\n{web}  api: {{ image: a, ports: [\"127.0.0.1:7000:7000\", \"7001:1\"] }}\n"),
        );
        // Each proposal in its place: what it replaces goes.
        let mut rounds = 0;
        while let Some(fix) = first_of(&project, "port-published") {
            let (table, line) = fix.split_once("in [").unwrap().1.split_once("] of vault-kit.toml: ").unwrap();
            paste(&project, table, line);
            rounds += 1;
            assert!(rounds <= 5, "{fix}\n{}", project.read("vault-kit.toml"));
        }
        let text = project.read("vault-kit.toml");
        assert!(text.contains("\"8080-8081\"") && text.contains("\"53/udp\"") && text.contains("\"9001\""), "{text}");
        assert!(before.contains("[deployment.public]") || rounds == 2, "{before}: {rounds} of {text}");
    }
}

/// Compose files that are refused, and what is proposed.
const REFUSED: [(&str, &str, &str); 12] = [
    (
        "services: { a: { image: a, image: b } }",
        "1 `image` stands twice in a mapping of this line",
        "take one of the two `image` out of the line",
    ),
    (
        "services:\n  a:\n    image: a\n    environment: { X: 1 }\n    image: b\n",
        "5 `image` stands twice in the mapping, first on line 3",
        "take `image` out on line 3 or on line 5",
    ),
    (
        "services:\n  a:\n    image: a\n    environment:\n      {A: 1,\n       B: 2, A: 3}\n",
        "6 `A` stands twice in the mapping, first on line 5",
        "take `A` out on line 5 or on line 6",
    ),
    ("services: { a: { image: a, ports: 80 } }", "1 `services.a.ports` must be a list", "ports: [ … ]"),
    ("services: { a: { image: [a] } }", "1 `services.a.image` must be a string", "image: \"…\""),
    (
        "services: { a: { image: a, environment: { X: [1] } } }",
        "1 `services.a.environment`: `X` must be a string, a number or a truth value",
        "X: \"…\"",
    ),
    ("services: [a]", "1 `services` must be a mapping", "services: { … }"),
    ("services: { a: {} }", "1 service `a` has neither `image` nor `build`", "image: \"…\""),
    (
        "services: { a: { image: a, volumes: [{ type: bind, source: x }] } }",
        "1 `services.a.volumes` has an entry without `target`",
        "docker compose -f compose.yml config --quiet    # says what Compose wants there",
    ),
    (
        "services: { a: { imagee: a } }",
        "1 `services.a` has `imagee`, which Compose does not know",
        "did you mean `image`?",
    ),
    (
        "include: [other.yml]\nservices: { a: { image: a } }",
        "1 `other.yml` does not exist",
        "write `other.yml`, or take its name out here",
    ),
    (
        "services: { a: { image: a }\n",
        "2 this is not valid YAML here or shortly before",
        "docker compose -f compose.yml config --quiet    # says what Compose wants there",
    ),
];

#[test]
fn of_a_compose_file_that_is_refused_it_is_said_what_to_write() {
    for (text, told, fix) in REFUSED {
        let project = Project::with_manifest(SHOP);
        project.write("compose.yml", text);
        let run = project.run(["check", "--at", "repo", "--json", "--only", "compose-invalid"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
        let findings = report["findings"].as_array().unwrap();
        let found = findings
            .iter()
            .map(|it| (format!("{} {}", it["line"], it["message"].as_str().unwrap()), it["fix"].as_str().unwrap()));
        let found: Vec<_> = found.collect();
        assert!(found.contains(&(told.to_owned(), fix)), "{text}: {found:?}");
        for (_, fix) in &found {
            assert_works(&project, fix);
        }
    }
}

/// The fix of the first finding of a code.
fn first_of(project: &Project, code: &str) -> Option<String> {
    let run = project.run(["check", "--at", "repo", "--json", "--only", code]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    Some(report["findings"].get(0)?["fix"].as_str().unwrap().to_owned())
}

/// Puts a line into a table of the manifest, in place of the one of that key.
fn paste(project: &Project, table: &str, line: &str) {
    let key = line.split(" = ").next().unwrap();
    let mut lines: Vec<String> = project.read("vault-kit.toml").lines().map(str::to_owned).collect();
    let header = lines.iter().position(|it| *it == format!("[{table}]")).unwrap();
    let end = (header + 1..lines.len()).find(|&at| lines[at].starts_with('[')).unwrap_or(lines.len());
    match (header + 1..end).find(|&at| lines[at].starts_with(&format!("{key} ="))) {
        Some(at) => line.clone_into(&mut lines[at]),
        None => lines.insert(end, line.to_owned()),
    }
    project.write("vault-kit.toml", lines.join("\n") + "\n");
}

#[test]
fn what_explain_proposes_is_known() {
    let project = Project::empty();
    for it in explain::all() {
        for text in [it.cause, it.risk, it.cure] {
            assert_commands_in(&project, text);
        }
    }
}
