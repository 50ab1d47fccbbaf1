//! The outputs that are committed and that the manifest alone decides: there, and as it says.

use super::Bench;
use crate::check::deployed::Document;
use crate::check::facts::GitFact;
use crate::check::finding::Code;

impl Bench<'_> {
    /// What a clone can be held to without any store. On a host, every file is.
    pub(super) fn documents(&mut self) {
        let facts = self.facts;
        let fix = format!("{}    # where its store is; then commit the file", self.command("render"));
        for (path, document) in facts.deployed.documents.iter().filter(|(path, _)| !is_kept_out(&facts.git, path)) {
            match document {
                Document::Read(true) => {}
                Document::Read(false) => {
                    self.about_file(Code::Stale, path, "does not say what the manifest says now", &fix);
                }
                Document::Absent => {
                    self.about_file(Code::Missing, path, "has not been written, or is not committed", &fix);
                }
                Document::Unseen(it) => self.not_checked(path, &it.why),
            }
        }
    }
}

/// Whether git ignores a file: it is written where it is deployed from.
fn is_kept_out(git: &GitFact, path: &str) -> bool {
    let GitFact::WorkTree { tracked, ignored, .. } = git else { return false };
    !tracked.contains(path) && ignored.get(path) == Some(&Some(true))
}
