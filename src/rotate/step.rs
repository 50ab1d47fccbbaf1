//! The requests of a rotation, one each, and the words for what stands against it.

use std::collections::BTreeMap;

use super::claim::Seen;
use super::standing::follows;
use crate::error::{Error, Kind, Result};
use crate::remote::{Answer, Cause, Content, Failure, Listed, PENDING, Relabelling, Remote, Sending, Tagging};
use crate::sync::place::ATTEMPT_TAG;
use crate::sync::{hindrance, problem};

/// What the steps have in common.
pub(super) struct Step<'s> {
    pub remote: &'s dyn Remote,
    pub seen: &'s Seen,
    pub id: &'s str,
}

impl Step<'_> {
    /// Sends our value, unless there is one. Answers whether ours is the one that is there.
    pub(super) fn offer(&self, content: &Content) -> Result<bool> {
        let sending = Sending { arn: &self.seen.arn, token: self.id, content };
        match only(self.remote.send(&[sending])) {
            // A version never changes: AWS takes the same token again with the same value only.
            Ok(()) => Ok(true),
            Err(failure) if failure.cause == Cause::Conflict => Ok(false),
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    /// Marks the version, unless another one is marked.
    pub(super) fn mark(&self) -> Result<()> {
        self.swap(PENDING, None, Some(self.id)).map(drop)
    }

    /// Takes the mark off, where our version has it.
    pub(super) fn unmark(&self, there: &Listed) -> Result<()> {
        if there.labelled(PENDING) == Some(self.id) {
            self.take_off(self.id)?;
        }
        Ok(())
    }

    /// Takes the mark off a version. Answers whether it was there.
    pub(super) fn take_off(&self, version: &str) -> Result<bool> {
        self.swap(PENDING, Some(version), None)
    }

    /// Moves a label, and answers whether it could be moved.
    pub(super) fn swap(&self, label: &str, from: Option<&str>, to: Option<&str>) -> Result<bool> {
        let relabelling = Relabelling { arn: &self.seen.arn, label, from, to };
        match only(self.remote.try_relabel(&[relabelling])) {
            Ok(()) => Ok(true),
            Err(failure) if failure.cause == Cause::Conflict => Ok(false),
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    /// The authoritative look.
    pub(super) fn look(&self) -> Result<Listed> {
        only(self.remote.describe(&[&self.seen.arn])).map_err(|failure| self.failed(&failure))
    }

    pub(super) fn read(&self) -> Result<Content> {
        let reading = only(self.remote.read_versions(&[(&self.seen.arn, self.id)]));
        reading.map(|it| it.content).map_err(|failure| self.failed(&failure))
    }

    /// Whether a version follows from any that there is. Whoever may not ask takes it for somebody else's.
    pub(super) fn is_ours(&self, there: &Listed, version: &str) -> Result<bool> {
        match only(self.remote.versions(&[&self.seen.arn])) {
            Ok(bases) => Ok(follows(there, version, bases.iter().map(String::as_str))),
            Err(failure) if failure.cause == Cause::Denied => Ok(false),
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    pub(super) fn raise(&self) -> Result<()> {
        let tags = BTreeMap::from([(ATTEMPT_TAG.to_owned(), next(&self.seen.attempt).to_string())]);
        only(self.remote.tag(&[Tagging { arn: &self.seen.arn, tags: &tags }])).map_err(|failure| self.failed(&failure))
    }

    /// What AWS or another project does to a secret since it was seen. Our mark would keep AWS from rotating it.
    pub(super) fn refuse_hindered(&self, there: &Listed, owner: &str) -> Result<()> {
        let hindrance = hindrance::hindrance(there, owner);
        let Some(problem) = problem::against_new_version(there, hindrance) else { return Ok(()) };
        self.unmark(there)?;
        Err(problem)
    }

    pub(super) fn refuse_ended(&self, there: &Listed) -> Result<()> {
        let name = &self.seen.name;
        match there.current() {
            Some(current) if current == self.id => {
                let message = format!("the rotation of `{name}` is in force already: version {current}");
                Err(Error::new(Kind::Conflict, "rotation-promoted", message)
                    .hint("go back to an earlier value with `vault-kit rotate rollback`"))
            }
            Some(current) if current == self.seen.current => Ok(()),
            _ => Err(self.lost()),
        }
    }

    pub(super) fn failed(&self, failure: &Failure) -> Error {
        failure.about(&format!("`{}`", self.seen.name))
    }

    pub(super) fn foreign(&self, version: &str) -> Error {
        let Seen { name, .. } = self.seen;
        let message = format!("somebody else rotates `{name}`: version {version} has AWSPENDING, and is not ours");
        Error::new(Kind::Conflict, "remote-pending", message).hint("wait until they are done").hint(format!(
            "or, if they never will be: `aws secretsmanager update-secret-version-stage --secret-id {name} \
                 --version-stage AWSPENDING --remove-from-version-id {version}`"
        ))
    }

    pub(super) fn taken_back(&self) -> Error {
        let Self { seen: Seen { name, attempt, .. }, id, .. } = self;
        let message = format!("version {id} of `{name}` was in force, and somebody went back to the one before it");
        let next = next(attempt);
        Error::new(Kind::Conflict, "remote-conflict", message).hint(format!(
            "to rotate to another value: `aws secretsmanager tag-resource --secret-id {name} --tags \
             Key={ATTEMPT_TAG},Value={next}`"
        ))
    }

    pub(super) fn lost(&self) -> Error {
        let Seen { name, current, .. } = self.seen;
        let message =
            format!("the rotation of `{name}` from version {current} was aborted, or that is not in force any more");
        Error::new(Kind::Conflict, "remote-conflict", message)
            .hint(format!("see what is with `vault-kit sync diff {name}`"))
    }

    pub(super) fn busy(&self) -> Error {
        let name = &self.seen.name;
        let message = format!("others move the labels of `{name}` in AWS all the time");
        Error::new(Kind::Conflict, "remote-conflict", message).hint("try again later")
    }
}

/// The count after one more aborted attempt.
fn next(attempt: &str) -> u64 {
    attempt.parse::<u64>().unwrap_or_default().saturating_add(1)
}

/// The answer about the one subject that was asked about.
pub(super) fn only<T>(mut answers: Vec<Answer<T>>) -> Answer<T> {
    answers.pop().unwrap_or(Err(Failure { cause: Cause::Garbled, operation: "none", code: None, request: None }))
}
