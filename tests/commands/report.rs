//! The reports of `check`: what fails, what is left out, and in which form it is told.

use crate::shop::{SHOP, complete, json, shop};
use crate::support::{Project, set_mode};

/// A project whose store holds a secret that the manifest does not declare any more: a warning.
fn warned() -> Project {
    let project = Project::initialised(
        "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n[secrets.B]\nkind = \"random\"\n",
    );
    project.write("vault-kit.toml", "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n");
    project
}

#[test]
fn a_warning_is_told_as_one_and_fails_unless_only_errors_shall() {
    let project = warned();
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.starts_with("undeclared  B  warning: "), "{}", run.stdout);
    assert!(run.stdout.ends_with(": 1 warning found\n"), "{}", run.stdout);
    for (severity, code) in [("notice", 1), ("warning", 1), ("error", 0)] {
        let run = project.run(["check", "--fail-on", severity]).assert_code(code);
        assert!(run.stdout.contains("undeclared"), "told in any case: {}", run.stdout);
    }
    set_mode(&project.path(".vault-kit"), 0o755);
    let run = project.run(["check", "--fail-on", "error"]).assert_code(1);
    assert!(run.stdout.ends_with(": 1 problem, 1 warning found\n"), "{}", run.stdout);
}

#[test]
fn findings_that_are_left_out_by_their_code_are_counted() {
    let project = shop();
    project.run(["check"]).assert_code(1);
    let run = project.run(["check", "--skip", "missing"]).assert_code(0);
    assert!(run.stdout.contains("no problem found; 2 left out by `--only` or `--skip`"), "{}", run.stdout);
    let report = json(&project.run(["check", "--json", "--only", "expired", "--only", "weak"]).assert_code(0));
    assert_eq!(report["left_out"]["codes"], 2);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
    let report = json(&project.run(["check", "--json", "--only", "missing"]).assert_code(1));
    assert_eq!(report["left_out"]["codes"], 0);
}

#[test]
fn a_code_that_there_is_not_is_refused_before_anything_is_looked_at() {
    let project = Project::with_manifest(SHOP);
    for flag in ["--only", "--skip"] {
        let run = project.run(["check", flag, "mising"]).assert_code(2);
        assert!(run.stderr.contains(&format!("`{flag}`: there is no such code")), "{}", run.stderr);
        assert!(run.stderr.contains("did you mean `missing`?"), "{}", run.stderr);
    }
}

const ALLOW: &str =
    "[[check.allow]]\ncode = \"CODE\"\nsecret = \"B\"\nreason = \"sold with the shop\"\nuntil = \"UNTIL\"\n";

#[test]
fn a_finding_that_the_manifest_allows_is_listed_and_does_not_fail() {
    let project = warned();
    let manifest = project.read("vault-kit.toml");
    let allow = |code: &str, until: &str| {
        let entry = ALLOW.replace("CODE", code).replace("UNTIL", until);
        project.write("vault-kit.toml", format!("{manifest}{entry}"));
    };
    allow("undeclared", "9999-12-31");
    let run = project.run(["check"]).assert_code(0);
    assert!(run.stdout.contains("allowed  undeclared  B  until 9999-12-31: sold with the shop\n"), "{}", run.stdout);
    assert!(run.stdout.ends_with("no problem found; 1 allowed by the manifest\n"), "{}", run.stdout);
    let report = json(&project.run(["check", "--json"]).assert_code(0));
    assert_eq!(report["allowed"][0]["code"], "undeclared");
    assert_eq!(report["allowed"][0]["reason"], "sold with the shop");

    allow("undeclared", "2020-01-01");
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("\nallow-expired  vault-kit.toml:5  warning: "), "{}", run.stdout);
    assert!(run.stdout.ends_with(": 2 warnings found\n"), "{}", run.stdout);

    allow("expired", "9999-12-31");
    let run = project.run(["check"]).assert_code(1);
    assert!(run.stdout.contains("\nallow-unused  vault-kit.toml:5  notice: "), "{}", run.stdout);
    project.run(["check", "--skip", "undeclared"]).assert_code(0);
    project.run(["check", "--skip", "undeclared", "--fail-on", "notice"]).assert_code(1);
    allow("undeclard", "9999-12-31");
    assert!(project.run(["check"]).assert_code(3).stderr.contains("did you mean `undeclared`?"));
}
