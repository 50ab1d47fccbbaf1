//! The least that AWS must allow for a manifest and environment, as an IAM policy. Pure: no SDK, no network.
//!
//! Secrets are named one by one, with the six characters that AWS puts behind each name as `??????`: a pattern that ends
//! in `*` would let `database/url` reach `database/url-replica` too.

mod place;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::manifest::Manifest;
use crate::name::EnvName;
use place::Place;

/// The most characters, blanks not counted, that a managed policy may have (IAM quotas).
pub const LONGEST: usize = 6_144;

/// The fewest days for which AWS keeps a deleted secret.
const FEWEST_DAYS: &str = "7";

/// Who the policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever reads values: a service, `sync pull`.
    Reader,
    /// Whoever changes them: `sync push`, rotation.
    Rotator,
    /// A pipeline that compares and must not see a value.
    CiCheck,
}

/// An identity-based policy.
#[derive(Debug, Serialize)]
pub struct Policy {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statements: Vec<Statement>,
}

/// Operator, key, values.
type Conditions = BTreeMap<&'static str, BTreeMap<&'static str, Vec<String>>>;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Conditions,
}

impl Statement {
    fn allow(sid: &'static str, actions: &[&'static str], resources: &[String]) -> Self {
        let condition = Conditions::new();
        Self { sid, effect: "Allow", action: actions.to_vec(), resource: resources.to_vec(), condition }
    }

    /// These actions take no resource, so that nothing but `*` can stand there (Service Authorization Reference).
    fn allow_on_all(sid: &'static str, action: &'static str) -> Self {
        Self::allow(sid, &[action], &["*".to_owned()])
    }

    fn when(mut self, operator: &'static str, key: &'static str, values: Vec<String>) -> Self {
        self.condition.entry(operator).or_default().insert(key, values);
        self
    }
}

impl Policy {
    /// The policy of a role; with `batches` also for the requests about many secrets at once, which take no resource. Without
    /// them every command does the same by one request a secret.
    pub fn of(manifest: &Manifest, environment: &EnvName, role: Role, batches: bool) -> Result<Self> {
        let place = Place::of(manifest, environment)?;
        let names = names(manifest, environment, &place)?;
        let secrets: Vec<String> = names.iter().map(|name| place.secret(&format!("{name}-??????"))).collect();
        let mut statements = match role {
            Role::Reader => reading(&secrets, &place),
            Role::Rotator => rotating(&secrets, &place),
            Role::CiCheck => vec![describing(&place)],
        };
        if batches && role != Role::CiCheck {
            // It reads nothing by itself: each secret in a batch takes the right to read that one.
            statements.push(Statement::allow_on_all("ReadInBatches", "secretsmanager:BatchGetSecretValue"));
        }
        if batches {
            // Names, labels and tags of all secrets of the account and region, and no value.
            statements.push(Statement::allow_on_all("List", "secretsmanager:ListSecrets"));
        }
        Ok(Self { version: "2012-10-17", statements })
    }

    /// How many characters IAM counts: all but blanks.
    pub fn size(&self) -> usize {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.chars().filter(|letter| !letter.is_whitespace()).count()
    }
}

/// The full names of everything that the environment has in AWS, each once: a bundle has many keys.
fn names(manifest: &Manifest, environment: &EnvName, place: &Place<'_>) -> Result<BTreeSet<String>> {
    let remote = manifest.secrets_in(environment).filter_map(|it| it.remote.as_ref());
    let names: BTreeSet<String> = remote.map(|it| format!("{}{}", place.prefix, it.path())).collect();
    if names.is_empty() {
        let message = format!("no secret of environment `{environment}` is in AWS");
        return Err(impossible(message).hint("give one a name there, such as `aws = \"database/url\"`"));
    }
    Ok(names)
}

fn impossible(message: impl Into<String>) -> Error {
    Error::new(Kind::Manifest, "policy-impossible", message)
}

fn reading(secrets: &[String], place: &Place<'_>) -> Vec<Statement> {
    let values = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];
    let mut statements = vec![Statement::allow("ReadValues", &values, secrets), describing(place)];
    statements.extend(decrypting(&["kms:Decrypt"], place));
    statements
}

/// What does not exist has no six characters, and whoever may not ask for it hears "denied" instead of "missing".
fn describing(place: &Place<'_>) -> Statement {
    Statement::allow("TellMissing", &["secretsmanager:DescribeSecret"], &[below(place)])
}

/// Everything below the prefix, also what the manifest does not name.
fn below(place: &Place<'_>) -> String {
    place.secret(&format!("{}*", place.prefix))
}

fn rotating(secrets: &[String], place: &Place<'_>) -> Vec<Statement> {
    let mut write = vec![
        "secretsmanager:GetSecretValue",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:PutSecretValue",
        "secretsmanager:TagResource",
        "secretsmanager:UpdateSecretVersionStage",
    ];
    if !place.aws.replicas.is_empty() {
        write.push("secretsmanager:ReplicateSecretToRegions");
        write.sort_unstable();
    }
    let below = [below(place)];
    let is_ours = |statement: Statement, key| statement.when("StringEquals", key, vec![place.owner.clone()]);
    let create = Statement::allow("CreateAsOurs", &["secretsmanager:CreateSecret"], secrets);
    let delete = Statement::allow("DeleteOursRecoverably", &["secretsmanager:DeleteSecret"], &below);
    let restore = Statement::allow("RestoreOurs", &["secretsmanager:RestoreSecret"], &below);
    let mut statements = vec![
        Statement::allow("ReadAndWrite", &write, secrets),
        is_ours(create, "aws:RequestTag/vault-kit:managed"),
        describing(place),
        // What is pruned is in the manifest no more: the tag says whose it is. A deletion without a window is final at once.
        is_ours(delete, "aws:ResourceTag/vault-kit:managed").when(
            "NumericGreaterThanEquals",
            "secretsmanager:RecoveryWindowInDays",
            vec![FEWEST_DAYS.to_owned()],
        ),
        is_ours(restore, "aws:ResourceTag/vault-kit:managed"),
    ];
    statements.extend(decrypting(&["kms:Decrypt", "kms:GenerateDataKey"], place));
    statements
}

/// The declared key, through Secrets Manager alone; the account's own key needs no grant.
fn decrypting(actions: &[&'static str], place: &Place<'_>) -> Option<Statement> {
    let key = place.key.as_ref()?;
    let resources = [key.arn.clone()];
    let statement =
        Statement::allow("UseKey", actions, &resources).when("StringEquals", "kms:ViaService", place.services());
    Some(match &key.alias {
        Some(alias) => statement.when("ForAnyValue:StringEquals", "kms:ResourceAliases", vec![alias.clone()]),
        None => statement,
    })
}

#[cfg(test)]
mod tests;
