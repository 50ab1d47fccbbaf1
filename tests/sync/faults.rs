//! Every request of a push and of a pull is lost once, before or after it was applied: the next run finishes it.

use crate::aws::{ANY, Fake, Storm, Trouble};
use crate::shop::{Host, name, there};

/// Changes of each kind: one that is replaced, one that follows from it, a bundle.
fn change(host: &Host<'_>, round: usize) {
    let values =
        format!("DB_PASSWORD=password-of-round-{round}-here\nSESSION_KEY=key-of-round-{round}-0123456789abcdef\n");
    host.project.write("values.env", values);
    host.project.run(["import", "--replace", "values.env"]).assert_code(0);
    host.project.run(["generate"]).assert_code(0);
}

/// Both sides, and the files of both hosts, have the same.
fn assert_settled(fake: &Fake, hosts: [&Host<'_>; 2], round: usize) {
    assert_eq!(there(fake, "database/password"), format!("password-of-round-{round}-here"));
    assert!(there(fake, "app").contains(&format!("key-of-round-{round}-0123456789abcdef")));
    assert_eq!(there(fake, "database/url"), format!("postgres://app:password-of-round-{round}-here@db/app"));
    assert_eq!(hosts[0].project.read(".env"), hosts[1].project.read(".env"));
    for host in hosts {
        let run = host.run(["sync", "diff"]).assert_code(0);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
    }
}

/// How many requests one exchange of both hosts makes.
fn requests(fake: &Fake, run: impl FnOnce()) -> usize {
    fake.forget();
    run();
    fake.all_calls()
}

#[test]
#[expect(clippy::print_stderr, reason = "the count is part of what the test shows")]
fn whichever_request_is_lost_the_next_run_converges() {
    let fake = Fake::start();
    let (first, second) = (Host::first(&fake), Host::new(&fake));
    first.run(["sync", "push"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    change(&first, 0);
    let pushes = requests(&fake, || drop(first.run(["sync", "push"]).assert_code(0)));
    let pulls = requests(&fake, || drop(second.run(["sync", "pull"]).assert_code(0)));
    let mut survived = 0;
    for (round, (trouble, at)) in [Trouble::DropBefore, Trouble::DropAfter, Trouble::Internal]
        .into_iter()
        .flat_map(|trouble| (1..=pushes.max(pulls)).map(move |at| (trouble, at)))
        .enumerate()
    {
        change(&first, round + 1);
        fake.fail_nth(ANY, at, trouble);
        let broken = first.run(["sync", "push", "--wait", "0s"]);
        fake.heal();
        assert!([0, 5, 7].contains(&broken.code), "{trouble:?} at {at}: {broken:?}");
        first.run(["sync", "push"]).assert_code(0);
        fake.fail_nth(ANY, at, trouble);
        let broken = second.run(["sync", "pull", "--wait", "0s"]);
        fake.heal();
        assert!([0, 5].contains(&broken.code), "{trouble:?} at {at}: {broken:?}");
        second.run(["sync", "pull"]).assert_code(0);
        assert_settled(&fake, [&first, &second], round + 1);
        survived += 2;
    }
    eprintln!("{survived} of {survived} interrupted exchanges converged ({pushes} requests a push, {pulls} a pull)");
}

#[test]
fn a_first_push_whose_answers_are_lost_finds_its_own_secrets() {
    let fake = Fake::start();
    for at in 1..=3 {
        let host = Host::first(&fake);
        fake.fail_nth("CreateSecret", at, Trouble::DropAfter);
        let broken = host.run(["sync", "push", "--wait", "0s"]);
        fake.heal();
        assert_eq!(broken.code, 5, "{broken:?}");
        host.run(["sync", "push"]).assert_code(0);
        let run = host.run(["sync", "diff"]).assert_code(0);
        assert!(run.stdout.is_empty(), "{}", run.stdout);
        fake.names().iter().for_each(|name| fake.delete(name));
    }
}

#[test]
fn whichever_request_of_a_first_push_or_a_first_pull_is_lost_the_next_run_converges() {
    let counted = Fake::start();
    let (first, second) = (Host::first(&counted), Host::new(&counted));
    let pushes = requests(&counted, || drop(first.run(["sync", "push"]).assert_code(0)));
    let pulls = requests(&counted, || drop(second.run(["sync", "pull"]).assert_code(0)));
    // A listing, the account, three secrets; a batch, and a listing for the one that is not there.
    assert!(pushes >= 5 && pulls >= 2, "{pushes} {pulls}");
    for trouble in [Trouble::DropBefore, Trouble::DropAfter, Trouble::Internal] {
        for at in 1..=pushes.max(pulls) {
            let fake = Fake::start();
            let (first, second) = (Host::first(&fake), Host::new(&fake));
            fake.fail_nth(ANY, at, trouble);
            let broken = first.run(["sync", "push", "--wait", "0s"]);
            fake.heal();
            assert_eq!(broken.code, if at <= pushes { 5 } else { 0 }, "{trouble:?} at {at}: {broken:?}");
            first.run(["sync", "push"]).assert_code(0);
            fake.fail_nth(ANY, at, trouble);
            let broken = second.run(["sync", "pull", "--wait", "0s"]);
            fake.heal();
            assert_eq!(broken.code, if at <= pulls { 5 } else { 0 }, "{trouble:?} at {at}: {broken:?}");
            second.run(["sync", "pull"]).assert_code(0);
            for name in ["DB_PASSWORD", "DATABASE_URL", "SESSION_KEY"] {
                assert_eq!(second.get(name), first.get(name), "{trouble:?} at {at}: {name}");
            }
            assert_eq!(there(&fake, "database/password"), first.get("DB_PASSWORD"));
            for host in [&first, &second] {
                assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty(), "{trouble:?} at {at}");
            }
        }
    }
}

#[test]
fn a_pull_goes_through_a_service_that_throttles_every_second_request() {
    let fake = Fake::start();
    let (first, second) = (Host::first(&fake), Host::new(&fake));
    first.run(["sync", "push"]).assert_code(0);
    for _ in 0..2 {
        fake.storm(Storm::EverySecond);
        second.run(["sync", "pull", "--wait", "2m"]).assert_code(0);
        fake.heal();
        assert_eq!(second.get("DB_PASSWORD"), there(&fake, "database/password"));
        fake.put(&name("database/password"), "a-password-through-the-storm");
    }
}

#[test]
fn a_push_goes_through_a_service_that_throttles_every_second_request() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.set("OPENAI_API_KEY", "sk-through-the-storm");
    fake.storm(Storm::EverySecond);
    host.run(["sync", "push", "--wait", "2m"]).assert_code(0);
    fake.heal();
    assert_eq!(there(&fake, "api-keys/openai"), "sk-through-the-storm");
}

#[test]
fn a_killed_push_leaves_a_state_that_the_next_one_finishes() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.set("DB_PASSWORD", "a-password-before-the-kill");
    fake.latency(std::time::Duration::from_millis(150));
    for wait in [100, 250, 400, 550, 700] {
        let mut child = host.command(["sync", "push"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    fake.heal();
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(fake.value(&name("database/password")), b"a-password-before-the-kill");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}
