//! Exit codes, and the only mapping from an error's kind to one of them.

use std::process::ExitCode;

/// What went wrong, as far as a script needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A bug in vault-kit.
    Bug,
    /// Usage; also a confirmation that is needed but cannot be asked.
    Usage,
    /// The manifest or the configuration is invalid.
    Manifest,
    /// The store or the identity: cannot open, damaged, not a recipient, went back.
    Store,
    /// Permission denied, by the system or by AWS.
    Permission,
    /// The disk or the system failed.
    System,
    /// AWS is unreachable or throttles: worth a retry.
    Remote,
    /// Somebody else changed it, holds the lock, or rotates it.
    Conflict,
    /// A step failed; the run can be resumed.
    Incomplete,
    /// The check says no.
    Findings,
}

/// The precedence of the kinds when several apply, first wins.
const PRECEDENCE: [Kind; 10] = [
    Kind::Bug,
    Kind::Usage,
    Kind::Manifest,
    Kind::Store,
    Kind::Permission,
    Kind::System,
    Kind::Remote,
    Kind::Conflict,
    Kind::Incomplete,
    Kind::Findings,
];

impl Kind {
    /// The exit code that stands for this kind.
    pub fn code(self) -> u8 {
        match self {
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Manifest => 3,
            Self::Store => 4,
            Self::Remote => 5,
            Self::Permission => 6,
            Self::Conflict => 7,
            Self::Incomplete => 8,
            Self::System => 9,
            Self::Bug => 70,
        }
    }

    /// The kind that decides the exit code when several apply.
    pub fn most_severe(kinds: impl IntoIterator<Item = Self>) -> Option<Self> {
        let kinds: Vec<Self> = kinds.into_iter().collect();
        PRECEDENCE.into_iter().find(|kind| kinds.contains(kind))
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// Done, or nothing to do.
    pub const DONE: Self = Self(0);

    /// Somebody interrupted it, as a shell says it of SIGINT.
    pub const INTERRUPTED: Self = Self(130);

    /// `run` found the command but could not execute it.
    pub const NOT_EXECUTABLE: Self = Self(126);

    /// `run` did not find the command.
    pub const NOT_FOUND: Self = Self(127);

    /// What `step certificate needs-renewal` says of a file that is not there.
    pub const STEP_MISSING: Self = Self(2);

    /// What it says when it cannot tell.
    pub const STEP_FAILED: Self = Self(255);

    /// The code as the shell sees it.
    pub fn code(self) -> u8 {
        self.0
    }
}

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        Self(kind.code())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_stands_once_in_the_precedence_and_has_a_code_of_its_own() {
        let mut codes: Vec<u8> = PRECEDENCE.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 70]);
    }

    #[test]
    fn a_damaged_store_outweighs_findings_and_a_busy_lock() {
        let kinds = [Kind::Findings, Kind::Conflict, Kind::Store];
        assert_eq!(Kind::most_severe(kinds), Some(Kind::Store));
    }
}
