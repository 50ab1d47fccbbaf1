//! What stands against taking or sending one secret.

use crate::told::{BUNDLE, Host, NAME, PASSWORD, VALUE, manifest};

const THEIRS: &str = "hunter2-of-somebody-else";

#[test]
fn both_sides_changed() {
    let host = Host::settled();
    host.fake.put(NAME, THEIRS);
    host.set("hunter2-which-is-newer");
    insta::assert_snapshot!(host.told_in_report("remote-conflict", &["sync", "push"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` differs here and in AWS: AWS has version [version], last agreed on was [version]
    vault-kit: hint: choose with `vault-kit sync push --ours PASSWORD` or `vault-kit sync pull --theirs PASSWORD`
    "#);
    insta::assert_snapshot!(host.told_in_report("remote-conflict", &["sync", "pull"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` differs here and in AWS: AWS has version [version], last agreed on was [version]
    vault-kit: hint: choose with `vault-kit sync pull --theirs PASSWORD` or `vault-kit sync push --ours PASSWORD`
    "#);
}

#[test]
fn a_value_that_is_made_here_changed_there() {
    let url = "[secrets.URL]\nkind = \"template\"\ntemplate = \"x-${PASSWORD}\"\naws = \"url\"\n";
    let host = Host::new(&manifest("", &format!("[secrets.PASSWORD]\nkind = \"external\"\n{url}")));
    host.set(VALUE);
    host.run(&["sync", "push"]);
    host.fake.put("/shop/prod/url", THEIRS);
    insta::assert_snapshot!(host.told_in_report("remote-conflict", &["sync", "pull"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/url` was changed in AWS, but `URL` is made here from other values
    vault-kit: hint: change what it is made from, or put ours back with `vault-kit sync push --ours URL`
    "#);
}

/// A host whose bundle is the same here and there.
fn bundled() -> Host {
    let host = Host::new(&manifest("", BUNDLE));
    host.set(VALUE);
    host.project.run_with_stdin(["set", "USER"], b"hunter2-user").assert_code(0);
    host.run(&["sync", "push"]);
    host
}

#[test]
fn other_keys_changed_here_than_there() {
    let host = bundled();
    host.fake.put("/shop/prod/app", r#"{"PASSWORD": "hunter2-of-somebody-else", "USER": "hunter2-user"}"#);
    host.project.run_with_stdin(["set", "USER"], b"hunter2-another-user").assert_code(0);
    insta::assert_snapshot!(host.told_in_report("remote-changed", &["sync", "push"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: some keys of `/shop/prod/app` changed in AWS, and others here
    vault-kit: hint: take those first: `vault-kit sync pull PASSWORD`, then `vault-kit sync push PASSWORD`
    "#);
}

#[test]
fn a_secret_that_goes_away_while_it_is_compared() {
    let host = Host::settled();
    let told = host.told_by("remote-changed", "problems", || {
        host.fake.put(NAME, THEIRS);
        host.fake.heal().before("BatchGetSecretValue", 1, |fake| fake.delete(NAME));
        host.command(&["sync", "push"])
    });
    insta::assert_snapshot!(told, @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` or its value here changed while they were compared
    vault-kit: hint: compare them anew with `vault-kit sync push PASSWORD`
    "#);
}

#[test]
fn a_secret_that_is_gone() {
    let host = Host::settled();
    host.fake.delete(NAME);
    let told = host.told_by("remote-gone", "problems", || {
        let mut command = host.command(&["-e", "prod", "sync", "push"]);
        command.current_dir(host.project.root().parent().unwrap()).arg("-C").arg(host.project.root());
        command
    });
    insta::assert_snapshot!(told, @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` was in AWS and is not there any more
    vault-kit: hint: make it again with `vault-kit -C [project] -e prod sync push --ours PASSWORD`, or take `aws` from its declaration
    "#);
}

#[test]
fn a_secret_that_is_scheduled_for_deletion() {
    let host = Host::settled();
    host.fake.schedule(NAME, 7);
    insta::assert_snapshot!(host.told_in_report("remote-scheduled", &["sync", "pull"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` is scheduled for deletion in AWS since [day]
    vault-kit: hint: take that back with `vault-kit sync restore /shop/prod/password`
    "#);
}

#[test]
fn a_secret_without_a_value() {
    let host = Host::new(&manifest("", PASSWORD));
    host.fake.put_valueless(NAME);
    insta::assert_snapshot!(host.told_in_report("remote-valueless", &["sync", "pull"]), @r#"
    exit 7
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: `/shop/prod/password` exists in AWS, and has no value
    vault-kit: hint: give it its first value in AWS, or remove it there: `aws --region eu-west-1 secretsmanager delete-secret --secret-id /shop/prod/password`
    "#);
}

#[test]
fn a_bundle_that_is_no_object() {
    let host = bundled();
    host.fake.put("/shop/prod/app", THEIRS);
    insta::assert_snapshot!(host.told_in_report("remote-malformed", &["sync", "pull"]), @r#"
    exit 1
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: what `/shop/prod/app` holds is not what it is declared to be
    vault-kit: hint: nothing was changed; find the last good version with `aws --region eu-west-1 secretsmanager list-secret-version-ids --secret-id /shop/prod/app`
    "#);
}

#[test]
fn a_token_that_is_not_as_declared() {
    let token = "[secrets.TOKEN]\nkind = \"token\"\nsigned_by = \"JWT\"\nrole = \"service\"\nsubject = \"svc:api\"\nttl = \"30d\"\naws = \"token\"\n";
    let host = Host::new(&manifest("", &format!("[secrets.JWT]\nkind = \"random\"\n{token}")));
    host.project.run(["generate"]).assert_code(0);
    host.run(&["sync", "push"]);
    host.fake.put("/shop/prod/token", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.AAAA");
    insta::assert_snapshot!(host.told_in_report("remote-unfit", &["sync", "pull"]), @r#"
    exit 1
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: not taken: `/shop/prod/token` holds a token whose `iss` is not as declared
    vault-kit: hint: if another host is pushing, `vault-kit sync pull TOKEN` once it is done
    vault-kit: hint: or put ours there with `vault-kit sync push --ours TOKEN`
    "#);
}

#[test]
fn a_placeholder_and_a_value_that_does_not_match_its_pattern() {
    let host = Host::new(&manifest("", &format!("{PASSWORD}pattern = \"^sk-\"\n")));
    host.fake.put(NAME, "changeme");
    insta::assert_snapshot!(host.told_in_report("placeholder", &["sync", "pull"]), @r#"
    exit 1
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: not taken: what `/shop/prod/password` holds is a placeholder for `PASSWORD`
    vault-kit: hint: mend it in AWS, then `vault-kit sync pull PASSWORD`
    "#);
    host.fake.put(NAME, THEIRS);
    insta::assert_snapshot!(host.told_in_report("pattern-mismatch", &["sync", "pull"]), @r#"
    exit 1
    --- stderr
    environment `prod`: 1 failed
    vault-kit: error: not taken: what `/shop/prod/password` holds does not match the pattern of `PASSWORD`
    vault-kit: hint: mend it in AWS, then `vault-kit sync pull PASSWORD`
    "#);
}
