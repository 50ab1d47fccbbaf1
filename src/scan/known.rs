//! Which values are looked for: all that the stores have, in every version, and why some are not.

use std::collections::BTreeMap;

use super::matcher::Matcher;
use super::needle::{Owner, SHORTEST, State};
use crate::check::NotChecked;
use crate::check::placeholder::is_placeholder;
use crate::check::strength;
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Part;
use crate::store::{Origin, Stage, Store, Version};

/// A value that nobody drew, and that is weaker, stands in texts that do not mean it.
const WEAKEST: u32 = 28;

/// Values to look for, borrowed from the stores that they are in.
#[derive(Default)]
pub struct Known<'a> {
    values: Vec<(&'a Secret, Owner)>,
    not_looked_for: BTreeMap<(SecretName, &'static str), String>,
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({} values)", self.values.len())
    }
}

impl<'a> Known<'a> {
    /// Adds the values of a store.
    pub fn add(&mut self, store: &'a Store) {
        for (name, versions) in &store.secrets {
            for version in versions {
                self.add_version(store, name, version);
            }
        }
    }

    fn add_version(&mut self, store: &'a Store, name: &SecretName, version: &'a Version) {
        let Some(value) = version.parts.part(Part::Value).or_else(|| version.parts.part(Part::Key)) else {
            // Those that have a public fingerprint are found by it.
            let why = match version.stage {
                Stage::Purged => "older versions were purged, and have no public fingerprint to be found by",
                Stage::Aborted => "what was given up is gone, and has no public fingerprint to be found by",
                _ => return,
            };
            if version.public.is_none() {
                self.leave_out(store, name, why);
            }
            return;
        };
        if let Some(why) = unfit(version, value) {
            self.leave_out(store, name, why);
            return;
        }
        let state = State::of(store, version);
        let environment = store.environment.clone();
        self.values.push((value, Owner { environment, secret: name.clone(), version: version.id, state }));
    }

    fn leave_out(&mut self, store: &Store, name: &SecretName, why: &'static str) {
        let environments = self.not_looked_for.entry((name.clone(), why)).or_default();
        if !environments.split(", ").any(|it| it == store.environment.as_str()) {
            let separator = if environments.is_empty() { "" } else { ", " };
            environments.push_str(separator);
            environments.push_str(store.environment.as_str());
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What is not looked for, and why.
    pub fn not_checked(&self) -> Vec<NotChecked> {
        let each = self.not_looked_for.iter();
        each.map(|((name, why), environments)| NotChecked {
            what: format!("{name} ({environments})"),
            why: (*why).into(),
        })
        .collect()
    }

    /// Ready to be looked for.
    pub fn matcher(self) -> Matcher {
        Matcher::new(self.values)
    }
}

/// Why a value cannot be told from other text, if it cannot.
fn unfit(version: &Version, value: &Secret) -> Option<&'static str> {
    let value = value.expose().trim_ascii();
    if value.len() < SHORTEST {
        return Some("a value of fewer than 8 bytes stands everywhere");
    }
    if version.bits.is_some_and(|bits| bits > WEAKEST) && version.origin == Origin::Generated {
        return None;
    }
    if version.kind == "template" && version.inputs.is_empty() {
        return Some("it is made of settings alone");
    }
    if is_placeholder(value) {
        return Some("the value stands for one that somebody still has to supply");
    }
    (strength::bits_as_written(value) < WEAKEST).then_some("the value is too common to be told from other text")
}
