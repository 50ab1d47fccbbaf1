//! `generate`: what is missing, or with `--replace` new values.

use crate::shop::{SHOP, complete, error_code, json, shop};
use crate::support::Project;

#[test]
fn only_the_named_secret_and_what_it_is_made_from_are_made() {
    let project = shop();
    for name in ["DB_URL", "DB_PASSWORD", "TLS"] {
        project.run(["remove", name, "--yes"]).assert_code(0);
    }
    let answer = json(&project.run(["generate", "DB_URL", "--json"]).assert_code(0));
    let made: Vec<_> = answer["made"].as_array().unwrap().iter().map(|it| it["secret"].as_str().unwrap()).collect();
    assert_eq!(made, ["DB_PASSWORD", "DB_URL"]);
    project.run(["get", "TLS", "--part", "cert"]).assert_code(1);
    assert!(project.read(".env").contains(&String::from_utf8(project.get("DB_URL")).unwrap()));
}

#[test]
fn what_is_there_stays_without_replace() {
    let project = complete();
    let before = project.snapshot();
    let run = project.run(["generate", "AUTH"]).assert_code(0);
    assert_eq!(project.snapshot(), before);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
}

#[test]
fn a_replacement_needs_a_yes_and_takes_along_what_is_made_from_it() {
    let project = shop();
    let (auth, token, url) = (project.get("AUTH"), project.get("TOKEN"), project.get("DB_URL"));
    let before = project.contents();
    for refused in [&["generate", "--replace", "AUTH"][..], &["generate", "--replace", "AUTH", "--non-interactive"]] {
        let run = project.run([refused, &["--json"]].concat()).assert_code(2);
        assert_eq!(error_code(&run), "confirmation-needed");
        assert!(run.stderr.contains("2 secrets") && run.stderr.contains("--yes"), "{}", run.stderr);
    }
    assert_eq!(project.contents(), before);
    let run = project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("since `AUTH` changed"), "{}", run.stderr);
    assert!(project.get("AUTH") != auth && project.get("TOKEN") != token && project.get("DB_URL") == url);
    assert_eq!(project.bytes(".secrets/token"), project.get("TOKEN"));
    project.run(["check"]).assert_code(1).stdout.find("STRIPE").expect("only STRIPE is missing");
}

#[test]
fn a_new_encryption_key_wants_an_explicit_yes_and_is_told_what_is_lost() {
    let manifest = "[project]\nname = \"p\"\n[secrets.DATA_KEY]\nkind = \"encryption-key\"\n\
                    [secrets.OTHER]\nkind = \"random\"\n";
    let project = Project::with_manifest(manifest);
    // The first one is no loss.
    project.run(["init"]).assert_code(0);
    let (key, before) = (project.get("DATA_KEY"), project.contents());
    for names in [&["DATA_KEY"][..], &["OTHER", "DATA_KEY"]] {
        let run = project.run([&["generate", "--replace", "--json"], names].concat()).assert_code(2);
        assert_eq!(error_code(&run), "confirmation-needed");
        assert!(run.stderr.contains("what is encrypted with `DATA_KEY` cannot be read with a new value"), "{run:?}");
    }
    let dry = project.run(["generate", "--replace", "DATA_KEY", "--dry-run"]).assert_code(0);
    assert!(dry.stderr.contains("would ask first: what is encrypted with `DATA_KEY` cannot be read"), "{dry:?}");
    assert!(project.contents() == before);
    project.run(["generate", "--replace", "DATA_KEY", "--yes"]).assert_code(0);
    let store = project.store();
    let versions = &store.secrets["DATA_KEY"];
    assert_eq!(versions[0].parts.primary().unwrap().expose(), key);
    assert_ne!(project.get("DATA_KEY"), key);
}

#[test]
fn a_dry_run_names_what_would_be_made_and_writes_nothing() {
    let project = shop();
    let before = (project.snapshot(), project.contents());
    let run = project.run(["generate", "--replace", "AUTH", "-n"]).assert_code(0);
    assert!((project.snapshot(), project.contents()) == before);
    for line in ["would make    AUTH", "would make    TOKEN", "would write   .env", "would write   .secrets/token"] {
        assert!(run.stderr.lines().any(|it| it.starts_with(line)), "{line}: {}", run.stderr);
    }
    let question = "make new values for 2 secrets; the old ones stop working";
    assert!(run.stderr.contains(&format!("would ask first: {question}?\n")), "{}", run.stderr);
    let answer = json(&project.run(["generate", "--replace", "AUTH", "-n", "--json"]).assert_code(0));
    assert_eq!(answer["questions"], serde_json::json!([question]));
    let agreed = project.run(["generate", "--replace", "AUTH", "-n", "--yes"]).assert_code(0);
    assert!(!agreed.stderr.contains("would ask"), "{}", agreed.stderr);
}

#[test]
fn what_we_do_not_make_and_what_is_not_declared_is_refused() {
    let project = shop();
    let run = project.run(["generate", "STRIPE"]).assert_code(2);
    assert!(run.stderr.contains("vault-kit set STRIPE"), "{}", run.stderr);
    let run = project.run(["generate", "AUHT"]).assert_code(2);
    assert!(run.stderr.contains("did you mean `AUTH`?"), "{}", run.stderr);
    project.run(["generate", "--replace"]).assert_code(2);
    let setting = project.run(["generate", "PORT"]).assert_code(2);
    assert!(setting.stderr.contains("manifest"), "{}", setting.stderr);
}

#[test]
fn without_a_store_it_says_how_to_get_one() {
    let project = Project::with_manifest(SHOP);
    let run = project.run(["generate", "AUTH"]).assert_code(4);
    assert!(run.stderr.contains("vault-kit init"), "{}", run.stderr);
}
