//! What is asked of programs, in which order, and what becomes of it.

use chrono::TimeDelta;
use vault_kit::rotate::machine::Machine;
use vault_kit::rotate::programs::Step::{Reload, Retire, Set, Test};
use vault_kit::rotate::rollback;
use vault_kit::rotate::select::Order;
use vault_kit::rotate::{Report, What};
use vault_kit::secret::digest::sha256_hex;
use vault_kit::store::Stage::{Candidate, Current, Previous};
use vault_kit::store::rotations::{Ending, Step as Reached};

use crate::fixture::{Act, Ground, MANIFEST, Stagehand, actions, delivered, names, stages};
use crate::support::Project;

fn asked(hook: &str, steps: &[vault_kit::rotate::programs::Step]) -> Vec<(String, vault_kit::rotate::programs::Step)> {
    steps.iter().map(|step| (hook.to_owned(), *step)).collect()
}

fn codes(report: &Report) -> Vec<&str> {
    report.problems.iter().map(|problem| problem.failure.code.as_str()).collect()
}

fn now(machine: &Machine<'_>, name: &str) -> vault_kit::error::Result<Report> {
    machine.run(&Order::Now(names([name])), false)
}

fn due(machine: &Machine<'_>) -> vault_kit::error::Result<Report> {
    machine.run(&Order::Due, false)
}

#[test]
fn a_rotation_asks_its_programs_in_order_and_reloads_only_what_changed() {
    let project = Project::initialised(MANIFEST);
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    let (old, session) = (project.get("DB"), project.get("SESSION"));
    let before = project.store().generation;
    let report = ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();

    let new = project.get("DB");
    assert_ne!(new, old);
    assert_eq!(delivered(&project).as_bytes(), new);
    assert!(project.read(".env").contains(&format!("postgres://app:{}@", delivered(&project))), "the cascade");
    assert_eq!(project.get("SESSION"), session);
    let log: Vec<_> = hand.asked.borrow().iter().map(|it| (it.hook.clone(), it.step)).collect();
    assert_eq!(
        log,
        [asked("postgres", &[Set, Test]), asked("nginx", &[Reload]), asked("postgres", &[Retire])].concat()
    );
    let (new, old) = (Some(sha256_hex(&new)), Some(sha256_hex(&old)));
    for call in hand.asked.borrow().iter().filter(|it| it.hook == "postgres") {
        assert_eq!((&call.new, &call.old), (&new, &old), "{call:?}");
    }
    assert_eq!(*hand.accepted.borrow(), new.into_iter().collect());
    assert_eq!(stages(&project, "DB"), [Previous, Current]);
    let store = project.store();
    assert!(store.rotations.running.is_empty() && store.rotations.reloads.is_empty());
    assert_eq!(store.rotations.results[names(["DB"]).first().unwrap()].outcome, Ending::Promoted);
    assert!(report.problems.is_empty() && report.reloaded == ["nginx"]);
    let steps = [
        "rotate-stage",
        "rotate-set",
        "rotate-test",
        "rotate-promote",
        "rotate-reload",
        "rotate-retire",
        "rotate-retired",
    ];
    assert_eq!(actions(&project), steps);
    assert_eq!(store.generation, before + steps.len() as u64);
}

#[test]
fn a_candidate_is_nobody_s_until_it_is_promoted() {
    let project = Project::initialised(MANIFEST);
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    let (old, files, kept) = (project.get("DB"), project.read(".env"), project.ledger());
    hand.act(Test, Act::Fail);
    let report = ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    assert_eq!(codes(&report), ["hook-failed"]);
    assert_eq!(stages(&project, "DB"), [Current, Candidate]);
    assert_eq!((project.get("DB"), project.read(".env")), (old.clone(), files.clone()));
    let name = names(["DB"]).pop_first().unwrap();
    assert_eq!(project.ledger().secrets[&name].version, kept.secrets[&name].version);
    project.run(["render"]).assert_code(0);
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.starts_with("rotation-failed  DB") && check.stdout.contains("1 problem found"), "{check:?}");
    let run = project.run(["run", "--", "printenv", "DB"]).assert_code(0);
    assert_eq!((run.stdout.trim_end().as_bytes(), project.read(".env")), (old.as_slice(), files));
}

#[test]
fn keep_does_not_count_a_candidate_and_what_it_replaces_is_not_purged() {
    let project = Project::initialised(&MANIFEST.replace("name = \"shop\"", "name = \"shop\"\nkeep = 1"));
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    hand.act(Retire, Act::Fail);
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    // The old value is still to be retired, whatever else changes meanwhile.
    project.run(["generate", "--replace", "SESSION", "--yes"]).assert_code(0);
    project.run(["generate", "--replace", "SESSION", "--yes"]).assert_code(0);
    let old = &project.store().secrets[names(["DB"]).first().unwrap()][0];
    assert!(old.parts.primary().is_some());
}

#[test]
fn a_step_that_fails_promotes_nothing_and_is_tried_again_with_the_same_value() {
    for (step, act, code) in [
        (Set, Act::Fail, "hook-failed"),
        (Set, Act::TimeOut, "hook-timed-out"),
        (Set, Act::Later, "hook-not-now"),
        (Set, Act::NotStarted, "hook-not-started"),
        (Test, Act::Fail, "hook-failed"),
    ] {
        let project = Project::initialised(MANIFEST);
        let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
        let old = project.get("DB");
        hand.act(step, act);
        let report = ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
        assert_eq!(codes(&report), [code], "{step:?}");
        assert_eq!(report.problems[0].error().kind().code(), 8);
        assert_eq!(project.get("DB"), old);
        let candidate = |project: &Project| project.store().rotations.running.values().next().unwrap().candidate;
        let first = candidate(&project).unwrap();

        // The pause grows from five minutes on.
        hand.steps();
        for minutes in [5, 10, 20] {
            hand.pass(TimeDelta::minutes(minutes) - TimeDelta::seconds(1));
            ground.machine(&hand, due).unwrap().unwrap();
            assert_eq!(hand.steps(), [], "after {minutes} minutes less a second");
            hand.pass(TimeDelta::seconds(1));
            let report = ground.machine(&hand, due).unwrap().unwrap();
            assert_eq!((codes(&report), candidate(&project)), (vec![code], Some(first)));
            hand.steps();
        }
        // A person need not wait.
        hand.act(step, Act::Done);
        ground.machine(&hand, |machine| machine.run(&Order::Resume(names([])), true)).unwrap().unwrap();
        let store = project.store();
        assert_eq!(store.current(names(["DB"]).first().unwrap()).unwrap().id, first);
        assert_eq!(stages(&project, "DB"), [Previous, Current], "one new version");
        assert!(store.rotations.running.is_empty());
    }
}

#[test]
fn naming_a_secret_in_flight_goes_on_with_its_value() {
    let project = Project::initialised(MANIFEST);
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    hand.act(Set, Act::Fail);
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    hand.act(Set, Act::Done);
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    assert_eq!(stages(&project, "DB"), [Previous, Current]);
}

#[test]
fn what_fails_holds_nothing_else_up() {
    let project = Project::initialised(MANIFEST);
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    hand.act(Set, Act::Fail);
    let old = (project.get("DB"), project.get("SESSION"));
    let order = Order::Now(names(["DB", "SESSION"]));
    let report = ground.machine(&hand, |machine| machine.run(&order, false)).unwrap().unwrap();
    assert_eq!((codes(&report), project.get("DB")), (vec!["hook-failed"], old.0));
    assert_ne!(project.get("SESSION"), old.1);
    assert_eq!(report.reloaded, ["cache", "nginx"]);
}

#[test]
fn giving_up_hands_the_current_value_to_its_owner_again() {
    for at in [Set, Test] {
        let project = Project::initialised(MANIFEST);
        let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
        let old = sha256_hex(&project.get("DB"));
        hand.act(at, Act::Fail);
        ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
        let candidate = hand.asked.borrow()[0].new.clone();
        hand.steps();

        // The owner cannot be reached: what was given up stays so, and is finished later.
        hand.act(Set, Act::Fail);
        let report = ground.machine(&hand, |machine| machine.abort(&names(["DB"]), false)).unwrap().unwrap();
        assert_eq!(codes(&report), ["hook-failed"]);
        assert!(report.problems[0].error().to_string().contains("the owner may know the candidate"));
        assert_eq!(project.store().rotations.running.values().next().unwrap().step, Reached::Aborting);
        hand.act(Set, Act::Done);
        hand.steps();
        hand.pass(TimeDelta::minutes(5));
        let report = ground.machine(&hand, due).unwrap().unwrap();
        assert_eq!(report.events.iter().map(|it| &it.what).collect::<Vec<_>>(), [&What::Aborted]);
        let asked = hand.asked.borrow();
        let last: Vec<_> = asked.iter().rev().take(2).rev().map(|it| (it.step, &it.new, &it.old)).collect();
        let (old, candidate) = (Some(old), candidate);
        assert_eq!(
            last,
            [(Set, &old, &candidate), (Retire, &old, &candidate)],
            "and the candidate is accepted no more"
        );
        drop(asked);
        assert_eq!(stages(&project, "DB"), [Current]);
        let store = project.store();
        assert!(store.rotations.running.is_empty());
        assert_eq!(store.rotations.results[names(["DB"]).first().unwrap()].outcome, Ending::Aborted);

        let code = |name: &str| {
            let failed = ground.machine(&hand, |machine| machine.abort(&names([name]), false)).unwrap();
            failed.unwrap_err().code()
        };
        assert_eq!(code("DB"), "not-in-flight");
    }
}

#[test]
fn the_old_value_is_retired_at_the_end_of_its_overlap() {
    let project = Project::initialised(
        &MANIFEST.replace("rotate = \"30d\"\ngroup", "rotate = \"30d\"\noverlap = \"24h\"\ngroup"),
    );
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    let old = project.get("DB");
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    let previous = format!("DB_PREVIOUS={}", String::from_utf8(old.clone()).unwrap());
    assert!(project.read(".env").contains(&previous) || project.read(".env").contains("DB_PREVIOUS="));
    assert!(!hand.steps().iter().any(|(_, step)| *step == Retire));
    assert_eq!(hand.accepted.borrow().len(), 2);
    let failed = ground.machine(&hand, |machine| machine.abort(&names(["DB"]), false)).unwrap();
    assert_eq!(failed.unwrap_err().code(), "already-promoted");

    // Neither a run nor `resume` ends the overlap before its time.
    hand.pass(TimeDelta::hours(23));
    ground.machine(&hand, due).unwrap().unwrap();
    ground.machine(&hand, |machine| machine.run(&Order::Resume(names([])), true)).unwrap().unwrap();
    assert_eq!(hand.steps(), []);
    hand.pass(TimeDelta::hours(1));
    // Its consumers lose the old value before its owner refuses it.
    ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap().unwrap();
    assert_eq!(hand.steps(), [asked("nginx", &[Reload]), asked("postgres", &[Retire])].concat());
    assert!(!project.read(".env").contains("DB_PREVIOUS"));
    assert!(!hand.accepted.borrow().contains(&sha256_hex(&old)));
    assert!(project.store().rotations.running.is_empty());
}

#[test]
fn an_environment_s_overlap_is_kept_by_whoever_retires() {
    let declared = MANIFEST.replace("rotate = \"30d\"\ngroup", "overlap = \"24h\"\ngroup");
    let project = Project::initialised(&format!("{declared}[environments.dev]\noverlap = \"2h\"\n"));
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    hand.steps();
    hand.pass(TimeDelta::hours(2));
    ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap().unwrap();
    assert_eq!(hand.steps(), [asked("nginx", &[Reload]), asked("postgres", &[Retire])].concat());
}

#[test]
fn nothing_is_retired_as_long_as_a_program_has_not_read_its_files() {
    let project = Project::initialised(MANIFEST);
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    hand.act(Reload, Act::Fail);
    let report = ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    assert_eq!(codes(&report), ["hook-failed"]);
    assert_eq!(hand.accepted.borrow().len(), 2, "the old value still works");
    hand.act(Reload, Act::Done);
    hand.steps();
    hand.pass(TimeDelta::minutes(5));
    ground.machine(&hand, due).unwrap().unwrap();
    assert_eq!(hand.steps(), [asked("nginx", &[Reload]), asked("postgres", &[Retire])].concat());
}

#[test]
fn rotating_again_during_the_overlap_retires_the_old_value_first() {
    let project = Project::initialised(&MANIFEST.replace("rotate = \"30d\"\ngroup", "overlap = \"24h\"\ngroup"));
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    let first = sha256_hex(&project.get("DB"));
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    hand.steps();
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    assert_eq!(hand.steps()[0], ("postgres".to_owned(), Retire));
    assert!(!hand.accepted.borrow().contains(&first));
    assert_eq!(hand.accepted.borrow().len(), 2);
    assert_eq!(stages(&project, "DB"), [Previous, Previous, Current]);
}

#[test]
fn a_rollback_is_a_new_version_of_an_earlier_value_and_its_owner_is_told() {
    let project = Project::initialised(&MANIFEST.replace("rotate = \"30d\"\ngroup", "overlap = \"24h\"\ngroup"));
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    let name = names(["DB"]).pop_first().unwrap();
    let first = project.get("DB");
    ground.machine(&hand, |machine| now(machine, "DB")).unwrap().unwrap();
    let second = project.get("DB");
    hand.steps();
    let store = project.store();
    let earlier = rollback::Earlier {
        version: store.secrets[&name][0].id,
        created: store.secrets[&name][0].created,
        retired: None,
    };
    ground.machine(&hand, |machine| machine.rollback(&name, &earlier)).unwrap().unwrap();
    // The value that comes back is not retired although that was to come.
    assert_eq!(hand.steps(), [asked("postgres", &[Set, Test]), asked("nginx", &[Reload])].concat());
    assert_eq!(project.get("DB"), first);
    assert_eq!(stages(&project, "DB"), [Previous, Previous, Current], "history is not rewritten");
    hand.pass(TimeDelta::hours(24));
    ground.machine(&hand, |machine| machine.run(&Order::Due, true)).unwrap().unwrap();
    assert_eq!(*hand.accepted.borrow(), [sha256_hex(&first)].into_iter().collect());
    assert!(project.store().secrets[&name][1].life.retired.is_some());
    assert_ne!(first, second);
}

#[test]
fn an_encryption_key_is_rotated_only_where_a_hook_encrypts_anew() {
    let manifest = format!("{MANIFEST}\n[secrets.VAULT]\nkind = \"encryption-key\"\n");
    let project = Project::initialised(&manifest);
    let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
    let old = project.get("VAULT");
    let refused = ground.machine(&hand, |machine| now(machine, "VAULT")).unwrap().unwrap_err();
    assert_eq!((refused.code(), refused.kind().code()), ("encryption-key", 2));
    let hand = hand.with_hook("VAULT", "encrypt", &[Set]);
    ground.machine(&hand, |machine| now(machine, "VAULT")).unwrap().unwrap();
    assert_ne!(project.get("VAULT"), old);
    assert_eq!(stages(&project, "VAULT"), [Previous, Current]);
}

#[test]
fn a_hundred_local_rotations_are_one_change() {
    let secret = |index| format!("[secrets.KEY_{index}]\nkind = \"random\"\nrotate = \"1d\"\n");
    let secrets: Vec<String> = (0..100).map(secret).collect();
    let project = Project::initialised(&format!("[project]\nname = \"shop\"\n{}", secrets.concat()));
    let (ground, hand) = (Ground::of(&project), bare(&project));
    let before = project.store().generation;
    hand.pass(TimeDelta::days(2));
    let report = ground.machine(&hand, due).unwrap().unwrap();
    assert_eq!(report.plan.steps.len(), 100);
    assert_eq!(project.store().generation, before + 1);
    let again = ground.machine(&hand, due).unwrap().unwrap();
    assert!(again.plan.steps.is_empty());
    assert_eq!(project.store().generation, before + 1);
}

/// Secrets that come to each step together.
const NAMES: [&str; 10] = ["KEY_0", "KEY_1", "KEY_2", "KEY_3", "KEY_4", "KEY_5", "KEY_6", "KEY_7", "KEY_8", "KEY_9"];

#[test]
fn every_state_is_one_change_for_all_secrets_that_come_to_it() {
    let secrets = NAMES.map(|name| format!("[secrets.{name}]\nkind = \"random\"\n"));
    let project = Project::initialised(&format!("[project]\nname = \"shop\"\n{}", secrets.concat()));
    let hand = NAMES.into_iter().fold(bare(&project), |hand, name| hand.with_hook(name, "h", &[Set, Test, Retire]));
    let before = project.store().generation;
    let order = Order::Now(names(NAMES));
    Ground::of(&project).machine(&hand, |machine| machine.run(&order, false)).unwrap().unwrap();
    assert_eq!(hand.steps().len(), 30);
    // stage, set, test, promote, retire, retired
    assert_eq!(project.store().generation, before + 6);
}

fn bare(project: &Project) -> Stagehand {
    Stagehand::without_owner(project)
}
