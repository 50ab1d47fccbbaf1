//! Secrets are found, read, listed, deleted and replicated.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::{Fake, REGION};
use crate::client::{Client, id, names, with, with_secret};

#[test]
fn a_secret_without_a_value_is_described_and_listed_but_not_read() {
    let fake = Fake::start();
    let mut client = Client::of(&fake);
    fake.put_valueless("s");
    assert_eq!(client.ok("DescribeSecret", &json!({ "SecretId": "s" })).get("VersionIdsToStages"), None);
    assert_eq!(client.listed(&json!({})), ["s"]);
    assert_eq!(client.refused("GetSecretValue", &json!({ "SecretId": "s" })), "ResourceNotFoundException");
}

#[test]
fn a_value_is_read_in_force_by_label_or_by_version() {
    let (_fake, mut client) = with_secret();
    client.put("s", 'b', "2", &["own"]).unwrap();
    for (more, value) in [
        (json!({}), Ok("1")),
        (json!({ "VersionStage": "own" }), Ok("2")),
        (json!({ "VersionId": id('b') }), Ok("2")),
        (json!({ "VersionId": id('b'), "VersionStage": "own" }), Ok("2")),
        (json!({ "VersionId": id('a'), "VersionStage": "own" }), Err("InvalidRequestException")),
        (json!({ "VersionId": id('x') }), Err("ResourceNotFoundException")),
        (json!({ "VersionStage": "other" }), Err("ResourceNotFoundException")),
        (json!({ "SecretId": "t" }), Err("ResourceNotFoundException")),
    ] {
        let parameters = with(&json!({ "SecretId": "s" }), &more);
        let read = client.ask("GetSecretValue", &parameters).map(|read| read["SecretString"].clone());
        assert_eq!(read, value.map(Value::from).map_err(str::to_owned), "{more}");
    }
}

#[test]
fn a_secret_is_found_by_name_and_by_arn_with_and_without_its_six_characters() {
    let (fake, mut client) = with_secret();
    let arn = fake.arn("s");
    assert!(arn.starts_with("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-"), "{arn}");
    assert_eq!(arn.len(), "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s-".len() + 6);
    for (found, code) in [
        (arn.as_str(), None),
        (&arn[..arn.len() - 7], None),
        (&arn[..arn.len() - 1], Some("ResourceNotFoundException")),
        (&arn.replace("eu-west-1", "eu-west-2"), Some("ResourceNotFoundException")),
        (&arn.replace("123456789012", "123456789013"), Some("AccessDeniedException")),
    ] {
        let answer = client.ask("DescribeSecret", &json!({ "SecretId": found })).err();
        assert_eq!(answer.as_deref(), code, "{found}");
    }
    let arns: BTreeSet<String> = (0..500)
        .map(|it| format!("n{it}"))
        .map(|name| {
            fake.put_valueless(&name);
            let arn = fake.arn(&name);
            arn[arn.len() - 6..].to_owned()
        })
        .collect();
    assert_eq!(arns.len(), 500);
}

#[test]
fn a_batch_tells_for_each_secret_what_kept_it_from_being_read() {
    let fake = Fake::start();
    let mut client = Client::of(&fake);
    for name in ["a", "b", "deleted", "denied"] {
        fake.put(name, name);
    }
    fake.put_valueless("empty");
    fake.schedule("deleted", 7);
    fake.deny_reading("denied");
    let answer =
        client.ok("BatchGetSecretValue", &json!({ "SecretIdList": ["b", "deleted", "denied", "empty", "x", "a"] }));
    let values: Vec<&str> =
        answer["SecretValues"].as_array().into_iter().flatten().filter_map(|it| it["SecretString"].as_str()).collect();
    let errors: Vec<[&str; 2]> = answer["Errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| ["SecretId", "ErrorCode"].map(|key| it[key].as_str().expect("text")))
        .collect();
    assert_eq!(values, ["b", "a"]);
    assert_eq!(
        errors,
        [
            ["deleted", "InvalidRequestException"],
            ["denied", "AccessDeniedException"],
            ["empty", "ResourceNotFoundException"],
            ["x", "ResourceNotFoundException"],
        ]
    );
    assert_eq!((fake.values_read(), fake.calls("BatchGetSecretValue")), (2, 1));
    let page = json!({ "Filters": [{ "Key": "name", "Values": ["a", "b"] }], "MaxResults": 1 });
    assert!(client.ok("BatchGetSecretValue", &page)["NextToken"].is_string());
}

#[test]
fn a_listing_is_filtered_and_ordered() {
    let fake = Fake::start();
    let mut client = Client::of(&fake);
    for name in ["/p/b", "/p/a", "/q/C", "/p2/d"] {
        fake.put(name, "x");
    }
    fake.tag("/p/a", "owner:kit", "me");
    fake.tag("/q/C", "other", "ME");
    fake.owning_service("/q/C", "rds");
    let mut listed = |filters: Value| client.listed(&json!({ "Filters": filters })).join(" ");
    assert_eq!(listed(json!([])), "/p/b /p/a /q/C /p2/d");
    assert_eq!(listed(json!([{ "Key": "name", "Values": ["/p"] }])), "/p/b /p/a /p2/d");
    assert_eq!(listed(json!([{ "Key": "name", "Values": ["/p/"] }])), "/p/b /p/a");
    assert_eq!(listed(json!([{ "Key": "name", "Values": ["/q/c"] }])), "");
    assert_eq!(listed(json!([{ "Key": "name", "Values": ["/p/", "/q"] }])), "/p/b /p/a /q/C");
    assert_eq!(listed(json!([{ "Key": "name", "Values": ["!/p/"] }])), "/q/C /p2/d");
    assert_eq!(
        listed(json!([{ "Key": "name", "Values": ["/p"] }, { "Key": "tag-key", "Values": ["owner:"] }])),
        "/p/a"
    );
    assert_eq!(listed(json!([{ "Key": "tag-key", "Values": ["!owner:kit"] }])), "/p/b /q/C /p2/d");
    assert_eq!(listed(json!([{ "Key": "tag-value", "Values": ["me"] }])), "/p/a");
    assert_eq!(listed(json!([{ "Key": "owning-service", "Values": ["rds"] }])), "/q/C");
    assert_eq!(listed(json!([{ "Key": "all", "Values": ["Me"] }])), "/p/a /q/C");
    let sorted = json!({ "SortBy": "name", "SortOrder": "desc" });
    assert_eq!(client.listed(&sorted).join(" "), "/q/C /p2/d /p/b /p/a");
}

#[test]
fn ten_thousand_secrets_are_listed_in_a_hundred_pages() {
    let fake = Fake::start();
    for it in 0..10_000 {
        fake.put(&format!("/app/dev/{it:05}"), "x");
    }
    let mut client = Client::of(&fake);
    let (mut seen, mut pages, mut parameters) = (BTreeSet::new(), 0, json!({}));
    loop {
        let page = client.ok("ListSecrets", &parameters);
        seen.extend(names(&page));
        pages += 1;
        let Some(next) = page.get("NextToken") else { break };
        parameters = json!({ "NextToken": next });
    }
    assert_eq!((seen.len(), pages), (10_000, 100));
}

#[test]
fn what_aws_says_of_a_secret_is_listed_and_described() {
    let fake = Fake::start();
    let mut client = Client::of(&fake);
    let version = fake.put("s", "x");
    fake.tag("s", "k", "v");
    fake.rotation_enabled("s");
    fake.owning_service("s", "rds");
    fake.external_type("s", "SalesforceClientSecret");
    let listed = client.ok("ListSecrets", &json!({}))["SecretList"][0].clone();
    let described = client.ok("DescribeSecret", &json!({ "SecretId": "s" }));
    for (facts, versions) in [(&listed, "SecretVersionsToStages"), (&described, "VersionIdsToStages")] {
        assert_eq!(facts[versions], json!({ version.as_str(): ["AWSCURRENT"] }));
        assert_eq!(facts["Tags"], json!([{ "Key": "k", "Value": "v" }]));
        assert_eq!(facts["RotationEnabled"], true);
        assert_eq!((&facts["OwningService"], &facts["Type"]), (&json!("rds"), &json!("SalesforceClientSecret")));
        assert!(facts["LastChangedDate"].as_f64() >= facts["CreatedDate"].as_f64());
        assert_eq!(facts.get("KmsKeyId").or(facts.get("DeletedDate")).or(facts.get("Description")), None);
    }
}

#[test]
fn a_secret_scheduled_for_deletion_can_only_be_described_and_restored() {
    let (fake, mut client) = with_secret();
    let name = json!({ "SecretId": "s" });
    for more in [
        json!({ "RecoveryWindowInDays": 6 }),
        json!({ "RecoveryWindowInDays": 31 }),
        json!({ "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true }),
    ] {
        assert_eq!(client.refused("DeleteSecret", &with(&name, &more)), "InvalidParameterException");
    }
    client.ok("DeleteSecret", &name);
    assert!(fake.is_scheduled("s"));
    let value = json!({ "SecretId": "s", "ClientRequestToken": id('b'), "SecretString": "2" });
    for (operation, parameters) in [
        ("GetSecretValue", &name),
        ("DeleteSecret", &name),
        ("PutSecretValue", &value),
        ("UpdateSecret", &value),
        ("TagResource", &json!({ "SecretId": "s", "Tags": [] })),
        ("UntagResource", &json!({ "SecretId": "s", "TagKeys": [] })),
        ("UpdateSecretVersionStage", &json!({ "SecretId": "s", "VersionStage": "x", "MoveToVersionId": id('a') })),
        ("ReplicateSecretToRegions", &json!({ "SecretId": "s", "AddReplicaRegions": [{ "Region": "us-east-1" }] })),
        ("CreateSecret", &json!({ "Name": "s" })),
    ] {
        assert_eq!(client.refused(operation, parameters), "InvalidRequestException", "{operation}");
    }
    assert!(client.ok("DescribeSecret", &name)["DeletedDate"].is_f64());
    assert_eq!(client.listed(&json!({})), [""; 0]);
    assert_eq!(client.listed(&json!({ "IncludePlannedDeletion": true })), ["s"]);
    client.ok("RestoreSecret", &name);
    assert_eq!(client.ok("GetSecretValue", &name)["SecretString"], "1");
}

#[test]
fn a_secret_is_gone_when_its_days_are_over_or_at_once_by_force() {
    let (fake, mut client) = with_secret();
    let arn = fake.arn("s");
    fake.schedule("s", 7);
    fake.pass(Duration::from_hours(7 * 24 - 1));
    client.ok("DescribeSecret", &json!({ "SecretId": "s" }));
    fake.pass(Duration::from_hours(1));
    assert_eq!(client.refused("RestoreSecret", &json!({ "SecretId": "s" })), "ResourceNotFoundException");
    client.ok("CreateSecret", &json!({ "Name": "s" }));
    assert_ne!(fake.arn("s"), arn);
    assert_eq!(client.refused("DescribeSecret", &json!({ "SecretId": arn })), "ResourceNotFoundException");
    let force = json!({ "SecretId": "s", "ForceDeleteWithoutRecovery": true });
    client.ok("DeleteSecret", &force);
    assert_eq!(fake.names(), [""; 0]);
    // It does not tell that there is none.
    client.ok("DeleteSecret", &force);
    assert_eq!(client.refused("DeleteSecret", &json!({ "SecretId": "s" })), "ResourceNotFoundException");
}

#[test]
fn replicas_are_in_sync_and_keep_their_primary_from_being_deleted() {
    let (fake, mut client) = with_secret();
    let add = |region: &str| json!({ "SecretId": "s", "AddReplicaRegions": [{ "Region": region }] });
    client.ok("ReplicateSecretToRegions", &add("us-east-1"));
    for region in ["us-east-1", REGION] {
        assert_eq!(client.refused("ReplicateSecretToRegions", &add(region)), "InvalidParameterException");
    }
    let described = client.ok("DescribeSecret", &json!({ "SecretId": "s" }));
    assert_eq!(described["ReplicationStatus"], json!([{ "Region": "us-east-1", "Status": "InSync" }]));
    assert_eq!(described["PrimaryRegion"], REGION);
    assert_eq!(client.refused("DeleteSecret", &json!({ "SecretId": "s" })), "InvalidRequestException");
    client.put("s", 'b', "2", &[]).unwrap();
    fake.put("t", "x");
    fake.replica_of("t", "us-east-1");
    assert_eq!(client.put("t", 'b', "2", &[]).unwrap_err(), "InvalidRequestException");
    assert_eq!(fake.replicas("s"), ["us-east-1"]);
}
