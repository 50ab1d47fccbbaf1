//! A database that knows one password, or two: the owner of the credential, who sees whatever a host does wrong.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::aws::Fake;
use crate::rig::NAME;

pub(crate) struct Owner {
    fake: Fake,
    slots: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The latest last.
    accepted: VecDeque<String>,
    sets: usize,
    violations: Vec<String>,
}

impl Owner {
    /// One that accepts what is in force.
    pub(crate) fn with(slots: usize, fake: &Fake) -> Self {
        let value = in_force(fake);
        let state = Mutex::new(State { accepted: VecDeque::from([value]), ..State::default() });
        Self { fake: fake.clone(), slots, state }
    }

    /// Makes a value accepted, in place of the oldest. Values begin with the number of their generation: one that is older
    /// than what is in force must never come.
    pub(crate) fn set(&self, value: &str) {
        let mut state = self.state();
        let in_force = in_force(&self.fake);
        if generation(value) < generation(&in_force) {
            state.violations.push(format!("`{value}` was set after `{in_force}` was in force"));
        }
        state.sets += 1;
        state.accepted.retain(|it| it != value);
        state.accepted.push_back(value.to_owned());
        while state.accepted.len() > self.slots {
            state.accepted.pop_front();
        }
        self.judge(&mut state);
    }

    pub(crate) fn accepts(&self, value: &str) -> bool {
        self.state().accepted.iter().any(|it| it == value)
    }

    /// Looks whether what is in force is accepted, which one with two slots promises at every moment.
    pub(crate) fn look(&self) {
        self.judge(&mut self.state());
    }

    pub(crate) fn sets(&self) -> usize {
        self.state().sets
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    fn judge(&self, state: &mut State) {
        // With the lock held nobody sets anything, and whatever comes into force meanwhile was accepted before.
        let in_force = in_force(&self.fake);
        if self.slots > 1 && !state.accepted.contains(&in_force) {
            state.violations.push(format!("`{in_force}` is in force, and only {:?} are accepted", state.accepted));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_force(fake: &Fake) -> String {
    String::from_utf8(fake.value(NAME)).unwrap()
}

/// The number that a value begins with.
pub(crate) fn generation(value: &str) -> usize {
    value.split('-').next().unwrap().parse().unwrap()
}
