//! What a person and a schedule see.

use serde_json::Value;

use crate::aws::{Fake, Trouble};
use crate::deaths::is_killed_at;
use crate::fixture::{APP, DB, Host, alone, assert_one, key, pair, there};

fn operations(fake: &Fake) -> Vec<String> {
    fake.log().into_iter().map(|it| it.operation).collect()
}

#[test]
fn a_rotation_takes_six_requests_and_one_for_the_account() {
    let (fake, owner, host) = alone("");
    let old = host.get("DB");
    host.age(&["DB"]);
    fake.forget();
    let run = host.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(
        operations(&fake),
        [
            "GetCallerIdentity",
            "ListSecrets",
            "PutSecretValue",
            "UpdateSecretVersionStage",
            "DescribeSecret",
            "UpdateSecretVersionStage",
            "UpdateSecretVersionStage"
        ]
    );
    assert!(there(&fake, DB) != old && !run.both().contains(&there(&fake, DB)), "{run:?}");
    assert_eq!(owner.steps(), ["set", "test", "reload", "retire"]);
    assert_one(&fake, &owner, &[&host], "alone");
    assert!(!owner.accepts(&old), "it is retired");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty(), "both sides know that they agree");
    let id = host.project.store().current(&crate::fixture::secret("DB")).unwrap().id.to_string();
    assert_eq!(fake.holder(DB, "AWSCURRENT"), Some(id), "the version has one id everywhere");
    // Nothing is due: nobody is asked.
    fake.forget();
    let run = host.run(["rotate", "--due"]).assert_code(0);
    assert_eq!((run.both().as_str(), fake.all_calls()), ("", 0));
}

#[test]
fn the_keys_of_a_bundle_rotate_in_one_claim() {
    let (fake, owner, host) = alone("");
    let old = (host.get("SESSION"), host.get("SIGNING"));
    host.age(&["DB", "SESSION", "SIGNING", "LOCAL"]);
    fake.forget();
    host.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(fake.calls("GetCallerIdentity"), 1, "one a run");
    assert_eq!(fake.all_calls(), 1 + 1 + 1 + 5 * 2, "account, listing, bundle, two claims: {:?}", operations(&fake));
    assert!(fake.all_calls() - 1 <= 6 * 3, "at most six a secret");
    assert_eq!((host.get("SESSION"), host.get("SIGNING")), (key(&fake, "SESSION"), key(&fake, "SIGNING")));
    assert!(key(&fake, "SESSION") != old.0 && key(&fake, "SIGNING") != old.1);
    assert_eq!(fake.versions(APP).len(), 2, "one new version");
    assert_one(&fake, &owner, &[&host], "all");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn a_bundle_alone_takes_six_requests_and_one_for_the_account() {
    let (fake, _, first, second) = pair("");
    for host in [&first, &second, &first] {
        // What another host rotated meanwhile.
        host.run(["sync", "pull"]).assert_code(0);
        let old = (host.get("SESSION"), host.get("SIGNING"));
        host.age(&["SESSION"]);
        fake.forget();
        host.run(["rotate", "--due"]).assert_code(0);
        assert_eq!(
            operations(&fake),
            [
                "GetCallerIdentity",
                "BatchGetSecretValue",
                "PutSecretValue",
                "UpdateSecretVersionStage",
                "DescribeSecret",
                "UpdateSecretVersionStage",
                "UpdateSecretVersionStage"
            ]
        );
        assert!(host.get("SESSION") != old.0 && host.get("SIGNING") == old.1);
        assert_eq!(host.get("SESSION"), key(&fake, "SESSION"));
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
    }
}

#[test]
fn a_bundle_alone_keeps_what_others_keep_in_it_and_takes_what_they_changed() {
    let (fake, _, host) = alone("");
    let with = |name: &str, value: &str| {
        let mut bundle: Value = serde_json::from_str(&there(&fake, APP)).unwrap();
        bundle[name] = value.into();
        bundle.to_string()
    };
    fake.put(APP, with("theirs", "1"));
    host.age(&["SESSION"]);
    let run = host.run(["rotate", "SESSION"]).assert_code(7);
    assert!(run.stderr.contains("is not what the store agreed on last"), "{run:?}");
    host.run(["sync", "pull"]).assert_code(0);
    host.run(["rotate", "--due"]).assert_code(0);
    assert_eq!((host.get("SESSION"), key(&fake, "theirs")), (key(&fake, "SESSION"), "1".to_owned()));
    // By schedule it is taken before what is still due is rotated.
    fake.put(APP, with("SIGNING", "by-hand"));
    host.age(&["SESSION"]);
    host.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(host.get("SIGNING"), "by-hand");
    host.run(["rotate", "--due"]).assert_code(0);
    assert_eq!((host.get("SESSION"), key(&fake, "SIGNING")), (key(&fake, "SESSION"), "by-hand".to_owned()));
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn a_bundle_alone_rotates_after_another_host_gave_it_up() {
    let (fake, _, first, second) = pair("");
    let old = first.get("SESSION");
    first.age(&["SESSION"]);
    assert!(is_killed_at(&first, &fake, ["rotate", "--due"], (5, true)), "claimed, and not in force");
    first.run(["rotate", "abort", "SESSION"]).assert_code(0);
    assert_eq!(
        (first.get("SESSION"), key(&fake, "SESSION"), &*fake.tags(APP)["vault-kit:attempt"]),
        (old.clone(), old, "1")
    );
    // The second does not know of it, and the first does.
    let versions = fake.versions(APP).len();
    second.age(&["SESSION"]);
    second.run(["rotate", "--due"]).assert_code(0);
    assert_eq!((second.get("SESSION"), fake.holder(APP, "AWSPENDING")), (key(&fake, "SESSION"), None));
    assert_eq!(fake.versions(APP).len(), versions + 1, "exactly one new version");
    assert!(second.is_still() && second.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
    fake.forget();
    second.age(&["SESSION"]);
    second.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(fake.all_calls(), 7, "it knows by now: {:?}", operations(&fake));
    first.run(["rotate", "--due"]).assert_code(0);
    first.run(["sync", "pull"]).assert_code(0);
    assert_eq!(first.get("SESSION"), key(&fake, "SESSION"));
}

#[test]
fn a_bundle_alone_that_is_not_ours_any_more_does_not_come_into_force() {
    for is_foreign in [true, false] {
        let (fake, _, host) = alone("");
        let (old, current) = (host.get("SESSION"), fake.holder(APP, "AWSCURRENT"));
        if is_foreign {
            fake.tag(APP, "vault-kit:managed", "another/dev");
        } else {
            fake.rotation_enabled(APP);
        }
        host.age(&["SESSION"]);
        for _ in 0..2 {
            fake.forget();
            host.run(["rotate", "--due"]).assert_code(7);
            assert_eq!((fake.holder(APP, "AWSCURRENT"), fake.holder(APP, "AWSPENDING")), (current.clone(), None));
            assert_eq!((host.get("SESSION"), key(&fake, "SESSION")), (old.clone(), old.clone()));
        }
        // Once is enough to know that.
        assert_eq!(fake.calls("UpdateSecretVersionStage"), 0, "{:?}", operations(&fake));
    }
}

#[test]
fn another_host_takes_what_was_rotated_and_tells_no_owner_again() {
    let (fake, owner, first, second) = pair("");
    first.age(&["DB", "SESSION"]);
    second.age(&["DB", "SESSION"]);
    first.run(["rotate", "--due"]).assert_code(0);
    let versions = fake.versions(DB).len();
    owner.forget();
    fake.forget();
    let run = second.run(["rotate", "--due"]).assert_code(0);
    assert!(run.stderr.contains("taken"), "{run:?}");
    assert_eq!(owner.steps(), ["reload"], "its own programs read the files; the owner knows it already");
    assert_eq!((fake.calls("PutSecretValue"), fake.versions(DB).len()), (0, versions));
    assert_one(&fake, &owner, &[&first, &second], "both");
    assert_eq!(second.get("SESSION"), key(&fake, "SESSION"));
    assert!(second.run(["rotate", "--due"]).assert_code(0).both().is_empty());
    for host in [&first, &second] {
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
    }
}

#[test]
fn a_host_whose_listing_lags_behind_comes_to_the_same_value() {
    let (fake, owner, first, second) = pair("");
    first.age(&["DB"]);
    second.age(&["DB"]);
    fake.list_lag(100);
    first.run(["rotate", "--due"]).assert_code(0);
    owner.forget();
    second.run(["rotate", "--due"]).assert_code(0);
    fake.heal();
    assert_eq!(fake.versions(DB).len(), 2, "one new version");
    assert!(!owner.steps().contains(&"set".to_owned()), "{:?}", owner.steps());
    assert_one(&fake, &owner, &[&first, &second], "both");
}

#[test]
fn by_name_nothing_is_rotated_that_changed_there() {
    let (fake, owner, first, second) = pair("");
    first.run(["rotate", "DB"]).assert_code(0);
    owner.forget();
    let run = second.run(["rotate", "DB"]).assert_code(7);
    assert!(run.stderr.contains("`vault-kit sync pull /shop/dev/db`"), "{run:?}");
    assert!(owner.steps().is_empty());
    second.run(["sync", "pull"]).assert_code(0);
    second.run(["rotate", "DB"]).assert_code(0);
    first.run(["sync", "pull"]).assert_code(0);
    assert_one(&fake, &owner, &[&first, &second], "both");
}

#[test]
fn without_aws_what_nobody_shares_still_rotates() {
    let (fake, owner, host) = alone("");
    let (db, local) = (host.get("DB"), host.get("LOCAL"));
    host.age(&["DB", "LOCAL"]);
    fake.fail(crate::aws::ANY, usize::MAX, Trouble::DropBefore);
    let run = host.run(["rotate", "--due"]).assert_code(5);
    assert!(run.stderr.contains("AWS cannot be reached"), "{run:?}");
    assert_eq!(host.get("DB"), db);
    assert!(host.get("LOCAL") != local && owner.steps() == ["reload"], "{:?}", owner.steps());
    assert!(host.is_still(), "nothing of it was begun");
    fake.heal();
    host.run(["rotate", "--due"]).assert_code(0);
    assert!(host.get("DB") != db);
    assert_one(&fake, &owner, &[&host], "alone");
}

#[test]
fn a_denial_is_an_answer_and_the_account_is_asked_for_before_anything_is_sent() {
    let (fake, owner, host) = alone("");
    host.age(&["DB"]);
    fake.deny("PutSecretValue");
    host.run(["rotate", "--due"]).assert_code(6);
    assert!(owner.steps().is_empty() && host.stages("DB").len() == 2, "a candidate waits");
    fake.heal();
    host.run(["rotate", "--due"]).assert_code(0);
    assert_one(&fake, &owner, &[&host], "healed");

    host.age(&["DB"]);
    let text = host.project.read("vault-kit.toml");
    let elsewhere = Fake::start().account("999999999999");
    elsewhere.forget();
    let mut command = host.command(["rotate", "--due"]);
    command.envs(elsewhere.environment());
    let run = crate::support::Run::of(&mut command).assert_code(6);
    assert!(run.stderr.contains("belongs to AWS account"), "{run:?}");
    assert_eq!(operations(&elsewhere), ["GetCallerIdentity"]);
    assert!(text.contains("123456789012"));
}

#[test]
fn what_was_never_sent_rotates_here_alone_and_says_so() {
    let more = "[secrets.NEW]\nkind = \"random\"\nrotate = \"30d\"\naws = \"new\"\n";
    let (fake, _, host) = alone("");
    host.project.write("vault-kit.toml", host.project.read("vault-kit.toml") + more);
    host.project.run(["generate"]).assert_code(0);
    let old = host.get("NEW");
    host.age(&["NEW"]);
    let run = host.run(["rotate", "--due", "--json"]).assert_code(0);
    assert!(host.get("NEW") != old && run.stderr.contains("`vault-kit sync push NEW`"), "{run:?}");
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["unsent"], serde_json::json!(["NEW"]));
    assert!(!fake.names().iter().any(|name| name.ends_with("/new")));
}

#[test]
fn what_is_made_of_it_is_left_for_a_push() {
    let (fake, owner, host) = alone("");
    let text = host.project.read("vault-kit.toml").replace("@db/app\"\n", "@db/app\"\naws = \"url\"\n");
    host.project.write("vault-kit.toml", text);
    host.run(["sync", "push"]).assert_code(0);
    let old = there(&fake, "/shop/dev/url");
    let run = host.run(["rotate", "DB"]).assert_code(0);
    assert!(run.stderr.contains("`vault-kit sync push URL`"), "{run:?}");
    assert_eq!(there(&fake, "/shop/dev/url"), old);
    host.run(["sync", "push", "URL"]).assert_code(0);
    assert!(there(&fake, "/shop/dev/url").contains(&there(&fake, DB)));
    assert_one(&fake, &owner, &[&host], "alone");
}

#[test]
fn a_rotation_of_somebody_else_is_not_disturbed() {
    let (fake, owner, host) = alone("");
    let old = host.get("DB");
    let theirs = fake.put_labelled(DB, "of-a-lambda", &["AWSPENDING"]);
    let run = host.run(["rotate", "DB"]).assert_code(7);
    assert!(run.stderr.contains(&theirs) && run.stderr.contains("remove-from-version-id"), "{run:?}");
    assert!(run.stderr.contains("aws --region eu-west-1 secretsmanager"), "{run:?}");
    assert_eq!((host.get("DB"), owner.steps().len()), (old, 0));
    let status = host.run(["rotate", "status", "--json"]).assert_code(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let row = &status["rotations"][0];
    assert_eq!((&row["step"], &row["remote"]["name"]), (&"staged".into(), &DB.into()));
    assert!(host.run(["rotate", "status"]).assert_code(0).stdout.contains("claim (/shop/dev/db in AWS)"));
    fake.relabel(DB, "AWSPENDING", None);
    host.run(["rotate", "--due"]).assert_code(0);
    assert_one(&fake, &owner, &[&host], "alone");
}

#[test]
fn going_back_is_a_rotation_too() {
    let (fake, owner, first, second) = pair("");
    let old = first.get("DB");
    first.run(["rotate", "DB"]).assert_code(0);
    first.run(["rotate", "rollback", "DB", "--yes"]).assert_code(0);
    assert_eq!((first.get("DB"), there(&fake, DB)), (old.clone(), old));
    second.run(["sync", "pull"]).assert_code(0);
    assert_one(&fake, &owner, &[&first, &second], "both");
    assert_eq!(fake.versions(DB).len(), 3);
}

#[test]
fn a_plan_tells_what_is_asked_of_aws() {
    let (_, _, host) = alone("");
    let plan = host.project.run(["rotate", "plan", "--json"]).assert_code(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let of = |name: &str| plan["upcoming"].as_array().unwrap().iter().find(|it| it["secret"] == name).unwrap().clone();
    assert_eq!(of("DB")["aws"], serde_json::json!({ "name": DB, "requests": 6 }));
    assert_eq!(of("SESSION")["aws"], serde_json::json!({ "name": APP, "requests": 6 }));
    assert_eq!(of("LOCAL")["aws"], Value::Null);
    let run = host.project.run(["rotate", "plan"]).assert_code(0);
    assert!(run.stdout.contains("6 requests") && run.stderr.contains("one more a run"), "{run:?}");
    let dry = host.project.run(["rotate", "DB", "-n"]).assert_code(0);
    assert!(dry.stderr.contains("at most 6 requests to AWS"), "{dry:?}");
}

#[test]
fn a_host_that_is_behind_another_s_claim_goes_on_with_that_one() {
    let (fake, owner, first, second) = pair("");
    owner.does("die-set");
    first.run(["rotate", "DB"]).assert_code(137);
    second.run(["rotate", "DB"]).assert_code(0);
    owner.forget();
    first.run(["rotate", "--due", "--wait"]).assert_code(0);
    assert!(!owner.steps().contains(&"set".to_owned()), "{:?}", owner.steps());
    assert_eq!(fake.versions(DB).len(), 2);
    assert_one(&fake, &owner, &[&first, &second], "both");
}

#[test]
fn a_bundle_waits_for_the_slowest_of_its_keys() {
    let (fake, owner) = (Fake::start(), crate::fixture::Owner::new());
    let text = crate::fixture::manifest(&owner, "");
    let text = text
        .replace("bundle = \"app\"\n\n[secrets.SIGNING]", "bundle = \"app\"\nhooks = [\"owner\"]\n\n[secrets.SIGNING]");
    let host = Host::first(&fake, &text, &owner);
    let old = there(&fake, APP);
    owner.does("fail-test");
    host.run(["rotate", "SESSION", "SIGNING"]).assert_code(8);
    assert_eq!(there(&fake, APP), old);
    assert_eq!(host.stages("SIGNING").len(), 2);
    owner.stops("fail-test");
    host.run(["rotate", "resume"]).assert_code(0);
    assert_eq!((host.get("SESSION"), host.get("SIGNING")), (key(&fake, "SESSION"), key(&fake, "SIGNING")));
    assert!(host.is_still() && fake.versions(APP).len() == 2);
}

#[test]
fn what_an_owner_was_told_of_a_key_that_is_in_the_bundle_no_more_is_refused_and_found() {
    let (fake, owner) = (Fake::start(), crate::fixture::Owner::new());
    let text = crate::fixture::manifest(&owner, "");
    let text = text
        .replace("bundle = \"app\"\n\n[secrets.SIGNING]", "bundle = \"app\"\nhooks = [\"owner\"]\n\n[secrets.SIGNING]");
    let host = Host::first(&fake, &text, &owner);
    owner.does("fail-test");
    host.run(["rotate", "SESSION", "SIGNING"]).assert_code(8);
    let told = owner.current();
    owner.stops("fail-test");
    host.project.write("vault-kit.toml", text.replacen("bundle = \"app\"\nhooks", "hooks", 1));
    let run = host.run(["rotate", "resume"]).assert_code(0);
    assert!(!run.stderr.contains("SESSION"), "{run:?}");
    host.project.write("paste.txt", &told);
    host.run(["scan", "paste.txt"]).assert_code(1);
    let status = host.run(["rotate", "status"]).assert_code(0);
    assert!(status.both().contains("vault-kit rotate tell SESSION"), "{status:?}");
    host.run(["rotate", "SESSION"]).assert_code(0);
    assert!(!owner.accepts(&told) && owner.accepts(&host.get("SESSION")), "{:?}", owner.log());
}

#[test]
fn what_is_not_due_by_the_clock_there_is_left() {
    let (fake, owner, host) = alone("");
    let old = host.get("DB");
    host.age(&["DB"]);
    fake.clock_behind(std::time::Duration::from_hours(24 * 30));
    fake.forget();
    assert!(host.run(["rotate", "--due"]).assert_code(0).both().is_empty(), "a clock here is a month ahead");
    assert_eq!(
        (host.get("DB"), operations(&fake)),
        (old.clone(), vec!["GetCallerIdentity".into(), "ListSecrets".into()])
    );
    fake.heal();
    host.run(["rotate", "--due"]).assert_code(0);
    assert!(host.get("DB") != old);
    assert_one(&fake, &owner, &[&host], "alone");
}

#[test]
fn what_failed_here_is_looked_after_soon_since_others_may_have_ended_it() {
    let (_fake, owner, host) = alone("");
    owner.does("fail-set");
    for _ in 0..3 {
        host.run(["rotate", "resume", "DB"]);
        host.run(["rotate", "DB"]).assert_code(8);
    }
    let status = host.run(["rotate", "status", "--json"]).assert_code(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let row = &status["rotations"][0];
    let time = |text: &Value| chrono::DateTime::parse_from_rfc3339(text.as_str().unwrap()).unwrap();
    assert!(row["failures"].as_u64().unwrap() > 2, "{row}");
    assert_eq!((time(&row["next"]) - time(&row["failed"]["at"])).num_minutes(), 5);
}

#[test]
fn what_is_not_in_aws_any_more_can_be_given_up() {
    let (fake, owner, host) = alone("");
    let old = host.get("DB");
    owner.does("fail-test");
    host.run(["rotate", "DB"]).assert_code(8);
    owner.stops("fail-test");
    fake.delete(DB);
    host.run(["rotate", "resume"]).assert_code(1);
    let run = host.run(["rotate", "abort", "DB"]);
    assert!(host.is_still() && run.stderr.contains("is not there any more"), "{run:?}");
    assert_eq!((host.get("DB"), owner.current()), (old.clone(), old));
}

#[test]
fn a_key_pair_rotates_whole() {
    let more = "[secrets.SIGNER]\nkind = \"keypair\"\nrotate = \"30d\"\naws = \"signer\"\n";
    let (fake, _owner, first, second) = pair(more);
    let old = there(&fake, "/shop/dev/signer");
    first.run(["rotate", "tell", "DB"]).assert_code(0);
    first.age(&["SIGNER"]);
    second.age(&["SIGNER"]);
    first.run(["rotate", "--due"]).assert_code(0);
    second.run(["rotate", "--due"]).assert_code(0);
    assert!(there(&fake, "/shop/dev/signer") != old);
    assert_eq!(first.get("SIGNER"), second.get("SIGNER"));
    for host in [&first, &second] {
        assert!(host.is_still() && host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
        host.project.run(["check"]).assert_code(0);
    }
}

#[test]
fn every_host_encrypts_its_own_data_anew() {
    let (fake, owner) = (Fake::start(), crate::fixture::Owner::new());
    let more = "[secrets.DATA]\nkind = \"encryption-key\"\nencoding = \"hex\"\naws = \"data\"\nhooks = [\"owner\"]\n";
    let text = crate::fixture::manifest(&owner, more);
    let (first, second) = (Host::first(&fake, &text, &owner), Host::other(&fake, &text));
    owner.does("die-set");
    first.run(["rotate", "DATA"]).assert_code(137);
    second.run(["rotate", "DATA"]).assert_code(0);
    owner.forget();
    first.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(owner.steps()[0], "set", "{:?}", owner.steps());
    assert_eq!(
        (first.get("DATA"), second.get("DATA")),
        (there(&fake, "/shop/dev/data"), there(&fake, "/shop/dev/data"))
    );
    // What another host put in force before this one began is not taken without a person.
    second.run(["rotate", "DATA"]).assert_code(0);
    first.age(&["DATA"]);
    let run = first.run(["rotate", "DATA"]).assert_code(7);
    assert!(run.stderr.contains("sync pull"), "{run:?}");
}

#[test]
fn no_value_is_in_any_output_or_open_file() {
    let (fake, owner, first, second) = pair("");
    let mut values = vec![first.get("DB"), first.get("SESSION"), first.get("SIGNING")];
    let mut told = String::new();
    let mut tell = |host: &Host, words: &str| told.push_str(&host.run(words.split(' ')).both());
    owner.does("fail-test");
    first.age(&["DB", "SESSION"]);
    for words in
        ["rotate plan --json", "rotate --due -n", "-v rotate --due --json", "rotate status", "rotate status --json"]
    {
        tell(&first, words);
    }
    values.extend([owner.current(), there(&fake, APP)]);
    owner.stops("fail-test");
    for words in ["-v rotate abort DB", "-v rotate DB SESSION", "rotate rollback DB --yes", "sync status -v"] {
        tell(&first, words);
        values.extend([there(&fake, DB), key(&fake, "SESSION")]);
    }
    second.age(&["DB", "SESSION"]);
    tell(&second, "-v rotate --due --json");
    for host in [&first, &second] {
        for name in [".vault-kit/dev.ledger.jsonl", ".vault-kit/audit.jsonl"] {
            told.push_str(&host.project.read(name));
        }
    }
    assert!(told.len() > 10_000 && told.contains("rotate-claim") && told.contains("rotate-pull"));
    assert!(values.iter().all(|value| value.len() > 20));
    assert!(!values.iter().any(|value| told.contains(value)), "a value is shown");
}
