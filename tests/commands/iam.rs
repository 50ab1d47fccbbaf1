//! `iam policy`.

use crate::support::{Project, Run, python_judge, skip};

const MANIFEST: &str = r#"
[project]
name = "shop"
[environments.dev]
[environments.prod]
aws = { account = "111111111111", region = "us-east-1", kms_key = "alias/app", replicas = ["eu-west-1"] }
[environments.plain]
aws = { account = "222222222222", region = "us-east-1", kms_key = "0d9b1a52-1111-4222-8333-444444444444" }
[secrets]
DATABASE_URL = { kind = "uuid", aws = "database/url" }
LOG_LEVEL = { kind = "setting", value = "info", bundle = "app" }
"#;

#[test]
fn a_policy_is_the_same_with_json_and_needs_no_store() {
    let project = Project::with_manifest(MANIFEST);
    let plain = project.run(["-e", "prod", "iam", "policy", "--role", "reader"]).assert_code(0);
    let json = project.run(["-e", "prod", "iam", "policy", "--role", "reader", "--json"]).assert_code(0);
    assert_eq!(plain.stdout, json.stdout);
    assert_eq!(plain.stderr, "");
    let policy: serde_json::Value = serde_json::from_str(&plain.stdout).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    assert!(!project.path(".vault-kit").exists());
}

#[test]
fn a_policy_that_is_too_large_is_printed_with_a_word() {
    let secrets = (0..80).map(|number| format!("SECRET_{number} = {{ kind = \"uuid\", aws = \"secret/{number}\" }}\n"));
    let text: String = std::iter::once(MANIFEST.to_owned()).chain(secrets).collect();
    let run = Project::with_manifest(&text).run(["-e", "prod", "iam", "policy", "--role", "reader"]).assert_code(0);
    assert!(run.stderr.contains("a managed policy takes 6144: split it"), "{run:?}");
    assert!(run.stdout.contains("secret/79-??????"));
}

#[test]
fn a_linter_of_others_finds_nothing_in_any_policy() {
    let Some(mut judge) = python_judge("iam_policies.py") else {
        return skip("a_linter_of_others_finds_nothing_in_any_policy", "no .venv with parliament");
    };
    let project = Project::with_manifest(MANIFEST);
    let mut policies = Vec::new();
    for environment in ["prod", "plain"] {
        for role in ["reader", "rotator", "ci-check"] {
            let arguments = ["-e", environment, "iam", "policy", "--role", role];
            policies.push(project.run(arguments).assert_code(0).stdout);
            policies.push(project.run([&arguments[..], &["--batches"]].concat()).assert_code(0).stdout);
        }
    }
    // The judge is not blind.
    policies.push(policies[0].replace("secretsmanager:DescribeSecret", "secretsmanager:DescribeSecrets"));
    let run = Run::with_stdin(&mut judge, format!("[{}]", policies.join(",")).as_bytes()).assert_code(0);
    let said: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(said, [["sound"; 12].as_slice(), &["UNKNOWN_ACTION"]].concat(), "{run:?}");
}
