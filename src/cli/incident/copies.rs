//! Other secrets that have the same value, here and in other environments: a leak of one is a leak of all.

use std::collections::{BTreeMap, BTreeSet};

use super::super::session::Session;
use crate::gather::Gather;
use crate::name::{EnvName, SecretName};
use crate::plan;
use crate::secret::digest::public_fingerprint;
use crate::store::files::StoreFiles;
use crate::store::identity::Identities;
use crate::store::incidents::Copy;
use crate::store::{Store, Version};

/// The copies by secret, and what could not be looked at. Hashes are made in memory alone.
pub fn of(
    session: &Session<'_>,
    identities: &Identities,
    store: &Store,
    names: &BTreeSet<SecretName>,
) -> (BTreeMap<SecretName, Vec<Copy>>, Vec<String>) {
    let mark =
        |version: &Version| version.parts.primary().map(|value| public_fingerprint(&session.manifest.project, value));
    let versions =
        names.iter().flat_map(|name| store.secrets.get(name).into_iter().flatten().map(move |it| (name, it)));
    let marks: BTreeMap<String, &SecretName> = versions.filter_map(|(name, it)| Some((mark(it)?, name))).gather();
    let (mut copies, mut unseen) = (BTreeMap::<SecretName, Vec<Copy>>::new(), Vec::new());
    let reached = plan::dependents(&session.manifest, names);
    let others = store.secrets.keys().filter(|it| !names.contains(*it) && !reached.contains(*it));
    for secret in others {
        let mark = store.current(secret).and_then(mark);
        if let Some(name) = mark.and_then(|mark| marks.get(&mark)) {
            copies.entry((*name).clone()).or_default().push(copy(&session.environment, secret));
        }
    }
    for other in session.manifest.environments.keys().filter(|it| **it != session.environment) {
        let files = StoreFiles::new(&session.root, session.state.clone(), other);
        match files.open(identities) {
            Ok(None) => {}
            Ok(Some(theirs)) => {
                for secret in theirs.secrets.keys() {
                    let mark = theirs.current(secret).and_then(mark);
                    if let Some(name) = mark.and_then(|mark| marks.get(&mark)) {
                        copies.entry((*name).clone()).or_default().push(copy(other, secret));
                    }
                }
            }
            Err(error) => {
                unseen.push(format!("whether environment `{other}` has the same value is not known: {error}"));
                let entries = files.ledger().ok().flatten().into_iter().flat_map(|ledger| ledger.secrets.into_values());
                for entry in entries {
                    if let Some(name) = entry.fingerprint.and_then(|mark| marks.get(&mark)) {
                        copies.entry((*name).clone()).or_default().push(copy(other, &entry.name));
                    }
                }
            }
        }
    }
    (copies, unseen)
}

fn copy(environment: &EnvName, secret: &SecretName) -> Copy {
    Copy { environment: environment.clone(), secret: secret.clone() }
}
