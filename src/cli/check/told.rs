//! The report of `check` in each form.

use super::super::formats::{Format, Told};
use crate::check::Report;
use crate::error::Result;
use crate::report::{Frame, github, human, json, junit, sarif};

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
