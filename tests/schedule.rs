//! `schedule`, judged by systemd's own verifier and by programs that stand in for `systemctl` and `crontab`.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests bring along files of their own, and fail where something is not as they made it"
)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use support::{Project, Run, program, set_mode, skip};

const MANIFEST: &str = "[project]\nname = \"shop\"\n[secrets.A]\nkind = \"uuid\"\nrotate = \"30d\"\n";

/// A project in a directory with a name that hurts.
fn hurting() -> (Project, PathBuf) {
    let project = Project::empty();
    let directory = project.path(r#"a b/100%/it's "q"/$HOME/ü\x"#);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("vault-kit.toml"), MANIFEST).unwrap();
    project.run(["-C", directory.to_str().unwrap(), "init"]).assert_code(0);
    (project, directory)
}

/// Puts a script that stands in for a program of the system before all others.
fn with_program(project: &Project, name: &str, script: &str) -> String {
    let place = project.path("bin");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
    set_mode(&place.join(name), 0o755);
    format!("{}:{}", place.display(), support::search_path())
}

fn run(project: &Project, path: &str, words: &[&str]) -> Run {
    Run::of(project.command(words).env("PATH", path))
}

#[test]
fn systemd_accepts_the_units_whatever_the_directory_is_called() {
    let (project, directory) = hurting();
    let Some(analyze) = program("systemd-analyze") else { return skip("schedule-systemd", "no systemd-analyze") };
    for scope in [&[][..], &["--user"]] {
        let words = [&["-C", directory.to_str().unwrap(), "schedule", "print", "--every", "6h"], scope].concat();
        let printed = project.run(words).assert_code(0).stdout;
        let (service, timer) = printed.split_once("\n# vault-kit-shop-dev-").unwrap();
        let name = service.lines().next().unwrap().strip_prefix("# ").unwrap();
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(name);
        fs::write(&path, service).unwrap();
        let timer_path = path.with_extension("timer");
        fs::write(&timer_path, format!("# {timer}")).unwrap();
        let verify = |path: &PathBuf| {
            Run::of(Command::new(&analyze).args(["verify", "--man=no", "--recursive-errors=no"]).arg(path))
        };
        for path in [&path, &timer_path] {
            let run = verify(path).assert_code(0);
            assert_eq!(run.both().trim(), "", "{printed}");
        }
        let broken = place.path().join("vault-kit-broken.service");
        fs::write(&broken, service.replace("Type=oneshot", "Type=sometimes")).unwrap();
        assert!(!verify(&broken).both().is_empty(), "the judge sees nothing");
        let mut security = Command::new(&analyze);
        let judged = Run::of(security.args(["security", "--offline=yes", "--no-pager", "--threshold=40"]).arg(&path));
        assert!(scope.len() == 1 || judged.code == 0, "{}", judged.both());
    }
}

#[test]
fn a_path_with_a_symlink_is_kept_as_it_was_given() {
    let project = Project::initialised(MANIFEST);
    let link = project.home().join("current");
    std::os::unix::fs::symlink(project.root(), &link).unwrap();
    fs::create_dir(project.path("sub")).unwrap();
    let (shown, real) = (link.to_str().unwrap(), project.root().canonicalize().unwrap());
    let units = |command: &mut Command| Run::of(command).assert_code(0).stdout;
    let kept = format!(" -C {shown} -f vault-kit.toml ");
    let inner = format!("{shown}/sub");
    let file = format!("{shown}/vault-kit.toml");
    for words in [["-C", shown], ["-C", inner.as_str()], ["-f", file.as_str()]] {
        let text = units(&mut project.command([&words[..], &["schedule", "print"]].concat()));
        assert!(text.contains(&kept) && text.contains(&format!("\nReadWritePaths=-{shown}\n")), "{words:?}: {text}");
        assert!(text.contains(&format!("\nReadWritePaths=-{}\n", real.display())), "{text}");
    }
    // A shell tells by which path it stands there; what does not lead there is no such path.
    let text = units(project.command(["schedule", "print"]).env("PWD", shown));
    assert!(text.contains(&kept), "{text}");
    for pwd in ["/", "current", "/no/such/place"] {
        let text = units(project.command(["schedule", "print"]).env("PWD", pwd));
        assert!(text.contains(&format!(" -C {} -f", real.display())), "{pwd}: {text}");
    }
    let name = |text: &str| text.lines().next().unwrap().to_owned();
    let linked = units(&mut project.command(["-C", shown, "schedule", "print"]));
    assert_eq!(name(&linked), name(&units(&mut project.command(["schedule", "print"]))), "one project, one unit");
}

#[test]
fn units_are_installed_once_and_only_ours_are_removed() {
    let project = Project::initialised(MANIFEST);
    let path = with_program(&project, "systemctl", "echo \"$@\" >>\"$(dirname \"$0\")/log\"");
    let log = || fs::read_to_string(project.path("bin/log")).unwrap_or_default();
    let units = project.identity().ancestors().nth(2).unwrap().join("systemd/user");
    let names =
        || -> Vec<_> { fs::read_dir(&units).map(|it| it.map(|it| it.unwrap().path()).collect()).unwrap_or_default() };
    let dry = run(&project, &path, &["schedule", "install", "--user", "-n"]).assert_code(0);
    assert!(dry.both().contains("would write") && names().is_empty(), "{}", dry.both());
    let first = run(&project, &path, &["schedule", "install", "--user"]).assert_code(0);
    assert!(first.both().contains("systemctl --user enable --now vault-kit-shop-dev-"), "{}", first.both());
    assert_eq!((names().len(), log()), (2, String::new()), "nothing runs that nobody asked for");
    let again = run(&project, &path, &["schedule", "install", "--user", "--now", "--json"]).assert_code(0);
    assert!(again.stdout.contains("\"changed\": false"), "{}", again.stdout);
    assert!(log().starts_with("--user daemon-reload\n--user enable --now vault-kit-shop-dev-"), "{}", log());
    fs::write(units.join("other.timer"), "[Timer]\n").unwrap();
    fs::remove_file(project.identity()).unwrap();
    run(&project, &path, &["schedule", "remove", "--user", "--now"]).assert_code(0);
    assert_eq!(names(), [units.join("other.timer")]);
    assert!(log().lines().last().unwrap().starts_with("--user disable --now vault-kit-shop-dev-"), "{}", log());
    let nothing = run(&project, &path, &["schedule", "remove", "--user"]).assert_code(0);
    assert!(nothing.both().contains("there is no"), "{}", nothing.both());
}

#[test]
fn the_crontab_of_others_stays_as_it_is() {
    let (project, directory) = hurting();
    let script = "cd \"$(dirname \"$0\")\" || exit 1\ncase $1 in\n-l) test -f tab || { echo 'no crontab for you' >&2; exit 1; }\ncat tab;;\n-) cat >tab;;\nesac";
    let path = with_program(&project, "crontab", script);
    let table = || fs::read_to_string(project.path("bin/tab")).unwrap_or_default();
    let schedule = |words: &[&str]| {
        let words = [&["-C", directory.to_str().unwrap(), "schedule"], words].concat();
        run(&project, &path, &words).assert_code(0).both()
    };
    schedule(&["install", "--cron", "-n"]);
    assert_eq!(table(), "");
    schedule(&["install", "--cron"]);
    let line = table();
    assert!(line.starts_with("*/5 * * * * VAULT_KIT_IDENTITY_FILE=") && line.lines().count() == 1, "{line}");
    fs::write(project.path("bin/tab"), format!("# theirs\n{line}@daily backup\n")).unwrap();
    assert!(schedule(&["install", "--cron"]).contains("already"));
    schedule(&["install", "--cron", "--every", "1h"]);
    assert!(table().starts_with("# theirs\n0 * * * * ") && table().ends_with("@daily backup\n"), "{}", table());
    schedule(&["remove", "--cron"]);
    assert_eq!(table(), "# theirs\n@daily backup\n");
    // What cron hands to the shell: `\%` is `%`. The words come out as they went in.
    let command = line.trim_end().strip_prefix("*/5 * * * * ").unwrap().replace(r"\%", "%");
    let words = command.replace(&*our_program(), "printf '%s\\n'");
    let said = Run::of(Command::new("sh").arg("-c").arg(words)).assert_code(0).stdout;
    let real = directory.canonicalize().unwrap();
    assert_eq!(said.lines().nth(1), real.to_str(), "{said}");
}

/// The program's path as it stands in the line.
fn our_program() -> String {
    fs::canonicalize(env!("CARGO_BIN_EXE_vault-kit")).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn an_identity_that_is_in_no_file_cannot_be_scheduled() {
    let project = Project::initialised(MANIFEST);
    let identity = fs::read_to_string(project.identity()).unwrap();
    let mut command = project.command(["schedule", "print"]);
    let run = Run::of(command.env_remove("VAULT_KIT_IDENTITY_FILE").env("VAULT_KIT_IDENTITY", identity.trim()));
    let run = run.assert_code(2);
    assert!(run.stderr.contains("VAULT_KIT_IDENTITY_FILE") && !run.both().contains("AGE-SECRET-KEY"), "{}", run.both());
}
