//! What belongs to others is not written to.

use crate::aws::Fake;
use crate::shop::{Host, name, there};

#[test]
fn a_foreign_secret_is_pushed_to_only_after_it_was_adopted() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    fake.put(&name("database/password"), "made-by-terraform");
    let run = host.run(["sync", "push", "DB_PASSWORD"]).assert_code(7);
    assert!(run.stderr.contains("differs here and in AWS"), "{}", run.stderr);
    let run = host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(7);
    assert!(run.stderr.contains("sync adopt"), "{}", run.stderr);
    assert_eq!(there(&fake, "database/password"), "made-by-terraform");
    host.run(["sync", "adopt", "-n", "DB_PASSWORD"]).assert_code(0);
    assert!(fake.tags(&name("database/password")).is_empty());
    host.run(["sync", "adopt", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(fake.tags(&name("database/password"))["vault-kit:managed"], "shop/prod");
    assert_eq!(there(&fake, "database/password"), "made-by-terraform", "adopting changes no value");
    host.run(["sync", "push", "--ours", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(there(&fake, "database/password"), host.get("DB_PASSWORD"));
}

#[test]
fn an_existing_hierarchy_is_pulled_without_a_tag() {
    let fake = Fake::start();
    fake.put(&name("database/password"), "made-by-terraform");
    fake.put(&name("api-keys/openai"), "sk-from-the-provider");
    let host = Host::new(&fake);
    host.run(["sync", "pull"]).assert_code(0);
    assert_eq!(host.get("DATABASE_URL"), "postgres://app:made-by-terraform@db/app");
    assert_eq!(host.get("OPENAI_API_KEY"), "sk-from-the-provider");
    assert!(fake.tags(&name("database/password")).is_empty());
}

#[test]
fn one_of_another_project_is_adopted_only_after_a_yes() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    fake.put(&name("database/password"), host.get("DB_PASSWORD"));
    fake.tag(&name("database/password"), "vault-kit:managed", "other/prod");
    host.run(["sync", "adopt", "--non-interactive", "DB_PASSWORD"]).assert_code(2);
    host.run(["sync", "adopt", "--yes", "DB_PASSWORD"]).assert_code(0);
    assert_eq!(fake.tags(&name("database/password"))["vault-kit:managed"], "shop/prod");
}

#[test]
fn what_aws_a_service_or_a_partner_rotates_is_refused_and_so_is_a_replica() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    host.run(["sync", "push"]).assert_code(0);
    host.set("DB_PASSWORD", "a-new-password-from-here");
    let password = name("database/password");
    let refused = |words: &str| {
        let run = host.run(["sync", "push", "DB_PASSWORD"]).assert_code(7);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    };
    fake.replica_of(&password, "us-east-1");
    refused("is a replica");
    fake.rotation_enabled(&password);
    refused("is rotated by AWS");
    fake.owning_service(&password, "rds");
    refused("belongs to an AWS service");
    fake.external_type(&password, "SnowflakeCredentials");
    refused("belongs to an AWS service or partner");
    assert_eq!(fake.calls("PutSecretValue"), 0);
}

#[test]
fn a_secret_without_a_value_is_told_and_left() {
    let fake = Fake::start();
    let host = Host::first(&fake);
    fake.put_valueless(&name("database/password"));
    for verb in ["push", "pull"] {
        let run = host.run(["sync", verb, "DB_PASSWORD"]).assert_code(7);
        assert!(run.stderr.contains("has no value"), "{}", run.stderr);
    }
    assert_eq!((fake.calls("CreateSecret"), fake.calls("PutSecretValue")), (0, 0));
}
