//! Names of branches and tags, and the messages of annotated tags: what is pushed, and stands in no commit.

use std::collections::HashSet;

use super::{Blob, Git, failed};
use crate::error::Result;
use crate::scan::stream::{Found, Place, Search, Worker};

/// A branch, a tag, or another name for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ref {
    /// From `refs/` on.
    pub(super) name: String,
    /// What it names.
    id: String,
    /// The commit that it leads to in the end.
    commit: String,
}

impl Ref {
    /// Whether it names an object with a message of its own.
    fn is_annotated(&self) -> bool {
        self.id != self.commit
    }
}

impl Git {
    /// All of them, with what they lead to.
    pub(super) fn refs(&self) -> Result<Vec<Ref>> {
        const FORMAT: &str = "--format=%(objectname) %(*objectname) %(refname)";
        let answer = self.ask(&["for-each-ref", FORMAT])?.ok_or_else(failed)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let one = |line: &str| {
            let (id, rest) = line.split_once(' ')?;
            let (peeled, name) = rest.split_once(' ')?;
            let commit = if peeled.is_empty() { id } else { peeled };
            Some(Ref { name: name.to_owned(), id: id.to_owned(), commit: commit.to_owned() })
        };
        Ok(answer.lines().filter_map(one).collect())
    }

    /// Those that lead to one of the commits.
    pub(super) fn refs_to(&self, commits: &[u8]) -> Result<Vec<Ref>> {
        let ids: HashSet<&[u8]> = commits.split(|&it| it == b'\n').collect();
        let mut refs = self.refs()?;
        refs.retain(|it| ids.contains(it.commit.as_bytes()));
        Ok(refs)
    }

    /// What the commits brought that no remote has yet, of those that the lines of a pre-push hook name; the names that they
    /// get there, and the messages of tags.
    pub fn pushed(&self, lines: &str, search: &Search<'_>) -> Result<Found> {
        self.expect_repository()?;
        let (mut revisions, mut refs) = (Vec::new(), Vec::new());
        let known = if lines.trim().is_empty() { Vec::new() } else { self.refs()? };
        for Pushed { ours, theirs, name } in pushed(lines) {
            revisions.push(ours.to_owned());
            revisions.extend((!is_none(theirs)).then(|| format!("^{theirs}")));
            let commit = known.iter().find(|it| it.id == ours).map_or(ours, |it| &it.commit);
            refs.push(Ref { name: name.to_owned(), id: ours.to_owned(), commit: commit.to_owned() });
        }
        if revisions.is_empty() {
            return Ok(Found::default());
        }
        let mut arguments = vec!["rev-list", "--reverse", "--ignore-missing"];
        arguments.extend(revisions.iter().map(String::as_str));
        arguments.extend(["--not", "--remotes"]);
        let commits = self.ask(&arguments)?.ok_or_else(failed)?;
        self.commits(&commits, &refs, search)
    }
}

/// A line of a pre-push hook, of a ref that is not taken away.
struct Pushed<'a> {
    ours: &'a str,
    theirs: &'a str,
    /// What it is called there.
    name: &'a str,
}

/// Whether an id is that of nothing.
pub(super) fn is_none(id: &str) -> bool {
    id.bytes().all(|it| it == b'0')
}

fn pushed(lines: &str) -> impl Iterator<Item = Pushed<'_>> {
    let is_id = |id: &&str| id.len() >= 40 && id.bytes().all(|it| it.is_ascii_hexdigit());
    let one = move |line| {
        // The remote's name of the ref may have blanks in it, the ids stand second from the left and last.
        let mut words = str::rsplit(line, ' ').filter(is_id);
        let (theirs, ours) = (words.next()?, words.next()?);
        let name = line.split_once(ours).map_or("", |(_, rest)| rest.trim_end_matches(theirs).trim());
        Some(Pushed { ours, theirs, name })
    };
    lines.lines().filter_map(one).filter(|it| !is_none(it.ours))
}

/// The commit that is pushed, by the lines of a pre-push hook; `None` where there are several. Tags name what branches have.
pub fn only_tip(lines: &str) -> Option<&str> {
    let mut tips = pushed(lines).filter(|it| !it.name.starts_with("refs/tags/")).map(|it| it.ours);
    let tip = tips.next()?;
    tips.all(|other| other == tip).then_some(tip)
}

/// Looks through the names, and adds the messages to what is looked at.
pub(super) fn add(refs: &[Ref], search: &Search<'_>, blobs: &mut Vec<Blob>) -> Found {
    let mut worker = Worker::new(search);
    for it in refs {
        worker.name(Place { file: &it.name, commit: Some(&it.commit) });
        if it.is_annotated() {
            let file = format!("(the message of {})", it.name);
            blobs.push(Blob { id: it.id.clone(), file, commit: Some(it.commit.clone()) });
        }
    }
    worker.found
}
