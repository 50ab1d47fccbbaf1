//! What a system in AWS says of its accounts and policies.

use crate::typed::git;
use crate::{broken, edit};

broken! {
    production_in_the_account_of_staging: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "vault-kit.toml", "account = \"111111111111\"", "account = \"222222222222\"");
    } => "account-shared";
    staging_in_the_account_of_production: "mcp-rag" with ["-e", "staging", "--at", "repo"], |project| {
        edit(project, "vault-kit.toml", "account = \"111111111111\"", "account = \"222222222222\"");
        // Its policies are brought up to date with it: they would be told of otherwise.
        for role in ["ci-check", "reader", "rotator"] {
            let policy = project.run(["-e", "staging", "iam", "policy", "--role", role]).assert_code(0).stdout;
            project.write(&format!("iam/staging-{role}.json"), policy);
        }
    } => "account-shared";
    a_policy_whose_names_lack_their_slash: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        let text = project.read("iam/prod-reader.json").replace("secret:/mcp-demo", "secret:mcp-demo");
        project.write("iam/prod-reader.json", text);
    } => "policy-stale";
    a_policy_that_allows_more: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "iam/prod-reader.json", "\"secretsmanager:GetSecretValue\"", "\"secretsmanager:*\"");
    } => "policy-stale";
    a_policy_of_before_a_secret_was_declared: "mcp-rag" with ["-e", "staging", "--at", "repo"], |project| {
        edit(project, "vault-kit.toml", "aws = \"redis/password\"", "aws = \"redis/passwort\"");
    } => "policy-stale";
    an_external_secret_in_another_namespace: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/prod/database-credentials.yaml", "namespace: \"mcp-demo\"", "namespace: \"default\"");
    } => "stale";
    an_external_secret_that_is_read_again_too_seldom: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/prod/database-credentials.yaml", "refreshInterval: \"1h\"", "refreshInterval: \"24h\"");
    } => "stale";
    an_external_secret_from_another_store: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/prod/application.yaml", "name: \"aws-secrets-manager\"", "name: \"vault\"");
    } => "stale";
    an_external_secret_under_a_key_that_pods_do_not_read: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/prod/database-credentials.yaml", "secretKey: \"url\"", "secretKey: \"uri\"");
    } => "stale";
    an_external_secret_of_another_name_in_aws: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/prod/application.yaml", "/mcp-demo/prod/api-keys/openai", "/mcp-demo/staging/api-keys/openai");
    } => "stale";
    an_external_secret_that_is_gone: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        std::fs::remove_file(project.path("k8s/prod/application.yaml")).unwrap();
    } => "missing";
    a_manifest_that_an_external_secret_does_not_follow: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "vault-kit.toml", "keys = { DATABASE_URL = \"url\" }", "keys = { DATABASE_URL = \"dsn\" }");
    } => "stale";
    a_service_account_without_a_role: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/service-account.yaml", "  annotations:\n    eks.amazonaws.com/role-arn: arn:aws:iam::222222222222:role/mcp-rag-prod-reader\n", "");
    } => "external-store" at "mcp-rag-secrets" in "k8s/service-account.yaml";
    a_role_that_is_a_placeholder: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/service-account.yaml", "iam::222222222222:role", "iam::ACCOUNT_ID:role");
    } => "external-store" at "role-arn" in "k8s/service-account.yaml";
    a_role_in_the_account_of_staging: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/service-account.yaml", "iam::222222222222:role", "iam::111111111111:role");
    } => "external-store" at "role-arn" in "k8s/service-account.yaml";
    a_store_in_another_region: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/secret-store.yaml", "region: us-east-1", "region: eu-west-1");
    } => "external-store" at "region" in "k8s/secret-store.yaml";
    a_store_with_a_role_elsewhere: "mcp-rag" with ["-e", "prod", "--at", "repo"], |project| {
        edit(project, "k8s/secret-store.yaml", "      region:", "      role: arn:aws:iam::333333333333:role/reader\n      region:");
    } => "external-store" at "role:" in "k8s/secret-store.yaml";
}

#[test]
fn a_store_that_may_be_right_is_not_told() {
    let fine = |change: &dyn Fn(&crate::support::Project)| {
        let project = crate::whole("mcp-rag");
        change(&project);
        let run = crate::check(&project, &["-e", "prod", "--at", "repo", "--strict"]).assert_code(0);
        assert!(run.stdout.contains("no problem found"), "{run:?}");
    };
    let account = "k8s/service-account.yaml";
    // Somebody puts the account in before it is applied; it lies in another repository; or it is no YAML yet.
    fine(&|project| edit(project, account, "222222222222:role", "${ACCOUNT}:role"));
    fine(&|project| std::fs::remove_file(project.path(account)).unwrap());
    fine(&|project| edit(project, account, "kind: ServiceAccount", "{{- if .Values.irsa }}\nkind: ServiceAccount"));
    fine(&|project| edit(project, account, "name: mcp-rag-secrets", "name: others"));
    // Of two clusters, each with its own.
    fine(&|project| {
        let text = project.read(account);
        project.write("k8s/a.yaml", format!("{}\n---\n{text}", text.replace("222222222222", "111111111111")));
    });
    fine(&|project| {
        let text = project.read("k8s/secret-store.yaml");
        project.write("secret-store.yaml", text.replace("us-east-1", "eu-west-1"));
    });
}

#[test]
fn an_external_secret_of_the_repository_is_told_once_and_is_the_index_s_where_that_is_judged() {
    let project = crate::whole("mcp-rag");
    let path = "k8s/prod/database-credentials.yaml";
    let found = |arguments: &[&str]| {
        let run = crate::check(
            &project,
            &[&["-e", "prod", "--json", "--only", "stale", "--only", "missing"], arguments].concat(),
        );
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
        let findings = report["findings"].as_array().unwrap().iter().filter(|it| it["file"] == path);
        findings.map(|it| format!("{} {} {}", it["place"], it["code"], it["fix"])).collect::<Vec<_>>()
    };
    let whole = project.read(path);
    project.write(path, whole.replace("mcp-demo", "other"));
    let told = [r#""repo" "stale" "vault-kit -e prod render    # where its store is; then commit the file""#];
    assert_eq!(found(&["--at", "repo"]), told);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    project.write(path, &whole);
    assert_eq!(found(&["--at", "repo", "--staged"]), told);
    assert_eq!(found(&["--at", "repo"]), [""; 0]);
    // Who keeps it out of git writes it where it is deployed from.
    git(&project, &["rm", "--quiet", "--cached", "--force", path]);
    assert_eq!(found(&["--at", "repo", "--staged"]), [told[0].replace("stale", "missing")]);
    crate::append(&project, ".gitignore", "/k8s/prod/\n");
    std::fs::remove_file(project.path(path)).unwrap();
    assert_eq!(found(&["--at", "repo"]), [""; 0]);
    assert_eq!(found(&["--at", "repo", "--at", "host"]).len(), 1);
}

#[test]
fn a_policy_of_one_s_own_is_left_alone() {
    let project = crate::whole("mcp-rag");
    edit(&project, "iam/prod-reader.json", "\"Sid\": \"TellMissing\"", "\"Sid\": \"MyOwn\"");
    crate::check(&project, &["-e", "prod", "--at", "repo"]).assert_code(0);
}
