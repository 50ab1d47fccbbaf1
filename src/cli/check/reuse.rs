//! Values that two environments share although nobody drew them. No hash of such a value may be public, so that only who
//! opens both stores can compare them; they are opened only where both environments have such values.

use std::collections::BTreeMap;

use super::super::session::Session;
use super::values::FromDisk;
use crate::check::NotChecked;
use crate::check::facts::Facts;
use crate::check::finding::listed;
use crate::error::Result;
use crate::gather::Gather;
use crate::manifest::Manifest;
use crate::name::{EnvName, SecretName};
use crate::secret::digest::public_fingerprint;
use crate::store::Store;
use crate::store::files::StoreFiles;
use crate::store::identity::Identities;
use crate::store::ledger::Ledger;

/// The kinds of a single value that may have come by hand. Of certificates, tokens and templates the inputs are compared.
const KINDS: [&str; 8] =
    ["api-key", "encryption-key", "external", "keypair", "passphrase", "password", "random", "uuid"];

/// Adds to the facts which values of the ledger's environment another one has, and which could not be compared.
pub fn look(
    session: &Session<'_>,
    identities: Option<&Identities>,
    values: &FromDisk<'_>,
    ledger: &Ledger,
    facts: &mut Facts,
) {
    let own = unmarked(ledger, &session.manifest, &session.environment);
    if own.is_empty() {
        return;
    }
    for (other, ledger) in &facts.others {
        if unmarked(ledger, &session.manifest, other).is_empty() {
            continue;
        }
        match compare(session, identities, values, &own, other) {
            Ok(reused) => facts.reused.extend(reused),
            Err(why) => {
                facts
                    .unseen
                    .push(NotChecked { what: format!("reuse in environment {other} of {}", listed(&own)), why });
            }
        }
    }
}

/// The values that have no public fingerprint to be recognised by.
fn unmarked<'a>(ledger: &'a Ledger, manifest: &Manifest, environment: &EnvName) -> Vec<&'a SecretName> {
    let entries = ledger.secrets.values().filter(|entry| entry.fingerprint.is_none() && !entry.placeholder);
    let values = entries.filter(|entry| KINDS.contains(&entry.kind.as_str()));
    values.map(|entry| &entry.name).filter(|name| manifest.has_secret(name, environment)).collect()
}

/// Who in the `other` environment holds which of our `own` values; `Err` = why nobody can tell.
fn compare(
    session: &Session<'_>,
    identities: Option<&Identities>,
    values: &FromDisk<'_>,
    own: &[&SecretName],
    other: &EnvName,
) -> Result<BTreeMap<SecretName, (EnvName, SecretName)>, String> {
    let identities = identities.ok_or("nobody drew them, so that only the identity can compare them")?;
    let ours = values.store().ok_or("the store of this environment is not open")?;
    let theirs = StoreFiles::new(&session.root, session.state.clone(), other).open(identities);
    let theirs = theirs.map_err(|error| error.to_string())?.ok_or("its store is not there")?;
    // Hashes in memory alone: they are what makes equal values meet without comparing each with each.
    let mark = |store: &Store, name: &SecretName| {
        store.current(name)?.parts.primary().map(|value| public_fingerprint(&session.manifest.project, value))
    };
    let holders: BTreeMap<String, &SecretName> =
        theirs.secrets.keys().filter_map(|name| Some((mark(&theirs, name)?, name))).gather();
    let holder = |name: &SecretName| holders.get(&mark(ours, name)?).map(|&holder| (other.clone(), holder.clone()));
    Ok(own.iter().filter_map(|&name| Some((name.clone(), holder(name)?))).gather())
}
