//! The command line of rotations, and what other commands make of one that is on its way.

use serde_json::Value;
use vault_kit::clock::{Clock as _, SystemClock};
use vault_kit::name::SecretName;
use vault_kit::store::rotations::{Operation, Step, Trouble};
use vault_kit::store::{Life, Stage, Version};

use crate::fixture::{MANIFEST, actions, delivered, stages};
use crate::owners::{accepted, in_force};
use crate::support::{Project, Run};

/// A project in which a rotation of `DB` is on its way.
fn in_flight(step: Step) -> Project {
    let project = Project::initialised(MANIFEST);
    project.edit_store(|store| {
        let name = SecretName::new("DB").unwrap();
        let base = store.current(&name).unwrap();
        let id = vault_kit::name::VersionId::from_random([9; 16]);
        let candidate = Version {
            id,
            kind: base.kind.clone(),
            stage: Stage::Candidate,
            origin: base.origin,
            created: base.created,
            expires: None,
            life: Life::default(),
            bits: base.bits,
            recipe: None,
            inputs: std::collections::BTreeMap::new(),
            facts: std::collections::BTreeMap::new(),
            fingerprint: None,
            public: None,
            parts: vault_kit::secret::parts::Parts::value(vault_kit::secret::Secret::copy_of(
                b"Kq7vTz3mXw9RbLp5NcYd2HsJ",
            )),
        };
        let operation = Operation {
            base: base.id,
            candidate: Some(id),
            recipe: None,
            step,
            started: store.updated,
            trouble: Trouble::default(),
            retire_at: None,
            remote: None,
            turn: None,
        };
        store.rotations.running.insert(name.clone(), operation);
        store.stage(&name, candidate);
    });
    project.run(["render"]).assert_code(0);
    project
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn what_is_being_rotated_is_changed_by_nothing_else() {
    for step in [Step::Setting, Step::Set, Step::Tested, Step::Aborting] {
        let project = in_flight(step);
        project.write("more.env", "DB=Zk3vYq8mT1xWc5RbLp7NdHsJ\n");
        project.write("value", "Zk3vYq8mT1xWc5RbLp7NdHsJ");
        let before = project.contents();
        let commands: [&[&str]; 8] = [
            &["set", "DB", "--from-file", "value"],
            &["set", "DB", "--from-file", "value", "-n"],
            &["generate", "--replace", "DB", "--yes"],
            &["generate", "--replace", "DB", "-n"],
            &["generate", "--replace", "DB", "--revoke", "--yes"],
            &["remove", "DB", "--yes"],
            &["remove", "DB", "-n"],
            &["import", "more.env", "--replace"],
        ];
        for command in commands {
            let run = project.run(command.iter().copied().chain(["--json"])).assert_code(7);
            assert_eq!(json(&run)["errors"][0]["code"], "rotation-in-flight", "{command:?}");
            assert!(project.contents() == before, "{command:?} changed something");
        }
        // Everything else goes on.
        project.run(["generate", "--replace", "SESSION", "--yes"]).assert_code(0);
    }
}

#[test]
fn an_operation_is_carried_on_or_given_up_by_name() {
    let project = in_flight(Step::Set);
    let run = project.run(["rotate", "status"]).assert_code(0);
    assert!(run.stdout.contains("DB    test") && run.stdout.contains("vault-kit rotate resume DB"), "{}", run.stdout);
    let status = json(&project.run(["rotate", "status", "--json"]).assert_code(0));
    assert_eq!((&status["schema_version"], &status["rotations"][0]["step"]), (&Value::from(1), &Value::from("set")));
    let project = in_flight(Step::Tested);
    project.run(["rotate", "resume", "DB"]).assert_code(0);
    assert_eq!(delivered(&project), "Kq7vTz3mXw9RbLp5NcYd2HsJ");
    assert_eq!(stages(&project, "DB"), [Stage::Previous, Stage::Current]);
    let run = project.run(["rotate", "status"]).assert_code(0);
    assert!(run.stderr.contains("no rotation is on its way; something is due from "), "{}", run.stderr);

    let project = in_flight(Step::Setting);
    let old = delivered(&project);
    let run = project.run(["rotate", "abort", "DB"]).assert_code(2);
    assert!(run.stderr.contains("all that the owner of `DB` accepts: no hook tells it"), "{run:?}");
    let answer = json(&project.run(["rotate", "abort", "DB", "--json", "--yes"]).assert_code(0));
    assert_eq!((&answer["schema_version"], &answer["events"][0]["event"]), (&Value::from(1), &Value::from("aborted")));
    assert_eq!((delivered(&project), stages(&project, "DB")), (old, vec![Stage::Current, Stage::Aborted]));
    assert_eq!(actions(&project).last().unwrap(), "rotate-abort");
}

#[test]
fn a_dry_run_of_going_on_or_giving_up_tells_each_step_and_changes_nothing() {
    let project = in_flight(Step::Tested);
    project.edit_store(|store| drop(store.rotations.reloads.insert("nginx".into(), Trouble::default())));
    let before = project.contents();
    let run = project.run(["rotate", "resume", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would promote DB") && run.stderr.contains("would end     nginx"), "{run:?}");
    let answer = json(&project.run(["rotate", "resume", "DB", "-n", "--json"]).assert_code(0));
    assert_eq!((&answer["dry_run"], &answer["rotations"][0]["deeds"][0]), (&true.into(), &"promote".into()));
    assert_eq!(answer["reloads"], serde_json::json!([]), "no such hook is declared");
    let run = project.run(["rotate", "abort", "DB", "-n"]).assert_code(0);
    assert!(run.stderr.contains("would leave   DB"), "no hook tells its owner: {run:?}");
    project.run(["rotate", "abort", "SESSION", "-n"]).assert_code(2);
    assert!(project.contents() == before);
}

#[test]
fn a_window_that_was_missed_does_not_count_and_the_next_one_is_told() {
    let minute = |at: chrono::DateTime<chrono::Utc>| at.format("%H:%M").to_string();
    let hours = chrono::TimeDelta::hours;
    let now = SystemClock.now();
    // Open for an hour each day, twelve hours from now.
    let window = format!("{}-{} UTC", minute(now + hours(12)), minute(now + hours(13)));
    let project = Project::initialised(&MANIFEST.replace("group = ", &format!("window = \"{window}\"\ngroup = ")));
    project.edit_store(|store| {
        let days = chrono::TimeDelta::days(40);
        store.secrets.values_mut().flatten().for_each(|version| version.created -= days);
    });
    project.run(["render"]).assert_code(0);
    let plan = json(&project.run(["rotate", "plan", "--json"]).assert_code(0));
    let due = |name: &str| {
        let row = plan["upcoming"].as_array().unwrap().iter().find(|it| it["secret"] == name).unwrap();
        row["due"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    };
    assert_eq!(minute(due("DB")), minute(now + hours(12)));
    assert!(due("DB") > now && due("SESSION") < now);
    let words = project.run(["rotate", "plan"]).assert_code(0).stdout;
    let row = |name: &str| words.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("SESSION").contains(", now") && !row("DB").contains(", now"), "{words}");
}

#[test]
fn what_was_begun_can_be_given_up_although_it_is_not_declared_any_more() {
    for step in [Step::Setting, Step::Set, Step::Tested, Step::Aborting] {
        let project = in_flight(step);
        project.write("vault-kit.toml", without_db());
        // Whoever goes on with it tells so, and puts nothing in force.
        let told = ["rotate resume", "rotate --due"].map(|words| {
            let run = project.run(words.split(' ')).assert_code(8);
            assert!(run.stderr.contains("`DB` is not declared any more as its rotation began"), "{run:?}");
            assert!(run.stderr.contains("`vault-kit rotate abort DB`"), "{run:?}");
            assert_eq!(stages(&project, "DB"), [Stage::Current, Stage::Candidate]);
            // The schedule is patient.
            project.edit_store(|store| {
                let trouble = &mut store.rotations.running.values_mut().next().unwrap().trouble;
                let failure = trouble.failed.as_mut().unwrap();
                failure.at -= chrono::TimeDelta::hours(7);
            });
            project.run(["render"]).assert_code(0);
            run.stderr
        });
        assert!(!told[0].contains("refused"), "{told:?}");
        let check = project.run(["check"]).assert_code(1);
        assert!(check.stdout.contains("fix: vault-kit rotate abort DB") || step == Step::Aborting, "{check:?}");
        let run = project.run(["rotate", "abort", "DB", "--yes"]).assert_code(0);
        assert_eq!(stages(&project, "DB"), [Stage::Current, Stage::Aborted]);
        // What it says can be pasted.
        for words in ["rotate tell", "vault-kit get"] {
            assert!(!run.both().contains(words), "{run:?}");
        }
        if run.stderr.contains("the owner of `DB`") {
            assert!(run.stderr.contains("`vault-kit remove DB`"), "{run:?}");
            project.run(["remove", "DB", "--yes"]).assert_code(0);
        }
    }
}

fn without_db() -> String {
    let without = MANIFEST.replace("[secrets.DB]\nkind = \"password\"\nrotate = \"30d\"\ngroup = \"database\"\n", "");
    without.replace("${DB}", "x")
}

#[test]
fn what_is_of_another_kind_by_now_is_not_put_in_force_either() {
    for step in [Step::Setting, Step::Set, Step::Tested] {
        let project = in_flight(step);
        let other = MANIFEST.replacen("kind = \"password\"", "kind = \"uuid\"", 1);
        project.write("vault-kit.toml", other);
        project.run(["rotate", "resume"]).assert_code(8);
        assert_eq!(stages(&project, "DB"), [Stage::Current, Stage::Candidate]);
        project.run(["rotate", "abort", "DB", "--yes"]).assert_code(0);
        assert_eq!(stages(&project, "DB"), [Stage::Current, Stage::Aborted]);
    }
}

#[test]
fn what_nobody_retires_any_more_is_not_said_to_be_retired() {
    for text in [MANIFEST.to_owned(), without_db()] {
        let project = in_flight(Step::Tested);
        project.edit_store(|store| {
            let name = SecretName::new("DB").unwrap();
            let now = store.updated;
            assert!(store.promote_candidate(&name, now));
            let operation = store.rotations.running.get_mut(&name).unwrap();
            (operation.step, operation.retire_at) = (Step::Promoted, Some(now));
        });
        project.write("vault-kit.toml", text);
        let answer = json(&project.run(["rotate", "resume", "--json"]).assert_code(0));
        let events = answer["events"].as_array().unwrap();
        assert!(events.iter().any(|it| it["event"] == "not-retired"), "{answer}");
        let store = project.store();
        assert!(store.rotations.running.is_empty());
        assert!(store.secrets[&SecretName::new("DB").unwrap()].iter().all(|it| it.life.retired.is_none()));
    }
}

#[test]
fn a_dry_run_tells_what_a_run_makes_and_changes_nothing() {
    let project = Project::initialised(MANIFEST);
    let before = project.contents();
    let run = project.run(["rotate", "--group", "database", "-n"]).assert_code(0);
    for line in ["would make    DB", "would make    URL", "since `DB` changed", "would write   .env"] {
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
    let answer = json(&project.run(["rotate", "DB", "-n", "--json"]).assert_code(0));
    assert_eq!((&answer["schema_version"], &answer["dry_run"]), (&Value::from(1), &Value::from(true)));
    project.run(["rotate", "--due", "-n"]).assert_code(0);
    assert!(project.contents() == before);
    let answer = json(&project.run(["rotate", "--group", "database", "--json"]).assert_code(0));
    assert_eq!((&answer["events"][0]["secret"], &answer["events"][0]["event"]), (&"DB".into(), &"promoted".into()));
    assert_eq!(actions(&project), ["rotate-promote"]);
}

#[test]
fn a_plan_tells_what_is_due_why_by_whom_and_what_follows() {
    let manifest = format!(
        "{MANIFEST}\n[secrets.VAULT]\nkind = \"encryption-key\"\n[secrets.CA]\nkind = \"ca\"\n\
         [secrets.TLS]\nkind = \"certificate\"\nissuer = \"CA\"\ndns = [\"localhost\"]\n\
         [secrets.PARTNER]\nkind = \"external\"\nowner = \"payments\"\nrotate = \"90d\"\n"
    );
    let project = Project::initialised(&manifest);
    project.run_with_stdin(["set", "PARTNER"], b"Zk3vYq8mT1xWc5RbLp7NdHsJ").assert_code(0);
    let supplied = project.store().updated;
    std::fs::remove_file(project.identity()).unwrap();
    let plan = json(&project.run(["rotate", "plan", "--json"]).assert_code(0));
    let row = |name: &str| plan["upcoming"].as_array().unwrap().iter().find(|it| it["secret"] == name).unwrap().clone();
    assert_eq!((&row("DB")["how"], &row("DB")["follows"][0]), (&"scheduled".into(), &"URL".into()));
    assert_eq!((&row("CA")["how"], &row("CA")["why"]), (&"by-name".into(), &"renewal".into()));
    assert_eq!(row("TLS")["how"], "scheduled");
    assert_eq!((&row("PARTNER")["how"], &row("PARTNER")["owner"]), (&"by-hand".into(), &"payments".into()));
    // A reminder has whom to ask, and until when.
    let due: chrono::DateTime<chrono::Utc> = row("PARTNER")["due"].as_str().unwrap().parse().unwrap();
    let after = (due - supplied).num_days();
    assert!((80..=90).contains(&after), "{}", row("PARTNER"));
    let deadline = due.date_naive().to_string();
    let words = project.run(["rotate", "plan"]).assert_code(0).stdout;
    let line = words.lines().find(|it| it.contains("PARTNER")).unwrap();
    assert!(line.contains("payments") && line.contains(&deadline), "{words}");
    assert!(words.contains("by hand: payments") && words.contains("rotate CA"), "{words}");
}

#[test]
fn a_root_is_rotated_by_its_name_and_with_a_yes() {
    let manifest = format!(
        "{MANIFEST}\n[secrets.CA]\nkind = \"ca\"\n[secrets.TLS]\nkind = \"certificate\"\nissuer = \"CA\"\ndns = [\"localhost\"]\n"
    );
    let project = Project::initialised(&manifest);
    let before = project.contents();
    let run = project.run(["rotate", "CA"]).assert_code(2);
    assert!(run.stderr.contains("make a new root `CA` and everything beneath it"), "{}", run.stderr);
    assert!(project.contents() == before);
    project.run(["rotate", "CA", "--yes"]).assert_code(0);
    assert_eq!((stages(&project, "CA").len(), stages(&project, "TLS").len()), (2, 2));
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_published_key_is_published_first_also_by_a_rotation() {
    let manifest = format!(
        "{MANIFEST}\n[secrets.SIGNER]\nkind = \"keypair\"\nrotate = \"30d\"\n[outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\nmax_age = \"10m\"\n"
    );
    let project = Project::initialised(&manifest);
    let answer = json(&project.run(["rotate", "SIGNER", "--json"]).assert_code(0));
    assert_eq!((&answer["made"][0]["action"], &answer["events"]), (&"publish".into(), &Value::Array(Vec::new())));
    assert_eq!(stages(&project, "SIGNER"), [Stage::Current, Stage::Next]);
    // Its turn to sign is what is due next.
    let due = project.ledger().header.due.unwrap();
    assert!(due <= project.store().updated + chrono::TimeDelta::minutes(11));
}

#[test]
fn a_rollback_is_a_new_version_and_says_what_it_is_worth() {
    let project = Project::initialised(MANIFEST);
    let first = project.get("DB");
    project.run(["rotate", "DB"]).assert_code(0);
    let before = project.contents();
    let run = project.run(["rotate", "rollback", "DB", "-n"]).assert_code(0);
    assert!(run.stderr.contains("no hook retires `DB`: only its owner knows"), "{}", run.stderr);
    assert!(project.contents() == before);
    let generation = project.store().generation;
    project.run(["rotate", "rollback", "DB"]).assert_code(0);
    assert_eq!(project.store().generation, generation + 1, "no program is asked: it is one change");
    assert_eq!(actions(&project)[1..], ["rotate-rollback", "rotate-promote"]);
    assert_eq!((project.get("DB"), delivered(&project).into_bytes()), (first.clone(), first));
    assert_eq!(stages(&project, "DB"), [Stage::Previous, Stage::Previous, Stage::Current]);
    let version = project.store().secrets[&SecretName::new("DB").unwrap()][1].id.to_string();
    project.run(["rotate", "rollback", "DB", "--to", &version]).assert_code(0);
    assert_eq!(stages(&project, "DB").len(), 4);
}

#[test]
fn a_rollback_says_whether_the_earlier_value_still_works() {
    let told = |project: &Project, words: &str| {
        let dry = project.run(["rotate", "rollback", "DB", "-n"]).assert_code(0).stderr;
        assert!(dry.contains(words), "{words}: {dry}");
        let answer = json(&project.run(["rotate", "rollback", "DB", "-n", "--json"]).assert_code(0));
        assert!(answer["worth"].as_str().unwrap().contains(words), "{words}: {answer}");
    };
    let without_set = |project: &Project| {
        let manifest = project.read("vault-kit.toml");
        assert!(manifest.contains("[\"set\", \"test\", \"retire\"]"));
        project.write("vault-kit.toml", manifest.replace("[\"set\", \"test\", \"retire\"]", "[\"retire\"]"));
        project.run(["trust", "--yes"]).assert_code(0);
    };
    // Its owner refuses it by now; a hook can change that, and does.
    let retired = crate::programs::project();
    retired.run(["rotate", "tell", "DB"]).assert_code(0);
    let first = in_force(&retired);
    retired.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(accepted(&retired), in_force(&retired));
    told(&retired, "its owner stopped accepting it on ");
    told(&retired, "; the hook `set` makes it accepted again");
    let run = retired.run(["rotate", "rollback", "DB", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("; the hook `set` makes it accepted again"), "{run:?}");
    assert_eq!((accepted(&retired), in_force(&retired)), (first.clone(), first));
    // None can any more.
    without_set(&retired);
    told(&retired, "its owner stopped accepting it on ");
    told(&retired, ", and no hook makes it accepted again");

    // Within its overlap it still works.
    let kept = crate::programs::project_with("overlap = \"24h\"");
    kept.run(["rotate", "tell", "DB"]).assert_code(0);
    let first = in_force(&kept);
    kept.run(["rotate", "DB"]).assert_code(0);
    assert!(accepted(&kept).contains(&first[0]));
    told(&kept, "it was not retired; the hook `set` makes sure of it");

    let nobody = Project::initialised(MANIFEST);
    nobody.run(["rotate", "DB"]).assert_code(0);
    told(&nobody, "no hook retires `DB`: only its owner knows whether it is still accepted");
}

#[test]
fn the_versions_that_a_rollback_may_name_are_listed() {
    let project = Project::initialised(&MANIFEST.replace("name = \"shop\"", "name = \"shop\"\nkeep = 2"));
    let first = project.store().current(&SecretName::new("DB").unwrap()).unwrap().id.to_string();
    for _ in 0..2 {
        project.run(["rotate", "DB"]).assert_code(0);
    }
    project.run_with_stdin(["set", "DB"], b"what-the-database-has-by-now-4711").assert_code(0);
    let list = json(&project.run(["rotate", "rollback", "DB", "--list", "--json"]).assert_code(0));
    let of = |it: &Value| (it["stage"].as_str().unwrap().to_owned(), it["held"].as_bool().unwrap());
    let rows = list["versions"].as_array().unwrap();
    let stages: Vec<_> = rows.iter().map(of).collect();
    let expected = [("current", true), ("previous", true), ("purged", false), ("purged", false)];
    assert_eq!(stages, expected.map(|(stage, held)| (stage.to_owned(), held)));
    let kept = rows[1]["version"].as_str().unwrap();
    assert_eq!((rows[0]["origin"].as_str(), rows[3]["version"].as_str()), (Some("set"), Some(first.as_str())));
    let words = project.run(["rotate", "rollback", "DB", "--list"]).assert_code(0).stdout;
    let line = words.lines().find(|line| line.starts_with(kept)).unwrap();
    assert!(line.contains("made") && line.contains("kept, replaced "), "{words}");

    // What is gone is answered with what is there.
    for gone in [first.as_str(), "00000000-0000-4000-8000-000000000000"] {
        let run = project.run(["rotate", "rollback", "DB", "--to", gone]).assert_code(2);
        assert!(run.stderr.contains(&format!("kept are `{kept}` of ")), "{run:?}");
    }
    let run = project.run(["rotate", "rollback", "DB", "--to", "latest"]).assert_code(2);
    assert!(run.stderr.contains("rollback NAME --list"), "{run:?}");
    let dry = json(&project.run(["rotate", "rollback", "DB", "-n", "--json"]).assert_code(0));
    assert_eq!((dry["version"].as_str(), &dry["secret"]), (Some(kept), &Value::from("DB")));
    project.run(["rotate", "rollback", "DB", "--to", kept]).assert_code(0);
}

#[test]
fn what_cannot_be_taken_back_is_refused_with_what_to_do_instead() {
    let project = Project::initialised(
        "[project]\nname = \"shop\"\n[secrets.VAULT]\nkind = \"encryption-key\"\n[secrets.TLS]\nkind = \"certificate\"\n\
         issuer = \"self\"\ndns = [\"localhost\"]\n[secrets.SIGNER]\nkind = \"keypair\"\n[secrets.SITE]\n\
         kind = \"certificate\"\nissuer = \"import\"\ndns = [\"localhost\"]\n",
    );
    project.run(["generate", "--replace", "VAULT", "TLS", "SIGNER", "--yes"]).assert_code(0);
    let before = project.contents();
    let refused = |name: &str| project.run(["rotate", "rollback", name]).assert_code(2).stderr;
    assert!(refused("VAULT").contains("what was encrypted since could not be read with the old value"));
    for name in ["TLS", "SIGNER"] {
        let words = refused(name);
        assert!(words.contains("is made anew rather than taken back"), "{words}");
        assert!(words.contains(&format!("`vault-kit rotate {name}`")), "{words}");
    }
    assert!(refused("SITE").contains("`vault-kit cert import SITE "), "somebody else makes it anew");
    assert!(project.contents() == before);
}

#[test]
fn who_supplies_a_value_is_told_to_whoever_would_rotate_it() {
    let manifest = format!(
        "{MANIFEST}\n[secrets.PARTNER]\nkind = \"external\"\nowner = \"payments\"\nobtain = \"their console\"\noptional = true\n"
    );
    let project = Project::initialised(&manifest);
    let run = project.run(["rotate", "PARTNER"]).assert_code(2);
    for words in ["payments supplies it", "it comes from: their console", "`vault-kit set PARTNER`"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let declared = manifest.replace("optional = true\n", "rotate = \"30d\"\n");
    project.write("vault-kit.toml", declared);
    let check = project.run(["check", "--only", "missing"]).assert_code(1);
    assert!(check.stdout.contains("vault-kit set PARTNER    # from: their console; owner: payments"), "{check:?}");
}

#[test]
fn a_log_has_a_line_for_each_transition_as_the_audit_record_has_it() {
    let project = crate::programs::project();
    let lines = |run: &Run| -> Vec<Value> {
        let lines = run.stderr.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    for (failing, code) in [("fail-test", 8), ("", 0)] {
        if !failing.is_empty() {
            project.write(failing, "");
        }
        let before = actions(&project).len();
        let command = if failing.is_empty() { ["rotate", "resume"] } else { ["rotate", "DB"] };
        let run = project.run([&command[..], &["--quiet", "--log", "json"]].concat()).assert_code(code);
        let told = lines(&run);
        let done: Vec<&str> = told.iter().map(|it| it["action"].as_str().unwrap()).collect();
        assert_eq!(done, actions(&project)[before..], "{run:?}");
        assert!(done.contains(&if failing.is_empty() { "rotate-promote" } else { "rotate-failed" }), "{run:?}");
        for it in &told {
            let secrets = it["secrets"].as_array().unwrap();
            assert!(it["environment"] == "dev" && it["count"] == secrets.len(), "{it}");
            // A program that reads files is about none of them.
            assert!(secrets.first().is_none_or(|name| name == "DB"), "{it}");
            assert!(it["at"].is_string() && it["generation"].is_u64() && it["mac"].is_null() && it["prev"].is_null());
        }
        let value = String::from_utf8(project.get("DB")).unwrap();
        assert!(!run.both().contains(&value) && run.stdout.is_empty());
        if failing.is_empty() {
            assert_eq!(run.stderr.lines().count(), told.len(), "nothing else is said: {run:?}");
        } else {
            std::fs::remove_file(project.path(failing)).unwrap();
        }
    }
    assert!(!project.run(["rotate", "SESSION"]).assert_code(0).stderr.contains('{'));
    assert_eq!(lines(&project.run(["rotate", "SESSION", "-n", "--log", "json"]).assert_code(0)), [Value::Null; 0]);
    project.run(["rotate", "SESSION", "--log", "text"]).assert_code(2);
}
