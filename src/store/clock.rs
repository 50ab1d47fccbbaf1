//! The store's own time: whoever puts an old clock back must not make valid what has expired, nor rotate anything twice.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::rotations::{Operation, Rotations, Trouble};
use super::{Store, Version};
use crate::error::{Error, Kind, Result};
use crate::name::SecretName;

/// How far the clock may stand behind the newest time in the store.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

impl Store {
    /// Refuses when the clock stands behind the store by more than five minutes.
    pub fn check_clock(&self, now: DateTime<Utc>) -> Result<()> {
        if !self.is_clock_behind(now) {
            return Ok(());
        }
        let message =
            format!("nothing was changed: the clock says {now}, but the store was changed at {}", self.updated);
        Err(Error::new(Kind::Incomplete, "clock-behind", message)
            .hint("is the clock wrong? set it, and nothing is lost: `timedatectl set-ntp true`")
            .hint("is it right, and was it ahead then? `vault-kit store recover --accept-clock`, once and for all"))
    }

    /// Whether the clock stands behind the newest time by more than is tolerated.
    pub fn is_clock_behind(&self, now: DateTime<Utc>) -> bool {
        now + CLOCK_TOLERANCE < self.updated
    }

    /// Takes a clock for right that stands behind: what is said to have happened later happened now, and what follows a
    /// time after it follows that time from now.
    ///
    /// What others hold stays as it was told them: the ends of tokens and certificates, and the times of what was revoked.
    pub fn accept_clock(&mut self, now: DateTime<Utc>) {
        let replaced: Vec<_> =
            self.secrets.values().flatten().filter_map(|it| Some((it.id, it.life.replaced?))).collect();
        let ahead = |operation: &Operation| {
            let replaced = replaced.iter().find(|(id, _)| *id == operation.base).map(|(_, at)| *at);
            replaced.map_or(TimeDelta::zero(), |at| (at - now).max(TimeDelta::zero()))
        };
        for operation in self.rotations.running.values_mut() {
            operation.retire_at = operation.retire_at.map(|at| at - ahead(operation));
        }
        for at in self.times() {
            *at = now.min(*at);
        }
        // What lists say of their own time cannot be told: they are made anew.
        for lists in self.certificates.lists.values_mut() {
            lists.next_update = now.min(lists.next_update);
        }
        self.updated = now;
    }

    /// The secrets in force that carry the time of their making, which is yet to come: whoever is shown one refuses it.
    pub fn not_yet_valid(&self, now: DateTime<Utc>) -> BTreeSet<&SecretName> {
        let is_dated = |version: &&Version| ["token", "certificate", "ca"].contains(&version.kind.as_str());
        let names = self.secrets.keys();
        names.filter(|name| self.current(name).filter(is_dated).is_some_and(|it| it.created > now)).collect()
    }

    /// When things happened that nobody outside was told the time of.
    fn times(&mut self) -> impl Iterator<Item = &mut DateTime<Utc>> {
        let Rotations { running, reloads, refused, results, .. } = &mut self.rotations;
        let versions = self.secrets.values_mut().flatten().flat_map(of_version);
        let running = running.values_mut().flat_map(|it| of_trouble(&mut it.trouble).chain([&mut it.started]));
        let troubles = reloads.values_mut().chain(refused.values_mut()).flat_map(of_trouble);
        let results = results.values_mut().flat_map(|it| it.promoted.iter_mut().chain([&mut it.at]));
        let incidents = self.incidents.values_mut().flat_map(|it| {
            let done = it.done.iter_mut().map(|deed| &mut deed.at);
            it.affected.iter_mut().map(|it| &mut it.since).chain(done).chain([&mut it.at])
        });
        let contacted = self.synced.contacted.iter_mut();
        versions.chain(running).chain(troubles).chain(results).chain(incidents).chain(contacted)
    }
}

fn of_version(version: &mut Version) -> impl Iterator<Item = &mut DateTime<Utc>> {
    let life = &mut version.life;
    let life = [&mut life.published, &mut life.replaced, &mut life.revoked, &mut life.told, &mut life.retired];
    life.into_iter().flatten().chain([&mut version.created])
}

fn of_trouble(trouble: &mut Trouble) -> impl Iterator<Item = &mut DateTime<Utc>> {
    trouble.failed.iter_mut().map(|failed| &mut failed.at)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{now, store, version};
    use super::super::{Life, Stage};
    use super::*;
    use crate::store::rotations::{Failure, Step};

    #[test]
    fn a_clock_that_stands_behind_the_store_is_refused_after_five_minutes() {
        let store = store("age1");
        assert!(store.check_clock(now() - TimeDelta::minutes(5)).is_ok());
        let error = store.check_clock(now() - TimeDelta::seconds(301)).unwrap_err();
        assert_eq!((error.code(), error.kind().code()), ("clock-behind", 8));
    }

    #[test]
    fn an_accepted_clock_moves_what_lies_ahead_of_it_and_nothing_else() {
        let (today, before, ahead) = (now(), now() - TimeDelta::days(9), now() + TimeDelta::days(900));
        let mut store = store("age1");
        let name = SecretName::new("A").unwrap();
        store.promote(&name, version(b"old", before));
        let base = store.current(&name).unwrap().id;
        let expires = Some(ahead + TimeDelta::days(365));
        store.promote(&name, Version { kind: "token".into(), expires, ..version(b"new", ahead) });
        let failed = Failure { step: "retire".into(), hook: "h".into(), code: "hook-failed".into(), at: ahead };
        let operation = Operation {
            base,
            candidate: None,
            recipe: None,
            step: Step::Promoted,
            started: ahead,
            trouble: Trouble { failures: 1, failed: Some(failed) },
            retire_at: Some(ahead + TimeDelta::hours(24)),
            remote: None,
            turn: None,
        };
        store.rotations.running.insert(name.clone(), operation);
        store.synced.contacted = Some(ahead);
        assert_eq!(store.updated, ahead);
        assert_eq!(store.not_yet_valid(today).into_iter().collect::<Vec<_>>(), [&name]);

        store.accept_clock(today);
        assert!(store.check_clock(today).is_ok());
        let [old, new] = &store.secrets[&name][..] else { panic!("there are two") };
        let expected = Life { replaced: Some(today), ..Life::default() };
        assert_eq!((old.stage, old.created, old.life), (Stage::Previous, before, expected));
        assert_eq!((new.created, new.expires), (today, expires));
        let operation = &store.rotations.running[&name];
        assert_eq!((operation.started, operation.retire_at), (today, Some(today + TimeDelta::hours(24))));
        assert_eq!(operation.trouble.failed.as_ref().map(|it| it.at), Some(today));
        assert_eq!(store.synced.contacted, Some(today));

        // Times that have passed stay: an overlap that began yesterday ends tomorrow.
        store.accept_clock(today + TimeDelta::hours(2));
        assert_eq!(store.rotations.running[&name].retire_at, Some(today + TimeDelta::hours(24)));
        assert_eq!(store.secrets[&name][1].created, today);
    }
}
