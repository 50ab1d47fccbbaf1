//! Where a command works and with what, for everything that plans, makes and delivers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::manifest::{Declaration, Manifest};
use crate::name::{EnvName, SecretName};
use crate::private_file::Root;
use crate::secret::Secret;
use crate::secret::parts::Parts;
use crate::store::change::Change;
use crate::store::files::StoreFiles;
use crate::store::identity::Identities;
use crate::store::ledger::Ledger;

/// Where a command works, and with what.
#[derive(Debug)]
pub struct World<'a> {
    /// The project's directory.
    pub project: &'a Root,
    /// What is declared there.
    pub manifest: &'a Manifest,
    /// SHA-256 of the manifest's text, in hex.
    pub manifest_digest: &'a str,
    /// The environment at hand.
    pub environment: &'a EnvName,
    /// The store on disk.
    pub files: &'a StoreFiles<'a>,
    /// What opens it.
    pub identities: &'a Identities,
    /// The time of the change.
    pub now: DateTime<Utc>,
    /// What the user agreed to.
    pub consent: Consent,
    /// What stands against a file keeps only its output from being written, and is told: for a change that cannot wait.
    pub goes_on: bool,
    /// Hears of each change of the store once that is durable.
    pub log: fn(&Change),
}

/// What the user agreed to on the command line or with `vault-kit trust`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consent {
    /// Absolute paths and the like take effect.
    pub trusted: bool,
    /// What is not ours is replaced: files of another environment, files and lines that somebody else wrote.
    pub overwrite: bool,
    /// Lines for our names outside the block of a `.env` are taken over.
    pub adopt: bool,
    /// The clock may stand behind the store.
    pub clock: bool,
}

impl World<'_> {
    /// The ledgers of the other environments, as far as there are any. One that cannot be read is an error: whether
    /// a file is that environment's could not be told.
    pub fn other_ledgers(&self) -> Result<Vec<(&EnvName, Ledger)>> {
        let others = self.manifest.environments.keys().filter(|it| *it != self.environment);
        let ledger = |other| Ok(StoreFiles::new(self.project, None, other).ledger()?.map(|ledger| (other, ledger)));
        others.filter_map(|other| ledger(other).transpose()).collect()
    }
}

/// The settings among the declarations, as values that can be delivered.
pub fn settings<'d>(
    environment: &EnvName,
    declarations: impl IntoIterator<Item = &'d Declaration>,
) -> BTreeMap<SecretName, Parts> {
    let value = |declaration: &Declaration| {
        let text = declaration.kind.setting(environment)?;
        Some((declaration.name.clone(), Parts::value(Secret::copy_of(text.as_bytes()))))
    };
    declarations.into_iter().filter_map(value).collect()
}
