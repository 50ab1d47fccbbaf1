//! Values in the names of files: found like others, and never told with them.

use std::collections::BTreeMap;

use super::finding::{Finding, Within};
use super::stream::{Found, Place, Search, Worker};

/// What is told for a part of a path that has a value in it.
const MASK: &str = "…";

/// What is told of a value in a name begins with it.
const ITS_NAME: &str = "its name ";

impl Finding {
    /// Whether it is about the name of the file, and not about what is in it.
    pub fn is_in_name(&self) -> bool {
        self.message.starts_with(ITS_NAME)
    }
}

impl Worker<'_> {
    /// Looks through the name of a file, which git and archives take along too. What only looks like a credential is not
    /// looked for there.
    pub(super) fn name(&mut self, place: Place<'_>) {
        let before = self.found.findings.len();
        self.text(place.file.as_bytes(), place);
        let mut named = self.found.findings.split_off(before);
        for finding in &mut named {
            finding.message = format!("{ITS_NAME}{}", finding.message);
        }
        self.found.findings.append(&mut named);
    }

    fn has_value(&mut self, text: &str) -> bool {
        self.found.findings.clear();
        self.name(Place { file: text, commit: None, within: Within::File });
        !self.found.findings.is_empty()
    }

    /// The path without the parts that have a value in them; `None` where there is none.
    fn masked(&mut self, path: &str) -> Option<String> {
        if !self.has_value(path) {
            return None;
        }
        let parts: Vec<&str> = path.split('/').map(|part| if self.has_value(part) { MASK } else { part }).collect();
        let masked = parts.join("/");
        // A value may have the slash in it.
        Some(if self.has_value(&masked) { MASK.to_owned() } else { masked })
    }
}

impl Found {
    /// The same, with no value in the names of files.
    #[must_use]
    pub fn without_values(mut self, search: &Search<'_>) -> Self {
        let mut worker = Worker::new(search);
        let mut known = BTreeMap::new();
        let mut mask = |path: &str| known.entry(path.to_owned()).or_insert_with(|| worker.masked(path)).clone();
        for finding in &mut self.findings {
            if let Some(masked) = mask(&finding.file) {
                for text in [&mut finding.ignore, &mut finding.fix] {
                    *text = text.replace(&finding.file, &masked);
                }
                finding.file = masked;
            }
        }
        for unseen in &mut self.not_checked {
            if let Some(masked) = mask(&unseen.what) {
                unseen.why = unseen.why.replace(&unseen.what, &masked);
                unseen.what = masked;
            }
        }
        self
    }
}
