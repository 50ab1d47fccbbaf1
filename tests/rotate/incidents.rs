//! Incidents that did not come to their end at once: the same command goes on, and says so until they have.

use serde_json::Value;

use crate::given_up::giving_up;
use crate::leaked::{timeline, told};
use crate::owners::{accepted, in_force};
use crate::programs::{PROGRAM, steps};
use crate::support::{Project, Run, set_mode};

const INCIDENT: [&str; 3] = ["incident", "DB", "--yes"];

fn remove(project: &Project, file: &str) {
    std::fs::remove_file(project.path(file)).unwrap();
}

fn without_hooks(project: &Project) {
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("hooks = [\"owner\"]\n", ""));
}

fn with_hooks(project: &Project) {
    let manifest = project.read("vault-kit.toml");
    project.write(
        "vault-kit.toml",
        manifest.replacen("kind = \"password\"\n", "kind = \"password\"\nhooks = [\"owner\"]\n", 1),
    );
}

/// What the list says about the one incident, and its id.
fn listed(project: &Project) -> (String, String) {
    let list = project.run(["incident", "list"]).assert_code(0).stdout;
    let line = list.lines().nth(1).unwrap();
    (line.split_once("  DB").unwrap().1.trim().to_owned(), line.split(' ').next().unwrap().to_owned())
}

fn says(run: &Run, words: &str) -> bool {
    run.stderr.contains(words) && run.stdout.is_empty()
}

#[test]
fn the_same_command_has_refused_what_was_not_and_fails_until_it_is() {
    for (file, code) in [("fail-retire", 8), ("die-retire", 137)] {
        let project = told();
        project.write(file, "");
        project.run(INCIDENT).assert_code(code);
        let new = project.get("DB");
        if code == 8 {
            let run = project.run(INCIDENT).assert_code(8);
            assert!(
                says(&run, "`retire` of hook `owner` failed") && says(&run, "`vault-kit rotate resume`"),
                "{run:?}"
            );
            let answer: Value =
                serde_json::from_str(&project.run(INCIDENT.iter().copied().chain(["--json"])).assert_code(8).stdout)
                    .unwrap();
            assert_eq!((&answer["retires"][0], answer["rotates"].is_null()), (&"DB".into(), true), "{answer}");
            assert_eq!(listed(&project).0, "replaced, not retired yet: DB");
            remove(&project, file);
        }
        let before = project.contents();
        let run = project.run(["incident", "DB", "-n"]).assert_code(0);
        assert!(says(&run, "would retire  DB") && !run.stderr.contains("rotate resume"), "{run:?}");
        assert!(project.contents() == before);
        project.run(INCIDENT).assert_code(0);
        assert_eq!((accepted(&project), project.get("DB") == new), (in_force(&project), true), "{file}");
        assert_eq!(listed(&project).0, "replaced");
        let asked = steps(&project).len();
        project.run(INCIDENT).assert_code(0);
        assert_eq!(steps(&project).len(), asked);
    }
}

#[test]
fn what_is_in_force_is_replaced_also_once_its_hooks_are_gone_and_its_owner_stays_listed() {
    let project = told();
    let old = project.get("DB");
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    project.run(INCIDENT).assert_code(8);
    assert!(project.get("DB") == old);
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks/owner"), 0o755);
    without_hooks(&project);
    let run = project.run(INCIDENT).assert_code(8);
    assert!(says(&run, "the owner of `DB` may still accept the value that leaked"), "{run:?}");
    let (state, id) = listed(&project);
    let close = format!("`vault-kit incident close {id}`");
    assert!(project.get("DB") != old && says(&run, &close) && timeline(&project).contains(&close), "{run:?}");
    assert_eq!(state, "may be accepted, and no hook is left: DB");
    assert!(!timeline(&project).contains("vault-kit rotate DB"), "{}", timeline(&project));
    project.run(INCIDENT).assert_code(8);
    // Once a hook is there again, it can tell.
    with_hooks(&project);
    project.run(["trust", "--yes"]).assert_code(0);
    let run = project.run(INCIDENT).assert_code(8);
    assert!(says(&run, "`vault-kit rotate tell DB`"), "{run:?}");
    let run = project.run(["incident", "close", &id, "--yes"]).assert_code(8);
    assert!(says(&run, "`vault-kit rotate tell DB`") && says(&run, "nothing was changed"), "{run:?}");
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.run(INCIDENT).assert_code(0);
    assert_eq!((accepted(&project), listed(&project).0.as_str()), (in_force(&project), "replaced"));
}

#[test]
fn a_rotation_whose_hooks_are_gone_keeps_its_incident_open() {
    let project = told();
    project.write("fail-set", "");
    project.run(INCIDENT).assert_code(8);
    without_hooks(&project);
    let run = project.run(INCIDENT).assert_code(8);
    assert!(says(&run, "`vault-kit rotate abort DB`"), "{run:?}");
    assert_eq!(listed(&project).0, "waits for DB");
}

#[test]
fn what_is_forgotten_stays_listed_until_a_person_says_that_nobody_accepts_it() {
    let project = told();
    project.write("fail-retire", "");
    project.run(INCIDENT).assert_code(8);
    let manifest = project.read("vault-kit.toml");
    without_hooks(&project);
    project.run(["remove", "DB", "--yes"]).assert_code(0);
    let gone = manifest.replace("[secrets.DB]\nkind = \"password\"\nrotate = \"30d\"\ngroup = \"database\"\nhooks = [\"owner\"]\noverlap = \"24h\"\n", "");
    assert_ne!(gone, manifest);
    project.write("vault-kit.toml", gone.replace("${DB}", "none"));
    let (state, id) = listed(&project);
    assert_eq!(state, "may be accepted, and no hook is left: DB");
    let shown = project.run(["incident", "show", &id]).assert_code(0).stdout;
    assert!(shown.contains(&format!("`vault-kit incident close {id}`")), "{shown}");
    let before = project.contents();
    let run = project.run(["incident", "close", &id, "-n"]).assert_code(0);
    assert!(says(&run, "would note that nobody accepts what leaked of `DB` any more"), "{run:?}");
    let told = |words: &[&str]| -> Value {
        let run = project.run([&["incident", "close", &id, "--json"], words].concat()).assert_code(0);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let foretold = told(&["-n"]);
    assert_eq!((&foretold["id"], &foretold["closed"]), (&id.as_str().into(), &serde_json::json!(["DB"])), "{foretold}");
    assert_eq!((&foretold["dry_run"], &foretold["schema_version"]), (&true.into(), &1.into()), "{foretold}");
    let run = project.run(["incident", "close", &id]).assert_code(2);
    assert!(says(&run, "note that nobody accepts what leaked of `DB` any more"), "{run:?}");
    assert!(project.contents() == before);
    project.run(["incident", "close", &id, "--yes"]).assert_code(0);
    assert_eq!(listed(&project).0, "replaced");
    let text = timeline(&project);
    assert!(text.contains("a person saw to it that nobody accepts what leaked any more"), "{text}");
    assert!(!text.contains("vault-kit incident close") && !text.contains("vault-kit rotate"), "{text}");
    let run = project.run(["incident", "close", &id, "--yes"]).assert_code(0);
    assert!(says(&run, "nothing is left"), "{run:?}");
    assert_eq!(told(&["--yes"])["closed"], serde_json::json!([]));
    project.run(["audit", "verify"]).assert_code(0);
}

/// The secrets whose owners `check` finds may still accept what leaked, each with the command of its fix.
fn still_accepted(project: &Project) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = report["findings"].as_array().unwrap().iter().filter(|it| it["code"] == "still-accepted");
    let command = |fix: String| fix.split("    #").next().unwrap().to_owned();
    found.map(|it| (text(&it["secret"]), command(text(&it["fix"])))).collect()
}

#[test]
fn check_fails_until_no_owner_may_accept_what_leaked_also_without_hooks_secret_and_identity() {
    let project = told();
    project.write("fail-retire", "");
    project.run(INCIDENT).assert_code(8);
    let found = |fix: &str| vec![("DB".to_owned(), fix.to_owned())];
    assert_eq!(still_accepted(&project), found("vault-kit rotate resume DB"));
    without_hooks(&project);
    let id = listed(&project).1;
    let close = format!("vault-kit incident close {id}");
    let hidden = project.home().join("identity");
    std::fs::rename(project.identity(), &hidden).unwrap();
    assert_eq!(still_accepted(&project), found(&close));
    std::fs::rename(&hidden, project.identity()).unwrap();
    project.run(["remove", "DB", "--yes"]).assert_code(0);
    let manifest = project.read("vault-kit.toml");
    let (before, after) = manifest.split_once("[secrets.DB]").unwrap();
    let after = after.split_once("\n[").unwrap().1;
    project.write("vault-kit.toml", format!("{before}[{}", after.replace(":${DB}", "")));
    project.run(["generate"]).assert_code(0);
    assert_eq!(still_accepted(&project), found(&close));
    let metrics = project.run(["status", "--metrics", "-"]).assert_code(0).stdout;
    let sample = format!(
        "vault_kit_leak_still_accepted{{project=\"shop\",environment=\"dev\",secret=\"DB\",incident=\"{id}\"}} 1\n"
    );
    assert!(metrics.contains(&sample), "{metrics}");
    project.run(["incident", "close", &id, "--yes"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    let metrics = project.run(["status", "--metrics", "-"]).assert_code(0).stdout;
    assert!(!metrics.contains("still_accepted"), "{metrics}");
}

#[test]
fn a_search_that_finds_what_leaked_says_so_where_its_owner_may_still_accept_it() {
    let project = told();
    let old = String::from_utf8(project.get("DB")).unwrap();
    project.write("fail-retire", "");
    project.run(INCIDENT).assert_code(8);
    project.write("notes.txt", format!("password: {old}\n"));
    let fix = || {
        let report: Value = serde_json::from_str(&project.run(["scan", "--json"]).assert_code(1).stdout).unwrap();
        let mut found = report["findings"].as_array().unwrap().iter();
        found.find(|it| it["file"] == "notes.txt").unwrap()["fix"].as_str().unwrap().to_owned()
    };
    let told = "take it out of the file; its owner may still accept it: ";
    assert_eq!(fix(), format!("{told}`vault-kit rotate resume DB`"));
    without_hooks(&project);
    let id = listed(&project).1;
    assert_eq!(fix(), format!("{told}see to it that nobody does, then `vault-kit incident close {id}`"));
    project.run(["incident", "close", &id, "--yes"]).assert_code(0);
    assert_eq!(fix(), "take it out of the file; it was replaced already");
}

#[test]
fn a_list_tells_all_that_an_incident_waits_for() {
    let project = told();
    project.write("fail-retire", "");
    project
        .write("vault-kit.toml", format!("{}[secrets.STRIPE]\nkind = \"external\"\n", project.read("vault-kit.toml")));
    project.run_with_stdin(["set", "STRIPE"], b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N").assert_code(0);
    project.run(["incident", "DB", "STRIPE", "--yes"]).assert_code(8);
    let list = project.run(["incident", "list"]).assert_code(0).stdout;
    assert!(list.contains("waits for STRIPE; replaced, not retired yet: DB"), "{list}");
}

#[test]
fn a_list_does_not_call_replaced_what_a_program_has_yet_to_read() {
    let project = told();
    project.write("fail-reload", "");
    project.run(INCIDENT).assert_code(8);
    let list = project.run(["incident", "list"]).assert_code(0).stdout;
    let state = "replaced, and not read by all programs until `vault-kit rotate resume`: DB\n";
    assert!(list.ends_with(state), "{list}");
    remove(&project, "fail-reload");
    project.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(listed(&project).0, "replaced");
}

#[test]
fn an_incident_that_has_come_to_its_end_stays_there_once_its_secret_is_gone() {
    for steps in ["\"set\"", "\"set\", \"retire\""] {
        let project = told();
        let manifest = project.read("vault-kit.toml").replace("\"set\", \"test\", \"retire\"", steps);
        project.write("vault-kit.toml", &manifest);
        project.run(["trust", "--yes"]).assert_code(0);
        project.run(["rotate", "DB"]).assert_code(0);
        project.run(INCIDENT).assert_code(0);
        assert_eq!(listed(&project).0, "replaced");
        project.run(["check"]).assert_code(0);
        let run = project.run(["remove", "DB", "--yes"]).assert_code(0);
        assert!(run.stderr.contains("goes on accepting"), "{run:?}");
        without_hooks(&project);
        assert_eq!((still_accepted(&project), listed(&project).0), (vec![], "replaced".to_owned()), "{steps}");
    }
}

#[test]
fn what_is_being_given_up_is_left_to_be_begun_anew() {
    let project = giving_up();
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    let run = project.run(INCIDENT).assert_code(8);
    assert!(says(&run, "`vault-kit rotate DB`") && !run.stderr.contains("rotate resume"), "{run:?}");
    assert!(timeline(&project).contains("`vault-kit rotate DB` now"), "{}", timeline(&project));
}

#[test]
fn what_is_made_of_what_leaked_and_is_being_rotated_keeps_nothing_from_being_banned() {
    for given_up in [false, true] {
        let token =
            "[secrets.TOKEN]\nkind = \"token\"\nsigned_by = \"SESSION\"\nrole = \"admin\"\nhooks = [\"owner\"]\n";
        let manifest = crate::programs::declared("")
            .replace("hooks = [\"owner\"]\n", "")
            .replace("secrets = [\"SESSION\"]\noptions", "options");
        let project = Project::with_manifest(&format!("{manifest}{token}"));
        project.write("hooks/owner", PROGRAM);
        set_mode(&project.path("hooks"), 0o755);
        set_mode(&project.path("hooks/owner"), 0o755);
        project.run(["trust", "--yes"]).assert_code(0);
        project.run(["init"]).assert_code(0);
        project.run(["rotate", "tell", "TOKEN"]).assert_code(0);
        let old = [project.get("SESSION"), project.get("TOKEN")];
        project.write("fail-test", "");
        project.run(["rotate", "TOKEN"]).assert_code(8);
        if given_up {
            project.write("fail-set", "");
            project.run(["rotate", "abort", "TOKEN"]).assert_code(8);
            remove(&project, "fail-set");
        }
        remove(&project, "fail-test");
        let run = project.run(["incident", "SESSION", "--yes"]).assert_code(8);
        assert!(says(&run, "`vault-kit rotate tell TOKEN`") && !run.stderr.contains("nothing was changed"), "{run:?}");
        assert!(project.get("SESSION") != old[0] && project.get("TOKEN") != old[1]);
        assert!(timeline(&project).contains("the rotation of `TOKEN`, which was made of what leaked, was given up"));
        let told = project.run(["incident", "SESSION", "--yes"]).assert_code(8);
        assert!(says(&told, "`vault-kit rotate tell TOKEN`"), "{told:?}");
        project.run(["rotate", "tell", "TOKEN"]).assert_code(0);
        assert_eq!(
            accepted(&project),
            [String::from_utf8(project.get("TOKEN")).unwrap()],
            "neither the old one nor the candidate"
        );
        project.run(["incident", "SESSION", "--yes"]).assert_code(0);
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn an_incident_of_what_is_being_rotated_tells_of_nothing_that_leaked_as_in_force_again() {
    let project = told();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    remove(&project, "fail-test");
    let run = project.run(INCIDENT).assert_code(0);
    let row = "aborted       DB                               what was to come into force; another value does\n";
    assert!(run.stderr.contains(row) && !run.stderr.contains("the value before it is in force"), "{run:?}");
    assert_eq!(accepted(&project), in_force(&project));
}

#[test]
fn who_is_at_a_leak_is_not_told_to_go_back_to_what_leaked() {
    let project = told();
    project.write("fail-set", "");
    let run = project.run(INCIDENT).assert_code(8);
    assert!(run.stderr.contains("nothing was promoted: the value that leaked is in force"), "{run:?}");
    assert!(says(&run, "`vault-kit rotate resume`") && !run.stderr.contains("rotate abort"), "{run:?}");
}

#[test]
fn within_an_overlap_what_is_left_is_a_command_that_goes_on() {
    let project = told();
    project.run(["rotate", "DB"]).assert_code(0);
    let leaked = project.get("DB");
    set_mode(&project.path("hooks/owner"), 0o644);
    let run = project.run(INCIDENT).assert_code(8);
    assert!(
        !run.stderr.contains("rotate resume DB") && says(&run, "left to do 1: `vault-kit rotate DB` now"),
        "{run:?}"
    );
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["rotate", "DB"]).assert_code(0);
    assert!(project.get("DB") != leaked);
    assert_eq!((accepted(&project), listed(&project).0), (in_force(&project), "replaced".to_owned()));
}

#[test]
fn the_value_before_an_overlap_is_told_of_too_where_the_one_in_force_is_not_replaced_yet() {
    let project = crate::leaked::told();
    let before = project.get("DB");
    project.run(["rotate", "DB"]).assert_code(0);
    project.write("paste.txt", &before);
    project.write("fail-set", "");
    project.run(["incident", "DB", "--yes"]).assert_code(8);
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).assert_code(1).stdout).unwrap();
    let all = report["findings"].as_array().unwrap();
    let fix = all.iter().find(|it| it["code"] == "still-accepted").map(|it| it["fix"].as_str().unwrap());
    assert_eq!(fix, Some("vault-kit rotate resume DB"), "{report}");
    let metrics = project.run(["status", "--metrics", "-"]).assert_code(0).stdout;
    assert!(metrics.contains("vault_kit_leak_still_accepted{"), "{metrics}");
    let replaced_by_none =
        "vault_kit_secret_leaked{project=\"shop\",environment=\"dev\",secret=\"DB\",kind=\"password\"} 1\n";
    assert!(metrics.contains(replaced_by_none), "{metrics}");
    let found = project.run(["scan", "paste.txt"]).assert_code(1).stdout;
    assert!(found.contains("may still accept it: `vault-kit rotate resume DB`"), "{found}");
    std::fs::remove_file(project.path("fail-set")).unwrap();
    project.run(["rotate", "resume", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    project.run(["check"]).assert_code(0);
    assert!(project.run(["scan", "paste.txt"]).stdout.contains("it was replaced already"));
}

#[test]
fn a_rehearsal_tells_that_hooks_which_are_gone_leave_the_owner_with_what_leaked() {
    let project = told();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    without_hooks(&project);
    let rehearsed = project.run(["incident", "DB", "-n"]).assert_code(8);
    let run = project.run(INCIDENT).assert_code(8);
    for run in [&rehearsed, &run] {
        let errors: Vec<&str> = run.stderr.lines().filter(|line| line.contains("vault-kit: error:")).collect();
        assert_eq!(errors, ["vault-kit: error: the owner of `DB` may still accept the value that leaked"], "{run:?}");
    }
}
