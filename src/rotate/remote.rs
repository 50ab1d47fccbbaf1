//! The rotation of what is in AWS, for the machine that runs it: which remote secrets are touched, the values that are to be
//! staged, and what both sides agree on once they are in force.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{self, Claimed, Seen};
use super::parcel;
use super::step::only;
use crate::error::{Error, Kind, Result};
use crate::gather::Gather;
use crate::name::{SecretName, VersionId};
use crate::remote::{Cause, Content, Listed, Remote};
use crate::secret::Secret;
use crate::store::Store;
use crate::store::synced::Base;
use crate::sync::content::{self, Received};
use crate::sync::place::{Place, owner};
use crate::sync::pull::Taken;

/// A remote secret in which something is due.
#[derive(Debug)]
pub struct Target<'p> {
    /// Which one.
    pub place: &'p Place<'p>,
    /// What the listing told of it.
    pub seen: Seen,
    /// The bundle that is there, whose other keys stay as they are.
    there: Option<Secret>,
}

/// What was found of the remote secrets that something due is in.
#[derive(Debug, Default)]
pub struct Found<'p> {
    /// Those that can be claimed.
    pub targets: Vec<Target<'p>>,
    /// Those that never were in AWS: what is in them rotates here alone, until it is pushed.
    pub absent: Vec<&'p Place<'p>>,
    /// Those that are not what the store agreed on last, and the words for it: another host rotated them, or somebody
    /// changed them.
    pub changed: Vec<(&'p Place<'p>, Error)>,
    /// What stands against the rest.
    pub problems: Vec<(&'p Place<'p>, Error)>,
}

/// What came of a claim.
#[derive(Debug)]
pub enum Taking {
    /// These values are to be staged, set and tested: the new ones, on all hosts.
    Go(Intake),
    /// These values are in force in AWS, and accepted by their owners.
    Already(Intake),
    /// It is not what was seen. A value of ours that was set at an owner has to make way for the one in force.
    Superseded,
}

/// The new values of a remote secret.
#[derive(Debug)]
pub struct Intake {
    /// The id of the remote version.
    pub id: String,
    /// Those of ours in it, with the id that each has on every host, where it has one.
    pub values: Vec<Taken>,
}

/// Looks at the remote secrets that hold one of `due`: one listing, and one read for twenty bundles.
pub fn find<'p>(
    remote: &dyn Remote,
    places: &'p [Place<'p>],
    prefix: &str,
    due: &BTreeSet<SecretName>,
    store: &Store,
) -> Result<Found<'p>> {
    let touched: Vec<&Place<'_>> = places.iter().filter(|place| due.iter().any(|name| place.holds(name))).collect();
    let mut found = Found::default();
    if touched.is_empty() {
        return Ok(found);
    }
    let listed = listed(remote, &touched, prefix)?;
    for place in touched {
        match (listed.get(&place.name), store.synced.bases.contains_key(&place.name)) {
            (None, false) => found.absent.push(place),
            (None, true) => found.problems.push((place, behind(place))),
            (Some(listed), _) => match Seen::of(listed, &owner(&store.project, &store.environment)) {
                Ok(seen) if is_as_agreed(place, &seen, store) => {
                    found.targets.push(Target { place, seen, there: None });
                }
                Ok(_) => found.changed.push((place, behind(place))),
                Err(problem) => found.problems.push((place, problem)),
            },
        }
    }
    read_bundles(remote, &mut found);
    Ok(found)
}

fn listed(remote: &dyn Remote, places: &[&Place<'_>], prefix: &str) -> Result<BTreeMap<String, Listed>> {
    let listed = match remote.list(prefix) {
        Ok(listed) => listed,
        // A role may be allowed to describe what it knows by name, and not to list.
        Err(failure) if failure.cause == Cause::Denied => {
            let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
            let mut listed = Vec::new();
            for (name, answer) in names.iter().zip(remote.describe(&names)) {
                match answer {
                    Ok(description) => listed.push(description),
                    Err(failure) if failure.cause == Cause::Missing => {}
                    Err(failure) => return Err(failure.about(&format!("`{name}`"))),
                }
            }
            listed
        }
        Err(failure) => return Err(failure.about(&format!("`{prefix}`"))),
    };
    Ok(listed.into_iter().map(|it| (it.name.clone(), it)).gather())
}

/// Only what is here as it is there rotates: otherwise another host rotated it, or somebody changed it, and due is what
/// they left.
fn is_as_agreed(place: &Place<'_>, seen: &Seen, store: &Store) -> bool {
    let base = store.synced.bases.get(&place.name);
    base.is_some_and(|base| base.arn == seen.arn && base.version == seen.current) && place.is_home_of(&seen.arn)
}

fn read_bundles(remote: &dyn Remote, found: &mut Found<'_>) {
    let is_bundle = |target: &Target<'_>| target.place.is_bundle();
    let (bundles, mut targets): (Vec<_>, Vec<_>) = std::mem::take(&mut found.targets).into_iter().partition(is_bundle);
    let arns: Vec<&str> = bundles.iter().map(|target| target.seen.arn.as_str()).collect();
    let answers = remote.read(&arns);
    drop(arns);
    for (target, answer) in bundles.into_iter().zip(answers) {
        match answer {
            Ok(reading) if reading.version == target.seen.current => {
                targets.push(Target { there: Some(reading.content.into_secret()), ..target });
            }
            Ok(_) => found.changed.push((target.place, behind(target.place))),
            Err(failure) => {
                let problem = failure.about(&format!("`{}`", target.place.name));
                found.problems.push((target.place, problem));
            }
        }
    }
    targets.sort_unstable_by(|a, b| a.seen.name.cmp(&b.seen.name));
    found.targets = targets;
}

fn behind(place: &Place<'_>) -> Error {
    let name = &place.name;
    Error::new(Kind::Conflict, "remote-changed", format!("`{name}` in AWS is not what the store agreed on last"))
        .hint(format!("take what is there with `vault-kit sync pull {name}`; what is due then is rotated"))
}

/// A rotation that began in an earlier run, from what was seen then.
pub fn resumed<'p>(remote: &dyn Remote, place: &'p Place<'p>, seen: Seen) -> Result<Target<'p>> {
    let there = if place.is_bundle() { Some(read(remote, &seen, &seen.current)?.into_secret()) } else { None };
    Ok(Target { place, seen, there })
}

fn read(remote: &dyn Remote, seen: &Seen, id: &str) -> Result<Content> {
    let reading = only(remote.read_versions(&[(&seen.arn, id)]));
    reading.map(|it| it.content).map_err(|failure| failure.about(&format!("`{}`", seen.name)))
}

/// Claims the rotation of a target with new values by key; see [`claim::claim`].
pub fn take(remote: &dyn Remote, target: &Target<'_>, new: &BTreeMap<&str, &Secret>) -> Result<Taking> {
    let Target { place, seen, there } = target;
    let fresh = parcel::fresh(place, there.as_ref(), new)?;
    match claim::claim(remote, seen, fresh)? {
        Claimed::Go { id, content } => Ok(Taking::Go(intake(target, content, id)?)),
        Claimed::Already { id } => Ok(Taking::Already(intake(target, read(remote, seen, &id)?, id)?)),
        Claimed::Superseded => Ok(Taking::Superseded),
    }
}

fn intake(Target { place, there, .. }: &Target<'_>, content: Content, id: String) -> Result<Intake> {
    let mut changed = parcel::changed(place, there.as_ref(), content.into_secret())?;
    let mut values = Vec::new();
    for (key, declaration) in place.fields() {
        let Some(value) = changed.remove(key) else { continue };
        let Received { parts, username } = content::received(declaration, value, &place.name)?;
        // As a pull does: a remote version that holds several values is the version of none.
        let version = VersionId::parse(&id).filter(|_| !place.is_bundle() && !declaration.is_object());
        // It is being made right now.
        values.push(Taken { secret: declaration.name.clone(), parts, username, version, created: None });
    }
    Ok(Intake { id, values })
}

/// Notes in the store what both sides agree on now that version `id` is in force there, and the values of `rotated` are
/// current here. To be written with that change.
pub fn agree(store: &mut Store, place: &Place<'_>, arn: &str, id: &str, rotated: &BTreeSet<SecretName>) {
    let before = store.synced.bases.get(&place.name).filter(|base| base.arn == arn);
    let fingerprints = content::fingerprints(store);
    let fields = place.fields().into_iter().filter_map(|(key, declaration)| {
        let here = content::here(store, declaration, &fingerprints).filter(|_| rotated.contains(&declaration.name));
        let agreed = here.map(|here| here.fingerprint);
        // What did not rotate is there as it was; what nobody looked for yet is looked for.
        Some((key.to_owned(), agreed.or_else(|| before?.fields.get(key).cloned())?))
    });
    let base = Base { arn: arn.to_owned(), version: id.to_owned(), fields: fields.collect() };
    store.synced.bases.insert(place.name.clone(), base);
}
