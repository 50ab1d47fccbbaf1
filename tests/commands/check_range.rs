//! `check --range`: what a push brought past the hooks, in the report of the gate.

use serde_json::Value;

use crate::changed_since::{committed, git};
use crate::shop::{complete, json};
use crate::support::{self, Project};

/// A project whose last two commits brought a value and took it away again, past the hooks.
fn pushed() -> Option<Project> {
    support::program("git")?;
    let project = complete();
    committed(&project);
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    project.write("notes.txt", format!("first line\nthe secret is {auth}\n"));
    git(&project, &["add", "notes.txt"]);
    git(&project, &["commit", "--quiet", "--no-verify", "-m", "notes"]);
    git(&project, &["rm", "--quiet", "notes.txt"]);
    git(&project, &["commit", "--quiet", "--no-verify", "-m", "oh"]);
    Some(project)
}

fn findings(report: &Value) -> Vec<(&str, &str, Option<&str>, Option<u64>)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| {
            let secret = it["secret"].as_str().unwrap_or_default();
            (it["code"].as_str().unwrap(), secret, it["file"].as_str(), it["line"].as_u64())
        })
        .collect()
}

#[test]
fn what_a_push_past_the_hooks_brought_is_in_every_form_of_the_report() {
    let Some(project) = pushed() else {
        return support::skip("what_a_push_past_the_hooks_brought_is_in_every_form_of_the_report", "no git");
    };
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    project.run(["check", "--at", "repo"]).assert_code(0);
    let range = ["check", "--at", "repo", "--range", "HEAD~2..HEAD"];
    let run = project.run(range.into_iter().chain([
        "--format",
        "json",
        "--format",
        "sarif=r.sarif",
        "--format",
        "junit=r.xml",
    ]));
    let report = json(&run.assert_code(1));
    assert_eq!(findings(&report), [("leaked", "AUTH", Some("notes.txt"), Some(2))], "{report}");
    let finding = &report["findings"][0];
    assert_eq!((&finding["severity"], &finding["place"]), (&"error".into(), &"repo".into()));
    assert!(finding["message"].as_str().unwrap().starts_with("in commit "), "{finding}");
    assert!(finding["fix"].as_str().unwrap().contains("vault-kit incident AUTH"), "{finding}");
    assert_eq!(report["looked_at"]["commits"], 2);
    for file in ["r.sarif", "r.xml"] {
        assert!(project.read(file).contains("leaked") && !project.read(file).contains(&auth), "{file}");
    }
    let github = project.run(range.into_iter().chain(["--format", "github"])).assert_code(1);
    assert!(github.stdout.contains("file=notes.txt") && github.stdout.contains("title=leaked"), "{github:?}");
    let human = project.run(range).assert_code(1);
    assert!(human.stdout.contains("2 commits: 1 problem found") && !human.both().contains(&auth), "{human:?}");
    // What was there before is no business of this push.
    let clean = project.run(["check", "--at", "repo", "--range", "HEAD~1..HEAD"]).assert_code(0);
    assert!(clean.stdout.contains("1 commit: no problem found"), "{clean:?}");
}

#[test]
fn no_filter_hides_a_leak_by_accident() {
    let Some(project) = pushed() else { return support::skip("no_filter_hides_a_leak_by_accident", "no git") };
    let range = ["check", "--at", "repo", "--range", "HEAD~2..", "--json"];
    // The file is the same as at that revision.
    let run = project.run(range.into_iter().chain(["--changed-since", "HEAD~2"])).assert_code(1);
    assert_eq!(findings(&json(&run)).len(), 1);
    // An allowance for it is one where commits are searched, and says nothing where they are not.
    let allow = "\n[[check.allow]]\ncode = \"leaked\"\nsecret = \"AUTH\"\nreason = \"replaced since\"\nuntil = \"2099-01-01\"\n";
    project.write("vault-kit.toml", project.read("vault-kit.toml") + allow);
    let report = json(&project.run(range));
    assert_eq!(report["allowed"][0]["code"], "leaked", "{report}");
    let report = json(&project.run(["check", "--at", "repo", "--json"]));
    assert!(findings(&report).iter().all(|it| it.0 == "allow-too-long"), "{report}");
}

#[test]
fn what_only_looks_like_a_credential_or_is_in_no_file_is_told_too() {
    let Some(project) = pushed() else {
        return support::skip("what_only_looks_like_a_credential_or_is_in_no_file_is_told_too", "no git");
    };
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    project.write("vault-kit.toml", project.read("vault-kit.toml") + "\n[scan.rules]\njwt = \"warn\"\n");
    // RFC 7519, §3.1.
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    project.write("token.txt", token);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--no-verify", "-m", &format!("with {auth}")]);
    let report = json(&project.run(["check", "--at", "repo", "--range", "HEAD~1..HEAD", "--json"]).assert_code(1));
    let expected = [("leaked", "AUTH", None, None), ("leak-suspected", "", Some("token.txt"), Some(1))];
    assert_eq!(findings(&report), expected, "{report}");
    assert!(!report.to_string().contains(&auth) && !report.to_string().contains("dBjftJeZ4CVP"), "{report}");
    let only = ["check", "--at", "repo", "--range", "HEAD~1..HEAD", "--only", "leak-suspected"];
    project.run(only.into_iter().chain(["--fail-on", "error"])).assert_code(0);
    project.run(only).assert_code(1);
}

#[test]
fn a_range_that_cannot_be_searched_is_no_clean_one() {
    let Some(project) = pushed() else {
        return support::skip("a_range_that_cannot_be_searched_is_no_clean_one", "no git");
    };
    for refused in [
        &["check", "--range", "HEAD~2..HEAD"][..],
        &["check", "--at", "env", "--range", "HEAD~2..HEAD"],
        &["check", "--at", "repo", "--range", "--help; touch hacked"],
        &["check", "--at", "repo", "--range", "nowhere..HEAD"],
        &["check", "--at", "repo", "--staged", "--range", "HEAD~2..HEAD"],
    ] {
        project.run(refused.iter().copied()).assert_code(2);
    }
    // Without the identity and without fingerprints nobody knows what to look for.
    let mut command = project.command(["check", "--at", "repo", "--range", "HEAD~2..HEAD", "--json"]);
    command.env("VAULT_KIT_IDENTITY_FILE", project.path("none"));
    let run = support::Run::of(&mut command);
    assert!(run.code == 4, "{run:?}");
}

#[test]
fn a_range_without_commits_and_one_that_a_shallow_clone_cuts_are_told() {
    let Some(project) = pushed() else {
        return support::skip("a_range_without_commits_and_one_that_a_shallow_clone_cuts_are_told", "no git");
    };
    let range = |range: &str| project.run(["check", "--at", "repo", "--json", "--range", range]);
    // A push that went back, or brought nothing: no reason to fail.
    let run = range("HEAD..HEAD~2").assert_code(0);
    let warning = json(&run)["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.starts_with("the range has no commits, so none was looked at: its end comes before"), "{run:?}");
    assert_eq!(run.stderr, format!("vault-kit: warning: {warning}\n"));
    assert_eq!(json(&range("HEAD..HEAD").assert_code(0))["looked_at"]["commits"], 0);
    let end = std::process::Command::new("git").args(["rev-parse", "HEAD"]).current_dir(project.root()).output();
    project.write(".git/shallow", end.unwrap().stdout);
    let report = json(&range("HEAD").assert_code(0));
    let not_checked = report["not_checked"].as_array().unwrap();
    let cut = not_checked.iter().find(|it| it["what"] == "the commits before those that are here").expect("a cut");
    assert!(cut["why"].as_str().unwrap().contains("`git fetch --unshallow`"), "{report}");
}
