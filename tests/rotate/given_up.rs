//! Rotations that are given up while what is in force leaked: nobody is told that again unasked, and what is begun anew has both refused.

use vault_kit::name::SecretName;

use crate::leaked::told;
use crate::owners::{accepted, in_force};
use crate::programs::{PROGRAM, steps};
use crate::support::{Project, Run, set_mode};

const INCIDENT: [&str; 3] = ["incident", "DB", "--yes"];

fn remove(project: &Project, file: &str) {
    std::fs::remove_file(project.path(file)).unwrap();
}

/// A rotation that is being given up, since its owner cannot be told the value in force again.
pub(crate) fn giving_up() -> Project {
    let project = told();
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    project.write("fail-set", "");
    project.run(["rotate", "abort", "DB"]).assert_code(8);
    project
}

/// How often its owner was told a value.
fn times(project: &Project, step: &str, value: &[u8]) -> usize {
    let value = std::str::from_utf8(value).unwrap();
    let asked = crate::programs::asked(project);
    asked.iter().filter(|(it, input)| it == step && input["new"]["value"] == value).count()
}

fn says(run: &Run, words: &str) -> bool {
    run.stderr.contains(words) && run.stdout.is_empty()
}

#[test]
fn what_is_being_given_up_is_begun_anew_and_nobody_gets_the_leaked_value_again() {
    for words in [&INCIDENT[..], &["rotate", "DB"], &["rotate", "--due"]] {
        let project = giving_up();
        let old = project.get("DB");
        let known = times(&project, "set", &old);
        if words == INCIDENT {
            remove(&project, "fail-set");
        } else {
            // Banned, and no more than that.
            project.write("hooks/owner", format!("{PROGRAM}# more\n"));
            let run = project.run(INCIDENT).assert_code(8);
            assert!(run.stderr.contains("`vault-kit rotate DB`"), "{run:?}");
            for command in [&["rotate", "status"][..], &["rotate", "plan"], &["check"]] {
                let told = project.run(command.iter().copied()).both();
                assert!(told.contains("vault-kit rotate DB") && !told.contains("rotate resume DB"), "{told}");
            }
            project.write("hooks/owner", PROGRAM);
            set_mode(&project.path("hooks/owner"), 0o755);
            let before = project.contents();
            for command in [&["rotate", "resume"][..], &["rotate", "resume", "DB"], &["rotate", "resume", "-n"]] {
                let run = project.run(command.iter().copied()).assert_code(7);
                assert!(
                    says(&run, "leaked, and nobody is told it again") && says(&run, "`vault-kit rotate DB`"),
                    "{run:?}"
                );
            }
            assert!(project.contents() == before);
            remove(&project, "fail-set");
        }
        remove(&project, "fail-test");
        if words != ["rotate", "--due"] {
            let run = project.run(words.iter().copied().filter(|it| *it != "--yes").chain(["-n"])).assert_code(0);
            assert!(!run.stderr.contains("current value"), "{run:?}");
            assert_eq!(run.stderr.matches("would set ").count(), 1, "{run:?}");
        }
        let asked = steps(&project).len();
        project.run(words.iter().copied()).assert_code(0);
        assert_eq!(times(&project, "set", &old), known, "{words:?}");
        assert_eq!(steps(&project)[asked..], ["set", "test", "reload", "retire", "retire"], "{words:?}");
        assert_eq!(accepted(&project), in_force(&project), "{words:?}: also what was given up");
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn an_earlier_value_that_leaked_while_it_came_back_does_not() {
    let project = told();
    project.run(["rotate", "DB"]).assert_code(0);
    project.write("fail-test", "");
    project.run(["rotate", "rollback", "DB", "--yes"]).assert_code(8);
    remove(&project, "fail-test");
    let (old, known) = (project.get("DB"), steps(&project).len());
    project.run(INCIDENT).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    assert!(project.get("DB") != old && steps(&project).len() > known);
    project.run(["check"]).assert_code(0);
}

#[test]
fn who_gives_an_owner_the_leaked_value_on_purpose_is_told_how_to_go_on() {
    let project = told();
    project.write("fail-test", "");
    project.run(INCIDENT).assert_code(8);
    project.write("fail-set", "");
    let run = project.run(["rotate", "abort", "DB", "--yes"]).assert_code(8);
    for words in ["`vault-kit rotate DB`", "`vault-kit rotate abort DB`"] {
        assert!(says(&run, words) && !run.stderr.contains("rotate resume"), "{run:?}");
    }
}

#[test]
fn what_is_left_with_an_owner_beside_a_leaked_value_is_not_accepted_by_hand() {
    let project = told();
    project.write("fail-test", "");
    project.run(INCIDENT).assert_code(8);
    let run = project.run(["rotate", "abort", "DB", "--without-hooks", "--yes"]).assert_code(0);
    assert!(says(&run, "`vault-kit incident DB`"), "{run:?}");
    assert!(!run.stderr.contains("rotate tell") && !run.stderr.contains("vault-kit get"), "{run:?}");
    remove(&project, "fail-test");
    project.run(INCIDENT).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
}

/// A rotation that a failing step stopped, and the candidate that its owner knows.
fn stopped(step: &str) -> (Project, Vec<u8>) {
    let project = told();
    project.write(&format!("fail-{step}"), "");
    project.run(["rotate", "DB"]).assert_code(8);
    let (_, input) = crate::programs::asked(&project).into_iter().find(|(it, _)| it == "set").unwrap();
    let candidate = input["new"]["value"].as_str().unwrap().as_bytes().to_vec();
    (project, candidate)
}

#[test]
fn a_candidate_that_may_have_leaked_never_comes_into_force() {
    for step in ["set", "test"] {
        let (project, candidate) = stopped(step);
        let old = project.get("DB");
        let told = project.run(["incident", "DB", "-n"]).assert_code(0);
        assert!(says(&told, "what was to take its place is banned with it"), "{told:?}");
        remove(&project, &format!("fail-{step}"));
        project.run(INCIDENT).assert_code(0);
        let new = project.get("DB");
        assert!(new != old && new != candidate, "{step}");
        assert_eq!(accepted(&project), in_force(&project), "{step}: also the candidate is refused");
        let text = crate::leaked::timeline(&project);
        assert!(text.contains("what was to take the place of `DB` is banned with it"), "{text}");
        let run = project.run_with_stdin(["set", "DB"], &candidate).assert_code(7);
        assert!(says(&run, "that leaked"), "{run:?}");
        project.run(INCIDENT).assert_code(0);
        assert_eq!(project.get("DB"), new, "{step}: once is enough");
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn a_rotation_whose_candidate_leaked_is_not_resumed_and_nobody_is_told_to() {
    let (project, candidate) = stopped("test");
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    project.run(INCIDENT).assert_code(8);
    for command in [&["rotate", "status"][..], &["rotate", "plan"], &["check"]] {
        let told = project.run(command.iter().copied()).both();
        assert!(told.contains("vault-kit rotate DB") && !told.contains("rotate resume DB"), "{told}");
    }
    let run = project.run(["rotate", "resume"]).assert_code(7);
    assert!(says(&run, "`vault-kit rotate DB`"), "{run:?}");
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks/owner"), 0o755);
    remove(&project, "fail-test");
    project.run(["rotate", "--due"]).assert_code(0);
    assert!(project.get("DB") != candidate && accepted(&project) == in_force(&project));
}

#[test]
fn a_report_that_names_the_candidate_means_what_is_in_force_too() {
    let (project, candidate) = stopped("test");
    let name = SecretName::new("DB").unwrap();
    let id = project.store().rotations.open(&name).unwrap().candidate.unwrap().to_string();
    let finding = serde_json::json!({"secret": "DB", "version": id, "path": "cand.txt"});
    project.write("scan.json", serde_json::json!({"schema_version": 1, "findings": [finding]}).to_string());
    remove(&project, "fail-test");
    let old = project.get("DB");
    let report = ["incident", "--from-scan", "scan.json", "--yes"];
    project.run(report).assert_code(0);
    let new = project.get("DB");
    assert!(new != old && new != candidate && accepted(&project) == in_force(&project));
    project.run(report).assert_code(0);
    assert_eq!(project.get("DB"), new, "the same report once more");
}

#[test]
fn a_candidate_of_after_the_ban_goes_on_unless_it_leaked_again() {
    let (project, _) = stopped("test");
    project.run(INCIDENT).assert_code(8);
    let candidate = |project: &Project| {
        let name = SecretName::new("DB").unwrap();
        project.store().rotations.open(&name).unwrap().candidate.unwrap()
    };
    let first = candidate(&project);
    project.run(INCIDENT).assert_code(8);
    assert_eq!(candidate(&project), first);
    project.run(["incident", "DB", "--again", "--yes"]).assert_code(8);
    assert!(candidate(&project) != first);
    remove(&project, "fail-test");
    project.run(INCIDENT).assert_code(0);
    assert_eq!(accepted(&project), in_force(&project));
    project.run(["check"]).assert_code(0);
}

/// As [`told`], with a list of fingerprints that is committed.
fn listed() -> Project {
    let project = told();
    let list = "[outputs.prints]\nformat = \"fingerprints\"\npath = \"prints.json\"\n";
    project.write("vault-kit.toml", project.read("vault-kit.toml") + list);
    project.run(["render"]).assert_code(0);
    project
}

/// The states of what the list has of `DB`, in the order of the alphabet.
fn states(project: &Project) -> Vec<String> {
    let list: serde_json::Value = serde_json::from_str(&project.read("prints.json")).unwrap();
    let of = list["values"].as_array().unwrap().iter().filter(|it| it["secret"] == "DB");
    let mut states: Vec<String> = of.map(|it| it["state"].as_str().unwrap().to_owned()).collect();
    states.sort_unstable();
    states
}

#[test]
fn the_committed_list_follows_what_programs_were_told_whether_or_not_it_came_into_force() {
    let project = listed();
    crate::leaked::ban(&project, "DB");
    project.write("fail-test", "");
    project.run(["rotate", "--due"]).assert_code(8);
    assert_eq!(states(&project), ["banned", "next"]);
    let is_stale = |project: &Project| project.run(["check"]).assert_code(1).both().contains("stale");
    assert!(!is_stale(&project));
    let before = project.contents();
    for verb in [&["rotate", "abort", "DB", "-n"][..], &["rotate", "abort", "DB", "--without-hooks", "-n"]] {
        let run = project.run(verb.iter().copied()).assert_code(0);
        assert!(run.stderr.contains("prints.json") && !run.stderr.contains(".env"), "{run:?}");
        let json = project.run(verb.iter().copied().chain(["--json"])).assert_code(0).stdout;
        assert!(json.contains("prints.json"), "{json}");
    }
    assert!(project.contents() == before);
    let run = project.run(["rotate", "abort", "DB", "--yes"]).assert_code(0);
    assert!(!states(&project).contains(&"next".to_owned()) && run.stderr.contains("prints.json"), "{run:?}");
    assert!(!is_stale(&project));
}

#[test]
fn a_resumption_of_giving_up_is_foretold_with_the_list_that_it_writes() {
    let project = listed();
    for (step, words) in [("fail-test", ["rotate", "DB"].as_slice()), ("fail-set", &["rotate", "abort", "DB"])] {
        project.write(step, "");
        project.run(words).assert_code(8);
    }
    remove(&project, "fail-set");
    let dry = project.run(["rotate", "resume", "-n"]).assert_code(0);
    assert!(dry.stderr.contains("would write   prints.json"), "{dry:?}");
    assert_eq!(states(&project), ["current", "next"]);
    let run = project.run(["rotate", "resume"]).assert_code(0);
    assert!(run.stderr.contains("wrote         prints.json"), "{run:?}");
    assert_eq!(states(&project), ["current", "past"]);
}

#[test]
fn what_was_given_up_and_leaks_later_is_found_and_banned() {
    for then in [&["rotate", "abort", "DB"][..], &["rotate", "abort", "DB", "--without-hooks", "--yes"]] {
        let project = listed();
        project.write("fail-test", "");
        project.run(["rotate", "DB"]).assert_code(8);
        remove(&project, "fail-test");
        let (_, input) = crate::programs::asked(&project).into_iter().find(|(it, _)| it == "set").unwrap();
        let candidate = input["new"]["value"].as_str().unwrap().to_owned();
        project.run(then.iter().copied()).assert_code(0);
        if then.len() > 3 {
            project.run(["rotate", "tell", "DB"]).assert_code(0);
        }
        assert_eq!(states(&project), ["current", "past"], "{then:?}");
        project.run(["check"]).assert_code(0);
        project.write("paste.txt", format!("password: {candidate}\n"));
        let found = project.run(["scan", "paste.txt", "--json"]).assert_code(1);
        project.write("found.json", &found.stdout);
        assert!(!found.both().contains(&candidate), "{found:?}");
        let old = project.get("DB");
        project.run(["incident", "--from-scan", "found.json", "--yes"]).assert_code(0);
        assert_ne!(project.get("DB"), old, "nobody can tell which of them leaked");
        assert_eq!(states(&project), ["banned", "banned", "current"], "{then:?}");
        let run = project.run_with_stdin(["set", "DB"], candidate.as_bytes()).assert_code(7);
        assert!(says(&run, "that leaked"), "{run:?}");
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn no_program_reads_the_committed_list_that_does_not_say_so() {
    for (outputs, expected) in [("", &["set", "test"][..]), ("outputs = [\"prints\"]\n", &["set", "test", "reload"])] {
        let project = listed();
        let hook = "[hooks.any]\nprogram = \"hooks/owner\"\nsteps = [\"reload\"]\n";
        project.write("vault-kit.toml", format!("{}{hook}{outputs}", project.read("vault-kit.toml")));
        project.run(["trust", "--yes"]).assert_code(0);
        project.write("fail-test", "");
        project.run(["rotate", "DB"]).assert_code(8);
        assert_eq!(steps(&project), expected, "nothing of theirs changed");
        assert!(project.read("prints.json").contains("next"));
    }
}
