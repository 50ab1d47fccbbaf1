//! A banned value is refused wherever a value comes from, and found wherever it still serves.

use vault_kit::name::SecretName;
use vault_kit::store::Stage;

use crate::support::Project;
use crate::{KEY, findings, json, shop};

/// The shop after a ban of these secrets that nobody acted on yet.
fn with_banned(names: &[&str]) -> Project {
    let project = shop();
    project.edit_store(|store| {
        let now = store.updated;
        for name in names {
            store.ban(&SecretName::new(*name).unwrap(), now, None);
        }
    });
    // Its own ledger, and not that of before.
    project.run(["render"]).assert_code(0);
    project
}

#[test]
fn set_refuses_it_for_every_secret_and_changes_nothing() {
    let project = with_banned(&["STRIPE"]);
    let before = project.contents();
    for name in ["STRIPE", "AUTH"] {
        let run = project.run_with_stdin(["set", name, "--json"], KEY.as_bytes()).assert_code(7);
        assert_eq!(json(&run)["errors"][0]["code"], "banned");
        assert!(!run.both().contains(KEY), "{}", run.both());
    }
    assert_eq!(project.contents(), before);
    project.run_with_stdin(["set", "STRIPE"], b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N").assert_code(0);
    assert_eq!(findings(&project), []);
}

#[test]
fn set_and_import_refuse_it_as_a_person_may_paste_it_too() {
    let project = with_banned(&["STRIPE"]);
    let encoded = data_encoding::BASE64.encode(format!("{KEY}\n").as_bytes());
    project.write("old.env", format!("STRIPE=' {KEY} '\nAUTH={encoded}\n"));
    let before = project.contents();
    for pasted in [format!(" {KEY} "), format!("{KEY}\r\n\n"), encoded.clone()] {
        let run = project.run_with_stdin(["set", "STRIPE"], pasted.as_bytes()).assert_code(7);
        assert!(run.stderr.contains("with blanks around it or in base64") && run.stdout.is_empty(), "{run:?}");
        assert!(!run.both().contains(KEY) && !run.both().contains(&encoded));
    }
    assert_eq!(project.contents(), before);
    let answer = json(&project.run(["import", "old.env", "--replace", "--json"]).assert_code(7));
    assert_eq!(answer["banned"], serde_json::json!(["STRIPE", "AUTH"]));
}

#[test]
fn import_takes_the_rest_and_says_which_one_leaked() {
    let project = with_banned(&["STRIPE"]);
    project.write("old.env", format!("STRIPE={KEY}\nAUTH=Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx5\n"));
    let run = project.run(["import", "old.env", "--replace", "--json"]).assert_code(7);
    let answer = json(&run);
    assert_eq!(answer["banned"], serde_json::json!(["STRIPE"]));
    assert_eq!(answer["imported"], serde_json::json!(["AUTH"]));
    assert!(!run.both().contains(KEY), "{}", run.both());
}

#[test]
fn cert_import_refuses_a_key_that_leaked() {
    let project = with_banned(&["TLS"]);
    for file in ["fullchain.pem", "key.pem"] {
        project.write(file, project.bytes(&format!("tls/{file}")));
    }
    let manifest = project.read("vault-kit.toml").replace("issuer = \"CA\"", "issuer = \"import\"");
    project.write("vault-kit.toml", manifest.replace(", crl = \"crl.pem\"", ""));
    let import = ["cert", "import", "TLS", "--fullchain", "fullchain.pem", "--key", "key.pem", "--json"];
    let run = project.run(import).assert_code(7);
    assert_eq!(json(&run)["errors"][0]["code"], "banned");
}

#[test]
fn what_would_be_made_from_the_same_inputs_is_refused() {
    let project = with_banned(&["STRIPE_URL"]);
    let run = project.run(["generate", "--replace", "STRIPE_URL", "--yes", "--json"]).assert_code(7);
    assert_eq!(json(&run)["errors"][0]["code"], "banned");
    assert!(!run.both().contains(KEY), "{}", run.both());
}

#[test]
fn check_finds_it_without_the_identity_until_there_is_another_value() {
    let project = with_banned(&["STRIPE", "AUTH"]);
    let hidden = project.home().join("identity");
    std::fs::rename(project.identity(), &hidden).unwrap();
    let banned = |name: &str| ("banned".to_owned(), name.to_owned());
    let what = ["AUTH", "STRIPE", "STRIPE_URL", "TOKEN"];
    assert_eq!(findings(&project), what.map(banned), "with what is made of it");
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("is made from `STRIPE`, which leaked and is still in force"), "{}", run.stdout);
    assert!(run.stdout.contains("vault-kit set STRIPE"), "{}", run.stdout);
    std::fs::rename(&hidden, project.identity()).unwrap();

    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert!(!project.read(".env").contains("AUTH_PREVIOUS"), "what leaked has no overlap");
    project.run_with_stdin(["set", "STRIPE"], b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N").assert_code(0);
    assert!(!project.read(".env").contains("STRIPE_PREVIOUS"), "what leaked has no overlap");
    assert_eq!(findings(&project), []);
}

#[test]
fn check_finds_a_file_that_still_has_it() {
    let project = with_banned(&["DB_PASSWORD"]);
    project.run(["generate", "--replace", "DB_PASSWORD", "--yes"]).assert_code(0);
    assert_eq!(findings(&project), []);
    // A file that no output has any more is left as it was delivered.
    let project = with_banned(&["DB_PASSWORD"]);
    let manifest = project.read("vault-kit.toml");
    let narrower = manifest.replace("[\"AUTH\", \"TOKEN\", \"DB_PASSWORD\"]", "[\"AUTH\", \"TOKEN\"]");
    project.write("vault-kit.toml", narrower);
    project.run(["generate", "--replace", "DB_PASSWORD", "--yes"]).assert_code(0);
    let file = ".secrets/db_password".to_owned();
    assert_eq!(
        findings(&project),
        [("orphaned", &file), ("banned", &file)].map(|(code, it)| (code.to_owned(), it.clone()))
    );
}

#[test]
fn a_ban_outlives_a_store_that_was_put_back() {
    let project = shop();
    let old = project.bytes(".vault-kit/dev.age");
    let leaked = project.get("AUTH");
    project.run(["incident", "AUTH", "--yes"]).assert_code(0);
    assert!(project.get("AUTH") != leaked);
    project.write(".vault-kit/dev.age", old);
    for words in [&["-n"][..], &["--yes"]] {
        let run = project.run([&["store", "recover", "--accept-older"], words].concat()).assert_code(0);
        assert!(
            run.stderr.contains("`AUTH` leaked, and ") && run.stderr.contains("`vault-kit incident AUTH`"),
            "{run:?}"
        );
    }
    project.run(["render"]).assert_code(0);
    assert_eq!(project.get("AUTH"), leaked, "it is in force again");
    let list = project.run(["incident", "list"]).assert_code(0).stdout;
    assert!(list.ends_with("  waits for AUTH\n"), "{list}");
    assert!(findings(&project).contains(&("banned".to_owned(), "AUTH".to_owned())));
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert!(!project.read(".env").contains("AUTH_PREVIOUS"), "what leaked has no overlap");
    assert_eq!(findings(&project), []);
    let run = project.run_with_stdin(["set", "DB_PASSWORD"], &leaked).assert_code(7);
    assert!(run.stderr.contains("that leaked as `AUTH`"), "{run:?}");
}

#[test]
fn a_file_that_has_the_new_value_is_not_taken_for_one_with_what_leaked_behind_a_recovery() {
    let project = shop();
    let files = [".vault-kit/dev.age", ".vault-kit/dev.ledger.jsonl"];
    let old = files.map(|file| project.bytes(file));
    project.run(["incident", "AUTH", "--yes"]).assert_code(0);
    for (file, bytes) in files.iter().zip(old) {
        project.write(file, bytes);
    }
    project.run(["store", "recover"]).assert_code(0);
    assert_eq!(findings(&project), []);
    // One that has what leaked is told all the same.
    let old = project.bytes(".secrets/auth");
    project.run(["incident", "AUTH", "--again", "--yes"]).assert_code(0);
    project.write(".secrets/auth", old);
    std::fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    project.run(["store", "recover"]).assert_code(0);
    assert!(findings(&project).contains(&("banned".to_owned(), ".secrets/auth".to_owned())));
}

#[test]
fn what_was_revoked_stays_on_the_lists_of_a_store_that_was_put_back() {
    let project = shop();
    let old = project.bytes(".vault-kit/dev.age");
    project.run(["incident", "AUTH", "TLS", "--yes"]).assert_code(0);
    let newer = project.store();
    project.write(".vault-kit/dev.age", old);
    project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    let store = project.store();
    let revoked = &newer.certificates.revoked;
    assert!(!revoked.is_empty() && revoked.iter().all(|it| store.certificates.is_revoked(it.issuer, &it.serial)));
    let ca = SecretName::new("CA").unwrap();
    assert!(store.certificates.lists[&ca].number > newer.certificates.lists[&ca].number);
    assert_ne!(store.certificates.lists[&ca].pem, newer.certificates.lists[&ca].pem);
    let tokens = &newer.issued.revoked_tokens;
    assert!(!tokens.is_empty() && tokens.keys().all(|jti| project.read("revoked.json").contains(jti)));
}

#[test]
fn an_incident_goes_on_in_a_store_that_was_put_back() {
    let project = shop();
    let old = project.bytes(".vault-kit/dev.age");
    project.run(["incident", "AUTH", "STRIPE", "--yes"]).assert_code(8);
    project.write(".vault-kit/dev.age", old);
    let answer = json(&project.run(["store", "recover", "--accept-older", "--yes", "--json"]).assert_code(0));
    assert_eq!(answer["leaked"], serde_json::json!(["AUTH", "STRIPE"]), "{answer}");
    project.run(["render"]).assert_code(0);
    let leaked = project.get("AUTH");
    let run = project.run(["incident", "AUTH", "--yes"]).assert_code(8);
    assert!(project.get("AUTH") != leaked && run.stderr.contains("`vault-kit set STRIPE`"), "{run:?}");
    project.run_with_stdin(["set", "STRIPE"], b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N").assert_code(0);
    let list = project.run(["incident", "list"]).assert_code(0).stdout;
    assert!(list.lines().count() == 2 && list.ends_with("  replaced\n"), "{list}");
    let id = list.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let told = project.run(["incident", "show", &id]).assert_code(0).stdout;
    assert!(told.contains("an older store was accepted: what took the place of `AUTH`"), "{told}");
}

/// A root and a key that are published before they sign, and what is made from them.
fn published() -> Project {
    Project::initialised(
        r#"
        [project]
        name = "published"
        [secrets.ROOT]
        kind = "ca"
        overlap = "30d"
        [secrets.WEB]
        kind = "certificate"
        issuer = "ROOT"
        dns = ["localhost"]
        [secrets.SIGNER]
        kind = "keypair"
        overlap = "30d"
        [secrets.TOKEN]
        kind = "token"
        signed_by = "SIGNER"
        role = "service"
        [outputs.web]
        format = "pem"
        path = "web"
        secrets = ["WEB"]
        [outputs.tokens]
        format = "docker-secrets"
        path = "tokens"
        secrets = ["TOKEN"]
        [outputs.keys]
        format = "jwks"
        path = "jwks.json"
        secrets = ["SIGNER"]
        max_age = "1h"
        "#,
    )
}

/// Bans the versions of a secret that are in this stage, and no others.
fn ban_only(project: &Project, name: &str, stage: Stage) {
    let name = SecretName::new(name).unwrap();
    project.edit_store(|store| {
        let (meant, others): (Vec<_>, Vec<_>) =
            store.secrets.remove(&name).unwrap().into_iter().partition(|it| it.stage == stage);
        assert!(!meant.is_empty());
        store.secrets.insert(name.clone(), meant);
        store.ban(&name, store.updated, None);
        store.secrets.get_mut(&name).unwrap().splice(0..0, others);
        store.secrets.get_mut(&name).unwrap().sort_by_key(|it| it.created);
    });
    project.run(["render"]).assert_code(0);
}

fn keys(project: &Project) -> usize {
    project.read("jwks.json").matches("\"kid\"").count()
}

fn roots(project: &Project) -> usize {
    project.read("web/ca.pem").matches("BEGIN").count()
}

/// What `check` says of a secret that leaked, and its fix.
fn banned(project: &Project, name: &str) -> Vec<(String, String)> {
    let report = json(&project.run(["check", "--json"]));
    let of_it =
        report["findings"].as_array().unwrap().iter().filter(|it| it["code"] == "banned" && it["secret"] == name);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    of_it.map(|it| (text(&it["message"]), text(&it["fix"]))).collect()
}

#[test]
fn whoever_asks_for_another_value_of_what_is_published_and_leaked_gets_it_at_once() {
    for (name, words) in [
        ("SIGNER", &["rotate", "SIGNER"][..]),
        ("SIGNER", &["rotate", "--due"]),
        ("SIGNER", &["generate", "--replace", "SIGNER", "--yes"]),
        ("ROOT", &["rotate", "ROOT", "--yes"]),
        ("ROOT", &["generate", "--replace", "ROOT", "--yes"]),
        ("ROOT", &["cert", "renew", "ROOT", "--force", "--yes"]),
    ] {
        for has_next in [false, true] {
            let project = published();
            if has_next {
                project.run(["rotate", name, "--yes"]).assert_code(0);
            }
            let leaked = project.store().current(&SecretName::new(name).unwrap()).unwrap().id;
            ban_only(&project, name, Stage::Current);
            let before = project.contents();
            let foretold = project.run([words, &["-n"]].concat()).assert_code(0);
            assert!(project.contents() == before);
            let run = project.run(words.iter().copied()).assert_code(0);
            for told in [&foretold.stderr, &run.stderr] {
                let said = format!("`{name}` leaked: it is replaced at once, before verifiers know another");
                assert!(told.contains(&said) && !told.contains("trusted until"), "{words:?}: {told}");
                assert!(!told.contains("UTC on; restart") && !told.contains("its next key signs"), "{words:?}: {told}");
            }
            assert!(
                project.store().current(&SecretName::new(name).unwrap()).unwrap().id != leaked,
                "{words:?}: {run:?}"
            );
            assert_eq!((banned(&project, name), keys(&project), roots(&project)), (vec![], 1, 1));
            assert_eq!(findings(&project), [], "{words:?}");
        }
    }
}

#[test]
fn a_person_is_asked_about_the_cut_of_a_root_that_leaked_and_not_about_an_overlap() {
    let project = published();
    ban_only(&project, "ROOT", Stage::Current);
    let run = project.run(["rotate", "ROOT"]).assert_code(2);
    assert!(run.stderr.contains("whoever trusts only the old one refuses all of it"), "{run:?}");
    assert!(!run.stderr.contains("for its overlap"), "{run:?}");
}

#[test]
fn a_token_of_a_key_that_leaked_stays_found_however_often_it_is_signed() {
    let project = published();
    ban_only(&project, "SIGNER", Stage::Current);
    let told = "is made from `SIGNER`, which leaked and is still in force";
    let fix = "vault-kit generate --replace SIGNER --revoke";
    assert_eq!(banned(&project, "TOKEN"), [(told.to_owned(), fix.to_owned())]);
    for words in [&["generate", "--replace", "TOKEN", "--yes"][..], &["rotate", "TOKEN"]] {
        for more in [&["-n"][..], &[]] {
            let run = project.run([words, more].concat()).assert_code(0);
            let said = "`TOKEN` is made from `SIGNER`, which leaked: whoever has that makes such values too";
            assert!(run.stderr.contains(said) && run.stderr.contains("`vault-kit incident SIGNER`"), "{run:?}");
        }
        assert_eq!(banned(&project, "TOKEN"), [(told.to_owned(), fix.to_owned())]);
    }
    project.run(["incident", "SIGNER", "--yes"]).assert_code(0);
    assert_eq!(findings(&project), []);
}

#[test]
fn what_is_published_to_sign_next_and_leaked_is_replaced_by_the_fix_and_by_a_schedule() {
    for name in ["SIGNER", "ROOT"] {
        let project = published();
        project.run(["rotate", name, "--yes"]).assert_code(0);
        ban_only(&project, name, Stage::Next);
        let next = || project.store().next(&SecretName::new(name).unwrap()).unwrap().id;
        let leaked = next();
        let fix = format!("vault-kit rotate {name}");
        let told = "leaked as the next one, which verifiers know already, and which never signs".to_owned();
        assert_eq!(banned(&project, name), [(told, fix.clone())]);
        let plan = project.run(["rotate", "plan"]).assert_code(0).stdout;
        assert!(plan.lines().any(|line| line.starts_with(name) && line.contains("leaked")), "{plan}");
        let words = if name == "SIGNER" { "rotate --due" } else { "rotate ROOT --yes" };
        project.run(words.split(' ')).assert_code(0);
        assert!(next() != leaked);
        assert_eq!(findings(&project), []);
        let count = if name == "SIGNER" { keys(&project) } else { roots(&project) };
        assert_eq!(count, 2, "the one that signs, and the next one");
    }
}

#[test]
fn what_is_published_before_it_signs_is_cut_off_by_the_fix_of_one_that_leaked() {
    let project = published();
    project.edit_store(|store| {
        for name in ["ROOT", "SIGNER"] {
            store.ban(&SecretName::new(name).unwrap(), store.updated, None);
        }
    });
    project.run(["render"]).assert_code(0);
    let (root, keys) = (project.read("web/ca.pem"), project.read("jwks.json"));
    let told = json(&project.run(["check", "--json"]));
    let told = told["findings"].as_array().unwrap().iter().filter(|it| it["code"] == "banned");
    let mut fixes: Vec<&str> = told.map(|it| it["fix"].as_str().unwrap()).collect();
    fixes.sort_unstable();
    fixes.dedup();
    assert_eq!(fixes, ["ROOT", "SIGNER"].map(|name| format!("vault-kit generate --replace {name} --revoke")));
    for fix in fixes {
        project.run(fix.split(' ').skip(1).chain(["--yes"])).assert_code(0);
    }
    assert!(!findings(&project).iter().any(|(code, _)| code == "banned"));
    let (new_root, new_keys) = (project.read("web/ca.pem"), project.read("jwks.json"));
    assert!(!new_root.contains(root.trim()) && new_root.matches("BEGIN").count() == 1, "{new_root}");
    assert!(new_keys != keys && new_keys.matches("\"kid\"").count() == 1, "{new_keys}");
}

#[test]
fn nobody_is_told_to_remove_a_file_with_lines_of_others_in_it() {
    for foreign in ["", "OTHER=1\n"] {
        let project = shop();
        project.write(".env", format!("{foreign}{}", project.read(".env")));
        project
            .write("vault-kit.toml", project.read("vault-kit.toml").replace("path = \".env\"", "path = \"new.env\""));
        project.run(["incident", "AUTH", "--yes"]).assert_code(0);
        let report = json(&project.run(["check", "--json"]).assert_code(1));
        let of_it = report["findings"].as_array().unwrap().iter().filter(|it| it["file"] == ".env");
        let told: Vec<_> = of_it.map(|it| (it["code"].as_str().unwrap(), it["fix"].as_str().unwrap())).collect();
        let block = "in .env: take out vault-kit's block, from its first marker line to its last";
        let fix = if foreign.is_empty() { "rm .env" } else { block };
        assert_eq!(told, [("orphaned", fix), ("banned", fix)], "{foreign:?}: {report}");
    }
}
