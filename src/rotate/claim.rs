//! One rotation of a secret in AWS among many hosts, none of which is in charge: each step is a compare-and-swap, so that
//! whoever dies leaves something that the next one goes on with.
//!
//! The new version's id follows from the secret, the version in force and a count of aborted attempts. Everybody who
//! rotates from the same state sends to the same id, where the first value wins; the others go on with that one.
//! `AWSPENDING` marks the version that is on its way; whoever is to put it in force takes the mark off first. An abort
//! takes the same mark off, after it has raised the count: so only one of the two goes on, and both can tell which.

use std::time::Duration;

use super::standing::{Standing, derived, standing};
use super::step::Step;
use crate::clock;
use crate::error::Result;
use crate::name::VersionId;
use crate::remote::{CURRENT, Content, Listed, PENDING, Remote};
pub use crate::sync::place::ATTEMPT_TAG;
use crate::sync::place::attempt;
use crate::sync::{hindrance, problem};

/// The waits before another look where others move labels at the same time. Somebody always gets further than we do.
const LOOKS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
];

/// In so much time whoever took the mark off has put the version in force, or died.
const SETTLED: Duration = Duration::from_secs(1);

/// A secret as it was when its rotation was decided, by a listing that may have been stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The full name.
    pub name: String,
    /// The full ARN, which a secret that was made anew does not share.
    pub arn: String,
    /// The id of the version in force.
    pub current: String,
    /// How many rotations were aborted, as [`ATTEMPT_TAG`] says.
    pub attempt: String,
}

/// Whose rotation it is.
#[derive(Debug)]
pub enum Claimed {
    /// Everybody's who claims it now. This value, which may be another host's, is the new one.
    Go {
        /// The id of the new version.
        id: String,
        /// Its value.
        content: Content,
    },
    /// It is done: the version is in force.
    Already {
        /// The id of the version.
        id: String,
    },
    /// Another version came into force, or it was aborted. If an owner got our value already, the one in force is due there.
    Superseded,
}

/// Who put the version in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promoted {
    /// We.
    Now,
    /// Another host with the same value.
    Already,
    /// We or another host, although somebody gave it up meanwhile: an owner that was told to refuse it is due to get it again.
    GivenUp,
}

impl Seen {
    /// What a listing or description tells of a secret that has the tags of `owner`.
    ///
    /// Fails for one that is not ours to rotate: AWS does, or an AWS service, a partner, or another region; or it has no
    /// value, or is to be deleted.
    pub fn of(listed: &Listed, owner: &str) -> Result<Self> {
        if let Some(problem) = problem::against_new_version(listed, hindrance::hindrance(listed, owner)) {
            return Err(problem);
        }
        let current = listed.current().unwrap_or_default().to_owned();
        let (name, arn) = (listed.name.clone(), listed.arn.clone());
        Ok(Self { name, arn, current, attempt: attempt(listed).to_owned() })
    }
}

/// The id of the version that the rotation makes.
pub fn id(seen: &Seen) -> VersionId {
    derived(&seen.arn, &seen.current, &seen.attempt)
}

/// Claims the rotation with `fresh`, unless somebody was first: then with theirs. To be done again before a value is set
/// at an owner in a later run.
///
/// Fails with `remote-pending` when `AWSPENDING` is on a version that is not ours, and as [`Seen::of`] does when the secret
/// is not `owner`'s any more.
pub fn claim(remote: &dyn Remote, seen: &Seen, owner: &str, fresh: Content) -> Result<Claimed> {
    let id = id(seen).to_string();
    let step = Step { remote, seen, id: &id };
    let fresh = step.offer(&fresh)?.then_some(fresh);
    for wait in LOOKS {
        std::thread::sleep(wait);
        step.mark()?;
        let there = step.look()?;
        match standing(seen, &id, &there) {
            Standing::Already => return step.unmark(&there).map(|()| Claimed::Already { id: id.clone() }),
            Standing::Superseded => return step.unmark(&there).map(|()| Claimed::Superseded),
            Standing::TakenBack => {
                step.unmark(&there)?;
                return Err(step.taken_back());
            }
            Standing::Marked => {
                step.refuse_hindered(&there, owner)?;
                return Ok(Claimed::Go { content: fresh.map_or_else(|| step.read(), Ok)?, id });
            }
            Standing::Left(version) => step.take_off(version).map(drop)?,
            Standing::Unmarked => {}
            // A host that slept for long and died left the mark on a version whose base has no label any more.
            Standing::Unknown(version) if step.is_ours(&there, version)? => step.take_off(version).map(drop)?,
            Standing::Unknown(version) => return Err(step.foreign(version)),
        }
    }
    Err(step.busy())
}

/// Puts the version in force, in place of the one that was seen and of no other.
///
/// Fails with `remote-conflict` when that is not in force any more, or the rotation was aborted.
pub fn promote(remote: &dyn Remote, seen: &Seen, id: &str) -> Result<Promoted> {
    let step = Step { remote, seen, id };
    let begun = clock::running();
    if !step.take_off(id)? {
        // Another host with the same value took it off to promote it, and may have died; or it was an abort.
        let there = step.look()?;
        match standing(seen, id, &there) {
            Standing::Already => return Ok(by_now(seen, &there, Promoted::Already)),
            Standing::Superseded => return Err(step.lost()),
            _ => {}
        }
    }
    let is_ours = step.swap(CURRENT, Some(&seen.current), Some(id))?;
    // An abort that found no mark waited for as long, and then saw that this is in force.
    if is_ours && clock::running().saturating_sub(begun) < SETTLED {
        return Ok(Promoted::Now);
    }
    let there = step.look()?;
    match standing(seen, id, &there) {
        Standing::Already => Ok(by_now(seen, &there, if is_ours { Promoted::Now } else { Promoted::Already })),
        _ if is_ours => Ok(Promoted::Now),
        _ => Err(step.lost()),
    }
}

/// What became of a version that is in force, `unless` somebody gave it up since it was claimed.
fn by_now(seen: &Seen, there: &Listed, unless: Promoted) -> Promoted {
    if attempt(there) == seen.attempt { unless } else { Promoted::GivenUp }
}

/// Ends the rotation before it is in force, for all hosts. Whoever set its value at an owner sets the one in force there
/// again, once this succeeded.
///
/// Fails with `rotation-promoted` when it is in force, and with `remote-conflict` when another version is.
pub fn abort(remote: &dyn Remote, seen: &Seen, id: &str) -> Result<()> {
    let step = Step { remote, seen, id };
    let there = step.look()?;
    step.refuse_ended(&there)?;
    // First: whoever comes now, or finds the mark taken off, finds that it was not to promote.
    if attempt(&there) == seen.attempt {
        step.raise()?;
    } else if there
        .labelled(PENDING)
        .is_some_and(|it| it == derived(&seen.arn, &seen.current, attempt(&there)).to_string())
    {
        // It was aborted before, and the next attempt has begun.
        return Err(step.lost());
    }
    if !step.take_off(id)? {
        std::thread::sleep(SETTLED);
    }
    step.refuse_ended(&step.look()?)
}
