//! Lines of delivered files that vault-kit did not write, and that have what leaked in them: nothing replaces those.

use std::collections::{BTreeMap, BTreeSet};

use super::super::session::Session;
use crate::emit::dotenv_lines;
use crate::gather::Gather;
use crate::hook;
use crate::incident::traces;
use crate::manifest::{Format, Output};
use crate::secret::Secret;
use crate::store::Store;
use crate::store::incidents::Incident;

/// The shortest value that is looked for: what is shorter stands in lines that do not mean it.
const SHORTEST: usize = 6;

/// What is left to do about them, as the files are now; never a value.
pub fn left(session: &Session<'_>, store: &Store, incident: &Incident) -> Vec<String> {
    of(session, store, incident).iter().map(|(path, lines)| traces::cure(path, lines)).collect()
}

/// The lines themselves, by file.
pub fn of(session: &Session<'_>, store: &Store, incident: &Incident) -> BTreeMap<String, BTreeSet<usize>> {
    let versions = incident.affected.iter().flat_map(|it| it.versions.iter().map(|id| (&it.secret, *id)));
    let versions = versions.filter_map(|(name, id)| store.version(name, id));
    let pieces = versions.flat_map(|version| version.parts.iter()).map(|(_, piece)| piece);
    let leaked: Vec<&Secret> = pieces.filter(|piece| piece.expose().len() >= SHORTEST).collect();
    let deliveries = incident.affected.iter().flat_map(|it| &it.deliveries);
    let files: BTreeMap<&str, &Output> =
        deliveries.filter_map(|it| Some((it.path.as_str(), session.manifest.outputs.get(&it.output)?))).collect();
    let of = |(path, output)| Some((String::from(path), of_file(session, (path, output), &leaked)?));
    files.into_iter().filter_map(of).gather()
}

fn of_file(session: &Session<'_>, (path, output): (&str, &Output), leaked: &[&Secret]) -> Option<BTreeSet<usize>> {
    if !matches!(output.format, Format::Dotenv { .. }) {
        return None;
    }
    let text = Secret::new(session.root.read(path).ok()??);
    if !hook::has_value(text.expose(), leaked) {
        return None;
    }
    // What the manifest delivers there is moved into the block, and replaced.
    let is_ours =
        |line: &[u8]| dotenv_lines::name(line).is_some_and(|name| output.secrets.iter().any(|it| it.as_str() == name));
    let lines = dotenv_lines::outside(text.expose()).into_iter();
    let lines = lines.filter(|(_, line)| !is_ours(line) && hook::has_value(line, leaked));
    let numbers: BTreeSet<usize> = lines.map(|(number, _)| number).collect();
    (!numbers.is_empty()).then_some(numbers)
}
