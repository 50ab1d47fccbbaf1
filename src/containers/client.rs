//! The Docker client as a child process, for what containers see of our files. It inherits nothing but `PATH`, is asked for no value, and has three seconds for all of its answers.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// For all answers together.
const PATIENCE: Duration = Duration::from_secs(3);

/// More than this is no answer.
const LARGEST: usize = 16 << 20;

/// A client of the daemon behind a socket.
#[derive(Debug)]
pub struct Client {
    host: String,
    path: std::ffi::OsString,
    until: Instant,
}

impl Client {
    /// A client whose time begins now. What it fails with is said of what could not be looked at.
    pub fn new(socket: &Path, path: Option<&OsStr>) -> Result<Self, String> {
        let path = path.ok_or("there is no PATH to find docker in")?.to_owned();
        Ok(Self { host: format!("unix://{}", socket.display()), path, until: Instant::now() + PATIENCE })
    }

    /// What the client says on stdout.
    pub fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let mut command = Command::new("docker");
        // Named, since a context of the user's could mean another machine.
        command.arg("--host").arg(&self.host).args(arguments);
        command.env_clear().env("PATH", &self.path).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("docker cannot be started: {error}"))?;
        let answer = child.stdout.take().ok_or_else(|| "docker has no stdout".to_owned());
        let answer =
            answer.and_then(|stdout| self.read(stdout)).and_then(|answer| self.wait(&mut child).map(|()| answer));
        if answer.is_err() {
            // It may have ended already; then there is nobody to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        answer
    }

    fn read(&self, mut stdout: ChildStdout) -> Result<Vec<u8>, String> {
        let mut answer = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            let left = Timespec::try_from(self.left()?).map_err(|_| late())?;
            match poll(&mut [PollFd::new(&stdout.as_fd(), PollFlags::IN)], Some(&left)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(format!("docker's answer cannot be read: {error}")),
            }
            let read = stdout.read(&mut buffer).map_err(|error| format!("docker's answer cannot be read: {error}"))?;
            if read == 0 {
                return Ok(answer);
            }
            answer.extend_from_slice(&buffer[..read]);
            if answer.len() > LARGEST {
                return Err("docker's answer does not end".to_owned());
            }
        }
    }

    /// Until it ends, which it does at once when stdout is closed. A container that ended meanwhile is no failure: its
    /// line is missing, and those of others are there.
    fn wait(&self, child: &mut Child) -> Result<(), String> {
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() || status.code() == Some(1) => return Ok(()),
                Ok(Some(status)) => return Err(format!("docker fails: {status}")),
                Ok(None) => {
                    self.left()?;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(format!("docker cannot be waited for: {error}")),
            }
        }
    }

    fn left(&self) -> Result<Duration, String> {
        self.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()).ok_or_else(late)
    }
}

fn late() -> String {
    format!("docker did not answer within {} s", PATIENCE.as_secs())
}
