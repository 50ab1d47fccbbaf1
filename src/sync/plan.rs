//! What `sync` is going to do, to be looked at first: with the versions that it was found at, and never a value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::look::{Field, Item};
use super::push;
use crate::error::{Error, Kind, Result};
use crate::gather::Gather;
use crate::manifest::model::Aws;
use crate::name::{EnvName, SecretName, VersionId};
use crate::secret::digest::sha256_hex;

/// The version of the document.
pub const VERSION: u32 = 1;

/// The most names that a refusal tells.
const TOLD: usize = 3;

/// What a push or a pull is going to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "Sync plan"))]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// 1.
    pub schema_version: u32,
    /// The project's name.
    pub project: String,
    /// The environment.
    pub environment: EnvName,
    /// The id of the store; null where a pull is going to make it.
    pub store_id: Option<VersionId>,
    /// The AWS account: twelve digits.
    pub account: String,
    /// What the manifest says of the environment in AWS.
    pub settings: Settings,
    /// Which way.
    pub direction: Direction,
    /// Where both sides changed, the side that values are taken from prevails: `--ours` of a push, `--theirs` of a pull.
    pub prevails: bool,
    /// The secrets that it is about, as they were named; all of them when none is named.
    pub names: Vec<String>,
    /// The remote secrets that something is done with, in the order of their names.
    pub items: Vec<Planned>,
}

/// What decides, beside the secrets, where values go to and what is made there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The region, declared or of the machine where the plan was made.
    pub region: Option<String>,
    /// The prefix of all names.
    pub prefix: String,
    /// KMS key id, ARN or alias.
    pub kms_key: Option<String>,
    /// Regions that get a copy.
    pub replicas: Vec<String>,
    /// Tags besides our own.
    pub tags: BTreeMap<String, String>,
    /// The role that is taken.
    pub role_arn: Option<String>,
    /// The profile that is used.
    pub profile: Option<String>,
    /// Where AWS is, if that is declared.
    pub endpoint: Option<String>,
}

impl Settings {
    /// Those of an environment whose names have this prefix.
    pub fn of(aws: &Aws, prefix: &str, region: Option<String>) -> Self {
        let Aws { kms_key, replicas, tags, role_arn, profile, endpoint, .. } = aws;
        Self {
            region,
            prefix: prefix.to_owned(),
            kms_key: kms_key.clone(),
            replicas: replicas.clone(),
            tags: tags.clone(),
            role_arn: role_arn.clone(),
            profile: profile.clone(),
            endpoint: endpoint.clone(),
        }
    }
}

/// Which way values go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From here to AWS.
    Push,
    /// From AWS to here.
    Pull,
}

/// What is done with one remote secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Its full name.
    pub name: String,
    /// What is done.
    pub action: Action,
    /// Its ARN; null where it is not there yet.
    pub arn: Option<String>,
    /// The version that both sides agreed on last.
    pub base_version: Option<String>,
    /// The version that was in force there.
    pub version: Option<String>,
    /// For people; of one that is made.
    pub description: Option<String>,
    /// The key of each secret in a bundle, and nothing where one secret is the whole value.
    pub keys: BTreeMap<SecretName, String>,
    /// Digests of the settings that it holds: they have no versions, and are no secrets.
    pub fixed: BTreeMap<SecretName, String>,
    /// The versions here of what it holds; null for a setting, and for what has no value here.
    pub ours: BTreeMap<SecretName, Option<VersionId>>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made there.
    Create,
    /// It gets a new version there, in place of the one that was seen and of no other.
    Replace,
    /// Its value is taken from there.
    Take,
    /// Both sides have the same, and the store takes note of it.
    Note,
}

impl From<&push::Action> for Action {
    fn from(action: &push::Action) -> Self {
        match action {
            push::Action::Create => Self::Create,
            push::Action::Replace(_) => Self::Replace,
            push::Action::Note => Self::Note,
        }
    }
}

impl Planned {
    /// An item as it was found.
    pub fn of(item: &Item<'_>, action: Action) -> Self {
        let ours = item.fields.iter().map(|field| {
            let version = field.here.as_ref().and_then(|here| here.version);
            (field.declaration.name.clone(), version)
        });
        let of_bundle = item.fields.iter().filter(|field| !field.key.is_empty());
        let keys = of_bundle.map(|field| (field.declaration.name.clone(), field.key.to_owned()));
        let setting =
            |field: &Field<'_>| field.declaration.kind.setting(item.environment).map(|it| sha256_hex(it.as_bytes()));
        let fixed = item.fields.iter().filter_map(|it| Some((it.declaration.name.clone(), setting(it)?)));
        Self {
            name: item.place.name.clone(),
            action,
            arn: item.arn().map(str::to_owned),
            base_version: item.base.map(|base| base.version.clone()),
            version: item.version.map(str::to_owned),
            description: item.place.description().filter(|_| action == Action::Create).map(str::to_owned),
            keys: keys.gather(),
            fixed: fixed.gather(),
            ours: ours.gather(),
        }
    }
}

impl Plan {
    /// Reads the file `place`. Fails with `plan-invalid`.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let invalid = |what| {
            Error::new(Kind::Manifest, "plan-invalid", format!("`{place}` {what}"))
                .hint("make one with `vault-kit sync push --plan-out FILE`; `vault-kit schema sync-plan` describes it")
        };
        let plan: Self = serde_json::from_slice(bytes).map_err(|_| invalid("is no plan of `sync`"))?;
        if plan.schema_version == VERSION { Ok(plan) } else { Err(invalid("is a plan of another release")) }
    }

    /// The document.
    pub fn to_text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(|_| Error::bug("a plan cannot be written as JSON"))?;
        Ok(text + "\n")
    }

    /// Refuses with `plan-stale` a plan that was made for another project or environment.
    pub fn expect_project(&self, project: &str, environment: &EnvName) -> Result<()> {
        if self.project == project && self.environment == *environment {
            return Ok(());
        }
        let message = format!(
            "the plan is for environment `{}` of project `{}`, and this is `{environment}` of `{project}`",
            self.environment,
            self.project.escape_debug()
        );
        Err(stale(message).hint(format!("name the environment: `vault-kit -e {} sync apply FILE`", self.environment)))
    }

    /// Refuses with `plan-stale` unless what there is to do now is what was planned, no more and no less.
    pub fn expect(&self, now: &Self) -> Result<()> {
        if self == now {
            return Ok(());
        }
        if self.store_id != now.store_id {
            return Err(stale("the plan was made with another store").hint(AGAIN));
        }
        if self.account != now.account {
            return Err(stale("the plan was made for another AWS account").hint(AGAIN));
        }
        if self.settings != now.settings {
            let message = "the plan was made with other settings of the environment in AWS";
            return Err(stale(message).hint(AGAIN));
        }
        let mut names = self.differing(now);
        let more = names.len().saturating_sub(TOLD);
        names.truncate(TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Err(stale(format!("the plan is stale: {}{more} changed since", names.join(", "))).hint(AGAIN))
    }

    fn differing(&self, now: &Self) -> Vec<String> {
        let by_name = |plan: &'_ Self| plan.items.iter().map(|it| (it.name.clone(), it.clone())).gather();
        let (old, new): (BTreeMap<String, Planned>, BTreeMap<String, Planned>) = (by_name(self), by_name(now));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        differing.map(|name| format!("`{}`", name.escape_debug())).collect()
    }
}

const AGAIN: &str = "nothing was changed; plan again with `--plan-out`, and look at what is different";

fn stale(message: impl Into<String>) -> Error {
    Error::new(Kind::Conflict, "plan-stale", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let item = |name: &str| Planned {
            name: name.to_owned(),
            action: Action::Replace,
            arn: Some("arn".into()),
            base_version: Some("v1".into()),
            version: Some("v1".into()),
            description: None,
            keys: BTreeMap::from([(SecretName::new("A").unwrap(), "a".to_owned())]),
            fixed: BTreeMap::new(),
            ours: BTreeMap::from([(SecretName::new("A").unwrap(), Some(VersionId::from_random([1; 16])))]),
        };
        Plan {
            schema_version: VERSION,
            project: "shop".into(),
            environment: EnvName::new("prod").unwrap(),
            store_id: Some(VersionId::from_random([2; 16])),
            account: "123456789012".into(),
            settings: Settings { prefix: "/shop/prod/".into(), ..Settings::default() },
            direction: Direction::Push,
            prevails: false,
            names: vec![],
            items: ["/a", "/b", "/c", "/d", "/e"].map(item).into(),
        }
    }

    /// A way in which a plan can be another one.
    type Change = fn(&mut Plan);

    #[test]
    fn whatever_is_different_makes_a_plan_stale() {
        let changes: [(Change, &str); 14] = [
            (|it| it.store_id = None, "with another store"),
            (|it| it.account = "2".repeat(12), "another AWS account"),
            (|it| it.settings.kms_key = Some("alias/other".into()), "other settings"),
            (|it| it.settings.region = Some("us-east-1".into()), "other settings"),
            (|it| it.settings.tags = BTreeMap::from([("team".into(), "web".into())]), "other settings"),
            (|it| it.items[1].description = Some("another".into()), "`/b` changed"),
            (|it| it.items[1].keys.clear(), "`/b` changed"),
            (|it| it.items[1].action = Action::Note, "`/b` changed"),
            (|it| it.items[1].arn = None, "`/b` changed"),
            (|it| it.items[1].base_version = None, "`/b` changed"),
            (|it| it.items[1].version = Some("v2".into()), "`/b` changed"),
            (|it| it.items[1].ours.values_mut().for_each(|it| *it = None), "`/b` changed"),
            (|it| drop(it.items.remove(1)), "`/b` changed"),
            (|it| it.items.iter_mut().for_each(|it| it.version = None), "`/a`, `/b`, `/c` and 2 more changed"),
        ];
        assert!(plan().expect(&plan()).is_ok());
        for (change, words) in changes {
            let mut other = plan();
            change(&mut other);
            for error in [plan().expect(&other).unwrap_err(), other.expect(&plan()).unwrap_err()] {
                assert_eq!((error.code(), error.kind().code()), ("plan-stale", 7));
                assert!(error.to_string().contains(words), "{error}");
            }
        }
    }

    #[test]
    fn a_plan_reads_back_as_it_was_written_and_nothing_else_is_one() {
        let text = plan().to_text().unwrap();
        assert_eq!(Plan::parse(text.as_bytes(), "p").unwrap(), plan());
        let later = text.replace("\"schema_version\": 1", "\"schema_version\": 2");
        let more = text.replace("\"project\"", "\"value\": \"hunter2\", \"project\"");
        for text in ["", "{}", "hunter2", &later, &more] {
            let error = Plan::parse(text.as_bytes(), "p").unwrap_err();
            assert_eq!(error.code(), "plan-invalid");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test that may rewrite a file of the source tree")]
    fn the_shipped_schema_is_the_one_that_the_types_make() {
        let generated = serde_json::to_string_pretty(&schemars::schema_for!(Plan)).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/sync-plan.schema.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(path, &generated).unwrap();
            return;
        }
        let shipped = include_str!("../../schemas/sync-plan.schema.json");
        assert!(generated == shipped, "run `UPDATE_SCHEMAS=1 cargo test --lib schema` and commit schemas/");
    }
}
