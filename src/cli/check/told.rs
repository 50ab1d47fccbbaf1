//! The report of `check` in each form.

use super::super::formats::{Format, Told};
use super::super::paste::Paste;
use super::super::session::Session;
use crate::check::Report;
use crate::error::Result;
use crate::report::{Frame, github, human, json, junit, sarif};

/// Makes its fixes work as they are where the user stands.
pub(super) fn complete(report: &mut Report, session: &Session<'_>) {
    let root = session.root.path();
    let paste = Paste::new(session.context);
    for finding in report.findings.iter_mut().chain(report.allowed.iter_mut().map(|it| &mut it.finding)) {
        finding.fix = paste.fix(&finding.fix, root);
    }
}

/// The report with what its renderings need besides.
pub(super) struct Judged<'a> {
    pub(super) report: &'a Report,
    pub(super) frame: &'a Frame,
}

impl Told for Judged<'_> {
    fn render(&self, format: Format, color: bool) -> Result<String> {
        match format {
            Format::Github => Ok(github::render(self.report, self.frame)),
            Format::Human => Ok(human::render(self.report, color)),
            Format::Json => json::render(self.report),
            Format::Junit => Ok(junit::render(self.report, self.frame)),
            Format::Sarif => sarif::render(self.report, self.frame),
        }
    }

    fn step_summary(&self) -> String {
        github::step_summary(self.report, self.frame)
    }
}
