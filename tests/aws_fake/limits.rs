//! What is refused: what is too long or no such thing, and callers who are not who they should be.

use serde_json::{Value, json};

use crate::aws::{Fake, REGION};
use crate::client::{Client, id, labels, with, with_secret};

#[test]
fn what_is_against_the_limits_is_refused() {
    let (fake, mut client) = with_secret();
    let long = |length: usize| "x".repeat(length);
    let tags =
        |count: usize| -> Value { (0..count).map(|it| json!({ "Key": format!("{it}"), "Value": "" })).collect() };
    let cases = [
        ("CreateSecret", json!({ "Name": long(512) }), None),
        ("CreateSecret", json!({ "Name": long(513) }), Some("ValidationException")),
        ("CreateSecret", json!({ "Name": "" }), Some("ValidationException")),
        ("CreateSecret", json!({}), Some("ValidationException")),
        ("CreateSecret", json!({ "Name": "/a_b+c=d.e@f-0" }), None),
        ("CreateSecret", json!({ "Name": "a b" }), Some("ValidationException")),
        ("CreateSecret", json!({ "Name": "a!" }), Some("ValidationException")),
        ("CreateSecret", json!({ "Name": "ä" }), Some("ValidationException")),
        ("CreateSecret", json!({ "Name": "n", "SecretString": "x" }), Some("InvalidRequestException")),
        ("CreateSecret", json!({ "Name": "n", "ClientRequestToken": long(31) }), Some("ValidationException")),
        ("CreateSecret", json!({ "Name": "n", "ClientRequestToken": long(65) }), Some("ValidationException")),
        ("CreateSecret", json!({ "Name": "n", "Tags": tags(51) }), Some("InvalidParameterException")),
        ("CreateSecret", json!({ "Name": "n", "Tags": tags(50) }), None),
        (
            "TagResource",
            json!({ "SecretId": "n", "Tags": [{ "Key": "one more", "Value": "" }] }),
            Some("InvalidParameterException"),
        ),
        (
            "TagResource",
            json!({ "SecretId": "s", "Tags": [{ "Key": long(129), "Value": "" }] }),
            Some("ValidationException"),
        ),
        (
            "TagResource",
            json!({ "SecretId": "s", "Tags": [{ "Key": "k", "Value": long(257) }] }),
            Some("ValidationException"),
        ),
        (
            "TagResource",
            json!({ "SecretId": "s", "Tags": [{ "Key": "aws:k", "Value": "" }] }),
            Some("InvalidParameterException"),
        ),
        ("PutSecretValue", json!({ "SecretId": "s", "SecretString": "x" }), Some("InvalidRequestException")),
        ("GetSecretValue", json!({ "SecretId": "s", "VersionId": "short" }), Some("ValidationException")),
        ("GetSecretValue", json!({ "SecretId": 1 }), Some("SerializationException")),
        ("GetSecretValue", json!({}), Some("ValidationException")),
        ("GetSecretValue", json!({ "SecretId": "s", "VersionStages": ["x"] }), Some("ValidationException")),
        ("GetSecretValue", json!([]), Some("SerializationException")),
        ("BatchGetSecretValue", json!({ "SecretIdList": vec!["s"; 20] }), None),
        ("BatchGetSecretValue", json!({ "SecretIdList": vec!["s"; 21] }), Some("ValidationException")),
        ("BatchGetSecretValue", json!({ "SecretIdList": [] }), Some("ValidationException")),
        ("BatchGetSecretValue", json!({}), Some("InvalidParameterException")),
        ("BatchGetSecretValue", json!({ "SecretIdList": ["s"], "MaxResults": 1 }), Some("InvalidParameterException")),
        ("BatchGetSecretValue", json!({ "SecretIdList": ["s"], "Filters": [] }), Some("InvalidParameterException")),
        ("ListSecrets", json!({ "MaxResults": 100 }), None),
        ("ListSecrets", json!({ "MaxResults": 101 }), Some("ValidationException")),
        ("ListSecrets", json!({ "MaxResults": 0 }), Some("ValidationException")),
        ("ListSecrets", json!({ "NextToken": "made up" }), Some("InvalidNextTokenException")),
        ("ListSecrets", json!({ "Filters": [{ "Key": "names", "Values": ["x"] }] }), Some("ValidationException")),
        ("ListSecrets", json!({ "Filters": [{ "Key": "name", "Values": [] }] }), Some("ValidationException")),
        ("ListSecrets", json!({ "Filters": [{ "Key": "name", "Values": ["a*"] }] }), Some("ValidationException")),
        ("RotateSecret", json!({ "SecretId": "s" }), Some("UnknownOperationException")),
    ];
    for (operation, parameters, code) in cases {
        let answer = client.ask(operation, &parameters).err();
        assert_eq!(answer.as_deref(), code, "{operation} {parameters}");
    }
    assert_eq!(labels(&fake), "a:AWSCURRENT");
}

#[test]
fn a_value_has_one_to_65536_bytes_of_one_kind() {
    let (fake, mut client) = with_secret();
    let mut put = |letter, more: Value| {
        let parameters = with(&json!({ "SecretId": "s", "ClientRequestToken": id(letter) }), &more);
        client.ask("PutSecretValue", &parameters).err().unwrap_or_default()
    };
    let encoded = |length: usize| data_encoding::BASE64.encode(&vec![0xff; length]);
    assert_eq!(put('b', json!({ "SecretString": "ä".repeat(32_768) })), "");
    // Bytes count, not characters.
    assert_eq!(put('c', json!({ "SecretString": "ä".repeat(32_768) + "x" })), "ValidationException");
    assert_eq!(put('d', json!({ "SecretBinary": encoded(65_536) })), "");
    assert!(fake.is_binary("s") && fake.value("s") == vec![0xff; 65_536]);
    assert_eq!(put('e', json!({ "SecretBinary": encoded(65_537) })), "ValidationException");
    assert_eq!(put('e', json!({ "SecretBinary": "no Base64!" })), "SerializationException");
    assert_eq!(put('e', json!({ "SecretString": "" })), "ValidationException");
    assert_eq!(put('e', json!({ "SecretString": "x", "SecretBinary": "eA==" })), "InvalidParameterException");
    assert_eq!(put('e', json!({})), "InvalidRequestException");
}

#[test]
fn a_request_must_be_signed_for_the_service_and_region() {
    let (fake, mut client) = with_secret();
    let code = |change: fn(&mut Client)| {
        let mut client =
            Client { connection: Client::of(&fake).connection, key: client.key, scope: client.scope.clone() };
        change(&mut client);
        client.ask("GetSecretValue", &json!({ "SecretId": "s" })).err().unwrap_or_default()
    };
    assert_eq!(code(|_| {}), "");
    assert_eq!(
        code(|client| client.scope = client.scope.replace("eu-west-1", "us-east-1")),
        "InvalidSignatureException"
    );
    assert_eq!(
        code(|client| client.scope = client.scope.replace("secretsmanager", "sts")),
        "InvalidSignatureException"
    );
    assert_eq!(code(|client| client.scope.clear()), "IncompleteSignatureException");
    assert_eq!(code(|client| client.key = "EXPIRED1"), "ExpiredTokenException");
    assert_eq!(code(|client| client.key = "UNKNOWN1"), "UnrecognizedClientException");
    assert_eq!(code(|client| client.key = "DENIED1"), "AccessDeniedException");
    let target = "X-Amz-Target: secretsmanager.ListSecrets\r\nContent-Type: application/x-amz-json-1.1\r\n";
    let (status, head, body) = client.send(target, "{}").unwrap();
    assert_eq!(status, 400);
    assert!(body.contains("\"MissingAuthenticationTokenException\"") && head.contains("\r\nx-amzn-RequestId: "));
    // What is sent in a header of AWS's own is signed.
    let more = client.authorization() + target + "X-Amz-Security-Token: t\r\n";
    assert!(client.send(&more, "{}").unwrap().2.contains("InvalidSignatureException"));
    let other = client.authorization() + &target.replace("1.1", "1.0");
    assert!(client.send(&other, "{}").unwrap().2.contains("UnknownOperationException"));
}

#[test]
fn sts_tells_the_account_in_its_own_protocol() {
    let fake = Fake::start().account("999999999999");
    let mut client = Client::of(&fake);
    let mut ask = |service: &str, key: &'static str, action: &str| {
        client.key = key;
        client.scope = format!("20261122/{REGION}/{service}/aws4_request");
        let headers = client.authorization() + "Content-Type: application/x-www-form-urlencoded\r\n";
        let (status, _, body) = client.send(&headers, &format!("Action={action}&Version=2011-06-15")).unwrap();
        (status, body)
    };
    for (service, key, action, status, part) in [
        ("sts", "AKIAIOSFODNN7EXAMPLE", "GetCallerIdentity", 200, "<Account>999999999999</Account>"),
        ("sts", "DENIED1", "GetCallerIdentity", 200, "<Account>999999999999</Account>"),
        ("sts", "EXPIRED1", "GetCallerIdentity", 403, "<Code>ExpiredToken</Code>"),
        ("sts", "UNKNOWN1", "GetCallerIdentity", 403, "<Code>InvalidClientTokenId</Code>"),
        ("secretsmanager", "AKIAIOSFODNN7EXAMPLE", "GetCallerIdentity", 403, "<Code>SignatureDoesNotMatch</Code>"),
        ("sts", "AKIAIOSFODNN7EXAMPLE", "GetSessionToken", 400, "<Code>InvalidAction</Code>"),
    ] {
        let (its_status, body) = ask(service, key, action);
        assert!(its_status == status && body.contains(part), "{key} {action}: {its_status} {body}");
    }
    assert_eq!(fake.calls("GetCallerIdentity"), 5);
}
