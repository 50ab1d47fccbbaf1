//! The identity is ours alone.

use crate::support::{Project, Run};
use crate::{MANIFEST, code_of};

#[test]
fn two_identities_at_once_are_a_usage_error() {
    let project = Project::initialised(MANIFEST);
    let text = std::fs::read_to_string(project.identity()).unwrap();
    let before = project.contents();
    for command in [["get", "API_KEY"].as_slice(), &["run", "--", "touch", "started"], &["render"], &["check"]] {
        let mut command =
            project.command(command.iter().take(1).copied().chain(["--json"]).chain(command[1..].iter().copied()));
        command.env("VAULT_KIT_IDENTITY_FILE", project.identity()).env("VAULT_KIT_IDENTITY", &text);
        let run = Run::of(&mut command).assert_code(2);
        assert_eq!(code_of(&run), "usage");
        assert!(!run.both().contains("AGE-SECRET-KEY"), "the identity is shown");
    }
    assert!(project.contents() == before);
}

#[test]
fn an_identity_variable_opens_the_store_and_never_reaches_the_child() {
    let project = Project::initialised(MANIFEST);
    let text = std::fs::read_to_string(project.identity()).unwrap();
    let moved = project.home().join("elsewhere.txt");
    std::fs::rename(project.identity(), &moved).unwrap();
    let value = String::from_utf8(
        Run::of(project.command(["get", "API_KEY"]).env("VAULT_KIT_IDENTITY", &text))
            .assert_code(0)
            .stdout
            .into_bytes(),
    )
    .unwrap();
    for clean in [[].as_slice(), &["--clean"]] {
        let arguments = ["run"].iter().chain(clean).chain(&["--", "/usr/bin/env"]);
        for (name, source) in
            [("VAULT_KIT_IDENTITY", text.as_str()), ("VAULT_KIT_IDENTITY_FILE", moved.to_str().unwrap())]
        {
            let run = Run::of(project.command(arguments.clone()).env(name, source).env("KEPT", "yes")).assert_code(0);
            assert!(run.stdout.contains(&format!("API_KEY={value}\n")), "the child has its secret");
            assert!(!run.stdout.contains("VAULT_KIT_IDENTITY"), "the child has our variable");
            assert!(!run.stdout.contains("AGE-SECRET-KEY"), "the child has our identity");
            assert_eq!(run.stdout.contains("KEPT=yes"), clean.is_empty());
        }
    }
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let project = Project::initialised(MANIFEST);
    let mut command = project.command(["get", "API_KEY"]);
    Run::of(command.env("VAULT_KIT_IDENTITY_FILE", "").env("VAULT_KIT_IDENTITY", "")).assert_code(0);
}
