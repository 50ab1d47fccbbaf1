//! Store → ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};

use super::incidents::Affected;
use super::ledger::{Beside, BesideState, DeliveredFile, Entry, Header, Ledger, NEXT_UPDATE, REVOKED, SCHEMA_VERSION};
use super::{Origin, Stage, Store, Version};
use crate::check::{self, Verdict};
use crate::companions;
use crate::incident::standing;
use crate::manifest::{Declaration, Manifest};
use crate::name::{SecretName, VersionId};
use crate::plan::due::{self, Dates};
use crate::rotate::select::tells_leaked;
use crate::secret::digest;
use crate::secret::parts::Part;
use crate::sync::place;
use crate::x509::supplied;

/// The kind of what a person supplies.
const EXTERNAL: &str = "external";

/// Derives the ledger of a store whose sealed bytes have that digest.
pub fn ledger(
    store: &Store,
    store_digest: String,
    manifest: &Manifest,
    files: BTreeMap<String, DeliveredFile>,
    now: DateTime<Utc>,
) -> Ledger {
    let header = Header {
        vault_kit_ledger: SCHEMA_VERSION,
        project: store.project.clone(),
        environment: store.environment.clone(),
        store_id: store.store_id,
        generation: store.generation,
        store_digest,
        updated: store.updated,
        recipients: store.recipients.keys.clone(),
        recipients_declared: store.recipients.declared,
        aws: store.aws.clone(),
        contacted: store.synced.contacted,
        due: None,
        missed: None,
        manifest: None,
        is_default: manifest.default_environment == store.environment,
        behind: false,
        reloads: store.rotations.reloads.clone(),
        unread: store.rotations.unread.clone(),
        banned: banned(store, &files),
        leaks: standing::leaks(manifest, store),
        leaked_into: leaked_into(store),
    };
    let current = store.secrets.keys().filter_map(|name| Some((name, store.current(name)?)));
    let secrets = current.map(|(name, version)| (name.clone(), entry(store, manifest, (name, version), now))).collect();
    let mut ledger = Ledger { header, secrets, files };
    tell_remote(&mut ledger, store, manifest);
    ledger
}

/// The banned versions that a delivered file may still hold, or that are published.
fn banned(store: &Store, files: &BTreeMap<String, DeliveredFile>) -> BTreeSet<VersionId> {
    let banned = store.banned_versions();
    if banned.is_empty() {
        return banned;
    }
    let held = files.values().flat_map(|file| file.holds.values()).copied();
    let next = store.secrets.keys().filter_map(|name| store.next(name)).map(|it| it.id);
    held.chain(next).filter(|id| banned.contains(id)).collect()
}

/// The dotenv files that were delivered with a value that leaked and that can still be looked for.
fn leaked_into(store: &Store) -> BTreeSet<String> {
    let is_known = |it: &&Affected| {
        let mut versions = it.versions.iter().filter_map(|id| store.version(&it.secret, *id));
        versions.any(|version| version.parts.iter().next().is_some())
    };
    let affected = store.incidents.values().flat_map(|incident| &incident.affected).filter(is_known);
    let files = affected.flat_map(|it| &it.deliveries).filter(|file| file.form.starts_with("dotenv"));
    files.map(|file| file.path.clone()).collect()
}

/// Writes to each secret which version of its remote counterpart it was last the same as.
fn tell_remote(ledger: &mut Ledger, store: &Store, manifest: &Manifest) {
    let Some(aws) = manifest.aws(&store.environment).filter(|_| !store.synced.bases.is_empty()) else { return };
    for place in place::places(manifest, &store.environment, aws) {
        let Some(base) = store.synced.bases.get(&place.name) else { continue };
        for (_, declaration) in place.fields() {
            if let Some(entry) = ledger.secrets.get_mut(&declaration.name) {
                entry.remote = Some(base.version.clone());
            }
        }
    }
}

/// Gives the public fingerprint also to what came by hand, where it is one that `known` has: then it is a value that we
/// made for another environment, and no guess could have led to it.
pub fn mark_copies(ledger: &mut Ledger, store: &Store, known: &BTreeSet<String>) {
    if known.is_empty() {
        return;
    }
    for entry in ledger.secrets.values_mut().filter(|entry| entry.fingerprint.is_none()) {
        let value = store.current(&entry.name).and_then(|version| version.parts.part(Part::Value));
        let fingerprint = value.map(|value| digest::public_fingerprint(&store.project, value));
        entry.fingerprint = fingerprint.filter(|it| known.contains(it));
    }
}

/// Judges the values by the patterns that their declarations have now.
pub fn judge_patterns(ledger: &mut Ledger, store: &Store, manifest: &Manifest) {
    for entry in ledger.secrets.values_mut() {
        let Some(declaration) = manifest.secrets.get(&entry.name) else { continue };
        let Some(version) = store.value(declaration).filter(|version| version.id == entry.version) else { continue };
        entry.mismatch = verdict(version, declaration).is_some_and(|verdict| verdict.mismatch);
        entry.pattern = check::pattern_digest(declaration);
    }
}

impl<'a> From<&'a Version> for Dates<'a> {
    fn from(version: &'a Version) -> Self {
        Self { version: version.id, created: version.created, expires: version.expires, facts: &version.facts }
    }
}

impl<'a> From<&'a Entry> for Dates<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self { version: entry.version, created: entry.created, expires: entry.expires, facts: &entry.facts }
    }
}

fn entry(store: &Store, manifest: &Manifest, (name, version): (&SecretName, &Version), now: DateTime<Utc>) -> Entry {
    let declaration = manifest.secret(name).filter(|it| it.kind.accepts(&version.kind));
    let verdict = declaration.and_then(|declaration| verdict(version, declaration));
    Entry {
        name: name.clone(),
        kind: version.kind.clone(),
        version: version.id,
        stage: "current".to_owned(),
        created: version.created,
        due: declaration.and_then(|it| due::due(version.into(), it, manifest.environments.get(&store.environment))),
        expires: version.expires,
        bits: verdict.map_or(version.bits, |verdict| verdict.bits),
        placeholder: verdict.is_some_and(|verdict| verdict.placeholder),
        mismatch: verdict.is_some_and(|verdict| verdict.mismatch),
        wildcard: verdict.is_some_and(|verdict| verdict.wildcard),
        banned: store.is_banned(version),
        pattern: declaration.and_then(check::pattern_digest),
        recipe: version.recipe.clone(),
        fingerprint: fingerprint(&store.project, version),
        inputs: version.inputs.clone(),
        beside: declaration.map(|it| beside(store, manifest, it, now)).unwrap_or_default(),
        remote: None,
        rotation: store.rotations.running.get(name).cloned().map(Box::new),
        tells_leaked: tells_leaked(store, name),
        candidate_kind: candidate_kind(store, name),
        untold: store.is_untold(name),
        kept: store.waits_for_owner(name),
        refused: store.rotations.refused.get(name).cloned().map(Box::new),
        rotated: store.rotations.results.get(name).cloned(),
        facts: facts(store, name, version),
    }
}

fn candidate_kind(store: &Store, name: &SecretName) -> Option<String> {
    let candidate = store.rotations.open(name)?.candidate?;
    Some(store.version(name, candidate)?.kind.clone())
}

/// The facts of a version; for a CA also by when it needs new revocation lists, if there are any, whether it is revoked, and what
/// `check` is to know of a certificate that a person supplied.
fn facts(store: &Store, name: &SecretName, version: &Version) -> BTreeMap<String, String> {
    let mut facts = version.facts.clone();
    if let Some(lists) = store.certificates.lists.get(name).filter(|_| version.kind == "ca") {
        let next_update = lists.next_update.to_rfc3339_opts(SecondsFormat::Secs, true);
        facts.insert(NEXT_UPDATE.to_owned(), next_update);
    }
    if is_revoked(store, version) {
        facts.insert(REVOKED.to_owned(), "true".to_owned());
    }
    if version.kind == EXTERNAL && is_self_signed(store, version) {
        facts.insert(supplied::SELF_SIGNED.to_owned(), "true".to_owned());
    }
    facts
}

/// Whether verifiers are told to refuse a certificate, CA or token.
pub fn is_revoked(store: &Store, version: &Version) -> bool {
    let fact = |key: &str| version.facts.get(key).map(String::as_str);
    let is_certificate = || {
        let serial = fact("serial")?;
        Some(version.inputs.values().any(|signer| store.certificates.is_revoked(*signer, serial)))
    };
    let is_token = || {
        let (id, subject) = (fact("jti")?, fact("subject")?);
        let is_before = |before: &DateTime<Utc>| version.created < *before;
        let issued = &store.issued;
        Some(issued.revoked_tokens.contains_key(id) || issued.revoked_subjects.get(subject).is_some_and(is_before))
    };
    match version.kind.as_str() {
        "ca" | "certificate" => is_certificate(),
        "token" => is_token(),
        _ => None,
    }
    .unwrap_or(false)
}

fn is_self_signed(store: &Store, version: &Version) -> bool {
    let current = store.secrets.keys().filter_map(|name| store.current(name));
    let supplied = current.filter(|it| it.kind == EXTERNAL).filter_map(|it| it.parts.primary());
    version.parts.primary().is_some_and(|value| supplied::is_self_signed(value, supplied))
}

fn beside(store: &Store, manifest: &Manifest, declaration: &Declaration, now: DateTime<Utc>) -> Vec<Beside> {
    let line = |it: &companions::Companion<'_>| Beside {
        version: it.version.id,
        state: if it.version.stage == Stage::Next { BesideState::Next } else { BesideState::Retiring },
        kid: it.version.facts.get("kid").cloned(),
        since: it.since,
        until: it.until,
    };
    companions::companions(manifest, declaration, store, now).iter().map(line).collect()
}

/// What is told of a value while it is at hand: of one that we made its strength is known, of others it is estimated.
fn verdict(version: &Version, declaration: &Declaration) -> Option<Verdict> {
    let value = version.parts.part(Part::Value)?.expose();
    if version.origin == Origin::Generated {
        let mismatch = check::mismatches(declaration, value);
        let wildcard = check::origins::is_wildcard(declaration, value);
        return Some(Verdict { bits: version.bits, placeholder: false, mismatch, wildcard });
    }
    Some(check::assess_by_text(declaration, value))
}

/// A public hash only of what cannot be guessed from it: drawn with 128 bits or more, or signed with such a key; that of before when the
/// value is gone.
pub fn fingerprint(project: &str, version: &Version) -> Option<String> {
    let drawn = version.bits.is_some_and(|bits| bits >= digest::PUBLIC_FINGERPRINT_BITS);
    let signed = version.kind == "token";
    let ours = version.origin == Origin::Generated && (drawn || signed);
    let value = version.parts.primary().filter(|_| ours);
    value
        .map(|value| digest::public_fingerprint(project, value))
        .or_else(|| version.public.as_ref().map(|kept| kept.fingerprint.clone()))
}
