//! Where in AWS the secrets of a sound manifest are.

use super::*;
use crate::manifest::model::RemotePlace;

const MAPPED: &str = r#"
project.name = "mcp-demo"
[environments.dev]
[environments.staging]
aws = { account = "222222222222", region = "us-east-1" }
[environments.prod.aws]
account = "333333333333"
region = "us-east-1"
prefix = "live/"
replicas = ["eu-west-1"]
tags = { team = "data platform", "cost:centre" = "" }
recovery_window = "7d"
stale_after = "24h"
[secrets]
DATABASE_URL = { kind = "uuid", aws = "database/url", environments = ["staging", "prod"] }
OLD_URL = { kind = "uuid", aws = "Database/Url", environments = ["dev"] }
JWT = { kind = "random", aws = "application/jwt-secret" }
LOG_LEVEL = { kind = "setting", value = "info", bundle = "app", bundle_key = "log.level" }
PASSWORD = { kind = "password", bundle = "app" }
TLS = { kind = "certificate", issuer = "self", dns = ["localhost"], aws = "tls" }
LOCAL = { kind = "uuid" }
"#;

fn warnings(text: &str) -> Vec<(usize, String)> {
    parse(text, "m").unwrap().warnings.into_iter().map(|warning| (warning.line, warning.message)).collect()
}

#[test]
fn a_secret_is_one_of_its_own_or_a_key_of_a_bundle_below_the_prefix() {
    let meeting = MAPPED.replace("environments = [\"dev\"]", "environments = [\"staging\"]");
    assert!(parse(&meeting, "m").is_err(), "names that differ by case are told apart by their environments alone");
    let manifest = parse(MAPPED, "m").unwrap();
    assert_eq!(manifest.warnings, []);
    let place = |name: &str| manifest.secrets[name].remote.clone();
    let own = |path: &str| Some(RemotePlace::Secret { path: path.to_owned() });
    let key = |key: &str| Some(RemotePlace::Key { bundle: "app".to_owned(), key: key.to_owned() });
    assert_eq!(place("DATABASE_URL"), own("database/url"));
    // A word behind a hyphen is no part of an ARN as long as nothing has the name before it.
    assert_eq!(place("JWT"), own("application/jwt-secret"));
    assert_eq!((place("LOG_LEVEL"), place("PASSWORD")), (key("log.level"), key("PASSWORD")));
    assert_eq!((place("TLS"), place("LOCAL")), (own("tls"), None));
    let environment = |name: &str| (EnvName::new(name).unwrap(), manifest.environments[name].aws.clone());
    let (staging, aws) = environment("staging");
    assert_eq!(aws.unwrap().prefix_of(&manifest.project, &staging), "/mcp-demo/staging/");
    let (prod, aws) = environment("prod");
    let aws = aws.unwrap();
    assert_eq!(aws.prefix_of(&manifest.project, &prod), "live/");
    assert_eq!((aws.replicas.as_slice(), aws.tags["team"].as_str()), (&["eu-west-1".to_owned()][..], "data platform"));
    assert_eq!((aws.recovery_window, aws.stale_after), (Some(Period::days(7)), Some(Period::hours(24))));
}

#[test]
fn a_name_is_as_long_as_aws_takes_it_with_its_prefix() {
    let manifest = |length: usize| {
        let path = "a".repeat(length);
        format!(
            "project.name = \"p\"\n[environments.prod.aws]\naccount = \"123456789012\"\nregion = \"x-1\"\n[secrets]\nA = {{ kind = \"uuid\", aws = \"{path}\" }}\n"
        )
    };
    let prefix = "/p/prod/".len();
    assert!(parse(&manifest(512 - prefix), "m").is_ok());
    for length in [512 - prefix + 1, 512] {
        let issues = parse(&manifest(length), "m").map(drop).unwrap_err().issues;
        assert_eq!(issues.len(), 1, "{issues:?}");
    }
}

#[test]
fn forty_tags_are_ours_to_give() {
    let manifest = |count: usize| {
        let tags: Vec<String> = (0..count).map(|number| format!("t{number} = \"\"")).collect();
        format!(
            "project.name = \"p\"\n[environments.prod.aws]\naccount = \"123456789012\"\ntags = {{ {} }}\n",
            tags.join(", ")
        )
    };
    assert!(parse(&manifest(40), "m").is_ok());
    assert_eq!(
        parse(&manifest(41), "m").unwrap_err().issues[0].message,
        "`environments.prod.aws.tags` has more than 40 tags"
    );
}

#[test]
fn what_may_not_be_meant_is_a_warning() {
    let secret = "[secrets]\nA = { kind = \"uuid\", aws = \"a\" }\n";
    assert_eq!(
        warnings(&format!("project.name = \"p\"\n{secret}")),
        [(3, "`secrets.A.aws` has no effect: no environment has `aws`".to_owned())]
    );
    let account = "account = \"123456789012\"";
    assert_eq!(
        warnings(&format!("project.name = \"p\"\n[environments]\nprod.aws = {{ {account} }}\n{secret}")),
        [(5, "`environments.prod.aws.region` is absent, and `secrets.A.aws` is in AWS there".to_owned())]
    );
    let two = |first: &str, second: &str| {
        let aws = |prefix: &str, region: &str| format!("{{ {account}, region = \"{region}\", prefix = \"{prefix}\" }}");
        let (one, other) = (aws("/a/", "eu-west-1"), aws(first, second));
        warnings(&format!("project.name = \"p\"\n[environments]\ndev.aws = {one}\nprod.aws = {other}\n{secret}"))
    };
    let shared = [(6, "environments `dev` and `prod` share a prefix in AWS".to_owned())];
    assert_eq!(two("/a/", "eu-west-1"), shared);
    assert_eq!(two("/a/b/", "eu-west-1"), shared);
    assert_eq!(two("/a/", "us-east-1"), []);
    assert_eq!(two("/ab/", "eu-west-1"), []);
}

#[test]
fn ten_thousand_keys_of_one_bundle_parse() {
    use std::fmt::Write as _;
    let mut text = String::from("project.name = \"p\"\n[secrets]\n");
    for number in 0..10_000 {
        writeln!(text, "S{number} = {{ kind = \"uuid\", bundle = \"app\" }}").unwrap();
    }
    assert_eq!(parse(&text, "m").unwrap().secrets.len(), 10_000);
    let doubled = text.replace(" }", ", bundle_key = \"k\" }");
    assert_eq!(parse(&doubled, "m").map(drop).unwrap_err().issues.len(), 9_999);
}
