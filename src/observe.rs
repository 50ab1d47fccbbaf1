//! Brings `check` its facts from the disk. Reads only, follows no symlink, and lets no value out.

pub mod compose;
pub mod deployment;
mod examples;
mod file;
pub mod git;
pub mod git_changes;
mod git_ignore;
pub mod git_index;
pub mod handwritten;
pub mod policies;
mod staged;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use crate::check::NotChecked;
use crate::check::facts::{Comparison, Content, ExpectedFile, Facts, FileFact, FileState, StoreFact};
use crate::deliver::left;
use crate::emit::external_secret;
use crate::gather::Gather;
use crate::manifest::{Format, Manifest};
use crate::name::{EnvName, SecretName};
use crate::private_file::Root;
use crate::scan::git::Snapshot;
use crate::secret::{Secret, digest};
use crate::store::DIRECTORY;
use crate::store::ledger::{DeliveredFile, Ledger};
use file::Tree;
pub use git::prefix;
pub use values::{Ours, Values};

/// The directory of stores and ledgers.
const PRIVATE: &str = ".vault-kit/";

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The manifest's directory.
    pub root: &'a Path,
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The environment.
    pub environment: &'a EnvName,
    /// Its ledger, if there is one.
    pub ledger: Option<&'a Ledger>,
    /// SHA-256 of the sealed store in hex, if somebody read it already.
    pub store_digest: Option<&'a str>,
    /// The files that the outputs should have.
    pub expected: &'a [ExpectedFile],
    /// Whether this user trusts the manifest's absolute paths.
    pub trusted: bool,
    /// What git's index has of the project, where that is judged and not what lies in the work tree.
    pub staged: Option<&'a Snapshot>,
}

/// Looks at store, output files, git, example files and the ledgers of the other environments.
///
/// `expected`, `recipes` and `variables` are left for the caller to fill in.
pub fn look(subject: &Subject<'_>, values: &dyn Values) -> Facts {
    let mut facts = Facts::default();
    let mut tree = match Tree::open(subject.root) {
        Ok(tree) => tree,
        Err(error) => {
            let why = format!("the project's directory cannot be opened: {error}");
            facts.store = StoreFact::Unreadable(why.clone());
            facts.unseen.push(NotChecked { what: "files".into(), why });
            return facts;
        }
    };
    let observer = Observer { subject, values };
    facts.store = store(&mut tree, subject);
    let file = |expected: &ExpectedFile| (expected.path.clone(), observer.file(&mut tree, expected));
    facts.files = subject.expected.iter().map(file).collect();
    observer.others(&mut tree, &mut facts);
    facts.orphans = observer.orphans(&facts.others);
    facts.shared = handwritten::shared(subject, facts.orphans.keys());
    facts.changed = handwritten::changed(subject, facts.orphans.keys());
    facts.owners = file::owners(tree.owner);
    observer.own_files(&mut tree, &mut facts);
    facts.examples = observer.examples(&mut tree, &mut facts.unseen);
    facts.git = observer.git();
    facts.open_directories = tree.open_directories;
    facts
}

fn store(tree: &mut Tree, subject: &Subject<'_>) -> StoreFact {
    if let Some(digest) = subject.store_digest {
        return StoreFact::Present(digest.to_owned());
    }
    match tree.read(&format!("{PRIVATE}{}.age", subject.environment)) {
        Ok(sealed) => StoreFact::Present(digest::sha256_hex(&sealed)),
        Err(error) if error.kind() == ErrorKind::NotFound => StoreFact::Absent,
        Err(error) => StoreFact::Unreadable(format!("it cannot be read: {error}")),
    }
}

struct Observer<'a> {
    subject: &'a Subject<'a>,
    values: &'a dyn Values,
}

impl Observer<'_> {
    fn file(&self, tree: &mut Tree, expected: &ExpectedFile) -> FileFact {
        // A stranger's manifest must not learn what is where on this machine, nor wake what a mere look wakes.
        if expected.path.starts_with('/') && !self.subject.trusted {
            return FileFact::Unreadable(UNTRUSTED.into());
        }
        let stat = match tree.stat(&expected.path) {
            Ok(stat) => stat,
            Err(fact) => return fact,
        };
        let mut state = FileState {
            mode: file::permissions(&stat),
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: file::modified(&stat),
            inode: stat.st_ino,
            links: file::links(&stat),
            content: Content::AsWritten,
        };
        let delivered = self.subject.ledger.and_then(|ledger| ledger.files.get(&expected.path));
        let is_untouched = delivered.is_some_and(|delivered| is_as_written(&state, delivered));
        // The ledger does not record what the manifest says: a change of it shows only in the content.
        if !is_untouched || self.quotes_manifest(expected) {
            state.content = self.content(tree, expected, is_untouched);
        }
        FileFact::File(state)
    }

    fn orphans(&self, others: &BTreeMap<EnvName, Ledger>) -> BTreeMap<String, Vec<String>> {
        let Ok(root) = Root::open(self.subject.root) else { return BTreeMap::new() };
        let expected: BTreeSet<&str> = self.subject.expected.iter().map(|it| it.path.as_str()).collect();
        let delivered = self.subject.ledger.into_iter().flat_map(|ledger| &ledger.files);
        let left = delivered.filter(|(path, _)| !expected.contains(path.as_str()));
        let remains = |record| left::remains(&root, record, others.values(), self.subject.trusted);
        let remains = left.map(|(path, record)| (path.clone(), remains(record)));
        remains.filter(|(_, remains)| !remains.is_empty()).gather()
    }

    /// Mode and owner of what we keep, and of the directory that it is in.
    fn own_files(&self, tree: &mut Tree, facts: &mut Facts) {
        let own = [".age", ".ledger.jsonl"].map(|end| format!("{PRIVATE}{}{end}", self.subject.environment));
        let own = own.into_iter().chain(["audit.jsonl", "hook.lock", "lock"].map(|name| format!("{PRIVATE}{name}")));
        let own = own.filter_map(|path| Some((tree.stat(&path).ok()?, path))).collect::<Vec<_>>();
        let directory = tree.stat_directory(DIRECTORY).map(|stat| (stat, DIRECTORY.to_owned()));
        for (stat, path) in directory.into_iter().chain(own) {
            if !facts.owners.contains(&stat.st_uid) {
                facts.foreign_files.insert(path.clone(), stat.st_uid);
            }
            let mode = file::permissions(&stat);
            // A directory that others can write in is listed as one, which is graver.
            if mode & 0o077 != 0 && !tree.open_directories.contains_key(&path) {
                facts.open_files.insert(path, mode);
            }
        }
        // The manifest is for everybody to read; who can write it decides where values go.
        let manifest = tree.stat(crate::project::MANIFEST).map(|stat| file::permissions(&stat));
        if let Some(mode) = manifest.ok().filter(|mode| mode & 0o022 != 0) {
            facts.open_files.insert(crate::project::MANIFEST.to_owned(), mode);
        }
    }

    /// Whether it has settings in it, or nothing but what the manifest says.
    fn quotes_manifest(&self, expected: &ExpectedFile) -> bool {
        let Some(output) = self.subject.manifest.outputs.get(&expected.output) else { return false };
        let has_setting = || output.secrets.iter().any(|name| self.setting(name).is_some());
        output.format.is_from_manifest() || expected.dotenv && has_setting()
    }

    fn setting(&self, name: &SecretName) -> Option<&str> {
        self.subject.manifest.secret(name)?.kind.setting(self.subject.environment)
    }

    fn content(&self, tree: &mut Tree, expected: &ExpectedFile, is_untouched: bool) -> Content {
        let bytes = match tree.read(&expected.path) {
            Ok(bytes) => bytes,
            Err(error) => return Content::Unreadable(format!("it cannot be read: {error}")),
        };
        if let Some(as_foreseen) = self.is_document_as_foreseen(expected, &bytes) {
            return match as_foreseen {
                _ if self.subject.ledger.is_none() => Content::Unreadable(NO_LEDGER.into()),
                true => Content::AsWritten,
                false => Content::Outdated,
            };
        }
        let Some(values) = self.values.in_output(expected, &bytes) else {
            return if is_untouched { Content::AsWritten } else { Content::Unreadable(NOT_READ_BACK.into()) };
        };
        let compared = values.into_iter().map(|(name, value)| {
            let is_known = is_untouched && self.setting(&name).is_none();
            let comparison = match value {
                _ if is_known => Comparison::Same,
                Some(value) => self.compare(&expected.path, &name, &value),
                None => Comparison::Different,
            };
            (name, comparison)
        });
        Content::Compared(compared.gather())
    }

    /// Whether a document says what the manifest says, or a document or list what the store says, as far as the ledger
    /// knows; `None` for other files.
    fn is_document_as_foreseen(&self, expected: &ExpectedFile, bytes: &[u8]) -> Option<bool> {
        let Subject { manifest, environment, .. } = self.subject;
        let output = manifest.outputs.get(&expected.output)?;
        if let Format::ExternalSecret(it) = &output.format {
            let text = external_secret::render(output, it, manifest, environment);
            return Some(text.is_ok_and(|text| text.as_bytes() == bytes));
        }
        let delivered = self.subject.ledger.and_then(|ledger| ledger.files.get(&expected.path));
        let digest = delivered.and_then(|delivered| delivered.digest.as_ref());
        let is_list = output.format == Format::Fingerprints && digest.is_some();
        // What others put on a list came with their commits, and nobody here foresaw it.
        let is_grown = || is_list && self.values.is_whole_list(bytes) == Some(true);
        let is_foreseen = || digest == Some(&digest::sha256_hex(bytes)) || is_grown();
        (output.format.is_document() || digest.is_some()).then(is_foreseen)
    }

    fn compare(&self, path: &str, name: &SecretName, value: &Secret) -> Comparison {
        let by_setting = self.setting(name).map(|setting| setting.as_bytes() == value.expose());
        let by_value = || self.values.is_current(path, name, value);
        let by_fingerprint = || {
            let ledger = self.subject.ledger?;
            let fingerprint = ledger.secrets.get(name)?.fingerprint.as_ref()?;
            Some(*fingerprint == digest::public_fingerprint(&ledger.header.project, value))
        };
        match by_setting.or_else(by_value).or_else(by_fingerprint) {
            Some(true) => Comparison::Same,
            Some(false) => Comparison::Different,
            None => Comparison::Unknown,
        }
    }

    fn others(&self, tree: &mut Tree, facts: &mut Facts) {
        for environment in self.subject.manifest.environments.keys().filter(|name| *name != self.subject.environment) {
            let path = format!("{PRIVATE}{environment}.ledger.jsonl");
            let bytes = match tree.read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => {
                    facts.unseen.push(unseen_ledger(environment, &error));
                    continue;
                }
            };
            match Ledger::parse(&bytes, &path) {
                Ok(ledger) => drop(facts.others.insert(environment.clone(), ledger)),
                Err(error) => facts.unseen.push(unseen_ledger(environment, &error)),
            }
        }
    }

    fn git(&self) -> crate::check::facts::GitFact {
        let store = format!("{PRIVATE}{}.age", self.subject.environment);
        let outputs = self.subject.expected.iter().map(|expected| expected.path.as_str());
        let mut paths: BTreeSet<&str> = outputs.filter(|path| !path.starts_with('/')).collect();
        paths.insert(&store);
        git::look(self.subject.root, &paths, PRIVATE, self.subject.staged)
    }
}

const UNTRUSTED: &str =
    "an absolute path is not looked at before you trust this manifest: read it, then `vault-kit trust`";
const NO_LEDGER: &str = "there is no ledger to compare it with";
const NOT_READ_BACK: &str = "it changed since it was written, and its format is not read back";

fn is_as_written(state: &FileState, delivered: &DeliveredFile) -> bool {
    (state.size, state.mtime, state.inode) == (delivered.size, delivered.mtime, delivered.inode)
}

fn unseen_ledger(environment: &EnvName, why: &impl std::fmt::Display) -> NotChecked {
    NotChecked { what: format!("values reused in environment {environment}"), why: format!("its ledger: {why}") }
}
