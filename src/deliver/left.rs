//! Files that were delivered, and that no output writes any more.

use super::foreign::is_as_written;
use crate::private_file::Root;
use crate::store::ledger::{DeliveredFile, Ledger};
use crate::trust;

/// The paths to remove for nothing to be left of a delivered file.
///
/// There are none where another environment delivers that file and it is not as we wrote it: what is in it is theirs. Outside the
/// project only what is as we wrote it is ours, and only a trusted manifest may have us look there.
pub fn remains<'l>(
    project: &Root,
    record: &DeliveredFile,
    mut others: impl Iterator<Item = &'l Ledger>,
    trusted: bool,
) -> Vec<String> {
    let path = &record.file;
    let Ok((root, relative)) = trust::for_output(project, path, trusted) else { return Vec::new() };
    let Ok(facts) = root.facts(&relative) else { return Vec::new() };
    let is_outside = path.starts_with('/');
    let is_touched = facts.is_some_and(|facts| !is_as_written(&facts, record));
    if is_touched && (is_outside || others.any(|ledger| ledger.files.contains_key(path))) {
        return Vec::new();
    }
    let remains = root.remains(&relative).unwrap_or_default();
    if is_outside { remains.iter().map(|path| format!("/{path}")).collect() } else { remains }
}
