//! Death at every moment: before and after each change of the store, before a program, while it runs, and after it.

use vault_kit::error::Result;
use vault_kit::rotate::Report;
use vault_kit::rotate::machine::Machine;
use vault_kit::rotate::select::Order;
use vault_kit::secret::digest::sha256_hex;
use vault_kit::store::Stage;

use crate::fixture::{Ground, MANIFEST, Stagehand, delivered, names, stages};
use crate::support::Project;

fn finish(machine: &Machine<'_>) -> Result<Report> {
    machine.run(&Order::Resume(names([])), true)
}

/// Everything that must hold at every moment: who reads the files can work.
fn assert_works(project: &Project, hand: &Stagehand, moment: usize) {
    let file = sha256_hex(delivered(project).as_bytes());
    assert!(hand.accepted.borrow().contains(&file), "moment {moment}: the delivered value is refused");
}

#[test]
fn whoever_dies_at_any_moment_leaves_one_new_value_to_the_next_run() {
    for again in ["due", "resume"] {
        let mut moment = 0;
        loop {
            let project = Project::initialised(MANIFEST);
            let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
            hand.live(Some(moment));
            let order = Order::Now(names(["DB", "SESSION"]));
            let run = ground.machine(&hand, |machine| machine.run(&order, false));
            hand.live(None);
            assert_works(&project, &hand, moment);
            let begun = stages(&project, "DB").len() == 2;
            let end = |machine: &Machine<'_>| match again {
                "due" => machine.run(&Order::Due, true),
                _ => finish(machine),
            };
            ground.machine(&hand, end).unwrap().unwrap();
            let store = project.store();
            assert!(store.rotations.running.is_empty() && store.rotations.reloads.is_empty(), "moment {moment}");
            for name in ["DB", "SESSION"] {
                let expected: &[Stage] = if begun { &[Stage::Previous, Stage::Current] } else { &[Stage::Current] };
                assert_eq!(stages(&project, name), expected, "moment {moment}");
            }
            assert_eq!(delivered(&project).as_bytes(), project.get("DB"), "moment {moment}");
            assert_works(&project, &hand, moment);
            assert_eq!(hand.accepted.borrow().len(), 1, "moment {moment}: the old value is not retired");
            let reloaded = hand.steps().iter().any(|(hook, _)| hook == "nginx");
            assert_eq!(reloaded, begun, "moment {moment}: a file changed and nobody read it");
            project.run(["check"]).assert_code(0);
            if run.is_some() {
                assert!(moment > 15, "only {moment} moments");
                break;
            }
            moment += 1;
        }
    }
}

#[test]
fn whoever_dies_while_giving_up_leaves_the_old_value_in_force() {
    let mut moment = 0;
    loop {
        let project = Project::initialised(MANIFEST);
        let (ground, hand) = (Ground::of(&project), Stagehand::usual(&project));
        let old = project.get("DB");
        hand.act(vault_kit::rotate::programs::Step::Test, crate::fixture::Act::Fail);
        ground.machine(&hand, |machine| machine.run(&Order::Now(names(["DB"])), false)).unwrap().unwrap();
        hand.live(Some(moment));
        let run = ground.machine(&hand, |machine| machine.abort(&names(["DB"]), false));
        hand.live(None);
        assert_works(&project, &hand, moment);
        if moment > 0 {
            // What was given up is not taken up again.
            ground.machine(&hand, finish).unwrap().unwrap();
            if !project.store().rotations.running.is_empty() {
                assert_eq!(moment, 1, "it was written down that it is given up");
                ground.machine(&hand, |machine| machine.abort(&names(["DB"]), false)).unwrap().unwrap();
            }
            assert_eq!((project.get("DB"), stages(&project, "DB")), (old, vec![Stage::Current]), "moment {moment}");
            assert!(project.store().rotations.running.is_empty());
        }
        if run.is_some() {
            assert!(moment > 4, "only {moment} moments");
            break;
        }
        moment += 1;
    }
}
