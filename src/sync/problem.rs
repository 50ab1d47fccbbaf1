//! What stands against an action on one remote secret, and the words for it.

use chrono::{DateTime, Utc};

use super::content;
use super::hindrance::Hindrance;
use super::judge::Verdict;
use super::look::{self, Field, Item, State};
use crate::error::{Error, Kind};
use crate::manifest::Kind as SecretKind;
use crate::name::SecretName;
use crate::remote::Listed;

/// Why an item cannot be pushed as it is; `None` when nothing stands against it.
pub fn against_push(item: &Item<'_>, ours: bool) -> Option<Error> {
    let name = &item.place.name;
    match item.state {
        _ if ours && item.yields_to_ours() => {}
        State::Absent | State::Same | State::Advance | State::Pull | State::Create => return None,
        State::Push => {}
        State::Missing | State::Conflict if ours => {}
        State::Merge => return Some(merge(item)),
        State::Conflict => return Some(conflict(item, "push --ours", "pull --theirs")),
        _ => return unusable(item, "push"),
    }
    item.hindrance.map(|it| hindered(name, it))
}

/// Why a secret cannot get a new version in place of the one in force.
pub fn against_new_version(listed: &Listed, hindrance: Option<Hindrance>) -> Option<Error> {
    if listed.deleted.is_some() {
        return Some(scheduled(&listed.name, listed.deleted));
    }
    match hindrance {
        Some(hindrance) => Some(hindered(&listed.name, hindrance)),
        None => listed.current().is_none().then(|| valueless(&listed.name)),
    }
}

/// Why an item serves neither direction as it is.
pub fn unusable(item: &Item<'_>, verb: &str) -> Option<Error> {
    let name = &item.place.name;
    match item.state {
        State::Changed => Some(changed_meanwhile(item, verb)),
        State::Missing => Some(missing(item)),
        State::Scheduled => Some(scheduled(name, item.scheduled())),
        State::Valueless => Some(valueless(name)),
        State::Malformed => Some(content::malformed(name)),
        State::Unreadable => item.failure.map(|failure| failure.about(&format!("`{name}`"))),
        _ => None,
    }
}

/// Why an item cannot be pulled as it is.
pub fn against_pull(item: &Item<'_>, theirs: bool) -> Option<Error> {
    match item.state {
        State::Conflict => match derived(item) {
            Some(secret) => Some(follows_here(&item.place.name, secret)),
            None if theirs => None,
            None => Some(conflict(item, "pull --theirs", "push --ours")),
        },
        State::Pull | State::Merge if !theirs => encryption_key(item),
        _ => unusable(item, "pull"),
    }
}

/// The first field that differs and whose value follows its inputs here.
fn derived<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    let differs = |it: &&Field<'_>| matches!(it.verdict, Verdict::Behind | Verdict::Conflict);
    let field = item.fields.iter().filter(differs).find(|it| look::is_derived(it.declaration))?;
    Some(field.declaration.name.as_str())
}

/// A new encryption key makes unreadable what was encrypted with the one that is here: somebody has to say so.
fn encryption_key(item: &Item<'_>) -> Option<Error> {
    let is_replaced = |it: &&Field<'_>| {
        it.verdict == Verdict::Pull && it.here.is_some() && matches!(it.declaration.kind, SecretKind::EncryptionKey(_))
    };
    let secret = &item.fields.iter().find(is_replaced)?.declaration.name;
    let message = format!("`{}` holds another encryption key than `{secret}` here", item.place.name);
    Some(
        Error::new(Kind::Conflict, "remote-conflict", message)
            .hint(format!("once nothing here needs the old one, take it with `vault-kit sync pull --theirs {secret}`")),
    )
}

fn follows_here(name: &str, secret: &str) -> Error {
    let message = format!("`{name}` was changed in AWS, but `{secret}` is made here from other values");
    Error::new(Kind::Conflict, "remote-conflict", message)
        .hint(format!("change what it is made from, or put ours back with `vault-kit sync push --ours {secret}`"))
}

/// What is in AWS is no value to go on with; the one that is here stays.
pub fn unfit(name: &str, fault: &str, secret: &SecretName) -> Error {
    Error::new(Kind::Findings, "remote-unfit", format!("not taken: `{name}` {fault}"))
        .hint(format!("if another host is pushing, `vault-kit sync pull {secret}` once it is done"))
        .hint(format!("or put ours there with `vault-kit sync push --ours {secret}`"))
}

/// What another host is about to put in force is not taken, since it does not belong to what it is made by here.
pub fn unfit_next(name: &str, fault: &str, maker: &SecretName) -> Error {
    Error::new(Kind::Findings, "remote-unfit", format!("not taken: what is to follow `{name}` {fault}"))
        .hint(format!("take that as the other host has it: `vault-kit sync pull {maker}`"))
}

fn conflict(item: &Item<'_>, first: &str, second: &str) -> Error {
    let name = &item.place.name;
    let secret = ours(item);
    let there = item.version.unwrap_or("none");
    let base = item.base.map_or("none", |base| base.version.as_str());
    let keys = conflicting_keys(item);
    if let Some(fault) = item.fields.iter().find_map(|it| it.fault.as_ref().filter(|_| it.verdict.needs_choice())) {
        let message = format!("`{name}` differs here and in AWS, where it {fault}: AWS has version {there}");
        return Error::new(Kind::Conflict, "remote-conflict", message)
            .hint(format!("if another host is pushing, `vault-kit sync pull {secret}` once it is done"))
            .hint(format!("or put ours there with `vault-kit sync push --ours {secret}`"));
    }
    let message = format!("`{name}` differs here and in AWS{keys}: AWS has version {there}, last agreed on was {base}");
    Error::new(Kind::Conflict, "remote-conflict", message)
        .hint(format!("choose with `vault-kit sync {first} {secret}` or `vault-kit sync {second} {secret}`"))
}

fn conflicting_keys(item: &Item<'_>) -> String {
    let keys = item.fields.iter().filter(|it| it.verdict.needs_choice() && !it.key.is_empty());
    let keys: Vec<String> = keys.map(|it| format!("`{}`", it.key)).collect();
    if keys.is_empty() { String::new() } else { format!(" in {}", keys.join(", ")) }
}

/// A name of ours that stands for the whole item on a command line.
fn ours<'i>(item: &'i Item<'_>) -> &'i str {
    let chosen = item.fields.iter().find(|field| field.verdict.needs_choice()).or(item.fields.first());
    chosen.map_or(item.place.name.as_str(), |field| field.declaration.name.as_str())
}

fn merge(item: &Item<'_>) -> Error {
    let (name, secret) = (&item.place.name, ours(item));
    let message = format!("some keys of `{name}` changed in AWS, and others here");
    Error::new(Kind::Conflict, "remote-changed", message)
        .hint(format!("take those first: `vault-kit sync pull {secret}`, then `vault-kit sync push {secret}`"))
}

fn changed_meanwhile(item: &Item<'_>, verb: &str) -> Error {
    let (name, secret) = (&item.place.name, ours(item));
    let message = format!("`{name}` or its value here changed while they were compared");
    Error::new(Kind::Conflict, "remote-changed", message)
        .hint(format!("compare them anew with `vault-kit sync {verb} {secret}`"))
}

fn missing(item: &Item<'_>) -> Error {
    let (name, secret) = (&item.place.name, ours(item));
    Error::new(Kind::Conflict, "remote-gone", format!("`{name}` was in AWS and is not there any more"))
        .hint(format!("make it again with `vault-kit sync push --ours {secret}`, or take `aws` from its declaration"))
}

fn scheduled(name: &str, since: Option<DateTime<Utc>>) -> Error {
    let since = since.map(|time| time.format(" since %Y-%m-%d").to_string()).unwrap_or_default();
    Error::new(Kind::Conflict, "remote-scheduled", format!("`{name}` is scheduled for deletion in AWS{since}"))
        .hint(format!("take that back with `vault-kit sync restore {name}`"))
}

fn valueless(name: &str) -> Error {
    let message = format!("`{name}` exists in AWS, and has no value");
    Error::new(Kind::Conflict, "remote-valueless", message).hint(format!(
        "give it its first value in AWS, or remove it there: `aws secretsmanager delete-secret --secret-id {name}`"
    ))
}

/// Why nobody but its owner may write to it.
pub fn hindered(name: &str, hindrance: Hindrance) -> Error {
    match hindrance {
        Hindrance::Foreign => {
            let message = format!("`{name}` is in AWS already, and its tags do not say that it is ours");
            Error::new(Kind::Conflict, "remote-foreign", message)
                .hint(format!("if it is, say so with `vault-kit sync adopt {name}`"))
        }
        Hindrance::Rotated => {
            let message = format!("`{name}` is rotated by AWS, which would replace what is pushed");
            Error::new(Kind::Conflict, "remote-rotated", message)
                .hint(format!(
                    "have AWS do it: `aws secretsmanager rotate-secret --secret-id {name}`, then `vault-kit sync pull --theirs {name}`"
                ))
                .hint(format!("or end that: `aws secretsmanager cancel-rotate-secret --secret-id {name}`"))
        }
        Hindrance::Managed => {
            let message = format!("`{name}` belongs to an AWS service or partner, which alone may change it");
            Error::new(Kind::Conflict, "remote-managed", message)
                .hint(format!("have it changed there, then `vault-kit sync pull --theirs {name}`"))
        }
        Hindrance::Replica => {
            let message = format!("`{name}` is a replica, and only its primary can be written to");
            Error::new(Kind::Conflict, "remote-replica", message).hint("name the primary's `region` in the manifest")
        }
    }
}
