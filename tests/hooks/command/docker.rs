//! Docker Swarm, with a daemon of the tests' own.

use std::process::Command;
use std::time::{Duration, Instant};

use super::project;
use crate::daemon::{Daemon, IMAGE, with_daemon};
use crate::support::{Project, Run};

/// What every container here does: nothing, until it is told to end.
const IDLE: &str = "trap 'exit 0' TERM; while :; do /bin/busybox sleep 0.1; done";

/// `vault-kit rotate …` of a user who speaks to this daemon.
fn rotates(project: &Project, daemon: &Daemon, arguments: &[&str]) -> Run {
    Run::of(project.command(arguments).env("DOCKER_HOST", daemon.address()))
}

/// What a client of this project's user says.
fn docker(project: &Project, daemon: &Daemon, arguments: &[&str]) -> String {
    let mut command: Command = daemon.docker(arguments);
    command.current_dir(project.root()).env("HOME", project.home());
    Run::of(&mut command).assert_code(0).stdout.trim().to_owned()
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
