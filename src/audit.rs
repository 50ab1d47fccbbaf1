//! The append-only record of who did what, one JSON line a change, never a value.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::name::{EnvName, SecretName};
use crate::private_file::Root;
use crate::store::DIRECTORY;

/// How many names one line lists; beyond that it only counts them.
const NAMES_A_LINE: usize = 100;

/// One line.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// The user id that did it.
    pub uid: u32,
    /// The command, such as `set`.
    pub action: &'static str,
    /// In which environment.
    pub environment: &'a EnvName,
    /// The generation of the store afterwards.
    pub generation: u64,
    /// How many secrets it touched.
    pub count: usize,
    /// The first hundred of them.
    pub secrets: Vec<&'a SecretName>,
}

impl<'a> Record<'a> {
    /// A record of a change to these secrets by the user of this process.
    pub fn new(
        at: DateTime<Utc>,
        action: &'static str,
        environment: &'a EnvName,
        generation: u64,
        secrets: &'a [SecretName],
    ) -> Self {
        let uid = rustix::process::getuid().as_raw();
        let listed = secrets.iter().take(NAMES_A_LINE).collect();
        Self { at, uid, action, environment, generation, count: secrets.len(), secrets: listed }
    }

    /// Appends it to `.vault-kit/audit.jsonl`.
    pub fn append(&self, project: &Root) -> Result<()> {
        let mut line = serde_json::to_vec(self).map_err(|_| Error::bug("an audit record cannot be written as JSON"))?;
        line.push(b'\n');
        project.append_line(&format!("{DIRECTORY}/audit.jsonl"), &line, 0o600)
    }
}
