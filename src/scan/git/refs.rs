//! Names of branches and tags, and the messages of annotated tags: what is pushed, and stands in no commit.

use std::collections::HashSet;

use super::{Blob, Git, failed};
use crate::error::Result;
use crate::scan::files::shown;
use crate::scan::finding::Within;
use crate::scan::stream::{Found, Place, Search, Worker};

/// A branch, a tag, or another name for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ref {
    /// From `refs/` on.
    pub(super) name: String,
    /// The objects of annotated tags on the way, each with a message of its own: a tag may be one of a tag.
    tags: Vec<String>,
    /// What it leads to in the end.
    end: Object,
}

/// An object of git.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    id: String,
    /// `commit`, `tree`, `blob` or `tag`.
    kind: String,
}

impl Ref {
    /// What it names.
    fn id(&self) -> &str {
        self.tags.first().unwrap_or(&self.end.id)
    }

    /// The commit that it leads to; a tag may be one of a file or a directory.
    fn commit(&self) -> Option<&str> {
        (self.end.kind == "commit").then_some(self.end.id.as_str())
    }
}

impl Git {
    /// All of them, with what they lead to.
    pub(super) fn refs(&self) -> Result<Vec<Ref>> {
        const FORMAT: &str = "--format=%(objectname) %(objecttype) %(object) %(type) %(refname)";
        let answer = self.ask(&["for-each-ref", FORMAT])?.ok_or_else(failed)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let one = |line: &str| {
            let [id, kind, tagged, tagged_kind, name] = *line.splitn(5, ' ').collect::<Vec<_>>() else { return None };
            let (tags, id, kind) =
                if kind == "tag" { (vec![id.to_owned()], tagged, tagged_kind) } else { (Vec::new(), id, kind) };
            let end = Object { id: id.to_owned(), kind: kind.to_owned() };
            Some(self.peeled(Ref { name: name.to_owned(), tags, end }))
        };
        answer.lines().filter_map(one).collect()
    }

    /// By the id of what it names.
    fn reference(&self, name: &str, id: &str) -> Result<Ref> {
        let kind = self.ask(&["cat-file", "-t", id])?.ok_or_else(failed)?;
        let kind = String::from_utf8_lossy(kind.trim_ascii()).into_owned();
        let end = Object { id: id.to_owned(), kind };
        self.peeled(Ref { name: name.to_owned(), tags: Vec::new(), end })
    }

    /// The same, of which the end is no tag.
    fn peeled(&self, mut it: Ref) -> Result<Ref> {
        while it.end.kind == "tag" {
            let tag = self.ask(&["cat-file", "tag", &it.end.id])?.ok_or_else(failed)?;
            let mut lines = tag.split(|&it| it == b'\n');
            let mut field = |name: &[u8]| {
                let text = lines.next()?.strip_prefix(name)?.strip_prefix(b" ")?;
                Some(String::from_utf8_lossy(text).into_owned())
            };
            let (id, kind) = field(b"object").zip(field(b"type")).ok_or_else(failed)?;
            it.tags.push(std::mem::replace(&mut it.end, Object { id, kind }).id);
        }
        Ok(it)
    }

    /// Those that lead to one of the commits.
    pub(super) fn refs_to(&self, commits: &[u8]) -> Result<Vec<Ref>> {
        let ids: HashSet<&[u8]> = commits.split(|&it| it == b'\n').collect();
        let mut refs = self.refs()?;
        refs.retain(|it| it.commit().is_some_and(|commit| ids.contains(commit.as_bytes())));
        Ok(refs)
    }

    /// What the commits brought that no remote has yet, of those that the lines of a pre-push hook name; the names that they
    /// get there, and the messages of tags.
    pub fn pushed(&self, lines: &str, search: &Search<'_>) -> Result<Found> {
        self.expect_repository()?;
        let (mut revisions, mut refs) = (Vec::new(), Vec::new());
        let known = if lines.trim().is_empty() { Vec::new() } else { self.refs()? };
        for Pushed { ours, name, .. } in pushed(lines) {
            revisions.push(ours.to_owned());
            refs.push(match known.iter().find(|it| it.id() == ours) {
                Some(it) => Ref { name: name.to_owned(), ..it.clone() },
                None => self.reference(name, ours)?,
            });
        }
        if revisions.is_empty() {
            return Ok(Found::default());
        }
        revisions.extend(theirs(lines));
        let mut arguments = vec!["rev-list", "--reverse", "--ignore-missing"];
        arguments.extend(revisions.iter().map(String::as_str));
        arguments.extend(["--not", "--remotes"]);
        let commits = self.ask(&arguments)?.ok_or_else(failed)?;
        self.commits(&commits, &refs, search)
    }

    /// Looks through the names, and adds the messages to what is looked at, and what is in no commit.
    pub(super) fn add_refs(&self, refs: &[Ref], search: &Search<'_>, blobs: &mut Vec<Blob>) -> Result<Found> {
        let mut worker = Worker::new(search);
        for it in refs {
            worker.name(Place { file: &it.name, commit: it.commit(), within: Within::Reference });
            let commit = it.commit().map(str::to_owned);
            let message = |id: &String| {
                let file = format!("(the message of {})", it.name);
                Blob { id: id.clone(), file, commit: commit.clone(), within: Within::Tag }
            };
            blobs.extend(it.tags.iter().map(message));
            match it.end.kind.as_str() {
                "blob" => {
                    let file = format!("(the content of {})", it.name);
                    blobs.push(Blob { id: it.end.id.clone(), file, commit: None, within: Within::Tag });
                }
                "tree" => self.add_tree(it, blobs, &mut worker.found)?,
                _ => {}
            }
        }
        Ok(worker.found)
    }

    /// Adds the files of a tree that a tag names.
    fn add_tree(&self, it: &Ref, blobs: &mut Vec<Blob>, found: &mut Found) -> Result<()> {
        let answer = self.ask(&["ls-tree", "-r", "-z", "--full-tree", &it.end.id, "--"])?.ok_or_else(failed)?;
        for record in answer.split(|&it| it == 0) {
            // `MODE TYPE ID<tab>PATH`
            let Some((facts, path)) = memchr::memchr(b'\t', record).map(|at| record.split_at(at)) else { continue };
            let facts = String::from_utf8_lossy(facts);
            // As git calls it.
            let file = format!("{}:{}", it.name, shown(&path[1..]));
            match *facts.split(' ').collect::<Vec<_>>() {
                [_, "blob", id] => blobs.push(Blob { id: id.to_owned(), file, commit: None, within: Within::Tag }),
                _ => found.not_checked(file, "it is a submodule: run `scan` in it"),
            }
        }
        Ok(())
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
    lines.lines().filter_map(pushed_by).filter(|it| !is_none(it.ours))
}

fn pushed_by(line: &str) -> Option<Pushed<'_>> {
    let is_id = |id: &&str| id.len() >= 40 && id.bytes().all(|it| it.is_ascii_hexdigit());
    // The remote's name of the ref may have blanks in it, the ids stand second from the left and last.
    let mut words = line.rsplit(' ').filter(is_id);
    let (theirs, ours) = (words.next()?, words.next()?);
    let name = line.split_once(ours).map_or("", |(_, rest)| rest.trim_end_matches(theirs).trim());
    Some(Pushed { ours, theirs, name })
}

/// The number of the first line, counted from one, that no pre-push hook is given.
pub fn foreign_line(lines: &str) -> Option<usize> {
    lines.lines().position(|line| pushed_by(line).is_none()).map(|at| at + 1)
}

/// The commits that are pushed, by the lines of a pre-push hook, each once. Tags name what branches have.
pub fn tips(lines: &str) -> Vec<&str> {
    let tips = pushed(lines).filter(|it| !it.name.starts_with("refs/tags/")).map(|it| it.ours);
    let mut tips: Vec<&str> = tips.collect();
    tips.sort_unstable();
    tips.dedup();
    tips
}

/// What the remote has by its own word, for git to leave out.
pub(super) fn theirs(lines: &str) -> Vec<String> {
    pushed(lines).filter(|it| !is_none(it.theirs)).map(|it| format!("^{}", it.theirs)).collect()
}
