//! The output files: there, ours, closed, and up to date.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Bench;
use crate::check::facts::{Comparison, Content, ExpectedFile, FileFact, FileState};
use crate::check::finding::{Code, listed};
use crate::ignore_lines;
use crate::manifest::model::PemFile;
use crate::manifest::{Format, Kind, Output};
use crate::name::{SecretName, VersionId};
use crate::revocation;
use crate::shell;
use crate::store::DIRECTORY;
use crate::store::ledger::{BesideState, DeliveredFile};

/// The rights to read, of owner, group and others.
const READ: u32 = 0o444;

impl<'a> Bench<'a> {
    /// Every file that the outputs should have, and the directories above them.
    pub(super) fn files(&mut self) {
        let facts = self.facts;
        for (directory, mode) in &facts.open_directories {
            let message = format!("other accounts can replace files in it (mode {mode:04o})");
            let closed = if directory == DIRECTORY { "go-rwx" } else { "go-w" };
            let fix = format!("chmod {closed} {}", shell::path(directory));
            self.about_file(Code::DirectoryWritableByOthers, directory, message, fix);
        }
        for (path, mode) in &facts.open_files {
            // The manifest is for everybody to read; it is listed when others can write it.
            let closed = if path == crate::project::MANIFEST { "go-w" } else { "go-rwx" };
            let message = format!("mode {mode:04o} is open to others");
            self.about_file(Code::ModeTooOpen, path, message, format!("chmod {closed} {}", shell::path(path)));
        }
        for (path, uid) in &facts.foreign_files {
            let ours = facts.owners.first().copied().unwrap_or_default();
            let message = format!("belongs to {uid}, who can replace it and open it to others");
            self.about_file(Code::WrongOwner, path, message, format!("sudo chown {ours} {}", shell::path(path)));
        }
        for (path, remains) in &facts.orphans {
            if let Some(name) = self.ended_in(path) {
                let message = format!("still carries, past the overlap, `{name}`");
                self.about_file(Code::Stale, path, message, self.command("render"));
                continue;
            }
            let message = "was delivered, and no output has it any more; it still holds what was written then";
            self.about_file(Code::Orphaned, path, message, self.removal(path, remains));
        }
        for expected in &facts.expected {
            self.verdict.looked_at.files += 1;
            match facts.files.get(&expected.path) {
                Some(FileFact::File(state)) => self.file(expected, state),
                Some(FileFact::Absent) => self.absent_file(expected),
                Some(FileFact::Symlink(component)) => self.symlink(expected, component),
                Some(FileFact::NotAFile) => self.not_a_file(expected),
                Some(FileFact::Unreadable(why)) => self.not_checked(&expected.path, why),
                None => self.not_checked(&expected.path, "nobody looked at it"),
            }
        }
    }

    /// Containers that go on with a file that was replaced.
    pub(super) fn mounts(&mut self) {
        let facts = self.facts;
        for mount in &facts.stale_mounts {
            let output = facts.expected.iter().find(|it| it.path == mount.file).map(|it| &it.output);
            let or = output
                .map_or_else(String::new, |output| format!("    # for good: in_place = true in [outputs.{output}]"));
            let message = format!("container `{}` still has the file that stood there before", mount.container);
            self.about_file(Code::MountedStale, &mount.file, message, format!("{}{or}", mount.restart()));
        }
    }

    fn absent_file(&mut self, expected: &ExpectedFile) {
        let fix = self.render(&expected.output);
        let message = match &self.facts.main_tree {
            Some(_) => "has not been written here: the store is that of another work tree",
            None => "has not been written",
        };
        self.about_file(Code::Missing, &expected.path, message, fix);
    }

    fn symlink(&mut self, expected: &ExpectedFile, component: &str) {
        let message = if component == expected.path {
            "is a symlink; it is not followed".to_owned()
        } else {
            format!("`{component}` above it is a symlink; it is not followed")
        };
        let fix = format!("rm {} && {}", shell::path(component), self.render(&expected.output));
        self.about_file(Code::Symlink, &expected.path, message, fix);
    }

    fn not_a_file(&mut self, expected: &ExpectedFile) {
        let (path, aside) = (shell::path(&expected.path), shell::path(&ignore_lines::aside(&expected.path)));
        let fix = format!("mv {path} {aside} && {}", self.render(&expected.output));
        self.about_file(Code::NotAFile, &expected.path, "is not a regular file", fix);
    }

    fn file(&mut self, expected: &ExpectedFile, state: &FileState) {
        if state.mode & !expected.mode != 0 {
            let message = format!("mode {:04o} is wider than the declared {:04o}", state.mode, expected.mode);
            let fix = format!("chmod {:04o} {}", expected.mode, shell::path(&expected.path));
            self.about_file(Code::ModeTooOpen, &expected.path, message, fix);
        } else if expected.mode & READ & !state.mode != 0 {
            let message =
                format!("mode {:04o} keeps out who may read it by the declared {:04o}", state.mode, expected.mode);
            let fix = format!("chmod {:04o} {}", expected.mode, shell::path(&expected.path));
            self.about_file(Code::ModeTooNarrow, &expected.path, message, fix);
        }
        if state.links > 1 {
            let fix = format!("find / -xdev -inum {}    # all its names; remove all but one", state.inode);
            self.about_file(Code::HardLinked, &expected.path, "has another name (hard link)", fix);
        }
        self.owner(expected, state);
        let found = self.verdict.findings.len();
        self.content(expected, state);
        self.of_another(expected, state, found);
    }

    /// Says of a stale file, found since, that another environment has its values there.
    fn of_another(&mut self, expected: &ExpectedFile, state: &FileState, found: usize) {
        let is_it = |it: &DeliveredFile| (it.size, it.mtime, it.inode) == (state.size, state.mtime, state.inode);
        let others = self.facts.others.iter();
        let mut theirs = others.filter(|(_, ledger)| ledger.files.get(&expected.path).is_some_and(is_it));
        let Some((other, _)) = theirs.next() else { return };
        let fix = self.command(&format!("render --yes    # in the place of what `{other}` has there"));
        for finding in self.verdict.findings[found..].iter_mut().filter(|it| it.code == Code::Stale) {
            let message = format!("{}: it was last rendered for environment `{other}`", finding.message);
            (finding.message, finding.fix) = (message, fix.clone());
        }
    }

    fn owner(&mut self, expected: &ExpectedFile, state: &FileState) {
        let is_ours = match expected.uid {
            Some(uid) => state.uid == uid,
            None => self.facts.owners.is_empty() || self.facts.owners.contains(&state.uid),
        };
        if is_ours && expected.gid.is_none_or(|gid| state.gid == gid) {
            return;
        }
        let uid = expected.uid.or(self.facts.owners.first().copied()).unwrap_or(state.uid);
        let gid = expected.gid.map_or_else(String::new, |gid| format!(":{gid}"));
        let message = format!("belongs to {}:{}, not to {uid}{gid}", state.uid, state.gid);
        let fix = format!("sudo chown {uid}{gid} {}", shell::path(&expected.path));
        self.about_file(Code::WrongOwner, &expected.path, message, fix);
    }

    /// What should be there, what the ledger says was written, and what is there.
    fn content(&mut self, expected: &ExpectedFile, state: &FileState) {
        let delivered = self.ledger.and_then(|ledger| ledger.files.get(&expected.path));
        if let Some(delivered) = delivered.filter(|delivered| delivered.holds != expected.holds) {
            let names = differing(&expected.holds, &delivered.holds);
            if names.iter().all(|name| !expected.holds.contains_key(*name) && self.is_previous(name)) {
                return self.stale(expected, &names, "still carries, past the overlap,");
            }
            return self.stale(expected, &names, "was written before the last change of");
        }
        let declared = self.manifest.outputs.get(&expected.output).map(Output::form);
        let written = delivered.and_then(|delivered| delivered.form.as_ref());
        if let Some((written, declared)) = written.zip(declared).filter(|(written, declared)| *written != declared) {
            let message = format!("was written as `{written}`, and the manifest declares `{declared}`");
            return self.about_file(Code::Stale, &expected.path, message, self.render(&expected.output));
        }
        if let Some((name, until)) = self.retired_in(expected) {
            let what = if self.is_root(&name) { "a certificate" } else { "a key" };
            let message =
                format!("still has {what} of `{name}` that is retired since {}", until.format("%Y-%m-%d %H:%M UTC"));
            return self.about_file(Code::Stale, &expected.path, message, self.render(&expected.output));
        }
        match &state.content {
            Content::AsWritten => {}
            Content::Outdated => {
                let output = self.manifest.outputs.get(&expected.output);
                let source = if output.is_some_and(|it| it.format.is_from_manifest()) { "manifest" } else { "store" };
                let message = format!("does not say what the {source} says now");
                self.about_file(Code::Stale, &expected.path, message, self.render(&expected.output));
            }
            Content::Unreadable(why) => self.not_checked(format!("content of {}", expected.path), why),
            Content::Compared(values) => self.values(expected, values),
        }
    }

    /// Whether it is the name that the previous value of a declared secret is delivered under.
    fn is_previous(&self, name: &SecretName) -> bool {
        !self.manifest.secrets.contains_key(name) && self.manifest.of_previous(name).is_some()
    }

    /// The one previous value in a file of its own that no output has any more.
    fn ended_in(&self, path: &str) -> Option<SecretName> {
        let delivered = self.ledger?.files.get(path)?;
        let mut held = delivered.holds.keys();
        let is_declared = self.manifest.outputs.contains_key(&delivered.output);
        held.next().filter(|name| is_declared && held.next().is_none() && self.is_previous(name)).cloned()
    }

    /// A key of a key set, or a root beside its successor, whose time is over since the store was last written.
    fn retired_in(&self, expected: &ExpectedFile) -> Option<(SecretName, DateTime<Utc>)> {
        let output = self.manifest.outputs.get(&expected.output)?;
        let names = may_retire_in(expected, output).filter_map(|name| {
            let is_document = output.format.is_document();
            if is_document { Some(name) } else { self.root_in(expected, output, name) }
        });
        let entries = names.filter_map(|name| self.ledger?.secrets.get(name));
        let retiring = entries.flat_map(|entry| entry.beside.iter().map(move |it| (&entry.name, it)));
        let mut retired = retiring.filter(|(_, it)| it.state == BesideState::Retiring && it.until <= self.now);
        retired.next().map(|(name, it)| (name.clone(), it.until))
    }

    /// The root of a secret, if this is the file that it is in.
    fn root_in<'n>(&'n self, expected: &ExpectedFile, output: &Output, name: &'n SecretName) -> Option<&'n SecretName> {
        let kind = &self.manifest.secret(name)?.kind;
        let files = output.pem_files(name, kind).filter(|_| matches!(output.format, Format::Pem { .. }))?;
        let holds_root = files.iter().any(|(piece, path)| *piece == PemFile::Ca && *path == expected.path);
        revocation::root(self.manifest, name).filter(|_| holds_root).map(|root| &root.name)
    }

    fn is_root(&self, name: &SecretName) -> bool {
        self.manifest.secret(name).is_some_and(|it| matches!(it.kind, Kind::Ca(_)))
    }

    fn values(&mut self, expected: &ExpectedFile, values: &BTreeMap<SecretName, Comparison>) {
        let comparison = |name: &SecretName| values.get(name).copied().unwrap_or(Comparison::Different);
        let held = expected.holds.keys();
        let settings = self.settings_in(expected);
        let different: Vec<&SecretName> =
            held.clone().chain(settings).filter(|name| comparison(name) == Comparison::Different).collect();
        if !different.is_empty() {
            let edited = |name: &SecretName| values.get(name) == Some(&Comparison::Different);
            let keep = self.keeping(expected, different.iter().copied().filter(|name| edited(name)));
            self.stale(expected, &different, "does not hold the current value of");
            if let (Some(keep), Some(finding)) = (keep, self.verdict.findings.last_mut()) {
                finding.fix = keep;
            }
        }
        let unknown: Vec<&SecretName> = held.filter(|name| comparison(name) == Comparison::Unknown).collect();
        if !unknown.is_empty() {
            let what = format!("content of {}: {}", expected.path, listed(&unknown));
            self.not_checked(what, "the file changed since it was written, and only the identity can tell its values");
        }
    }

    /// The settings that a dotenv file should hold. Other formats hold none that `check` can find by name.
    fn settings_in(&self, expected: &ExpectedFile) -> Vec<&'a SecretName> {
        let output = self.manifest.outputs.get(&expected.output).filter(|_| expected.dotenv);
        let names = output.map(|output| output.secrets.as_slice()).unwrap_or_default();
        let declarations = names.iter().filter_map(|name| self.manifest.secret(name));
        let settings = declarations.filter(|declaration| declaration.kind.setting(self.environment).is_some());
        settings.map(|declaration| &declaration.name).collect()
    }

    fn stale(&mut self, expected: &ExpectedFile, names: &[&SecretName], what: &str) {
        let fix = self.render(&expected.output);
        self.about_file(Code::Stale, &expected.path, format!("{what} {}", listed(names)), fix);
        if let ([name], Some(finding)) = (names, self.verdict.findings.last_mut()) {
            finding.secret = Some((*name).clone());
        }
    }
}

/// The secrets of which something in a file may have retired: those of a whole output are asked only where it is one file,
/// or thousands of files would each ask for thousands of secrets.
pub(super) fn may_retire_in<'f>(
    expected: &'f ExpectedFile,
    output: &'f Output,
) -> impl Iterator<Item = &'f SecretName> {
    let is_document = output.format.is_document() && !output.format.is_from_manifest();
    let of_output = is_document.then_some(&output.secrets);
    let of_file = matches!(output.format, Format::Pem { .. }).then(|| expected.holds.keys());
    of_output.into_iter().flatten().chain(of_file.into_iter().flatten())
}

/// The names that only one of the two holds, or in another version.
fn differing<'a>(
    expected: &'a BTreeMap<SecretName, VersionId>,
    delivered: &'a BTreeMap<SecretName, VersionId>,
) -> Vec<&'a SecretName> {
    let changed = expected.iter().filter(|(name, id)| delivered.get(*name) != Some(*id)).map(|(name, _)| name);
    let gone = delivered.keys().filter(|name| !expected.contains_key(*name));
    changed.chain(gone).collect()
}
