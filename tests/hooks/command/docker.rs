//! Docker Compose and Docker Swarm, with a daemon of the tests' own.

use std::process::Command;
use std::time::{Duration, Instant};

use super::project;
use crate::daemon::{Daemon, IMAGE, with_daemon};
use crate::support::{Project, Run, python, skip};

/// What every container here does: nothing, until it is told to end.
const IDLE: &str = "trap 'exit 0' TERM; while :; do /bin/busybox sleep 0.1; done";

/// `vault-kit rotate …` of a user who speaks to this daemon.
fn rotates(project: &Project, daemon: &Daemon, arguments: &[&str]) -> Run {
    Run::of(project.command(arguments).env("DOCKER_HOST", daemon.address()))
}

/// Compose as a plugin of the client, in the home of the project's user.
fn compose_plugin(project: &Project) -> Option<()> {
    let plugin = python().and_then(|python| {
        let packages = std::fs::read_dir(python.parent()?.parent()?.join("lib")).ok()?;
        let mut found = packages.flatten().map(|it| it.path().join("site-packages/compose/docker-compose"));
        found.find(|path| path.is_file())
    });
    let plugins = project.home().join(".docker/cli-plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::os::unix::fs::symlink(plugin?, plugins.join("docker-compose")).ok()
}

/// What a client of this project's user says.
fn docker(project: &Project, daemon: &Daemon, arguments: &[&str]) -> String {
    let mut command: Command = daemon.docker(arguments);
    command.current_dir(project.root()).env("HOME", project.home());
    Run::of(&mut command).assert_code(0).stdout.trim().to_owned()
}

#[test]
fn a_compose_project_follows_a_rotation_and_only_who_reads_it_starts_again() {
    with_daemon(|daemon| {
        let manifest = "[project]\nname = \"shop\"\n[secrets.PASSWORD]\nkind = \"password\"\n[secrets.TOKEN]\nkind = \"random\"\n\
             [secrets.OTHER]\nkind = \"random\"\n\
             [hooks.compose]\nprogram = \"hooks/compose\"\nsteps = [\"reload\"]\nenvironment = [\"DOCKER_HOST\"]\n\
             [outputs.files]\nformat = \"docker-secrets\"\npath = \"app\"\nsecrets = [\"PASSWORD\", \"OTHER\"]\n\
             [outputs.env]\nformat = \"dotenv\"\ndialect = \"compose\"\npath = \"app.env\"\nsecrets = [\"TOKEN\"]\n";
        let shop = project(manifest, &["compose"], &[]);
        if compose_plugin(&shop).is_none() {
            return skip("hooks-compose", "no docker-compose in .venv: run tests/setup");
        }
        let service = |name: &str, more: &str| {
            format!(
                "  {name}:\n    image: {IMAGE}\n    network_mode: none\n    stop_grace_period: 2s\n    \
                 command: [/bin/busybox, sh, -c, \"{}\"]\n{more}",
                IDLE.replace('$', "$$")
            )
        };
        shop.write(
            "compose.yaml",
            format!(
                "name: shop\nservices:\n{}{}{}secrets:\n  password:\n    file: app/password\n  other:\n    file: app/other\n",
                service("reads", "    secrets: [password]\n"),
                service("takes", "    env_file: [app.env]\n"),
                service("bystander", "    secrets: [other]\n"),
            ),
        );
        docker(&shop, daemon, &["compose", "up", "--detach"]);
        let down = Down(&shop, daemon);
        let started = |service: &str| {
            let id = docker(&shop, daemon, &["compose", "ps", "--quiet", service]);
            docker(&shop, daemon, &["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", &id])
        };
        let inside = |service: &str, applet: &[&str]| {
            docker(&shop, daemon, &[&["compose", "exec", "--no-TTY", service, "/bin/busybox"], applet].concat())
        };
        let before = ["reads", "takes", "bystander"].map(started);
        rotates(&shop, daemon, &["rotate", "PASSWORD"]).assert_code(0);
        let after = ["reads", "takes", "bystander"].map(started);
        assert_eq!(before[1..], after[1..]);
        assert_ne!(before[0], after[0]);
        assert_eq!(inside("reads", &["cat", "/run/secrets/password"]).as_bytes(), shop.get("PASSWORD"));
        rotates(&shop, daemon, &["rotate", "TOKEN"]).assert_code(0);
        let last = ["reads", "takes", "bystander"].map(started);
        assert_eq!((&after[0], &after[2]), (&last[0], &last[2]));
        assert_eq!(inside("takes", &["sh", "-c", "echo \"$TOKEN\""]).as_bytes(), shop.get("TOKEN"));
        rotates(&shop, daemon, &["check"]).assert_code(0);
        drop(down);
    });
}

/// Ends the containers with the test, whatever came of it.
struct Down<'a>(&'a Project, &'a Daemon);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        let mut command = self.1.docker(&["compose", "down", "--timeout", "0"]);
        let _ = command.current_dir(self.0.root()).env("HOME", self.0.home()).output();
    }
}

#[test]
fn a_swarm_service_follows_rotations_and_the_old_secrets_go() {
    with_daemon(|daemon| {
        let manifest = "[project]\nname = \"shop\"\n[secrets.PASSWORD]\nkind = \"password\"\nhooks = [\"docker-swarm\"]\noverlap = \"1s\"\n\
             [hooks.docker-swarm]\nprogram = \"hooks/docker-swarm\"\nsteps = [\"set\", \"test\", \"retire\"]\n\
             environment = [\"DOCKER_HOST\"]\noptions = { services = \"app\" }\n";
        let shop = project(manifest, &["docker-swarm"], &[]);
        docker(&shop, daemon, &["swarm", "init", "--advertise-addr", "127.0.0.1"]);
        let leave = Leave(daemon);
        docker(
            &shop,
            daemon,
            &[
                "service",
                "create",
                "--detach",
                "--quiet",
                "--name",
                "app",
                "--network",
                "host",
                "--no-resolve-image",
                "--update-monitor",
                "100ms",
                "--update-order",
                "start-first",
                "--stop-grace-period",
                "1s",
                IMAGE,
                "/bin/busybox",
                "sh",
                "-c",
                IDLE,
            ],
        );
        for round in 0..3 {
            rotates(&shop, daemon, &["rotate", "PASSWORD"]).assert_code(0);
            assert_eq!(running(&shop, daemon).as_bytes(), shop.get("PASSWORD"), "round {round}");
            std::thread::sleep(Duration::from_secs(1));
            rotates(&shop, daemon, &["rotate", "--due"]).assert_code(0);
            let kept = docker(&shop, daemon, &["secret", "ls", "--quiet"]);
            assert_eq!(kept.lines().count(), 1, "round {round}: {kept}");
        }
        drop(leave);
    });
}

/// What the newest running container of the service has as its secret.
fn running(shop: &Project, daemon: &Daemon) -> String {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let ids = docker(shop, daemon, &["ps", "--quiet", "--latest", "--filter", "status=running"]);
        let mut command = daemon.docker(&["exec", &ids, "/bin/busybox", "cat", "/run/secrets/password"]);
        let run = Run::of(&mut command);
        if run.code == 0 {
            return run.stdout;
        }
        assert!(Instant::now() < until, "{run:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Ends the service with the test, whatever came of it.
struct Leave<'a>(&'a Daemon);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let _ = self.0.docker(&["swarm", "leave", "--force"]).output();
    }
}
