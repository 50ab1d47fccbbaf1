//! The outputs whose files are switched together.

use std::collections::{BTreeMap, BTreeSet};

use super::places::Places;
use super::{FileReport, PreparedFile};
use crate::error::{Error, Result};
use crate::name::OutputName;
use crate::private_file::Member;
use crate::store::ledger::DeliveredFile;

/// Writes them, one output after the other.
pub(super) fn write(files: &[PreparedFile<'_>], places: &Places<'_>) -> Result<Vec<FileReport>> {
    let mut outputs: BTreeMap<&OutputName, Vec<&PreparedFile<'_>>> = BTreeMap::new();
    for it in files.iter().filter(|it| it.output.atomic) {
        outputs.entry(&it.output.name).or_default().push(it);
    }
    let mut reports = Vec::new();
    for files in outputs.into_values() {
        // The manifest lets all files of such an output lie in its directory.
        let (root, directory) = places.of(&files[0].output.path)?;
        let members = files.iter().map(|it| member(it)).collect::<Result<Vec<_>>>()?;
        let written = root.switch(directory, &members)?;
        reports.extend(files.iter().zip(written).map(|(it, written)| it.report(written.into())));
    }
    Ok(reports)
}

/// Removes the generations of directories whose links have gone: since they are plain files again, or since somebody
/// removed what no output has any more.
pub(super) fn end(
    files: &[PreparedFile<'_>],
    places: &Places<'_>,
    old: &BTreeMap<String, DeliveredFile>,
) -> Result<()> {
    let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
    let plain = files.iter().filter(|it| !it.output.atomic).filter_map(|it| parent(&it.file.path));
    let plain: BTreeSet<String> = plain.collect();
    for path in &plain {
        let (root, directory) = places.of(path)?;
        root.end_switching(directory)?;
    }
    let switched = files.iter().filter(|it| it.output.atomic).filter_map(|it| parent(&it.file.path));
    let known: BTreeSet<String> = switched.chain(plain).collect();
    let left: BTreeSet<String> = old.keys().filter_map(|path| parent(path)).collect();
    for path in left.difference(&known) {
        // No output writes there, so that it is not for this change to fail; `check` names what is left.
        let _ = places.of(path).and_then(|(root, directory)| root.end_switching(directory));
    }
    Ok(())
}

fn member<'a>(it: &'a PreparedFile<'_>) -> Result<Member<'a>> {
    let name = it.file.path.rsplit_once('/').map(|(_, name)| name);
    let name = name.ok_or_else(|| Error::bug("a file of an output of many has no directory"))?;
    Ok(Member { name, bytes: it.file.bytes.expose(), options: it.options.clone() })
}
