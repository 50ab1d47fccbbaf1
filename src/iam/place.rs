//! Where an environment is in AWS, as ARNs have it.

use super::impossible;
use crate::error::Result;
use crate::manifest::Manifest;
use crate::manifest::model::Aws;
use crate::name::EnvName;
use crate::sync::place::owner;

/// The partitions of the regions whose names begin so. Isolated partitions have endpoints of their own and are not known.
const PARTITIONS: [(&str, &str); 2] = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")];

/// Beginnings of regions in partitions that are not known here.
const UNKNOWN: [&str; 5] = ["us-iso-", "us-isob-", "us-isof-", "eu-isoe-", "eusc-"];

/// The alias of the key that every account has.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";

/// An environment's account, region and key.
pub(super) struct Place<'a> {
    pub(super) aws: &'a Aws,
    pub(super) prefix: String,
    /// The value of the tag that says whose a secret is.
    pub(super) owner: String,
    pub(super) key: Option<Key>,
    partition: &'static str,
    region: &'a str,
    account: &'a str,
}

/// A KMS key as a policy names it.
pub(super) struct Key {
    pub(super) arn: String,
    /// Policies know keys by id; an alias is a condition.
    pub(super) alias: Option<String>,
}

impl<'a> Place<'a> {
    pub(super) fn of(manifest: &'a Manifest, environment: &EnvName) -> Result<Self> {
        let aws = manifest.aws(environment).ok_or_else(|| {
            impossible(format!("environment `{environment}` is not in AWS")).hint(format!(
                "declare `aws = {{ account = \"…\", region = \"…\" }}` in `[environments.{environment}]`, or name another with `-e`"
            ))
        })?;
        let declared = |field: &'a Option<String>, key: &str, example: &str| {
            field.as_deref().ok_or_else(|| {
                impossible(format!("`environments.{environment}.aws.{key}` is absent, and ARNs need it"))
                    .hint(format!("add `{key} = \"{example}\"`"))
            })
        };
        let account = declared(&aws.account, "account", "123456789012")?;
        let region = declared(&aws.region, "region", "us-east-1")?;
        let mut place = Self {
            aws,
            prefix: aws.prefix_of(&manifest.project, environment),
            owner: owner(&manifest.project, environment),
            key: None,
            partition: partition(region)?,
            region,
            account,
        };
        place.key = aws.kms_key.as_deref().filter(|key| *key != DEFAULT_KEY).map(|key| place.key(key));
        Ok(place)
    }

    /// The ARN of a secret; `name` may have wildcards behind it.
    pub(super) fn secret(&self, name: &str) -> String {
        format!("arn:{}:secretsmanager:{}:{}:secret:{name}", self.partition, self.region, self.account)
    }

    /// Secrets Manager as KMS knows it. Which domain it has in China is not documented: whoever calls, it is one of both.
    pub(super) fn services(&self) -> Vec<String> {
        let domains: &[&str] =
            if self.partition == "aws-cn" { &["amazonaws.com", "amazonaws.com.cn"] } else { &["amazonaws.com"] };
        domains.iter().map(|domain| format!("secretsmanager.{}.{domain}", self.region)).collect()
    }

    /// A key by its id, ARN or alias.
    fn key(&self, text: &str) -> Key {
        let beside = |resource: &str| format!("arn:{}:kms:{}:{}:{resource}", self.partition, self.region, self.account);
        match text.strip_prefix("arn:").and_then(|_| text.split_once(":alias/")) {
            Some((owner, alias)) => Key { arn: format!("{owner}:key/*"), alias: Some(format!("alias/{alias}")) },
            None if text.starts_with("arn:") => Key { arn: text.to_owned(), alias: None },
            None if text.starts_with("alias/") => Key { arn: beside("key/*"), alias: Some(text.to_owned()) },
            None => Key { arn: beside(&format!("key/{text}")), alias: None },
        }
    }
}

fn partition(region: &str) -> Result<&'static str> {
    if UNKNOWN.iter().any(|start| region.starts_with(start)) {
        return Err(impossible("the region is in a partition of AWS that vault-kit does not know")
            .hint("write the policy of a region in `aws`, `aws-cn` or `aws-us-gov`, and change its ARNs"));
    }
    let known = PARTITIONS.iter().find(|(start, _)| region.starts_with(start));
    Ok(known.map_or("aws", |(_, partition)| partition))
}
