//! Which findings the user wants to hear of. What is left out is counted.

use std::collections::BTreeSet;

use super::finding::{Allowed, Code, Finding, Report};
use crate::name::SecretName;

/// What is asked for; by default everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// These codes alone; empty = all.
    pub only: BTreeSet<Code>,
    /// All codes but these.
    pub skip: BTreeSet<Code>,
    /// Findings about these alone; `None` = about all.
    pub changed: Option<Changed>,
}

/// What findings may be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Secrets and settings.
    pub secrets: BTreeSet<SecretName>,
    /// Files, as findings name them.
    pub files: BTreeSet<String>,
}

impl Selection {
    /// Takes out of a report what is not asked for, and counts it there.
    pub fn apply(&self, report: &mut Report) {
        report.left_out.codes += retain(report, |finding| self.wants_code(finding));
        if let Some(changed) = &self.changed {
            report.left_out.unchanged += retain(report, |finding| changed.is_about(finding));
        }
    }

    /// A code that is asked for and left out: who wants both would hear of nothing.
    pub fn contradiction(&self) -> Option<Code> {
        self.only.intersection(&self.skip).next().copied()
    }

    fn wants_code(&self, finding: &Finding) -> bool {
        (self.only.is_empty() || self.only.contains(&finding.code)) && !self.skip.contains(&finding.code)
    }
}

impl Changed {
    /// What is about nothing in particular is about everything.
    fn is_about(&self, finding: &Finding) -> bool {
        // What a commit brought is there, whether or not a later one took it away.
        if finding.code.is_of_commits() || finding.code.is_of_any_file() {
            return true;
        }
        let secret = finding.secret.as_ref().is_some_and(|name| self.secrets.contains(name));
        let file = finding.file.as_ref().is_some_and(|file| self.files.contains(file));
        secret || file || finding.secret.is_none() && finding.file.is_none()
    }
}

/// How many were taken out.
fn retain(report: &mut Report, wants: impl Fn(&Finding) -> bool) -> usize {
    let count = |report: &Report| report.findings.len() + report.allowed.len();
    let before = count(report);
    report.findings.retain(&wants);
    report.allowed.retain(|Allowed { finding, .. }| wants(finding));
    before - count(report)
}
