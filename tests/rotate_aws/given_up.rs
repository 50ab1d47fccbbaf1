//! Many hosts that die and give up at random, and what each of them owes the owner then.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vault_kit::remote::{PENDING, Remote as _};
use vault_kit::rotate::claim::{self, ATTEMPT_TAG, Claimed, Promoted, Seen};

use crate::aws::Fake;
use crate::model::{Dice, HOSTS, count, plan_trouble, rounds, watched};
use crate::owner::generation;
use crate::rig::{Crash, Host, NAME, OWNER, Stopped, content, current, fake, pending, text};
use crate::{told, within};

/// Deaths at requests that are planned for a round.
const DEATHS: u64 = 10;

/// One run in so many of those that could gives up.
const GIVES_UP: u64 = 6;

/// In so many of its first runs a host may find that the new value does not work, so that there is time to give up.
const TRIES: usize = 4;

/// Whoever has the credential: accepts what it is given until it is told to refuse it.
struct Owner<'f> {
    fake: &'f Fake,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accepted: BTreeSet<String>,
    last: String,
    /// What was in force and not accepted, although nobody had given it up.
    violations: BTreeSet<String>,
    /// What somebody had given up, and came into force all the same.
    late: BTreeSet<String>,
}

impl Owner<'_> {
    fn set(&self, value: &str) {
        let mut state = self.state();
        state.accepted.insert(value.to_owned());
        value.clone_into(&mut state.last);
    }

    fn refuse(&self, value: &str) {
        self.state().accepted.remove(value);
    }

    fn accepts(&self, value: &str) -> bool {
        self.state().accepted.contains(value)
    }

    /// Looks whether what is in force is accepted; with the lock held nobody tells it anything.
    fn look(&self) {
        let mut state = self.state();
        let value = in_force(self.fake);
        if !state.accepted.contains(&value) {
            let is_late = attempt_of(&value) < attempts(self.fake);
            (if is_late { &mut state.late } else { &mut state.violations }).insert(value);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_force(fake: &Fake) -> String {
    String::from_utf8(fake.value(NAME)).unwrap()
}

/// How often somebody gave up.
fn attempts(fake: &Fake) -> usize {
    fake.tags(NAME).get(ATTEMPT_TAG).map_or(0, |it| it.parse().unwrap())
}

/// The attempt that made a value.
fn attempt_of(value: &str) -> usize {
    value.split('-').nth(1).unwrap().parse().unwrap()
}

/// What a host remembers when it died, as its store does.
#[derive(Default)]
struct Memory {
    /// The rotation that it began.
    begun: Option<Seen>,
    /// The value that the owner may have been given by it.
    told: Option<String>,
    /// What the owner may have been given and is to refuse, once it was given what is in force.
    owes: Option<String>,
}

impl Memory {
    /// The rotation is over without us, or given up.
    fn give_way(&mut self) {
        self.begun = None;
        self.owes = self.told.take();
    }
}

/// What happened, in all.
#[derive(Default)]
struct Counts {
    runs: AtomicUsize,
    crashes: AtomicUsize,
    lost: AtomicUsize,
    told_again: AtomicUsize,
}

#[derive(Clone, Copy)]
struct Game<'g> {
    fake: &'g Fake,
    owner: &'g Owner<'g>,
    counts: &'g Counts,
    round: usize,
}

#[test]
fn eight_hosts_that_die_and_give_up_at_random_come_to_one_value_that_the_owner_accepts() {
    let test = "given_up::eight_hosts_that_die_and_give_up_at_random_come_to_one_value_that_the_owner_accepts";
    within(test, || {
        let fake = fake("0-0-first");
        let owner = Owner { fake: &fake, state: Mutex::default() };
        owner.set("0-0-first");
        let hosts: Vec<Host> = (0..HOSTS).map(|_| Host::of(&fake)).collect();
        let counts = Counts::default();
        let play = |round| play(Game { fake: &fake, owner: &owner, counts: &counts, round }, &hosts);
        watched(|| owner.look(), || (1..=rounds()).for_each(play));
        let n = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let state = owner.state();
        told(&format!(
            "claims in AWS that are given up too, {HOSTS} hosts, {} rounds: {} runs, {} deaths, {} given up, {} gave way, {} told \
             the owner again, {} in force after they were given up and refused for a moment, {} violations",
            rounds(),
            n(&counts.runs),
            n(&counts.crashes),
            attempts(&fake),
            n(&counts.lost),
            n(&counts.told_again),
            state.late.len(),
            state.violations.len()
        ));
        assert_eq!(state.violations, BTreeSet::new());
        assert!(n(&counts.crashes) >= rounds() && attempts(&fake) > rounds() / 5, "they do die and give up");
    });
}

fn play(game: Game<'_>, hosts: &[Host]) {
    let Game { fake, owner, round, .. } = game;
    let mut dice = Dice(round as u64);
    let (base, versions, given_up) = (current(fake), fake.versions(NAME).len(), attempts(fake));
    plan_trouble(fake, &mut dice, DEATHS);
    std::thread::scope(|scope| {
        for (index, host) in hosts.iter().enumerate() {
            let dice = Dice(dice.below(u64::MAX));
            scope.spawn(move || live(index, host, dice, game));
        }
    });
    fake.heal();
    let (value, point) = (in_force(fake), format!("round {round}: {:?}", fake.versions(NAME)));
    assert_eq!(fake.holder(NAME, "AWSPREVIOUS"), Some(base), "exactly one came into force, {point}");
    assert_eq!(generation(&value), round, "{point}");
    assert!(fake.versions(NAME).len() <= versions + 1 + attempts(fake) - given_up, "one for each attempt, {point}");
    assert_ne!(pending(fake), Some(current(fake)), "{point}");
    assert!(owner.accepts(&value), "{point}");
    assert_eq!(owner.state().last, value, "it was given nothing else after what is in force, {point}");
}

/// One host in one round: runs, dies and gives up until nothing is due any more, and nothing owed.
fn live(index: usize, host: &Host, mut dice: Dice, game: Game<'_>) {
    let mut memory = Memory::default();
    for run in 0.. {
        assert!(run < 100, "round {}: host {index} comes to no end", game.round);
        if run > 5 {
            game.fake.list_lag(0);
        }
        count(&game.counts.runs);
        std::thread::sleep(Duration::from_micros(dice.below(3_000)));
        match go_on(host, &mut memory, (index, run), &mut dice, game) {
            Ok(true) => return,
            Ok(false) => {}
            Err(Stopped::Crashed) => count(&game.counts.crashes),
            Err(Stopped::Refused(error)) if error.code() == "remote-conflict" => {}
            Err(Stopped::Refused(error)) => panic!("round {}, host {index}: {error}", game.round),
        }
    }
}

/// One run. Answers whether there is nothing left to do.
fn go_on(
    host: &Host,
    memory: &mut Memory,
    (index, run): (usize, usize),
    dice: &mut Dice,
    game: Game<'_>,
) -> Result<bool, Stopped> {
    let Game { fake, owner, counts, round } = game;
    if let Some(candidate) = &memory.owes {
        if give_back(host, candidate, game)? {
            memory.owes = None;
        }
        return Ok(false);
    }
    let value_of = |version: &str| String::from_utf8(fake.value_of(NAME, version)).unwrap();
    let seen = match &memory.begun {
        Some(seen) => seen.clone(),
        None => host.see()?,
    };
    if memory.begun.is_none() && generation(&value_of(&seen.current)) >= round {
        return Ok(true);
    }
    memory.begun = Some(seen.clone());
    if memory.told.is_some() && dice.below(GIVES_UP) == 0 {
        match claim::abort(&host.aws, &seen, &claim::id(&seen).to_string()) {
            // What came into force in spite of it is claimed once more.
            Err(error) if error.code() == "rotation-promoted" => {}
            Err(error) if error.code() != "remote-conflict" => return Err(error.into()),
            _ => {
                memory.give_way();
                return Ok(false);
            }
        }
    }
    let crash = dice.crash();
    let dies = |at| if crash == at { Err(Stopped::Crashed) } else { Ok(()) };
    let fresh = format!("{round}-{}-host-{index}-run-{run}", seen.attempt);
    let (id, value) = match claim::claim(&host.aws, &seen, OWNER, content(&fresh))? {
        Claimed::Go { id, content } => (id, text(&content)),
        Claimed::Already { id } => {
            let value = value_of(&id);
            return promote(host, memory, (&seen, &id, &value), game);
        }
        Claimed::Superseded => {
            count(&counts.lost);
            memory.give_way();
            return Ok(false);
        }
    };
    memory.told = Some(value.clone());
    dies(Crash::BeforeSet)?;
    owner.set(&value);
    dies(Crash::AfterSet)?;
    dies(Crash::BeforeTest)?;
    if !owner.accepts(&value) || run < TRIES && dice.below(8) > 0 {
        // Its test fails: somebody gave it up, or it is just so.
        return Ok(false);
    }
    dies(Crash::AfterTest)?;
    promote(host, memory, (&seen, &id, &value), game)
}

fn promote(
    host: &Host,
    memory: &mut Memory,
    (seen, id, value): (&Seen, &str, &str),
    Game { fake, owner, counts, .. }: Game<'_>,
) -> Result<bool, Stopped> {
    match claim::promote(&host.aws, seen, id) {
        Ok(promoted) => {
            if promoted == Promoted::GivenUp {
                count(&counts.told_again);
                owner.set(value);
            }
            owner.refuse(&String::from_utf8(fake.value_of(NAME, &seen.current)).unwrap());
            *memory = Memory::default();
        }
        Err(error) if error.code() == "remote-conflict" => {
            count(&counts.lost);
            memory.give_way();
        }
        Err(error) => return Err(error.into()),
    }
    Ok(false)
}

/// Gives the owner what is in force, and has it refuse the candidate: only if nobody is giving it another value, and what is in
/// force is the same afterwards, since nobody waits for us. Answers whether it is so.
fn give_back(host: &Host, candidate: &str, Game { fake, owner, .. }: Game<'_>) -> Result<bool, Stopped> {
    let look = || {
        let there = host.aws.describe(&[NAME]).remove(0).map_err(|failure| Stopped::from(failure.about("the look")))?;
        Ok::<_, Stopped>(there.current().filter(|_| there.labelled(PENDING).is_none()).map(str::to_owned))
    };
    let Some(before) = look()? else { return Ok(false) };
    let value = String::from_utf8(fake.value_of(NAME, &before)).unwrap();
    owner.set(&value);
    if look()? != Some(before) {
        return Ok(false);
    }
    if candidate != value {
        owner.refuse(candidate);
    }
    Ok(true)
}
