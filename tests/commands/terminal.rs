//! What differs when a person sits in front of it. `script` makes the terminal.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::shop::{KEY, shop};
use crate::support::{self, Project, Run};

/// Runs a command line on a terminal and types `input`; `None` where no terminal can be made.
fn on_terminal(test: &str, project: &Project, line: &str, input: &str) -> Option<Run> {
    if support::program("script").is_none() || !cfg!(target_os = "linux") {
        support::skip(test, "no script(1) of util-linux");
        return None;
    }
    let program = env!("CARGO_BIN_EXE_vault-kit");
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line.replace("vault-kit", program), "/dev/null"]);
    script.current_dir(project.root()).env_clear().env("PATH", support::search_path()).env("HOME", project.home());
    script.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let mut keys = child.stdin.take().unwrap();
    let _ = keys.write_all(input.as_bytes());
    let run = Run::from(child.wait_with_output().unwrap());
    drop(keys);
    Some(run)
}

#[test]
fn a_value_is_shown_on_a_terminal_only_when_asked_for() {
    let project = shop();
    let value = String::from_utf8(project.get("AUTH")).unwrap();
    let test = "a_value_is_shown_on_a_terminal_only_when_asked_for";
    let Some(refused) = on_terminal(test, &project, "vault-kit get AUTH", "") else { return };
    let refused = refused.assert_code(2);
    assert!(refused.stdout.contains("--show") && !refused.stdout.contains(&value), "{}", refused.stdout);
    let Some(shown) = on_terminal(test, &project, "vault-kit get AUTH --show", "") else { return };
    assert_eq!(shown.assert_code(0).stdout.trim_end(), value);
}

#[test]
fn an_issued_key_is_shown_on_a_terminal_under_the_word_that_it_is_for_once() {
    let project = shop();
    let test = "an_issued_key_is_shown_on_a_terminal_under_the_word_that_it_is_for_once";
    let Some(shown) = on_terminal(test, &project, "vault-kit apikey new acme", "") else { return };
    let shown = shown.assert_code(0).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    let [.., word, key] = lines.as_slice() else { panic!("{shown}") };
    assert_eq!(*word, "this key is shown once; only its hash is kept:");
    project.run_with_stdin(["apikey", "verify"], key.as_bytes()).assert_code(0);
}

#[test]
fn a_token_is_minted_on_a_terminal_only_when_asked_for() {
    let project = Project::initialised("[project]\nname = \"shop\"\n[secrets.KEY]\nkind = \"keypair\"\n");
    let test = "a_token_is_minted_on_a_terminal_only_when_asked_for";
    let line = "vault-kit token mint --role reader --subject user:42";
    let Some(refused) = on_terminal(test, &project, line, "") else { return };
    let refused = refused.assert_code(2);
    assert!(refused.stdout.contains("--show") && !refused.stdout.contains("eyJ"), "{}", refused.stdout);
    assert!(project.store().issued.is_empty());
    let Some(shown) = on_terminal(test, &project, &format!("{line} --show"), "") else { return };
    assert!(shown.assert_code(0).stdout.contains("eyJ"));
}

#[test]
fn a_question_takes_yes_for_yes_and_everything_else_for_no() {
    let project = shop();
    let test = "a_question_takes_yes_for_yes_and_everything_else_for_no";
    let auth = project.get("AUTH");
    let line = "vault-kit generate --replace AUTH";
    let Some(no) = on_terminal(test, &project, line, "n\n") else { return };
    let no = no.assert_code(2);
    assert!(no.stdout.contains("[y/N]") && no.stdout.contains("nothing was done"), "{}", no.stdout);
    assert_eq!(project.get("AUTH"), auth);
    let Some(yes) = on_terminal(test, &project, line, "y\n") else { return };
    yes.assert_code(0);
    assert_ne!(project.get("AUTH"), auth);
}

#[test]
fn colour_is_for_terminals_and_only_if_wanted() {
    let project = shop();
    let test = "colour_is_for_terminals_and_only_if_wanted";
    let Some(plain) = on_terminal(test, &project, "vault-kit check --no-color", "") else { return };
    assert!(!plain.assert_code(1).stdout.contains('\x1b'));
    let Some(plain) = on_terminal(test, &project, "env NO_COLOR=1 vault-kit check", "") else { return };
    assert!(!plain.assert_code(1).stdout.contains('\x1b'));
    let Some(coloured) = on_terminal(test, &project, "vault-kit check", "") else { return };
    assert!(coloured.assert_code(1).stdout.contains("\x1b[31m"));
    assert!(!project.run(["check"]).both().contains('\x1b'));
}

#[test]
fn a_child_has_the_terminal_for_itself() {
    let project = shop();
    project.run_with_stdin(["set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    let line = "vault-kit run -- sh -c 'test -t 0 && test -t 1 && read line && echo got:$line'";
    let Some(run) = on_terminal("a_child_has_the_terminal_for_itself", &project, line, "typed\n") else { return };
    assert!(run.assert_code(0).stdout.contains("got:typed"));
}
