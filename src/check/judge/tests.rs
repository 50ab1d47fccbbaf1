//! One fact goes wrong, one finding follows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::*;
use crate::check::Severity;
use crate::check::facts::{Comparison, Content, ExpectedFile, FileFact, FileState, GitFact, StaleMount, StoreFact};
use crate::check::sample::{days, env, expected, facts, ledger, manifest, name, now, redeclare, state};
use crate::manifest::Kind;
use crate::manifest::model::Rotate;
use crate::manifest::period::Period;
use crate::name::VersionId;
use crate::store::rotations::{Claim, Failure, Operation, Step, Trouble};

fn judged(ledger: Option<&Ledger>, facts: &Facts) -> Report {
    judge(&manifest(), &env("dev"), ledger, facts, &[Place::Host], now())
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code.text()).collect()
}

/// The codes that follow from a change of the ledger.
fn after(change: impl FnOnce(&mut Ledger)) -> Vec<&'static str> {
    let mut ledger = ledger();
    change(&mut ledger);
    codes(&judged(Some(&ledger), &facts()))
}

/// The codes that follow from a change of the facts.
fn with(change: impl FnOnce(&mut Facts)) -> Vec<&'static str> {
    let mut facts = facts();
    change(&mut facts);
    codes(&judged(Some(&ledger()), &facts))
}

fn entry<'a>(ledger: &'a mut Ledger, text: &str) -> &'a mut crate::store::ledger::Entry {
    ledger.secrets.get_mut(&name(text)).unwrap()
}

#[test]
fn where_nothing_is_wrong_nothing_is_found() {
    let report = judged(Some(&ledger()), &facts());
    assert_eq!(codes(&report), [""; 0]);
    assert_eq!(report.not_checked, []);
    assert_eq!((report.looked_at.secrets, report.looked_at.files), (3, 1));
    assert_eq!(report.exit_kind(Severity::Notice, true), None);
}

#[test]
fn each_fault_of_a_value_has_its_code() {
    assert_eq!(after(|ledger| entry(ledger, "API_KEY").placeholder = true), ["placeholder"]);
    assert_eq!(after(|ledger| entry(ledger, "API_KEY").mismatch = true), ["pattern-mismatch"]);
    assert_eq!(after(|ledger| entry(ledger, "API_KEY").bits = Some(63)), ["weak"]);
    assert_eq!(after(|ledger| entry(ledger, "API_KEY").bits = Some(64)), [""; 0]);
    assert_eq!(after(|ledger| entry(ledger, "KEY").bits = Some(111)), ["weak"], "a signing key needs more");
    assert_eq!(after(|ledger| entry(ledger, "KEY").recipe = Some("r0".into())), ["declaration-changed"]);
    assert_eq!(after(|ledger| entry(ledger, "KEY").fingerprint = Some("fp-TOKEN".into())), ["reused", "reused"]);
}

#[test]
fn a_container_with_an_old_file_is_named_with_how_to_restart_it() {
    let stale = |service: Option<(&str, &str)>| StaleMount {
        file: ".env".into(),
        container: "shop-web-1".into(),
        service: service.map(|(project, service)| (project.into(), service.into())),
    };
    let facts = Facts { stale_mounts: vec![stale(Some(("shop", "web"))), stale(None)], ..facts() };
    let report = judged(Some(&ledger()), &facts);
    assert_eq!(codes(&report), ["mounted-stale"; 2]);
    let fixes: Vec<&str> = report.findings.iter().map(|finding| finding.fix.split("  ").next().unwrap()).collect();
    assert_eq!(fixes, ["docker compose -p shop restart web", "docker restart shop-web-1"]);
    assert!(report.findings[0].fix.ends_with("in_place = true in [outputs.env]"));
}

#[test]
fn a_file_that_waits_for_a_value_is_mended_by_what_supplies_it() {
    let fixes = |ledger: Option<&Ledger>, store: StoreFact| {
        let mut facts = Facts { store, ..facts() };
        facts.files.insert(".env".into(), FileFact::Absent);
        let report = judged(ledger, &facts);
        let about_file = report.findings.into_iter().filter(|it| it.file.as_deref() == Some(".env"));
        about_file.map(|it| it.fix).collect::<Vec<_>>()
    };
    let mut gone = ledger();
    let present = facts().store;
    assert_eq!(fixes(Some(&gone), present.clone()), ["vault-kit render"]);
    gone.secrets.remove(&name("KEY"));
    assert_eq!(fixes(Some(&gone), present.clone()), ["vault-kit generate KEY"]);
    // What a person has to supply comes first.
    gone.secrets.remove(&name("API_KEY"));
    assert_eq!(fixes(Some(&gone), present), ["vault-kit set API_KEY"]);
    assert_eq!(fixes(None, StoreFact::Absent), ["vault-kit init"]);
}

fn operation(step: Step, failed: Option<&str>) -> Operation {
    let mut trouble = Trouble::default();
    if let Some(at) = failed {
        let (hook, code) = ("postgres".to_owned(), "hook-timed-out".to_owned());
        trouble.add(Failure { step: at.to_owned(), hook, code, at: now() - days(1) });
    }
    let base = VersionId::from_random([1; 16]);
    Operation {
        base,
        candidate: None,
        recipe: None,
        step,
        started: now(),
        trouble,
        retire_at: None,
        remote: None,
        turn: None,
    }
}

#[test]
fn a_rotation_that_failed_is_told_with_what_it_leaves_and_the_command() {
    let mut ledger = ledger();
    entry(&mut ledger, "KEY").rotation = Some(Box::new(operation(Step::Setting, Some("set"))));
    entry(&mut ledger, "API_KEY").rotation = Some(Box::new(operation(Step::Retiring, Some("retire"))));
    let report = judged(Some(&ledger), &facts());
    assert_eq!(codes(&report), ["rotation-failed"; 2]);
    let [retire, set] = report.findings.as_slice() else { panic!() };
    assert_eq!(retire.fix, "vault-kit rotate resume API_KEY", "what is in force is not given up");
    assert!(retire.message.ends_with("the new value is in force, and the old one may still be accepted"));
    assert_eq!(set.fix, "vault-kit rotate resume KEY    # or give it up: vault-kit rotate abort KEY");
    assert_eq!(
        set.message,
        "`set` of hook `postgres` took too long and was stopped, last 2027-01-14 08:00 UTC with hook-timed-out: \
         the old value is in force"
    );
}

#[test]
fn a_rotation_that_nobody_carried_on_is_told_and_one_that_is_going_on_or_waits_is_not() {
    let after_start = |hours: i64, is_at_work: bool, remote: Option<Claim>| {
        let started = now() - TimeDelta::hours(hours);
        let mut ledger = ledger();
        let operation = Operation { started, remote, ..operation(Step::Set, None) };
        entry(&mut ledger, "KEY").rotation = Some(Box::new(operation));
        codes(&judged(Some(&ledger), &Facts { is_at_work, ..facts() }))
    };
    assert_eq!(after_start(0, true, None), [""; 0]);
    assert_eq!(after_start(1, true, None), ["rotation-unfinished"]);
    assert_eq!(after_start(0, false, None), ["rotation-unfinished"], "nobody is alive who could go on with it");
    let text = || "text".to_owned();
    let claim = || Claim { name: text(), arn: text(), current: text(), attempt: text(), id: text() };
    assert_eq!(after_start(0, false, Some(claim())), [""; 0], "it may wait for another host");
    assert_eq!(after_start(1, false, Some(claim())), ["rotation-unfinished"]);
    let promoted = |retire_at| {
        let operation =
            Operation { retire_at: Some(retire_at), started: now() - days(9), ..operation(Step::Promoted, None) };
        after(|ledger| entry(ledger, "KEY").rotation = Some(Box::new(operation)))
    };
    assert_eq!(promoted(now() + days(1)), [""; 0], "it waits for the end of its overlap");
    assert_eq!(promoted(now() - days(1)), ["rotation-unfinished"]);
}

#[test]
fn a_program_that_was_not_told_of_changed_files_is_named() {
    let mut ledger = ledger();
    ledger.header.reloads.insert("nginx".into(), Trouble::default());
    let mut failed = operation(Step::Setting, Some("reload")).trouble;
    failed.add(Failure { hook: "haproxy".into(), ..failed.failed.clone().unwrap() });
    ledger.header.reloads.insert("haproxy".into(), failed);
    let report = judged(Some(&ledger), &facts());
    assert_eq!(codes(&report), ["reload-owed"; 2]);
    let told: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert!(
        told[0].starts_with("`reload` of hook `haproxy` took too long and was stopped 2 times, last 2027-01-14"),
        "{told:?}"
    );
    assert!(told[1].starts_with("`reload` of hook `nginx` was not run"), "{told:?}");
    assert_eq!(report.findings[0].fix, "vault-kit rotate resume");
    assert!(report.findings.iter().all(|it| it.file.as_deref() == Some("vault-kit.toml")), "{report:?}");
}

#[test]
fn the_rotation_of_what_is_declared_no_more_is_given_up() {
    let mut ledger = ledger();
    let other = crate::store::ledger::Entry {
        fingerprint: None,
        name: name("OLD"),
        rotation: Some(Box::new(operation(Step::Set, Some("test")))),
        ..ledger.secrets[&name("KEY")].clone()
    };
    ledger.secrets.insert(name("OLD"), other);
    let report = judged(Some(&ledger), &facts());
    assert_eq!(codes(&report), ["rotation-failed", "undeclared"]);
    assert_eq!(report.findings[0].fix, "vault-kit rotate abort OLD");
}

#[test]
fn what_leaked_is_found_in_force_and_in_files_and_its_fix_begins_with_what_it_is_made_from() {
    let mut ledger = ledger();
    for text in ["KEY", "TOKEN"] {
        let entry = entry(&mut ledger, text);
        entry.banned = true;
        let version = entry.version;
        ledger.header.banned.insert(version);
    }
    let report = judged(Some(&ledger), &facts());
    assert_eq!(codes(&report), ["banned", "banned"], "the file holds nothing but what is in force");
    let fixes: Vec<&str> = report.findings.iter().map(|finding| finding.fix.as_str()).collect();
    assert_eq!(fixes, ["vault-kit generate --replace KEY"; 2]);
    assert_eq!(report.findings[1].message, "is made from `KEY`, which leaked and is still in force");

    entry(&mut ledger, "KEY").banned = false;
    entry(&mut ledger, "TOKEN").banned = false;
    let report = judged(Some(&ledger), &facts());
    assert_eq!(codes(&report), ["banned"]);
    assert_eq!(report.findings[0].file.as_deref(), Some(".env"));
    assert_eq!(report.findings[0].message, "still has a value that leaked, of `KEY`, `TOKEN`");
    entry(&mut ledger, "KEY").banned = true;
    let undeclared = crate::store::ledger::Entry { name: name("OLD"), ..entry(&mut ledger, "KEY").clone() };
    ledger.secrets.insert(name("OLD"), undeclared);
    let report = judged(Some(&ledger), &facts());
    let of_old =
        |it: &&crate::check::finding::Finding| it.code == Code::Banned && it.secret.as_ref() == Some(&name("OLD"));
    let fix = report.findings.iter().find(of_old).map(|it| it.fix.as_str());
    assert_eq!(fix, Some("vault-kit remove OLD"), "nobody could make another one");
    entry(&mut ledger, "KEY").banned = false;
    ledger.secrets.remove(&name("OLD"));
    let nowhere = Facts { expected: Vec::new(), ..facts() };
    assert_eq!(judged(Some(&ledger), &nowhere).findings[0].fix, "rm .env");
}

#[test]
fn a_secret_without_a_value_is_missing_and_one_without_a_declaration_undeclared() {
    let remove = |ledger: &mut Ledger| drop(ledger.secrets.remove(&name("KEY")));
    assert_eq!(after(remove), ["missing"]);
    let add = |ledger: &mut Ledger| {
        let entry = ledger.secrets[&name("KEY")].clone();
        let entry = crate::store::ledger::Entry { fingerprint: None, name: name("OLD"), ..entry };
        ledger.secrets.insert(name("OLD"), entry);
    };
    assert_eq!(after(add), ["undeclared"]);
}

#[test]
fn a_token_is_orphaned_when_the_key_that_signed_it_is_not_the_one_that_is_there() {
    let signed = |by: VersionId| {
        move |ledger: &mut Ledger| {
            entry(ledger, "TOKEN").inputs.insert(name("KEY"), by);
        }
    };
    let current = ledger().secrets[&name("KEY")].version;
    assert_eq!(after(signed(current)), [""; 0]);
    assert_eq!(after(signed(VersionId::from_random([9; 16]))), ["token-orphaned"]);
    let gone = |ledger: &mut Ledger| {
        signed(current)(ledger);
        ledger.secrets.remove(&name("KEY"));
    };
    assert_eq!(after(gone), ["missing", "token-orphaned"]);
}

#[test]
fn an_optional_secret_may_be_absent() {
    let mut manifest = manifest();
    redeclare(&mut manifest, "API_KEY", |it| it.optional = true);
    let mut ledger = ledger();
    ledger.secrets.remove(&name("API_KEY"));
    let report = judge(&manifest, &env("dev"), Some(&ledger), &facts(), &[Place::Host], now());
    assert_eq!(codes(&report), [""; 0]);
}

#[test]
fn the_gravest_of_expired_expiring_and_due_is_told() {
    // Made 10 days ago: a third of its life is left from 20 days of life on.
    let expires = |left| after(move |ledger| entry(ledger, "TOKEN").expires = Some(now() + days(left)));
    assert_eq!(expires(0), ["expired"]);
    assert_eq!(expires(5), ["expiring"]);
    assert_eq!(expires(6), [""; 0]);
}

#[test]
fn what_is_due_is_told_by_the_manifest_of_today_and_an_expiry_goes_before_it() {
    // Both were made 10 days ago; the ledger's own `due`, of when the store was written, is far ahead.
    let judged = |rotate, expires| {
        let mut manifest = manifest();
        for text in ["API_KEY", "TOKEN"] {
            redeclare(&mut manifest, text, |it| it.rotate = Some(Rotate::Every(Period::days(rotate))));
        }
        let mut ledger = ledger();
        entry(&mut ledger, "TOKEN").expires = Some(now() + days(expires));
        codes(&judge(&manifest, &env("dev"), Some(&ledger), &facts(), &[Place::Host], now()))
    };
    assert_eq!(judged(11, 80), [""; 0]);
    assert_eq!(judged(10, 80), ["rotation-due", "rotation-due"]);
    assert_eq!(judged(10, 0), ["expired", "rotation-due"]);
}

#[test]
fn what_no_schedule_rotates_before_an_overlap_has_ended_is_not_due_until_then() {
    let mut manifest = manifest();
    redeclare(&mut manifest, "KEY", |it| it.rotate = Some(Rotate::Every(Period::days(1))));
    let judged = |retire_at, trouble| {
        let mut ledger = ledger();
        entry(&mut ledger, "KEY").created = now() - days(2);
        let operation = Operation { retire_at: Some(retire_at), ..operation(Step::Promoted, trouble) };
        entry(&mut ledger, "KEY").rotation = Some(Box::new(operation));
        codes(&judge(&manifest, &env("dev"), Some(&ledger), &facts(), &[Place::Host], now()))
    };
    assert_eq!(judged(now() + TimeDelta::seconds(1), None), [""; 0]);
    assert_eq!(judged(now(), None), ["rotation-due"]);
    assert_eq!(judged(now() + days(1), Some("retire")), ["rotation-failed", "rotation-due"]);
}

#[test]
fn other_values_are_announced_a_tenth_of_their_life_ahead_but_at_most_a_month() {
    let expires = |age, left| {
        after(move |ledger| {
            entry(ledger, "API_KEY").created = now() - days(age);
            entry(ledger, "API_KEY").expires = Some(now() + days(left));
        })
    };
    assert_eq!((expires(90, 10), expires(89, 11)), (vec!["expiring"], vec![]));
    assert_eq!((expires(970, 30), expires(969, 31)), (vec!["expiring"], vec![]));
}

#[test]
fn a_value_of_another_environment_is_reused() {
    let mut other = ledger();
    other.secrets.retain(|key, _| *key == name("KEY"));
    assert_eq!(with(|facts| drop(facts.others.insert(env("prod"), other))), ["reused"]);
}

#[test]
fn missing_and_could_not_look_are_never_the_same() {
    let no_store = Facts { store: StoreFact::Absent, ..facts() };
    let report = judged(None, &no_store);
    assert_eq!(codes(&report), ["missing"; 3]);
    assert_eq!(report.findings[0].fix, "vault-kit init");

    let report = judged(None, &facts());
    assert_eq!(codes(&report), ["ledger-stale"]);
    assert_eq!(report.not_checked[0].what, "secrets");

    assert_eq!(with(|facts| facts.store = StoreFact::Absent), ["store-missing"]);
    assert_eq!(with(|facts| facts.store = StoreFact::Present("other".into())), ["ledger-stale"]);

    let unreadable = Facts { store: StoreFact::Unreadable("no".into()), ..facts() };
    let report = judged(Some(&ledger()), &unreadable);
    assert_eq!(
        (report.exit_kind(Severity::Notice, false), report.exit_kind(Severity::Notice, true)),
        (None, Some(crate::exit::Kind::Findings))
    );
}

#[test]
fn each_fault_of_a_file_has_its_code() {
    let file = |fact: FileFact| with(|facts| drop(facts.files.insert(".env".into(), fact)));
    assert_eq!(file(FileFact::Absent), ["missing"]);
    assert_eq!(file(FileFact::Symlink(".env".into())), ["symlink"]);
    assert_eq!(file(FileFact::NotAFile), ["not-a-file"]);
    assert_eq!(file(FileFact::Unreadable("no".into())), [""; 0]);
    assert_eq!(file(FileFact::File(FileState { mode: 0o640, ..state() })), ["mode-too-open"]);
    assert_eq!(file(FileFact::File(FileState { mode: 0o400, ..state() })), [""; 0]);
    assert_eq!(file(FileFact::File(FileState { mode: 0o200, ..state() })), ["mode-too-narrow"]);
    assert_eq!(file(FileFact::File(FileState { uid: 1001, ..state() })), ["wrong-owner"]);
    assert_eq!(file(FileFact::File(FileState { links: 2, ..state() })), ["hard-linked"]);
    let open = |facts: &mut Facts| _ = facts.open_directories.insert(".secrets".into(), 0o777);
    assert_eq!(with(open), ["directory-writable-by-others"]);
}

#[test]
fn a_file_is_stale_when_the_store_or_its_content_moved_on() {
    let newer = |facts: &mut Facts| {
        facts.expected[0].holds.insert(name("KEY"), crate::name::VersionId::from_random([9; 16]));
    };
    let mut moved = facts();
    newer(&mut moved);
    let report = judged(Some(&ledger()), &moved);
    assert_eq!(codes(&report), ["stale"]);
    assert_eq!(report.findings[0].secret, Some(name("KEY")));

    let content = |of_key: Comparison, of_setting: Option<Comparison>| {
        let mut values: BTreeMap<SecretName, Comparison> =
            ["API_KEY", "TOKEN"].map(|text| (name(text), Comparison::Same)).into();
        values.insert(name("KEY"), of_key);
        values.extend(of_setting.map(|comparison| (name("CORS_ORIGINS"), comparison)));
        let fact = FileFact::File(FileState { content: Content::Compared(values), ..state() });
        judged(Some(&ledger()), &Facts { files: BTreeMap::from([(".env".into(), fact)]), ..facts() })
    };
    assert_eq!(codes(&content(Comparison::Same, Some(Comparison::Same))), [""; 0]);
    assert_eq!(codes(&content(Comparison::Different, Some(Comparison::Same))), ["stale"]);
    assert_eq!(codes(&content(Comparison::Same, Some(Comparison::Different))), ["stale"]);
    assert_eq!(codes(&content(Comparison::Same, None)), ["stale"], "the setting's line is gone");
    let unknown = content(Comparison::Unknown, Some(Comparison::Same));
    assert_eq!((codes(&unknown), unknown.not_checked.len()), (vec![], 1));
}

#[test]
fn git_must_not_have_the_values() {
    let git = |tracked: &[&str], ignored: Option<bool>| GitFact::WorkTree {
        tracked: tracked.iter().map(|path| (*path).to_owned()).collect(),
        ignored: BTreeMap::from([(".env".to_owned(), ignored)]),
        taken_back: BTreeMap::new(),
        nested: BTreeMap::new(),
    };
    assert_eq!(with(|facts| facts.git = git(&[], Some(true))), [""; 0]);
    assert_eq!(with(|facts| facts.git = git(&[".env"], Some(true))), ["tracked-by-git"]);
    assert_eq!(with(|facts| facts.git = git(&[], Some(false))), ["not-ignored"]);
    assert_eq!(with(|facts| facts.git = git(&[], None)), [""; 0]);
    let public = |facts: &mut Facts| {
        facts.expected[0] = ExpectedFile { public: true, ..expected() };
        facts.git = git(&[".env"], Some(false));
    };
    assert_eq!(with(public), [""; 0], "a certificate may be committed");
}

#[test]
fn an_example_must_not_show_a_value_in_use() {
    let example = |comparison| BTreeMap::from([(".env.example".into(), BTreeMap::from([(name("KEY"), comparison)]))]);
    assert_eq!(with(|facts| facts.examples = example(Comparison::Same)), ["example-value"]);
    assert_eq!(with(|facts| facts.examples = example(Comparison::Different)), [""; 0]);
}

#[test]
fn production_does_not_allow_every_origin() {
    let manifest = manifest();
    let report = judge(&manifest, &env("prod"), None, &Facts::default(), &[Place::Repo], now());
    assert_eq!(codes(&report), ["wildcard-origin"]);
    assert_eq!(report.findings[0].secret, Some(name("CORS_ORIGINS")));
}

#[test]
fn variables_are_judged_by_what_a_job_would_see() {
    let secret = crate::secret::Secret::copy_of;
    let variables = BTreeMap::from([
        ("API_KEY".to_owned(), secret(b"changeme")),
        ("KEY".to_owned(), secret(b"0123456789")),
        ("TOKEN".to_owned(), secret(b"")),
        ("CORS_ORIGINS".to_owned(), secret(b"x")),
    ]);
    let manifest = manifest();
    let verdicts = crate::check::environment::inspect(&manifest, &env("dev"), &variables);
    let facts = Facts { variables: Some(verdicts), ..Facts::default() };
    let report = judge(&manifest, &env("dev"), None, &facts, &[Place::Env], now());
    assert_eq!(codes(&report), ["missing", "placeholder", "weak"]);
    let names: Vec<String> =
        report.findings.iter().map(|finding| finding.secret.clone().unwrap().to_string()).collect();
    assert_eq!(names, ["TOKEN", "API_KEY", "KEY"]);
    assert_eq!(report.looked_at.variables, 4);
}

#[test]
fn what_stands_around_the_value_of_a_variable_is_told() {
    let manifest = manifest();
    for (value, told) in [
        ("\"Zk3vYq8mT1xWc5RbLpQ7\"", "has quotes around its value"),
        ("'Zk3vYq8mT1xWc5RbLpQ7'", "has quotes around its value"),
        ("Zk3vYq8mT1xWc5RbLpQ7 ", "has blanks or line breaks around its value"),
        ("Zk3vYq8mT1xWc5RbLpQ7\n", "has blanks or line breaks around its value"),
        ("Zk3vYq8mT1xWc5\"RbLpQ7'", ""),
        ("{\"Zk3vYq8mT1\": \"xWc5RbLpQ7\"}", ""),
        ("-----BEGIN PRIVATE KEY-----\nZk3vYq8mT1xWc5RbLpQ7\n-----END PRIVATE KEY-----\n", ""),
    ] {
        let variables = BTreeMap::from([("API_KEY".to_owned(), crate::secret::Secret::copy_of(value.as_bytes()))]);
        let seen = crate::check::environment::inspect(&manifest, &env("dev"), &variables);
        let facts = Facts { variables: Some(seen), ..Facts::default() };
        let report = judge(&manifest, &env("dev"), None, &facts, &[Place::Env], now());
        let quoted = report.findings.iter().find(|it| it.code == Code::Quoted);
        let message = quoted.map_or("", |it| it.message.as_str());
        assert!(if told.is_empty() { message.is_empty() } else { message.starts_with(told) }, "{value}: {message}");
    }
}

#[test]
fn fixes_name_the_environment_unless_it_is_the_default_one() {
    let mut manifest = manifest();
    manifest.secrets.retain(|_, declaration| matches!(declaration.kind, Kind::Uuid));
    let report = judge(&manifest, &env("prod"), None, &Facts::default(), &[Place::Host], now());
    assert_eq!(report.findings[0].fix, "vault-kit -e prod init");
    assert_eq!(crate::shell::path("a b'c"), r"'a b'\''c'");
    assert_eq!(crate::shell::path("-rf"), "./-rf");
}

#[test]
fn the_same_facts_make_the_same_report_whatever_the_order_of_places() {
    let places = [Place::Repo, Place::Host, Place::Repo];
    let report = judge(&manifest(), &env("dev"), None, &Facts::default(), &places, now());
    assert_eq!(report.places, [Place::Host, Place::Repo]);
    let codes: BTreeSet<Code> = report.findings.iter().map(|finding| finding.code).collect();
    assert!(report.findings.is_sorted_by_key(|finding| finding.code) && !codes.is_empty());
}

#[test]
fn what_may_have_retired_is_asked_once_a_file_however_many_secrets_an_output_has() {
    for (format, declared, asked_a_file) in [
        ("pem", "kind = \"certificate\"\nissuer = \"self\"\ndns = [\"localhost\"]", 1),
        ("docker-secrets", "kind = \"random\"", 0),
    ] {
        for count in [10, 100] {
            let mut text = format!("project.name = \"p\"\n[outputs.all]\nformat = \"{format}\"\npath = \"all\"\n");
            let mut ledger = ledger();
            for name in (0..count).map(|index| name(&format!("S{index}"))) {
                text.push_str(&["[secrets.", name.as_str(), "]\n", declared, "\n"].concat());
                let entry = crate::store::ledger::Entry { name: name.clone(), ..ledger.secrets["KEY"].clone() };
                ledger.secrets.insert(name, entry);
            }
            let manifest = crate::manifest::parse(&text, "m").unwrap();
            let expected = crate::deliver::expected::files(&manifest, &env("dev"), Some(&ledger), now());
            assert!(expected.len() >= count);
            let output = &manifest.outputs["all"];
            let asked: usize = expected.iter().map(|file| files::may_retire_in(file, output).count()).sum();
            assert_eq!(asked, asked_a_file * expected.len(), "{format}, {count}");
        }
    }
}
