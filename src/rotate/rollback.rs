//! Back to an earlier value: as a new version, by the same steps. History is never rewritten.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Report;
use super::machine::{Machine, Run, expect_deliverable};
use super::programs::{self, Step};
use crate::apply::Deed;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::manifest::Kind;
use crate::name::{SecretName, VersionId};
use crate::plan::{self, Observed, Plan, Scope};
use crate::secret::Secret;
use crate::secret::parts::Parts;
use crate::secret::random;
use crate::store::rotations::{Claim, Operation, Step as Reached, Trouble};
use crate::store::{Life, Stage, Store, Version};
use crate::world::World;

/// Which earlier value is put in force again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// Its version.
    pub version: VersionId,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When its owner was made to accept it no more, if it was.
    pub retired: Option<DateTime<Utc>>,
}

/// The value that a rollback goes to: the named version, or the one before the current one.
///
/// Fails with `no-earlier-value` where there is none whose value is kept, and with `rotation-in-flight`.
pub fn earlier(world: &World<'_>, store: &Store, name: &SecretName, to: Option<VersionId>) -> Result<Earlier> {
    world.refuse_in_flight(store, std::slice::from_ref(name))?;
    let declaration = world.declaration(name)?;
    if store.next(name).is_some() {
        let message =
            format!("`{name}` is a {}, whose next one is published and does not sign yet", declaration.kind.name());
        return Err(Error::usage(message).hint(format!("take that back with `vault-kit rotate abort {name}`")));
    }
    if !declaration.kind.is_single() {
        let message = format!("`{name}` is a {}, which is made anew rather than taken back", declaration.kind.name());
        let words = if declaration.is_generated() { format!("rotate {name}") } else { declaration.supply_words() };
        return Err(Error::usage(message).hint(format!("a new one comes by `vault-kit {words}`")));
    }
    if matches!(declaration.kind, Kind::EncryptionKey(_)) && !programs::has(world.manifest, declaration, Step::Set) {
        let message =
            format!("`{name}` is not taken back: what was encrypted since could not be read with the old value");
        return Err(Error::new(ErrorKind::Usage, "encryption-key", message)
            .hint("nothing was changed; declare a hook for it whose `set` encrypts the data anew"));
    }
    let has_value = |it: &&Version| it.stage == Stage::Previous && declaration.kind.accepts(&it.kind);
    let versions = || store.versions(name).rev().filter(has_value).filter(|it| it.parts.primary().is_some());
    let found = versions().find(|it| to.is_none_or(|to| it.id == to));
    let found = found.ok_or_else(|| nothing(name, to, &versions().collect::<Vec<_>>()))?;
    found.parts.primary().map_or(Ok(()), |value| store.refuse_banned(name, value))?;
    Ok(Earlier { version: found.id, created: found.created, retired: found.life.retired })
}

/// How many versions an error names.
const NAMED: usize = 5;

fn nothing(name: &SecretName, to: Option<VersionId>, versions: &[&Version]) -> Error {
    let message = match to {
        Some(to) => format!("of `{name}` there is no earlier value `{to}`"),
        None => format!("of `{name}` there is no earlier value"),
    };
    let error = Error::new(ErrorKind::Usage, "no-earlier-value", message)
        .hint("nothing was changed; `keep` in the manifest says how many are kept");
    let kept =
        versions.iter().take(NAMED).map(|it| format!("`{}` of {}", it.id, it.created.format("%Y-%m-%d %H:%M UTC")));
    let kept = kept.collect::<Vec<_>>().join(", ");
    if kept.is_empty() {
        return error;
    }
    error.hint(format!("kept are {kept}; all: `vault-kit rotate rollback {name} --list`"))
}

impl Machine<'_> {
    /// Refuses to go back where its programs could not be started or its files not be written, before an owner is told.
    pub fn expect_rollback(
        &self,
        world: &World<'_>,
        store: &Store,
        name: &SecretName,
        is_rehearsal: bool,
    ) -> Result<()> {
        let names = BTreeSet::from([name.clone()]);
        self.expect_programs(&names)?;
        expect_deliverable(world, store, &plan::dependents(world.manifest, &names), is_rehearsal)
    }

    /// Puts an earlier value in force again, through `set` and `test` like a new one.
    pub fn rollback(&self, name: &SecretName, earlier: &Earlier) -> Result<Report> {
        let names = BTreeSet::from([name.clone()]);
        let mut run = Run { settles: true, ..Run::default() };
        let (world, opened) = self.open()?;
        self.expect_rollback(&world, &opened.store, name, false)?;
        let owed = opened.store.rotations.running.get(name).is_some_and(|it| it.base != earlier.version);
        drop(opened);
        if owed {
            run.active.clone_from(&names);
            self.retire(&mut run, true)?;
            if !run.report.problems.is_empty() {
                return Ok(run.report);
            }
        }
        let (fresh, targets) = self.look(&mut run, names.clone())?;
        if fresh.is_empty() {
            return Ok(run.report);
        }
        let steps = [Step::Set, Step::Test, Step::Retire];
        if targets.is_empty() && steps.iter().all(|step| self.programs.hooks(name, *step).is_empty()) {
            run.back = Some((name.clone(), *earlier));
            return self.carry_on(run, targets);
        }
        let (world, mut opened) = self.open()?;
        let base = opened.store.current(name).map(|it| it.id);
        let base = base.ok_or_else(|| Error::bug(format!("`{name}` has no value to go back from")))?;
        let version = again(&opened.store, name, earlier, world.now)?;
        let remote = targets.first().map(|target| Claim::from(&target.seen));
        let step = if remote.is_some() { Reached::Staged } else { self.after_stage(name) };
        let (candidate, started, trouble) = (Some(version.id), world.now, Trouble::default());
        let operation =
            Operation { base, candidate, recipe: None, step, started, trouble, retire_at: None, remote, turn: None };
        opened.store.stage(name, version);
        // An operation that would have retired the very value that comes back ends here.
        opened.store.begin(name, operation);
        world.record_deeds(&mut opened, &[Deed::of("rotate-rollback", std::slice::from_ref(name))])?;
        drop(opened);
        run.active = names;
        let report = self.carry_on(run, targets)?;
        self.expect_earlier(name, earlier, report)
    }

    /// Where another host had begun to rotate it, all hosts came to that host's value.
    fn expect_earlier(&self, name: &SecretName, earlier: &Earlier, mut report: Report) -> Result<Report> {
        let (_, opened) = self.open()?;
        let value = |version: Option<&Version>| version.and_then(|it| it.parts.primary()).map(Secret::duplicate);
        let (now, wanted) = (opened.store.current(name), opened.store.version(name, earlier.version));
        if opened.store.rotations.open(name).is_none() && report.refused.is_empty() && value(now) != value(wanted) {
            let message =
                format!("another host had begun to rotate `{name}`: its new value is in force, not the earlier one");
            let error = Error::new(ErrorKind::Conflict, "rotation-superseded", message);
            let again = format!("`vault-kit rotate rollback {name} --to {}` goes back from there", earlier.version);
            report.refused.push(error.hint(again).into());
        }
        Ok(report)
    }
}

/// Puts an earlier value in force, in memory.
pub(super) fn put_back(store: &mut Store, name: &SecretName, earlier: &Earlier, now: DateTime<Utc>) -> Result<()> {
    let version = again(store, name, earlier, now)?;
    store.stage(name, version);
    store.rotations.running.remove(name);
    store.promote_candidate(name, now);
    Ok(())
}

/// Puts an earlier value in force in memory, for a rehearsal; tells what is made anew with it.
pub fn foresee(world: &World<'_>, store: &mut Store, name: &SecretName, earlier: &Earlier) -> Result<Plan> {
    put_back(store, name, earlier, world.now)?;
    let observed = Observed { changed: BTreeSet::from([name.clone()]), ..world.observe(store) };
    Ok(plan::plan(world.manifest, world.environment, &observed, &Scope::Replace(BTreeSet::new())))
}

/// An earlier value as a version of today.
fn again(store: &Store, name: &SecretName, earlier: &Earlier, now: DateTime<Utc>) -> Result<Version> {
    let old = store.version(name, earlier.version);
    let old = old.ok_or_else(|| Error::bug(format!("the earlier value of `{name}` is gone")))?;
    let parts = old.parts.iter().fold(Parts::default(), |parts, (part, piece)| parts.with(part, piece.duplicate()));
    Ok(Version {
        id: random::version_id()?,
        kind: old.kind.clone(),
        stage: Stage::Candidate,
        origin: old.origin,
        created: now,
        expires: old.expires,
        life: Life::default(),
        bits: old.bits,
        recipe: old.recipe.clone(),
        inputs: old.inputs.clone(),
        facts: old.facts.clone(),
        fingerprint: None,
        public: None,
        parts,
    })
}
