//! What the client makes of answers that a real AWS gives seldom.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vault_kit::remote::aws::Patience;
use vault_kit::remote::{Cause, Content, Creation, OWN_LABEL, Reading, Relabelling, Remote, Sending};
use vault_kit::secret::Secret;

use super::server::{Asked, Reply, Server};
use super::{KEYS, client, within};

const TOKEN: &str = "5f7f3c1e-0000-4000-8000-000000000001";

fn arn(name: &str) -> String {
    format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf")
}

/// A value as batches and single reads give it.
fn value(id: &str, labels: &[&str]) -> Value {
    let name = id.rsplit_once(":secret:").map_or(id, |(_, name)| name.trim_end_matches("-AbCdEf"));
    json!({
        "ARN": arn(name), "Name": name, "VersionId": "v1", "SecretString": format!("value of {name}"),
        "VersionStages": labels,
    })
}

fn shown(reading: &Reading) -> String {
    let value = reading.content.secret().expose_text().unwrap_or("binary");
    format!("{} {} {value}", reading.name, reading.version)
}

fn ids(asked: &Asked) -> Vec<String> {
    let ids = asked.body["SecretIdList"].as_array().unwrap();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn values_come_twenty_a_request_in_the_order_that_was_asked_for() {
    within("answers::values_come_twenty_a_request_in_the_order_that_was_asked_for", &KEYS, "", |_| {
        let server = Server::new(|asked| {
            let mut ids = ids(asked);
            ids.reverse();
            let (page, token) = match asked.body["NextToken"].as_str() {
                None => (&ids[..ids.len() / 2], json!("more")),
                Some(_) => (&ids[ids.len() / 2..], Value::Null),
            };
            let values: Vec<Value> = page.iter().map(|id| value(id, &["AWSCURRENT"])).collect();
            Reply::json(&json!({ "SecretValues": values, "NextToken": token }))
        });
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        let names: Vec<String> = (0..45).map(|number| format!("/p/{number}")).collect();
        let arns: Vec<String> = names.iter().map(|name| arn(name)).collect();
        let ids: Vec<&str> = names[..30].iter().chain(&arns[30..]).map(String::as_str).collect();
        let read: Vec<String> = aws.read(&ids).iter().map(|it| shown(it.as_ref().unwrap())).collect();
        let expected: Vec<String> = names.iter().map(|name| format!("{name} v1 value of {name}")).collect();
        assert_eq!(read, expected);
        let mut sizes: Vec<usize> = server.asked().iter().map(|asked| self::ids(asked).len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [5, 5, 20, 20, 20, 20]);
        assert!(server.asked().iter().all(|asked| asked.body.get("MaxResults").is_none()));
    });
}

#[test]
fn each_value_of_a_batch_has_a_verdict_of_its_own() {
    within("answers::each_value_of_a_batch_has_a_verdict_of_its_own", &KEYS, "", |_| {
        let server = Server::new(|asked| match asked.operation.as_str() {
            "BatchGetSecretValue" => Reply::json(&json!({
                "SecretValues": [
                    value("/p/good", &["vault-kit", "AWSCURRENT"]), value("/p/old", &["AWSPREVIOUS"]),
                    { "ARN": arn("/p/binary"), "Name": "/p/binary", "VersionId": "v1", "SecretBinary": "/w==",
                      "VersionStages": ["AWSCURRENT"] },
                ],
                "Errors": [
                    { "SecretId": arn("/p/gone"), "ErrorCode": "ResourceNotFoundException", "Message": "s3cr3t" },
                    { "SecretId": "/p/denied", "ErrorCode": "AccessDeniedException" },
                    { "SecretId": "/p/busy", "ErrorCode": "InternalServiceError" },
                ],
            })),
            _ => Reply::json(&value(asked.body["SecretId"].as_str().unwrap(), &["AWSCURRENT"])),
        });
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        let (gone, denied) = ("/p/gone", arn("/p/denied"));
        let answers =
            aws.read(&["/p/good", gone, &denied, "/p/old", "/p/busy", "/p/unheard-of", "/p/good", "/p/binary"]);
        let told: Vec<String> = answers
            .iter()
            .map(|answer| match answer {
                Ok(reading) => shown(reading),
                Err(failure) => format!("{:?} {:?}", failure.cause, failure.code.as_deref().unwrap_or("-")),
            })
            .collect();
        assert_eq!(
            told,
            [
                "/p/good v1 value of /p/good",
                "Missing \"ResourceNotFoundException\"",
                "Denied \"AccessDeniedException\"",
                "/p/old v1 value of /p/old",
                "/p/busy v1 value of /p/busy",
                "Garbled \"-\"",
                "/p/good v1 value of /p/good",
                "/p/binary v1 binary",
            ]
        );
        let mut alone: Vec<String> = server.asked()[1..].iter().map(|asked| asked.body.to_string()).collect();
        alone.sort_unstable();
        let single = |id: &str| json!({ "SecretId": id, "VersionStage": "AWSCURRENT" }).to_string();
        assert_eq!(alone, [single("/p/busy"), single("/p/good"), single("/p/old")]);
        assert_eq!(format!("{:?}", answers[7].as_ref().unwrap().content), "Binary([REDACTED])");
    });
}

#[test]
fn without_the_right_to_read_batches_values_are_read_one_by_one() {
    within("answers::without_the_right_to_read_batches_values_are_read_one_by_one", &KEYS, "", |_| {
        let server = Server::new(|asked| match asked.operation.as_str() {
            "BatchGetSecretValue" => Reply::error(400, "AccessDeniedException"),
            _ => Reply::json(&value(asked.body["SecretId"].as_str().unwrap(), &["AWSCURRENT"])),
        });
        let (aws, notices) = client(&server.endpoint, Patience::Interactive);
        for round in 1..=2 {
            let read: Vec<String> = aws.read(&["/p/a", "/p/b"]).iter().map(|it| shown(it.as_ref().unwrap())).collect();
            assert_eq!(read, ["/p/a v1 value of /p/a", "/p/b v1 value of /p/b"]);
            let batches = server.operations().iter().filter(|it| *it == "BatchGetSecretValue").count();
            assert_eq!((batches, server.asked().len()), (1, 1 + 2 * round));
        }
        assert!(notices.lock().unwrap().is_empty());
    });
}

#[test]
fn a_listing_goes_through_all_pages_and_never_in_circles() {
    within("answers::a_listing_goes_through_all_pages_and_never_in_circles", &KEYS, "", |_| {
        let listed =
            |name: &str| json!({ "ARN": arn(name), "Name": name, "SecretVersionsToStages": { "v1": ["AWSCURRENT"] } });
        let server = Server::new(move |asked| {
            Reply::json(&match asked.body["NextToken"].as_str() {
                None => json!({ "SecretList": [listed("/p/c"), listed("/x/p/a"), listed("/P/a")], "NextToken": "1" }),
                Some("1") => json!({ "SecretList": [], "NextToken": "2" }),
                Some(_) => json!({ "SecretList": [listed("/p/a"), listed("/p/c")] }),
            })
        });
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        let names: Vec<String> = aws.list("/p/").unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["/p/a", "/p/c"]);
        let asked = &server.asked()[0].body;
        assert_eq!(asked["Filters"], json!([{ "Key": "name", "Values": ["/p/"] }]));
        assert_eq!((&asked["IncludePlannedDeletion"], &asked["MaxResults"]), (&json!(true), &json!(100)));

        let server = Server::new(|_| Reply::json(&json!({ "SecretList": [], "NextToken": "again" })));
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        assert_eq!(aws.list("").unwrap_err().cause, Cause::Garbled);
        assert_eq!(server.asked().len(), 2);
    });
}

#[test]
fn what_the_service_says_is_never_repeated() {
    within("answers::what_the_service_says_is_never_repeated", &KEYS, "", |_| {
        for (status, code, cause) in [
            (400, "AccessDeniedException", Cause::Denied),
            (400, "ExpiredTokenException", Cause::BadCredentials),
            (400, "UnrecognizedClientException", Cause::BadCredentials),
            (400, "com.amazonaws.secretsmanager#ResourceNotFoundException", Cause::Missing),
            (400, "DecryptionFailure", Cause::Denied),
            (400, "InvalidParameterException", Cause::Refused),
            (400, "\u{1b}[31ms3cr3t", Cause::Garbled),
            (403, "", Cause::Garbled),
        ] {
            let server = Server::new(move |_| Reply::error(status, code));
            let (aws, _) = client(&server.endpoint, Patience::Unattended);
            let failure = aws.describe(&["/p/a"]).remove(0).unwrap_err();
            assert_eq!(failure.cause, cause, "{code:?}");
            let told = format!("{failure:?} {} {:?}", failure.about("`/p/a`"), failure.about("`/p/a`"));
            assert!(!told.contains("s3cr3t") && !told.contains('\u{1b}'), "{told}");
            assert!(failure.request.is_some());
            assert_eq!(server.asked().len(), 1);
        }
    });
}

/// A secret that was made with our token, and whose version holds `held`.
fn made_by_us(held: &'static str) -> Server {
    Server::new(move |asked| match asked.operation.as_str() {
        "CreateSecret" => Reply::error(400, "ResourceExistsException"),
        "DescribeSecret" => {
            let versions = json!({ TOKEN: ["AWSCURRENT"] });
            Reply::json(&json!({ "ARN": arn("/p/a"), "Name": "/p/a", "VersionIdsToStages": versions }))
        }
        _ if held == "denied" => Reply::error(400, "AccessDeniedException"),
        _ => Reply::json(&json!({ "ARN": arn("/p/a"), "Name": "/p/a", "VersionId": TOKEN, "SecretString": held })),
    })
}

#[test]
fn a_secret_that_exists_is_a_conflict_unless_we_made_it() {
    within("answers::a_secret_that_exists_is_a_conflict_unless_we_made_it", &KEYS, "", |_| {
        let (content, tags) = (Content::of(Secret::copy_of(b"ours")), BTreeMap::new());
        let create = |server: &Server, token| {
            let creation = Creation {
                name: "/p/a",
                token,
                content: &content,
                description: None,
                kms_key: None,
                tags: &tags,
                replicas: &[],
            };
            client(&server.endpoint, Patience::Interactive).0.create(&[creation]).remove(0).map_err(|it| it.cause)
        };
        assert_eq!(create(&made_by_us("ours"), TOKEN), Ok(arn("/p/a")));
        assert_eq!(create(&made_by_us("denied"), TOKEN), Ok(arn("/p/a")));
        assert_eq!(create(&made_by_us("theirs"), TOKEN), Err(Cause::Conflict));
        assert_eq!(create(&made_by_us("ours"), "5f7f3c1e-0000-4000-8000-000000000002"), Err(Cause::Conflict));
    });
}

#[test]
fn a_refused_move_of_a_label_is_judged_by_where_the_label_is() {
    within("answers::a_refused_move_of_a_label_is_judged_by_where_the_label_is", &KEYS, "", |_| {
        let moved = |labels: Value, to: Option<&str>| {
            let server = Server::new(move |asked| match asked.operation.as_str() {
                "DescribeSecret" => {
                    Reply::json(&json!({ "ARN": arn("/p/a"), "Name": "/p/a", "VersionIdsToStages": labels }))
                }
                _ => Reply::error(400, "InvalidParameterException"),
            });
            let (aws, _) = client(&server.endpoint, Patience::Interactive);
            let arn = arn("/p/a");
            let relabelling = Relabelling { arn: &arn, label: "AWSCURRENT", from: Some("v1"), to };
            aws.relabel(&[relabelling]).remove(0).map_err(|it| it.cause)
        };
        assert_eq!(moved(json!({ "v2": ["AWSCURRENT"] }), Some("v2")), Ok(()));
        assert_eq!(moved(json!({ "v3": ["AWSCURRENT"], "v2": ["vault-kit"] }), Some("v2")), Err(Cause::Conflict));
        assert_eq!(moved(json!({ "v2": ["vault-kit"] }), None), Ok(()));
        assert_eq!(moved(json!({ "v3": ["AWSCURRENT"] }), None), Err(Cause::Conflict));
    });
}

#[test]
fn what_was_made_a_moment_ago_may_take_a_moment_to_be_found() {
    within("answers::what_was_made_a_moment_ago_may_take_a_moment_to_be_found", &KEYS, "", |_| {
        let server = Server::new(|asked| match (asked.operation.as_str(), asked.number) {
            ("CreateSecret", _) => Reply::json(&json!({ "ARN": arn("/p/new"), "Name": "/p/new", "VersionId": TOKEN })),
            ("PutSecretValue", 2..) => Reply::json(&json!({ "ARN": arn("/p/new"), "VersionId": TOKEN })),
            _ => Reply::error(400, "ResourceNotFoundException"),
        });
        let (aws, notices) = client(&server.endpoint, Patience::Interactive);
        let content = Content::of(Secret::copy_of(b"value"));
        let creation = Creation {
            name: "/p/new",
            token: TOKEN,
            content: &content,
            description: Some("for people"),
            kms_key: Some("alias/app"),
            tags: &BTreeMap::from([("k".to_owned(), "v".to_owned())]),
            replicas: &["us-east-1".to_owned()],
        };
        let created = aws.create(&[creation]).remove(0).unwrap();
        let sending = Sending { arn: &created, token: TOKEN, content: &content };
        assert_eq!(aws.send(&[sending]), [Ok(())]);
        assert_eq!(server.operations(), ["CreateSecret", "PutSecretValue", "PutSecretValue"]);
        let asked = server.asked();
        assert_eq!(
            asked[0].body,
            json!({
                "Name": "/p/new", "ClientRequestToken": TOKEN, "SecretString": "value", "Description": "for people",
                "KmsKeyId": "alias/app", "Tags": [{ "Key": "k", "Value": "v" }],
                "AddReplicaRegions": [{ "Region": "us-east-1" }],
            })
        );
        assert_eq!(
            asked[2].body,
            json!({
                "SecretId": arn("/p/new"), "ClientRequestToken": TOKEN, "SecretString": "value",
                "VersionStages": [OWN_LABEL],
            })
        );
        // What nobody made is missing at once.
        assert_eq!(aws.describe(&["/p/other"]).remove(0).unwrap_err().cause, Cause::Missing);
        assert_eq!(server.asked().len(), 4);
        assert!(notices.lock().unwrap().is_empty());
    });
}

#[test]
fn an_answer_that_confirms_nothing_is_none() {
    within("answers::an_answer_that_confirms_nothing_is_none", &KEYS, "", |_| {
        let server = Server::new(|_| Reply::Status(200, "{}".into()));
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        let content = Content::of(Secret::copy_of(b"value"));
        let causes = [
            aws.send(&[Sending { arn: "a", token: TOKEN, content: &content }]).remove(0),
            aws.relabel(&[Relabelling { arn: "a", label: "x", from: None, to: Some("v") }]).remove(0),
            aws.delete(&["a"], 7).remove(0),
            aws.restore(&["a"]).remove(0),
            aws.describe(&["a"]).remove(0).map(drop),
            aws.read(&["a"]).remove(0).map(drop),
            aws.account().map(drop),
        ]
        .map(|answer| answer.unwrap_err().cause);
        assert_eq!(causes, [Cause::Garbled; 7]);
    });
}
