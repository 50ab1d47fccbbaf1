//! Ranges of commits, as people and CI systems name them.

use std::collections::HashSet;

use super::Git;
use super::refs::is_none;
use crate::error::{Error, Kind, Result};
use crate::scan::stream::{Found, Search};

impl Git {
    /// What the commits of a range brought, each blob once; their messages too, and what branches and tags say of them.
    ///
    /// A range from all zeros, as CI systems name the state before the first push of a branch, is everything that leads to its
    /// end; one to all zeros, a branch that was taken away, is nothing.
    pub fn range(&self, range: &str, search: &Search<'_>) -> Result<Found> {
        self.expect_repository()?;
        // For git that is from `HEAD`, so that a variable of a CI system that is empty would find nothing, always.
        if range.starts_with("..") {
            return Err(without_beginning());
        }
        let Some(revisions) = meant(range) else { return Ok(without_commits("it leads to nothing")) };
        let commits = self.ask(&["rev-list", "--reverse", "--end-of-options", revisions, "--"])?;
        let commits = commits.ok_or_else(unknown)?;
        if commits.is_empty() {
            return Ok(without_commits(&self.why_empty(revisions)?));
        }
        self.commits(&commits, &self.refs_to(&commits)?, search)
    }

    /// Why a range that git knows has no commits.
    fn why_empty(&self, range: &str) -> Result<String> {
        let (start, end) = range.split_once("..").unwrap_or((range, range));
        let end = end.strip_prefix('.').unwrap_or(end);
        let back = format!("{}..{start}", if end.is_empty() { "HEAD" } else { end });
        let count = self.ask(&["rev-list", "--count", "--end-of-options", &back, "--"])?.unwrap_or_default();
        Ok(match String::from_utf8_lossy(count.trim_ascii()).parse() {
            Ok(count @ 1_u64..) => format!(
                "its end comes before its beginning (`A..B` is what B has and A lacks; the other way round: {count})"
            ),
            _ => "its beginning has all that its end has".to_owned(),
        })
    }

    /// Whether commits of these have parents that a shallow clone lacks.
    pub(super) fn is_cut(&self, commits: &[u8]) -> Result<bool> {
        let Some(file) = self.path("--git-path", Some("shallow"))? else { return Ok(false) };
        let Ok(ends) = std::fs::read(file) else { return Ok(false) };
        let ends: HashSet<&[u8]> = ends.split(|&it| it == b'\n').filter(|id| !id.is_empty()).collect();
        for id in commits.split(|&it| it == b'\n').filter(|id| ends.contains(id)) {
            // The list has the first commit of all too, where the clone reaches as far.
            let commit = self.ask(&["cat-file", "commit", &String::from_utf8_lossy(id)])?.unwrap_or_default();
            let head = memchr::memmem::find(&commit, b"\n\n").unwrap_or(commit.len());
            if memchr::memmem::find(&commit[..head], b"\nparent ").is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// CI systems name such ranges too, of a push that brought nothing or went back: it is no error, and told all the same.
fn without_commits(why: &str) -> Found {
    Found { warnings: vec![format!("the range has no commits, so none was looked at: {why}")], ..Found::default() }
}

fn unknown() -> Error {
    let shown = "name two commits that are here, such as `origin/main..HEAD`";
    Error::new(Kind::Usage, "range-unknown", "git does not know this range of commits").hint(format!(
        "{shown}; a shallow clone lacks older ones (`git fetch --unshallow` brings them), and none has what a forced push left behind: `HEAD` alone is all its history"
    ))
}

fn without_beginning() -> Error {
    Error::new(Kind::Usage, "range-unknown", "this range has no beginning").hint(
        "is a variable empty? name the commit before it, such as `origin/main..HEAD`; `HEAD` alone is all its history",
    )
}

/// What git is to be asked for; `None` for nothing.
fn meant(range: &str) -> Option<&str> {
    let is_zero = |id: &str| id.len() >= 40 && is_none(id);
    let Some((start, end)) = range.split_once("..") else { return Some(range).filter(|it| !is_zero(it)) };
    let end = end.strip_prefix('.').unwrap_or(end);
    match (is_zero(start), is_zero(end)) {
        (_, true) => None,
        // Without an end it is that of the last commit.
        (true, false) => Some(if end.is_empty() { "HEAD" } else { end }),
        (false, false) => Some(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_all_zeros_is_no_commit() {
        let zeros = "0".repeat(40);
        for (range, expected) in [
            ("a..b", Some("a..b")),
            ("a...b", Some("a...b")),
            ("a..", Some("a..")),
            ("000..b", Some("000..b")),
            (&format!("{zeros}..b"), Some("b")),
            (&format!("{zeros}...b"), Some("b")),
            (&format!("{zeros}000000000000000000000000..b"), Some("b")),
            (&format!("{zeros}.."), Some("HEAD")),
            (&format!("a..{zeros}"), None),
            (&format!("{zeros}..{zeros}"), None),
            (&zeros, None),
        ] {
            assert_eq!(meant(range), expected, "{range}");
        }
    }
}
