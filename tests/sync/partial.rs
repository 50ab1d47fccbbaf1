//! One secret that cannot be pulled keeps no other back.

use crate::aws::Fake;
use crate::shop::{Host, manifest, name};

/// The shop with a signing key and its token, and a value that goes into a file of its own as well.
fn signing() -> String {
    manifest("").replace(
        "[outputs.env]",
        r#"[secrets.JWT]
kind = "random"
aws = "jwt"

[secrets.SERVICE_TOKEN]
kind = "token"
signed_by = "JWT"
role = "service"
subject = "svc:api"
ttl = "30d"
aws = "token"

[outputs.env]"#,
    )
}

#[test]
fn a_first_pull_takes_everything_but_what_it_may_not_read() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.set("OPENAI_API_KEY", "sk-that-not-everybody-may-read");
    first.run(["sync", "push"]).assert_code(0);
    fake.deny_reading(&name("api-keys/openai"));
    let host = Host::new(&fake);
    let run = host.run(["sync", "pull"]).assert_code(6);
    assert!(run.stderr.contains("AWS denies access to `/shop/prod/api-keys/openai`"), "{}", run.stderr);
    assert!(run.stderr.contains("vault-kit iam policy"), "{}", run.stderr);
    assert_eq!(host.get("DATABASE_URL"), first.get("DATABASE_URL"));
    assert!(host.project.read(".env").contains(&first.get("SESSION_KEY")), "what was taken is delivered");
}

#[test]
fn a_later_pull_takes_everything_but_what_fails() {
    let fake = Fake::start();
    let (first, second) = (Host::first(&fake), Host::new(&fake));
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    let before = second.get("SESSION_KEY");
    fake.put(&name("database/password"), "the-password-that-can-be-read");
    fake.put(&name("app"), r#"{"SESSION_KEY":"a-key-that-cannot-be-read-0123456789","log_level":"info"}"#);
    fake.deny_reading(&name("app"));
    let run = second.run(["sync", "pull"]).assert_code(6);
    assert!(run.stderr.contains("AWS denies access to `/shop/prod/app`"), "{}", run.stderr);
    assert_eq!(
        (second.get("DB_PASSWORD"), second.get("SESSION_KEY")),
        ("the-password-that-can-be-read".into(), before)
    );
    assert!(second.project.read(".env").contains("the-password-that-can-be-read"));
    fake.allow_reading(&name("app"));
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!(second.get("SESSION_KEY"), "a-key-that-cannot-be-read-0123456789");
}

#[test]
fn what_cannot_be_read_is_not_made_here_in_its_place() {
    let fake = Fake::start();
    let first = Host::with(&fake, &signing());
    first.project.run(["init"]).assert_code(0);
    first.run(["sync", "push"]).assert_code(0);
    fake.deny_reading(&name("jwt"));
    let host = Host::with(&fake, &signing());
    host.run(["sync", "pull"]).assert_code(6);
    host.project.run(["get", "JWT"]).assert_code(1);
    fake.allow_reading(&name("jwt"));
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!((host.get("JWT"), host.get("SERVICE_TOKEN")), (first.get("JWT"), first.get("SERVICE_TOKEN")));
}

#[test]
fn a_push_sends_everything_but_what_depends_on_what_it_may_not_read() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.set("DB_PASSWORD", "a-password-that-can-be-pushed");
    host.set("SESSION_KEY", "a-key-0123456789abcdefghijklmnopqrstuv");
    fake.deny_reading(&name("app"));
    let run = host.run(["sync", "push"]).assert_code(6);
    assert!(run.stderr.contains("AWS denies access to `/shop/prod/app`"), "{}", run.stderr);
    assert_eq!(fake.value(&name("database/password")), b"a-password-that-can-be-pushed");
}
