//! What takes effect only after `vault-kit trust`.

use tempfile::TempDir;

use crate::support::{Project, Run};
use crate::{MANIFEST, assert_refused};

#[test]
fn an_absolute_path_takes_effect_after_trust_and_a_changed_one_asks_again() {
    let elsewhere = TempDir::new().unwrap();
    let manifest = |file: &str| MANIFEST.replace("\".env\"", &format!("\"{}/{file}\"", elsewhere.path().display()));
    let project = Project::with_manifest(&manifest("one"));
    project.run(["init"]).assert_code(6);
    assert_refused(&project, &["trust"], 2, "confirmation-needed");
    project.run(["trust", "--dry-run"]).assert_code(0);
    project.run(["init"]).assert_code(6);
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["init"]).assert_code(0);
    assert!(elsewhere.path().join("one").exists());

    project.write("vault-kit.toml", manifest("two"));
    assert_refused(&project, &["render"], 6, "untrusted-path");
    assert!(!elsewhere.path().join("two").exists());
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    assert!(elsewhere.path().join("two").exists());
}

#[test]
fn check_does_not_look_at_an_absolute_path_before_it_is_trusted() {
    let elsewhere = TempDir::new().unwrap();
    let path = elsewhere.path().join("nginx.env").display().to_string();
    let project = Project::initialised(MANIFEST);
    let more = format!("[outputs.nginx]\nformat = \"dotenv\"\npath = \"{path}\"\nsecrets = [\"API_KEY\"]\n");
    project.write("vault-kit.toml", format!("{MANIFEST}\n{more}"));
    // Whether the file is there makes no difference to what is told, also where a file beside it has to be read back.
    let report = || {
        let report: serde_json::Value = serde_json::from_str(&project.run(["check", "--json"]).stdout).unwrap();
        (report["findings"].clone(), report["not_checked"].clone())
    };
    project.write(".env", [&project.bytes(".env")[..], b"OWN=1\n"].concat());
    let (findings, not_checked) = report();
    assert_eq!(findings, serde_json::json!([]));
    assert_eq!(not_checked[0]["what"], path.as_str());
    assert!(not_checked[0]["why"].as_str().unwrap().contains("`vault-kit trust`"), "{not_checked}");
    std::fs::create_dir(&path).unwrap();
    assert_eq!(report(), (findings, not_checked));
    project.run(["trust", "--yes"]).assert_code(0);
    assert_eq!(report().0[0]["code"], "not-a-file");
}

#[test]
fn what_a_killed_writer_left_beside_a_trusted_absolute_path_is_swept() {
    let elsewhere = TempDir::new().unwrap();
    let [old, young] =
        ["0123456789abcdef", "fedcba9876543210"].map(|end| elsewhere.path().join(format!(".vault-kit-tmp.{end}")));
    for path in [&old, &young] {
        std::fs::File::options().write(true).create_new(true).open(path).unwrap();
    }
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let nginx = elsewhere.path().join("nginx.env").display().to_string();
    let project = Project::initialised(MANIFEST);
    let more = format!("[outputs.nginx]\nformat = \"dotenv\"\npath = \"{nginx}\"\nsecrets = [\"API_KEY\"]\n");
    project.write("vault-kit.toml", format!("{MANIFEST}\n{more}"));
    project.run(["render"]).assert_code(6);
    assert!(old.exists(), "nothing is touched there before trust");
    project.run(["trust", "--yes"]).assert_code(0);
    project.run(["render"]).assert_code(0);
    assert!(!old.exists());
    assert!(young.exists(), "a writer of another project may still be at work on it");
}

#[test]
fn what_one_user_trusts_says_nothing_to_another() {
    let elsewhere = TempDir::new().unwrap();
    let project =
        Project::with_manifest(&MANIFEST.replace("\".env\"", &format!("\"{}/env\"", elsewhere.path().display())));
    project.run(["trust", "--yes"]).assert_code(0);
    let other = TempDir::new().unwrap();
    let run = Run::of(project.command(["init"]).env("HOME", other.path()));
    assert_eq!(run.code, 6, "{run:?}");
    project.run(["init"]).assert_code(0);
}
