//! Certificates that were signed for requests: whoever has one is not here, so that nobody can make it anew with its CA.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::second;
use crate::cli::session::Session;
use crate::companions;
use crate::manifest::{Declaration, Kind};
use crate::name::VersionId;
use crate::store::certificates::Issued;
use crate::store::{Store, Version};

/// Those that are trusted no more with these versions of a CA.
pub(super) fn broken(
    session: &Session<'_>,
    store: &Store,
    authority: &Declaration,
    is_meant: impl Fn(&Version) -> bool,
) -> Vec<String> {
    if !matches!(authority.kind, Kind::Ca(_)) {
        return Vec::new();
    }
    let of_it = store.secrets.get(&authority.name).into_iter().flatten();
    let signers = of_it.filter(|it| is_meant(it)).flat_map(|it| companions::signers(store, it)).collect();
    let line = |it: &Issued| {
        let is_signer = |versions: &[Version]| versions.iter().any(|version| version.id == it.issuer);
        let issuer = store.secrets.iter().find(|(_, versions)| is_signer(versions));
        let again = issuer.map(|(name, _)| session.command(&format!("cert issue --csr FILE --issuer {name}")));
        let again = again.map(|it| format!("; sign another one with `{it}`")).unwrap_or_default();
        format!("breaks certificate `{}` of `{}`, until {}{again}", it.serial, it.subject, second(it.expires))
    };
    good(store, &signers, session.context.now).map(line).collect()
}

/// Those that nobody can revoke once these versions of a CA are forgotten.
pub fn unrevocable<'s>(store: &'s Store, versions: &[Version], now: DateTime<Utc>) -> Vec<&'s Issued> {
    good(store, &versions.iter().map(|it| it.id).collect(), now).collect()
}

fn good<'s>(store: &'s Store, signers: &BTreeSet<VersionId>, now: DateTime<Utc>) -> impl Iterator<Item = &'s Issued> {
    let records = &store.certificates;
    let is_good = move |it: &&Issued| it.expires > now && !records.is_revoked(it.issuer, &it.serial);
    records.issued.iter().filter(|it| signers.contains(&it.issuer)).filter(is_good)
}
