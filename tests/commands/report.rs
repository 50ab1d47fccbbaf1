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
