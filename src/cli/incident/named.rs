//! What the command line is about: the secrets, where a scan found them, and words that hold no value.

use std::collections::BTreeSet;

use super::super::get;
use super::super::input::read_for_change;
use super::super::session::Session;
use super::Leak;
use crate::error::{Error, Result};
use crate::hook;
use crate::incident::covered;
use crate::incident::scan::{self, Finding};
use crate::name::{EnvName, SecretName};
use crate::secret::Secret;
use crate::shell;
use crate::store::Store;

/// What a leak search found of this environment.
pub fn findings(session: &Session<'_>, leak: &Leak) -> Result<Vec<Finding>> {
    let Some(path) = &leak.from_scan else { return Ok(Vec::new()) };
    let report = read_for_change(session.context, path)?;
    let place = path.display().to_string();
    let is_ours = |it: &Finding| it.environment.as_ref().is_none_or(|it| *it == session.environment);
    let (ours, others): (Vec<_>, Vec<_>) = scan::parse(report.expose(), &place)?.into_iter().partition(is_ours);
    leave_to_others(session, &place, ours.is_empty(), others)?;
    if ours.is_empty() {
        session.context.ui.say(&format!("`{place}` has no finding of a value of ours: it declares nothing"));
    }
    Ok(ours)
}

/// Other environments have other values under the same names: what was found of those is told with the command that is about them,
/// and refused where nothing else was.
fn leave_to_others(session: &Session<'_>, place: &str, is_all: bool, others: Vec<Finding>) -> Result<()> {
    let others: BTreeSet<EnvName> = others.into_iter().filter_map(|it| it.environment).collect();
    if !others.iter().all(|it| session.manifest.environments.contains_key(it)) {
        let message = format!("`{place}` has findings of an environment that the manifest does not declare");
        return Err(Error::usage(message).hint("nothing was changed; is it the report of another project?"));
    }
    let word = if place == "-" { place.to_owned() } else { shell::path(place) };
    let there = |it: &EnvName| format!("`vault-kit -e {it} incident --from-scan {word}`");
    if is_all && !others.is_empty() {
        let names: Vec<String> = others.iter().map(|it| format!("`{it}`")).collect();
        let message = format!("`{place}` is about {}, and this is `{}`", names.join(", "), session.environment);
        let hint = |it| format!("nothing was changed; declare it where the value is: {}", there(it));
        return Err(others.iter().map(hint).fold(Error::usage(message), Error::hint));
    }
    for it in &others {
        let told = format!("`{place}` has findings of `{it}` too, of which nothing is done here: {}", there(it));
        session.context.warn(&told);
    }
    Ok(())
}

/// Refuses a command line that is about nothing.
pub fn expect_any(leak: &Leak) -> Result<()> {
    if leak.names.is_empty() && leak.from_scan.is_none() {
        return Err(
            Error::usage("the secret that leaked is needed").hint("`vault-kit incident NAME`, or `--from-scan FILE`")
        );
    }
    Ok(())
}

/// The findings of values that this environment has, or had, a place for. The others keep nobody from acting on these: they are told, and
/// refused where nothing else was found.
pub fn known(session: &Session<'_>, store: &Store, leak: &Leak, findings: Vec<Finding>) -> Result<Vec<Finding>> {
    let (ours, others): (Vec<_>, Vec<_>) = findings.into_iter().partition(|it| store.current(&it.secret).is_some());
    let names: BTreeSet<&str> = others.iter().map(|it| it.secret.as_str()).collect();
    for name in names {
        let error = session.secret(name).map_or_else(|error| error, |_| get::missing(session, name));
        if ours.is_empty() && leak.names.is_empty() {
            return Err(error.hint("nothing was changed"));
        }
        session.context.ui.warn(&format!("{error}: nothing is done about what was found of it"));
    }
    let is_unknown = |it: &&Finding| it.version.is_some_and(|version| store.version(&it.secret, version).is_none());
    let unknown: BTreeSet<&SecretName> = ours.iter().filter(is_unknown).map(|it| &it.secret).collect();
    for name in unknown {
        let words = "was found in a version that the store does not know: it is taken for the one in force";
        session.context.ui.warn(&format!("`{name}` {words}"));
    }
    Ok(ours)
}

/// The secrets that are meant, also those that are declared no more and have a value all the same; a setting is none.
pub fn names(session: &Session<'_>, store: &Store, leak: &Leak, findings: &[Finding]) -> Result<BTreeSet<SecretName>> {
    let is_there = |name: &SecretName| store.current(name).is_some();
    let asked = leak.names.iter().map(|name| match SecretName::new(name.as_str()).ok().filter(is_there) {
        Some(name) => Ok(name),
        None => session.secret(name),
    });
    let names = asked.chain(findings.iter().map(|it| Ok(it.secret.clone()))).collect::<Result<BTreeSet<_>>>()?;
    let names: BTreeSet<SecretName> = names.iter().flat_map(|name| leaked_with(session, name)).collect();
    let is_setting = |name: &&SecretName| session.manifest.secret(*name).is_some_and(|it| !it.is_stored());
    let setting = names.iter().find(is_setting);
    setting.map_or(Ok(names.clone()), |name| {
        Err(Error::usage(format!("`{name}` is a setting, which stands in the manifest for everybody to read"))
            .hint("if it must not be known, declare it as a secret, and change it"))
    })
}

/// What leaked with a secret, which is told where that is something else.
fn leaked_with(session: &Session<'_>, name: &SecretName) -> BTreeSet<SecretName> {
    let leaked = covered::leaked_with(&session.manifest, name);
    if !leaked.contains(name) {
        let words: Vec<String> = leaked.iter().map(|name| format!("`{name}`")).collect();
        session.context.ui.say(&format!("`{name}` is made of {}: that is what leaked", words.join(", ")));
    }
    leaked
}

/// What a path is told as that has a value in it.
const WITHHELD: &str = "a path that has a value in it";

/// The same findings without paths that have a value in them, which would stand in the record and the timeline.
pub fn without_values(store: &Store, findings: Vec<Finding>) -> Vec<Finding> {
    let paths: Vec<&str> = findings.iter().map(|it| it.path.as_str()).collect();
    if !has_value(store, &paths.join("\n")) {
        return findings;
    }
    let withheld = |it: Finding| {
        let path = if has_value(store, &it.path) { WITHHELD.to_owned() } else { it.path };
        Finding { path, ..it }
    };
    findings.into_iter().map(withheld).collect()
}

/// A person in a hurry may paste the very value: it would stand in the record and the timeline.
pub fn refuse_value_in_words(store: &Store, leak: &Leak) -> Result<()> {
    if leak.reason.as_ref().is_some_and(|reason| has_value(store, reason)) {
        return Err(Error::usage("the reason has a value in it, which everybody on this machine could read")
            .hint("nothing was changed; take it out of your shell's history, and say where it leaked instead"));
    }
    Ok(())
}

fn has_value(store: &Store, text: &str) -> bool {
    let pieces = store.secrets.values().flatten().flat_map(|version| version.parts.iter()).map(|(_, piece)| piece);
    // What is shorter stands in words that do not mean it.
    let values: Vec<&Secret> = pieces.filter(|piece| piece.expose().len() > 5).collect();
    hook::has_value(text.as_bytes(), &values)
}
