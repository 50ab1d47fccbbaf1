//! Example files, which show no value that is in use.

use std::collections::BTreeMap;

use super::Observer;
use super::file::Tree;
use crate::check::NotChecked;
use crate::check::facts::Comparison;
use crate::check::placeholder::is_placeholder;
use crate::gather::Gather;
use crate::manifest::Declaration;
use crate::name::SecretName;

/// Files that are committed to show which variables there are.
const EXAMPLES: [&str; 4] = [".env.dist", ".env.example", ".env.sample", ".env.template"];

impl Observer<'_> {
    /// What each of the names has that are ours, by file. What cannot be read is `unseen`.
    pub(super) fn examples(
        &self,
        tree: &mut Tree,
        unseen: &mut Vec<NotChecked>,
    ) -> BTreeMap<String, BTreeMap<SecretName, Comparison>> {
        let mut examples = BTreeMap::new();
        for path in EXAMPLES {
            let bytes = match self.subject.committed(tree, path) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                Err(unread) => {
                    unseen.push(NotChecked { what: path.to_owned(), why: format!("it {}", unread.why) });
                    continue;
                }
            };
            let is_declared =
                |name: &SecretName| self.subject.manifest.secret(name).is_some_and(Declaration::is_stored);
            let values = self.values.in_example(&bytes).into_iter().filter(|(name, _)| is_declared(name));
            // A placeholder in an example is what it should be; in the store it is found by its own verdict.
            let telling = values.filter(|(_, value)| !is_placeholder(value.expose()));
            let compared = telling.map(|(name, value)| {
                let comparison = self.compare(path, &name, &value);
                (name, comparison)
            });
            examples.insert(path.to_owned(), compared.gather());
        }
        examples
    }
}
