//! What has to be made, from what is declared and what is there: pure, and without a value in sight.
//!
//! Neither disk nor network, clock nor randomness is touched here; `--dry-run` prints a [`Plan`] and stops.

pub mod due;
mod observed;
pub mod window;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::manifest::{Declaration, Kind, Manifest};
use crate::name::{EnvName, SecretName};
pub use observed::{Known, Next, Observed};

/// Which secrets are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All that are declared.
    All,
    /// These, what they are made from, and what is made from them.
    Missing(BTreeSet<SecretName>),
    /// Like `Missing`, but the named ones are made anew.
    Replace(BTreeSet<SecretName>),
    /// Like `Replace`, and what is replaced is accepted no more, not even where it was to overlap.
    Revoke(BTreeSet<SecretName>),
}

/// What is going to be made, in order, and what cannot be.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Each after everything that it needs.
    pub steps: Vec<Step>,
    /// What waits for a person.
    pub waiting: Vec<Waiting>,
    /// Published keys that sign from a time on.
    pub publishing: Vec<Publishing>,
}

/// A key or root that waits until every verifier knows it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Publishing {
    /// The secret.
    pub secret: SecretName,
    /// From when on the next command that writes makes it the active one.
    pub from: DateTime<Utc>,
}

/// One value to be made.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The secret.
    pub secret: SecretName,
    /// Its kind as the manifest writes it.
    pub kind: &'static str,
    /// What is done.
    pub action: Action,
    /// Why.
    pub why: Why,
}

/// What is done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A new one takes the place of the current one.
    Make,
    /// A new one is published, and the current one stays; or one that is there is published again.
    Publish,
    /// The published one takes the place of the current one.
    Activate,
}

/// Why something is done with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Its declaration asks for something else than what is there.
    DeclarationChanged,
    /// Its time had come.
    Due,
    /// It is made from this one, which changed.
    InputChanged(SecretName),
    /// There is none.
    Missing,
    /// It is published, and a file that verifiers should know it by does not have it.
    NotPublished,
    /// It has been published for as long as verifiers may go on without it.
    Published,
    /// A person asked for a new one.
    Replaced,
    /// A person asked for a new one, and wants the old one to be refused; or it leaked, and nobody waits until verifiers know another.
    Revoked,
}

impl Why {
    /// Whether a person or a schedule asked for it; otherwise it follows from something else.
    pub fn is_asked_for(&self) -> bool {
        matches!(self, Self::Due | Self::Replaced | Self::Revoked)
    }
}

/// A secret that cannot be made yet.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The secret.
    pub secret: SecretName,
    /// What it needs; empty when a person must supply it itself.
    pub needs: Vec<SecretName>,
    /// Who supplies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where a person gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obtain: Option<String>,
}

impl Plan {
    /// What was asked for was asked for by the schedule.
    pub fn by_schedule(&mut self) {
        self.steps.iter_mut().filter(|step| step.why == Why::Replaced).for_each(|step| step.why = Why::Due);
    }
}

/// Plans one environment.
pub fn plan(manifest: &Manifest, environment: &EnvName, observed: &Observed, scope: &Scope) -> Plan {
    let wanted = wanted(manifest, scope);
    let mut planner = Planner {
        observed,
        scope,
        wanted,
        made: observed.changed.iter().collect(),
        absent: BTreeSet::new(),
        plan: Plan::default(),
    };
    for declaration in manifest.secrets_in(environment) {
        planner.visit(declaration);
    }
    planner.plan
}

/// The named secrets and everything that they are made from; `None` = all.
fn wanted<'a>(manifest: &'a Manifest, scope: &'a Scope) -> Option<BTreeSet<&'a SecretName>> {
    let (Scope::Missing(names) | Scope::Replace(names) | Scope::Revoke(names)) = scope else { return None };
    let mut wanted = BTreeSet::new();
    let mut open: Vec<&SecretName> = names.iter().collect();
    while let Some(name) = open.pop() {
        if wanted.insert(name)
            && let Some(declaration) = manifest.secret(name)
        {
            open.extend(declaration.references());
        }
    }
    Some(wanted)
}

/// The named secrets and everything that is made from them, directly or not.
pub fn dependents(manifest: &Manifest, names: &BTreeSet<SecretName>) -> BTreeSet<SecretName> {
    let mut all = names.clone();
    for declaration in &manifest.order {
        if declaration.references().into_iter().any(|input| all.contains(input)) {
            all.insert(declaration.name.clone());
        }
    }
    all
}

struct Planner<'a> {
    observed: &'a Observed,
    scope: &'a Scope,
    wanted: Option<BTreeSet<&'a SecretName>>,
    made: BTreeSet<&'a SecretName>,
    absent: BTreeSet<&'a SecretName>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn visit(&mut self, declaration: &'a Declaration) {
        let name = &declaration.name;
        let is_there = self.observed.secrets.contains_key(name);
        if !declaration.is_generated() {
            if declaration.is_stored() && !is_there {
                self.absent.insert(name);
                if !declaration.optional && self.is_wanted(name) {
                    self.wait(declaration, Vec::new());
                }
            }
            return;
        }
        if !is_there && self.observed.elsewhere.contains(name) {
            self.absent.insert(name);
            return;
        }
        self.announce(name);
        let Some((action, why)) = self.step(declaration) else {
            self.absent.extend((!is_there).then_some(name));
            return;
        };
        let needs: Vec<_> =
            declaration.references().into_iter().filter(|it| self.absent.contains(it)).cloned().collect();
        if needs.is_empty() {
            if action != Action::Publish {
                self.made.insert(name);
            }
            self.plan.steps.push(Step { secret: name.clone(), kind: declaration.kind.name(), action, why });
        } else {
            if !is_there {
                self.absent.insert(name);
            }
            self.wait(declaration, needs);
        }
    }

    fn is_wanted(&self, name: &SecretName) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(name))
    }

    fn step(&self, declaration: &Declaration) -> Option<(Action, Why)> {
        let name = &declaration.name;
        if !self.observed.secrets.contains_key(name) {
            return self.is_wanted(name).then_some((Action::Make, Why::Missing));
        }
        if self.is_cut(name) {
            let has_next = self.observed.next.get(name).is_some_and(|next| next.is_as_declared);
            return Some((if has_next { Action::Activate } else { Action::Make }, Why::Revoked));
        }
        let replace = if self.observed.published.contains_key(name) { Action::Publish } else { Action::Make };
        match self.observed.next.get(name) {
            Some(Next { is_as_declared: false, .. }) => return Some((replace, Why::DeclarationChanged)),
            Some(Next { is_delivered: false, .. }) => return Some((Action::Publish, Why::NotPublished)),
            Some(Next { is_due: true, .. }) => return Some((Action::Activate, Why::Published)),
            // Never a third one: whoever asks again is told from when on the second one signs.
            Some(_) => return None,
            None => {}
        }
        if matches!(self.scope, Scope::Replace(names) if names.contains(name)) {
            return Some((replace, Why::Replaced));
        }
        self.why(declaration).map(|why| (Action::Make, why))
    }

    /// Whether another value takes its place at once, and what it was is refused: as asked, or since it leaked, and verifiers would
    /// go on with it until they know its successor.
    fn is_cut(&self, name: &SecretName) -> bool {
        match self.scope {
            Scope::Revoke(names) => names.contains(name),
            Scope::Replace(names) => names.contains(name) && self.observed.leaked_published.contains(name),
            Scope::All | Scope::Missing(_) => false,
        }
    }

    /// Tells from when on a key that is published, or is about to be, may sign.
    fn announce(&mut self, name: &SecretName) {
        let from = match (self.observed.next.get(name), self.scope) {
            _ if self.is_cut(name) => None,
            (Some(Next { is_delivered: true, is_as_declared: true, is_due, from }), _) => (!is_due).then_some(*from),
            (Some(_), _) => self.observed.published.get(name).copied(),
            (None, Scope::Replace(names)) if names.contains(name) => self.observed.published.get(name).copied(),
            (None, _) => None,
        };
        self.plan.publishing.extend(from.map(|from| Publishing { secret: name.clone(), from }));
    }

    fn why(&self, declaration: &Declaration) -> Option<Why> {
        let name = &declaration.name;
        let known = self.observed.secrets.get(name)?;
        // A value that dies with its input is made anew in the same change, whatever the scope.
        let changed =
            declaration.references().into_iter().find(|input| self.made.contains(input) || self.moved(known, input));
        if let Some(input) = changed {
            return Some(Why::InputChanged(input.clone()));
        }
        // A new root key would break everybody who trusts the old one: that takes `--replace`. An issuing CA is trusted
        // through its root, and what it signed follows in the same change.
        let is_root = matches!(&declaration.kind, Kind::Ca(ca) if ca.issuer.is_none());
        let derived = !is_root && self.is_wanted(name);
        let stale = known.recipe.is_some() && self.observed.recipes.get(name) != known.recipe.as_ref();
        (derived && stale).then_some(Why::DeclarationChanged)
    }

    /// Whether a recorded input has another version by now.
    fn moved(&self, known: &Known, input: &SecretName) -> bool {
        match (known.inputs.get(input), self.observed.secrets.get(input)) {
            (Some(then), Some(now)) => *then != now.version,
            _ => false,
        }
    }

    fn wait(&mut self, declaration: &Declaration, needs: Vec<SecretName>) {
        self.plan.waiting.push(Waiting {
            secret: declaration.name.clone(),
            needs,
            owner: declaration.owner.clone(),
            obtain: declaration.obtain.clone(),
        });
    }
}
