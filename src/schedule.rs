//! What runs `rotate --due` again and again: units of systemd, or a line of a crontab. Pure text, escaped for its reader.

pub mod crontab;
pub mod systemd;

use crate::manifest::period::Period;
use crate::secret::digest::sha256_hex;

/// What is to be run, for whom, and where.
#[derive(Debug)]
pub struct Job {
    /// The project's name.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// Our own program, absolute.
    pub program: String,
    /// The project's directory, absolute, by the path that the user gave: a symlink on it may lead elsewhere one day.
    pub directory: String,
    /// The same directory without a symlink on its path.
    pub place: String,
    /// The manifest's file name in it.
    pub manifest: String,
    /// The file of the identity, absolute.
    pub identity: String,
    /// How often.
    pub every: Every,
    /// Directories and files that it writes to besides the project's, absolute.
    pub writes: Vec<String>,
    /// `$XDG_STATE_HOME`, where that says that the state directory is somewhere else than in the home.
    pub state_home: Option<String>,
    /// Whether a hook's program belongs to somebody else, who can be root alone.
    pub runs_roots: bool,
    /// Whose units these are.
    pub account: Account,
}

/// Under which account a job runs, and who starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// The user's own service manager.
    Own,
    /// The system's, as root.
    Root,
    /// The system's, as another user.
    Other(String),
}

/// A distance between runs that calendars can express.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Minutes that divide an hour.
    Minutes(u8),
    /// Hours that divide a day.
    Hours(u8),
}

impl Every {
    /// Parses `5m`, `1h` or `1d`; what divides neither an hour nor a day has no place in a calendar.
    pub fn parse(text: &str) -> Option<Self> {
        let minutes = Period::parse(text).map(Period::seconds).filter(|seconds| seconds % 60 == 0)? / 60;
        match minutes {
            1..60 if 60 % minutes == 0 => Some(Self::Minutes(u8::try_from(minutes).ok()?)),
            60..=1440 if minutes % 60 == 0 && 24 % (minutes / 60) == 0 => {
                Some(Self::Hours(u8::try_from(minutes / 60).ok()?))
            }
            _ => None,
        }
    }

    /// The distance in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Minutes(minutes) => u32::from(minutes) * 60,
            Self::Hours(hours) => u32::from(hours) * 3600,
        }
    }
}

impl Job {
    /// The name of its units, and the mark of its line: the same for the same directory and environment alone, by whatever path.
    pub fn name(&self) -> String {
        let place = sha256_hex(self.place.as_bytes());
        format!("vault-kit-{}-{}-{}", self.project, self.environment, &place[..8])
    }

    /// The words behind the program.
    fn words(&self) -> [&str; 10] {
        [
            "-C",
            &self.directory,
            "-f",
            &self.manifest,
            "-e",
            &self.environment,
            "--non-interactive",
            "--quiet",
            "rotate",
            "--due",
        ]
    }

    /// The first of its paths that neither a unit nor a crontab can hold.
    pub fn unfit(&self) -> Option<&str> {
        let own = [&self.program, &self.directory, &self.place, &self.manifest, &self.identity];
        let paths = own.into_iter().chain(&self.writes).chain(&self.state_home);
        paths.map(String::as_str).find(|path| path.chars().any(char::is_control))
    }
}

#[cfg(test)]
mod tests;
