//! What a rendering needs besides the report: where things are declared, and what fails.

use std::collections::BTreeMap;

use crate::check::{Finding, Severity};
use crate::name::SecretName;

/// Where things are declared, seen from the top of the repository, and what fails the run.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The manifest, relative to its directory.
    pub manifest: String,
    /// The way from the top of the repository to the manifest's directory: empty, or with a slash at its end.
    pub prefix: String,
    /// The line in the manifest at which each secret is declared, from 1.
    pub lines: BTreeMap<SecretName, u32>,
    /// The least severity that fails.
    pub fail_on: Severity,
    /// Whether what could not be looked at fails too.
    pub strict: bool,
}

impl Frame {
    /// The file that a finding is shown in, from the top of the repository, and the line: where it is about no file, the
    /// place in the manifest that declares the secret.
    pub(super) fn place(&self, finding: &Finding) -> (String, Option<u32>) {
        match (&finding.file, &finding.secret) {
            (Some(file), _) => (self.below_top(file), finding.line),
            (None, Some(secret)) => (self.below_top(&self.manifest), self.lines.get(secret).copied()),
            (None, None) => (self.below_top(&self.manifest), None),
        }
    }

    /// Whether a finding fails the run.
    pub(super) fn fails(&self, finding: &Finding) -> bool {
        finding.severity >= self.fail_on
    }

    /// A path from the top of the repository; what lies beside the manifest's directory too.
    pub fn below_top(&self, file: &str) -> String {
        let (mut prefix, mut file) = (self.prefix.as_str(), file);
        while let Some(beside) = file.strip_prefix("../").filter(|_| !prefix.is_empty()) {
            prefix = prefix[..prefix.len() - 1].rfind('/').map_or("", |slash| &prefix[..=slash]);
            file = beside;
        }
        if file.starts_with('/') { file.to_owned() } else { format!("{prefix}{file}") }
    }
}
