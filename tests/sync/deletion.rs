//! Deletions are only ever scheduled, and never undone in silence.

use crate::aws::Fake;
use crate::shop::{Host, manifest, name};

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
    assert!(fake.is_scheduled(&name("database/url")));
    assert!(!fake.is_scheduled(&name("database/password")));
    assert!(host.run(["sync", "prune", "--yes"]).assert_code(0).stdout.is_empty(), "a second run has nothing to do");
}

#[test]
fn what_somebody_changed_or_took_over_is_not_pruned() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.project.write("vault-kit.toml", without_url());
    let url = name("database/url");
    fake.tag(&url, "vault-kit:managed", "other/prod");
    host.run(["sync", "prune", "--yes"]).assert_code(7);
    fake.tag(&url, "vault-kit:managed", "shop/prod");
    fake.put(&url, "changed");
    host.run(["sync", "prune", "--yes"]).assert_code(7);
    assert!(!fake.is_scheduled(&url));
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
