//! Whether a leak is one that was acted on already: then the same command again completes it, and replaces nothing twice.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::scan::Finding;
use crate::manifest::{Declaration, Kind, Manifest};
use crate::name::{SecretName, VersionId};
use crate::store::incidents::Incident;
use crate::store::{Store, Version};

/// For how long a name alone means the leak that was declared last, and not one of what took its place.
pub const SAME: TimeDelta = TimeDelta::hours(24);

/// The incident that a secret's leak belongs to already; `None` = it is a new one.
///
/// Findings that tell the version decide by it. A name alone means the value in force; where that took the place of one
/// that leaked less than [`SAME`] ago, the command that replaced it is being repeated.
pub fn by<'s>(store: &'s Store, name: &SecretName, findings: &[Finding], now: DateTime<Utc>) -> Option<&'s str> {
    let found = findings.iter().filter(|it| it.secret == *name).filter_map(|it| it.version);
    // One that the store does not know is told by no incident: then the name means what it would alone.
    let versions: Vec<_> = found.filter(|version| store.version(name, *version).is_some()).collect();
    let about = |covers: &dyn Fn(&Incident) -> bool| {
        let found = store.incidents.iter().filter(|(_, incident)| covers(incident));
        // Of two within a second the later one is about the newer version.
        let newest =
            |incident: &Incident| store.versions(name).enumerate().filter(|(_, it)| incident.has(name, it.id)).last();
        found.max_by_key(|(_, incident)| (incident.at, newest(incident).map(|(at, _)| at))).map(|(id, _)| id.as_str())
    };
    if !versions.is_empty() {
        return about(&|incident| versions.iter().all(|version| incident.has(name, *version)));
    }
    let current = store.current(name)?;
    about(&|incident| incident.has(name, current.id)).or_else(|| {
        about(&|incident| was_replaced(incident, name, current, now)).filter(|_| !is_banned(store, name, current))
    })
}

/// Whether a version leaked that no incident is about, and that its name alone would not be taken for: then it takes `--again`.
pub fn hides(manifest: &Manifest, store: &Store, name: &SecretName, version: VersionId, now: DateTime<Utc>) -> bool {
    let is_new = !store.incidents.values().any(|incident| incident.has(name, version));
    is_new && leaked_with(manifest, name).iter().any(|name| by(store, name, &[], now).is_some())
}

/// What leaked where this did: a template has no value of its own, so that is what it is made of.
pub fn leaked_with(manifest: &Manifest, name: &SecretName) -> BTreeSet<SecretName> {
    let template = manifest.secret(name).filter(|it| matches!(it.kind, Kind::Template(_)));
    let inputs = template.into_iter().flat_map(Declaration::references);
    let inputs = inputs.filter(|it| manifest.secret(*it).is_some_and(Declaration::is_stored));
    let all: BTreeSet<SecretName> = inputs.flat_map(|input| leaked_with(manifest, input)).collect();
    if all.is_empty() { BTreeSet::from([name.clone()]) } else { all }
}

/// Whether what took its place is a value that leaked before.
fn is_banned(store: &Store, name: &SecretName, current: &Version) -> bool {
    current.parts.primary().is_some_and(|value| store.refuse_banned(name, value).is_err())
}

fn was_replaced(incident: &Incident, name: &SecretName, current: &Version, now: DateTime<Utc>) -> bool {
    let is_its = incident.leaked().any(|leaked| leaked == name);
    is_its && current.created >= incident.at && now - incident.at < SAME
}
