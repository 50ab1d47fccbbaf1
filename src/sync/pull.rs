//! What changed there comes here: as new versions in the store, each with the id that it has there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::content::{self, Received};
use super::judge::Verdict;
use super::look::{Field, Item, State};
use super::problem;
use crate::check;
use crate::error::{Error, Kind, Result};
use crate::generate;
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::{SecretName, VersionId};
use crate::secret::Secret;
use crate::secret::parts::Parts;
use crate::store::Store;
use crate::store::synced::Base;
use crate::token::algorithm::Algorithm;

/// A value to be taken over.
#[derive(Debug)]
pub struct Taken {
    /// Of which secret.
    pub secret: SecretName,
    /// The value.
    pub parts: Parts,
    /// The user that it belongs to, where that is told.
    pub username: Option<String>,
    /// Of a key pair or root, the one that is published and signs next.
    pub next: Option<Parts>,
    /// The id that it has on every host that takes it from there.
    pub version: Option<VersionId>,
    /// When it was made there, as far as that is known; its age counts from then on every host.
    pub created: Option<DateTime<Utc>>,
    /// What time it was there when it was read: from then on it is known here, whatever this host's clock says.
    pub read: Option<DateTime<Utc>>,
}

/// What a pull is going to change.
#[derive(Debug, Default)]
pub struct Intake {
    /// The values.
    pub values: Vec<Taken>,
    /// What somebody took out of a bundle there, and is to go here too.
    pub removed: Vec<SecretName>,
    /// The bases, by full name.
    pub bases: BTreeMap<String, Base>,
    /// What stands against the rest.
    pub problems: Vec<Error>,
}

/// What is wanted of what was found.
#[derive(Debug, Default)]
pub struct Choice {
    /// Where both sides changed, theirs is taken.
    pub theirs: bool,
    /// Those that are meant by name: of them theirs is taken also where it was removed.
    pub named: BTreeSet<SecretName>,
    /// What was taken in this run: what is only behind it is no problem. `None` while nothing was, and what is made of
    /// other values cannot be judged yet.
    pub taken: Option<BTreeSet<SecretName>>,
    /// What is left as it is here, without a word.
    pub refused: BTreeSet<SecretName>,
}

/// What follows from what was found, for a store that may have banned values.
pub fn intake(items: Vec<Item<'_>>, store: &Store, choice: &Choice) -> Intake {
    let mut intake = Intake::default();
    for item in items {
        let is_behind = |field: &Field<'_>| !matches!(field.verdict, Verdict::Conflict | Verdict::Gone);
        let was_taken =
            |field: &Field<'_>| choice.taken.as_ref().is_some_and(|taken| taken.contains(&field.declaration.name));
        if item.state == State::Conflict && item.fields.iter().all(is_behind) && item.fields.iter().any(was_taken) {
            intake.bases.extend(agreement(&item));
            continue;
        }
        let may_yield = |field: &Field<'_>| field.yields || !field.verdict.needs_choice();
        let is_tried = choice.taken.is_none() && item.state == State::Conflict && item.fields.iter().all(may_yield);
        match problem::against_pull(&item, choice.theirs).filter(|_| !is_tried) {
            Some(problem) => intake.problems.push(problem),
            None => take(item, store, choice, &mut intake),
        }
    }
    intake
}

fn take(item: Item<'_>, store: &Store, choice: &Choice, intake: &mut Intake) {
    // Of what is to be pushed from a version that was read, that version is the base: a later change there is one then.
    if !matches!(item.state, State::Advance | State::Pull | State::Merge | State::Conflict | State::Push) {
        return;
    }
    let Some((name, base)) = agreement(&item) else { return };
    let (id, created) = (item.id_there(), item.reading.and_then(|it| it.created));
    // While something of it is left out, the old base stays: by that the next pull finds it again.
    let mut is_whole = true;
    for field in item.fields {
        let is_removed = field.there.is_none() && matches!(field.verdict, Verdict::Gone | Verdict::Conflict);
        if is_removed && choice.theirs && choice.named.contains(&field.declaration.name) {
            intake.removed.push(field.declaration.name.clone());
        }
        let is_taken = matches!(field.verdict, Verdict::Pull | Verdict::Conflict);
        let Some((value, _)) = field.there.filter(|_| is_taken) else { continue };
        if choice.refused.contains(&field.declaration.name) {
            is_whole = false;
            continue;
        }
        if let Some(fault) = field.fault.filter(|_| choice.taken.is_some()) {
            is_whole = false;
            intake.problems.push(problem::unfit(&name, &fault, &field.declaration.name));
            continue;
        }
        let version = id.filter(|_| !field.declaration.is_object());
        match taken(store, field.declaration, value, &name) {
            Ok(Received { parts, username, next }) => {
                let secret = field.declaration.name.clone();
                intake.values.push(Taken { secret, parts, username, next, version, created, read: None });
            }
            Err(problem) => {
                is_whole = false;
                intake.problems.push(problem);
            }
        }
    }
    if is_whole {
        intake.bases.insert(name, base);
    }
}

/// The shared keys of tokens that are the same on both sides, and have an id of their own here: somebody gave the same
/// value to several hosts. With the id that it has there, its `kid` is one on all of them.
pub fn renamed(items: &[Item<'_>], signers: &BTreeSet<&SecretName>) -> Vec<Taken> {
    let renamed = |item: &Item<'_>| {
        let [Field { declaration, here: Some(here), verdict: Verdict::Same, .. }] = &item.fields[..] else {
            return None;
        };
        let id = item.id_there().filter(|id| here.version.is_some_and(|own| own != *id))?;
        let is_shared = signers.contains(&declaration.name) && declaration.kind.is_single() && !declaration.is_object();
        let (secret, parts) = (declaration.name.clone(), Parts::value(here.value.duplicate()));
        let created = item.reading.and_then(|it| it.created);
        is_shared.then_some(Taken { secret, parts, username: None, next: None, version: Some(id), created, read: None })
    };
    items.iter().filter_map(renamed).collect()
}

fn taken(store: &Store, declaration: &Declaration, value: Secret, place: &str) -> Result<Received> {
    let received = content::received(declaration, value, place)?;
    judge(declaration, &received.parts, place)?;
    for parts in [Some(&received.parts), received.next.as_ref()].into_iter().flatten() {
        refuse_banned(store, declaration, parts, place)?;
    }
    Ok(received)
}

/// What both sides agree on once everything is here as it is there; `None` unless that was read. What is made here and
/// has no value yet was not agreed on.
pub fn agreement(item: &Item<'_>) -> Option<(String, Base)> {
    let field = |field: &Field<'_>| {
        let there = match (field.verdict, &field.here) {
            (Verdict::Absent, _) => None,
            // What is behind here stays so, and is neither sent nor taken before it changes again.
            (Verdict::Behind, Some(here)) => Some(&here.fingerprint),
            _ => field.there.as_ref().map(|(_, fingerprint)| fingerprint),
        };
        (field.key.to_owned(), there.cloned().unwrap_or_default())
    };
    let fields = item.fields.iter().filter(|_| item.was_read()).map(field).collect();
    let base = Base { arn: item.arn()?.to_owned(), version: item.version?.to_owned(), fields, attempt: item.attempt() };
    item.was_read().then(|| (item.place.name.clone(), base))
}

/// A value that leaked stays out, also when it comes back from there.
fn refuse_banned(store: &Store, declaration: &Declaration, parts: &Parts, place: &str) -> Result<()> {
    let secret = &declaration.name;
    let refused = parts.primary().map_or(Ok(()), |value| store.refuse_banned(secret, value));
    refused.map_err(|error| {
        error.hint(format!("`{place}` has it: send it a new one with `vault-kit sync push --ours {secret}`"))
    })
}

/// Refuses what `set` would refuse.
fn judge(declaration: &Declaration, parts: &Parts, place: &str) -> Result<()> {
    let Some(value) = parts.part(crate::secret::parts::Part::Value) else { return Ok(()) };
    let secret = &declaration.name;
    if let SecretKind::Token(token) = &declaration.kind {
        let facts = generate::inspect(value);
        let algorithm = facts.facts.get("algorithm").map(String::as_str);
        if facts.expires.is_none() || algorithm != Some(Algorithm::from(token.algorithm).name()) {
            return Err(content::malformed(place));
        }
    }
    let verdict = check::assess(declaration, value.expose());
    let refused = if verdict.placeholder {
        let message = format!("not taken: what `{place}` holds is a placeholder for `{secret}`");
        Error::new(Kind::Findings, "placeholder", message)
    } else if verdict.mismatch {
        let message = format!("not taken: what `{place}` holds does not match the pattern of `{secret}`");
        Error::new(Kind::Findings, "pattern-mismatch", message)
    } else {
        return Ok(());
    };
    Err(refused.hint(format!("mend it in AWS, then `vault-kit sync pull {secret}`")))
}
