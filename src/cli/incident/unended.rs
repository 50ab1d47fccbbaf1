//! What keeps an incident from having come to its end: values that leaked and are accepted, or may be.

use super::super::session::Session;
use crate::error::{Error, Kind};
use crate::incident::standing::{self, Standing};
use crate::store::Store;
use crate::store::incidents::{Affected, Incident};

/// Why these incidents have not, each with the command that goes on. What a person is to supply is not among them: `check` asks for
/// it.
pub fn errors<'i>(session: &Session<'_>, store: &Store, ids: impl Iterator<Item = &'i String>) -> Vec<Error> {
    let incidents = ids.filter_map(|id| Some((id, store.incidents.get(id)?)));
    incidents.flat_map(|(id, incident)| of(session, store, id, incident)).collect()
}

fn of<'i>(
    session: &'i Session<'_>,
    store: &'i Store,
    id: &'i str,
    incident: &'i Incident,
) -> impl Iterator<Item = Error> + 'i {
    incident.affected.iter().filter_map(move |it| one(session, store, id, it))
}

fn one(session: &Session<'_>, store: &Store, id: &str, it: &Affected) -> Option<Error> {
    let name = &it.secret;
    let accepted = || {
        let message = format!("the owner of `{name}` may still accept the value that leaked");
        Error::new(Kind::Conflict, "still-accepted", message).incomplete()
    };
    let is_made = session.manifest.secret(name).is_some_and(crate::manifest::Declaration::is_generated);
    Some(match standing::of(&session.manifest, store, it) {
        Standing::InForce if is_made && it.made_from.is_none() => {
            let message = format!("the value of `{name}` that leaked is still in force");
            Error::new(Kind::Conflict, "banned", message)
                .incomplete()
                .hint(format!("have a new one made and told: `vault-kit rotate {name}`"))
        }
        Standing::Untold => accepted().hint(format!("have it told the new one: `vault-kit rotate tell {name}`")),
        Standing::Unretired => {
            let is_begun = store.rotations.running.contains_key(name);
            let verb = if is_begun { "resume" } else { "tell" };
            accepted().hint(format!("have it refused: `vault-kit rotate {verb} {name}`"))
        }
        Standing::Left => accepted()
            .hint("no hook is declared that could have it refused: declare one again, or see to it by hand")
            .hint(format!("once nobody accepts it any more, say so: `vault-kit incident close {id}`")),
        Standing::InForce | Standing::ByHand | Standing::Over => return None,
    })
}
