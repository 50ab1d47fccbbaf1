//! Outputs that tell the state of the store: key sets and lists of revoked tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::Project;

const MANIFEST: &str = r#"
[project]
name = "auth"
[secrets.SIGNER]
kind = "keypair"
[secrets.OTHER]
kind = "keypair"
algorithm = "eddsa"
[secrets.SHARED]
kind = "random"
[outputs.keys]
format = "jwks"
path = "public/jwks.json"
[outputs.revoked]
format = "revocations"
path = "public/revoked.json"
"#;

fn parsed(project: &Project, path: &str) -> Value {
    serde_json::from_str(&project.read(path)).unwrap()
}

fn findings(project: &Project, code: i32) -> Vec<(String, String)> {
    let run = project.run(["check", "--json"]).assert_code(code);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |it: &Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    report["findings"].as_array().unwrap().iter().map(|it| (text(it, "code"), text(it, "file"))).collect()
}

#[test]
fn a_key_set_is_for_everybody_to_read_and_never_holds_a_shared_key() {
    let project = Project::initialised(MANIFEST);
    let keys = parsed(&project, "public/jwks.json");
    let keys = keys["keys"].as_array().unwrap();
    let algorithms: Vec<_> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, ["ES256", "EdDSA"]);
    assert!(keys.iter().all(|key| key.get("d").is_none() && key["use"] == "sig"));
    assert_eq!((project.mode("public/jwks.json"), project.mode("public")), (0o644, 0o755));
    assert_eq!(parsed(&project, "public/jwks.json"), {
        let run = project.run(["token", "jwks"]).assert_code(0);
        serde_json::from_str::<Value>(&run.stdout).unwrap()
    });
    assert_eq!(findings(&project, 0), []);
    let before = project.snapshot();
    project.run(["render"]).assert_code(0);
    assert_eq!(project.snapshot(), before, "a second render touched something");
}

#[test]
fn a_key_set_with_a_declared_mode_keeps_it() {
    let project = Project::initialised(&MANIFEST.replace("jwks.json\"", "jwks.json\"\nmode = \"0640\""));
    assert_eq!(project.mode("public/jwks.json"), 0o640);
    assert_eq!(findings(&project, 0), []);
}

#[test]
fn check_finds_a_document_that_is_missing_edited_or_behind_the_store() {
    let project = Project::initialised(MANIFEST);
    let stale = |path: &str| ("stale".to_owned(), path.to_owned());
    let text = project.read("public/jwks.json");
    project.write("public/jwks.json", text.replace("ES256", "ES384"));
    assert_eq!(findings(&project, 1), [stale("public/jwks.json")]);
    std::fs::remove_file(project.path("public/jwks.json")).unwrap();
    assert_eq!(findings(&project, 1), [("missing".to_owned(), "public/jwks.json".to_owned())]);
    project.run(["render"]).assert_code(0);
    // Written back byte for byte by somebody else, it says the same.
    project.write("public/jwks.json", &text);
    assert_eq!(findings(&project, 0), []);

    // The store learns of a revocation, and the writer dies before it delivers the list.
    let before = project.bytes("public/revoked.json");
    project.edit_store(|store| {
        let ends = store.updated + TimeDelta::days(1);
        store.issued.revoked_tokens.insert("stolen".into(), ends);
        store.issued.revoked_tokens.insert("ended".into(), store.updated - TimeDelta::days(1));
        store.issued.revoked_subjects.insert("svc:api".into(), store.updated);
    });
    project.run(["render"]).assert_code(0);
    let list = parsed(&project, "public/revoked.json");
    assert_eq!(list["tokens"].as_array().unwrap().iter().map(|it| &it["jti"]).collect::<Vec<_>>(), [&json!("stolen")]);
    assert_eq!(list["subjects"][0]["sub"], "svc:api");
    project.write("public/revoked.json", before);
    assert_eq!(findings(&project, 1), [stale("public/revoked.json")]);
}

#[test]
fn a_key_pair_that_is_replaced_is_replaced_in_the_key_set() {
    let project = Project::initialised(
        &MANIFEST.replace("path = \"public/jwks.json\"", "path = \"public/jwks.json\"\nsecrets = [\"OTHER\"]"),
    );
    let before = parsed(&project, "public/jwks.json");
    assert_eq!(before["keys"].as_array().unwrap().len(), 1);
    project.run(["generate", "--replace", "SIGNER", "--yes"]).assert_code(0);
    assert_eq!(parsed(&project, "public/jwks.json"), before);
}
