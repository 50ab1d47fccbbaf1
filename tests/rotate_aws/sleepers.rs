//! A host that sleeps after it saw what is due, while others rotate.

use std::sync::Arc;

use crate::aws::Fake;
use crate::owner::Owner;
use crate::rig::{Crash, Ended, Host, NAME, current, fake, pending};
use crate::{told, within};

/// The requests before each of which it can fall asleep; before the first it has not even sent its value.
const BEFORE: [&str; 4] = ["nothing", "PutSecretValue", "UpdateSecretVersionStage", "DescribeSecret"];

#[test]
fn a_host_that_slept_through_rotations_sets_nothing_at_the_owner() {
    within("sleepers::a_host_that_slept_through_rotations_sets_nothing_at_the_owner", || {
        let mut harmless = 0;
        for slots in [1, 2] {
            for times in 1..=3 {
                for before in BEFORE {
                    sleep(slots, times, before);
                    harmless += 1;
                }
            }
        }
        told(&format!("a claim in AWS, hosts that slept through rotations: {harmless} of 24 harmless"));
    });
}

fn sleep(slots: usize, times: usize, before: &'static str) {
    let fake = fake("0-first");
    let owner = Arc::new(Owner::with(slots, &fake));
    let sleeper = Host::of(&fake);
    let seen = sleeper.see().unwrap();
    let others = {
        let owner = Arc::clone(&owner);
        move |fake: &Fake| {
            let other = Host::of(fake);
            for generation in 1..=times {
                assert!(matches!(other.rotate_now(&format!("{generation}-other"), &owner), Ended::Rotated(..)));
            }
        }
    };
    if before == "nothing" {
        others(&fake);
    } else {
        fake.before(before, 1, others);
    }
    let ended = sleeper.rotate(&seen, "1-sleeper", &owner, Crash::Never).unwrap();
    let point = format!("{slots} slots, {times} rotations before {before}");
    if times == 1 {
        assert_eq!(ended, Ended::Already(current(&fake)), "{point}");
    } else {
        assert_eq!(ended, Ended::Superseded, "{point}");
    }
    assert_eq!(owner.sets(), times, "{point}");
    assert_eq!(owner.violations(), [] as [String; 0], "{point}");
    assert_eq!(pending(&fake), None, "{point}");
    assert!(owner.accepts(std::str::from_utf8(&fake.value(NAME)).unwrap()), "{point}");
    // Only what was sent after the others had rotated is there in vain.
    assert!(fake.versions(NAME).len() <= times + 2, "{point}");
}
