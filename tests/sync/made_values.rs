//! Values that are made of others, on hosts that see one change of another host in parts.

use crate::aws::Fake;
use crate::shop::{Host, manifest, name};

/// The shop with a root, an issuing CA, a certificate, a shared key, a key pair, and a token of each.
fn text() -> String {
    manifest("")
        .replace(
            "[outputs.env]",
            r#"[secrets.ROOT]
kind = "ca"
aws = "tls/root"

[secrets.ISSUING]
kind = "ca"
issuer = "ROOT"
aws = "tls/issuing"

[secrets.TLS]
kind = "certificate"
issuer = "ISSUING"
dns = ["shop.example"]
aws = "tls/server"

[secrets.JWT]
kind = "random"
aws = "jwt"

[secrets.SIGNER]
kind = "keypair"
algorithm = "es256"
aws = "signer"

[secrets.TOKEN]
kind = "token"
signed_by = "JWT"
role = "service"
subject = "svc:api"
ttl = "30d"
aws = "token"

[secrets.OTHER_TOKEN]
kind = "token"
signed_by = "SIGNER"
role = "service"
subject = "svc:api"
ttl = "30d"
aws = "other-token"

[outputs.tls]
format = "pem"
path = "tls"
secrets = ["TLS"]

[outputs.env]"#,
        )
        .replace("secrets = [\"*\"]", "secrets = [\"DATABASE_URL\", \"JWT\", \"TOKEN\", \"OTHER_TOKEN\"]")
}

/// What is pushed in one go, each made of what is in the one before.
const PARTS: [&[&str]; 3] = [&["ROOT", "JWT", "SIGNER"], &["ISSUING"], &["TLS", "TOKEN", "OTHER_TOKEN"]];

fn pair(fake: &Fake) -> [Host<'_>; 2] {
    let hosts = [Host::with(fake, &text()), Host::with(fake, &text())];
    hosts[0].project.run(["init"]).assert_code(0);
    hosts[0].run(["sync", "push"]).assert_code(0);
    hosts[1].run(["sync", "pull"]).assert_code(0);
    hosts
}

fn push(host: &Host<'_>, names: &[&str]) {
    host.run(["sync", "push"].into_iter().chain(names.iter().copied()));
}

/// What cron would do, without a person.
fn assert_convergence(hosts: [&Host<'_>; 2], what: &str) {
    for _ in 0..2 {
        for host in hosts {
            host.run(["sync", "pull"]);
            host.run(["sync", "push"]);
        }
    }
    for host in hosts {
        let run = host.run(["sync", "diff"]);
        assert_eq!(run.code, 0, "{what}: {}{}", run.stdout, run.stderr);
        host.run(["check"]).assert_code(0);
        for token in ["TOKEN", "OTHER_TOKEN"] {
            host.project.run_with_stdin(["token", "verify"], host.get(token).as_bytes()).assert_code(0);
        }
        host.project.run(["cert", "verify", "--ca", "tls/ca.pem", "tls/fullchain.pem"]).assert_code(0);
    }
    for file in [".env", "tls/cert.pem", "tls/key.pem"] {
        assert_eq!(hosts[0].project.read(file), hosts[1].project.read(file), "{what}: {file}");
    }
}

/// In which order the parts are pushed, how many of them a pull sees, and whether that host then pushes what it made:
/// enough for every commit, or all with `VAULT_KIT_ALL_ORDERS` when the tests are built.
fn interleavings() -> Vec<([usize; 3], usize, bool)> {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1]];
    if option_env!("VAULT_KIT_ALL_ORDERS").is_none() {
        return vec![([0, 1, 2], 1, false), ([0, 1, 2], 1, true), ([0, 1, 2], 2, true), ([2, 1, 0], 1, true)];
    }
    let seen = |order| (0..=PARTS.len()).flat_map(move |seen| [(order, seen, false), (order, seen, true)]);
    ORDERS.into_iter().flat_map(seen).collect()
}

#[test]
fn wherever_a_pull_falls_into_a_push_both_hosts_agree_without_a_person() {
    let fake = Fake::start();
    let [first, second] = pair(&fake);
    for (order, seen, answers) in interleavings() {
        let what = format!("{order:?}, {seen} seen, answered: {answers}");
        let replace = ["generate", "--replace", "--yes"].into_iter().chain(PARTS[0].iter().copied());
        first.project.run(replace).assert_code(0);
        order[..seen].iter().for_each(|part| push(&first, PARTS[*part]));
        second.run(["sync", "pull"]);
        if answers {
            second.run(["sync", "push"]);
        }
        order[seen..].iter().for_each(|part| push(&first, PARTS[*part]));
        assert_convergence([&first, &second], &what);
    }
}

#[test]
fn two_hosts_that_make_the_same_value_anew_keep_one_of_them() {
    let fake = Fake::start();
    let [first, second] = pair(&fake);
    for host in [&first, &second] {
        host.project.run(["generate", "--replace", "--yes", "TLS", "TOKEN", "OTHER_TOKEN"]).assert_code(0);
    }
    first.run(["sync", "push"]).assert_code(0);
    assert_convergence([&second, &first], "both made anew");
}

#[test]
fn one_that_was_made_of_a_replaced_key_yields_to_one_of_the_current_key() {
    let fake = Fake::start();
    let [first, second] = pair(&fake);
    first.project.run(["generate", "--replace", "--yes", "JWT"]).assert_code(0);
    second.project.run(["generate", "--replace", "--yes", "TOKEN"]).assert_code(0);
    second.run(["sync", "push"]).assert_code(0);
    let stale = second.get("TOKEN");
    assert_convergence([&first, &second], "made of the old key");
    assert_ne!(first.get("TOKEN"), stale);
}

#[test]
fn a_token_that_a_person_put_there_is_neither_taken_nor_replaced() {
    let fake = Fake::start();
    let [first, second] = pair(&fake);
    let token = first.get("TOKEN");
    let (head, _) = token.rsplit_once('.').unwrap();
    let by_hand = format!("{head}.{}", "A".repeat(43));
    fake.put(&name("token"), &by_hand);
    first.project.run(["generate", "--replace", "--yes", "TOKEN"]).assert_code(0);
    let run = second.run(["sync", "pull"]).assert_code(1);
    assert!(
        run.stderr.contains("not taken: `/shop/prod/token` was not made by the `JWT` that is here"),
        "{}",
        run.stderr
    );
    assert_eq!(second.get("TOKEN"), token);
    for verb in ["pull", "push"] {
        let run = first.run(["sync", verb]).assert_code(7);
        assert!(run.stderr.contains("in AWS, where it was not made by the `JWT`"), "{}", run.stderr);
    }
    first.run(["sync", "pull", "--theirs", "TOKEN"]).assert_code(7);
    assert_eq!(fake.value(&name("token")), by_hand.as_bytes());
    first.run(["sync", "push", "--ours", "TOKEN"]).assert_code(0);
    assert_convergence([&first, &second], "ours was chosen");
}

#[test]
fn a_certificate_with_another_key_or_without_a_declared_name_is_not_taken() {
    let fake = Fake::start();
    let [first, second] = pair(&fake);
    let before = second.project.read("tls/cert.pem");
    let object = |path: &str| serde_json::from_slice::<serde_json::Value>(&fake.value(&name(path))).unwrap();
    let good = object("tls/server");
    let mut mixed = good.clone();
    mixed["key"] = object("tls/issuing")["key"].clone();
    fake.put(&name("tls/server"), mixed.to_string());
    let run = second.run(["sync", "pull"]).assert_code(1);
    assert!(run.stderr.contains("holds a certificate and the key of another one"), "{}", run.stderr);
    fake.put(&name("tls/server"), good.to_string());
    second.run(["sync", "pull"]).assert_code(0);
    second.project.write("vault-kit.toml", text().replace("[\"shop.example\"]", "[\"shop.example\", \"localhost\"]"));
    first.project.run(["generate", "--replace", "--yes", "TLS"]).assert_code(0);
    first.run(["sync", "push"]).assert_code(0);
    let run = second.run(["sync", "pull"]).assert_code(1);
    assert!(run.stderr.contains("without the declared name `localhost`"), "{}", run.stderr);
    assert_eq!(second.project.read("tls/cert.pem"), before);
}

#[test]
fn a_ca_that_came_from_there_has_its_revocation_list_at_once() {
    let fake = Fake::start();
    let with_list = "path = \"tls\"\nfiles = { fullchain = \"cert.pem\", key = \"key.pem\", crl = \"crl.pem\" }";
    let text = text().replace("path = \"tls\"", with_list);
    let hosts = [Host::with(&fake, &text), Host::with(&fake, &text)];
    hosts[0].project.run(["init"]).assert_code(0);
    hosts[0].run(["sync", "push"]).assert_code(0);
    hosts[1].run(["sync", "pull"]).assert_code(0);
    let lists = |host: &Host<'_>| host.project.read("tls/crl.pem").matches("BEGIN X509 CRL").count();
    assert_eq!(hosts.each_ref().map(lists), [2, 2]);
    // And so has one that takes the place of another, whose certificates somebody may still serve.
    hosts[0].project.run(["generate", "--replace", "ISSUING", "--yes"]).assert_code(0);
    hosts[0].run(["sync", "push"]).assert_code(0);
    hosts[1].run(["sync", "pull"]).assert_code(0);
    assert_eq!(hosts.each_ref().map(lists), [3, 3]);
}
