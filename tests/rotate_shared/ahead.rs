//! Eight hosts that publish a key, by a clock of their own, and die at random: none signs with what any of them has not
//! published for as long as its verifiers may go on without it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::aws::Fake;
use crate::deaths::is_killed_at;
use crate::fixture::{Host, Owner, manifest};
use crate::published::{SIGNER, SIGNING, kids, pass, signing};
use crate::race::Dice;

const HOSTS: usize = 8;

/// The pause between two looks at the hosts, in minutes: the `max_age` of the key sets, and a third of `spread`.
const TICK: i64 = 20;

/// How many ticks a host sleeps at most, so that it takes within `spread` what changed.
const SLEEP: i64 = 3;

/// What is known of the hosts.
struct Watch {
    /// The minute of now.
    now: i64,
    /// Since when each host publishes a key.
    published: Vec<BTreeMap<String, i64>>,
    /// The key that each host signs with.
    signing: Vec<String>,
    /// Every key that a host ever signed with.
    signed: BTreeSet<String>,
}

impl Watch {
    fn of(hosts: &[Host]) -> Self {
        let published = hosts.iter().map(|host| kids(host).into_iter().map(|kid| (kid, i64::MIN)).collect()).collect();
        let signing: Vec<String> = hosts.iter().map(signing).collect();
        Self { now: 0, published, signed: signing.iter().cloned().collect(), signing }
    }

    /// Looks at a host that did something.
    fn look(&mut self, at: usize, host: &Host) {
        let (now, kids) = (self.now, kids(host));
        self.published[at].retain(|kid, _| kids.contains(kid));
        for kid in kids {
            self.published[at].entry(kid).or_insert(now);
        }
        let signs = signing(host);
        if signs != self.signing[at] {
            let is_known =
                |set: &BTreeMap<String, i64>| set.get(&signs).is_some_and(|since| since.saturating_add(TICK) <= now);
            let unknown: Vec<usize> = (0..HOSTS).filter(|host| !is_known(&self.published[*host])).collect();
            assert!(unknown.is_empty(), "minute {now}: host {at} signs with what verifiers of {unknown:?} do not know");
            self.signed.insert(signs.clone());
            self.signing[at] = signs;
        }
        let is_everywhere = |kid| self.published.iter().all(|set| set.contains_key(kid));
        assert!(self.signing.iter().all(is_everywhere), "minute {now}: a key that signs left a key set");
    }
}

#[test]
fn eight_hosts_that_die_at_random_sign_with_nothing_that_one_of_them_has_not_published_for_long_enough() {
    let (fake, owner) = (Fake::start(), Owner::new());
    let text = manifest(&owner, &SIGNING.replace("max_age = \"1h\"", "max_age = \"20m\""));
    let text = text.replace("region = ", "spread = \"1h\", region = ");
    let mut hosts = vec![Host::first(&fake, &text, &owner)];
    hosts.extend((1..HOSTS).map(|_| Host::other(&fake, &text)));
    let (mut watch, mut dice, mut deaths) = (Watch::of(&hosts), Dice(7), 0);
    let mut awake = [0; HOSTS];
    for round in 0..2 {
        for host in &hosts {
            host.age(&["SIGNER"]);
        }
        // In the second round somebody takes back what was published.
        let last = if round == 1 { 14 } else { 9 };
        for tick in 0..=last {
            for (at, host) in hosts.iter().enumerate() {
                let is_forced = watch.now - awake[at] >= SLEEP * TICK || tick == last;
                if !is_forced && dice.below(3) > 0 {
                    continue;
                }
                let mut dies = |watch: &mut Watch, words: [&str; 2], most: u64| {
                    if dice.below(2) == 0 {
                        return;
                    }
                    let nth = usize::try_from(dice.below(most)).unwrap() + 1;
                    deaths += usize::from(is_killed_at(host, &fake, words, (nth, dice.below(2) == 0)));
                    watch.look(at, host);
                };
                dies(&mut watch, ["sync", "pull"], 6);
                host.run(["sync", "pull", "-q"]).assert_code(0);
                watch.look(at, host);
                dies(&mut watch, ["rotate", "--due"], 7);
                if round == 1 && tick == 4 && watch.published[at].len() > watch.signed.len() {
                    host.run(["rotate", "abort", "SIGNER"]).assert_code(0);
                    watch.look(at, host);
                }
                host.run(["rotate", "--due"]).assert_code(0);
                watch.look(at, host);
                awake[at] = watch.now;
            }
            pass(&hosts.iter().collect::<Vec<_>>(), TimeDelta::minutes(TICK));
            watch.now += TICK;
        }
        let all: BTreeSet<&String> = watch.signing.iter().collect();
        assert_eq!((all.len(), watch.signed.len()), (1, round + 2), "round {round}: one new key, for all hosts");
        assert_eq!(fake.holder(SIGNER, "AWSPENDING"), None);
        assert!(hosts.iter().all(|host| host.is_still() && kids(host) == kids(&hosts[0])));
    }
    assert!(deaths > 5, "they do die: {deaths}");
}
