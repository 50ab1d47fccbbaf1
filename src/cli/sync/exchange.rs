//! What the verbs of `sync` share: the connection, which remote secrets are meant, and looking at them.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use std::time::Duration;

use super::super::context::{self, Context};
use super::super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::manifest::model::Aws as Declared;
use crate::name::SecretName;
use crate::remote::aws::{self, Advance, Aws, Notice, Patience, Settings};
use crate::remote::{Cause, Failure, Remote};
use crate::store::Store;
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
    /// The account that the credentials belong to, once STS was asked.
    pub account: OnceCell<String>,
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
        Ok(Self { declared, places, prefix, remote, account: OnceCell::new() })
    }

    /// Our secrets in a place, by its name.
    pub fn secrets(&self, name: &str) -> Vec<&SecretName> {
        self.place(name).into_iter().flat_map(Place::fields).map(|(_, declaration)| &declaration.name).collect()
    }

    /// A place, by its name.
    pub fn place(&self, name: &str) -> Option<&Place<'s>> {
        let place = self.places.binary_search_by(|place| place.name.as_str().cmp(name));
        place.ok().map(|place| &self.places[place])
    }

    /// A key that is published, and whose place in AWS has another version than was agreed on: it may have been taken back
    /// and sent again since, so that others know it only from now on.
    pub fn renew_published(&self, store: &mut Store, place: &str, now: DateTime<Utc>) {
        let now = self.remote.clock().unwrap_or(now);
        let fields = self.place(place).into_iter().flat_map(Place::fields);
        for (_, declaration) in fields.filter(|(_, it)| it.sends_next()) {
            store.renew_published(&declaration.name, now);
        }
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
        if let Some(account) = self.account.get() {
            return Ok(account.clone());
        }
        let account = self.remote.account().map_err(|failure| failure.about("the account (STS)"))?;
        Ok(self.account.get_or_init(|| account).clone())
    }

    /// Refuses secrets of another account than the environment's: their ARNs tell, and no question need be asked.
    pub fn refuse_elsewhere<'l>(&self, session: &Session<'_>, arns: impl IntoIterator<Item = &'l str>) -> Result<()> {
        let Some(wanted) = &self.declared.account else { return Ok(()) };
        if arns.into_iter().all(|arn| self.is_at_home(arn)) { Ok(()) } else { Err(wrong_account(session, wanted)) }
    }

    /// Whether an ARN is of the environment's account, as far as that is declared.
    pub fn is_at_home(&self, arn: &str) -> bool {
        self.declared.account.as_deref().is_none_or(|wanted| arn.split(':').nth(4) == Some(wanted))
    }
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
        authorities: context::authorities(),
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
