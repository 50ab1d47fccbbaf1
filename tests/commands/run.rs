//! `run -- CMD`: the command replaces us, with its secrets.

use std::process::Stdio;

use crate::shop::{KEY, SHOP, complete, error_code, shop};
use crate::support::{Project, Run};

/// What a shell that is run with these arguments prints.
fn sh(project: &Project, flags: &[&str], script: &str) -> Run {
    project.run([&["run"], flags, &["--", "/bin/sh", "-c", script]].concat())
}

#[test]
fn every_value_arrives_exactly() {
    let project = complete();
    let nasty = b"line one\nline 'two' \"$HOME\" `id` \\ # \xc3\xa9 \xff\n";
    project.write("nasty", nasty);
    project.run(["set", "NOTE", "--from-file", "nasty"]).assert_code(0);
    let output = project.command(["run", "--", "/bin/sh", "-c", "printf %s \"$NOTE\"x"]).output().unwrap();
    assert_eq!(output.stdout, [&nasty[..], b"x"].concat());
    for name in ["AUTH", "TOKEN", "DB_PASSWORD", "DB_URL", "STRIPE", "PORT"] {
        let run = sh(&project, &[], &format!("printf %s \"${name}\"")).assert_code(0);
        assert_eq!(run.stdout.as_bytes(), project.get(name), "{name}");
    }
    // Certificates and keys travel as files, unless they are asked for by name.
    assert_eq!(sh(&project, &[], "printf %s \"${TLS-none}\"").stdout, "none");
    assert!(sh(&project, &["--only", "TLS"], "printf %s \"$TLS\"").stdout.contains("PRIVATE KEY"));
}

#[test]
fn the_command_takes_our_process() {
    let project = complete();
    let mut command = project.command(["run", "--", "/bin/sh", "-c", "echo $$"]);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let pid = child.id().to_string();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim(), pid);
}

#[test]
fn status_signal_and_streams_are_the_commands_own() {
    let project = complete();
    for code in [0, 1, 3, 42, 126, 255] {
        sh(&project, &[], &format!("exit {code}")).assert_code(code);
    }
    sh(&project, &[], "kill -TERM $$").assert_code(128 + 15);
    sh(&project, &[], "kill -KILL $$").assert_code(128 + 9);
    let run = project.run_with_stdin(["run", "--", "/bin/sh", "-c", "cat; echo oops >&2"], b"through\n").assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("through\n", "oops\n"));
}

#[test]
fn a_command_that_cannot_start_is_126_or_127() {
    let project = complete();
    project.write("not-executable", "#!/bin/sh\n");
    let run = project.run(["run", "--json", "--", "no-such-command-anywhere"]).assert_code(127);
    assert_eq!(error_code(&run), "command-not-found");
    let run = project.run(["run", "--json", "--", "./not-executable"]).assert_code(126);
    assert_eq!(error_code(&run), "not-executable");
    project.run(["run"]).assert_code(2);
    project.run(["run", "true"]).assert_code(2);
}

#[test]
fn the_parents_variable_of_that_name_gives_way_and_the_others_stay() {
    let project = complete();
    let mut command = project.command(["run", "--", "/bin/sh", "-c", "printf %s \"$PORT $KEPT\""]);
    let run = Run::of(command.env("PORT", "1").env("KEPT", "yes"));
    assert_eq!(run.stdout, "8080 yes");
}

#[test]
fn clean_leaves_nothing_but_the_values_and_our_variables_never_pass() {
    let project = complete();
    let identity = std::fs::read_to_string(project.identity()).unwrap();
    let with = |arguments: &[&str], variable: &str, value: &str| {
        Run::of(project.command(arguments).env("KEPT", "yes").env(variable, value)).assert_code(0).stdout
    };
    let names = |text: &str| {
        let mut names: Vec<String> =
            text.split('\0').filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
        names.sort();
        names
    };
    let path = project.identity().to_str().unwrap().to_owned();
    let clean = with(&["run", "--clean", "--", "/usr/bin/env", "-0"], "VAULT_KIT_IDENTITY_FILE", &path);
    assert_eq!(names(&clean), ["AUTH", "DB_PASSWORD", "DB_URL", "PORT", "STRIPE", "TOKEN"]);
    for (variable, value) in [("VAULT_KIT_IDENTITY_FILE", &path), ("VAULT_KIT_IDENTITY", &identity)] {
        let all = with(&["run", "--", "/usr/bin/env", "-0"], variable, value);
        assert!(names(&all).contains(&"KEPT".to_owned()) && !all.contains("VAULT_KIT_IDENTITY"), "{:?}", names(&all));
    }
}

#[test]
fn only_gives_the_named_ones_and_needs_no_others() {
    let project = shop();
    let run = sh(&project, &["--clean", "--only", "AUTH,PORT"], "/usr/bin/env | cut -d= -f1 | sort | tr '\\n' ' '");
    let names: Vec<_> = run.assert_code(0).stdout.split(' ').map(str::to_owned).collect();
    assert!(names.contains(&"AUTH".to_owned()) && names.contains(&"PORT".to_owned()), "{names:?}");
    assert!(!names.contains(&"TOKEN".to_owned()) && !names.contains(&"STRIPE".to_owned()), "{names:?}");
    sh(&project, &["--only", "AUHT"], "touch started").assert_code(2);
    assert!(!project.path("started").exists());
}

#[test]
fn with_a_value_missing_nothing_starts() {
    let project = shop();
    let run = sh(&project, &["--json"], "touch started").assert_code(1);
    assert_eq!(error_code(&run), "missing");
    assert!(run.stderr.contains("`STRIPE`") && run.stderr.contains("vault-kit set STRIPE"), "{}", run.stderr);
    let stranger = Project::with_manifest(SHOP);
    sh(&stranger, &[], "touch started").assert_code(4);
    assert!(!project.path("started").exists() && !stranger.path("started").exists());
}

#[test]
fn what_cannot_be_a_variable_is_refused_by_name() {
    let project = complete();
    for (value, why) in [(vec![b'x'; 128 * 1024], "128 KiB"), (b"a\0b".to_vec(), "NUL")] {
        project.write("value", value);
        project.run(["set", "NOTE", "--from-file", "value"]).assert_code(0);
        let run = sh(&project, &["--json"], "touch started").assert_code(3);
        assert_eq!(error_code(&run), "not-a-variable");
        assert!(run.stderr.contains("`NOTE`") && run.stderr.contains(why), "{}", run.stderr);
    }
    // The longest that fits does start: our limit is the system's.
    project.write("value", vec![b'x'; 128 * 1024 - "NOTE=".len() - 1]);
    project.run(["set", "NOTE", "--from-file", "value"]).assert_code(0);
    let run = sh(&project, &[], "printf %s ${#NOTE}").assert_code(0);
    assert_eq!(run.stdout, (128 * 1024 - 6).to_string());
    assert!(!project.path("started").exists());
}

#[test]
fn another_environment_has_values_of_its_own() {
    let project = complete();
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    project.run_with_stdin(["-e", "prod", "set", "STRIPE"], KEY.as_bytes()).assert_code(7);
    project.run_with_stdin(["-e", "prod", "set", "STRIPE", "--yes"], KEY.as_bytes()).assert_code(0);
    let script = "printf %s \"$PORT $AUTH\"";
    let dev = sh(&project, &[], script).stdout;
    let flag = project.run(["-e", "prod", "run", "--", "/bin/sh", "-c", script]).stdout;
    let variable = Run::of(project.command(["run", "--", "/bin/sh", "-c", script]).env("VAULT_KIT_ENV", "prod")).stdout;
    assert!(dev.starts_with("8080 ") && flag.starts_with("443 "));
    assert_eq!(flag, variable);
    assert_ne!(dev[5..], flag[4..]);
}
