//! An incident of what has an owner: the ban first, then the rotation, which goes on with the same value where it fails.

use serde_json::{Value, json};
use vault_kit::name::SecretName;

use crate::fixture::{actions, stages};
use crate::owners::{accepted, in_force};
use crate::programs::{PROGRAM, project_with, steps};
use crate::support::{Project, set_mode};

/// Bans the current value, as an incident does that died behind it.
pub(crate) fn ban(project: &Project, name: &str) {
    project.edit_store(|store| {
        let now = store.updated;
        store.ban(&SecretName::new(name).unwrap(), now, None);
    });
    project.run(["render"]).assert_code(0);
}

/// A project whose owner knows the value in force.
pub(crate) fn told() -> Project {
    let project = project_with("overlap = \"24h\"");
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    std::fs::remove_file(project.path("asked")).unwrap();
    project
}

pub(crate) fn timeline(project: &Project) -> String {
    let entry = std::fs::read_dir(project.path(".vault-kit/incidents")).unwrap().next().unwrap().unwrap();
    std::fs::read_to_string(entry.path()).unwrap()
}

fn codes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
}

#[test]
fn what_leaked_and_has_an_owner_is_banned_and_then_rotated_without_an_overlap() {
    let project = told();
    let old = project.get("DB");
    let before = actions(&project).len();
    let run = project.run(["incident", "DB", "--yes"]).assert_code(0);
    assert_eq!(steps(&project), ["set", "test", "reload", "retire"], "nothing that leaked has an overlap");
    assert!(project.get("DB") != old && !project.read(".env").contains("DB_PREVIOUS"));
    let done = actions(&project)[before..].join(" ");
    assert!(done.starts_with("incident rotate-stage rotate-set rotate-test rotate-promote"), "{done}");
    assert!(run.stderr.contains("set") && !run.stderr.contains("`vault-kit rotate"), "nothing is left: {run:?}");
    let text = timeline(&project);
    assert!(text.contains("- in force now: version") && !text.contains("vault-kit rotate"), "{text}");
    let deeds = ["its owner was told", "was tested", "is in force", "hook `server` had", "refuses the old value"];
    let at: Vec<usize> = deeds.iter().map(|deed| text.find(deed).unwrap_or_else(|| panic!("{deed}: {text}"))).collect();
    assert!(at.is_sorted() && !text.contains("restart who reads `.env`"), "{text}");
    project.run(["check"]).assert_code(0);
    assert_eq!(project.run(["rotate", "rollback", "DB", "--yes"]).code, 7, "a banned value never comes back");
    // The same command again asks nobody for anything.
    project.run(["incident", "DB", "--yes"]).assert_code(0);
    assert_eq!(steps(&project).len(), 4);
}

#[test]
fn a_hook_that_fails_leaves_a_banned_value_and_a_rotation_to_go_on_with() {
    for step in ["set", "reload", "retire"] {
        let project = told();
        let old = project.get("DB");
        project.write(&format!("fail-{step}"), "");
        let run = project.run(["incident", "DB", "--yes", "--json"]).assert_code(8);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        let error = &answer["rotation"]["errors"][0];
        assert_eq!((&answer["rotates"], &error["code"]), (&json!(["DB"]), &json!("hook-failed")), "{answer}");
        assert!(error["fix"].to_string().contains("`vault-kit rotate resume`"), "{error}");
        let resume = "`vault-kit rotate resume DB`";
        let remains = answer["incidents"][0]["remains"].to_string();
        assert!(remains.contains(resume) && timeline(&project).contains(resume), "{step}: {remains}");
        let is_open = step == "set";
        assert_eq!(project.get("DB") == old, is_open, "{step}");
        let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
        assert_eq!(codes(&report).contains(&"banned"), is_open, "{step}: {report}");
        assert!(!accepted(&project).is_empty());

        std::fs::remove_file(project.path(&format!("fail-{step}"))).unwrap();
        project.run(["rotate", "resume", "DB"]).assert_code(0);
        assert_eq!(accepted(&project), in_force(&project), "{step}");
        let (new, asked) = (project.get("DB"), steps(&project).len());
        project.run(["incident", "DB", "--yes"]).assert_code(0);
        assert!(project.get("DB") == new && steps(&project).len() == asked, "{step}: once is enough");
        let text = timeline(&project);
        assert!(!text.contains("rotate resume") && !text.contains("restart who reads `.env`"), "{step}: {text}");
        for deed in ["its owner was told", "was tested", "is in force", "hook `server` had", "refuses the old value"] {
            assert_eq!(text.matches(deed).count(), 1, "{step}: {deed}: {text}");
        }
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn an_owner_without_a_retire_is_left_to_a_person_and_the_incident_ends() {
    let project = project_with("");
    let manifest = project.read("vault-kit.toml").replace("\"test\", \"retire\"", "\"test\"");
    project.write("vault-kit.toml", manifest);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let run = project.run(["incident", "DB", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("no hook of `DB` has the step `retire`"), "{run:?}");
    assert!(!run.stderr.contains("`vault-kit rotate DB` now"), "it was rotated: {run:?}");
    let text = timeline(&project);
    assert!(text.contains("no hook of `DB` has the step `retire`") && !text.contains("no new value yet"), "{text}");
    let list = project.run(["incident", "list"]).assert_code(0);
    assert!(list.both().contains("replaced") && !list.both().contains("untold"), "{list:?}");
}

#[test]
fn nobody_gets_a_leaked_value_again_unasked() {
    let project = told();
    project.write("fail-test", "");
    project.run(["incident", "DB", "--yes"]).assert_code(8);
    let question = "leave `DB` with the value that leaked";
    let run = project.run(["rotate", "abort", "DB", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would ask first") && run.stderr.contains(question), "{run:?}");
    let run = project.run(["rotate", "abort", "DB"]).assert_code(2);
    assert!(run.stderr.contains(question), "{run:?}");
    project.run(["rotate", "abort", "DB", "--without-hooks", "--yes"]).assert_code(0);
    let asked = steps(&project).len();
    let run = project.run(["rotate", "tell", "DB"]).assert_code(7);
    assert!(run.stderr.contains("`vault-kit rotate DB`") && steps(&project).len() == asked, "{run:?}");
    for command in [&["check"][..], &["rotate", "status"]] {
        let told = project.run(command.iter().copied()).both();
        assert!(!told.contains("rotate tell") && told.contains("vault-kit rotate DB"), "{told}");
    }
    std::fs::remove_file(project.path("fail-test")).unwrap();
    project.run(["rotate", "DB", "--yes"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
}

#[test]
fn a_hook_that_nobody_trusts_keeps_from_rotating_what_it_is_asked_for_and_nothing_else() {
    let project = told();
    let old = [project.get("DB"), project.get("SESSION")];
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    let run = project.run(["incident", "DB", "SESSION", "-n"]).assert_code(8);
    assert!(run.stderr.contains("would rotate  DB") && run.stderr.contains("vault-kit trust"), "{run:?}");
    assert!(project.store().banned.is_empty(), "nothing is done");
    let run = project.run(["incident", "DB", "SESSION", "--yes"]).assert_code(8);
    assert!(run.stderr.contains("`vault-kit rotate DB`") && !run.stderr.contains("nothing was changed"), "{run:?}");
    assert_eq!((project.get("DB") == old[0], project.get("SESSION") == old[1]), (true, false));
    assert!(steps(&project).is_empty() && stages(&project, "DB").len() == 1);
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    assert!(codes(&report).contains(&"banned"), "{report}");
    // The same command completes it.
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks/owner"), 0o755);
    let session = project.get("SESSION");
    project.run(["incident", "DB", "SESSION", "--yes"]).assert_code(0);
    assert!(project.get("DB") != old[0] && project.get("SESSION") == session);
    assert_eq!((steps(&project).len(), accepted(&project)), (4, in_force(&project)));
    project.run(["check"]).assert_code(0);
}

#[test]
fn the_services_that_read_what_leaked_are_named() {
    let project = crate::foretold::project();
    project.write("fail-reload", "");
    let told = project.run(["incident", "DB", "-n"]).assert_code(0).stderr;
    assert!(told.contains("in `.env` (output env, dotenv, portable 0600), read by `jobs`, `web`"), "{told}");
    let restart = "restart who reads `.env`, services `jobs`, `web`: \
                   `docker compose -f compose.yaml up -d --force-recreate jobs web`, unless hook `server` did";
    assert!(!told.contains(restart), "the run does it: {told}");
    let run = project.run(["incident", "DB", "--yes", "--json"]).assert_code(8);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let affected = &answer["incidents"][0]["affected"];
    assert_eq!(affected[0]["deliveries"][0]["services"], json!(["jobs", "web"]), "{answer}");
    let text = timeline(&project);
    assert!(
        text.contains("- delivered in `.env` (output env, dotenv, portable, 0600), read by `jobs`, `web`"),
        "{text}"
    );
    assert!(text.contains(restart), "{text}");
    let run = project.run(["incident", "SESSION", "-n"]).assert_code(0);
    assert!(
        run.stderr.contains("in `other/session` (output other, docker-secrets 0600), read by `cache`, `jobs`"),
        "{run:?}"
    );
}

#[test]
fn who_reads_what_an_incident_changed_reloads_it() {
    let project = told();
    let run = project.run(["incident", "SESSION", "--yes"]).assert_code(0);
    assert_eq!(steps(&project), ["reload"], "{run:?}");
    project.write("fail-reload", "");
    project.run(["incident", "SESSION", "--yes", "--again"]).assert_code(8);
    std::fs::remove_file(project.path("fail-reload")).unwrap();
    let session = project.get("SESSION");
    project.run(["incident", "SESSION", "--yes"]).assert_code(0);
    assert_eq!((steps(&project).len(), project.get("SESSION")), (3, session), "the same command completes it");
}

#[test]
fn a_dry_run_leaves_to_a_person_what_the_run_leaves() {
    let left = |run: &crate::support::Run| -> Vec<String> {
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        let lines = answer["incidents"][0]["remains"].as_array();
        lines.into_iter().flatten().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    let without_retire = |project: &Project| {
        project.write("vault-kit.toml", project.read("vault-kit.toml").replace("\"test\", \"retire\"", "\"test\""));
        project.run(["trust", "--yes"]).assert_code(0);
    };
    for (names, retires) in [(&["DB"][..], true), (&["DB", "SESSION"], true), (&["DB"], false)] {
        let project = told();
        if !retires {
            without_retire(&project);
        }
        let foretold = project.run([&["incident"], names, &["-n", "--json"]].concat()).assert_code(0);
        let done = project.run([&["incident"], names, &["--yes", "--json"]].concat()).assert_code(0);
        assert_eq!(left(&foretold), left(&done), "{names:?}");
        assert!(!left(&done).iter().any(|line| line.contains("`.env`") || line.contains("vault-kit rotate")));
    }
}

#[test]
fn what_stands_against_the_files_is_told_once_it_is_banned_and_the_same_command_goes_on() {
    let project = told();
    let old = [project.get("DB"), project.get("SESSION")];
    let lines = project.read(".env");
    let lines: String = lines.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
    for names in [&["DB"][..], &["DB", "SESSION"]] {
        project.write(".env", &lines);
        let foretold = project.run([&["incident"], names, &["-n"]].concat()).assert_code(8);
        assert!(foretold.stderr.contains("--adopt") && foretold.stderr.contains("banned all the same"), "{foretold:?}");
        assert!(foretold.stderr.contains("left to do 1: `vault-kit rotate DB` now"), "a run cannot: {foretold:?}");
        let run = project.run([&["incident"], names, &["--yes"]].concat()).assert_code(8);
        let again = format!("`vault-kit incident {} --yes`", names.join(" "));
        assert!(run.stderr.contains("--adopt") && run.stderr.contains(&again), "{run:?}");
        assert!(!run.stderr.contains("nothing was changed") && steps(&project).is_empty(), "{run:?}");
        let store = project.store();
        assert!(names.iter().all(|name| {
            let versions = &store.secrets[&SecretName::new(*name).unwrap()];
            store.is_banned(&versions[0])
        }));
    }
    let timelines = std::fs::read_dir(project.path(".vault-kit/incidents")).unwrap();
    let mut timelines = timelines.map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap());
    assert!(timelines.any(|text| text.contains("`vault-kit rotate DB` now")));
    project.run(["init", "--adopt", "--yes"]).assert_code(0);
    project.run(["incident", "DB", "SESSION", "--yes"]).assert_code(0);
    assert_eq!(steps(&project), ["set", "test", "reload", "retire"]);
    assert!(project.get("DB") != old[0] && project.get("SESSION") != old[1]);
    project.run(["check"]).assert_code(0);

    // Who reads a file is owed a reload, whoever wrote it in the end.
    let lines = project.read(".env");
    let lines: String = lines.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
    project.write(".env", lines);
    project.run(["incident", "SESSION", "--again", "--yes"]).assert_code(8);
    project.run(["init", "--adopt", "--yes"]).assert_code(0);
    project.run(["incident", "SESSION", "--yes"]).assert_code(0);
    assert_eq!(steps(&project).len(), 5);
}

#[test]
fn a_timeline_that_cannot_be_written_keeps_nothing_from_being_rotated() {
    let project = told();
    let old = project.get("DB");
    project.write(".vault-kit/incidents", "no directory");
    let run = project.run(["incident", "DB", "--yes"]).assert_code(8);
    assert!(run.stderr.matches("the timeline comes with the same command once more").count() == 1, "{run:?}");
    assert!(project.get("DB") != old && steps(&project) == ["set", "test", "reload", "retire"]);
}

#[test]
fn a_list_of_incidents_tells_each_by_what_leaked_then() {
    let project = told();
    let states = || {
        let list = project.run(["incident", "list"]).assert_code(0).stdout;
        let state = |line: &str| line.split_once("  DB").unwrap().1.trim().to_owned();
        // Both are of the same second.
        list.lines().skip(1).map(state).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    project.run(["incident", "DB", "--yes"]).assert_code(0);
    assert_eq!(states(), ["replaced"]);
    // The owner knows the new value by now, and is yet to refuse the second that leaked.
    project.write("fail-retire", "");
    project.run(["incident", "DB", "--yes", "--again"]).assert_code(8);
    assert_eq!(states(), ["replaced", "replaced, not retired yet: DB"]);
    let list: Value = serde_json::from_str(&project.run(["incident", "list", "--json"]).assert_code(0).stdout).unwrap();
    let mut all = list["incidents"].as_array().unwrap().clone();
    all.sort_by_key(|it| it["unretired"].to_string().len());
    let of = |field: &str| [all[0][field].clone(), all[1][field].clone()];
    assert_eq!((of("unretired"), of("untold")), ([json!([]), json!(["DB"])], [json!([]), json!([])]));
    let [_, id] = of("id");
    let shown = project.run(["incident", "show", id.as_str().unwrap()]).assert_code(0).stdout;
    assert!(shown.contains("- in force now: version") && shown.contains("`vault-kit rotate resume DB`"), "{shown}");
    std::fs::remove_file(project.path("fail-retire")).unwrap();
    project.run(["rotate", "resume", "DB"]).assert_code(0);
    assert_eq!(states(), ["replaced"]);
    // A value that no owner was told is no matter of what leaked before.
    project.run(["generate", "--replace", "DB", "--yes"]).assert_code(0);
    assert_eq!(states(), ["replaced"]);
}
