//! Death before and after every request and in every step of an owner: the next run comes to exactly one new version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::aws::{ANY, Fake, Trouble};
use crate::fixture::{APP, DB, Host, Owner, alone, assert_one, key, pair, there};

/// Starts a command that is killed when its `nth` request comes, which then is applied, or is not. Tells whether so many
/// came.
pub(crate) fn is_killed_at<'a>(
    host: &Host,
    fake: &Fake,
    arguments: impl IntoIterator<Item = &'a str>,
    (nth, is_applied): (usize, bool),
) -> bool {
    let process = Arc::new(AtomicU32::new(0));
    let victim = Arc::clone(&process);
    fake.before(ANY, nth, move |_| {
        while victim.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let pid = Pid::from_raw(i32::try_from(victim.load(Ordering::SeqCst)).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    });
    if !is_applied {
        fake.fail_nth(ANY, nth, Trouble::DropBefore);
    }
    let mut child = host.command(arguments).stderr(std::process::Stdio::null()).spawn().unwrap();
    process.store(child.id(), Ordering::SeqCst);
    let code = child.wait().unwrap().code();
    // What it sent last may be applied after its death.
    while fake.is_busy() {
        std::thread::yield_now();
    }
    fake.heal();
    code.is_none()
}

fn rotations(is_applied: bool) {
    let (fake, owner, host) = alone("");
    for nth in 1..=8 {
        let point = format!("request {nth}, applied: {is_applied}");
        let (versions, stages) = (fake.versions(DB).len(), host.stages("DB").len());
        host.age(&["DB"]);
        let is_dead = is_killed_at(&host, &fake, ["rotate", "--due"], (nth, is_applied));
        host.run(["rotate", "--due"]).assert_code(0);
        assert_one(&fake, &owner, &[&host], &point);
        assert_eq!(fake.versions(DB).len(), versions + 1, "{point}: exactly one new version");
        assert_eq!(host.stages("DB").len(), stages + 1, "{point}");
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty(), "{point}");
        assert_eq!(is_dead, nth < 8, "there are seven requests");
    }
}

#[test]
fn whoever_dies_before_any_request_leaves_one_new_version_to_the_next_run() {
    rotations(false);
}

#[test]
fn whoever_dies_after_any_request_leaves_one_new_version_to_the_next_run() {
    rotations(true);
}

fn taken_over(is_applied: bool) {
    let (fake, owner, first, second) = pair("");
    for nth in 1..=7 {
        let point = format!("request {nth}, applied: {is_applied}");
        let versions = fake.versions(DB).len();
        first.age(&["DB"]);
        second.age(&["DB"]);
        assert!(is_killed_at(&first, &fake, ["rotate", "--due"], (nth, is_applied)), "{point}");
        second.run(["rotate", "--due"]).assert_code(0);
        first.run(["rotate", "--due"]).assert_code(0);
        assert_one(&fake, &owner, &[&first, &second], &point);
        assert_eq!(fake.versions(DB).len(), versions + 1, "{point}: exactly one new version");
    }
}

#[test]
fn whoever_dies_before_any_request_leaves_to_another_host_what_it_began() {
    taken_over(false);
}

#[test]
fn whoever_dies_after_any_request_leaves_to_another_host_what_it_began() {
    taken_over(true);
}

/// The bundle, of which nothing but its keys is due.
fn bundles(is_applied: bool) {
    let (fake, _, first, second) = pair("");
    for nth in 1..=8 {
        let point = format!("request {nth}, applied: {is_applied}");
        let versions = fake.versions(APP).len();
        for host in [&first, &second] {
            host.age(&["SESSION"]);
        }
        let is_dead = is_killed_at(&first, &fake, ["rotate", "--due"], (nth, is_applied));
        // By turns the one who died and another one come next.
        let turns = if nth % 2 == 0 { [&first, &second] } else { [&second, &first] };
        for host in turns {
            host.run(["rotate", "--due"]).assert_code(0);
        }
        for host in turns {
            assert_eq!(host.get("SESSION"), key(&fake, "SESSION"), "{point}");
            assert_eq!(host.get("SIGNING"), key(&fake, "SIGNING"), "{point}");
            assert!(host.is_still(), "{point}");
            assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty(), "{point}");
        }
        assert_eq!(fake.holder(APP, "AWSPENDING"), None, "{point}");
        assert_eq!(fake.versions(APP).len(), versions + 1, "{point}: exactly one new version");
        assert_eq!(is_dead, nth < 8, "there are seven requests");
    }
}

#[test]
fn whoever_dies_before_any_request_of_a_bundle_leaves_one_new_version_to_the_next_run() {
    bundles(false);
}

#[test]
fn whoever_dies_after_any_request_of_a_bundle_leaves_one_new_version_to_the_next_run() {
    bundles(true);
}

#[test]
fn a_request_whose_answers_are_lost_is_the_same_request_again() {
    let (fake, owner, host) = alone("");
    for nth in [3, 7] {
        let versions = fake.versions(DB).len();
        fake.fail_nth(ANY, nth, Trouble::DropAfter);
        host.run(["rotate", "DB"]).assert_code(0);
        fake.heal();
        assert_one(&fake, &owner, &[&host], &format!("request {nth}"));
        assert_eq!(fake.versions(DB).len(), versions + 1, "request {nth}: exactly one new version");
    }
}

#[test]
fn whoever_dies_in_any_step_of_the_owner_leaves_one_new_version_to_the_next_run() {
    let (fake, owner, host) = alone("");
    let moments = ["die-", "die-after-"].into_iter();
    for (when, step) in moments.flat_map(|when| ["set", "test", "reload", "retire"].map(|step| (when, step))) {
        let (versions, stages) = (fake.versions(DB).len(), host.stages("DB").len());
        host.age(&["DB"]);
        owner.does(&format!("{when}{step}"));
        host.run(["rotate", "--due"]).assert_code(137);
        host.run(["rotate", "--due", "--wait"]).assert_code(0);
        assert_one(&fake, &owner, &[&host], step);
        assert_eq!((fake.versions(DB).len(), host.stages("DB").len()), (versions + 1, stages + 1), "{when}{step}");
    }
}

/// A rotation whose owner knows the new value, which does not pass its test.
fn fail(host: &Host, owner: &Owner) {
    owner.does("fail-test");
    host.run(["rotate", "DB"]).assert_code(8);
    owner.stops("fail-test");
}

fn aborts(is_applied: bool) {
    let (fake, owner, host) = alone("");
    let old = host.get("DB");
    for nth in 1..=9 {
        fail(&host, &owner);
        let is_dead = is_killed_at(&host, &fake, ["rotate", "abort", "DB"], (nth, is_applied));
        if !host.is_still() {
            host.run(["rotate", "resume"]).assert_code(0);
        }
        let point = format!("request {nth}, applied: {is_applied}");
        assert_one(&fake, &owner, &[&host], &point);
        assert_eq!(there(&fake, DB), old, "{point}");
        assert_eq!(fake.tags(DB)["vault-kit:attempt"], nth.to_string(), "{point}");
        assert_eq!(is_dead, nth < 9, "there are eight requests");
    }
}

#[test]
fn whoever_dies_before_any_request_of_an_abort_leaves_the_old_value_in_force() {
    aborts(false);
}

#[test]
fn whoever_dies_after_any_request_of_an_abort_leaves_the_old_value_in_force() {
    aborts(true);
}
