//! What each policy allows, by IAM's own rules for wildcards.

use serde_json::Value;

use super::*;

/// A project in three partitions.
const MANIFEST: &str = r#"
project.name = "mcp-demo"
[environments.dev]
[environments.prod]
aws = { account = "111111111111", region = "us-east-1" }
[environments.keyed]
aws = { account = "222222222222", region = "eu-west-1", prefix = "live/", kms_key = "alias/app", replicas = ["us-east-1"] }
[environments.cn]
aws = { account = "333333333333", region = "cn-north-1", kms_key = "0d9b-key" }
[environments.gov]
aws = { account = "444444444444", region = "us-gov-west-1", kms_key = "arn:aws-us-gov:kms:us-gov-west-1:555555555555:key/k" }
[environments.own]
aws = { account = "444444444444", region = "us-east-1", kms_key = "alias/aws/secretsmanager" }
[environments.shared]
aws = { account = "444444444444", region = "us-east-1", kms_key = "arn:aws:kms:us-east-1:555555555555:alias/team" }
[secrets]
DATABASE_URL = { kind = "uuid", aws = "database/url" }
JWT_SECRET = { kind = "random", aws = "application/jwt-secret" }
LOG_LEVEL = { kind = "setting", value = "info", bundle = "app" }
PORT = { kind = "setting", value = "80", bundle = "app" }
GIVEN = { kind = "external", aws = "given", environments = ["keyed"] }
LOCAL = { kind = "uuid" }
"#;

fn policy(environment: &str, role: Role) -> Value {
    policy_for(environment, role, false)
}

fn policy_for(environment: &str, role: Role, batches: bool) -> Value {
    let manifest = crate::manifest::parse(MANIFEST, "m").unwrap();
    serde_json::to_value(Policy::of(&manifest, &EnvName::new(environment).unwrap(), role, batches).unwrap()).unwrap()
}

/// Whether the pattern of a policy is that of an ARN: `*` is any run, `?` any one character, across `/` and `:` too.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.as_bytes().first() {
        None => text.is_empty(),
        Some(b'*') => (0..=text.len()).any(|skipped| matches(&pattern[1..], &text[skipped..])),
        Some(b'?') => !text.is_empty() && matches(&pattern[1..], &text[1..]),
        Some(byte) => text.as_bytes().first() == Some(byte) && matches(&pattern[1..], &text[1..]),
    }
}

/// Whether a request is allowed; `context` has what the request says, such as tags.
fn allows(policy: &Value, action: &str, arn: &str, context: &[(&str, &str)]) -> bool {
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().any(|statement| {
        let strings = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(statement["Effect"], "Allow");
        strings(&statement["Action"]).iter().any(|it| it == action)
            && strings(&statement["Resource"]).iter().any(|pattern| matches(pattern, arn))
            && statement["Condition"].as_object().into_iter().flatten().all(|(operator, keys)| {
                keys.as_object().unwrap().iter().all(|(key, wanted)| {
                    let said = context.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
                    said.is_some_and(|said| match operator.as_str() {
                        "StringEquals" | "ForAnyValue:StringEquals" => strings(wanted).iter().any(|it| it == said),
                        "NumericGreaterThanEquals" => {
                            said.parse::<u32>().unwrap() >= strings(wanted)[0].parse().unwrap()
                        }
                        other => panic!("{other}"),
                    })
                })
            })
    })
}

fn secret(name: &str) -> String {
    format!("arn:aws:secretsmanager:us-east-1:111111111111:secret:{name}")
}

#[test]
fn a_wildcard_is_what_iam_takes_it_for() {
    assert!(matches("a-??????", "a-x/y:z1"));
    assert!(!matches("a-??????", "a-12345"));
    assert!(!matches("a-??????", "a-1234567"));
    assert!(matches("key/*", "key/1/2"));
}

#[test]
fn a_reader_reads_the_names_of_the_environment_and_nothing_near_them() {
    let policy = policy("prod", Role::Reader);
    let reads = |name: &str| allows(&policy, "secretsmanager:GetSecretValue", &secret(name), &[]);
    for name in [
        "/mcp-demo/prod/database/url-AbC123",
        "/mcp-demo/prod/application/jwt-secret-AbC123",
        "/mcp-demo/prod/app-AbC123",
    ] {
        assert!(reads(name), "{name}");
        assert!(allows(&policy, "secretsmanager:DescribeSecret", &secret(name), &[]));
    }
    for name in [
        "/mcp-demo/prod2/database/url-AbC123",
        "mcp-demo/prod/database/url-AbC123",
        "/mcp-demo/prod/database/url",
        "/mcp-demo/prod/database/url2-AbC123",
        "/mcp-demo/prod/database/url-replica-AbC123",
        "/mcp-demo/prod/database/url/x-AbC123",
        "/mcp-demo/prod/application/jwt-AbC1234",
        "/mcp-demo/dev/database/url-AbC123",
        "/mcp-demo/prod/given-AbC123",
        "/other/mcp-demo/prod/database/url-AbC123",
    ] {
        assert!(!reads(name), "{name}");
    }
    let elsewhere = secret("/mcp-demo/prod/app-AbC123").replace("us-east-1", "us-east-2");
    let others = secret("/mcp-demo/prod/app-AbC123").replace("111111111111", "999999999999");
    assert!(!allows(&policy, "secretsmanager:GetSecretValue", &elsewhere, &[]));
    assert!(!allows(&policy, "secretsmanager:GetSecretValue", &others, &[]));
}

#[test]
fn nothing_stands_on_all_secrets_unless_it_is_asked_for() {
    for (role, on_all) in [
        (Role::Reader, &["BatchGetSecretValue", "ListSecrets"][..]),
        (Role::Rotator, &["BatchGetSecretValue", "ListSecrets"]),
        (Role::CiCheck, &["ListSecrets"]),
    ] {
        for batches in [false, true] {
            let policy = policy_for("keyed", role, batches);
            let statements = policy["Statement"].as_array().unwrap();
            let is_on_all = |it: &&Value| it["Resource"].as_array().unwrap().contains(&"*".into());
            let actions = statements.iter().filter(is_on_all).map(|it| it["Action"][0].as_str().unwrap());
            let actions: Vec<&str> = actions.map(|it| it.strip_prefix("secretsmanager:").unwrap()).collect();
            assert_eq!(actions, if batches { on_all } else { &[] }, "{role:?}");
        }
    }
}

#[test]
fn whoever_looks_hears_missing_below_the_prefix_and_nothing_of_what_is_beside_it() {
    for role in [Role::Reader, Role::Rotator, Role::CiCheck] {
        let policy = policy("prod", role);
        let describes = |name: &str| allows(&policy, "secretsmanager:DescribeSecret", &secret(name), &[]);
        assert!(describes("/mcp-demo/prod/app-AbC123") && describes("/mcp-demo/prod/app"), "{role:?}");
        assert!(!describes("/mcp-demo/prod2/app") && !describes("/mcp-demo/dev/app-AbC123"), "{role:?}");
    }
}

/// Everything that Secrets Manager lets one do to a secret (Service Authorization Reference).
const ACTIONS: [&str; 22] = [
    "BatchGetSecretValue",
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DescribeSecret",
    "GetRandomPassword",
    "GetResourcePolicy",
    "GetSecretValue",
    "ListSecretVersionIds",
    "ListSecrets",
    "PutResourcePolicy",
    "PutSecretValue",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
];

/// The actions that a role has on one of its secrets, whatever the request says.
fn actions(environment: &str, role: Role) -> String {
    let policy = policy(environment, role);
    let arns: Vec<String> = policy["Statement"][0]["Resource"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().replace('?', "x").replace('*', "app-xxxxxx"))
        .collect();
    let owner = format!("mcp-demo/{environment}");
    let context = [
        ("aws:RequestTag/vault-kit:managed", owner.as_str()),
        ("aws:ResourceTag/vault-kit:managed", owner.as_str()),
        ("secretsmanager:RecoveryWindowInDays", "30"),
    ];
    let has = |action: &&&str| allows(&policy, &format!("secretsmanager:{action}"), &arns[0], &context);
    ACTIONS.iter().filter(has).copied().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_role_has_its_actions_and_no_other() {
    assert_eq!(actions("prod", Role::Reader), "DescribeSecret GetSecretValue");
    assert_eq!(actions("prod", Role::CiCheck), "DescribeSecret");
    let rotator = "CreateSecret DeleteSecret DescribeSecret GetSecretValue ListSecretVersionIds PutSecretValue \
                   RestoreSecret TagResource UpdateSecretVersionStage";
    assert_eq!(actions("prod", Role::Rotator), rotator);
    assert_eq!(
        actions("keyed", Role::Rotator),
        rotator.replace("RestoreSecret", "ReplicateSecretToRegions RestoreSecret")
    );
}

#[test]
fn a_pipeline_that_compares_can_decrypt_nothing() {
    let text = policy("keyed", Role::CiCheck).to_string();
    assert!(!text.contains("kms:") && !text.contains("GetSecretValue"), "{text}");
}

#[test]
fn a_rotator_creates_only_what_bears_our_tag_and_deletes_nothing_for_good() {
    let policy = policy("prod", Role::Rotator);
    let arn = secret("/mcp-demo/prod/app-AbC123");
    let creates = |tag: &[(&str, &str)]| allows(&policy, "secretsmanager:CreateSecret", &arn, tag);
    assert!(creates(&[("aws:RequestTag/vault-kit:managed", "mcp-demo/prod")]));
    assert!(!creates(&[("aws:RequestTag/vault-kit:managed", "mcp-demo/dev")]));
    assert!(!creates(&[]));
    // What was pruned from the manifest too, but only below the prefix.
    let near = [
        ("/mcp-demo/prod/app-AbC123", true),
        ("/mcp-demo/prod/gone-AbC123", true),
        ("/mcp-demo/prod2/app-AbC123", false),
    ];
    for (name, is_below) in near {
        let (ours, window) =
            (("aws:ResourceTag/vault-kit:managed", "mcp-demo/prod"), ("secretsmanager:RecoveryWindowInDays", "7"));
        let may = |action: &str, context: &[(&str, &str)]| {
            allows(&policy, &format!("secretsmanager:{action}"), &secret(name), context)
        };
        assert_eq!(may("DeleteSecret", &[ours, window]), is_below, "{name}");
        assert!(!may("DeleteSecret", &[ours]), "a forced deletion has no window");
        assert!(!may("DeleteSecret", &[window]), "what is not tagged is somebody else's");
        assert_eq!(may("RestoreSecret", &[ours]), is_below, "{name}");
        assert!(!may("RestoreSecret", &[("aws:ResourceTag/vault-kit:managed", "mcp-demo/dev")]));
    }
    // A secret that is not there yet has its name alone; it may be asked for, and nothing else.
    let bare = secret("/mcp-demo/prod/app");
    assert!(allows(&policy, "secretsmanager:DescribeSecret", &bare, &[]));
    assert!(!allows(&policy, "secretsmanager:GetSecretValue", &bare, &[]));
}

/// The statement about the key.
fn key(environment: &str, role: Role) -> Value {
    let policy = policy(environment, role);
    policy["Statement"].as_array().unwrap().iter().find(|it| it["Sid"] == "UseKey").cloned().unwrap_or_default()
}

#[test]
fn a_declared_key_is_used_through_secrets_manager_alone() {
    let alias = key("keyed", Role::Reader);
    assert_eq!(alias["Action"], serde_json::json!(["kms:Decrypt"]));
    assert_eq!(alias["Resource"], serde_json::json!(["arn:aws:kms:eu-west-1:222222222222:key/*"]));
    assert_eq!(
        alias["Condition"],
        serde_json::json!({
            "StringEquals": { "kms:ViaService": ["secretsmanager.eu-west-1.amazonaws.com"] },
            "ForAnyValue:StringEquals": { "kms:ResourceAliases": ["alias/app"] },
        })
    );
    assert_eq!(key("keyed", Role::Rotator)["Action"], serde_json::json!(["kms:Decrypt", "kms:GenerateDataKey"]));
    let resource = |environment: &str| key(environment, Role::Reader)["Resource"][0].as_str().map(str::to_owned);
    assert_eq!(resource("cn").as_deref(), Some("arn:aws-cn:kms:cn-north-1:333333333333:key/0d9b-key"));
    assert_eq!(resource("gov").as_deref(), Some("arn:aws-us-gov:kms:us-gov-west-1:555555555555:key/k"));
    assert_eq!(resource("shared").as_deref(), Some("arn:aws:kms:us-east-1:555555555555:key/*"));
    assert_eq!(
        key("shared", Role::Reader)["Condition"]["ForAnyValue:StringEquals"]["kms:ResourceAliases"][0],
        "alias/team"
    );
    assert!(key("own", Role::Rotator).is_null(), "the account's own key needs no grant");
    assert!(key("prod", Role::Rotator).is_null());
}

#[test]
fn an_arn_is_that_of_its_partition_and_prefix() {
    let first = |environment: &str| policy(environment, Role::Reader)["Statement"][0]["Resource"][0].clone();
    assert_eq!(first("cn"), "arn:aws-cn:secretsmanager:cn-north-1:333333333333:secret:/mcp-demo/cn/app-??????");
    assert_eq!(
        first("gov"),
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:444444444444:secret:/mcp-demo/gov/app-??????"
    );
    assert_eq!(first("keyed"), "arn:aws:secretsmanager:eu-west-1:222222222222:secret:live/app-??????");
    let all = policy("keyed", Role::Reader)["Statement"][0]["Resource"].as_array().unwrap().len();
    assert_eq!(all, 4, "two keys of a bundle are one secret, and what exists there alone is there");
}

#[test]
fn what_an_arn_needs_is_asked_for() {
    let refused = |aws: &str, secrets: &str| {
        let text = format!("project.name = \"p\"\n[environments.dev]\n{aws}\n[secrets]\n{secrets}\n");
        let manifest = crate::manifest::parse(&text, "m").unwrap();
        Policy::of(&manifest, &EnvName::new("dev").unwrap(), Role::Reader, false).map(drop).unwrap_err().to_string()
    };
    let secret = "A = { kind = \"uuid\", aws = \"a\" }";
    let account = "account = \"111111111111\"";
    assert_eq!(refused("", secret), "environment `dev` is not in AWS");
    assert_eq!(
        refused(&format!("aws = {{ {account} }}"), secret),
        "`environments.dev.aws.region` is absent, and ARNs need it"
    );
    assert_eq!(
        refused("aws = { region = \"eu-west-1\" }", secret),
        "`environments.dev.aws.account` is absent, and ARNs need it"
    );
    let aws = format!("aws = {{ {account}, region = \"eu-west-1\" }}");
    assert_eq!(refused(&aws, "A = { kind = \"uuid\" }"), "no secret of environment `dev` is in AWS");
    assert_eq!(
        refused(&aws.replace("eu-west-1", "us-isob-east-1"), secret),
        "the region is in a partition of AWS that vault-kit does not know"
    );
}

#[test]
fn blanks_do_not_count_for_the_size() {
    let manifest = crate::manifest::parse(MANIFEST, "m").unwrap();
    let policy = Policy::of(&manifest, &EnvName::new("prod").unwrap(), Role::Reader, false).unwrap();
    let pretty = serde_json::to_string_pretty(&policy).unwrap();
    assert_eq!(policy.size(), pretty.chars().filter(|letter| !letter.is_whitespace()).count());
}
