//! Whom a new signing key breaks, and in what order to restart: told before anybody is asked to agree.

use chrono::{DateTime, Utc};

use super::session::Session;
use crate::manifest::{Declaration, Format, Kind};
use crate::name::SecretName;
use crate::plan::{Action, Plan, Step, Why};
use crate::rotation;
use crate::store::{Store, Version};
use crate::token::sign::shared_kid;

/// What a plan breaks, line by line, said unless the answer is an object; `store` is the one before it.
pub fn tell(session: &Session<'_>, store: &Store, plan: &Plan) -> Vec<String> {
    let lines = of(session, store, plan);
    if !session.context.ui.json {
        lines.iter().for_each(|line| session.context.ui.say(line));
    }
    lines
}

fn of(session: &Session<'_>, store: &Store, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for step in plan.steps.iter().filter(|step| store.current(&step.secret).is_some()) {
        let Some(declaration) = session.manifest.secret(&step.secret) else { continue };
        if step.why == Why::Revoked && signs(session, store, declaration) {
            lines.extend(broken(session, store, declaration));
        }
        let holders = plan.steps.iter().filter(|it| is_signed_by(session, it, &step.secret));
        let holders: Vec<&SecretName> = holders.map(|it| &it.secret).collect();
        if !holders.is_empty() && is_hard_cut(step, declaration) {
            lines.extend(order(session, &step.secret, &holders));
        } else if step.action == Action::Activate {
            lines.extend(holders.iter().filter_map(|token| deadline(session, store, declaration, token)));
        }
    }
    lines
}

fn is_signed_by(session: &Session<'_>, step: &Step, key: &SecretName) -> bool {
    let declaration = session.manifest.secret(&step.secret);
    matches!(declaration.map(|it| &it.kind), Some(Kind::Token(token)) if token.signed_by == *key)
}

/// Whether tokens are signed with it, declared ones or others.
fn signs(session: &Session<'_>, store: &Store, declaration: &Declaration) -> bool {
    let is_signer = |it: &Declaration| matches!(&it.kind, Kind::Token(token) if token.signed_by == declaration.name);
    matches!(declaration.kind, Kind::Keypair { .. })
        || session.manifest.secrets_in(&session.environment).any(is_signer)
        || store.issued.tokens.values().any(|token| token.signed_by == declaration.name)
}

/// Whether the old key verifies nothing from this change on.
fn is_hard_cut(step: &Step, declaration: &Declaration) -> bool {
    let has_overlap = declaration.overlap.is_some() && declaration.kind.is_single();
    step.why == Why::Revoked || step.action == Action::Make && !has_overlap
}

/// The tokens of the keys that are dropped, as far as anything is recorded of them.
fn broken(session: &Session<'_>, store: &Store, declaration: &Declaration) -> Vec<String> {
    let (name, now) = (&declaration.name, session.context.now);
    let current = store.current(name).into_iter();
    let companions = rotation::companions(&session.manifest, declaration, store, now);
    let verifying = companions.into_iter().map(|it| it.version).filter(|it| it.life.replaced.is_some());
    let kids: Vec<String> = current.chain(verifying).map(kid).collect();
    let tokens = store.issued.tokens.iter().filter(|(id, token)| {
        kids.contains(&token.kid) && token.expires > now && !store.issued.revoked_tokens.contains_key(*id)
    });
    let mut lines: Vec<String> = tokens
        .map(|(id, token)| format!("breaks token `{id}` of `{}`, until {}", token.subject, second(token.expires)))
        .collect();
    let horizon = kids.iter().filter_map(|kid| store.issued.horizons.get(kid)).max().filter(|it| **it > now);
    match horizon {
        Some(horizon) => lines.push(format!("breaks unrecorded tokens of `{name}` until {}", second(*horizon))),
        None if lines.is_empty() => lines.push(format!("breaks no token of `{name}` that is known but declared ones")),
        None => {}
    }
    lines
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
    let until = rotation::retires(&session.manifest, key, version, store, session.context.now)?;
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
    if places.is_empty() { "no output delivers it".to_owned() } else { places.join(", ") }
}
