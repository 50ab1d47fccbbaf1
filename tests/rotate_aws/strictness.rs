//! A client that puts `AWSPENDING` on its version with the value itself, as most do.

use std::sync::Barrier;

use serde_json::json;
use vault_kit::name::VersionId;

use crate::aws::Fake;
use crate::client::{Client, id, with_secret};
use crate::owner::Owner;
use crate::rig::{NAME, current, fake};
use crate::{told, within};

#[test]
fn of_sixteen_that_send_another_value_under_the_same_mark_and_token_the_double_lets_one_win() {
    let test = "strictness::of_sixteen_that_send_another_value_under_the_same_mark_and_token_the_double_lets_one_win";
    within(test, || {
        let (fake, _) = with_secret();
        let put = |writer: usize| {
            let value = format!("of-writer-{writer}");
            Client::of(&fake).put("s", 'b', &value, &["AWSPENDING"]).map(|_| value)
        };
        let answers: Vec<Result<String, String>> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16).map(|writer| scope.spawn(move || put(writer))).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let won: Vec<&String> = answers.iter().flatten().collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert_eq!(fake.value_of("s", &id('b')), won[0].as_bytes());
        let lost = answers.iter().filter(|it| it.as_ref().is_err_and(|code| code == "ResourceExistsException"));
        assert_eq!(lost.count(), 15, "{answers:?}");
    });
}

#[test]
fn a_mark_that_is_sent_with_a_value_is_stolen_and_one_that_is_attached_is_not() {
    within("strictness::a_mark_that_is_sent_with_a_value_is_stolen_and_one_that_is_attached_is_not", || {
        let (fake, mut client) = with_secret();
        client.put("s", 'b', "2", &["AWSPENDING"]).unwrap();
        client.put("s", 'c', "3", &["AWSPENDING"]).unwrap();
        assert_eq!(fake.holder("s", "AWSPENDING"), Some(id('c')), "as AWS says that it does");
        client.put("s", 'd', "4", &["vault-kit"]).unwrap();
        let attach = json!({ "SecretId": "s", "VersionStage": "AWSPENDING", "MoveToVersionId": id('d') });
        assert_eq!(client.refused("UpdateSecretVersionStage", &attach), "InvalidParameterException");
        assert_eq!(fake.holder("s", "AWSPENDING"), Some(id('c')));
    });
}

/// A whole run of such a client: it offers its value under the mark, tells the owner, tests, and puts it in force in place of
/// what it saw. Tells whether it got so far.
fn rotate_naively(round: usize, host: usize, (fake, owner): (&Fake, &Owner), together: &Barrier) -> bool {
    let mut client = Client::of(fake);
    let seen = client.ok("DescribeSecret", &json!({ "SecretId": NAME }));
    let stages = seen["VersionIdsToStages"].as_object().unwrap();
    let is_current = |labels: &serde_json::Value| labels.as_array().unwrap().iter().any(|it| it == "AWSCURRENT");
    let base = stages.iter().find(|(_, labels)| is_current(labels)).unwrap().0.clone();
    let value = format!("{round}-of-{host}");
    let token = VersionId::derived(&value).to_string();
    let put = json!({ "SecretId": NAME, "ClientRequestToken": token, "SecretString": value, "VersionStages": ["AWSPENDING"] });
    client.ok("PutSecretValue", &put);
    together.wait();
    owner.set(&value);
    together.wait();
    let promotion = json!({ "SecretId": NAME, "VersionStage": "AWSCURRENT", "MoveToVersionId": token, "RemoveFromVersionId": base });
    let is_done = owner.accepts(&value) && client.ask("UpdateSecretVersionStage", &promotion).is_ok();
    owner.look();
    is_done
}

#[test]
fn hosts_that_send_the_mark_with_their_values_are_caught_by_an_owner_with_two_slots() {
    let test = "strictness::hosts_that_send_the_mark_with_their_values_are_caught_by_an_owner_with_two_slots";
    within(test, || {
        const HOSTS: usize = 8;
        const ROUNDS: usize = 5;
        let fake = fake("0-first");
        let owner = Owner::with(2, &fake);
        let mut versions = 0;
        for round in 1..=ROUNDS {
            let (before, base) = (fake.versions(NAME).len(), current(&fake));
            let together = Barrier::new(HOSTS);
            let done: Vec<bool> = std::thread::scope(|scope| {
                let host = |host| {
                    let (fake, owner, together) = (&fake, &owner, &together);
                    scope.spawn(move || rotate_naively(round, host, (fake, owner), together))
                };
                let hosts: Vec<_> = (0..HOSTS).map(host).collect();
                hosts.into_iter().map(|it| it.join().unwrap()).collect()
            });
            // What the double lets through is what AWS would: one promotion, and a version of everybody.
            assert_eq!(done.iter().filter(|it| **it).count(), 1, "{done:?}");
            assert_ne!(current(&fake), base);
            versions += fake.versions(NAME).len() - before;
        }
        let violations = owner.violations();
        told(&format!(
            "{HOSTS} hosts that promote in AWS without a claim, {ROUNDS} rounds: {versions} versions, {} violations seen",
            violations.len()
        ));
        assert!(violations.len() >= ROUNDS, "{violations:?}");
        assert!(violations.iter().any(|it| it.contains("is in force, and only")), "{violations:?}");
        assert_eq!(versions, HOSTS * ROUNDS, "instead of one a round");
    });
}
