//! What is committed of the outputs: those that the manifest alone decides, so that a clone can be held to it without any store; and
//! what lies beside them for the same reader.

use std::collections::BTreeMap;

use super::{Observer, beneath};
use crate::check::deployed::Document;
use crate::compose::flat;
use crate::emit::external_secret;
use crate::gather::Gather;
use crate::kubernetes::Object;
use crate::manifest::{Format, Output};

/// More files of a directory are not read.
const MOST_FILES: usize = 200;

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

    /// As [`crate::check::deployed::Deployed::objects`] has them.
    pub(super) fn objects(&self) -> BTreeMap<String, Vec<Object>> {
        let mut found = BTreeMap::new();
        for output in self.subject.manifest.outputs_in(self.subject.environment) {
            let mut path = output.path.as_str();
            let is_ours = matches!(output.format, Format::ExternalSecret(_)) && !path.starts_with('/');
            while is_ours && !path.is_empty() {
                path = path.rsplit_once('/').map_or("", |(directory, _)| directory);
                found.entry(path.to_owned()).or_insert_with(|| self.objects_in(path));
            }
        }
        found
    }

    /// What cannot be read as YAML, such as a template of Helm, says nothing.
    fn objects_in(&self, directory: &str) -> Vec<Object> {
        let names = self.names(directory).unwrap_or_default().into_iter();
        let yaml = names.filter(|it| flat::is_yaml(it)).take(MOST_FILES);
        let mut objects = Vec::new();
        for path in yaml.map(|name| beneath(directory, &name)) {
            let bytes = self.content(&path).ok().flatten().unwrap_or_default();
            let has = |kind: &str| memchr::memmem::find(&bytes, kind.as_bytes()).is_some();
            if has("SecretStore") || has("ServiceAccount") {
                let documents = flat::documents(&bytes, &path).unwrap_or_default();
                objects.extend(documents.iter().filter_map(|it| Object::read(it)));
            }
        }
        objects
    }
}
