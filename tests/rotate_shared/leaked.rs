//! An incident of what is in AWS: one run bans the value, and brings a new one there and to everybody.

use serde_json::Value;

use crate::aws::{ANY, Fake, Trouble};
use crate::fixture::{APP, DB, Host, Owner, alone, assert_one, key, manifest, pair, secret, there};
use crate::support::Run;

/// What is left for a person, of the one incident of an answer.
fn remains(run: &Run) -> String {
    let answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let lines = answer["incidents"][0]["remains"].as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn timeline(host: &Host) -> String {
    let entry = std::fs::read_dir(host.project.path(".vault-kit/incidents")).unwrap().next().unwrap().unwrap();
    std::fs::read_to_string(entry.path()).unwrap()
}

#[test]
fn what_is_in_aws_is_replaced_there_too_and_its_owner_refuses_what_leaked() {
    let (fake, owner, first, second) = pair("");
    let (old, before) = (there(&fake, DB), fake.holder(DB, "AWSCURRENT").unwrap());
    let run = first.run(["incident", "DB", "--yes", "--json"]).assert_code(0);
    assert!(there(&fake, DB) != old, "AWS has another value when the run ends");
    assert_eq!(owner.steps(), ["set", "test", "reload", "retire"]);
    assert!(!owner.accepts(&old));
    assert_one(&fake, &owner, &[&first], "the host that declared it");
    first.project.run(["check"]).assert_code(0);

    // What is left: the other hosts, and the label that AWS keeps on the value that leaked.
    let left = remains(&run);
    assert_eq!(fake.holder(DB, "AWSPREVIOUS"), Some(before.clone()));
    let drop = format!(
        "aws secretsmanager update-secret-version-stage --secret-id {} --version-stage AWSPREVIOUS --remove-from-version-id {before}",
        fake.arn(DB)
    );
    assert!(left.contains(&drop) && left.contains("`vault-kit sync pull --revoke DB`"), "{left}");
    assert!(!left.contains("sync push") && !left.contains("vault-kit rotate"), "{left}");
    let text = timeline(&first);
    assert!(text.contains(&drop) && text.contains(&format!("- in AWS as `{DB}` ({}, version {before})", fake.arn(DB))));
    second.run(["sync", "pull", "--revoke", "DB"]).assert_code(0);
    assert_one(&fake, &owner, &[&first, &second], "both");
    assert!(!format!("{}{text}", run.both()).contains(&old) && !second.project.read(".env").contains(&old));
}

#[test]
fn a_key_of_a_bundle_is_replaced_there_and_its_neighbour_stays() {
    let (fake, _owner, host) = alone("");
    let old = (key(&fake, "SESSION"), key(&fake, "SIGNING"));
    let run = host.run(["incident", "SESSION", "--yes", "--json"]).assert_code(0);
    assert_eq!((key(&fake, "SESSION"), key(&fake, "SIGNING")), (host.get("SESSION"), old.1));
    assert!(host.get("SESSION") != old.0 && host.is_still());
    let left = remains(&run);
    assert!(left.contains(&format!("`{APP}` in AWS has a new value")) && !left.contains("sync push"), "{left}");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn what_was_never_exchanged_is_replaced_here_and_nobody_waits_for_aws() {
    let (fake, owner) = (Fake::start(), Owner::new());
    let host = Host::bare(&fake, &manifest(&owner, ""));
    host.project.run(["init"]).assert_code(0);
    let old = host.get("SESSION");
    fake.fail(ANY, usize::MAX, Trouble::DropBefore);
    let run = host.run(["incident", "SESSION", "--yes", "--json"]).assert_code(0);
    assert!(host.get("SESSION") != old && host.delivered("SESSION") == host.get("SESSION"));
    assert_eq!((fake.all_calls(), owner.steps()), (0, vec!["reload".to_owned()]));
    assert!(run.stdout.contains("sync push SESSION") && remains(&run).contains("may have the value that leaked"));
    let text = timeline(&host);
    assert!(text.contains(&format!("- in AWS as `{APP}`\n")), "no version is known there: {text}");
    assert!(!text.contains("AWSPREVIOUS"), "{text}");
    // Once it was sent, the other hosts are what is left.
    fake.heal();
    host.run(["sync", "push"]).assert_code(0);
    let run = host.run(["incident", "SESSION", "--yes", "--json"]).assert_code(0);
    assert_eq!(key(&fake, "SESSION"), host.get("SESSION"));
    assert!(remains(&run).contains("sync pull --revoke SESSION") && !remains(&run).contains("sync push"), "{run:?}");
}

#[test]
fn while_aws_is_away_it_is_banned_and_the_same_command_goes_on_later() {
    let (fake, owner, host) = alone("");
    let old = (host.get("DB"), host.get("SESSION"));
    fake.fail(ANY, usize::MAX, Trouble::DropBefore);
    let run = host.run(["incident", "DB", "SESSION", "--yes", "--json"]).assert_code(8);
    assert!(run.stderr.contains("AWS cannot be reached"), "{run:?}");
    let left = remains(&run);
    assert!(left.contains("`vault-kit rotate DB` now") && left.contains("`vault-kit rotate SESSION` now"), "{left}");
    assert_eq!((host.get("DB"), host.get("SESSION"), owner.steps().len()), (old.0.clone(), old.1.clone(), 0));
    let store = host.project.store();
    assert!(["DB", "SESSION"].iter().all(|name| store.is_banned(store.current(&secret(name)).unwrap())));
    fake.heal();
    host.run(["incident", "DB", "SESSION", "--yes"]).assert_code(0);
    assert!(host.get("DB") != old.0 && host.get("SESSION") != old.1 && !owner.accepts(&old.0));
    assert_eq!(key(&fake, "SESSION"), host.get("SESSION"));
    assert_one(&fake, &owner, &[&host], "later");
    host.project.run(["check"]).assert_code(0);
}
