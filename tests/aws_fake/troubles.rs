//! What can be told to go wrong does, when it is told to, and what happened can be seen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::aws::{ANY, Entry, Storm, Trouble};
use crate::client::{Client, id, labels, names, with_secret};

#[test]
fn a_request_can_be_refused_before_it_is_applied() {
    for (trouble, code) in [
        (Trouble::Throttling, "ThrottlingException"),
        (Trouble::Internal, "InternalServiceError"),
        (Trouble::Denied, "AccessDeniedException"),
        (Trouble::Code("DecryptionFailure"), "DecryptionFailure"),
        (Trouble::DropBefore, "no answer"),
    ] {
        let (fake, mut client) = with_secret();
        fake.fail("PutSecretValue", 1, trouble);
        client.ok("GetSecretValue", &json!({ "SecretId": "s" }));
        assert_eq!(client.put("s", 'b', "2", &[]).unwrap_err(), code);
        assert_eq!(labels(&fake), "a:AWSCURRENT", "{code}");
        Client::of(&fake).put("s", 'b', "2", &[]).unwrap();
    }
}

#[test]
fn an_answer_can_be_spoilt_after_the_request_was_applied() {
    for (trouble, sees) in [
        (Trouble::Garbage, Some((200, "<html><body>It works!</body></html>"))),
        (Trouble::Empty, Some((200, ""))),
        (Trouble::Truncated, None),
        (Trouble::DropAfter, None),
    ] {
        let (fake, mut client) = with_secret();
        fake.fail_nth(ANY, 2, trouble);
        client.ok("GetSecretValue", &json!({ "SecretId": "s" }));
        let put = json!({ "SecretId": "s", "ClientRequestToken": id('b'), "SecretString": "2" });
        let raw = client.ask_raw("PutSecretValue", &put);
        assert_eq!(raw.as_ref().map(|(status, _, body)| (*status, body.as_str())), sees);
        assert_eq!(labels(&fake), "a:AWSPREVIOUS b:AWSCURRENT", "{trouble:?}");
        Client::of(&fake).ok("GetSecretValue", &json!({ "SecretId": "s" }));
    }
}

#[test]
fn only_the_nth_connection_is_cut_before_or_after() {
    let (fake, _) = with_secret();
    let fake = fake.drop_before("PutSecretValue", 2).drop_after("PutSecretValue", 3);
    let mut put = |letter: char| Client::of(&fake).put("s", letter, "x", &[]).is_ok();
    assert_eq!(['b', 'c', 'd', 'e'].map(&mut put), [true, false, false, true]);
    let there: Vec<String> = fake.versions("s").keys().map(|id| id[..1].to_owned()).collect();
    assert_eq!(there.concat(), "abde");
    let outcomes: Vec<String> = fake.log().into_iter().skip(2).map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, ["dropped before", "ok but DropAfter", "ok"]);
}

#[test]
fn a_storm_throttles_every_second_request_or_those_beyond_a_rate() {
    let (fake, mut client) = with_secret();
    let mut get = || client.ask("GetSecretValue", &json!({ "SecretId": "s" })).map(|_| ());
    let throttled = Err("ThrottlingException".to_owned());
    fake.storm(Storm::EverySecond);
    assert_eq!([get(), get(), get()], [Ok(()), throttled.clone(), Ok(())]);
    fake.storm(Storm::PerSecond(2));
    assert_eq!([get(), get(), get()], [Ok(()), Ok(()), throttled]);
    std::thread::sleep(Duration::from_millis(1_010));
    assert_eq!(get(), Ok(()));
    fake.deny("GetSecretValue").storm(Storm::Calm);
    assert_eq!([get(), get()], [(); 2].map(|()| Err("AccessDeniedException".to_owned())));
    fake.heal();
    assert_eq!(get(), Ok(()));
}

#[test]
fn every_answer_can_take_its_time() {
    let (fake, _) = with_secret();
    let fake = fake.latency(Duration::from_millis(200));
    fake.forget();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Client::of(&fake).ok("GetSecretValue", &json!({ "SecretId": "s" })));
        }
    });
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert!((2..=4).contains(&fake.most_in_flight()), "they wait at the same time");
}

#[test]
fn a_listing_can_lag_behind_while_descriptions_do_not() {
    let (fake, mut client) = with_secret();
    fake.put("old", "1");
    fake.list_lag(3);
    let mut look = || {
        let page = client.ok("ListSecrets", &json!({}));
        let versions = page["SecretList"][0]["SecretVersionsToStages"].as_object().map_or(0, serde_json::Map::len);
        (names(&page).join(" "), versions)
    };
    fake.put("s", "2");
    fake.delete("old");
    fake.put_valueless("new");
    assert_eq!((look(), fake.names().join(" ")), (("s old".into(), 1), "new s".into()));
    fake.tag("new", "k", "v");
    assert_eq!(look(), ("s old".into(), 2));
    fake.tag("new", "k", "w");
    assert_eq!(look(), ("s".into(), 2));
    fake.heal();
    assert_eq!(look(), ("s new".into(), 2));
}

#[test]
fn somebody_else_can_be_first() {
    let (fake, mut client) = with_secret();
    client.put("s", 'b', "2", &["own"]).unwrap();
    fake.before("UpdateSecretVersionStage", 2, |somebody| {
        somebody.put("s", "theirs");
    });
    client.relabel("x", None, Some('b')).unwrap();
    assert_eq!(client.relabel("AWSCURRENT", Some('a'), Some('b')).unwrap_err(), "InvalidParameterException");
    assert_eq!(fake.value("s"), b"theirs");
    fake.relabel("s", "AWSCURRENT", Some(&id('b')));
    assert_eq!(fake.value("s"), b"2");
}

#[test]
fn what_came_is_counted_and_told_without_values() {
    let (fake, mut client) = with_secret();
    fake.put_labelled("s", "a secret value", &["own"]);
    client.ok("BatchGetSecretValue", &json!({ "SecretIdList": ["s", fake.arn("s"), "x"] }));
    client.refused("GetSecretValue", &json!({ "SecretId": "x" }));
    let entry = |operation: &str, names: &[&str], outcome: &str| Entry {
        operation: operation.into(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        outcome: outcome.into(),
    };
    assert_eq!(
        fake.log(),
        [
            entry("CreateSecret", &["s"], "ok"),
            entry("BatchGetSecretValue", &["s", "s", "x"], "ok"),
            entry("GetSecretValue", &["x"], "ResourceNotFoundException"),
        ]
    );
    assert_eq!((fake.values_read(), fake.all_calls(), fake.calls("GetSecretValue")), (2, 3, 1));
    fake.forget();
    assert_eq!((fake.values_read(), fake.all_calls()), (0, 0));
    assert_eq!(fake.tags("s"), BTreeMap::new());
}

#[test]
fn nobody_answers_once_it_has_stopped() {
    let (fake, mut client) = with_secret();
    fake.stop();
    assert_eq!(client.refused("GetSecretValue", &json!({ "SecretId": "s" })), "no answer");
    assert_eq!(fake.value("s"), b"1");
}
