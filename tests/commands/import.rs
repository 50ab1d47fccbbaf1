//! `import`: the values of what is running, into the store.

use crate::shop::{KEY, SHOP, error_code, json, shop};
use crate::support::{Project, set_mode};

const RUNNING: &str = "mQ7nV2xK9pLr4TzB8wYc1JdF6hGs3AeU5oXiNqZtRvM";

fn named(answer: &serde_json::Value, list: &str) -> Vec<String> {
    answer[list].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn good_values_are_taken_and_the_others_named_with_exit_1() {
    let project = Project::with_manifest(SHOP);
    let text = format!(
        "AUTH={RUNNING}\nDB_PASSWORD=changeme\nSTRIPE=whatever-else-it-is-0123456789\nNOTE=\n\
         PORT=9000\nDB_URL=postgres://x\nHOME_MADE=1\nBARE\n"
    );
    project.write(".env", &text);
    let run = project.run(["import", ".env", "--json"]).assert_code(1);
    let answer = json(&run);
    assert_eq!(answer["schema_version"], 1);
    assert_eq!(named(&answer, "imported"), ["AUTH"]);
    assert_eq!(named(&answer, "placeholders"), ["DB_PASSWORD", "NOTE"]);
    assert_eq!(named(&answer, "mismatched"), ["STRIPE"]);
    assert_eq!(named(&answer, "undeclared"), ["HOME_MADE"]);
    assert_eq!(named(&answer, "not_importable"), ["PORT", "DB_URL"]);
    assert!(!run.both().contains(RUNNING) && !run.both().contains("whatever"));
    assert_eq!(project.get("AUTH"), RUNNING.as_bytes());
    project.run(["get", "DB_PASSWORD"]).assert_code(1);
}

#[test]
fn every_name_is_told_in_words_too() {
    let project = Project::with_manifest(SHOP);
    project.write(".env", format!("AUTH={RUNNING}\nDB_PASSWORD=changeme\nHOME_MADE=1\n"));
    let run = project.run(["import", ".env"]).assert_code(1);
    for line in ["imported      AUTH", "refused       DB_PASSWORD", "skipped       HOME_MADE"] {
        assert!(run.stderr.lines().any(|it| it.starts_with(line)), "{line}: {}", run.stderr);
    }
    for (more, why) in [(&[][..], "the store has a value already"), (&["--replace"], "the store has that very value")] {
        let run = project.run([&["import", ".env"], more].concat()).assert_code(1);
        assert!(run.stderr.lines().any(|it| it.starts_with("kept          AUTH") && it.ends_with(why)), "{run:?}");
    }
    assert!(run.stdout.is_empty());
}

#[test]
fn json_is_read_by_its_name_or_when_told_so() {
    let text = format!("{{\"AUTH\": \"{RUNNING}\", \"STRIPE\": \"{KEY}\"}}");
    for (file, arguments) in [("values.json", vec![]), ("values.txt", vec!["--from-json"])] {
        let project = Project::with_manifest(SHOP);
        project.write(file, &text);
        project.run([&["import", file][..], &arguments].concat()).assert_code(0);
        assert_eq!((project.get("AUTH"), project.get("STRIPE")), (RUNNING.into(), KEY.into()));
    }
    let project = Project::with_manifest(SHOP);
    project.run_with_stdin(["import", "-", "--from-json"], text.as_bytes()).assert_code(0);
    assert_eq!(project.get("AUTH"), RUNNING.as_bytes());
}

#[test]
fn nothing_that_is_running_is_touched() {
    let project = shop();
    project.write("old.env", format!("STRIPE={KEY}\n"));
    project.write(".env", "AUTH=something-else-that-runs\n");
    let files = |project: &Project| {
        let mut files = project.snapshot();
        files.retain(|path, entry| !path.starts_with(".vault-kit") && !entry.bytes.is_empty());
        files
    };
    let before = files(&project);
    project.run(["import", "old.env"]).assert_code(0);
    assert_eq!(files(&project), before);
    assert!(!project.path("extra.json").exists());
}

#[test]
fn a_value_that_the_store_has_is_kept() {
    let project = shop();
    let auth = project.get("AUTH");
    project.write("old.env", format!("AUTH={RUNNING}\n"));
    let before = project.snapshot();
    let answer = json(&project.run(["import", "old.env", "--json"]).assert_code(0));
    assert_eq!((named(&answer, "kept"), named(&answer, "imported")), (vec!["AUTH".to_owned()], vec![]));
    assert_eq!((project.get("AUTH"), project.snapshot()), (auth, before));
}

#[test]
fn a_dry_run_tells_the_same_and_writes_nothing() {
    for project in [Project::with_manifest(SHOP), Project::initialised(SHOP)] {
        project.write("old.env", format!("STRIPE={KEY}\nNOTE=changeme\n"));
        let before = (project.snapshot(), project.contents());
        let dry = json(&project.run(["import", "old.env", "--json", "-n"]).assert_code(1));
        assert!((project.snapshot(), project.contents()) == before);
        assert_eq!(json(&project.run(["import", "old.env", "--json"]).assert_code(1)), dry);
    }
}

#[test]
fn an_imported_token_is_kept_while_its_key_stays() {
    let first = shop();
    let (auth, token) = (first.get("AUTH"), first.get("TOKEN"));
    let project = Project::with_manifest(SHOP);
    let text = [&b"AUTH="[..], &auth, b"\nTOKEN=", &token, b"\n"].concat();
    project.write("old.env", text);
    project.run(["import", "old.env"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    assert_eq!((project.get("AUTH"), project.get("TOKEN")), (auth, token.clone()));
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert_ne!(project.get("TOKEN"), token, "a token dies with its key");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_line_and_changes_nothing() {
    let project = shop();
    project.write("bad.env", "A=1\nB='hunter2canary\n");
    project.write("bad.json", "{\"A\": \"hunter2canary\",\n oops");
    let before = project.contents();
    for file in ["bad.env", "bad.json"] {
        let run = project.run(["import", file, "--json"]);
        assert!([2, 3].contains(&run.code), "{}: {}", run.code, run.both());
        assert!(run.stderr.contains(&format!("`{file}`")) && run.stderr.contains("line"), "{}", run.stderr);
        assert!(!run.both().contains("hunter2"), "{}", run.both());
        assert!(!error_code(&run).is_empty());
    }
    let missing = project.run(["import", "nowhere.env"]).assert_code(2);
    assert!(missing.stderr.contains("`nowhere.env`"), "{}", missing.stderr);
    assert_eq!(project.contents(), before);
}

/// A template of a value that a person supplies, and of one that is drawn.
const TEMPLATE: &str = r#"
[project]
name = "shop"

[secrets.DB]
kind = "external"

[secrets.SESSION]
kind = "random"

[secrets.URL]
kind = "template"
template = "postgres://app:${DB}@db/app?s=${SESSION}"

[secrets.WRAPPED]
kind = "template"
template = "url=${URL}"

[outputs.env]
format = "dotenv"
path = ".env"
"#;

#[test]
fn what_is_made_of_an_imported_value_is_made_in_the_same_change() {
    let project = Project::with_manifest(TEMPLATE);
    project.run(["init"]);
    let before = project.store().generation;
    project.write("x.env", "DB=first-Zk3vYq8mT1xWc5RbLp\n");
    let run = project.run(["import", "x.env"]).assert_code(0);
    for line in ["made          URL", "made          WRAPPED"] {
        assert!(run.stderr.lines().any(|it| it.starts_with(line)), "{line}: {}", run.stderr);
    }
    assert_eq!(project.store().generation, before + 1);
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);

    project.write("x.env", "DB=second-Zk3vYq8mT1xWc5RbLp\n");
    let dry = json(&project.run(["import", "x.env", "--replace", "--json", "-n"]).assert_code(0));
    let answer = json(&project.run(["import", "x.env", "--replace", "--json"]).assert_code(0));
    assert_eq!((named(&answer, "made"), dry), (vec!["URL".to_owned(), "WRAPPED".to_owned()], answer));
    assert_eq!(project.store().generation, before + 2);
    let url = String::from_utf8(project.get("WRAPPED")).unwrap();
    assert!(url.contains("app:second-Zk3vYq8mT1xWc5RbLp@"), "the template has the value of before");
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

/// A second file may bring it: a value that was drawn meanwhile would go before it.
#[test]
fn nothing_is_drawn_for_a_template_whose_other_inputs_are_yet_to_come() {
    let project = Project::with_manifest(TEMPLATE);
    project.write("x.env", "DB=first-Zk3vYq8mT1xWc5RbLp\n");
    project.write("y.env", format!("SESSION={RUNNING}\n"));
    let answer = json(&project.run(["import", "x.env", "--json"]).assert_code(0));
    assert!(answer.get("made").is_none(), "{answer}");
    let answer = json(&project.run(["import", "y.env", "--json"]).assert_code(0));
    assert_eq!(named(&answer, "made"), ["URL", "WRAPPED"]);
    assert_eq!(project.get("SESSION"), RUNNING.as_bytes());
    project.run(["init"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_token_is_signed_anew_with_the_key_that_is_imported_over_its_own() {
    let project = shop();
    let token = project.get("TOKEN");
    project.write("old.env", format!("AUTH={RUNNING}\n"));
    let run = project.run(["import", "old.env", "--replace"]).assert_code(0);
    assert!(run.stderr.contains("a hard cut") && run.stderr.contains("`vault-kit render`"), "{run:?}");
    assert_ne!(project.get("TOKEN"), token);
}

#[test]
fn what_was_damaged_on_its_way_is_taken_with_the_same_warning_as_by_set() {
    let project = Project::with_manifest("project.name = \"p\"\n[secrets.PEM]\nkind = \"external\"\n");
    project.write("old.env", "PEM=\"-----BEGIN PRIVATE KEY-----\\nMIGHAgEAcanary\\n\"\n");
    let told = "the value of `PEM` has a block in line 1 that does not end: is it whole? its file as it came is taken by \
                `vault-kit set PEM --from-file FILE`";
    let run = project.run(["import", "old.env", "-n", "--json"]).assert_code(0);
    assert_eq!(json(&run)["warnings"], serde_json::json!([told]));
    let run = project.run(["import", "old.env"]).assert_code(0);
    assert!(run.stderr.contains(&format!("warning: {told}")) && !run.both().contains("canary"), "{run:?}");
    // What is not taken is nobody's concern.
    let run = project.run(["import", "old.env", "--json"]).assert_code(0);
    assert!(json(&run).get("warnings").is_none(), "{run:?}");
}

#[test]
fn a_file_is_read_by_the_rules_that_its_output_is_written_by() {
    let manifest = |dialect: &str| {
        format!(
            "project.name = \"p\"\n[secrets.A]\nkind = \"external\"\n[secrets.B]\nkind = \"external\"\n\
             [outputs.raw]\nformat = \"dotenv\"\npath = \"deploy/app.env\"\n{dialect}"
        )
    };
    let text = "A=\"7Qx-2Kd9Rt5 # Yu\"\nB='it is 9Kd02xXw2Qe'\n";
    for (dialect, a, b) in [
        ("dialect = \"docker-run\"\n", "\"7Qx-2Kd9Rt5 # Yu\"", "'it is 9Kd02xXw2Qe'"),
        ("", "7Qx-2Kd9Rt5 # Yu", "it is 9Kd02xXw2Qe"),
    ] {
        let project = Project::with_manifest(&manifest(dialect));
        project.write("deploy/app.env", text);
        project.run(["import", "./deploy/app.env"]).assert_code(0);
        assert_eq!((project.get("A"), project.get("B")), (a.into(), b.into()), "{dialect}");
        // Then nothing stands against it, and no hint leads back to where this began.
        project.run(["render", "--adopt"]).assert_code(0);
        project.run(["check"]).assert_code(0);
    }
    // A file that no output writes is read as most are.
    let project = Project::with_manifest(&manifest("dialect = \"docker-run\"\n"));
    project.write("old.env", text);
    project.run(["import", "old.env"]).assert_code(0);
    assert_eq!(project.get("A"), b"7Qx-2Kd9Rt5 # Yu");
}

#[test]
fn what_is_told_of_a_template_with_another_value_in_a_file_keeps_that_value() {
    const DSN: &str = "postgres://u:dsnPass99xQz4@db/x";
    const TEMPLATE: &str = "kind = \"template\"\ntemplate = \"postgres://u:${DB_PASSWORD | urlencode}@db/x\"";
    let project = Project::with_manifest(&format!(
        "[project]\nname = \"shop\"\n[secrets.DB_PASSWORD]\nkind = \"password\"\n[secrets.DSN]\n{TEMPLATE}\n\
         [outputs.api]\nformat = \"dotenv\"\npath = \"api.env\"\nsecrets = [\"DSN\"]\n"
    ));
    let first = "declare `DSN` as `kind = \"external\"`";
    project.write("api.env", format!("DSN={DSN}\n"));
    let run = project.run(["init", "--adopt"]).assert_code(7);
    let hints: Vec<_> = run.stderr.lines().filter(|it| it.contains("hint:")).collect();
    assert!(hints[0].ends_with(&format!("to keep the value in the file, first {first}")), "{hints:?}");
    assert!(hints[1].contains("`vault-kit import --replace api.env` takes"), "{hints:?}");

    std::fs::remove_file(project.path("api.env")).unwrap();
    project.run(["init"]).assert_code(0);
    project.write("api.env", format!("DSN={DSN}\n"));
    let report = json(&project.run(["check", "--json"]).assert_code(1));
    let stale = report["findings"].as_array().unwrap().iter().find(|it| it["code"] == "stale").unwrap();
    let fix = format!(
        "vault-kit render --adopt --yes    # drops what api.env has for `DSN`; to keep it, first: {first}, then: vault-kit import \
         --replace api.env"
    );
    assert_eq!(stale["fix"], *fix);
    // Done as it is told, nothing is lost.
    project.write("vault-kit.toml", project.read("vault-kit.toml").replace(TEMPLATE, "kind = \"external\""));
    project.run(["import", "--replace", "api.env"]).assert_code(0);
    project.run(["render", "--adopt"]).assert_code(0);
    assert_eq!((project.get("DSN"), project.read("api.env").contains(DSN)), (DSN.into(), true));
}

/// What Compose puts into each other, and the rest.
const EXPANDED: &str = "A=\"pa$$w0rd-long-enough-1\"\nB=Xyq7${A}-k9\nC=tok-$UNSET_zz-9981kkq\nD='kq$$w0rd-long-${A}-9'\n\
                        E=\"q7\\$X-Lm29vTzPq8\"\nF=$(id)-9k2LmXw0\n";

fn with_compose(dialect: &str, compose: &str) -> Project {
    let secrets: String =
        ["A", "B", "C", "D", "E", "F"].map(|it| format!("[secrets.{it}]\nkind = \"external\"\n")).concat();
    let output = format!("[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n{dialect}\n");
    let project =
        Project::with_manifest(&format!("[project]\nname = \"shop\"\ncompose = [\"compose.yml\"]\n{secrets}{output}"));
    project.write("compose.yml", compose);
    project.write(".env", EXPANDED);
    project
}

const OF_COMPOSE: &str = "services: {a: {image: a, environment: [A, B, C, D, E, F]}}\n";

#[test]
fn a_value_that_compose_makes_is_refused_with_its_line_and_the_others_are_taken() {
    for dialect in ["", "dialect = \"compose\"", "dialect = \"shell\""] {
        let project = with_compose(dialect, OF_COMPOSE);
        let run = project.run(["import", ".env"]).assert_code(1);
        for (name, line) in [("A", 1), ("B", 2), ("C", 3)] {
            let told = format!(
                "refused       {name}  line {line} has a `$` that Compose expands: put the value that runs between single quotes, and \
                 import again"
            );
            let told: Vec<&str> = told.split_whitespace().collect();
            assert!(
                run.stderr.lines().any(|it| it.split_whitespace().collect::<Vec<_>>() == told),
                "{dialect}: {run:?}"
            );
            project.run(["get", name]).assert_code(1);
        }
        assert!(
            run.stdout.is_empty() && !["w0rd", "Xyq7", "UNSET", "k9"].iter().any(|it| run.stderr.contains(it)),
            "{run:?}"
        );
        let taken = ["D", "E", "F"].map(|name| String::from_utf8(project.get(name)).unwrap());
        assert_eq!(taken, ["kq$$w0rd-long-${A}-9", "q7$X-Lm29vTzPq8", "$(id)-9k2LmXw0"]);
        let answer = json(&project.run(["import", ".env", "--json", "--replace"]).assert_code(1));
        assert_eq!((&answer["expanded"][1]["name"], &answer["expanded"][1]["line"]), (&"B".into(), &2.into()));
        // As it is told, it goes on.
        project.write(".env", "A='pa$w0rd-long-enough-1'\n");
        project.run(["import", ".env"]).assert_code(0);
        assert_eq!(project.get("A"), b"pa$w0rd-long-enough-1");
    }
}

#[test]
fn what_nobody_expands_is_taken_as_it_stands() {
    let raw = "services: {a: {image: a, env_file: [{path: app.env, format: raw}]}}\n";
    for (dialect, compose, file) in
        [("docker-run", OF_COMPOSE, ".env"), ("systemd", OF_COMPOSE, ".env"), ("portable", raw, "app.env")]
    {
        let project = with_compose(&format!("dialect = \"{dialect}\""), compose);
        project.write("app.env", EXPANDED);
        project.run(["import", file]).assert_code(0);
        assert_eq!(project.get("C"), b"tok-$UNSET_zz-9981kkq", "{dialect}");
    }
    let project = with_compose("", OF_COMPOSE);
    project.write("a.json", "{\"A\": \"pa$$w0rd-long-enough-1\"}");
    project.run(["import", "a.json"]).assert_code(0);
    // Compose itself puts something into the values of the `.env` beside it.
    let project = with_compose("", &raw.replace("app.env", ".env"));
    project.run(["import", ".env"]).assert_code(1);
}

#[test]
fn a_value_that_compose_makes_is_not_dropped_by_an_adoption() {
    for text in ["A=pa$$w0rd-long-enough-1\n", "A=${OTHER}\n"] {
        let project = with_compose("", OF_COMPOSE);
        project.write("a.json", "{\"A\": \"pa$$w0rd-long-enough-1\"}");
        project.run(["import", "a.json"]).assert_code(0);
        project.write(".env", text);
        let run = project.run(["init", "--adopt"]);
        let told = "`.env` assigns values that the store does not hold: `A` (line 1)";
        assert!(!run.stderr.contains("w0rd"), "{run:?}");
        assert!(run.code == 7 && run.stderr.contains(told) && project.read(".env") == text, "{run:?}");
        let quotes = "to keep the value of `A` (line 1), first put the one that runs between single quotes";
        assert!(run.stderr.contains(quotes), "{run:?}");
    }
}

#[test]
fn of_a_value_that_import_refused_check_proposes_to_take_it_and_not_to_make_another() {
    let project = Project::with_manifest(
        "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n[secrets.B]\nkind = \"random\"\n[secrets.C]\nkind = \"template\"\n\
         template = \"c-${A}-${B}\"\n[outputs.env]\nformat = \"dotenv\"\ndialect = \"compose\"\npath = \".env\"\n",
    );
    let (a, b) = ("mQ7nV2xK9pLr4TzB8wYc1JdF6hGs3AeU", "pLr4TzB8w$YcJdF6hGs3AeU5oXiNqZtRv");
    project.write(".env", format!("A={a}\nB={b}\nC=c-{a}-{b}\n"));
    set_mode(&project.path(".env"), 0o600);
    project.run(["import", ".env"]).assert_code(1);
    let fix = |project: &Project| {
        let run = project.run(["check", "--json", "--only", "missing"]).assert_code(1);
        let report = json(&run);
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|it| (it["secret"].clone(), it["fix"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let found = fix(&project);
    let of = |name: &str| found.iter().find(|(secret, _)| secret == name).map(|(_, fix)| fix.as_str());
    let import = "in .env:2: put the value that runs between single quotes, for Compose expands the `$` in it; then: vault-kit import .env";
    assert_eq!(of("B"), Some(import), "{found:?}");
    assert_eq!(of("C"), Some("vault-kit generate C"), "{found:?}");
    // As `import` says what is in its way, so the value is kept.
    project.write(".env", format!("A={a}\nB='{b}'\n"));
    project.run(["import", ".env"]).assert_code(0);
    assert_eq!(project.get("B"), b.as_bytes());
}

#[test]
fn what_is_no_token_is_not_taken_as_one() {
    let project = shop();
    let good = String::from_utf8(project.get("TOKEN")).unwrap();
    for value in ["x.y.zQ8Lk2mNp4Rt6Vw9xY", RUNNING, &good[..good.rfind('.').unwrap()], &good.replacen("eyJ", "eyK", 1)]
    {
        project.write("tokens", format!("TOKEN={value}\n"));
        let run = project.run(["import", "tokens", "--replace", "--json"]).assert_code(1);
        assert_eq!(named(&json(&run), "malformed"), ["TOKEN"], "{}", run.both());
        assert_eq!(project.get("TOKEN"), good.as_bytes());
        let run = project.run(["import", "tokens", "--replace"]).assert_code(1);
        assert!(
            run.stderr.contains("refused       TOKEN") && run.stderr.contains("the value is none"),
            "{}",
            run.stderr
        );
        assert!(!run.both().contains(value));
    }
}

#[test]
fn what_is_proposed_beside_placeholders_works_as_it_is_pasted() {
    let three = || {
        Project::with_manifest(
            "[project]\nname = \"p\"\n[secrets.A]\nkind = \"external\"\n[secrets.B]\nkind = \"random\"\n[secrets.C]\nkind = \"external\"\n\
             [outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n",
        )
    };
    let project = three();
    let kept = "mQ7nV2xK9pLr4TzB8wYc1JdF6hGs3AeU";
    // With a word such as this one something may be running.
    project.write(".env", "A=your-api-key-here\nB=changeme\nC=changeme\n");
    let waiting = project.run(["init"]).assert_code(0);
    assert!(waiting.stderr.contains("waiting       output env"), "{waiting:?}");
    project.write("values.json", format!("{{\"A\": \"{kept}\", \"C\": \"{kept}\"}}"));
    project.run(["import", "values.json"]).assert_code(0);
    let refused = project.run(["render"]).assert_code(7);
    let first = "hint: where a value is missing yet, first delete what only stands for one: `A` (line 1), `B` (line 2), `C` (line 3)\n";
    assert!(refused.stderr.contains("`vault-kit init --adopt` moves") && refused.stderr.contains(first), "{refused:?}");
    assert!(project.read(".env").contains("B=changeme\n"));

    let project = three();
    project.write(".env", format!("A=your-api-key-here\nX=1\nB=<generated>\nC={kept}\n"));
    set_mode(&project.path(".env"), 0o600);
    project.run(["import", ".env"]).assert_code(1);
    let mut pasted = Vec::new();
    // Each fix is for the first that is missing, until nothing is.
    while let Some(fix) = first_fix(&project) {
        assert!(pasted.len() < 5, "{pasted:?}");
        let words: Vec<&str> = fix.split("    # ").next().unwrap().split(' ').skip(1).collect();
        project.run_with_stdin(words, b"Zk3vYq8mT1xWc5RbLpQ7nV2xK9").assert_code(0);
        pasted.push(fix);
    }
    assert_eq!(pasted, ["vault-kit set A", "vault-kit generate B"]);
    let text = project.read(".env");
    assert!(text.contains("X=1\n") && text.contains(&format!("C={kept}\n")) && !text.contains("generated"), "{text}");
    assert_eq!(text.matches("\nA=").count(), 1, "{text}");
}

/// The fix of the first of the errors that `check` finds.
fn first_fix(project: &Project) -> Option<String> {
    let run = project.run(["check", "--json"]);
    json(&run)["findings"].as_array().unwrap().first().map(|it| it["fix"].as_str().unwrap().to_owned())
}
