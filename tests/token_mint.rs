//! `token mint`, `revoke` and `list`: what is asked for, what is recorded before it is out, and how it is taken back.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vault_kit::private_file::Root;

use support::{Project, Run};

const MANIFEST: &str = r#"
[project]
name = "shop"
issuer = "https://shop.test"
[secrets.AUTH]
kind = "random"
[secrets.SERVICE_TOKEN]
kind = "token"
signed_by = "AUTH"
role = "service"
subject = "svc:api"
audience = ["grid"]
[outputs.tokens]
format = "docker-secrets"
path = ".secrets"
secrets = ["SERVICE_TOKEN"]
"#;

/// What every mint of these tests begins with.
const READER: [&str; 6] = ["token", "mint", "--role", "reader", "--subject", "user:42"];

fn project() -> Project {
    Project::initialised(MANIFEST)
}

fn mint(project: &Project, more: &[&str]) -> String {
    let run = project.run([&READER, more].concat()).assert_code(0);
    let token = run.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("{run:?}")).to_owned();
    assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{run:?}");
    token
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn jti(token: &str) -> String {
    claims(token)["jti"].as_str().unwrap().to_owned()
}

/// What `token verify` has against a token; nothing when it is good.
fn reason(project: &Project, token: &str) -> Option<String> {
    reason_elsewhere(project, token, &[])
}

fn reason_elsewhere(project: &Project, token: &str, flags: &[&str]) -> Option<String> {
    let run = project.run_with_stdin([&["token", "verify", "--json"], flags].concat(), token.as_bytes());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    answer["reason"].as_str().map(str::to_owned)
}

#[track_caller]
fn refused(project: &Project, arguments: &[&str], code: i32, words: &str) -> Run {
    let before = project.contents();
    let run = project.run(arguments).assert_code(code);
    assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{run:?}");
    assert!(project.contents() == before, "{run:?}");
    run
}

fn listed(project: &Project) -> Vec<Value> {
    let run = project.run(["token", "list", "--json"]).assert_code(0);
    serde_json::from_str::<Value>(&run.stdout).unwrap()["tokens"].as_array().unwrap().clone()
}

#[test]
fn a_token_says_what_was_asked_for_and_the_rest_comes_from_the_manifest() {
    let project = project();
    let token = mint(&project, &["--scope", "read list", "--ttl", "15m"]);
    let said = claims(&token);
    let issued = said["iat"].as_i64().unwrap();
    let expected = json!({
        "iss": "https://shop.test", "aud": ["grid"], "sub": "user:42", "role": "reader", "scope": "read list",
        "jti": said["jti"], "iat": issued, "nbf": issued, "exp": issued + 900,
    });
    assert_eq!(said, expected);
    assert_eq!(jti(&token).len(), 26, "128 bits");
    assert_eq!(reason(&project, &token), None);

    let run = project.run([&READER[..], &["--audience", "a", "--audience", "b", "--json"]].concat()).assert_code(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let said = claims(answer["token"].as_str().unwrap());
    assert_eq!((&said["aud"], &said["jti"]), (&json!(["a", "b"]), &answer["jti"]));
    assert_eq!((&answer["key"], &answer["revocable"]), (&json!("AUTH"), &json!(false)));
}

#[test]
fn each_role_has_its_life_and_its_longest() {
    let project = project();
    for (role, default, longest, more, most) in [
        ("reader", 3600, "24h", "25h", "1d"),
        ("writer", 3600, "24h", "86401s", "1d"),
        ("service", 90 * 86_400, "365d", "366d", "365d"),
        ("admin", 8 * 3600, "90d", "91d", "90d"),
    ] {
        let ask = ["token", "mint", "--role", role, "--subject", "x:1"];
        let token = project.run(ask).assert_code(0).stdout;
        let said = claims(&token);
        assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), default, "{role}");
        project.run([&ask[..], &["--ttl", longest]].concat()).assert_code(0);
        let words = format!("a token of the role `{role}` lives at most {most}");
        refused(&project, &[&ask[..], &["--ttl", more]].concat(), 2, &words);
    }
}

#[test]
fn what_cannot_be_a_claim_is_refused() {
    let project = project();
    for (flag, value) in [
        ("--subject", ""),
        ("--subject", "two words"),
        ("--subject", "a\r\nX-User-Role: admin"),
        ("--audience", ""),
        ("--scope", "a\"b"),
        ("--role", "root"),
        ("--ttl", "0h"),
        ("--ttl", "soon"),
    ] {
        let mut arguments = vec!["token", "mint", flag, value];
        for (name, good) in [("--role", "reader"), ("--subject", "user:42")] {
            if name != flag {
                arguments.extend([name, good]);
            }
        }
        refused(&project, &arguments, 2, "error:");
    }
}

#[test]
fn the_key_is_named_where_several_sign_and_nothing_else_can_be_one() {
    let project = project();
    project.write(
        "vault-kit.toml",
        format!("{MANIFEST}[secrets.PAIR]\nkind = \"keypair\"\n[secrets.API]\nkind = \"uuid\"\n"),
    );
    refused(&project, &READER, 2, "choose one with `--key`: `AUTH`, `PAIR`");
    let with = |key| [&READER[..], &["--key", key]].concat();
    refused(&project, &with("PAIR"), 1, "`PAIR` has no value");
    project.run(["init"]).assert_code(0);
    let token = mint(&project, &["--key", "PAIR"]);
    assert_eq!((reason(&project, &token), claims(&token)["aud"].clone()), (None, json!(["shop"])));
    assert_eq!(claims(&mint(&project, &["--key", "AUTH"]))["aud"], json!(["grid"]));
    refused(&project, &with("API"), 2, "`API` signs no tokens");
    refused(&project, &with("AUTHH"), 2, "did you mean `AUTH`?");

    let other = "[secrets.OTHER]\nkind = \"token\"\nsigned_by = \"AUTH\"\n";
    let project = Project::initialised(&format!("{MANIFEST}{other}"));
    refused(&project, &READER, 2, "the declared tokens of `AUTH` are for different audiences");
    mint(&project, &["--audience", "grid"]);
    let bare = Project::initialised("[project]\nname = \"bare\"\n[secrets.A]\nkind = \"uuid\"\n");
    refused(&bare, &READER, 2, "no secret signs tokens here");
    refused(&bare, &["token", "revoke", "--subject", "x"], 2, "no secret signs tokens here");
}

#[test]
fn a_token_does_not_outlive_what_is_planned_for_its_key() {
    let rotating = |overlap: &str| {
        let rotating = MANIFEST.replace("kind = \"random\"", &format!("kind = \"random\"\nrotate = \"2h\"\n{overlap}"));
        Project::initialised(&rotating)
    };
    let project = rotating("");
    mint(&project, &["--ttl", "1h"]);
    let run = refused(&project, &[&READER[..], &["--ttl", "3h"]].concat(), 1, "`AUTH` is to be replaced by ");
    let proposed = run.stderr.split('`').find_map(|it| it.strip_prefix("--ttl ")).unwrap();
    // A key is replaced up to a twentieth of its life early.
    let minutes: u32 = proposed.strip_suffix('m').unwrap().parse().unwrap();
    assert!((113..120).contains(&minutes), "{run:?}");
    mint(&project, &["--ttl", proposed]);
    // The overlap is for those tokens.
    let project = rotating("overlap = \"2h\"");
    mint(&project, &["--ttl", "3h"]);
    refused(&project, &[&READER[..], &["--ttl", "5h"]].concat(), 1, "`AUTH` is to be replaced by ");
}

#[test]
fn a_life_that_nobody_asked_for_is_cut_to_that_of_the_key_and_says_so() {
    let rotating = MANIFEST.replace("kind = \"random\"", "kind = \"random\"\nrotate = \"90d\"\noverlap = \"24h\"");
    let project = Project::initialised(&rotating);
    let service = ["token", "mint", "--role", "service", "--subject", "svc:worker"];
    let life = |run: &Run| {
        let claims = claims(&run.stdout);
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
    };
    let run = project.run(service).assert_code(0);
    assert!(life(&run) == 90 * 86_400 && !run.stderr.contains("warning"), "{run:?}");
    project.edit_store(|store| {
        for version in store.secrets.values_mut().flatten() {
            version.created -= TimeDelta::days(2) + TimeDelta::minutes(1);
        }
    });
    let told = "so the token lives 88d instead of 90d";
    let run = project.run(service).assert_code(0);
    assert!(run.stderr.contains("`AUTH` is to be replaced by ") && run.stderr.contains(told), "{run:?}");
    assert_eq!(life(&run), 88 * 86_400);
    let run = project.run([&service[..], &["--dry-run", "--quiet"]].concat()).assert_code(0);
    assert!(run.stderr.contains(told), "{run:?}");
    refused(&project, &[&service[..], &["--ttl", "90d"]].concat(), 1, "ask for less: `--ttl 88d`");
    // The day has passed: no life is left to cut to.
    project.edit_store(|store| {
        for version in store.secrets.values_mut().flatten() {
            version.created -= TimeDelta::days(100);
        }
    });
    let run = refused(&project, &service, 1, "replace the key first");
    assert!(!run.stderr.contains("--ttl"), "{run:?}");
}

#[test]
fn a_token_that_did_not_get_out_is_taken_back_by_its_id_if_it_is_recorded_and_else_by_nobody() {
    let project = project();
    let into_the_void = |more: &[&str]| {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = project.command([&READER[..], more].concat()).stdout(full).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // The first one moves the horizon of its key, the second one changes nothing.
    for exit in [8, 9] {
        let (code, said) = into_the_void(&[]);
        assert!(code == Some(exit) && said.contains("nothing needs to be undone: mint another one"), "{code:?} {said}");
        assert!(!said.contains("render") && !said.contains("revoke"), "{said}");
    }
    for json in [&["--revocable"][..], &["--revocable", "--json"]] {
        let (code, said) = into_the_void(json);
        assert!(
            code == Some(8) && said.contains("recorded and was not delivered") && !said.contains("render"),
            "{said}"
        );
        let words = said.split('`').find_map(|it| it.strip_prefix("vault-kit ")).unwrap();
        project.run(words.split(' ')).assert_code(0);
    }
    let found = listed(&project);
    let states: Vec<_> = found.iter().filter(|it| it["name"].is_null()).map(|it| it["state"].clone()).collect();
    assert_eq!(states, ["revoked", "revoked"]);
}

#[test]
fn a_mint_within_the_horizon_takes_no_lock_and_writes_nothing() {
    let project = project();
    let generation = project.store().generation;
    let token = mint(&project, &["--ttl", "2h"]);
    let store = project.store();
    assert_eq!(store.generation, generation + 1);
    let end = DateTime::from_timestamp(claims(&token)["exp"].as_i64().unwrap(), 0).unwrap();
    let horizons: Vec<_> = store.issued.horizons.values().copied().collect();
    assert!(horizons.len() == 1 && horizons[0] >= end && horizons[0] <= end + TimeDelta::hours(1), "{horizons:?}");
    let audit = project.read(".vault-kit/audit.jsonl");
    let last: Value = serde_json::from_str(audit.lines().last().unwrap()).unwrap();
    assert_eq!((&last["action"], &last["secrets"]), (&json!("token-mint"), &json!(["AUTH"])));

    let before = project.snapshot();
    let _lock = Root::open(project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap();
    let other = mint(&project, &["--ttl", "1h", "--lock-timeout", "0"]);
    assert!(reason(&project, &other).is_none() && jti(&other) != jti(&token));
    assert!(project.snapshot() == before);
    refused(
        &project,
        &[&READER[..], &["--ttl", "20h", "--lock-timeout", "0"]].concat(),
        7,
        "another vault-kit is at work here",
    );
    refused(
        &project,
        &[&READER[..], &["--revocable", "--lock-timeout", "0"]].concat(),
        7,
        "another vault-kit is at work here",
    );
    // What is only told needs no turn either.
    let dry = project.run([&READER[..], &["--ttl", "20h", "--dry-run"]].concat()).assert_code(0);
    assert!(dry.stdout.is_empty() && dry.stderr.contains("would mint a token for user:42"), "{dry:?}");
    assert!(project.snapshot() == before);
}

#[test]
fn a_clock_behind_the_store_mints_nothing_whether_or_not_there_is_something_to_write() {
    let project = project();
    mint(&project, &[]);
    project.edit_store(|store| store.updated += TimeDelta::hours(1));
    // The first writer takes the second copy along.
    project.run([&READER[..], &["--revocable"]].concat()).assert_code(8);
    refused(&project, &[&READER[..], &["--ttl", "10m"]].concat(), 8, "the clock says");
    refused(&project, &[&READER[..], &["--revocable"]].concat(), 8, "the clock says");
    mint(&project, &["--ttl", "10m", "--accept-clock"]);
}

#[test]
fn a_revocable_token_is_recorded_listed_and_can_be_revoked() {
    let project = project();
    let (token, other) = (mint(&project, &["--revocable"]), mint(&project, &["--revocable"]));
    let id = jti(&token);
    let recorded = project.store().issued.tokens[&id].clone();
    assert_eq!((recorded.subject.as_str(), recorded.role.as_deref()), ("user:42", Some("reader")));
    let state = |id: &str| listed(&project).iter().find(|it| it["jti"] == id).unwrap()["state"].clone();
    assert_eq!((listed(&project).len(), state(&id)), (3, json!("live")));

    let dry = project.run(["token", "revoke", &id, "--dry-run"]).assert_code(0);
    assert!(dry.stderr.contains(&format!("would revoke  {id}")), "{dry:?}");
    assert_eq!(reason(&project, &token), None);
    let run = project.run(["token", "revoke", &id]).assert_code(0);
    assert!(run.stderr.contains(&id) && !run.both().contains(&token), "{run:?}");
    assert_eq!(reason(&project, &token).as_deref(), Some("revoked"));
    assert_eq!(reason(&project, &other), None);
    assert_eq!(state(&id), json!("revoked"));
    let before = project.snapshot();
    project.run(["token", "revoke", &id]).assert_code(0);
    assert!(project.snapshot() == before, "twice is once");

    let table = project.run(["token", "list"]).assert_code(0).stdout;
    assert!(table.contains("SERVICE_TOKEN") && table.contains(&id) && table.contains("revoked"), "{table}");
    for secret in [&token, &other, &String::from_utf8(project.get("SERVICE_TOKEN")).unwrap()] {
        assert!(!table.contains(secret.as_str()));
    }
}

#[test]
fn a_token_that_nobody_recorded_is_revoked_by_itself_or_with_its_end() {
    let project = project();
    let token = mint(&project, &["--audience", "elsewhere"]);
    let id = jti(&token);
    refused(&project, &["token", "revoke", &id], 2, "nobody recorded a token of this id");
    let end = (project.store().updated + TimeDelta::hours(1)).to_rfc3339();
    refused(&project, &["token", "revoke", &id, "--expires", "2099-01-01T00:00:00Z"], 2, "no token lives longer than");
    project.run(["token", "revoke", &id, "--expires", &end]).assert_code(0);
    let elsewhere = reason_elsewhere(&project, &token, &["--audience", "elsewhere"]);
    assert_eq!(elsewhere.as_deref(), Some("revoked"), "whoever it is for");

    let token = mint(&project, &["--audience", "elsewhere"]);
    let revoke = |text: &str| project.run_with_stdin(["token", "revoke", "--token", "-"], text.as_bytes());
    revoke(&format!("{token}\n")).assert_code(0);
    let end = project.store().issued.revoked_tokens[&jti(&token)];
    assert_eq!(end.timestamp(), claims(&token)["exp"].as_i64().unwrap());
    let mut forged = mint(&project, &[]);
    let last = forged.pop().unwrap();
    forged.insert(forged.rfind('.').unwrap() + 1, last);
    for text in [forged.as_str(), "x.y.z", ""] {
        let before = project.contents();
        let run = revoke(text).assert_code(1);
        assert!(run.stderr.contains("the token cannot be revoked: "), "{run:?}");
        assert!(project.contents() == before);
    }
}

#[test]
fn a_subject_s_tokens_are_revoked_up_to_now_and_new_ones_are_good() {
    let project = project();
    let (token, service) = (mint(&project, &[]), String::from_utf8(project.get("SERVICE_TOKEN")).unwrap());
    project.run(["token", "revoke", "--subject", "user:42"]).assert_code(0);
    assert_eq!(reason(&project, &token).as_deref(), Some("revoked"));
    assert_eq!(reason(&project, &service), None);
    assert_eq!(reason(&project, &mint(&project, &[])), None, "who comes back gets a good one");
    let run = project.run(["token", "revoke", "--subject", "svc:api"]).assert_code(0);
    assert!(run.stderr.contains("vault-kit generate --replace SERVICE_TOKEN"), "{run:?}");
    assert_eq!(reason(&project, &service).as_deref(), Some("revoked"));
    project.run(["generate", "--replace", "SERVICE_TOKEN", "--yes"]).assert_code(0);
    assert_eq!(reason(&project, &project.read(".secrets/service_token")), None);

    // A time that lies back revokes nothing that came after it, and takes nothing back.
    let before = project.contents();
    project.run(["token", "revoke", "--subject", "user:42", "--before", "2026-01-01T00:00:00Z"]).assert_code(0);
    assert!(project.contents() == before);
    let ahead = ["token", "revoke", "--subject", "user:42", "--before", "2099-01-01T00:00:00Z"];
    refused(&project, &ahead, 2, "lies ahead");
}

#[test]
fn what_is_minted_while_a_revocation_waits_for_its_turn_is_revoked_with_the_rest() {
    let project = project();
    mint(&project, &["--ttl", "2h"]);
    let lock = Root::open(project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap();
    let token = std::thread::scope(|scope| {
        let revoke = scope.spawn(|| project.run(["token", "revoke", "--subject", "user:42"]).assert_code(0));
        // Long enough that its own start lies in another second than this.
        std::thread::sleep(Duration::from_millis(2100));
        let token = mint(&project, &["--ttl", "1h"]);
        drop(lock);
        revoke.join().unwrap();
        token
    });
    assert_eq!(reason(&project, &token).as_deref(), Some("revoked"));
}

#[test]
fn a_declared_token_that_was_replaced_is_listed_as_long_as_it_is_good() {
    let project = project();
    let old = String::from_utf8(project.get("SERVICE_TOKEN")).unwrap();
    project.run(["generate", "--replace", "SERVICE_TOKEN", "--yes"]).assert_code(0);
    assert_eq!(reason(&project, &old), None);
    let current: Vec<_> = listed(&project).iter().map(|it| it["current"].clone()).collect();
    assert_eq!(current, [false, true]);
    project.run(["token", "revoke", &jti(&old)]).assert_code(0);
    assert_eq!(reason(&project, &old).as_deref(), Some("revoked"));
    let states: Vec<_> = listed(&project).iter().map(|it| it["state"].clone()).collect();
    assert_eq!(states, ["live"]);
}

#[test]
fn tokens_of_a_key_that_was_replaced_are_orphans() {
    let project = project();
    let token = mint(&project, &["--revocable"]);
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    let found = listed(&project);
    let of = |id: &str| found.iter().find(|it| it["jti"] == id).unwrap()["state"].clone();
    assert_eq!(of(&jti(&token)), "orphaned");
    assert_eq!(found.iter().find(|it| it["name"] == "SERVICE_TOKEN").unwrap()["state"], "live");
}

/// What `token list` says of tokens, next to what `token verify` says.
fn states(project: &Project, tokens: [&str; 3]) -> Vec<(Option<String>, Option<String>)> {
    let found = listed(project);
    let state = |token: &str| found.iter().find(|it| it["jti"] == jti(token))?["state"].as_str().map(str::to_owned);
    tokens.map(|token| (state(token), reason(project, token))).to_vec()
}

fn said(state: Option<&str>, reason: Option<&str>) -> (Option<String>, Option<String>) {
    (state.map(str::to_owned), reason.map(str::to_owned))
}

#[test]
fn tokens_of_an_algorithm_that_their_key_has_no_more_are_orphans() {
    let manifest = MANIFEST.replace("kind = \"random\"", "kind = \"random\"\nbytes = 64");
    let project = Project::initialised(&manifest);
    let current = |project: &Project| String::from_utf8(project.get("SERVICE_TOKEN")).unwrap();
    let (minted, first) = (mint(&project, &["--revocable"]), current(&project));
    let changed = manifest.replace("signed_by", "algorithm = \"HS512\"\nsigned_by");
    project.write("vault-kit.toml", changed);
    let orphaned = said(Some("orphaned"), Some("alg_key_mismatch"));
    assert_eq!(states(&project, [&minted, &first, &first]), [orphaned.clone(), orphaned.clone(), orphaned.clone()]);
    project.run(["generate"]).assert_code(0);
    let second = current(&project);
    let answers = states(&project, [&minted, &first, &second]);
    let replaced = said(None, Some("alg_key_mismatch"));
    assert_eq!(answers, [orphaned, replaced, said(Some("live"), None)]);
}

#[test]
fn a_declared_token_for_somebody_who_is_declared_no_more_is_refused() {
    let project = project();
    let (minted, first) = (mint(&project, &["--revocable"]), String::from_utf8(project.get("SERVICE_TOKEN")).unwrap());
    project.write("vault-kit.toml", MANIFEST.replace("[\"grid\"]", "[\"shop\"]"));
    project.run(["generate"]).assert_code(0);
    let second = String::from_utf8(project.get("SERVICE_TOKEN")).unwrap();
    let answers = states(&project, [&first, &second, &minted]);
    assert_eq!(answers[..2], [said(Some("refused"), Some("aud_mismatch")), said(Some("live"), None)]);
    assert_eq!(answers[2].0.as_deref(), Some("live"), "its own verifiers know for whom it is");
}

#[test]
fn records_of_tokens_that_have_ended_are_forgotten_by_the_next_change() {
    let project = project();
    let (first, second) = (mint(&project, &["--revocable"]), mint(&project, &["--revocable"]));
    project.edit_store(|store| {
        let past = store.updated - TimeDelta::days(400);
        store.issued.tokens.get_mut(&jti(&first)).unwrap().expires = past;
        store.issued.horizons.insert("hs-old".into(), past);
        store.issued.revoked_tokens.insert("old".into(), past);
        store.issued.revoked_subjects.insert("old:1".into(), past);
    });
    mint(&project, &["--revocable"]);
    let issued = project.store().issued;
    assert_eq!((issued.tokens.len(), issued.horizons.len()), (2, 1));
    assert_eq!(issued.len(), 5, "what is delivered is forgotten by who delivers it");
    project.run(["token", "revoke", &jti(&second)]).assert_code(0);
    let issued = project.store().issued;
    assert_eq!((issued.revoked_tokens.len(), issued.revoked_subjects.len()), (1, 0));
}

#[test]
fn twenty_who_mint_at_once_get_twenty_tokens_and_as_many_records() {
    let project = project();
    let minting = |_| {
        let mut command = project.command([&READER[..], &["--revocable", "--lock-timeout", "5m"]].concat());
        std::thread::spawn(move || Run::of(&mut command).assert_code(0).stdout)
    };
    let minters: Vec<_> = (0..20).map(minting).collect();
    let tokens: Vec<String> = minters.into_iter().map(|it| it.join().unwrap()).collect();
    let ids: BTreeSet<String> = tokens.iter().map(|token| jti(token)).collect();
    let store = project.store();
    assert_eq!((ids.len(), store.issued.tokens.keys().cloned().collect::<BTreeSet<_>>()), (20, ids));
    for token in &tokens {
        assert_eq!(reason(&project, token.trim_end()), None);
    }
    let audit = project.read(".vault-kit/audit.jsonl");
    let is_done = |line: &&str| line.contains("\"action\":\"token-mint\"") && !line.contains("\"intent\":true");
    assert_eq!(audit.lines().filter(is_done).count(), 20);
    project.run(["check"]).assert_code(0);
}

#[test]
fn whoever_replaces_a_shared_key_is_told_which_tokens_end_before_their_time() {
    let project = Project::initialised(&MANIFEST.replace("kind = \"random\"", "kind = \"random\"\noverlap = \"1h\""));
    let long = jti(&mint(&project, &["--ttl", "20h", "--revocable"]));
    let short = jti(&mint(&project, &["--ttl", "30m", "--revocable"]));
    mint(&project, &["--ttl", "10h"]);
    for more in [&["-n"][..], &[]] {
        let run = project.run([&["generate", "--replace", "AUTH", "--yes"], more].concat()).assert_code(0);
        let told: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("breaks ")).collect();
        let [recorded, unrecorded] = told[..] else { panic!("{run:?}") };
        assert!(recorded.starts_with(&format!("breaks token `{long}` of `user:42` from ")), "{recorded}");
        assert!(recorded.contains(" on, until "), "{recorded}");
        assert!(unrecorded.starts_with("breaks unrecorded tokens of `AUTH` from "), "{unrecorded}");
        assert!(!run.stderr.contains(&short), "{run:?}");
    }
}

#[test]
fn whoever_replaces_a_shared_key_without_an_overlap_is_told_which_tokens_end() {
    let project = project();
    let token = jti(&mint(&project, &["--ttl", "20h", "--revocable"]));
    let run = project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert!(run.stderr.contains(&format!("breaks token `{token}` of `user:42`, until ")), "{run:?}");
}

#[test]
fn a_key_pair_of_another_algorithm_than_declared_is_found_until_another_takes_its_place() {
    let key = |algorithm: &str| format!("kind = \"keypair\"\nalgorithm = \"{algorithm}\"");
    let manifest = |algorithm: &str| MANIFEST.replace("kind = \"random\"", &key(algorithm));
    let project = Project::initialised(&manifest("eddsa"));
    project.run(["check"]).assert_code(0);
    project.write("vault-kit.toml", manifest("es256"));
    let found = || {
        let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let of_key = findings.iter().filter(|it| it["secret"] == "AUTH");
        of_key.map(|it| (it["code"].to_string(), it["fix"].to_string())).collect::<Vec<_>>()
    };
    let wanted = ("\"declaration-changed\"".to_owned(), "\"vault-kit generate --replace AUTH\"".to_owned());
    assert_eq!(found().as_slice(), std::slice::from_ref(&wanted));
    project.run(["generate", "--replace", "SERVICE_TOKEN", "--yes"]).assert_code(0);
    assert_eq!(found(), [wanted], "a token by the old key changes nothing");
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_token_is_revoked_whatever_stands_in_the_place_of_another_file() {
    let list = "[outputs.revoked]\nformat = \"revocations\"\npath = \"revoked.json\"\n";
    let project = Project::initialised(&format!("{MANIFEST}{list}"));
    let token = mint(&project, &["--revocable"]);
    let more = "[outputs.env]\nformat = \"dotenv\"\npath = \"more/.env\"\nsecrets = [\"AUTH\"]\n";
    project.write("vault-kit.toml", format!("{MANIFEST}{list}{more}"));
    // A block that another host wrote: its values may be in no store here.
    project.run(["render"]).assert_code(0);
    let block = project.read("more/.env");
    project.write("vault-kit.toml", format!("{MANIFEST}{list}{}", more.replace("more", "moved")));
    project.write("moved/.env", block.replace("AUTH=", "AUTH=x"));
    let id = jti(&token);
    let run = project.run(["token", "revoke", &id, "-n"]).assert_code(8);
    assert!(run.stderr.contains(&format!("would revoke  {id}")) && run.stderr.contains("moved/.env"), "{run:?}");
    assert_eq!(reason(&project, &token), None);
    let run = project.run(["token", "revoke", &id]).assert_code(8);
    for words in [&format!("revoked       {id}"), "`moved/.env` is there already", "finish with `vault-kit render`"] {
        assert!(run.stderr.contains(words), "{words}: {run:?}");
    }
    assert_eq!(reason(&project, &token).as_deref(), Some("revoked"));
    assert!(project.read("revoked.json").contains(&id));
    let run = project.run(["--json", "token", "revoke", &id]).assert_code(8);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["errors"][0]["code"], "foreign-file", "{answer}");
    project.run(["check"]).assert_code(1);
}

#[test]
fn a_token_that_nobody_would_see_is_not_recorded() {
    let project = project();
    let before = project.contents();
    for closed in ["exec \"$@\" >&-", "exec \"$@\" >/dev/null"] {
        for more in [&[][..], &["--revocable"]] {
            let run = Run::of(&mut project.command_under(["sh", "-c", closed, "sh"], [&READER[..], more].concat()));
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
            assert!(run.stderr.contains("error: the token would be shown to nobody"), "{run:?}");
            assert!(project.contents() == before, "{closed}");
        }
    }
}

#[test]
fn who_mints_with_a_key_that_leaked_is_told() {
    let project = project();
    assert!(!project.run(READER).assert_code(0).stderr.contains("leaked"));
    project.edit_store(|store| {
        let name = vault_kit::name::SecretName::new("AUTH").unwrap();
        store.ban(&name, store.updated, None);
    });
    let told = project.run(READER).assert_code(0).stderr;
    assert!(told.contains("`AUTH` leaked") && told.contains("`vault-kit incident AUTH`"), "{told}");
}
