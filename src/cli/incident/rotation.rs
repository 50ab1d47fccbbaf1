//! The rotations that an incident begins once what leaked is banned: of what owners are to be told, or hosts to agree on.

use std::collections::BTreeSet;

use super::super::rotate;
use super::super::session::Session;
use crate::error::{Error, Result};
use crate::incident::progress::Foreseen;
use crate::name::SecretName;
use crate::rotate::programs::{Programs, Step};
use crate::rotate::{Refusal, Report};
use crate::world::World;

/// Rotates these, has the owners of those that are replaced already refuse what leaked, and programs read the files that changed. Of
/// what cannot be rotated the rest is nonetheless: what stands against it is in the report.
pub fn run(
    session: &Session<'_>,
    world: &World<'_>,
    rotates: &BTreeSet<SecretName>,
    retires: &BTreeSet<SecretName>,
) -> Result<Report> {
    let (names, refused) = startable(session, rotates);
    let mut report = match rotate::leaked(session, world, names.union(retires).cloned().collect()) {
        Err(error) if error.kind() == crate::error::Kind::Bug => return Err(error),
        Err(error) => Report { refused: vec![Refusal::from(error)], ..Report::default() },
        Ok(report) => report,
    };
    report.refused.extend(refused.into_iter().map(Refusal::from));
    for refusal in &mut report.refused {
        refusal.error = although_banned(std::mem::replace(&mut refusal.error, Error::usage("")));
    }
    Ok(report)
}

/// The same error, where what leaked is banned whatever stands against the rest: that is in the store.
pub fn although_banned(error: Error) -> Error {
    error.incomplete().map_hints(&|hint| {
        hint.replace("nothing was changed", "what leaked is banned, and is in force until it is rotated")
    })
}

/// What a run would do about these by itself, and what stands against it as far as programs are concerned, also those that read
/// the files with what is `changing`, or are `owed` that.
pub fn foresee<'h>(
    session: &Session<'_>,
    names: &BTreeSet<SecretName>,
    changing: &BTreeSet<SecretName>,
    owed: impl Iterator<Item = &'h String>,
) -> (Foreseen, Vec<Error>) {
    let programs = rotate::programs(session);
    let (rotated, mut refused) = startable(session, names);
    let mut reloads = programs.reloads(&rotate::outputs_of(session, changing));
    reloads.extend(owed.filter(|hook| programs.is_declared(hook)).cloned());
    reloads.retain(|hook| {
        let error = programs.expect(&BTreeSet::from([hook.clone()])).err();
        let is_usable = error.is_none();
        refused.extend(error);
        is_usable
    });
    (Foreseen { rotated, reloads }, refused.into_iter().map(although_banned).collect())
}

/// Those of which every program could be started, and why that of another could not.
fn startable(session: &Session<'_>, names: &BTreeSet<SecretName>) -> (BTreeSet<SecretName>, Vec<Error>) {
    let programs = rotate::programs(session);
    let (mut ready, mut refused) = (BTreeSet::new(), Vec::new());
    for name in names {
        let hooks = [Step::Set, Step::Test, Step::Retire].into_iter().flat_map(|step| programs.hooks(name, step));
        match hooks.map(|hook| programs.expect(&BTreeSet::from([hook]))).find_map(Result::err) {
            None => drop(ready.insert(name.clone())),
            Some(error) => refused.push(error.hint(format!("then rotate it: `vault-kit rotate {name}`"))),
        }
    }
    (ready, refused)
}
