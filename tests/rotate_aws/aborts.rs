//! An abort, and hosts that do not know of it yet.

use vault_kit::remote::CURRENT;
use vault_kit::rotate::claim::{self, ATTEMPT_TAG, Claimed, Promoted, Seen};

use crate::aws::{Fake, Trouble};
use crate::owner::Owner;
use crate::rig::{Crash, Ended, Host, NAME, OWNER, content, current, fake, pending};
use crate::within;

/// Two hosts at the same state, the first of which claimed the rotation and set its value.
struct Scene {
    fake: Fake,
    owner: Owner,
    first: Host,
    second: Host,
    seen: Seen,
    id: String,
}

impl Scene {
    fn new(slots: usize) -> Self {
        let fake = fake("0-first");
        let owner = Owner::with(slots, &fake);
        let (first, second) = (Host::of(&fake), Host::of(&fake));
        let seen = first.see().unwrap();
        let id = claim::id(&seen).to_string();
        assert!(first.rotate(&seen, "1-bad", &owner, Crash::AfterSet).is_err());
        Self { fake, owner, first, second, seen, id }
    }

    /// Aborts, and sets what is in force at the owner again, as the caller has to.
    fn abort(&self) {
        claim::abort(&self.first.aws, &self.seen, &self.id).unwrap();
        self.owner.set("0-first");
    }

    fn is_as_before(&self) {
        assert_eq!((current(&self.fake), pending(&self.fake)), (self.seen.current.clone(), None));
        assert!(self.owner.accepts("0-first"));
        assert_eq!(self.fake.tags(NAME)[ATTEMPT_TAG], "1");
    }

    /// The next run of both hosts, which see what is there now.
    fn next_run_rotates(&self) {
        let Ended::Rotated(id, Promoted::Now) = self.first.rotate_now("1-good", &self.owner) else { panic!() };
        assert_ne!(id, self.id);
        assert_eq!(self.second.rotate(&self.seen, "1-late", &self.owner, Crash::Never).unwrap(), Ended::Superseded);
        assert_eq!(self.fake.value(NAME), b"1-good");
        assert!(self.owner.accepts("1-good"));
        assert_eq!(self.owner.violations(), [] as [String; 0]);
    }
}

#[test]
fn a_stale_view_of_an_aborted_rotation_is_superseded() {
    within("aborts::a_stale_view_of_an_aborted_rotation_is_superseded", || {
        for slots in [1, 2] {
            let scene = Scene::new(slots);
            scene.abort();
            scene.is_as_before();
            let ended = scene.second.rotate(&scene.seen, "1-stale", &scene.owner, Crash::Never).unwrap();
            assert_eq!(ended, Ended::Superseded);
            scene.is_as_before();
            scene.next_run_rotates();
        }
    });
}

#[test]
fn an_abort_while_another_host_tests_keeps_it_from_promoting() {
    within("aborts::an_abort_while_another_host_tests_keeps_it_from_promoting", || {
        for slots in [1, 2] {
            let scene = Scene::new(slots);
            let claimed = claim::claim(&scene.second.aws, &scene.seen, OWNER, content("1-second")).unwrap();
            assert!(matches!(claimed, Claimed::Go { .. }));
            scene.abort();
            let error = claim::promote(&scene.second.aws, &scene.seen, &scene.id).unwrap_err();
            assert_eq!(error.code(), "remote-conflict");
            scene.is_as_before();
            scene.next_run_rotates();
        }
    });
}

#[test]
fn an_abort_raises_the_count_before_anything_else() {
    within("aborts::an_abort_raises_the_count_before_anything_else", || {
        let scene = Scene::new(1);
        scene.fake.forget();
        scene.abort();
        let asked: Vec<String> = scene.fake.log().into_iter().map(|it| it.operation).collect();
        assert_eq!(asked, ["DescribeSecret", "TagResource", "UpdateSecretVersionStage", "DescribeSecret"]);
        scene.abort();
        scene.is_as_before();
    });
}

#[test]
fn an_abort_that_dies_anywhere_is_done_by_the_next_one() {
    within("aborts::an_abort_that_dies_anywhere_is_done_by_the_next_one", || {
        for nth in 1..=4 {
            for trouble in [Trouble::DropBefore, Trouble::DropAfter] {
                let scene = Scene::new(1);
                scene.fake.fail_nth(crate::aws::ANY, nth, trouble);
                assert!(claim::abort(&scene.first.aws, &scene.seen, &scene.id).is_err(), "{nth} {trouble:?}");
                scene.abort();
                scene.is_as_before();
                scene.next_run_rotates();
            }
        }
    });
}

#[test]
fn what_is_in_force_cannot_be_aborted() {
    within("aborts::what_is_in_force_cannot_be_aborted", || {
        let scene = Scene::new(1);
        assert!(matches!(scene.second.rotate_now("1-other", &scene.owner), Ended::Rotated(..)));
        let error = claim::abort(&scene.first.aws, &scene.seen, &scene.id).unwrap_err();
        assert_eq!((error.code(), error.kind().code()), ("rotation-promoted", 7));
        assert_eq!(scene.fake.tags(NAME).get(ATTEMPT_TAG), None);

        // It came into force while the abort was on its way.
        let scene = Scene::new(1);
        let id = scene.id.clone();
        scene.fake.before("UpdateSecretVersionStage", 1, move |fake| fake.relabel(NAME, CURRENT, Some(&id)));
        let error = claim::abort(&scene.first.aws, &scene.seen, &scene.id).unwrap_err();
        assert_eq!(error.code(), "rotation-promoted");

        // Another version did.
        let scene = Scene::new(1);
        scene.fake.put(NAME, "1-by-hand");
        let error = claim::abort(&scene.first.aws, &scene.seen, &scene.id).unwrap_err();
        assert_eq!(error.code(), "remote-conflict");
    });
}

#[test]
fn an_abort_of_an_attempt_before_leaves_the_one_that_runs() {
    within("aborts::an_abort_of_an_attempt_before_leaves_the_one_that_runs", || {
        let scene = Scene::new(1);
        scene.abort();
        let seen = scene.second.see().unwrap();
        let claimed = claim::claim(&scene.second.aws, &seen, OWNER, content("1-good")).unwrap();
        assert!(matches!(claimed, Claimed::Go { .. }));
        assert_eq!(claim::abort(&scene.first.aws, &scene.seen, &scene.id).unwrap_err().code(), "remote-conflict");
        assert_eq!(pending(&scene.fake), Some(claim::id(&seen).to_string()));
    });
}
