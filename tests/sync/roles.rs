//! Each command with the policy of its role and nothing else: it suffices, and a lesser one does not.

use crate::aws::Fake;
use crate::shop::{Host, manifest, name, there};

/// Whoever asks from now on has this role and no other right.
fn become_role(fake: &Fake, host: &Host<'_>, role: &str, more: &[&str]) {
    let arguments = [&["iam", "policy", "--role", role], more].concat();
    fake.obey(Some(&host.project.run(arguments).assert_code(0).stdout));
    fake.forget();
}

/// With and without the requests that are about many secrets.
const BATCHES: [&[&str]; 2] = [&[], &["--batches"]];

#[test]
fn a_reader_pulls_and_compares_and_writes_nothing() {
    for more in BATCHES {
        let fake = Fake::start();
        let first = Host::first(&fake);
        first.run(["sync", "push"]).assert_code(0);
        let host = Host::new(&fake);
        become_role(&fake, &host, "reader", more);
        host.run(["sync", "pull"]).assert_code(0);
        assert_eq!(
            host.get("DATABASE_URL"),
            first.get("DATABASE_URL"),
            "and a key that is not there is missing, not denied"
        );
        fake.put(&name("database/password"), "a-new-password-for-the-reader");
        for verb in [&["sync", "status"][..], &["sync", "pull"], &["sync", "pull"]] {
            host.run(verb.iter().copied()).assert_code(0);
        }
        assert_eq!(host.get("DB_PASSWORD"), "a-new-password-for-the-reader");
        let run = host.run(["sync", "diff"]).assert_code(1);
        assert!(run.stdout.contains("push  /shop/prod/database/url"), "what is made here alone: {}", run.stdout);
        assert_eq!(
            fake.log().iter().any(|it| it.operation == "BatchGetSecretValue" && it.outcome == "ok"),
            !more.is_empty()
        );
        host.set("SESSION_KEY", "a-session-key-that-no-reader-sends");
        let run = host.run(["sync", "push"]).assert_code(6);
        assert!(run.stderr.contains("vault-kit iam policy --role rotator"), "{}", run.stderr);
        assert!(!there(&fake, "app").contains("no-reader-sends"));
        let run = host.run(["check", "--at", "remote"]).assert_code(1);
        assert!(run.stdout.contains("there is no `/shop/prod/api-keys/openai` in AWS"), "{}", run.stdout);
        assert!(!run.stdout.contains("not checked: the keys"), "it may read them: {}", run.stdout);
    }
}

#[test]
fn a_pipeline_compares_and_hears_missing_and_reads_nothing() {
    for more in BATCHES {
        let fake = Fake::start();
        let host = Host::first(&fake);
        host.run(["sync", "push"]).assert_code(0);
        become_role(&fake, &host, "ci-check", more);
        let run = host.run(["check", "--at", "remote"]).assert_code(1);
        assert!(run.stdout.contains("there is no `/shop/prod/api-keys/openai` in AWS"), "{}", run.stdout);
        assert!(run.stdout.contains("the keys of `/shop/prod/app`"), "{}", run.stdout);
        host.run(["sync", "status"]).assert_code(0);
        fake.put(&name("database/password"), "a-new-password-for-nobody");
        host.run(["sync", "pull"]).assert_code(6);
        assert_eq!(fake.values_read(), 0);
    }
}

#[test]
fn a_rotator_pushes_rotates_adopts_prunes_and_restores() {
    for more in BATCHES {
        let fake = Fake::start();
        let host = Host::first(&fake);
        become_role(&fake, &host, "rotator", more);
        host.run(["sync", "push"]).assert_code(0);
        host.set("SESSION_KEY", "a-session-key-that-a-rotator-sends");
        host.set("DB_PASSWORD", "a-new-password-by-a-rotator");
        host.run(["sync", "push"]).assert_code(0);
        assert_eq!(there(&fake, "database/url"), "postgres://app:a-new-password-by-a-rotator@db/app");
        fake.put(&name("app"), r#"{"log_level":"info","SESSION_KEY":"a-session-key-of-somebody-0123456789"}"#);
        host.run(["sync", "pull"]).assert_code(0);
        host.run(["rotate", "DB_PASSWORD", "--yes"]).assert_code(0);
        assert_eq!(there(&fake, "database/password"), host.get("DB_PASSWORD"));
        host.run(["sync", "push"]).assert_code(0);
        fake.put(&name("api-keys/openai"), "sk-made-by-terraform");
        host.run(["sync", "adopt", "OPENAI_API_KEY"]).assert_code(0);
        host.run(["sync", "pull"]).assert_code(0);
        host.set("OPENAI_API_KEY", "sk-from-here");
        host.run(["sync", "push"]).assert_code(0);
        host.project.write("vault-kit.toml", manifest("").replace("aws = \"database/url\"\n", ""));
        host.run(["sync", "prune", "--yes"]).assert_code(0);
        assert!(fake.is_scheduled(&name("database/url")));
        host.run(["sync", "restore", &name("database/url")]).assert_code(0);
        assert!(!fake.is_scheduled(&name("database/url")));
    }
}

#[test]
fn a_role_of_another_environment_does_nothing_here() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    let elsewhere = Host::with(&fake, &manifest("").replace("/shop/prod/", "/shop/prod2/"));
    become_role(&fake, &elsewhere, "rotator", &["--batches"]);
    host.run(["sync", "push"]).assert_code(6);
    assert!(fake.names().is_empty());
}
