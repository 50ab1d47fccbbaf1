//! With moto on the other side, and boto3 as the witness of what was done.
//!
//! moto 5.2.5 is no AWS: after a move of AWSCURRENT it answers with the old value unless `VersionStage` is given, so
//! boto3 is always asked with it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vault_kit::remote::aws::{Aws, Patience};
use vault_kit::remote::{
    CURRENT, Cause, Content, Creation, Failure, OWN_LABEL, Reading, Relabelling, Remote, Sending, Tagging,
};
use vault_kit::secret::Secret;

use super::support::{self, Run, python, python_judge, skip};
use super::{KEYS, client, within};

const FIRST: &str = "5f7f3c1e-0000-4000-8000-000000000001";
const SECOND: &str = "5f7f3c1e-0000-4000-8000-000000000002";
const THIRD: &str = "5f7f3c1e-0000-4000-8000-000000000003";

/// A moto that ends with the test.
pub(crate) struct Moto {
    pub(crate) endpoint: String,
    _server: support::Server,
}

/// `None` where moto is not installed.
pub(crate) fn moto() -> Option<Moto> {
    let mut command = Command::new(python()?);
    command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    let endpoint = lines.find_map(|line| {
        said += &line;
        line.split_once("Running on ").map(|(_, endpoint)| endpoint.trim().to_owned())
    });
    let server = support::Server(child);
    let Some(endpoint) = endpoint else {
        assert!(said.contains("No module named"), "{said}");
        return None;
    };
    // It tells of each request; nobody reads it, but a full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    Some(Moto { endpoint, _server: server })
}

impl Moto {
    /// What boto3 is answered.
    pub(crate) fn boto3<const N: usize>(&self, calls: &[(&str, Value); N]) -> [Value; N] {
        let mut judge = python_judge("aws_peer.py").unwrap();
        judge.arg(&self.endpoint).envs(KEYS);
        let run = Run::with_stdin(&mut judge, json!(calls.as_slice()).to_string().as_bytes()).assert_code(0);
        let answers: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
        answers.try_into().unwrap()
    }
}

fn text(value: &str) -> Content {
    Content::of(Secret::copy_of(value.as_bytes()))
}

fn cause<T: std::fmt::Debug>(mut answers: Vec<Result<T, Failure>>) -> Cause {
    answers.remove(0).unwrap_err().cause
}

fn create(aws: &Aws, name: &str, token: &str, content: &Content) -> Result<String, Cause> {
    let tags = BTreeMap::from([("vault-kit:managed".to_owned(), "p/prod".to_owned())]);
    let creation =
        Creation { name, token, content, description: Some("by a test"), kms_key: None, tags: &tags, replicas: &[] };
    aws.create(&[creation]).remove(0).map_err(|failure| failure.cause)
}

fn send(aws: &Aws, arn: &str, token: &str, value: &str) -> Result<(), Cause> {
    aws.send(&[Sending { arn, token, content: &text(value) }]).remove(0).map_err(|failure| failure.cause)
}

fn relabel(aws: &Aws, arn: &str, label: &str, from: Option<&str>, to: Option<&str>) -> Result<(), Cause> {
    aws.relabel(&[Relabelling { arn, label, from, to }]).remove(0).map_err(|failure| failure.cause)
}

fn value(reading: &Reading) -> &[u8] {
    reading.content.secret().expose()
}

#[test]
fn moto_and_boto3_agree_with_every_verb() {
    let test = "moto::moto_and_boto3_agree_with_every_verb";
    within(test, &KEYS, "", |_| {
        let Some(moto) = moto() else { return skip(test, "there is no moto") };
        let (aws, _) = client(&moto.endpoint, Patience::Interactive);
        assert_eq!(aws.account().unwrap(), "123456789012");
        // STS is no clock of the secrets.
        assert_eq!(aws.clock(), None);
        what_is_made_is_what_boto3_sees_and_the_other_way_round(&aws, &moto);
        a_value_is_sent_without_being_in_force_and_comes_into_force_by_its_label(&aws, &moto);
        tags_and_deletions_come_and_go(&aws, &moto);
        more_secrets_than_a_page_and_a_batch_hold_are_all_there(&aws);
        let now = chrono::Utc::now();
        assert!(aws.clock().is_some_and(|it| (now - it).num_seconds().abs() <= 5), "{:?}", aws.clock());
    });
}

fn what_is_made_is_what_boto3_sees_and_the_other_way_round(aws: &Aws, moto: &Moto) {
    let a = create(aws, "/made/prod/a", FIRST, &text("v\u{e4}lue")).unwrap();
    let b = create(aws, "/made/prod/b", FIRST, &Content::of(Secret::copy_of(b"\xff\x00"))).unwrap();
    create(aws, "/made/prod2/c", FIRST, &text("another's")).unwrap();
    assert!(a.starts_with("arn:aws:secretsmanager:eu-west-1:123456789012:secret:/made/prod/a-"), "{a}");
    // An answer that was lost, and somebody else's secret.
    assert_eq!(create(aws, "/made/prod/a", FIRST, &text("v\u{e4}lue")).as_ref(), Ok(&a));
    assert_eq!(create(aws, "/made/prod/a", FIRST, &text("other")), Err(Cause::Conflict));
    assert_eq!(create(aws, "/made/prod/a", SECOND, &text("v\u{e4}lue")), Err(Cause::Conflict));

    let made = json!({ "Name": "/made/prod/d", "SecretString": "theirs", "ClientRequestToken": SECOND });
    let [text, binary, described, _] = moto.boto3(&[
        ("get_secret_value", json!({ "SecretId": a })),
        ("get_secret_value", json!({ "SecretId": "/made/prod/b" })),
        ("describe_secret", json!({ "SecretId": a })),
        ("create_secret", made),
    ]);
    assert_eq!((&text["SecretString"], &text["VersionId"]), (&json!("v\u{e4}lue"), &json!(FIRST)));
    assert_eq!((&binary["SecretBinary"], &binary["SecretString"]), (&json!("/wA="), &Value::Null));
    assert_eq!(described["Description"], "by a test");
    assert_eq!(described["Tags"], json!([{ "Key": "vault-kit:managed", "Value": "p/prod" }]));

    let listed = aws.list("/made/prod/").unwrap();
    let seen: Vec<_> = listed.iter().map(|it| (it.name.as_str(), it.current().unwrap(), it.tags.len())).collect();
    assert_eq!(seen, [("/made/prod/a", FIRST, 1), ("/made/prod/b", FIRST, 1), ("/made/prod/d", SECOND, 0)]);
    assert_eq!((&listed[0].arn, &listed[1].arn), (&a, &b));
    assert_eq!(aws.list("/made/prod").unwrap().len(), 4);

    let read = aws.read(&["/made/prod/d", &b, "/made/prod/none", &a]);
    assert_eq!(value(read[0].as_ref().unwrap()), b"theirs");
    assert_eq!(read[1].as_ref().unwrap().content, Content::Binary(Secret::copy_of(b"\xff\x00")));
    assert_eq!(read[2].as_ref().unwrap_err().cause, Cause::Missing);
    assert_eq!((value(read[3].as_ref().unwrap()), &read[3].as_ref().unwrap().arn), ("v\u{e4}lue".as_bytes(), &a));
    assert_eq!(cause(aws.describe(&["/made/prod/none"])), Cause::Missing);
}

fn a_value_is_sent_without_being_in_force_and_comes_into_force_by_its_label(aws: &Aws, moto: &Moto) {
    let arn = create(aws, "/sent/prod/a", FIRST, &text("old")).unwrap();
    let current = || {
        let [answer] = moto.boto3(&[("get_secret_value", json!({ "SecretId": arn, "VersionStage": CURRENT }))]);
        (answer["SecretString"].as_str().unwrap().to_owned(), answer["VersionId"].as_str().unwrap().to_owned())
    };
    assert_eq!(send(aws, &arn, SECOND, "new"), Ok(()));
    assert_eq!(send(aws, &arn, SECOND, "new"), Ok(()));
    assert_eq!(send(aws, &arn, SECOND, "newer"), Err(Cause::Conflict));
    assert_eq!(current(), ("old".into(), FIRST.into()));
    let described = aws.describe(&[&arn]).remove(0).unwrap();
    assert_eq!((described.current(), described.labelled(OWN_LABEL)), (Some(FIRST), Some(SECOND)));

    let version = |id| aws.read_versions(&[(&arn, id)]).remove(0);
    assert_eq!((value(&version(FIRST).unwrap()), value(&version(SECOND).unwrap())), (&b"old"[..], &b"new"[..]));
    assert_eq!(version(THIRD).unwrap_err().cause, Cause::Missing);
    let mut versions = aws.versions(&[&arn]).remove(0).unwrap();
    versions.sort();
    assert_eq!(versions, [FIRST, SECOND]);

    // Somebody who did not see the newest state, then whoever did, then the same again after a lost answer.
    assert_eq!(relabel(aws, &arn, CURRENT, Some(THIRD), Some(SECOND)), Err(Cause::Conflict));
    assert_eq!(relabel(aws, &arn, CURRENT, Some(FIRST), Some(SECOND)), Ok(()));
    assert_eq!(relabel(aws, &arn, CURRENT, Some(FIRST), Some(SECOND)), Ok(()));
    let again = Relabelling { arn: &arn, label: CURRENT, from: Some(FIRST), to: Some(SECOND) };
    assert_eq!(cause(aws.try_relabel(&[again])), Cause::Conflict);
    assert_eq!(current(), ("new".into(), SECOND.into()));
    assert_eq!(value(aws.read(&[&arn])[0].as_ref().unwrap()), b"new");
    assert_eq!(send(aws, &arn, THIRD, "lost"), Ok(()));
    assert_eq!(relabel(aws, &arn, CURRENT, Some(FIRST), Some(THIRD)), Err(Cause::Conflict));
    assert_eq!(relabel(aws, &arn, OWN_LABEL, Some(THIRD), None), Ok(()));
    let described = aws.describe(&[&arn]).remove(0).unwrap();
    assert_eq!((described.current(), described.labelled(OWN_LABEL)), (Some(SECOND), None));
    assert_eq!(relabel(aws, "/sent/prod/none", CURRENT, Some(FIRST), Some(SECOND)), Err(Cause::Missing));
}

fn tags_and_deletions_come_and_go(aws: &Aws, moto: &Moto) {
    let arn = create(aws, "/gone/prod/a", FIRST, &text("value")).unwrap();
    let tags = BTreeMap::from([("vault-kit:attempt".to_owned(), "2".to_owned())]);
    assert_eq!(aws.tag(&[Tagging { arn: &arn, tags: &tags }]), [Ok(())]);
    assert_eq!(aws.describe(&[&arn]).remove(0).unwrap().tags.len(), 2);

    assert_eq!(aws.delete(&[&arn], 7), [Ok(())]);
    assert_eq!(cause(aws.read(&[&arn])), Cause::Refused);
    let listed = aws.list("/gone/prod/").unwrap();
    assert!(listed.len() == 1 && listed[0].deleted.is_some(), "{listed:?}");
    assert_eq!(aws.delete(&[&arn], 7), [Ok(())]);
    let [theirs] = moto.boto3(&[("get_secret_value", json!({ "SecretId": arn }))]);
    assert_eq!(theirs["error"], "InvalidRequestException");

    assert_eq!(aws.restore(&[&arn]), [Ok(())]);
    assert_eq!(value(aws.read(&[&arn])[0].as_ref().unwrap()), b"value");
    assert_eq!(aws.describe(&[&arn]).remove(0).unwrap().deleted, None);
    let none = "/gone/prod/none";
    assert_eq!(cause(aws.delete(&[none], 7)), Cause::Missing);
    assert_eq!(cause(aws.restore(&[none])), Cause::Missing);
    assert_eq!(cause(aws.tag(&[Tagging { arn: none, tags: &tags }])), Cause::Missing);
}

fn more_secrets_than_a_page_and_a_batch_hold_are_all_there(aws: &Aws) {
    let names: Vec<String> = (0..230).map(|number| format!("/many/prod/{number:03}")).collect();
    let contents: Vec<Content> = names.iter().map(|name| text(&format!("value of {name}"))).collect();
    let tags = BTreeMap::new();
    let creation = |(name, content)| Creation {
        name,
        token: FIRST,
        content,
        description: None,
        kms_key: None,
        tags: &tags,
        replicas: &[],
    };
    let pairs = names.iter().map(String::as_str).zip(&contents);
    let arns: Vec<String> =
        aws.create(&pairs.map(creation).collect::<Vec<_>>()).into_iter().map(Result::unwrap).collect();
    let listed = aws.list("/many/prod/").unwrap();
    assert!(listed.iter().map(|it| &it.name).eq(&names) && listed.iter().map(|it| &it.arn).eq(&arns));
    let arns: Vec<&str> = arns.iter().rev().map(String::as_str).collect();
    let read: Vec<Reading> = aws.read(&arns).into_iter().map(Result::unwrap).collect();
    assert!(read.iter().map(|it| &it.name).eq(names.iter().rev()));
    assert!(read.iter().all(|it| value(it) == format!("value of {}", it.name).as_bytes()));
}

/// Why races are held against our own double: AWS refuses another value under a token that is in use, whatever label it has.
#[test]
fn moto_lets_everybody_win_who_sends_a_value_with_its_mark() {
    let Some(moto) = moto() else {
        return skip("moto_lets_everybody_win_who_sends_a_value_with_its_mark", "there is no moto");
    };
    let create = json!({ "Name": "/race/prod/a", "SecretString": "old", "ClientRequestToken": FIRST });
    let put = |token: &str, value: &str, label: &str| {
        let parameters = json!({
            "SecretId": "/race/prod/a", "SecretString": value, "ClientRequestToken": token, "VersionStages": [label],
        });
        ("put_secret_value", parameters)
    };
    let answers = moto.boto3(&[
        ("create_secret", create),
        put(SECOND, "of one", "AWSPENDING"),
        put(SECOND, "of another", "AWSPENDING"),
        ("get_secret_value", json!({ "SecretId": "/race/prod/a", "VersionId": SECOND })),
        put(THIRD, "of one", "vault-kit"),
        put(THIRD, "of another", "vault-kit"),
    ]);
    let [_, one, another, there, ours, too_late] = &answers;
    assert!(one["error"].is_null() && another["error"].is_null(), "moto became strict: {answers:?}");
    assert_eq!(there["SecretString"], "of another", "moto became strict: {answers:?}");
    // Under a label of our own it is as strict as AWS.
    assert!(ours["error"].is_null(), "{answers:?}");
    assert_eq!(too_late["error"], "ResourceExistsException");
}
