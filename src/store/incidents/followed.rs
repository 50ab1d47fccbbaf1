//! What is done about what leaked, written into its incident: each step in the change of the store that it is.

use chrono::{DateTime, Utc};

use super::Deed;
use crate::name::SecretName;
use crate::store::{Stage, Store};

impl Store {
    /// Writes into incidents a step that rotations of these secrets took, or that another value came otherwise.
    pub fn follow(&mut self, action: &str, names: &[SecretName], at: DateTime<Utc>) {
        let Some((is_open, what)) = told(action) else { return };
        // What leaked is in force until something is promoted in its place.
        let about = |name: &SecretName| if is_open { self.current(name) } else { self.before(name) };
        let versions: Vec<_> = names.iter().filter_map(|name| Some((name, about(name)?.id))).collect();
        for incident in self.incidents.values_mut() {
            let ours = versions.iter().filter(|(name, version)| incident.has(name, *version));
            let ours: Vec<String> = ours.map(|(name, _)| format!("`{name}`")).collect();
            if !ours.is_empty() {
                incident.done.push(deed(at, format!("{}: {what}", ours.join(", "))));
            }
        }
    }

    /// Writes into incidents what of this secret leaked and may be accepted by an owner: nobody can tell once it is forgotten.
    pub(in crate::store) fn note_forgotten(&mut self, name: &SecretName) {
        let told = self.secrets.get(name).into_iter().flatten();
        let told: Vec<_> = told.filter(|it| it.life.told.is_some() && it.life.retired.is_none()).collect();
        let all = self.incidents.values_mut().flat_map(|incident| &mut incident.affected);
        for it in all.filter(|it| it.secret == *name) {
            it.forgotten |= told.iter().any(|version| it.versions.contains(&version.id));
        }
    }

    /// Writes into incidents that the program of a hook read what is unread for it, with what took the place of what leaked.
    pub fn follow_read(&mut self, hook: &str, at: DateTime<Utc>) {
        let Some(unread) = self.rotations.unread.get(hook) else { return };
        let is_replaced = |name: &SecretName, versions: &[_]| {
            let current = self.secrets.get(name).into_iter().flatten().rfind(|it| it.stage == Stage::Current);
            current.is_some_and(|it| !versions.contains(&it.id))
        };
        for incident in self.incidents.values_mut() {
            let mut names = Vec::new();
            for it in incident.affected.iter_mut().filter(|it| !it.read.contains(hook)) {
                if unread.contains(&it.secret) && is_replaced(&it.secret, &it.versions) {
                    it.read.insert(hook.to_owned());
                    names.push(format!("`{}`", it.secret));
                }
            }
            if !names.is_empty() {
                incident
                    .done
                    .push(deed(at, format!("hook `{hook}` had the files read that have {}", names.join(", "))));
            }
        }
    }
}

fn deed(at: DateTime<Utc>, what: String) -> Deed {
    Deed { at, uid: rustix::process::getuid().as_raw(), what }
}

/// How a step is told, and whether what leaked is in force at it; `None` = it changes nothing about that.
fn told(action: &str) -> Option<(bool, &'static str)> {
    Some(match action {
        "rotate-set" => (true, "its owner was told the new value"),
        "rotate-test" => (true, "the new value was tested"),
        "rotate-abort" | "rotate-abort-without-hooks" => (true, "its rotation was given up"),
        "rotate-promote" => (false, "the new value is in force"),
        "cert import" | "generate" | "import" | "set" | "sync pull" => (false, "another value is in force"),
        "rotate-retired" => (false, "its owner refuses the old value"),
        _ => return None,
    })
}
