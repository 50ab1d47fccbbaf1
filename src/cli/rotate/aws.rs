//! AWS as a rotation asks for it: connected when there is something to do there, and never before.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::cli::session::Session;
use crate::cli::sync::exchange::Exchange;
use crate::cli::sync::order::Order;
use crate::cli::sync::sight::Reads;
use crate::cli::sync::taking;
use crate::error::{Error, Result};
use crate::name::SecretName;
use crate::remote::Remote;
use crate::rotate::shared::{Pulled, Shared};
use crate::sync::place::{self, Place};
use crate::world::World;

/// The environment's place in AWS.
pub struct Aws<'s> {
    session: &'s Session<'s>,
    places: Vec<Place<'s>>,
    prefix: String,
    exchange: OnceCell<Exchange<'s>>,
}

impl<'s> Aws<'s> {
    /// Of an environment that has one.
    pub fn of(session: &'s Session<'s>) -> Option<Self> {
        let declared = session.manifest.aws(&session.environment)?;
        let places = place::places(&session.manifest, &session.environment, declared);
        let prefix = declared.prefix_of(&session.manifest.project, &session.environment);
        Some(Self { session, places, prefix, exchange: OnceCell::new() })
    }

    fn exchange(&self) -> Result<&Exchange<'s>> {
        if let Some(exchange) = self.exchange.get() {
            return Ok(exchange);
        }
        let exchange = Exchange::open_any(self.session, None)?;
        exchange.check_account(self.session)?;
        Ok(self.exchange.get_or_init(|| exchange))
    }

    /// The same connection, for the places of these secrets.
    fn about(&self, names: &BTreeSet<SecretName>) -> Result<Exchange<'s>> {
        let Exchange { declared, prefix, remote, .. } = self.exchange()?;
        let mut places = place::places(&self.session.manifest, &self.session.environment, declared);
        places.retain(|place| names.iter().any(|name| place.holds(name)));
        Ok(Exchange { declared, places, prefix: prefix.clone(), remote: Rc::clone(remote), account: OnceCell::new() })
    }
}

impl Shared for Aws<'_> {
    fn places(&self) -> &[Place<'_>] {
        &self.places
    }

    fn prefix(&self) -> &str {
        &self.prefix
    }

    fn remote(&self) -> Result<&dyn Remote> {
        Ok(&*self.exchange()?.remote)
    }

    fn pull(&self, world: &World<'_>, names: &BTreeSet<SecretName>, prevails: bool) -> Result<Pulled> {
        let exchange = self.about(names)?;
        let open = || {
            let opened = world.files.open_for_writing(world.identities)?;
            opened.ok_or_else(|| Error::bug("a rotation was begun without a store"))
        };
        let seen = exchange.see(self.session, Some(&open()?.store), Reads::Changed)?;
        let names: Vec<String> = names.iter().map(SecretName::to_string).collect();
        let (opened, pulled) = taking::take(world, open, &exchange, &seen, &Order::to_pull(&names, prevails))?;
        let taking::Pulled { changed, noted, problems, .. } = pulled;
        Ok(Pulled { opened, changed, noted, problems })
    }
}
