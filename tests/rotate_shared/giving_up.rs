//! Rotations that do not come into force: one host gives up for all, or another value came before it.

use std::process::Stdio;
use std::sync::Arc;

use crate::aws::Fake;
use crate::deaths::is_killed_at;
use crate::fixture::{APP, DB, Host, Owner, alone, assert_one, key, pair, there};

#[test]
fn what_one_host_gives_up_no_other_puts_in_force() {
    let (fake, owner, first, second) = pair("");
    let old = first.get("DB");
    owner.does("fail-test");
    first.run(["rotate", "DB"]).assert_code(8);
    second.run(["rotate", "DB"]).assert_code(8);
    let candidate = owner.current();
    assert!(candidate != old && owner.accepts(&candidate));
    owner.stops("fail-test");
    first.run(["rotate", "abort", "DB"]).assert_code(0);
    assert_eq!(fake.tags(DB)["vault-kit:attempt"], "1");
    assert_eq!((owner.current(), there(&fake, DB)), (old.clone(), old.clone()));
    assert!(!owner.accepts(&candidate));
    let run = second.run(["rotate", "resume"]).assert_code(7);
    assert!(run.stderr.contains("gave way") && run.stderr.contains("`vault-kit rotate DB`"), "{run:?}");
    assert_one(&fake, &owner, &[&first, &second], "given up");
    assert_eq!(first.get("DB"), old);
    // The next attempt is another one.
    second.run(["rotate", "DB"]).assert_code(0);
    first.run(["sync", "pull"]).assert_code(0);
    assert!(there(&fake, DB) != old && there(&fake, DB) != candidate);
    assert_one(&fake, &owner, &[&first, &second], "again");
}

#[test]
fn a_rotation_is_given_up_for_all_hosts_without_the_owner_of_any() {
    let (fake, owner, first, second) = pair("");
    let old = first.get("DB");
    owner.does("fail-set");
    first.run(["rotate", "DB"]).assert_code(8);
    first.run(["rotate", "abort", "DB"]).assert_code(8);
    owner.forget();
    first.run(["rotate", "abort", "DB", "--without-hooks", "--yes"]).assert_code(0);
    assert!(owner.steps().is_empty() && first.is_still());
    assert_eq!(
        (fake.tags(DB)["vault-kit:attempt"].as_str(), there(&fake, DB), first.get("DB")),
        ("1", old.clone(), old)
    );
    owner.stops("fail-set");
    second.run(["rotate", "DB"]).assert_code(0);
    first.run(["sync", "pull"]).assert_code(0);
    assert_one(&fake, &owner, &[&first, &second], "again");
}

#[test]
fn an_abort_that_comes_too_late_finds_the_new_value_in_force() {
    let (fake, owner, first, second) = pair("");
    let old = first.get("DB");
    owner.does("fail-test");
    first.run(["rotate", "DB"]).assert_code(8);
    owner.stops("fail-test");
    second.run(["rotate", "DB"]).assert_code(0);
    let run = first.run(["rotate", "abort", "DB"]).assert_code(7);
    assert!(run.stderr.contains("is in force already"), "{run:?}");
    assert!(there(&fake, DB) != old);
    assert_one(&fake, &owner, &[&first, &second], "too late");
}

#[test]
fn an_abort_of_what_was_never_sent_finds_the_value_of_another_host_in_force() {
    let (fake, owner, first, second) = pair("");
    // It dies before it sends its own value.
    assert!(is_killed_at(&first, &fake, ["rotate", "DB"], (3, false)));
    second.run(["rotate", "DB"]).assert_code(0);
    first.run(["rotate", "abort", "DB"]).assert_code(7);
    assert_one(&fake, &owner, &[&first, &second], "never sent");
    assert!(first.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn a_value_that_somebody_put_there_by_hand_prevails_and_its_owner_is_told() {
    for step in ["set", "test"] {
        let (fake, owner, host, second) = pair("");
        owner.does(&format!("die-{step}"));
        host.run(["rotate", "DB"]).assert_code(137);
        fake.put(DB, "0123456789abcdef0123456789abcdef-by-hand");
        let run = host.run(["rotate", "resume"]).assert_code(7);
        assert!(run.stderr.contains("gave way"), "{run:?}");
        second.run(["sync", "pull"]).assert_code(0);
        assert_one(&fake, &owner, &[&host, &second], step);
        assert_eq!(owner.steps().last().map(String::as_str), Some("reload"));
    }
}

#[test]
fn a_promotion_that_loses_takes_what_is_in_force() {
    let (fake, owner, host, second) = pair("");
    fake.before("UpdateSecretVersionStage", 3, |fake| drop(fake.put(DB, "0123456789abcdef0123456789abcdef-by-hand")));
    let run = host.run(["rotate", "DB"]).assert_code(7);
    assert!(run.stderr.contains("gave way"), "{run:?}");
    second.run(["sync", "pull"]).assert_code(0);
    assert_one(&fake, &owner, &[&host, &second], "lost");
    assert!(there(&fake, DB).ends_with("by-hand"));
}

#[test]
fn an_owner_is_given_nothing_while_another_host_gives_it_the_next_value() {
    let (fake, owner, first, second) = pair("");
    owner.does("fail-test");
    first.run(["rotate", "DB"]).assert_code(8);
    owner.does("fail-set");
    first.run(["rotate", "abort", "DB"]).assert_code(8);
    owner.stops("fail-set");
    // The next attempt has begun, and its value is at the owner.
    second.run(["rotate", "DB"]).assert_code(8);
    let next = owner.current();
    let run = first.run(["rotate", "resume"]).assert_code(7);
    assert!(run.stderr.contains("is being rotated again") && !first.is_still(), "{run:?}");
    assert_eq!(owner.current(), next);
    owner.stops("fail-test");
    second.run(["rotate", "resume"]).assert_code(0);
    first.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(there(&fake, DB), next);
    assert_one(&fake, &owner, &[&first, &second], "after the next");
}

#[test]
fn an_owner_never_refuses_what_came_into_force_while_it_was_given_up() {
    let (fake, owner, first, second) = pair("");
    owner.does("fail-test");
    first.run(["rotate", "DB"]).assert_code(8);
    let (old, candidate) = (first.get("DB"), fake.holder(DB, "AWSPENDING"));
    owner.does("fail-set");
    first.run(["rotate", "abort", "DB"]).assert_code(8);
    // A host that has been waiting for an answer all the time.
    fake.relabel(DB, "AWSCURRENT", candidate.as_deref());
    owner.stops("fail-set");
    owner.stops("fail-test");
    first.run(["rotate", "resume"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!(fake.holder(DB, "AWSCURRENT"), candidate);
    assert_one(&fake, &owner, &[&first, &second], "in force after all");
    assert!(!owner.accepts(&old));
}

/// The first of two hosts gives up what the second one puts in force, while that request of the second one is on its way; then
/// `meanwhile` happens. Answers with the exit code of the second one.
fn given_up_in_between(
    (fake, owner, first, second): &(Fake, Arc<Owner>, Host, Host),
    meanwhile: impl FnOnce(&Owner) + Send + 'static,
) -> i32 {
    owner.does("fail-test");
    first.run(["rotate", "DB"]).assert_code(8);
    let candidate = fake.holder(DB, "AWSPENDING");
    owner.stops("fail-test");
    let (mut abort, told) = (first.command(["rotate", "abort", "DB"]), Arc::clone(owner));
    fake.before("UpdateSecretVersionStage", 3, move |_| {
        assert_eq!(abort.stderr(Stdio::null()).status().unwrap().code(), Some(0));
        meanwhile(&told);
    });
    let code = second.run(["rotate", "DB"]).code;
    assert_eq!((fake.holder(DB, "AWSCURRENT"), fake.tags(DB)["vault-kit:attempt"].as_str()), (candidate, "1"));
    code
}

fn pair_with_shared_owner() -> (Fake, Arc<Owner>, Host, Host) {
    let (fake, owner, first, second) = pair("");
    (fake, Arc::new(owner), first, second)
}

#[test]
fn whoever_puts_in_force_what_was_given_up_meanwhile_tells_the_owner_again() {
    let scene = pair_with_shared_owner();
    assert_eq!(given_up_in_between(&scene, |_| {}), 0);
    let (fake, owner, first, second) = &scene;
    first.run(["sync", "pull"]).assert_code(0);
    assert_one(fake, owner, &[first, second], "told again");
}

#[test]
fn what_was_given_up_meanwhile_is_delivered_once_the_owner_accepts_it_again() {
    for (trouble, code) in [("fail-set", 8), ("fail-test", 8), ("die-set", 137), ("die-after-set", 137)] {
        let scene = pair_with_shared_owner();
        assert_eq!(given_up_in_between(&scene, move |owner| owner.does(trouble)), code, "{trouble}");
        let (fake, owner, first, second) = &scene;
        assert!(second.delivered("DB") != there(fake, DB) && owner.accepts(&second.delivered("DB")), "{trouble}");
        if code == 8 {
            owner.stops(trouble);
        }
        second.run(["rotate", "resume"]).assert_code(0);
        first.run(["sync", "pull"]).assert_code(0);
        assert_one(fake, owner, &[first, second], trouble);
    }
}

#[test]
fn whoever_comes_again_sets_its_value_again() {
    let (fake, owner, first, second) = pair("");
    owner.does("fail-test");
    first.run(["rotate", "DB"]).assert_code(8);
    // Somebody gave the owner another value since.
    owner.accept("0123456789abcdef0123456789abcdef-by-hand");
    owner.stops("fail-test");
    first.run(["rotate", "resume"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_one(&fake, &owner, &[&first, &second], "again");
}

#[test]
fn an_owner_that_cannot_be_told_is_told_in_a_later_run() {
    let (fake, owner, host, second) = pair("");
    owner.does("die-set");
    host.run(["rotate", "DB"]).assert_code(137);
    fake.put(DB, "0123456789abcdef0123456789abcdef-by-hand");
    owner.does("fail-set");
    host.run(["rotate", "resume"]).assert_code(7);
    assert!(!host.is_still());
    // Meanwhile it changes once more: an owner is never given what is not in force.
    fake.put(DB, "0123456789abcdef0123456789abcdef-once-more");
    owner.stops("fail-set");
    host.run(["rotate", "resume"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_one(&fake, &owner, &[&host, &second], "later");
    assert!(!owner.log().iter().any(|(step, new)| step == "set" && new.ends_with("by-hand")), "{:?}", owner.log());
}

#[test]
fn what_hosts_share_and_nobody_has_to_be_told_of_is_given_up_too() {
    let (fake, _, host) = alone("");
    let old = (host.get("SESSION"), fake.holder(APP, "AWSCURRENT"));
    host.age(&["SESSION"]);
    // The claim is looked at, and nothing is in force yet.
    let mut nth = 1;
    while fake.holder(APP, "AWSPENDING").is_none() {
        assert!(is_killed_at(&host, &fake, ["rotate", "--due"], (nth, true)), "request {nth}");
        nth += 1;
    }
    let run = host.run(["rotate", "abort", "SESSION"]).assert_code(0);
    assert!(run.stderr.contains("aborted"), "{run:?}");
    assert_eq!((host.get("SESSION"), fake.holder(APP, "AWSCURRENT")), old);
    assert!(host.is_still() && fake.holder(APP, "AWSPENDING").is_none());
    assert_eq!(fake.tags(APP)["vault-kit:attempt"], "1");
    host.run(["rotate", "SESSION"]).assert_code(0);
    assert!(host.get("SESSION") != old.0 && host.get("SESSION") == key(&fake, "SESSION"));
}
