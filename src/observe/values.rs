//! What `check` asks whoever knows values.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::facts::ExpectedFile;
use crate::name::SecretName;
use crate::secret::Secret;

/// Finds the values in a file again, and knows them if the identity is at hand.
pub trait Values {
    /// The values in an output file by name, without one where its reader puts something else in the place of what stands there;
    /// `None` = its format is not read back.
    fn in_output(&self, expected: &ExpectedFile, bytes: &[u8]) -> Option<Vec<(SecretName, Option<Secret>)>>;

    /// The values in an example file, which has `NAME=value` lines.
    fn in_example(&self, bytes: &[u8]) -> Vec<(SecretName, Secret)>;

    /// Whether the value that `path` holds under a name is the current one; `None` = the identity is not at hand.
    fn is_current(&self, _path: &str, _name: &SecretName, _value: &Secret) -> Option<bool> {
        None
    }

    /// Whether a list of fingerprints is what it would be written as now, beside those of others; `None` = the identity is not
    /// at hand.
    fn is_whole_list(&self, _bytes: &[u8]) -> Option<bool> {
        None
    }

    /// Which of these files hold values of ours, and of which secrets, as `scan` finds them; `Err` = why nobody can tell.
    fn ours_in(&self, _paths: &BTreeSet<&str>) -> Result<Ours, String> {
        Ok(Ours::default())
    }
}

/// What was found where values of ours were looked for.
#[derive(Debug, Default)]
pub struct Ours {
    /// The secrets whose values are in a file, by its path.
    pub found: BTreeMap<String, BTreeSet<SecretName>>,
    /// Why nobody can tell what is in a file, by its path.
    pub unread: BTreeMap<String, String>,
}
