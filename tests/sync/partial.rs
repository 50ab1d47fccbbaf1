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

/// The shop with a value that an output has to carry as text, and one that is made of it.
fn narrow() -> String {
    let text = manifest("").replace("pattern = \"^sk-\"\n", "");
    text.replace(
        "[outputs.env]",
        "[outputs.json]\nformat = \"json\"\npath = \"app.json\"\nsecrets = [\"*\"]\n\n[outputs.env]",
    )
}

#[test]
fn a_value_that_an_output_cannot_carry_is_not_taken_and_keeps_no_other_back() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.set("OPENAI_API_KEY", "sk-that-every-output-carries");
    first.run(["sync", "push"]).assert_code(0);
    let host = Host::with(&fake, &narrow());
    host.run(["sync", "pull"]).assert_code(0);
    fake.put(&name("api-keys/openai"), b"sk-\xff\xfe");
    fake.put(&name("app"), r#"{"SESSION_KEY":"the-next-key-0123456789abcdefghijkl","log_level":"info"}"#);
    for _ in 0..2 {
        let run = host.run(["sync", "pull"]).assert_code(3);
        assert!(run.stderr.contains("not taken: output `json` cannot carry `OPENAI_API_KEY`"), "{}", run.stderr);
        assert!(run.stderr.contains("`vault-kit sync pull OPENAI_API_KEY`"), "{}", run.stderr);
        assert_eq!(host.get("OPENAI_API_KEY"), "sk-that-every-output-carries");
        assert!(host.project.read("app.json").contains("the-next-key-"), "the others are delivered");
    }
    fake.put(&name("api-keys/openai"), "sk-mended");
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("OPENAI_API_KEY"), "sk-mended");
}

#[test]
fn of_a_bundle_the_keys_that_can_be_delivered_are_taken() {
    let fake = Fake::start();
    let text = narrow().replace("[outputs.json]", "[secrets.SMTP_KEY]\nkind = \"external\"\npattern = \"^smtp\"\noptional = true\nbundle = \"app\"\n[outputs.json]");
    fake.put(
        &name("app"),
        r#"{"SMTP_KEY":"not-as-declared","SESSION_KEY":"a-key-0123456789abcdefghijklmnopqrst","log_level":"info"}"#,
    );
    fake.tag(&name("app"), "vault-kit:managed", "shop/prod");
    let host = Host::with(&fake, &text);
    let run = host.run(["sync", "pull"]).assert_code(1);
    assert!(run.stderr.contains("does not match the pattern of `SMTP_KEY`"), "{}", run.stderr);
    assert_eq!(host.get("SESSION_KEY"), "a-key-0123456789abcdefghijklmnopqrst");
    fake.put(
        &name("app"),
        r#"{"SMTP_KEY":"smtp-mended","SESSION_KEY":"a-key-0123456789abcdefghijklmnopqrst","log_level":"info"}"#,
    );
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("SMTP_KEY"), "smtp-mended");
}

#[test]
fn a_key_that_nothing_can_be_signed_with_is_not_taken() {
    let fake = Fake::start();
    let text = signing();
    let (first, host) = (Host::with(&fake, &text), Host::with(&fake, &text));
    first.project.run(["init"]).assert_code(0);
    first.run(["sync", "push"]).assert_code(0);
    host.run(["sync", "pull"]).assert_code(0);
    fake.put(&name("jwt"), "too-short-for-hs256");
    fake.put(&name("database/password"), "what-else-changed-there");
    let run = host.run(["sync", "pull"]).assert_code(1);
    assert!(run.stderr.contains("not taken: `JWT` is shorter than the 32 bytes"), "{}", run.stderr);
    assert_eq!((host.get("JWT"), host.get("SERVICE_TOKEN")), (first.get("JWT"), first.get("SERVICE_TOKEN")));
    assert!(host.project.read(".env").contains("what-else-changed-there"));
}

#[test]
fn what_makes_a_value_that_cannot_be_delivered_is_not_taken() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.run(["sync", "push"]).assert_code(0);
    let host = Host::with(
        &fake,
        &narrow()
            .replace("secrets = [\"*\"]\n\n[outputs.env]", "secrets = [\"DATABASE_URL\"]\n\n[outputs.env]")
            .replace("\nsecrets = [\"*\"]", "\nsecrets = [\"LOG_LEVEL\"]"),
    );
    host.run(["sync", "pull"]).assert_code(0);
    fake.put(&name("database/password"), b"a-password-\xff-that-is-no-text");
    let run = host.run(["sync", "pull"]).assert_code(3);
    assert!(run.stderr.contains("not taken: "), "{}", run.stderr);
    assert_eq!(
        (host.get("DB_PASSWORD"), host.get("DATABASE_URL")),
        (first.get("DB_PASSWORD"), first.get("DATABASE_URL"))
    );
}
