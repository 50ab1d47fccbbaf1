//! The fingerprints that are committed, and whether they are all that should be there: a list that is gone or was emptied
//! must not look like one of a project that has nothing to hide.

use super::super::context;
use super::files::Files;
use crate::check::finding::listed;
use crate::error::{Error, Kind, Result};
use crate::manifest::{self, Format};
use crate::name::{EnvName, SecretName};
use crate::scan::fingerprints::Document;
use crate::scan::git::{self, Git};
use crate::store::files::StoreFiles;
use crate::store::{DIRECTORY, Store};

/// The kinds whose value has a public fingerprint, if it was drawn with 128 bits or more.
const KINDS: [&str; 7] = ["api-key", "encryption-key", "passphrase", "password", "random", "token", "uuid"];

/// A list that is declared.
pub(super) struct Prints<'p> {
    project: Files<'p>,
    environment: &'p EnvName,
    path: &'p str,
    /// `None` = there is none.
    document: Option<Document>,
}

/// The lists that are declared for an environment, and in words which of them was delivered for another, and so is none of its.
pub(super) fn declared<'p>(project: Files<'p>, environment: &'p EnvName) -> Result<(Vec<Prints<'p>>, Option<String>)> {
    let outputs = project.session.manifest.outputs_in(environment);
    let declared = outputs.filter(|it| it.format == Format::Fingerprints && !it.path.starts_with('/'));
    let read = |output: &'p manifest::Output| {
        let path = output.path.as_str();
        let document = project.read(path)?.map(|bytes| Document::parse(&bytes, path)).transpose()?;
        Ok(Prints { project, environment, path, document })
    };
    let read: Vec<Prints<'p>> = declared.map(read).collect::<Result<_>>()?;
    let is_ours = |it: &Prints<'p>| it.document.as_ref().is_none_or(|document| document.environment == *environment);
    let (ours, others): (Vec<_>, Vec<_>) = read.into_iter().partition(is_ours);
    let of_another = others.first().and_then(|it| Some((it.path, &it.document.as_ref()?.environment)));
    Ok((ours, of_another.map(|(path, other)| format!("`{path}` is the list of {other}"))))
}

impl Prints<'_> {
    /// Refuses a list that lacks a secret of the store; one that nobody delivered yet is of no use here. What is committed must
    /// keep one that it had: clones know nothing without it.
    pub(super) fn expect_all_of(&self, store: &Store) -> Result<()> {
        if self.document.is_none() && self.project.staged.is_some() && !self.was_never_committed() {
            return Err(self.missing().hint("if it is to go, take its output out of the manifest with it"));
        }
        let own = Document::of(store).values;
        self.expect(own.iter().map(|print| &print.secret))
    }

    /// The list as it is.
    pub(super) fn into_document(self) -> Option<Document> {
        self.document
    }

    /// The list, if it is all that the ledger and the manifest know of; refuses one that is gone or was emptied.
    pub(super) fn expect_whole(mut self) -> Result<Option<Document>> {
        let session = self.project.session;
        let ledger = StoreFiles::new(&session.root, session.state.clone(), self.environment).ledger().ok().flatten();
        if self.document.is_none() {
            let is_not_yet = is_new(&self.project) || ledger.is_none() && self.was_never_committed();
            return if is_not_yet { Ok(None) } else { Err(self.missing()) };
        }
        let entries = ledger.iter().flat_map(|ledger| ledger.secrets.values());
        let printed = entries.filter(|it| it.fingerprint.is_some() && KINDS.contains(&it.kind.as_str()));
        self.expect(printed.map(|it| &it.name))?;
        let drawn =
            session.manifest.secrets_in(self.environment).filter(|it| matches!(it.kind, manifest::Kind::Random(_)));
        if self.document.as_ref().is_some_and(|document| document.values.is_empty()) {
            self.expect(drawn.map(|it| &it.name))?;
        }
        Ok(self.document.take())
    }

    fn expect<'n>(&self, names: impl Iterator<Item = &'n SecretName>) -> Result<()> {
        let Some(document) = &self.document else { return Ok(()) };
        let is_declared = |name: &&SecretName| self.project.session.manifest.has_secret(name, self.environment);
        let is_there = |name: &SecretName| document.values.iter().any(|print| print.secret == *name);
        let mut lacking: Vec<&SecretName> = names.filter(is_declared).filter(|name| !is_there(name)).collect();
        lacking.sort_unstable();
        lacking.dedup();
        if lacking.is_empty() {
            return Ok(());
        }
        let message = format!("`{}` has no fingerprint of {}", self.path, listed(&lacking));
        Err(self.hinted(Error::new(Kind::Manifest, "fingerprints-incomplete", message)))
    }

    /// Whether no commit ever had it: nobody made the values of its environment yet, or committed the list since. Without a
    /// repository only where values are made can that be told.
    fn was_never_committed(&self) -> bool {
        let root = self.project.session.root.path();
        let git = self.git();
        match git.expect_repository() {
            Ok(()) => git.was_committed(self.path).is_ok_and(|was| !was),
            Err(_) => root.join(DIRECTORY).is_dir(),
        }
    }

    fn missing(&self) -> Error {
        let message = format!("`{}`, the fingerprints of {}, is not there", self.path, self.environment);
        let git = self.git();
        let is_shallow = git.expect_repository().is_ok() && git.is_shallow().unwrap_or(false);
        let mut error = Error::new(Kind::Manifest, "fingerprints-missing", message);
        if is_shallow {
            error = error.hint(
                "the clone is shallow, so that nobody can tell whether a commit had it: `git fetch --unshallow`; one that none had stops nothing",
            );
        }
        self.hinted(error)
    }

    fn git(&self) -> Git {
        Git::new(self.project.session.root.path(), context::variables(git::INHERITED.into_iter()))
    }

    fn hinted(&self, error: Error) -> Error {
        error.hint(format!(
            "where its store is: `vault-kit -e {} render`, then commit `{}`; `--rules-only` does without",
            self.environment, self.path
        ))
    }
}

/// Whether no commit ever had the manifest, so that nothing can have been committed with it.
pub(super) fn is_new(project: &Files<'_>) -> bool {
    let session = project.session;
    let git = Git::new(session.root.path(), context::variables(git::INHERITED.into_iter()));
    let was_committed = git.expect_repository().and_then(|()| git.was_committed(&session.manifest.file));
    was_committed.is_ok_and(|was| !was)
}
