//! A host that dies at any point, and one more run.

use vault_kit::remote::{Remote as _, Sending};
use vault_kit::rotate::claim::{self, Promoted};

use crate::aws::{ANY, Trouble};
use crate::owner::Owner;
use crate::rig::{Crash, Ended, Host, NAME, content, current, fake, pending};
use crate::{told, within};

/// Where a run can die: before and after each of its requests, and of its two steps at the owner. Whoever finds another
/// host's value there makes one request more, to read it.
fn points(is_second: bool) -> Vec<(Option<(usize, Trouble)>, Crash)> {
    let last = if is_second { 6 } else { 5 };
    let requests = (1..=last).flat_map(|nth| [(nth, Trouble::DropBefore), (nth, Trouble::DropAfter)]);
    let own = [Crash::BeforeSet, Crash::AfterSet, Crash::BeforeTest, Crash::AfterTest];
    requests.map(|it| (Some(it), Crash::Never)).chain(own.map(|it| (None, it))).collect()
}

#[test]
fn whatever_point_a_host_dies_at_one_more_run_ends_it() {
    within("crashes::whatever_point_a_host_dies_at_one_more_run_ends_it", || {
        let mut converged = 0;
        let mut tried = 0;
        for (slots, is_second) in [(1, false), (2, false), (1, true), (2, true)] {
            for (request, crash) in &points(is_second) {
                tried += 1;
                let fake = fake("0-first");
                let owner = Owner::with(slots, &fake);
                let host = Host::of(&fake);
                let seen = host.see().unwrap();
                if is_second {
                    let (id, content) = (claim::id(&seen).to_string(), content("1-theirs"));
                    let sending = Sending { arn: &seen.arn, token: &id, content: &content };
                    Host::of(&fake).aws.send(&[sending]).remove(0).unwrap();
                }
                if let Some((nth, trouble)) = *request {
                    fake.fail_nth(ANY, nth, trouble);
                }
                let point = format!("{slots} slots, second: {is_second}, {request:?}, {crash:?}");
                assert!(host.rotate(&seen, "1-dies", &owner, *crash).is_err(), "{point}");
                // What is due is decided anew: by what is there now, or by the same look.
                let ended = Host::of(&fake).rotate(&seen, "1-next", &owner, Crash::Never).unwrap();
                assert!(matches!(ended, Ended::Rotated(_, Promoted::Now) | Ended::Already(_)), "{point}: {ended:?}");
                let id = claim::id(&seen).to_string();
                assert_eq!((current(&fake), pending(&fake)), (id.clone(), None), "{point}");
                assert_eq!(fake.versions(NAME).len(), 2, "{point}");
                assert!(owner.accepts(std::str::from_utf8(&fake.value(NAME)).unwrap()), "{point}");
                assert_eq!(owner.violations(), [] as [String; 0], "{point}");
                assert_eq!(host.rotate(&seen, "1-third", &owner, Crash::Never).unwrap(), Ended::Already(id), "{point}");
                assert!(owner.sets() <= 2, "{point}");
                converged += 1;
            }
        }
        told(&format!(
            "a claim in AWS, deaths before and after each request and step: {converged} of {tried} converge"
        ));
        assert_eq!(tried, 2 * (14 + 16));
    });
}
