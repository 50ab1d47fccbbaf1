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

/// Env files of services: one that is there, one with an example, one that nothing is known of, and the `.env`.
const ENV_FILES: &str = "services:
  api:
    image: api
    env_file: [.env, api.env]
  worker:
    image: worker
    env_file: [config/worker.env, {path: extra.env, required: false}]
  mail:
    image: mail
    env_file: mail.env
";

#[test]
fn what_services_read_from_env_files_is_declared_and_written() {
    let project = Project::empty();
    project.write("docker-compose.yml", ENV_FILES);
    project.write("api.env", "# of the API\nJWT_SECRET=changeme\nLOG_LEVEL=debug\n");
    project.write("config/worker.env.example", "DB_PASSWORD=changeme\nQUEUE=jobs\nSTRIPE_API_KEY=\n");
    let run = project.run(["init", "--adopt"]).assert_code(0);
    let manifest = project.read("vault-kit.toml");
    for (name, kind) in
        [("JWT_SECRET", "random"), ("STRIPE_API_KEY", "external"), ("DB_PASSWORD", "password"), ("QUEUE", "setting")]
    {
        assert!(manifest.contains(&format!("[secrets.{name}]\nkind = \"{kind}\"")), "{name} in {manifest}");
    }
    // What is no secret stays where it stands, and nobody waits for a file that may be missing.
    assert!(!manifest.contains("LOG_LEVEL") && !manifest.contains("extra.env"), "{manifest}");
    assert!(run.stderr.contains("vault-kit set STRIPE_API_KEY"), "{run:?}");
    project.run_with_stdin(["set", "STRIPE_API_KEY"], b"Xk4hUq8sWd2mVz6rTb0nLc5y").assert_code(0);
    let api = project.read("api.env");
    assert!(api.contains("LOG_LEVEL=debug") && api.contains("JWT_SECRET=") && !api.contains("changeme"), "{api}");
    let worker = project.read("config/worker.env");
    assert!(
        worker.contains("DB_PASSWORD=") && worker.contains("QUEUE=jobs") && !worker.contains("JWT_SECRET"),
        "{worker}"
    );
    assert!(project.path(".env").exists() && project.path("mail.env").exists());
    for place in ["host", "repo"] {
        let check = project.run(["check", "--at", place]).assert_code(0);
        assert!(check.stdout.contains("no problem found"), "{place}: {check:?}");
    }
}

#[test]
fn a_service_with_an_env_file_of_which_nothing_is_known_starts() {
    let project = Project::empty();
    project.write("compose.yaml", "services:\n  a:\n    image: a\n    env_file: api.env\n");
    project.run(["init"]).assert_code(0);
    project.run(["check", "--at", "repo"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    assert_eq!(project.mode("api.env"), 0o600);
}

/// What runs today is not lost: as of a `.env`, it is taken in by `import`.
#[test]
fn values_of_an_env_file_that_runs_today_are_kept() {
    let project = Project::empty();
    project.write("compose.yaml", "services:\n  a:\n    image: a\n    env_file: api.env\n");
    let running = "PORT=80\nDB_PASSWORD=Zk3vYq8mT1xWc5RbLp\nDATABASE_URL=postgres://a:Zk3vYq8mT1xWc5RbLp@db/a\n";
    project.write("api.env", running);
    let run = project.run(["init"]).assert_code(7);
    assert!(run.stderr.contains("`vault-kit import --replace api.env`") && !run.both().contains("Zk3vYq8m"), "{run:?}");
    assert!(!project.read("vault-kit.toml").contains("Zk3vYq8m"));
    assert_eq!(project.read("api.env"), running);
    project.run(["import", "api.env"]).assert_code(0);
    project.run(["init", "--adopt"]).assert_code(0);
    assert!(project.read("api.env").contains("DATABASE_URL=postgres://a:Zk3vYq8mT1xWc5RbLp@db/a\n"));
    project.run(["check"]).assert_code(0);
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
    // The file itself goes first, although its line has no value that the first write could lose.
    project.write(".env", "UPLOAD_LOCATION=\n");
    let run = project.run(["init", "--dry-run"]).assert_code(0);
    assert!(run.stderr.contains("`docker-compose.yml:4`") && run.stderr.contains("has no value"), "{run:?}");
}

#[test]
fn a_live_value_is_not_made_anew_because_its_file_waits_for_another_one() {
    let project = Project::empty();
    project.write("compose.yml", "services:\n  a:\n    image: a\n    env_file: api.env\n");
    project.write("api.env", "SESSION_SECRET=livesession7f3aQx91LmZt\nSTRIPE_KEY=your-api-key-here\n");
    let run = project.run(["init"]).assert_code(7);
    assert!(
        run.stderr.contains("SESSION_SECRET") && run.stderr.contains("vault-kit import --replace api.env"),
        "{run:?}"
    );
    assert!(!run.both().contains("livesession"), "{run:?}");
    project.run(["init", "--adopt"]).assert_code(7);
    project.run(["import", "api.env"]).assert_code(1);
    project.run(["init"]).assert_code(0);
    assert_eq!(project.get("SESSION_SECRET"), b"livesession7f3aQx91LmZt");
    assert!(project.read("api.env").contains("livesession7f3aQx91LmZt"));
}
