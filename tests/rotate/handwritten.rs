//! A `.env` that a person wrote anew, without the markers of our block.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::programs::{asked, project, project_with, steps};
use crate::support::{Project, Run};

/// What `check` finds, each as code and fix.
fn findings(project: &Project) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report["findings"].as_array().unwrap().iter().map(|it| (text(&it["code"]), text(&it["fix"]))).collect()
}

/// Runs a fix as it stands, less its comment.
fn paste(project: &Project, fix: &str) -> Run {
    let command = fix.split("    # ").next().unwrap();
    project.run(command.strip_prefix("vault-kit ").unwrap().split(' ')).assert_code(0)
}

fn without_markers(project: &Project) -> String {
    let text = project.read(".env");
    text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn no_owner_is_told_a_value_that_a_file_without_a_block_could_not_get() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    project.write(".env", without_markers(&project));
    let before = asked(&project).len();
    for arguments in [&["rotate", "DB"][..], &["rotate", "DB", "SESSION"]] {
        let run = project.run(arguments).assert_code(7);
        assert!(run.stderr.contains("`vault-kit render --adopt` moves the lines into the block"), "{run:?}");
        assert_eq!(asked(&project).len(), before, "{run:?}");
    }
    // It was not met by a rotation, but told before one.
    let fix = "vault-kit render --adopt";
    assert_eq!(findings(&project), [("name-outside-block".to_owned(), fix.to_owned())]);
    paste(&project, fix);
    assert_eq!(findings(&project), []);
    project.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(steps(&project)[before..], ["set", "test", "reload", "retire"]);
}

#[test]
fn no_owner_is_told_a_value_that_a_file_could_not_get_because_it_waits_for_another() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let (before, file) = (asked(&project).len(), project.read(".env"));
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", format!("{manifest}\n[secrets.NEW_KEY]\nkind = \"external\"\n"));
    for arguments in [&["rotate", "DB", "-n"][..], &["rotate", "DB"]] {
        let run = project.run(arguments).assert_code(1);
        let told = "`.env` delivers what is to change, and cannot be written before `NEW_KEY` has a value";
        assert!(run.stderr.contains(told), "{run:?}");
        assert_eq!((asked(&project).len(), project.read(".env")), (before, file.clone()), "{run:?}");
    }
    project.run_with_stdin(["set", "NEW_KEY"], b"from-a-person").assert_code(0);
    project.run(["rotate", "DB"]).assert_code(0);
    assert_eq!(steps(&project)[before..], ["set", "test", "reload", "retire"]);
}

#[test]
fn no_owner_is_told_an_earlier_value_that_a_damaged_file_could_not_get() {
    let project = project();
    project.run(["rotate", "DB"]).assert_code(0);
    let (before, file) = (asked(&project).len(), project.read(".env"));
    let damaged: String = file.split_inclusive('\n').filter(|line| !line.starts_with("# <<<")).collect();
    assert_ne!(damaged, file);
    project.write(".env", &damaged);
    for arguments in [&["rotate", "rollback", "DB", "-n"][..], &["rotate", "rollback", "DB"]] {
        let run = project.run(arguments).assert_code(7);
        assert_eq!((asked(&project).len(), project.read(".env")), (before, damaged.clone()), "{run:?}");
    }
    project.run(["render", "--adopt"]).assert_code(0);
    project.run(["rotate", "rollback", "DB"]).assert_code(0);
}

#[test]
fn a_file_that_was_written_by_hand_within_an_overlap_is_mended_by_what_is_told_of_it() {
    let with_other_values = || {
        let project = project_with("overlap = \"24h\"");
        project.run(["rotate", "DB"]).assert_code(0);
        project.write(".env", "A=b\nDB=typed-by-hand\n");
        project
    };
    let project = with_other_values();
    let fix = "vault-kit render --adopt --yes    # drops what .env has for `DB`; to keep it, first: vault-kit import --replace .env";
    let expected = ["stale", "name-outside-block"].map(|code| (code.to_owned(), fix.to_owned()));
    assert_eq!(findings(&project), expected);
    for arguments in [&["render", "--adopt", "--yes", "-n"][..], &["render", "--adopt", "--yes"]] {
        let run = project.run(arguments).assert_code(0);
        let named = "vault-kit: warning: `.env` loses what vault-kit did not write: `DB` (line 2)\n";
        assert!(run.stderr.contains(named) && !run.both().contains("typed"), "{run:?}");
    }
    assert_eq!(findings(&project), []);
    let text = project.read(".env");
    assert!(text.starts_with("A=b\n") && text.contains("DB_PREVIOUS=") && !text.contains("typed"), "{text}");

    let project = with_other_values();
    let run = project.run(["rotate", "SESSION"]).assert_code(7);
    assert!(run.stderr.contains("`vault-kit init --adopt --yes` drops the values there"), "{run:?}");
    project.run(["init", "--adopt", "--yes"]).assert_code(0);
    project.run(["rotate", "SESSION"]).assert_code(0);
    assert_eq!(findings(&project), []);
}

#[test]
fn a_block_that_lost_a_marker_is_put_right_by_what_is_told_of_it() {
    for (marker, more) in [("# <<<", "OTHER=1\n"), ("# >>>", "")] {
        let project = project();
        project.run(["rotate", "tell", "DB"]).assert_code(0);
        let whole = project.read(".env");
        let without = |text: &str| text.split_inclusive('\n').filter(|it| !it.starts_with(marker)).collect::<String>();
        project.write(".env", without(&whole) + more);
        let fix = "vault-kit render --adopt";
        assert_eq!(findings(&project), [("name-outside-block".to_owned(), fix.to_owned())]);
        project.run(["rotate", "DB"]).assert_code(7);
        paste(&project, fix);
        assert_eq!((project.read(".env"), findings(&project)), (whole.clone() + more, vec![]));
        // With another value in it, nothing is dropped that was not named before.
        let value = String::from_utf8(project.get("SESSION")).unwrap();
        project.write(".env", without(&whole).replace(&format!("SESSION={value}"), "SESSION=typed-by-hand"));
        let damaged = project.run(["render"]).assert_code(7);
        let ways: Vec<&str> = damaged.stderr.split('`').filter(|it| it.starts_with("vault-kit ")).collect();
        let expected = ["import --replace .env", "init --adopt", "init --adopt --yes"];
        assert_eq!(ways, expected.map(|it| format!("vault-kit {it}")), "{damaged:?}");
        let (told, run) = (findings(&project), project.run([fix.split(' ').nth(1).unwrap(), "--adopt"]).assert_code(7));
        assert!(run.stderr.contains("assigns values that the store does not hold: `SESSION`"), "{run:?}");
        assert!(told.iter().all(|(_, fix)| fix.contains("# drops what .env has for `SESSION`; ")), "{told:?}");
        let run = paste(&project, &told[0].1);
        assert!(run.stderr.contains("loses what vault-kit did not write: `SESSION` (line "), "{run:?}");
        assert_eq!((project.read(".env"), findings(&project)), (whole, vec![]));
    }
}

#[test]
fn a_line_that_cannot_be_read_is_told_with_what_to_do_first() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    let whole = project.read(".env");
    project.write(".env", format!("{whole}OTHER: abc\n"));
    let report: Value = serde_json::from_str(&project.run(["check", "--json"]).assert_code(1).stdout).unwrap();
    let [finding] = report["findings"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(finding["message"], "cannot be read, and so no value can be written into it");
    let line = whole.lines().count() + 1;
    let fix = format!("vault-kit render    # once you mended the line: `.env`: line {line}: `=` is missing");
    assert_eq!(finding["fix"], fix);
    project.write(".env", format!("{whole}OTHER=abc\n"));
    paste(&project, &fix);
    assert_eq!((project.read(".env"), findings(&project)), (format!("{whole}OTHER=abc\n"), vec![]));
}

#[test]
fn what_yes_replaces_is_named() {
    let project = project();
    project.run(["rotate", "tell", "DB"]).assert_code(0);
    // A file with a block that came from elsewhere, and a line within our own block.
    let whole = project.read(".env");
    let (first, rest) = whole.split_once('\n').unwrap();
    project.write(".env", format!("{first}\nMINE=only-here\n{rest}"));
    let run = project.run(["render"]).assert_code(0);
    assert!(run.stderr.contains("`.env` loses what vault-kit did not write: `MINE` (line 2)"), "{run:?}");
    assert_eq!(project.read(".env"), whole);
    assert!(!project.run(["rotate", "SESSION"]).assert_code(0).stderr.contains("loses"));
    let manifest = project.read("vault-kit.toml");
    project.write(
        "vault-kit.toml",
        manifest.replace("path = \".env\"", "path = \"other.env\"")
            + "[outputs.j]\nformat = \"json\"\npath = \"j.json\"\n",
    );
    project.write("other.env", format!("{first}\nDB=elsewhere\nMINE=only-here\n# <<< vault-kit <<<\n"));
    project.write("j.json", "{\"theirs\": \"only-here\"}");
    project.write("other/session", project.get("SESSION"));
    let run = project.run(["render", "--adopt", "--yes"]).assert_code(0);
    assert!(
        run.stderr.contains("`other.env` loses what vault-kit did not write: `DB` (line 2), `MINE` (line 3)"),
        "{run:?}"
    );
    assert!(run.stderr.contains("`j.json` loses what vault-kit did not write: `theirs`"), "{run:?}");
    assert!(!run.both().contains("only-here") && !run.stderr.contains("session` "), "{run:?}");
}

#[test]
fn a_name_that_stands_in_the_block_and_beside_it_is_put_right_by_what_is_printed() {
    let given = "7Kd0aXw2QeRt5YuI8oPzLm3N1bVc9gHj";
    for keeps in [false, true] {
        let project = project();
        project.run(["rotate", "tell", "DB"]).assert_code(0);
        let old = project.get("SESSION");
        project.write(".env", format!("{}SESSION={given}\n", project.read(".env")));
        let fixes = || findings(&project).into_iter().map(|(_, fix)| fix).collect::<BTreeSet<_>>();
        let import = "vault-kit import --replace .env";
        let fix = format!(
            "vault-kit render --adopt --yes    # drops what .env has for `SESSION`; to keep it, first: {import}"
        );
        assert_eq!(fixes(), BTreeSet::from([fix.clone()]));
        if keeps {
            paste(&project, import);
            assert_eq!(fixes(), BTreeSet::from(["vault-kit render --adopt".to_owned()]));
            paste(&project, "vault-kit render --adopt");
        } else {
            paste(&project, &fix);
        }
        assert_eq!(findings(&project), []);
        let value = String::from_utf8(project.get("SESSION")).unwrap();
        assert_eq!((value == given, value.as_bytes() == old), (keeps, !keeps));
        assert_eq!(project.read(".env").matches("SESSION=").count(), 1, "{}", project.read(".env"));
    }
}
