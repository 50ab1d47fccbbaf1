//! What is committed of the outputs: those that the manifest alone decides, so that a clone can be held to it without any store.

use std::collections::BTreeMap;

use super::Observer;
use crate::check::deployed::Document;
use crate::emit::external_secret;
use crate::gather::Gather;
use crate::manifest::{Format, Output};

impl Observer<'_> {
    /// As [`crate::check::deployed::Deployed::documents`] has them.
    pub(super) fn documents(&self) -> BTreeMap<String, Document> {
        let outputs = self.subject.manifest.outputs_in(self.subject.environment);
        // An absolute path leads out of the repository.
        let ours = outputs.filter(|it| !it.path.starts_with('/'));
        ours.filter_map(|it| Some((it.path.clone(), self.document(it)?))).gather()
    }

    fn document(&self, output: &Output) -> Option<Document> {
        let Format::ExternalSecret(it) = &output.format else { return None };
        Some(match self.content(&output.path) {
            Ok(None) => Document::Absent,
            Ok(Some(bytes)) => {
                let text = external_secret::render(output, it, self.subject.manifest, self.subject.environment);
                Document::Read(text.is_ok_and(|text| text.as_bytes() == bytes))
            }
            Err(why) => Document::Unseen(why),
        })
    }
}
