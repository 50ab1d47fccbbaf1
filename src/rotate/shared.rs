//! What other hosts have too, by way of AWS: where it is, and what a run may begin there.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{self, Seen};
use super::machine::{Machine, Run};
use super::remote::{self, Found, Target};
use super::select;
use super::{Event, Refusal, What};
use crate::apply::Deed;
use crate::deliver::{Changing, Delivered, Outcome};
use crate::error::{Error, Result};
use crate::name::SecretName;
use crate::remote::Remote;
use crate::store::Store;
use crate::store::files::Opened;
use crate::store::rotations::{Claim, Step as Reached};
use crate::sync::place::Place;
use crate::world::World;

/// The remote side of an environment. Nothing is connected before it is asked for, and a run that has nothing to do there
/// asks for nothing.
pub trait Shared {
    /// Every remote secret that is declared.
    fn places(&self) -> &[Place<'_>];

    /// The prefix of all their names.
    fn prefix(&self) -> &str;

    /// The remote store, as somebody who may write there: of the account that is declared.
    fn remote(&self) -> Result<&dyn Remote>;

    /// Opens the store and takes what is in force there of these secrets and of what shares a bundle with them, as
    /// `sync pull` does; where both sides changed, with `prevails` theirs. Nothing is written.
    fn pull(&self, world: &World<'_>, names: &BTreeSet<SecretName>, prevails: bool) -> Result<Pulled>;
}

/// A store that has what is in force there.
#[derive(Debug)]
pub struct Pulled {
    /// The store, which is on disk as it was.
    pub opened: Opened,
    /// The secrets that have another value now.
    pub changed: Vec<SecretName>,
    /// Whether anything else has to be remembered.
    pub noted: bool,
    /// What stands against the rest.
    pub problems: Vec<Error>,
}

/// The secrets that rotate together, as one remote secret does.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) claim: Claim,
    pub(super) names: Vec<SecretName>,
}

impl Claim {
    /// What was seen when it was begun.
    pub(super) fn seen(&self) -> Seen {
        let Self { name, arn, current, attempt, .. } = self.clone();
        Seen { name, arn, current, attempt }
    }
}

impl From<&Seen> for Claim {
    fn from(seen: &Seen) -> Self {
        let id = claim::id(seen).to_string();
        let Seen { name, arn, current, attempt } = seen.clone();
        Self { name, arn, current, attempt, id }
    }
}

impl Run {
    /// Leaves secrets as they are, for a reason that is told.
    pub(super) fn leave<'n>(&mut self, names: impl IntoIterator<Item = &'n SecretName>, why: Error) {
        let paused: BTreeSet<SecretName> = names.into_iter().cloned().collect();
        self.put_aside(&paused);
        self.report.refused.push(Refusal { paused, ..why.into() });
    }

    /// Leaves secrets as they are.
    pub(super) fn put_aside<'n>(&mut self, names: impl IntoIterator<Item = &'n SecretName>) {
        for name in names {
            self.active.remove(name);
        }
    }
}

impl<'a> Machine<'a> {
    /// Looks at those of the secrets to be begun that other hosts have too. Answers with what can be begun, and with the
    /// remote secrets that it is in; what cannot is told.
    pub(super) fn look(
        &self,
        run: &mut Run,
        fresh: BTreeSet<SecretName>,
    ) -> Result<(BTreeSet<SecretName>, Vec<Target<'a>>)> {
        let (joint, mut fresh): (BTreeSet<_>, BTreeSet<_>) = fresh.into_iter().partition(|name| self.is_joint(name));
        let Some(shared) = self.shared.filter(|_| !joint.is_empty()) else {
            fresh.extend(joint);
            return Ok((fresh, Vec::new()));
        };
        let (world, opened) = self.open()?;
        let found = shared.remote().and_then(|remote| {
            let found = remote::find(remote, shared.places(), shared.prefix(), &joint, &opened.store)?;
            Ok((found, remote.clock()))
        });
        let (found, now) = match found {
            Ok((found, there)) => (found, there.unwrap_or(world.now)),
            Err(error) => {
                run.leave(&joint, error);
                return Ok((fresh, Vec::new()));
            }
        };
        let Found { mut targets, absent, changed, problems } = found;
        for (place, problem) in problems {
            run.leave(joint.iter().filter(|name| place.holds(name)), problem);
        }
        let of = |place: &Place<'_>| -> BTreeSet<SecretName> {
            joint.iter().filter(|name| place.holds(name)).cloned().collect()
        };
        // Hosts whose clocks differ agree about the time there.
        targets.retain(|target| {
            let mut names: Vec<SecretName> = of(target.place).into_iter().collect();
            names.retain(|name| match self.unsent_key(&opened.store, target.place, name) {
                None => self.is_time(run, &opened.store, name, now),
                Some(why) => {
                    run.leave([name], why);
                    false
                }
            });
            let is_due = !names.is_empty();
            fresh.extend(names);
            is_due
        });
        fresh.extend(absent.into_iter().flat_map(of));
        drop(opened);
        if run.waits {
            let names: BTreeSet<SecretName> = changed.iter().flat_map(|(place, _)| of(place)).collect();
            self.take_what_is_there(run, shared, &names)?;
        } else {
            run.report.refused.extend(changed.into_iter().map(|(_, words)| Refusal::from(words)));
        }
        Ok((fresh, targets))
    }

    /// Another host rotated these, or somebody changed them: what is due is what they left.
    fn take_what_is_there(&self, run: &mut Run, shared: &dyn Shared, names: &BTreeSet<SecretName>) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let (world, opened) = self.open()?;
        drop(opened);
        match shared.pull(&world, names, false) {
            Ok(pulled) => self.settle_pulled(run, &world, pulled, &[]),
            Err(error) => {
                run.leave(names, error);
                Ok(())
            }
        }
    }

    /// Writes down what was pulled, with what else was done in the same change, and brings the outputs up to date.
    pub(super) fn settle_pulled(
        &self,
        run: &mut Run,
        world: &World<'_>,
        mut pulled: Pulled,
        deeds: &[Deed<'_>],
    ) -> Result<()> {
        run.report.refused.extend(pulled.problems.drain(..).map(Refusal::from));
        let store = &mut pulled.opened.store;
        let lists = world.refresh_lists(store)?;
        let has_news = !pulled.changed.is_empty() || pulled.noted || !deeds.is_empty() || !lists.is_empty();
        store.updated = store.updated.max(if has_news { world.now } else { store.updated });
        let taken = Deed::of("rotate-pull", &pulled.changed);
        let deeds: Vec<Deed<'_>> = deeds.iter().copied().chain(has_news.then_some(taken)).collect();
        let mut owe = |store: &mut Store, changing: &Changing| self.owe_reloads(store, changing);
        let delivered = world.settle_deeds(&mut pulled.opened, &deeds, has_news, Some(&mut owe))?;
        run.deliver(Delivered { lists, ..delivered });
        let taken = |secret: &SecretName| {
            let store = &pulled.opened.store;
            let what = match store.next(secret) {
                Some(next) => What::Learned { version: next.id },
                None => What::Taken { version: store.current(secret)?.id },
            };
            Some(Event { secret: secret.clone(), what })
        };
        run.report.events.extend(pulled.changed.iter().filter_map(taken));
        Ok(())
    }

    /// Whether all hosts have to come to one value of a secret.
    pub(super) fn is_joint(&self, name: &SecretName) -> bool {
        let World { manifest, environment, .. } = self.world;
        self.shared.is_some() && manifest.secret(name).is_some_and(|it| select::is_shared(manifest, environment, it))
    }

    /// The rotations in AWS of what has come to one of these steps.
    pub(super) fn groups(&self, run: &Run, steps: &[Reached]) -> Result<Vec<Group>> {
        if self.shared.is_none() || run.active.is_empty() {
            return Ok(Vec::new());
        }
        let (_, opened) = self.open()?;
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        for (name, operation) in &opened.store.rotations.running {
            let Some(claim) = operation.remote.as_ref().filter(|_| steps.contains(&operation.step)) else { continue };
            if run.active.contains(name) {
                let group = groups.entry(&claim.id);
                let group = group.or_insert_with(|| Group { claim: claim.clone(), names: Vec::new() });
                group.names.push(name.clone());
            }
        }
        Ok(groups.into_values().collect())
    }
}

impl Run {
    /// Adds what was delivered to what was before.
    pub(super) fn deliver(&mut self, mut now: Delivered) {
        let before = std::mem::take(&mut self.report.delivered);
        for file in before.files.into_iter().filter(|it| it.outcome != Outcome::Unchanged) {
            match now.files.iter_mut().find(|it| it.path == file.path) {
                Some(same) if same.outcome == Outcome::Unchanged => *same = file,
                Some(_) => {}
                None => now.files.push(file),
            }
        }
        now.lists.extend(before.lists);
        now.warnings.splice(0..0, before.warnings);
        self.report.delivered = now;
    }
}
