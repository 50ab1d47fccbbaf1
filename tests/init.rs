//! `init`: from an empty directory to a deployable one, and nothing the second time.

mod support;

use support::{Project, Run};

#[test]
fn a_second_init_changes_no_byte_no_time_and_no_inode() {
    for preset in ["docker-mcp", "sutra"] {
        let project = Project::preset(preset);
        let before = project.snapshot();
        let second = project.run(["init"]).assert_code(0);
        assert_eq!(project.snapshot(), before, "{preset}: {}", second.both());
    }
}

#[test]
fn an_empty_directory_gets_a_manifest_and_a_clean_check() {
    let project = Project::empty();
    project.run(["init"]).assert_code(0);
    let check = project.run(["check"]).assert_code(0);
    assert!(check.stdout.contains("no problem found"), "{}", check.stdout);
}

#[test]
fn a_first_identity_is_made_where_the_user_names_its_place() {
    let project = Project::with_manifest("[project]\nname = \"p\"\n[secrets.A]\nkind = \"random\"\n");
    let place = project.path("keys/identity.txt");
    let run = |arguments: &[&str]| Run::of(project.command(arguments).env("VAULT_KIT_IDENTITY_FILE", &place));
    run(&["init"]).assert_code(0);
    assert_eq!(project.mode("keys/identity.txt"), 0o600);
    assert_eq!(run(&["get", "A"]).assert_code(0).stdout.len(), 43);
    // Beside the store it opens, a lost one is never replaced by another.
    std::fs::remove_file(&place).unwrap();
    run(&["init"]).assert_code(4);
    assert!(!place.exists());
}
