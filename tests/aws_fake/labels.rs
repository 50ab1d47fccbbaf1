//! The rules by which versions come and labels move.

use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::Fake;
use crate::client::{Client, id, labels, with_secret};

#[test]
fn the_first_version_is_in_force_whatever_its_label() {
    let fake = Fake::start();
    let mut client = Client::of(&fake);
    let made = client.ok("CreateSecret", &json!({ "Name": "s" }));
    assert_eq!(made.get("VersionId"), None);
    assert_eq!(client.put("s", 'a', "1", &["AWSPENDING"]).unwrap()["VersionId"], id('a'));
    assert_eq!(labels(&fake), "a:AWSCURRENT+AWSPENDING");
}

#[test]
fn a_put_takes_its_labels_from_the_version_that_has_them() {
    let (fake, mut client) = with_secret();
    client.put("s", 'b', "2", &["own", "AWSPENDING"]).unwrap();
    assert_eq!(labels(&fake), "a:AWSCURRENT b:AWSPENDING+own");
    client.put("s", 'c', "3", &["own"]).unwrap();
    assert_eq!(labels(&fake), "a:AWSCURRENT b:AWSPENDING c:own");
    // In force, unless it says otherwise; the other labels of who was in force stay.
    client.put("s", 'd', "4", &[]).unwrap();
    client.put("s", 'e', "5", &["AWSCURRENT", "own"]).unwrap();
    assert_eq!(labels(&fake), "b:AWSPENDING d:AWSPREVIOUS e:AWSCURRENT+own");
    assert_eq!((fake.value("s"), fake.value_of("s", &id('d'))), (b"5".to_vec(), b"4".to_vec()));
}

#[test]
fn a_token_with_the_same_value_changes_nothing_and_with_another_is_refused() {
    let (fake, mut client) = with_secret();
    client.put("s", 'b', "2", &["own"]).unwrap();
    let before = fake.versions("s");
    // Neither value nor labels, whatever label the version has.
    assert_eq!(client.put("s", 'b', "2", &[]).unwrap()["VersionStages"], json!(["own"]));
    for (letter, value) in [('a', "other"), ('b', "other")] {
        for label in ["AWSCURRENT", "AWSPENDING", "own"] {
            assert_eq!(client.put("s", letter, value, &[label]).unwrap_err(), "ResourceExistsException");
        }
    }
    let create = |letter, value: &str| json!({ "Name": "s", "ClientRequestToken": id(letter), "SecretString": value });
    assert_eq!(client.ok("CreateSecret", &create('a', "1"))["VersionId"], id('a'));
    for (letter, value) in [('a', "2"), ('c', "1")] {
        assert_eq!(client.refused("CreateSecret", &create(letter, value)), "ResourceExistsException");
    }
    assert_eq!(client.refused("CreateSecret", &json!({ "Name": "s" })), "ResourceExistsException");
    // The same bytes as text and as binary are two values.
    let binary = json!({ "SecretId": "s", "ClientRequestToken": id('b'), "SecretBinary": "Mg==" });
    assert_eq!(client.refused("PutSecretValue", &binary), "ResourceExistsException");
    let update = json!({ "SecretId": "s", "ClientRequestToken": id('b'), "SecretString": "2" });
    assert_eq!(client.refused("UpdateSecret", &update), "ResourceExistsException");
    assert_eq!(fake.versions("s"), before);
}

#[test]
fn an_update_is_in_force_and_keeps_what_it_does_not_name() {
    let (fake, mut client) = with_secret();
    let update = json!({ "SecretId": "s", "Description": "words", "KmsKeyId": "alias/key" });
    assert_eq!(client.ok("UpdateSecret", &update).get("VersionId"), None);
    client.ok("UpdateSecret", &json!({ "SecretId": "s", "ClientRequestToken": id('b'), "SecretString": "2" }));
    assert_eq!(labels(&fake), "a:AWSPREVIOUS b:AWSCURRENT");
    assert_eq!(fake.description_and_key("s"), (Some("words".into()), Some("alias/key".into())));
}

#[test]
fn a_label_that_somebody_has_moves_only_from_the_version_that_is_named() {
    let (fake, mut client) = with_secret();
    client.put("s", 'b', "2", &["own"]).unwrap();
    client.put("s", 'c', "3", &["AWSPENDING"]).unwrap();
    let before = labels(&fake);
    for (label, from, to) in [
        ("AWSCURRENT", None, Some('b')),
        ("AWSCURRENT", Some('b'), Some('c')),
        ("AWSPENDING", None, Some('b')),
        ("AWSPENDING", Some('a'), Some('b')),
        ("own", None, Some('c')),
        ("own", Some('a'), Some('c')),
        // Nobody has it, and so not the one who is named.
        ("free", Some('a'), Some('b')),
        ("free", Some('a'), None),
        // No such versions.
        ("free", None, Some('x')),
        ("own", Some('x'), Some('a')),
        // What is in force is replaced, never taken away.
        ("AWSCURRENT", Some('a'), None),
        ("own", None, None),
    ] {
        assert_eq!(
            client.relabel(label, from, to).unwrap_err(),
            "InvalidParameterException",
            "{label} {from:?} {to:?}"
        );
    }
    assert_eq!(labels(&fake), before);
    client.relabel("free", None, Some('a')).unwrap();
    // Where it is already.
    client.relabel("own", None, Some('b')).unwrap();
    client.relabel("own", Some('b'), Some('b')).unwrap();
    client.relabel("own", Some('b'), Some('c')).unwrap();
    client.relabel("AWSPENDING", Some('c'), None).unwrap();
    assert_eq!(labels(&fake), "a:AWSCURRENT+free c:own");
    client.relabel("AWSCURRENT", Some('a'), Some('c')).unwrap();
    assert_eq!(labels(&fake), "a:AWSPREVIOUS+free c:AWSCURRENT+own");
    client.relabel("AWSCURRENT", Some('c'), Some('a')).unwrap();
    assert_eq!(labels(&fake), "a:AWSCURRENT+free c:AWSPREVIOUS+own");
}

#[test]
fn of_many_at_the_same_time_one_wins_each_race() {
    let (fake, _) = with_secret();
    let racers = ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    let race = |act: fn(&mut Client, char) -> Result<Value, String>| {
        let won = std::thread::scope(|scope| {
            let run = |letter| {
                let mut client = Client::of(&fake);
                scope.spawn(move || act(&mut client, letter).is_ok())
            };
            racers.map(run).into_iter().map(|it| it.join().expect("it ends")).filter(|won| *won).count()
        });
        assert_eq!(won, 1);
    };
    race(|client, letter| client.put("s", 'z', &letter.to_string(), &["own"]));
    for letter in racers {
        Client::of(&fake).put("s", letter, "x", &["other"]).unwrap();
    }
    race(|client, letter| client.relabel("AWSPENDING", None, Some(letter)));
    race(|client, letter| client.relabel("AWSCURRENT", Some('a'), Some(letter)));
    assert!(labels(&fake).contains("a:AWSPREVIOUS"));
}

#[test]
fn a_secret_has_at_most_twenty_labels() {
    let (fake, mut client) = with_secret();
    let own: Vec<String> = (0..21).map(|it| format!("l{it}")).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    assert_eq!(client.put("s", 'b', "2", &own).unwrap_err(), "ValidationException");
    assert_eq!(client.put("s", 'b', "2", &own[..20]).unwrap_err(), "LimitExceededException");
    assert_eq!(fake.versions("s").len(), 1);
    client.put("s", 'b', "2", &own[..19]).unwrap();
    assert_eq!(client.relabel("l19", None, Some('a')).unwrap_err(), "LimitExceededException");
    client.relabel("l18", Some('b'), Some('a')).unwrap();
}

#[test]
fn versions_without_labels_go_when_they_are_many_and_a_day_old() {
    let fake = Fake::start();
    for it in 0..150 {
        fake.put("s", format!("{it}"));
    }
    assert_eq!(fake.versions("s").len(), 150);
    let fake = fake.pass(Duration::from_secs(86_401));
    let last = fake.put("s", "last");
    assert_eq!((fake.versions("s").len(), fake.holder("s", "AWSCURRENT")), (100, Some(last)));
    let listed = |more: bool| {
        let parameters = json!({ "SecretId": "s", "IncludeDeprecated": more, "MaxResults": 30 });
        let page = Client::of(&fake).ok("ListSecretVersionIds", &parameters);
        (page["Versions"].as_array().expect("a list").len(), page.get("NextToken").is_some())
    };
    assert_eq!((listed(false), listed(true)), ((2, false), (30, true)));
}

#[test]
fn a_place_that_a_rotation_keeps_has_a_label_but_no_value_until_it_is_filled_once() {
    let (fake, mut client) = with_secret();
    let place = fake.put_placeholder("s", "AWSPENDING");
    let read = json!({ "SecretId": "s", "VersionId": place });
    assert_eq!(client.refused("GetSecretValue", &read), "ResourceNotFoundException");
    let described = client.ok("DescribeSecret", &json!({ "SecretId": "s" }));
    assert_eq!(described["VersionIdsToStages"][&place], json!(["AWSPENDING"]));
    let listed = client.ok("ListSecretVersionIds", &json!({ "SecretId": "s" }));
    assert_eq!(listed["Versions"].as_array().map(Vec::len), Some(1));
    assert_eq!(client.relabel("AWSPENDING", None, Some('a')).unwrap_err(), "InvalidParameterException");
    let fill = |value: &str| {
        json!({
            "SecretId": "s", "ClientRequestToken": place, "SecretString": value, "VersionStages": ["AWSPENDING"],
        })
    };
    client.ok("PutSecretValue", &fill("2"));
    assert_eq!(client.refused("PutSecretValue", &fill("3")), "ResourceExistsException");
    assert_eq!(client.ok("GetSecretValue", &read)["SecretString"], "2");
    assert_eq!(labels(&fake), "5:AWSPENDING a:AWSCURRENT");
}
