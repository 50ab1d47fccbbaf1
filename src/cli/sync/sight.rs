//! Looking at the remote side: what is listed, and what of it must be read.

use std::collections::{BTreeMap, BTreeSet};

use super::super::session::Session;
use super::exchange::Exchange;
use crate::error::{Error, Result};
use crate::gather::Gather;
use crate::remote::{Answer, Cause, Failure, Listed, ListedAndRead, Reading, Remote};
use crate::store::Store;
use crate::store::synced::Base;
use crate::sync::look::{self, State};
use crate::sync::place::Place;
use crate::sync::seen::{Listing, Seen};

/// What has to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing: the listing tells enough, for whoever compares this very store with it.
    Nothing,
    /// What changed there, or was never compared.
    Changed,
    /// That, for whoever needs no more than values: where nothing was ever compared, all is read and nothing listed.
    Values,
    /// That, and bundles that are to be written: what is not ours in them has to be kept.
    Bundles,
}

/// What was read.
type Answers = Vec<(String, Answer<Reading>)>;

impl Exchange<'_> {
    /// Looks at the remote side, and reads what is asked for.
    pub fn see(&self, session: &Session<'_>, store: Option<&Store>, reads: Reads) -> Result<Seen> {
        self.check_region(session, store)?;
        let bases = (reads != Reads::Nothing).then(|| self.bases(store));
        let is_new = bases.as_ref().is_some_and(BTreeMap::is_empty);
        let mut seen = Seen { bases, ..Seen::default() };
        if reads == Reads::Values && is_new {
            self.read_all(session, &mut seen)?;
            return Ok(seen);
        }
        let reader = store.filter(|_| reads != Reads::Nothing);
        let answers = self.list(session, store, &mut seen, &|listed| {
            reader.is_some_and(|store| self.is_unread(store, listed)) && self.is_at_home(&listed.arn)
        })?;
        let Some(store) = reader else { return Ok(seen) };
        let answered: BTreeSet<&str> = answers.iter().map(|(name, _)| name.as_str()).collect();
        let is_late = |it: &&Listed| !answered.contains(it.name.as_str()) && self.is_unread(store, it);
        let late: Vec<&str> = seen.listed.iter().filter(is_late).map(|it| it.name.as_str()).collect();
        let late = self.read(&late);
        take(answers.into_iter().chain(late).collect(), &mut seen)?;
        if reads == Reads::Bundles {
            let items = look::look(&self.places, store, &seen);
            let is_blind = |item: &&look::Item<'_>| item.state == State::Push && item.is_bundle() && !item.was_read();
            let bundles = items.iter().filter(is_blind).map(|item| item.place.name.as_str()).collect::<Vec<_>>();
            let bundles = self.read(&bundles);
            drop(items);
            take(bundles, &mut seen)?;
        }
        Ok(seen)
    }

    /// Whether something that a listing tells of must be read before it can be judged.
    fn is_unread(&self, store: &Store, listed: &Listed) -> bool {
        self.place(&listed.name).is_some_and(|place| look::is_unread(place, store, listed))
    }

    fn bases(&self, store: Option<&Store>) -> BTreeMap<String, Base> {
        let base = |place: &Place<'_>| store?.synced.bases.get_key_value(&place.name);
        self.places.iter().filter_map(base).map(|(name, base)| (name.clone(), base.clone())).gather()
    }

    /// Lists, and answers with what was wanted and read meanwhile.
    fn list(
        &self,
        session: &Session<'_>,
        store: Option<&Store>,
        seen: &mut Seen,
        is_wanted: &dyn Fn(&Listed) -> bool,
    ) -> Result<Answers> {
        let (ListedAndRead { listed, read }, may_list) = match self.remote.list_and_read(&self.prefix, is_wanted) {
            Ok(answer) => (answer, true),
            // A role may be allowed to describe what it knows by name, and not to list.
            Err(failure) if failure.cause == Cause::Denied => (ListedAndRead::default(), false),
            Err(failure) => return Err(failure.about(&format!("`{}`", self.prefix))),
        };
        let mut listed = Listing::from(listed);
        // A listing lags behind: what it lacks and a base knows of may be there all the same.
        let is_known = |place: &&Place<'_>| store.is_some_and(|it| it.synced.bases.contains_key(&place.name));
        let lost = self.places.iter().filter(|place| listed.get(&place.name).is_none());
        let lost: Vec<&str> =
            lost.filter(|place| !may_list || is_known(place)).map(|place| place.name.as_str()).collect();
        let answers = self.remote.describe(&lost);
        for (name, answer) in lost.into_iter().zip(answers) {
            match answer {
                Ok(description) => listed.insert(Listed { name: name.to_owned(), ..description }),
                Err(failure) if failure.cause == Cause::Missing => {}
                Err(failure) => drop(seen.failures.insert(name.to_owned(), failure)),
            }
        }
        if listed.is_empty() {
            refuse_all(&seen.failures)?;
        }
        self.refuse_elsewhere(session, listed.iter().map(|it| it.arn.as_str()))?;
        seen.listed = listed;
        Ok(read)
    }

    /// Reads every place by its name. A listing tells of those that have no value to be read why that is.
    fn read_all(&self, session: &Session<'_>, seen: &mut Seen) -> Result<()> {
        let names: Vec<&str> = self.places.iter().map(|place| place.name.as_str()).collect();
        let mut failures = Vec::new();
        for (name, answer) in names.iter().zip(self.remote.read(&names)) {
            match answer {
                Ok(reading) => drop(seen.readings.insert((*name).to_owned(), reading)),
                Err(failure) => failures.push((*name, failure)),
            }
        }
        self.refuse_elsewhere(session, seen.readings.values().map(|it| it.arn.as_str()))?;
        // What does not exist is "denied" to whoever may read some names only, and "refused" is what is to be deleted.
        let tells = |cause| matches!(cause, Cause::Missing | Cause::Denied | Cause::Refused);
        if failures.iter().any(|(_, failure)| tells(failure.cause)) {
            self.list(session, None, seen, &|_| false)?;
        }
        let has_value =
            |name: &str| seen.listed.get(name).is_some_and(|it| it.deleted.is_none() && it.current().is_some());
        let is_failure = |name: &str, cause| !tells(cause) || (cause != Cause::Missing && has_value(name));
        let failures: Vec<_> = failures.into_iter().filter(|(name, failure)| is_failure(name, failure.cause)).collect();
        seen.failures.extend(failures.into_iter().map(|(name, failure)| (name.to_owned(), failure)));
        if seen.readings.is_empty() { refuse_all(&seen.failures) } else { Ok(()) }
    }

    fn read(&self, names: &[&str]) -> Answers {
        names.iter().map(|&name| name.to_owned()).zip(self.remote.read(names)).collect()
    }
}

fn take(answers: Answers, seen: &mut Seen) -> Result<()> {
    let mut is_answered = answers.is_empty();
    for (name, answer) in answers {
        is_answered |= answer.as_ref().err().is_none_or(|failure| !is_for_all(failure));
        match answer {
            Ok(reading) => drop(seen.readings.insert(name, reading)),
            Err(failure) if matches!(failure.cause, Cause::Missing) => {}
            Err(failure) => drop(seen.failures.insert(name, failure)),
        }
    }
    if is_answered { Ok(()) } else { refuse_all(&seen.failures) }
}

/// Whether no other request would fare better.
fn is_for_all(failure: &Failure) -> bool {
    !matches!(failure.cause, Cause::Missing | Cause::Denied | Cause::Refused | Cause::Conflict)
}

/// Where nothing could be looked at there is nothing to go on with.
fn refuse_all(failures: &BTreeMap<String, Failure>) -> Result<()> {
    let errors = failures.iter().map(|(name, failure)| failure.about(&format!("`{name}`")));
    Error::all(errors).map_or(Ok(()), Err)
}
