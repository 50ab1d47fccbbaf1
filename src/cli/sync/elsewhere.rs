//! What tells that somebody looks where the secrets are not: in another region, or below another prefix.

use super::super::session::Session;
use super::exchange::Exchange;
use crate::error::{Error, Kind, Result};
use crate::manifest::Declaration;
use crate::store::{Store, agreement};
use crate::sync::look;
use crate::sync::place::Place;
use crate::sync::seen::Seen;

impl Exchange<'_> {
    /// Refuses a region in which nothing is that was agreed on: it would look as if all of it were gone.
    pub fn check_region(&self, session: &Session<'_>, store: Option<&Store>) -> Result<()> {
        let Some(store) = store else { return Ok(()) };
        let environment = session.manifest.environments.get(&session.environment);
        agreement::check_region(environment, store, self.remote.region().as_deref())
    }

    /// Refuses to take nothing for all, where none of the secrets is there and one is needed; else says that none is.
    pub fn expect_something(&self, session: &Session<'_>, store: Option<&Store>, seen: &Seen) -> Result<()> {
        let is_known = |place: &Place<'_>| {
            let name = &place.name;
            let is_seen = seen.listed.get(name).is_some() || seen.readings.contains_key(name);
            is_seen || seen.failures.contains_key(name) || store.is_some_and(|it| it.synced.bases.contains_key(name))
        };
        if self.places.iter().any(is_known) {
            return Ok(());
        }
        let message = format!(
            "AWS has none of the secrets of environment `{}` that were asked for: region {}, prefix `{}`",
            session.environment,
            self.remote.region().unwrap_or_default(),
            self.prefix
        );
        let is_needed = |it: &Declaration| !it.optional && !look::is_derived(it);
        let is_lacking = |it: &Declaration| is_needed(it) && store.is_none_or(|store| store.value(it).is_none());
        if self.places.iter().flat_map(Place::fields).any(|(_, it)| is_lacking(it)) {
            return Err(Error::new(Kind::Findings, "remote-missing", message)
                .hint("if that is not where they are, correct `region` or `prefix` of the environment")
                .hint("else send them from where they are made: `vault-kit sync push`"));
        }
        session.context.ui.warn(&message);
        Ok(())
    }
}
