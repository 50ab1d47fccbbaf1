//! The previous value of a secret, delivered beside the current one for as long as its `overlap`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Prepared;
use crate::companions;
use crate::emit::Value;
use crate::manifest::{Declaration, Format, Output};
use crate::name::{SecretName, VersionId};
use crate::store::ledger::DeliveredFile;
use crate::store::{Store, Version};
use crate::world::World;

/// An output with the previous values that it carries now.
pub(super) struct Overlapping<'a> {
    /// The output, with their names and files.
    pub(super) output: Cow<'a, Output>,
    /// What stands under those names.
    previous: BTreeMap<SecretName, (&'a Declaration, &'a Version)>,
}

impl Overlapping<'_> {
    /// The previous values by the names that they are delivered under.
    pub(super) fn values(&self) -> impl Iterator<Item = (&SecretName, Value<'_>)> {
        self.previous.iter().map(|(name, (declaration, version))| {
            let value = Value { kind: &declaration.kind, parts: &version.parts, lists: None, roots: None };
            (name, value)
        })
    }

    /// The version that is delivered under such a name.
    pub(super) fn version(&self, name: &SecretName) -> Option<VersionId> {
        self.previous.get(name).map(|(_, version)| version.id)
    }
}

/// Adds the previous values to an output of values: `X_PREVIOUS` right behind `X`.
pub(super) fn with_previous<'a>(world: &'a World<'_>, store: &'a Store, output: &'a Output) -> Overlapping<'a> {
    let mut overlapping = Overlapping { output: Cow::Borrowed(output), previous: BTreeMap::new() };
    if !output.format.carries_previous() {
        return overlapping;
    }
    for (index, name) in output.secrets.iter().enumerate() {
        let declared = world.manifest.secret(name).filter(|it| it.is_in(world.environment));
        let found = declared.and_then(|it| Some((it, companions::previous(world.manifest, it, store, world.now)?)));
        let Some(((declaration, version), beside)) = found.zip(name.previous()) else { continue };
        let owned = overlapping.output.to_mut();
        owned.secrets.insert(index + 1 + overlapping.previous.len(), beside.clone());
        if let Format::DockerSecrets { files } = &mut owned.format {
            files.insert(beside.clone(), output.previous_file(name));
        }
        if let Format::KubernetesSecret(object) = &mut owned.format {
            object.name_previous(name, &beside);
        }
        overlapping.previous.insert(beside, (declaration, version));
    }
    overlapping
}

impl Prepared<'_> {
    /// The delivered files of previous values whose time is over.
    pub(super) fn ended(&self, world: &World<'_>, old: &BTreeMap<String, DeliveredFile>) -> Vec<String> {
        let written: BTreeSet<&str> = self.files.iter().map(|it| it.file.path.as_str()).collect();
        let is_there = |path: &str| {
            let facts = self.places.of(path).and_then(|(root, path)| root.facts(path));
            matches!(facts, Ok(Some(_)))
        };
        let is_ended = |record: &&DeliveredFile| {
            let mut outputs = world.manifest.outputs_in(world.environment);
            let output = outputs.find(|output| output.name == record.output);
            let path = record.file.as_str();
            let output = output.filter(|output| !self.aside.contains(&output.name));
            output.is_some_and(|output| is_previous(record, output)) && !written.contains(path) && is_there(path)
        };
        old.values().filter(is_ended).map(|record| record.file.clone()).collect()
    }
}

/// Whether a file of its own holds nothing but the previous value of one of the output's secrets.
fn is_previous(record: &DeliveredFile, output: &Output) -> bool {
    let is_one = |held: &SecretName| output.secrets.iter().any(|name| name.previous().as_ref() == Some(held));
    matches!(output.format, Format::DockerSecrets { .. })
        && !record.holds.is_empty()
        && record.holds.keys().all(|held| !output.secrets.contains(held) && is_one(held))
}
