//! Recipients and AWS binding never change by themselves.

use crate::support::{Project, Run};
use crate::{EXTERNAL, MANIFEST, assert_refused, set};

fn with_recipients(manifest: &str, recipients: &[(&str, &str)]) -> String {
    let list: Vec<String> = recipients.iter().map(|(who, key)| format!("{who} = \"{key}\"")).collect();
    format!("{manifest}\n[environments.dev]\nrecipients = {{ {} }}\n", list.join(", "))
}

#[test]
fn a_stranger_in_the_manifest_never_gets_the_store_by_itself() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "value-1-Zk3vYq8mT1xWc5Rb");
    let me = project.identities().recipients().remove(0);
    let (identity, stranger) = project.stranger("stranger.txt");
    let as_stranger =
        |arguments: &[&str]| Run::of(project.command(arguments).env("VAULT_KIT_IDENTITY_FILE", &identity));
    project.write("vault-kit.toml", with_recipients(EXTERNAL, &[("me", &me), ("stranger", &stranger)]));

    project.write("value", "value-2-Zk3vYq8mT1xWc5Rb");
    let writers: [&[&str]; 5] = [
        &["init"],
        &["render"],
        &["set", "API_KEY", "--from-file", "value"],
        &["generate"],
        &["remove", "API_KEY", "--yes"],
    ];
    for writer in writers {
        assert_refused(&project, writer, 4, "recipients-changed");
    }
    project.write("more.env", "API_KEY=value-3-Zk3vYq8mT1xWc5Rb\n");
    assert_refused(&project, &["import", "more.env"], 4, "recipients-changed");
    as_stranger(&["get", "API_KEY"]).assert_code(4);
    // Readers are not stopped.
    assert_eq!(project.get("API_KEY"), b"value-1-Zk3vYq8mT1xWc5Rb");

    assert_refused(&project, &["recipients", "apply"], 2, "confirmation-needed");
    let before = project.contents();
    project.run(["recipients", "apply", "--dry-run"]).assert_code(0);
    assert!(project.contents() == before);
    project.run(["recipients", "apply", "--yes"]).assert_code(0);
    assert_eq!(as_stranger(&["get", "API_KEY"]).assert_code(0).stdout, "value-1-Zk3vYq8mT1xWc5Rb");

    // And nobody leaves by an edit of the manifest either.
    project.write("vault-kit.toml", EXTERNAL);
    assert_refused(&project, &["init"], 4, "recipients-changed");
}

/// Without a declared recipient a store is its user's own, as after a first `init`; nobody keeps a key in silence.
#[test]
fn applying_an_emptied_list_leaves_the_store_to_who_applies_it() {
    let project = Project::initialised(EXTERNAL);
    set(&project, "API_KEY", "value-1-Zk3vYq8mT1xWc5Rb");
    let me = project.identities().recipients().remove(0);
    let (identity, stranger) = project.stranger("stranger.txt");
    let as_stranger =
        |arguments: &[&str]| Run::of(project.command(arguments).env("VAULT_KIT_IDENTITY_FILE", &identity));
    project.write("vault-kit.toml", with_recipients(EXTERNAL, &[("me", &me), ("stranger", &stranger)]));
    project.run(["recipients", "apply", "--yes"]).assert_code(0);
    as_stranger(&["get", "API_KEY"]).assert_code(0);

    project.write("vault-kit.toml", EXTERNAL);
    let run = project.run(["recipients", "apply", "--dry-run"]).assert_code(0);
    assert!(run.stderr.contains(&format!("- stranger {stranger}")), "{run:?}");
    assert!(run.stderr.contains("the store becomes yours alone"), "{run:?}");
    as_stranger(&["get", "API_KEY"]).assert_code(0);
    project.run(["recipients", "apply", "--yes"]).assert_code(0);
    as_stranger(&["get", "API_KEY"]).assert_code(4);
    assert_eq!(project.get("API_KEY"), b"value-1-Zk3vYq8mT1xWc5Rb");
    project.run(["init"]).assert_code(0);
    let run = project.run(["recipients", "apply"]).assert_code(0);
    assert!(run.stderr.contains("nothing to do"), "{run:?}");
}

#[test]
fn check_sees_without_the_identity_what_the_writers_refuse() {
    let found = |project: &Project| {
        let report: serde_json::Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|it| it["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let project = Project::initialised(MANIFEST);
    let me = project.identities().recipients().remove(0);
    let (_, stranger) = project.stranger("stranger.txt");
    let aside = project.home().join("aside.txt");
    let clean = found(&project);
    let with = |code: &str| [vec![code.to_owned()], clean.clone()].concat();
    let both = with_recipients(MANIFEST, &[("me", &me), ("stranger", &stranger)]);
    let account = format!("{MANIFEST}\n[environments.dev]\naws = {{ account = \"111122223333\", prefix = \"/p/\" }}\n");
    let other_prefix = account.replace("/p/", "/q/");
    let steps = [
        (&both, "recipients-changed"),
        (&with_recipients(MANIFEST, &[("me", &me)]), "recipients-changed"),
        (&MANIFEST.to_owned(), "recipients-changed"),
        (&account, "account-changed"),
        (&other_prefix, "account-changed"),
        (&MANIFEST.to_owned(), "account-changed"),
    ];
    for (manifest, code) in steps {
        project.write("vault-kit.toml", manifest);
        std::fs::rename(project.identity(), &aside).unwrap();
        assert_eq!(found(&project), with(code), "{manifest}");
        std::fs::rename(&aside, project.identity()).unwrap();
        assert_eq!(found(&project), with(code), "{manifest}");
        assert_refused(&project, &["render"], 4, code);
        project.run(["recipients", "apply", "--yes"]).assert_code(0);
        assert_eq!(found(&project), clean, "{manifest}");
    }
}

#[test]
fn a_new_account_or_prefix_is_refused_until_applied() {
    let project = Project::initialised(MANIFEST);
    for aws in [r#"account = "111122223333", region = "us-east-1""#, r#"region = "us-east-1", prefix = "/shop/""#] {
        project.write("vault-kit.toml", format!("{MANIFEST}\n[environments.dev]\naws = {{ {aws} }}\n"));
        for writer in [["init"].as_slice(), &["render"], &["generate", "--replace", "API_KEY", "--yes"]] {
            assert_refused(&project, writer, 4, "account-changed");
        }
        project.run(["recipients", "apply", "--yes"]).assert_code(0);
        project.run(["init"]).assert_code(0);
    }
}

#[test]
fn a_store_is_never_sealed_so_that_its_writer_is_locked_out() {
    let project = Project::with_manifest(MANIFEST);
    let (_, stranger) = project.stranger("stranger.txt");
    project.write("vault-kit.toml", with_recipients(MANIFEST, &[("stranger", &stranger)]));
    let run = project.run(["init"]).assert_code(4);
    assert!(run.stderr.contains("you are not among the recipients that the manifest declares"), "{run:?}");
    assert!(!project.path(".vault-kit/dev.age").exists());

    let project = Project::initialised(MANIFEST);
    project.write("vault-kit.toml", with_recipients(MANIFEST, &[("stranger", &stranger)]));
    assert_refused(&project, &["recipients", "apply", "--yes"], 4, "would-lock-out");
    project.run(["get", "API_KEY"]).assert_code(0);
}

#[test]
fn init_beside_a_store_that_cannot_be_opened_makes_no_second_one() {
    let project = Project::initialised(MANIFEST);
    let (stranger, _) = project.stranger("stranger.txt");
    let before = project.contents();
    let run = Run::of(project.command(["init"]).env("VAULT_KIT_IDENTITY_FILE", &stranger)).assert_code(4);
    assert!(run.stderr.contains("not among the recipients of `.vault-kit/dev.age`"), "{run:?}");
    assert!(project.contents() == before);

    // Nor beside a store whose second copy alone is left, whoever asks.
    std::fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    assert_refused(&project, &["init"], 4, "store-missing");
    let before = project.contents();
    Run::of(project.command(["init"]).env("VAULT_KIT_IDENTITY_FILE", &stranger)).assert_code(4);
    assert!(project.contents() == before);
}

#[test]
fn init_does_not_make_a_new_identity_beside_a_store() {
    let project = Project::initialised(MANIFEST);
    std::fs::remove_file(project.identity()).unwrap();
    assert_refused(&project, &["init"], 4, "identity-missing");
    std::fs::remove_file(project.path(".vault-kit/dev.age")).unwrap();
    assert_refused(&project, &["init"], 4, "identity-missing");
}
