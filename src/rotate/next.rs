//! When a scheduled run has something to do: from the ledger alone, so that its first line can tell. Pure.

use chrono::{DateTime, Utc};

use super::programs::{self, Step};
use super::select::{self, Ready};
use crate::manifest::Manifest;
use crate::name::{EnvName, SecretName};
use crate::plan::due::{self, Due};
use crate::revocation::{self, refreshed_from};
use crate::store::CLOCK_TOLERANCE;
use crate::store::ledger::{Beside, BesideState, Entry, Header, Ledger};
use crate::store::rotations::Operation;

/// Whether a ledger's first line tells that nothing is due at `now`, by a clock that does not stand behind what it knows.
pub fn is_nothing(header: &Header, now: DateTime<Utc>) -> bool {
    let is_later = !header.behind && header.due.is_none_or(|due| due > now);
    let newest = header.missed.map_or(header.updated, |missed| missed.max(header.updated));
    is_later && now + CLOCK_TOLERANCE >= newest
}

/// The next time as it is known at `now`, and whether it is later than it was, since a window was missed; `None` = never.
///
/// It follows from the store's newest time, so that the same store has the same ledger. Only where nothing but windows that
/// passed is due by then, it is the next one of those.
pub fn due(
    ledger: &Ledger,
    manifest: &Manifest,
    environment: &EnvName,
    now: DateTime<Utc>,
) -> (Option<DateTime<Utc>>, bool) {
    let updated = ledger.header.updated;
    let due = due_from(ledger, manifest, environment, updated);
    let later = || due_from(ledger, manifest, environment, updated.max(now));
    match due.filter(|due| *due <= now).and_then(|_| later()).filter(|later| *later > now) {
        Some(later) => (Some(later), true),
        None => (due, false),
    }
}

/// The first time not before `at` at which there is something to do that a window keeps.
fn due_from(ledger: &Ledger, manifest: &Manifest, environment: &EnvName, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let lists = revocation::delivered(manifest, environment);
    let leaks = |entry: &Entry| {
        entry.banned && manifest.secret(&entry.name).is_some_and(|it| select::leaks(it, |name| is_banned(ledger, name)))
    };
    let leaks = |entry: &Entry| leaks(entry) || ledger.is_next_banned(entry);
    let of_secret = |entry: &Entry| of_secret((entry, leaks(entry)), manifest, environment, &lists, at);
    let secrets = ledger.secrets.values().filter_map(of_secret);
    let reloads = ledger.header.reloads.values().map(|trouble| trouble.again().unwrap_or(at));
    secrets.chain(reloads).chain(ledger.header.behind.then_some(at)).min()
}

/// When there is something to do for one secret.
fn of_secret(
    (entry, leaks): (&Entry, bool),
    manifest: &Manifest,
    environment: &EnvName,
    lists: &[SecretName],
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let declaration = manifest.secret(&entry.name).filter(|it| it.is_in(environment));
    let by_itself = declaration.is_some_and(|it| {
        let is_cut = leaks && select::is_ahead(manifest, environment, it);
        !is_cut && select::ready(manifest, environment, it, programs::has(manifest, it, Step::Set)) == Ready::Yes
    });
    let is_next = |entry: &Entry| entry.beside.iter().any(|it| it.state == BesideState::Next);
    let term = |it| due::term(entry.into(), it, manifest.environments.get(environment));
    let is_over = entry.rotation.as_ref().is_some_and(|it| leaks && (!it.is_open() || entry.tells_leaked));
    let term = |it| if leaks { Some(Due::at_once(entry.created)) } else { term(it) };
    let is_free = is_over || entry.rotation.is_none();
    let due = declaration.and_then(term).filter(|_| by_itself && is_free && (leaks || !is_next(entry)));
    let paused = entry.refused.as_ref().and_then(|it| it.again_there());
    let after_pause = |at: DateTime<Utc>| paused.map_or(at, |paused| paused.max(at));
    let due = due.map(|due| due.next(after_pause(at)));
    let is_kept = programs::waits_for_owner(manifest, environment, entry);
    let going = entry.rotation.as_deref().filter(|_| !is_kept).map(Operation::next).map(after_pause);
    let after = |it: &Beside| if it.state == BesideState::Next { after_pause(it.until) } else { it.until };
    let beside = entry.beside.iter().map(after);
    let lists = entry.next_update().filter(|_| lists.contains(&entry.name)).map(refreshed_from);
    due.into_iter().chain(going).chain(beside).chain(lists).min()
}

/// Whether the value of a secret leaked and is in force.
pub(super) fn is_banned(ledger: &Ledger, name: &SecretName) -> bool {
    ledger.secrets.get(name).is_some_and(|it| it.banned)
}
