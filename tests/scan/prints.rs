//! A search without the identity, by the fingerprints that are committed.

use std::collections::BTreeSet;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};

use crate::git::git;
use crate::support::Project;
use crate::{SHOP, findings, report, scan, set};

const PRINTS: &str = r#"
[secrets.KEY64]
kind = "random"
encoding = "base64"

[secrets.KEY16]
kind = "random"
encoding = "hex"

[secrets.TOKEN]
kind = "token"
signed_by = "AUTH"
role = "service"

[outputs.prints]
format = "fingerprints"
path = "prints.json"
"#;

/// A project, and a clone of it that has neither store nor identity.
fn project_and_clone() -> (Project, Project) {
    let project = Project::with_manifest(
        &format!("{SHOP}{PRINTS}").replace("kind = \"external\"", "kind = \"external\"\noptional = true"),
    );
    project.run(["init"]).assert_code(0);
    let clone = Project::empty();
    for file in ["vault-kit.toml", "prints.json"] {
        clone.write(file, project.bytes(file));
    }
    (project, clone)
}

#[test]
fn a_clone_without_the_identity_finds_generated_values_by_their_fingerprints() {
    let (project, clone) = project_and_clone();
    let mut expected = BTreeSet::new();
    for secret in ["AUTH", "KEY64", "KEY16", "TOKEN", "DB_PASSWORD"] {
        let value = String::from_utf8(project.get(secret)).unwrap();
        let mut plant = |file: &str, text: String| {
            let file = format!("src/{secret}.{file}");
            clone.write(&file, format!("one\n{text}\nthree\n"));
            expected.insert((secret.to_owned(), file, 2));
        };
        plant("env", format!("KEY={value}"));
        plant("json", format!("  \"key\": \"{value}\","));
        plant("log", format!("GET /?x=1 token: {value} 200"));
        plant("base64", format!("key: {}", BASE64.encode(value.as_bytes())));
        plant("base64url", format!("?key={}&x=1", BASE64URL_NOPAD.encode(value.as_bytes())));
        plant("hex", format!("0x {}", HEXLOWER.encode(value.as_bytes())));
        if secret != "DB_PASSWORD" {
            plant("url", format!("https://user:{value}@host/path"));
        }
    }
    let run = scan(&clone, &["src"]).assert_code(1);
    assert_eq!(findings(&run), expected);
    let unseen = report(&run)["not_checked"].to_string();
    assert!(unseen.contains("the values of dev that have no public fingerprint"), "{unseen}");
}

#[test]
fn the_fingerprints_hold_no_value_follow_each_change_and_may_be_committed() {
    let (project, _) = project_and_clone();
    let text = project.read("prints.json");
    for secret in ["AUTH", "KEY64", "KEY16", "TOKEN", "DB_PASSWORD"] {
        let value = String::from_utf8(project.get(secret)).unwrap();
        assert!(!text.contains(&value) && text.contains(&format!("\"secret\": \"{secret}\"")), "{secret}");
    }
    // What can be guessed has no public hash.
    assert!(!text.contains("DB_URL") && !text.contains("SIGNING"));
    assert_eq!(project.mode("prints.json"), 0o644);
    git(&project, &["init", "-q"]).assert_code(0);
    git(&project, &["add", "."]).assert_code(0);
    assert!(git(&project, &["ls-files"]).stdout.contains("prints.json"));
    project.run(["check", "--at", "repo", "--at", "host"]).assert_code(0);
    project.run(["generate", "--replace", "KEY16", "--yes"]).assert_code(0);
    let after = project.read("prints.json");
    assert_eq!(after.matches("\"KEY16\"").count(), 2);
    assert!(after.contains("\"past\""));
}

#[test]
fn a_value_that_leaked_and_is_gone_from_the_store_is_still_found() {
    let (project, _) = project_and_clone();
    let old = project.get("AUTH");
    project.run(["incident", "AUTH", "--yes"]).assert_code(0);
    for _ in 0..6 {
        project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    }
    project.write("old.txt", [b"key = ", &old[..], b"\n"].concat());
    let run = scan(&project, &["old.txt"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "old.txt", 1)]));
    assert!(run.stdout.contains("\"banned\""), "{}", run.stdout);
}

#[test]
fn what_is_no_list_of_fingerprints_is_refused_and_never_taken_for_an_empty_one() {
    let (_, clone) = project_and_clone();
    clone.write("prints.json", "{\"vault_kit_fingerprints\": 1, \"values\": []}");
    clone.run(["scan"]).assert_code(3);
}
