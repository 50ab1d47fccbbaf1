//! `rotate --due`: silent and cheap when nothing is due, and done when something is.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use vault_kit::clock::{Clock, SystemClock};
use vault_kit::name::SecretName;
use vault_kit::private_file::Root;
use vault_kit::store::Stage;

use crate::fixture::stages;
use crate::support::{Project, program, skip};

const MANIFEST: &str = r#"
[project]
name = "shop"

[environments.dev]
[environments.prod]

[secrets.SESSION]
kind = "random"
rotate = "30d"
overlap = "24h"

[secrets.STAYS]
kind = "random"

[secrets.VAULT]
kind = "encryption-key"

[secrets.PARTNER]
kind = "external"
optional = true
rotate = "30d"

[secrets.CA]
kind = "ca"
ttl = "1000d"

[secrets.TLS]
kind = "certificate"
issuer = "CA"
dns = ["localhost"]
ttl = "30d"

[secrets.SERVICE]
kind = "token"
signed_by = "SESSION"
ttl = "365d"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["SESSION", "STAYS"]
environments = ["dev"]
"#;

/// Lets time pass, by moving what was made and replaced into the past.
fn pass(project: &Project, time: TimeDelta) {
    project.edit_store(|store| {
        let back = |at: &mut Option<DateTime<Utc>>| *at = at.map(|at| at - time);
        for version in store.secrets.values_mut().flatten() {
            version.created -= time;
            back(&mut version.expires);
            back(&mut version.life.replaced);
            if let Some(begun) = version.facts.get_mut("not_before") {
                *begun = (DateTime::parse_from_rfc3339(begun).unwrap() - time).to_rfc3339();
            }
        }
    });
}

#[test]
fn when_nothing_is_due_it_needs_neither_identity_nor_turn_and_says_nothing() {
    let project = Project::initialised(MANIFEST);
    std::fs::rename(project.identity(), project.home().join("elsewhere")).unwrap();
    let _lock = Root::open(project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap();
    let before = project.snapshot();
    for arguments in [&["rotate", "--due"][..], &["-e", "dev", "rotate", "--due"], &["rotate", "--due", "--json", "-v"]]
    {
        let run = project.run(arguments).assert_code(0);
        assert_eq!(run.both(), "");
    }
    assert!(project.snapshot() == before);
}

#[test]
fn another_environment_has_days_of_its_own() {
    let project = Project::initialised(MANIFEST);
    project.run(["-e", "prod", "init"]).assert_code(0);
    pass(&project, TimeDelta::days(31));
    assert_eq!(project.run(["-e", "prod", "rotate", "--due"]).assert_code(0).both(), "");
    assert_eq!(stages(&project, "SESSION"), [Stage::Current]);
    project.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(stages(&project, "SESSION"), [Stage::Previous, Stage::Current]);
}

#[test]
fn what_is_due_is_made_anew_with_what_hangs_from_it_in_one_change() {
    let project = Project::initialised(MANIFEST);
    let value = |name: &str| project.get(name);
    let before: Vec<_> = ["SESSION", "STAYS", "VAULT", "SERVICE"].map(value).into();
    pass(&project, TimeDelta::days(31));
    let generation = project.store().generation;
    let run = project.run(["rotate", "--due"]).assert_code(0);
    for line in ["made          SESSION", "random, since it was due", "made          SERVICE", "made          TLS"] {
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
    let after: Vec<_> = ["SESSION", "STAYS", "VAULT", "SERVICE"].map(value).into();
    let changed: Vec<bool> = before.iter().zip(&after).map(|(before, after)| before != after).collect();
    assert_eq!(changed, [true, false, false, true]);
    assert_eq!(stages(&project, "CA"), [Stage::Current], "a root is not for a schedule to make");
    assert_eq!(project.store().generation, generation + 1);
    assert!(project.read(".env").contains("SESSION_PREVIOUS="));
    // The second run has nothing to do, and knows it without an identity.
    std::fs::rename(project.identity(), project.home().join("elsewhere")).unwrap();
    assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "");
}

#[test]
fn after_a_missed_window_the_store_stays_closed_until_the_next_one() {
    let now = SystemClock.now();
    let day = |days| (now + TimeDelta::days(days)).format("%a");
    let window = format!("rotate = \"30d\"\nwindow = \"{} 02:00-05:00 UTC\"", day(3));
    let project = Project::initialised(
        &MANIFEST.replacen("rotate = \"30d\"", &window, 1).replace("ttl = \"30d\"", "ttl = \"365d\""),
    );
    // The host slept since it was made, and over the window of four days ago.
    pass(&project, TimeDelta::days(40));
    project.edit_store(|store| store.updated -= TimeDelta::days(40));
    project.run(["render"]).assert_code(0);
    let identity = project.home().join("elsewhere");
    std::fs::rename(project.identity(), &identity).unwrap();
    assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "");
    let next = project.ledger().header.due.unwrap();
    assert!(next > now && next < now + TimeDelta::days(4), "{next}");
    let status = project.run(["rotate", "status"]).assert_code(0);
    assert!(status.stderr.contains(&format!("due from {} on", next.format("%Y-%m-%d %H:%M:%S UTC"))), "{status:?}");
    // A clock that was ahead when this was found says nothing of the time until then.
    let ledger = project.read(".vault-kit/dev.ledger.jsonl");
    let found = project.ledger().header.missed.unwrap();
    let moment =
        |at: DateTime<Utc>| format!("\"missed\":\"{}\"", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    project.write(
        ".vault-kit/dev.ledger.jsonl",
        ledger.replacen(&moment(found), &moment(found + TimeDelta::days(365)), 1),
    );
    project.run(["rotate", "--due"]).assert_code(4);
    std::fs::rename(&identity, project.identity()).unwrap();
    assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "");
    assert_eq!(stages(&project, "SESSION"), [Stage::Current]);
    assert!(project.ledger().header.missed.unwrap() < found + TimeDelta::days(1));
    // What is due besides is done, whatever window was missed.
    let text = project.read("vault-kit.toml");
    project.write(
        "vault-kit.toml",
        text.replacen("[secrets.STAYS]\nkind = \"random\"", "[secrets.STAYS]\nkind = \"random\"\nrotate = \"30d\"", 1),
    );
    project.run(["rotate", "--due"]).assert_code(0);
    assert_eq!([stages(&project, "SESSION").len(), stages(&project, "STAYS").len()], [1, 2]);
}

#[test]
fn the_end_of_an_overlap_is_due_too() {
    let project = Project::initialised(MANIFEST);
    project.run(["rotate", "SESSION"]).assert_code(0);
    assert!(project.read(".env").contains("SESSION_PREVIOUS="));
    let due = project.ledger().header.due.unwrap();
    let replaced = project.store().secrets[&SecretName::new("SESSION").unwrap()][0].life.replaced.unwrap();
    assert_eq!(due, replaced + TimeDelta::hours(24));
    // The ledger is that of a day ago.
    let text = project.read(".vault-kit/dev.ledger.jsonl");
    pass(&project, TimeDelta::hours(25));
    let moment = |at: DateTime<Utc>| format!("\"due\":\"{}\"", at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    let text = text.replacen(&moment(due), &moment(due - TimeDelta::hours(25)), 1);
    project.write(".vault-kit/dev.ledger.jsonl", text);
    let run = project.run(["rotate", "--due"]).assert_code(0);
    assert!(run.stderr.contains("wrote         .env"), "{}", run.stderr);
    assert!(!project.read(".env").contains("SESSION_PREVIOUS="));
}

#[test]
fn what_serves_beside_its_successor_is_not_cut_without_a_yes() {
    let project = Project::initialised(MANIFEST);
    project.run(["rotate", "STAYS", "SESSION"]).assert_code(0);
    let before = project.contents();
    for names in [&["SESSION"][..], &["STAYS", "SESSION"]] {
        let run = project.run(["rotate"].iter().chain(names)).assert_code(2);
        assert!(run.stderr.contains("retire the old value of `SESSION` now"), "{run:?}");
        assert!(project.contents() == before);
    }
    // What has no overlap, and what was said to be meant.
    project.run(["rotate", "STAYS"]).assert_code(0);
    project.run(["rotate", "SESSION", "--yes"]).assert_code(0);
    pass(&project, TimeDelta::hours(25));
    project.run(["rotate", "SESSION"]).assert_code(0);
}

#[test]
fn a_writer_that_died_before_its_files_were_written_is_followed_up() {
    let project = Project::initialised(MANIFEST);
    let (env, ledger) = (project.bytes(".env"), project.bytes(".vault-kit/dev.ledger.jsonl"));
    project.run(["rotate", "SESSION"]).assert_code(0);
    let written = project.bytes(".env");
    // It died between store and ledger.
    project.write(".env", &env);
    project.write(".vault-kit/dev.ledger.jsonl", &ledger);
    project.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(project.bytes(".env"), written);
    // It died between ledger and files.
    let text = project.read(".vault-kit/dev.ledger.jsonl");
    project.write(".env", &env);
    project.write(
        ".vault-kit/dev.ledger.jsonl",
        text.replacen("\"is_default\":true", "\"is_default\":true,\"behind\":true", 1),
    );
    project.run(["rotate", "--due"]).assert_code(0);
    assert_ne!(project.bytes(".env"), env);
}

#[test]
fn a_manifest_that_changed_is_read_again_and_then_believed_again() {
    let project = Project::initialised(MANIFEST);
    project.write("vault-kit.toml", format!("{MANIFEST}\n# a remark\n"));
    let before = project.read(".env");
    assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "");
    std::fs::rename(project.identity(), project.home().join("elsewhere")).unwrap();
    assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "");
    assert_eq!(project.read(".env"), before);
    project.write("vault-kit.toml", MANIFEST.replace("rotate = \"30d\"\noverlap", "rotate = \"1d\"\noverlap"));
    project.run(["rotate", "--due"]).assert_code(4);
}

#[test]
fn it_does_not_wait_for_its_turn_unless_asked_to() {
    let project = Project::initialised(MANIFEST);
    pass(&project, TimeDelta::days(31));
    let lock = Root::open(project.root()).unwrap().lock(".vault-kit/lock", Duration::ZERO).unwrap();
    let begun = std::time::Instant::now();
    let run = project.run(["rotate", "--due"]).assert_code(7);
    assert_eq!(run.both(), "vault-kit: error: another vault-kit is at work here; the next run does what is due\n");
    assert!(begun.elapsed() < Duration::from_secs(10));
    project.run(["rotate", "--due", "--wait", "--lock-timeout", "1s"]).assert_code(7);
    drop(lock);
    project.run(["rotate", "--due", "--wait"]).assert_code(0);
}

#[test]
fn a_clock_behind_the_store_rotates_nothing() {
    let project = Project::initialised(MANIFEST);
    pass(&project, TimeDelta::days(31));
    project.edit_store(|store| store.updated += TimeDelta::hours(1));
    for arguments in [&["rotate", "--due"][..], &["rotate", "STAYS"], &["rotate", "rollback", "STAYS"]] {
        let run = project.run(arguments).assert_code(8);
        assert!(run.stderr.contains("nothing was changed: the clock says "), "{}", run.stderr);
    }
    assert_eq!(stages(&project, "SESSION"), [Stage::Current]);
    project.run(["rotate", "--due", "--accept-clock"]).assert_code(0);
    assert_eq!(stages(&project, "SESSION"), [Stage::Previous, Stage::Current]);
}

/// Instructions as callgrind counts them.
fn instructions(project: &Project, arguments: &[&str]) -> u64 {
    let out = project.home().join("callgrind");
    let out = format!("--callgrind-out-file={}", out.display());
    let run = crate::support::Run::of(&mut project.command_under(["valgrind", "--tool=callgrind", &out], arguments));
    let run = run.assert_code(0);
    let line = run.stderr.lines().find(|line| line.contains("Collected :")).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn with_a_thousand_secrets_it_costs_little_when_nothing_is_due() {
    if program("valgrind").is_none() {
        return skip(
            "due::with_a_thousand_secrets_it_costs_little_when_nothing_is_due",
            "no valgrind: run tests/setup",
        );
    }
    let secret = |it| format!("[secrets.KEY_{it}]\nkind = \"random\"\nrotate = \"30d\"\n");
    let secrets: Vec<String> = (0..1000).map(secret).collect();
    let project = Project::initialised(&format!("[project]\nname = \"shop\"\n{}", secrets.concat()));
    let (due, version) = (instructions(&project, &["rotate", "--due"]), instructions(&project, &["--version"]));
    // What it does beyond being started: two digests, which valgrind's processor has no instruction for, and one line of JSON.
    // That is 10.1 million in the binary that is released and 11.8 in this one: what benches/FIGURES.md measures as time, at
    // most five times `true`. To parse the manifest, or the ledger, would be more than twice as much.
    assert!(due < version + 14_000_000, "{due} instructions, of which {version} for the start");
}
