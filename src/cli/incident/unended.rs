//! What keeps an incident from having come to its end: values that leaked and are accepted, or may be.

use std::collections::BTreeSet;

use super::super::session::Session;
use crate::error::{Error, Kind};
use crate::incident::standing::{self, Standing};
use crate::name::SecretName;
use crate::store::Store;
use crate::store::incidents::Affected;

/// Why these incidents have not, each with the command that goes on; of those secrets that `are_replaced` by a run, why they will not
/// have.
pub fn errors<'i>(
    session: &Session<'_>,
    store: &Store,
    ids: impl Iterator<Item = &'i String>,
    are_replaced: &BTreeSet<SecretName>,
) -> Vec<Error> {
    let incidents = ids.filter_map(|id| Some((id, store.incidents.get(id)?)));
    let affected = incidents.flat_map(|(id, incident)| incident.affected.iter().map(move |it| (id, it)));
    let manifest = &session.manifest;
    let standing = |it: &Affected| {
        let of = if are_replaced.contains(&it.secret) { standing::once_replaced } else { standing::of };
        of(manifest, store, it)
    };
    affected.filter_map(|(id, it)| one(session, store, (id, it), standing(it))).collect()
}

fn one(session: &Session<'_>, store: &Store, (id, it): (&str, &Affected), standing: Standing) -> Option<Error> {
    let name = &it.secret;
    let accepted = || {
        let message = format!("the owner of `{name}` may still accept the value that leaked");
        Error::new(Kind::Conflict, "still-accepted", message).incomplete()
    };
    let in_force = || {
        let message = format!("the value of `{name}` that leaked is still in force");
        Error::new(Kind::Conflict, "banned", message).incomplete()
    };
    let is_begun = store.rotations.running.contains_key(name);
    let command = standing::command(standing, name, id, is_begun).map(|words| format!("`vault-kit {words}`"));
    let command = command.unwrap_or_default();
    Some(match standing {
        // What is made of it is replaced with it.
        Standing::InForce if it.made_from.is_some() => return None,
        Standing::InForce => match session.manifest.secret(name)? {
            declaration if declaration.is_generated() => {
                in_force().hint(format!("have a new one made and told: `vault-kit rotate {name}`"))
            }
            declaration => {
                let supply = declaration.supply_words();
                in_force().hint(format!("have it revoked by who issued it, and supply a new one: `vault-kit {supply}`"))
            }
        },
        Standing::Untold => accepted().hint(format!("have it told the new one: {command}")),
        Standing::Unretired => accepted().hint(format!("have it refused: {command}")),
        Standing::Left => accepted()
            .hint("no hook is declared that could have it refused: declare one again, or see to it by hand")
            .hint(format!("once nobody accepts it any more, say so: {command}")),
        Standing::ByHand | Standing::Over => return None,
    })
}
