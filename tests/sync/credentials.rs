//! Programs that an AWS profile names as its source of credentials are children like every other.

use std::process::Command;

use crate::aws::{ACCOUNT, Fake};
use crate::shop::Host;
use crate::support::{Run, set_mode};

/// A program that writes its environment down and gives the keys.
fn recorder(host: &Host<'_>) -> String {
    let keys = r#"{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "a-secret-access-key-of-a-test"}"#;
    let record = host.project.path("record");
    host.project.write("keys.sh", format!("#!/bin/sh\nenv >>'{}'\necho '{keys}'\n", record.display()));
    set_mode(&host.project.path("keys.sh"), 0o700);
    host.project.path("keys.sh").display().to_string()
}

/// A command with nothing but profiles for credentials.
fn with_profiles(host: &Host<'_>, verb: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = host.command(verb.iter().copied());
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env("AWS_CONFIG_FILE", host.project.path("config"));
    command.env("AWS_SHARED_CREDENTIALS_FILE", host.project.path("credentials"));
    command.envs(variables.iter().copied());
    command
}

#[test]
fn the_program_that_gives_the_credentials_gets_our_environment_without_our_identity() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    let program = recorder(&host);
    host.project.write(
        "config",
        format!(
            "[default]\ncredential_process = '{program}' --of default\n\
             [profile lines]\ncredential_process =\n  VALUE='{program}'\n  X=$VALUE; \"$VALUE\"\n\
             [profile base]\ncredential_process = hidden-by-the-other-file\n\
             [profile chain]\nsource_profile = base\nrole_arn = arn:aws:iam::{ACCOUNT}:role/r\n"
        ),
    );
    host.project.write("credentials", format!("[base]\ncredential_process = {program}\n"));
    let identity = std::fs::read_to_string(host.project.identity()).unwrap();
    let file = host.project.identity().display().to_string();
    let sources = [("VAULT_KIT_IDENTITY", identity.as_str()), ("VAULT_KIT_IDENTITY_FILE", file.as_str())];
    for profile in ["default", "lines", "base", "chain"] {
        for source in sources {
            for verb in [&["sync", "status"][..], &["check", "--at", "remote"]] {
                host.project.write("record", "");
                let variables = [source, ("AWS_PROFILE", profile), ("KEPT", "as-it-is")];
                let run = Run::of(&mut with_profiles(&host, verb, &variables));
                let record = host.project.read("record");
                assert!(record.contains("KEPT=as-it-is"), "{profile}: {}", run.both());
                for trace in ["VAULT_KIT_IDENTITY", "AGE-SECRET-KEY"] {
                    assert!(!record.contains(trace), "{profile} {verb:?}: the program got {trace}");
                }
                // Everybody is answered, but that the double knows no roles.
                assert_eq!(run.stderr.contains("InvalidAction"), profile == "chain", "{profile}: {}", run.both());
                assert_eq!(run.stderr.contains("error"), profile == "chain", "{profile}: {}", run.both());
            }
        }
    }
}

#[test]
fn a_profile_that_the_manifest_names_is_no_way_around_that() {
    let fake = Fake::start();
    let host = Host::with(&fake, &crate::shop::manifest(", profile = \"named\""));
    host.project.run(["init"]).assert_code(0);
    host.project.run(["trust", "--yes"]).assert_code(0);
    let program = recorder(&host);
    host.project.write("config", format!("[profile named]\ncredential_process = {program}\n"));
    host.project.write("credentials", "");
    let identity = std::fs::read_to_string(host.project.identity()).unwrap();
    let mut command = with_profiles(&host, &["sync", "status"], &[("VAULT_KIT_IDENTITY", &identity)]);
    Run::of(&mut command).assert_code(0);
    assert!(host.project.read("record").contains("PATH=") && !host.project.read("record").contains("AGE-SECRET-KEY"));
}
