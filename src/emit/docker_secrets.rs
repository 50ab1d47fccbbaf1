//! One file a secret, exactly its bytes: what Docker mounts under `/run/secrets` and `NAME_FILE` points at.

use std::collections::BTreeMap;

use super::{EmittedFile, Values, primaries};
use crate::error::Result;
use crate::manifest::Output;
use crate::name::SecretName;

/// The files, named by `names` or else by the secret in lower case. No line break is added.
pub(super) fn emit(
    output: &Output,
    names: &BTreeMap<SecretName, String>,
    values: &Values<'_>,
) -> Result<Vec<EmittedFile>> {
    let file = |(name, value): (&SecretName, &crate::secret::Secret)| {
        let file = names.get(name).cloned().unwrap_or_else(|| name.as_str().to_ascii_lowercase());
        EmittedFile {
            path: format!("{}/{file}", output.path),
            bytes: value.duplicate(),
            public: false,
            holds: vec![name.clone()],
            shared: false,
        }
    };
    Ok(primaries(output, values)?.into_iter().map(file).collect())
}
