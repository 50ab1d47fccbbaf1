//! Requests that have no result.

use crate::aws::{Fake, Trouble};
use crate::told::{Host, NAME, PASSWORD, manifest};

/// A host that agrees with AWS, to which something happens from then on.
fn with(trouble: impl FnOnce(&Fake)) -> Host {
    let host = Host::settled();
    trouble(&host.fake);
    host
}

#[test]
fn a_secret_that_is_to_be_restored_and_is_not_there() {
    let host = with(|fake| fake.delete(NAME));
    insta::assert_snapshot!(host.told("remote-missing", &["sync", "restore", "PASSWORD"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: AWS has no `/shop/prod/password` (DescribeSecret: ResourceNotFoundException, request [request])
    vault-kit: hint: `vault-kit sync status` tells which are there
    "#);
}

#[test]
fn a_secret_that_is_to_be_adopted_and_is_not_there() {
    let host = Host::new(&manifest("", PASSWORD));
    insta::assert_snapshot!(host.told_in_report("remote-missing", &["sync", "adopt", "PASSWORD"]), @r#"
    exit 1
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` is not in AWS
    vault-kit: hint: send it there with `vault-kit sync push /shop/prod/password`
    "#);
}

#[test]
fn a_denial() {
    let host = with(|fake| {
        fake.put(NAME, "hunter2-of-somebody-else");
        fake.deny("GetSecretValue").deny("BatchGetSecretValue");
    });
    insta::assert_snapshot!(host.told_in_report("remote-denied", &["sync", "pull"]), @r#"
    exit 6
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: AWS denies access to `/shop/prod/password` (GetSecretValue: AccessDeniedException, request [request])
    vault-kit: hint: `vault-kit iam policy --role reader` prints what reading takes; a rotator's policy has it too
    "#);
}

#[test]
fn an_aws_that_throttles() {
    let host = with(|fake| drop(fake.fail("ListSecrets", usize::MAX, Trouble::Throttling)));
    insta::assert_snapshot!(host.told("remote-throttled", &["sync", "pull", "--wait", "0s"]), @r#"
    exit 5
    --- stderr
    vault-kit: error: AWS throttles requests for `/shop/prod/` (ListSecrets: ThrottlingException, request [request])
    vault-kit: hint: try again later; `sync` tries for longer with `--wait 5m`
    "#);
}

#[test]
fn an_aws_that_does_not_answer() {
    let host = with(Fake::stop);
    insta::assert_snapshot!(host.told("remote-unreachable", &["sync", "pull", "--wait", "0s"]), @r#"
    exit 5
    --- stderr
    vault-kit: error: AWS cannot be reached for `/shop/prod/` (ListSecrets: ConnectionFailed)
    vault-kit: hint: try again later; `sync` tries for longer with `--wait 5m`
    "#);
}

#[test]
fn an_answer_that_is_none() {
    let host = with(|fake| drop(fake.fail("ListSecrets", usize::MAX, Trouble::Garbage)));
    insta::assert_snapshot!(host.told("remote-garbled", &["sync", "pull"]), @r#"
    exit 5
    --- stderr
    vault-kit: error: AWS gave an answer that makes no sense for `/shop/prod/` (ListSecrets, request [request])
    vault-kit: hint: something else may have answered: a proxy, or an endpoint that is not AWS's
    "#);
}

#[test]
fn a_rule_of_aws() {
    let host = with(|fake| drop(fake.fail("PutSecretValue", usize::MAX, Trouble::Code("LimitExceededException"))));
    host.set("hunter2-which-is-newer");
    insta::assert_snapshot!(host.told_in_report("remote-refused", &["sync", "push"]), @r#"
    exit 3
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: AWS refuses what was asked of `/shop/prod/password` (PutSecretValue: LimitExceededException, request [request])
    vault-kit: hint: the code tells which rule; https://docs.aws.amazon.com/secretsmanager/latest/apireference explains it
    "#);
}

#[test]
fn a_code_that_says_that_somebody_else_was_first_where_nobody_can_have_been() {
    let host = with(|fake| drop(fake.fail("ListSecrets", usize::MAX, Trouble::Code("ResourceExistsException"))));
    insta::assert_snapshot!(host.told("remote-conflict", &["sync", "pull"]), @r#"
    exit 7
    --- stderr
    vault-kit: error: AWS says that somebody else changed `/shop/prod/` (ListSecrets: ResourceExistsException, request [request])
    vault-kit: hint: see how with `vault-kit sync diff`
    "#);
}
