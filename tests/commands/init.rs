//! `init`: from whatever is there to a directory that can be deployed.

use std::process::Command;

use crate::changed_since::{committed, git};
use crate::shop::{SHOP, error_code, json, shop};
use crate::support::{self, Project};

/// A value in a `.env` that is running today.
const RUNNING: &str = "mQ7nV2xK9pLr4TzB8wYc1JdF6hGs3AeU5oXiNqZtRvM";

#[test]
fn a_dry_run_writes_nothing_wherever_it_starts() {
    let living = shop();
    let losing = shop();
    std::fs::remove_file(losing.path(".env")).unwrap();
    for (project, arguments) in [
        (Project::empty(), vec!["init", "-n"]),
        (Project::empty(), vec!["init", "-n", "--preset", "sutra"]),
        (Project::empty(), vec!["-C", "new/directory", "init", "-n"]),
        (Project::with_manifest(SHOP), vec!["init", "-n"]),
        (living, vec!["init", "-n"]),
        (losing, vec!["init", "-n"]),
    ] {
        let before = (project.snapshot(), project.contents());
        project.run(&arguments).assert_code(0);
        assert!((project.snapshot(), project.contents()) == before, "{arguments:?}");
    }
}

#[test]
fn a_dry_run_names_what_the_real_run_then_does() {
    let new = Project::empty();
    let prepared = Project::with_manifest(SHOP);
    let losing = shop();
    std::fs::remove_file(losing.path(".env")).unwrap();
    let preset = Project::empty();
    for (project, arguments) in [
        (new, vec!["init"]),
        (preset, vec!["init", "--preset", "docker-mcp"]),
        (prepared, vec!["init"]),
        (losing, vec!["init"]),
    ] {
        let told = |dry: bool| {
            let mut arguments = arguments.clone();
            arguments.extend(dry.then_some("-n"));
            let run = project.run(&arguments).assert_code(0);
            let talk = run.stderr.lines().filter(|line| !line.starts_with("  "));
            let same = |line: &str| line.replace("would make ", "made ").replace("would write ", "wrote ");
            talk.map(|line| same(line).split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        let is_first = !project.identity().exists();
        let planned = told(true);
        assert!(planned.iter().any(|line| line.starts_with("made your identity at /")) == is_first, "{planned:?}");
        assert!(planned.iter().any(|line| line.starts_with("wrote .gitignore")) == is_first, "{planned:?}");
        assert_eq!(planned, told(false), "{arguments:?}");
    }
}

#[test]
fn a_dry_run_meets_the_refusals_of_the_real_run() {
    let project = Project::with_manifest(SHOP);
    project.write(".env", format!("AUTH={RUNNING}\n"));
    let real = project.run(["init"]).assert_code(7);
    let dry = project.run(["init", "-n"]).assert_code(7);
    assert!(real.stderr.ends_with(&dry.stderr), "{}\n{}", real.stderr, dry.stderr);
}

#[test]
fn an_example_file_gives_the_names_and_never_a_likely_secret() {
    let project = Project::empty();
    let secrets = ["s3cr3tValueXYZ", "hunter2canary", "sk-abcdef0123456789", "Zm9vYmFyYmF6cXV4"];
    let example = format!(
        "# the app\nPORT=8080\nexport LOG_LEVEL='info'\nJWT_SECRET={}\nPOSTGRES_PASSWORD={}\n\
         DATABASE_URL=postgres://app:{1}@db:5432/app\nOPENAI_API_KEY={}\nUNKNOWN={}\n",
        secrets[0], secrets[1], secrets[2], secrets[3]
    );
    project.write(".env.example", &example);
    let run = project.run(["init"]).assert_code(0);
    let manifest = project.read("vault-kit.toml");
    for secret in secrets {
        assert!(!manifest.contains(secret) && !run.both().contains(secret), "{secret} in {manifest}");
    }
    for (name, kind) in [
        ("PORT", "setting"),
        ("LOG_LEVEL", "setting"),
        ("JWT_SECRET", "random"),
        ("POSTGRES_PASSWORD", "password"),
        ("DATABASE_URL", "template"),
        ("OPENAI_API_KEY", "external"),
        ("UNKNOWN", "external"),
    ] {
        assert!(manifest.contains(&format!("[secrets.{name}]\nkind = \"{kind}\"")), "{name} in {manifest}");
    }
    assert!(manifest.contains("a person must supply this: vault-kit set OPENAI_API_KEY"));
    for name in ["OPENAI_API_KEY", "UNKNOWN"] {
        assert!(run.stderr.contains(&format!("vault-kit set {name}")), "{}", run.stderr);
    }
    assert_eq!(project.read(".env.example"), example);
    for name in ["OPENAI_API_KEY", "UNKNOWN"] {
        project.run_with_stdin(["set", name], b"Xk4hUq8sWd2mVz6rTb0nLc5y").assert_code(0);
    }
    project.run(["check"]).assert_code(0);
    assert!(project.read(".env").contains("PORT=8080\n"));
}

#[test]
fn an_example_file_that_cannot_be_read_is_named_without_its_text() {
    let project = Project::empty();
    project.write(".env.example", "A=1\nB='hunter2canary\n");
    let run = project.run(["init", "--json"]).assert_code(2);
    assert_eq!(error_code(&run), "example-invalid");
    assert!(run.stderr.contains("`.env.example`") && !run.both().contains("hunter2"), "{}", run.both());
    assert_eq!(project.snapshot().len(), 1);
}

#[test]
fn another_directory_is_made_and_brought_to_life() {
    let project = Project::empty();
    project.run(["-C", "a/new/one", "init"]).assert_code(0);
    assert!(project.path("a/new/one/.env").exists() && !project.path("vault-kit.toml").exists());
    project.run(["-C", "a/new/one", "check"]).assert_code(0);
    // A preset begins there too, although a manifest stands above.
    project.run(["-C", "a/new/one/deeper", "init", "--preset", "sutra"]).assert_code(0);
    assert!(project.path("a/new/one/deeper/vault-kit.toml").exists());
}

#[test]
fn a_manifest_that_is_there_is_kept_and_brought_to_life() {
    let project = Project::with_manifest(SHOP);
    let run = project.run(["init"]).assert_code(0);
    assert_eq!(project.read("vault-kit.toml"), SHOP);
    assert_eq!((project.mode(".env"), project.mode(".secrets"), project.mode(".secrets/auth")), (0o600, 0o700, 0o600));
    assert!(!project.path("extra.json").exists());
    assert!(run.stderr.contains("vault-kit set STRIPE") && run.stderr.contains("output extra"), "{}", run.stderr);
}

#[test]
fn a_preset_keeps_the_files_that_are_there() {
    let project = Project::empty();
    project.write("docker-compose.yml", "services: {}\n");
    project.run(["init", "--preset", "sutra"]).assert_code(0);
    assert_eq!(project.read("docker-compose.yml"), "services: {}\n");
}

#[test]
fn an_unknown_preset_is_told_with_those_there_are() {
    let project = Project::empty();
    let run = project.run(["init", "--preset", "sutro"]).assert_code(2);
    assert!(run.stderr.contains("docker-mcp, e2i, mcp-rag, omni2, sutra"), "{}", run.stderr);
    assert!(project.snapshot().is_empty());
}

#[test]
fn ignore_files_keep_their_lines_and_get_ours_once() {
    let project = Project::with_manifest(SHOP);
    project.write(".gitignore", "target/\n/.env\nlast line without a break");
    project.run(["init"]).assert_code(0);
    let ignored = project.read(".gitignore");
    assert!(ignored.starts_with("target/\n/.env\nlast line without a break\n"), "{ignored}");
    for file in [".gitignore", ".dockerignore"] {
        let text = project.read(file);
        for line in [".vault-kit/", "**/.vault-kit-tmp.*", "/.env", "/.secrets/", "/extra.json", "/tls/"] {
            assert_eq!(text.lines().filter(|it| *it == line).count(), 1, "{line} in {file}: {text}");
        }
        assert_eq!(project.mode(file), 0o644);
    }
}

#[test]
fn the_ignore_lines_hold_for_a_path_with_the_letters_of_patterns() {
    if support::program("git").is_none() {
        return support::skip("the_ignore_lines_hold_for_a_path_with_the_letters_of_patterns", "no git");
    }
    let project = Project::with_manifest(
        "[project]\nname = \"p\"\n[secrets.A]\nkind = \"password\"\n[outputs.env]\nformat = \"dotenv\"\n\
         path = \"app/[id]/.env\"\nsecrets = [\"A\"]\n",
    );
    git(&project, &["init", "--quiet"]);
    project.run(["init"]).assert_code(0);
    git(&project, &["check-ignore", "--quiet", "app/[id]/.env"]);
    project.run(["check"]).assert_code(0);
    std::fs::remove_file(project.path(".gitignore")).unwrap();
    let run = project.run(["check"]).assert_code(1);
    assert!(run.both().contains(r"'/app/\[id\]/.env' >> .gitignore"), "{run:?}");
}

#[test]
fn the_ignore_lines_stand_before_anything_secret_is_written() {
    let test = "the_ignore_lines_stand_before_anything_secret_is_written";
    if support::program("strace").is_none() {
        return support::skip(test, "no strace");
    }
    if !rustix::process::geteuid().is_root() {
        return support::skip(test, "strace cannot read names out of a process that is not dumpable, but as root");
    }
    let project = Project::with_manifest(SHOP);
    let trace = project.home().join("trace");
    let strace = ["strace", "-f", "-e", "trace=rename,renameat,renameat2,link,linkat", "-o"];
    let strace = strace.into_iter().map(std::ffi::OsString::from).chain([trace.clone().into_os_string()]);
    let run = support::Run::of(&mut project.command_under(strace, ["init"]));
    if run.code != 0 && run.stderr.contains("strace:") {
        return support::skip(test, "strace may not trace here");
    }
    let run = run.assert_code(0);
    let trace = std::fs::read_to_string(trace).unwrap();
    let first = |name: &str| {
        let found = trace.lines().position(|line| line.contains(&format!("{name}\"")));
        found.unwrap_or_else(|| panic!("{name} is never put in place: {}\n{trace}", run.both()))
    };
    let last_ignore = first(".gitignore").max(first(".dockerignore"));
    for secret in ["dev.age", ".env", "\"auth", "key.pem"] {
        let secret = secret.trim_start_matches('"');
        assert!(last_ignore < first(secret), "{secret} before the ignore lines:\n{trace}");
    }
}

#[test]
fn a_system_that_runs_today_keeps_its_values() {
    let project = Project::empty();
    let running = format!("# sutra\nLOG_LEVEL=info\nSUTRA_AUTH_SECRET={RUNNING}\nBARE\n");
    project.write(".env", &running);

    let refused = project.run(["init", "--preset", "sutra"]).assert_code(7);
    assert!(refused.stderr.contains("`SUTRA_AUTH_SECRET` (line 3)"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`vault-kit import --replace .env`"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`vault-kit init --adopt`"), "{}", refused.stderr);
    assert!(!refused.both().contains(RUNNING));
    assert!(!project.path(".vault-kit/dev.age").exists() && !project.path(".secrets").exists());

    // Whoever leaves out the import loses nothing either.
    let refused = project.run(["init", "--adopt", "--json"]).assert_code(7);
    assert_eq!(error_code(&refused), "value-differs");
    assert_eq!(project.read(".env"), running);

    let imported = project.run(["import", ".env"]).assert_code(0);
    assert!(imported.stderr.contains("imported      SUTRA_AUTH_SECRET"), "{}", imported.stderr);
    assert_eq!(project.read(".env"), running);
    project.run(["init"]).assert_code(0);
    // Without `--adopt` the file stays as it is, for it holds what it should; only its mode is narrowed.
    assert_eq!((project.read(".env"), project.mode(".env")), (running, 0o600));
    project.run(["init", "--adopt"]).assert_code(0);
    project.run(["check"]).assert_code(0);
    assert_eq!(project.get("SUTRA_AUTH_SECRET"), RUNNING.as_bytes());
    let adopted = project.read(".env");
    assert_eq!(adopted.matches(RUNNING).count(), 1);
    assert!(
        adopted.starts_with("# sutra\nLOG_LEVEL=info\n# >>> vault-kit") && adopted.ends_with("BARE\n"),
        "{adopted}"
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", ". ./.env 2>/dev/null; printf %s \"$SUTRA_AUTH_SECRET\""]);
    let read = bash.current_dir(project.root()).output().unwrap();
    assert_eq!(read.stdout, RUNNING.as_bytes());
}

#[test]
fn adoption_replaces_placeholders_and_with_yes_anything() {
    let project = Project::with_manifest(SHOP);
    project.write(".env", "AUTH=changeme\nX=1\n");
    project.run(["init", "--adopt"]).assert_code(0);
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    assert!(project.read(".env").contains(&format!("AUTH={auth}\n")) && !project.read(".env").contains("changeme"));

    let project = Project::with_manifest(SHOP);
    project.write(".env", format!("AUTH={RUNNING}\n"));
    project.run(["init", "--adopt"]).assert_code(7);
    project.run(["init", "--adopt", "--yes"]).assert_code(0);
    assert!(!project.read(".env").contains(RUNNING));
}

#[test]
fn the_answer_in_json_says_what_was_made_written_and_what_waits() {
    let project = Project::with_manifest(SHOP);
    let run = project.run(["init", "--json"]).assert_code(0);
    let answer = json(&run);
    assert_eq!(
        (&answer["schema_version"], &answer["dry_run"], &answer["environment"]),
        (&1.into(), &false.into(), &"dev".into())
    );
    let made: Vec<_> = answer["made"].as_array().unwrap().iter().map(|it| it["secret"].as_str().unwrap()).collect();
    assert_eq!(made, ["AUTH", "TOKEN", "DB_PASSWORD", "DB_URL", "CA", "TLS"]);
    assert_eq!(answer["waiting"][0]["secret"], "STRIPE");
    assert_eq!(answer["outputs_waiting"]["extra"][0], "STRIPE");
    let file = |path: &str| answer["files"].as_array().unwrap().iter().find(|it| it["path"] == path).cloned().unwrap();
    assert_eq!((&file(".env")["mode"], &file(".env")["outcome"]), (&"0600".into(), &"created".into()));
}

#[test]
fn an_example_that_leaves_a_path_empty_keeps_nobody_from_beginning() {
    let project = Project::empty();
    project.write(".env.example", "DB_PASSWORD=\nDATA_DIR=\n");
    project.write(
        "compose.yaml",
        "services:\n  db:\n    image: db\n    environment: [DB_PASSWORD]\n    volumes: ['${DATA_DIR}:/data']\n",
    );
    let run = project.run(["init", "-n"]).assert_code(0);
    assert!(run.stderr.contains("an entry that is no mount while `DATA_DIR` has no value"), "{run:?}");
}

/// A repository with its project, and a linked work tree of it at `path`, seen from the directory of the first.
fn linked(project: &Project, repository: &str, path: &str) {
    git(project, &["-C", repository, "worktree", "add", "--quiet", "--detach", &project.path(path).to_string_lossy()]);
}

#[test]
fn a_linked_work_tree_is_sent_to_the_one_that_has_the_store_of_the_environment() {
    if support::program("git").is_none() {
        return support::skip("a_linked_work_tree_is_sent_to_the_one_that_has_the_store_of_the_environment", "no git");
    }
    let project = shop();
    let manifest = project.read("vault-kit.toml") + "\n[environments.feat]\n";
    project.write("vault-kit.toml", manifest);
    committed(&project);
    linked(&project, ".", "linked");
    let main = project.root().canonicalize().unwrap();
    let run = project.run(["-C", "linked", "status"]);
    let there =
        format!("there is no store here: it is that of another work tree: `vault-kit -C {} status`", main.display());
    assert!(run.code == 0 && run.stderr.contains(&there), "{run:?}");
    // Of this environment the main one has none.
    let run = project.run(["-C", "linked", "-e", "feat", "status"]);
    assert!(run.stderr.contains("make it with `vault-kit -C linked -e feat init`"), "{run:?}");
    let report = json(&project.run(["-C", "linked", "-e", "feat", "check", "--json"]));
    assert_eq!(report["findings"][0]["fix"], "vault-kit -C linked -e feat init", "{report}");
}

#[test]
fn no_second_store_is_made_beside_a_bare_repository_or_one_that_was_moved() {
    if support::program("git").is_none() {
        return support::skip("no_second_store_is_made_beside_a_bare_repository_or_one_that_was_moved", "no git");
    }
    let project = Project::with_manifest(SHOP);
    committed(&project);
    git(&project, &["clone", "--quiet", "--bare", ".", "bare.git"]);
    linked(&project, "bare.git", "one");
    linked(&project, "bare.git", "two");
    project.run(["-C", "one", "init"]).assert_code(0);
    let run = project.run(["-C", "two", "init", "--json"]).assert_code(7);
    assert_eq!(error_code(&run), "second-store");
    let one = project.path("one").canonicalize().unwrap();
    assert!(run.stderr.contains(&format!("`vault-kit -C {} run -- COMMAND`", one.display())), "{run:?}");
    project.run(["-C", "one", "init"]).assert_code(0);
    // Where the repository went to it says nothing, and `git worktree repair` says it.
    std::fs::rename(project.path("bare.git"), project.path("moved.git")).unwrap();
    for arguments in [&["init"][..], &["init", "-n"]] {
        let run = project.run([&["-C", "two"], arguments].concat()).assert_code(7);
        assert!(run.stderr.contains("`git worktree repair`"), "{run:?}");
    }
    assert!(!project.path("two/.vault-kit").exists());
    project.run(["-C", "one", "init"]).assert_code(0);
    let two = project.path("two").to_string_lossy().into_owned();
    git(&project, &["-C", "moved.git", "worktree", "repair", &two]);
    let run = project.run(["-C", "two", "init"]).assert_code(7);
    assert!(run.stderr.contains("-C "), "{run:?}");
}

#[test]
fn no_second_store_is_made_where_that_of_another_work_tree_is_left_as_its_copy_alone() {
    if support::program("git").is_none() {
        return support::skip(
            "no_second_store_is_made_where_that_of_another_work_tree_is_left_as_its_copy_alone",
            "no git",
        );
    }
    let project = shop();
    committed(&project);
    linked(&project, ".", "linked");
    let auth = project.get("AUTH");
    std::fs::remove_dir_all(project.path(".vault-kit")).unwrap();
    let main = project.root().canonicalize().unwrap();
    let recover = format!("`vault-kit -C {} -e dev store recover`", main.display());
    project.write("values.env", "AUTH=x\n");
    for arguments in [&["init"][..], &["init", "-n"], &["import", "../values.env"]] {
        let run = project.run([&["-C", "linked"], arguments].concat()).assert_code(7);
        assert!(run.stderr.contains(&format!("bring it back: {recover}")), "{run:?}");
    }
    // Readers are sent to the place that says so.
    let there = format!("`vault-kit -C {} status`", main.display());
    let run = project.run(["-C", "linked", "status"]);
    assert!(run.stderr.contains(&there), "{run:?}");
    // Where there is no manifest yet, none is written either.
    std::fs::remove_file(project.path("linked/vault-kit.toml")).unwrap();
    project.run(["-C", "linked", "init"]).assert_code(7);
    assert!(!project.path("linked/.vault-kit").exists() && !project.path("linked/vault-kit.toml").exists());
    project.run(["-C", main.to_str().unwrap(), "-e", "dev", "store", "recover"]).assert_code(0);
    assert_eq!(project.get("AUTH"), auth);
}

#[test]
fn no_second_store_is_made_where_the_work_tree_with_the_store_was_removed() {
    if support::program("git").is_none() {
        return support::skip("no_second_store_is_made_where_the_work_tree_with_the_store_was_removed", "no git");
    }
    let project = Project::with_manifest(SHOP);
    committed(&project);
    git(&project, &["clone", "--quiet", "--bare", ".", "bare.git"]);
    linked(&project, "bare.git", "one");
    linked(&project, "bare.git", "two");
    project.run(["-C", "one", "init"]).assert_code(0);
    let auth = project.run(["-C", "one", "get", "AUTH"]).assert_code(0).stdout;
    let one = project.path("one").canonicalize().unwrap();
    let put_back = format!("`git worktree add --force --detach {}`", one.display());
    let recover = format!("`vault-kit -C {} -e dev store recover`", one.display());
    let is_told = || {
        let run = project.run(["-C", "two", "init"]).assert_code(7);
        assert!(error_code(&project.run(["-C", "two", "init", "--json"])) == "second-store", "{run:?}");
        assert!(run.stderr.contains(&format!("bring it back: {put_back}, then {recover}")), "{run:?}");
        assert!(!project.path("two/.vault-kit").exists());
    };
    // As git still knows it, and as it does not.
    std::fs::remove_dir_all(&one).unwrap();
    is_told();
    git(&project, &["-C", "bare.git", "worktree", "prune"]);
    is_told();
    // Another repository has nothing to do with it.
    git(&project, &["clone", "--quiet", "--bare", ".", "other.git"]);
    linked(&project, "other.git", "three");
    project.run(["-C", "three", "init"]).assert_code(0);
    // What is told helps.
    git(&project, &["-C", "two", "worktree", "add", "--quiet", "--force", "--detach", one.to_str().unwrap()]);
    project.run(["-C", "one", "-e", "dev", "store", "recover"]).assert_code(0);
    assert_eq!(project.run(["-C", "one", "get", "AUTH"]).assert_code(0).stdout, auth);
    // So does what gives it up.
    git(&project, &["-C", "bare.git", "worktree", "remove", "--force", one.to_str().unwrap()]);
    let run = project.run(["-C", "two", "init"]).assert_code(7);
    let copy = run.stderr.split("given up for good by `rm ").nth(1).and_then(|it| it.split_once('`')).unwrap().0;
    std::fs::remove_file(copy).unwrap();
    project.run(["-C", "two", "init"]).assert_code(0);
}

#[test]
fn a_run_that_is_refused_leaves_no_manifest_without_the_ignore_lines_of_what_it_delivers() {
    let project = Project::empty();
    git(&project, &["init", "--quiet"]);
    project.write(".env.example", "SESSION_SECRET=changeme\n");
    project.write(".env", format!("SESSION_SECRET={RUNNING}\n"));
    let run = project.run(["init"]).assert_code(7);
    assert!(run.stderr.contains("wrote         .gitignore "), "{run:?}");
    git(&project, &["check-ignore", "--quiet", ".env"]);
    assert!(project.read(".dockerignore").contains("/.env\n"));
    // Where they cannot be written there is no manifest either.
    let other = Project::empty();
    std::os::unix::fs::symlink("elsewhere", other.path(".gitignore")).unwrap();
    let before = other.contents();
    assert_eq!(error_code(&other.run(["init", "--json"]).assert_code(6)), "symlink");
    assert_eq!(other.contents(), before);
    // A manifest that was there before is not what is refused.
    let theirs = Project::with_manifest(SHOP);
    theirs.write(".env", format!("AUTH={RUNNING}\n"));
    theirs.run(["init"]).assert_code(7);
    assert!(!theirs.path(".gitignore").exists());
}

/// What is proposed for an address: its kind, and its template if it has one.
fn proposed(project: &Project, name: &str) -> (String, Option<String>) {
    let run = project.run(["init"]);
    let manifest = project.read("vault-kit.toml");
    assert!(!(manifest.clone() + &run.both()).contains("Pass99x"), "{manifest} {run:?}");
    let manifest: toml_edit::DocumentMut = manifest.parse().unwrap();
    let of = |field: &str| manifest["secrets"][name].get(field).map(|it| it.as_str().unwrap().to_owned());
    (of("kind").unwrap(), of("template"))
}

#[test]
fn an_address_that_runs_follows_the_password_that_it_has_and_no_other() {
    let follows = |name: &str| ("template".to_owned(), Some(format!("postgres://u:${{{name} | urlencode}}@db/x")));
    let stays = ("external".to_owned(), None);
    let compose = "services: {a: {image: a, environment: [DB_PASSWORD, PG_PASSWORD], env_file: [api.env]}}\n";
    for (beside, expected) in [
        ("DB_PASSWORD=dsnPass99xQz4\n", follows("DB_PASSWORD")),
        ("DB_PASSWORD='other-7Jt9Q'\nPG_PASSWORD=dsnPass99xQz4\n", follows("PG_PASSWORD")),
        ("DB_PASSWORD='other-7Jt9Q'\n", stays.clone()),
        ("", stays.clone()),
    ] {
        let project = Project::empty();
        project.write("compose.yml", compose);
        project.write(".env", beside);
        project.write("api.env", "DSN=postgres://u:dsnPass99xQz4@db/x\n");
        assert_eq!(proposed(&project, "DSN"), expected, "{beside}");
    }
}

#[test]
fn a_password_and_the_address_that_has_it_are_one_secret_and_a_template() {
    let expected = ("template".to_owned(), Some("postgres://app:${POSTGRES_PASSWORD | urlencode}@db:5432/app".into()));
    let [db, api] = ["POSTGRES_PASSWORD", "DATABASE_URL"];
    let services = |password: &str, url: &str| {
        format!(
            "services:\n  db: {{image: db, environment: {{{db}: '{password}'}}}}\n  api: {{image: a, environment: {{{api}: '{url}'}}}}\n"
        )
    };
    let url = "postgres://app:dsnPass99xQz4@db:5432/app";
    // In the Compose file itself, and in the file that Compose reads.
    let text = Project::empty();
    text.write("compose.yml", services("dsnPass99xQz4", url));
    assert_eq!(proposed(&text, api), expected);
    let variables = Project::empty();
    variables.write("compose.yml", services("${POSTGRES_PASSWORD}", "${DATABASE_URL}"));
    variables.write(".env", format!("{db}=dsnPass99xQz4\n{api}={url}\n"));
    assert_eq!(proposed(&variables, api), expected);
    // What runs is what is delivered once it is taken in.
    variables.run(["import", ".env"]);
    variables.run(["init", "--adopt"]).assert_code(0);
    assert!(variables.read(".env").contains(&format!("{api}={url}\n")));
    // Another password is another secret.
    let other = Project::empty();
    other.write("compose.yml", services("other-Pass-7Jt9Q", url));
    assert_eq!(proposed(&other, api), ("external".to_owned(), None));
}

#[test]
fn another_kind_in_the_manifest_replaces_nothing_that_nobody_could_make_again() {
    let manifest = |kind: &str| {
        format!(
            "[project]\nname = \"p\"\n[secrets.S]\nkind = \"{kind}\"\n[outputs.e]\nformat = \"json\"\npath = \"s.json\"\n"
        )
    };
    for (kind, value) in [("encryption-key", None), ("external", Some(RUNNING)), ("random", Some(RUNNING))] {
        let project = Project::with_manifest(&manifest(kind));
        project.run(["init"]).assert_code(0);
        if let Some(value) = value {
            project.run_with_stdin(["set", "S"], value.as_bytes()).assert_code(0);
        }
        let kept = project.get("S");
        project.write("vault-kit.toml", manifest("keypair"));
        let before = (project.snapshot(), project.contents());
        for arguments in [&["init"][..], &["init", "-n"], &["generate"], &["generate", "--replace", "S"]] {
            let run = project.run([arguments, &["--json"]].concat()).assert_code(2);
            assert_eq!(error_code(&run), "confirmation-needed", "{kind} {arguments:?}");
            assert!((project.snapshot(), project.contents()) == before, "{kind} {arguments:?}");
        }
        project.write("vault-kit.toml", manifest(kind));
        project.run(["init"]).assert_code(0);
        assert_eq!(project.get("S"), kept);
        project.write("vault-kit.toml", manifest("keypair"));
        project.run(["init", "--yes"]).assert_code(0);
        let store = project.store();
        assert!(store.secrets["S"].iter().any(|it| it.parts.primary().is_some_and(|it| it.expose() == kept)), "{kind}");
    }
}

#[test]
fn a_generated_value_is_made_anew_as_what_it_is_declared_now() {
    let manifest = |kind: &str| format!("[project]\nname = \"p\"\n[secrets.S]\nkind = \"{kind}\"\n");
    let project = Project::with_manifest(&manifest("random"));
    project.run(["init"]).assert_code(0);
    project.write("vault-kit.toml", manifest("keypair"));
    project.run(["init"]).assert_code(0);
}

#[test]
fn who_writes_values_into_a_file_that_git_has_or_would_take_says_so() {
    let project = Project::with_manifest(SHOP);
    project.write(".env", "OTHER=1\n");
    committed(&project);
    let run = project.run(["init", "--yes"]).assert_code(0);
    let told = "git has `.env`, and the next commit may take the values: `git rm --cached -- .env`";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    git(&project, &["rm", "--quiet", "--cached", "--", ".env"]);
    let run = project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert!(!run.stderr.contains("git "), "{}", run.stderr);
    let ignored = project.read(".gitignore");
    project.write(".gitignore", format!("{ignored}!.env\n"));
    let run = project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    assert!(run.stderr.contains("git does not ignore `.env`, and `git add .` would take the values"), "{}", run.stderr);
}

#[test]
fn what_runs_goes_before_what_the_example_shows_and_init_comes_to_its_end() {
    let project = Project::empty();
    project.write(".env.example", "PORT=8080\nLOG_LEVEL=info\nLICENSE=trial\nDB_PASSWORD=\n");
    project.write(".env", "PORT=9090\nLOG_LEVEL=debug\nLICENSE=ABCD-1234-EFGH-5678\nDB_PASSWORD=kJ8shdGh2sLqz7Yt\n");
    let first = project.run(["init"]).assert_code(7);
    assert!(first.stderr.contains("`vault-kit import --replace .env`") && !first.both().contains("9090"), "{first:?}");
    let manifest = project.read("vault-kit.toml");
    assert!(manifest.contains("value = \"9090\"") && manifest.contains("value = \"debug\""), "{manifest}");
    assert!(!manifest.contains("ABCD") && !manifest.contains("kJ8s"), "{manifest}");
    project.run(["import", "--replace", ".env"]).assert_code(0);
    project.run(["init", "--adopt"]).assert_code(0);
    let written = project.read(".env");
    for line in ["PORT=9090", "LOG_LEVEL=debug", "LICENSE=ABCD-1234-EFGH-5678", "DB_PASSWORD=kJ8shdGh2sLqz7Yt"] {
        assert!(written.lines().filter(|it| *it == line).count() == 1, "{written}");
    }
}

#[test]
fn what_is_to_be_done_about_a_name_that_stands_twice_works_as_it_is_told() {
    let project = Project::empty();
    project.write(".env.example", "DB_PASSWORD=changeme\nPORT=1\n");
    project.write(".env", "DB_PASSWORD=vNq8Zk2Ws6Xb1Md7Lc4J\nPORT=1\nDB_PASSWORD=p7Rt2Yv9Qe4Uw1Ko8Zx5\n");
    let first = "hint: first leave one line of each name, the one that is in use: `DB_PASSWORD` (line 1), `DB_PASSWORD` (line 3)";
    for arguments in [&["init"][..], &["init", "--adopt"]] {
        let run = project.run(arguments).assert_code(7);
        let told: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("vault-kit: hint: ")).collect();
        assert!(told[0].ends_with(first) && told[1].contains("`vault-kit import --replace .env` takes"), "{run:?}");
        assert!(!run.both().contains("p7Rt2Yv9"), "{run:?}");
    }
    project.write(".env", "PORT=1\nDB_PASSWORD=p7Rt2Yv9Qe4Uw1Ko8Zx5\n");
    project.run(["import", "--replace", ".env"]).assert_code(0);
    project.run(["init", "--adopt"]).assert_code(0);
    assert_eq!(project.get("DB_PASSWORD"), b"p7Rt2Yv9Qe4Uw1Ko8Zx5");
}
