//! A key that several hosts publish is followed by another one, as the refusal to rotate it says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixture::{Host, manifest, pair};

/// A signing key that each host publishes, and a token of it.
const SIGNING: &str = r#"
[secrets.SIGNER]
kind = "keypair"
aws = "signer"

[secrets.SERVICE]
kind = "token"
signed_by = "SIGNER"
audience = ["shop"]
ttl = "30d"

[outputs.keys]
format = "jwks"
path = "jwks.json"
secrets = ["SIGNER"]
"#;

/// The other one, beside it.
const BESIDE: &str = "\n[secrets.SIGNER_2]\nkind = \"keypair\"\naws = \"signer2\"\n";

fn kids(host: &Host) -> BTreeSet<String> {
    let set: Value = serde_json::from_str(&host.project.read("jwks.json")).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Every token, at whoever has the key set of any of the hosts.
#[track_caller]
fn assert_accepted(hosts: &[&Host], tokens: &[String]) {
    for (host, token) in hosts.iter().flat_map(|host| tokens.iter().map(move |token| (host, token))) {
        let words = ["token", "verify", "--jwks", "jwks.json", "--issuer", "shop", "--audience", "shop"];
        host.project.run_with_stdin(words, token.as_bytes()).assert_code(0);
    }
}

#[test]
fn a_key_that_hosts_publish_is_followed_by_another_one_and_no_token_is_refused_meanwhile() {
    let (_fake, owner, first, second) = pair(SIGNING);
    let hosts = [&first, &second];
    let declare = |more: &str| {
        for host in hosts {
            host.project.write("vault-kit.toml", manifest(&owner, more));
        }
    };
    let old = kids(&first);
    assert_eq!((old.len(), kids(&second)), (1, old.clone()));
    let mut tokens: Vec<String> = hosts.iter().map(|host| host.get("SERVICE")).collect();
    let run = first.run(["rotate", "SIGNER"]).assert_code(2);
    for words in ["`vault-kit generate SIGNER_2`", "`vault-kit sync push SIGNER_2`", "`vault-kit sync pull SIGNER_2`"] {
        assert!(run.stderr.contains(words), "{run:?}");
    }

    let both = SIGNING.replace("secrets = [\"SIGNER\"]", "secrets = [\"SIGNER\", \"SIGNER_2\"]") + BESIDE;
    declare(&both);
    first.run(["generate", "SIGNER_2"]).assert_code(0);
    first.run(["sync", "push", "SIGNER_2"]).assert_code(0);
    second.run(["sync", "pull", "SIGNER_2"]).assert_code(0);
    assert_eq!((kids(&first).len(), kids(&second)), (2, kids(&first)));
    assert_accepted(&hosts, &tokens);

    declare(&both.replace("signed_by = \"SIGNER\"", "signed_by = \"SIGNER_2\""));
    for host in hosts {
        host.run(["generate"]).assert_code(0);
        tokens.push(host.get("SERVICE"));
        assert_accepted(&hosts, &tokens);
    }
    assert!(tokens[2] != tokens[0] && tokens[3] != tokens[1], "minted anew");

    // The next one is stolen: nobody waits for anything.
    first.run(["generate", "--replace", "SIGNER_2", "--revoke", "--yes"]).assert_code(0);
    first.run(["sync", "push", "SIGNER_2"]).assert_code(0);
    let stolen: BTreeSet<String> = kids(&second).difference(&kids(&first)).cloned().collect();
    assert_eq!(stolen.len(), 1);
    second.run(["sync", "pull", "--revoke", "SIGNER_2"]).assert_code(0);
    assert_eq!(kids(&second), kids(&first));
    assert!(kids(&second).is_disjoint(&stolen) && kids(&second).is_superset(&old));
}
