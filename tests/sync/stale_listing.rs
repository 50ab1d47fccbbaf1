//! A listing that lags behind is good for a plan and never for the decision to write.

use crate::aws::Fake;
use crate::shop::{Host, name, there};

#[test]
fn what_a_stale_listing_hides_is_not_overwritten_and_the_next_run_converges() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    fake.list_lag(100);
    let theirs = fake.put(&name("database/password"), "somebody-whom-no-listing-shows");
    host.set("DB_PASSWORD", "mine-while-listings-lag-behind");
    for _ in 0..2 {
        let run = host.run(["sync", "push", "DB_PASSWORD"]).assert_code(7);
        assert!(run.stderr.contains("somebody else changed"), "{}", run.stderr);
        assert_eq!(fake.holder(&name("database/password"), "AWSCURRENT"), Some(theirs.clone()));
        assert_eq!(there(&fake, "database/password"), "somebody-whom-no-listing-shows");
    }
    fake.list_lag(0);
    host.run(["sync", "pull", "--theirs", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(host.get("DB_PASSWORD"), "somebody-whom-no-listing-shows");
    host.run(["sync", "push"]).assert_code(0);
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn a_bundle_that_a_stale_listing_shows_as_it_was_is_merged_with_what_it_is() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let session = host.get("SESSION_KEY");
    fake.list_lag(100);
    fake.put(&name("app"), format!(r#"{{"theirs":"kept","SESSION_KEY":"{session}","log_level":"info"}}"#));
    host.set("SESSION_KEY", "mine-0123456789abcdefghijklmnopqrstuv");
    host.run(["sync", "push"]).assert_code(0);
    let expected = r#"{"theirs":"kept","SESSION_KEY":"mine-0123456789abcdefghijklmnopqrstuv","log_level":"info"}"#;
    assert_eq!(there(&fake, "app"), expected);
    fake.list_lag(0);
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn our_own_last_push_is_not_undone_by_a_listing_from_before_it() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    fake.list_lag(100);
    for round in 0..3 {
        host.set("DB_PASSWORD", &format!("password-of-round-{round}-here"));
        host.run(["sync", "push"]).assert_code(0);
        host.run(["sync", "pull"]).assert_code(0);
        assert_eq!(host.get("DB_PASSWORD"), format!("password-of-round-{round}-here"));
        assert_eq!(there(&fake, "database/password"), format!("password-of-round-{round}-here"));
    }
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn one_that_somebody_made_and_no_listing_shows_yet_is_not_replaced() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push", "SESSION_KEY"]).assert_code(0);
    fake.list_lag(100);
    fake.put(&name("database/password"), "made-a-moment-ago");
    let run = host.run(["sync", "push"]).assert_code(7);
    assert!(run.stderr.contains("somebody else made or changed"), "{}", run.stderr);
    assert_eq!(there(&fake, "database/password"), "made-a-moment-ago");
    fake.list_lag(0);
    host.run(["sync", "pull", "--theirs", "DB_PASSWORD"]).assert_code(0);
    host.run(["sync", "push"]).assert_code(0);
    assert_eq!(host.get("DB_PASSWORD"), "made-a-moment-ago");
    assert!(host.run(["sync", "diff"]).assert_code(0).stdout.is_empty());
}

#[test]
fn one_that_was_deleted_and_made_anew_behind_a_stale_listing_is_left_alone() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    fake.list_lag(100);
    fake.delete(&name("database/password"));
    fake.put(&name("database/password"), "another-secret-of-the-same-name");
    host.set("DB_PASSWORD", "mine-while-listings-lag-behind");
    let run = host.run(["sync", "push", "DB_PASSWORD"]);
    assert_ne!(run.code, 0, "{run:?}");
    assert_eq!(there(&fake, "database/password"), "another-secret-of-the-same-name");
    fake.list_lag(0);
    host.run(["sync", "push", "DB_PASSWORD"]).assert_code(7);
    assert_eq!(there(&fake, "database/password"), "another-secret-of-the-same-name");
}
