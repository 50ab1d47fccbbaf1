//! What a system in AWS says of its accounts and policies.

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
}

#[test]
fn a_policy_of_one_s_own_is_left_alone() {
    let project = crate::whole("mcp-rag");
    edit(&project, "iam/prod-reader.json", "\"Sid\": \"TellMissing\"", "\"Sid\": \"MyOwn\"");
    crate::check(&project, &["-e", "prod", "--at", "repo"]).assert_code(0);
}
