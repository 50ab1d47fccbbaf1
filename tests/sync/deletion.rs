//! Deletions are only ever scheduled, and never undone in silence.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::aws::Fake;
use crate::shop::{Host, manifest, name};
use crate::support;

fn without_url() -> String {
    manifest("").replace("aws = \"database/url\"\n", "")
}

#[test]
fn what_no_declaration_names_is_pruned_with_a_recovery_window_and_only_after_a_yes() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.project.write("vault-kit.toml", without_url());
    host.run(["sync", "push"]).assert_code(0);
    assert!(!fake.is_scheduled(&name("database/url")), "a push deletes nothing");
    let run = host.run(["sync", "prune", "-n"]).assert_code(0);
    assert!(run.stdout.contains(&name("database/url")), "{}", run.stdout);
    host.run(["sync", "prune", "--non-interactive"]).assert_code(2);
    assert!(!fake.is_scheduled(&name("database/url")));
    host.run(["sync", "prune", "--yes"]).assert_code(0);
    assert_eq!(fake.recovery_days(&name("database/url")), Some(30), "AWS's own default");
    assert!(!fake.is_scheduled(&name("database/password")));
    assert!(host.run(["sync", "prune", "--yes"]).assert_code(0).stdout.is_empty(), "a second run has nothing to do");
}

#[test]
fn what_stands_below_an_earlier_prefix_is_pruned_and_comes_back() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.project.write("vault-kit.toml", manifest("").replace(&name(""), "/moved/prod/"));
    host.project.run(["recipients", "apply", "--yes"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    let old = name("database/password");
    assert!(host.run(["sync", "prune", "-n"]).assert_code(0).stdout.contains(&old));
    host.run(["sync", "prune", "--yes"]).assert_code(0);
    assert!(fake.is_scheduled(&old) && !fake.is_scheduled("/moved/prod/database/password"));
    assert!(host.run(["sync", "prune", "--yes"]).assert_code(0).stdout.is_empty(), "a second run has nothing to do");
    fake.tag(&old, "vault-kit:managed", "other/prod");
    let refused = host.run(["sync", "restore", &old]).assert_code(2);
    assert!(refused.stderr.contains("nor was it made for it") && fake.is_scheduled(&old), "{refused:?}");
    fake.tag(&old, "vault-kit:managed", "shop/prod");
    host.run(["sync", "restore", &old]).assert_code(0);
    assert!(!fake.is_scheduled(&old));
}

#[test]
fn a_role_that_reaches_no_further_than_the_prefix_is_told_what_it_takes() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.project.write("vault-kit.toml", manifest("").replace(&name(""), "/moved/prod/"));
    host.project.run(["recipients", "apply", "--yes"]).assert_code(0);
    let hint = "it is below an earlier prefix, and the policies of `vault-kit iam policy` reach what is below `/moved/prod/` alone";
    for operation in ["DescribeSecret", "DeleteSecret"] {
        fake.deny(operation);
        let run = host.run(["sync", "prune", "--yes"]).assert_code(6);
        let command = format!("secretsmanager delete-secret --secret-id {}`", name("database/url"));
        assert!(run.stderr.contains(hint) && run.stderr.contains(&command), "{run:?}");
        assert!(!run.stderr.contains("prints what"), "{run:?}");
        fake.heal();
    }
    // Below the present one the policy is what is missing.
    host.project.write("vault-kit.toml", without_url());
    host.project.run(["recipients", "apply", "--yes"]).assert_code(0);
    fake.deny("DescribeSecret");
    let run = host.run(["sync", "prune", "--yes"]).assert_code(6);
    assert!(
        run.stderr.contains("`vault-kit iam policy --role ci-check`") && !run.stderr.contains("earlier"),
        "{run:?}"
    );
}

#[test]
fn the_window_that_the_manifest_declares_reaches_aws() {
    let fake = Fake::start();
    let host = Host::with(&fake, &manifest(", recovery_window = \"7d\""));
    host.project.run(["init"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    host.project
        .write("vault-kit.toml", manifest(", recovery_window = \"7d\"").replace("aws = \"database/url\"\n", ""));
    host.run(["sync", "prune", "--yes"]).assert_code(0);
    assert_eq!(fake.recovery_days(&name("database/url")), Some(7));
}

#[test]
fn what_somebody_changed_or_took_over_is_not_pruned() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.project.write("vault-kit.toml", without_url());
    let url = name("database/url");
    let ours = fake.holder(&url, "AWSCURRENT").unwrap();
    fake.put(&url, "changed");
    host.run(["sync", "prune", "--yes"]).assert_code(7);
    fake.relabel(&url, "AWSCURRENT", Some(&ours));
    fake.tag(&url, "vault-kit:managed", "other/prod");
    let run = host.run(["sync", "prune", "--yes"]).assert_code(0);
    assert!(run.stdout.contains("left to others") && run.stdout.contains(&url), "{}", run.stdout);
    assert!(!fake.is_scheduled(&url));
    assert!(host.run(["sync", "prune", "--yes"]).assert_code(0).stdout.is_empty(), "it is told once");
}

#[test]
fn a_scheduled_one_is_told_never_made_anew_and_comes_back_with_restore() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let password = name("database/password");
    fake.schedule(&password, 7);
    host.set("DB_PASSWORD", "a-new-password-meanwhile");
    for verb in ["push", "pull"] {
        let run = host.run(["sync", verb, "DB_PASSWORD"]).assert_code(7);
        assert!(run.stderr.contains("scheduled for deletion"), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("vault-kit sync restore {password}")), "{}", run.stderr);
    }
    host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(7);
    host.run(["sync", "restore", &password]).assert_code(0);
    assert!(!fake.is_scheduled(&password));
    host.run(["sync", "push", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(fake.value(&password), b"a-new-password-meanwhile");
}

#[test]
fn one_that_is_gone_is_made_again_only_on_demand() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let password = name("database/password");
    fake.delete(&password);
    for verb in ["push", "pull"] {
        let run = host.run(["sync", verb]).assert_code(7);
        assert!(run.stderr.contains("is not there any more"), "{}", run.stderr);
    }
    assert!(!fake.names().contains(&password));
    host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(fake.value(&password), host.get("DB_PASSWORD").as_bytes());
    host.run(["sync", "diff"]).assert_code(0);
}

#[test]
fn a_question_keeps_no_other_command_waiting_and_what_changed_meanwhile_is_not_deleted() {
    let test = "a_question_keeps_no_other_command_waiting_and_what_changed_meanwhile_is_not_deleted";
    if support::program("script").is_none() || !cfg!(target_os = "linux") {
        return support::skip(test, "no script(1) of util-linux");
    }
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.project.write("vault-kit.toml", without_url());
    let line = format!("{} sync prune", env!("CARGO_BIN_EXE_vault-kit"));
    for (is_changed, code) in [(true, 7), (false, 0)] {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(host.project.root());
        script
            .env_clear()
            .envs(fake.environment())
            .env("PATH", support::search_path())
            .env("HOME", host.project.home());
        let mut asked = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut shown = Vec::new();
        let mut output = asked.stdout.take().unwrap();
        while !String::from_utf8_lossy(&shown).contains("[y/N]") {
            let mut byte = [0];
            assert_eq!(output.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&shown));
            shown.extend(byte);
        }
        host.project.run(["render", "--lock-timeout", "0s"]).assert_code(0);
        if is_changed {
            host.project.write("vault-kit.toml", manifest(""));
            fake.put(&name("database/url"), host.get("DATABASE_URL"));
            host.run(["sync", "push", "--lock-timeout", "0s"]).assert_code(0);
            host.project.write("vault-kit.toml", without_url());
        }
        asked.stdin.take().unwrap().write_all(b"y\n").unwrap();
        output.read_to_end(&mut shown).unwrap();
        assert_eq!(asked.wait().unwrap().code(), Some(code), "{}", String::from_utf8_lossy(&shown));
        assert_eq!(fake.is_scheduled(&name("database/url")), !is_changed);
    }
}
