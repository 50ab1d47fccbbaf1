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

#[test]
fn what_explain_proposes_is_known() {
    let project = Project::empty();
    for it in explain::all() {
        for text in [it.cause, it.risk, it.cure] {
            assert_commands_in(&project, text);
        }
    }
}
