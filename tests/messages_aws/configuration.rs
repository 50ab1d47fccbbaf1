//! What is wrong before AWS is asked for a secret.

use crate::aws::ACCOUNT;
use crate::told::{Host, PASSWORD, manifest};

#[test]
fn an_environment_without_a_place_in_aws() {
    let host = Host::new("[project]\nname = \"shop\"\n[secrets.A]\nkind = \"uuid\"\n");
    insta::assert_snapshot!(host.told("not-in-aws", &["-e", "dev", "sync", "pull"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: environment `dev` has no place in AWS
    vault-kit: hint: give it one: `[environments.dev]` with `aws = { account = …, region = … }`
    "#);
}

#[test]
fn an_environment_without_a_secret_in_aws() {
    let host = Host::new(&manifest("", "[secrets.A]\nkind = \"uuid\"\n"));
    insta::assert_snapshot!(host.told("nothing-in-aws", &["sync", "pull"]), @r#"
    exit 3
    --- stderr
    vault-kit: error: no secret of environment `prod` is declared to be in AWS
    vault-kit: hint: say which are: `aws = "database/url"` or `bundle = "app"` in a secret's declaration
    "#);
}

#[test]
fn a_secret_that_is_not_in_aws() {
    let host = Host::new(&manifest("", &format!("{PASSWORD}[secrets.A]\nkind = \"uuid\"\n")));
    insta::assert_snapshot!(host.told("usage", &["sync", "push", "A"]), @r#"
    exit 2
    --- stderr
    vault-kit: error: `A` is not declared to be in AWS
    vault-kit: hint: `vault-kit sync status` lists what is
    "#);
}

#[test]
fn a_manifest_that_names_a_profile_and_is_not_trusted() {
    let host = Host::new(&manifest(", profile = \"shop\"", PASSWORD));
    insta::assert_snapshot!(host.told("not-trusted", &["sync", "pull"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: the manifest names an AWS `profile`, and nobody said that it may
    vault-kit: hint: look at it, then say `vault-kit trust`
    "#);
}

#[test]
fn a_manifest_that_names_a_role_or_an_endpoint_and_is_not_trusted() {
    for (key, value) in
        [("endpoint", "http://127.0.0.1:9".to_owned()), ("role_arn", format!("arn:aws:iam::{ACCOUNT}:role/shop"))]
    {
        let host = Host::new(&manifest(&format!(", {key} = \"{value}\""), PASSWORD));
        let told = host.told("not-trusted", &["sync", "pull"]);
        let error = format!("the manifest names an AWS `{key}`, and nobody said that it may");
        assert!(told.starts_with("exit 6") && told.contains(&error), "{told}");
        // With a yes it is another matter whether anybody answers there.
        host.project.run(["trust", "--yes"]).assert_code(0);
        assert!(!host.command(&["sync", "pull"]).output().unwrap().stderr.windows(9).any(|it| it == b"said that"));
    }
}

#[test]
fn credentials_of_another_account() {
    let host = Host::new(&manifest("", PASSWORD).replace(ACCOUNT, "999999999999"));
    host.project.run_with_stdin(["set", "PASSWORD"], b"something-to-be-pushed").assert_code(0);
    insta::assert_snapshot!(host.told("wrong-account", &["sync", "push"]), @r#"
    exit 6
    --- stderr
    vault-kit: error: environment `prod` belongs to AWS account 999999999999, and the credentials to another
    vault-kit: hint: log in to that account; `aws sts get-caller-identity` shows where you are
    "#);
}

#[test]
fn credentials_that_are_not_there_and_such_that_expired() {
    let host = Host::settled();
    let told = host.told_by("no-credentials", "errors", || {
        let mut command = host.command(&["sync", "pull"]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        command
    });
    insta::assert_snapshot!(told, @r#"
    exit 6
    --- stderr
    vault-kit: error: AWS cannot be asked without credentials for `/shop/prod/` (ListSecrets)
    vault-kit: hint: log in with `aws sso login`, or give `AWS_PROFILE` or `AWS_ACCESS_KEY_ID`
    "#);
    let told = host.told_by("bad-credentials", "errors", || {
        let mut command = host.command(&["sync", "pull"]);
        command.envs(host.fake.environment_as("EXPIREDEXAMPLE"));
        command
    });
    insta::assert_snapshot!(told, @r#"
    exit 6
    --- stderr
    vault-kit: error: AWS does not accept the credentials for `/shop/prod/` (ListSecrets: ExpiredTokenException, request [request])
    vault-kit: hint: log in again; `aws sts get-caller-identity` shows who you are
    "#);
}

#[test]
fn no_region_and_one_that_is_none() {
    let host = Host::new(&manifest("", PASSWORD).replace("region = \"eu-west-1\", ", ""));
    let told = host.told_by("region-missing", "errors", || {
        let mut command = host.command(&["sync", "pull"]);
        command.env_remove("AWS_REGION");
        command
    });
    insta::assert_snapshot!(told, @r#"
    exit 3
    --- stderr
    vault-kit: warning: `vault-kit.toml:9`: `environments.prod.aws.region` is absent, and `secrets.PASSWORD.aws` is in AWS there; add it; without it `AWS_REGION` or the profile decides
    vault-kit: error: nothing says which AWS region to use
    vault-kit: hint: give the environment a `region` in its `aws = { … }`, or set `AWS_REGION`
    "#);
    let told = host.told_by("region-invalid", "errors", || {
        let mut command = host.command(&["sync", "pull"]);
        command.env("AWS_REGION", "x.example.com/hunter2");
        command
    });
    insta::assert_snapshot!(told, @r#"
    exit 3
    --- stderr
    vault-kit: warning: `vault-kit.toml:9`: `environments.prod.aws.region` is absent, and `secrets.PASSWORD.aws` is in AWS there; add it; without it `AWS_REGION` or the profile decides
    vault-kit: error: the AWS region is no name of a region
    vault-kit: hint: mend `region` in the environment's `aws = { … }`, `AWS_REGION` or the AWS profile: such as `eu-west-1`
    "#);
}

#[test]
fn an_endpoint_that_is_none_and_one_that_anybody_can_read() {
    let host = Host::new(&manifest("", PASSWORD));
    let at = |endpoint: &'static str| {
        let host = &host;
        move || {
            let mut command = host.command(&["sync", "pull"]);
            command.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint);
            command
        }
    };
    let told = host.told_by("endpoint-invalid", "errors", at("hunter2@example.com"));
    insta::assert_snapshot!(told, @r#"
    exit 3
    --- stderr
    vault-kit: error: the endpoint in the environment or the AWS profile is no URL of a service
    vault-kit: hint: such as `https://vpce-….secretsmanager.eu-west-1.vpce.amazonaws.com`
    "#);
    let told = host.told_by("endpoint-not-encrypted", "errors", at("http://secrets.example.com/hunter2"));
    insta::assert_snapshot!(told, @r#"
    exit 3
    --- stderr
    vault-kit: error: the endpoint in the environment or the AWS profile is plain http, which anybody on the way can read
    vault-kit: hint: use https; plain http is for an emulator on this machine, such as `http://127.0.0.1:5000`
    "#);
}

#[test]
fn a_bundle_of_authorities_that_holds_none() {
    let host = Host::new(&manifest("", PASSWORD));
    host.project.write("ca.pem", "hunter2\n");
    let told = host.told_by("ca-bundle-invalid", "errors", || {
        let mut command = host.command(&["sync", "pull"]);
        command.env("AWS_CA_BUNDLE", host.project.path("ca.pem"));
        command
    });
    insta::assert_snapshot!(told, @r#"
    exit 3
    --- stderr
    vault-kit: error: `[project]/ca.pem`, named by `AWS_CA_BUNDLE`, holds no PEM block
    vault-kit: hint: it must be a PEM file of the authorities to trust, such as `/etc/ssl/certs/ca-certificates.crt`
    "#);
}
