//! Lines of others that have what leaked: only the value finds them, so that the store is opened where there may be some.

use super::super::incident::traces;
use super::super::session::Session;
use super::values::FromDisk;
use crate::check::NotChecked;
use crate::check::facts::Facts;
use crate::check::finding::listed_paths;
use crate::emit::dotenv_lines;
use crate::secret::Secret;
use crate::store::identity::Identities;
use crate::store::ledger::Ledger;

/// Adds to the facts the lines of others that have what leaked, and the files in which nobody could look for it.
pub fn look(
    session: &Session<'_>,
    identities: Option<&Identities>,
    values: &FromDisk<'_>,
    ledger: &Ledger,
    facts: &mut Facts,
) {
    let suspected: Vec<&str> =
        ledger.header.leaked_into.iter().map(String::as_str).filter(|path| has_others(session, path)).collect();
    if suspected.is_empty() {
        return;
    }
    if identities.is_none() {
        let what = format!("lines of {} that vault-kit did not write", listed_paths(&suspected));
        let why = "only the identity can tell whether they have a value that leaked".to_owned();
        facts.unseen.push(NotChecked { what, why });
    }
    let incidents = values.store().into_iter().flat_map(|store| store.incidents.values().map(move |it| (store, it)));
    for (path, lines) in incidents.flat_map(|(store, incident)| traces::of(session, store, incident)) {
        facts.leaked_lines.entry(path).or_default().extend(lines);
    }
}

fn has_others(session: &Session<'_>, path: &str) -> bool {
    let text = session.root.read(path).ok().flatten().map(Secret::new);
    text.is_some_and(|text| dotenv_lines::outside(text.expose()).iter().any(|(_, line)| !line.trim_ascii().is_empty()))
}
