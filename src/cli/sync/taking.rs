//! What a pull takes: every value that can be delivered, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::exchange::Exchange;
use super::order::Order;
use crate::deliver::portable;
use crate::error::{Error, Result};
use crate::gather::Gather;
use crate::manifest::{Declaration, Kind, Manifest};
use crate::name::SecretName;
use crate::plan::{self, Observed, Scope};
use crate::remote::Remote;
use crate::rotate::forget;
use crate::store::Store;
use crate::store::files::Opened;
use crate::store::synced::Base;
use crate::sync::fit;
use crate::sync::look::{self, Item};
use crate::sync::place::Place;
use crate::sync::plan::{Action, Planned};
use crate::sync::pull::{self, Choice, Intake};
use crate::sync::seen::Seen;
use crate::world::World;

/// What was taken.
pub struct Pulled {
    /// The secrets, those that follow from them too.
    pub changed: Vec<SecretName>,
    /// Those that were there.
    pub taken: BTreeSet<SecretName>,
    /// Those that are there no more, and here neither.
    pub removed: Vec<SecretName>,
    /// Whether a base was noted.
    pub noted: bool,
    /// All of that with what it was found at.
    pub planned: Vec<Planned>,
    /// What stands against the rest.
    pub problems: Vec<Error>,
}

/// What is not taken, and why.
type Refused = BTreeMap<SecretName, Error>;

impl Pulled {
    /// Revokes what was replaced of the secrets that are meant, also in an earlier run.
    pub fn drop_replaced(&mut self, exchange: &Exchange<'_>, store: &mut Store, now: DateTime<Utc>) {
        let names = exchange.places.iter().flat_map(Place::fields).map(|(_, it)| &it.name);
        for name in names {
            if store.revoke_replaced(name, now) && !self.changed.contains(name) {
                self.changed.push(name.clone());
            }
        }
    }
}

/// Takes what changed there into the store that `open` gives. What no output can carry, or nothing can be made of, is
/// left out: then the store is opened anew, and all else taken.
pub fn take(
    world: &World<'_>,
    open: impl Fn() -> Result<Opened>,
    exchange: &Exchange<'_>,
    seen: &Seen,
    order: &Order<'_>,
) -> Result<(Opened, Pulled)> {
    let mut refused = Refused::new();
    loop {
        let mut opened = open()?;
        let is_named = |name: &&SecretName| order.names.iter().any(|it| it == name.as_str());
        let all = exchange.places.iter().flat_map(Place::fields).map(|(_, it)| &it.name);
        let named = all.filter(is_named).cloned().collect();
        let choice =
            Choice { theirs: order.prevails, named, refused: refused.keys().cloned().collect(), ..Choice::default() };
        match attempt(world, &mut opened.store, exchange, seen, choice)? {
            Ok(mut pulled) => {
                pulled.problems.extend(refused.into_values());
                return Ok((opened, pulled));
            }
            Err(more) => refused.extend(more),
        }
    }
}

/// Takes the values, makes what follows from them, and then compares again: what is made here from the same inputs is
/// the same as there. Answers with what must be left out, if so; the store is of no use then.
fn attempt(
    world: &World<'_>,
    store: &mut Store,
    exchange: &Exchange<'_>,
    seen: &Seen,
    choice: Choice,
) -> Result<Result<Pulled, Refused>> {
    let items = look::look(&exchange.places, store, seen);
    let mut elsewhere: BTreeSet<SecretName> = items.iter().flat_map(Item::kept_there).cloned().collect();
    let found: Vec<Planned> = items.iter().map(|item| Planned::of(item, Action::Note)).collect();
    let mut renamed = pull::renamed(&items, &signers(world));
    let Intake { mut values, removed, .. } = pull::intake(items, store, &choice);
    values.append(&mut renamed);
    let mut taken = BTreeSet::new();
    for mut value in in_order(world, values) {
        value.read = exchange.remote.clock();
        let declaration =
            world.manifest.secret(&value.secret).ok_or_else(|| Error::bug("an undeclared secret was pulled"))?;
        // Its inputs are here by now, if they are there.
        if fit::fault(fit::judge(store, declaration, &value.parts)).is_some() {
            elsewhere.remove(&value.secret);
            continue;
        }
        taken.insert(value.secret.clone());
        world.take_over(store, declaration, value)?;
    }
    let mut changed: Vec<SecretName> = taken.iter().chain(&removed).cloned().collect();
    for name in &removed {
        forget::forget(world.manifest, store, name, world.now);
    }
    if !taken.is_empty() {
        let scope = Scope::Missing(plan::dependents(world.manifest, &taken));
        // What could not be taken is not made here either: then there would be two of it. And what was taken together
        // with its inputs belongs to them: only what was made of others is made anew.
        let observed = Observed { elsewhere, ..world.observe(store) };
        for step in plan::plan(world.manifest, world.environment, &observed, &scope).steps {
            if let Err(error) = world.make_step(store, &step) {
                return blame(world.manifest, &taken, &step.secret, &error).map(Err).ok_or(error);
            }
            changed.push(step.secret);
        }
        let mut refused = Refused::new();
        for (secret, error) in portable::undeliverable(world, store, &changed) {
            refused.extend(blame(world.manifest, &taken, &secret, &error).ok_or(error)?);
        }
        if !refused.is_empty() {
            return Ok(Err(refused));
        }
    }
    let choice = Choice { theirs: false, taken: Some(taken), ..choice };
    let Intake { bases, problems, .. } = pull::intake(look::look(&exchange.places, store, seen), store, &choice);
    let is_news = |name: &String, base: &Base| store.synced.bases.get(name) != Some(base);
    let news: BTreeSet<&str> =
        bases.iter().filter(|(name, base)| is_news(name, base)).map(|it| it.0.as_str()).collect();
    for place in &news {
        exchange.renew_published(store, place, world.now);
    }
    let taken = choice.taken.unwrap_or_default();
    let is_taken = |name: &SecretName| taken.contains(name) || removed.contains(name);
    let (noted, planned) = (!news.is_empty(), planned(found, is_taken, &news));
    store.synced.bases.extend(bases);
    Ok(Ok(Pulled { changed, taken, removed, noted, planned, problems }))
}

/// The values that were taken and of which this one is, or is made; `None` where it is of none.
fn blame(manifest: &Manifest, taken: &BTreeSet<SecretName>, secret: &SecretName, error: &Error) -> Option<Refused> {
    let mut open = vec![secret];
    let mut refused = Refused::new();
    while let Some(name) = open.pop() {
        open.extend(manifest.secret(name).into_iter().flat_map(|it| it.references()));
        if taken.contains(name) && !refused.contains_key(name) {
            let message =
                if name == secret { format!("not taken: {error}") } else { format!("`{name}` is not taken: {error}") };
            let again = format!("or mend it in AWS, then `vault-kit sync pull {name}`; the value of before stays");
            refused.insert(name.clone(), error.reworded(message).hint(again));
        }
    }
    (!refused.is_empty()).then_some(refused)
}

/// The secrets that declared tokens are signed by.
fn signers<'w>(world: &World<'w>) -> BTreeSet<&'w SecretName> {
    let signer = |it: &'w Declaration| if let Kind::Token(token) = &it.kind { Some(&token.signed_by) } else { None };
    world.manifest.secrets_in(world.environment).filter_map(signer).collect()
}

/// What something is done with, of all that was found.
fn planned(found: Vec<Planned>, is_taken: impl Fn(&SecretName) -> bool, news: &BTreeSet<&str>) -> Vec<Planned> {
    let planned = found.into_iter().filter_map(|it| {
        let is_taken = it.ours.keys().any(&is_taken);
        let action = if is_taken { Action::Take } else { Action::Note };
        (is_taken || news.contains(it.name.as_str())).then_some(Planned { action, ..it })
    });
    planned.collect()
}

/// Inputs before what is made from them.
fn in_order(world: &World<'_>, mut values: Vec<pull::Taken>) -> Vec<pull::Taken> {
    let order = world.manifest.order.iter().enumerate();
    let places: BTreeMap<&SecretName, usize> = order.map(|(place, declaration)| (&declaration.name, place)).gather();
    values.sort_unstable_by_key(|value| places.get(&value.secret).copied());
    values
}
