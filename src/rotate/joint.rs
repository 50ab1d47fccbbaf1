//! The steps that all hosts of a remote secret take together: one value for all is claimed before an owner learns of it, and
//! it comes into force there before it does here.

use std::collections::{BTreeMap, BTreeSet};

use super::What;
use super::abort;
use super::claim;
use super::machine::{Machine, Run};
use super::remote::{self, Intake, Taking, Target};
use super::shared::{Group, Shared};
use super::{turn, untaken};
use crate::apply::Deed;
use crate::error::{self, Error, Result};
use crate::gather::Gather;
use crate::manifest::{Declaration, Kind};
use crate::name::SecretName;
use crate::remote::Remote;
use crate::secret::Secret;
use crate::store::Store;
use crate::store::rotations::{Claim, Operation, Step as Reached, Trouble, Turn};
use crate::sync::place::{Place, owner};
use crate::sync::pull::Taken;
use crate::world::World;

/// The values of a group that all hosts agree on.
struct Agreed {
    group: Group,
    intake: Intake,
    /// Whether they are in force there, and their owners accept them.
    is_done: bool,
}

impl Agreed {
    fn of(Group { names, .. }: Group, intake: Intake, is_done: bool) -> Self {
        Self { group: Group { claim: Claim::from(&intake.seen), names }, intake, is_done }
    }
}

impl Machine<'_> {
    /// Claims what was staged now or in an earlier run, and what an earlier run may have told an owner of: somebody may have
    /// ended it since. From here on only the values that come back are used, which may be another host's.
    pub(super) fn claim(&self, run: &mut Run, mut targets: Vec<Target<'_>>) -> Result<()> {
        let groups = self.groups(run, &[Reached::Staged, Reached::Setting, Reached::Set])?;
        let Some(shared) = self.shared.filter(|_| !groups.is_empty()) else { return Ok(()) };
        let (mut agreed, mut lost, mut undone) = (Vec::new(), Vec::new(), Vec::new());
        let (_, opened) = self.open()?;
        let mut groups = groups.into_iter();
        while let Some(group) = groups.next() {
            let fresh = found(&mut targets, &group, &opened.store);
            let is_remembered = fresh.as_ref().is_some_and(|it| it.is_remembered);
            match shared.remote().and_then(|remote| take((shared, remote), fresh, &group, &opened.store)) {
                Ok(Taking::Go(intake)) => agreed.push(Agreed::of(group, intake, false)),
                Ok(Taking::Already(intake)) => agreed.push(Agreed::of(group, intake, true)),
                Ok(Taking::Superseded) => lost.push(group),
                Err(error) => {
                    // Whoever is away for one is away for all: each would be waited for as long.
                    let is_away = error.kind() == error::Kind::Remote;
                    let is_ours = error.kind() != error::Kind::Conflict;
                    let rest: Vec<Group> = groups.by_ref().filter(|_| is_away).collect();
                    run.leave(group.names.iter().chain(rest.iter().flat_map(|it| &it.names)), error);
                    undone.extend(Some(group).filter(|_| is_remembered && !is_ours));
                }
            }
        }
        drop((opened, targets));
        self.undo(&undone)?;
        self.accept(run, agreed)?;
        self.give_way(run, &lost)
    }

    /// What was begun and turned out not to be ours to rotate, or not to be taken, is as if it had not been: no owner knows of it.
    /// The next run lists it, and is told.
    fn undo(&self, begun: &[Group]) -> Result<()> {
        if begun.is_empty() {
            return Ok(());
        }
        let (world, mut opened) = self.open()?;
        let names: Vec<SecretName> = begun.iter().flat_map(|group| group.names.iter().cloned()).collect();
        for name in &names {
            abort::drop_candidate(&mut opened.store, name, world.now, false)?;
            self.go_on_retiring(&world, &mut opened.store, name)?;
        }
        for group in begun {
            opened.store.synced.bases.entry(group.claim.name.clone()).and_modify(|base| base.attempt = None);
        }
        opened.store.updated = opened.store.updated.max(world.now);
        world.record_deeds(&mut opened, &[Deed::of("rotate-superseded", &names)])
    }

    /// Makes the values that all hosts agree on the candidates, in one change.
    fn accept(&self, run: &mut Run, agreed: Vec<Agreed>) -> Result<()> {
        if agreed.is_empty() {
            return Ok(());
        }
        let (world, mut opened) = self.open()?;
        let (mut claimed, mut undone) = (Vec::new(), Vec::new());
        for Agreed { group, intake, is_done } in agreed {
            let unknown = || intake.values.iter().find_map(|it| turn_of(&world, &opened.store, &group, it).err());
            if let Some(error) = untaken::banned(&opened.store, &intake).or_else(unknown) {
                run.leave(&group.names, error);
                continue;
            }
            if let Some(error) = untaken::unfit(&world, &opened.store, &intake) {
                run.leave(&group.names, error);
                undone.extend(Some(group).filter(|group| !is_known(&opened.store, group)));
                continue;
            }
            let names = self.accept_one((&world, &mut opened.store), &group, intake, is_done)?;
            for name in group.names.iter().filter(|name| !names.contains(*name)) {
                // It was claimed without this one, by another host or since the manifest has it elsewhere: it stays due.
                self.leave_out(&mut opened.store, name, world.now)?;
                run.active.remove(name);
            }
            let version = group.claim.id.clone();
            run.tell(&names, &What::Claimed { remote: group.claim.name, version });
            run.active.extend(names.iter().cloned());
            claimed.extend(names);
        }
        opened.store.updated = opened.store.updated.max(world.now);
        world.record_deeds(&mut opened, &[Deed::of("rotate-claim", &claimed)])?;
        drop(opened);
        self.undo(&undone)
    }

    fn accept_one(
        &self,
        (world, store): (&World<'_>, &mut Store),
        group: &Group,
        intake: Intake,
        is_done: bool,
    ) -> Result<Vec<SecretName>> {
        let mut names = Vec::new();
        for mut value in intake.values {
            let name = value.secret.clone();
            // A key that has no value here yet comes with the next pull.
            let Some(base) = store.current(&name).map(|it| it.id) else { continue };
            let declaration = world.declaration(&name)?;
            let turn = turn_of(world, store, group, &value)?;
            value.parts = value.next.take().unwrap_or(value.parts);
            let candidate = match turn {
                None | Some(Turn::Publish) => Some(world.stage_taken(store, declaration, value)?),
                // What becomes current is here already.
                Some(Turn::Activate | Turn::Withdraw) => None,
            };
            // Another host encrypted its data anew, and ours is to be.
            let is_done = is_done && !matches!(declaration.kind, Kind::EncryptionKey(_));
            let before = store.rotations.running.get(&name).cloned();
            // Of a key that another host found due, or whose last rotation only waits for its overlap to end.
            let mut operation = before.filter(|it| it.remote.as_ref() == Some(&group.claim)).unwrap_or(Operation {
                base,
                candidate: None,
                recipe: None,
                step: Reached::Staged,
                started: world.now,
                trouble: Trouble::default(),
                retire_at: None,
                remote: Some(group.claim.clone()),
                turn,
            });
            (operation.candidate, operation.turn) = (candidate, turn);
            match operation.step {
                _ if is_done || candidate.is_none() => {
                    if let Some(id) = candidate {
                        store.note_known(&name, id, world.now);
                    }
                    operation.advance(Reached::Tested);
                }
                Reached::Staged => operation.advance(self.after_stage(&name)),
                // Meanwhile somebody else may have given its owner another value.
                _ => operation.step = self.after_stage(&name),
            }
            store.begin(&name, operation);
            names.push(name);
        }
        Ok(names)
    }

    /// Puts in force there what passed its tests here. Answers with what can be put in force here: that, and what no other
    /// host has.
    pub(super) fn promote_there(&self, run: &mut Run) -> Result<(Vec<SecretName>, Vec<Group>)> {
        let mut ready = self.at(run, Reached::Tested)?;
        let mut groups = self.groups(run, &[Reached::Tested])?;
        let Some(shared) = self.shared.filter(|_| !groups.is_empty()) else { return Ok((ready, Vec::new())) };
        let is_joint = |name: &SecretName| groups.iter().any(|group| group.names.contains(name));
        ready.retain(|name| !is_joint(name));
        let (mut done, mut doubtful, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        self.keep_complete(&mut groups)?;
        for group in groups {
            let promoted = shared.remote().and_then(|it| claim::promote(it, &group.claim.seen(), &group.claim.id));
            match promoted {
                Ok(claim::Promoted::GivenUp) => doubtful.push(group),
                Ok(_) => done.push(group),
                Err(error) if error.code() == "remote-conflict" => lost.push(group),
                Err(error) => run.leave(&group.names, error),
            }
        }
        if !lost.is_empty() {
            self.give_way(run, &lost)?;
            self.finish_aborts(run)?;
        }
        done.extend(self.tell_again(run, doubtful)?);
        ready.extend(done.iter().flat_map(|group| group.names.iter().cloned()));
        Ok((ready, done))
    }

    /// The keys of a bundle come into force together, or not at all.
    fn keep_complete(&self, groups: &mut Vec<Group>) -> Result<()> {
        let (_, opened) = self.open()?;
        let running = opened.store.rotations.running.values();
        let open = running.filter(|it| it.step != Reached::Tested).filter_map(|it| it.remote.as_ref());
        let open: BTreeSet<&str> = open.map(|claim| claim.id.as_str()).collect();
        groups.retain(|group| !open.contains(group.claim.id.as_str()));
        Ok(())
    }

    /// Notes what both sides agree on now.
    pub(super) fn agree(&self, store: &mut Store, groups: &[Group]) {
        let places = self.shared.map(|shared| shared.places()).unwrap_or_default();
        for Group { claim, names } in groups {
            let Some(place) = places.iter().find(|it| it.name == claim.name) else { continue };
            let rotated: BTreeSet<SecretName> = names.iter().cloned().collect();
            remote::agree(store, place, claim.seen(), &claim.id, &rotated);
        }
    }

    /// Those of the secrets that are to be in AWS too, where they are not as they are here now.
    pub(super) fn unsent(&self, changed: &[SecretName], groups: &[Group]) -> BTreeSet<SecretName> {
        let World { manifest, environment, .. } = self.world;
        let is_sent = |name: &SecretName| groups.iter().any(|group| group.names.contains(name));
        let is_there = |name: &SecretName| manifest.secret(name).is_some_and(|it| it.remote.is_some());
        let unsent = changed.iter().filter(|name| manifest.aws(environment).is_some() && is_there(name));
        unsent.filter(|name| !is_sent(name)).cloned().collect()
    }
}

/// What this run found of a group.
fn found<'t>(targets: &mut Vec<Target<'t>>, group: &Group, store: &Store) -> Option<Target<'t>> {
    let at = targets.iter().position(|it| it.seen.arn == group.claim.arn)?;
    let target = targets.swap_remove(at);
    // What an owner may know already is not given up for what nobody looked at.
    Some(Target { is_remembered: target.is_remembered && !is_known(store, group), ..target })
}

/// Whether an owner may know what was staged here.
fn is_known(store: &Store, group: &Group) -> bool {
    let is_known = |name: &SecretName| store.rotations.open(name).is_some_and(|it| it.step > Reached::Staged);
    group.names.iter().any(is_known)
}

/// Claims the rotation of a group with the candidates of its secrets.
fn take(
    (shared, remote): (&dyn Shared, &dyn Remote),
    fresh: Option<Target<'_>>,
    group: &Group,
    store: &Store,
) -> Result<Taking> {
    let place = shared.places().iter().find(|it| it.name == group.claim.name);
    let place = place.ok_or_else(|| homeless(group))?;
    let target = match fresh.map_or_else(|| remote::resumed(remote, place, group.claim.seen()), Ok) {
        Ok(target) => target,
        // AWS forgets versions, but none that is in force.
        Err(error) if error.code() == "remote-missing" => return Ok(Taking::Superseded),
        Err(error) => return Err(error),
    };
    let values = candidates(place, group, store);
    let owner = owner(&store.project, &store.environment);
    remote::take(remote, &target, &owner, &values.iter().map(|(key, value)| (*key, value)).gather())
}

/// The candidates of a group, by key, as they are sent.
fn candidates<'p>(place: &Place<'p>, group: &Group, store: &Store) -> BTreeMap<&'p str, Secret> {
    let candidate = |declaration: &Declaration| {
        let name = &declaration.name;
        turn::sent(store, declaration, store.rotations.running.get(name)?)
    };
    let fields = place.fields().into_iter().filter(|(_, it)| group.names.contains(&it.name));
    fields.filter_map(|(key, declaration)| Some((key, candidate(declaration)?))).gather()
}

fn homeless(Group { claim, names }: &Group) -> Error {
    let name = names.first().map_or("", |name| name.as_str());
    let message = format!("`{name}` rotates in AWS as `{}`, where the manifest has it no more", claim.name);
    Error::new(error::Kind::Conflict, "rotation-in-flight", message)
        .hint("put its `aws` or `bundle` back until the rotation is over")
        .hint(format!("or give it up with `vault-kit rotate abort {name}`"))
}

/// Which turn of a key that all hosts publish a claimed value is.
fn turn_of(world: &World<'_>, store: &Store, group: &Group, taken: &Taken) -> Result<Option<Turn>> {
    turn::of(store, world.declaration(&taken.secret)?, taken, &group.claim.name)
}
