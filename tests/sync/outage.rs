//! AWS does not answer, refuses, or is somebody else's.

use crate::aws::{ANY, Fake, Trouble};
use crate::shop::{Host, manifest};
use crate::support::Run;

#[test]
fn the_last_good_copy_stands_in_for_as_long_as_the_manifest_allows() {
    let fake = Fake::start();
    let first = Host::first(&fake);
    first.run(["sync", "push"]).assert_code(0);
    let host = Host::with(&fake, &manifest(r#", stale_after = "24h""#));
    host.run(["sync", "pull"]).assert_code(0);
    let before = host.project.read(".env");
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
    assert!(run.stderr.contains("vault-kit iam policy"), "{}", run.stderr);
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
