//! The command line itself: help, global flags, streams.

use std::os::fd::OwnedFd;

use crate::shop::{SHOP, complete, error_code, json, shop};
use crate::support::{Project, Run};

/// Every command and subcommand.
const COMMANDS: [&[&str]; 21] = [
    &["init"],
    &["import"],
    &["check"],
    &["explain"],
    &["status"],
    &["generate"],
    &["set"],
    &["get"],
    &["remove"],
    &["render"],
    &["run"],
    &["trust"],
    &["schedule", "install"],
    &["schedule", "remove"],
    &["store", "recover"],
    &["recipients", "list"],
    &["recipients", "apply"],
    &["schema"],
    &["completions"],
    &["man"],
    &[],
];

#[test]
fn the_help_of_every_command_has_a_line_a_flag() {
    let project = Project::empty();
    for command in COMMANDS {
        let run = project.run([command, &["--help"]].concat()).assert_code(0);
        assert!(run.stderr.is_empty() && !run.stdout.contains("panic"), "{}", run.both());
        let parts = run.stdout.split("\n\n");
        let flags = parts.filter_map(|part| part.split_once("Options:\n").or(part.split_once("On every command:\n")));
        let flags: Vec<&str> = flags.flat_map(|(_, flags)| flags.lines()).collect();
        assert!(flags.len() >= 12, "{}", run.stdout);
        for line in flags {
            assert!(line.trim_start().starts_with('-'), "{command:?}: a flag goes over its line: {line:?}");
            assert!(line.contains("  ") && line.chars().count() <= 100, "{command:?}: {line:?}");
        }
        for line in run.stdout.lines() {
            assert_eq!(line.trim_end(), line, "{command:?}");
        }
    }
    assert_eq!(project.run(["--version"]).assert_code(0).stdout, format!("vault-kit {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let project = complete();
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["check"],
        &["get", "AUTH"],
        &["schema", "manifest"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["recipients", "list"],
        &["generate", "--json"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = Run::of(project.command(command).stdout(OwnedFd::from(writer)));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command:?}");
    }
}

#[test]
fn errors_have_a_code_in_json_and_a_hint_in_words() {
    let nowhere = Project::empty();
    let broken = Project::with_manifest("[project\n");
    let living = shop();
    for (project, command, code, exit) in [
        (&nowhere, &["status"][..], "manifest-missing", 3),
        (&broken, &["status"], "manifest-invalid", 3),
        (&living, &["-e", "nope", "status"], "usage", 2),
        (&living, &["nosuch"], "usage", 2),
        (&living, &["status", "--nosuch"], "usage", 2),
        (&living, &["-f", "nowhere.toml", "status"], "manifest-not-found", 3),
        (&living, &["check", "--at", "remote"], "not-in-aws", 3),
    ] {
        let run = project.run([&["--json"], command].concat()).assert_code(exit);
        assert_eq!(error_code(&run), code, "{command:?}");
        let error = &json(&run)["errors"][0];
        assert!(error["message"].as_str().is_some_and(|it| !it.is_empty()), "{error}");
        assert!(run.stderr.starts_with("vault-kit: error: "), "{}", run.stderr);
        let told = project.run(command).assert_code(exit);
        assert!(told.stdout.is_empty(), "{command:?}: errors do not go to stdout: {}", told.stdout);
    }
}

#[test]
fn quiet_says_nothing_and_verbose_more() {
    let project = Project::with_manifest(SHOP);
    let quiet = project.run(["-q", "init"]).assert_code(0);
    assert_eq!(quiet.both(), "");
    let plain = project.run(["init"]).assert_code(0);
    let verbose = project.run(["-v", "init"]).assert_code(0);
    assert!(verbose.stderr.lines().count() > plain.stderr.lines().count(), "{}", verbose.stderr);
    assert!(verbose.stderr.contains("unchanged     .env"), "{}", verbose.stderr);
    let error = project.run(["-q", "get", "STRIPE"]).assert_code(1);
    assert!(error.stderr.contains("error: "), "errors are heard all the same");
}

#[test]
fn a_project_is_found_from_below_and_by_name() {
    let project = complete();
    project.write("deep/er/file", "");
    let auth = project.get("AUTH");
    for arguments in [&["-C", "deep/er", "get", "AUTH"][..], &["-f", "vault-kit.toml", "get", "AUTH"]] {
        assert_eq!(project.run(arguments).assert_code(0).stdout.into_bytes(), auth, "{arguments:?}");
    }
    let mut elsewhere = project.command(["-C"]);
    elsewhere.arg(project.root()).args(["get", "AUTH"]).current_dir("/");
    assert_eq!(Run::of(&mut elsewhere).assert_code(0).stdout.into_bytes(), auth);
    std::fs::rename(project.path("vault-kit.toml"), project.path("other.toml")).unwrap();
    project.run(["get", "AUTH"]).assert_code(3);
    assert_eq!(project.run(["-f", "other.toml", "get", "AUTH"]).assert_code(0).stdout.into_bytes(), auth);
}

#[test]
fn the_flag_goes_before_the_variable_for_the_environment() {
    let project = shop();
    let port = |arguments: &[&str], variable: &str| {
        Run::of(project.command(arguments).env("VAULT_KIT_ENV", variable)).assert_code(0).stdout
    };
    assert_eq!(port(&["get", "PORT"], "prod"), "443");
    assert_eq!(port(&["-e", "dev", "get", "PORT"], "prod"), "8080");
    let run = Run::of(project.command(["get", "PORT"]).env("VAULT_KIT_ENV", "staging")).assert_code(2);
    assert!(run.stderr.contains("dev, prod"), "{}", run.stderr);
}

#[test]
fn talk_goes_to_stderr_without_a_trailing_space() {
    let project = Project::with_manifest(SHOP);
    for command in [
        &["init"][..],
        &["init", "-v"],
        &["generate", "--replace", "AUTH", "-n"],
        &["remove", "TOKEN", "--yes"],
        &["render"],
        &["recipients", "list"],
        &["check"],
        &["status"],
    ] {
        let run = project.run(command);
        if !["check", "status", "recipients"].contains(&command[0]) {
            assert_eq!(run.stdout, "", "{command:?}");
        }
        for line in run.both().lines() {
            assert!(line.trim_end() == line && !line.contains('\t') && !line.contains('\x1b'), "{command:?}: {line:?}");
        }
    }
}

#[test]
fn a_dry_run_does_not_even_refresh_the_second_copy() {
    let project = complete();
    std::fs::remove_dir_all(project.home().join(".local")).expect("the second copy is there");
    project.write("old.env", "NOTE=a note from elsewhere\n");
    let before = (project.snapshot(), project.contents());
    for command in [
        &["init", "-n"][..],
        &["import", "old.env", "-n"],
        &["generate", "--replace", "AUTH", "-n"],
        &["set", "NOTE", "--from-file", "old.env", "-n"],
        &["remove", "AUTH", "-n"],
        &["render", "-n"],
        &["recipients", "apply", "-n"],
        &["trust", "-n"],
    ] {
        project.run(command).assert_code(0);
        assert!((project.snapshot(), project.contents()) == before, "{command:?}");
    }
    project.run(["render"]).assert_code(0);
    assert!(project.home().join(".local").exists(), "a writer refreshes it");
}

#[test]
fn commands_that_stand_in_warnings_and_remarks_are_about_what_this_one_was_about() {
    let project = Project::with_manifest(
        "[project]\nname = \"p\"\ndefault_environment = \"dev\"\n[environments.dev]\n[environments.prod]\n\
         [secrets.KEY]\nkind = \"random\"\n[secrets.TOKEN]\nkind = \"token\"\nsigned_by = \"KEY\"\n[secrets.CA]\nkind = \"ca\"\n\
         [outputs.tls]\nformat = \"pem\"\npath = \"tls\"\nsecrets = [\"CA\"]\n",
    );
    project.run(["-e", "prod", "init"]).assert_code(0);
    let token = project.run(["-e", "prod", "get", "TOKEN"]).assert_code(0).stdout;
    let certificate = std::fs::read_dir(project.path("tls")).unwrap().next().unwrap().unwrap().path();
    let certificate = certificate.to_str().unwrap();
    for (arguments, code, expected) in [
        (&["token", "inspect"][..], 0, "`vault-kit -e prod token verify`"),
        (&["cert", "inspect", certificate], 0, "`vault-kit -e prod cert verify`"),
        (&["run", "--", "no-such-command"], 127, "`vault-kit -e prod run -- CMD ARGUMENTS`"),
    ] {
        let run = project.run_with_stdin([&["-e", "prod"], arguments].concat(), token.as_bytes()).assert_code(code);
        assert!(run.stderr.contains(expected), "{arguments:?}: {run:?}");
        let elsewhere = expected.replace(" -e prod", "");
        let run = project.run_with_stdin(arguments, token.as_bytes());
        assert!(run.stderr.contains(&elsewhere) || run.stderr.contains("`vault-kit init`"), "{arguments:?}: {run:?}");
    }
}
