//! `set` and `remove`: one value by hand.

use crate::shop::{KEY, complete, error_code, json, shop};
use crate::support::Project;

#[test]
fn a_piped_value_loses_one_line_break_and_no_more() {
    let project = shop();
    for (piped, value) in
        [("note\n", "note"), ("note\r\n", "note"), ("note\n\n", "note\n"), ("note", "note"), (" note \n", " note ")]
    {
        project.run_with_stdin(["set", "NOTE"], piped.as_bytes()).assert_code(0);
        assert_eq!(project.get("NOTE"), value.as_bytes(), "{piped:?}");
    }
}

#[test]
fn a_file_is_taken_byte_for_byte() {
    let project = shop();
    for bytes in [&b"with a line break\n"[..], b"\xff\xfe\x00 not text \x80\n\n", b"\r\n\t tabs and spaces "] {
        project.write("value", bytes);
        project.run(["set", "NOTE", "--from-file", "value"]).assert_code(0);
        assert_eq!(project.get("NOTE"), bytes);
    }
    project.run_with_stdin(["set", "NOTE", "--from-file", "-"], b"stdin as it is\n").assert_code(0);
    assert_eq!(project.get("NOTE"), b"stdin as it is\n");
}

#[test]
fn the_same_value_changes_nothing() {
    let project = complete();
    let before = project.snapshot();
    let run = project.run_with_stdin(["set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    assert_eq!(project.snapshot(), before);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
}

#[test]
fn a_value_reaches_the_files_that_waited_for_it() {
    let project = shop();
    assert!(!project.path("extra.json").exists());
    let run = project.run_with_stdin(["set", "STRIPE"], KEY.as_bytes()).assert_code(0);
    assert!(run.stderr.contains("extra.json") && !run.both().contains(KEY), "{}", run.both());
    assert!(project.read("extra.json").contains(KEY));
    project.run(["check"]).assert_code(0);
}

#[test]
fn what_is_made_from_it_follows() {
    let project = shop();
    project.run_with_stdin(["set", "DB_PASSWORD"], b"p@ss/Wq8zKv2mXs6bNd1yLc4j").assert_code(0);
    assert_eq!(project.get("DB_URL"), b"postgres://app:p%40ss%2FWq8zKv2mXs6bNd1yLc4j@db/app");
    assert!(project.read(".env").contains("p%40ss%2FWq8zKv2mXs6bNd1yLc4j"));
}

#[test]
fn what_cannot_be_a_value_is_refused_without_showing_it() {
    let project = complete();
    let before = project.contents();
    for (name, value, code, exit) in [
        ("STRIPE", "changeme", "placeholder", 1),
        ("STRIPE", "<your-key>", "placeholder", 1),
        ("STRIPE", "pk_hunter2canary0123456789", "pattern-mismatch", 1),
        ("STRIPE", "", "usage", 2),
        ("STRIPE", "\n", "usage", 2),
        ("PORT", "9hunter2canary", "usage", 2),
        ("DB_URL", "postgres://hunter2canary", "usage", 2),
        ("TOKEN", "hunter2canary", "usage", 2),
        ("TLS", "hunter2canary", "usage", 2),
        ("CA", "hunter2canary", "usage", 2),
        ("STRIPPE", "hunter2canary", "usage", 2),
    ] {
        let run = project.run_with_stdin(["set", name, "--json"], value.as_bytes()).assert_code(exit);
        assert_eq!(error_code(&run), code, "{name} {value:?}");
        assert!(run.stderr.contains("hint: ") && !run.both().contains("hunter2"), "{}", run.both());
    }
    assert_eq!(project.contents(), before);
}

#[test]
fn a_key_that_is_too_short_for_its_token_is_refused_also_in_a_dry_run() {
    let project = shop();
    let before = project.contents();
    for arguments in [&["set", "AUTH"][..], &["set", "AUTH", "-n"]] {
        let run = project.run_with_stdin(arguments, b"Wq8zKv2mXs6b");
        assert_ne!(run.code, 0);
        assert!(run.stderr.contains("`AUTH` is shorter than the 32 bytes"), "{}", run.stderr);
    }
    assert_eq!(project.contents(), before);
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let project = shop();
    let run = project.run(["set", "NOTE", "hunter2canary", "--json"]).assert_code(2);
    assert!(!run.both().contains("hunter2") && run.stderr.contains("never given as arguments"), "{}", run.both());
    assert_eq!(error_code(&run), "usage");
}

#[test]
fn dry_runs_say_what_would_happen_and_write_nothing() {
    let project = complete();
    let before = (project.snapshot(), project.contents());
    let set = project.run_with_stdin(["set", "AUTH", "-n"], b"wR5tGv8zKq2mXs6bNd1yLc4jHf7pUa9eTo3iVx0rBnQ");
    let set = set.assert_code(0);
    for line in ["would set     AUTH", "would make    TOKEN", "would write   .env"] {
        assert!(set.stderr.lines().any(|it| it.starts_with(line)), "{line}: {}", set.stderr);
    }
    let remove = project.run(["remove", "STRIPE", "-n"]).assert_code(0);
    assert!(remove.stderr.contains("would remove  STRIPE"), "{}", remove.stderr);
    assert!((project.snapshot(), project.contents()) == before);
}

#[test]
fn remove_needs_a_yes_and_forgets_every_version() {
    let project = complete();
    let before = project.contents();
    let run = project.run(["remove", "STRIPE", "--json"]).assert_code(2);
    assert_eq!(error_code(&run), "confirmation-needed");
    assert_eq!(project.contents(), before);
    let run = project.run(["remove", "STRIPE", "--yes", "--json"]).assert_code(0);
    assert_eq!(json(&run)["remove"], "STRIPE");
    project.run(["get", "STRIPE"]).assert_code(1);
    let again = project.run(["remove", "STRIPE", "--yes"]).assert_code(2);
    assert!(again.stderr.contains("the store has no `STRIPE`"), "{}", again.stderr);
}

#[test]
fn remove_names_the_files_that_still_hold_the_value() {
    let project = complete();
    let run = project.run(["remove", "TOKEN", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("`rm .secrets/token`"), "{}", run.stderr);
    assert!(!run.stderr.contains("nothing to do"), "{}", run.stderr);
    let run = project.run(["remove", "STRIPE", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("`rm extra.json`"), "{}", run.stderr);
}

#[test]
fn a_secret_that_is_no_longer_declared_can_be_removed() {
    let project = complete();
    let manifest = project.read("vault-kit.toml").replace("[secrets.NOTE]\nkind = \"external\"\noptional = true\n", "");
    project.run_with_stdin(["set", "NOTE"], b"a note that goes away").assert_code(0);
    project.write("vault-kit.toml", manifest);
    let check = project.run(["check"]).assert_code(1);
    assert!(check.stdout.contains("vault-kit remove NOTE"), "{}", check.stdout);
    project.run(["remove", "NOTE", "--yes"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_newline_that_comes_with_a_file_is_told() {
    let project = shop();
    for (value, is_told) in [("one-line-of-a-value\n", true), ("no-newline-at-all", false), ("two\nlines\n", false)] {
        project.write("it's", value);
        let run = project.run(["set", "NOTE", "--from-file", "it's", "--yes"]).assert_code(0);
        assert_eq!(
            run.stderr.contains("a pipe leaves that out: `vault-kit set NOTE < 'it'\\''s'`"),
            is_told,
            "{}",
            run.stderr
        );
        assert_eq!(project.get("NOTE"), value.as_bytes(), "the bytes of the file are the value");
    }
}

#[test]
fn a_key_that_was_cut_off_is_taken_with_a_word_of_warning_that_names_the_line_alone() {
    let project = Project::initialised("project.name = \"p\"\n[secrets.PEM]\nkind = \"external\"\n");
    for (value, told) in [
        (
            "-----BEGIN PRIVATE KEY-----\nMIGHAgEAcanary\n",
            "warning: the value of `PEM` has a block in line 1 that does not end: is it whole?",
        ),
        (
            "eyJhbGciOiJIUzI1NiJ9.bad!!canary.x",
            "warning: the value of `PEM` looks like a token whose part 2 is not base64url: is it whole?",
        ),
        (
            "-----BEGIN PRIVATE KEY----- MAMCAQA=canary -----END PRIVATE KEY-----",
            "warning: the value of `PEM` is PEM that has lost its line breaks: is it whole?",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\\nMAMCAQA=\\n-----END PRIVATE KEY-----",
            "warning: the value of `PEM` is PEM with `\\n` spelled out where its lines break: is it whole?",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMAUCAQA=\n-----END PRIVATE KEY-----\n",
            "warning: the value of `PEM` has a block (PRIVATE KEY) that lacks a piece, or has one too many: is it whole?",
        ),
    ] {
        let run = project.run_with_stdin(["set", "PEM", "--yes"], value.as_bytes()).assert_code(0);
        assert!(run.stderr.contains(told) && !run.both().contains("canary"), "{}", run.both());
    }
    let whole = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIOmRr9DPnPRtvo4Ws84pcPQ2as9KJ/NdHBuIq+hikwsP\n-----END PRIVATE KEY-----\n";
    let run = project.run_with_stdin(["set", "PEM", "--yes", "--json"], whole.as_bytes()).assert_code(0);
    assert!(!run.stderr.contains("warning") && json(&run)["warnings"] == serde_json::json!([]), "{run:?}");
    // Machines are told what people are, once, also before it is done.
    for arguments in [&["set", "PEM", "--json", "-n"][..], &["set", "PEM", "--json"]] {
        let run = project.run_with_stdin(arguments, whole.replace('\n', " ").as_bytes()).assert_code(0);
        let warning = "the value of `PEM` is PEM that has lost its line breaks: is it whole? its file as it came is taken by `vault-kit set PEM --from-file FILE`";
        assert_eq!(json(&run)["warnings"], serde_json::json!([warning]));
        assert_eq!(run.stderr.matches("is it whole?").count(), 1, "{run:?}");
    }
}

#[test]
fn what_is_refused_tells_of_nothing_that_it_would_have_broken() {
    let project = shop();
    let set = |value: &[u8], code| project.run_with_stdin(["set", "AUTH", "--yes"], value).assert_code(code);
    let run = set(b"short-7Qx", 1);
    assert!(!run.stderr.contains("hard cut"), "{run:?}");
    // What stands in the way of a file is found later than that.
    let good = b"mQ7nV2xK9pLr4TzB8wYc1JdF6hGs3AeU5oXiNqZtRvM";
    std::fs::remove_file(project.path(".secrets/auth")).unwrap();
    std::fs::create_dir(project.path(".secrets/auth")).unwrap();
    let refused = project.run_with_stdin(["set", "AUTH", "--yes"], good);
    assert!(refused.code != 0 && !refused.stderr.contains("hard cut"), "{refused:?}");
    std::fs::remove_dir(project.path(".secrets/auth")).unwrap();
    assert!(set(good, 0).stderr.contains("hard cut"));
}

#[test]
fn a_value_in_the_place_of_a_name_is_not_repeated() {
    let project = shop();
    let value = "sk_live_51H8TopSecretValue";
    let pair = format!("STRIPE={value}");
    let odd = format!("{value}/+=");
    for arguments in [
        &["set", &pair][..],
        &["get", &pair],
        &["generate", &pair],
        &["run", "--only", &pair, "--", "true"],
        &["import", &pair],
        &["remove", &pair, "--yes"],
        &["set", &odd],
        &["get", &odd, "--json"],
    ] {
        let run = project.run(arguments).assert_code(2);
        assert!(!run.both().contains(value), "{arguments:?}: {}", run.both());
    }
    let run = project.run(["set", &pair]).assert_code(2);
    assert!(run.stderr.contains("a value is never an argument: `vault-kit set STRIPE` asks for it"), "{}", run.stderr);
}

/// A database's password that is there already, a key that a person supplies, and one file for both.
const RUNNING: &str = r#"
[project]
name = "running"

[secrets.DB]
kind = "external"

[secrets.KEY]
kind = "external"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DB", "KEY"]
"#;

#[test]
fn a_first_value_is_kept_where_the_lines_of_a_file_are_still_to_be_adopted() {
    let project = Project::with_manifest(RUNNING);
    project.write(".env", "# ours\nDB=vNq8Zk2Ws6Xb1Md7Lc4J\nOTHER=1\n");
    project.run(["import", ".env"]).assert_code(0);
    project.run(["init", "--adopt"]).assert_code(0);
    let before = project.contents();
    let dry = project.run_with_stdin(["set", "KEY", "-n"], b"p7Rt2Yv9Qe4Uw1Ko8Zx5").assert_code(8);
    assert!(dry.stderr.contains("the value would be in the store; `vault-kit render --adopt` moves"), "{dry:?}");
    assert_eq!(project.contents(), before);

    let file = project.read(".env");
    let run = project.run_with_stdin(["set", "KEY"], b"p7Rt2Yv9Qe4Uw1Ko8Zx5").assert_code(8);
    let told = "`.env` assigns outside vault-kit's block what the manifest delivers: `DB` (line 2)";
    assert!(run.stderr.contains(told), "{run:?}");
    let hint = "hint: the value is in the store; `vault-kit render --adopt` moves those lines into the block, and writes the file";
    assert!(run.stderr.contains(hint) && run.stdout.is_empty(), "{run:?}");
    assert_eq!(project.get("KEY"), b"p7Rt2Yv9Qe4Uw1Ko8Zx5");
    assert_eq!(project.read(".env"), file);

    project.run(["render", "--adopt"]).assert_code(0);
    let after = project.read(".env");
    assert!(after.contains("DB=vNq8Zk2Ws6Xb1Md7Lc4J") && after.contains("KEY=p7Rt2Yv9Qe4Uw1Ko8Zx5"), "{after}");
    assert!(after.contains("# ours") && after.contains("OTHER=1"), "{after}");
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_first_value_is_kept_where_the_file_has_another_and_neither_is_lost_unasked() {
    let project = Project::with_manifest(RUNNING);
    project.write(".env", "DB=vNq8Zk2Ws6Xb1Md7Lc4J\nKEY=changeme\n");
    project.run(["import", ".env"]).assert_code(1);
    project.run(["init"]).assert_code(0);
    let file = "DB=vNq8Zk2Ws6Xb1Md7Lc4J\nKEY=s5Hg3Jk8Lm1Nb6Vc9Xz2\n";
    project.write(".env", file);
    let run = project.run_with_stdin(["set", "KEY"], b"p7Rt2Yv9Qe4Uw1Ko8Zx5").assert_code(8);
    assert!(run.stderr.contains("hint: the value is in the store\n"), "{run:?}");
    assert!(run.stderr.contains("`vault-kit import --replace .env` takes the values there into the store"), "{run:?}");
    assert_eq!((project.read(".env").as_str(), &project.get("KEY")[..]), (file, &b"p7Rt2Yv9Qe4Uw1Ko8Zx5"[..]));
    project.run(["import", ".env", "--replace"]).assert_code(0);
    project.run(["init", "--adopt"]).assert_code(0);
    assert_eq!(project.get("KEY"), b"s5Hg3Jk8Lm1Nb6Vc9Xz2");
    project.run(["check"]).assert_code(0);
}

#[test]
fn what_is_made_for_a_file_with_lines_of_others_says_what_adopts_them() {
    let project = Project::with_manifest(
        &RUNNING.replace("[secrets.KEY]\nkind = \"external\"", "[secrets.KEY]\nkind = \"random\""),
    );
    project.write(".env", "DB=vNq8Zk2Ws6Xb1Md7Lc4J\n");
    project.run(["import", ".env"]).assert_code(0);
    for command in [&["init"][..], &["generate", "KEY"]] {
        let run = project.run(command).assert_code(7);
        assert!(run.stderr.contains("`vault-kit init --adopt` moves the lines into the block"), "{run:?}");
    }
    project.run(["init", "--adopt"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn every_file_that_a_first_value_could_not_reach_is_told_and_none_of_them_is_a_refusal() {
    let more = "\n[outputs.more]\nformat = \"dotenv\"\npath = \"more.env\"\nsecrets = [\"DB\", \"KEY\"]\n";
    let project = Project::with_manifest(&[RUNNING, more].concat());
    for file in [".env", "more.env"] {
        project.write(file, "DB=vNq8Zk2Ws6Xb1Md7Lc4J\n");
    }
    project.run(["import", ".env"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    let run = project.run_with_stdin(["set", "KEY"], b"p7Rt2Yv9Qe4Uw1Ko8Zx5").assert_code(8);
    assert!(run.stderr.contains("`.env` assigns") && run.stderr.contains("`more.env` assigns"), "{run:?}");
    project.run(["render", "--adopt"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}
