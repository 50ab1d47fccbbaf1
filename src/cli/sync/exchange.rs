//! What the verbs of `sync` share: the connection, which remote secrets are meant, and looking at them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::context::{self, Context};
use super::super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::gather::Gather;
use crate::manifest::model::Aws as Declared;
use crate::name::SecretName;
use crate::remote::aws::{self, Advance, Aws, Notice, Patience, Settings};
use crate::remote::{Cause, Failure, Listed, Remote};
use crate::store::Store;
use crate::store::synced::Base;
use crate::sync::look::{self, Seen, State};
use crate::sync::place::{self, Place};
use crate::ui;

/// A command's dealings with AWS.
pub struct Exchange<'s> {
    /// The environment's place in AWS.
    pub declared: &'s Declared,
    /// The remote secrets that the command is about.
    pub places: Vec<Place<'s>>,
    /// The prefix of all their names.
    pub prefix: String,
    /// AWS.
    pub remote: Rc<Aws>,
}

/// What has to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing: the listing tells enough.
    Nothing,
    /// What changed there, or was never compared.
    Changed,
    /// That, for whoever needs no more than values: where nothing was ever compared, all is read and nothing listed.
    Values,
    /// That, and bundles that are to be written: what is not ours in them has to be kept.
    Bundles,
}

impl<'s> Exchange<'s> {
    /// Connects, for the named secrets or all of them.
    pub fn open(session: &'s Session<'_>, names: &[String], wait: Option<Duration>) -> Result<Self> {
        // Whatever is wrong with the names is said before AWS is asked for anything.
        let places =
            choose(session, place::places(&session.manifest, &session.environment, declared(session)?), names)?;
        Ok(Self { places, ..Self::open_any(session, wait)? })
    }

    /// Connects, also where no secret is declared to be in AWS any more.
    pub fn open_any(session: &'s Session<'_>, wait: Option<Duration>) -> Result<Self> {
        let declared = declared(session)?;
        let places = place::places(&session.manifest, &session.environment, declared);
        let prefix = declared.prefix_of(&session.manifest.project, &session.environment);
        let remote = Rc::new(connect(session, declared, wait)?);
        Ok(Self { declared, places, prefix, remote })
    }

    /// Our secrets in a place, by its name.
    pub fn secrets(&self, name: &str) -> Vec<&SecretName> {
        let place = self.places.binary_search_by(|place| place.name.as_str().cmp(name));
        place
            .ok()
            .map(|place| &self.places[place])
            .into_iter()
            .flat_map(Place::fields)
            .map(|(_, declaration)| &declaration.name)
            .collect()
    }

    /// Refuses when the credentials belong to another account than the environment does.
    pub fn check_account(&self, session: &Session<'_>) -> Result<()> {
        let Some(wanted) = &self.declared.account else { return Ok(()) };
        if self.asked_account()? == *wanted { Ok(()) } else { Err(wrong_account(session, wanted)) }
    }

    /// The account that the environment belongs to, as declared or else as AWS says.
    pub fn account(&self) -> Result<String> {
        self.declared.account.clone().map_or_else(|| self.asked_account(), Ok)
    }

    fn asked_account(&self) -> Result<String> {
        self.remote.account().map_err(|failure| failure.about("the account (STS)"))
    }

    /// Looks at the remote side, and reads what is asked for.
    pub fn see(&self, session: &Session<'_>, store: Option<&Store>, reads: Reads) -> Result<Seen> {
        let mut seen = Seen { bases: self.bases(store), ..Seen::default() };
        if reads == Reads::Values && seen.bases.is_empty() {
            self.read_all(session, &mut seen)?;
            return Ok(seen);
        }
        seen.listed = self.listed(session, store, &mut seen.failures)?;
        let Some(store) = store.filter(|_| reads != Reads::Nothing) else { return Ok(seen) };
        let changed = look::unread(&self.places, store, &seen).into_iter();
        let changed: Vec<&str> = changed.map(|place| place.name.as_str()).collect();
        self.read(&changed, &mut seen)?;
        if reads == Reads::Bundles {
            let items = look::look(&self.places, store, &seen);
            let is_blind = |item: &&look::Item<'_>| item.state == State::Push && item.is_bundle() && !item.was_read();
            let bundles: Vec<String> = items.iter().filter(is_blind).map(|item| item.place.name.clone()).collect();
            drop(items);
            self.read(&bundles.iter().map(String::as_str).collect::<Vec<_>>(), &mut seen)?;
        }
        Ok(seen)
    }

    fn bases(&self, store: Option<&Store>) -> BTreeMap<String, Base> {
        let base = |place: &Place<'_>| store?.synced.bases.get_key_value(&place.name);
        self.places.iter().filter_map(base).map(|(name, base)| (name.clone(), base.clone())).gather()
    }

    fn listed(
        &self,
        session: &Session<'_>,
        store: Option<&Store>,
        failures: &mut BTreeMap<String, Failure>,
    ) -> Result<BTreeMap<String, Listed>> {
        let (listed, may_list) = match self.remote.list(&self.prefix) {
            Ok(listed) => (listed, true),
            // A role may be allowed to describe what it knows by name, and not to list.
            Err(failure) if failure.cause == Cause::Denied => (Vec::new(), false),
            Err(failure) => return Err(failure.about(&format!("`{}`", self.prefix))),
        };
        let mut listed: BTreeMap<String, Listed> = listed.into_iter().map(|it| (it.name.clone(), it)).gather();
        // A listing lags behind: what it lacks and a base knows of may be there all the same.
        let is_known = |place: &&Place<'_>| store.is_some_and(|it| it.synced.bases.contains_key(&place.name));
        let lost = self.places.iter().filter(|place| !listed.contains_key(&place.name));
        let lost: Vec<&str> =
            lost.filter(|place| !may_list || is_known(place)).map(|place| place.name.as_str()).collect();
        let answers = self.remote.describe(&lost);
        for (name, answer) in lost.into_iter().zip(answers) {
            match answer {
                Ok(description) => drop(listed.insert(name.to_owned(), description)),
                Err(failure) if failure.cause == Cause::Missing => {}
                Err(failure) => drop(failures.insert(name.to_owned(), failure)),
            }
        }
        if listed.is_empty() {
            refuse_all(failures)?;
        }
        self.refuse_elsewhere(session, listed.values().map(|it| it.arn.as_str()))?;
        Ok(listed)
    }

    /// Refuses secrets of another account than the environment's: their ARNs tell, and no question need be asked.
    pub fn refuse_elsewhere<'l>(&self, session: &Session<'_>, arns: impl IntoIterator<Item = &'l str>) -> Result<()> {
        let Some(wanted) = &self.declared.account else { return Ok(()) };
        let is_elsewhere = |arn: &str| arn.split(':').nth(4) != Some(wanted);
        if arns.into_iter().any(is_elsewhere) { Err(wrong_account(session, wanted)) } else { Ok(()) }
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
            seen.listed = self.listed(session, None, &mut seen.failures)?;
        }
        let has_value =
            |name: &str| seen.listed.get(name).is_some_and(|it| it.deleted.is_none() && it.current().is_some());
        let is_failure = |name: &str, cause| !tells(cause) || (cause != Cause::Missing && has_value(name));
        let failures: Vec<_> = failures.into_iter().filter(|(name, failure)| is_failure(name, failure.cause)).collect();
        seen.failures.extend(failures.into_iter().map(|(name, failure)| (name.to_owned(), failure)));
        if seen.readings.is_empty() { refuse_all(&seen.failures) } else { Ok(()) }
    }

    fn read(&self, names: &[&str], seen: &mut Seen) -> Result<()> {
        let mut is_answered = names.is_empty();
        for (name, answer) in names.iter().zip(self.remote.read(names)) {
            is_answered |= answer.as_ref().err().is_none_or(|failure| !is_for_all(failure));
            match answer {
                Ok(reading) => drop(seen.readings.insert((*name).to_owned(), reading)),
                Err(failure) if matches!(failure.cause, Cause::Missing) => {}
                Err(failure) => drop(seen.failures.insert((*name).to_owned(), failure)),
            }
        }
        if is_answered { Ok(()) } else { refuse_all(&seen.failures) }
    }
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

/// The environment's place in AWS.
fn declared<'s>(session: &'s Session<'_>) -> Result<&'s Declared> {
    session.manifest.aws(&session.environment).ok_or_else(|| {
        let name = &session.environment;
        Error::new(Kind::Manifest, "not-in-aws", format!("environment `{name}` has no place in AWS"))
            .hint(format!("give it one: `[environments.{name}]` with `aws = {{ account = …, region = … }}`"))
    })
}

fn choose<'s>(session: &Session<'_>, all: Vec<Place<'s>>, names: &[String]) -> Result<Vec<Place<'s>>> {
    if all.is_empty() {
        let message = format!("no secret of environment `{}` is declared to be in AWS", session.environment);
        return Err(Error::new(Kind::Manifest, "nothing-in-aws", message)
            .hint("say which are: `aws = \"database/url\"` or `bundle = \"app\"` in a secret's declaration"));
    }
    let mut chosen = BTreeSet::new();
    for name in names {
        let by_name = all.iter().position(|place| place.name == *name);
        let place = if by_name.is_some() {
            by_name
        } else {
            let secret = session.secret(name)?;
            all.iter().position(|place| place.holds(&secret))
        };
        let missing = || Error::usage(format!("`{name}` is not declared to be in AWS"));
        chosen.insert(place.ok_or_else(|| missing().hint("`vault-kit sync status` lists what is"))?);
    }
    let is_chosen = |index: usize| names.is_empty() || chosen.contains(&index);
    Ok(all.into_iter().enumerate().filter(|(index, _)| is_chosen(*index)).map(|(_, place)| place).collect())
}

fn connect(session: &Session<'_>, declared: &Declared, wait: Option<Duration>) -> Result<Aws> {
    let asks = [("endpoint", &declared.endpoint), ("profile", &declared.profile), ("role_arn", &declared.role_arn)];
    if let Some((key, _)) = asks.iter().find(|(_, value)| value.is_some())
        && !session.is_trusted()?
    {
        let message = format!("the manifest names an AWS `{key}`, and nobody said that it may");
        return Err(Error::new(Kind::Permission, "not-trusted", message).hint("look at it, then say `vault-kit trust`"));
    }
    let settings = Settings {
        region: declared.region.clone(),
        profile: declared.profile.clone(),
        role_arn: declared.role_arn.clone(),
        endpoint: declared.endpoint.clone(),
        ca_bundle: context::ca_bundle(),
        withheld: &context::IDENTITY_VARIABLES,
        patience: patience(session.context, wait),
    };
    let talk = session.context.ui;
    let tell = move |notice: &Notice| {
        let why = match notice.cause {
            Cause::Throttled => "AWS throttles",
            _ => "AWS does not answer",
        };
        talk.warn(&format!("{why} ({}): next try in {:.1} s", notice.operation, notice.wait.as_secs_f64()));
    };
    let watch = move |Advance { doing, done, of }: Advance| {
        let of = of.map(|of| format!(" of {}", ui::grouped(of))).unwrap_or_default();
        talk.progress(&format!("{doing} {}{of}", ui::grouped(done)));
    };
    Ok(aws::connect(&settings, Arc::new(tell))?.watched(watch))
}

fn patience(context: &Context, wait: Option<Duration>) -> Patience {
    match wait {
        Some(wait) => Patience::Wait(wait),
        None if context.global.non_interactive || !ui::stdin_is_terminal() => Patience::Unattended,
        None => Patience::Interactive,
    }
}

fn wrong_account(session: &Session<'_>, wanted: &str) -> Error {
    let message = format!(
        "environment `{}` belongs to AWS account {wanted}, and the credentials to another",
        session.environment
    );
    Error::new(Kind::Permission, "wrong-account", message)
        .hint("log in to that account; `aws sts get-caller-identity` shows where you are")
}

/// Whether a failure is one that the last good copy may stand in for.
pub fn is_outage(failure: &Error) -> bool {
    failure.kind() == Kind::Remote
}

/// The first failure of a verb that answers for each of its subjects.
pub fn first_failure<T>(names: &[&str], answers: Vec<Result<T, Failure>>) -> Result<Vec<T>> {
    let pairs = names.iter().zip(answers);
    pairs.map(|(name, answer)| answer.map_err(|failure| failure.about(&format!("`{name}`")))).collect()
}
