//! A key that several hosts publish is followed by another one, which signs once the verifiers of all of them know it.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use vault_kit::store::Stage;

use crate::aws::Fake;
use crate::deaths::is_killed_at;
use crate::fixture::{Host, Owner, alone, pair, secret, there};
use crate::support::Run;

/// A signing key that each host publishes, and a token of it.
pub(crate) const SIGNING: &str = r#"
[secrets.SIGNER]
kind = "keypair"
aws = "signer"
rotate = "30d"

[secrets.SERVICE]
kind = "token"
signed_by = "SIGNER"
audience = ["shop"]
ttl = "30d"

[outputs.keys]
format = "jwks"
path = "jwks.json"
secrets = ["SIGNER"]
max_age = "1h"
"#;

/// Where it is.
pub(crate) const SIGNER: &str = "/shop/dev/signer";

pub(crate) fn kids(host: &Host) -> BTreeSet<String> {
    let set: Value = serde_json::from_str(&host.project.read("jwks.json")).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The key that a host signs with.
pub(crate) fn signing(host: &Host) -> String {
    host.project.store().current(&secret("SIGNER")).unwrap().facts["kid"].clone()
}

/// Whether AWS has a key that signs next.
fn has_next(fake: &Fake) -> bool {
    let object: Value = serde_json::from_str(&there(fake, SIGNER)).unwrap();
    !object["next"].is_null()
}

/// Lets time pass, by moving everything that happened to the key and its file into the past.
pub(crate) fn pass(hosts: &[&Host], time: TimeDelta) {
    for host in hosts {
        host.project.edit_store(|store| {
            let back = |at: &mut Option<DateTime<Utc>>| *at = at.map(|at| at - time);
            for version in store.secrets.get_mut(&secret("SIGNER")).unwrap() {
                back(&mut version.life.published);
                back(&mut version.life.replaced);
            }
        });
        // What was written within a second counts from its end on.
        host.project.age("jwks.json", (time + TimeDelta::seconds(1)).to_std().unwrap());
    }
}

/// Every token, at whoever has the key set of any of the hosts.
#[track_caller]
fn assert_accepted(hosts: &[&Host], tokens: &[String]) {
    for (host, token) in hosts.iter().flat_map(|host| tokens.iter().map(move |token| (host, token))) {
        let words = ["token", "verify", "--jwks", "jwks.json", "--issuer", "shop", "--audience", "shop"];
        host.project.run_with_stdin(words, token.as_bytes()).assert_code(0);
    }
}

fn assert_agreed(fake: &Fake, hosts: &[&Host]) {
    for host in hosts {
        assert!(host.is_still(), "{:?}", host.project.store().rotations);
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
    }
    assert_eq!(fake.holder(SIGNER, "AWSPENDING"), None);
}

/// Two hosts that publish the next key.
fn published() -> (Fake, Owner, Host, Host, Run) {
    let (fake, owner, first, second) = pair(SIGNING);
    let run = first.run(["rotate", "SIGNER"]).assert_code(0);
    second.run(["sync", "pull", "SIGNER"]).assert_code(0);
    (fake, owner, first, second, run)
}

#[test]
fn a_key_is_published_by_all_hosts_and_then_activated_by_all_and_no_token_is_refused_meanwhile() {
    let (fake, _owner, first, second) = pair(SIGNING);
    let hosts = [&first, &second];
    let (old, mut tokens) = (signing(&first), hosts.map(|host| host.get("SERVICE")).to_vec());
    let run = first.run(["rotate", "SIGNER"]).assert_code(0);
    assert!(run.stderr.contains("published     SIGNER") && run.stderr.contains("waiting       SIGNER"), "{run:?}");
    assert!(has_next(&fake) && fake.versions(SIGNER).len() == 2, "one new version, which has both");
    second.run(["sync", "pull", "SIGNER"]).assert_code(0);
    for host in hosts {
        assert_eq!((host.stages("SIGNER"), signing(host)), (vec![Stage::Current, Stage::Next], old.clone()));
        assert_eq!((kids(host).len(), kids(host)), (2, kids(&first)));
    }
    assert_eq!(hosts.map(|host| host.get("SERVICE")).to_vec(), tokens, "it was published, and nothing more");
    assert_agreed(&fake, &hosts);

    // Neither a writer nor a run activates it before a day has passed in which all hosts take it, and `max_age`.
    first.run(["rotate", "SIGNER"]).assert_code(0);
    pass(&hosts, TimeDelta::minutes(24 * 60 + 55));
    for words in [["render", "-q"], ["generate", "-q"], ["rotate", "--due"], ["rotate", "SIGNER"]] {
        for host in hosts {
            host.run(words).assert_code(0);
        }
    }
    pass(&hosts, TimeDelta::minutes(5));
    for words in [["render", "-q"], ["generate", "-q"]] {
        for host in hosts {
            host.run(words).assert_code(0);
        }
    }
    assert!(hosts.iter().all(|host| host.stages("SIGNER") == [Stage::Current, Stage::Next]), "no host does so alone");
    let report = first.run(["check"]).assert_code(1);
    assert!(
        report.stdout.contains("its next key could sign since") && report.both().contains("rotate --due"),
        "{report:?}"
    );

    let run = first.run(["rotate", "--due", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would activate SIGNER"), "{run:?}");
    let run = first.run(["rotate", "--due"]).assert_code(0);
    assert!(run.stderr.contains("activated     SIGNER") && run.stderr.contains("made          SERVICE"), "{run:?}");
    assert!(!has_next(&fake), "what AWS has is the key that signs");
    let new = signing(&first);
    assert!(new != old && signing(&second) == old);
    tokens.push(first.get("SERVICE"));
    assert_accepted(&hosts, &tokens);
    second.run(["rotate", "--due"]).assert_code(0);
    tokens.push(second.get("SERVICE"));
    assert_accepted(&hosts, &tokens);
    for host in hosts {
        assert_eq!((host.stages("SIGNER"), signing(host)), (vec![Stage::Previous, Stage::Current], new.clone()));
        assert_eq!(kids(host), BTreeSet::from([old.clone(), new.clone()]));
        assert!(host.project.store().before(&secret("SIGNER")).unwrap().parts.primary().is_none(), "it only verifies");
    }
    assert!(tokens[2] != tokens[0] && tokens[3] != tokens[1], "minted anew");
    assert_agreed(&fake, &hosts);
    assert!(hosts.iter().all(|host| host.run(["rotate", "--due"]).assert_code(0).both().is_empty()));
}

#[test]
fn each_of_the_two_turns_takes_six_requests_and_one_for_the_account() {
    let (fake, _owner, host) = alone(SIGNING);
    let asked = || fake.log().into_iter().map(|it| it.operation).collect::<Vec<_>>();
    for (turn, next) in [("publish", true), ("activate", false)] {
        fake.forget();
        host.run(["rotate", if next { "SIGNER" } else { "--due" }]).assert_code(0);
        assert_eq!(has_next(&fake), next, "{turn}");
        let asked = asked();
        assert_eq!(asked.iter().filter(|it| *it == "GetCallerIdentity").count(), 1, "{turn}: {asked:?}");
        assert_eq!(asked.len(), 1 + 6, "{turn}: {asked:?}");
        pass(&[&host], TimeDelta::hours(26));
    }
}

#[test]
fn whether_it_is_time_is_told_by_the_clock_of_aws() {
    let (fake, _owner, first, second, _) = published();
    pass(&[&first, &second], TimeDelta::hours(26));
    fake.clock_behind(Duration::from_hours(2));
    first.run(["rotate", "--due"]).assert_code(0);
    first.run(["rotate", "SIGNER"]).assert_code(0);
    assert_eq!((first.stages("SIGNER"), has_next(&fake)), (vec![Stage::Current, Stage::Next], true));
    fake.heal();
    first.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(first.stages("SIGNER"), [Stage::Previous, Stage::Current]);
}

#[test]
fn a_host_that_slept_while_it_was_published_takes_the_one_that_signs() {
    let (fake, _owner, first, second) = pair(SIGNING);
    first.run(["rotate", "SIGNER"]).assert_code(0);
    pass(&[&first], TimeDelta::hours(26));
    first.run(["rotate", "--due"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!((signing(&second), kids(&second)), (signing(&first), kids(&first)));
    assert_accepted(&[&first, &second], &[first.get("SERVICE"), second.get("SERVICE")]);
    assert_agreed(&fake, &[&first, &second]);
}

#[test]
fn what_is_published_is_taken_back_on_all_hosts() {
    let (fake, _owner, first, second, _) = published();
    let (hosts, old) = ([&first, &second], signing(&first));
    let run = second.run(["rotate", "abort", "SIGNER", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would withdraw SIGNER") && has_next(&fake), "{run:?}");
    assert!(run.stderr.contains("would write   jwks.json"), "{run:?}");
    let run = second.run(["rotate", "abort", "SIGNER"]).assert_code(0);
    assert!(run.stderr.contains("withdrawn     SIGNER") && !has_next(&fake), "{run:?}");
    assert_eq!(second.run(["rotate", "abort", "SIGNER"]).code, 2, "there is nothing to give up any more");
    // A host that would activate it finds that it is not to.
    pass(&[&first], TimeDelta::hours(26));
    first.run(["rotate", "--due"]).assert_code(0);
    for host in hosts {
        assert_eq!((host.stages("SIGNER"), signing(host)), (vec![Stage::Current], old.clone()));
        assert_eq!(kids(host), BTreeSet::from([old.clone()]));
    }
    assert_agreed(&fake, &hosts);
    // The next one is another one, and waits as long again.
    first.run(["rotate", "SIGNER"]).assert_code(0);
    first.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(first.stages("SIGNER"), [Stage::Current, Stage::Next]);
}

#[test]
fn whoever_died_while_taking_it_back_is_told_what_a_resumption_writes() {
    let (fake, _owner, first, second, _) = published();
    assert!(is_killed_at(&first, &fake, ["rotate", "abort", "SIGNER"], (3, true)), "it was sent, and is not in force");
    let before = first.project.contents();
    let run = first.run(["rotate", "resume", "-n"]).assert_code(0);
    for line in ["would withdraw SIGNER", "would write   jwks.json"] {
        assert!(run.stderr.contains(line) && !run.stderr.contains("would promote"), "{line}: {run:?}");
    }
    assert_eq!(first.project.contents(), before);
    let run = first.run(["rotate", "resume"]).assert_code(0);
    assert!(run.stderr.contains("withdrawn     SIGNER") && run.stderr.contains("wrote         jwks.json"), "{run:?}");
    assert_eq!((first.stages("SIGNER"), kids(&first).len()), (vec![Stage::Current], 1));
    second.run(["sync", "pull"]).assert_code(0);
    assert_agreed(&fake, &[&first, &second]);
}

#[test]
fn what_another_host_began_to_activate_is_not_taken_back_any_more() {
    let (fake, _owner, first, second, _) = published();
    let (hosts, old) = ([&first, &second], signing(&first));
    pass(&hosts, TimeDelta::hours(26));
    assert!(is_killed_at(&first, &fake, ["rotate", "--due"], (3, true)), "it was sent, and is not in force");
    let run = second.run(["rotate", "abort", "SIGNER"]).assert_code(7);
    assert!(run.stderr.contains("another host was faster: the next `SIGNER` signs already"), "{run:?}");
    first.run(["rotate", "--due"]).assert_code(0);
    assert!(signing(&first) == signing(&second) && signing(&first) != old);
    assert_agreed(&fake, &hosts);
}

#[test]
fn what_is_made_here_alone_is_published_everywhere_before_it_signs() {
    let (fake, _owner, first, second) = pair(SIGNING);
    first.project.run(["generate", "--replace", "SIGNER"]).assert_code(0);
    pass(&[&first], TimeDelta::hours(26));
    first.project.run(["render"]).assert_code(0);
    assert_eq!(first.stages("SIGNER"), [Stage::Current, Stage::Next], "other hosts do not know it");
    for words in [&["rotate", "SIGNER"][..], &["rotate", "--due"]] {
        let run = first.run(words.iter().copied()).assert_code(7);
        assert!(run.stderr.contains("`SIGNER` changed here") && run.stderr.contains("sync push SIGNER"), "{run:?}");
    }
    assert!(!has_next(&fake));
    first.run(["sync", "push", "SIGNER"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!((kids(&second).len(), kids(&second)), (2, kids(&first)));
    // It is known to others only since it was sent.
    first.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(first.stages("SIGNER"), [Stage::Current, Stage::Next]);
    pass(&[&first, &second], TimeDelta::hours(26));
    second.run(["rotate", "--due"]).assert_code(0);
    first.run(["rotate", "--due"]).assert_code(0);
    assert_eq!((signing(&first), kids(&first)), (signing(&second), kids(&second)));
    assert_agreed(&fake, &[&first, &second]);
}

#[test]
fn what_was_taken_back_and_sent_again_waits_again_on_the_host_that_slept_too() {
    let (fake, _owner, first, second, _) = published();
    let third = Host::other(&fake, &first.project.read("vault-kit.toml"));
    let hosts = [&first, &second, &third];
    first.run(["rotate", "abort", "SIGNER"]).assert_code(0);
    third.run(["sync", "pull"]).assert_code(0);
    pass(&hosts, TimeDelta::hours(26));
    // The second host never heard that it was taken back, and a person there wants it all the same.
    second.run(["sync", "push", "--ours", "SIGNER"]).assert_code(0);
    assert!(has_next(&fake));
    for host in hosts {
        host.run(["sync", "pull"]).assert_code(0);
        host.run(["rotate", "--due"]).assert_code(0);
        assert_eq!(host.stages("SIGNER"), [Stage::Current, Stage::Next]);
    }
    // One that slept all the while finds what it knew, and that others know it since today.
    let there = there(&fake, SIGNER);
    first.run(["rotate", "abort", "SIGNER"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    pass(&[&third], TimeDelta::hours(26));
    fake.put(SIGNER, there);
    for host in [&third, &third, &second] {
        host.run(["rotate", "--due"]).assert_code(0);
        host.run(["sync", "pull"]).assert_code(0);
        assert_eq!(host.stages("SIGNER"), [Stage::Current, Stage::Next]);
    }
}

#[test]
fn a_host_that_changed_it_meanwhile_is_asked_which_is_to_stay() {
    let (fake, _owner, first, second) = pair(SIGNING);
    let old = signing(&first);
    first.run(["rotate", "SIGNER"]).assert_code(0);
    second.project.run(["generate", "--replace", "SIGNER", "--revoke", "--yes"]).assert_code(0);
    second.run(["sync", "push", "SIGNER"]).assert_code(7);
    second.run(["sync", "pull", "SIGNER"]).assert_code(7);
    assert!(has_next(&fake), "nothing was changed there");
    second.run(["sync", "push", "--ours", "SIGNER"]).assert_code(0);
    assert!(!has_next(&fake));
    pass(&[&first], TimeDelta::hours(26));
    first.run(["rotate", "--due"]).assert_code(0);
    assert_eq!((signing(&first), first.stages("SIGNER").contains(&Stage::Next)), (signing(&second), false));
    assert!(signing(&first) != old);
    assert_agreed(&fake, &[&first, &second]);
}

#[test]
fn of_a_stolen_key_nobody_waits_for_anything() {
    let (fake, _owner, first, second, _) = published();
    let stolen = signing(&first);
    first.run(["generate", "--replace", "SIGNER", "--revoke", "--yes"]).assert_code(0);
    first.run(["sync", "push", "SIGNER"]).assert_code(0);
    second.run(["sync", "pull", "--revoke", "SIGNER"]).assert_code(0);
    assert_eq!((kids(&second), signing(&second)), (kids(&first), signing(&first)));
    assert!(!kids(&second).contains(&stolen));
    assert_agreed(&fake, &[&first, &second]);
    // Nor is a rotation begun of one that is known to have leaked, or the key put in force that was published for it.
    first.run(["rotate", "SIGNER"]).assert_code(0);
    let next = first.project.store().next(&secret("SIGNER")).unwrap().facts["kid"].clone();
    first.run(["incident", "SIGNER", "--yes"]).assert_code(0);
    first.run(["sync", "push", "SIGNER"]).assert_code(0);
    second.run(["sync", "pull", "--revoke", "SIGNER"]).assert_code(0);
    assert_eq!((kids(&second), signing(&second)), (kids(&first), signing(&first)));
    assert!(!kids(&first).contains(&next));
}

#[test]
fn whoever_dies_at_any_request_leaves_one_key_to_the_next_run() {
    let (fake, _owner, host) = alone(SIGNING);
    for (nth, is_applied) in (1..=7).flat_map(|nth| [(nth, false), (nth, true)]) {
        let point = format!("{nth}, {is_applied}");
        let old = signing(&host);
        host.age(&["SIGNER"]);
        is_killed_at(&host, &fake, ["rotate", "--due"], (nth, is_applied));
        assert_eq!(signing(&host), old, "{point}");
        host.run(["rotate", "--due"]).assert_code(0);
        let next = host.project.store().next(&secret("SIGNER")).unwrap().facts["kid"].clone();
        assert!(signing(&host) == old && kids(&host).contains(&next) && has_next(&fake), "{point}");
        assert_agreed(&fake, &[&host]);
        pass(&[&host], TimeDelta::hours(26));
        is_killed_at(&host, &fake, ["rotate", "--due"], (nth, is_applied));
        host.run(["rotate", "--due"]).assert_code(0);
        assert_eq!((signing(&host), has_next(&fake)), (next.clone(), false), "{point}");
        assert!(kids(&host).is_superset(&BTreeSet::from([old, next])), "{point}");
        assert_agreed(&fake, &[&host]);
    }
}
