//! What an owner was promised to accept, and what it must refuse in the end, whatever is given up or removed on the way.

use vault_kit::store::Stage;

use crate::fixture::stages;
use crate::leaked::ban;
use crate::owners::{accepted, in_force};
use crate::programs::{PROGRAM, asked, project_with, steps};
use crate::support::Project;

/// A project whose owner knows the value in force.
fn told(more: &str) -> Project {
    let project = project_with(more);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project
}

/// The values of `DB` in `.env`: the current one, and the one before as long as that is delivered.
fn delivered(project: &Project) -> Vec<String> {
    let text = project.read(".env");
    let lines = text.lines().filter(|line| line.starts_with("DB=") || line.starts_with("DB_PREVIOUS="));
    lines.map(|line| line.split_once('=').unwrap().1.trim_matches(['\'', '"']).to_owned()).collect()
}

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort();
    values
}

pub(crate) fn end_overlaps(project: &Project) {
    project.edit_store(|store| {
        let hours = chrono::TimeDelta::hours(3);
        store.rotations.running.values_mut().for_each(|it| it.retire_at = it.retire_at.map(|at| at - hours));
        let versions = store.secrets.values_mut().flatten();
        versions.for_each(|it| it.life.replaced = it.life.replaced.map(|at| at - hours));
    });
}

#[test]
fn giving_up_a_rollback_leaves_what_its_overlap_promised() {
    let project = told("overlap = \"2h\"");
    project.run(["rotate", "DB"]).assert_code(0);
    project.write("fail-test", "");
    project.run(["rotate", "rollback", "DB", "--yes"]).assert_code(8);
    std::fs::remove_file(project.path("fail-test")).unwrap();
    let run = project.run(["rotate", "abort", "DB", "-n"]).assert_code(0);
    assert!(!run.both().contains("retire"), "{run:?}");
    let run = project.run(["rotate", "abort", "DB"]).assert_code(0);
    assert!(run.stderr.contains("keeps"), "{run:?}");
    assert_eq!(delivered(&project).len(), 2, "{}", project.read(".env"));
    assert_eq!(sorted(accepted(&project)), sorted(delivered(&project)));
    assert!(project.run(["rotate", "status"]).assert_code(0).stdout.contains("overlap"));
    project.run(["check"]).assert_code(0);

    end_overlaps(&project);
    project.run(["rotate", "--due"]).assert_code(0);
    assert_eq!((accepted(&project), delivered(&project)), (in_force(&project), in_force(&project)));
}

#[test]
fn giving_up_a_rollback_after_its_overlap_has_the_value_refused_once() {
    let project = told("overlap = \"2h\"");
    project.run(["rotate", "DB"]).assert_code(0);
    project.write("fail-test", "");
    project.run(["rotate", "rollback", "DB", "--yes"]).assert_code(8);
    end_overlaps(&project);
    project.run(["rotate", "abort", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    assert!(project.run(["rotate", "status"]).assert_code(0).stderr.contains("no rotation is on its way"));
    assert_eq!(steps(&project).iter().filter(|step| *step == "retire").count(), 1);
}

#[test]
fn what_is_given_up_and_not_refused_is_said_so_and_not_that_it_is_in_force() {
    let project = told("");
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    project.write("fail-retire", "");
    let run = project.run(["rotate", "abort", "DB", "--non-interactive"]).assert_code(8);
    let words = "the value before it is in force, and the one that was given up may still be accepted";
    assert!(run.stderr.contains(words) && !run.stderr.contains("new value is in force"), "{run:?}");
    let all = asked(&project);
    let (_, notified) = all.iter().rfind(|(step, _)| step == "notify").unwrap();
    assert!(notified.to_string().contains(words), "{notified}");
    let text = notified.to_string();
    assert!(text.contains("vault-kit rotate resume DB"), "{text}");
}

#[test]
fn nothing_is_forgotten_that_an_owner_is_yet_to_refuse() {
    let refused = |project: &Project, command: &str| {
        for last in ["--yes", "-n"] {
            let run = project.run(["remove", "DB", last]).assert_code(7);
            assert!(run.stderr.contains(command), "{run:?}");
        }
    };
    let forgotten = |project: &Project| {
        for last in ["-n", "--yes"] {
            let run = project.run(["remove", "DB", last]).assert_code(0);
            assert!(run.stderr.contains("the owner of `DB` goes on accepting 1 value"), "{run:?}");
        }
    };
    let leaked = told("");
    ban(&leaked, "DB");
    refused(&leaked, "vault-kit rotate DB");
    leaked.run(["rotate", "DB"]).assert_code(0);
    forgotten(&leaked);

    let overlapping = told("overlap = \"2h\"");
    overlapping.run(["rotate", "DB"]).assert_code(0);
    refused(&overlapping, "vault-kit rotate --due");
    // Who takes the hooks out saw to it by hand.
    let manifest = overlapping.read("vault-kit.toml");
    overlapping.write("vault-kit.toml", manifest.replace("hooks = [\"owner\"]\n", ""));
    let run = overlapping.run(["remove", "DB", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("goes on accepting 2 values"), "{run:?}");

    let owed = told("");
    owed.write("fail-retire", "");
    owed.run(["rotate", "DB"]).assert_code(8);
    refused(&owed, "vault-kit rotate resume DB");
    std::fs::remove_file(owed.path("fail-retire")).unwrap();
    owed.run(["rotate", "resume", "DB"]).assert_code(0);
    forgotten(&owed);

    let by_hand = told("");
    by_hand.run_with_stdin(["set", "DB"], b"what-the-database-is-to-have-1").assert_code(0);
    refused(&by_hand, "vault-kit rotate tell DB");
    by_hand.run(["rotate", "tell", "DB"]).assert_code(0);
    forgotten(&by_hand);

    let untold = project_with("");
    let run = untold.run(["remove", "DB", "--yes"]).assert_code(0);
    assert!(!run.stderr.contains("owner"), "{run:?}");
}

#[test]
fn what_is_given_up_without_its_owner_is_refused_once_that_is_told() {
    for (more, told_by) in
        [("", &["rotate", "tell", "DB"][..]), ("", &["rotate", "DB"]), ("overlap = \"2h\"", &["rotate", "tell", "DB"])]
    {
        let project = told(more);
        project.write("fail-test", "");
        project.run(["rotate", "DB"]).assert_code(8);
        std::fs::remove_file(project.path("fail-test")).unwrap();
        project.run(["rotate", "abort", "DB", "--without-hooks", "--yes"]).assert_code(0);
        assert_eq!(accepted(&project).len(), 2);
        assert_eq!(stages(&project, "DB"), [Stage::Current, Stage::Aborted]);
        assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "", "nobody tells the owner unasked");
        let run = project.run(["rotate", "tell", "DB", "-n"]).assert_code(0);
        assert!(run.both().contains("retire"), "{run:?}");
        project.run(told_by).assert_code(0);
        assert_eq!(accepted(&project), in_force(&project), "{told_by:?}");
        assert!(!stages(&project, "DB").contains(&Stage::Aborted));
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn what_is_given_up_waits_for_the_owner_also_where_an_overlap_ends_before() {
    let project = told("overlap = \"2h\"");
    project.run(["rotate", "DB"]).assert_code(0);
    project.write("fail-test", "");
    project.run(["rotate", "rollback", "DB", "--yes"]).assert_code(8);
    std::fs::remove_file(project.path("fail-test")).unwrap();
    project.run(["rotate", "abort", "DB", "--without-hooks", "--yes"]).assert_code(0);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(sorted(accepted(&project)), sorted(delivered(&project)), "what comes back is in its overlap");
    end_overlaps(&project);
    project.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
}

#[test]
fn what_leaked_is_due_at_once() {
    for more in ["", "overlap = \"2h\"", "window = \"Sun 02:00-02:01 UTC\""] {
        let project = told(more);
        project.run(["rotate", "DB"]).assert_code(0);
        let leaked = in_force(&project);
        ban(&project, "DB");
        let plan = project.run(["rotate", "plan"]).assert_code(0).stdout;
        let row = plan.lines().find(|line| line.starts_with("DB ") && line.contains("leaked"));
        assert!(row.is_some_and(|row| row.contains(", now")), "{plan}");
        if more.is_empty() {
            assert!(project.run(["rotate", "status"]).assert_code(0).stderr.contains("something is due"));
        }
        project.run(["rotate", "--due"]).assert_code(0);
        assert_ne!(in_force(&project), leaked, "{more}");
        assert_eq!(accepted(&project), in_force(&project), "{more}");
        let asked = steps(&project).len();
        assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "", "once is enough");
        assert_eq!(steps(&project).len(), asked);
    }
}

#[test]
fn an_incident_is_over_once_its_owner_refuses_what_leaked() {
    let state = |project: &Project| project.run(["incident", "list"]).assert_code(0).stdout;
    let project = told("");
    // Nobody may start what was changed.
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    project.run(["incident", "DB", "--yes"]).assert_code(8);
    assert!(state(&project).contains("waits for DB"));
    project.write("hooks/owner", PROGRAM);
    project.run(["generate", "--replace", "DB", "--yes"]).assert_code(0);
    assert!(state(&project).contains("replaced, owner untold: DB"), "{}", state(&project));
    let list = state(&project);
    let id = list.lines().nth(1).unwrap().split(' ').next().unwrap();
    let shown = || project.run(["incident", "show", id]).assert_code(0).stdout;
    assert!(shown().contains("rotate DB` now") && shown().contains("no new value yet"), "{}", shown());
    let timeline = || {
        let files: Vec<_> = std::fs::read_dir(project.path(".vault-kit/incidents")).unwrap().collect();
        std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap()
    };
    assert!(timeline().contains("rotate DB` now"), "{}", timeline());
    project.run(["rotate", "DB"]).assert_code(0);
    // The file tells it too, and not only who asks.
    assert_eq!(timeline(), shown());
    assert!(state(&project).contains("replaced") && !state(&project).contains("untold"), "{}", state(&project));
    assert!(!shown().contains("rotate DB` now") && shown().contains("in force now"), "{}", shown());
}

/// The steps of hooks that a rehearsal names, in order.
fn rehearsed(told: &str, asked: &[String]) -> Vec<String> {
    let verbs = told.lines().filter_map(|line| line.strip_prefix("would ")?.split(' ').next());
    verbs.filter(|verb| asked.iter().any(|step| step == verb)).map(str::to_owned).collect()
}

#[test]
fn a_rehearsal_names_no_retirement_of_what_is_spared_and_every_file_that_is_behind() {
    let project = told("overlap = \"2h\"");
    project.run(["rotate", "DB"]).assert_code(0);
    // A rollback that cannot be given up either: its value is accepted until the overlap ends, whatever comes of it.
    project.write("fail-test", "");
    project.run(["rotate", "rollback", "DB", "--yes"]).assert_code(8);
    project.write("fail-set", "");
    project.run(["rotate", "abort", "DB"]).assert_code(8);
    for file in ["fail-test", "fail-set"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    let told = project.run(["rotate", "DB", "-n"]).assert_code(0).stderr;
    let before = steps(&project).len();
    project.run(["rotate", "DB", "--yes"]).assert_code(0);
    let asked = steps(&project)[before..].to_vec();
    // The last one comes at the end of the overlap.
    let last = ["retire".to_owned()];
    assert_eq!(rehearsed(&told, &[&asked[..], &last].concat()), [&asked[..], &last].concat(), "{told}");

    project.write(".env", "");
    let told = project.run(["rotate", "tell", "DB", "-n"]).assert_code(0).stderr;
    assert!(told.contains("would write   .env"), "{told}");
    let before = steps(&project).len();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let asked = &steps(&project)[before..];
    assert_eq!(asked, ["set", "test", "reload"]);
    let named = rehearsed(&told, asked);
    assert_eq!(named, asked, "{told}");
}
