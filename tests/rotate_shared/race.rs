//! Eight hosts, each with a directory, a store and an identity of its own, that die at random.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use vault_kit::rotate::claim::{self, Seen};

use crate::aws::{ANY, Fake, Trouble};
use crate::fixture::{DB, Host, Owner, assert_one, key, manifest};
use crate::support::counted;

const HOSTS: usize = 8;

/// Enough for every commit; a hundred with `VAULT_KIT_RACE_ROUNDS=100` when the tests are built.
fn rounds() -> usize {
    option_env!("VAULT_KIT_RACE_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(1)
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
}

/// What happened, in all.
#[derive(Default)]
struct Counts {
    runs: AtomicUsize,
    deaths: AtomicUsize,
    refused: AtomicUsize,
}

fn begin(host: &Host, words: &str) -> Child {
    let mut command = host.command(words.split(' '));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// One host in one round: runs, some of which die, and at the end one that does not.
fn live(host: &Host, mut dice: Dice, counts: &Counts, gives_up: bool) {
    for _ in 0..2 {
        counts.runs.fetch_add(1, Ordering::Relaxed);
        let words = if gives_up && dice.below(3) == 0 { "rotate abort DB" } else { "rotate --due" };
        let mut child = begin(host, words);
        if dice.below(2) == 0 {
            std::thread::sleep(Duration::from_millis(dice.below(400)));
            // It may have ended by itself.
            let _ = child.kill();
        }
        let code = child.wait().unwrap().code();
        match code {
            None => drop(counts.deaths.fetch_add(1, Ordering::Relaxed)),
            Some(0) => {}
            Some(5 | 7) => drop(counts.refused.fetch_add(1, Ordering::Relaxed)),
            // Nothing to give up; or an owner that was given something else between set and test.
            Some(2 | 8) if gives_up => drop(counts.refused.fetch_add(1, Ordering::Relaxed)),
            Some(other) => panic!("exit {other}"),
        }
    }
}

/// The versions that were in force while the owner did not accept them, by whether somebody had given them up before.
#[derive(Default)]
struct Refused {
    given_up: BTreeSet<String>,
    others: BTreeSet<String>,
}

/// Looks all the time whether the value in force is one that the owner accepts.
fn watch(fake: &Fake, owner: &Owner, is_over: &AtomicBool) -> Refused {
    let mut refused = Refused::default();
    while !is_over.load(Ordering::Relaxed) {
        let before = fake.holder(DB, "AWSCURRENT").unwrap();
        let value = String::from_utf8(fake.value_of(DB, &before)).unwrap();
        let is_accepted = owner.accepts(&value);
        let was_given_up = was_given_up(fake, &before);
        // Retired because another one is in force by now.
        if !is_accepted && fake.holder(DB, "AWSCURRENT").as_ref() == Some(&before) {
            (if was_given_up { &mut refused.given_up } else { &mut refused.others }).insert(before);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    refused
}

/// Whether somebody gave up the attempt that made the version in force.
fn was_given_up(fake: &Fake, version: &str) -> bool {
    let Some(base) = fake.holder(DB, "AWSPREVIOUS") else { return false };
    let (name, arn) = (DB.to_owned(), fake.arn(DB));
    let mut seen = Seen { name, arn, current: base, attempt: String::new() };
    (0..attempts(fake)).any(|attempt| {
        seen.attempt = attempt.to_string();
        claim::id(&seen).to_string() == version
    })
}

/// How often somebody gave up.
fn attempts(fake: &Fake) -> usize {
    fake.tags(DB).get("vault-kit:attempt").map_or(0, |it| it.parse().unwrap())
}

#[test]
fn eight_hosts_that_die_at_random_rotate_exactly_once_a_round() {
    race("a secret and a bundle", &["DB", "SESSION"], false);
}

#[test]
fn eight_hosts_that_die_at_random_rotate_a_bundle_alone_exactly_once_a_round() {
    race("a bundle alone", &["SESSION"], false);
}

#[test]
fn eight_hosts_that_die_and_give_up_at_random_come_to_one_value() {
    race("a secret and a bundle, some given up", &["DB", "SESSION"], true);
}

fn race(what: &str, due: &[&str], gives_up: bool) {
    let (fake, owner) = (Fake::start(), Owner::new());
    let text = manifest(&owner, "");
    let mut hosts = vec![Host::first(&fake, &text, &owner)];
    hosts.extend((1..HOSTS).map(|_| Host::other(&fake, &text)));
    let (counts, is_over) = (Counts::default(), AtomicBool::new(false));
    let refused = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&fake, &owner, &is_over));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (1..=rounds()).for_each(|round| play(round, (due, gives_up), (&fake, &owner), &hosts, &counts));
        }));
        is_over.store(true, Ordering::Relaxed);
        let refused = watcher.join().unwrap();
        ended.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
        refused
    });
    let n = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    counted(&format!(
        "rotations of {what} in AWS, {HOSTS} hosts, {} rounds: {} runs, {} killed, {} refused, {} given up, {} values in force and not accepted, {} of \
         them after they were given up",
        rounds(),
        n(&counts.runs),
        n(&counts.deaths),
        n(&counts.refused),
        attempts(&fake),
        refused.others.len() + refused.given_up.len(),
        refused.given_up.len(),
    ));
    assert!(gives_up || attempts(&fake) == 0, "nobody gave up");
    assert_eq!(refused.others, BTreeSet::new(), "in force, not given up, and not accepted");
    // Where one host gives up what another one, which has been waiting for an answer for longer than a second, then puts in force,
    // its owner refuses that until somebody comes again: at most one version for each time that somebody gave up, and none at the
    // end of a round. Nobody can know sooner: a request that is on its way cannot be called back.
    assert!(refused.given_up.len() <= attempts(&fake), "{:?}", refused.given_up);
}

fn play(
    round: usize,
    (due, gives_up): (&[&str], bool),
    (fake, owner): (&Fake, &Owner),
    hosts: &[Host],
    counts: &Counts,
) {
    let point = format!("round {round}");
    let mut dice = Dice(round as u64);
    for host in hosts {
        host.age(due);
    }
    let base = fake.holder(DB, "AWSCURRENT");
    let (versions, bundles) = (fake.versions(DB).len(), fake.versions(crate::fixture::APP).len());
    for _ in 0..6 {
        let trouble = if dice.below(2) == 0 { Trouble::DropBefore } else { Trouble::DropAfter };
        fake.fail_nth(ANY, usize::try_from(dice.below(80)).unwrap() + 1, trouble);
    }
    fake.list_lag(usize::try_from(dice.below(4)).unwrap());
    std::thread::scope(|scope| {
        for host in hosts {
            let dice = Dice(dice.below(u64::MAX));
            scope.spawn(move || live(host, dice, counts, gives_up));
        }
    });
    fake.heal();
    hosts.iter().for_each(Host::wait_for_orphans);
    // Everybody comes again, as a schedule does, and a person who waits for no pause to end.
    for turn in 0.. {
        assert!(turn < 5, "{point}: no end");
        let codes =
            hosts.iter().flat_map(|host| ["rotate resume", "rotate --due"].map(|it| host.run(it.split(' ')).code));
        let codes: Vec<i32> = codes.collect();
        assert!(codes.iter().all(|code| [0, 7, 8].contains(code)), "{point}: {codes:?}");
        if codes.iter().all(|code| *code == 0) {
            break;
        }
    }
    let all: Vec<&Host> = hosts.iter().collect();
    assert_one(fake, owner, &all, &point);
    if due.contains(&"DB") {
        assert_eq!(fake.holder(DB, "AWSPREVIOUS"), base, "{point}: exactly one came into force");
        // What was given up keeps its version.
        assert!(gives_up || fake.versions(DB).len() == versions + 1, "{point}: exactly one new version");
    }
    assert_eq!(fake.versions(crate::fixture::APP).len(), bundles + 1, "{point}: exactly one new version of the bundle");
    for host in hosts {
        assert_eq!(host.get("SESSION"), key(fake, "SESSION"), "{point}");
    }
}
