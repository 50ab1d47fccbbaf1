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

/// Each of these lines was told, whatever blanks are in it, and in this order.
#[track_caller]
fn assert_in_order(told: &str, expected: &[&str]) {
    let lines: Vec<String> = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let at = |line: &&str| lines.iter().position(|it| it == line).unwrap_or_else(|| panic!("{line}: {told}"));
    assert!(expected.iter().map(at).is_sorted(), "{told}");
}

#[test]
fn a_dry_run_names_the_hooks_in_the_order_in_which_the_run_calls_them() {
    let project = project();
    let before = project.contents();
    let told = project.run(["rotate", "DB", "-n"]).assert_code(0).stderr;
    let order = [
        "would set DB by hook `owner` (hooks/owner)",
        "would test DB by hook `owner` (hooks/owner)",
        "would write .env 0600",
        "would reload .env by hook `server` (hooks/owner), for `jobs`, `web`",
        "would retire DB by hook `owner` (hooks/owner), 1d after the new value is in force",
    ];
    assert_in_order(&told, &order);
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
    let told = refused_alike(&project, "rotate resume", 8);
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
        for words in ["rotate DB --yes", "rotate SESSION", "rotate DB SESSION --yes"] {
            refused_alike(&project, words, code);
        }
        if code == 6 {
            std::fs::remove_file(project.path("hooks/owner")).unwrap();
        }
    }
}

/// What a rehearsal says that is refused with the errors and the exit of the run itself.
fn refused_alike(project: &Project, words: &str, code: i32) -> String {
    let before = project.contents();
    let errors = |told: &str| {
        told.lines().filter(|it| it.starts_with("vault-kit: error: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let told = project.run(words.split(' ').chain(["-n"])).assert_code(code).stderr;
    assert!(project.contents() == before, "{words}");
    let run = project.run(words.split(' ')).assert_code(code).stderr;
    assert!(!errors(&told).is_empty() && errors(&told) == errors(&run), "{words}: {told}\n{run}");
    told
}

#[test]
fn a_resumption_is_foretold_with_its_files_and_reloads() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let told = project.run(["rotate", "resume", "-n"]).assert_code(0).stderr;
    for line in ["would promote DB ", "would write   .env ", "would reload  server"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let answer: Value =
        serde_json::from_str(&project.run(["rotate", "resume", "-n", "--json"]).assert_code(0).stdout).unwrap();
    assert_eq!((&answer["files"][0]["path"], &answer["reloads"]), (&".env".into(), &serde_json::json!(["server"])));
    std::fs::remove_file(project.path("fail-test")).unwrap();
    let run = project.run(["rotate", "resume"]).assert_code(0).stderr;
    assert!(run.contains("wrote         .env ") && run.contains("reloaded      server"), "{run}");
}

#[test]
fn what_a_hook_that_left_the_manifest_keeps_from_going_on_is_foretold() {
    for (failing, gives_up) in [("fail-set", false), ("fail-test", false), ("fail-set", true)] {
        let project = project();
        project.write(failing, "");
        project.run(["rotate", "DB"]).assert_code(8);
        if gives_up {
            project.run(["rotate", "abort", "DB"]).assert_code(8);
        }
        let manifest = project.read("vault-kit.toml");
        project.write("vault-kit.toml", manifest.replace("hooks = [\"owner\"]\n", ""));
        for words in ["rotate resume", "rotate DB"] {
            let told = refused_alike(&project, words, 8);
            assert!(!told.contains("would promote") && !told.contains("would make    DB"), "{told}");
        }
        assert!(project.run(["rotate", "resume", "-n"]).stderr.contains("would refuse  DB"));
    }
}

#[test]
fn files_that_no_value_can_be_written_into_are_foretold() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    std::fs::remove_file(project.path("fail-test")).unwrap();
    let whole = project.read(".env");
    let without = |marker: &str| whole.split_inclusive('\n').filter(|it| !it.starts_with(marker)).collect::<String>();
    for text in [without("#"), without("# <<<"), format!("{whole}OTHER: abc\n")] {
        project.write(".env", &text);
        let code = if text.contains("OTHER") { 2 } else { 7 };
        for words in ["rotate resume", "rotate DB", "rotate SESSION"] {
            refused_alike(&project, words, code);
        }
    }
}

#[test]
fn an_owner_that_is_being_told_another_value_is_told_none_and_that_is_foretold() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    assert!(refused_alike(&project, "rotate tell DB", 7).contains("`DB` is being rotated"));
}

#[test]
fn a_plan_says_what_stands_in_the_way() {
    let project = project();
    let plan = || {
        let run = project.run(["rotate", "plan"]).assert_code(0);
        let json: Value =
            serde_json::from_str(&project.run(["rotate", "plan", "--json"]).assert_code(0).stdout).unwrap();
        (run.stderr, json["blocked"].clone())
    };
    let (told, blocked) = plan();
    assert!(!told.contains("warning") && blocked.is_null(), "{told}");
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let (told, blocked) = plan();
    assert!(told.contains("vault-kit: warning: rotation-in-flight: `DB` is being rotated since "), "{told}");
    assert!(told.contains(", and failed 1×: vault-kit rotate resume DB\n"), "{told}");
    assert_eq!(blocked[0]["fix"], "vault-kit rotate resume DB");
    std::fs::remove_file(project.path("hooks/owner")).unwrap();
    let (told, blocked) = plan();
    assert!(told.contains("warning: hook-missing: there is no `hooks/owner`"), "{told}");
    assert_eq!(blocked.as_array().unwrap().len(), 4);
}

#[test]
fn a_rollback_whose_programs_cannot_be_started_is_foretold() {
    let project = project();
    project.run(["rotate", "DB"]).assert_code(0);
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    for (code, words) in [(6, "you do not trust it as it is now"), (3, "there is no `hooks/owner`")] {
        assert!(refused_alike(&project, "rotate rollback DB", code).contains(words));
        // Of this one only the reload is a program's.
        let told = project.run(["rotate", "rollback", "SESSION", "-n"]);
        assert!(told.code == 2 && told.stderr.contains("no earlier value"), "{told:?}");
        if code == 6 {
            std::fs::remove_file(project.path("hooks/owner")).unwrap();
        }
    }
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["rotate", "SESSION"]).assert_code(0);
    std::fs::remove_file(project.path("hooks/owner")).unwrap();
    let told = project.run(["rotate", "rollback", "SESSION", "-n"]).assert_code(3);
    assert!(told.stderr.contains("would go back") && told.stderr.contains("hook `server`"), "{told:?}");
    let told = project.run(["rotate", "rollback", "SESSION", "-n", "--json"]).assert_code(3);
    let answer: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(answer["errors"][0]["code"], "hook-missing", "{answer}");
}

#[test]
fn what_comes_to_light_only_later_is_not_told_of_a_run_that_does_not_begin() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    let told = refused_alike(&project, "rotate DB SESSION", 6);
    assert!(told.contains("hook `server`") && !told.contains("error: refusing to run the hook `owner`"), "{told}");
}

#[test]
fn an_incident_whose_programs_cannot_be_started_is_foretold() {
    let project = project();
    std::fs::remove_file(project.path("hooks/owner")).unwrap();
    let told = project.run(["incident", "SESSION", "-n"]).assert_code(8);
    assert!(told.stderr.contains("there is no `hooks/owner`") && told.stderr.contains("hook `server`"), "{told:?}");
    assert!(told.stderr.contains("unless hook `server` did"), "it is left to a person: {told:?}");
    // No program reads the file of a setting's neighbour alone.
    let manifest = project.read("vault-kit.toml").replace("outputs = [\"env\"]", "outputs = [\"other\"]");
    project.write("vault-kit.toml", format!("{manifest}[secrets.ALONE]\nkind = \"random\"\n[outputs.alone]\nformat = \"dotenv\"\npath = \"alone.env\"\nsecrets = [\"ALONE\"]\n").replace("path = \".env\"\n", "path = \".env\"\nsecrets = [\"DB\", \"SESSION\", \"URL\"]\n"));
    project.run(["generate"]).assert_code(0);
    project.run(["incident", "ALONE", "-n"]).assert_code(0);
}

#[test]
fn what_a_resumption_finds_when_it_is_its_turn_is_a_step_that_fails() {
    let project = project();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    std::fs::remove_file(project.path("fail-test")).unwrap();
    std::fs::remove_file(project.path("hooks/owner")).unwrap();
    for more in [&["-n"][..], &[]] {
        let run = project.run([&["rotate", "resume"], more].concat()).assert_code(8);
        assert!(run.stderr.contains("there is no `hooks/owner`"), "{run:?}");
    }
}

#[test]
fn what_is_retired_is_foretold_where_it_happens_and_only_what_has_an_overlap_waits_for_its_end() {
    let project = project();
    let lines = |words: &[&str]| -> Vec<String> {
        let told = project.run(words.iter().copied()).assert_code(0).stderr;
        told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    let at = |lines: &[String], line: &str| {
        lines.iter().position(|it| it == line).unwrap_or_else(|| panic!("{line}: {lines:?}"))
    };
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let waits = "would retire DB the old value, once its overlap has ended, by hook `owner`";
    let told = lines(&["rotate", "resume", "-n"]);
    let order = ["would write .env 0600", "would reload server", waits].map(|line| at(&told, line));
    assert!(order.is_sorted(), "{told:?}");
    // What leaked has none.
    project.run(["incident", "DB", "--yes"]).assert_code(8);
    at(&lines(&["rotate", "resume", "-n"]), "would retire DB the old value, by hook `owner`");
    std::fs::remove_file(project.path("fail-test")).unwrap();
    project.run(["rotate", "resume"]).assert_code(0);
    crate::leaked::ban(&project, "DB");
    at(&lines(&["rotate", "DB", "-n"]), "would retire DB by hook `owner` (hooks/owner)");
}

#[test]
fn an_incident_within_an_overlap_is_foretold_as_it_goes() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.run(["rotate", "DB"]).assert_code(0);
    let left = |more: &[&str]| {
        let run = project.run([&["incident", "DB", "--json"], more].concat()).assert_code(0);
        serde_json::from_str::<Value>(&run.stdout).unwrap()["incidents"][0]["remains"].clone()
    };
    let foretold = left(&["-n"]);
    assert_eq!(foretold, left(&["--yes"]));
}

#[test]
fn an_incident_names_what_its_rotation_would_call_and_make() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    std::fs::remove_file(project.path("asked")).unwrap();
    let before = project.contents();
    let told = project.run(["incident", "DB", "-n"]).assert_code(0).stderr;
    let order = [
        "would make URL template",
        "would rotate DB now, without an overlap",
        "would set DB by hook `owner` (hooks/owner)",
        "would test DB by hook `owner` (hooks/owner)",
        "would write .env 0600",
        "would reload .env by hook `server` (hooks/owner), for `jobs`, `web`",
        "would retire DB by hook `owner` (hooks/owner)",
    ];
    assert_in_order(&told, &order);
    let foretold = calls(&project, &["incident", "DB"]);
    assert_eq!(foretold, ["set owner", "test owner", "reload server", "retire owner"]);
    assert!(project.contents() == before && steps(&project).is_empty());
    project.run(["incident", "DB", "--yes"]).assert_code(0);
    assert_eq!(steps(&project), ["set", "test", "reload", "retire"]);
    // What is made at once is only read.
    assert_eq!(calls(&project, &["incident", "SESSION"]), ["reload server"]);
}

#[test]
fn what_stands_against_an_incident_is_foretold_with_the_exit_of_the_run() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let env = project.read(".env");
    project.write(".env", format!("{env}OTHER: abc\n"));
    refused_alike(&project, "incident DB SESSION --yes", 8);
    project.write(".env", env);
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", format!("{manifest}[secrets.STRIPE]\nkind = \"external\"\n"));
    project.run_with_stdin(["set", "STRIPE"], b"sk_live_7Kd0aXw2QeRt5YuI8oPzLm3N").assert_code(0);
    let told = refused_alike(&project, "incident STRIPE --yes", 8);
    assert!(told.contains("`vault-kit set STRIPE`"), "{told}");
}

#[test]
fn a_run_of_which_a_reader_cannot_be_started_changes_nothing_and_that_is_foretold() {
    let project = project();
    project.run(["rotate", "SESSION"]).assert_code(0);
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    for (code, words) in [(6, "you do not trust it as it is now"), (3, "there is no `hooks/owner`")] {
        let before = project.contents();
        for command in ["rotate SESSION", "rotate rollback SESSION"] {
            let told = refused_alike(&project, command, code);
            assert!(told.contains(words) && project.contents() == before, "{command}: {told}");
        }
        if code == 6 {
            std::fs::remove_file(project.path("hooks/owner")).unwrap();
        }
    }
    // What leaked is replaced all the same, and its reader is owed it.
    crate::leaked::ban(&project, "SESSION");
    let old = project.get("SESSION");
    for words in ["rotate SESSION", "rotate --due"] {
        let foretold = project.run(words.split(' ').chain(["-n"])).assert_code(8);
        assert!(foretold.stderr.contains("would make    SESSION"), "{foretold:?}");
    }
    let run = project.run(["rotate", "SESSION"]).assert_code(8);
    assert!(run.stderr.contains("`reload` of hook `server`") && project.get("SESSION") != old, "{run:?}");
    // What is owed keeps nothing from being rotated that others read.
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks/owner"), 0o755);
    let run = project.run(["rotate", "resume"]).assert_code(0);
    assert!(run.stderr.contains("reloaded      server"), "{run:?}");
}

#[test]
fn a_rollback_is_foretold_with_its_owners_its_files_and_their_readers() {
    let project = project();
    for name in ["DB", "SESSION"] {
        project.run(["rotate", name]).assert_code(0);
    }
    let before = project.contents();
    let told = project.run(["rotate", "rollback", "DB", "-n"]).assert_code(0).stderr;
    let order = [
        "would set DB by hook `owner` (hooks/owner)",
        "would test DB by hook `owner` (hooks/owner)",
        "would make URL template, since `DB` changed",
        "would write .env 0600",
        "would reload .env by hook `server` (hooks/owner), for `jobs`, `web`",
        "would retire DB by hook `owner` (hooks/owner), 1d after the new value is in force",
    ];
    assert_in_order(&told, &order);
    assert!(project.contents() == before, "{told}");
    std::fs::remove_file(project.path("asked")).unwrap();
    let foretold = calls(&project, &["rotate", "rollback", "DB"]);
    let answer = project.run(["rotate", "rollback", "DB", "-n", "--json"]).assert_code(0).stdout;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["made"][0]["secret"], &answer["secret"]), (&"URL".into(), &"DB".into()), "{answer}");
    assert_eq!(foretold, ["set owner", "test owner", "reload server", "retire owner"]);
    project.run(["rotate", "rollback", "DB", "--yes"]).assert_code(0);
    assert_eq!(steps(&project), ["set", "test", "reload"], "and `retire` at the end of the overlap");
    assert_eq!(calls(&project, &["rotate", "rollback", "SESSION"]), ["reload server"]);
}
