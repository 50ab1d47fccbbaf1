//! One JSON object (RFC 8259): names sorted, values as strings, two spaces, a line break at the end.

use super::{Values, cannot_carry, primaries};
use crate::error::{Error, Result};
use crate::manifest::Output;
use crate::secret::Secret;

/// Renders the object. A value that is not UTF-8 is refused: JSON has no bytes.
pub(super) fn render(output: &Output, values: &Values<'_>) -> Result<Secret> {
    let mut members = primaries(output, values)?;
    members.sort_unstable_by_key(|&(name, _)| name);
    // An escape takes up to six bytes for one.
    let size = members.iter().map(|(name, value)| name.as_str().len() + 6 * value.len() + 12).sum::<usize>();
    let mut bytes = Vec::with_capacity(size + 4);
    bytes.push(b'{');
    for (index, (name, value)) in members.iter().enumerate() {
        let text = value.expose_text().ok_or_else(|| {
            cannot_carry(output, name, "it is not UTF-8").hint("deliver it with `format = \"docker-secrets\"`")
        })?;
        bytes.extend_from_slice(if index == 0 { b"\n  \"" } else { b",\n  \"" });
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b"\": ");
        serde_json::to_writer(&mut bytes, text).map_err(|_| Error::bug("a text could not be written as JSON"))?;
    }
    bytes.extend_from_slice(if members.is_empty() { b"}\n" } else { b"\n}\n" });
    Ok(Secret::new(bytes))
}
