//! Users that the versions of a shared secret belong to in turn: whose a value is comes with it.

use serde_json::Value;

use crate::aws::Fake;
use crate::deaths::is_killed_at;
use crate::fixture::{DB, Host, Owner, manifest, there};
use crate::support::counted;

/// The shop whose `DB` belongs to `app_a` and `app_b` in turn.
fn with_users(owner: &Owner) -> String {
    manifest(owner, "")
        .replace("[secrets.DB]", "[secrets.DB]\nusernames = [\"app_a\", \"app_b\"]")
        .replace("app:${DB}", "${DB | username}:${DB}")
}

fn pair() -> (Fake, Owner, Host, Host) {
    let (fake, owner) = (Fake::start(), Owner::new());
    let first = Host::first(&fake, &with_users(&owner), &owner);
    let second = Host::other(&fake, &with_users(&owner));
    (fake, owner, first, second)
}

/// Both hosts deliver the value that is in AWS with the user that it has there.
#[track_caller]
fn assert_user(fake: &Fake, hosts: [&Host; 2], username: &str) {
    let there: Value = serde_json::from_str(&there(fake, DB)).unwrap();
    assert_eq!((there.as_object().unwrap().len(), there["username"].as_str()), (2, Some(username)));
    for host in hosts {
        let value = there["password"].as_str().unwrap();
        assert_eq!(host.delivered("URL"), format!("postgres://{username}:{value}@db/app"));
        assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
    }
}

#[test]
fn a_host_that_missed_rotations_has_the_user_of_the_value_in_force() {
    let (fake, _owner, first, second) = pair();
    assert_user(&fake, [&first, &second], "app_a");
    for (rotations, username) in [(1, "app_b"), (2, "app_b"), (1, "app_a"), (2, "app_a")] {
        for _ in 0..rotations {
            first.run(["rotate", "DB", "--yes"]).assert_code(0);
        }
        second.run(["sync", "pull"]).assert_code(0);
        assert_user(&fake, [&first, &second], username);
    }
}

#[test]
fn a_rotation_that_another_host_goes_on_with_has_its_user() {
    let (fake, owner, first, second) = pair();
    // The second host knows of none of these two.
    first.run(["rotate", "DB", "--yes"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    owner.does("die-set");
    assert_ne!(first.run(["rotate", "DB", "--yes"]).code, 0, "it died");
    first.wait_for_orphans();
    second.run(["rotate", "DB", "--yes"]).assert_code(0);
    first.run(["rotate", "resume"]).assert_code(0);
    first.run(["sync", "pull"]).assert_code(0);
    assert_user(&fake, [&first, &second], "app_a");
}

/// Whoever asks AWS, the store of a host or its file is let in as the user that comes with the value.
#[track_caller]
fn assert_let_in(fake: &Fake, owner: &Owner, hosts: &[&Host], point: &str) {
    let there: Value = serde_json::from_str(&there(fake, DB)).unwrap();
    let [user, password] = ["username", "password"].map(|key| there[key].as_str().unwrap());
    assert!(owner.lets_in(user, password), "{point}: `{user}` is refused with what is in force in AWS");
    for (user, password) in hosts.iter().flat_map(|host| host.logins()) {
        assert!(owner.lets_in(&user, &password), "{point}: `{user}` is refused with what a host has");
    }
}

#[test]
fn whoever_dies_behind_any_request_or_in_a_step_leaves_every_user_what_is_in_force() {
    let (fake, owner, first, second) = pair();
    let hosts = [&first, &second];
    let [(user, password), _] = first.logins();
    owner.let_in(&user, &password);
    let mut kept = 0;
    let mut ends = |begin: &dyn Fn(&str), point: &str, turns: [&Host; 2], serving: &[&Host]| {
        let versions = fake.versions(DB).len();
        for host in hosts {
            host.age(&["DB"]);
        }
        begin(point);
        assert_let_in(&fake, &owner, serving, point);
        for host in turns {
            host.run(["rotate", "--due", "--wait"]).assert_code(0);
            // Without an overlap the other one has to come, too.
            assert_let_in(&fake, &owner, &[host], point);
        }
        assert_eq!(fake.versions(DB).len(), versions + 1, "{point}: exactly one new version");
        let there: Value = serde_json::from_str(&there(&fake, DB)).unwrap();
        assert_eq!(there["username"], ["app_a", "app_b"][versions % 2], "{point}");
        for (user, password) in hosts.into_iter().flat_map(Host::logins) {
            assert_eq!(
                (there["username"].as_str(), there["password"].as_str()),
                (Some(&*user), Some(&*password)),
                "{point}"
            );
        }
        assert!(hosts.into_iter().all(Host::is_still), "{point}");
        kept += 1;
    };
    for nth in 1..=7 {
        let begin = |point: &str| {
            assert!(is_killed_at(&first, &fake, ["rotate", "--due"], (nth, true)), "{point}");
        };
        // By turns another host comes next, and the one who died.
        let turns = if nth % 2 == 0 { hosts } else { [&second, &first] };
        ends(&begin, &format!("request {nth}"), turns, &hosts);
    }
    for when in ["die-set", "die-after-set", "die-test", "die-after-retire"] {
        let begin = |point: &str| {
            owner.does(point);
            first.run(["rotate", "--due"]).assert_code(137);
            first.wait_for_orphans();
        };
        // Without an overlap the value before is refused before the other host knows of it.
        let serving = if when == "die-after-retire" { &hosts[..1] } else { &hosts };
        ends(&begin, when, [&second, &first], serving);
    }
    let what = "a rotation in AWS of users in turn, each with one password, killed behind each request and in steps";
    counted(&format!("{what}: {kept} of 11 survived"));
}

#[test]
fn a_value_that_was_sent_before_it_had_users_is_replaced_by_a_push_and_taken_by_nobody() {
    let (fake, owner) = (Fake::start(), Owner::new());
    let first = Host::first(&fake, &manifest(&owner, ""), &owner);
    let value = first.get("DB");
    assert_eq!(there(&fake, DB), value);
    first.project.write("vault-kit.toml", with_users(&owner));
    let second = Host::bare(&fake, &with_users(&owner));
    let run = second.run(["sync", "pull"]);
    assert!(run.stderr.contains(DB), "{run:?}");
    assert!(!run.both().contains(&value), "{run:?}");
    assert!(!second.project.store().secrets.contains_key(&crate::fixture::secret("DB")), "whose it is was not told");
    first.run(["sync", "push"]).assert_code(0);
    first.run(["generate"]).assert_code(0);
    second.run(["sync", "pull"]).assert_code(0);
    second.run(["init"]).assert_code(0);
    assert_user(&fake, [&first, &second], "app_a");
}
