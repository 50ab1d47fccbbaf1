//! Rotations on their way. Each transition is in the sealed store before its effect: the next run goes on where one died.

mod outcome;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Stage, Store, Version};
use crate::manifest::Declaration;
use crate::name::{SecretName, VersionId};
pub use outcome::{Ending, Outcome};

/// The first pause after a failure; each further one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// The longest pause after a failure.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(6);

/// What was begun and is not ended, and how it ended last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotations {
    /// One operation a secret at most.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub running: BTreeMap<SecretName, Operation>,
    /// The hooks whose programs are still to read changed files, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reloads: BTreeMap<String, Trouble>,
    /// The secrets that changed since the program of such a hook read its files.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, BTreeSet<SecretName>>,
    /// The versions in force that no hook has told their owners, by secret; of another version it says nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub untold: BTreeMap<SecretName, VersionId>,
    /// The secrets that AWS, or who else has them there, keeps from rotating.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<SecretName, Trouble>,
    /// How the last rotation of a secret ended.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub results: BTreeMap<SecretName, Outcome>,
}

/// A rotation of one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The version that is replaced.
    pub base: VersionId,
    /// The version that replaces it; `None` for one that is made of its inputs at promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<VersionId>,
    /// Digest of what was declared when the candidate was made here; `None` for what was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// How far it has come.
    pub step: Step,
    /// When it was begun.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub started: DateTime<Utc>,
    /// What went wrong with the step at hand.
    #[serde(default, skip_serializing_if = "Trouble::is_none")]
    pub trouble: Trouble,
    /// From when on the replaced value is to be retired, once the new one was promoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub retire_at: Option<DateTime<Utc>>,
    /// The rotation of a remote secret that it is a part of, as long as that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Claim>,
    /// Of a key that all hosts publish before it signs, what becomes of that; otherwise the candidate comes into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

/// What a rotation does with a key that all hosts publish before it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// The candidate is published.
    Publish,
    /// What is published signs from now on.
    Activate,
    /// What is published is not, any more.
    Withdraw,
}

/// One rotation of a secret in AWS, which all hosts that see the same share. Value-free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The full name.
    pub name: String,
    /// The full ARN.
    pub arn: String,
    /// The version that was in force when it was begun.
    pub current: String,
    /// How many rotations were aborted before.
    pub attempt: String,
    /// The version that replaces it, whose id follows from those three.
    pub id: String,
}

/// How far a rotation has come: what may have happened outside, or is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Given up: the owner may know the candidate, and is being given the current value again.
    Aborting,
    /// The candidate is there, and may have been sent to AWS, where another host's goes before it.
    Staged,
    /// The candidate is there, and `set` may have begun.
    Setting,
    /// The owner accepts the candidate.
    Set,
    /// A consumer can work with it.
    Tested,
    /// It is the current value. What it replaced is still accepted by its owner.
    Promoted,
    /// `retire` may have begun.
    Retiring,
}

impl Step {
    /// Whether a rotation that has come so far has not put its value in force yet.
    pub fn is_open(self) -> bool {
        self < Self::Promoted
    }
}

/// How often something failed in a row, and how the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Trouble {
    /// Failures in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failure>,
}

/// A step that failed. Value-free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The step of the hook: `set`, `test`, `retire` or `reload`.
    pub step: String,
    /// The hook; empty where none is declared that has the step.
    pub hook: String,
    /// A stable code, such as `hook-failed`.
    pub code: String,
    /// When.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub at: DateTime<Utc>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Failure {
    /// The step, and whose it was, as people read it.
    pub fn what(&self) -> String {
        let Self { step, hook, .. } = self;
        if hook.is_empty() { format!("`{step}`") } else { format!("`{step}` of hook `{hook}`") }
    }
}

impl Failure {
    /// What became of the step, as people read it.
    pub fn how(&self) -> &'static str {
        match self.code.as_str() {
            "hook-not-now" => "asked to be tried again later",
            "hook-timed-out" => "took too long and was stopped",
            "hook-not-started" => "was not started",
            _ => "failed",
        }
    }
}

impl Trouble {
    /// Whether nothing went wrong.
    pub fn is_none(&self) -> bool {
        self.failures == 0
    }

    /// From when on it is worth another try: at once where nothing failed, for then a process died.
    pub fn again(&self) -> Option<DateTime<Utc>> {
        let doublings = self.failures.saturating_sub(1).min(16);
        let pause = (FIRST_PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE);
        self.failed.as_ref().map(|failed| failed.at + pause)
    }

    /// As [`Trouble::again`], for what AWS refuses: once is nothing out of the ordinary, and is tried again at the next turn.
    pub fn again_there(&self) -> Option<DateTime<Utc>> {
        let before = Self { failures: self.failures.saturating_sub(1), failed: self.failed.clone() };
        if before.is_none() { self.failed.as_ref().map(|failed| failed.at) } else { before.again() }
    }

    /// Notes a failure.
    pub fn add(&mut self, failure: Failure) {
        self.failures = self.failures.saturating_add(1);
        self.failed = Some(failure);
    }
}

impl Operation {
    /// Whether the value that it is about is not in force yet.
    pub fn is_open(&self) -> bool {
        self.step.is_open()
    }

    /// From when on a step that failed is tried again. What other hosts rotate too is looked after at every turn: they may
    /// have put it in force meanwhile.
    pub fn again(&self) -> Option<DateTime<Utc>> {
        let soonest = self.trouble.failed.as_ref().filter(|_| self.remote.is_some()).map(|it| it.at + FIRST_PAUSE);
        soonest.or_else(|| self.trouble.again())
    }

    /// From when on there is something to do for it.
    pub fn next(&self) -> DateTime<Utc> {
        let again = self.again();
        let retire = self.retire_at.filter(|_| self.step == Step::Promoted);
        again.max(retire).unwrap_or(self.started)
    }

    /// Whether nothing is left of it but the end of an overlap that goes on.
    pub fn is_overlapping(&self, now: DateTime<Utc>) -> bool {
        self.step == Step::Promoted && self.trouble.is_none() && self.retire_at.is_some_and(|at| at > now)
    }

    /// Goes on to the next step, with nothing against it yet.
    pub fn advance(&mut self, step: Step) {
        self.step = step;
        self.trouble = Trouble::default();
    }
}

impl Rotations {
    /// Whether there is nothing to be remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        let unread: usize = self.unread.values().map(|names| 1 + names.len()).sum();
        self.running.len() + self.reloads.len() + unread + self.untold.len() + self.refused.len() + self.results.len()
    }

    /// The operation of a secret whose new value is not in force yet.
    pub fn open(&self, name: &SecretName) -> Option<&Operation> {
        self.running.get(name).filter(|operation| operation.is_open())
    }
}

impl Store {
    /// The versions of a secret that are or were in force, or are published for it, oldest first.
    pub fn versions(&self, name: &SecretName) -> impl DoubleEndedIterator<Item = &Version> {
        let versions = self.secrets.get(name).into_iter().flatten();
        versions.filter(|version| !matches!(version.stage, Stage::Candidate | Stage::Aborted))
    }

    /// The newest version that was in force before the current one and still has its value.
    pub fn before(&self, name: &SecretName) -> Option<&Version> {
        self.versions(name).rev().find(|version| version.stage == Stage::Previous)
    }

    /// A version of a secret, whatever its stage.
    pub fn version(&self, name: &SecretName, id: VersionId) -> Option<&Version> {
        self.secrets.get(name)?.iter().find(|version| version.id == id)
    }

    /// The value of a declared secret that its owner is known to accept: once `set` is done that is the candidate, and not
    /// each owner accepts the current one besides.
    pub fn accepted(&self, declaration: &Declaration) -> Option<&Version> {
        let operation = self.rotations.running.get(&declaration.name);
        let candidate = operation.filter(|it| matches!(it.step, Step::Set | Step::Tested)).and_then(|it| it.candidate);
        candidate.and_then(|id| self.version(&declaration.name, id)).or_else(|| self.value(declaration))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::now;
    use super::*;

    #[test]
    fn the_pause_doubles_from_five_minutes_up_to_six_hours() {
        let mut trouble = Trouble::default();
        assert_eq!(trouble.again(), None);
        let mut pauses = Vec::new();
        for _ in 0..40 {
            let (step, hook, code) = ("set".to_owned(), "h".to_owned(), "hook-failed".to_owned());
            trouble.add(Failure { step, hook, code, at: now() });
            pauses.push((trouble.again().unwrap() - now()).num_minutes());
        }
        assert_eq!(pauses[..8], [5, 10, 20, 40, 80, 160, 320, 360]);
        assert!(pauses[8..].iter().all(|pause| *pause == 360));
    }
}
