//! Values go there and come back.

use crate::aws::Fake;
use crate::shop::{Host, manifest, name, there};

#[test]
fn a_first_push_makes_every_secret_with_tags_key_and_description() {
    let fake = Fake::start();
    let text = manifest(r#", kms_key = "alias/shop", tags = { team = "web" }, replicas = ["eu-central-1"]"#);
    let text = text.replace("aws = \"database/password\"", "aws = \"database/password\"\ndescription = \"the app's\"");
    let host = Host::with(&fake, &text);
    host.project.run(["init"]).assert_code(0);
    let run = host.run(["sync", "push"]).assert_code(0);
    assert!(run.stdout.contains("created") && run.stdout.contains(&name("database/password")), "{}", run.stdout);
    assert_eq!(there(&fake, "database/password"), host.get("DB_PASSWORD"));
    assert_eq!(there(&fake, "database/url"), host.get("DATABASE_URL"));
    assert_eq!(fake.names(), [name("app"), name("database/password"), name("database/url")]);
    let tags = fake.tags(&name("app"));
    assert_eq!((tags["vault-kit:managed"].as_str(), tags["team"].as_str()), ("shop/prod", "web"));
    assert_eq!(
        fake.description_and_key(&name("database/password")),
        (Some("the app's".into()), Some("alias/shop".into()))
    );
    assert_eq!(fake.replicas(&name("app")), ["eu-central-1"]);
    let bundle: serde_json::Value = serde_json::from_slice(&fake.value(&name("app"))).unwrap();
    assert_eq!((&bundle["log_level"], &bundle["SESSION_KEY"]), (&"info".into(), &host.get("SESSION_KEY").into()));
}

#[test]
fn a_second_host_pulls_the_same_values_and_delivers_them() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.set("OPENAI_API_KEY", "sk-ünïcode$(id)`id`${HOME}");
    first.run(["sync", "push"]).assert_code(0);
    let second = Host::new(&fake);
    second.run(["sync", "pull"]).assert_code(0);
    for name in ["DB_PASSWORD", "DATABASE_URL", "OPENAI_API_KEY", "SESSION_KEY"] {
        assert_eq!(second.get(name), first.get(name), "{name}");
    }
    assert_eq!(second.project.mode(".env"), 0o600);
    let shell = std::process::Command::new("bash")
        .args(["-c", "set -a; . ./.env; printf %s \"$DATABASE_URL\""])
        .current_dir(second.project.root())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(shell.stdout).unwrap(), first.get("DATABASE_URL"));
    second.run(["sync", "push"]).assert_code(0);
    assert_eq!(fake.calls("PutSecretValue"), 0, "what was pulled is not pushed back");
}

#[test]
fn what_changed_on_either_side_reaches_the_other() {
    let fake = Fake::start();
    let (first, second) = (Host::first(&fake), Host::new(&fake));
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    first.set("DB_PASSWORD", "a-new-password-from-the-first");
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!(second.get("DATABASE_URL"), "postgres://app:a-new-password-from-the-first@db/app");
    assert_eq!(there(&fake, "database/url"), second.get("DATABASE_URL"));
    second.set("DB_PASSWORD", "another-one-from-the-second");
    second.run(["sync", "push"]).assert_code(0);
    first.run(["sync", "pull"]).assert_code(0);
    assert_eq!(first.get("DB_PASSWORD"), "another-one-from-the-second");
    for host in [&first, &second] {
        let run = host.run(["sync", "diff"]).assert_code(0);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
}

#[test]
fn a_run_without_changes_reads_no_value_and_changes_no_file() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let before = host.project.snapshot();
    fake.forget();
    for verb in ["push", "pull", "status", "diff"] {
        host.run(["sync", verb]).assert_code(0);
    }
    assert_eq!(host.project.snapshot(), before);
    assert_eq!((fake.values_read(), fake.calls("ListSecrets")), (0, 4));
    assert_eq!(fake.all_calls(), 4, "{:?}", fake.log());
}

#[test]
fn a_certificate_travels_as_one_json_object_and_a_shared_key_keeps_its_kid() {
    let fake = Fake::start();
    let text = manifest("").replace(
        "[outputs.env]",
        r#"[secrets.CA]
kind = "ca"
aws = "tls/ca"

[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["shop.example"]
aws = "tls/server"

[secrets.JWT_SECRET]
kind = "random"
aws = "application/jwt-secret"

[secrets.SERVICE_TOKEN]
kind = "token"
signed_by = "JWT_SECRET"
role = "service"
subject = "svc:api"
audience = ["shop"]
ttl = "30d"
aws = "application/service-token"

[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]

[outputs.env]"#,
    );
    let text = text.replace("secrets = [\"*\"]", "secrets = [\"JWT_SECRET\", \"SERVICE_TOKEN\"]");
    let (first, second) = (Host::with(&fake, &text), Host::with(&fake, &text));
    first.project.run(["init"]).assert_code(0);
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    for file in ["tls/cert.pem", "tls/key.pem", ".env"] {
        assert_eq!(second.project.bytes(file), first.project.bytes(file), "{file}");
    }
    let token = first.get("SERVICE_TOKEN");
    second.project.run_with_stdin(["token", "verify"], token.as_bytes()).assert_code(0);
    let run = second.run(["sync", "diff"]).assert_code(0);
    assert!(run.stdout.is_empty(), "{}", run.stdout);
    second.project.run(["render"]).assert_code(0);
    assert_eq!(second.get("SERVICE_TOKEN"), token, "the token that was pulled is as good as one made here");
    second.run(["sync", "push"]).assert_code(0);
    assert_eq!(fake.calls("PutSecretValue"), 0);
}

#[test]
fn binary_and_the_longest_value_arrive_byte_for_byte_and_a_longer_one_is_refused_unsent() {
    let fake = Fake::start();
    let (first, second) = (Host::with(&fake, &blob()), Host::with(&fake, &blob()));
    first.project.run(["init"]).assert_code(0);
    let bytes: Vec<u8> = (0..65_536_u32).map(|number| u8::try_from(number * 7 % 251).unwrap()).collect();
    for (value, is_binary) in [(bytes, true), (vec![b'x'; 65_536], false)] {
        first.project.write("value", &value);
        first.project.run(["set", "BLOB", "--from-file", "value"]).assert_code(0);
        first.run(["sync", "push"]).assert_code(0);
        assert_eq!(fake.is_binary(&name("blob")), is_binary);
        second.run(["sync", "pull"]).assert_code(0);
        assert!(second.project.get("BLOB") == value);
    }
    first.project.write("value", vec![b'x'; 65_537]);
    first.project.run(["set", "BLOB", "--from-file", "value"]).assert_code(0);
    fake.forget();
    let run = first.run(["sync", "push"]).assert_code(1);
    assert!(run.stderr.contains("65537 bytes"), "{}", run.stderr);
    assert_eq!(fake.all_calls(), 0, "what AWS does not take is told before AWS is asked");
}

#[test]
fn a_bundle_that_is_too_long_is_told_before_aws_is_asked_where_our_keys_alone_are() {
    let fake = Fake::start();
    let text = blob().replace("aws = \"blob\"", "bundle = \"app\"");
    let more = "[secrets.MORE]\nkind = \"external\"\noptional = true\nbundle = \"app\"\n";
    let host = Host::with(&fake, &format!("{text}{more}"));
    host.project.run(["init"]).assert_code(0);
    host.set("BLOB", &"x".repeat(40_000));
    host.run(["sync", "push"]).assert_code(0);
    host.set("MORE", &"y".repeat(25_530));
    let sent = fake.calls("PutSecretValue");
    let run = host.run(["sync", "push"]).assert_code(1);
    assert!(run.stderr.contains("the value for `/shop/prod/app` has 655"), "with names and quotes: {}", run.stderr);
    assert_eq!(fake.calls("PutSecretValue"), sent);
    host.set("MORE", &"y".repeat(25_537));
    fake.forget();
    host.run(["sync", "push"]).assert_code(1);
    assert_eq!(fake.all_calls(), 0);
}

fn blob() -> String {
    let text = manifest("");
    let head = text.split("[secrets.DB_PASSWORD]").next().unwrap();
    format!("{head}[secrets.BLOB]\nkind = \"external\"\noptional = true\naws = \"blob\"\n")
}
