//! What a rehearsal tells of the hooks that a run would call.

use serde_json::Value;

use crate::programs::{PROGRAM, declared, steps};
use crate::support::{Project, set_mode};

const COMPOSE: &str = "services:\n  web:\n    image: web\n    env_file: .env\n  jobs:\n    image: jobs\n    \
                       volumes: [\".:/srv:ro\"]\n  cache:\n    image: cache\n    volumes: [\"./other:/run/secrets\"]\n";

fn project() -> Project {
    let manifest =
        declared("overlap = \"1d\"").replace("name = \"shop\"", "name = \"shop\"\ncompose = [\"compose.yaml\"]");
    let project = Project::with_manifest(&manifest);
    project.write("compose.yaml", COMPOSE);
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks"), 0o755);
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    project
}

/// The calls of a rehearsal, each as step and hook.
fn calls(project: &Project, words: &[&str]) -> Vec<String> {
    let words = [words, &["-n", "--json"]].concat();
    let answer: Value = serde_json::from_str(&project.run(words).assert_code(0).stdout).unwrap();
    let text = |it: &Value| format!("{} {}", it["step"].as_str().unwrap(), it["hook"].as_str().unwrap());
    answer["calls"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn a_dry_run_names_the_hooks_in_the_order_in_which_the_run_calls_them() {
    let project = project();
    let before = project.contents();
    let told = project.run(["rotate", "DB", "-n"]).assert_code(0).stderr;
    let lines: Vec<String> = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let at = |line: &str| lines.iter().position(|it| it == line).unwrap_or_else(|| panic!("{line}: {told}"));
    let order = [
        at("would set DB by hook `owner` (hooks/owner)"),
        at("would test DB by hook `owner` (hooks/owner)"),
        at("would write .env 0600"),
        at("would reload .env by hook `server` (hooks/owner), for `jobs`, `web`"),
        at("would retire DB by hook `owner` (hooks/owner), 1d after the new value is in force"),
    ];
    assert!(order.is_sorted(), "{told}");
    let foretold = calls(&project, &["rotate", "DB"]);
    assert_eq!(foretold, ["set owner", "test owner", "reload server", "retire owner"]);
    assert!(project.contents() == before && steps(&project).is_empty());

    project.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(steps(&project), ["set", "test", "reload"], "and `retire` at the end of the overlap");
    let again = ["retire owner", "set owner", "test owner", "reload server", "retire owner"];
    assert_eq!(calls(&project, &["rotate", "DB"]), again, "what was replaced before goes first");
    assert_eq!(calls(&project, &["rotate", "SESSION"]), ["reload server"]);
}

#[test]
fn what_failed_is_foretold_from_where_it_stands() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    assert_eq!(calls(&project, &["rotate", "DB"]), ["test owner", "reload server", "retire owner"]);
    std::fs::remove_file(project.path("fail-test")).unwrap();
    project.write("fail-reload", "");
    project.run(["rotate", "resume"]).assert_code(8);
    assert_eq!(calls(&project, &["rotate", "SESSION"]), ["reload server"], "it is owed");
    let plan = project.run(["rotate", "plan"]).assert_code(0).both();
    assert!(plan.contains("hook `owner` is hooks/owner") && plan.contains("hook `server` is hooks/owner"), "{plan}");
}
