//! Finds values in files again, for `check`; opens the store only when a file changed since it was written.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::super::scan;
use super::super::session::Session;
use crate::check::facts::ExpectedFile;
use crate::companions;
use crate::emit::dotenv_read::{self, Entry};
use crate::emit::json_read;
use crate::error::{Error, Result};
use crate::manifest::{Format, Output};
use crate::name::SecretName;
use crate::observe::{Ours, Values};
use crate::scan::fingerprints::Document as Fingerprints;
use crate::secret::Secret;
use crate::store::identity::Identities;
use crate::store::{Store, Version};

/// Reads files back as the manifest declares them.
pub struct FromDisk<'a> {
    session: &'a Session<'a>,
    identities: Option<&'a Identities>,
    trusted: bool,
    /// The store, opened when it is first asked.
    store: OnceCell<Option<Store>>,
    /// What each file should hold byte for byte.
    contents: OnceCell<BTreeMap<String, Secret>>,
    failed: RefCell<Option<Error>>,
}

impl<'a> FromDisk<'a> {
    /// A reader that knows the true values when an identity is at hand; `trusted` are the manifest's absolute paths.
    pub fn new(session: &'a Session<'a>, identities: Option<&'a Identities>, trusted: bool) -> Self {
        Self {
            session,
            identities,
            trusted,
            store: OnceCell::new(),
            contents: OnceCell::new(),
            failed: RefCell::new(None),
        }
    }

    /// Fails when the store had to be opened and could not be.
    pub fn result(&self) -> Result<()> {
        self.failed.borrow_mut().take().map_or(Ok(()), Err)
    }

    /// The store; `None` without the identity, and when there is none or it cannot be opened, which `result` tells.
    pub fn store(&self) -> Option<&Store> {
        let identities = self.identities?;
        let open = || self.or_failed(self.session.files().open(identities)).flatten();
        self.store.get_or_init(open).as_ref()
    }

    fn contents(&self) -> Option<&BTreeMap<String, Secret>> {
        let (identities, store) = (self.identities?, self.store()?);
        Some(self.contents.get_or_init(|| self.or_failed(self.emitted(identities, store)).unwrap_or_default()))
    }

    fn emitted(&self, identities: &Identities, store: &Store) -> Result<BTreeMap<String, Secret>> {
        let files = self.session.files();
        let mut world = self.session.world(&files, identities, true)?;
        // What should be there is asked, not whether it may be written.
        world.consent.overwrite = true;
        world.contents(store)
    }

    /// The version that is delivered under the name of a previous value.
    fn previous<'s>(&self, store: &'s Store, name: &SecretName) -> Option<&'s Version> {
        let (manifest, now) = (&self.session.manifest, self.session.context.now);
        companions::previous(manifest, manifest.of_previous(name)?, store, now)
    }

    fn or_failed<T>(&self, result: Result<T>) -> Option<T> {
        result.map_err(|error| *self.failed.borrow_mut() = Some(error)).ok()
    }

    /// Whether certificates and keys can be compared: byte for byte, which takes the store and every output emitted, also
    /// one on an absolute path.
    fn compares_bytes(&self) -> bool {
        let outputs = || self.session.manifest.outputs_in(&self.session.environment);
        let is_allowed = self.trusted || !outputs().any(|output| output.path.starts_with('/'));
        self.identities.is_some() && is_allowed && outputs().any(is_compared)
    }
}

impl Values for FromDisk<'_> {
    fn in_output(&self, expected: &ExpectedFile, bytes: &[u8]) -> Option<Vec<(SecretName, Option<Secret>)>> {
        let output = self.session.manifest.outputs.get(&expected.output)?;
        match &output.format {
            // What cannot be read holds none of our values: that is a finding, and not something left unchecked.
            Format::Dotenv { dialect } => Some(read(dotenv_read::read_as(*dialect, bytes))),
            Format::Json => Some(read(json_read::read(bytes))),
            Format::DockerSecrets { .. } => whole(expected, bytes),
            Format::KubernetesSecret(_) | Format::Pem { .. } if self.compares_bytes() => whole(expected, bytes),
            _ => None,
        }
    }

    fn in_example(&self, bytes: &[u8]) -> Vec<(SecretName, Secret)> {
        named(dotenv_read::read(bytes))
    }

    fn is_current(&self, path: &str, name: &SecretName, value: &Secret) -> Option<bool> {
        let is_there = |output: &Output| {
            path.strip_prefix(output.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.session.manifest.outputs.values().any(|output| is_compared(output) && is_there(output)) {
            return self.contents()?.get(path).map(|it| it == value);
        }
        let store = self.store()?;
        let version = store.current(name).or_else(|| self.previous(store, name));
        version?.parts.primary().map(|it| it == value)
    }

    fn is_whole_list(&self, bytes: &[u8]) -> Option<bool> {
        let Session { manifest, environment, .. } = self.session;
        let list = Fingerprints::beside(self.store()?, bytes, |name| manifest.has_secret(name, environment));
        Some(list.to_text().is_ok_and(|text| text.as_bytes() == bytes))
    }

    fn ours_in(&self, paths: &BTreeSet<&str>) -> Result<Ours, String> {
        scan::ours(self.session, paths).map_err(|error| error.to_string())
    }
}

/// Whether its files are compared byte for byte: what is in them is not the values alone.
fn is_compared(output: &Output) -> bool {
    matches!(output.format, Format::KubernetesSecret(_) | Format::Pem { .. })
}

fn whole(expected: &ExpectedFile, bytes: &[u8]) -> Option<Vec<(SecretName, Option<Secret>)>> {
    let name = expected.holds.keys().next()?;
    Some(vec![(name.clone(), Some(Secret::copy_of(bytes)))])
}

/// The values by name; without what its reader expands.
fn read(entries: Result<Vec<Entry>>) -> Vec<(SecretName, Option<Secret>)> {
    let entries = entries.unwrap_or_default().into_iter();
    let value = |entry: Entry| (!entry.expands).then_some(entry.value);
    entries.filter_map(|entry| Some((SecretName::new(entry.name.as_str()).ok()?, value(entry)))).collect()
}

fn named(entries: Result<Vec<Entry>>) -> Vec<(SecretName, Secret)> {
    let entries = entries.unwrap_or_default().into_iter();
    entries.filter_map(|entry| Some((SecretName::new(entry.name).ok()?, entry.value))).collect()
}
