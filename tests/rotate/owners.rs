//! Owners that do not know the value in force: seen until a hook told them, and no longer.

use serde_json::Value;

use crate::programs::{project, steps};
use crate::support::Project;

/// The findings of `check`, each as code and fix; the identity is of no use for it.
fn findings(project: &Project) -> Vec<(String, String)> {
    let elsewhere = project.home().join("elsewhere");
    std::fs::rename(project.identity(), &elsewhere).unwrap();
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    std::fs::rename(&elsewhere, project.identity()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |it: &Value| (text(&it["code"]), text(&it["fix"]));
    report["findings"].as_array().unwrap().iter().map(of).collect()
}

fn is_untold(project: &Project) -> bool {
    let all = findings(project);
    assert!(all.iter().all(|it| *it == ("owner-untold".to_owned(), "vault-kit rotate tell DB".to_owned())), "{all:?}");
    let run = project.run(["rotate", "status", "--json"]).assert_code(0);
    let status: Value = serde_json::from_str(&run.stdout).unwrap();
    let told: Vec<&str> = status["untold"].as_array().unwrap().iter().map(|it| it["fix"].as_str().unwrap()).collect();
    assert_eq!(told, vec!["vault-kit rotate tell DB"; all.len()]);
    let words = project.run(["rotate", "status"]).assert_code(0);
    assert_eq!(words.both().contains("vault-kit rotate tell DB"), !all.is_empty(), "{words:?}");
    !all.is_empty()
}

#[test]
fn whoever_was_not_told_a_value_is_named_until_a_hook_told_them() {
    let project = project();
    assert!(is_untold(&project), "the first value, until it is told");
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert!(!is_untold(&project));

    let run = project.run(["generate", "--replace", "DB", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("untold        DB") && is_untold(&project), "{run:?}");
    let run = project.run(["rotate", "DB", "-n"]).assert_code(0);
    assert!(!run.stderr.contains("untold"), "a rotation tells it: {run:?}");
    project.run(["rotate", "DB"]).assert_code(0);
    assert!(!is_untold(&project));

    let run = project.run_with_stdin(["set", "DB"], b"what-the-database-has-by-now-4711").assert_code(0);
    assert!(run.stderr.contains("untold        DB") && is_untold(&project), "{run:?}");
    project.run(["render"]).assert_code(0);
    project.run(["generate"]).assert_code(0);
    assert!(is_untold(&project), "no other command ends it");

    // What nobody can be told of any more is not asked for.
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("hooks = [\"owner\"]\n", ""));
    assert!(!is_untold(&project));
    project.write("vault-kit.toml", manifest);
    assert!(is_untold(&project));
}

#[test]
fn what_is_imported_is_what_its_owner_has() {
    let project = project();
    project.write("before.env", "DB=what-the-database-has-by-now-4711\n");
    project.run(["import", "--replace", "before.env", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    assert!(!is_untold(&project));
}

#[test]
fn an_owner_that_could_not_be_told_is_named() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.write("fail-set", "");
    project.run(["rotate", "tell", "DB"]).assert_code(8);
    assert!(is_untold(&project));
    let before = project.store().generation;
    project.run(["rotate", "tell", "DB"]).assert_code(8);
    assert_eq!(project.store().generation, before, "the second failure tells nothing new");
}

#[test]
fn giving_up_a_rotation_tells_the_owner_the_value_in_force() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    assert!(findings(&project).iter().all(|(code, _)| code == "rotation-failed"), "it is being rotated");
    std::fs::remove_file(project.path("fail-test")).unwrap();
    project.run(["rotate", "abort", "DB"]).assert_code(0);
    assert!(!is_untold(&project));
    assert_eq!(steps(&project), ["set", "test", "set", "retire"]);
}

#[test]
fn what_stands_in_the_way_of_the_end_of_an_overlap_is_what_is_named() {
    let project = crate::programs::project_with("overlap = \"1d\"");
    let fixes = |project: &Project| {
        let run = project.run(["rotate", "status", "--json"]).assert_code(0);
        let status: Value = serde_json::from_str(&run.stdout).unwrap();
        let of = |list: &str| status[list].as_array().unwrap().iter().map(|it| it["fix"].clone()).collect::<Vec<_>>();
        [of("rotations"), of("reloads")].concat()
    };
    project.write("fail-reload", "");
    project.run(["rotate", "DB"]).assert_code(8);
    // A scheduled run keeps the pause after the failure.
    assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "");
    assert_eq!(fixes(&project), ["vault-kit rotate resume DB", "vault-kit rotate resume"]);
    std::fs::remove_file(project.path("fail-reload")).unwrap();
    project.run(["rotate", "resume", "DB"]).assert_code(0);
    assert_eq!(fixes(&project), ["vault-kit rotate --due"]);
    assert!(!steps(&project).contains(&"retire".to_owned()), "its overlap goes on");
}

#[test]
fn an_owner_that_no_hook_could_tell_of_a_rotation_given_up_is_named_once_one_can() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replace("hooks = [\"owner\"]\n", ""));
    project.run(["rotate", "abort", "DB", "--yes"]).assert_code(0);
    project.write("vault-kit.toml", manifest);
    assert!(is_untold(&project));
}
