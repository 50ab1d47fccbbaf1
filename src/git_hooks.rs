//! The text of git's hooks: what calls us before a commit, a merge and a push. Writes nothing.

use crate::shell;

/// What stands in the second line of a hook of ours, whatever its version.
const MARK: &str = "# vault-kit: git's ";

/// Among how many first lines it is looked for: people write lines of their own above it.
const FIRST_LINES: usize = 20;

/// What a line that names a project begins with.
const PROJECT: &str = "project ";

/// What the name of a hook that was there before ends with.
pub const BEFORE: &str = ".before-vault-kit";

/// What the pre-commit framework that comes later lets the name of ours end with; it goes on calling it.
const LEGACY: &str = ".legacy";

/// What lefthook lets it end with; nobody calls it then.
const OLD: &str = ".old";

/// When a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Before a commit is made.
    PreCommit,
    /// Before `git merge` commits what it made.
    PreMergeCommit,
    /// When the message of a commit is written.
    CommitMsg,
    /// Before anything is pushed.
    PrePush,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::PreCommit, Self::PreMergeCommit, Self::CommitMsg, Self::PrePush];

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
        }
    }

    /// The names that ours may have by now.
    pub fn files(self) -> [String; 3] {
        [self.file().to_owned(), self.legacy(), self.old()]
    }

    /// The name by which a framework that came later calls ours.
    pub fn legacy(self) -> String {
        self.file().to_owned() + LEGACY
    }

    /// The name that ours has where a tool that came later put it aside.
    pub fn old(self) -> String {
        self.file().to_owned() + OLD
    }

    /// The hook for no project yet.
    fn template(self) -> String {
        let text = match self {
            Self::PreCommit | Self::PreMergeCommit => include_str!("../hooks/pre-commit"),
            Self::CommitMsg => include_str!("../hooks/commit-msg"),
            Self::PrePush => include_str!("../hooks/pre-push"),
        };
        let text = text.strip_suffix("project .\n").unwrap_or(text);
        // Both look at what git is to commit.
        text.replacen("git's pre-commit hook", &format!("git's {} hook", self.file()), 1)
    }

    /// The hook for these projects, in shell words.
    fn of(self, projects: &[&str]) -> String {
        projects.iter().fold(self.template(), |text, project| text + PROJECT + project + "\n")
    }

    /// The hook that also looks at a project, from what is there.
    pub fn with(self, existing: Option<&str>, project: &str) -> String {
        let word = shell::path(project);
        let mut projects = existing.map(projects).unwrap_or_default();
        if !projects.contains(&word.as_str()) {
            projects.push(&word);
        }
        self.of(&projects)
    }

    /// Whether a hook of ours says what this version writes for its projects, and nothing else.
    pub fn is_as_written(self, existing: &str) -> bool {
        self.of(&projects(existing)) == existing
    }

    /// The hook that looks at a project no more; `None` when it looks at none.
    pub fn without(self, existing: &str, project: &str) -> Option<String> {
        let word = shell::path(project);
        let projects: Vec<&str> = projects(existing).into_iter().filter(|it| *it != word).collect();
        (!projects.is_empty()).then(|| self.of(&projects))
    }
}

/// Whether a hook is one of ours, edited or not.
pub fn is_ours(text: &str) -> bool {
    text.lines().take(FIRST_LINES).any(|line| line.starts_with(MARK))
}

/// Whether a hook of ours looks at a project.
pub fn is_for(text: &str, project: &str) -> bool {
    projects(text).contains(&shell::path(project).as_str())
}

/// The projects that a hook of ours looks at, in shell words.
pub fn projects(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix(PROJECT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_what_is_written_for_one_project() {
        for (event, shipped) in [
            (Event::PreCommit, include_str!("../hooks/pre-commit")),
            (Event::CommitMsg, include_str!("../hooks/commit-msg")),
            (Event::PrePush, include_str!("../hooks/pre-push")),
        ] {
            assert_eq!(event.with(None, "."), shipped);
            assert!(is_ours(shipped) && is_for(shipped, "."));
        }
        let merge = Event::PreMergeCommit.with(None, ".");
        assert!(is_ours(&merge) && merge.contains("git's pre-merge-commit hook"));
        assert!(!is_ours("#!/bin/sh\necho vault-kit\n"));
    }

    #[test]
    fn projects_come_and_go_one_by_one() {
        let event = Event::PreCommit;
        let one = event.with(None, "a b");
        assert_eq!(event.with(Some(&one), "a b"), one);
        let two = event.with(Some(&one), "c");
        assert!(two.ends_with("project 'a b'\nproject c\n"), "{two}");
        assert_eq!(event.without(&two, "c"), Some(one.clone()));
        assert_eq!(event.without(&one, "a b"), None);
        // A hook of an older version is brought up to date.
        assert_eq!(
            event.with(Some("#!/bin/sh\n# vault-kit: git's old\nproject c\n"), "a b"),
            event.of(&["c", "'a b'"])
        );
    }
}
