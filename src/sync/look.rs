//! Both sides compared: one item for each remote secret.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::content::{self, Here};
use super::fit;
use super::hindrance::{Hindrance, hindrance};
use super::judge::{There, Verdict, judge};
use super::place::{self, Place, Shape, owner};
use super::seen::Seen;
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::{EnvName, SecretName, VersionId};
use crate::remote::{Failure, Listed, Reading};
use crate::secret::Secret;
use crate::secret::digest::Fingerprints;
use crate::store::Store;
use crate::store::synced::Base;

/// A remote secret, compared.
#[derive(Debug)]
pub struct Item<'a> {
    /// Which one.
    pub place: &'a Place<'a>,
    /// Of which environment.
    pub environment: &'a EnvName,
    /// What follows for it as a whole.
    pub state: State,
    /// Its fields.
    pub fields: Vec<Field<'a>>,
    /// What the listing told of it.
    pub listed: Option<&'a Listed>,
    /// Why it must not be written to, if so.
    pub hindrance: Option<Hindrance>,
    /// The version there, of what was read if it was.
    pub version: Option<&'a str>,
    /// What both sides agreed on last.
    pub base: Option<&'a Base>,
    arn: Option<&'a str>,
    /// Its value there, if it was read.
    pub reading: Option<&'a Reading>,
    /// Why it could not be looked at, if so.
    pub failure: Option<&'a Failure>,
}

/// One value of a remote secret.
#[derive(Debug)]
pub struct Field<'a> {
    /// Its key in a bundle; else empty.
    pub key: &'a str,
    /// Which secret it is here.
    pub declaration: &'a Declaration,
    /// The value here.
    pub here: Option<Here>,
    /// The value there and its fingerprint, if it was read.
    pub there: Option<(Secret, String)>,
    /// What follows.
    pub verdict: Verdict,
    /// Whether a value that is made of others, here and there, is the one that stays where it fits.
    pub yields: bool,
    /// What is wrong with the value there, behind the name of its place.
    pub fault: Option<String>,
}

/// What follows for a remote secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Neither side has it.
    Absent,
    /// Both have the same, and know it.
    Same,
    /// Both have the same; the base has to learn it.
    Advance,
    /// It is here alone.
    Create,
    /// It changed here alone.
    Push,
    /// It changed there alone.
    Pull,
    /// Some keys of a bundle changed here, others there.
    Merge,
    /// It changed on both sides.
    Conflict,
    /// It changed there; whether that is a conflict is known once it is read.
    Changed,
    /// It was there, and is no more.
    Missing,
    /// It is scheduled for deletion.
    Scheduled,
    /// It is there without a value.
    Valueless,
    /// It was read, and is not the JSON object that it should be.
    Malformed,
    /// It could not be looked at.
    Unreadable,
}

/// Whether a place must be read before it can be judged: one that changed there or was never compared, in whole or in some key,
/// and one whose value was agreed on and is here no more.
pub fn is_unread(place: &Place<'_>, store: &Store, listed: &Listed) -> bool {
    let Some(version) = listed.current().filter(|_| listed.deleted.is_none()) else { return false };
    let base = base(place, store, Some(listed)).filter(|base| base.version == version);
    let Some(base) = base else { return true };
    let is_lost = |declaration| !is_derived(declaration) && store.value(declaration).is_none();
    let is_unsure = |(key, declaration)| base.fields.get(key).is_none_or(|it| !it.is_empty() && is_lost(declaration));
    place.fields().into_iter().any(is_unsure)
}

/// The base of a place, unless its secret was made anew since, or the place is in another account or region now.
fn base<'s>(place: &Place<'_>, store: &'s Store, listed: Option<&Listed>) -> Option<&'s Base> {
    let is_of_it = |base: &&Base| match listed {
        Some(listed) => base.arn == listed.arn,
        None => place.is_home_of(&base.arn),
    };
    store.synced.bases.get(&place.name).filter(is_of_it)
}

/// Compares the places with what was seen.
pub fn look<'a>(places: &'a [Place<'a>], store: &'a Store, seen: &'a Seen) -> Vec<Item<'a>> {
    each(places, store, seen).collect()
}

/// The same, one after the other: an item holds values, and there may be many.
pub fn each<'a>(places: &'a [Place<'a>], store: &'a Store, seen: &'a Seen) -> impl Iterator<Item = Item<'a>> + use<'a> {
    let fingerprints = content::fingerprints(store);
    places.iter().map(move |place| item(place, store, seen, &fingerprints))
}

fn item<'a>(place: &'a Place<'a>, store: &'a Store, seen: &'a Seen, fingerprints: &Fingerprints) -> Item<'a> {
    let listed = seen.listed.get(&place.name);
    let reading = seen.readings.get(&place.name);
    // A listing may lag behind; what was read is newer.
    let version = reading.map(|it| it.version.as_str()).or_else(|| listed?.current());
    let base = base(place, store, listed);
    let mut values = match reading {
        Some(reading) => content::fields(place, reading.content.secret().duplicate()),
        None => Ok(BTreeMap::new()),
    };
    let is_malformed = values.is_err();
    let known = base.filter(|base| version == Some(base.version.as_str()));
    let field = |(key, declaration): (&'a str, &'a Declaration)| {
        let here = content::here(store, declaration, fingerprints);
        let there = values.as_mut().ok().and_then(|values| values.remove(key)).map(|value| {
            let fingerprint = fingerprints.of(&value);
            (value, fingerprint)
        });
        let is_known = known.is_some_and(|base| base.fields.contains_key(key));
        let seen = match (&there, reading.is_some(), is_known) {
            (Some((_, fingerprint)), ..) => There::Value(fingerprint),
            (None, false, true) => There::Unchanged,
            (None, false, false) if version.is_some() => There::Unread,
            (None, ..) => There::Absent,
        };
        let base = base.and_then(|base| base.fields.get(key)).map(String::as_str).filter(|it| !it.is_empty());
        let verdict = judge(here.as_ref().map(|it| it.fingerprint.as_str()), base, seen, is_derived(declaration));
        let field = Field { key, declaration, here, there, verdict, yields: false, fault: None };
        fit::fitted(field, store)
    };
    let fields: Vec<_> = place.fields().into_iter().map(field).collect();
    let hindrance = listed.and_then(|listed| hindrance(listed, &owner(&store.project, &store.environment)));
    // What another process wrote down meanwhile is newer than what was seen, unless it is the same.
    let has_moved = |bases: &BTreeMap<_, _>| bases.get(&place.name) != store.synced.bases.get(&place.name);
    let is_overtaken = known.is_none() && seen.bases.as_ref().is_some_and(has_moved);
    let failure = seen.failures.get(&place.name);
    let state = match (is_overtaken, is_malformed) {
        (true, _) => State::Changed,
        _ if failure.is_some() => State::Unreadable,
        (false, true) => State::Malformed,
        (false, false) => state(&fields, listed, version, base),
    };
    let arn = reading.map(|it| it.arn.as_str()).or_else(|| Some(listed?.arn.as_str()));
    Item {
        place,
        environment: &store.environment,
        state,
        fields,
        listed,
        hindrance,
        version,
        base,
        arn,
        reading,
        failure,
    }
}

/// What follows its inputs here, or the manifest.
pub fn is_derived(declaration: &Declaration) -> bool {
    matches!(declaration.kind, SecretKind::Template(_) | SecretKind::Setting { .. })
}

fn state(fields: &[Field<'_>], listed: Option<&Listed>, version: Option<&str>, base: Option<&Base>) -> State {
    let is_here = fields.iter().any(|field| field.here.is_some());
    if listed.is_some_and(|listed| listed.deleted.is_some()) {
        return State::Scheduled;
    }
    let Some(version) = version else {
        return match (listed, base) {
            (Some(_), _) => State::Valueless,
            (None, Some(_)) => State::Missing,
            (None, None) if is_here => State::Create,
            (None, None) => State::Absent,
        };
    };
    let any = |verdicts: &[Verdict]| fields.iter().any(|field| verdicts.contains(&field.verdict));
    if any(&[Verdict::ChangedThere, Verdict::ChangedBoth]) {
        return State::Changed;
    }
    if any(&[Verdict::Conflict, Verdict::Gone]) {
        return State::Conflict;
    }
    match (any(&[Verdict::Push]), any(&[Verdict::Pull])) {
        // Where nothing else is to be done, somebody has to hear of it.
        (false, false) if any(&[Verdict::Behind]) => State::Conflict,
        (true, true) => State::Merge,
        (true, false) => State::Push,
        (false, true) => State::Pull,
        // What is made of other values waits for them; nothing is to be done with it until then.
        (false, false) if !is_here => State::Absent,
        (false, false) if base.is_some_and(|base| base.version == version && is_noted(fields, base)) => State::Same,
        (false, false) => State::Advance,
    }
}

/// Whether a base says of every field what is here.
fn is_noted(fields: &[Field<'_>], base: &Base) -> bool {
    fields.iter().all(|field| base.fields.get(field.key).is_some_and(|it| it == field.fingerprint_here()))
}

impl Field<'_> {
    /// As a base has it: empty where there is no value.
    fn fingerprint_here(&self) -> &str {
        self.here.as_ref().map_or("", |here| &here.fingerprint)
    }
}

impl Item<'_> {
    /// What the base becomes once both sides have what is here, in `version`.
    pub fn base_of(&self, arn: &str, version: &str) -> Base {
        let fields = self.fields.iter().map(|it| (it.key.to_owned(), it.fingerprint_here().to_owned())).collect();
        Base { arn: arn.to_owned(), version: version.to_owned(), fields, attempt: self.attempt() }
    }

    /// How many rotations of it were aborted, where it is ours to write to.
    pub fn attempt(&self) -> Option<String> {
        let listed = self.listed.filter(|_| self.hindrance.is_none())?;
        Some(place::attempt(listed).to_owned())
    }

    /// Whether it is one JSON object with keys of ours.
    pub fn is_bundle(&self) -> bool {
        matches!(self.place.shape, Shape::Bundle(_))
    }

    /// Whether ours can take the place of a value that only AWS changed, or that is none. In a bundle it would take the
    /// places of other keys too.
    pub fn yields_to_ours(&self) -> bool {
        matches!(self.state, State::Pull | State::Malformed) && !self.is_bundle()
    }

    /// The id that a value which is all of it has on every host.
    pub fn id_there(&self) -> Option<VersionId> {
        let (arn, version) = (self.arn()?, self.version?);
        // Terraform and others give ids of their own kind: from those every host derives the same one.
        let derived = || VersionId::derived(&format!("vault-kit/pull/1|{arn}|{version}"));
        (!self.is_bundle()).then(|| VersionId::parse(version).unwrap_or_else(derived))
    }

    /// Its ARN.
    pub fn arn(&self) -> Option<&str> {
        self.arn
    }

    /// Whether its value there was read.
    pub fn was_read(&self) -> bool {
        self.reading.is_some()
    }

    /// The whole object there, if it was read and is a bundle.
    pub fn bundle_there(&self) -> Option<&Secret> {
        self.reading.filter(|_| self.is_bundle()).map(|reading| reading.content.secret())
    }

    /// The secrets that it holds or may hold a value of, other than those that are only made here.
    pub fn kept_there(&self) -> impl Iterator<Item = &SecretName> {
        let is_unknown = matches!(self.state, State::Changed | State::Malformed | State::Scheduled | State::Unreadable);
        let is_kept = move |it: &&Field<'_>| !is_derived(it.declaration) && (is_unknown || it.there.is_some());
        self.fields.iter().filter(is_kept).map(|it| &it.declaration.name)
    }

    /// When it was scheduled for deletion.
    pub fn scheduled(&self) -> Option<DateTime<Utc>> {
        self.listed?.deleted
    }
}
