//! A secret in the double, hosts that know it, and what a run of one of them does.

use std::sync::Arc;
use std::time::Duration;

use vault_kit::error::Error;
use vault_kit::exit::Kind;
use vault_kit::remote::aws::{Aws, Patience, Settings, connect};
use vault_kit::remote::{CURRENT, Content, Listed, PENDING, Remote as _};
use vault_kit::rotate::claim::{self, Claimed, Promoted, Seen};
use vault_kit::secret::Secret;

use crate::aws::{Fake, REGION};
use crate::owner::Owner;

/// The secret.
pub(crate) const NAME: &str = "/shop/prod/password";

/// Whose it is.
pub(crate) const OWNER: &str = "shop/prod";

/// A host: a connection of its own, and no memory from one run to the next.
pub(crate) struct Host {
    pub(crate) aws: Aws,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The version is in force by us, or by another host with the same value.
    Rotated(String, Promoted),
    Already(String),
    Superseded,
}

/// Why a run did not come to an end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The host died.
    Crashed,
    Refused(Error),
}

/// At which of our own steps a host dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    Never,
    BeforeSet,
    AfterSet,
    BeforeTest,
    AfterTest,
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        // A request without an answer is as good as a death in the middle of it: nothing is done after it.
        if error.kind() == Kind::Remote { Self::Crashed } else { Self::Refused(error) }
    }
}

/// The double with the secret, whose first value the owner accepts.
pub(crate) fn fake(value: &str) -> Fake {
    let fake = Fake::start();
    fake.put(NAME, value);
    fake.tag(NAME, "vault-kit:managed", OWNER);
    fake
}

pub(crate) fn content(value: &str) -> Content {
    Content::of(Secret::copy_of(value.as_bytes()))
}

pub(crate) fn text(content: &Content) -> String {
    content.secret().expose_text().unwrap().to_owned()
}

pub(crate) fn current(fake: &Fake) -> String {
    fake.holder(NAME, CURRENT).unwrap()
}

pub(crate) fn pending(fake: &Fake) -> Option<String> {
    fake.holder(NAME, PENDING)
}

impl Host {
    pub(crate) fn of(fake: &Fake) -> Self {
        let settings = Settings {
            region: Some(REGION.into()),
            endpoint: Some(fake.url()),
            patience: Patience::Wait(Duration::ZERO),
            ..Settings::default()
        };
        Self { aws: connect(&settings, Arc::new(|_| {})).unwrap() }
    }

    /// The secret as a listing tells of it.
    pub(crate) fn listed(&self) -> Result<Listed, Stopped> {
        let listed = self.aws.list("/shop/prod/").map_err(|failure| Stopped::from(failure.about("the listing")))?;
        Ok(listed.into_iter().find(|it| it.name == NAME).unwrap())
    }

    pub(crate) fn see(&self) -> Result<Seen, Stopped> {
        Ok(Seen::of(&self.listed()?, OWNER)?)
    }

    /// A whole run from a state that was seen: claim, set, test, promote.
    pub(crate) fn rotate(&self, seen: &Seen, fresh: &str, owner: &Owner, crash: Crash) -> Result<Ended, Stopped> {
        let (id, value) = match claim::claim(&self.aws, seen, OWNER, content(fresh))? {
            Claimed::Go { id, content } => (id, text(&content)),
            Claimed::Already { id } => return Ok(Ended::Already(id)),
            Claimed::Superseded => return Ok(Ended::Superseded),
        };
        let dies = |at| if crash == at { Err(Stopped::Crashed) } else { Ok(()) };
        dies(Crash::BeforeSet)?;
        owner.set(&value);
        dies(Crash::AfterSet)?;
        dies(Crash::BeforeTest)?;
        assert!(owner.accepts(&value), "what was set is accepted");
        dies(Crash::AfterTest)?;
        let promoted = claim::promote(&self.aws, seen, &id)?;
        owner.look();
        Ok(Ended::Rotated(id, promoted))
    }

    /// A run of somebody who is alone.
    pub(crate) fn rotate_now(&self, fresh: &str, owner: &Owner) -> Ended {
        self.rotate(&self.see().unwrap(), fresh, owner, Crash::Never).unwrap()
    }
}
