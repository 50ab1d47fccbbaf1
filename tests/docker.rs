//! Delivered files in containers of a real Docker daemon, which the tests start and end themselves.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

#[path = "support/docker.rs"]
mod daemon;
mod support;

use std::path::Path;

use daemon::{Daemon, IMAGE, with_daemon};
use support::{Project, Run};

/// What a user sees who reads a host's file that is mounted as `/run/secrets/file`.
fn read_as(daemon: &Daemon, user: &[&str], file: &Path) -> Run {
    let mount = bind(file, "/run/secrets/file");
    daemon.run(&[user, &["--mount", &mount]].concat(), &["cat", "/run/secrets/file"])
}

/// A mount that fails, rather than makes a directory, when the host has no such file.
fn bind(host: &Path, container: &str) -> String {
    format!("type=bind,readonly,source={},target={container}", host.display())
}

#[track_caller]
fn assert_denied(run: &Run) {
    assert!(run.code == 1 && run.stderr.contains("Permission denied") && run.stdout.is_empty(), "{run:?}");
}

#[test]
fn a_container_s_user_reads_exactly_the_value_of_its_file_and_another_user_nothing() {
    with_daemon(|daemon| {
        let project = Project::initialised(
            r#"
            [project]
            name = "judged"
            [secrets.PASSWORD]
            kind = "password"
            [secrets.GIVEN]
            kind = "external"
            optional = true
            [outputs.app]
            format = "docker-secrets"
            path = ".secrets/app"
            uid = 1000
            gid = 1000
            mode = "0400"
            [outputs.group]
            format = "docker-secrets"
            path = ".secrets/group"
            secrets = ["PASSWORD"]
            gid = 2000
            mode = "0440"
            "#,
        );
        let given = "two lines\nand a last newline\n";
        project.write("given", given);
        project.run(["set", "GIVEN", "--from-file", "given"]).assert_code(0);
        let value = String::from_utf8(project.get("PASSWORD")).unwrap();
        assert!(value.len() == 32 && !value.ends_with('\n'));

        let file = project.path(".secrets/app/password");
        let read = read_as(daemon, &["--user", "1000:1000"], &file).assert_code(0);
        assert_eq!(read.stdout, value);
        let read = read_as(daemon, &["--user", "1000:1000"], &project.path(".secrets/app/given")).assert_code(0);
        assert_eq!(read.stdout, given, "every byte as it was given");
        // Neither another user, nor one whose group alone is that of the file.
        assert_denied(&read_as(daemon, &["--user", "1001:1001"], &file));
        assert_denied(&read_as(daemon, &["--user", "1001:1000"], &file));

        let shared = project.path(".secrets/group/password");
        let read = read_as(daemon, &["--user", "1001:1001", "--group-add", "2000"], &shared).assert_code(0);
        assert_eq!(read.stdout, value);
        assert_denied(&read_as(daemon, &["--user", "1001:1001"], &shared));
        project.run(["check"]).assert_code(0);
    });
}

/// The trap that the README of every example names: the file on the host decides, and by default it is its owner's.
#[test]
fn a_file_without_a_declared_owner_belongs_to_who_made_it_and_a_container_s_user_cannot_read_it() {
    with_daemon(|daemon| {
        let project = Project::preset("docker-mcp");
        let file = project.path(".secrets/postgres_password");
        assert_eq!(project.mode(".secrets/postgres_password"), 0o600);
        assert_denied(&read_as(daemon, &["--user", "1000:1000"], &file));
        // As the example's Compose file starts its services: with the uid of who ran vault-kit.
        let read = read_as(daemon, &["--user", "0:0", "--cap-drop", "ALL"], &file).assert_code(0);
        assert_eq!(read.stdout.as_bytes(), project.get("POSTGRES_PASSWORD"));
    });
}

#[test]
fn docker_run_reads_the_same_values_from_an_env_file_as_the_store_holds() {
    with_daemon(|daemon| {
        let values = [
            "it's",
            "say \"hi\"",
            "'single'",
            "\"double\"",
            "$HOME",
            "a${HOME}b",
            "a$(id)b",
            "a`id`b",
            "a #b",
            "#a",
            " lead",
            "trail ",
            "\ttab\t",
            "=",
            "==a",
            "A=B",
            r"C:\dir\new",
            r"trailing\",
            r"a\\b",
            "a;b&c|d<e>f(g)h*i?j[k]l",
            "{\"a\": {\"b\": [1, \"x\"]}}",
            "grüße \u{1f511} 密钥",
            "\u{a0}nbsp\u{a0}",
            "~/x:~",
            "!bang!",
            "100%",
            "postgres://app:p%40ss@db:5432/app?sslmode=require&x=1",
            "it's \"both\" `and` $HOME \\",
        ];
        let mut manifest = "[project]\nname = \"judged\"\n".to_owned();
        let mut given = serde_json::Map::new();
        for (index, value) in values.iter().enumerate() {
            manifest.extend(["[secrets.K", &index.to_string(), "]\nkind = \"external\"\n"]);
            given.insert(format!("K{index}"), (*value).into());
        }
        manifest.push_str("[outputs.env]\nformat = \"dotenv\"\ndialect = \"docker-run\"\npath = \".env\"\n");
        let project = Project::with_manifest(&manifest);
        project.write("given.json", serde_json::Value::from(given).to_string());
        project.run(["import", "given.json"]).assert_code(0);
        project.run(["init"]).assert_code(0);

        let file = project.path(".env").display().to_string();
        let read = daemon.run(&["--env-file", &file], &["env", "-0"]).assert_code(0);
        let found: Vec<&str> = read.stdout.split('\0').collect();
        for (index, value) in values.iter().enumerate() {
            assert!(found.contains(&format!("K{index}={value}").as_str()), "{value:?}: {found:?}");
            assert_eq!(project.get(&format!("K{index}")), value.as_bytes());
        }
        assert_eq!(found.iter().filter(|entry| entry.starts_with('K')).count(), values.len());
    });
}

#[test]
fn a_running_container_sees_an_in_place_change_at_once_and_a_renamed_file_only_by_its_directory() {
    with_daemon(|daemon| {
        let project = Project::with_manifest(
            r#"
            [project]
            name = "judged"
            [secrets.VALUE]
            kind = "external"
            [outputs.renamed]
            format = "docker-secrets"
            path = "renamed"
            [outputs.in_place]
            format = "docker-secrets"
            path = "in_place"
            in_place = true
            "#,
        );
        let (old, new) = ("the-old-value-is-the-longer-one-of-the-two", "the-new-value-of-this-secret");
        project.run(["init"]).assert_code(0);
        let set = |value: &str| project.run_with_stdin(["set", "VALUE"], value.as_bytes()).assert_code(0);
        set(old);
        let mounts = [("in_place/value", "/in_place"), ("renamed/value", "/renamed"), ("renamed", "/directory")];
        let mounts = mounts.map(|(host, container)| bind(&project.path(host), container));
        let mut arguments = vec!["run", "--detach", "--rm", "--network", "none", "--stop-signal", "KILL"];
        arguments.extend(mounts.iter().flat_map(|mount| ["--mount", mount.as_str()]));
        arguments.extend([IMAGE, "/bin/busybox", "sleep", "3600"]);
        let container = Container::start(daemon, &arguments);
        let seen = || ["/in_place", "/renamed", "/directory/value"].map(|path| container.read(path));
        assert_eq!(seen(), [old, old, old]);
        set(new);
        assert_eq!(seen(), [new, old, new]);
        let newest = "and-once-more-another-value-of-it-that-is-longer-than-both";
        set(newest);
        assert_eq!(seen(), [newest, old, newest]);
    });
}

/// A running container, removed when it is dropped.
struct Container<'a> {
    daemon: &'a Daemon,
    id: String,
}

impl<'a> Container<'a> {
    fn start(daemon: &'a Daemon, arguments: &[&str]) -> Self {
        let id = Run::of(&mut daemon.docker(arguments)).assert_code(0).stdout.trim_end().to_owned();
        Self { daemon, id }
    }

    /// What its root reads.
    fn read(&self, path: &str) -> String {
        let arguments = ["exec", &self.id, "/bin/busybox", "cat", path];
        Run::of(&mut self.daemon.docker(&arguments)).assert_code(0).stdout
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let _ = self.daemon.docker(&["rm", "--force", &self.id]).output();
    }
}

#[test]
fn check_and_whoever_replaced_it_name_the_container_that_still_has_the_old_file() {
    with_daemon(|daemon| {
        let project = Project::initialised(
            r#"
            [project]
            name = "judged"
            [secrets.VALUE]
            kind = "random"
            [outputs.renamed]
            format = "docker-secrets"
            path = "renamed"
            [outputs.in_place]
            format = "docker-secrets"
            path = "in_place"
            in_place = true
            "#,
        );
        let mounts = [("in_place/value", "/var/run/a"), ("renamed/value", "/var/run/b"), ("renamed", "/directory")];
        let mounts = mounts.map(|(host, container)| bind(&project.path(host), container));
        let labels = ["com.docker.compose.project=shop", "com.docker.compose.service=web"];
        let mut arguments =
            vec!["run", "--detach", "--name", "shop-web-1", "--network", "none", "--stop-signal", "KILL"];
        arguments.extend(labels.iter().flat_map(|label| ["--label", label]));
        arguments.extend(mounts.iter().flat_map(|mount| ["--mount", mount.as_str()]));
        arguments.extend([IMAGE, "/bin/busybox", "sleep", "3600"]);
        let container = Container::start(daemon, &arguments);
        let run = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            command.env("DOCKER_HOST", daemon.address());
            Run::of(&mut command)
        };
        assert_eq!(run(&["check"]).assert_code(0).stdout.lines().count(), 1);

        let told = run(&["generate", "--replace", "VALUE", "--yes"]).assert_code(0);
        let restart = "docker compose -p shop restart web";
        let warning = format!("container `shop-web-1` still has `renamed/value` as it was: `{restart}`");
        assert!(told.stderr.contains(&warning) && !told.stderr.contains("in_place/value` as"), "{}", told.stderr);
        let report = run(&["check", "--json"]).assert_code(1);
        let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{report}");
        assert_eq!((&findings[0]["code"], &findings[0]["file"]), (&"mounted-stale".into(), &"renamed/value".into()));
        assert!(findings[0]["fix"].as_str().unwrap().starts_with(restart), "{report}");
        assert_eq!(report["not_checked"], serde_json::json!([]));

        // A start mounts what stands there now.
        Run::of(&mut daemon.docker(&["restart", &container.id])).assert_code(0);
        run(&["check"]).assert_code(0);
        assert_eq!(container.read("/var/run/b").as_bytes(), project.get("VALUE"));
    });
}

/// What was committed with an image and deleted in a later layer is in what `docker save` writes.
#[test]
fn a_value_in_a_layer_of_a_saved_image_is_found() {
    with_daemon(|daemon| {
        let project = Project::initialised("[project]\nname = \"p\"\n[secrets.AUTH]\nkind = \"random\"\n");
        let auth = String::from_utf8(project.get("AUTH")).unwrap();
        let docker = |arguments: &[&str]| Run::of(&mut daemon.docker(arguments)).assert_code(0);
        let layer = |from: &str, tag: &str, change: &[&str], script: &str| {
            let name = format!("made-{tag}");
            let run = ["run", "--network", "none", "--name", &name, from, "/bin/busybox", "sh", "-c", script];
            docker(&run);
            docker(&[&["commit"], change, &[&name, tag]].concat());
            docker(&["rm", &name]);
        };
        let save = |tag: &str| {
            let tar = project.path(&format!("{tag}.tar"));
            docker(&["save", "--output", tar.to_str().unwrap(), tag]);
        };
        layer(IMAGE, "with", &[], &format!("echo 'key = {auth}' > /leak.txt"));
        layer("with", "without", &[], "/bin/busybox rm /leak.txt");
        layer(IMAGE, "told", &["--change", &format!("ENV AUTH={auth}")], ":");
        for (image, place) in [("with", "leak.txt"), ("without", "leak.txt"), ("told", "")] {
            save(image);
            let run = project.run(["scan", "--image", &format!("{image}.tar"), "--json"]).assert_code(1);
            assert!(run.stdout.contains("\"AUTH\"") && run.stdout.contains(place), "{image}: {run:?}");
            assert!(!run.both().contains(&auth), "{image}");
        }
        // Of the image that all of these were made from nothing is known.
        docker(&["save", "--output", project.path("clean.tar").to_str().unwrap(), IMAGE]);
        project.run(["scan", "--image", "clean.tar"]).assert_code(0);
    });
}
