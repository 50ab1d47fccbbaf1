//! What a rehearsal tells of the hooks that a run would call.

use serde_json::Value;

use crate::programs::{PROGRAM, declared, steps};
use crate::support::{Project, set_mode};

const COMPOSE: &str = "services:\n  web:\n    image: web\n    env_file: .env\n  jobs:\n    image: jobs\n    \
                       volumes: [\".:/srv:ro\"]\n  cache:\n    image: cache\n    volumes: [\"./other:/run/secrets\"]\n";

pub(crate) fn project() -> Project {
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

#[test]
fn a_value_that_is_there_is_put_in_force_and_not_made() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let told = project.run(["rotate", "DB", "-n"]).assert_code(0).stderr;
    assert!(told.contains("would promote DB ") && !told.contains("would make    DB"), "{told}");
    assert!(told.contains("would make    URL"), "what is made of it: {told}");
    let answer: Value =
        serde_json::from_str(&project.run(["rotate", "DB", "-n", "--json"]).assert_code(0).stdout).unwrap();
    assert_eq!(answer["promoted"], serde_json::json!(["DB"]));
    // Of another kind by now it would not be carried on.
    let text = project.read("vault-kit.toml");
    project.write("vault-kit.toml", text.replacen("kind = \"password\"", "kind = \"uuid\"", 1));
    let told = project.run(["rotate", "DB", "-n"]).assert_code(8).stderr;
    assert!(!told.contains("would promote DB") && told.contains("`vault-kit rotate abort DB`"), "{told}");
    let told = project.run(["rotate", "resume", "-n"]).assert_code(0).stderr;
    assert!(told.contains("would refuse  DB") && !told.contains("would promote"), "{told}");
}

#[test]
fn what_stands_against_a_run_and_what_it_would_ask_is_foretold() {
    let project = project();
    project.run(["rotate", "DB"]).assert_code(0);
    let told = project.run(["rotate", "DB", "-n"]).assert_code(0).stderr;
    let question = "would ask first: retire the old value of `DB` now, before its overlap has ended?";
    assert!(told.contains(question), "{told}");
    assert!(!project.run(["rotate", "DB", "-n", "--yes"]).assert_code(0).stderr.contains("would ask"));
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    for (code, words) in [(6, "you do not trust it as it is now"), (3, "there is no `hooks/owner`")] {
        for command in ["rotate DB", "rotate --due", "rotate tell DB", "rotate SESSION"] {
            let run = project.run(command.split(' ').chain(["-n"]));
            let is_asked = command != "rotate --due";
            assert_eq!(run.code == code, is_asked, "{command}: {run:?}");
            assert_eq!(run.stderr.contains(words), is_asked, "{command}: {run:?}");
        }
        let run = project.run(["rotate", "DB", "-n", "--json"]).assert_code(code);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(!answer["errors"][0]["fix"].as_array().unwrap().is_empty(), "{answer}");
        if code == 6 {
            std::fs::remove_file(project.path("hooks/owner")).unwrap();
        }
    }
}
