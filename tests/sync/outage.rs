//! AWS does not answer, refuses, or is somebody else's.

use crate::aws::{ANY, Fake, Trouble};
use crate::shop::{Host, manifest, name};
use crate::support::Run;

#[test]
fn the_last_good_copy_stands_in_for_as_long_as_the_manifest_allows() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.run(["sync", "push"]).assert_code(0);
    let host = Host::with(&fake, &manifest(r#", stale_after = "24h""#));
    host.run(["sync", "pull"]).assert_code(0);
    let before = host.project.read(".env");
    assert!(!host.project.run(["check", "--json"]).stdout.contains("copy-too-old"));
    std::fs::remove_file(host.project.path(".env")).unwrap();
    fake.stop();
    let run = host.run(["sync", "pull"]).assert_code(0);
    assert!(run.stderr.contains("stands in, as `stale_after` allows"), "{}", run.stderr);
    assert_eq!(host.project.read(".env"), before, "the last good copy is delivered");
    host.run(["sync", "pull", "--theirs", "DB_PASSWORD"]).assert_code(5);
    host.project.write("vault-kit.toml", manifest(r#", stale_after = "1s""#));
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let run = host.run(["sync", "pull"]).assert_code(5);
    assert!(run.stderr.contains("older than `stale_after` allows"), "{}", run.stderr);
    // Nobody else asks AWS: what is here goes on, and `check` is who tells.
    host.project.run(["run", "--", "true"]).assert_code(0);
    host.project.run(["render"]).assert_code(0);
    let run = host.project.run(["check", "--only", "copy-too-old"]).assert_code(1);
    assert!(run.stdout.contains("which `stale_after` no longer allows") && run.stdout.contains("sync pull"), "{run:?}");
}

#[test]
fn of_two_batches_one_that_fails_keeps_nothing_else_back_and_is_exit_5() {
    let fake = Fake::start();
    let host = Host::with(&fake, &crate::pace::many_with(&fake, 40, ", stale_after = \"24h\""));
    host.run(["sync", "pull"]).assert_code(0);
    (0..40).for_each(|number| drop(fake.put(&name(&format!("s/{number}")), "another-value-of-all")));
    fake.fail_nth("BatchGetSecretValue", 2, Trouble::DropBefore);
    let run = host.run(["sync", "pull", "--wait", "0s"]).assert_code(5);
    assert!(!run.stderr.contains("stands in"), "AWS did answer: {}", run.stderr);
    let is_new = |number: &u32| host.get(&format!("S{number}")) == "another-value-of-all";
    assert_eq!((0..40).filter(is_new).count(), 20);
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!((0..40).filter(is_new).count(), 40);
}

#[test]
fn without_a_policy_and_for_whoever_never_pulled_an_outage_is_exit_5() {
    let fake = Fake::start();
    let (first, second) = (Host::first(&fake), Host::with(&fake, &manifest(r#", stale_after = "24h""#)));
    fake.stop();
    for host in [&first, &second] {
        let run = host.run(["sync", "pull"]).assert_code(5);
        assert!(run.stderr.contains("AWS cannot be reached"), "{}", run.stderr);
    }
}

#[test]
fn a_denial_is_an_answer_and_no_copy_stands_in_for_it() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.run(["sync", "push"]).assert_code(0);
    let host = Host::with(&fake, &manifest(r#", stale_after = "24h""#));
    host.run(["sync", "pull"]).assert_code(0);
    first.set("DB_PASSWORD", "something-new-to-be-pulled");
    first.run(["sync", "push"]).assert_code(0);
    fake.deny("GetSecretValue").deny("BatchGetSecretValue");
    let run = host.run(["sync", "pull"]).assert_code(6);
    assert!(run.stderr.contains("AccessDeniedException, request "), "{}", run.stderr);
    assert!(run.stderr.contains("vault-kit iam policy --role reader"), "{}", run.stderr);
    fake.heal();
    fake.deny("ListSecrets").deny("DescribeSecret");
    let run = host.run(["sync", "pull"]).assert_code(6);
    assert!(run.stderr.contains("vault-kit iam policy --role ci-check"), "{}", run.stderr);
    assert!(!run.stderr.contains("stands in"), "{}", run.stderr);
    fake.heal();
    for (key, words) in [("EXPIREDEXAMPLE", "does not accept"), ("UNKNOWNEXAMPLE", "does not accept")] {
        let run = Run::of(host.command(["sync", "pull"]).env("AWS_ACCESS_KEY_ID", key)).assert_code(6);
        assert!(run.stderr.contains(words) && !run.stderr.contains("stands in"), "{key}: {}", run.stderr);
    }
}

#[test]
fn a_role_without_list_or_batch_gets_by_with_what_it_may_do() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.run(["sync", "push"]).assert_code(0);
    fake.deny("ListSecrets").deny("BatchGetSecretValue");
    let second = Host::new(&fake);
    second.run(["sync", "pull"]).assert_code(0);
    assert_eq!(second.get("DATABASE_URL"), first.get("DATABASE_URL"));
}

#[test]
fn wrong_credentials_account_and_region_have_a_code_and_a_hint_each() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let with = |key: &str, value: &str| {
        let mut command = host.command(["sync", "push"]);
        command.env(key, value);
        Run::of(&mut command)
    };
    let run = with("AWS_ACCESS_KEY_ID", "EXPIREDEXAMPLE").assert_code(6);
    assert!(run.stderr.contains("does not accept the credentials"), "{}", run.stderr);
    let mut without = host.command(["sync", "push"]);
    without.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let run = Run::of(&mut without).assert_code(6);
    assert!(run.stderr.contains("aws sso login"), "{}", run.stderr);
    let run = with("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://192.0.2.1:1").assert_code(3);
    assert!(run.stderr.contains("http"), "{}", run.stderr);

    let other = Fake::start().account("999999999999");
    let stranger = Host::first(&other);
    let run = stranger.run(["sync", "push"]).assert_code(6);
    assert!(run.stderr.contains("belongs to AWS account 123456789012"), "{}", run.stderr);
    assert!(other.names().is_empty(), "nothing is written to another account");

    let text = manifest("").replace(r#"region = "eu-west-1", "#, "");
    let nowhere = Host::with(&fake, &text);
    nowhere.project.run(["init"]).assert_code(0);
    let mut command = nowhere.command(["sync", "status"]);
    command.env_remove("AWS_REGION");
    let run = Run::of(&mut command).assert_code(3);
    assert!(run.stderr.contains("region"), "{}", run.stderr);
}

#[test]
fn with_the_credentials_of_another_account_no_verb_writes_or_forgets() {
    let (fake, other) = (Fake::start(), Fake::start().account("999999999999"));
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.set("DB_PASSWORD", "a-password-for-one-account-alone");
    host.run(["sync", "push", "--plan-out", "plan.json"]).assert_code(0);
    host.project.write("vault-kit.toml", manifest("").replace("aws = \"database/url\"\n", ""));
    other.put(&name("database/password"), "of-somebody-else-there");
    let before = host.project.contents();
    let url = name("database/url");
    for verb in [
        &["sync", "prune", "--yes"][..],
        &["sync", "restore", url.as_str()],
        &["sync", "adopt", "--yes", "DB_PASSWORD"],
        &["sync", "push", "--ours", "DB_PASSWORD"],
        &["sync", "pull"],
        &["sync", "apply", "plan.json"],
    ] {
        let run = Run::of(host.command(verb.iter().copied()).envs(other.environment())).assert_code(6);
        assert!(run.stderr.contains("belongs to AWS account 123456789012"), "{verb:?}: {}", run.stderr);
    }
    assert_eq!(host.project.contents(), before);
    let reads = ["GetCallerIdentity", "ListSecrets", "DescribeSecret"];
    assert!(other.log().iter().all(|it| reads.contains(&it.operation.as_str())), "{:?}", other.log());
}

#[test]
fn names_that_differ_in_their_case_alone_are_refused_unasked() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    let text = manifest("").replace("\"api-keys/openai\"", "\"Database/Password\"");
    host.project.write("vault-kit.toml", text);
    for verb in ["status", "push", "pull"] {
        let run = host.run(["sync", verb]).assert_code(3);
        assert!(
            run.stderr.contains("only in the case of its letters") && run.stderr.contains("hint"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(fake.all_calls(), 0);
}

/// Every verb of `sync` that compares.
const COMPARING: [&[&str]; 6] = [
    &["sync", "status"],
    &["sync", "diff"],
    &["sync", "push", "-n"],
    &["sync", "push"],
    &["sync", "pull"],
    &["sync", "prune", "--yes"],
];

#[test]
fn a_region_in_which_nothing_is_that_was_agreed_on_is_refused_unasked() {
    let (fake, elsewhere) = (Fake::start(), Fake::start().region("us-east-1"));
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let before = host.project.contents();
    host.project.write("vault-kit.toml", manifest("").replace("eu-west-1", "us-east-1"));
    for verb in COMPARING {
        let run = Run::of(host.command(verb.iter().copied()).envs(elsewhere.environment())).assert_code(4);
        assert!(run.stderr.contains("agreed with AWS in eu-west-1, and us-east-1 is asked"), "{}", run.stderr);
        assert!(run.stderr.contains("vault-kit recipients apply"), "{}", run.stderr);
    }
    assert_eq!((elsewhere.all_calls(), elsewhere.names().len()), (0, 0));
    host.project.write("vault-kit.toml", manifest(""));
    assert_eq!(host.project.contents(), before, "nothing was forgotten");
    host.project.write("vault-kit.toml", manifest("").replace(r#"region = "eu-west-1", "#, ""));
    let run = Run::of(host.command(["sync", "pull"]).env("AWS_REGION", "us-east-1")).assert_code(4);
    assert!(run.stderr.contains("correct `AWS_REGION`"), "{}", run.stderr);
    host.run(["sync", "pull"]).assert_code(0);
}

#[test]
fn a_pull_that_finds_nothing_where_it_looks_says_where_that_is() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    let host = Host::new(&fake);
    let run = host.run(["sync", "pull"]).assert_code(1);
    assert!(run.stderr.contains("region eu-west-1, prefix `/shop/prod/`"), "{}", run.stderr);
    assert!(!host.project.path(".vault-kit/prod.age").exists() && !host.project.path(".env").exists());
    let run = first.run(["sync", "pull"]).assert_code(0);
    assert!(run.stderr.contains("region eu-west-1, prefix `/shop/prod/`"), "it has all that it needs: {}", run.stderr);
    first.run(["sync", "push"]).assert_code(0);
    let run = first.run(["sync", "pull"]).assert_code(0);
    assert!(!run.stderr.contains("region"), "{}", run.stderr);
    host.run(["sync", "pull"]).assert_code(0);
}

#[test]
fn an_endpoint_of_another_region_is_no_matter_of_logging_in() {
    let fake = Fake::start();
    let host = Host::with(&fake, &manifest("").replace("eu-west-1", "us-east-1"));
    let run = host.run(["sync", "pull"]).assert_code(6);
    assert!(run.stderr.contains("that the environment's `region` is the endpoint's"), "{}", run.stderr);
}

#[test]
fn an_answer_that_is_garbage_changes_nothing_and_is_not_repeated() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    let before = host.project.contents();
    for trouble in [Trouble::Garbage, Trouble::Truncated, Trouble::Empty] {
        fake.fail(ANY, 100, trouble);
        let run = host.run(["sync", "pull"]);
        assert_eq!(run.code, 5, "{trouble:?}: {}", run.stderr);
        assert!(!run.both().contains('<'), "{}", run.both());
        assert_eq!(host.project.contents(), before);
        fake.heal();
    }
}

#[test]
fn environments_without_aws_and_manifests_without_mapping_are_told_so() {
    let fake = Fake::start();
    let text = "[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n";
    let host = Host::with(&fake, text);
    host.project.run(["init"]).assert_code(0);
    assert!(host.run(["sync", "status"]).assert_code(3).stderr.contains("has no place in AWS"));
    let text = format!("{text}[environments.dev]\naws = {{ account = \"123456789012\", region = \"eu-west-1\" }}\n");
    host.project.write("vault-kit.toml", text);
    host.project.run(["recipients", "apply", "--yes"]).assert_code(0);
    assert!(host.run(["sync", "status"]).assert_code(3).stderr.contains("no secret of environment `dev`"));
    assert_eq!(fake.all_calls(), 0);
}
