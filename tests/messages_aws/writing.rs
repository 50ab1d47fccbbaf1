//! What is not written to, and values that AWS would not take.

use crate::aws::Fake;
use crate::told::{Host, NAME, PASSWORD, VALUE, manifest};

/// A host with a newer value than AWS has, whose secret something was done to.
fn newer(done: impl FnOnce(&Fake)) -> Host {
    let host = Host::settled();
    done(&host.fake);
    host.set("hunter2-which-is-newer");
    host
}

#[test]
fn a_secret_whose_tags_do_not_say_that_it_is_ours() {
    let host = newer(|fake| fake.tag(NAME, "vault-kit:managed", "other/prod"));
    insta::assert_snapshot!(host.told_in_report("remote-foreign", &["sync", "push"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` is in AWS already, and its tags do not say that it is ours
    vault-kit: hint: if it is, say so with `vault-kit sync adopt /shop/prod/password`
    "#);
}

#[test]
fn a_rotation_of_a_key_of_which_hosts_do_not_know_what_is_here() {
    let output = "[outputs.keys]\nformat = \"jwks\"\npath = \"jwks.json\"\nsecrets = [\"KEY\"]\n";
    let host = Host::new(&manifest("", &format!("[secrets.KEY]\nkind = \"keypair\"\naws = \"key\"\n{output}")));
    host.run(&["sync", "push"]);
    host.run(&["generate", "--replace", "KEY"]);
    insta::assert_snapshot!(host.told_by("rotation-unsent", "errors", || host.command(&["rotate", "KEY", "-q"])), @r#"
    exit 7
    --- stderr
    vault-kit: error: `KEY` changed here, and the other hosts do not have it so: it is not rotated
    vault-kit: hint: send it first: `vault-kit sync push KEY`; `vault-kit sync diff KEY` tells what
    "#);
}

#[test]
fn a_secret_that_aws_rotates() {
    let host = newer(|fake| fake.rotation_enabled(NAME));
    insta::assert_snapshot!(host.told_in_report("remote-rotated", &["sync", "push"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` is rotated by AWS, which would replace what is pushed
    vault-kit: hint: have AWS do it: `aws --region eu-west-1 secretsmanager rotate-secret --secret-id /shop/prod/password`, then `vault-kit sync pull --theirs /shop/prod/password`
    vault-kit: hint: or end that: `aws --region eu-west-1 secretsmanager cancel-rotate-secret --secret-id /shop/prod/password`
    "#);
}

#[test]
fn a_secret_that_belongs_to_a_service() {
    let host = newer(|fake| fake.owning_service(NAME, "rds"));
    insta::assert_snapshot!(host.told_in_report("remote-managed", &["sync", "push"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` belongs to an AWS service or partner, which alone may change it
    vault-kit: hint: have it changed there, then `vault-kit sync pull --theirs /shop/prod/password`
    "#);
}

#[test]
fn a_replica() {
    let host = newer(|fake| fake.replica_of(NAME, "us-east-1"));
    insta::assert_snapshot!(host.told_in_report("remote-replica", &["sync", "push"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` is a replica, and only its primary can be written to
    vault-kit: hint: name the primary's `region` in the manifest
    "#);
}

#[test]
fn somebody_who_is_faster() {
    let host = newer(|_| ());
    let told = host.told_by("remote-conflict", "problems", || {
        host.fake.heal().before("UpdateSecretVersionStage", 1, |fake| drop(fake.put(NAME, VALUE)));
        host.command(&["sync", "push", "--ours", "PASSWORD"])
    });
    insta::assert_snapshot!(told, @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: somebody else changed `/shop/prod/password` in AWS: version [version] is not in force there any more
    vault-kit: hint: see how with `vault-kit sync diff /shop/prod/password`, then choose
    "#);
}

#[test]
fn what_is_to_be_pruned_and_was_changed() {
    let host = Host::settled();
    let other = PASSWORD.replace("PASSWORD", "OTHER").replace("password", "other");
    host.project.write("vault-kit.toml", manifest("", &other));
    host.fake.put(NAME, "hunter2-of-somebody-else");
    insta::assert_snapshot!(host.told_in_report("remote-conflict", &["sync", "prune", "--yes"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 unchanged, 1 failed
    vault-kit: error: `/shop/prod/password` is not deleted: somebody changed it since it was compared last
    vault-kit: hint: look at it in AWS; to delete it all the same: `aws --region eu-west-1 secretsmanager delete-secret --secret-id /shop/prod/password`
    "#);
}

#[test]
fn an_empty_value() {
    let host = Host::new(&manifest("", "[secrets.MODE]\nkind = \"setting\"\nvalue = \"\"\naws = \"mode\"\n"));
    insta::assert_snapshot!(host.told_in_report("remote-empty", &["sync", "push"]), @r#"
    exit 1
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: the value for `/shop/prod/mode` is empty, which AWS refuses
    vault-kit: hint: give it a value, or take `aws` from its declaration
    "#);
}

#[test]
fn a_value_that_is_too_long_for_aws() {
    let host = Host::new(&manifest("", PASSWORD));
    host.set(&"hunter2".repeat(10_000));
    insta::assert_snapshot!(host.told("remote-too-long", &["sync", "push"]), @r#"
    exit 1
    --- stderr
    vault-kit: error: the value for `/shop/prod/password` has 70000 bytes, and AWS takes 65536
    vault-kit: hint: put fewer keys into one bundle, or keep the value elsewhere
    "#);
}

#[test]
fn bytes_that_are_no_text_in_a_bundle() {
    let host = Host::new(&manifest("", &PASSWORD.replace("aws = \"password\"", "bundle = \"app\"")));
    host.project.write("value", b"hunter2\xff\xfe-is-binary");
    host.project.run(["set", "PASSWORD", "--from-file", "value"]).assert_code(0);
    insta::assert_snapshot!(host.told_in_report("not-text", &["sync", "push"]), @r#"
    exit 1
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: key `PASSWORD` of `/shop/prod/app` is no text, and JSON holds nothing else
    vault-kit: hint: give it a secret of its own with `aws = …`
    "#);
}
