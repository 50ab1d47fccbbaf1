//! What a run works on. Pure: no value, no disk, no clock.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::barred::refuse;
use super::programs::{Programs, Step};
use super::retire::{owes_reload, waits_for_owner};
use crate::companions;
use crate::error::{Error, Kind, Result};
use crate::manifest::{Declaration, Kind as SecretKind, Manifest};
use crate::name::{EnvName, GroupName, SecretName};
use crate::plan;
use crate::plan::due::{self, Due};
use crate::store::rotations::{Step as Reached, Trouble};
use crate::store::{Stage, Store};

/// What a person or a schedule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// What is due at this time. What failed waits for its pause to end.
    Due,
    /// These now, whether or not they are due.
    Now(BTreeSet<SecretName>),
    /// What leaked of these is replaced now; where it is replaced already, its owner is to refuse it.
    Leaked(BTreeSet<SecretName>),
    /// Everything that was begun, or these of it; whether or not its pause has ended.
    Resume(BTreeSet<SecretName>),
}

/// What a run works on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// To be begun; what is among `going` too, once that was given up.
    pub fresh: BTreeSet<SecretName>,
    /// Begun by an earlier run, to be carried on.
    pub going: BTreeSet<SecretName>,
    /// Of an earlier rotation of those that are to be begun: what it replaced is retired first.
    pub retire_first: BTreeSet<SecretName>,
    /// Left as they are: to go on would tell an owner a value that leaked.
    pub leaked: BTreeSet<SecretName>,
    /// Left as they are: what their owners were told last is all that they accept.
    pub untold: BTreeSet<SecretName>,
}

impl Selection {
    /// The secrets whose values it is going to change, with what is made of them.
    pub fn changing(&self, manifest: &Manifest, store: &Store) -> BTreeSet<SecretName> {
        let is_open = |name: &&SecretName| store.rotations.open(name).is_some();
        let changing = self.fresh.iter().chain(self.going.iter().filter(is_open)).cloned().collect();
        plan::dependents(manifest, &changing)
    }

    /// What is begun anew without what was begun being given back to an owner: that leaked.
    pub fn anew(&self, store: &Store) -> BTreeSet<SecretName> {
        let both = self.going.intersection(&self.fresh);
        both.filter(|name| tells_leaked(store, name)).cloned().collect()
    }
}

/// Whether to go on with a rotation would tell an owner a value that leaked: the one in force, where it is being given up, or an
/// earlier one that was to come back.
pub fn tells_leaked(store: &Store, name: &SecretName) -> bool {
    let Some(operation) = store.rotations.open(name) else { return false };
    if operation.step == Reached::Aborting {
        return store.is_current_leaked(name);
    }
    operation.candidate.and_then(|id| store.version(name, id)).is_some_and(|it| store.is_banned(it))
}

/// Whether a secret can be rotated without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// It can.
    Yes,
    /// Somebody else issues it.
    Supplied,
    /// A root CA: everybody has to be told to trust a new one.
    Root,
    /// What it encrypted would be lost, since no hook encrypts it anew.
    Encrypts,
    /// A root CA without an overlap that other hosts have too, by way of AWS: nobody could trust its successor before it signs.
    Abrupt,
}

/// Whether a secret can be rotated by a schedule.
pub fn ready(manifest: &Manifest, environment: &EnvName, declaration: &Declaration, has_set: bool) -> Ready {
    let is_in_aws = declaration.remote.is_some() && manifest.aws(environment).is_some();
    match &declaration.kind {
        _ if !declaration.is_generated() => Ready::Supplied,
        SecretKind::Ca(ca) if ca.issuer.is_none() => {
            let is_abrupt = is_in_aws && companions::lead(manifest, environment, declaration).is_none();
            if is_abrupt { Ready::Abrupt } else { Ready::Root }
        }
        SecretKind::EncryptionKey(_) if !has_set => Ready::Encrypts,
        _ => Ready::Yes,
    }
}

/// Whether all hosts that have a secret by way of AWS have to come to one new value of it. Of two tokens or certificates of
/// one key they agree on one by themselves, and both are good; what is made of other values each makes for itself.
pub fn is_shared(manifest: &Manifest, environment: &EnvName, declaration: &Declaration) -> bool {
    let is_derived =
        matches!(declaration.kind, SecretKind::Token(_) | SecretKind::Certificate(_) | SecretKind::Template(_));
    declaration.remote.is_some() && manifest.aws(environment).is_some() && declaration.is_generated() && !is_derived
}

/// Whether all hosts that have a secret by way of AWS publish its successor before that signs.
pub fn is_ahead(manifest: &Manifest, environment: &EnvName, declaration: &Declaration) -> bool {
    is_shared(manifest, environment, declaration)
        && declaration.sends_next()
        && companions::lead(manifest, environment, declaration).is_some()
}

/// The secrets of a group.
pub fn group<'m>(
    manifest: &'m Manifest,
    environment: &'m EnvName,
    group: &'m GroupName,
) -> impl Iterator<Item = &'m SecretName> {
    manifest.secrets_in(environment).filter(|it| it.group.as_ref() == Some(group)).map(|it| &it.name)
}

/// Whether the value of a secret leaked and is to be replaced at once. What is made from a value that leaked, which would be as
/// good as the same again, is made anew with that.
pub fn leaks(declaration: &Declaration, is_banned: impl Fn(&SecretName) -> bool) -> bool {
    is_banned(&declaration.name) && !declaration.references().into_iter().any(is_banned)
}

/// When a secret's replacement is due; `None` = never, or not as long as something else is on its way.
pub fn due<'m>(manifest: &'m Manifest, declaration: &'m Declaration, store: &Store) -> Option<Due<'m>> {
    let name = &declaration.name;
    let version = store.value(declaration)?;
    let has_next = store.versions(name).any(|it| it.stage == Stage::Next);
    let is_leaked = leaks(declaration, |name| store.current(name).is_some_and(|it| store.is_banned(it)));
    match store.rotations.running.get(name) {
        // What leaked is replaced whatever the last rotation still waits for: the next one retires for both.
        Some(operation) if !is_leaked || operation.is_open() && !tells_leaked(store, name) => return None,
        // Nobody waits until verifiers know its successor.
        _ if is_leaked => return Some(Due::at_once(version.created)),
        _ if is_next_leaked(manifest, declaration, store) => return Some(Due::at_once(version.created)),
        _ if has_next => return activation(manifest, declaration, store),
        _ => {}
    }
    due::term(version.into(), declaration, manifest.environments.get(&store.environment))
}

/// Whether what this host alone published to take its place leaked: another one is published instead.
fn is_next_leaked(manifest: &Manifest, declaration: &Declaration, store: &Store) -> bool {
    let next = store.next(&declaration.name);
    next.is_some_and(|it| store.is_banned(it)) && !companions::is_joint(manifest, declaration, store)
}

/// When a key or root that all hosts publish signs; `None` for one that this host activates alone.
fn activation<'m>(manifest: &'m Manifest, declaration: &'m Declaration, store: &Store) -> Option<Due<'m>> {
    let companions = companions::companions(manifest, declaration, store, store.updated);
    let next = companions.into_iter().find(|it| it.version.stage == Stage::Next);
    next.filter(|_| companions::is_joint(manifest, declaration, store)).map(|it| Due::at_once(it.until))
}

/// Whether it is a key or root that all hosts publish, and that leaked: nobody is to wait until verifiers know its successor.
pub(super) fn is_cut(manifest: &Manifest, declaration: &Declaration, store: &Store) -> bool {
    store.is_current_leaked(&declaration.name) && companions::is_joint(manifest, declaration, store)
}

/// What an order comes to.
///
/// Fails with `no-value`, `supplied`, `encryption-key` for what cannot be rotated although it is named.
pub fn select(
    manifest: &Manifest,
    store: &Store,
    order: &Order,
    programs: &dyn Programs,
    now: DateTime<Utc>,
) -> Result<Selection> {
    let running = &store.rotations.running;
    let mut selection = Selection::default();
    match order {
        Order::Due => {
            let is_due = |it: &&Declaration| due(manifest, it, store).is_some_and(|due| due.is_now(now));
            // A root that is published was asked for by a person.
            let can = |it: &&Declaration| {
                (ready(manifest, &store.environment, it, has_set(programs, it)) == Ready::Yes
                    || activation(manifest, it, store).is_some())
                    && !is_cut(manifest, it, store)
            };
            let is_paused = |name: &SecretName| {
                let refused = store.rotations.refused.get(name).and_then(Trouble::again_there);
                refused.is_some_and(|at| now < at)
            };
            let declared = manifest.secrets_in(&store.environment).filter(|it| !is_paused(&it.name));
            selection.fresh.extend(declared.filter(is_due).filter(can).map(|it| it.name.clone()));
            let going = running.iter().filter(|(name, it)| it.next() <= now && !is_paused(name));
            let going = going.map(|(name, _)| name);
            let going = going.filter(|name| !selection.fresh.contains(*name) && !tells_leaked(store, name));
            let going = going.filter(|name| !waits_for_owner(store, programs, name));
            let anew = selection.fresh.iter().filter(|name| tells_leaked(store, name));
            selection.going = going.chain(anew).cloned().collect();
        }
        Order::Leaked(names) | Order::Now(names) => {
            for name in names {
                match running.get(name) {
                    // What is given up is so first, and what was asked for is a new value.
                    Some(operation) if operation.step == Reached::Aborting || tells_leaked(store, name) => {
                        selection.going.insert(name.clone());
                        selection.fresh.insert(name.clone());
                    }
                    Some(operation) if operation.is_open() => drop(selection.going.insert(name.clone())),
                    // What leaked is replaced whatever the last rotation still waits for: the next one retires for both. What is
                    // not reloaded may still work with the old value.
                    Some(_) if store.is_current_leaked(name) => drop(selection.fresh.insert(name.clone())),
                    Some(_) if matches!(order, Order::Leaked(_)) => drop(selection.going.insert(name.clone())),
                    Some(_) if owes_reload(manifest, store, name) => return Err(waits_for_reload(name)),
                    Some(_) => {
                        // Of an owner that lacks the value in force the next rotation retires for both.
                        if !waits_for_owner(store, programs, name) {
                            selection.retire_first.insert(name.clone());
                        }
                        selection.fresh.insert(name.clone());
                    }
                    None => drop(selection.fresh.insert(name.clone())),
                }
            }
            let refused =
                selection.fresh.iter().filter_map(|name| refuse(manifest, manifest.secret(name)?, store, programs));
            if let Some(error) = Error::all(refused) {
                return Err(error);
            }
        }
        Order::Resume(names) => {
            let is_meant = |name: &&SecretName| names.is_empty() || names.contains(*name);
            // What only waits for the end of its overlap goes on waiting.
            let is_open = |name: &&SecretName| {
                let it = &running[*name];
                it.step != Reached::Promoted || it.retire_at.is_none_or(|at| at <= now)
            };
            let going = running.keys().filter(is_meant).filter(is_open).cloned();
            (selection.leaked, selection.going) = going.partition(|name| tells_leaked(store, name));
            selection.untold = selection.going.extract_if(.., |name| waits_for_owner(store, programs, name)).collect();
        }
    }
    Ok(selection)
}

fn waits_for_reload(name: &SecretName) -> Error {
    let message = format!("`{name}` is being rotated: a program has yet to read the files that changed");
    Error::new(Kind::Conflict, "rotation-in-flight", message)
        .hint("nothing was changed; go on with it by `vault-kit rotate resume`")
}

pub(super) fn has_set(programs: &dyn Programs, declaration: &Declaration) -> bool {
    !programs.hooks(&declaration.name, Step::Set).is_empty()
}
