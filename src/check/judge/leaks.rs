//! What the commits of a range brought.

use super::Bench;
use crate::check::finding::{Code, Finding};

impl Bench<'_> {
    /// No commit that was searched has a value, or what looks like one.
    pub(super) fn leaks(&mut self) {
        let Some(searched) = &self.facts.searched else { return };
        self.verdict.looked_at.commits += searched.commits;
        self.verdict.not_checked.extend_from_slice(&searched.unseen);
        for leak in &searched.leaks {
            let code = if leak.is_certain { Code::Leaked } else { Code::LeakSuspected };
            let mut finding = Finding::new(code, &leak.message, &leak.fix);
            (finding.secret, finding.file, finding.line) = (leak.secret.clone(), leak.file.clone(), leak.line);
            self.verdict.findings.push(finding);
        }
    }
}
