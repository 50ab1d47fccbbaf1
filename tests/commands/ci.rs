//! The templates for CI: valid by the public schemas, pinned, and their scripts do what they say.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::changed_since::committed;
use crate::shop::{complete, shop};
use crate::support::{self, Project};

/// Template, its schema, and how it has to be read for it.
const TEMPLATES: [(&str, &str, &[&str]); 3] = [
    ("action.yml", "vendor.github-actions", &[]),
    ("github-action.yml", "vendor.github-workflows", &[]),
    ("gitlab-ci.yml", "vendor.gitlab-ci", &["--data-transform", "gitlab-ci"]),
];

fn template(name: &str) -> PathBuf {
    support::root().join("examples/ci").join(name)
}

fn read(name: &str) -> Option<Value> {
    let output = support::python_judge("ci_templates.py")?.arg(template(name)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_templates_are_what_github_and_gitlab_take() {
    let Some(python) = support::python() else {
        return support::skip("the_templates_are_what_github_and_gitlab_take", "no Python with the judges' packages");
    };
    for (name, schema, more) in TEMPLATES {
        let mut judge = Command::new(&python);
        judge.args(["-m", "check_jsonschema", "--builtin-schema", schema]).args(more).arg(template(name));
        let judged = judge.output().unwrap();
        assert!(judged.status.success(), "{name}: {judged:?}");
    }
}

#[test]
fn what_others_wrote_is_pinned_and_no_input_is_a_part_of_a_script() {
    for (name, ..) in TEMPLATES {
        let text = std::fs::read_to_string(template(name)).unwrap();
        for used in text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: ")) {
            let commit = used.split_once('@').map(|(_, rest)| rest.split(' ').next().unwrap());
            let is_pinned = commit.is_some_and(|it| it.len() == 40 && it.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!(is_pinned || used.starts_with("./"), "{name}: {used}");
        }
    }
    let test = "what_others_wrote_is_pinned_and_no_input_is_a_part_of_a_script";
    let (Some(action), Some(workflow)) = (read("action.yml"), read("github-action.yml")) else {
        return support::skip(test, "no Python with the judges' packages");
    };
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step}");
    }
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    for job in workflow["jobs"].as_object().unwrap().values() {
        assert_eq!(job["permissions"]["contents"], "read");
        assert_eq!(job["steps"][0]["with"]["persist-credentials"], false);
    }
}

/// Runs a script as the runner does, in a project's directory, and gives its exit code and stdout.
fn bash(project: &Project, script: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let program = project.command(["check"]);
    let beside = PathBuf::from(program.get_program()).parent().unwrap().to_owned();
    let path = format!("{}:{}", beside.display(), support::search_path());
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(project.root()).env_clear();
    let output = bash.env("HOME", project.home()).env("PATH", path).envs(variables.iter().copied()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_action_checks_and_leaves_its_reports() {
    let Some(action) = read("action.yml") else {
        return support::skip("the_action_checks_and_leaves_its_reports", "no Python with the judges' packages");
    };
    let step = action["runs"]["steps"].as_array().unwrap().iter().find(|it| it["name"] == "Check").unwrap();
    let script = step["run"].as_str().unwrap();
    let variables =
        [("ENVIRONMENT", ""), ("DIRECTORY", "."), ("FAIL_ON", "warning"), ("CHANGED_SINCE", ""), ("RANGE", "")];
    let project = complete();
    let (code, told) = bash(&project, script, &variables);
    assert_eq!(code, Some(0), "{told}");
    assert!(project.read("vault-kit.sarif").contains("2.1.0") && project.read("vault-kit.xml").contains("<testsuites"));

    // What could not be looked at fails, unless somebody says that it may not.
    let project = Project::with_manifest(
        "[project]\nname = \"p\"\ncompose = [\"compose.yml\"]\n[secrets.K]\nkind = \"random\"\n",
    );
    project.write(
        "compose.yml",
        "services:\n  a: { extends: { file: ../base.yml, service: a }, environment: [\"K=${K}\"] }\n",
    );
    for (strict, expected) in [("true", 1), ("", 1), ("false", 0)] {
        let skip = [("DIRECTORY", "."), ("FAIL_ON", "error"), ("STRICT", strict)];
        let (code, told) = bash(&project, script, &skip);
        assert_eq!(code, Some(expected), "{strict}: {told}");
    }

    let project = shop();
    project.write(
        "deploy/vault-kit.toml",
        "[project]\nname = \"p\"\n[environments.prod]\n[secrets.O]\nkind = \"setting\"\nvalue = \"*\"\n",
    );
    let manifest = project.read("deploy/vault-kit.toml").replace("secrets.O", "secrets.CORS_ORIGINS");
    project.write("deploy/vault-kit.toml", manifest);
    let variables = [("ENVIRONMENT", "prod"), ("DIRECTORY", "deploy"), ("FAIL_ON", "error"), ("CHANGED_SINCE", "")];
    let (code, told) = bash(&project, script, &variables);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("title=wildcard-origin CORS_ORIGINS::"), "{told}");
    assert!(project.path("vault-kit.sarif").exists(), "beside the workflow, not in the directory of the manifest");
    // What looks like an option, or like a script, is a revision that there is not.
    let hostile =
        [("ENVIRONMENT", ""), ("DIRECTORY", "."), ("FAIL_ON", "error"), ("CHANGED_SINCE", "--help; touch hacked")];
    assert_eq!(bash(&project, script, &hostile).0, Some(2));
    assert!(!project.path("hacked").exists());
}

#[test]
fn gitlab_s_script_leaves_its_reports_and_fails_for_what_is_found() {
    let Some(template) = read("gitlab-ci.yml") else {
        let test = "gitlab_s_script_leaves_its_reports_and_fails_for_what_is_found";
        return support::skip(test, "no Python with the judges' packages");
    };
    let script = template["vault-kit"]["script"][0].as_str().unwrap();
    let first_push = [("CI_COMMIT_BEFORE_SHA", "0000000000000000000000000000000000000000"), ("CI_COMMIT_SHA", "HEAD")];
    let project = complete();
    committed(&project);
    let (code, told) = bash(&project, script, &first_push);
    assert_eq!(code, Some(0), "{told}");
    assert!(project.read("vault-kit.xml").contains("vault-kit check repo"));
    project.write("compose.yml", "services:\n  a: { extends: { file: ../base.yml, service: a } }\n");
    let manifest = project.read("vault-kit.toml");
    project.write("vault-kit.toml", manifest.replacen("[project]\n", "[project]\ncompose = [\"compose.yml\"]\n", 1));
    let (code, told) = bash(&project, script, &first_push);
    assert!(code == Some(1) && told.contains("../base.yml"), "what could not be looked at: {told}");
    project.write("vault-kit.toml", "[project]\nname = 1\n");
    assert_eq!(bash(&project, script, &first_push).0, Some(3));
}

const DEPLOYED: &str = r#"
[project]
name = "shop"
[environments.dev]
[environments.prod]
[secrets.DATABASE_URL]
kind = "external"
environments = ["prod"]
[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DATABASE_URL"]
"#;

/// The script that a job runs before a deploy, by template.
fn before_a_deploy() -> Option<[(&'static str, String); 2]> {
    let (workflow, gitlab) = (read("github-action.yml")?, read("gitlab-ci.yml")?);
    let steps = workflow["jobs"]["deployment"]["steps"].as_array().unwrap();
    let github = steps.iter().find_map(|it| it["run"].as_str()).unwrap();
    let gitlab = gitlab["vault-kit-deployment"]["script"][0].as_str().unwrap();
    Some([("GitHub", github.to_owned()), ("GitLab", gitlab.to_owned())])
}

#[test]
fn a_deploy_waits_for_the_variables_that_it_needs() {
    let Some(scripts) = before_a_deploy() else {
        return support::skip("a_deploy_waits_for_the_variables_that_it_needs", "no Python with the judges' packages");
    };
    for (who, script) in scripts {
        let project = Project::with_manifest(DEPLOYED);
        let url = "postgres://shop:Zk3vYq8mT1xWc5RbLp7n@db/shop";
        let (code, told) = bash(&project, &script, &[("DATABASE_URL", url)]);
        assert_eq!(code, Some(0), "{who}: {told}");
        for (variables, found) in [(&[][..], "missing"), (&[("DATABASE_URL", "changeme")], "placeholder")] {
            let (code, told) = bash(&project, &script, variables);
            assert!(code == Some(1) && told.contains(found) && told.contains("DATABASE_URL"), "{who}: {told}");
        }
        assert_eq!(project.path("vault-kit-env.xml").exists(), who == "GitLab");
    }
}

/// The script of the action that searches a range: what a push with `--no-verify` brought is found, and an input is no part of it.
#[test]
fn the_action_searches_what_a_push_brings() {
    let Some(action) = read("action.yml") else {
        return support::skip("the_action_searches_what_a_push_brings", "no Python with the judges' packages");
    };
    let step = action["runs"]["steps"].as_array().unwrap().iter().find(|it| it["name"] == "Scan").unwrap();
    let script = step["run"].as_str().unwrap();
    let project = complete();
    committed(&project);
    let range = |range| [("DIRECTORY", "."), ("RANGE", range)];
    let (code, told) = bash(&project, script, &range("HEAD..HEAD"));
    assert_eq!(code, Some(0), "{told}");
    let leaked = "notes.txt";
    project.write(leaked, project.get("AUTH"));
    for arguments in [&["add", leaked][..], &["commit", "--quiet", "--no-verify", "-m", "more"]] {
        crate::changed_since::git(&project, arguments);
    }
    let (code, told) = bash(&project, script, &range("HEAD~1..HEAD"));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("::error") && told.contains("file=notes.txt") && told.contains("AUTH"), "{told}");
    assert!(!told.contains(std::str::from_utf8(&project.get("AUTH")).unwrap()), "the value is not shown");
    // Before the first push of a branch there is 000…0.
    let first = "0000000000000000000000000000000000000000..HEAD";
    assert_eq!(bash(&project, script, &range(first)).0, Some(1));
    let hostile = range("--help; touch hacked");
    assert_eq!(bash(&project, script, &hostile).0, Some(2));
    assert!(!project.path("hacked").exists());
}

/// What a runner has: a clone, and no identity.
fn cloned(project: &Project) -> Project {
    let clone = Project::empty();
    crate::changed_since::git(&clone, &["clone", "--quiet", project.root().to_str().unwrap(), "."]);
    assert!(!clone.identity().exists() && !clone.path(".vault-kit").exists());
    clone
}

#[test]
fn without_an_identity_every_template_is_red_for_a_leak_that_was_committed_and_names_it() {
    let (Some(action), Some(gitlab)) = (read("action.yml"), read("gitlab-ci.yml")) else {
        let test = "without_an_identity_every_template_is_red_for_a_leak_that_was_committed_and_names_it";
        return support::skip(test, "no Python with the judges' packages");
    };
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = |name: &str| steps.iter().find(|it| it["name"] == name).unwrap()["run"].as_str().unwrap();
    let gitlab = gitlab["vault-kit"]["script"][0].as_str().unwrap();
    let project = complete();
    let output = "\n[outputs.prints]\nformat = \"fingerprints\"\npath = \"prints.json\"\n";
    crate::changed_since::append(&project, "vault-kit.toml", output);
    project.run(["render"]).assert_code(0);
    committed(&project);
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    let base = |clone: &Project| {
        let output = Command::new("git").args(["rev-parse", "HEAD~1"]).current_dir(clone.root()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for (text, red) in [("nothing to see\n".to_owned(), false), (format!("one\nkey = {auth}\n"), true)] {
        project.write("notes.txt", text);
        crate::changed_since::git(&project, &["add", "notes.txt"]);
        crate::changed_since::git(&project, &["commit", "--quiet", "--no-verify", "-m", "notes"]);
        let clone = cloned(&project);
        let range = format!("{}..HEAD", base(&clone));
        let check = [("ENVIRONMENT", ""), ("DIRECTORY", "."), ("FAIL_ON", "warning"), ("CHANGED_SINCE", "")];
        let (code, told) = bash(&clone, step("Check"), &check);
        assert_eq!(code, Some(0), "{told}");
        let (code, told) = bash(&clone, step("Scan"), &[("DIRECTORY", "."), ("RANGE", &range)]);
        assert_eq!(code, Some(i32::from(red)), "{told}");
        let is_named = |text: &str| text.contains("notes.txt") && text.contains("AUTH");
        assert!(!told.contains(&auth) && is_named(&told) == red, "{told}");

        let (before, head) = range.split_once("..").unwrap();
        for merge_request in [false, true] {
            let variable = if merge_request { "CI_MERGE_REQUEST_DIFF_BASE_SHA" } else { "CI_COMMIT_BEFORE_SHA" };
            let (code, told) = bash(&clone, gitlab, &[(variable, before), ("CI_COMMIT_SHA", head)]);
            assert_eq!(code, Some(i32::from(red)), "{told}");
            let report = clone.read("vault-kit-scan.xml");
            assert!(!(told.clone() + &report).contains(&auth));
            assert!(is_named(&told) == red && is_named(&report) == red, "{told} {report}");
            let failures = report.matches("<failure ").count();
            assert_eq!(failures, usize::from(red), "{report}");
            assert!(report.contains(&format!("failures=\"{failures}\"")), "{report}");
        }
    }
}
