//! The few verbs of a remote secret store, and what can go wrong with each. AWS Secrets Manager speaks them.
//!
//! All verbs but the first three take many subjects and answer for each: how many requests that makes, how many are in
//! flight, and which are tried again is the implementation's business. Nothing here is asynchronous for its caller.

pub mod aws;
mod failure;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub use failure::{Answer, Cause, Failure};

use crate::few::Few;
use crate::secret::Secret;

/// The label of the version that is in force.
pub const CURRENT: &str = "AWSCURRENT";

/// The label under which a value is sent before it is in force.
pub const OWN_LABEL: &str = "vault-kit";

/// The label of the version that a rotation is about to put in force.
pub const PENDING: &str = "AWSPENDING";

/// The most bytes that a value may have.
pub const MOST_BYTES: usize = 65_536;

/// A secret as listings and descriptions tell of it: everything but its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The full name.
    pub name: String,
    /// The full ARN, with the six characters that AWS added.
    pub arn: String,
    /// The labels of each version that has some, by version id.
    pub versions: Few<Vec<String>>,
    /// When it was scheduled for deletion.
    pub deleted: Option<DateTime<Utc>>,
    /// When anything of it changed last.
    pub changed: Option<DateTime<Utc>>,
    /// Id, ARN or alias of its KMS key; `None` = the account's default.
    pub kms_key: Option<String>,
    /// Its tags.
    pub tags: Few<String>,
    /// Whether AWS rotates it.
    pub is_rotated: bool,
    /// The AWS service that made it and answers for it, or the partner type of a managed external secret.
    pub managed_by: Option<String>,
    /// The region of the primary, if this is a replica or has some.
    pub primary_region: Option<String>,
    /// Its replicas; only descriptions know them.
    pub replicas: Vec<Replica>,
}

impl Listed {
    /// The id of the version in force; `None` for a secret that has no value.
    pub fn current(&self) -> Option<&str> {
        self.labelled(CURRENT)
    }

    /// The id of the version that has a label.
    pub fn labelled(&self, label: &str) -> Option<&str> {
        let has_it = |labels: &Vec<String>| labels.iter().any(|it| it == label);
        self.versions.iter().find(|(_, labels)| has_it(labels)).map(|(id, _)| id)
    }
}

/// A copy of a secret in another region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replica {
    /// Such as `eu-west-1`.
    pub region: String,
    /// `InSync`, `InProgress` or `Failed`.
    pub status: String,
}

/// What a secret holds: text, or bytes that are no text.
#[derive(Debug, PartialEq, Eq)]
pub enum Content {
    /// `SecretString`.
    Text(Secret),
    /// `SecretBinary`.
    Binary(Secret),
}

impl Content {
    /// Text when the bytes are UTF-8, else binary.
    pub fn of(value: Secret) -> Self {
        if value.expose_text().is_some() { Self::Text(value) } else { Self::Binary(value) }
    }

    /// The bytes.
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Text(value) | Self::Binary(value) => value,
        }
    }

    /// The bytes, taken.
    pub fn into_secret(self) -> Secret {
        match self {
            Self::Text(value) | Self::Binary(value) => value,
        }
    }
}

/// A value that was read.
#[derive(Debug)]
pub struct Reading {
    /// The full name.
    pub name: String,
    /// The full ARN.
    pub arn: String,
    /// The id of the version that it is.
    pub version: String,
    /// When the version was made.
    pub created: Option<DateTime<Utc>>,
    /// What it holds.
    pub content: Content,
}

/// A listing, and what was read meanwhile.
#[derive(Debug, Default)]
pub struct ListedAndRead {
    /// What was listed, in the order of the names.
    pub listed: Vec<Listed>,
    /// The answer for each that was wanted, by full name.
    pub read: Vec<(String, Answer<Reading>)>,
}

/// A secret to be made.
#[derive(Debug)]
pub struct Creation<'a> {
    /// The full name.
    pub name: &'a str,
    /// `ClientRequestToken`, which becomes the version's id; 32 to 64 characters.
    pub token: &'a str,
    /// Its first value.
    pub content: &'a Content,
    /// For people.
    pub description: Option<&'a str>,
    /// KMS key; `None` = the account's default.
    pub kms_key: Option<&'a str>,
    /// Tags.
    pub tags: &'a BTreeMap<String, String>,
    /// Regions of replicas.
    pub replicas: &'a [String],
}

/// A value to be sent under [`OWN_LABEL`].
#[derive(Debug)]
pub struct Sending<'a> {
    /// The ARN.
    pub arn: &'a str,
    /// `ClientRequestToken`, which becomes the version's id.
    pub token: &'a str,
    /// The value.
    pub content: &'a Content,
}

/// A move of a label: compare-and-swap.
#[derive(Debug)]
pub struct Relabelling<'a> {
    /// The ARN.
    pub arn: &'a str,
    /// Which label.
    pub label: &'a str,
    /// The version that must have it now.
    pub from: Option<&'a str>,
    /// The version that gets it; `None` = none.
    pub to: Option<&'a str>,
}

/// Tags to be set on a secret, those of other names being left.
#[derive(Debug)]
pub struct Tagging<'a> {
    /// The ARN.
    pub arn: &'a str,
    /// The tags.
    pub tags: &'a BTreeMap<String, String>,
}

/// A remote store of secrets.
pub trait Remote {
    /// The account that the credentials belong to (STS `GetCallerIdentity`): twelve digits.
    fn account(&self) -> Answer<String>;

    /// Every secret whose name begins with `prefix`, those scheduled for deletion among them, in the order of their
    /// names (`ListSecrets`). May lag minutes behind: good for a plan, never for the decision to write.
    fn list(&self, prefix: &str) -> Answer<Vec<Listed>>;

    /// What [`list`](Self::list) tells, and the values in force of those that are wanted by what it tells of each, which are
    /// read while it goes on. A value that was read in vain does no harm; a listing that fails leaves none.
    fn list_and_read(&self, prefix: &str, is_wanted: &dyn Fn(&Listed) -> bool) -> Answer<ListedAndRead>;

    /// Secrets by ARN or full name (`DescribeSecret`); one that does not exist is [`Cause::Missing`].
    fn describe(&self, ids: &[&str]) -> Vec<Answer<Listed>>;

    /// The ids of all versions of secrets, those without labels among them, by ARN (`ListSecretVersionIds`).
    fn versions(&self, arns: &[&str]) -> Vec<Answer<Vec<String>>>;

    /// The values in force, by ARN or full name (`BatchGetSecretValue`; `GetSecretValue` where that is denied).
    fn read(&self, ids: &[&str]) -> Vec<Answer<Reading>>;

    /// The values of versions, by ARN and version id, whatever labels they have (`GetSecretValue`).
    fn read_versions(&self, versions: &[(&str, &str)]) -> Vec<Answer<Reading>>;

    /// Makes secrets (`CreateSecret`); a name that exists is [`Cause::Conflict`]. Answers with the ARN.
    fn create(&self, creations: &[Creation<'_>]) -> Vec<Answer<String>>;

    /// Sends values that are not in force yet (`PutSecretValue`). The same token with the same value again is fine,
    /// with another value it is [`Cause::Conflict`].
    fn send(&self, sendings: &[Sending<'_>]) -> Vec<Answer<()>>;

    /// Moves labels (`UpdateSecretVersionStage`); [`Cause::Conflict`] when `from` does not have the label.
    fn relabel(&self, relabellings: &[Relabelling<'_>]) -> Vec<Answer<()>>;

    /// The same in one request, for whoever looks himself when it is refused: [`Cause::Conflict`] also when the label is
    /// where it should be without us, and when it is held and `from` is `None`.
    fn try_relabel(&self, relabellings: &[Relabelling<'_>]) -> Vec<Answer<()>>;

    /// Tags secrets (`TagResource`).
    fn tag(&self, taggings: &[Tagging<'_>]) -> Vec<Answer<()>>;

    /// Schedules secrets for deletion after `days`, 7 to 30 (`DeleteSecret`).
    fn delete(&self, arns: &[&str], days: u8) -> Vec<Answer<()>>;

    /// Takes scheduled deletions back (`RestoreSecret`).
    fn restore(&self, arns: &[&str]) -> Vec<Answer<()>>;

    /// What time it was there with its last answer, to the second; `None` before the first one that told.
    fn clock(&self) -> Option<DateTime<Utc>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_force_is_the_one_with_its_label() {
        let mut listed = Listed::default();
        assert_eq!(listed.current(), None);
        let previous = ("a".to_owned(), vec!["AWSPREVIOUS".to_owned()]);
        listed.versions = vec![previous, ("b".to_owned(), vec![OWN_LABEL.to_owned(), CURRENT.to_owned()])].into();
        assert_eq!((listed.current(), listed.labelled("AWSPENDING")), (Some("b"), None));
    }

    #[test]
    fn only_what_is_no_text_is_binary() {
        assert!(matches!(Content::of(Secret::copy_of("ü".as_bytes())), Content::Text(_)));
        assert!(matches!(Content::of(Secret::copy_of(b"\xff")), Content::Binary(_)));
    }
}
