//! Values of what is declared no more: they leak like any other, and nothing takes their place.

use vault_kit::name::SecretName;

use crate::support::{Project, set_mode};
use crate::{findings, json};

const MANIFEST: &str = r#"
[project]
name = "shop"

[secrets.OLD]
kind = "random"
hooks = ["owner"]

[secrets.SESSION]
kind = "random"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["SESSION"]

[hooks.owner]
program = "hooks/owner"
steps = ["set", "retire"]
"#;

/// What `check` says of it as long as it is in the store.
const UNTIL_REMOVED: [&str; 2] = ["banned", "undeclared"];

/// A project that declares `OLD` no more, and both values in a file.
fn project(is_told: bool) -> Project {
    let project = Project::with_manifest(MANIFEST);
    project.write("hooks/owner", "#!/bin/sh\ncat > /dev/null\n");
    set_mode(&project.path("hooks/owner"), 0o755);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    if is_told {
        project.run(["rotate", "tell", "OLD"]).assert_code(0);
    }
    project.write("paste.txt", [project.get("OLD"), b"\n".to_vec(), project.get("SESSION")].concat());
    let (before, after) = MANIFEST.split_once("[secrets.OLD]").unwrap();
    let (_, after) = after.split_once("[secrets.SESSION]").unwrap();
    project.write("vault-kit.toml", format!("{before}[secrets.SESSION]{after}"));
    project.run(["trust", "--yes"]).assert_code(0);
    project
}

/// The value that leaked.
fn old(project: &Project) -> Vec<u8> {
    project.read("paste.txt").lines().next().unwrap().as_bytes().to_vec()
}

#[test]
fn what_is_declared_no_more_is_banned_by_name_and_nothing_is_made() {
    let project = project(false);
    let old = old(&project);
    let run = project.run(["incident", "OLD", "-n"]).assert_code(0);
    assert!(run.stderr.contains("`OLD` is not declared any more") && run.stdout.is_empty(), "{run:?}");
    let run = project.run(["incident", "OLD"]).assert_code(2);
    assert!(run.stderr.contains("ban `OLD`, which nothing takes the place of"), "{run:?}");
    let run = project.run(["incident", "OLD", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("`vault-kit remove OLD`") && !run.stderr.contains("made "), "{run:?}");
    let run = project.run_with_stdin(["set", "SESSION"], &old).assert_code(7);
    assert!(run.stderr.contains("that leaked as `OLD`"), "{run:?}");
    assert_eq!(findings(&project), UNTIL_REMOVED.map(|code| (code.to_owned(), "OLD".to_owned())));
    let list = project.run(["incident", "list"]).assert_code(0);
    assert!(list.stdout.contains("not declared any more: OLD") && !list.stdout.contains("waits"), "{list:?}");
    project.run(["incident", "OLD", "--yes"]).assert_code(0);
    let found = project.run(["scan", "paste.txt"]).assert_code(1);
    assert!(found.both().contains("banned") && !found.both().contains("incident OLD"), "{found:?}");
    project.run(["remove", "OLD", "--yes"]).assert_code(0);
    project.run_with_stdin(["set", "SESSION"], &old).assert_code(7);
    project.run(["check"]).assert_code(0);
}

#[test]
fn an_owner_that_may_accept_it_is_told_of_until_a_person_says_otherwise() {
    let project = project(true);
    let run = project.run(["incident", "OLD", "--yes", "--json"]).assert_code(8);
    let id = json(&run)["incidents"][0]["id"].as_str().unwrap().to_owned();
    let close = format!("vault-kit incident close {id}");
    assert!(run.stdout.contains("still-accepted") && run.stdout.contains(&close), "{run:?}");
    assert!(findings(&project).contains(&("still-accepted".to_owned(), "OLD".to_owned())));
    project.run(["incident", "close", &id, "--yes"]).assert_code(0);
    project.run(["incident", "OLD", "--yes"]).assert_code(0);
    assert_eq!(findings(&project), UNTIL_REMOVED.map(|code| (code.to_owned(), "OLD".to_owned())));
}

#[test]
fn a_report_that_names_it_is_acted_on_whole_and_of_what_is_unknown_it_is_said() {
    let project = project(false);
    let (old, session) = (old(&project), project.get("SESSION"));
    let report = project.run(["scan", "paste.txt", "--json"]).assert_code(1).stdout;
    let gone = report.replace("\"secret\": \"OLD\"", "\"secret\": \"GONE\"");
    for (report, is_known) in [(&gone, false), (&report, true)] {
        project.write("found.json", report);
        let run = project.run(["incident", "--from-scan", "found.json", "--yes"]).assert_code(0);
        assert_eq!(run.stderr.contains("no secret `GONE`"), !is_known, "{run:?}");
        assert_eq!(run.stderr.contains("`vault-kit remove OLD`"), is_known, "{run:?}");
        assert_ne!(project.get("SESSION"), session);
    }
    assert_eq!(project.run_with_stdin(["set", "SESSION"], &old).code, 7);
    // Of nothing that is known here nothing can be banned.
    project.write("found.json", gone.replace("\"secret\": \"SESSION\"", "\"secret\": \"GONE\""));
    let before = project.contents();
    let run = project.run(["incident", "--from-scan", "found.json", "--yes"]).assert_code(2);
    assert!(run.stderr.contains("no secret `GONE`") && run.stderr.contains("nothing was changed"), "{run:?}");
    assert!(run.stdout.is_empty() && project.contents() == before);
}

#[test]
fn a_certificate_that_is_declared_no_more_is_on_the_list_of_who_signed_it() {
    let manifest = |issuer: &str| {
        format!(
            "[project]\nname = \"shop\"\n[secrets.CA]\nkind = \"ca\"\n[secrets.NEW_CA]\nkind = \"ca\"\n[secrets.TLS]\n\
             kind = \"certificate\"\nissuer = \"{issuer}\"\ndns = [\"localhost\"]\n[outputs.lists]\nformat = \"pem\"\n\
             path = \"lists\"\nsecrets = [\"CA\"]\nfiles = {{ cert = \"ca.pem\", crl = \"crl.pem\" }}\n"
        )
    };
    let (before, after) = (manifest("CA"), manifest("NEW_CA"));
    let (head, rest) = before.split_once("[secrets.TLS]").unwrap();
    let gone = format!("{head}{}", &rest[rest.find("[outputs").unwrap()..]);
    for now in [gone, after] {
        let project = Project::initialised(&before);
        let store = project.store();
        let leaked = store.current(&SecretName::new("TLS").unwrap()).unwrap();
        let (serial, signer) = (leaked.facts["serial"].clone(), *leaked.inputs.values().next().unwrap());
        let list = project.bytes("lists/crl.pem");
        project.write("vault-kit.toml", now);
        let run = project.run(["incident", "TLS", "--yes"]).assert_code(0);
        assert!(project.store().certificates.is_revoked(signer, &serial), "{run:?}");
        assert_ne!(project.bytes("lists/crl.pem"), list, "{run:?}");
    }
}
