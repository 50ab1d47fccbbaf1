//! What nobody compared is neither overwritten nor taken for agreed, whoever does what meanwhile.

use std::process::Command;
use std::time::Duration;

use vault_kit::private_file::Root;

use crate::aws::Fake;
use crate::shop::{Host, manifest, name, there};
use crate::support::Run;

/// A host that agrees with AWS.
fn settled(fake: &Fake) -> Host<'_> {
    let host = Host::first(fake);
    host.run(["sync", "push"]).assert_code(0);
    host
}

/// The manifest with one more key in the bundle.
fn with_smtp_key() -> String {
    let more = "[secrets.SMTP_KEY]\nkind = \"external\"\noptional = true\nbundle = \"app\"\n\n[outputs.env]";
    manifest("").replace("[outputs.env]", more)
}

#[test]
fn a_key_that_is_declared_later_is_pulled_although_its_bundle_did_not_change() {
    let fake = Fake::start();
    let (first, second) = (settled(&fake), Host::new(&fake));
    first.project.write("vault-kit.toml", with_smtp_key());
    first.set("SMTP_KEY", "smtp-key-of-the-first");
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    second.project.write("vault-kit.toml", with_smtp_key());
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!(second.get("SMTP_KEY"), "smtp-key-of-the-first");
}

#[test]
fn a_declared_key_that_is_on_neither_side_is_looked_for_once() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.project.write("vault-kit.toml", with_smtp_key());
    for verb in ["pull", "push"] {
        host.run(["sync", verb]).assert_code(0);
    }
    fake.forget();
    for verb in ["pull", "push", "diff"] {
        host.run(["sync", verb]).assert_code(0);
    }
    assert_eq!(fake.values_read(), 0);
}

#[test]
fn a_bundle_that_becomes_one_value_is_not_overwritten() {
    let fake = Fake::start();
    let host = settled(&fake);
    let before = there(&fake, "app");
    let text = manifest("").replace("bundle = \"app\"\nbundle_key = \"log_level\"\n", "");
    host.project.write("vault-kit.toml", text.replace("bundle = \"app\"", "aws = \"app\""));
    host.run(["sync", "push"]).assert_code(7);
    assert_eq!(there(&fake, "app"), before, "the keys of others are in it");
    host.run(["sync", "push", "--ours", "SESSION_KEY"]).assert_code(0);
    assert_eq!(there(&fake, "app"), host.get("SESSION_KEY"));
}

#[test]
fn a_value_that_was_removed_here_is_pulled_again() {
    let fake = Fake::start();
    let host = settled(&fake);
    let password = host.get("DB_PASSWORD");
    host.project.run(["remove", "DB_PASSWORD", "--yes"]).assert_code(0);
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("DB_PASSWORD"), password);
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn ours_for_one_key_of_a_bundle_leaves_those_that_changed_there_alone() {
    let text = with_smtp_key();
    let fake = Fake::start();
    let host = Host::with(&fake, &text);
    host.project.run(["init"]).assert_code(0);
    host.set("SMTP_KEY", "smtp-key-before");
    host.run(["sync", "push"]).assert_code(0);
    host.set("SESSION_KEY", "mine-0123456789abcdefghijklmnopqrstuv");
    fake.put(
        &name("app"),
        r#"{"SMTP_KEY":"smtp-key-of-somebody","SESSION_KEY":"others-123456789abcdefghijklmnopqrst","log_level":"info"}"#,
    );
    host.run(["sync", "push", "--ours", "SESSION_KEY"]).assert_code(0);
    let bundle: serde_json::Value = serde_json::from_str(&there(&fake, "app")).unwrap();
    assert_eq!(bundle["SESSION_KEY"], "mine-0123456789abcdefghijklmnopqrstuv");
    assert_eq!(bundle["SMTP_KEY"], "smtp-key-of-somebody", "nobody chose ours for it");
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("SMTP_KEY"), "smtp-key-of-somebody");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn what_was_read_before_another_process_went_on_is_not_taken_after_it() {
    let fake = Fake::start();
    let (host, other) = (settled(&fake), Host::new(&fake));
    other.run(["sync", "pull"]).assert_code(0);
    fake.put(&name("database/password"), "the-value-that-is-read-first");
    fake.put(&name("app"), r#"{"log_level":"info","SESSION_KEY":"the-key-that-is-read-first-abcdefghij"}"#);
    // One of the two is read before the other process, the other after it.
    fake.deny("BatchGetSecretValue");
    host.project
        .write("newer", "DB_PASSWORD=the-newest-value-of-all\nSESSION_KEY=the-newest-key-of-all-abcdefghijklm\n");
    let mut meanwhile: Vec<Command> = vec![
        host.command(["sync", "pull"]),
        host.command(["import", "--replace", "newer"]),
        host.command(["sync", "push"]),
    ];
    fake.before("GetSecretValue", 2, move |_| {
        for command in &mut meanwhile {
            Run::of(command).assert_code(0);
        }
    });
    let run = host.run(["sync", "pull"]).assert_code(7);
    assert!(run.stderr.contains("changed while they were compared"), "{}", run.stderr);
    assert_eq!(host.get("DB_PASSWORD"), "the-newest-value-of-all");
    assert_eq!(host.get("SESSION_KEY"), "the-newest-key-of-all-abcdefghijklm");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn a_value_that_is_set_while_a_push_looks_is_the_one_that_is_sent() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.set("DB_PASSWORD", "a-password-that-is-never-sent");
    host.project.write("newer", "a-password-set-meanwhile");
    let mut set = host.command(["set", "DB_PASSWORD", "--from-file", "newer"]);
    fake.before("ListSecrets", 1, move |_| drop(Run::of(&mut set).assert_code(0)));
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(there(&fake, "database/password"), "a-password-set-meanwhile");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn nobody_waits_while_a_push_asks_for_the_account() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.set("DB_PASSWORD", "a-password-that-is-never-sent");
    host.project.write("newer", "a-password-set-meanwhile");
    let mut set = host.command(["set", "DB_PASSWORD", "--from-file", "newer", "--lock-timeout", "0"]);
    fake.forget();
    fake.before("GetCallerIdentity", 1, move |_| drop(Run::of(&mut set).assert_code(0)));
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(there(&fake, "database/password"), "a-password-set-meanwhile");
    assert_eq!(fake.calls("GetCallerIdentity"), 1);
}

#[test]
fn a_push_that_has_nothing_to_do_takes_no_turn() {
    let fake = Fake::start();
    let host = settled(&fake);
    let push = || host.run(["sync", "push", "--lock-timeout", "0"]);
    let lock = || Root::open(host.project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap();
    let held = lock();
    push().assert_code(0);
    drop(held);
    host.set("DB_PASSWORD", "a-password-that-is-to-be-sent");
    let held = lock();
    push().assert_code(7);
    drop(held);
    push().assert_code(0);
    assert_eq!(there(&fake, "database/password"), "a-password-that-is-to-be-sent");
}

#[test]
fn a_store_that_is_not_opened_again_is_held_against_its_copy_all_the_same() {
    let fake = Fake::start();
    let host = settled(&fake);
    let (store, copy) = (host.project.path(".vault-kit/prod.age"), host.project.state().join("prod.copy"));
    let lost = copy.clone();
    fake.before("ListSecrets", 1, move |_| std::fs::remove_file(lost).unwrap());
    host.run(["sync", "pull"]).assert_code(0);
    let saved = |name: &str| host.project.home().join(name);
    let (old_store, old_copy, later) = (saved("store"), saved("copy"), saved("later"));
    std::fs::copy(&store, &old_store).unwrap();
    std::fs::copy(&copy, &old_copy).unwrap();
    host.set("DB_PASSWORD", "a-password-of-a-later-store");
    std::fs::copy(&copy, &later).unwrap();
    std::fs::copy(old_store, store).unwrap();
    std::fs::copy(old_copy, &copy).unwrap();
    fake.before("ListSecrets", 1, move |_| {
        std::fs::copy(later, copy).unwrap();
    });
    let run = host.run(["sync", "pull"]).assert_code(4);
    assert!(run.stderr.contains("is older than its second copy"), "{}", run.stderr);
}

#[test]
fn of_two_pushes_on_one_machine_the_later_one_finds_nothing_to_send() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.set("DB_PASSWORD", "a-password-that-both-would-send");
    let mut first = host.command(["sync", "push"]);
    // The later one has read the store by then.
    fake.before("ListSecrets", 1, move |_| drop(Run::of(&mut first).assert_code(0)));
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(fake.calls("PutSecretValue"), 2, "password and address, once each");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn a_renamed_secret_is_made_anew_and_the_old_one_left_for_prune() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.project.write("vault-kit.toml", manifest("").replace("\"database/password\"", "\"db/password\""));
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(there(&fake, "db/password"), there(&fake, "database/password"));
    host.run(["sync", "prune", "--yes"]).assert_code(0);
    assert!(fake.is_scheduled(&name("database/password")) && !fake.is_scheduled(&name("db/password")));
}

#[test]
fn two_that_change_names_with_each_other_keep_their_values() {
    let fake = Fake::start();
    let host = settled(&fake);
    let (password, url) = (host.get("DB_PASSWORD"), host.get("DATABASE_URL"));
    let text =
        manifest("").replace("\"database/password\"", "\"x\"").replace("\"database/url\"", "\"database/password\"");
    host.project.write("vault-kit.toml", text.replace("\"x\"", "\"database/url\""));
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!((host.get("DB_PASSWORD"), host.get("DATABASE_URL")), (password.clone(), url.clone()));
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!((there(&fake, "database/url"), there(&fake, "database/password")), (password, url));
}

#[test]
fn a_store_that_moves_to_another_account_or_region_takes_nothing_from_the_old_one_for_granted() {
    let fake = Fake::start();
    let host = settled(&fake);
    for (account, region) in [("999999999999", "eu-west-1"), ("999999999999", "us-east-1")] {
        let elsewhere = Fake::start().account(account).region(region);
        let text = manifest("").replace("123456789012", account).replace("eu-west-1", region);
        host.project.write("vault-kit.toml", text);
        for verb in [&["sync", "push"][..], &["sync", "pull"]] {
            let mut refused = host.command(verb.iter().copied());
            assert_eq!(Run::of(refused.envs(elsewhere.environment())).code, 4);
        }
        host.project.run(["recipients", "apply", "--yes"]).assert_code(0);
        let mut push = host.command(["sync", "push"]);
        Run::of(push.envs(elsewhere.environment())).assert_code(0);
        assert_eq!(there(&elsewhere, "database/password"), host.get("DB_PASSWORD"));
        let mut diff = host.command(["sync", "diff"]);
        assert!(Run::of(diff.envs(elsewhere.environment())).assert_code(0).stdout.is_empty());
    }
    // Back where it began: what is there was agreed on once, and is compared again.
    host.project.write("vault-kit.toml", manifest(""));
    host.project.run(["recipients", "apply", "--yes"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(fake.calls("PutSecretValue"), 0);
}

#[test]
fn what_is_kept_of_a_purged_version_is_pushed_no_more() {
    let fake = Fake::start();
    let host = settled(&fake);
    for round in 0..8 {
        host.set("DB_PASSWORD", &format!("password-number-{round}-of-eight"));
        host.run(["sync", "push"]).assert_code(0);
    }
    assert_eq!(there(&fake, "database/password"), "password-number-7-of-eight");
    let other = Host::new(&fake);
    other.run(["sync", "pull"]).assert_code(0);
    assert_eq!(other.get("DB_PASSWORD"), "password-number-7-of-eight");
}

#[test]
fn the_environment_that_is_switched_to_has_bases_of_its_own() {
    let fake = Fake::start();
    let text = manifest("") + "\n[environments.dev]\naws = { account = \"123456789012\", region = \"eu-west-1\" }\n";
    let host = Host::with(&fake, &text.replace("path = \".env\"", "path = \".env\"\nenvironments = [\"prod\"]"));
    for environment in ["prod", "dev"] {
        host.project.run(["-e", environment, "init"]).assert_code(0);
        host.run(["-e", environment, "sync", "push"]).assert_code(0);
    }
    assert_ne!(
        there(&fake, "database/password"),
        String::from_utf8(fake.value("/shop/dev/database/password")).unwrap()
    );
    host.run(["-e", "dev", "sync", "prune", "--yes"]).assert_code(0);
    assert!(!fake.is_scheduled(&name("database/password")));
    for environment in ["prod", "dev"] {
        assert!(host.run(["-e", environment, "sync", "diff"]).assert_code(0).stdout.is_empty());
    }
}
