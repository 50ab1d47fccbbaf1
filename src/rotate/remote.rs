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
    pub(super) there: Option<Secret>,
    /// Whether nobody looked yet if rotations were aborted since the last time.
    pub(super) is_remembered: bool,
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
    /// What the claim began from: where rotations were aborted since the target was found, not what that says.
    pub seen: Seen,
    /// The id of the remote version.
    pub id: String,
    /// Those of ours in it, with the id that each has on every host, where it has one.
    pub values: Vec<Taken>,
}

/// Looks at the remote secrets that hold one of `due`: one listing, and one read for twenty bundles; of a bundle alone that
/// was seen to be ours, the read alone.
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
    if let [place] = touched[..]
        && let Some(found) = find_alone(remote, place, store)?
    {
        return Ok(found);
    }
    let listed = listed(remote, &touched, prefix)?;
    for place in touched {
        match (listed.get(&place.name), store.synced.bases.contains_key(&place.name)) {
            (None, false) => found.absent.push(place),
            (None, true) => found.problems.push((place, behind(place))),
            (Some(listed), _) => match Seen::of(listed, &owner(&store.project, &store.environment)) {
                Ok(seen) if is_as_agreed(place, &seen, store) => {
                    found.targets.push(Target { place, seen, there: None, is_remembered: false });
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

/// A bundle that rotates alone. Its value has to be read, and comes with the id of its version; what else a listing tells is
/// as it was the last time, or the claim sees that it is not: a listing may be as old. `None` = a listing is to tell.
fn find_alone<'p>(remote: &dyn Remote, place: &'p Place<'p>, store: &Store) -> Result<Option<Found<'p>>> {
    let base = store.synced.bases.get(&place.name).filter(|base| place.is_bundle() && place.is_home_of(&base.arn));
    let Some((base, attempt)) = base.and_then(|base| Some((base, base.attempt.clone()?))) else { return Ok(None) };
    let mut found = Found::default();
    match only(remote.read(&[&base.arn])) {
        Ok(reading) if reading.version == base.version => {
            let (name, arn) = (place.name.clone(), base.arn.clone());
            let seen = Seen { name, arn, current: reading.version, attempt };
            let there = Some(reading.content.into_secret());
            found.targets.push(Target { place, seen, there, is_remembered: true });
        }
        Ok(_) => found.changed.push((place, behind(place))),
        Err(failure) if matches!(failure.cause, Cause::Throttled | Cause::Unreachable) => {
            return Err(failure.about(&format!("`{}`", place.name)));
        }
        // Who may not read it, or finds it gone, hears why.
        Err(_) => return Ok(None),
    }
    Ok(Some(found))
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
    Ok(Target { place, seen, there, is_remembered: false })
}

fn read(remote: &dyn Remote, seen: &Seen, id: &str) -> Result<Content> {
    let reading = only(remote.read_versions(&[(&seen.arn, id)]));
    reading.map(|it| it.content).map_err(|failure| failure.about(&format!("`{}`", seen.name)))
}

/// Claims the rotation of a target of `owner` with new values by key; see [`claim::claim`].
pub fn take(remote: &dyn Remote, target: &Target<'_>, owner: &str, new: &BTreeMap<&str, &Secret>) -> Result<Taking> {
    let Target { place, seen, there, .. } = target;
    let claim = |seen: &Seen| claim::claim(remote, seen, owner, parcel::fresh(place, there.as_ref(), new)?);
    let (mut seen, mut claimed) = (seen.clone(), claim(seen)?);
    if let Claimed::Superseded = claimed
        && let Some(now) = again(remote, target, owner)?
    {
        claimed = claim(&now)?;
        seen = now;
    }
    match claimed {
        Claimed::Go { id, content } => Ok(Taking::Go(intake(target, seen, content, id)?)),
        Claimed::Already { id } => {
            let content = read(remote, &seen, &id)?;
            Ok(Taking::Already(intake(target, seen, content, id)?))
        }
        Claimed::Superseded => Ok(Taking::Superseded),
    }
}

/// What a rotation begins from that only did not know of those which were aborted.
fn again(remote: &dyn Remote, Target { seen, is_remembered, .. }: &Target<'_>, owner: &str) -> Result<Option<Seen>> {
    if !is_remembered {
        return Ok(None);
    }
    let there = only(remote.describe(&[&seen.arn])).map_err(|failure| failure.about(&format!("`{}`", seen.name)))?;
    Ok(Some(Seen::of(&there, owner)?).filter(|now| now.current == seen.current))
}

fn intake(Target { place, there, .. }: &Target<'_>, seen: Seen, content: Content, id: String) -> Result<Intake> {
    let mut changed = parcel::changed(place, there.as_ref(), content.into_secret())?;
    let mut values = Vec::new();
    for (key, declaration) in place.fields() {
        let Some(value) = changed.remove(key) else { continue };
        let Received { parts, username, next } = content::received(declaration, value, &place.name)?;
        // As a pull does: a remote version that holds several values is the version of none.
        let version = VersionId::parse(&id).filter(|_| !place.is_bundle() && !declaration.is_object());
        // It is being made right now.
        let secret = declaration.name.clone();
        values.push(Taken { secret, parts, username, next, version, created: None, read: None });
    }
    Ok(Intake { seen, id, values })
}

/// Notes in the store what both sides agree on now that version `id` is in force there, and the values of `rotated` are
/// current here. To be written with that change.
pub fn agree(store: &mut Store, place: &Place<'_>, seen: Seen, id: &str, rotated: &BTreeSet<SecretName>) {
    let Seen { arn, attempt, .. } = seen;
    let before = store.synced.bases.get(&place.name).filter(|base| base.arn == arn);
    let fingerprints = content::fingerprints(store);
    let fields = place.fields().into_iter().filter_map(|(key, declaration)| {
        let here = content::here(store, declaration, &fingerprints).filter(|_| rotated.contains(&declaration.name));
        let agreed = here.map(|here| here.fingerprint);
        // What did not rotate is there as it was; what nobody looked for yet is looked for.
        Some((key.to_owned(), agreed.or_else(|| before?.fields.get(key).cloned())?))
    });
    let fields = fields.collect();
    let base = Base { arn, version: id.to_owned(), fields, attempt: Some(attempt) };
    store.synced.bases.insert(place.name.clone(), base);
}
