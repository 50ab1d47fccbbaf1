//! Whom a new value breaks, and in what order to restart: told before anybody is asked to agree.

mod authority;
mod refusal;
mod requests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::context::Context;
use super::session::Session;
use crate::companions;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::manifest::{Declaration, Format, Kind};
use crate::name::SecretName;
use crate::plan::{Action, Plan, Why};
use crate::store::{Store, Version};
use crate::token::sign::shared_kid;

pub use requests::unrevocable;

/// What is said in place of files where there are none.
const NOWHERE: &str = "no output delivers it";

/// How a value changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There is a new one; the current one serves for its overlap, if it has one.
    Replace,
    /// There is a new one, and the current one is dropped with those before it.
    Revoke,
    /// The current one stays, and those before it are dropped.
    Drop,
}

/// What a plan breaks, line by line; `store` is the one before it.
pub fn of_plan(session: &Session<'_>, store: &Store, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &plan.steps {
        let Some(declaration) = session.manifest.secret(&step.secret) else { continue };
        let is_leaked = store.is_current_leaked(&step.secret);
        if is_leaked && step.why == Why::Revoked {
            lines.push(format!("`{}` leaked: it is replaced at once, before verifiers know another", step.secret));
        }
        if step.action != Action::Publish {
            lines.extend(leaked_inputs(session, store, plan, declaration));
        }
        match (&step.why, step.action) {
            (Why::Revoked, _) => lines.extend(of_value(session, store, declaration, Change::Revoke)),
            // What leaked is in no key set or bundle any more, and no overlap is for it.
            (_, Action::Activate) if is_leaked => {
                lines.extend(of_value(session, store, declaration, Change::Revoke));
            }
            (_, Action::Make) => lines.extend(of_value(session, store, declaration, Change::Replace)),
            (_, Action::Activate) if companions::is_root(declaration) => {
                lines.extend(authority::activation(session, store, declaration));
            }
            (_, Action::Activate) => {
                let holders = holders(session, store, declaration);
                lines.extend(holders.into_iter().filter_map(|token| deadline(session, store, declaration, token)));
            }
            (_, Action::Publish) => lines.extend(authority::publication(session, plan, declaration)),
        }
    }
    lines
}

/// What a value is made from that leaked, and is in force behind the plan too: whoever has that makes such values as well.
fn leaked_inputs(session: &Session<'_>, store: &Store, plan: &Plan, declaration: &Declaration) -> Vec<String> {
    let is_changed =
        |name: &SecretName| plan.steps.iter().any(|step| step.secret == *name && step.action != Action::Publish);
    let inputs: BTreeSet<&SecretName> = declaration.references().into_iter().collect();
    let leaked = inputs.into_iter().filter(|name| store.is_current_leaked(name) && !is_changed(name));
    let line = |input| {
        let incident = session.command(&format!("incident {input}"));
        let name = &declaration.name;
        format!(
            "`{name}` is made from `{input}`, which leaked: whoever has that makes such values too; have both replaced by `{incident}`"
        )
    };
    leaked.map(line).collect()
}

/// Whether the old value serves for a while beside a new one. No overlap is for what leaked.
pub fn has_overlap(store: &Store, declaration: &Declaration) -> bool {
    declaration.overlap.is_some() && declaration.kind.is_single() && !store.is_current_leaked(&declaration.name)
}

/// What a value that changes breaks, line by line; nothing where there was none. `store` is the one before it.
pub fn of_value(session: &Session<'_>, store: &Store, declaration: &Declaration, change: Change) -> Vec<String> {
    let (name, mut lines) = (&declaration.name, Vec::new());
    let has_previous = companions::previous(&session.manifest, declaration, store, session.context.now).is_some();
    if store.current(name).is_none() || (change == Change::Drop && !has_previous) {
        return lines;
    }
    if signs(session, store, declaration) {
        lines.extend(broken(session, store, declaration, change));
    } else if change != Change::Replace {
        let readers = authority::readers(session, store, declaration).unwrap_or_else(|| places(session, name));
        lines.push(format!("the previous `{name}` is dropped at once; restart who reads it: {readers}"));
        lines.extend(refusal::of(session, store, declaration).filter(|_| change == Change::Revoke));
    }
    if companions::is_root(declaration) && change != Change::Drop {
        lines.extend(authority::hard_cut(session, store, declaration));
    } else if change != Change::Replace {
        lines.extend(of_requests(session, store, declaration, change));
    }
    let holders = holders(session, store, declaration);
    if !holders.is_empty() && (change != Change::Replace || !has_overlap(store, declaration)) {
        lines.extend(order(session, name, &holders));
    }
    lines
}

/// The certificates of requests that a CA which is revoked, or dropped with those before it, takes with it.
pub fn of_requests(session: &Session<'_>, store: &Store, authority: &Declaration, change: Change) -> Vec<String> {
    let current = store.current(&authority.name).map(|version| version.id);
    requests::broken(session, store, authority, |it| change != Change::Drop || Some(it.id) != current)
}

/// Says what breaks, unless the answer is an object that has it.
pub fn say(context: &Context, lines: &[String]) {
    if !context.ui.json {
        for line in lines {
            context.ui.say(line);
        }
    }
}

/// Says what breaks by what was done; of what was refused, and changed nothing, nothing does.
pub fn say_of<T>(context: &Context, lines: &[String], outcome: Result<T>) -> Result<T> {
    let is_done = |error: &Error| error.kind() == ErrorKind::Incomplete || error.code() == "durability-unknown";
    if outcome.as_ref().err().is_none_or(is_done) {
        say(context, lines);
    }
    outcome
}

/// The declared tokens that are signed with a key, and that somebody may hold.
fn holders<'s>(session: &'s Session<'_>, store: &Store, key: &Declaration) -> Vec<&'s SecretName> {
    let is_held = |it: &&Declaration| is_signed_by(it, &key.name) && store.current(&it.name).is_some();
    session.manifest.secrets_in(&session.environment).filter(is_held).map(|it| &it.name).collect()
}

fn is_signed_by(declaration: &Declaration, key: &SecretName) -> bool {
    matches!(&declaration.kind, Kind::Token(token) if token.signed_by == *key)
}

/// Whether tokens are signed with it, declared ones or others.
fn signs(session: &Session<'_>, store: &Store, declaration: &Declaration) -> bool {
    matches!(declaration.kind, Kind::Keypair { .. })
        || session.manifest.secrets_in(&session.environment).any(|it| is_signed_by(it, &declaration.name))
        || store.issued.tokens.values().any(|token| token.signed_by == declaration.name)
}

/// The tokens that end before their time, as far as anything is recorded of them: those of the keys that are dropped, and of
/// one that is replaced those that last longer than it serves.
fn broken(session: &Session<'_>, store: &Store, declaration: &Declaration, change: Change) -> Vec<String> {
    let (name, now) = (&declaration.name, session.context.now);
    let current = store.current(name).filter(|_| change != Change::Drop).map(kid);
    let companions = companions::companions(&session.manifest, declaration, store, now);
    let verifying = companions.into_iter().map(|it| it.version).filter(|it| it.life.replaced.is_some()).map(kid);
    let environment = session.manifest.environments.get(&session.environment);
    let overlap =
        declaration.overlap_in(environment).filter(|_| declaration.kind.is_single() && !store.is_current_leaked(name));
    if let (Change::Replace, Some(overlap)) = (change, overlap) {
        let dropped: Vec<String> = verifying.collect();
        let replaced: Vec<String> = current.into_iter().collect();
        let mut lines = of_keys(session, store, name, &dropped, None);
        lines.extend(of_keys(session, store, name, &replaced, Some(now + overlap.delta())));
        return lines;
    }
    let kids: Vec<String> = current.into_iter().chain(verifying).collect();
    let mut lines = of_keys(session, store, name, &kids, None);
    if lines.is_empty() && change != Change::Replace {
        lines.push(format!("breaks no token of `{name}` that is known but declared ones"));
    }
    lines
}

/// What ends with these keys: at once, or from a time on.
fn of_keys(
    session: &Session<'_>,
    store: &Store,
    name: &SecretName,
    kids: &[String],
    from: Option<DateTime<Utc>>,
) -> Vec<String> {
    let last = from.unwrap_or(session.context.now);
    let when = from.map(|from| format!(" from {} on", second(from))).unwrap_or_default();
    let tokens = store.issued.tokens.iter().filter(|(id, token)| {
        kids.contains(&token.kid) && token.expires > last && !store.issued.revoked_tokens.contains_key(*id)
    });
    let lines = tokens.map(|(id, token)| {
        format!("breaks token `{id}` of `{}`{when}, until {}", token.subject, second(token.expires))
    });
    let horizon = kids.iter().filter_map(|kid| store.issued.horizons.get(kid)).max().filter(|it| **it > last);
    let unrecorded =
        horizon.map(|horizon| format!("breaks unrecorded tokens of `{name}`{when} until {}", second(*horizon)));
    lines.chain(unrecorded).collect()
}

fn kid(version: &Version) -> String {
    version.facts.get("kid").cloned().unwrap_or_else(|| shared_kid(version.id))
}

fn second(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A signer that restarts before the verifiers would sign what they refuse.
fn order(session: &Session<'_>, key: &SecretName, holders: &[&SecretName]) -> Vec<String> {
    let mut lines = vec![
        format!("a hard cut: tokens of the old `{key}` are refused from now on; restart in this order:"),
        format!("  1. who verifies with `{key}`: {}", places(session, key)),
    ];
    lines.extend(holders.iter().map(|token| format!("  2. who holds `{token}`: {}", places(session, token))));
    lines
}

/// Until when whoever holds a token of a key that retires may go on with it.
fn deadline(session: &Session<'_>, store: &Store, key: &Declaration, token: &SecretName) -> Option<String> {
    let version = store.current(&key.name)?;
    let until = companions::retires(&session.manifest, key, version, store, session.context.now)?;
    let (key, until, places) = (&key.name, second(until), places(session, token));
    Some(format!(
        "tokens of the old `{key}` are refused from {until} on; restart by then who holds `{token}`: {places}"
    ))
}

/// The files that deliver a secret.
fn places(session: &Session<'_>, name: &SecretName) -> String {
    let outputs = session.manifest.outputs_in(&session.environment).filter(|output| output.secrets.contains(name));
    let place = |output: &crate::manifest::Output| {
        let path = match output.format {
            Format::DockerSecrets { .. } => output.file_of(name),
            _ => output.path.clone(),
        };
        format!("`{path}` (output {})", output.name)
    };
    let places: Vec<String> = outputs.map(place).collect();
    if places.is_empty() { NOWHERE.to_owned() } else { places.join(", ") }
}
