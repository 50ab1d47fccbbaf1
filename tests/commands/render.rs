//! `render`: the outputs as the store has them.

use crate::shop::{complete, error_code, json, shop};

#[test]
fn what_waits_is_named_with_exit_1_and_the_rest_is_written() {
    let project = shop();
    for path in [".env", ".secrets/auth"] {
        std::fs::remove_file(project.path(path)).unwrap();
    }
    let run = project.run(["render"]).assert_code(1);
    assert!(run.stderr.contains("`STRIPE` has no value"), "{}", run.stderr);
    assert!(run.stderr.contains("vault-kit set STRIPE") && run.stderr.contains("output extra"), "{}", run.stderr);
    assert!(!run.stderr.contains("nothing to do"), "{}", run.stderr);
    assert!(project.path(".env").exists() && project.path(".secrets/auth").exists());
    assert!(!project.path("extra.json").exists());
}

#[test]
fn a_second_render_touches_nothing() {
    let project = complete();
    let before = project.snapshot();
    let run = project.run(["render"]).assert_code(0);
    assert_eq!(project.snapshot(), before);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);
}

#[test]
fn a_dry_run_names_what_differs_and_writes_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let project = complete();
    std::fs::remove_file(project.path(".secrets/auth")).unwrap();
    project.write("extra.json", "{}");
    std::fs::set_permissions(project.path(".env"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let before = project.snapshot();
    let run = project.run(["render", "-n", "--json"]).assert_code(0);
    assert_eq!(project.snapshot(), before);
    let answer = json(&run);
    let outcome = |path: &str| {
        let files = answer["files"].as_array().unwrap();
        files.iter().find(|it| it["path"] == path).unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(outcome(".secrets/auth"), "created");
    assert_eq!(outcome("extra.json"), "replaced");
    assert_eq!(outcome(".env"), "tightened");
    assert_eq!(outcome(".secrets/token"), "unchanged");
    project.run(["render"]).assert_code(0);
    project.run(["check"]).assert_code(0);
}

#[test]
fn a_loose_file_is_tightened_and_its_content_left() {
    use std::os::unix::fs::PermissionsExt;
    let project = complete();
    std::fs::set_permissions(project.path(".secrets/auth"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let bytes = project.bytes(".secrets/auth");
    let run = project.run(["render"]).assert_code(0);
    assert!(run.stderr.contains("tightened     .secrets/auth"), "{}", run.stderr);
    assert_eq!((project.mode(".secrets/auth"), project.bytes(".secrets/auth")), (0o600, bytes));
}

#[test]
fn a_value_that_a_format_cannot_carry_stops_it_before_any_file() {
    let project = shop();
    project.write("binary", b"\xff\xfesk");
    let manifest = project.read("vault-kit.toml").replace("\"DB_URL\", \"PORT\"]", "\"DB_URL\", \"PORT\", \"NOTE\"]");
    project.write("vault-kit.toml", manifest);
    let before = project.contents();
    let run = project.run(["set", "NOTE", "--from-file", "binary", "--json"]).assert_code(3);
    assert_eq!(error_code(&run), "not-portable");
    assert!(run.stderr.contains("`NOTE`"), "{}", run.stderr);
    assert_eq!(project.contents(), before);
}
