//! Both sides changed, or somebody is faster.

use std::sync::Barrier;

use crate::aws::{Fake, Trouble};
use crate::shop::{Host, manifest, name, there};
use crate::support::Run;

/// A host that agrees with AWS.
fn settled(fake: &Fake) -> Host<'_> {
    let host = Host::first(fake);
    host.run(["sync", "push"]).assert_code(0);
    host
}

#[test]
fn a_change_on_both_sides_is_refused_by_name_and_versions_until_one_is_chosen() {
    let fake = Fake::start();
    let host = settled(&fake);
    let base = fake.holder(&name("database/password"), "AWSCURRENT").unwrap();
    let theirs = fake.put(&name("database/password"), "somebody-else-s-password");
    host.set("DB_PASSWORD", "my-own-new-password-here");
    for verb in ["push", "pull"] {
        let run = host.run(["sync", verb]).assert_code(7);
        assert!(run.stderr.contains(&name("database/password")), "{}", run.stderr);
        assert!(run.stderr.contains(&base) && run.stderr.contains(&theirs), "{}", run.stderr);
        assert!(!run.both().contains("password-here") && !run.both().contains("somebody-else-s"), "{}", run.both());
    }
    host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(there(&fake, "database/password"), "my-own-new-password-here");
    assert_eq!(fake.value_of(&name("database/password"), &theirs), b"somebody-else-s-password", "theirs is kept there");
}

#[test]
fn theirs_can_be_chosen_too_and_what_follows_from_it_is_made_anew() {
    let fake = Fake::start();
    let host = settled(&fake);
    fake.put(&name("database/password"), "somebody-else-s-password");
    host.set("DB_PASSWORD", "my-own-new-password-here");
    host.run(["sync", "pull", "--theirs", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(host.get("DATABASE_URL"), "postgres://app:somebody-else-s-password@db/app");
    assert!(host.project.read(".env").contains("somebody-else-s-password"));
}

#[test]
fn the_same_change_on_both_sides_is_no_conflict() {
    let fake = Fake::start();
    let host = settled(&fake);
    fake.put(&name("database/password"), "the-same-new-password");
    host.set("DB_PASSWORD", "the-same-new-password");
    host.run(["sync", "push", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(fake.calls("PutSecretValue"), 0);
    assert!(host.run(["sync", "status", "DB_PASSWORD"]).assert_code(0).stdout.is_empty());
}

#[test]
fn two_that_never_met_conflict_unless_they_are_equal() {
    let fake = Fake::start();
    settled(&fake);
    let other = Host::first(&fake);
    let run = other.run(["sync", "pull"]).assert_code(7);
    assert!(run.stderr.contains("last agreed on was none"), "{}", run.stderr);
    let run = other.run(["sync", "push"]).assert_code(7);
    assert_eq!(fake.calls("PutSecretValue"), 0, "{}", run.stderr);
}

#[test]
fn somebody_who_writes_between_the_look_and_the_write_is_not_overwritten() {
    let fake = Fake::start();
    let host = settled(&fake);
    host.set("DB_PASSWORD", "my-own-new-password-here");
    fake.before("UpdateSecretVersionStage", 1, |fake| {
        fake.put(&name("database/password"), "somebody-was-faster");
    });
    let run = host.run(["sync", "push", "DB_PASSWORD"]).assert_code(7);
    assert!(run.stderr.contains("somebody else changed"), "{}", run.stderr);
    assert_eq!(there(&fake, "database/password"), "somebody-was-faster");
    assert_eq!(fake.holder(&name("database/password"), "vault-kit"), None, "our label does not stay behind");
    host.run(["sync", "push", "DB_PASSWORD"]).assert_code(7);
    host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(there(&fake, "database/password"), "my-own-new-password-here");
}

#[test]
fn a_derived_value_that_somebody_changed_there_is_not_taken() {
    let fake = Fake::start();
    let host = settled(&fake);
    fake.put(&name("database/url"), "postgres://elsewhere");
    let run = host.run(["sync", "pull"]).assert_code(7);
    assert!(run.stderr.contains("`DATABASE_URL` is made here from other values"), "{}", run.stderr);
    host.run(["sync", "push", "--ours", "DATABASE_URL"]).assert_code(0);
    assert_eq!(there(&fake, "database/url"), host.get("DATABASE_URL"));
}

#[test]
fn of_sixteen_that_push_at_once_exactly_one_wins() {
    const HOSTS: usize = 16;
    let fake = Fake::start();
    let first = Host::with(&fake, &lone());
    first.project.run(["init"]).assert_code(0);
    first.set("TOKEN", "the-value-that-all-begin-with");
    first.run(["sync", "push"]).assert_code(0);
    let hosts: Vec<_> = (0..HOSTS).map(|_| Host::with(&fake, &lone())).collect();
    for round in 0..rounds() {
        for (index, host) in hosts.iter().enumerate() {
            host.run(["sync", "pull", "--theirs", "TOKEN"]).assert_code(0);
            host.set("TOKEN", &format!("round-{round}-host-{index}-value"));
        }
        let barrier = Barrier::new(HOSTS);
        let push = |host: &Host<'_>| {
            let mut command = host.command(["sync", "push"]);
            barrier.wait();
            Run::of(&mut command)
        };
        let runs: Vec<Run> = std::thread::scope(|scope| {
            let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(|| push(host))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut codes: Vec<i32> = runs.iter().map(|run| run.code).collect();
        let winner = codes.iter().position(|code| *code == 0).unwrap();
        assert_eq!(there(&fake, "token"), format!("round-{round}-host-{winner}-value"));
        codes.sort_unstable();
        let expected: Vec<i32> = std::iter::once(0).chain(std::iter::repeat_n(7, HOSTS - 1)).collect();
        assert_eq!(codes, expected, "{runs:?}");
        for (index, host) in hosts.iter().enumerate() {
            assert_eq!(host.get("TOKEN"), format!("round-{round}-host-{index}-value"), "nobody's value is lost");
        }
    }
}

/// Enough for every commit; a hundred with `VAULT_KIT_RACE_ROUNDS=100` when the tests are built.
fn rounds() -> usize {
    option_env!("VAULT_KIT_RACE_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(5)
}

fn lone() -> String {
    let text = manifest("");
    let head = text.split("[secrets.DB_PASSWORD]").next().unwrap();
    format!("{head}[secrets.TOKEN]\nkind = \"external\"\noptional = true\naws = \"token\"\n")
}

#[test]
fn a_storm_of_throttling_is_told_and_outlasted() {
    let fake = Fake::start();
    fake.fail("ListSecrets", 2, Trouble::Throttling);
    let host = Host::first(&fake);
    let run = host.run(["sync", "push"]).assert_code(0);
    assert!(run.stderr.contains("AWS throttles (ListSecrets): next try in"), "{}", run.stderr);
}
