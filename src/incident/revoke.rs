//! What a new value does not end by itself: certificates that were signed for a key, and tokens that are good until they
//! expire.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::gather::Gather;
use crate::generate::certificate::revocation::Reason;
use crate::name::{SecretName, VersionId};
use crate::plan::{Plan, Why};
use crate::store::certificates::Revoked as RevokedCertificate;
use crate::store::{Stage, Store, Version};
use crate::token::issued::is_over;
use crate::token::roster::Revoked;

/// Revokes what a plan drops: tells the CAs that need new lists.
pub fn planned(store: &mut Store, plan: &Plan, now: DateTime<Utc>) -> BTreeSet<SecretName> {
    let refused = plan.steps.iter().filter(|step| step.why == Why::Revoked).map(|step| step.secret.clone());
    let refused: BTreeSet<SecretName> = refused.collect();
    let (leaked, others) = refused.iter().cloned().partition(|name| store.is_current_leaked(name));
    let mut authorities = certificates(store, &leaked, compromised, now);
    authorities.extend(certificates(store, &others, |_| Reason::Superseded, now));
    tokens(store, &refused, now);
    authorities
}

/// Why a certificate is revoked whose key leaked.
pub fn compromised(is_ca: bool) -> Reason {
    if is_ca { Reason::CaCompromise } else { Reason::KeyCompromise }
}

/// Revokes what was signed for these certificates, as far as a CA that is held signed it; tells the CAs that need new lists.
/// `why` is asked whether it is a CA's.
pub fn certificates(
    store: &mut Store,
    names: &BTreeSet<SecretName>,
    why: impl Fn(bool) -> Reason,
    now: DateTime<Utc>,
) -> BTreeSet<SecretName> {
    let mut news = Vec::new();
    let mut authorities = BTreeSet::new();
    for name in names {
        for version in delivered(store, name).filter(|version| version.expires.is_some_and(|end| end > now)) {
            let is_held = |(authority, signer): &(&SecretName, &VersionId)| {
                delivered(store, authority).any(|it| it.id == **signer && it.kind == "ca")
            };
            // Who signed it is not always who is declared to now, and it may be declared no more.
            let signer = version.inputs.iter().find(is_held);
            let (Some(serial), Some((authority, &signer))) = (version.facts.get("serial"), signer) else { continue };
            if !store.certificates.is_revoked(signer, serial) {
                let reason = why(version.kind == "ca");
                let expires = version.expires.unwrap_or(now);
                news.push(RevokedCertificate { issuer: signer, serial: serial.clone(), at: now, reason, expires });
                authorities.insert(authority.clone());
            }
        }
    }
    store.certificates.revoked.extend(news);
    authorities
}

/// Revokes these tokens by their ids, and the recorded ones that were signed with these keys: who checks the list of
/// revoked tokens refuses them before it has the new key. Tells how many.
pub fn tokens(store: &mut Store, names: &BTreeSet<SecretName>, now: DateTime<Utc>) -> usize {
    let declared = names.iter().flat_map(|name| delivered(store, name)).filter(|version| version.kind == "token");
    let declared = declared.filter_map(|version| Some((version.facts.get("jti")?.clone(), version.expires?)));
    let recorded = store.issued.tokens.iter().filter(|(_, token)| names.contains(&token.signed_by));
    let recorded = recorded.map(|(jti, token)| (jti.clone(), token.expires));
    let tokens: BTreeMap<String, DateTime<Utc>> =
        declared.chain(recorded).filter(|(_, end)| !is_over(*end, now)).gather();
    let revoked = Revoked { tokens, subjects: BTreeMap::new() }.news(&store.issued, now);
    revoked.record(&mut store.issued, now);
    revoked.tokens.len()
}

/// What somebody may hold: all versions but the one that is only published.
fn delivered<'s>(store: &'s Store, name: &SecretName) -> impl Iterator<Item = &'s Version> {
    store.secrets.get(name).into_iter().flatten().filter(|version| version.stage != Stage::Next)
}
