//! A published key is rotated without a verifier ever meeting a token that it cannot verify.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use vault_kit::name::SecretName;
use vault_kit::secret::parts::Part;
use vault_kit::store::{Stage, Store};

use crate::support::Project;

const MANIFEST: &str = r#"
[project]
name = "auth"
keep = 1
[secrets.SIGNER]
kind = "keypair"
overlap = "2h"
[secrets.SERVICE]
kind = "token"
signed_by = "SIGNER"
ttl = "30d"
[outputs.keys]
format = "jwks"
path = "jwks.json"
max_age = "10m"
[outputs.tokens]
format = "docker-secrets"
path = "tokens"
secrets = ["SERVICE"]
"#;

fn signer() -> SecretName {
    SecretName::new("SIGNER").unwrap()
}

fn kids(project: &Project) -> Vec<String> {
    let set: Value = serde_json::from_str(&project.read("jwks.json")).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn stages(project: &Project) -> Vec<Stage> {
    project.store().secrets[&signer()].iter().map(|version| version.stage).collect()
}

/// Lets time pass, by moving everything that happened to the signing key and its key set into the past.
fn pass(project: &Project, time: TimeDelta) {
    pass_in_store(project, time);
    // A second more than for the store: what was written within a second counts from its end on.
    age_file(project, time + TimeDelta::seconds(1));
}

fn age_file(project: &Project, time: TimeDelta) {
    project.age("jwks.json", time.to_std().unwrap());
}

fn pass_in_store(project: &Project, time: TimeDelta) {
    project.edit_store(|store| {
        let back = |at: &mut Option<DateTime<Utc>>| *at = at.map(|at| at - time);
        for version in store.secrets.get_mut(&signer()).unwrap() {
            back(&mut version.life.published);
            back(&mut version.life.replaced);
        }
        store.issued.horizons.values_mut().for_each(|horizon| *horizon -= time);
    });
}

fn reason(project: &Project, token: &str) -> Option<String> {
    let run = project.run_with_stdin(["token", "verify", "--json"], token.as_bytes());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    answer["reason"].as_str().map(str::to_owned)
}

fn findings(project: &Project) -> Vec<String> {
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    report["findings"].as_array().unwrap().iter().map(|it| it["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_published_key_signs_only_when_every_verifier_knows_it() {
    let project = Project::initialised(MANIFEST);
    let (first, token) = (kids(&project), project.read("tokens/service"));
    let run = project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    assert!(run.stderr.contains("published     SIGNER"), "{}", run.stderr);
    assert!(run.stderr.contains("its next key signs with the first write from "), "{}", run.stderr);
    assert_eq!(stages(&project), [Stage::Current, Stage::Next]);
    assert_eq!((kids(&project).len(), &kids(&project)[0]), (2, &first[0]));
    assert_eq!(project.read("tokens/service"), token, "the next key signed");

    // Whoever asks again is told when, and gets no third key.
    let run = project.run(["generate", "--replace", "SIGNER", "--json"]).assert_code(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&answer["made"], answer["publishing"][0]["secret"].as_str()), (&Value::Array(vec![]), Some("SIGNER")));
    assert_eq!(stages(&project), [Stage::Current, Stage::Next]);
    for dry in [&[][..], &["-n"]] {
        let run = project.run([&["generate", "--replace", "SIGNER"], dry].concat()).assert_code(0);
        let words = "no other `SIGNER` is made: the next one, published before, takes its place";
        assert!(run.stderr.contains(words), "{run:?}");
    }

    pass(&project, TimeDelta::minutes(9));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Current, Stage::Next]);
    assert_eq!(findings(&project), [] as [String; 0]);

    pass(&project, TimeDelta::minutes(1));
    let run = project.run(["render", "--dry-run"]).assert_code(0);
    assert!(run.stderr.contains("would activate SIGNER"), "{}", run.stderr);
    assert_eq!(stages(&project), [Stage::Current, Stage::Next]);
    let generation = project.store().generation;
    let run = project.run(["render"]).assert_code(0);
    assert!(
        run.stderr.contains("activated     SIGNER") && run.stderr.contains("made          SERVICE"),
        "{}",
        run.stderr
    );
    assert_eq!(project.store().generation, generation + 1, "key and token changed apart");
    assert_eq!(stages(&project), [Stage::Previous, Stage::Current]);
    assert_eq!(kids(&project).len(), 2);
    assert_ne!(project.read("tokens/service"), token);
    assert_eq!((reason(&project, &token), reason(&project, &project.read("tokens/service"))), (None, None));
}

#[test]
fn a_published_key_waits_as_long_as_was_promised_whatever_becomes_of_its_key_set() {
    let no_output =
        MANIFEST.replace("[outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\nmax_age = \"10m\"\n", "");
    assert_ne!(no_output, MANIFEST);
    for changed in [no_output, MANIFEST.replace("10m", "1m")] {
        let project = Project::initialised(MANIFEST);
        project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
        project.write("vault-kit.toml", &changed);
        pass(&project, TimeDelta::minutes(9));
        let run = project.run(["render"]).assert_code(0);
        assert!(run.stderr.contains("its next key signs with the first write from "), "{run:?}");
        assert_eq!(stages(&project), [Stage::Current, Stage::Next], "{changed}");
        pass(&project, TimeDelta::minutes(1));
        project.run(["render"]).assert_code(0);
        let store = project.store();
        assert!(store.next(&signer()).is_none(), "{changed}");
    }
}

#[test]
fn every_writer_activates_a_key_whose_time_has_come() {
    for writer in [["render"].as_slice(), &["generate"], &["init"], &["set", "OTHER", "--from-file", "value"]] {
        let project =
            Project::initialised(&format!("{MANIFEST}\n[secrets.OTHER]\nkind = \"external\"\noptional = true\n"));
        project.write("value", "Zk3vYq8mT1xWc5RbLpNs7dHf");
        project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
        pass(&project, TimeDelta::minutes(10));
        project.run(writer).assert_code(0);
        assert_eq!(stages(&project), [Stage::Previous, Stage::Current], "{writer:?}");
    }
}

#[test]
fn a_key_that_never_reached_its_file_is_published_anew_and_waits_anew() {
    let project = Project::initialised(MANIFEST);
    let before = project.bytes("jwks.json");
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    // The writer died between store and file.
    project.write("jwks.json", before);
    pass(&project, TimeDelta::hours(1));
    let run = project.run(["render"]).assert_code(0);
    assert!(run.stderr.contains("published     SIGNER"), "{}", run.stderr);
    assert_eq!((stages(&project), kids(&project).len()), (vec![Stage::Current, Stage::Next], 2));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Current, Stage::Next]);
    pass(&project, TimeDelta::minutes(10));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Previous, Stage::Current]);
}

#[test]
fn the_wait_of_a_published_key_begins_when_its_file_has_it() {
    let project = Project::initialised(MANIFEST);
    let before = project.bytes("jwks.json");
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    // The writer died between store and file, and an hour later somebody wrote who plans no keys.
    project.write("jwks.json", before);
    pass_in_store(&project, TimeDelta::hours(1));
    project.run(["token", "revoke", "--subject", "user:42"]).assert_code(0);
    assert_eq!(kids(&project).len(), 2);
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Current, Stage::Next], "no verifier has had the time to fetch it");
    let beside = &project.ledger().secrets[&signer()].beside[0];
    assert!(beside.until > project.ledger().header.updated + TimeDelta::minutes(9), "{beside:?}");
    assert_eq!(findings(&project), [] as [String; 0]);
    let run = project.run(["generate", "--replace", "SIGNER", "--json"]).assert_code(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["publishing"][0]["from"], serde_json::to_value(beside.until).unwrap());
    age_file(&project, TimeDelta::minutes(9));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Current, Stage::Next]);
    age_file(&project, TimeDelta::minutes(1) + TimeDelta::seconds(1));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Previous, Stage::Current]);
}

/// A project whose second key has just become active, and a token of the first.
fn rotated() -> (Project, String) {
    let project = Project::initialised(MANIFEST);
    let token = project.read("tokens/service");
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    pass(&project, TimeDelta::minutes(10));
    project.run(["render"]).assert_code(0);
    (project, token)
}

#[test]
fn a_retiring_key_verifies_for_its_overlap_and_has_no_private_half() {
    let (project, token) = rotated();
    let store = project.store();
    let parts = &store.secrets[&signer()][0].parts;
    assert!(parts.part(Part::Key).is_none() && parts.part(Part::Public).is_some());
    // Overlap, leeway, and the age of a key set: 2 h 11 min.
    pass(&project, TimeDelta::minutes(130));
    project.run(["render"]).assert_code(0);
    assert_eq!((kids(&project).len(), reason(&project, &token)), (2, None));
    assert_eq!(findings(&project), [] as [String; 0]);
    pass(&project, TimeDelta::minutes(1));
    project.run(["render"]).assert_code(0);
    assert_eq!((kids(&project).len(), reason(&project, &token)), (1, Some("key_retired".into())));
    assert_eq!(findings(&project), [] as [String; 0]);
    // Its kid is known for good, also when its value is purged.
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Purged, Stage::Current, Stage::Next]);
    assert_eq!(reason(&project, &token), Some("key_retired".into()));
}

#[test]
fn a_retiring_key_stays_as_long_as_anything_that_it_signed() {
    let (project, token) = rotated();
    let kid = |store: &Store| store.secrets[&signer()][0].facts["kid"].clone();
    project.edit_store(|store| {
        let horizon = store.updated + TimeDelta::days(3);
        store.issued.horizons.insert(kid(store), horizon);
    });
    pass(&project, TimeDelta::days(3) + TimeDelta::minutes(10));
    project.run(["render"]).assert_code(0);
    assert_eq!((kids(&project).len(), reason(&project, &token)), (2, None));
    pass(&project, TimeDelta::minutes(2));
    project.run(["render"]).assert_code(0);
    assert_eq!((kids(&project).len(), reason(&project, &token)), (1, Some("key_retired".into())));
}

#[test]
fn a_retiring_key_without_an_overlap_stays_until_the_declared_tokens_that_it_signed_end_by_themselves() {
    let project = Project::initialised(&MANIFEST.replace("overlap = \"2h\"", ""));
    let (first, token) = (kids(&project)[0].clone(), project.read("tokens/service"));
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    pass(&project, TimeDelta::minutes(10));
    project.run(["render"]).assert_code(0);
    // 30 days less what has passed, and then leeway and the age of a key set: 11 minutes.
    let service = SecretName::new("SERVICE").unwrap();
    let expires = project.store().secrets[&service][0].expires.unwrap();
    assert_eq!(project.ledger().secrets[&signer()].beside[0].until, expires + TimeDelta::minutes(11));
    pass(&project, TimeDelta::days(29));
    project.run(["render"]).assert_code(0);
    assert!(kids(&project).contains(&first));
    assert_eq!(reason(&project, &token), None);
    assert_eq!(findings(&project), [] as [String; 0]);
    project.edit_store(|store| {
        for version in store.secrets.get_mut(&service).unwrap() {
            version.expires = version.expires.map(|at| at - TimeDelta::days(31));
        }
    });
    pass(&project, TimeDelta::days(2));
    project.run(["render"]).assert_code(0);
    assert!(!kids(&project).contains(&first));
}

#[test]
fn a_retiring_key_stays_for_a_token_that_nobody_gets_anew_until_that_ends() {
    for is_removed in [false, true] {
        let project = Project::initialised(MANIFEST);
        let (first, service) = (kids(&project)[0].clone(), SecretName::new("SERVICE").unwrap());
        let expires = project.store().secrets[&service][0].expires.unwrap();
        let declared = MANIFEST.find("[secrets.SERVICE]").unwrap()..MANIFEST.find("[outputs.keys]").unwrap();
        let mut manifest = MANIFEST.replace("[outputs.tokens]\nformat = \"docker-secrets\"\npath = \"tokens\"\n", "");
        manifest = manifest.replace("secrets = [\"SERVICE\"]\n", "").replace(&MANIFEST[declared], "");
        project.write("vault-kit.toml", &manifest);
        if is_removed {
            project.run(["remove", "SERVICE", "--yes"]).assert_code(0);
        }
        project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
        pass(&project, TimeDelta::minutes(10));
        project.run(["render"]).assert_code(0);
        // Its end, leeway and the age of a key set. What is kept of a removed one is rounded up to the hour, and went back above.
        let until = project.ledger().secrets[&signer()].beside[0].until - TimeDelta::minutes(11);
        let (least, rounding) = if is_removed {
            (expires - TimeDelta::minutes(10), TimeDelta::hours(1))
        } else {
            (expires, TimeDelta::zero())
        };
        assert!(least <= until && until <= least + rounding, "{expires} {until}");
        pass(&project, TimeDelta::days(29));
        project.run(["render"]).assert_code(0);
        assert!(kids(&project).contains(&first), "removed: {is_removed}");
        // Unless its owner says so.
        project.run(["generate", "--replace", "SIGNER", "--revoke", "--yes"]).assert_code(0);
        assert!(!kids(&project).contains(&first), "removed: {is_removed}");
    }
}

#[test]
fn an_activation_tells_until_when_the_tokens_of_the_old_key_are_good_and_who_holds_them() {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    pass(&project, TimeDelta::minutes(10));
    let run = project.run(["render", "--dry-run"]).assert_code(0);
    let told = |text: &str| {
        text.contains("tokens of the old `SIGNER` are refused from ")
            && text.contains(" on; restart by then who holds `SERVICE`: `tokens/service` (output tokens)")
    };
    assert!(told(&run.stderr), "{}", run.stderr);
    let run = project.run(["render", "--json"]).assert_code(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let line = answer["consequences"][0].as_str().unwrap();
    let until = project.ledger().secrets[&signer()].beside[0].until.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    assert!(told(line) && line.contains(&until), "{line}, {until}");
}

#[test]
fn check_and_status_tell_what_a_rotation_waits_for_without_the_identity() {
    let project = Project::initialised(MANIFEST);
    let ledger = |project: &Project| project.ledger().secrets[&signer()].beside.clone();
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    let row = |stage: &str| {
        let run = project.run(["status"]).assert_code(0);
        run.stdout.lines().any(|line| line.starts_with("SIGNER") && line.contains(stage))
    };
    assert!(row(" next "));
    assert_eq!(ledger(&project)[0].until - ledger(&project)[0].since, TimeDelta::minutes(10));
    // Nobody writes, and the day comes: the ledger's own dates are moved, since no command runs by then.
    let back = |project: &Project, time: TimeDelta| {
        let mut ledger = project.ledger();
        for beside in &mut ledger.secrets.get_mut(&signer()).unwrap().beside {
            beside.until -= time;
        }
        project.write(".vault-kit/dev.ledger.jsonl", ledger.to_bytes().unwrap());
    };
    back(&project, TimeDelta::minutes(11));
    let found = findings(&project);
    assert!(found.len() == 1 && found[0].starts_with("its next key could sign since "), "{found:?}");
    pass(&project, TimeDelta::minutes(11));
    project.run(["render"]).assert_code(0);
    assert!(row(" retiring "));
    back(&project, TimeDelta::hours(3));
    let found = findings(&project);
    assert!(
        found.len() == 1 && found[0].starts_with("still has a key of `SIGNER` that is retired since "),
        "{found:?}"
    );
}

#[test]
fn a_revoked_key_is_out_of_the_key_set_at_once_and_whom_that_breaks_is_told() {
    use vault_kit::store::issued::IssuedToken;
    let (project, _) = rotated();
    let second = project.read("tokens/service");
    let kid = project.store().current(&signer()).unwrap().facts["kid"].clone();
    project.edit_store(|store| {
        let token = |kid: &str, days| IssuedToken {
            signed_by: signer(),
            kid: kid.into(),
            algorithm: None,
            subject: "user:42".into(),
            role: None,
            issued: store.updated,
            expires: store.updated + TimeDelta::days(days),
        };
        let tokens = [("live", token(&kid, 2)), ("ended", token(&kid, -1)), ("foreign", token("other", 2))];
        store.issued.tokens.extend(tokens.map(|(id, token)| (id.to_owned(), token)));
        store.issued.horizons.insert(kid.clone(), store.updated + TimeDelta::days(1));
    });
    project.run(["render"]).assert_code(0);
    let revoke = ["generate", "--replace", "SIGNER", "--revoke"];
    let before = project.contents();
    let run = project.run(revoke.iter().chain(&["--dry-run"])).assert_code(0);
    let told: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("breaks")).collect();
    assert!(told.len() == 2 && told[0].starts_with("breaks token `live` of `user:42`, until "), "{}", run.stderr);
    assert!(told[1].starts_with("breaks unrecorded tokens of `SIGNER` until "), "{}", run.stderr);
    assert!(run.stderr.contains("1. who verifies with `SIGNER`: `jwks.json` (output keys)"), "{}", run.stderr);
    assert!(run.stderr.contains("2. who holds `SERVICE`: `tokens/service` (output tokens)"), "{}", run.stderr);
    project.run(revoke).assert_code(2);
    assert!(project.contents() == before, "it was not agreed to");

    project.run(revoke.iter().chain(&["--yes"])).assert_code(0);
    assert_eq!((kids(&project).len(), stages(&project).len()), (1, 3));
    assert!(!kids(&project).contains(&kid));
    assert_eq!(reason(&project, &second), Some("key_retired".into()));
    assert_eq!(reason(&project, &project.read("tokens/service")), None);
    assert_eq!(findings(&project), [] as [String; 0]);
}

#[test]
fn a_successor_that_is_published_already_takes_the_place_of_a_revoked_key() {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    let next = kids(&project)[1].clone();
    let run = project.run(["generate", "--replace", "SIGNER", "--revoke", "--yes", "--json"]).assert_code(0);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (answer["made"][0]["action"].as_str(), answer["made"][0]["why"].as_str()),
        (Some("activate"), Some("revoked"))
    );
    assert_eq!(answer["consequences"][0], "breaks no token of `SIGNER` that is known but declared ones");
    assert_eq!((kids(&project), stages(&project)), (vec![next], vec![Stage::Previous, Stage::Current]));
}

fn algorithms(project: &Project) -> Vec<String> {
    project.store().secrets[&signer()].iter().map(|version| version.facts["algorithm"].clone()).collect()
}

/// A project whose next key is published, and then another algorithm is declared.
fn with_another_algorithm() -> Project {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    pass(&project, TimeDelta::minutes(10));
    project.write("vault-kit.toml", MANIFEST.replace("\"keypair\"", "\"keypair\"\nalgorithm = \"eddsa\""));
    project
}

#[test]
fn a_published_key_of_another_algorithm_than_is_declared_by_now_is_replaced_and_never_signs() {
    let project = with_another_algorithm();
    let (token, old) = (project.read("tokens/service"), kids(&project));
    let run = project.run(["render"]).assert_code(0);
    assert!(run.stderr.contains("published     SIGNER"), "{}", run.stderr);
    assert!(run.stderr.contains("keypair, since its declaration changed"), "{}", run.stderr);
    assert_eq!(
        (algorithms(&project), stages(&project)),
        (vec!["ES256".into(), "EdDSA".into()], vec![Stage::Current, Stage::Next])
    );
    assert_eq!((kids(&project).len(), kids(&project)[0] == old[0], kids(&project)[1] == old[1]), (2, true, false));
    assert_eq!((reason(&project, &token), reason(&project, &project.read("tokens/service"))), (None, None));
    let minted = project.run(["token", "mint", "--role", "reader", "--subject", "user:42"]).assert_code(0);
    assert_eq!(reason(&project, &minted.stdout), None, "the current key signs with what it has");
    pass(&project, TimeDelta::minutes(10));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Previous, Stage::Current]);
    let tokens = [token, minted.stdout, project.read("tokens/service")];
    assert_eq!(tokens.map(|token| reason(&project, &token)), [None, None, None]);
    assert_eq!(findings(&project), [] as [String; 0]);
}

#[test]
fn a_key_is_revoked_also_where_another_algorithm_is_declared_by_now() {
    let project = with_another_algorithm();
    let old = kids(&project);
    project.run(["generate", "--replace", "SIGNER", "--revoke", "--yes"]).assert_code(0);
    assert_eq!(
        (algorithms(&project), stages(&project)),
        (vec!["ES256".into(), "EdDSA".into()], vec![Stage::Previous, Stage::Current])
    );
    assert!(kids(&project).len() == 1 && !old.contains(&kids(&project)[0]));
    assert_eq!(reason(&project, &project.read("tokens/service")), None);
}

#[test]
fn another_algorithm_without_a_successor_takes_a_replacement_and_blocks_nothing() {
    let project = Project::initialised(MANIFEST);
    project.write("vault-kit.toml", MANIFEST.replace("\"keypair\"", "\"keypair\"\nalgorithm = \"eddsa\""));
    project.run(["generate"]).assert_code(0);
    assert_eq!(algorithms(&project), ["ES256"]);
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    assert_eq!(
        (algorithms(&project), stages(&project)),
        (vec!["ES256".into(), "EdDSA".into()], vec![Stage::Current, Stage::Next])
    );
    assert_eq!(reason(&project, &project.read("tokens/service")), None);
}

#[test]
fn a_key_pair_that_nobody_publishes_is_replaced_at_once() {
    let project = Project::initialised(
        &MANIFEST.replace("format = \"jwks\"", "format = \"revocations\"").replace("max_age = \"10m\"", ""),
    );
    let token = project.read("tokens/service");
    project.run(["generate", "--replace", "SIGNER", "--yes"]).assert_code(0);
    assert_eq!(stages(&project)[1], Stage::Current);
    assert_eq!(reason(&project, &token), Some("key_retired".into()));
}

#[test]
fn a_key_set_that_was_written_by_a_clock_ahead_does_not_hold_its_key_back_until_then() {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    let write_ahead = || {
        let file = std::fs::File::open(project.path("jwks.json")).unwrap();
        let ahead = SystemTime::from(project.store().updated + TimeDelta::days(900));
        file.set_modified(ahead).unwrap();
    };
    write_ahead();
    pass_in_store(&project, TimeDelta::minutes(9));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Current, Stage::Next]);
    pass_in_store(&project, TimeDelta::minutes(1));
    project.run(["render"]).assert_code(0);
    assert_eq!(stages(&project), [Stage::Previous, Stage::Current]);
}

#[test]
fn a_published_key_that_may_have_leaked_never_signs() {
    let project = Project::initialised(MANIFEST);
    project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    let before = kids(&project);
    assert_eq!(before.len(), 2);
    let run = project.run(["incident", "SIGNER", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would make    SIGNER") && run.stderr.contains("banned with it"), "{run:?}");
    project.run(["incident", "SIGNER", "--yes"]).assert_code(0);
    let after = kids(&project);
    assert!(after.len() == 1 && !before.contains(&after[0]), "{before:?}, {after:?}");
    let store = project.store();
    assert!(store.next(&signer()).is_none() && store.banned.len() >= 2);
    assert_eq!(reason(&project, &project.read("tokens/service")), None);
    assert_eq!(findings(&project), [] as [String; 0]);
}

#[test]
fn a_published_key_that_is_banned_waits_for_nothing_and_another_one_is_made() {
    // Without a word of it what leaked is cut off as well, so that it is asked for.
    for revoke in [&["--revoke"][..], &[]] {
        let words = [&["generate", "--replace", "SIGNER", "--yes"], revoke].concat();
        let project = Project::initialised(MANIFEST);
        project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
        let next = project.store().next(&signer()).unwrap().id;
        // As an incident leaves it whose new value is not ours alone to make.
        project.edit_store(|store| {
            let now = store.updated;
            store.ban(&signer(), now, None);
        });
        pass(&project, TimeDelta::minutes(30));
        project.run(["render"]).assert_code(0);
        assert_ne!(project.store().current(&signer()).unwrap().id, next, "it signs");
        project.run(words).assert_code(0);
        let store = project.store();
        assert!(store.current(&signer()).unwrap().id != next && store.next(&signer()).is_none_or(|it| it.id != next));
    }
}
