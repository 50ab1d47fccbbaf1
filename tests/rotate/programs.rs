//! Real programs: what they are given, how they fail, and that a process which they kill is followed up.

use std::process::{Command, Stdio};

use chrono::TimeDelta;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use vault_kit::name::SecretName;
use vault_kit::private_file::Root;
use vault_kit::store::Stage;

use crate::fixture::{MANIFEST, actions, delivered, stages};
use crate::support::{self, Project, Run, set_mode};

/// Writes down what it is asked, and fails, waits or kills its parent where a file says so.
pub(crate) const PROGRAM: &str = r#"#!/bin/sh
input=$(cat)
printf '%s %s\n' "$1" "$input" >> asked
if [ -e "die-$1" ]; then rm "die-$1"; kill -9 "$PPID"; exit 0; fi
if [ -e "fail-$1" ]; then echo "refused: $input"; exit 1; fi
if [ -e "later-$1" ]; then exit 75; fi
while [ -e "wait-$1" ]; do sleep 0.05; done
"#;

pub(crate) fn project() -> Project {
    project_with("")
}

/// The declaration, with more said of `DB`.
pub(crate) fn declared(more: &str) -> String {
    let hooks = "[hooks.owner]\nprogram = \"hooks/owner\"\nsteps = [\"set\", \"test\", \"retire\"]\nsecrets = [\"SESSION\"]\n\
                 options = { host = \"db\" }\n[hooks.server]\nprogram = \"hooks/owner\"\nsteps = [\"reload\"]\noutputs = [\"env\"]\n\
                 [hooks.pager]\nprogram = \"hooks/owner\"\nsteps = [\"notify\"]\n";
    let said = format!("group = \"database\"\nhooks = [\"owner\"]\n{more}");
    let manifest = MANIFEST.replace("group = \"database\"", &said);
    format!("{manifest}{hooks}")
}

/// As declared, with more said of `DB`.
pub(crate) fn project_with(more: &str) -> Project {
    let project = Project::with_manifest(&declared(more));
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks"), 0o755);
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    project
}

/// What the program was asked: step and input.
pub(crate) fn asked(project: &Project) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(project.path("asked")).unwrap_or_default();
    let line = |line: &str| {
        let (step, input) = line.split_once(' ').unwrap();
        (step.to_owned(), serde_json::from_str(input).unwrap())
    };
    text.lines().map(line).collect()
}

pub(crate) fn steps(project: &Project) -> Vec<String> {
    asked(project).into_iter().map(|(step, _)| step).collect()
}

#[test]
fn a_program_gets_what_it_needs_and_nothing_else() {
    let project = project();
    let old = project.get("DB");
    project.run(["rotate", "DB"]).assert_code(0);
    let new = project.get("DB");
    assert_eq!(steps(&project), ["set", "test", "reload", "retire"]);
    for (step, input) in asked(&project) {
        assert_eq!((input["schema_version"].as_u64(), input["step"].as_str()), (Some(1), Some(step.as_str())));
        let text = |which: &str| input[which]["value"].as_str().map(|value| value.as_bytes().to_vec());
        if step == "reload" {
            assert_eq!(
                (text("new"), text("old"), &input["secrets"]),
                (None, None, &Value::Object(serde_json::Map::new()))
            );
            assert_eq!(input["outputs"][0]["output"], "env");
        } else {
            assert_eq!((text("new").as_ref(), text("old").as_ref()), (Some(&new), Some(&old)), "{step}");
            assert_eq!(input["secrets"]["SESSION"]["value"].as_str().unwrap().as_bytes(), project.get("SESSION"));
            assert_eq!(input["options"]["host"], "db");
            assert_eq!(input["rotation"], input["new"]["version"]);
        }
    }
}

#[test]
fn what_programs_are_given_is_what_the_schema_says() {
    let test = "programs::what_programs_are_given_is_what_the_schema_says";
    let Some(python) = support::python() else { return support::skip(test, "no Python with the judges' packages") };
    let project = project_with("usernames = [\"app_a\", \"app_b\"]");
    project.write("fail-test", "");
    project.run(["rotate", "DB", "--non-interactive"]).assert_code(8);
    std::fs::remove_file(project.path("fail-test")).unwrap();
    project.run(["rotate", "resume"]).assert_code(0);
    let written = project.read("asked");
    let inputs: Vec<(&str, &str)> = written.lines().map(|line| line.split_once(' ').unwrap()).collect();
    let steps: Vec<&str> = inputs.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, ["set", "test", "notify", "test", "reload", "retire"], "each step there is");
    let judge = |name: &str, input: &str| {
        project.write(name, input);
        let judge = Command::new(&python)
            .arg(support::root().join("tests/judges/validate_json.py"))
            .arg(support::root().join("schemas/hook-input.schema.json"))
            .arg(project.path(name))
            .output()
            .unwrap();
        (judge.status.success(), String::from_utf8_lossy(&judge.stderr).into_owned())
    };
    for (step, input) in &inputs {
        let (is_valid, said) = judge("input.json", input);
        assert!(is_valid, "{step}: {said}");
    }
    // The judge does say no.
    let (is_valid, _) = judge("spoilt.json", &inputs[0].1.replace("\"step\":\"set\"", "\"step\":\"sit\""));
    assert!(!is_valid);
}

#[test]
fn a_program_that_reloads_is_told_of_what_changed_for_it_alone() {
    let manifest = "[project]\nname = \"shop\"\n[secrets.A]\nkind = \"random\"\noverlap = \"1d\"\n[secrets.B]\nkind = \"random\"\n\
                    [secrets.C]\nkind = \"random\"\n[hooks.all]\nprogram = \"hooks/owner\"\nsteps = [\"reload\"]\n\
                    [hooks.env]\nprogram = \"hooks/owner\"\nsteps = [\"reload\"]\noutputs = [\"env\"]\n\
                    [outputs.env]\nformat = \"dotenv\"\npath = \".env\"\nsecrets = [\"A\", \"B\"]\n\
                    [outputs.files]\nformat = \"docker-secrets\"\npath = \"files\"\nsecrets = [\"A\", \"B\", \"C\"]\n";
    let project = Project::with_manifest(manifest);
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks"), 0o755);
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    let told = |project: &Project| {
        let text = |value: &Value| {
            value.as_str().unwrap().rsplit(project.root().to_str().unwrap()).next().unwrap()[1..].to_owned()
        };
        let of = |(_, input): (String, Value)| {
            let list = |value: &Value| {
                value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            let files = input["outputs"].as_array().unwrap().iter().map(|it| text(&it["path"])).collect::<Vec<_>>();
            (list(&input["changed"]).concat(), files.join(" "))
        };
        let all: Vec<(String, String)> = asked(project).into_iter().map(of).collect();
        std::fs::remove_file(project.path("asked")).unwrap();
        all
    };
    let pair = |changed: &str, files: &str| (changed.to_owned(), files.to_owned());
    project.run(["rotate", "C"]).assert_code(0);
    assert_eq!(told(&project), [pair("C", "files/c files/c_previous")], "nobody else reads it");
    // What failed is told of again, with what changed since.
    project.write("fail-reload", "");
    project.run(["rotate", "B"]).assert_code(8);
    assert_eq!(told(&project), [pair("B", ".env files/b files/b_previous"), pair("B", ".env")]);
    std::fs::remove_file(project.path("fail-reload")).unwrap();
    project.run(["rotate", "A"]).assert_code(0);
    let files = ".env files/a files/a_previous files/b files/b_previous";
    assert_eq!(told(&project), [pair("AB", files), pair("AB", ".env")]);
    assert!(project.store().rotations.is_empty() || project.store().rotations.unread.is_empty());
}

#[test]
fn containers_that_still_have_a_file_of_before_are_named_with_what_helps() {
    let project = Project::initialised(MANIFEST);
    // A daemon that answers of one container, in which the file is another one.
    project.write("as-it-was", "");
    let socket = project.home().join("docker.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (source, seen) = (project.path(".env"), project.path("as-it-was"));
    let inspected = serde_json::json!([{ "Type": "bind", "Source": source, "Destination": seen }]);
    let labels = r#"{"com.docker.compose.project":"shop","com.docker.compose.service":"web"}"#;
    project.write(
        "bin/docker",
        format!(
            "#!/bin/sh\ncase \"$*\" in *inspect*) echo '\"/shop-web-1\" {} {labels} {inspected}' ;; *) echo 1 ;; esac\n",
            std::process::id()
        ),
    );
    set_mode(&project.path("bin/docker"), 0o755);
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        let path = format!("{}:/usr/bin:/bin", project.path("bin").display());
        command.env("DOCKER_HOST", format!("unix://{}", socket.display())).env("PATH", path);
        Run::of(&mut command)
    };
    let told = run(&["rotate", "DB"]).assert_code(0);
    let warning = "container `shop-web-1` still has `.env` as it was: `docker compose -p shop restart web`; or for good: \
                   `in_place = true` in `[outputs.env]`";
    assert!(told.stderr.contains(warning), "{}", told.stderr);
    let answer: Value = serde_json::from_str(&run(&["rotate", "DB", "--json"]).assert_code(0).stdout).unwrap();
    assert_eq!(answer["warnings"][0], warning);
    let check = run(&["check"]).assert_code(1);
    assert!(check.stdout.contains("mounted-stale"), "{check:?}");
}

#[test]
fn a_program_that_fails_promotes_nothing_and_its_words_are_shown_without_values() {
    let project = project();
    let old = project.get("DB");
    for (file, code) in [("fail-set", "hook-failed"), ("fail-test", "hook-failed"), ("later-test", "hook-not-now")] {
        project.write(file, "");
        let run = project.run(["rotate", "DB", "--json"]).assert_code(8);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(answer["errors"][0]["code"], code);
        assert_eq!((project.get("DB"), delivered(&project).into_bytes()), (old.clone(), old.clone()));
        for (_, input) in asked(&project) {
            for value in [&input["new"]["value"], &input["old"]["value"], &input["secrets"]["SESSION"]["value"]] {
                assert!(!run.both().contains(value.as_str().unwrap()), "a value is shown: {run:?}");
            }
        }
        assert_eq!(run.stderr.contains("owner: refused: {"), code == "hook-failed", "{}", run.stderr);
        std::fs::remove_file(project.path(file)).unwrap();
    }
    project.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(stages(&project, "DB"), [Stage::Previous, Stage::Current], "one new value, however often it was tried");
}

#[test]
fn whoever_is_killed_while_a_program_runs_is_followed_up() {
    for step in ["set", "test", "reload", "retire"] {
        let project = project();
        project.write(&format!("die-{step}"), "");
        project.run(["rotate", "DB"]).assert_code(137);
        // The program that killed us may live a little longer: a writer waits for it.
        project.run(["render"]).assert_code(0);
        let check = project.run(["check"]).assert_code(1);
        assert!(
            check.stdout.contains(if step == "reload" { "reload-owed" } else { "rotation-unfinished" }),
            "{check:?}"
        );
        // The schedule takes it up at once: nothing failed, somebody died.
        project.run(["rotate", "--due", "--wait"]).assert_code(0);
        assert_eq!(stages(&project, "DB"), [Stage::Previous, Stage::Current], "{step}");
        assert_eq!(delivered(&project).into_bytes(), project.get("DB"));
        let times = |wanted: &str| steps(&project).iter().filter(|it| *it == wanted).count();
        assert_eq!(
            ["set", "test", "reload", "retire"].map(times),
            ["set", "test", "reload", "retire"].map(|it| if it == step { 2 } else { 1 })
        );
        let status = project.run(["rotate", "status"]).assert_code(0);
        assert!(status.stderr.contains("no rotation is on its way"), "{status:?}");
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn whoever_is_interrupted_stops_the_program_and_leaves_the_rest_to_the_next_run() {
    let project = project();
    project.write("wait-set", "");
    let mut command = project.command(["rotate", "DB"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while asked(&project).is_empty() {
        std::thread::yield_now();
    }
    project.run(["check"]).assert_code(0);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap()).assert_code(130);
    assert!(run.stderr.contains("`vault-kit rotate resume`"), "{run:?}");
    std::fs::remove_file(project.path("wait-set")).unwrap();
    project.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(stages(&project, "DB"), [Stage::Previous, Stage::Current]);
}

#[test]
fn a_program_that_is_not_trusted_is_found_before_anything_is_changed() {
    let project = project();
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    let before = project.contents();
    let run: Run = project.run(["rotate", "DB", "--json"]).assert_code(6);
    assert!(run.stdout.contains("untrusted-hook"), "{run:?}");
    assert!(project.contents() == before);
    assert!(steps(&project).is_empty());
}

#[test]
fn a_schedule_rotates_what_does_not_need_the_program_that_is_not_trusted() {
    let project = project();
    project.edit_store(|store| {
        let days = chrono::TimeDelta::days(40);
        store.secrets.values_mut().flatten().for_each(|version| version.created -= days);
    });
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    let (db, session) = (project.get("DB"), project.get("SESSION"));
    let run = project.run(["rotate", "--due"]).assert_code(6);
    assert!(project.get("DB") == db && project.get("SESSION") != session);
    assert_eq!(delivered(&project).into_bytes(), db);
    for words in [
        "error: refusing to run the hook `owner`: you do not trust it as it is now",
        "then run `vault-kit trust`",
        "until then it is not rotated: `DB`",
    ] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert!(!run.stderr.contains("nothing was changed"), "{}", run.stderr);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["rotate", "--due"]).assert_code(0);
    assert!(project.get("DB") != db);
}

#[test]
fn giving_up_tells_the_owner_the_value_that_stays() {
    let project = project();
    let old = project.get("DB");
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let told = project.run(["rotate", "resume", "-n"]).assert_code(0).stderr;
    assert!(told.contains("would test    DB") && !told.contains("would set"), "{told}");
    let told = project.run(["rotate", "abort", "DB", "-n"]).assert_code(0).stderr;
    for line in ["its owner is to accept the current value, by hook `owner`", "the candidate, by hook `owner`"] {
        assert!(told.contains(line), "{told}");
    }
    assert_eq!(steps(&project), ["set", "test"]);
    project.run(["rotate", "abort", "DB"]).assert_code(0);
    let asked = asked(&project);
    let candidate = asked[0].1["new"]["value"].as_str().unwrap();
    let [.., set, retire] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((set.0.as_str(), set.1["new"]["value"].as_str().unwrap().as_bytes()), ("set", old.as_slice()));
    assert_eq!((retire.0.as_str(), retire.1["old"]["value"].as_str()), ("retire", Some(candidate)));
    assert_eq!(stages(&project, "DB"), [Stage::Current]);
}

#[test]
fn naming_what_is_being_given_up_gives_it_up_and_rotates() {
    let project = project();
    let old = project.get("DB");
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    project.write("fail-set", "");
    for words in ["rotate abort DB", "rotate DB"] {
        let run = project.run(words.split(' ')).assert_code(8);
        assert!(run.stderr.contains("finish giving it up: `vault-kit rotate resume DB`"), "{run:?}");
        assert!(!run.stderr.contains("the same value") && project.get("DB") == old, "{run:?}");
    }
    for file in ["fail-test", "fail-set"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    let told = project.run(["rotate", "DB", "-n"]).assert_code(0).stderr;
    let calls: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("would ")?.split(' ').next()).collect();
    let asked_before = steps(&project).len();
    let run = project.run(["rotate", "DB"]).assert_code(0);
    assert!(run.stderr.contains("aborted       DB"), "{run:?}");
    let asked = &steps(&project)[asked_before..];
    assert_eq!(asked, ["set", "retire", "set", "test", "reload", "retire"]);
    let hooked: Vec<&str> = calls.into_iter().filter(|it| asked.iter().any(|step| step == it)).collect();
    assert_eq!(hooked, asked, "{told}");
    assert!(project.get("DB") != old);
    assert_eq!(stages(&project, "DB"), [Stage::Previous, Stage::Current]);
}

#[test]
fn what_its_owner_cannot_be_told_is_given_up_without_a_hook_and_says_what_that_leaves() {
    let project = project();
    let old = project.get("DB");
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    // From here on its owner cannot be told anything: giving up fails, and so does going on.
    project.write("fail-set", "");
    for words in ["rotate abort DB", "rotate resume", "rotate abort DB"] {
        let run = project.run(words.split(' ')).assert_code(8);
        assert!(run.stderr.contains("`vault-kit rotate abort DB --without-hooks`"), "{run:?}");
    }
    let (asked, words) = (steps(&project).len(), ["rotate", "abort", "DB", "--without-hooks"]);
    let told = project.run(words.iter().chain(&["-n"])).assert_code(0).stderr;
    assert!(told.contains("would leave   DB") && !told.contains("would set"), "{told}");
    let run = project.run(words).assert_code(2);
    assert!(run.stderr.contains("all that the owner of `DB` accepts: no hook tells it"), "{run:?}");
    let run = project.run(words.iter().chain(&["--yes"])).assert_code(0);
    assert_eq!(steps(&project).len(), asked, "no hook was called");
    assert!(
        run.stderr.contains("the owner of `DB` may accept what was given up, the value in force, or both"),
        "{run:?}"
    );
    assert!(run.stderr.contains("`vault-kit rotate tell DB`") && run.stderr.contains("`vault-kit get DB`"), "{run:?}");
    // Its owner may accept it, and is to be told to refuse it.
    assert_eq!((stages(&project, "DB"), project.get("DB")), (vec![Stage::Current, Stage::Aborted], old));
    assert_eq!(actions(&project).last().unwrap(), "rotate-abort-without-hooks");
    assert!(project.read(".vault-kit/dev.ledger.jsonl").contains("\"outcome\":\"aborted\""));
    assert!(project.run(["check"]).assert_code(1).stdout.contains("vault-kit rotate tell DB"));
    // It can be rotated again, and told once that works.
    std::fs::remove_file(project.path("fail-set")).unwrap();
    project.run(["rotate", "tell", "DB"]).assert_code(8);
    std::fs::remove_file(project.path("fail-test")).unwrap();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    project.run(["rotate", "DB"]).assert_code(0);
}

#[test]
fn a_scheduled_run_that_fails_has_a_person_told_and_no_value_with_it() {
    let project = project();
    project.write("die-set", "");
    project.run(["rotate", "DB"]).assert_code(137);
    project.write("fail-set", "");
    let directory = project.root().to_str().unwrap();
    project.run(["-C", directory, "rotate", "--due", "--wait"]).assert_code(8);
    let (step, input) = asked(&project).pop().unwrap();
    assert_eq!((step.as_str(), &input["failure"]["secret"], &input["new"]), ("notify", &"DB".into(), &Value::Null));
    let failure = &input["failure"];
    assert_eq!(
        (&failure["step"], &failure["hook"], &failure["code"]),
        (&"set".into(), &"owner".into(), &"hook-failed".into())
    );
    assert_eq!(failure["resume"], format!("vault-kit -C {directory} rotate resume"));
    assert_eq!(input["secrets"], Value::Object(serde_json::Map::new()));
    // Whoever rotates by hand sees it.
    project.run(["rotate", "resume"]).assert_code(8);
    let told = || steps(&project).iter().filter(|step| *step == "notify").count();
    assert_eq!(told(), 1);
    // Nobody sees what a job runs, whichever verb that is.
    project.run(["rotate", "resume", "--non-interactive"]).assert_code(8);
    assert_eq!(told(), 2);
    project.run(["rotate", "--group", "database", "--non-interactive"]).assert_code(8);
    assert_eq!(told(), 3);
    project.run(["rotate", "abort", "DB", "--non-interactive"]).assert_code(8);
    assert_eq!(told(), 4);
    std::fs::remove_file(project.path("fail-set")).unwrap();
    project.run(["rotate", "abort", "DB"]).assert_code(0);
}

#[test]
fn a_scheduled_run_that_is_refused_as_a_whole_has_a_person_told() {
    let project = project();
    let sealed = project.bytes(".vault-kit/dev.age");
    let told = || {
        asked(&project)
            .into_iter()
            .map(|(step, input)| {
                assert_eq!(
                    (step.as_str(), &input["failure"]["step"], &input["secrets"]),
                    ("notify", &"run".into(), &serde_json::json!({}))
                );
                assert_eq!(input["failure"]["resume"], "vault-kit rotate --due");
                input["failure"]["code"].as_str().unwrap().to_owned()
            })
            .collect::<Vec<_>>()
    };
    project.edit_store(|store| store.updated += chrono::TimeDelta::hours(1));
    project.run(["rotate", "--due"]).assert_code(8);
    assert_eq!(told(), ["clock-behind"]);
    project.write(".vault-kit/dev.age", "no store");
    project.run(["rotate", "--due"]).assert_code(4);
    assert_eq!(told().len(), 2);
    std::fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    project.run(["rotate", "--due"]).assert_code(4);
    assert_eq!(told()[2], "store-missing");
    project.run(["rotate", "DB", "--non-interactive"]).assert_code(4);
    assert_eq!(told()[3], "store-missing");
    // Who types it is told here, a rehearsal tells nobody, and what is busy is not for long.
    project.run(["rotate", "DB"]).assert_code(4);
    project.run(["rotate", "--due", "-n"]).assert_code(4);
    project.write(".vault-kit/dev.age", &sealed);
    project.edit_store(|store| store.updated += chrono::TimeDelta::hours(1));
    let lock = Root::open(project.root()).unwrap().lock(".vault-kit/lock", std::time::Duration::ZERO).unwrap();
    project.run(["rotate", "--due"]).assert_code(7);
    drop(lock);
    assert_eq!(told().len(), 4);
    // A hook that is not trusted as it is stays unstarted, and that is said.
    project.write("hooks/owner", format!("{PROGRAM}# more\n"));
    let run = project.run(["rotate", "--due"]).assert_code(8);
    assert!(run.stderr.contains("hook `pager` could not notify anybody"), "{run:?}");
    assert_eq!(told().len(), 4);
}

#[test]
fn a_new_value_that_no_hook_is_told_of_is_announced_as_one() {
    let project = project();
    let run = project.run(["generate", "--replace", "DB", "-n"]).assert_code(0);
    assert!(run.stderr.contains("hook `owner` is called by `vault-kit rotate DB` alone"), "{run:?}");
    assert!(!project.run(["rotate", "DB", "-n"]).assert_code(0).stderr.contains("nobody tells"));
}

#[test]
fn monitoring_is_told_how_a_rotation_ended_and_of_one_that_has_not() {
    let project = project();
    let metrics = || {
        project.run(["status", "--metrics", "vault-kit.prom"]).assert_code(0);
        project.read("vault-kit.prom")
    };
    let sample = |text: &str, family: &str| {
        let family = format!("vault_kit_{family}{{");
        let is_it = |line: &&str| line.starts_with(&family) && line.contains("secret=\"DB\"");
        text.lines().find(is_it).and_then(|line| Some(line.rsplit_once(' ')?.1.to_owned()))
    };
    assert_eq!(sample(&metrics(), "rotation_last_success"), None);
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let text = metrics();
    assert_eq!(sample(&text, "rotation_in_flight").as_deref(), Some("1"));
    assert_eq!(sample(&text, "rotation_failures").as_deref(), Some("1"));
    std::fs::remove_file(project.path("fail-test")).unwrap();
    // It had been on its way for a while when somebody came.
    let (db, waited) = (SecretName::new("DB").unwrap(), TimeDelta::seconds(5_000));
    project.edit_store(|store| store.rotations.running.get_mut(&db).unwrap().started -= waited);
    let started = project.store().rotations.running[&db].started;
    project.run(["rotate", "resume"]).assert_code(0);
    let text = metrics();
    assert_eq!(sample(&text, "rotation_last_success").as_deref(), Some("1"));
    let number = |family: &str| sample(&text, family).unwrap().parse::<i64>().unwrap();
    let ended = number("rotation_last_success_timestamp_seconds");
    assert_eq!(
        number("rotation_last_duration_seconds"),
        ended - started.timestamp(),
        "from its start, not from the last run"
    );
    assert!(ended - started.timestamp() >= waited.num_seconds());
    assert_eq!(sample(&text, "rotation_in_flight").as_deref(), Some("0"));
    let success = sample(&text, "rotation_last_success_timestamp_seconds").unwrap();
    let failed = |steps: &str, is_open: bool| {
        project.write(&format!("fail-{steps}"), "");
        project.run(["rotate", "DB"]).assert_code(8);
        std::fs::remove_file(project.path(&format!("fail-{steps}"))).unwrap();
        let text = metrics();
        assert_eq!(sample(&text, "rotation_last_success").as_deref(), Some(if is_open { "0" } else { "1" }), "{steps}");
        assert_eq!(text.contains("vault_kit_reload_failures{"), !is_open, "{text}");
        text
    };
    // It was a success before, and is none as long as one has failed since, also once that was given up.
    let text = failed("set", true);
    assert_eq!(sample(&text, "rotation_last_success_timestamp_seconds"), Some(success.clone()));
    project.run(["rotate", "abort", "DB"]).assert_code(0);
    let text = metrics();
    assert_eq!(sample(&text, "rotation_last_success").as_deref(), Some("0"));
    assert_eq!(sample(&text, "rotation_last_success_timestamp_seconds"), Some(success));
    let text = failed("reload", false);
    assert!(text.contains("vault_kit_reload_owed{project=\"shop\",environment=\"dev\",hook=\"server\"} 1\n"), "{text}");
}

#[test]
fn a_leak_during_a_rotation_is_banned_at_once_and_the_rotation_goes_on() {
    let project = project();
    project.write("fail-set", "");
    project.run(["rotate", "DB"]).assert_code(8);
    project.run(["incident", "DB", "--yes"]).assert_code(8);
    assert!(project.run(["check"]).assert_code(1).both().contains("banned"));
    std::fs::remove_file(project.path("fail-set")).unwrap();
    project.run(["rotate", "resume"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    assert_eq!(stages(&project, "DB"), [Stage::Previous, Stage::Current]);
}

#[test]
fn a_value_that_was_promised_an_overlap_is_not_cut_without_a_yes() {
    let project = project_with("overlap = \"24h\"");
    project.run(["rotate", "DB"]).assert_code(0);
    let run = project.run(["rotate", "DB"]).assert_code(2);
    assert!(run.stderr.contains("retire the old value of `DB` now"), "{run:?}");
    assert!(!steps(&project).contains(&"retire".to_owned()));
    project.run(["rotate", "DB", "--yes"]).assert_code(0);
    assert_eq!(steps(&project).iter().filter(|step| *step == "retire").count(), 1);
}

#[test]
fn nothing_is_rotated_again_while_a_program_works_with_what_was_before() {
    let project = project();
    project.write("fail-reload", "");
    project.run(["rotate", "DB"]).assert_code(8);
    project.run(["rotate", "DB"]).assert_code(7);
    std::fs::remove_file(project.path("fail-reload")).unwrap();
    project.run(["rotate", "resume"]).assert_code(0);
    assert_eq!(steps(&project), ["set", "test", "reload", "reload", "retire"]);
}

#[test]
fn what_leaked_is_replaced_at_once_whatever_a_reload_still_owes() {
    for words in ["overlap = \"24h\"", ""] {
        let project = project_with(words);
        project.write("fail-reload", "");
        project.run(["rotate", "DB", "--yes"]).assert_code(8);
        let leaked = project.get("DB");
        project.run(["rotate", "DB", "--yes"]).assert_code(7);
        let run = project.run(["incident", "DB", "--yes"]).assert_code(8);
        assert!(run.stderr.contains("`reload` of hook `server` failed"), "the debt is told: {run:?}");
        assert!(project.get("DB") != leaked);
        assert_eq!(delivered(&project).into_bytes(), project.get("DB"));
        let check = project.run(["check"]).assert_code(1);
        assert!(check.stdout.contains("reload-owed") && !check.stdout.contains("banned"), "{check:?}");
        assert!(!steps(&project).contains(&"retire".to_owned()), "somebody may still work with it");
        std::fs::remove_file(project.path("fail-reload")).unwrap();
        project.run(["rotate", "resume"]).assert_code(0);
        let retired: Vec<Value> = asked(&project).into_iter().filter(|it| it.0 == "retire").map(|it| it.1).collect();
        let all = project.store();
        let versions = all.secrets.iter().find(|(name, _)| name.as_str() == "DB").unwrap().1;
        assert!(versions[..2].iter().all(|it| it.life.retired.is_some()), "{words}");
        assert_eq!(retired.len(), 2, "the leaked value, and what the rotation before had yet to retire");
        assert!(all.rotations.running.is_empty());
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn a_reload_that_is_owed_by_a_hook_that_is_gone_ends_with_it() {
    let project = project();
    project.write("fail-reload", "");
    project.run(["rotate", "DB"]).assert_code(8);
    let run = project.run(["rotate", "resume", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would reload  server"), "{run:?}");
    let text = project.read("vault-kit.toml");
    let (before, hook) = text.split_once("[hooks.server]").unwrap();
    let (_, after) = hook.split_once("[hooks.pager]").unwrap();
    project.write("vault-kit.toml", format!("{before}[hooks.pager]{after}"));
    let run = project.run(["rotate", "resume", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would end     server"), "{run:?}");
    let run = project.run(["rotate", "resume"]).assert_code(0);
    assert!(run.stderr.contains("ended         server") && run.stderr.contains("retired       DB"), "{run:?}");
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_reload_of_other_secrets_keeps_no_old_value_accepted() {
    let project = project();
    let other = "[hooks.other]\nprogram = \"hooks/owner\"\nsteps = [\"reload\"]\noutputs = [\"other\"]\n";
    project.write(
        "vault-kit.toml",
        format!(
            "{}{other}",
            project.read("vault-kit.toml").replace("outputs = [\"env\"]", "outputs = [\"none\"]").replace(
                "[outputs.env]",
                "[outputs.none]\nformat = \"dotenv\"\npath = \"none\"\nsecrets = [\"URL\"]\n[outputs.env]"
            )
        ),
    );
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    project.write("fail-reload", "");
    project.run(["rotate", "SESSION"]).assert_code(8);
    let before = steps(&project).len();
    project.run(["rotate", "DB"]).assert_code(8);
    assert!(!steps(&project)[before..].contains(&"retire".to_owned()), "what is made of it was not read");
    std::fs::remove_file(project.path("fail-reload")).unwrap();
    project.run(["rotate", "resume"]).assert_code(0);
    // From here on a program that reads the other output alone owes its reload.
    project.write("fail-reload", "");
    project.write(
        "vault-kit.toml",
        project.read("vault-kit.toml").replace("outputs = [\"none\"]", "outputs = [\"other\"]"),
    );
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["rotate", "SESSION"]).assert_code(8);
    let before = steps(&project).len();
    project.run(["rotate", "DB"]).assert_code(8);
    assert!(steps(&project)[before..].contains(&"retire".to_owned()), "{:?}", steps(&project));
    assert!(project.run(["check"]).assert_code(1).stdout.contains("reload-owed"));
}

#[test]
fn the_owner_of_a_first_value_is_told_it_by_name() {
    let project = Project::with_manifest(&declared(""));
    project.write("hooks/owner", PROGRAM);
    set_mode(&project.path("hooks"), 0o755);
    set_mode(&project.path("hooks/owner"), 0o755);
    let run = project.run(["init"]).assert_code(0);
    assert!(run.stderr.contains("untold        DB") && run.stderr.contains(": vault-kit rotate tell DB"), "{run:?}");
    let before = project.contents();
    let run = project.run(["rotate", "tell", "DB"]).assert_code(6);
    assert!(run.stderr.contains("`vault-kit trust`") && project.contents() == before, "{run:?}");
    project.run(["trust", "--yes"]).assert_code(0);
    let run = project.run(["rotate", "tell", "DB", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would set     DB") && run.stderr.contains("would test    DB"), "{run:?}");
    assert!(steps(&project).is_empty());

    // Nothing that failed is carried on by anybody.
    project.write("fail-test", "");
    let run = project.run(["rotate", "tell", "DB"]).assert_code(8);
    assert!(run.stderr.contains("try it again with `vault-kit rotate tell DB`"), "{run:?}");
    assert!(run.stderr.contains("owner: refused: ") && !run.stderr.contains(&delivered(&project)), "{run:?}");
    assert_eq!(project.run(["rotate", "--due"]).assert_code(0).both(), "");
    std::fs::remove_file(project.path("fail-test")).unwrap();
    let value = project.get("DB");
    let run = project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert!(run.stderr.contains("told          DB"), "{run:?}");
    assert_eq!((project.get("DB"), stages(&project, "DB")), (value.clone(), vec![Stage::Current]));
    assert_eq!(steps(&project), ["set", "test", "set", "test"]);
    for (_, input) in asked(&project) {
        assert_eq!(input["new"]["value"].as_str().unwrap().as_bytes(), value);
        assert_eq!(input["old"], Value::Null);
    }
    project.run(["check"]).assert_code(0);
    project.run(["rotate", "tell", "SESSION"]).assert_code(2);
}

#[test]
fn check_and_status_tell_of_what_failed_without_the_identity() {
    let project = project();
    let codes = || {
        let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
        let codes = report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    let identity = project.home().join("elsewhere");
    for (file, code) in [("fail-test", "rotation-failed"), ("fail-reload", "reload-owed")] {
        project.write(file, "");
        project.run(["rotate", "DB"]).assert_code(8);
        std::fs::rename(project.identity(), &identity).unwrap();
        assert_eq!(codes(), [code]);
        let status = project.run(["status"]).assert_code(0);
        assert!(status.stderr.contains(code) && status.stderr.contains("`vault-kit rotate resume`"), "{status:?}");
        std::fs::rename(&identity, project.identity()).unwrap();
        std::fs::remove_file(project.path(file)).unwrap();
        project.run(["rotate", "resume"]).assert_code(0);
        assert_eq!(codes(), [""; 0]);
        assert_eq!(project.run(["status"]).assert_code(0).stderr, "");
    }
}

#[test]
fn a_step_whose_hook_is_declared_no_more_is_not_taken_for_done() {
    let project = project();
    let old = project.get("DB");
    project.write("fail-set", "");
    project.run(["rotate", "DB"]).assert_code(8);
    project.write("vault-kit.toml", project.read("vault-kit.toml").replace("hooks = [\"owner\"]\n", ""));
    let run = project.run(["rotate", "resume"]).assert_code(8);
    let words = "`set` was not started for `DB`, since no hook of it has that step any more: nothing was promoted";
    assert!(run.stderr.contains(words), "{run:?}");
    for words in ["rotate status", "check", "status"] {
        let said = project.run(words.split(' ')).both();
        assert!(said.contains("hook-not-started") || said.contains("rotation-failed"), "{said}");
        assert!(!said.contains("none") && !said.contains("``"), "{said}");
    }
    assert_eq!(project.get("DB"), old);
    project.run(["rotate", "abort", "DB", "--yes"]).assert_code(0);
    assert_eq!(stages(&project, "DB"), [Stage::Current, Stage::Aborted], "its owner may accept it");
}

#[test]
fn what_is_declared_otherwise_since_it_began_goes_on_and_is_told_of() {
    let words = "`DB` is declared otherwise since its rotation began";
    let project = project_with("length = 30");
    let declare = |length: u32| {
        let text = declared(&format!("length = {length}"));
        project.write("vault-kit.toml", text);
    };
    project.write("fail-test", "");
    let run = project.run(["rotate", "DB"]).assert_code(8);
    assert!(!run.stderr.contains(words), "{run:?}");
    declare(40);
    for command in ["rotate resume", "rotate DB"] {
        let run = project.run(command.split(' ')).assert_code(8);
        assert!(run.stderr.contains(words) && run.stderr.contains("`vault-kit rotate abort DB`"), "{run:?}");
    }
    // What its owner accepts by now is what comes into force.
    std::fs::remove_file(project.path("fail-test")).unwrap();
    let run = project.run(["rotate", "resume", "--json"]).assert_code(0);
    assert!(run.stdout.contains("\"declared-otherwise\"") && run.stderr.contains(words), "{run:?}");
    assert_eq!(project.get("DB").len(), 30);
    let run = project.run(["rotate", "DB"]).assert_code(0);
    assert!(!run.stderr.contains(words) && project.get("DB").len() == 40, "{run:?}");
    // As it was again, there is nothing to be told.
    project.write("fail-test", "");
    project.run(["rotate", "DB"]).assert_code(8);
    for (length, is_told) in [(30, true), (40, false)] {
        declare(length);
        let run = project.run(["rotate", "resume"]).assert_code(8);
        assert_eq!(run.stderr.contains(words), is_told, "{run:?}");
    }
}

#[test]
fn an_owner_is_told_of_nothing_that_could_not_be_delivered() {
    let project = project();
    std::fs::remove_file(project.path(".env")).unwrap();
    std::fs::create_dir(project.path(".env")).unwrap();
    let run = project.run(["rotate", "DB"]);
    assert!(run.code != 0 && steps(&project).is_empty(), "{run:?}");
}

#[test]
fn whoever_is_told_a_value_again_is_told_none_that_is_over() {
    let project = project();
    project.run(["rotate", "DB"]).assert_code(0);
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let all = asked(&project);
    let [.., set, test] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((set.0.as_str(), test.0.as_str()), ("set", "test"));
    assert_eq!((&set.1["old"], &test.1["old"]), (&Value::Null, &Value::Null), "it was retired");

    let leaked = project.get("DB");
    crate::leaked::ban(&project, "DB");
    project.run_with_stdin(["set", "DB"], b"what-the-database-is-to-have-4711").assert_code(0);
    project.write("fail-retire", "");
    project.run(["rotate", "tell", "DB"]).assert_code(8);
    assert!(project.run(["check"]).assert_code(1).stdout.contains("rotate resume DB"), "it may still be accepted");
    std::fs::remove_file(project.path("fail-retire")).unwrap();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let all = asked(&project);
    let [.., set, _, retire] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((set.0.as_str(), &set.1["old"], retire.0.as_str()), ("set", &Value::Null, "retire"));
    assert_eq!(retire.1["old"]["value"].as_str().map(str::as_bytes), Some(leaked.as_slice()));
    let asked_before = steps(&project).len();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    assert_eq!(steps(&project)[asked_before..], ["set", "test"], "it is refused by now");
}

#[test]
fn what_may_have_been_refused_when_a_process_died_is_in_no_file_any_more_once_that_is_followed_up() {
    for follow_up in ["resume", "--due"] {
        let project = project_with("overlap = \"2h\"");
        project.run(["rotate", "DB"]).assert_code(0);
        project.write("die-retire", "");
        let run = project.command(["rotate", "DB", "--yes"]).output().unwrap();
        assert!(!run.status.success());
        assert!(project.read(".env").contains("DB_PREVIOUS="), "the process died before it wrote anything");
        project.run(["rotate", follow_up]).assert_code(0);
        assert!(!project.read(".env").contains("DB_PREVIOUS="), "{follow_up}: {}", project.read(".env"));
        assert_eq!(steps(&project).last().unwrap(), "retire", "its files were read again first");
        project.run(["check"]).assert_code(0);
    }
}
