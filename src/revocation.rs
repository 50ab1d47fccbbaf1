//! Revoked certificates → revocation lists in the store, from where `pem` outputs deliver them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::error::{Error, Result};
use crate::gather::Gather;
use crate::generate::certificate::revocation::{self, Entry};
use crate::manifest::model::PemFile;
use crate::manifest::{Declaration, Format, Kind, Manifest};
use crate::name::{EnvName, SecretName};
use crate::secret::Secret;
use crate::store::certificates::Lists;
use crate::store::{Stage, Store, Version};
use crate::world::World;

impl World<'_> {
    /// Makes new lists for a CA and for those above it, whatever the age of the old ones; tells whose.
    ///
    /// A verifier that checks the whole path wants the list of every CA on it.
    pub fn make_lists(&self, store: &mut Store, authorities: &BTreeSet<SecretName>) -> Result<Vec<SecretName>> {
        let path = path(self.manifest, authorities);
        for name in &path {
            self.make_lists_of(store, name)?;
        }
        Ok(path)
    }

    /// Makes new lists where an output delivers one that is missing, past half of its life, or of a CA that was replaced
    /// since; tells whose.
    pub fn refresh_lists(&self, store: &mut Store) -> Result<Vec<SecretName>> {
        let is_due = |name: &SecretName| store.current(name).is_some() && self.is_due(store, name);
        let due: Vec<_> = delivered(self.manifest, self.environment).into_iter().filter(is_due).collect();
        for name in &due {
            self.make_lists_of(store, name)?;
        }
        Ok(due)
    }

    fn is_due(&self, store: &Store, name: &SecretName) -> bool {
        let Some(lists) = store.certificates.lists.get(name) else { return true };
        let versions: BTreeSet<_> = signing_versions(store, name, self.now).map(|version| version.id).collect();
        lists.versions != versions || refreshed_from(lists.next_update) <= self.now
    }

    fn make_lists_of(&self, store: &mut Store, name: &SecretName) -> Result<()> {
        let number = store.certificates.lists.get(name).map_or(0, |lists| lists.number) + 1;
        let mut lists =
            Lists { number, next_update: self.now + revocation::LIFE, versions: BTreeSet::new(), pem: String::new() };
        for version in signing_versions(store, name, self.now) {
            let revoked = store.certificates.revoked.iter();
            let entries: Vec<Entry<'_>> = revoked
                .filter(|it| it.issuer == version.id && it.expires >= self.now)
                .map(|it| Entry { serial: &it.serial, at: it.at, reason: it.reason })
                .collect();
            let (pem, next_update) = revocation::list(name, &version.parts, &entries, number, self.now)?;
            lists.pem += pem.expose_text().ok_or_else(|| Error::bug("a revocation list is not text"))?;
            lists.next_update = lists.next_update.min(next_update);
            lists.versions.insert(version.id);
        }
        store.updated = store.updated.max(self.now);
        store.certificates.lists.insert(name.clone(), lists);
        Ok(())
    }
}

/// The versions of a CA whose certificates are still valid, the current one first: what an older one signed for others
/// is only followed through that one's list, and what a published one will sign through its own.
fn signing_versions<'s>(store: &'s Store, name: &SecretName, now: DateTime<Utc>) -> impl Iterator<Item = &'s Version> {
    let next = store.versions(name).filter(|it| it.stage == Stage::Next);
    let versions = store.versions(name).rev().filter(|it| it.stage != Stage::Next).chain(next);
    versions.filter(move |it| it.stage != Stage::Purged && it.kind == "ca" && it.expires.is_some_and(|end| end > now))
}

/// These CAs and all above them, each after those that it signed.
fn path(manifest: &Manifest, authorities: &BTreeSet<SecretName>) -> Vec<SecretName> {
    let mut all = authorities.clone();
    // `order` names an issuer before what it signs: backwards, a CA is met before its own issuer.
    for declaration in manifest.order.iter().rev().filter(|it| matches!(it.kind, Kind::Ca(_))) {
        if all.contains(&declaration.name) {
            all.extend(issuer(manifest, &declaration.name).cloned());
        }
    }
    manifest.order.iter().rev().map(|it| &it.name).filter(|name| all.contains(*name)).cloned().collect()
}

/// Who signs a CA or certificate; `None` for what signs itself.
pub fn issuer<'m>(manifest: &'m Manifest, name: &SecretName) -> Option<&'m SecretName> {
    match &manifest.secrets.get(name)?.kind {
        Kind::Ca(ca) => ca.issuer.as_ref(),
        Kind::Certificate(leaf) => leaf.issuer.as_ref(),
        _ => None,
    }
}

/// From when on whoever writes makes a new list: past half of the life of the old one.
pub fn refreshed_from(next_update: DateTime<Utc>) -> DateTime<Utc> {
    next_update - revocation::LIFE / 2
}

/// From when on an old list is told of: somebody should have made a new one by then, and a third of its life is left.
pub fn late_from(next_update: DateTime<Utc>) -> DateTime<Utc> {
    next_update - revocation::LIFE / 3
}

/// The CA on which the trust in a CA or certificate rests; itself for a root, `None` for what signs itself and is no CA.
pub fn root<'m>(manifest: &'m Manifest, name: &'m SecretName) -> Option<&'m Declaration> {
    let mut top = name;
    while let Some(above) = issuer(manifest, top) {
        top = above;
    }
    manifest.secret(top).filter(|it| matches!(it.kind, Kind::Ca(_)))
}

/// The CAs whose lists the outputs of an environment deliver, each after those that it signed: for a certificate those of
/// its issuer, and all above.
pub fn delivered(manifest: &Manifest, environment: &EnvName) -> Vec<SecretName> {
    let with_lists = manifest
        .outputs_in(environment)
        .filter(|output| matches!(&output.format, Format::Pem { files } if files.contains_key(&PemFile::Crl)));
    authorities(manifest, with_lists.flat_map(|output| &output.secrets))
}

/// The CAs whose lists tell of these secrets, each after those that it signed.
pub fn authorities<'m>(manifest: &Manifest, names: impl IntoIterator<Item = &'m SecretName>) -> Vec<SecretName> {
    path(manifest, &names.into_iter().filter_map(|name| authority(manifest, name)).cloned().collect())
}

/// The CA that a secret's lists come from: itself, or who signs it.
fn authority<'m>(manifest: &'m Manifest, name: &SecretName) -> Option<&'m SecretName> {
    let (name, declaration) = manifest.secrets.get_key_value(name)?;
    match &declaration.kind {
        Kind::Ca(_) => Some(name),
        _ => issuer(manifest, name),
    }
}

/// The lists of the path of each CA and certificate, issuing CA first, root last; only where each CA has one.
pub fn bundles(manifest: &Manifest, store: &Store) -> BTreeMap<SecretName, Secret> {
    let bundle = |name: &SecretName| {
        let authority = authority(manifest, name)?;
        let authorities = path(manifest, &BTreeSet::from([authority.clone()]));
        let lists = authorities.iter().map(|name| Some(store.certificates.lists.get(name)?.pem.as_str()));
        let lists: Vec<&str> = lists.collect::<Option<_>>()?;
        Some((name.clone(), Secret::copy_of(lists.concat().as_bytes())))
    };
    if store.certificates.lists.is_empty() {
        return BTreeMap::new();
    }
    manifest.secrets.keys().filter_map(bundle).gather()
}
