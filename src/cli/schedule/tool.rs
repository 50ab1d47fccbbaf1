//! The programs of the system that a schedule is handed to. Nothing else here runs one.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::cli::context::IDENTITY_VARIABLES;
use crate::error::{Error, Kind, Result};

/// The user's crontab; empty when there is none.
pub fn read_crontab() -> Result<String> {
    let output = command("crontab").arg("-l").output().map_err(|error| not_started("crontab", error))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|_| failed("crontab -l", "it is not UTF-8 text"));
    }
    if complaint.contains("no crontab for") { Ok(String::new()) } else { Err(failed("crontab -l", complaint.trim())) }
}

/// Replaces the user's crontab.
pub fn write_crontab(text: &str) -> Result<()> {
    let mut child = command("crontab")
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started("crontab", error))?;
    // One that reads nothing tells why by its exit code.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|error| Error::io("wait for `crontab`", error))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed("crontab -", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// Runs `systemctl` with these words.
pub fn systemctl(words: &[&str]) -> Result<()> {
    let output = command("systemctl").args(words).output().map_err(|error| not_started("systemctl", error))?;
    let line = format!("systemctl {}", words.join(" "));
    if output.status.success() { Ok(()) } else { Err(failed(&line, String::from_utf8_lossy(&output.stderr).trim())) }
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").stdin(Stdio::null());
    for variable in IDENTITY_VARIABLES {
        command.env_remove(variable);
    }
    command
}

fn not_started(program: &str, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Error::new(Kind::System, "scheduler-missing", format!("there is no program `{program}`"))
            .hint("`vault-kit schedule print` shows what would be scheduled; `--cron` does with a crontab, no `--cron` with systemd");
    }
    Error::io(format!("run `{program}`"), error)
}

fn failed(line: &str, complaint: &str) -> Error {
    let said = complaint.lines().next().unwrap_or("nothing");
    Error::new(Kind::Incomplete, "scheduler-failed", format!("`{line}` failed: {said}"))
        .hint("run it yourself to see more; `vault-kit schedule install` can be run again")
}
