//! A Docker daemon, which the tests start and end themselves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Run, Server, Shared, program, search_path, skip};

/// Nothing but busybox, at /bin/busybox.
pub(crate) const IMAGE: &str = "vault-kit-test:1";

/// How often a daemon is asked whether it is ready, and the pause between: half a minute in all.
const ASKED: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// A daemon with its own socket, data and containerd, in a network of its own that leads nowhere.
pub(crate) struct Daemon {
    // Ends before the directory goes.
    server: Server,
    directory: TempDir,
    docker: PathBuf,
}

/// The daemon of this file; an error is why none can be started.
fn daemon() -> Arc<Result<Daemon, String>> {
    static DAEMON: Shared<Result<Daemon, String>> = Shared::new();
    DAEMON.get(Daemon::start)
}

/// Runs a test with the daemon, or says aloud why not.
pub(crate) fn with_daemon(test: impl FnOnce(&Daemon)) {
    match daemon().as_ref() {
        Ok(daemon) => test(daemon),
        Err(why) => skip("docker", why),
    }
}

impl Daemon {
    fn start() -> Result<Self, String> {
        let find = |name: &str| program(name).ok_or_else(|| format!("no {name}: run tests/setup"));
        if !rustix::process::geteuid().is_root() {
            return Err("a Docker daemon can only be started by root".to_owned());
        }
        let (docker, dockerd, busybox, tar) = (find("docker")?, find("dockerd")?, find("busybox")?, find("tar")?);
        let unshare = find("unshare")?;
        let directory = tempfile::Builder::new().prefix("vault-kit-docker-").tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        put(&path("daemon.json"), "{}");
        put(&path("log"), "");
        let log = std::fs::File::options().append(true).open(path("log")).unwrap();
        let mut command = Command::new(unshare);
        command
            .args(["--net", "--", "/bin/sh", "-c", "\"$0\" ip link set lo up && exec \"$@\""])
            .arg(&busybox)
            .arg(dockerd);
        command.arg("--host").arg(format!("unix://{}", path("socket").display()));
        for (option, name) in
            [("data-root", "data"), ("exec-root", "exec"), ("pidfile", "pid"), ("config-file", "daemon.json")]
        {
            command.arg(format!("--{option}={}", path(name).display()));
        }
        command.args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"]);
        command.env_clear().env("PATH", search_path()).env("HOME", directory.path());
        let server = Server(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let mut daemon = Self { server, directory, docker };
        daemon.wait()?;

        let content = TempDir::new().unwrap();
        std::fs::create_dir(content.path().join("bin")).unwrap();
        std::fs::copy(busybox, content.path().join("bin/busybox")).unwrap();
        let archive = Command::new(tar).arg("-C").arg(content.path()).args(["-c", "."]).output().unwrap();
        Run::with_stdin(&mut daemon.docker(&["import", "-", IMAGE]), &archive.stdout).assert_code(0);
        // Static, or there is nothing in the image that can run.
        let run = daemon.run(&["--user", "0:0"], &["true"]);
        if run.code == 0 { Ok(daemon) } else { Err(format!("no container runs here: {}", run.stderr.trim())) }
    }

    /// Until it answers, or ended, or half a minute is over.
    fn wait(&mut self) -> Result<(), String> {
        for _ in 0..ASKED {
            if Run::of(&mut self.docker(&["version"])).code == 0 {
                return Ok(());
            }
            if self.server.0.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap();
        Err(format!("dockerd does not start here: {}", log.trim_end().lines().last().unwrap_or_default()))
    }

    /// Its address, as `DOCKER_HOST` has it.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.directory.path().join("socket").display())
    }

    /// The client with these arguments.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.docker);
        command.arg("--host").arg(self.address()).args(arguments);
        command.env_clear().env("PATH", search_path()).env("HOME", self.directory.path());
        command
    }

    /// `docker run` with these options, of this applet of busybox.
    pub(crate) fn run(&self, options: &[&str], applet: &[&str]) -> Run {
        let arguments = [&["run", "--rm", "--network", "none"], options, &[IMAGE, "/bin/busybox"], applet].concat();
        Run::of(&mut self.docker(&arguments))
    }
}

#[expect(clippy::disallowed_methods, reason = "a file that the test brings along")]
fn put(path: &Path, content: &str) {
    std::fs::write(path, content).unwrap();
}
