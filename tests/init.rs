//! `init`: from an empty directory to a deployable one, and nothing the second time.

mod support;

use support::{Project, Run, python_judge, skip};

#[test]
fn a_second_init_changes_no_byte_no_time_and_no_inode() {
    for preset in ["docker-mcp", "sutra"] {
        let project = Project::preset(preset);
        let before = project.snapshot();
        let second = project.run(["init"]).assert_code(0);
        assert_eq!(project.snapshot(), before, "{preset}: {}", second.both());
    }
}

/// An account that is nobody's here.
const SOMEBODY: u32 = 54321;

#[test]
fn the_containers_of_a_preset_can_read_its_files_whoever_made_them() {
    use std::os::unix::process::CommandExt;
    let is_root = rustix::process::geteuid().is_root();
    for preset in ["docker-mcp", "omni2", "sutra"] {
        let project = Project::empty();
        let somebody = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            if is_root { command.uid(SOMEBODY).gid(SOMEBODY) } else { &mut command }.output()
        };
        if is_root {
            for place in [project.root(), project.home()] {
                std::os::unix::fs::chown(place, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
            }
            if !somebody(&["--version"]).is_ok_and(|it| it.status.success()) {
                return skip(
                    "the_containers_of_a_preset_can_read_its_files_whoever_made_them",
                    "the program is root's alone",
                );
            }
        }
        assert!(somebody(&["init", "--preset", preset]).unwrap().status.success(), "{preset}");
        let check = somebody(&["check", "--strict"]).unwrap();
        let told = String::from_utf8_lossy(&check.stdout);
        assert!(check.status.success() && !told.contains("not checked"), "{preset}: {told}");
        // What somebody wrote there is left alone.
        let mine = project.read(".env").replace("_UID=", "_UID=7");
        project.write(".env", &mine);
        if is_root {
            std::os::unix::fs::chown(project.path(".env"), Some(SOMEBODY), Some(SOMEBODY)).unwrap();
        }
        assert!(somebody(&["init", "--preset", preset]).unwrap().status.success(), "{preset}");
        assert_eq!(project.read(".env"), mine, "{preset}");
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

/// What Compose needs, made from its own file: no variable is missing afterwards, and no file.
#[test]
fn a_compose_file_becomes_a_manifest_that_supplies_it() {
    let project = Project::empty();
    let compose = "services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n    \
                   secrets: [db_password]\n  api:\n    image: api\n    environment:\n      JWT_SECRET: ${JWT_SECRET:?run vault-kit init}\n\
                   secrets:\n  db_password: {file: ./.secrets/db_password}\n";
    project.write("docker-compose.yml", compose);
    let dry = project.run(["init", "--dry-run"]).assert_code(0);
    assert!(dry.both().contains("would write") && !project.path("vault-kit.toml").exists());
    project.run(["init"]).assert_code(0);
    let text = |path: &str| String::from_utf8(project.bytes(path)).unwrap();
    let manifest = text("vault-kit.toml");
    assert!(manifest.contains("compose = [\"docker-compose.yml\"]"), "{manifest}");
    assert_eq!(project.mode(".secrets/db_password"), 0o600);
    assert!(text(".env").contains("JWT_SECRET=") && !text(".env").contains("POSTGRES_PASSWORD="));
    let before = project.snapshot();
    project.run(["init"]).assert_code(0);
    assert_eq!(project.snapshot(), before);
    let Some(mut command) = python_judge("compose_config.py") else {
        return skip("compose-reference", "no .venv: run tests/setup");
    };
    let run = Run::of(command.arg(project.root()));
    if run.code == 77 {
        return skip("compose-reference", "no Docker Compose v2: run tests/setup");
    }
    assert!(run.assert_code(0).stderr.is_empty());
}

#[test]
fn what_init_does_not_follow_in_a_compose_file_is_told() {
    let project = Project::empty();
    project.write("compose.yaml", "services:\n  a:\n    image: a\n    env_file: ../outside.env\n");
    let run = project.run(["init"]).assert_code(0);
    assert!(run.stderr.contains("`compose.yaml:4`: `../outside.env` lies outside of the project"), "{run:?}");
}

#[test]
fn the_example_says_what_compose_puts_in_until_there_is_a_file_that_does() {
    let compose = "services:\n  app:\n    image: app\n    volumes: [\"${UPLOAD_LOCATION}:/data\"]\n    environment: [DB_PASSWORD]\n";
    let project = Project::empty();
    project.write("docker-compose.yml", compose);
    project.write(".env.example", "UPLOAD_LOCATION=./library\nDB_PASSWORD=hunter2canary\n");
    let run = project.run(["init", "--dry-run"]).assert_code(0);
    assert!(!run.both().contains("hunter2canary"), "{}", run.both());
    // The file itself goes first.
    project.write(".env", "UPLOAD_LOCATION=\n");
    let run = project.run(["init", "--dry-run"]).assert_code(2);
    assert!(run.stderr.contains("`docker-compose.yml:4`"), "{run:?}");
}
