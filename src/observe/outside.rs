//! Names of ours that stand in a dotenv file outside our block.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;
use crate::check::facts::ExpectedFile;
use crate::emit::dotenv_block;
use crate::gather::Gather;
use crate::manifest::Format;
use crate::name::SecretName;
use crate::private_file::Root;
use crate::secret::Secret;
use crate::trust;

/// Those of each file, by path. Where nothing is ever rotated nothing is read.
pub fn look(subject: &Subject<'_>) -> BTreeMap<String, BTreeSet<SecretName>> {
    let is_rotated = subject.ledger.is_some_and(|ledger| ledger.header.due.is_some());
    let Some(root) = Root::open(subject.root).ok().filter(|_| is_rotated) else { return BTreeMap::new() };
    let of = |expected: &ExpectedFile| Some((expected.path.clone(), names(subject, &root, expected)?));
    subject.expected.iter().filter(|it| it.dotenv).filter_map(of).gather()
}

fn names(subject: &Subject<'_>, root: &Root, expected: &ExpectedFile) -> Option<BTreeSet<SecretName>> {
    let Format::Dotenv { dialect } = subject.manifest.outputs.get(&expected.output)?.format else { return None };
    let (root, path) = trust::for_output(root, &expected.path, subject.trusted).ok()?;
    let text = Secret::new(root.read(&path).ok()??);
    let names = dotenv_block::names_outside(&path, dialect, &text).into_iter();
    let names: BTreeSet<SecretName> =
        names.filter_map(|name| SecretName::new(name).ok()).filter(|name| expected.holds.contains_key(name)).collect();
    (!names.is_empty()).then_some(names)
}
