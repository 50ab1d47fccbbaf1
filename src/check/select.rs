//! Which findings the user wants to hear of. What is left out is counted.

use std::collections::BTreeSet;

use super::finding::{Code, Finding, Report};

/// What is asked for; by default everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// These codes alone; empty = all.
    pub only: BTreeSet<Code>,
    /// All codes but these.
    pub skip: BTreeSet<Code>,
}

impl Selection {
    /// Takes out of a report what is not asked for, and counts it there.
    pub fn apply(&self, report: &mut Report) {
        let before = report.findings.len() + report.allowed.len();
        report.findings.retain(|finding| self.wants(finding));
        report.allowed.retain(|allowed| self.wants(&allowed.finding));
        report.left_out.codes += before - report.findings.len() - report.allowed.len();
    }

    fn wants(&self, finding: &Finding) -> bool {
        (self.only.is_empty() || self.only.contains(&finding.code)) && !self.skip.contains(&finding.code)
    }
}
