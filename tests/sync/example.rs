//! The example of a hierarchy in AWS: two hosts of each environment share it, with the policies that come with it.

use crate::aws::Fake;
use crate::shop::Host;
use crate::support::root;

/// Its environments in AWS, and their accounts.
const ENVIRONMENTS: [(&str, &str); 2] = [("staging", "111111111111"), ("prod", "222222222222")];

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join("examples/mcp-rag").join(path)).unwrap()
}

/// A manifest without one of its tables.
fn without(text: &str, table: &str) -> String {
    let (before, rest) = text.split_once(table).unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    format!("{before}{after}")
}

#[test]
fn staging_and_production_of_mcp_rag_are_shared_by_way_of_aws() {
    let names = ["DATABASE_PASSWORD", "DATABASE_URL", "REDIS_URL", "JWT_SECRET", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"];
    // Staging's certificate comes from an authority, and is no matter of AWS.
    let text = without(&without(&read("vault-kit.toml"), "[outputs.tls-issued]"), "[secrets.STAGING_TLS]");
    for (environment, account) in ENVIRONMENTS {
        let fake = Fake::start().account(account).region("us-east-1");
        let (first, second) = (Host::with(&fake, &text), Host::with(&fake, &text));
        let policy = |role: &str| read(&format!("iam/{environment}-{role}.json"));
        let at = |host: &Host<'_>, arguments: &[&str]| host.run([&["-e", environment], arguments].concat());
        at(&first, &["init"]);
        for (name, value) in [("OPENAI_API_KEY", "sk-of-openai-0123456789"), ("ANTHROPIC_API_KEY", "sk-ant-0123456789")]
        {
            first.project.run_with_stdin(["-e", environment, "set", name], value.as_bytes()).assert_code(0);
        }
        fake.obey(Some(&policy("rotator")));
        let run = at(&first, &["sync", "push"]).assert_code(0);
        assert!(run.stdout.contains(&format!("/mcp-demo/{environment}/api-keys/anthropic")), "{}", run.stdout);
        fake.obey(Some(&policy("reader")));
        at(&second, &["sync", "pull"]).assert_code(0);
        for name in names {
            let get = |host: &Host<'_>| at(host, &["get", name]).assert_code(0).stdout;
            assert_eq!(get(&second), get(&first), "{environment} {name}");
            assert!(!get(&first).is_empty());
        }
        assert_eq!(fake.tags(&format!("/mcp-demo/{environment}/database/url"))["system"], "mcp-rag");
        fake.obey(Some(&policy("ci-check")));
        fake.forget();
        at(&second, &["check", "--at", "remote"]).assert_code(0);
        assert_eq!(fake.values_read(), 0);
        at(&second, &["sync", "pull"]).assert_code(0);
    }
}
