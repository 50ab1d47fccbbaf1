//! Owners that do not know the value in force: seen until a hook told them, and no longer.

use std::io::Write as _;

use serde_json::Value;

use crate::programs::{asked, project, project_with, steps};
use crate::promises::end_overlaps;
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
    let mut all = findings(project);
    all.retain(|(code, _)| code != "hook-unusable");
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
fn what_is_imported_is_what_an_owner_has_that_no_hook_told() {
    let project = project();
    project.write("before.env", "DB=what-the-database-has-by-now-4711\n");
    project.run(["import", "--replace", "before.env", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    assert!(!is_untold(&project));
}

/// Imports a value for `DB` over the one that its owner was told.
fn import_another(project: &Project) {
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.write("before.env", "DB=what-the-database-has-by-now-4711\n");
    project.run(["import", "--replace", "before.env"]).assert_code(0);
}

#[test]
fn an_owner_that_was_told_another_value_than_is_imported_is_named() {
    let project = project();
    import_another(&project);
    project.run(["render"]).assert_code(0);
    assert!(is_untold(&project));
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert!(!is_untold(&project));
}

#[test]
fn files_have_the_value_that_is_told_before_the_one_of_before_is_refused() {
    let project = project();
    import_another(&project);
    let before = crate::fixture::delivered(&project);
    assert_ne!(before, "what-the-database-has-by-now-4711", "an import delivers nothing");
    let run = project.run(["rotate", "tell", "DB", "-n"]).assert_code(0);
    assert!(run.both().contains("retire"), "{run:?}");
    assert_eq!(crate::fixture::delivered(&project), before);
    let known = steps(&project).len();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(steps(&project)[known..], ["set", "test", "reload", "retire"]);
    assert_eq!(crate::fixture::delivered(&project), "what-the-database-has-by-now-4711");
    assert!(!is_untold(&project));
}

#[test]
fn nothing_is_refused_that_a_file_has_which_an_owner_who_was_not_told_keeps_from_being_written() {
    let project = crate::programs::project();
    let manifest = project.read("vault-kit.toml");
    let with_session = manifest.replace(
        "[secrets.SESSION]\nkind = \"random\"\n",
        "[secrets.SESSION]\nkind = \"random\"\nhooks = [\"other\"]\n",
    );
    let other = "[hooks.other]\nprogram = \"hooks/other\"\nsteps = [\"set\"]\n";
    project.write("vault-kit.toml", format!("{with_session}{other}"));
    project.write("hooks/other", "#!/bin/sh\nexit 1\n");
    crate::support::set_mode(&project.path("hooks/other"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    import_another(&project);
    let before = crate::fixture::delivered(&project);
    let known = steps(&project).len();
    project.run(["rotate", "tell", "DB", "SESSION"]).assert_code(8);
    assert_eq!(steps(&project)[known..], ["set", "test"]);
    assert_eq!(crate::fixture::delivered(&project), before);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(steps(&project)[known + 2..], ["set", "test", "reload", "retire"]);
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
fn a_reload_that_is_owed_is_told_of_the_secret_and_is_no_overlap() {
    let project = project();
    project.write("fail-reload", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let status = project.run(["rotate", "status"]).assert_code(0);
    let row = status.stdout.lines().find(|line| line.starts_with("DB ")).unwrap();
    assert!(row.contains(" reload ") && !status.stdout.contains("overlap"), "{status:?}");
    let status: Value =
        serde_json::from_str(&project.run(["rotate", "status", "--json"]).assert_code(0).stdout).unwrap();
    let time = |value: &Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let (next, failed) = (time(&status["rotations"][0]["next"]), time(&status["reloads"][0]["failed"]["at"]));
    assert_eq!(next - failed, chrono::TimeDelta::minutes(5), "a scheduled run tries it then");
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    let finding = &report["findings"][0];
    assert_eq!((&finding["code"], &finding["secret"]), (&"reload-owed".into(), &"DB".into()), "{report}");
    std::fs::remove_file(project.path("fail-reload")).unwrap();
    let run = project.run(["rotate", "DB"]).assert_code(7);
    assert!(run.stderr.contains("rotate resume"), "{run:?}");
    project.run(["rotate", "resume"]).assert_code(0);
    let told = project.run(["rotate", "DB"]).assert_code(0).stderr;
    let place = |word: &str| told.find(&format!("\n{word}")).unwrap_or_else(|| panic!("{word}: {told}"));
    assert!(place("wrote") < place("reloaded") && place("reloaded") < place("retired"), "{told}");
}

#[test]
fn what_is_of_another_kind_since_its_rotation_began_is_to_be_given_up() {
    let project = project();
    project.write("later-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let told = project.run(["check"]).assert_code(1).stdout;
    assert!(told.contains("`test` of hook `owner` asked to be tried again later, last "), "{told}");
    assert!(told.contains("vault-kit rotate resume DB"), "{told}");
    let text = project.read("vault-kit.toml");
    project.write("vault-kit.toml", text.replacen("kind = \"password\"", "kind = \"uuid\"", 1));
    for words in ["check", "rotate status", "status"] {
        let told = project.run(words.split(' ')).both();
        assert!(told.contains("vault-kit rotate abort DB") && !told.contains("rotate resume DB"), "{words}: {told}");
    }
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

#[test]
fn an_owner_that_hooks_told_before_is_named_after_a_value_was_replaced_without_them() {
    let values: [(&[&str], &[u8]); 4] = [
        (&["rotate", "DB"], b""),
        (&["generate", "--replace", "DB", "--yes"], b""),
        (&["set", "DB"], b"what-the-database-has-by-now-4711"),
        // A file says where a value was in use, not that this owner has it instead of what a hook told it.
        (&["import", "--replace", "before.env", "--yes"], b""),
    ];
    for (words, input) in values {
        let project = project();
        project.run(["rotate", "tell", "DB"]).assert_code(0);
        let manifest = project.read("vault-kit.toml");
        project.write("vault-kit.toml", manifest.replace("hooks = [\"owner\"]\n", ""));
        project.write("before.env", "DB=what-the-database-has-by-now-4711\n");
        project.run_with_stdin(words, input).assert_code(0);
        project.run(["render"]).assert_code(0);
        project.write("vault-kit.toml", manifest);
        project.run(["render"]).assert_code(0);
        assert!(is_untold(&project), "{words:?}");
        let known = asked(&project)[0].1["new"]["value"].clone();
        project.run(["rotate", "tell", "DB"]).assert_code(0);
        assert!(!is_untold(&project));
        let all = asked(&project);
        let [.., set, _, retire] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((set.0.as_str(), &set.1["old"]["value"]), ("set", &known), "{words:?}: what it knows");
        assert_eq!((retire.0.as_str(), &retire.1["old"]["value"]), ("retire", &known), "{words:?}");
    }
}

#[test]
fn a_value_that_a_hook_never_told_makes_no_owner_of_whoever_reads_a_file() {
    let project = Project::initialised(crate::fixture::MANIFEST);
    project.run(["rotate", "DB"]).assert_code(0);
    project.write("vault-kit.toml", crate::programs::declared(""));
    assert!(!is_untold(&project), "nobody knows what its owner has");
}

/// What of the values that the program was told its owner still accepts, were it to add each of them.
pub(crate) fn accepted(project: &Project) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut accepted: Vec<String> = Vec::new();
    for (step, input) in asked(project) {
        match step.as_str() {
            "set" if !accepted.contains(&text(&input["new"]["value"])) => accepted.push(text(&input["new"]["value"])),
            "retire" => accepted.retain(|it| *it != text(&input["old"]["value"])),
            _ => {}
        }
    }
    accepted
}

pub(crate) fn in_force(project: &Project) -> Vec<String> {
    vec![String::from_utf8(project.get("DB")).unwrap()]
}

#[test]
fn telling_what_was_set_by_hand_has_the_owner_refuse_all_that_it_was_told_before() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    for (value, is_told) in [("what-the-database-is-to-have-1", false), ("what-the-database-is-to-have-2", true)] {
        project.run_with_stdin(["set", "DB"], value.as_bytes()).assert_code(0);
        if is_told {
            project.run(["rotate", "tell", "DB"]).assert_code(0);
            assert_eq!(accepted(&project), in_force(&project));
        }
    }
    // A rotation has what a hook was told meanwhile refused too, whatever was set since.
    project.run_with_stdin(["set", "DB"], b"what-the-database-is-to-have-3").assert_code(0);
    project.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    // What comes back is not refused for having been replaced before.
    project.run_with_stdin(["set", "DB"], b"what-the-database-is-to-have-2").assert_code(0);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    project.run(["check"]).assert_code(0);
    let retires = steps(&project).iter().filter(|step| *step == "retire").count();
    project.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    assert_eq!(steps(&project).iter().filter(|step| *step == "retire").count(), retires + 1, "each is refused once");
}

#[test]
fn what_leaked_is_refused_at_once_although_another_value_replaced_it_before_any_was_told() {
    let project = crate::programs::project_with("overlap = \"24h\"");
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    crate::leaked::ban(&project, "DB");
    for value in ["what-the-database-is-to-have-1", "what-the-database-is-to-have-2"] {
        project.run_with_stdin(["set", "DB"], value.as_bytes()).assert_code(0);
    }
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
}

#[test]
fn telling_keeps_the_overlap_of_what_was_replaced_by_hand() {
    let project = crate::programs::project_with("overlap = \"24h\"");
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let first = in_force(&project);
    project.run_with_stdin(["set", "DB"], b"what-the-database-is-to-have-1").assert_code(0);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), [first, in_force(&project)].concat());
    assert!(project.run(["rotate", "status"]).assert_code(0).stdout.contains("overlap"));
    project.run(["check"]).assert_code(0);
    // The overlap has ended.
    project.edit_store(|store| {
        let day = chrono::TimeDelta::days(1);
        store.rotations.running.values_mut().for_each(|it| it.retire_at = it.retire_at.map(|at| at - day));
    });
    project.run(["rotate", "--due"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    assert!(project.run(["rotate", "status"]).assert_code(0).stderr.contains("no rotation is on its way"));

    // Set by hand within the overlap of a rotation: what is told is what was set.
    project.run(["rotate", "DB"]).assert_code(0);
    project.run_with_stdin(["set", "DB"], b"what-the-database-is-to-have-2").assert_code(0);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(accepted(&project).len(), 3);
    assert_eq!(accepted(&project)[2..], in_force(&project));
    project.run(["rotate", "DB", "--yes"]).assert_code(0);
    project.run(["rotate", "DB", "--yes"]).assert_code(0);
    assert_eq!(accepted(&project).len(), 2, "what one before last left is refused by now");
}

#[test]
fn an_owner_who_knows_more_than_an_older_store_that_is_accepted_is_named() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let old = project.bytes(".vault-kit/dev.age");
    project.run(["rotate", "DB"]).assert_code(0);
    project.write(".vault-kit/dev.age", old);
    let run = project.run(["store", "recover", "--accept-older"]).assert_code(2);
    assert!(run.stderr.contains("without what was changed since") && run.stderr.contains("--yes"), "{run:?}");
    let run = project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("dev.replaced-") && run.stderr.contains("vault-kit rotate status"), "{run:?}");
    project.run(["render"]).assert_code(0);
    assert!(is_untold(&project));
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert!(!is_untold(&project));
}

#[test]
fn an_owner_refuses_what_it_was_told_since_an_older_store_that_is_accepted() {
    for (file, code) in [("none", 0), ("fail-test", 8), ("die-set", 137)] {
        let project = project();
        project.run(["rotate", "tell", "DB"]).assert_code(0);
        let old = project.bytes(".vault-kit/dev.age");
        project.write(file, "");
        project.run(["rotate", "DB"]).assert_code(code);
        std::fs::remove_file(project.path(file)).ok();
        project.write(".vault-kit/dev.age", old);
        let run = project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
        assert!(!run.stderr.contains("audit show"), "all is known: {run:?}");
        project.run(["render"]).assert_code(0);
        project.run(["rotate", "tell", "DB"]).assert_code(0);
        assert_eq!(accepted(&project), in_force(&project), "{file}");
    }
}

#[test]
fn an_owner_refuses_what_leaked_before_and_after_an_older_store_that_is_accepted() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let old = project.bytes(".vault-kit/dev.age");
    project.run(["incident", "DB", "--yes"]).assert_code(0);
    project.write(".vault-kit/dev.age", old);
    let run = project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert!(
        run.stderr.contains("`DB` leaked, and is in force again") && run.stderr.contains("incident DB`"),
        "{run:?}"
    );
    project.run(["incident", "DB", "--yes"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    project.run(["check"]).assert_code(0);
    let list = project.run(["incident", "list"]).assert_code(0).stdout;
    assert!(list.lines().count() == 2 && list.ends_with("  replaced\n"), "{list}");
}

#[test]
fn a_second_copy_that_is_older_than_the_audit_record_is_brought_back_on_purpose_alone() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let (copy, old) = (project.state().join("dev.copy"), project.get("DB"));
    let before = std::fs::read(&copy).unwrap();
    project.run(["rotate", "DB"]).assert_code(0);
    // The file is there already, and keeps its mode.
    std::fs::File::options().write(true).truncate(true).open(&copy).unwrap().write_all(&before).unwrap();
    std::fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    for words in [&["store", "recover"][..], &["store", "recover", "-n"]] {
        let run = project.run(words).assert_code(4);
        assert!(run.stderr.contains("is older than the audit record"), "{run:?}");
        assert!(run.stderr.contains("`vault-kit store recover --accept-older`"), "{run:?}");
    }
    assert!(!project.path(".vault-kit/dev.age").exists());
    let run = project.run(["store", "recover", "--accept-older", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("`vault-kit audit show --action incident`"), "nobody knows what leaked since: {run:?}");
    // The file alone has what was in force since: it is given up on purpose too.
    assert!(run.stderr.contains("`vault-kit import --replace .env`"), "{run:?}");
    project.run(["render"]).assert_code(7);
    project.run(["render", "--yes"]).assert_code(0);
    assert_eq!(project.get("DB"), old);
    assert!(is_untold(&project));
    project.run(["audit", "verify"]).assert_code(0);
    // It is the newest from now on.
    let run = project.run(["store", "recover"]).assert_code(0);
    assert!(run.stderr.contains("nothing to do"), "{run:?}");
}

/// What the owner accepts beside what is not told to it.
fn told_last(project: &Project) -> Vec<String> {
    let value = in_force(project);
    project.run_with_stdin(["set", "DB"], b"what-the-database-is-to-have-1").assert_code(0);
    value
}

#[test]
fn what_an_owner_was_told_last_stays_accepted_until_it_is_told_the_value_in_force() {
    for told_by in [&["rotate", "tell", "DB"][..], &["rotate", "DB"]] {
        let project = project_with("overlap = \"2h\"");
        project.run(["rotate", "tell", "DB"]).assert_code(0);
        project.run(["rotate", "DB"]).assert_code(0);
        let last = told_last(&project);
        end_overlaps(&project);
        project.run(["render"]).assert_code(0);
        let before = accepted(&project);
        for verb in [&["rotate", "--due", "-n"][..], &["rotate", "--due"], &["rotate", "--due"]] {
            let run = project.run(verb).assert_code(0);
            assert!(!run.both().contains("retire"), "{run:?}");
        }
        let plan = project.run(["rotate", "plan"]).assert_code(0);
        assert!(!plan.stdout.contains("owner retire") || plan.stdout.contains("owner set"), "{plan:?}");
        assert!(plan.stderr.contains("owner-untold") && plan.stderr.contains("vault-kit rotate tell DB"), "{plan:?}");
        let status = project.run(["rotate", "status"]).assert_code(0).stdout;
        let fixes = |line: &&str| line.starts_with("DB ") && line.ends_with("vault-kit rotate tell DB");
        assert!(status.lines().filter(fixes).count() == 2 && !status.contains("--due"), "{status}");
        assert!(is_untold(&project));
        for (verb, code) in [(&["rotate", "resume", "-n"][..], 7), (&["rotate", "resume"], 7)] {
            let run = project.run(verb).assert_code(code);
            assert!(run.stderr.contains("`vault-kit rotate tell DB`") && run.stdout.is_empty(), "{run:?}");
        }
        assert!(accepted(&project) == before && before.contains(&last[0]));
        assert_eq!(project.run(["rotate", "DB", "-n"]).assert_code(0).both().matches("would retire").count(), 1);
        project.run(told_by).assert_code(0);
        // What was in its overlap may still be.
        end_overlaps(&project);
        project.run(["rotate", "--due"]).assert_code(0);
        assert_eq!(accepted(&project), in_force(&project), "{told_by:?}");
        assert!(findings(&project).is_empty());
    }
}

#[test]
fn a_retirement_that_failed_waits_for_an_owner_that_was_not_told_meanwhile() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.write("fail-retire", "");
    project.run(["rotate", "DB"]).assert_code(8);
    std::fs::remove_file(project.path("fail-retire")).unwrap();
    let last = in_force(&project);
    project.run(["generate", "--replace", "DB", "--yes"]).assert_code(0);
    let run = project.run(["rotate", "resume", "-n"]).assert_code(7);
    assert!(!run.stderr.contains("would retire"), "{run:?}");
    project.run(["rotate", "resume", "DB"]).assert_code(7);
    let run = project.run(["remove", "DB", "--yes"]).assert_code(7);
    assert!(run.stderr.contains("`vault-kit rotate tell DB`"), "{run:?}");
    assert!(accepted(&project).contains(&last[0]));
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
}

#[test]
fn what_leaked_is_refused_although_an_owner_was_not_told_what_is_in_force() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.write("fail-retire", "");
    project.run(["incident", "DB", "--yes"]).assert_code(8);
    std::fs::remove_file(project.path("fail-retire")).unwrap();
    let last = told_last(&project);
    let run = project.run(["rotate", "resume", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would retire"), "{run:?}");
    project.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(accepted(&project), last, "what did not leak is all that it has");
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
}
