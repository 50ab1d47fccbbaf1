//! The files with secrets that lie in a build context: ours, and well-known ones where `COPY` takes them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rustix::fs::FileType;

use super::super::compose::{OUTSIDE, is_outside};
use super::{Observer, absolute, beneath};
use crate::check::deployed::{Known, NamedFile};
use crate::credential::{is_secret_file, is_secret_in, may_hold_secret};
use crate::gather::Gather;
use crate::image::Ignored;
use crate::image::ignored::{is_matched, literal_start};
use crate::scan::Rules;

/// More entries of directories than this are not looked at.
const MOST_ENTRIES: usize = 50_000;

/// More files than this are not read.
const MOST_FILES: usize = 500;

/// More files, and more bytes, are not searched whose names say nothing.
const MOST_SEARCHED: (usize, usize) = (5_000, 64 << 20);

/// More bytes are not searched for values of ours.
const MOST_TAKEN: u64 = 1 << 30;

/// How many directories lie above what is looked at.
const DEEPEST: usize = 16;

/// What of others lies in a context, and is not looked at.
const PASSED_BY: [&str; 2] = [".git", "node_modules"];

impl Observer<'_> {
    /// The files with secrets that lie in a build context, and a `.env` that is there whoever wrote it: paths in the context by
    /// paths in the project.
    pub(super) fn within(&self, context: &str, secret: &BTreeSet<String>) -> BTreeMap<String, String> {
        let by_hand = [".env".to_owned(), beneath(context, ".env")];
        let by_hand = by_hand.into_iter().filter(|path| matches!(self.named_file(path), NamedFile::File { .. }));
        let root = self.subject.root;
        let root = absolute(Path::new("/"), &root.canonicalize().as_deref().unwrap_or(root).to_string_lossy());
        let context = absolute(&root, context);
        let within = |path: &String| absolute(&root, path).strip_prefix(&context).ok()?.to_str().map(str::to_owned);
        secret.iter().cloned().chain(by_hand).filter_map(|path| within(&path).map(|within| (path, within))).gather()
    }

    /// What may be copied out of a context, of which `ignored` keeps some back, by these paths and patterns.
    pub(super) fn known<'s>(
        &self,
        context: &str,
        sources: impl Iterator<Item = &'s String>,
        ignored: &Ignored,
    ) -> Known {
        let sources: Vec<&str> = sources.map(String::as_str).collect();
        let starts: BTreeSet<String> = sources.iter().map(|it| literal_start(it)).collect();
        let mut walk = Walk {
            observer: self,
            context,
            sources,
            ignored,
            rules: Rules::new(&self.subject.manifest.scan, &[]),
            left: MOST_ENTRIES,
            left_to_search: MOST_SEARCHED,
            left_to_take: MOST_TAKEN,
            known: Known::default(),
        };
        for start in &starts {
            walk.from(start, &starts);
        }
        walk.known
    }
}

struct Walk<'w> {
    observer: &'w Observer<'w>,
    context: &'w str,
    /// Paths and patterns.
    sources: Vec<&'w str>,
    ignored: &'w Ignored,
    rules: Rules,
    left: usize,
    left_to_search: (usize, usize),
    left_to_take: u64,
    known: Known,
}

impl Walk<'_> {
    /// Looks at a file, or at a directory and below it; not at what another start has below it.
    fn from(&mut self, start: &str, starts: &BTreeSet<String>) {
        if PASSED_BY.contains(&start.rsplit('/').next().unwrap_or(start)) {
            return;
        }
        if is_outside(self.context) {
            return self.stop(OUTSIDE);
        }
        if self.observer.disk.tree().is_linked(&beneath(self.context, start)) {
            match start {
                "" => self.stop("it is behind a symlink, and is not looked at"),
                _ => self.link(start),
            }
            return;
        }
        let mut above = start.match_indices('/').map(|(at, _)| &start[..at]).chain([""]);
        if !start.is_empty() && above.any(|it| starts.contains(it)) {
            return;
        }
        self.file(start);
        let mut waiting = vec![(start.to_owned(), 0)];
        while let Some((directory, depth)) = waiting.pop() {
            // A file, a symlink, or nothing at all.
            let Some(entries) = self.entries(&directory) else { continue };
            for (name, kind) in entries {
                let path = beneath(&directory, &name);
                let is_directory = kind == FileType::Directory;
                match () {
                    () if kind == FileType::Symlink => {
                        // One in a directory is copied as a link.
                        if self.sources.iter().any(|it| is_matched(it, &path)) {
                            self.link(&path);
                        }
                    }
                    () if !is_directory => self.file(&path),
                    () if PASSED_BY.contains(&name.as_str()) || self.ignored.keeps_back_all_of(&path) => {}
                    () if depth == DEEPEST => self.stop("its directories are too deep to be looked through"),
                    () => waiting.push((path, depth + 1)),
                }
            }
        }
    }

    /// Notes a symlink, which the builder follows.
    fn link(&mut self, path: &str) {
        if !self.ignored.keeps_back(path) {
            self.known.links.insert(path.to_owned());
        }
    }

    fn entries(&mut self, directory: &str) -> Option<Vec<(String, FileType)>> {
        let path = beneath(self.context, directory);
        let entries = self.observer.disk.tree().entries(path.trim_end_matches('/'), self.left + 1)?;
        if entries.len() > self.left {
            self.stop("it has too many files to be looked through");
        }
        self.left = self.left.saturating_sub(entries.len());
        Some(entries)
    }

    fn file(&mut self, path: &str) {
        if self.ignored.keeps_back(path) {
            return;
        }
        self.take(path);
        match () {
            () if is_secret_file(path) => self.of_name(path),
            () if may_hold_secret(path) => self.of_content(path),
            () => {}
        }
    }

    /// Notes a file that is to be searched for values of ours, whatever its name says.
    fn take(&mut self, path: &str) {
        let in_project = beneath(self.context, path);
        let Ok(stat) = self.observer.disk.tree().stat(&in_project) else { return };
        // In blocks of 512 bytes: of a sparse file the holes are not read.
        let size = u64::try_from(stat.st_size.min(stat.st_blocks.saturating_mul(512))).unwrap_or(0);
        match self.left_to_take.checked_sub(size) {
            Some(left) => {
                self.left_to_take = left;
                self.known.taken.insert(in_project, path.to_owned());
            }
            None => self.stop("it has too many bytes to be searched for values of ours"),
        }
    }

    /// A file whose name says what it should have in it.
    fn of_name(&mut self, path: &str) {
        if self.known.files.len() == MOST_FILES {
            return self.stop("it has too many files to be looked through");
        }
        let holds = match self.observer.content(&beneath(self.context, path)) {
            Ok(Some(bytes)) => is_secret_in(path, &bytes) || self.rules.blocks(&bytes),
            // Whoever builds may read it.
            Err(unread) if unread.is_fault => true,
            Ok(None) | Err(_) => return,
        };
        self.known.files.insert(path.to_owned(), holds);
    }

    /// A file whose name says nothing. As it lies there: a builder gets it so, and to ask git for each would take a process each.
    fn of_content(&mut self, path: &str) {
        let (files, bytes) = &mut self.left_to_search;
        if *files == 0 || *bytes == 0 {
            return self.stop("it has too many files to be searched");
        }
        let Ok(Some(content)) = self.observer.disk.content(&beneath(self.context, path)) else { return };
        (*files, *bytes) = (*files - 1, bytes.saturating_sub(content.len()));
        if is_secret_in(path, &content) || self.rules.blocks(&content) {
            self.known.files.insert(path.to_owned(), true);
        }
    }

    fn stop(&mut self, why: &str) {
        self.known.unseen.get_or_insert_with(|| why.to_owned());
    }
}
