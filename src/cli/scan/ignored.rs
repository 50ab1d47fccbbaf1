//! The lines of `.vault-kit-ignore` where they count, and where they would.

use super::files::Files;
use crate::error::{Error, Result};
use crate::scan::ignore::{FILE, Ignores};

/// What may stand where it stands.
pub(super) fn lines(project: &Files<'_>) -> Result<Ignores> {
    let moved = |error: Error| match error.code() {
        "not-regular" => error.unhinted().hint(format!("move it aside: `mv {FILE} {FILE}.old`")),
        _ => error,
    };
    let Some(bytes) = project.read(FILE).map_err(moved)? else { return Ok(Ignores::default()) };
    Ignores::parse(&String::from_utf8_lossy(&bytes))
}

/// The lines that would count if git had them; those that are damaged would let nothing pass.
pub(super) fn unstaged(project: &Files<'_>) -> Ignores {
    let lying = project.staged.and_then(|_| project.session.root.read(FILE).ok().flatten());
    lying.and_then(|bytes| Ignores::parse(&String::from_utf8_lossy(&bytes)).ok()).unwrap_or_default()
}
