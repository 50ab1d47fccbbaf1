//! Files that were delivered, and that no output writes any more.

use super::foreign::{has_block, is_as_written};
use crate::private_file::Root;
use crate::secret::Secret;
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

/// Whether a delivered file is there and was changed since: whoever removes it may lose what is not ours. Of a dotenv file with nothing but
/// vault-kit's block all of it is.
pub fn is_changed(project: &Root, record: &DeliveredFile, trusted: bool) -> bool {
    let Ok((root, relative)) = trust::for_output(project, &record.file, trusted) else { return false };
    let Ok(Some(facts)) = root.facts(&relative) else { return false };
    let is_dotenv = record.form.as_ref().is_some_and(|form| form.starts_with("dotenv"));
    let is_block = || {
        let text = root.read(&relative).ok().flatten().map(Secret::new);
        text.is_some_and(|text| has_block(&text))
    };
    let is_ours = is_as_written(&facts, record) || is_dotenv && is_block();
    !is_ours
}
