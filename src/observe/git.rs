//! What git knows of a project's files, read from its own files: starting git would cost more than the whole check.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use super::{git_ignore::Ignores, git_index};
use crate::check::facts::GitFact;
use crate::gather::Gather;
use crate::private_file;
use crate::scan::git::{Kept, Snapshot};
use crate::work_tree::WorkTree;

/// A longer list of what git ignores is not read.
const LARGEST: u64 = 1 << 20;

/// Tells which of the `paths` (relative to `root`) are tracked or ignored, and what is tracked below `private`: by what lies in
/// the work tree, or by what is `staged`. A path in a repository of its own, such as a submodule, is that one's.
pub(super) fn look(root: &Path, paths: &BTreeSet<&str>, private: &str, staged: Option<&Snapshot>) -> GitFact {
    let mut known = BTreeMap::new();
    let mut within: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for path in paths {
        if let Some(directory) = repository_of(root, path, &mut known) {
            within.entry(directory).or_default().insert(path);
        }
    }
    if within.is_empty() {
        return look_in(root, paths, private, staged);
    }
    let own = paths.iter().copied().filter(|path| !within.values().any(|paths| paths.contains(path))).collect();
    let mut fact = look_in(root, &own, private, staged);
    for (directory, paths) in within {
        let below = paths.iter().map(|path| &path[directory.len() + 1..]).collect();
        // Nothing of ours but outputs is kept there.
        let inner = look_in(&root.join(&directory), &below, "/", None);
        fact = match (fact, inner) {
            (GitFact::NoWorkTree, inner @ GitFact::WorkTree { .. }) => merged(empty(), inner, &directory),
            (outer @ GitFact::WorkTree { .. }, inner @ GitFact::WorkTree { .. }) => merged(outer, inner, &directory),
            (_, why @ GitFact::Unreadable(_)) => why,
            (outer, _) => outer,
        };
    }
    fact
}

/// What git has, or would take with `git add .`, of files that it is not to have.
#[derive(Debug, Default)]
pub struct Exposed {
    /// What is in the index.
    pub tracked: BTreeSet<String>,
    /// What no line of an ignore file keeps out.
    pub not_ignored: BTreeSet<String>,
}

/// Tells which of the `paths` (relative to `root`) git has or would take; none where that cannot be told.
pub fn exposed(root: &Path, paths: &BTreeSet<&str>) -> Exposed {
    match look(root, paths, "/", None) {
        GitFact::WorkTree { tracked, ignored, .. } => {
            let is_open =
                |(path, is_ignored): &(String, Option<bool>)| *is_ignored == Some(false) && !tracked.contains(path);
            let not_ignored = ignored.into_iter().filter(is_open).map(|(path, _)| path).collect();
            Exposed { tracked, not_ignored }
        }
        _ => Exposed::default(),
    }
}

fn empty() -> GitFact {
    GitFact::WorkTree {
        tracked: BTreeSet::new(),
        ignored: BTreeMap::new(),
        taken_back: BTreeMap::new(),
        nested: BTreeMap::new(),
    }
}

/// What a repository knows, and one within it.
fn merged(mut outer: GitFact, inner: GitFact, directory: &str) -> GitFact {
    if let (
        GitFact::WorkTree { tracked, ignored, taken_back, nested },
        GitFact::WorkTree { tracked: tracked_there, ignored: ignored_there, taken_back: taken_back_there, .. },
    ) = (&mut outer, inner)
    {
        let path = |below: String| format!("{directory}/{below}");
        tracked.extend(tracked_there.into_iter().map(path));
        taken_back.extend(taken_back_there.into_iter().map(|(below, (file, line))| (path(below), (path(file), line))));
        for (below, is_ignored) in ignored_there {
            nested.insert(path(below.clone()), directory.to_owned());
            ignored.insert(path(below), is_ignored);
        }
    }
    outer
}

/// The innermost directory above a path that is a work tree of its own; links are not followed.
fn repository_of(root: &Path, path: &str, known: &mut BTreeMap<String, bool>) -> Option<String> {
    let mut found = None;
    for (end, _) in path.match_indices('/').filter(|_| !path.starts_with('/')) {
        let directory = &path[..end];
        let is_one = *known.entry(directory.to_owned()).or_insert_with(|| {
            let there = root.join(directory);
            std::fs::symlink_metadata(&there).is_ok_and(|it| it.is_dir()) && WorkTree::at(&there).is_some()
        });
        if is_one {
            found = Some(directory.to_owned());
        }
    }
    found
}

/// What the repository knows that a directory belongs to.
fn look_in(root: &Path, paths: &BTreeSet<&str>, private: &str, staged: Option<&Snapshot>) -> GitFact {
    let Ok(root) = root.canonicalize() else { return GitFact::Unreadable("the project cannot be found".into()) };
    let Some((top, found)) = WorkTree::around(&root) else { return GitFact::NoWorkTree };
    let prefix = match root.strip_prefix(top).ok().and_then(Path::to_str) {
        Some("") => String::new(),
        Some(below) => format!("{below}/"),
        None => return GitFact::Unreadable("the project's path is not UTF-8".into()),
    };
    let tracked = found.and_then(|tree| {
        let tracked = match staged {
            Some(staged) => staged.paths().filter(|path| is_asked(path, paths, private)).map(str::to_owned).collect(),
            None => tracked(&tree, &prefix, paths, private)?,
        };
        Ok((tree, tracked))
    });
    let (tree, tracked) = match tracked {
        Ok(found) => found,
        Err(why) => return GitFact::Unreadable(why),
    };
    let exclude = patterns_of(&tree.common.join("info/exclude"));
    let mut patterns = Ignores::new(exclude.as_deref(), |path| match staged {
        Some(staged) => match staged.read_from_top(path) {
            Ok(Kept::File(text)) if text.len() as u64 <= LARGEST => Some(text),
            Ok(Kept::File(_)) => None,
            _ => Some(Vec::new()),
        },
        None => patterns_of(&top.join(path)),
    });
    let is_ignored = |path: &&str| ((*path).to_owned(), patterns.is_ignored(&format!("{prefix}{path}")));
    let ignored: BTreeMap<String, Option<bool>> = paths.iter().map(is_ignored).gather();
    let open = ignored.iter().filter(|(_, is_ignored)| **is_ignored == Some(false));
    let taken_back = open.filter_map(|(path, _)| {
        let (file, line) = patterns.taken_back(&format!("{prefix}{path}"))?;
        // A line at the end of the project's own file is behind whatever stands above it.
        let below = file.strip_prefix(&prefix).filter(|below| below.contains('/'))?;
        Some((path.clone(), (below.to_owned(), line)))
    });
    let taken_back = taken_back.gather();
    GitFact::WorkTree { tracked, ignored, taken_back, nested: BTreeMap::new() }
}

/// A file of patterns; `None` = it is there, and nobody knows what it says.
fn patterns_of(path: &Path) -> Option<Vec<u8>> {
    match private_file::read_outside(path, LARGEST) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::InvalidData => None,
        Err(_) => Some(Vec::new()),
    }
}

/// The way from the top of the work tree to a directory in it: empty at the top and outside of any work tree, else with a
/// slash at its end.
pub fn prefix(directory: &Path) -> String {
    let Ok(directory) = directory.canonicalize() else { return String::new() };
    let top = WorkTree::around(&directory).map(|(top, _)| top);
    let below = top.and_then(|top| directory.strip_prefix(top).ok()).map(Path::to_string_lossy).unwrap_or_default();
    if below.is_empty() { String::new() } else { format!("{below}/") }
}

fn tracked(tree: &WorkTree, prefix: &str, paths: &BTreeSet<&str>, private: &str) -> Result<BTreeSet<String>, String> {
    let index = match std::fs::read(tree.own.join("index")) {
        Ok(index) => index,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(format!("git's index cannot be read: {error}")),
    };
    let mut tracked = BTreeSet::new();
    let visit = |path: &[u8]| {
        let below = path.strip_prefix(prefix.as_bytes()).and_then(|below| std::str::from_utf8(below).ok());
        if let Some(below) = below.filter(|below| is_asked(below, paths, private)) {
            tracked.insert(below.to_owned());
        }
    };
    git_index::visit(&index, id_length(&tree.common), visit)
        .map_err(|error| format!("git's index cannot be read: {}", error.0))?;
    Ok(tracked)
}

fn is_asked(path: &str, paths: &BTreeSet<&str>, private: &str) -> bool {
    paths.contains(path) || path.starts_with(private)
}

/// Length of object ids: 32 if the repository's configuration says SHA-256, else 20.
fn id_length(common: &Path) -> usize {
    let config = std::fs::read_to_string(common.join("config")).unwrap_or_default().to_ascii_lowercase();
    let is_sha256 = config.lines().any(|line| {
        line.split_once('=').is_some_and(|(key, value)| key.trim() == "objectformat" && value.trim() == "sha256")
    });
    if is_sha256 { 32 } else { 20 }
}
