//! Rotation: values that are replaced in steps, each of which is in the sealed store before its effect.
//!
//! ```text
//! stage ──> (claim) ──> set ──> test ──> promote ──> outputs ──> reload ──> (overlap) ──> retire
//!              └─────────┴───────┴──> abort: the owner gets the current value again, and the candidate goes
//! ```
//!
//! What other hosts have too is claimed in AWS before `set`, and put in force there before it is here ([`shared`]).
//!
//! `set`, `test`, `retire` and `reload` are programs that the manifest names ([`programs`]). A secret that has none is made
//! and promoted in one change, with all others of the run. [`select`] decides what a run works on and [`next`] when there is
//! something to do; both are pure. [`machine`] does it: it opens the store for each step anew, and holds no value while a
//! program runs. Who dies on the way leaves an operation in the store, which the next run carries on with the same value.

pub mod abort;
mod barred;
pub mod calls;
pub mod claim;
pub mod declared;
pub mod forget;
pub mod intent;
mod joint;
pub mod machine;
pub mod next;
pub mod order;
pub mod parcel;
mod paused;
pub mod programs;
mod promote;
mod refused;
pub mod remote;
pub mod retire;
pub mod rollback;
mod run;
pub mod schedule;
pub mod select;
pub mod shared;
mod stage;
mod standing;
mod step;
pub mod tell;
mod turn;
pub mod undeclared;
mod untaken;
pub mod withdraw;
mod yielding;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::deliver::Delivered;
use crate::error::{Error, Kind};
use crate::name::{SecretName, VersionId};
use crate::plan::Plan;
use crate::store::rotations::Failure;
use undeclared::UNDECLARED;

/// What a run did. Value-free.
#[derive(Debug, Default)]
pub struct Report {
    /// What became of each secret that had a rotation of its own, in the order in which it happened.
    pub events: Vec<Event>,
    /// What was made anew at promotion, and what waits.
    pub plan: Plan,
    /// The files.
    pub delivered: Delivered,
    /// The hooks whose programs read the changed files.
    pub reloaded: Vec<String>,
    /// The hooks that owed that, and are declared no more.
    pub not_reloaded: Vec<String>,
    /// What failed.
    pub problems: Vec<Problem>,
    /// What was not begun, as its programs must not be started, or leaves nothing behind that could be carried on; and what AWS
    /// or other hosts stand against.
    pub refused: Vec<Refusal>,
    /// What has a new value here, and in AWS is what it was, or is not there.
    pub unsent: BTreeSet<SecretName>,
}

impl Report {
    /// Whether this happened to a secret.
    fn has(&self, secret: &SecretName, what: &What) -> bool {
        self.events.iter().any(|it| it.secret == *secret && it.what == *what)
    }
}

/// Something that was not done, and of which the store knows nothing.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub error: Error,
    /// The hook; empty where no program has to do with it.
    pub hook: String,
    /// What its program said, without the values that it was given.
    pub said: String,
    /// The secrets that a scheduled run tries again after a pause.
    pub paused: BTreeSet<SecretName>,
    /// When that is over.
    pub again: Option<DateTime<Utc>>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, hook: String::new(), said: String::new(), paused: BTreeSet::new(), again: None }
    }
}

/// Something that happened to a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The secret.
    pub secret: SecretName,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A new value is there, and nobody knows it yet.
    Staged,
    /// The manifest would have it made otherwise by now; what was begun goes on.
    DeclaredOtherwise,
    /// All hosts that have it by way of AWS come to this version of it.
    Claimed {
        /// The full name of the remote secret.
        remote: String,
        /// The version of that.
        version: String,
    },
    /// The owner accepts it.
    Set,
    /// A consumer can work with it.
    Tested,
    /// It is the current value.
    Promoted {
        /// Its version.
        version: VersionId,
    },
    /// What another host put in force is the current value here too.
    Taken {
        /// Its version.
        version: VersionId,
    },
    /// What another host published, and signs next, is published here too.
    Learned {
        /// Its version.
        version: VersionId,
    },
    /// What was published, and was to sign next, is not any more.
    Withdrawn,
    /// What it replaced is to be retired.
    Retires {
        /// From then on.
        from: DateTime<Utc>,
    },
    /// The owner does not accept any more what was replaced.
    Retired,
    /// No hook is declared any more that would have retired what was replaced.
    NotRetired,
    /// The overlap of a root is over: its old certificate is in no bundle any more.
    LeftBundles,
    /// Its owner accepts the current value.
    Told,
    /// The candidate is gone, and the current value is in force as before.
    Aborted,
    /// Nobody told its owner, who may accept the candidate, the current value, or both.
    Untold {
        /// Whether the current value leaked.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        leaked: bool,
    },
}

/// A step of a hook that failed.
#[derive(Debug)]
pub struct Problem {
    /// The secret; `None` for a reload.
    pub secret: Option<SecretName>,
    /// Whether its rotation was being given up.
    pub is_aborting: bool,
    /// Whether the value in force leaked, which giving up would tell the owner.
    pub is_leaked: bool,
    /// What failed.
    pub failure: Failure,
    /// When a scheduled run tries it again.
    pub again: Option<DateTime<Utc>>,
    /// What the program said, without the values that it was given; or why it was not started.
    pub said: String,
}

/// A step that a rotation waits for, and that no hook of its secret has any more: what was begun with a hook is not done by its
/// being declared no more.
fn orphaned(secret: &SecretName, step: programs::Step, at: DateTime<Utc>) -> Problem {
    let (step, hook, code) = (step.name().to_owned(), String::new(), "hook-not-started".to_owned());
    let failure = Failure { step, hook, code, at };
    Problem::new(Some(secret.clone()), failure)
}

impl Problem {
    /// A step that failed of a rotation that goes on.
    pub fn new(secret: Option<SecretName>, failure: Failure) -> Self {
        Self { secret, is_aborting: false, is_leaked: false, failure, again: None, said: String::new() }
    }

    /// Its stable code.
    fn code(&self) -> &'static str {
        CODES.into_iter().find(|it| *it == self.failure.code).unwrap_or("hook-failed")
    }

    /// As an error about a secret, with what that leaves.
    fn of_secret(&self, secret: &SecretName, state: &str) -> Error {
        let why = if self.failure.hook.is_empty() { ", since no hook of it has that step any more" } else { "" };
        let message = format!("{} {} for `{secret}`{why}: {state}", self.failure.what(), self.failure.how());
        Error::new(Kind::Incomplete, self.code(), message)
    }

    /// As the error that the run ends with.
    pub fn error(&self) -> Error {
        let (is_aborting, code) = (self.is_aborting, self.code());
        let step = &self.failure.step;
        if let (UNDECLARED, Some(secret)) = (code, &self.secret) {
            return undeclared::refusal(secret, is_aborting);
        }
        let Some(secret) = &self.secret else {
            let message =
                format!("{} {}: what it should read is in the files", self.failure.what(), self.failure.how());
            return Error::new(Kind::Incomplete, code, message)
                .hint("once it can, try it again with `vault-kit rotate resume`");
        };
        let state = match (step.as_str(), is_aborting) {
            ("retire", false) => "the new value is in force, and the old one may still be accepted",
            ("retire", true) => "the value before it is in force, and the one that was given up may still be accepted",
            (_, true) => "the owner may know the candidate; the current value is in force in our files",
            _ if self.is_leaked => "nothing was promoted: the value that leaked is in force",
            _ => "nothing was promoted: the old value is in force",
        };
        let error = self.of_secret(secret, state);
        if is_aborting && self.is_leaked {
            return error
                .hint(format!(
                    "the current value leaked: have a new one made and told with `vault-kit rotate {secret}`"
                ))
                .hint(format!("or, to give it to the owner all the same, `vault-kit rotate abort {secret}`"));
        }
        if is_aborting {
            let words = "or, if it never can, leave its owner as it is and tell it by hand";
            return error
                .hint(format!("once it can, finish giving it up: `vault-kit rotate resume {secret}`"))
                .hint(format!("{words}: `vault-kit rotate abort {secret} --without-hooks`"));
        }
        let error = error.hint("once it can, go on with the same value: `vault-kit rotate resume`");
        // Whoever gives it up goes on with what leaked; where no hook could go on with it, that is how another is begun.
        if step == "retire" || self.is_leaked && !self.failure.hook.is_empty() {
            return error;
        }
        error.hint(format!("or give it up: `vault-kit rotate abort {secret}`"))
    }
}

pub(crate) use paused::THERE;

/// The codes of what keeps a rotation from going on.
pub(crate) const CODES: [&str; 5] = ["hook-failed", "hook-not-now", "hook-not-started", "hook-timed-out", UNDECLARED];
