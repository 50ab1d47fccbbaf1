//! What AWS refuses is tried again after pauses, and a person is told.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::aws::{Fake, Trouble};
use crate::fixture::{Host, Owner, alone, assert_one, secret};

/// A host with somebody who is notified.
fn watched() -> (Fake, Owner, Host) {
    let (fake, owner, host) = alone("");
    let at = owner.path("").display().to_string();
    let pager = format!(
        "\n[hooks.pager]\nprogram = \"hooks/owner\"\nsteps = [\"notify\"]\noptions = {{ at = \"{}\" }}\n",
        at.trim_end_matches('/')
    );
    host.project.write("vault-kit.toml", host.project.read("vault-kit.toml") + &pager);
    host.project.run(["trust", "--yes"]).assert_code(0);
    host.run(["rotate", "tell", "DB"]).assert_code(0);
    host.age(&["DB"]);
    owner.forget();
    (fake, owner, host)
}

fn notified(owner: &Owner) -> usize {
    owner.steps().iter().filter(|step| *step == "notify").count()
}

/// The pause after the last refusal ends.
fn pass(host: &Host, minutes: i64) {
    host.project.edit_store(|store| {
        let refused = store.rotations.refused.get_mut(&secret("DB")).unwrap();
        refused.failed.as_mut().unwrap().at -= TimeDelta::minutes(minutes);
    });
}

#[test]
fn a_denial_is_asked_for_again_after_pauses_and_a_person_is_told_each_time() {
    // Before anything of it was begun, and with a candidate that waits.
    for operation in ["ListSecrets", "PutSecretValue"] {
        let (fake, owner, host) = watched();
        fake.deny(operation).deny("DescribeSecret");
        let refused = || {
            let run = host.run(["rotate", "--due"]).assert_code(6);
            assert!(run.stderr.contains("a scheduled run tries again from "), "{run:?}");
        };
        let paused = || {
            fake.forget();
            let run = host.run(["rotate", "--due"]).assert_code(0);
            assert_eq!((run.both().as_str(), fake.all_calls()), ("", 0), "{operation}: the pause goes on");
        };
        // The first time may be a moment's trouble.
        refused();
        assert!(!host.project.run(["check"]).stdout.contains("rotation-failed"));
        refused();
        paused();
        let due: DateTime<Utc> = host.project.ledger().header.due.unwrap();
        let failed = host.project.store().rotations.refused[&secret("DB")].failed.clone().unwrap();
        assert_eq!((due - failed.at, failed.code.as_str()), (TimeDelta::minutes(5), "remote-denied"), "{operation}");
        pass(&host, 5);
        refused();
        pass(&host, 9);
        paused();
        pass(&host, 1);
        refused();
        assert_eq!(notified(&owner), 4, "{operation}");
        let check = host.project.run(["check"]).assert_code(1).stdout;
        assert!(
            check.contains("rotation-failed") && check.contains("4 times") && check.contains("remote-denied"),
            "{check}"
        );
        let status = host.run(["rotate", "status", "--json"]).assert_code(0);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let row = &status["refused"][0];
        assert_eq!((row["failures"].as_u64(), row["fix"].as_str()), (Some(4), Some("vault-kit rotate DB")));
        // Who repaired it need not wait.
        fake.heal();
        host.run(["rotate", "DB"]).assert_code(0);
        assert_one(&fake, &owner, &[&host], operation);
        assert!(host.project.store().rotations.refused.is_empty());
        host.project.run(["check"]).assert_code(0);
    }
}

#[test]
fn whoever_goes_on_by_hand_ends_the_pauses() {
    let (fake, owner, host) = watched();
    fake.fail(crate::aws::ANY, usize::MAX, Trouble::DropBefore);
    for code in [5, 5, 0] {
        host.run(["rotate", "--due"]).assert_code(code);
    }
    fake.heal();
    host.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(fake.versions(crate::fixture::DB).len(), 1, "it waits");
    host.run(["rotate", "resume"]).assert_code(0);
    host.run(["rotate", "--due"]).assert_code(0);
    assert_one(&fake, &owner, &[&host], "resumed");
}
