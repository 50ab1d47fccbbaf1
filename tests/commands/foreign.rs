//! Files that somebody else wrote where an output goes: refused before anything is changed.

use crate::shop::{SHOP, complete, error_code, shop};
use crate::support::{self, Project, Run};

const BY_HAND: &str = "wR5tGv8zKq2mXs6bNd1yLc4jHf7pUa9eTo3iVx0rBnQ";

#[test]
fn a_file_that_we_did_not_write_is_refused_before_the_store_is_saved() {
    for (path, kind) in [(".secrets/auth", "import"), ("tls/tls.key", "mv"), ("tls/tls.pem", "mv")] {
        let project = Project::with_manifest(SHOP);
        let names = ["tls/cert.pem", "tls/key.pem"];
        let path = if path == "tls/tls.key" {
            names[1]
        } else if path == "tls/tls.pem" {
            names[0]
        } else {
            path
        };
        // The manifest's own names of the pieces are found by a run elsewhere.
        let elsewhere = shop();
        let path = if elsewhere.path(path).exists() { path.to_owned() } else { format!("tls/tls/{}", &path[4..]) };
        assert!(elsewhere.path(&path).exists(), "{path}");
        project.write(&path, BY_HAND);
        let run = project.run(["init", "--json"]).assert_code(7);
        assert_eq!(error_code(&run), "foreign-file");
        assert!(run.stderr.contains(&format!("`{path}`")) && run.stderr.contains(kind), "{}", run.stderr);
        assert!(!run.both().contains(BY_HAND));
        assert_eq!(project.read(&path), BY_HAND);
        assert!(!project.path(".vault-kit/dev.age").exists() && !project.path(".env").exists());
    }
}

#[test]
fn every_foreign_file_is_named_at_once() {
    let project = Project::with_manifest(SHOP);
    project.write(".secrets/auth", BY_HAND);
    project.write(".secrets/token", BY_HAND);
    let run = project.run(["init"]).assert_code(7);
    assert!(run.stderr.contains("`.secrets/auth`") && run.stderr.contains("`.secrets/token`"), "{}", run.stderr);
}

#[test]
fn its_value_is_taken_in_by_import_as_the_hint_says() {
    let project = Project::with_manifest(SHOP);
    // An editor's final line break is no part of the value.
    project.write(".secrets/auth", format!("{BY_HAND}\n"));
    project.run(["init"]).assert_code(7);
    project.run(["import", ".secrets/auth"]).assert_code(0);
    assert_eq!(project.read(".secrets/auth"), format!("{BY_HAND}\n"));
    project.run(["init"]).assert_code(0);
    assert_eq!(project.get("AUTH"), BY_HAND.as_bytes());
    assert_eq!(project.read(".secrets/auth"), BY_HAND);
}

#[test]
fn moving_it_aside_or_saying_yes_lets_it_through() {
    let project = Project::with_manifest(SHOP);
    project.write(".secrets/auth", BY_HAND);
    project.run(["init"]).assert_code(7);
    std::fs::rename(project.path(".secrets/auth"), project.path(".secrets/auth.old")).unwrap();
    project.run(["init"]).assert_code(0);
    assert_eq!(project.read(".secrets/auth.old"), BY_HAND);

    let project = Project::with_manifest(SHOP);
    project.write(".secrets/auth", BY_HAND);
    project.run(["init", "--yes"]).assert_code(0);
    assert_eq!(project.bytes(".secrets/auth"), project.get("AUTH"));
}

#[test]
fn our_own_file_is_replaced_also_when_somebody_edited_it() {
    let project = complete();
    project.write(".secrets/auth", BY_HAND);
    project.run(["render"]).assert_code(0);
    assert_eq!(project.bytes(".secrets/auth"), project.get("AUTH"));
}

#[test]
fn an_output_that_is_added_later_meets_the_same_refusal() {
    let project = shop();
    project.write("more.json", "{\"mine\": true}\n");
    let manifest = format!("{SHOP}\n[outputs.more]\nformat = \"json\"\npath = \"more.json\"\nsecrets = [\"AUTH\"]\n");
    project.write("vault-kit.toml", manifest);
    for command in [&["render", "--json"][..], &["render", "-n", "--json"], &["generate", "--json"]] {
        assert_eq!(error_code(&project.run(command).assert_code(7)), "foreign-file", "{command:?}");
    }
    assert_eq!(project.read("more.json"), "{\"mine\": true}\n");
}

#[test]
fn another_environments_file_is_not_replaced_without_yes() {
    let project = shop();
    let run = project.run(["-e", "prod", "init", "--json"]).assert_code(7);
    assert_eq!(error_code(&run), "other-environment");
    assert!(!project.path(".vault-kit/prod.age").exists());
    let auth = project.get("AUTH");
    project.run(["-e", "prod", "init", "--yes"]).assert_code(0);
    assert!(project.read(".env").contains("PORT=443"));
    assert_ne!(project.bytes(".secrets/auth"), auth);
    // From development's side they are stale, and `check` says so instead of failing.
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("stale"), "{}", check.both());
}

#[test]
fn a_file_that_a_killed_writer_left_is_known_to_be_ours() {
    let test = "a_file_that_a_killed_writer_left_is_known_to_be_ours";
    if support::program("strace").is_none() {
        return support::skip(test, "no strace");
    }
    let calls = "?rename,?renameat,?renameat2";
    let traced = |project: &Project, inject: &[String]| {
        let trace = project.home().join("trace");
        let mut strace = vec!["strace".to_owned(), "-f".to_owned(), "-o".to_owned(), trace.display().to_string()];
        strace.extend(["-e".to_owned(), format!("trace={calls}")]);
        strace.extend_from_slice(inject);
        let run = Run::of(&mut project.command_under(strace, ["init"]));
        (run, std::fs::read_to_string(trace).unwrap_or_default())
    };
    let (whole, trace) = traced(&Project::with_manifest(SHOP), &[]);
    // strace counts each system call for itself.
    let call = |line: &str| line.split('(').next().and_then(|it| it.split_whitespace().last()).map(str::to_owned);
    let made: Vec<String> = trace.lines().filter(|line| line.contains("rename")).filter_map(call).collect();
    let Some(last) = made.last().filter(|_| whole.code == 0) else {
        return support::skip(test, "strace may not trace here");
    };
    let count = made.iter().filter(|call| *call == last).count();
    // Killed when every file is written and only the ledger's last line about them is not.
    let project = Project::with_manifest(SHOP);
    let kill = format!("inject={last}:signal=SIGKILL:when={count}");
    let (killed, _) = traced(&project, &["-e".to_owned(), kill]);
    assert_ne!(killed.code, 0, "{}", killed.both());
    assert!(project.path(".secrets/auth").exists(), "{}", killed.both());
    project.run_with_stdin(["set", "AUTH"], BY_HAND.as_bytes()).assert_code(0);
    assert_eq!(project.read(".secrets/auth"), BY_HAND);
}

/// What a person supplies and what is made, in a file of each form that is read back.
const EDITED: &str = r#"
[project]
name = "edited"

[secrets.API]
kind = "external"

[secrets.DB]
kind = "random"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["API", "DB"]

[outputs.json]
format = "json"
path = "x.json"
secrets = ["API", "DB"]

[outputs.sec]
format = "docker-secrets"
path = "sec"
secrets = ["API"]
"#;

const FILES: [&str; 3] = [".env", "x.json", "sec/api"];

/// A value that was delivered, and its successor, in the same place.
fn edited(project: &Project, file: &str, old: &str, new: &str) {
    let text = project.read(file);
    assert!(text.contains(old), "{file}");
    project.write(file, text.replace(old, new));
}

#[test]
fn a_value_that_was_written_into_our_files_is_not_replaced_unseen() {
    let (first, second) = ("vNq8Zk2Ws6Xb1Md7Lc4J", "p7Rt2Yv9Qe4Uw1Ko8Zx5");
    let project = Project::initialised(EDITED);
    project.run_with_stdin(["set", "API"], first.as_bytes()).assert_code(0);
    for file in FILES {
        edited(&project, file, first, second);
    }
    let told = [
        "`.env` loses values that the store does not have: `API` (line 2)\n",
        "`x.json` loses values that the store does not have: `API`\n",
        "`sec/api` loses values that the store does not have: `API`\n",
    ];
    for command in
        [&["render", "-n"][..], &["generate", "--replace", "DB", "-n"], &["generate", "--replace", "DB", "--yes"]]
    {
        let run = project.run(command).assert_code(0);
        assert!(told.iter().all(|words| run.stderr.contains(words)), "{run:?}");
        assert!(!run.both().contains(second), "{run:?}");
    }
    for file in FILES {
        assert!(project.read(file).contains(first), "{file}");
    }
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_value_that_the_store_has_is_replaced_without_a_word() {
    let (first, second) = ("vNq8Zk2Ws6Xb1Md7Lc4J", "p7Rt2Yv9Qe4Uw1Ko8Zx5");
    let project = Project::initialised(EDITED);
    for value in [first, second] {
        project.run_with_stdin(["set", "API"], value.as_bytes()).assert_code(0);
    }
    for file in FILES {
        edited(&project, file, second, first);
    }
    let run = project.run(["render"]).assert_code(0);
    assert!(!run.stderr.contains("loses") && project.read(".env").contains(second), "{run:?}");
    // A value that is dropped on the way was delivered, and nobody wrote it.
    let run = project.run(["--yes", "generate", "--replace", "--revoke", "DB"]).assert_code(0);
    assert!(!run.stderr.contains("loses"), "{run:?}");
}

#[test]
fn check_says_how_a_supplied_value_in_our_files_is_kept() {
    let (first, second) = ("vNq8Zk2Ws6Xb1Md7Lc4J", "p7Rt2Yv9Qe4Uw1Ko8Zx5");
    for file in FILES {
        let project = Project::initialised(EDITED);
        project.run_with_stdin(["set", "API"], first.as_bytes()).assert_code(0);
        edited(&project, file, first, second);
        let fix = format!("vault-kit import --replace {file}");
        let told = format!("{fix}    # takes what {file} has for API; to drop it: vault-kit render");
        let run = project.run(["check"]).assert_code(1);
        assert!(run.stdout.contains("stale") && run.stdout.contains(&told), "{run:?}");
        project.run(fix.split(' ').skip(1)).assert_code(0);
        assert_eq!(project.get("API"), second.as_bytes(), "{file}");
        let run = project.run(["render"]).assert_code(0);
        assert!(!run.stderr.contains("loses"), "{run:?}");
        project.run(["check"]).assert_code(0);
    }
}

#[test]
fn whoever_adds_a_line_for_git_says_so_whichever_command_it_is() {
    let project = Project::initialised(
        "[project]\nname = \"app\"\n[secrets.KEY]\nkind = \"random\"\n[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n",
    );
    let told = "what git and Docker leave alone";
    let lines = project.read(".gitignore");
    let lacking = lines.replace("/.env\n", "");
    assert_ne!(lacking, lines);
    for (command, words) in
        [(&["render", "-n"][..], "would write   .gitignore"), (&["render"], "wrote         .gitignore")]
    {
        project.write(".gitignore", &lacking);
        let run = project.run(command).assert_code(0);
        assert!(run.stderr.contains(words) && run.stderr.contains(told), "{command:?}: {run:?}");
        assert!(!run.stderr.contains("nothing to do"), "{run:?}");
    }
    assert!(project.read(".gitignore").lines().any(|line| line == "/.env"));
    assert!(!project.run(["render"]).assert_code(0).stderr.contains(told));
    project.write(".gitignore", &lacking);
    let run = project.run(["init"]).assert_code(0);
    assert_eq!(run.stderr.matches(told).count(), 1, "{run:?}");
}
