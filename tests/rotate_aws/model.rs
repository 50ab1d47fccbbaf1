//! Many hosts, many rounds, and deaths at random.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use vault_kit::rotate::claim::{self, Promoted, Seen};

use crate::aws::{ANY, Fake, Trouble};
use crate::owner::{Owner, generation};
use crate::rig::{Crash, Ended, Host, NAME, Stopped, current, fake, pending};
use crate::{told, within};

pub(crate) const HOSTS: usize = 8;

/// Deaths at requests that are planned for a round.
const DEATHS: u64 = 12;

/// Enough for every commit; a hundred with `VAULT_KIT_RACE_ROUNDS=100` when the tests are built.
pub(crate) fn rounds() -> usize {
    option_env!("VAULT_KIT_RACE_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// Numbers that are the same in each run (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(crate) fn crash(&mut self) -> Crash {
        match self.below(12) {
            0 => Crash::BeforeSet,
            1 => Crash::AfterSet,
            2 => Crash::BeforeTest,
            3 => Crash::AfterTest,
            _ => Crash::Never,
        }
    }
}

/// Plays while somebody looks: at every moment, not only at those that hosts choose.
pub(crate) fn watched(look: impl Fn() + Sync, play: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                look();
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let _end = End(&is_over);
        play();
    });
}

/// Plans deaths at requests of a round, and listings that do not know yet what was done last.
pub(crate) fn plan_trouble(fake: &Fake, dice: &mut Dice, deaths: u64) {
    for _ in 0..deaths {
        let trouble = if dice.below(2) == 0 { Trouble::DropBefore } else { Trouble::DropAfter };
        fake.fail_nth(ANY, usize::try_from(dice.below(80)).unwrap() + 1, trouble);
    }
    fake.list_lag(usize::try_from(dice.below(4)).unwrap());
}

/// Ends the one who looks all the time, also when the rounds end in a panic.
struct End<'g>(&'g AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What happened, in all.
#[derive(Default)]
struct Counts {
    runs: AtomicUsize,
    crashes: AtomicUsize,
    rotated: AtomicUsize,
    joined: AtomicUsize,
    already: AtomicUsize,
    superseded: AtomicUsize,
}

pub(crate) fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn eight_hosts_that_die_at_random_rotate_exactly_once_a_round_with_one_slot() {
    within("model::eight_hosts_that_die_at_random_rotate_exactly_once_a_round_with_one_slot", || model(1));
}

#[test]
fn eight_hosts_that_die_at_random_rotate_exactly_once_a_round_with_two_slots() {
    within("model::eight_hosts_that_die_at_random_rotate_exactly_once_a_round_with_two_slots", || model(2));
}

fn model(slots: usize) {
    let fake = fake("0-first");
    let owner = Owner::with(slots, &fake);
    let hosts: Vec<Host> = (0..HOSTS).map(|_| Host::of(&fake)).collect();
    let counts = Counts::default();
    let mut past = Vec::new();
    let rounds_of = || {
        for round in 1..=rounds() {
            past.push(play(round, slots, &Game { fake: &fake, owner: &owner, past: &past, counts: &counts }, &hosts));
        }
    };
    watched(|| owner.look(), rounds_of);
    hosts[0].rotate_now(&format!("{}-last", rounds() + 1), &owner);
    assert_eq!(pending(&fake), None);
    let n = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let Counts { runs, crashes, rotated, joined, already, superseded } = &counts;
    told(&format!(
        "claims in AWS, {slots} slots, {HOSTS} hosts, {} rounds: {} runs, {} deaths, {} promoted, {} found promoted by another, \
         {} already, {} superseded, {} sets, {} violations",
        rounds(),
        n(runs),
        n(crashes),
        n(rotated),
        n(joined),
        n(already),
        n(superseded),
        owner.sets(),
        owner.violations().len()
    ));
    assert_eq!(owner.violations(), [] as [String; 0]);
    assert!(n(crashes) >= rounds(), "they do die");
}

/// What all hosts have in common.
#[derive(Clone, Copy)]
struct Game<'g> {
    fake: &'g Fake,
    owner: &'g Owner,
    /// What was there before each of the rounds that are over.
    past: &'g [Seen],
    counts: &'g Counts,
}

fn play(round: usize, slots: usize, game: &Game<'_>, hosts: &[Host]) -> Seen {
    let &Game { fake, owner, .. } = game;
    let mut dice = Dice((round * 10 + slots) as u64);
    let base = hosts[0].see().unwrap();
    let versions = fake.versions(NAME).len();
    plan_trouble(fake, &mut dice, DEATHS);
    let barrier = Barrier::new(HOSTS);
    std::thread::scope(|scope| {
        for (index, host) in hosts.iter().enumerate() {
            let dice = Dice(dice.below(u64::MAX));
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                live(round, index, host, dice, game);
            });
        }
    });
    fake.heal();
    let new = claim::id(&base).to_string();
    let point = format!("round {round}: {:?}", fake.versions(NAME));
    assert_eq!(current(fake), new, "{point}");
    assert_eq!(fake.versions(NAME).len(), versions + 1, "exactly one new version, {point}");
    assert_eq!(generation(std::str::from_utf8(&fake.value(NAME)).unwrap()), round, "{point}");
    assert!(owner.accepts(std::str::from_utf8(&fake.value(NAME)).unwrap()), "{point}");
    let third = hosts[round % HOSTS].rotate(&base, &format!("{round}-third"), owner, Crash::Never).unwrap();
    assert_eq!(third, Ended::Already(new.clone()), "{point}");
    // One that slept and died may have left the mark on an old version; the next rotation takes it off.
    assert_ne!(pending(fake), Some(new), "{point}");
    base
}

/// One host in one round: runs and dies until it finds nothing due any more.
fn live(round: usize, index: usize, host: &Host, mut dice: Dice, game: &Game<'_>) {
    let &Game { fake, owner, past, counts } = game;
    for run in 0.. {
        assert!(run < 100, "round {round}: host {index} comes to no end");
        if run > 5 {
            fake.list_lag(0);
        }
        count(&counts.runs);
        let is_due =
            |seen: &Seen| generation(std::str::from_utf8(&fake.value_of(NAME, &seen.current)).unwrap()) < round;
        let ended = host.see().and_then(|now| {
            // Some runs are of a host that slept for rounds.
            let asleep = if dice.below(6) == 0 { past.len() } else { 0 };
            let seen = past.get(usize::try_from(dice.below(asleep.max(1) as u64)).unwrap()).filter(|_| asleep > 0);
            let seen = seen.unwrap_or(&now).clone();
            if !is_due(&seen) {
                return Ok(Ended::Already(seen.current));
            }
            std::thread::sleep(Duration::from_micros(dice.below(3_000)));
            host.rotate(&seen, &format!("{round}-host-{index}-run-{run}"), owner, dice.crash())
        });
        match ended {
            Ok(Ended::Rotated(_, Promoted::Now)) => return count(&counts.rotated),
            Ok(Ended::Rotated(_, Promoted::Already)) => return count(&counts.joined),
            Ok(Ended::Already(id)) if id == current(fake) => return count(&counts.already),
            Ok(Ended::Rotated(_, Promoted::GivenUp)) => panic!("round {round}, host {index}: nobody gives up"),
            // It was so when the host woke up in the round before this one.
            Ok(Ended::Already(_)) => {}
            Ok(Ended::Superseded) => count(&counts.superseded),
            Err(Stopped::Crashed) => count(&counts.crashes),
            Err(Stopped::Refused(error)) => panic!("round {round}, host {index}: {error}"),
        }
    }
}
