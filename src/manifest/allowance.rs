//! Findings of `check` that are put up with for some time, as the manifest declares them.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::check::{Code, Finding};
use crate::name::{EnvName, SecretName};

/// A finding that is put up with; it names a secret, a file or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Its code.
    pub code: Code,
    /// The secret that it is about; `None` = any.
    pub secret: Option<SecretName>,
    /// The file that it is about; `None` = any.
    pub file: Option<String>,
    /// Why it is put up with.
    pub reason: String,
    /// The last day on which it is, in UTC.
    pub until: NaiveDate,
    /// The environments in which it is; `None` = all.
    pub environments: Option<BTreeSet<EnvName>>,
    /// Line in the manifest, from 1.
    pub line: usize,
}

impl Allowance {
    /// Whether it is about this finding, whatever the day.
    pub fn is_about(&self, finding: &Finding) -> bool {
        let is_of = |wanted: Option<&str>, found: Option<&str>| wanted.is_none() || wanted == found;
        self.code == finding.code
            && is_of(self.secret.as_ref().map(SecretName::as_str), finding.secret.as_ref().map(SecretName::as_str))
            && is_of(self.file.as_deref(), finding.file.as_deref())
    }

    /// Whether it holds in an environment.
    pub fn is_in(&self, environment: &EnvName) -> bool {
        self.environments.as_ref().is_none_or(|names| names.contains(environment))
    }

    /// What it is about, in backticks.
    pub fn subject(&self) -> String {
        let names = [self.secret.as_ref().map(SecretName::as_str), self.file.as_deref()];
        let names: Vec<String> = names.into_iter().flatten().map(|name| format!("`{name}`")).collect();
        names.join(" in ")
    }
}
