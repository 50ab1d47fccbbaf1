//! Telling an owner the value that is in force already: the first one, one that came by hand, or after its data were restored.

use std::collections::BTreeSet;

use super::machine::{Machine, Run, is_leaked};
use super::order::waves;
use super::programs::{Programs, Step};
use super::{Problem, Refusal, Report, What};
use crate::apply::Deed;
use crate::error::{Error, Result};
use crate::name::SecretName;
use crate::store::Store;

impl Machine<'_> {
    /// Has the hooks of these secrets set and test their current values. No value changes.
    ///
    /// Fails with `rotation-in-flight`, and with `usage` for what has no value or no hook with `set`.
    pub fn tell(&self, names: &BTreeSet<SecretName>) -> Result<Report> {
        let (world, opened) = self.open()?;
        world.refuse_in_flight(&opened.store, &names.iter().cloned().collect::<Vec<_>>())?;
        expect_told(&opened.store, self.programs, names)?;
        self.expect_programs(names)?;
        drop(opened);
        let mut run = Run::default();
        let (mut told, mut retired, mut untold) = (Vec::new(), Vec::new(), Vec::new());
        for wave in waves(names.iter().cloned().collect(), |name| self.programs.given(name)) {
            let (set, mut failed) = self.call_for(&wave, Step::Set)?;
            let (tested, more) = self.call_for(&set, Step::Test)?;
            failed.extend(more);
            // Nobody else would have a leaked value refused: no rotation replaced it.
            let (leaked, done) = self.behind_a_leak(tested)?;
            let (refused, more) = self.call_for(&leaked, Step::Retire)?;
            failed.extend(more);
            told.extend(done.into_iter().chain(refused.iter().cloned()));
            retired.extend(refused);
            untold.extend(failed.iter().map(|(name, _)| name.clone()));
            run.report.refused.extend(failed.into_iter().map(|(name, problem)| refusal(&name, problem)));
        }
        let (world, mut opened) = self.open()?;
        opened.store.updated = opened.store.updated.max(world.now);
        for name in &retired {
            if let Some(id) = opened.store.before(name).map(|version| version.id) {
                opened.store.note_retired(name, id, world.now);
            }
        }
        untold.retain(|name| opened.store.owe_owner(name));
        opened.store.rotations.untold.retain(|name, _| !told.contains(name));
        let deeds = [("rotate-tell", &told), ("rotate-retired", &retired), ("rotate-failed", &untold)];
        let deeds = deeds.into_iter().filter(|(_, names)| !names.is_empty());
        let deeds: Vec<Deed<'_>> = deeds.map(|(action, names)| Deed::of(action, names)).collect();
        if !deeds.is_empty() {
            world.record_deeds(&mut opened, &deeds)?;
        }
        run.tell(&told, &What::Told);
        Ok(run.report)
    }

    /// Those whose value of before leaked and may still be accepted, and the others.
    fn behind_a_leak(&self, names: Vec<SecretName>) -> Result<(Vec<SecretName>, Vec<SecretName>)> {
        let (_, opened) = self.open()?;
        let store = &opened.store;
        let is_behind = |name: &SecretName| {
            let before = store.before(name).filter(|it| it.life.retired.is_none());
            before.is_some_and(|it| is_leaked(store, name, it))
        };
        Ok(names.into_iter().partition(is_behind))
    }
}

/// Refuses what has no value that its owner could be told, or nobody who tells it.
pub fn expect_told(store: &Store, programs: &dyn Programs, names: &BTreeSet<SecretName>) -> Result<()> {
    let refuse = |name: &SecretName| match store.current(name) {
        None => Some(
            Error::usage(format!("`{name}` has no value yet"))
                .hint(format!("make one with `vault-kit generate {name}`")),
        ),
        Some(_) if programs.hooks(name, Step::Set).is_empty() => Some(
            Error::usage(format!("no hook of `{name}` has the step `set`, which tells its owner a value"))
                .hint("name one in its `hooks`; the README tells how, under \"Rotation hooks\""),
        ),
        Some(_) => None,
    };
    Error::all(names.iter().filter_map(refuse)).map_or(Ok(()), Err)
}

fn refusal(name: &SecretName, problem: Problem) -> Refusal {
    let state = "its owner may not know the current value";
    let error =
        problem.of_secret(name, state).hint(format!("once it can, try it again with `vault-kit rotate tell {name}`"));
    Refusal { hook: problem.failure.hook, said: problem.said, ..error.into() }
}
