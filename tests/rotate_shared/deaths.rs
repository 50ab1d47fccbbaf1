//! Death before and after every request, before every local write and in every step of an owner: at that moment whatever
//! anybody has is accepted, and the next run comes to exactly one new version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::aws::{ANY, Fake, Trouble};
use crate::fixture::{APP, DB, Host, Owner, alone, assert_accepted, assert_one, key, manifest, pair, there};
use crate::support::{Run, counted, program, skip};

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

/// Says how many deaths a run was shown to survive.
fn survived(what: &str, is_applied: bool, (kept, all): (usize, usize)) {
    let when = if is_applied { "after" } else { "before" };
    counted(&format!("{what} in AWS, killed {when} each request: {kept} of {all} survived"));
}

fn rotations(is_applied: bool) {
    let (fake, owner, host) = alone("");
    let mut kept = 0;
    for nth in 1..=8 {
        let point = format!("request {nth}, applied: {is_applied}");
        let (versions, stages) = (fake.versions(DB).len(), host.stages("DB").len());
        host.age(&["DB"]);
        let is_dead = is_killed_at(&host, &fake, ["rotate", "--due"], (nth, is_applied));
        assert_accepted(&fake, &owner, &[&host], &point);
        host.run(["rotate", "--due"]).assert_code(0);
        assert_one(&fake, &owner, &[&host], &point);
        assert_eq!(fake.versions(DB).len(), versions + 1, "{point}: exactly one new version");
        assert_eq!(host.stages("DB").len(), stages + 1, "{point}");
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty(), "{point}");
        assert_eq!(is_dead, nth < 8, "there are seven requests");
        kept += usize::from(is_dead);
    }
    survived("a rotation", is_applied, (kept, 7));
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
    let mut kept = 0;
    for nth in 1..=7 {
        let point = format!("request {nth}, applied: {is_applied}");
        let versions = fake.versions(DB).len();
        first.age(&["DB"]);
        second.age(&["DB"]);
        assert!(is_killed_at(&first, &fake, ["rotate", "--due"], (nth, is_applied)), "{point}");
        assert_accepted(&fake, &owner, &[&first, &second], &point);
        second.run(["rotate", "--due"]).assert_code(0);
        first.run(["rotate", "--due"]).assert_code(0);
        assert_one(&fake, &owner, &[&first, &second], &point);
        assert_eq!(fake.versions(DB).len(), versions + 1, "{point}: exactly one new version");
        kept += 1;
    }
    survived("a rotation that another host goes on with", is_applied, (kept, 7));
}

#[test]
fn whoever_dies_before_any_request_leaves_to_another_host_what_it_began() {
    taken_over(false);
}

#[test]
fn whoever_dies_after_any_request_leaves_to_another_host_what_it_began() {
    taken_over(true);
}

/// With an overlap, in which the files have the value before as well.
fn overlapped(is_applied: bool) {
    let mut kept = 0;
    for nth in 1..=8 {
        let point = format!("request {nth}, applied: {is_applied}");
        let (fake, owner) = (Fake::start(), Owner::new());
        let text = manifest(&owner, "").replace("[secrets.DB]", "[secrets.DB]\noverlap = \"24h\"");
        let host = Host::first(&fake, &text, &owner);
        let old = host.get("DB");
        host.age(&["DB"]);
        let is_dead = is_killed_at(&host, &fake, ["rotate", "--due"], (nth, is_applied));
        assert_accepted(&fake, &owner, &[&host], &point);
        host.run(["rotate", "--due"]).assert_code(0);
        assert_accepted(&fake, &owner, &[&host], &point);
        let new = there(&fake, DB);
        assert!(new != old && owner.current() == new, "{point}");
        assert_eq!(
            [host.get("DB"), host.delivered("DB"), host.delivered("DB_PREVIOUS")],
            [&*new, &*new, &*old],
            "{point}"
        );
        assert_eq!(fake.versions(DB).len(), 2, "{point}: exactly one new version");
        assert_eq!(is_dead, nth < 8, "there are seven requests");
        kept += usize::from(is_dead);
    }
    survived("a rotation with an overlap", is_applied, (kept, 7));
}

#[test]
fn whoever_dies_before_any_request_leaves_the_old_value_accepted_as_long_as_it_overlaps() {
    overlapped(false);
}

#[test]
fn whoever_dies_after_any_request_leaves_the_old_value_accepted_as_long_as_it_overlaps() {
    overlapped(true);
}

/// How often a rotation makes a call, in the thread that writes.
fn calls(host: &Host, call: &str, log: &str) -> usize {
    let trace = format!("trace=execve,{call}");
    let strace = ["strace", "-f", "-b", "execve", "-qq", "-o", log, "-e", &trace];
    Run::of(&mut host.command_under(strace, ["rotate", "--due"])).assert_code(0);
    let log = std::fs::read_to_string(log).unwrap();
    let (main, _) = log.split_once(' ').unwrap();
    let calls = log.lines().filter_map(|line| line.strip_prefix(main));
    calls.filter(|it| it.trim_start().starts_with(&format!("{call}("))).count()
}

/// Between the requests too: what is promoted there, and not yet in the store, the ledger or a file here.
fn written(test: &str, call: &str) {
    if program("strace").is_none() {
        return skip(test, "there is no strace");
    }
    let (fake, owner, host) = alone("");
    let log = owner.path("strace").display().to_string();
    host.age(&["DB"]);
    let all = calls(&host, call, &log);
    // The store alone is replaced in each of six steps.
    assert!(all >= 12, "{all}");
    let mut kept = 0;
    for nth in 1..=all {
        let point = format!("{call} {nth} of {all}");
        let (versions, stages) = (fake.versions(DB).len(), host.stages("DB").len());
        host.age(&["DB"]);
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
        let strace = ["strace", "-f", "-b", "execve", "-qq", "-o", &log, "-e", &trace, "-e", &inject];
        Run::of(&mut host.command_under(strace, ["rotate", "--due"])).assert_code(137);
        assert_accepted(&fake, &owner, &[&host], &point);
        host.run(["rotate", "--due", "--wait"]).assert_code(0);
        assert_one(&fake, &owner, &[&host], &point);
        assert_eq!(fake.versions(DB).len(), versions + 1, "{point}: exactly one new version");
        assert_eq!(host.stages("DB").len(), stages + 1, "{point}");
        kept += 1;
    }
    counted(&format!("a rotation in AWS, killed before each {call} of its own: {kept} of {all} survived"));
}

#[test]
fn whoever_dies_before_a_file_is_replaced_leaves_one_new_version_to_the_next_run() {
    let test = "deaths::whoever_dies_before_a_file_is_replaced_leaves_one_new_version_to_the_next_run";
    written(test, "renameat");
}

#[test]
fn whoever_dies_before_a_file_is_on_the_disk_leaves_one_new_version_to_the_next_run() {
    written("deaths::whoever_dies_before_a_file_is_on_the_disk_leaves_one_new_version_to_the_next_run", "fsync");
}

/// The bundle, of which nothing but its keys is due.
fn bundles(is_applied: bool) {
    let (fake, _, first, second) = pair("");
    let mut kept = 0;
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
        kept += usize::from(is_dead);
    }
    survived("a rotation of a bundle", is_applied, (kept, 7));
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
        assert_accepted(&fake, &owner, &[&host], &format!("{when}{step}"));
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
    let mut kept = 0;
    for nth in 1..=9 {
        fail(&host, &owner);
        let is_dead = is_killed_at(&host, &fake, ["rotate", "abort", "DB"], (nth, is_applied));
        let point = format!("request {nth}, applied: {is_applied}");
        assert_accepted(&fake, &owner, &[&host], &point);
        if !host.is_still() {
            host.run(["rotate", "resume"]).assert_code(0);
        }
        assert_one(&fake, &owner, &[&host], &point);
        assert_eq!(there(&fake, DB), old, "{point}");
        assert_eq!(fake.tags(DB)["vault-kit:attempt"], nth.to_string(), "{point}");
        assert_eq!(is_dead, nth < 9, "there are eight requests");
        kept += usize::from(is_dead);
    }
    survived("giving up", is_applied, (kept, 8));
}

#[test]
fn whoever_dies_before_any_request_of_an_abort_leaves_the_old_value_in_force() {
    aborts(false);
}

#[test]
fn whoever_dies_after_any_request_of_an_abort_leaves_the_old_value_in_force() {
    aborts(true);
}
