//! One file a secret, exactly its bytes: what Docker mounts under `/run/secrets` and `NAME_FILE` points at.

use super::{EmittedFile, Values, primaries};
use crate::error::Result;
use crate::manifest::Output;
use crate::name::SecretName;

/// The files. No line break is added.
pub(super) fn emit(output: &Output, values: &Values<'_>) -> Result<Vec<EmittedFile>> {
    let file = |(name, value): (&SecretName, &crate::secret::Secret)| EmittedFile {
        path: output.file_of(name),
        bytes: value.duplicate(),
        public: false,
        holds: vec![name.clone()],
        shared: false,
        digested: false,
    };
    Ok(primaries(output, values)?.into_iter().map(file).collect())
}
