//! Which certificate is revoked, and which versions of its CA have to say so.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::cert::authority;
use crate::cli::get;
use crate::cli::session::Session;
use crate::error::{Error, Kind, Result};
use crate::gather::Gather;
use crate::generate::certificate::revocation::Reason;
use crate::name::{SecretName, VersionId};
use crate::revocation::issuer;
use crate::store::certificates::Revoked;
use crate::store::{Stage, Store, Version};

/// What is revoked.
#[derive(Debug, Serialize)]
pub struct Target {
    /// The CA that signed it.
    pub issuer: SecretName,
    /// The serial in hex.
    pub serial: String,
    /// The versions of the CA that may have signed it, and until when it can be valid.
    #[serde(skip)]
    signers: BTreeMap<VersionId, DateTime<Utc>>,
}

impl Target {
    /// Whether nothing is left to do.
    pub fn is_revoked(&self, store: &Store) -> bool {
        self.signers.keys().all(|signer| store.certificates.is_revoked(*signer, &self.serial))
    }

    /// The declared certificate or CA of which it is the one in force.
    pub fn in_force(&self, session: &Session<'_>, store: &Store) -> Option<SecretName> {
        let is_it = |version: &Version| {
            let is_signed = version.inputs.values().any(|signer| self.signers.contains_key(signer));
            is_signed && version.facts.get("serial").is_some_and(|serial| *serial == self.serial)
        };
        let mut all = session.manifest.secrets_in(&session.environment);
        let found =
            all.find(|it| issuer(&session.manifest, &it.name).is_some() && store.current(&it.name).is_some_and(is_it));
        found.map(|it| it.name.clone())
    }

    /// Writes it into the records from which lists are made.
    pub fn revoke(&self, store: &mut Store, reason: Reason, now: DateTime<Utc>) {
        for (&issuer, &expires) in &self.signers {
            if !store.certificates.is_revoked(issuer, &self.serial) {
                let serial = self.serial.clone();
                store.certificates.revoked.push(Revoked { issuer, serial, at: now, reason, expires });
            }
        }
    }
}

/// What is declared, as it is now.
pub fn declared(session: &Session<'_>, store: &Store, name: &SecretName) -> Result<Target> {
    let signer = issuer(&session.manifest, name).ok_or_else(|| {
        Error::usage(format!("nobody but itself signed `{name}`, so nobody can revoke it"))
            .hint(format!("make a new one with `{}`", session.command(&format!("generate --replace {name}"))))
    })?;
    let version = store.current(name).ok_or_else(|| get::missing(session, name.as_str()))?;
    let serial = version.facts.get("serial");
    let (Some(serial), Some(&signed_by), Some(expires)) = (serial, version.inputs.get(signer), version.expires) else {
        return Err(Error::usage(format!("`{signer}` did not sign what `{name}` is now")));
    };
    of_signer(store, (signer, signed_by), serial, expires).map_err(|error| {
        let renew = session.command(&format!("cert renew {name} --force"));
        error.hint(format!("replace it without revoking the old one: `{renew}`"))
    })
}

/// What the store knows of a serial. One that it does not know may be of any version of the CA that is still valid, and
/// each of them says that it is revoked.
pub fn by_serial(session: &Session<'_>, store: &Store, serial: &str, issuer: &str) -> Result<Target> {
    let issuer = authority(session, issuer)?;
    let current = store.current(&issuer).ok_or_else(|| get::missing(session, issuer.as_str()))?;
    if let Some((signer, expires)) = known(store, serial) {
        if let Some(other) = owner(store, signer).filter(|other| **other != issuer) {
            return Err(Error::usage(format!("`{other}` signed serial {serial}, not `{issuer}`"))
                .hint(format!("revoke it with `--issuer {other}`")));
        }
        return of_signer(store, (&issuer, signer), serial, expires);
    }
    let warning =
        format!("the store does not know serial {serial}: every version of `{issuer}` that it holds revokes it");
    session.context.ui.warn(&warning);
    let now = session.context.now;
    let end = |version: &Version| version.expires.filter(|end| *end > now);
    let mut signers: BTreeMap<_, _> = held(store, &issuer).filter_map(|it| Some((it.id, end(it)?))).gather();
    signers.entry(current.id).or_insert(current.expires.unwrap_or(now));
    Ok(Target { issuer, serial: serial.to_owned(), signers })
}

/// The version of a CA that signed a serial, whether or not it is held, and when the certificate ends.
fn known(store: &Store, serial: &str) -> Option<(VersionId, DateTime<Utc>)> {
    let is_it = |version: &&Version| version.facts.get("serial").is_some_and(|known| known == serial);
    let mut ours = store.secrets.values().flatten().filter(is_it);
    let theirs = || store.certificates.issued.iter().find(|it| it.serial == serial).map(|it| (it.issuer, it.expires));
    // A certificate has one input: who signed it.
    ours.find_map(|it| Some((*it.inputs.values().next()?, it.expires?))).or_else(theirs)
}

/// The secret that a version is of.
fn owner(store: &Store, id: VersionId) -> Option<&SecretName> {
    let mut secrets = store.secrets.iter();
    secrets.find(|(_, versions)| versions.iter().any(|version| version.id == id)).map(|(name, _)| name)
}

/// What of a CA is there to sign a list.
fn held<'s>(store: &'s Store, issuer: &SecretName) -> impl Iterator<Item = &'s Version> {
    let versions = store.versions(issuer);
    versions.filter(|version| version.stage != Stage::Purged && version.kind == "ca")
}

/// Refuses what no version of the CA that is held can put on its list: another one's list would say nothing of it.
fn of_signer(
    store: &Store,
    (issuer, signer): (&SecretName, VersionId),
    serial: &str,
    expires: DateTime<Utc>,
) -> Result<Target> {
    if held(store, issuer).any(|version| version.id == signer) {
        let signers = BTreeMap::from([(signer, expires)]);
        return Ok(Target { issuer: issuer.clone(), serial: serial.to_owned(), signers });
    }
    let message = format!("another `{issuer}` signed serial {serial}, one that the store does not hold any more");
    let held: Vec<&str> = held(store, issuer).filter_map(|it| it.facts.get("serial").map(String::as_str)).collect();
    let held = if held.is_empty() { "none".to_owned() } else { held.join(", ") };
    Err(Error::new(Kind::Findings, "issuer-not-held", message)
        .hint(format!("nothing was changed; of `{issuer}` the store holds, by their own serials: {held}"))
        .hint("whoever trusts that one has to stop trusting it"))
}
