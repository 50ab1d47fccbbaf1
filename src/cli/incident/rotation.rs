//! The rotations that an incident begins once what leaked is banned: of what owners are to be told, or hosts to agree on.

use std::collections::BTreeSet;

use super::super::rotate;
use super::super::session::Session;
use crate::error::{Error, Result};
use crate::name::SecretName;
use crate::rotate::programs::{Programs, Step};
use crate::rotate::{Refusal, Report};
use crate::world::World;

/// Rotates these, and has programs read the files that changed. Of what cannot be rotated the rest is nonetheless: what stands
/// against it is in the report.
pub fn run(session: &Session<'_>, world: &World<'_>, names: &BTreeSet<SecretName>) -> Result<Report> {
    let (names, refused) = startable(session, names);
    let mut report = match rotate::leaked(session, world, names) {
        Err(error) if error.kind() == crate::error::Kind::Bug => return Err(error),
        Err(error) => Report { refused: vec![Refusal::from(error)], ..Report::default() },
        Ok(report) => report,
    };
    report.refused.extend(refused.into_iter().map(Refusal::from));
    for refusal in &mut report.refused {
        // Whatever stands against it: that it is banned is in the store.
        let error = std::mem::replace(&mut refusal.error, Error::usage("")).incomplete();
        refusal.error = error.map_hints(&|hint| {
            hint.replace("nothing was changed", "what leaked is banned, and is in force until it is rotated")
        });
    }
    Ok(report)
}

/// What stands against rotating these, as far as their programs are concerned.
pub fn refused(session: &Session<'_>, names: &BTreeSet<SecretName>) -> Vec<Error> {
    startable(session, names).1
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
