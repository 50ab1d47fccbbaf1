//! When a scheduled run has something to do: from the ledger alone, so that its first line can tell. Pure.

use chrono::{DateTime, Utc};

use super::programs::{self, Step};
use super::select::{self, Ready};
use crate::manifest::Manifest;
use crate::name::{EnvName, SecretName};
use crate::plan::due;
use crate::revocation::{self, refreshed_from};
use crate::store::ledger::{BesideState, Entry, Ledger};
use crate::store::rotations::Operation;

/// The next time; `None` = never.
pub fn due(ledger: &Ledger, manifest: &Manifest, environment: &EnvName) -> Option<DateTime<Utc>> {
    let updated = ledger.header.updated;
    let lists = revocation::delivered(manifest, environment);
    let secrets = ledger.secrets.values().filter_map(|entry| of_secret(entry, manifest, environment, &lists, updated));
    let reloads = ledger.header.reloads.values().map(|trouble| trouble.again().unwrap_or(updated));
    secrets.chain(reloads).chain(ledger.header.behind.then_some(updated)).min()
}

/// When there is something to do for one secret.
fn of_secret(
    entry: &Entry,
    manifest: &Manifest,
    environment: &EnvName,
    lists: &[SecretName],
    updated: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let declaration = manifest.secret(&entry.name).filter(|it| it.is_in(environment));
    let by_itself = declaration.is_some_and(|it| {
        select::ready(manifest, environment, it, programs::has(manifest, it, Step::Set)) == Ready::Yes
    });
    let is_next = |entry: &Entry| entry.beside.iter().any(|it| it.state == BesideState::Next);
    let term = |it| due::term(entry.into(), it, manifest.environments.get(environment));
    let due = declaration.and_then(term).filter(|_| by_itself && entry.rotation.is_none() && !is_next(entry));
    let paused = entry.refused.as_ref().and_then(|it| it.again_there());
    let after_pause = |at: DateTime<Utc>| paused.map_or(at, |paused| paused.max(at));
    let due = due.map(|due| due.next(after_pause(updated)));
    let going = entry.rotation.as_deref().map(Operation::next).map(after_pause);
    let beside = entry.beside.iter().map(|it| it.until);
    let lists = entry.next_update().filter(|_| lists.contains(&entry.name)).map(refreshed_from);
    due.into_iter().chain(going).chain(beside).chain(lists).min()
}
